"""`diagnose ablate --run`: a user's command, arm by arm and seed by seed, to a verdict and a page."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from command_fixture import READ, RUN, arguments, begun, diagnose, record, until, user_folder

from diagnose.errors import FINDING, INTERRUPTED, MISTAKE


@pytest.fixture
def user(tmp_path):
    return user_folder(tmp_path)


@pytest.fixture(scope="module")
def runs_of_two_seeds(tmp_path_factory):
    """Carry out the ablation that most tests begin with, once."""
    user = user_folder(tmp_path_factory.mktemp("finished"))
    assert diagnose(user, *arguments()).returncode == 0
    return user


@pytest.fixture
def finished(runs_of_two_seeds, tmp_path):
    """Return a folder of one's own in which two arms of two seeds are finished."""
    return Path(shutil.copytree(runs_of_two_seeds, tmp_path / "user", symlinks=True))


def test_a_command_is_run_for_every_arm_and_seed_and_compared(user):
    ended = diagnose(user, *arguments("--jobs", "2", seeds=3))
    assert ended.returncode == 0, ended.stderr
    assert "lr 3e-4 is 0.02" in ended.stdout
    assert "finished (6 of 6)" in ended.stderr
    page = Path(user / ended.stdout.strip().splitlines()[-1])
    assert page.read_text(encoding="utf-8").count("<svg") >= 4  # effects and curves, wide and narrow
    found = record(user)
    assert [(run["level"], run["seed"]) for run in found["carried"]["runs"]] == [
        (level, seed) for seed in range(3) for level in ("1e-4", "3e-4")
    ]
    assert found["design"]["seeds_paired"]
    assert found["effects"][0]["resolved"]
    assert len(found["carried"]["curves"]) == 6
    assert found["carried"]["curves"][0]["unit"] == "step"


def test_the_table_that_is_left_gives_the_same_comparison(finished):
    (table,) = (finished / "runs").glob("*ablate*/results.csv")
    ended = diagnose(finished, "compare", str(table), "--arm", "lr", "--seed", "seed", "--score", "val_loss", "--json")
    theirs, ours = json.loads(ended.stdout)["effects"][0], record(finished)["effects"][0]
    assert {key: theirs[key] for key in ("value", "low", "high", "p")} == {
        key: ours[key] for key in ("value", "low", "high", "p")
    }


def test_no_cell_of_the_table_that_is_left_is_a_formula(user):
    levels = ["=SUM(A1)", "'+1", "-1"]
    read = ["--read", "log:loss", "--lower-is-better", "--seeds", "2"]
    ended = diagnose(user, "ablate", "--run", "echo loss 1.{seed} # {a}", "--axis", f"a={','.join(levels)}", *read)
    assert ended.returncode == 0, ended.stderr
    (folder,) = (user / "runs").glob("*ablate*")
    cells = [line.split(",")[0] for line in (folder / "results.csv").read_text().splitlines()[1:]]
    assert sorted(set(cells)) == ["''+1", "'=SUM(A1)", "-1"]
    again = json.loads(diagnose(user, "compare", str(folder), "--json").stdout)
    assert [arm["level"] for arm in again["arms"]] == levels


def test_the_folders_that_are_left_are_compared_by_themselves_and_seeds_may_be_chosen(finished):
    (first,) = (finished / "runs").glob("*ablate*")
    alone = json.loads(diagnose(finished, "compare", str(first), "--json").stdout)
    assert alone["effects"][0]["value"] == record(finished)["effects"][0]["value"]
    assert [arm["level"] for arm in alone["arms"]] == ["1e-4", "3e-4"]  # as they were typed
    more = diagnose(finished, *arguments("--seed", "1"))  # 1 is there, 2 is not
    assert [run["seed"] for run in record(finished)["carried"]["runs"]] == [1, 1, 2, 2], more.stderr
    both = [str(path) for path in sorted((finished / "runs").glob("*ablate*"))]
    ended = diagnose(finished, "compare", *both, "--json")
    assert [arm["seeds"] for arm in json.loads(ended.stdout)["arms"]] == [["0", "1", "2"]] * 2, ended.stderr
    refused = diagnose(finished, *arguments("--seed", "x"))
    assert refused.stderr.strip() == "diagnose: --seed x: give a whole number from 0; --seeds says how many follow"


def test_json_is_one_object_with_what_failed_and_where_it_lies(finished):
    ended = diagnose(finished, *arguments("--json"))
    found = json.loads(ended.stdout)
    assert found["kind"] == "scores"
    assert (finished / found["ablation"] / "comparison.json").exists()
    assert found["carried"]["template"] == RUN
    assert found["carried"]["failed"] == []


def test_finished_runs_are_used_again_and_more_seeds_join_them(finished):
    again = diagnose(finished, *arguments(seeds=3))
    assert again.returncode == 0
    assert [run["reused"] for run in record(finished)["carried"]["runs"]] == [True] * 4 + [False] * 2
    assert "running" not in diagnose(finished, *arguments(seeds=3)).stderr


def test_a_script_that_has_changed_runs_again_and_a_plan_says_so(finished):
    with (finished / "train.py").open("a") as file:
        file.write("\n# a change\n")
    planned = diagnose(finished, *arguments("--dry-run"))
    assert "4 finished runs of the same commands are not used again" in " ".join(planned.stdout.split())
    diagnose(finished, *arguments())
    assert not any(run["reused"] for run in record(finished)["carried"]["runs"])


def test_code_beside_the_script_counts_and_can_be_left_out(finished):
    (finished / "model.py").write_text("width = 2\n")  # a new file says nothing of what the old runs imported
    assert diagnose(finished, *arguments("--dry-run", "--json")).stdout.count('"run": null') == 4
    diagnose(finished, *arguments("--code", "train.py"))
    assert all(run["reused"] for run in record(finished)["carried"]["runs"])


def test_another_number_is_read_from_runs_that_are_there(finished):
    ended = diagnose(finished, *arguments(read=("{dir}/metrics.json:eval.accuracy",)))
    assert ended.returncode == 0, ended.stderr
    found = record(finished)
    assert all(run["reused"] for run in found["carried"]["runs"])
    assert found["metrics"][0] | {"noise": None} == {
        "name": "eval.accuracy", "better": "higher", "told_by": "name", "kind": "bounded", "noise": None,
    }  # fmt: skip


def test_several_numbers_are_corrected_together(finished):
    diagnose(finished, *arguments(read=(READ, "{dir}/metrics.json:eval.accuracy", "log:val_loss"), seeds=3))
    found = record(finished)
    assert [metric["name"] for metric in found["metrics"]] == [
        "metrics.json:val_loss:last", "eval.accuracy", "log:val_loss:last",
    ]  # fmt: skip
    assert len(found["effects"]) == 3


def test_levels_are_passed_as_one_argument_each_whatever_they_hold(user):
    (user / "body.py").write_text("print('GIVEN', repr(args.act), flush=True)\nloss += len(args.act) / 100\n")
    nasty = ["a b", "it's", 'say "hi"', "{seed}", "$HOME", "`id`", "; rm -rf x", "{dir}", "--lr", "ä✓"]
    run = "python train.py --act={act} --seed {seed} --out {dir}"
    ended = diagnose(user, *arguments(run=run, axes=("act=" + ",".join(nasty),)))
    assert ended.returncode == 0, ended.stderr
    given = {
        path.joinpath("output.txt").read_text().split("GIVEN ", 1)[1].splitlines()[0]
        for path in (user / "runs").iterdir() if (path / "output.txt").exists()
    }  # fmt: skip
    assert given == {repr(level) for level in nasty}


def test_arms_of_a_file_differ_in_several_values(user):
    (user / "body.py").write_text("print('ARGS', sys.argv[1:], flush=True)\n")
    (user / "arms.toml").write_text(
        '[baseline]\nlr = 1e-4\nflags = []\n\n["two words"]\nlr = 3e-4\nflags = ["--act", "re lu"]\n'
    )
    run = "python train.py --lr {lr} {flags} --seed {seed} --out {dir}"
    ended = diagnose(user, *arguments("--axis-file", "arms.toml", run=run, axes=()))
    assert ended.returncode == 0, ended.stderr
    outputs = [path.read_text() for path in sorted((user / "runs").glob("*two-words*/output.txt"))]
    assert len(outputs) == 2
    assert "['--lr', '3e-4', '--act', 're lu', '--seed', '0', '--out', " in outputs[0]
    assert record(user)["axes"] == [{"name": "arms", "levels": ["baseline", "two words"], "control": "baseline"}]


def test_two_axes_are_crossed(tmp_path):
    user = user_folder(tmp_path, "loss += 0.05 * (args.act == 'b')")
    ended = diagnose(user, *arguments(run=f"{RUN} --act {{act}}", axes=("lr=1e-4,3e-4", "act=a,b")))
    assert ended.returncode == 0, ended.stderr
    found = record(user)
    assert [arm["level"] for arm in found["arms"]] == ["1e-4, a", "1e-4, b", "3e-4, a", "3e-4, b"]
    values = {effect["axis"]: effect["value"] for effect in found["effects"]}
    assert {axis: values[axis] for axis in ("lr", "act")} == pytest.approx({"lr": -0.02, "act": 0.05}, abs=0.005)


def test_a_plan_shows_the_commands_and_what_seeds_can_resolve(user):
    first = diagnose(user, *arguments("--dry-run", "--seeds", "5"))
    assert first.returncode == 0, first.stderr
    assert "2 arms x 5 seeds = 10 runs" in first.stdout
    assert "python train.py --lr 3e-4 --seed 0 --out {dir}" in first.stdout
    assert "is not known yet" in first.stdout
    assert not (user / "runs").exists()
    diagnose(user, *arguments(seeds=3))
    planned = json.loads(diagnose(user, *arguments("--dry-run", "--json", seeds=5)).stdout)
    assert sum(one["run"] is not None for one in planned["runs"]) == 6
    by_seeds = planned["resolvable"]["by_seeds"]
    assert by_seeds["2"] > by_seeds["3"] > by_seeds["5"] > by_seeds["10"] > 0.005  # seeds lie 0.02 apart
    assert planned["seconds"] > 0


FAILING = """
if args.seed == "1" and args.lr == "3e-4":
    print("epoch 1")
    print("\\x1b[31mRuntimeError: \\x1b]0;title\\x07CUDA out of memory\\u202e", flush=True)
    sys.exit(3)
"""


def test_a_run_that_fails_is_told_with_its_last_lines_and_the_others_are_compared(tmp_path):
    user = user_folder(tmp_path, FAILING)
    ended = diagnose(user, *arguments(seeds=4))
    assert ended.returncode == FINDING
    assert "1 of 8 runs gave no result" in ended.stdout
    assert "RuntimeError: CUDA out of memory" in ended.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(ended.stdout + ended.stderr)
    (failed,) = record(user)["carried"]["failed"]
    assert (failed["level"], failed["seed"], failed["why"]) == ("3e-4", 1, "it ended with exit code 3")
    assert failed["output"][0] == "epoch 1"
    page = (user / ended.stdout.strip().splitlines()[-1]).read_text(encoding="utf-8")
    assert "CUDA out of memory" in page
    assert record(user)["effects"][0]["paired_seeds"] == ["0", "2", "3"]


def test_where_all_runs_fail_no_further_one_is_started(tmp_path):
    user = user_folder(tmp_path, "raise ModuleNotFoundError(\"No module named 'flash_attn'\")")
    ended = diagnose(user, *arguments(seeds=9))
    assert ended.returncode == FINDING
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("diagnose: 3 of 18 runs failed, 15 were not started, too many for a comparison; 1e-4 seed 0")
    assert "it ended with exit code 1: ModuleNotFoundError: No module named 'flash_attn' (all of its output: " in last


def test_a_time_limit_ends_a_run_and_all_that_it_started(tmp_path):
    slow = """
if args.lr == "3e-4":
    import subprocess
    child = subprocess.Popen(["sleep", "600"])
    open(f"pids-{args.seed}", "w").write(str(child.pid))
    time.sleep(600)
"""
    user = user_folder(tmp_path, slow)
    ended = diagnose(user, *arguments("--timeout", "2s", "--jobs", "2"))
    assert ended.returncode == FINDING
    assert "it was stopped at its time limit of 2.0" in ended.stderr
    pids = [int(path.read_text()) for path in user.glob("pids-*")]
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


WAITING = """
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
if os.path.exists("wait"):
    open(f"pids-{args.lr}-{args.seed}", "w").write(f"{os.getpid()} {child.pid}")
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        open(os.path.join(args.out, "asked"), "w").close()
        raise
child.kill()
open(os.path.join(args.out, "continued"), "w").close() if os.path.exists(os.path.join(args.out, "asked")) else None
"""


@pytest.fixture
def waiting(tmp_path):
    user = user_folder(tmp_path, WAITING)
    (user / "wait").touch()
    return user


def pids_of(user, count):
    files = until(lambda: (found := [path.read_text() for path in user.glob("pids-*")]) and len(found) == count
                  and all(len(text.split()) == 2 for text in found) and found)  # fmt: skip
    return [int(pid) for text in files for pid in text.split()]


def test_ctrl_c_reaches_the_command_and_resume_goes_on_in_its_folder(waiting):
    process = begun(waiting, *arguments("--jobs", "2"))
    pids = pids_of(waiting, 2)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, err
    assert err.strip().splitlines()[-1].startswith("diagnose: stopped; finished runs stay finished")
    until(lambda: not any(map(alive, pids)), 20)
    assert len(list(waiting.glob("runs/*/files/asked"))) == 2
    (waiting / "wait").unlink()
    again = diagnose(waiting, *arguments("--jobs", "2", "--resume"))
    assert again.returncode == 0, again.stderr
    assert len(list(waiting.glob("runs/*/files/continued"))) == 2
    assert len([path for path in (waiting / "runs").iterdir() if (path / "command.json").exists()]) == 4


def test_a_killed_diagnose_leaves_no_command_behind_and_a_new_start_takes_a_new_folder(waiting):
    process = begun(waiting, *arguments("--jobs", "2"))
    pids = pids_of(waiting, 2)
    process.kill()
    process.communicate(timeout=60)
    until(lambda: not any(map(alive, pids)), 40)
    (waiting / "wait").unlink()
    again = diagnose(waiting, *arguments("--jobs", "2"))
    assert again.returncode == 0, again.stderr
    assert len([path for path in (waiting / "runs").iterdir() if (path / "command.json").exists()]) == 6
    assert not list(waiting.glob("runs/*/files/continued"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system ends a command with its watcher on Linux")
def test_a_killed_worker_takes_its_command_along_and_the_run_is_tried_again(waiting):
    process = begun(waiting, *arguments("--jobs", "2", seeds=3))
    pids = pids_of(waiting, 2)
    (waiting / "wait").unlink()
    parent = int(Path(f"/proc/{pids[0]}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    until(lambda: not alive(pids[0]) and not alive(pids[1]), 20)
    other = pids[2]
    os.kill(other, signal.SIGKILL)  # a command that the system kills is a failed run, and no more
    _, err = process.communicate(timeout=60)
    assert "tried again" in err
    assert process.returncode == FINDING, err
    (failed,) = record(waiting)["carried"]["failed"]
    assert failed["why"] == "it was killed by SIGKILL (out of memory?)"


def test_two_ablations_in_one_folder_share_their_runs(tmp_path):
    user = user_folder(tmp_path, "time.sleep(0.3)")
    both = [begun(user, *arguments("--jobs", "2", seeds=3)) for _ in range(2)]
    ends = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert len([path for path in (user / "runs").iterdir() if (path / "command.json").exists()]) == 6


def test_a_folder_that_a_leftover_process_still_writes_is_not_taken(waiting):
    import fcntl

    process = begun(waiting, *arguments())
    pids_of(waiting, 1)
    process.kill()
    process.communicate(timeout=60)
    (folder,) = (path for path in (waiting / "runs").iterdir() if (path / "command.json").exists())
    held = until(lambda: _locked(folder / "lock", fcntl), 40)
    ended = diagnose(waiting, *arguments("--resume"))
    held.close()
    assert ended.returncode == MISTAKE
    assert "is still being written by another process" in ended.stderr


def _locked(path, fcntl):
    file = path.open("r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def test_the_command_itself_holds_the_lock_of_its_folder(waiting):
    process = begun(waiting, *arguments())
    pid, *_ = pids_of(waiting, 1)
    (folder,) = (path for path in (waiting / "runs").iterdir() if (path / "command.json").exists())
    open_files = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    assert str(folder / "lock") in open_files
    process.kill()
    process.communicate(timeout=60)


def test_each_job_sees_a_gpu_of_its_own(tmp_path, monkeypatch):
    user = user_folder(tmp_path, "print('GPU', os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True); time.sleep(0.3)")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    diagnose(user, *arguments("--jobs", "2"))
    seen = {path.read_text().split("GPU ")[1].split()[0] for path in (user / "runs").glob("*/output.txt")}
    assert seen == {"4", "7"}


def test_the_environment_of_a_command_is_the_users_but_for_one_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    user = user_folder(tmp_path, "json.dump([dict(os.environ), sys.stdin.read()], open(args.out + '/env', 'w'))")
    diagnose(user, *arguments())
    from command_fixture import environment

    told, given = json.loads(next((user / "runs").glob("*/files/env")).read_text())
    ours = {**environment()}
    assert {key for key in told.keys() | ours.keys() if told.get(key) != ours.get(key)} <= {
        "DIAGNOSE_SCORES", "_", "LC_CTYPE",
    }  # fmt: skip
    assert given == ""


def test_a_result_that_is_not_there_costs_one_run_and_is_not_paid_for_again(user):
    ended = diagnose(user, *arguments(read=("{dir}/metrics.json:val_los",)))
    assert ended.returncode == FINDING
    said = "there is no val_los in metrics.json; did you mean 'val_loss'?"
    assert f"1 of 4 runs failed, 3 were not started, too many for a comparison; 1e-4 seed 0: {said}" in ended.stderr
    again = diagnose(user, *arguments(read=("{dir}/metrics.json:val_los",)))
    assert again.returncode == MISTAKE
    assert "running" not in again.stderr
    assert again.stderr.startswith(
        f"diagnose: 1 run of these commands ended well before and hold no result as it is looked for; the first: {said}"
    )
    assert diagnose(user, *arguments()).returncode == 0
    assert [run["reused"] for run in record(user)["carried"]["runs"]] == [True, False, False, False]


def test_a_command_that_writes_nothing_is_told(tmp_path):
    user = user_folder(tmp_path, "print('Error: out of memory'); sys.exit(0)")
    ended = diagnose(user, *arguments())
    assert ended.returncode == FINDING
    assert "its folder is empty; it printed last: Error: out of memory (all of its output" in ended.stderr
    assert "1e-4 seed 0: it wrote no metrics.json" in ended.stderr
    reported = diagnose(user, *arguments(read=()))
    assert (
        "it reported no scores: give --read FILE:KEY, or call diagnose.report_scores in the script" in reported.stderr
    )


def test_a_seed_that_is_not_used_is_said(tmp_path):
    user = user_folder(tmp_path, "loss = 1.0 + float(args.lr)")
    ended = diagnose(user, *arguments(seeds=3))
    assert "All seeds of each arm gave the very same scores: does the command use its seed?" in " ".join(
        ended.stdout.split()
    )


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_run(user):
    (user / "runs").write_text("a file")
    ended = diagnose(user, *arguments())
    assert ended.returncode == MISTAKE
    assert ended.stderr.count("\n") == 1
    assert "runs cannot be written" in ended.stderr


def test_its_page_is_rendered_again_and_its_runs_are_listed(finished):
    (folder,) = (finished / "runs").glob("*ablate*")
    (page,) = (finished / "reports").glob("*.html")
    before = page.read_bytes()
    assert diagnose(finished, "report", str(folder)).stdout.strip() == f"reports/{folder.name}.html"
    assert page.read_bytes() == before
    from diagnose import load

    assert load(folder).verdict == record(finished)["verdict"]
    rows = json.loads(diagnose(finished, "runs", "--json").stdout)["runs"]
    assert [row["status"] for row in rows] == ["finished"] * 4


@pytest.mark.parametrize("command", ["loss-gap", "audit", "sample"])
def test_commands_of_our_own_runs_refuse_it_in_one_line(command, finished):
    (folder,) = (finished / "runs").glob("*ablate*")
    ended = diagnose(finished, command, str(folder))
    assert ended.returncode == MISTAKE
    assert ended.stderr.count("\n") == 1


ELSEWHERE = """
import subprocess
child = subprocess.Popen(["sleep", "600"], start_new_session=True)  # as torchrun starts its workers
if os.path.exists("wait"):
    open(f"pids-{args.lr}-{args.seed}", "w").write(f"{os.getpid()} {child.pid}")
    time.sleep(600)
child.kill()
"""


@pytest.fixture
def elsewhere(tmp_path):
    user = user_folder(tmp_path, ELSEWHERE)
    (user / "wait").touch()
    return user


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="environments of processes are read from /proc")
def test_what_a_command_started_in_another_session_ends_with_it_too(elsewhere):
    process = begun(elsewhere, *arguments())
    pids = pids_of(elsewhere, 1)
    process.kill()
    process.communicate(timeout=60)
    until(lambda: not any(map(alive, pids)), 40)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="environments of processes are read from /proc")
def test_a_process_that_was_left_behind_is_named_and_its_folder_not_taken(elsewhere):
    process = begun(elsewhere, *arguments())
    command, child = pids_of(elsewhere, 1)
    worker = int(Path(f"/proc/{command}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(process.pid, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)  # so that nobody is left to end the child
    process.communicate(timeout=60)
    until(lambda: not alive(command), 20)
    assert alive(child)
    refused = diagnose(elsewhere, *arguments("--resume"))
    assert refused.returncode == MISTAKE
    assert f"is still being written by a process that was left behind ({child}); end it first" in refused.stderr
    (elsewhere / "wait").unlink()
    assert diagnose(elsewhere, *arguments()).returncode == 0  # in new folders
    os.kill(child, signal.SIGKILL)

"""A real Slurm of one node: the same runs as here, and jobs that are killed, put back, cancelled, late, left alone."""

import json
import os
import signal
import time

import pytest
from command_fixture import arguments, begun, record, until, user_folder
from command_fixture import diagnose as run_diagnose
from engine_fixture import assert_all_same, given_to, slow_network, started, steps_of
from run_fixture import OFTEN, QUICK
from slurm_fixture import one_node, process_of, queued, slurm
from tracker_fixture import assert_holds

from diagnose.ablation import ablate
from diagnose.errors import FINDING, INTERRUPTED, MISTAKE
from diagnose.runs import probes, session, store

SLURM = ("--engine", "slurm")
SLEEPS = """
import time
if args.lr == "1e-4" and args.seed in ("0", "1"):
    open(f"begun-{args.seed}", "w").close()
    time.sleep(100)
"""
GOES_ON = """
import time
mark = os.path.join(args.out, "checkpoint")
if args.lr == "1e-4" and args.seed == "0" and not os.path.exists(mark):
    open(mark, "w").close()
    time.sleep(100)
"""


@pytest.fixture(scope="module", autouse=True)
def node(tmp_path_factory):
    with one_node(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.fixture
def user(tmp_path):
    return user_folder(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def late(node, tmp_path_factory):
    """Begin an ablation of which one run is out of time and one is cancelled; Slurm looks twice a minute."""
    folder = user_folder(tmp_path_factory.mktemp("late"), SLEEPS)
    process = begun(folder, *arguments(*SLURM, "--time", "5m", seeds=4))
    jobs = [job_of(folder, f"1e-4-s{seed}", folder / f"begun-{seed}") for seed in (0, 1)]
    slurm("scontrol", "update", f"JobId={jobs[0]}", "EndTime=now+1")
    slurm("scancel", jobs[1])
    yield process, folder, jobs
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def network(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    return given_to(tiny, slow_network(folder)), folder


def job_of(folder, name, mark):
    """Wait until a run has begun, by a file that it writes, and return its job's id."""
    until(mark.exists)
    (path,) = (folder / "runs").glob(f"*-{name}-*")
    digest = json.loads((path / "command.json").read_text())["digest"]
    return json.loads((folder / "runs" / ".slurm" / f"{digest}.json").read_text())["job"]


def ended(process):
    out, err = process.communicate(timeout=150)
    assert "Traceback" not in err, err
    return process.returncode, out.replace("\N{NO-BREAK SPACE}", " "), err.replace("\N{NO-BREAK SPACE}", " ")


def running(runs, count):
    """Wait until so many runs of ours are under way, and return the ids of their jobs."""
    until(lambda: len(store.entries(runs)) == count and all(steps_of(path) > 3 for path in store.entries(runs)), 120)
    notes = [json.loads(file.read_text())["job"] for file in (runs / ".slurm").glob("????????????????.json")]
    return sorted(job for job in notes if queued().get(job) == "RUNNING")


def is_put_off(job):
    return "BeginTime" in slurm("squeue", "--noheader", "--array", f"--jobs={job}", "--format=%r")


def begin_now(job):
    """Let a job that was put back begin at once: Slurm waits two minutes otherwise."""
    until(lambda: "COMPLETING" not in queued().get(job, "") and "RUNNING" not in queued().get(job, ""))
    until(lambda: slurm("scontrol", "update", f"JobId={job}", "StartTime=now") or not is_put_off(job))


def test_our_runs_are_the_same_as_here_also_where_one_is_killed_and_one_is_warned(
    network, tmp_path, monkeypatch
):  # fmt: skip
    given, folder = network
    (folder / "slow").touch()
    process = started(given, tmp_path, *SLURM, "--time", "5m", "--jobs", "2")
    killed, warned = running(tmp_path / "runs", 2)
    os.kill(process_of(killed), signal.SIGKILL)
    os.kill(process_of(warned), signal.SIGUSR2)  # as Slurm does shortly before the time limit
    (folder / "slow").unlink()
    begin_now(warned)
    for module, values in ((probes, QUICK), (session, OFTEN)):  # as the network's file has it in other processes
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    ablate.ablate("activation", seeds=2, overrides=given, runs=tmp_path / "here")
    code, _, err = ended(process)
    assert code == 0, err
    assert "tried again" in err
    assert_all_same(tmp_path / "runs", tmp_path / "here")


@pytest.mark.slow  # `make cluster`
def test_our_run_that_may_not_go_on_leaves_its_checkpoint_and_says_that_time_was_short(network, tmp_path):
    given, folder = network
    (folder / "slow").touch()
    process = started(given, tmp_path, *SLURM, "--time", "5m", "--requeues", "0", seeds=1)
    for job in running(tmp_path / "runs", 2):
        os.kill(process_of(job), signal.SIGUSR2)
    code, _, err = ended(process)
    (folder / "slow").unlink()
    assert code == FINDING
    assert (
        "it reached Slurm's time limit of 5 min 0 s: give more --time; --resume tries again from its checkpoint" in err
    )
    assert all(steps_of(path) > 3 for path in store.entries(tmp_path / "runs"))


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_a_tracker_has_the_runs_of_jobs(network, tmp_path):
    pytest.importorskip("tensorboard")
    process = started(network[0], tmp_path, *SLURM, "--time", "5m", "--report-to", "tensorboard")
    code, _, err = ended(process)
    assert code == 0, err
    assert "did not take it" not in err
    assert_holds("tensorboard", tmp_path, *(tmp_path / "runs").glob("*-ablate-*"))


def test_a_command_is_carried_out_in_jobs_and_its_runs_are_used_again(user):
    told = run_diagnose(user, *arguments(*SLURM, "--time", "5m", "--gpus-per-task", "1", "--sbatch", "comment=a b"))
    assert told.returncode == 0, told.stderr
    assert "finished (4 of 4)" in told.stderr
    here = run_diagnose(user, *arguments("--json"))
    assert all(run["reused"] for run in json.loads(here.stdout)["carried"]["runs"])
    scripts = sorted((user / "runs" / ".slurm").glob("*_submission.sh"))
    assert len(scripts) == 2  # no array of this cluster holds more than three jobs
    wanted = {"#SBATCH --gres=gpu:1", "#SBATCH --array=0-2%3", "#SBATCH --time=5", "#SBATCH --comment='a b'"}
    assert wanted <= set(scripts[0].read_text().splitlines())


def test_jobs_outlive_ctrl_c_and_the_same_command_takes_them_up_again(user):
    (user / "body.py").write_text(GOES_ON, encoding="utf-8")
    process, runs = begun(user, *arguments(*SLURM, "--time", "5m")), user / "runs"
    until(lambda: list(runs.glob("*/files/checkpoint")))
    (mark,) = runs.glob("*/files/checkpoint")
    job = job_of(user, "1e-4-s0", mark)
    os.kill(process.pid, signal.SIGINT)
    code, _, err = ended(process)
    assert code == INTERRUPTED
    assert f"stay with Slurm and go on: the same command takes them up again, `scancel {job.split('_')[0]}" in err
    slurm("scontrol", "requeue", job)
    until(lambda: queued().get(job) == "PENDING")
    again = begun(user, *arguments(*SLURM, "--time", "5m"))
    time.sleep(3)  # so that it most likely finds the job waiting
    begin_now(job)
    code, _, err = ended(again)
    assert code == 0, err
    assert len(list((runs / ".slurm").glob("*_submission.sh"))) == 2  # as before
    assert len(list(runs.glob("*/command.json"))) == 4
    assert [run["run"] for run in record(user)["carried"]["runs"]].count(mark.parts[-3]) == 1


def test_jobs_that_wait_are_cancelled_where_all_fail(user):
    (user / "body.py").write_text("raise SystemExit('no such data')", encoding="utf-8")
    told = run_diagnose(user, *arguments(*SLURM, "--time", "5m", "--jobs", "1", seeds=8))
    assert told.returncode == FINDING
    assert "no such data" in told.stderr
    assert "were not started" in told.stderr
    assert [job for job, state in queued().items() if state == "PENDING"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--partition", "mian"), "--partition mian is none of this cluster; did you mean 'main'?"),
        (
            ("--partition", "short", "--time", "3h"),
            "--time: short allows jobs of 10 min 0 s at most, and 3 h 0 min are asked for",
        ),
        (("--mem", "900G"), "Slurm does not take the jobs: "),
    ],
)
def test_what_slurm_would_refuse_is_told_in_one_line(given, said, user, diagnose):
    code, _, err = diagnose(*arguments(*SLURM, "--quiet", *given))
    assert code == MISTAKE
    assert said in err.replace("\N{NO-BREAK SPACE}", " ")
    assert err.strip().count("\n") == 0
    assert not list((user / "runs").glob("*/command.json"))


def test_a_plan_shows_what_sbatch_is_asked_for(user, diagnose):
    _, out, _ = diagnose(*arguments(*SLURM, "--partition", "short", "--mem", "1G", "--dry-run"))
    shown = " ".join(out.split())
    assert "submitted with --time=10 --partition=short --cpus-per-task=1 --mem=1G --requeue" in shown
    assert not (user / "runs").exists()


def test_a_time_limit_that_is_too_short_and_a_cancelled_job_are_told(late):
    process, folder, jobs = late
    code, _, err = ended(process)
    assert code == FINDING, err
    failed = {one["seed"]: one["why"] for one in record(folder)["carried"]["failed"]}
    assert failed[0].startswith("it reached Slurm's time limit of ")
    assert failed[0].endswith(": give more --time")
    assert failed[1] == f"its job {jobs[1]} was cancelled"
    assert len(record(folder)["carried"]["runs"]) == 6

"""What is asked of Slurm and how its answers are read; no Slurm is needed here."""

import json
import os
import signal
import time

import pytest
from command_fixture import arguments, user_folder

from diagnose.ablation import ablate
from diagnose.engines import dispatch, slurm_cluster, slurm_commands
from diagnose.engines.command_job import CommandJob
from diagnose.engines.resources import Resources
from diagnose.engines.selection import Place
from diagnose.engines.slurm_cluster import SbatchPlan, Slurm, Submitted
from diagnose.engines.slurm_commands import JobState, SlurmError
from diagnose.engines.slurm_task import SlurmTask
from diagnose.engines.work import Ended
from diagnose.errors import MISTAKE, DiagnoseError

SINFO = "main*|1:00:00|infinite\nshort|n/a|10:00\nlong|n/a|7-00:00:00\n"


def line_of(what, *args, **more):
    with pytest.raises(DiagnoseError) as caught:
        what(*args, **more)
    assert caught.value.exit_code == MISTAKE
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def answers(monkeypatch):
    """Let Slurm's programs answer what a test says, by the name of the program."""
    said = {"sinfo": SINFO, "scontrol": "MaxArraySize            = 1001\n"}

    def call(*args):
        answer = said.get(args[0], SlurmError("no such program"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(slurm_commands, "call", call)
    monkeypatch.setattr(slurm_commands.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.delenv("SBATCH_PARTITION", raising=False)
    return said


def job(runs="runs", seed=0):
    return CommandJob("a", seed, ("x",), {"seed": seed, "digest": f"{seed:016d}"}, str(runs))


def test_where_submitit_is_not_installed_the_extra_is_named(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(slurm_cluster, "find_spec", lambda _: None)
    said = line_of(
        ablate.ablate, "activation", seeds=2, overrides=tiny, runs=tmp_path / "runs", place=Place("slurm")
    )  # fmt: skip
    assert said == (
        "--engine slurm needs submitit, which is not installed: pip install 'diagnose-training[slurm]'"
    )  # fmt: skip
    assert not (tmp_path / "runs").exists()


def test_a_machine_without_slurm_is_told_what_to_do(tmp_path, monkeypatch, diagnose):
    monkeypatch.setattr(slurm_cluster, "find_spec", lambda _: True)
    monkeypatch.setenv("PATH", str(tmp_path))
    user_folder(tmp_path)
    code, _, err = diagnose(*arguments("--engine", "slurm"))
    assert code == MISTAKE
    assert err.strip() == (
        "diagnose: --engine slurm: there is no Slurm on this machine (sbatch is not found); give the command on a "
        "login node of the cluster, or train here with --jobs"
    )


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place(takes=Resources(partition="gpu")), "--partition is of a cluster: give --engine slurm with it"),
        (Place("ray", takes=Resources(time="2h")), "--time is of a cluster: give --engine slurm with it"),
        (Place(takes=Resources(gpus=1)), "--gpus-per-task is of a cluster: give --engine ray or slurm with it"),
        (Place("slurm", takes=Resources(gpus=-1)), "--gpus-per-task -1: give at least 0"),
        (Place("slurm", takes=Resources(gpus=0.5)), "--gpus-per-task 0.5: Slurm gives whole GPUs"),
        (Place("ray", takes=Resources(gpus=1.5)), "--gpus-per-task 1.5: a run gets a part of one GPU or whole ones"),
        (Place("ray", takes=Resources(gpus=float("nan"))), "--gpus-per-task nan: give at least 0"),
        (Place("slurm", takes=Resources(cpus=0)), "--cpus-per-task 0: give at least 1"),
        (Place("slurm", takes=Resources(memory="much")), "--mem much: give an amount as 16G or 800M"),
        (Place("slurm", takes=Resources(time="60")), "--time 60: give its unit, as 60m or 60h"),
        (Place("slurm", takes=Resources(time="soon")), "--time soon: give seconds, or a time as 90s, 30m, 2h"),
        (Place("slurm", takes=Resources(sbatch=("x y",))), "--sbatch x y: give an option of sbatch by its long name"),
        (Place("slurm", takes=Resources(sbatch=("time=3",))), "--sbatch time: give --time"),
        (Place("slurm", takes=Resources(sbatch=("array=3",))), "--sbatch array: diagnose sets this one itself"),
    ],
)
def test_options_that_make_no_sense(place, said):
    assert said in line_of(place.check)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("2h", 7200), ("90m", 5400), ("02:00:00", 7200), ("30:00", 1800), ("1-12", 129600), ("1-12:30:00", 131400)],
)
def test_times_as_we_and_as_slurm_write_them(given, seconds):
    assert Resources(time=given).seconds == seconds


def test_without_a_time_limit_the_partitions_is_taken(answers):
    assert slurm_commands.time_limit(None, None) == 3600
    assert slurm_commands.time_limit("short", None) == 600
    assert slurm_commands.time_limit("long", None) == 7 * 86400
    assert slurm_commands.time_limit("short,long", 86400.0) == 86400  # whichever of them takes it
    said = line_of(slurm_commands.time_limit, "short", 601.0).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "--time: short allows jobs of 10 min 0 s at most, and 10 min 1 s are asked for"
    answers["sinfo"] = SlurmError("Unable to contact slurm controller (connect failure)")
    assert "Slurm does not answer (Unable to contact" in line_of(slurm_commands.time_limit, None, None)


def test_what_sbatch_is_asked_for(answers):
    takes = Resources(gpus=2, cpus=4, memory="16G", partition="long", time="90s", sbatch=("gres=gpu:a100:2", "hold"))
    assert SbatchPlan.of(takes, [job()], None).record() == {
        "time": 2, "partition": "long", "cpus-per-task": 4, "mem": "16G", "gres": "gpu:a100:2", "requeue": True,
        "hold": True,
    }  # fmt: skip
    assert SbatchPlan.of(Resources(), [job()], None).requeues == 0


def test_states_come_from_the_queue_and_of_forgotten_jobs_from_the_accounts(answers):
    answers["squeue"] = "7|0|RUNNING|None\n7|1|PENDING|JobHeldUser\n8|N/A|PENDING|Priority\n"
    answers["sacct"] = "7_2|CANCELLED by 0\n7_[3-5]|PENDING\n9|OUT_OF_MEMORY\n"
    found = slurm_commands.states(["7_0", "7_1", "8", "7_2", "9", "10"])
    assert {name: state.name for name, state in found.items()} == {
        "7_0": "RUNNING", "7_1": "PENDING", "8": "PENDING", "7_2": "CANCELLED", "9": "OUT_OF_MEMORY", "10": "forgotten",
    }  # fmt: skip
    assert [name for name, state in found.items() if state.is_ended] == ["7_2", "9", "10"]
    assert (found["7_1"].waits_for, found["8"].waits_for) == ("JobHeldUser", "")
    answers["squeue"] = SlurmError("slurm_load_jobs error: Invalid job id specified")
    del answers["sacct"]
    assert slurm_commands.states(["10"])["10"].name == "forgotten"
    answers["squeue"] = SlurmError("Unable to contact slurm controller")
    with pytest.raises(SlurmError):
        slurm_commands.states(["10"])


def test_a_job_inside_a_job_inherits_nothing_of_it_but_the_site(monkeypatch):
    given = {
        "SLURM_JOB_ID": "3", "SLURM_CPU_BIND": "mask", "SLURM_MEM_PER_CPU": "100", "RANK": "1", "SLURM_CONF": "/etc/s",
        "SBATCH_ACCOUNT": "vision",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with slurm_commands.out_of_a_job():
        assert {name for name in given if name in os.environ} == {"SLURM_CONF", "SBATCH_ACCOUNT"}
    assert {name: os.environ[name] for name in given} == given


@pytest.fixture
def engine(answers, tmp_path, monkeypatch):
    monkeypatch.setattr(slurm_cluster, "LATE_SECONDS", 0.0)
    found = Slurm(Resources(time="1h"))
    found.runs = tmp_path
    found.plan = SbatchPlan.of(found.takes, [job()], None)
    (tmp_path / ".slurm").mkdir()
    (tmp_path / ".progress").mkdir()
    return found


def gone(engine, state, *, began=True):
    """Return a job that Slurm says has ended so, without a word of its own."""
    if began:
        (engine.runs / ".progress" / f"{0:016d}.json").touch()
    return Submitted(job(engine.runs), "7_0", JobState(state), gone_at=0.0)


@pytest.mark.parametrize("state", ["FAILED", "NODE_FAIL", "PREEMPTED", "forgotten"])
def test_a_job_that_dies_is_tried_again_twice(engine, state):
    tries = [engine._ended(gone(engine, state)) for _ in range(3)]
    assert [one.resume for one in tries[:2]] == [True, True]
    assert tries[2].died
    assert tries[2].why.startswith(f"Slurm ended its job 7_0, the last of 3 attempts, as {state}")


def test_how_a_job_ended_is_told_with_the_last_lines_of_its_output(engine):
    (engine.runs / ".slurm" / "7_0_0_log.out").write_text("start\n" * 9 + "step 3\n\noom-kill\n", encoding="utf-8")
    found = engine._ended(gone(engine, "OUT_OF_MEMORY"))
    assert found.died
    assert found.why == (
        "Slurm ended its job 7_0 as OUT_OF_MEMORY; give more --mem; last lines of its output: start / step 3 / oom-kill"
    )
    assert engine._ended(gone(engine, "TIMEOUT")).why.endswith(": give more --time")


def test_a_job_that_never_began_ends_the_ablation_and_asks_for_a_shared_folder(engine):
    found = engine._ended(gone(engine, "FAILED", began=False))
    assert not found.is_result
    assert found.why.startswith("Slurm ended its job 7_0 as FAILED, with no output: do the nodes see ")


def test_what_a_run_notes_counts_whatever_slurm_says_but_not_of_an_earlier_job(engine):
    end = engine.runs / ".slurm" / f"{0:016d}.ended.json"
    whole = {"run": "a-s0", "finished": True}
    end.write_text(json.dumps({"format": 1, "job": "6_0", **whole}), encoding="utf-8")
    assert engine._noted(gone(engine, "RUNNING")) is None
    end.write_text(json.dumps({"format": 1, "job": "7_0", **whole}), encoding="utf-8")
    found = engine._ended(gone(engine, "NODE_FAIL"))
    assert (found.finished, found.run) == (True, "a-s0")
    end.write_text(json.dumps({"format": 1, "job": "7_0", "broke": "Traceback"}), encoding="utf-8")
    with pytest.raises(RuntimeError, match="a job of Slurm failed"):
        engine._ended(gone(engine, "FAILED"))


def test_a_job_of_other_files_is_not_taken_up(engine, answers):
    note = engine.runs / ".slurm" / f"{0:016d}.json"
    answers["squeue"] = "7|0|RUNNING|None\n"
    note.write_text(json.dumps({"format": 1, "job": "7_0", "known_by": {"train.py": "old"}}), encoding="utf-8")
    engine._take_up([job(engine.runs)])
    assert engine.active == {}
    note.write_text(json.dumps({"format": 1, "job": "7_0", "known_by": {}}), encoding="utf-8")
    engine._take_up([job(engine.runs), job(engine.runs, 1)])
    assert [one.job for one in engine.active.values()] == ["7_0"]
    assert "`scancel 7` ends them" in engine._stays()


class Stopped(SystemExit):
    """What submitit's handler ends a process with."""


@pytest.fixture
def task(tmp_path, monkeypatch):
    """Return what a job carries out, in a pretended job whose handler of SIGUSR2 is submitit's, and what it did."""
    pytest.importorskip("submitit")
    (tmp_path / ".slurm").mkdir()
    (tmp_path / ".progress").mkdir()
    done = []

    def put_back(*_):
        done.append("put back")
        raise done[0] if isinstance(done[0], BaseException) else Stopped

    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR2)]
    signal.signal(signal.SIGUSR2, put_back)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)
    yield SlurmTask("command", job(tmp_path).record(), 7200.0, 2), done
    for number, handler in zip((signal.SIGTERM, signal.SIGUSR2), before, strict=True):
        signal.signal(number, handler)


def carried_out(monkeypatch, what):
    """Let work come to what a function gives."""
    monkeypatch.setattr(dispatch, "carry_out", lambda work, *_: what(work))


def told_to_stop(number):
    def stops(_):
        os.kill(os.getpid(), number)
        time.sleep(5)

    return stops


def noted(runs):
    path = runs / ".slurm" / f"{0:016d}.ended.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def test_a_run_that_ends_is_noted_with_its_job(task, tmp_path, monkeypatch):
    carried_out(monkeypatch, lambda work: Ended(work, "a-s0", finished=True))
    task[0]()
    assert (noted(tmp_path)["job"], noted(tmp_path)["run"], noted(tmp_path)["finished"]) == ("7", "a-s0", True)


def test_a_run_that_is_warned_is_put_back_and_notes_nothing(task, tmp_path, monkeypatch):
    carried_out(monkeypatch, told_to_stop(signal.SIGUSR2))
    task[1].append("warned")
    with pytest.raises(Stopped):
        task[0]()
    assert task[1] == ["warned", "put back"]
    assert noted(tmp_path) is None


def test_a_run_that_was_put_back_too_often_says_that_time_was_short(task, tmp_path, monkeypatch):
    from submitit.core.utils import UncompletedJobError

    carried_out(monkeypatch, told_to_stop(signal.SIGUSR2))
    task[1].append(UncompletedJobError("timed-out too many times"))
    with pytest.raises(SystemExit):
        task[0]()
    said = noted(tmp_path)["why"].replace("\N{NO-BREAK SPACE}", " ")
    assert said == "it reached Slurm's time limit of 2 h 0 min in each of 3 jobs: give more --time"


def test_a_run_whose_job_is_ended_notes_nothing(task, tmp_path, monkeypatch):
    carried_out(monkeypatch, told_to_stop(signal.SIGTERM))
    with pytest.raises(SystemExit) as caught:
        task[0]()
    assert caught.value.code == 128 + signal.SIGTERM
    assert noted(tmp_path) is None


def test_a_job_that_begins_again_goes_on_in_the_runs_folder(task, tmp_path, monkeypatch):
    resumed = []
    carried_out(monkeypatch, lambda work: resumed.append(work.resume) or Ended(work, "a-s0", finished=True))
    task[0]()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    again = task[0].checkpoint().function
    signal.signal(signal.SIGUSR2, lambda *_: None)
    again()
    assert resumed == [False, True]


def test_an_error_of_ours_is_noted_whole(task, tmp_path, monkeypatch):
    carried_out(monkeypatch, lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        task[0]()
    assert "ZeroDivisionError" in noted(tmp_path)["broke"]

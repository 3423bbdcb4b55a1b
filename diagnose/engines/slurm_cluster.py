"""A Slurm cluster: each run is a job of an array, submitted through submitit, and outlives the process that submits it.

What was submitted stands in small files beside the runs, so that the same command, given again, takes up jobs that wait
or run instead of submitting them twice. The nodes must see the folder of the runs at the same path.
"""

from __future__ import annotations

import io
import os
import shlex
import signal
import sys
import time
from collections import Counter
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose import files
from diagnose.engines import progress_notes, slurm_commands, slurm_leftovers
from diagnose.engines.slurm_commands import JobState, SlurmError
from diagnose.engines.slurm_task import FOLDER, SlurmTask, end_of, out_of_time
from diagnose.engines.work import ATTEMPTS, Ended, never, told
from diagnose.errors import FINDING, INTERRUPTED, DiagnoseError
from diagnose.formatting import counted, cut, visible
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from diagnose.engines.resources import Resources
    from diagnose.engines.work import Work
    from diagnose.runs.watched import Watch

LOOK_SECONDS = 0.5  # between two looks for what jobs have noted
ASK_SECONDS = (1.0, 15.0)  # between two questions to Slurm: at first, and in the end
LATE_SECONDS = 5.0  # that a note may take to be seen on a shared file system
REQUEUES = 3
WARNED_SECONDS = 90  # before its time limit a job is told
TAIL, TAIL_BYTES = 3, 4096  # lines of a job's output in an error, and how much of it is looked at
TRIED_AGAIN = ("FAILED", "NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REVOKED", slurm_commands.FORGOTTEN)


def check(takes: Resources) -> None:
    """See that submitit is installed, that Slurm answers, and that the partition takes jobs of this length.

    Raises:
        DiagnoseError: otherwise.
    """
    if find_spec("submitit") is None:
        raise DiagnoseError(
            "--engine slurm needs submitit, which is not installed: pip install 'diagnose-training[slurm]'"
        )
    slurm_commands.time_limit(_partition(takes), takes.seconds)


def _partition(takes: Resources) -> str | None:
    """Return the partition that is asked for, here or in the environment as sbatch reads it."""
    return takes.partition or os.environ.get("SBATCH_PARTITION") or None


QUEUED = JobState("PENDING")


@dataclass
class Submitted:
    """A run with its job; `gone_at`: when Slurm first said that it has ended without a word of its own."""

    work: Any
    job: str
    state: JobState = QUEUED
    gone_at: float | None = None


@dataclass(frozen=True)
class SbatchPlan:
    """What sbatch is asked for.

    Attributes:
        seconds: time limit of each job.
        requeues: how often a run goes on after that.
        options: all others, by name.
        at_once: jobs that run at the same time; None for as many as the cluster takes.
    """

    seconds: float
    requeues: int
    options: dict[str, Any] = field(default_factory=dict)
    at_once: int | None = None

    @classmethod
    def of(cls, takes: Resources, jobs: Sequence[Work], at_once: int | None) -> SbatchPlan:
        """Return what jobs take.

        Raises:
            DiagnoseError: a run needs more than is asked for.
        """
        threads, on_gpu = max(job.threads for job in jobs), any(job.on_gpu for job in jobs)
        if takes.cpus is not None and takes.cpus < threads:
            raise DiagnoseError(f"a run takes {threads} threads (run.threads), --cpus-per-task gives it {takes.cpus}")
        ours = any(job.KIND == "job" for job in jobs)
        if takes.gpus and ours and not on_gpu:
            raise DiagnoseError(
                f"--gpus-per-task {takes.gpus}: the runs are set up for the CPU (run.device), which would leave it idle"
            )
        gpus = int(on_gpu) if takes.gpus is None else takes.gpus
        options = {
            "partition": takes.partition, "cpus-per-task": takes.cpus or threads, "mem": takes.memory,
            "gres": f"gpu:{gpus}" if gpus else None, "requeue": True,
        }  # fmt: skip
        options = {key: value for key, value in (options | takes.further).items() if value is not None}
        requeues = (REQUEUES if ours else 0) if takes.requeues is None else takes.requeues
        return cls(slurm_commands.time_limit(_partition(takes), takes.seconds), requeues, options, at_once)

    @property
    def minutes(self) -> int:
        """The time limit as Slurm counts it."""
        return max(1, -int(-self.seconds // 60))

    def record(self) -> dict[str, Any]:
        """Return what a plan shows: options of sbatch as they are written there."""
        return {"time": self.minutes, **self.options}


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait, for sbatch too, so that nothing is submitted of which no note is made."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Slurm:
    """The engine of a Slurm cluster; see `Engine`.

    Attributes:
        takes: what each run takes.
        jobs: how many at once; None for as many as the cluster takes.
        hopeless: whether no further job is to be begun; those that wait are cancelled then.
    """

    def __init__(self, takes: Resources, jobs: int | None = None, hopeless: Callable[[], bool] = never) -> None:
        self.takes, self.jobs, self.hopeless = takes, jobs, hopeless
        self.active: dict[str, Submitted] = {}
        self.attempts: Counter[str] = Counter()
        self.asked_at, self.pause = 0.0, ASK_SECONDS[0]
        self.ends_all = False  # whether the last run that ended is one after which an ablation may give up

    def carry_out(self, jobs: Sequence[Any], watch: Watch) -> Generator[Ended]:
        """Submit them, or take up their jobs that wait or run, and wait for their ends."""
        self.runs = Path(jobs[0].runs).absolute()
        jobs = [replace(job, runs=str(self.runs)) for job in jobs]
        self.plan = SbatchPlan.of(self.takes, jobs, self.jobs)
        for job in jobs:
            watch(job.progress("waiting"))
        if (self.runs / FOLDER).is_symlink():
            raise DiagnoseError(f"{self.runs / FOLDER} is a link, which is not followed; choose another folder")
        try:
            with store.claimed(self.runs, "slurm", lambda: None):
                self._take_up(jobs)
                slurm_leftovers.clear(self.runs)
                self._submit([job for job in jobs if job.digest not in self.active])
            yield from self._waited_for(watch)
        except KeyboardInterrupt:
            raise DiagnoseError(self._stays(), exit_code=INTERRUPTED) from None
        except GeneratorExit as error:
            if isinstance(error.__context__, KeyboardInterrupt):  # in whoever takes the results
                raise DiagnoseError(self._stays(), exit_code=INTERRUPTED) from None
            if self.ends_all:
                slurm_commands.cancel_waiting(one.job for one in self.active.values())
            raise

    def _stays(self) -> str:
        """Say what goes on when this process ends."""
        ids = " ".join(dict.fromkeys(one.job.partition("_")[0] for one in self.active.values()))
        if not ids:
            return "stopped before anything was submitted to Slurm"
        return (
            f"stopped watching; {counted(len(self.active), 'run')} stay with Slurm and go on: the same command takes "
            f"them up again, `scancel {ids}` ends them"
        )

    def _note(self, job: Work) -> Path:
        return self.runs / FOLDER / f"{job.digest}.json"

    def _take_up(self, jobs: Sequence[Any]) -> None:
        """Take up jobs of an earlier process that carry the same runs out and have not ended.

        Raises:
            DiagnoseError: Slurm does not say whether they have.
        """
        noted = {job.digest: name for job in jobs if (name := self._noted_job(job))}
        try:
            states = slurm_commands.states(list(noted.values())) if noted else {}
        except SlurmError as error:
            raise DiagnoseError(f"Slurm does not say how jobs of an earlier command stand ({error})") from None
        for job in jobs:
            name = noted.get(job.digest, "")
            one = Submitted(job, name, states[name]) if name else None
            if one and (not one.state.is_ended or self._just_finished(one)):
                self.active[job.digest] = one

    def _just_finished(self, one: Submitted) -> bool:
        """Say whether a job has finished its run since finished runs were looked for."""
        noted = self._noted(one)
        return noted is not None and noted.finished and noted.run not in getattr(one.work, "passed_over", ())

    def _noted_job(self, job: Any) -> str:
        """Return the id of the job that was submitted for a run last, "" where the run's files were others."""
        with suppress(OSError, ValueError, KeyError, TypeError, DiagnoseError):
            note = files.parsed(files.text(self._note(job)))
            return str(note["job"]) if note["known_by"] == dict(getattr(job, "known_by", {})) else ""
        return ""

    def _submit(self, jobs: Sequence[Any]) -> None:
        """Submit jobs as arrays, of no more than the cluster allows.

        Raises:
            DiagnoseError: Slurm refuses them; says why.
        """
        if not jobs:
            return
        size = slurm_commands.most_of_an_array() if len(jobs) > 1 else 1
        parts = [jobs[k : k + size] for k in range(0, len(jobs), size)]
        for part in parts:
            for job in part:
                progress_notes.clear(job)
                end_of(self.runs, job.digest).unlink(missing_ok=True)
            with _uninterrupted():
                for job, name in zip(part, self._submitted(part, len(parts)), strict=True):
                    known = dict(getattr(job, "known_by", {}))
                    store.write_json(self._note(job), {"format": 1, "job": name, "known_by": known})
                    self.active[job.digest] = Submitted(job, name)
        self.asked_at, self.pause = 0.0, ASK_SECONDS[0]

    def _submitted(self, jobs: Sequence[Any], parts: int) -> list[str]:
        """Submit an array, and return the id of each job."""
        import submitit

        plan = self.plan
        executor = submitit.SlurmExecutor(
            self.runs / FOLDER, max_num_timeout=plan.requeues, python=f"exec {shlex.quote(sys.executable)} -P"
        )  # `exec`, and no srun: Slurm's signals reach the run itself, and a command may call srun
        executor.update_parameters(
            job_name="diagnose", time=plan.minutes, use_srun=False, stderr_to_stdout=True, wckey=None,
            array_parallelism=max(1, (plan.at_once or len(jobs) * parts) // parts),
            additional_parameters={**plan.options, "signal": f"B:USR2@{WARNED_SECONDS}"},
        )  # fmt: skip
        tasks = [SlurmTask(job.KIND, job.record(), plan.minutes * 60.0, plan.requeues) for job in jobs]
        try:
            with slurm_commands.out_of_a_job(), redirect_stderr(io.StringIO()):  # submitit prints what it raises
                made = executor.submit_array(tasks)
        except OSError as error:
            raise DiagnoseError(f"{self.runs} cannot be written: {error.strerror}; choose another folder") from None
        except RuntimeError as error:  # whatever submitit makes of what sbatch says
            why = slurm_commands.in_a_line(str(error))
            raise DiagnoseError(f"Slurm does not take the jobs: {why}") from None
        return [str(job.job_id) for job in made]

    def _waited_for(self, watch: Watch) -> Generator[Ended]:
        while self.active:
            if self.hopeless():
                self._drop_waiting()
            self._ask()
            again: list[Work] = []
            for digest, one in list(self.active.items()):
                ended = self._ended(one)
                if ended is None:
                    self._tell(one, watch)
                    continue
                del self.active[digest]
                if isinstance(ended, Ended):
                    self.ends_all = not ended.is_result
                    yield told(ended, watch)
                else:
                    watch(one.work.progress("tried again"))
                    again.append(ended)
            self._submit(again)
            time.sleep(LOOK_SECONDS if self.active else 0.0)

    def _drop_waiting(self) -> None:
        waiting = [one for one in self.active.values() if one.state.name == "PENDING"]
        slurm_commands.cancel_waiting(one.job for one in waiting)
        for one in waiting:
            del self.active[one.work.digest]

    def _ask(self) -> None:
        """Ask Slurm how jobs stand, more and more seldom while nothing changes."""
        now = time.monotonic()
        if now - self.asked_at < self.pause:
            return
        with suppress(SlurmError):  # it may be busy, or started anew; jobs go on meanwhile
            found = slurm_commands.states([one.job for one in self.active.values()])
            before = [one.state for one in self.active.values()]
            for one in self.active.values():
                one.state = found[one.job]
                one.gone_at = (one.gone_at or now) if one.state.is_ended else None
            changed = before != [one.state for one in self.active.values()]
            is_due = changed or any(one.gone_at for one in self.active.values())
            self.pause = ASK_SECONDS[0] if is_due else min(ASK_SECONDS[1], self.pause * 1.5)
        self.asked_at = now

    def _tell(self, one: Submitted, watch: Watch) -> None:
        if one.state.name == "PENDING":
            why = f": {one.state.waits_for}" if one.state.waits_for else ""
            watch(one.work.progress(f"waiting for Slurm ({one.job}{why})"))
        else:
            progress_notes.tell(one.work, watch)

    def _ended(self, one: Submitted) -> Ended | Any | None:
        """Return how a run ended, the work to be submitted again, or None while it goes on."""
        noted = self._noted(one)
        if noted is not None or one.gone_at is None or time.monotonic() - one.gone_at < LATE_SECONDS:
            return noted
        self.attempts[one.work.digest] += 1
        began = progress_notes.note_of(one.work).exists()
        if began and one.state.name in TRIED_AGAIN and self.attempts[one.work.digest] < ATTEMPTS:
            return one.work.again()
        why = self._why(one)
        if began or one.state.name == "CANCELLED":
            return one.work.given_up(why)
        return Ended(one.work, why=why, exit_code=FINDING)

    def _noted(self, one: Submitted) -> Ended | None:
        path = end_of(self.runs, one.work.digest)
        if one.gone_at is not None:
            with suppress(OSError):
                list(path.parent.iterdir())  # so that a network file system looks again
        try:
            note = files.parsed(files.text(path))
        except (OSError, ValueError, DiagnoseError):
            return None
        if not isinstance(note, dict) or note.pop("job", None) != one.job or note.pop("format", None) != 1:
            return None
        if "broke" in note:
            raise RuntimeError(f"a job of Slurm failed:\n{note['broke']}")
        with suppress(TypeError):  # keys that no job of ours notes
            return Ended(one.work, **note)
        return None

    def _why(self, one: Submitted) -> str:
        """Say how a job ended that said nothing itself, with the last lines of its output."""
        state, lines = one.state.name, self._tail(one.job)
        if state == "TIMEOUT":
            return out_of_time(self.plan.minutes * 60.0, 1)
        if state == "CANCELLED":
            return f"its job {one.job} was cancelled"
        times = self.attempts[one.work.digest]
        often = f", the last of {times} attempts," if times > 1 else ""
        how = f"Slurm ended its job {one.job}{often} as {state}"
        how += "; give more --mem" if state == "OUT_OF_MEMORY" else ""
        if lines:
            return f"{how}; last lines of its output: {' / '.join(lines)}"
        return f"{how}, with no output: do the nodes see {self.runs}? Runs belong on a file system that all nodes share"

    def _tail(self, job: str) -> list[str]:
        with suppress(OSError):
            with (self.runs / FOLDER / f"{job}_0_log.out").open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
            return [cut(visible(line.strip()), 120) for line in text.splitlines() if line.strip()][-TAIL:]
        return []

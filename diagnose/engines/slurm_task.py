"""What a job of Slurm's carries out: one run, which stops in time and goes on where it was.

A job that is to end is asked before: by SIGUSR2 shortly before its time limit (and, on some clusters, before it makes
room for another), by SIGTERM when it makes room, is cancelled or put back into the queue. The run then finishes its
step and writes its checkpoint. How a run ended stands in a file beside the runs, whatever Slurm says of the job.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.engines import dispatch
from diagnose.engines.progress_notes import ProgressNote
from diagnose.errors import FINDING, INTERRUPTED
from diagnose.formatting import counted, duration
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.engines.work import Ended, Work

FOLDER = ".slurm"  # of submitit's files and of notes, beside the runs
SEEN_SECONDS = 2.0  # in which a command and whoever watches it are asked to end
STOPPED = 128 + signal.SIGTERM


def end_of(runs: Path, digest: str) -> Path:
    """Return where a job notes how its run ended."""
    return runs / FOLDER / f"{digest}.ended.json"


def out_of_time(seconds: float, times: int) -> str:
    """Say that a run did not end within the time limit of its jobs."""
    often = "" if times < 2 else f" in each of {counted(times, 'job')}"
    return f"it reached Slurm's time limit of {duration(seconds)}{often}: give more --time"


@dataclass
class SlurmTask:
    """One run, as submitit takes it: called in the job; `checkpoint` says what a job that is put back goes on with.

    Attributes:
        kind, record: of the work.
        seconds: the job's time limit.
        requeues: how often it goes on after that.
    """

    kind: str
    record: dict[str, Any]
    seconds: float
    requeues: int
    _asked: list[int] = field(default_factory=list)

    def checkpoint(self) -> Any:
        """Return what is submitted again: the same, for the run's checkpoint lies in its folder."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(SlurmTask(self.kind, self.record, self.seconds, self.requeues))

    def __call__(self) -> None:
        """Carry the run out and note how it ended; a run that is stopped notes nothing."""
        work = dispatch.work_of(self.kind, self.record)
        if os.environ.get("SLURM_RESTART_COUNT", "0") != "0":
            work = work.again()
        requeue = self._listen()
        ProgressNote(work)(work.progress("starting"))
        try:
            ended = self._ended(work)
        except KeyboardInterrupt:
            ended = None
        except Exception:  # raised again where it is seen
            self._note(work, {"broke": traceback.format_exc()})
            raise
        if ended is None or ended.exit_code == INTERRUPTED:
            ended = self._put_back(work, requeue) if self._asked else None
            if ended is None:
                sys.exit(STOPPED)
        self._note(work, ended.record())
        if not ended.finished:
            sys.exit(FINDING)

    def _ended(self, work: Work) -> Ended:
        ended = dispatch.carry_out(work, ProgressNote(work))
        if self.kind == "command" and not ended.finished:
            time.sleep(SEEN_SECONDS)  # it may have been ended before we are, by the same order
        return ended

    def _listen(self) -> Callable[..., Any]:
        """Have a run stop as at Ctrl-C, and return what puts its job back into the queue: submitit's own handler."""
        requeue = signal.getsignal(signal.SIGUSR2)
        assert callable(requeue)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        stops = self.requeues or self.kind == "job"  # a command that cannot go on later takes all the time there is
        signal.signal(signal.SIGUSR2, self._stop if stops else lambda *_: None)
        return requeue

    def _stop(self, number: int, _: object) -> None:
        if not self._asked:
            self._asked.append(number)
            signal.raise_signal(signal.SIGTERM)

    def _put_back(self, work: Work, requeue: Callable[..., Any]) -> Ended:
        """Put the job back into the queue, which ends this process, or say why not."""
        from submitit.core.utils import UncompletedJobError

        try:
            requeue(signal.SIGUSR2, None)
        except UncompletedJobError:  # it was put back as often as it may be
            return work.given_up(out_of_time(self.seconds, self.requeues + 1))
        except (OSError, subprocess.SubprocessError):
            return work.given_up(f"{out_of_time(self.seconds, 1)} (Slurm does not let its job go on later)")
        raise AssertionError("submitit's handler ends the process")

    def _note(self, work: Work, what: dict[str, Any]) -> None:
        told = {"format": 1, "job": job_id(), **what}
        store.write_json(end_of(Path(work.runs), work.digest), told)


def job_id() -> str:
    """Return the id of the job that this process is."""
    base = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{base}_{os.environ['SLURM_ARRAY_TASK_ID']}" if base else os.environ["SLURM_JOB_ID"]

"""A job that is anybody's command: it is started in a process group of its own, watched, and never left behind.

Where the process that watches it dies, the system ends the command too (on Linux); where that process is asked to stop,
it passes Ctrl-C on to all that the command has started, then asks more firmly. A command that runs is otherwise never
ended, but for the stated time limit.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from diagnose.engines.leftovers import end_all, marked
from diagnose.engines.work import Ended, ended_in_words
from diagnose.errors import FINDING, DiagnoseError, in_words
from diagnose.formatting import duration, listed
from diagnose.records.command_records import CommandEnd, CommandRun
from diagnose.runs import command_store, score_file, store
from diagnose.runs.watched import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.runs.watched import Watch

Note = Callable[[tuple[int, str] | None], None]
DIR = "\0dir\0"  # stands for a run's folder in arguments, in which no such text can be
GRACE_SECONDS = 10.0  # between Ctrl-C, SIGTERM and SIGKILL
TOLD_SECONDS = 1.0
NOT_STARTED = 127  # exit code of what could not be started, as shells have it
PR_SET_PDEATHSIG = 1
_PRCTL = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None


@dataclass(frozen=True)
class CommandJob:
    """One run of a command.

    Attributes:
        label: its arm.
        place: the number of its seed.
        args: the command; `DIR` stands for its folder.
        run: the record of what is started (`CommandRun`), as plain data.
        runs: where its folder is made.
        resume: whether to start it in the folder where it was interrupted.
        timeout: seconds that it may take; None for as long as it takes.
        passed_over: names of finished folders that hold no result.
        known_by: digests of the files that a finished run must have been carried out with to be taken.
    """

    KIND: ClassVar[str] = "command"
    label: str
    place: int
    args: tuple[str, ...]
    run: Mapping[str, Any]
    runs: str
    resume: bool = False
    timeout: float | None = None
    passed_over: tuple[str, ...] = ()
    known_by: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> CommandJob:
        """Return the job that `record` gave."""
        return cls(**{**record, "args": tuple(record["args"]), "passed_over": tuple(record["passed_over"])})

    def record(self) -> dict[str, Any]:
        """Return the job as JSON values."""
        return asdict(self)

    @property
    def seed(self) -> int:
        """The run's own seed."""
        return int(self.run["seed"])

    @property
    def digest(self) -> str:
        """What is run."""
        return str(self.run["digest"])

    def again(self) -> CommandJob:
        """Return the job that goes on in the folder of this one."""
        return replace(self, resume=True)

    @property
    def threads(self) -> int:
        """Processors that it takes at least: nobody knows better."""
        return 1

    @property
    def on_gpu(self) -> bool:
        """Whether it takes a GPU: nobody knows."""
        return False

    def given_up(self, why: str) -> Ended:
        """Note that it ended without a word of the process that watched it; see `Work`."""
        left = next(iter(command_store.of_digest(Path(self.runs), self.digest)), None)
        return Ended(self, left.name if left else "", why=why, died=True, exit_code=FINDING)

    def progress(self, doing: str, seconds: float = 0.0) -> Progress:
        """Return what a watcher is told; whether a run that ended is finished depends on its result."""
        doing = "ended" if doing == "finished" else doing
        return Progress("", self.label, self.seed, int(seconds), 0, float("nan"), 0.0, None, doing)

    def finished(self) -> Path | None:
        """Return the folder where the same command has ended well, with the same files; None where there is none."""
        for path in command_store.of_digest(Path(self.runs), self.digest):
            is_other = path.name in self.passed_over or not command_store.is_same(path, self.known_by)
            if not is_other and command_store.ended_well(path):
                return path
        return None

    def folder(self) -> Path:
        """Return the folder to start it in: a new one, or (to resume) the newest where it did not end well."""
        for path in command_store.of_digest(Path(self.runs), self.digest) if self.resume else ():
            if not command_store.ended_well(path) and command_store.is_same(path, self.known_by):
                return path
        return command_store.create(Path(self.runs), CommandRun.model_validate(self.run))


def carry_out(job: CommandJob, watch: Watch, note: Note) -> Ended:
    """Run a command, or wait for whoever is running the same one and take theirs.

    Args:
        job: what to run.
        watch: called about once a second.
        note: told the command's process group and the folder that its processes are marked with, None at its end.
    """
    try:
        with store.claimed(Path(job.runs), job.digest, lambda: watch(job.progress("waiting for another process"))):
            found = job.finished()
            if found is not None:
                return Ended(job, found.name, finished=True, reused=True)
            folder = job.folder()
            if job.resume:
                _refuse_leftovers(folder)
            with command_store.held(folder) as lock:
                end = _ended(job, folder, lock, watch, note)
    except DiagnoseError as error:
        return Ended(job, why=str(error), exit_code=error.exit_code)
    except OSError as error:
        return Ended(job, why=in_words(error), exit_code=FINDING)
    return Ended(job, folder.name, finished=not end.why, why=end.why, exit_code=FINDING if end.why else 0)


def _refuse_leftovers(folder: Path) -> None:
    left = marked(str(folder.absolute() / command_store.SCORES))
    if left:
        who = listed([str(process) for process in left[:4]])
        raise DiagnoseError(f"{folder} is still being written by a process that was left behind ({who}); end it first")


def _ended(job: CommandJob, folder: Path, lock: int, watch: Watch, note: Note) -> CommandEnd:
    """Start a command in its folder, wait for its end, and note that."""
    (folder / command_store.ENDED).unlink(missing_ok=True)
    begun = time.monotonic()
    try:
        process = _started(job, folder.absolute(), lock)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        end = CommandEnd(code=NOT_STARTED, seconds=0.0, why=f"it could not be started: {why}")
    else:
        mark = str(folder.absolute() / command_store.SCORES)
        note((process.pid, mark))
        try:
            code, late = _waited(job, process, mark, begun, watch)
        except BaseException:
            _stop(process, mark, (signal.SIGINT, signal.SIGTERM))
            raise
        finally:
            note(None)
        end = CommandEnd(code=code, seconds=time.monotonic() - begun, why=_why(code, job.timeout if late else None))
    store.write_record(folder / command_store.ENDED, end)
    return end


def _started(job: CommandJob, folder: Path, lock: int) -> subprocess.Popen[bytes]:
    args = [part.replace(DIR, str(folder / command_store.FILES)) for part in job.args]
    told = {**os.environ, score_file.VARIABLE: str(folder / command_store.SCORES)}
    with (folder / command_store.OUTPUT).open("ab") as output:
        return subprocess.Popen(  # noqa: S603  (the user's own command)
            args, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=told, process_group=0,
            pass_fds=(lock,), preexec_fn=_as_a_terminal_would,  # noqa: PLW1509  (it takes no lock)
        )  # fmt: skip


def _as_a_terminal_would() -> None:
    """In the command, before it starts: take Ctrl-C as usual, and end with the process that watches."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if _PRCTL is not None:
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _waited(
    job: CommandJob, process: subprocess.Popen[bytes], mark: str, begun: float, watch: Watch
) -> tuple[int, bool]:  # fmt: skip
    """Return a command's exit code, and whether it had to be stopped at its time limit."""
    while True:
        seconds = time.monotonic() - begun
        watch(job.progress("running", seconds))
        left = TOLD_SECONDS if job.timeout is None else min(TOLD_SECONDS, job.timeout - seconds)
        try:
            return process.wait(max(0.0, left)), False
        except subprocess.TimeoutExpired:
            if job.timeout is not None and time.monotonic() - begun >= job.timeout:
                return _stop(process, mark, (signal.SIGTERM,)), True


def _stop(process: subprocess.Popen[bytes], mark: str, asked: tuple[signal.Signals, ...]) -> int:
    """Ask a command and all that it has started to end, then end them."""
    try:
        for number in asked:
            os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
                break
    except (KeyboardInterrupt, OSError):
        pass
    finally:
        end_all(process.pid, mark)
    return process.wait()


def _why(code: int, limit: float | None) -> str:
    if limit is not None:
        return f"it was stopped at its time limit of {duration(limit)}"
    return "" if code == 0 else f"it was {ended_in_words(code)}" if code < 0 else f"it ended {ended_in_words(code)}"

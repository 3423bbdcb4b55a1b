"""What engines carry out, a run of ours or anybody's command alike: plain data, and how it ended."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from diagnose.errors import INTERRUPTED, DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from diagnose.runs.watched import Progress, Watch

STOPPED = "stopped; finished runs stay finished: give the same command with --resume to go on with the others"
ATTEMPTS = 3  # of a run whose process dies; each goes on from the last checkpoint


class Work(Protocol):
    """One run that any process can take up.

    `KIND` says what carries it out (`dispatch.py`); `label` is its arm, `place` the number of its seed, `seed`
    the seed itself, `digest` what is run, `runs` the folder of its directory, `threads` and `on_gpu` what it takes.
    """

    KIND: ClassVar[str]

    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def place(self) -> int: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def runs(self) -> str: ...  # noqa: D102

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        ...

    def again(self) -> Work:
        """Return the work that goes on where this one was left."""
        ...

    @property
    def threads(self) -> int: ...  # noqa: D102
    @property
    def on_gpu(self) -> bool: ...  # noqa: D102

    def given_up(self, why: str) -> Ended:
        """Note that it ended without a word of its own, and why it is not tried again."""
        ...

    def progress(self, doing: str) -> Progress:
        """Return what a watcher is told of it while it is not being carried out."""
        ...


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        job: which.
        run: the name of its directory; "" where it has none.
        finished: whether the run is whole.
        reused: whether somebody else had carried it out meanwhile.
        why: what went wrong, in a line.
        diverged: whether that is a result.
        died: whether its process died again and again.
        exit_code: what a command would end with.
    """

    job: Work
    run: str = ""
    finished: bool = False
    reused: bool = False
    why: str = ""
    diverged: bool = False
    died: bool = False
    exit_code: int = 0

    @property
    def path(self) -> Path:
        """The run's directory."""
        return Path(self.job.runs) / self.run

    def record(self) -> dict[str, Any]:
        """Return it as JSON values, but for the job."""
        return {key: value for key, value in vars(self).items() if key != "job"}

    @property
    def is_result(self) -> bool:
        """Whether the ablation goes on: the run is whole, or its failure says something of its arm."""
        return self.finished or self.diverged or self.died

    def error(self) -> DiagnoseError:
        """Return the failure as the error that it was."""
        return DiagnoseError(self.why, exit_code=self.exit_code, diverged=self.diverged, run=self.run or None)


class Engine(Protocol):
    """Carries work out."""

    def carry_out(self, jobs: Sequence[Any], watch: Watch) -> Generator[Ended]:
        """Yield how each job ended, in the order in which they do.

        Raises:
            DiagnoseError: an interruption (finished runs stay finished, others can be resumed), or no such place.
        """
        ...


def told(ended: Ended, watch: Watch) -> Ended:
    """Tell the watcher how a run ended, and where it lies."""
    doing = "finished" if ended.finished else "diverged" if ended.diverged else "failed"
    doing = "stopped" if ended.exit_code == INTERRUPTED else doing
    watch(replace(ended.job.progress(doing), run=ended.run))
    return ended


def never() -> bool:
    """Say that no ablation is hopeless."""
    return False


def died_often(how: str) -> str:
    """Say that a process died once too often, and how the last time."""
    return f"its process died {ATTEMPTS} times, the last time {how}"


def ended_in_words(code: int) -> str:
    """Say how a process ended, as `subprocess` gives its exit code."""
    if code >= 0:
        return f"with exit code {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    return f"killed by signal {-code}"

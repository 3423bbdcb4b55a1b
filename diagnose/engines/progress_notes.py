"""How far a run is that is carried out on another machine: a small file beside the runs."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose import files
from diagnose.errors import DiagnoseError
from diagnose.runs import store
from diagnose.runs.watched import Progress

if TYPE_CHECKING:
    from diagnose.engines.work import Work
    from diagnose.runs.watched import Watch

TOLD_SECONDS = 1.0  # between two notes of a run's progress
NOTES = ".progress"


def note_of(job: Work) -> Path:
    """Return where the note of a run lies."""
    return Path(job.runs) / NOTES / f"{job.digest}.json"


def clear(job: Work) -> None:
    """Drop what was noted before."""
    note_of(job).parent.mkdir(parents=True, exist_ok=True)
    note_of(job).unlink(missing_ok=True)


class ProgressNote:
    """A watcher that keeps the note of a run up to date."""

    def __init__(self, job: Work) -> None:
        self.path, self.told = note_of(job), 0.0

    def __call__(self, state: Progress) -> None:
        """Note a state, now and then."""
        if time.monotonic() - self.told < TOLD_SECONDS:
            return
        self.told = time.monotonic()
        numbers = {key: None if value != value else value for key, value in state.numbers().items()}  # noqa: PLR0124
        with suppress(OSError):
            store.write_json(self.path, numbers)


def tell(job: Work, watch: Watch) -> None:
    """Tell a watcher what a run's note says."""
    with suppress(OSError, ValueError, TypeError, LookupError, DiagnoseError):
        found = files.parsed(files.text(note_of(job)))
        watch(Progress(**{**found, "loss": float("nan") if found["loss"] is None else found["loss"]}))

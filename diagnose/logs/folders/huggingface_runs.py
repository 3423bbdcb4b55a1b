"""Output folders of Hugging Face's Trainer: the state of the last checkpoint holds the log of the whole run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINT = re.compile(r"checkpoint-(\d{1,15})")
NAME = "Hugging Face"
MOST_LOOKED = 1 << 24  # bytes of a state in which an evaluation is looked for


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each output folder."""
    last: dict[Path, tuple[float, Path]] = {}
    for file in listing.named("trainer_state.json"):
        step = CHECKPOINT.fullmatch(file.parent.name)
        inside = step is not None and file.parent != listing.top
        folder = file.parent.parent if inside else file.parent
        at = float(step.group(1)) if step and inside else float("inf")
        last[folder] = max(last.get(folder, (-1.0, file)), (at, file))
    return [
        FolderRun(listing.title(folder), NAME, folder, _parts(folder, file))
        for folder, (_, file) in sorted(last.items())
    ]


def _parts(folder: Path, state: Path) -> tuple[tuple[Path, str], ...]:
    """Return the state, and the evaluation that a script made after it had saved one without any."""
    after = folder / "eval_results.json"
    more = after.is_file() and not after.is_symlink() and _evaluates(after) and not _evaluates(state)
    return ((state, ""), (after, "")) if more else ((state, ""),)


def _evaluates(file: Path) -> bool:
    with file.open("rb") as opened:
        return b'"eval_loss"' in opened.read(MOST_LOOKED)


TRACKER = Tracker(NAME, 10, find)

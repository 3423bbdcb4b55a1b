"""Output folders of Hugging Face's Trainer: the state of the last checkpoint holds the log of the whole run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINT = re.compile(r"checkpoint-(\d{1,15})")
NAME = "Hugging Face"


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each output folder."""
    last: dict[Path, tuple[float, Path]] = {}
    for file in listing.named("trainer_state.json"):
        step = CHECKPOINT.fullmatch(file.parent.name)
        inside = step is not None and file.parent != listing.top
        folder = file.parent.parent if inside else file.parent
        at = float(step.group(1)) if step and inside else float("inf")
        last[folder] = max(last.get(folder, (-1.0, file)), (at, file))
    return [FolderRun(listing.title(folder), NAME, folder, ((file, ""),)) for folder, (_, file) in sorted(last.items())]


TRACKER = Tracker(NAME, 10, find)

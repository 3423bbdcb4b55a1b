"""Folders whose log is one table: Lightning's metrics.csv, Ultralytics' results.csv and others of a fixed name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker
from diagnose.logs.names import meaning

if TYPE_CHECKING:
    from pathlib import Path

NAME = "Lightning or tools that leave a table"
FIXED = (
    "metrics.csv", "results.csv", "summary.csv", "history.csv", "training_log.csv", "log.csv", "loss.tsv",
    "trainer_log.jsonl",
)  # fmt: skip


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each folder that holds such a table, or one table for each side."""
    tables: dict[Path, Path] = {}
    for file in sorted(listing.named(*FIXED), key=lambda file: FIXED.index(file.name)):
        tables.setdefault(file.parent, file)
    runs = [FolderRun(listing.title(folder), NAME, folder, ((file, ""),)) for folder, file in sorted(tables.items())]
    return runs + [run for run in _by_side(listing) if run.root not in tables]


def _by_side(listing: Listing) -> list[FolderRun]:
    """Return a run for each folder with a table of training and one of validation, as their names say."""
    sides: dict[Path, dict[str, Path]] = {}
    for file in listing.named("*.csv", "*.tsv", "*.jsonl"):
        side = meaning(file.stem).side
        if side:
            sides.setdefault(file.parent, {}).setdefault(side, file)
    return [
        FolderRun(listing.title(folder), NAME, folder, tuple((file, "") for file in files.values()))
        for folder, files in sorted(sides.items())
        if "train" in files and len(files) > 1
    ]


TRACKER = Tracker(NAME, 20, find)

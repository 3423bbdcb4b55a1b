"""Output folders of Hugging Face's Trainer: each score's last value, from the last checkpoint's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.ablation.importers.json_files import numbers_in, object_of
from diagnose.ablation.importers.sweeps import SweepRun, table_of
from diagnose.logs.folders import huggingface_runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.logs.folders.plain_files import Listing

NAME = "Hugging Face's Trainer"
SUMMARY = "all_results.json"


def owns(listing: Listing) -> bool:
    """Say whether a folder holds output folders."""
    return bool(listing.named("trainer_state.json") or listing.named(SUMMARY))


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return a row for each output folder, its arm and seed by the folder's name.

    Raises:
        DiagnoseError: fewer than two folders, a damaged file, or no score that all have.
    """
    runs = [
        SweepRun(run.name, {}, _scores(run.parts[0][0]))
        for listing in listings
        for run in huggingface_runs.find(listing)
    ]
    runs += [run for listing in listings for run in _of_summaries(listing)]
    return table_of(runs, wanted)


def _of_summaries(listing: Listing) -> list[SweepRun]:
    """Return the runs of output folders of which only `all_results.json` was kept."""
    with_state = [file.parent for file in listing.named("trainer_state.json")]
    return [
        SweepRun(file.parent.name, {}, numbers_in(object_of(file)))
        for file in listing.named(SUMMARY)
        if not any(folder == file.parent or file.parent in folder.parents for folder in with_state)
    ]


def _scores(path: Path) -> dict[str, float]:
    out: dict[str, float] = {}
    for entry in object_of(path).get("log_history") or ():
        out |= numbers_in(entry)
    return out


IMPORTER = Importer(NAME, 30, owns, load)

"""TensorBoard's log folders: the last value of each loss of each run, its arm and seed by the folder's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.ablation.importers.sweeps import SweepRun, table_of
from diagnose.logs.events import read_events
from diagnose.logs.folders import tensorboard_runs
from diagnose.logs.series import VALUE, Log
from diagnose.logs.source import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.logs.folders.plain_files import FolderRun, Listing

NAME = "TensorBoard"


def owns(listing: Listing) -> bool:
    """Say whether a folder holds event files."""
    return bool(listing.named("*tfevents*"))


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return a row for each run.

    Raises:
        DiagnoseError: fewer than two runs, a damaged file, or no loss that all have.
    """
    runs = [SweepRun(run.name, {}, _scores(run)) for listing in listings for run in tensorboard_runs.find(listing)]
    return table_of(runs, wanted)


def _scores(run: FolderRun) -> dict[str, float]:
    log = Log("tensorboard", NAME)
    for path, before in run.parts:
        with opened(path) as file:
            read_events(file, path, log, before)
    return {name: float(series.table()[-1, VALUE]) for name, series in log.series.items() if series.count}


IMPORTER = Importer(NAME, 90, owns, load)

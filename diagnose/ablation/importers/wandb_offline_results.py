"""W&B's offline folders (`wandb/offline-run-*`): the settings and the summary of each run that ended well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.ablation.importers.sweeps import SweepRun, table_of
from diagnose.formatting import counted
from diagnose.logs.folders import wandb_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.logs.folders.plain_files import Listing

NAME = "W&B (offline)"


def owns(listing: Listing) -> bool:
    """Say whether a folder holds W&B's own transaction logs."""
    return bool(wandb_runs.transaction_logs(listing))


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return a row for each run.

    Raises:
        DiagnoseError: fewer than two runs ended well, or no score that all have.
    """
    runs = [wandb_runs.summary_of(path) for listing in listings for path in wandb_runs.transaction_logs(listing)]
    done = [SweepRun(run.name, run.settings, run.numbers) for run in runs if run.finished]
    left = len(runs) - len(done)
    note = f"{counted(left, 'run')} that did not end well {'is' if left == 1 else 'are'} left out."
    return table_of(done, wanted, (note,) if left else ())


IMPORTER = Importer(NAME, 80, owns, load)

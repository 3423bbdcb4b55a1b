"""The table of a W&B project's runs, exported as CSV: a row a run, its name and state beside settings and summaries."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.errors import DiagnoseError
from diagnose.files import every_digit
from diagnose.formatting import counted
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.logs.folders.plain_files import Listing

NAME = "W&B"
MARKS = {"Name", "State"}


def is_file_of(path: Path) -> bool:
    """Say whether a file is such a table."""
    if path.suffix.lower() != ".csv":
        return False
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return set(next(csv.reader([file.readline(1 << 20)]), [])) >= MARKS
    except (OSError, UnicodeDecodeError, csv.Error):
        return False


def owns(listing: Listing) -> bool:
    """Say whether what was given is one such table."""
    return listing.files == [listing.top] and is_file_of(listing.top)


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return the finished runs of the tables; their columns are named by the command.

    Raises:
        DiagnoseError: a table cannot be read.
    """
    import pandas as pd

    try:
        tables = [pd.read_csv(listing.top, dtype_backend="numpy_nullable", **every_digit()) for listing in listings]
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise DiagnoseError(f"{shown(listings[0].top)} cannot be read as a table: {first}") from None
    table = pd.concat(tables, ignore_index=True)
    done = (table["State"].astype(str).str.lower() == "finished").to_numpy()
    left = int((~done).sum())
    note = f"{counted(left, 'run')} whose state is not finished {'is' if left == 1 else 'are'} left out."
    finished = table[done].reset_index(drop=True)
    seed = next((name for name in table.columns if str(name).lower() == "seed"), None)
    return ImportedScores(finished, (), wanted, seed, notes=(note,) if left else ())


IMPORTER = Importer(NAME, 5, owns, load, is_file_of)

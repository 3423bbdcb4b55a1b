"""Results as other tools leave them: which tool's a folder is, and its scores as one table.

A tool is one file of this package whose name ends in `_results` and that holds an `IMPORTER`; nothing else names it.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.errors import DiagnoseError, nearest_file
from diagnose.formatting import listed
from diagnose.logs.folders.plain_files import Listing
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SUFFIX = "_results"
__all__ = ["ImportedScores", "Importer", "imported", "importers", "knows"]


@cache
def importers() -> tuple[Importer, ...]:
    """Return the tools whose results are read, those first that know a folder best."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name.endswith(SUFFIX)]
    known: list[Importer] = [import_module(f"{__name__}.{name}").IMPORTER for name in names]
    return tuple(sorted(known, key=lambda importer: (importer.rank, importer.name)))


def knows(path: Path) -> bool:
    """Say whether a single file is a tool's own, and no table."""
    return path.is_file() and any(importer.is_file_of(path) for importer in importers())


def imported(paths: Sequence[Path], scores: Sequence[str]) -> ImportedScores:
    """Return the scores in folders or files of one tool.

    Args:
        paths: what was given.
        scores: names of the scores that are wanted; empty for those that the tool would show.

    Raises:
        DiagnoseError: no tool left such a folder, or its files cannot be read.
    """
    listings = []
    for path in paths:
        if not path.exists():
            raise DiagnoseError(f"{shown(path)} does not exist{nearest_file(path)}")
        listings.append(Listing(path))
    for importer in importers():
        if all(importer.owns(listing) for listing in listings):
            return importer.load(listings, tuple(scores))
    known = listed([importer.name for importer in importers()], "or")
    raise DiagnoseError(
        f"{shown(paths[0])} holds no results of {known}: give a table (CSV, Parquet, JSON lines) instead"
    )

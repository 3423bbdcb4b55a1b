"""Hydra's multirun folders: .hydra/overrides.yaml of each job says its settings, its JSON or CSV files its scores."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.ablation.importers.json_files import numbers_in, object_of, objects_in
from diagnose.ablation.importers.sweeps import SweepRun, table_of
from diagnose.errors import DiagnoseError
from diagnose.logs.folders.plain_files import short_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.logs.folders.plain_files import Listing

NAME = "Hydra"
MOST_FILES = 64  # of a job, that are looked at


def owns(listing: Listing) -> bool:
    """Say whether a folder holds jobs."""
    return bool(_jobs(listing))


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return a row for each job. Raises DiagnoseError where fewer than two jobs, or no score that all have."""
    runs = []
    for listing in listings:
        for folder in _jobs(listing):
            settings = _overrides(folder / ".hydra" / "overrides.yaml")
            inside = [file for file in listing.files if file.is_relative_to(folder) and ".hydra" not in file.parts]
            runs.append(SweepRun(listing.title(folder), settings, scores_of(inside[:MOST_FILES])))
    return table_of(runs, wanted)


def _jobs(listing: Listing) -> list[Path]:
    return [file.parent.parent for file in listing.named("overrides.yaml") if file.parent.name == ".hydra"]


def _overrides(path: Path) -> dict[str, str]:
    """Return a job's settings: the file is a list with an override a line."""
    out = {}
    for line in short_text(path).splitlines():
        text = line.strip().removeprefix("-").strip().strip("'\"")
        name, sign, value = text.partition("=")
        if sign and line.lstrip().startswith("-"):
            out[name.lstrip("+~").strip()] = value.strip().strip("'\"")
    return out


def scores_of(files: Sequence[Path]) -> dict[str, float]:
    """Return the numbers that JSON, JSON-lines and CSV files end in, by name; files that hold none are passed over."""
    out: dict[str, float] = {}
    for file in files:
        kind = file.suffix.lower()
        try:
            if kind == ".json":
                out |= numbers_in(object_of(file))
            elif kind == ".jsonl":
                for record in objects_in(file):
                    out |= numbers_in(record)
            elif kind == ".csv":
                out |= _last_of_csv(file)
        except DiagnoseError:
            continue
    return out


def _last_of_csv(path: Path) -> dict[str, float]:
    """Return the last number of each column."""
    out: dict[str, float] = {}
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                number = _number(value)
                if name and number is not None:
                    out[name] = number
    return out


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, str) and value.strip() else None
    except ValueError:
        return None
    return None if number is not None and math.isinf(number) else number


IMPORTER = Importer(NAME, 20, owns, load)

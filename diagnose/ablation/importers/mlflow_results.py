"""MLflow: finished runs of a file store mlruns/ or of a database, their parameters, each metric's last value."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.ablation.importers.sweeps import SweepRun, table_of
from diagnose.formatting import counted
from diagnose.logs.folders import mlflow_runs
from diagnose.logs.folders.database import columns_of, is_database, read_only
from diagnose.logs.folders.plain_files import short_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.logs.folders.plain_files import FolderRun, Listing

NAME = "MLflow"
FINISHED = ("3", "FINISHED")
LAST = 1 << 14  # bytes at the end of a metric's file


def owns(listing: Listing) -> bool:
    """Say whether a folder, or a file, holds runs of MLflow's."""
    return bool(mlflow_runs.find(listing))


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return a row for each finished run.

    Raises:
        DiagnoseError: fewer than two runs, or no metric that all have.
    """
    runs: list[SweepRun] = []
    left = 0
    for listing in listings:
        for run in sorted(mlflow_runs.find(listing), key=_started):  # the first run's arm is the control
            key = run.also[0] if run.also else run.name
            runs_read = _of_base(run.root, key, run.name) if run.root.is_file() else _of_folder(run.root, run.name)
            runs += [runs_read] if runs_read is not None else []
            left += runs_read is None
    note = f"{counted(left, 'run')} that did not finish {'is' if left == 1 else 'are'} left out."
    return table_of(runs, wanted, [note] if left else [])


def _started(run: FolderRun) -> int:
    """Return when a run of the file store began; those of a database are in order."""
    meta = short_text(run.root / "meta.yaml") if run.root.is_dir() else ""
    match = re.search(r"^start_time: *(\d+)", meta, re.MULTILINE)
    return int(match.group(1)) if match else 0


def _of_folder(folder: Path, name: str) -> SweepRun | None:
    """Return a run of the file store, None where it did not finish."""
    status = re.search(r"^status: *(\w+)", short_text(folder / "meta.yaml"), re.MULTILINE)
    if status is not None and status.group(1) not in FINISHED:
        return None
    params, metrics = folder / "params", folder / "metrics"
    settings = {file.relative_to(params).as_posix(): short_text(file, 500).strip() for file in _files(params)}
    values = {file.relative_to(metrics).as_posix(): _last_value(file) for file in _files(metrics)}
    return SweepRun(name, settings, {key: value for key, value in values.items() if value is not None})


def _files(folder: Path) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def _last_value(path: Path) -> float | None:
    """Return the value of the last line, "time value step"."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - LAST, 0))
        lines = file.read().decode("utf-8", "replace").split("\n")
    fields = next((line.split() for line in reversed(lines) if line.strip()), [])
    try:
        return float(fields[1])
    except (IndexError, ValueError):
        return None


def _of_base(path: Path, key: str, name: str) -> SweepRun | None:
    """Return a run of a database, None where it did not finish."""
    with read_only(path) as base:
        if "status" in columns_of(base, "runs"):
            row = base.execute("SELECT status FROM runs WHERE run_uuid = ?", (key,)).fetchone()
            if row is not None and str(row[0]) not in FINISHED:
                return None
        settings = {}
        if columns_of(base, "params") >= {"key", "value", "run_uuid"}:
            rows = base.execute("SELECT key, value FROM params WHERE run_uuid = ?", (key,))
            settings = {str(name): str(value) for name, value in rows}
        return SweepRun(name, settings, _metrics(base, key))


def _metrics(base: sqlite3.Connection, key: str) -> dict[str, float]:
    flag = "is_nan" if "is_nan" in columns_of(base, "metrics") else "0"
    rows = base.execute(
        f"SELECT key, value, {flag} FROM metrics WHERE run_uuid = ? ORDER BY step, timestamp",  # noqa: S608  (no text of others)
        (key,),
    )
    return {str(name): math.nan if bad else float(value) for name, value, bad in rows}


def is_file_of(path: Path) -> bool:
    """Say whether a file is a database of MLflow's."""
    return is_database(path) and mlflow_runs.owns(path)


IMPORTER = Importer(NAME, 40, owns, load, is_file_of)

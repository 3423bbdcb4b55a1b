"""Trackio: a database for each project, whose rows hold a JSON object of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.logs.folders.database import MOST_TEXT, columns_of, has_metrics, is_database, read_only
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker
from diagnose.logs.table_fields import json_of

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.table import Records

NAME = "Trackio"
NEEDED = {"run_name", "step", "metrics", "timestamp"}
MOST_BASES = 64


def find(listing: Listing) -> list[FolderRun]:
    """Return the runs of each project."""
    return [run for base in listing.given_or_named("*.db")[:MOST_BASES] if is_database(base) for run in _runs(base)]


def owns(path: Path) -> bool:
    """Say whether a file is a database of Trackio's."""
    return has_metrics(path, NEEDED)


def _runs(path: Path) -> list[FolderRun]:
    with read_only(path) as base:
        if not columns_of(base, "metrics") >= NEEDED:
            return []
        key = "run_id" if "run_id" in columns_of(base, "metrics") else "run_name"
        rows = base.execute(
            f"SELECT {key}, run_name FROM metrics GROUP BY {key}, run_name ORDER BY MIN(rowid) LIMIT 4096"  # noqa: S608  (no text of others)
        ).fetchall()
    return [_run(path, key, str(run), str(name)) for run, name in rows]


def _run(path: Path, key: str, run: str, name: str) -> FolderRun:
    def fill(records: Records) -> None:
        with read_only(path) as base:
            rows = base.execute(f"SELECT step, metrics FROM metrics WHERE {key} = ? ORDER BY step, rowid", (run,))  # noqa: S608
            for step, metrics in rows:
                _record(step, metrics, records)

    return FolderRun(name, NAME, path, fill=fill, also=(f"{path.stem}/{name}", run))


def _record(step: object, metrics: object, records: Records) -> None:
    text = metrics.decode("utf-8", "replace") if isinstance(metrics, bytes) else str(metrics)
    values = json_of(text[: MOST_TEXT + 1])
    records.add({"step": step} | values | {"step": step} if isinstance(values, dict) else None)


TRACKER = Tracker(NAME, 30, find, owns)

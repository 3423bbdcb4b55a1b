"""MLflow: the file store mlruns/ (a file for each metric, "time value step" a line) and the database mlflow.db."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diagnose.logs import source
from diagnose.logs.folders.database import columns_of, has_metrics, is_database, read_only
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker, short_text
from diagnose.logs.table_fields import number

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.table import Records

NAME = "MLflow"
MOST_METRICS = 512  # files of a run
MOST_BASES = 64  # databases of a folder
METRICS = {"key", "value", "timestamp", "run_uuid", "step"}
RUNS = {"run_uuid", "name", "start_time", "lifecycle_stage"}


def find(listing: Listing) -> list[FolderRun]:
    """Return the runs of the databases and of the file stores."""
    bases = listing.given_or_named("*.db", "*.sqlite", "*.sqlite3")[:MOST_BASES]
    return [run for base in bases if is_database(base) for run in _of_base(base)] + _of_files(listing)


def owns(path: Path) -> bool:
    """Say whether a file is a database of MLflow's."""
    return has_metrics(path, METRICS)


def _of_base(path: Path) -> list[FolderRun]:
    with read_only(path) as base:
        if not (columns_of(base, "metrics") >= METRICS and columns_of(base, "runs") >= RUNS):
            return []
        rows = base.execute(
            "SELECT run_uuid, name FROM runs WHERE lifecycle_stage = 'active' "
            "AND EXISTS (SELECT 1 FROM metrics WHERE metrics.run_uuid = runs.run_uuid) ORDER BY start_time LIMIT 4096"
        ).fetchall()
    return [_base_run(path, str(run), str(name or run)) for run, name in rows]


def _base_run(path: Path, run: str, name: str) -> FolderRun:
    def fill(records: Records) -> None:
        with read_only(path) as base:
            flag = "is_nan" if "is_nan" in columns_of(base, "metrics") else "0"
            rows = base.execute(
                f"SELECT key, value, step, timestamp, {flag} FROM metrics WHERE run_uuid = ? ORDER BY step, timestamp",  # noqa: S608  (no text of others)
                (run,),
            )
            for key, value, step, time, bad in rows:
                _add(records, str(key), "nan" if bad else value, step, time)

    return FolderRun(name, NAME, path, fill=fill, also=(run,))


def _add(records: Records, key: str, value: object, step: object, time: object) -> None:
    seconds = number(time)
    records.add_one(key, value, step, None if seconds is None else seconds / 1000)


def _of_files(listing: Listing) -> list[FolderRun]:
    """Return the runs of the file store: folders with meta.yaml and metrics/."""
    metas = {file.parent: file for file in listing.named("meta.yaml")}
    metrics: dict[Path, list[Path]] = {}
    for file in listing.files:
        for folder in file.parents:
            if folder.name == "metrics" and folder.parent in metas:
                metrics.setdefault(folder.parent, []).append(file)
                break
    return [run for folder, files in sorted(metrics.items()) if (run := _file_run(folder, metas[folder], files))]


def _file_run(folder: Path, meta: Path, files: list[Path]) -> FolderRun | None:
    """Return a run of the file store, None for a deleted one and for what is no run."""
    text = short_text(meta)
    if not re.search(r"^run_(?:id|uuid):", text, re.MULTILINE) or re.search(
        r"^lifecycle_stage: *deleted", text, re.MULTILINE
    ):
        return None
    named = re.search(r"^run_name: *['\"]?([^'\"\r\n]{1,200})", text, re.MULTILINE)
    name = short_text(folder / "tags" / "mlflow.runName", 200).strip() if not (folder / "tags").is_symlink() else ""

    def fill(records: Records) -> None:
        for file in files[:MOST_METRICS]:
            _metric(file, file.relative_to(folder / "metrics").as_posix(), records)

    title = name or (named.group(1).strip() if named else folder.name)
    return FolderRun(title, NAME, folder, fill=fill, also=(folder.name,))


def _metric(path: Path, key: str, records: Records) -> None:
    with source.opened(path) as file:
        for line, _ in source.lines(file, path):
            fields = line.split()
            if len(fields) not in (2, 3, 5):
                records.log.bad += 1
                continue
            _add(records, key, fields[1], fields[2] if len(fields) > 2 else None, fields[0])


TRACKER = Tracker(NAME, 30, find, owns)

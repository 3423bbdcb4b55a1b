"""Neptune's offline runs `.neptune/offline/run__*/`: operations as JSON, one a line, of which LogFloats hold values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from diagnose.logs import source
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker
from diagnose.logs.table_fields import json_of

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.table import Records

NAME = "Neptune"
FILE = re.compile(r"data-(\d{1,15})\.log")
FOLDER = "run__"
KEYS = ("values", "items")  # under which the values stand, by version
MOST_PARTS = 4  # of a name


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each folder of operations."""
    files: dict[Path, list[tuple[int, Path]]] = {}
    for file in listing.named("data-*.log"):
        number = FILE.fullmatch(file.name)
        if number and file.parent.name.startswith(FOLDER):
            files.setdefault(file.parent, []).append((int(number.group(1)), file))
    return [_run(folder, [file for _, file in sorted(some)]) for folder, some in sorted(files.items())]


def _run(folder: Path, files: list[Path]) -> FolderRun:
    def fill(records: Records) -> None:
        for path in files:
            with source.opened(path) as file:
                for line, _ in source.lines(file, path, source.MOST_RECORD):
                    _operation(line, records)

    return FolderRun(folder.name, NAME, folder, fill=fill)


def _operation(line: str, records: Records) -> None:
    if "LogFloats" not in line[:200]:
        return
    record = json_of(line)
    records.log.bad += record is None
    operation = record.get("obj") if isinstance(record, dict) else None
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), list):
        return
    name = "/".join(str(part) for part in operation["path"][-MOST_PARTS:])
    for value in _values(operation):
        if isinstance(value, dict):
            records.add({"step": value.get("step"), name: value.get("value")})


def _values(operation: dict[str, Any]) -> list[Any]:
    return next((operation[key] for key in KEYS if isinstance(operation.get(key), list)), [])


TRACKER = Tracker(NAME, 30, find)

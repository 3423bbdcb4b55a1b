"""DVCLive's folder: plots/metrics/ holds a table of step and value for each name."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.logs import source
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.table import Records

NAME = "DVCLive"
INNER = ("plots", "metrics")
MOST_NAMES = 512


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each folder with plots/metrics/ in it."""
    files: dict[Path, list[Path]] = {}
    for file in listing.named("*.tsv"):
        for folder in file.parents:
            if folder.parts[-2:] == INNER and folder.parent.parent.is_relative_to(listing.top):
                files.setdefault(folder, []).append(file)
                break
    return [_run(listing, folder, some[:MOST_NAMES]) for folder, some in sorted(files.items())]


def _run(listing: Listing, folder: Path, files: list[Path]) -> FolderRun:
    root = folder.parent.parent

    def fill(records: Records) -> None:
        for file in files:
            _table(file, file.relative_to(folder).with_suffix("").as_posix(), records)

    return FolderRun(listing.title(root), NAME, root, fill=fill)


def _table(path: Path, name: str, records: Records) -> None:
    with source.opened(path) as file:
        reader = csv.reader((line for line, _ in source.lines(file, path)), delimiter="\t")
        try:
            header = next(reader, [])
            if "step" not in header or len(header) < 2:
                return
            last = name.rpartition("/")[2]
            at, value = header.index("step"), header.index(last) if last in header else len(header) - 1
            for fields in reader:
                if len(fields) == len(header):
                    records.add({"step": fields[at], name: fields[value]})
        except csv.Error as error:
            raise DiagnoseError(f"{source.shown(path)} is no table: {error}") from None


TRACKER = Tracker(NAME, 12, find)

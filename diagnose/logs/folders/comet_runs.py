"""Comet's offline experiments: zip archives with messages.json, one message a line, of which metric_msg hold values."""

from __future__ import annotations

import io
import zipfile
import zlib
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from diagnose.errors import DiagnoseError
from diagnose.logs import source
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker, file_head
from diagnose.logs.table_fields import json_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from diagnose.logs.table import Records

NAME = "Comet"
MAGIC = b"PK\x03\x04"
MESSAGES = "messages.json"
MOST_ARCHIVES = 1024  # of a folder
MOST_LISTED = 1 << 22  # bytes of an archive's table of contents
MOST_UNPACKED = 1 << 31  # bytes of messages
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each archive."""
    files = listing.given_or_named("*.zip")[:MOST_ARCHIVES]
    return [FolderRun(file.stem, NAME, file, fill=partial(_read, file)) for file in files if owns(file)]


def owns(path: Path) -> bool:
    """Say whether a file is an archive of an experiment."""
    if file_head(path, 4) != MAGIC:
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename for info in archive.infolist()}
    except DAMAGED:
        return False
    return {MESSAGES, "experiment.json"} <= names


def _read(path: Path, records: Records) -> None:
    with _messages(path) as file:
        for line, _ in source.lines(file, path, source.MOST_RECORD):
            _message(line, records)


@contextmanager
def _messages(path: Path) -> Iterator[BinaryIO]:
    """Open the messages; what an archive says of its size is not believed, reading stops at a bound.

    Raises:
        DiagnoseError: it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MESSAGES) as file:
            yield cast("BinaryIO", io.BufferedReader(_Bounded(cast("BinaryIO", file))))
    except DAMAGED as error:
        raise DiagnoseError(f"{source.shown(path)} is damaged: {error}") from None


class _Bounded(io.RawIOBase):
    """A file of which at most so many bytes are read."""

    def __init__(self, file: BinaryIO, most: int = MOST_UNPACKED) -> None:
        super().__init__()
        self.file, self.left = file, most

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        data = self.file.read(min(len(into), self.left))
        self.left -= len(data)
        into[: len(data)] = data
        return len(data)


def _message(line: str, records: Records) -> None:
    if "metric_msg" not in line[-200:] and "metric_msg" not in line[:200]:
        return
    message = json_of(line)
    records.log.bad += message is None
    payload = message.get("payload") if isinstance(message, dict) else None
    metric = payload.get("metric") if isinstance(payload, dict) else None
    if isinstance(metric, dict) and isinstance(metric.get("metricName"), str):
        at = {"step": metric.get("step"), "epoch": metric.get("epoch")}
        records.add({**at, metric["metricName"]: metric.get("metricValue")})


TRACKER = Tracker(NAME, 30, find, owns)

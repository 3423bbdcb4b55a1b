"""W&B's own transaction log, as `wandb/offline-run-*/run-*.wandb` holds it: records of Protocol Buffers in blocks.

Blocks of 32 KiB as LevelDB's log has them: a record's header is its checksum, its length and whether it is whole or a
part; the file's own header is ":W&B", a magic number and a version. Of a record only the history's items are looked
at, and the run's name; every length is checked against what is there.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.logs import source
from diagnose.logs.events import fields
from diagnose.logs.folders.listing import FolderRun, Listing, Tracker, file_head
from diagnose.logs.series import Log
from diagnose.logs.table import Columns, Records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

NAME = "W&B"
IDENT, MAGIC, VERSION = b":W&B", 0xBEE1, 0
BLOCK, HEADER, FILE_HEADER = 1 << 15, 7, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
MOST_RECORD = 1 << 24  # bytes of a record; a longer one is passed over
MOST_ITEMS = 4096  # of a record
MOST_VALUE = 64  # characters of a number
HISTORY, RUN = 2, 17  # of Record
ITEM, STEP, STEP_NUMBER = 1, 2, 1  # of HistoryRecord, of HistoryStep
KEY, NESTED, VALUE = 1, 2, 16  # of HistoryItem
RUN_ID, RUN_NAME = 1, 8  # of RunRecord
NOT_FINITE = ("NaN", "Infinity", "-Infinity")
BEFORE_NAME = 64  # records among which the run's name is looked for


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each transaction log."""
    files = listing.files if listing.files == [listing.top] else listing.named("*.wandb")
    return [_run(listing, file) for file in files if file_head(file, 4) == IDENT]


def owns(path: Path) -> bool:
    """Say whether a file is a transaction log."""
    return file_head(path, 4) == IDENT


def _run(listing: Listing, path: Path) -> FolderRun:
    run, name = _named(path)
    folder = path.parent if listing.top != path else path
    title = name or run or listing.title(folder)

    def load(columns: Columns) -> Log:
        log = Log("wandb", NAME)
        records = Records(log, columns)
        with source.opened(path) as file:
            for body in transactions(file, path, log):
                for number, _, value in fields(body):
                    if number == HISTORY and isinstance(value, bytes):
                        records.add(_history(value))
        return log

    also = tuple(dict.fromkeys(part for part in (run, path.parent.name) if part and part != title))
    return FolderRun(title, NAME, folder, load=load, also=also)


def _named(path: Path) -> tuple[str, str]:
    """Return a run's identifier and its name, from its first records."""
    found = {RUN_ID: "", RUN_NAME: ""}
    with source.opened(path) as file:
        for body, _ in zip(transactions(file, path, Log("wandb")), range(BEFORE_NAME), strict=False):
            runs = [value for number, _, value in fields(body) if number == RUN and isinstance(value, bytes)]
            for number, _, value in fields(runs[0]) if runs else ():
                if number in found and isinstance(value, bytes):
                    found[number] = value[:200].decode("utf-8", "replace")
            if runs:
                break
    return found[RUN_ID], found[RUN_NAME]


def transactions(file: BinaryIO, path: Path, log: Log) -> Iterator[bytes]:
    """Yield the records of a transaction log; what is damaged is passed over and noted.

    Raises:
        DiagnoseError: it is no transaction log of a version that is known.
    """
    head = file.read(FILE_HEADER)
    if len(head) < FILE_HEADER or struct.unpack("<4sHB", head) != (IDENT, MAGIC, VERSION):
        raise DiagnoseError(f"{source.shown(path)} is no transaction log of W&B's, or of a version that is not known")
    held, length = bytearray(), 0
    for kind, body in _parts(file, log):
        if kind in (FULL, FIRST):
            held, length = bytearray(), 0
        length += len(body)
        if length <= MOST_RECORD:
            held += body
        if kind in (FULL, LAST):
            if length <= MOST_RECORD:
                yield bytes(held)
            held, length = bytearray(), 0


def _parts(file: BinaryIO, log: Log) -> Iterator[tuple[int, bytes]]:
    """Yield (kind, bytes) of each part of a record; a damaged one ends its block."""
    at = FILE_HEADER
    while True:
        block = file.read(BLOCK - at % BLOCK)
        if not block:
            return
        at += len(block)
        start = 0
        while start + HEADER <= len(block):
            check, size, kind = struct.unpack_from("<IHB", block, start)
            if not kind and not size:
                break
            body = block[start + HEADER : start + HEADER + size]
            if len(body) < size and at % BLOCK:
                _note(log, "the transaction log breaks off within a record, as one does that is still being written")
                return
            if zlib.crc32(block[start + HEADER - 1 : start + HEADER + size]) != check:
                log.bad += 1
                _note(log, "a record of the transaction log is damaged; the rest of its block is passed over")
                break
            yield kind, body
            start += HEADER + size


def _note(log: Log, text: str) -> None:
    if text not in log.notes:
        log.notes.append(text)


def _history(data: bytes) -> dict[str, Any]:
    """Return a history record's numbers by name."""
    out: dict[str, Any] = {}
    for number, _, value in fields(data):
        if number == ITEM and isinstance(value, bytes) and len(out) < MOST_ITEMS:
            name, found = _item(value)
            if found is not None:
                out[name] = found
        elif number == STEP and isinstance(value, bytes):
            steps = [v for n, _, v in fields(value) if n == STEP_NUMBER and isinstance(v, int)]
            out.setdefault("_step", steps[-1] if steps else 0)
    return out


def _item(data: bytes) -> tuple[str, float | None]:
    """Return an item's name, its parts joined by slashes, and its number, None where it is something else."""
    names, text = [], b""
    for number, _, value in fields(data):
        if not isinstance(value, bytes):
            continue
        if number in (KEY, NESTED):
            names.append(value[:200].decode("utf-8", "replace"))
        elif number == VALUE:
            text = value
    if not names or len(text) > MOST_VALUE:
        return "", None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "", None
    if found in NOT_FINITE:
        found = float(found)
    return "/".join(names[:8]), float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


TRACKER = Tracker(NAME, 30, find, owns)

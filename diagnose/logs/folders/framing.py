"""Records in blocks of 32 KiB as LevelDB's log has them, in which W&B and SwanLab keep a run.

A record's header is the checksum of its kind and its bytes, its length, and whether it is whole or a part of one; the
file's own header is a name, a magic number and a version. Every length is checked against what is there.
The format: https://github.com/google/leveldb/blob/main/doc/log_format.md, with a plain CRC-32 and the file's header.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.logs.events import fields
from diagnose.logs.folders.plain_files import FolderRun
from diagnose.logs.series import Log
from diagnose.logs.source import opened, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from diagnose.logs.folders.plain_files import Listing
    from diagnose.logs.table import Records

    Fill = Callable[[Records], None]

BLOCK, HEADER = 1 << 15, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
MOST_RECORD = 1 << 24  # bytes of a record; a longer one is passed over
MOST_TEXT = 200  # bytes of a text within a message
BEFORE_NAME = 64  # records among which the run's name is looked for


def frames(file: BinaryIO, path: Path, log: Log, header: bytes) -> Iterator[bytes]:
    """Yield the records of a file; what is damaged is passed over and noted.

    Args:
        file: open for reading.
        path: its name, for errors.
        log: what takes the notes.
        header: of the file, 7 bytes.

    Raises:
        DiagnoseError: the file begins otherwise.
    """
    if file.read(HEADER) != header:
        raise DiagnoseError(f"{shown(path)} is of a version of its format that is not known, or damaged from the start")
    parts, length = bytearray(), 0
    for kind, body in _parts(file, log):
        if kind == FULL:
            yield body
            parts, length = bytearray(), 0
            continue
        if kind == FIRST:
            parts, length = bytearray(), 0
        length += len(body)
        if length <= MOST_RECORD:
            parts += body
        if kind == LAST:
            if length <= MOST_RECORD:
                yield bytes(parts)
            parts, length = bytearray(), 0


def messages(path: Path, log: Log, header: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the messages that a file's records hold, each with the number of its field."""
    with opened(path) as file:
        for body in frames(file, path, log, header):
            for number, _, value in fields(body):
                if isinstance(value, bytes):
                    yield number, value


def texts_of(path: Path, header: bytes, message: int, wanted: tuple[int, ...]) -> tuple[str, ...]:
    """Return the texts of some fields of the first message of a kind, as of a run's name; "" for a missing one."""
    texts = dict.fromkeys(wanted, "")
    with opened(path) as file:
        for body, _ in zip(frames(file, path, Log("text"), header), range(BEFORE_NAME), strict=False):
            first = next((v for number, _, v in fields(body) if number == message and isinstance(v, bytes)), None)
            for number, _, value in fields(first) if first is not None else ():
                if number in texts and isinstance(value, bytes):
                    texts[number] = value[:MOST_TEXT].decode("utf-8", "replace")
            if first is not None:
                break
    return tuple(texts.values())


def framed_run(listing: Listing, path: Path, called: tuple[str, str], tracker: str, fill: Fill) -> FolderRun:
    """Return the run of a file; `called` are its name and its identifier, "" where it has none."""
    name, run = called
    folder = path.parent if listing.top != path else path
    title = name or run or listing.title(folder)
    also = tuple(dict.fromkeys(part for part in (run, path.parent.name) if part and part != title))
    return FolderRun(title, tracker, folder, fill=fill, also=also)


def _parts(file: BinaryIO, log: Log) -> Iterator[tuple[int, bytes]]:
    """Yield (kind, bytes) of each part of a record; a damaged one ends its block."""
    at = HEADER
    while block := file.read(BLOCK - at % BLOCK):
        at += len(block)
        start = 0
        while start + HEADER <= len(block):
            check, size, kind = struct.unpack_from("<IHB", block, start)
            if not kind and not size:
                break
            body = block[start + HEADER : start + HEADER + size]
            if len(body) < size and at % BLOCK:
                _note(log, "the run's file breaks off within a record, as one does that is still being written")
                return
            if zlib.crc32(block[start + HEADER - 1 : start + HEADER + size]) != check:
                log.bad += 1
                _note(log, "a record of the run's file is damaged; the rest of its block is passed over")
                break
            yield kind, body
            start += HEADER + size


def _note(log: Log, text: str) -> None:
    if text not in log.notes:
        log.notes.append(text)

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
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from diagnose.logs.series import Log

BLOCK, HEADER = 1 << 15, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
MOST_RECORD = 1 << 24  # bytes of a record; a longer one is passed over


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
    held, length = bytearray(), 0
    for kind, body in _parts(file, log):
        if kind == FULL:
            yield body
            held, length = bytearray(), 0
            continue
        if kind == FIRST:
            held, length = bytearray(), 0
        length += len(body)
        if length <= MOST_RECORD:
            held += body
        if kind == LAST:
            if length <= MOST_RECORD:
                yield bytes(held)
            held, length = bytearray(), 0


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

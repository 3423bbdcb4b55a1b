"""SwanLab's run folders `swanlog/run-*/`: its file run-*.swanlab holds records of Protocol Buffers in blocks."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from diagnose.logs import source
from diagnose.logs.events import FIXED64, fields
from diagnose.logs.folders.framing import framed_run, frames, texts_of
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker, file_head
from diagnose.logs.series import MOST_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.table import Records

NAME = "SwanLab"
IDENT = b":SWL"
HEADER = IDENT + b"\xd6\xe1\x02"  # a magic number and the version
RUN, SCALAR = 10, 13  # of Record
RUN_NAME, RUN_ID = 4, 10  # of the run
KEY, STEP, VALUE, DOUBLE = 1, 2, 5, 1  # of a scalar
LEAST, ONE_BYTE, MOST_VARINT = 17, 0x7F, 9
TAGS, STEP_TAG, VALUE_TAGS = bytes([SCALAR << 3 | 2, 0x0A]), 0x10, b"\x2a\x09\x09"
UNPACK = struct.Struct("<d").unpack


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each file of a run."""
    return [_run(listing, file) for file in listing.given_or_named("*.swanlab") if owns(file)]


def owns(path: Path) -> bool:
    """Say whether a file is a run's."""
    return file_head(path, len(IDENT)) == IDENT


def _run(listing: Listing, path: Path) -> FolderRun:
    def fill(records: Records) -> None:
        names: dict[bytes, str] = {}
        with source.opened(path) as file:
            for body in frames(file, path, records.log, HEADER):
                if _add_plain(body, names, records):
                    continue
                for number, _, value in fields(body):
                    if number == SCALAR and isinstance(value, bytes):
                        _add(value, names, records)
            records.flush()

    name, run = texts_of(path, HEADER, RUN, (RUN_NAME, RUN_ID))
    return framed_run(listing, path, (name, run), NAME, fill)


def _add_plain(body: bytes, names: dict[bytes, str], records: Records) -> bool:
    """Add the scalar of a record in its commonest layout (name, step, double); return whether it is one."""
    if len(body) < LEAST or body[:4:2] != TAGS or body[1] != len(body) - 2 or body[3] > ONE_BYTE:
        return False
    at, end = 4 + body[3], len(body) - 11
    if not 0 < end - at - 1 <= MOST_VARINT or body[at] != STEP_TAG or body[end : end + 3] != VALUE_TAGS:
        return False
    step = shift = 0
    for byte in body[at + 1 : end - 1]:
        if byte <= ONE_BYTE:
            return False
        step |= (byte & ONE_BYTE) << shift
        shift += 7
    last, name = body[end - 1], names.get(body[4:at], "")
    if last > ONE_BYTE or not name:
        return False
    records.hold(name, UNPACK(body[-8:])[0], step | last << shift)
    return True


def _add(data: bytes, names: dict[bytes, str], records: Records) -> None:
    """Add a value by its name, with its step; the name is known from then on."""
    name, step, number = "", 0, None
    for field, _, value in fields(data):
        if field == KEY and isinstance(value, bytes):
            name = value[:200].decode("utf-8", "replace")
        elif field == STEP and isinstance(value, int):
            step = value
        elif field == VALUE and isinstance(value, bytes):
            number = _double(value)
    if name and number is not None:
        if len(names) < MOST_NAMES:
            names[name.encode()] = name
        records.hold(name, number, step)


def _double(data: bytes) -> float:
    """Return the first number of a value; one of zero is not written."""
    for field, kind, value in fields(data):
        if field == DOUBLE and kind == FIXED64 and isinstance(value, bytes):
            return float(UNPACK(value)[0])
    return 0.0


TRACKER = Tracker(NAME, 30, find, owns)

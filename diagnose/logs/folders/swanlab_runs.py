"""SwanLab's run folders `swanlog/run-*/`: its file run-*.swanlab holds records of Protocol Buffers in blocks."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from diagnose.logs import source
from diagnose.logs.events import FIXED64, fields
from diagnose.logs.folders.framing import frames
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker, file_head
from diagnose.logs.series import MOST_NAMES, Log
from diagnose.logs.table import Records

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.kept_columns import Columns

NAME = "SwanLab"
IDENT = b":SWL"
HEADER = IDENT + b"\xd6\xe1\x02"  # a magic number and the version
RUN, SCALAR = 10, 13  # of Record
RUN_NAME, RUN_ID = 4, 10  # of the run
KEY, STEP, VALUE, DOUBLE = 1, 2, 5, 1  # of a scalar
BEFORE_NAME = 64
LEAST, ONE_BYTE, MOST_VARINT = 17, 0x7F, 9
TAGS, STEP_TAG, VALUE_TAGS = bytes([SCALAR << 3 | 2, 0x0A]), 0x10, b"\x2a\x09\x09"
UNPACK = struct.Struct("<d").unpack


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each file of a run."""
    files = listing.files if listing.files == [listing.top] else listing.named("*.swanlab")
    return [_run(listing, file) for file in files if owns(file)]


def owns(path: Path) -> bool:
    """Say whether a file is a run's."""
    return file_head(path, len(IDENT)) == IDENT


def _run(listing: Listing, path: Path) -> FolderRun:
    name, run = _named(path)
    folder = path.parent if listing.top != path else path
    title = name or run or listing.title(folder)

    def load(columns: Columns) -> Log:
        log = Log("swanlab", NAME)
        records = Records(log, columns)
        with source.opened(path) as file:
            names: dict[bytes, str] = {}
            for body in frames(file, path, log, HEADER):
                if _add_plain(body, names, records):
                    continue
                for number, _, value in fields(body):
                    if number == SCALAR and isinstance(value, bytes):
                        _add(value, names, records)
            records.flush()
        return log

    also = tuple(dict.fromkeys(part for part in (run, path.parent.name) if part and part != title))
    return FolderRun(title, NAME, folder, load=load, also=also)


def _named(path: Path) -> tuple[str, str]:
    """Return a run's name and its identifier, from its first records."""
    found = {RUN_NAME: "", RUN_ID: ""}
    with source.opened(path) as file:
        for body, _ in zip(frames(file, path, Log("swanlab"), HEADER), range(BEFORE_NAME), strict=False):
            runs = [value for number, _, value in fields(body) if number == RUN and isinstance(value, bytes)]
            for number, _, value in fields(runs[0]) if runs else ():
                if number in found and isinstance(value, bytes):
                    found[number] = value[:200].decode("utf-8", "replace")
            if runs:
                break
    return found[RUN_NAME], found[RUN_ID]


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

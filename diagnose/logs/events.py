"""TensorBoard's event files: TFRecord frames around messages of Protocol Buffers' wire format.

Only scalars are read, with every length checked against what is there; no other part of a message is looked into.
The format: https://www.tensorflow.org/tutorials/load_data/tfrecord and https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.logs.names import meaning
from diagnose.logs.series import NAN, Log, LogRow
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

HEADER, FOOTER = 12, 4  # bytes around a record: its length and the length's checksum; the record's checksum
MOST_RECORD = 1 << 16  # bytes of a record that may be a scalar; longer ones are pictures and graphs
CHECKED = 1 << 12  # bytes up to which a record's own checksum is computed
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WALL_TIME, STEP, SUMMARY = 1, 2, 5  # of Event
VALUE, TAG, SIMPLE, TENSOR = 1, 1, 2, 8  # of Summary and of its Value
DTYPE, CONTENT, FLOATS, DOUBLES = 1, 4, 5, 6  # of TensorProto
FLOAT, DOUBLE = 1, 2  # of DataType
SCALARS = {FLOAT: "<f", DOUBLE: "<d"}


@lru_cache(maxsize=1)
def _table() -> tuple[int, ...]:
    out = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        out.append(value)
    return tuple(out)


def checksum(data: bytes) -> int:
    """Return the masked CRC-32C that TFRecord keeps."""
    table, value = _table(), 0xFFFFFFFF
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    value ^= 0xFFFFFFFF
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


def is_events(head: bytes) -> bool:
    """Say whether a file begins with a TFRecord frame."""
    return len(head) >= HEADER and struct.unpack_from("<I", head, 8)[0] == checksum(head[:8])


def read_events(file: BinaryIO, path: Path, log: Log, before: str = "") -> None:
    """Add a file's scalars to a log.

    Args:
        file: open for reading.
        path: its name, for errors.
        log: what takes the values.
        before: what names begin with, "train/" for a file in a folder of that name.

    Raises:
        DiagnoseError: it cannot be read, or its frames are damaged from the start.
    """
    count = 0
    try:
        for record in _records(file, log):
            count += 1
            if record:
                _event(record, log, before)
    except OSError as error:
        raise DiagnoseError(f"{shown(path)} cannot be read: {error.strerror or error}") from None
    if not count:
        raise DiagnoseError(f"{shown(path)} begins like a TensorBoard file and holds no whole record")


def _records(file: BinaryIO, log: Log) -> Iterator[bytes]:
    """Yield records; an empty one for what is too long to be a scalar, nothing more after a damaged frame."""
    while True:
        header = file.read(HEADER)
        if len(header) < HEADER:
            if header:
                log.notes.append("the event file breaks off within a record, as one does that is still being written")
            return
        length, check = struct.unpack("<QI", header)
        if checksum(header[:8]) != check:
            log.bad += 1
            log.notes.append("a frame of the event file is damaged; what comes behind it cannot be read")
            return
        if length > MOST_RECORD:
            if not _skip(file, length + FOOTER):
                log.notes.append("the event file breaks off within a record")
                return
            yield b""
            continue
        data = file.read(length + FOOTER)
        if len(data) < length + FOOTER:
            log.notes.append("the event file breaks off within a record, as one does that is still being written")
            return
        body = data[:length]
        if length <= CHECKED and checksum(body) != struct.unpack("<I", data[length:])[0]:
            log.bad += 1
            continue
        yield body


def _skip(file: BinaryIO, count: int) -> bool:
    while count > 0:
        data = file.read(min(count, 1 << 20))
        if not data:
            return False
        count -= len(data)
    return True


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Yield (field, wire type, value) of a message: integers as they stand, everything else as bytes.

    Stops where the message does not hold what it announces.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            if at > len(data):
                return
            yield key >> 3, kind, value
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(kind)
        if kind == BYTES:
            size, at = _varint(data, at)
        if size is None or at + size > len(data):
            return
        yield key >> 3, kind, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return an integer and where it ends; past the end of the data where it does not."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return 0, len(data) + 1


def _event(data: bytes, log: Log, before: str) -> None:
    values: dict[str, float] = {}
    step, seconds = 0.0, NAN
    for field, kind, value in fields(data):
        if field == STEP and isinstance(value, int):
            step = float(value if value < 1 << 63 else value - (1 << 64))
        elif field == WALL_TIME and kind == FIXED64 and isinstance(value, bytes):
            seconds = struct.unpack("<d", value)[0]
        elif field == SUMMARY and isinstance(value, bytes):
            for inner, _, one in fields(value):
                if inner == VALUE and isinstance(one, bytes):
                    values |= _value(one)
    named = {before + tag: value for tag, value in values.items() if meaning(before + tag).kind}
    if named:
        log.add(LogRow(named, step=step, seconds=seconds))


def _value(data: bytes) -> dict[str, float]:
    tag, found = "", None
    for field, kind, value in fields(data):
        if not isinstance(value, bytes):
            continue
        if field == TAG and kind == BYTES:
            tag = value[:200].decode("utf-8", "replace")
        elif field == SIMPLE and kind == FIXED32:
            found = struct.unpack("<f", value)[0]
        elif field == TENSOR and kind == BYTES:
            found = _tensor(value)
    return {} if found is None or not tag else {tag: found}


def _tensor(data: bytes) -> float | None:
    """Return a tensor of one element."""
    dtype, content = FLOAT, b""
    for field, _, value in fields(data):
        if field == DTYPE and isinstance(value, int):
            dtype = value
        elif isinstance(value, bytes) and field in (CONTENT, FLOATS, DOUBLES):
            content = value
    layout = SCALARS.get(dtype)
    if layout is None or len(content) != struct.calcsize(layout):
        return None
    return float(struct.unpack(layout, content)[0])

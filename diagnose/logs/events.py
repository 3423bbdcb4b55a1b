"""TensorBoard's event files: TFRecord frames around messages of Protocol Buffers' wire format.

Only scalars are read, with every length checked against what is there; no other part of a message is looked into.
The format: https://www.tensorflow.org/tutorials/load_data/tfrecord and https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

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
AT_ONCE = 1024  # records whose checksums are computed together
FEWEST_TOGETHER = 16  # of one length
CHECKED = 1 << 12  # bytes up to which a record's own checksum is computed
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED = {FIXED64: 8, FIXED32: 4}
WALL_TIME, STEP, SUMMARY = 1, 2, 5  # of Event
MOST_TAG = 200  # bytes of a name
VALUE, TAG, SIMPLE, TENSOR = 1, 1, 2, 8  # of Summary and of its Value
DTYPE, CONTENT, FLOATS, DOUBLES = 1, 4, 5, 6  # of TensorProto
FLOAT, DOUBLE = 1, 2  # of DataType
PLAIN = re.compile(  # an event with the time, a step and one value, as most are
    rb"\t(.{8})\x10([\x80-\xff]{0,8}[\x00-\x7f])\*([\x00-\x7f])\n([\x00-\x7f])\n([\x00-\x7f])(.{1,120})\x15(.{4})",
    re.DOTALL,
)
UNPACK_FLOAT, UNPACK_DOUBLE, UNPACK_HEADER = (struct.Struct(form).unpack for form in ("<f", "<d", "<QI"))
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


def checksums(records: list[bytes]) -> list[int]:
    """Return the checksum of each record, those of one length together."""
    alike: dict[int, list[int]] = {}
    for place, record in enumerate(records):
        alike.setdefault(len(record), []).append(place)
    out = [0] * len(records)
    for length, places in alike.items():
        if len(places) < FEWEST_TOGETHER:
            sums = [checksum(records[place]) for place in places]
        else:
            sums = _together(b"".join(records[place] for place in places), length)
        for place, value in zip(places, sums, strict=True):
            out[place] = value
    return out


def _together(data: bytes, length: int) -> list[int]:
    """Return the checksums of records of one length that stand one after the other."""
    columns = np.frombuffer(data, np.uint8).reshape(-1, length).T.astype(np.uint32)
    table = np.array(_table(), np.uint32)
    value = np.full(columns.shape[1], 0xFFFFFFFF, np.uint32)
    for column in columns:
        value = table[(value ^ column) & 0xFF] ^ (value >> np.uint32(8))
    value ^= np.uint32(0xFFFFFFFF)
    turned = (value >> np.uint32(15)) | (value << np.uint32(17))
    masked: list[int] = (turned + np.uint32(0xA282EAD8)).tolist()
    return masked


@lru_cache(maxsize=1024)
def _of_length(header: bytes) -> int:
    """Return the checksum of a record's length."""
    return checksum(header)


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
    """Yield sound records; an empty one for what is too long to be a scalar, nothing more after a damaged frame."""
    frames = _frames(file, log)
    while block := list(islice(frames, AT_ONCE)):
        short = [body if len(body) <= CHECKED else b"" for body, _ in block]
        for (body, check), computed in zip(block, checksums(short), strict=True):
            if len(body) > CHECKED or not body or computed == check:
                yield body
            else:
                log.bad += 1


def _frames(file: BinaryIO, log: Log) -> Iterator[tuple[bytes, int]]:
    """Yield each record with its checksum; an empty one for what is too long to be a scalar."""
    while True:
        header = file.read(HEADER)
        if len(header) < HEADER:
            if header:
                log.notes.append("the event file breaks off within a record, as one does that is still being written")
            return
        length, check = UNPACK_HEADER(header)
        if _of_length(header[:8]) != check:
            log.bad += 1
            log.notes.append("a frame of the event file is damaged; what comes behind it cannot be read")
            return
        if length > MOST_RECORD:
            if not _skip(file, length + FOOTER):
                log.notes.append("the event file breaks off within a record")
                return
            yield b"", 0
            continue
        data = file.read(length + FOOTER)
        if len(data) < length + FOOTER:
            log.notes.append("the event file breaks off within a record, as one does that is still being written")
            return
        yield data[:length], int.from_bytes(data[length:], "little")


def _skip(file: BinaryIO, count: int) -> bool:
    while count > 0:
        data = file.read(min(count, 1 << 20))
        if not data:
            return False
        count -= len(data)
    return True


def fields(data: bytes) -> list[tuple[int, int, int | bytes]]:
    """Return (field, wire type, value) of a message: integers as they stand, everything else as bytes.

    Stops where the message does not hold what it announces.
    """
    out: list[tuple[int, int, int | bytes]] = []
    at, end = 0, len(data)
    while at < end:
        key, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
        kind = key & 7
        if kind in FIXED:
            size = FIXED[kind]
        elif kind in (BYTES, VARINT) and at < end:
            size, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
        else:
            break
        if kind == VARINT:
            if at > end:
                break
            out.append((key >> 3, kind, size))
            continue
        stop = at + size
        if stop > end:
            break
        out.append((key >> 3, kind, data[at:stop]))
        at = stop
    return out


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return an integer and where it ends; past the end of the data where it does not."""
    value = shift = 0
    for byte in data[at : at + 10]:
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, len(data) + 1


def _event(data: bytes, log: Log, before: str) -> None:
    plain = PLAIN.fullmatch(data)
    if plain:
        seconds, steps, whole, inner, length, tag, number = plain.groups()
        if whole[0] == inner[0] + 2 and inner[0] == length[0] + 7 and length[0] == len(tag):
            name = _name(tag, before)
            if name:
                loss = float(UNPACK_FLOAT(number)[0])
                log.add(LogRow({name: loss}, float(_varint(steps, 0)[0]), NAN, *UNPACK_DOUBLE(seconds)))
            return
    _any_event(data, log, before)


def _any_event(data: bytes, log: Log, before: str) -> None:
    named: dict[str, float] = {}
    step, seconds = 0.0, NAN
    for field, kind, value in fields(data):
        if field == STEP and isinstance(value, int):
            step = float(value if value < 1 << 63 else value - (1 << 64))
        elif field == WALL_TIME and kind == FIXED64 and isinstance(value, bytes):
            seconds = float(UNPACK_DOUBLE(value)[0])
        elif field == SUMMARY and isinstance(value, bytes):
            for inner, _, content in fields(value):
                if inner == VALUE and isinstance(content, bytes):
                    name, number = _value(content, before)
                    if number is not None:
                        named[name] = number
    if named:
        log.add(LogRow(named, step=step, seconds=seconds))


@lru_cache(maxsize=4096)
def _name(tag: bytes, before: str) -> str:
    """Return the name of a loss, "" for that of anything else."""
    name = tag.decode("utf-8", "replace")
    return before + name if name and meaning(before + name).kind else ""


def _value(data: bytes, before: str) -> tuple[str, float | None]:
    """Return the name of a loss and its number, None for anything else."""
    name, loss = "", None
    for field, kind, value in fields(data):
        if field == TAG and kind == BYTES and isinstance(value, bytes):
            name = _name(value[:MOST_TAG], before)
        elif field == SIMPLE and kind == FIXED32 and isinstance(value, bytes):
            loss = float(UNPACK_FLOAT(value)[0])
        elif field == TENSOR and kind == BYTES and isinstance(value, bytes):
            loss = _tensor(value)
    return name, loss if name else None


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

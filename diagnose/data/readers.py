"""Reading text from files of several kinds, in pieces, with errors that say where the text is broken."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from typing import TYPE_CHECKING, BinaryIO, Protocol

from diagnose.data.swelling import bounded
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 1 << 20  # bytes held at a time
GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # neither can open a text: both are invalid UTF-8
SQUEEZED = {".gz": GZIP, ".zst": ZSTANDARD, ".zstd": ZSTANDARD}
NUL_SHARE = 0.01  # what has more NULs than this is no text


class Sink(Protocol):
    """What documents are written to, a piece at a time."""

    @property
    def is_open(self) -> bool:
        """Whether a document was begun and not ended."""

    def begin(self, line: int) -> None:
        """Begin a document found at that line, counted from 1; 0 where lines mean nothing."""

    def extend(self, data: bytes) -> None:
        """Add UTF-8 to the open document."""

    def end(self) -> None:
        """End the open document."""


def read(path: Path, documents: str, sink: Sink) -> None:
    r"""Cut a file into documents.

    Blank documents are left out. Lines end in \n or \r\n and nowhere else; the end of a document's last line
    is not part of it, save where the file is the document, which is then taken as it stands (without a
    leading BOM).

    Args:
        path: UTF-8 text or, by its name, `.jsonl` (a document a line, in the field "text"); either may be
            compressed by gzip or zstandard.
        documents: "line", "paragraph" (separated by blank lines) or "file"; of no meaning for `.jsonl`.
        sink: is given the documents in order.

    Raises:
        DiagnoseError: the file cannot be read, is damaged, is no UTF-8 text, or holds a line that is no
            record.
    """
    chunks = text_chunks(path)
    if _kind(path) == ".jsonl":
        _by_record(path, lines(chunks), sink)
    elif documents == "file":
        _whole(chunks, sink)
    else:
        _by_line(lines(chunks), sink, paragraphs=documents == "paragraph")


def _kind(path: Path) -> str:
    inner = path.with_suffix("") if path.suffix.lower() in SQUEEZED else path
    return inner.suffix.lower()


def text_chunks(path: Path) -> Iterator[bytes]:
    """Yield the file's text, decompressed and checked, about a mebibyte at a time, cut between characters."""
    rest, offset, line, nuls = b"", 0, 1, 0
    for raw in _raw_chunks(path):
        data = rest + raw
        nuls += raw.count(0)
        if nuls > NUL_SHARE * (offset + len(data)):
            where = offset + data.index(0)
            raise DiagnoseError(f"{path} is no text but binary: there are NUL bytes, one at byte {where:,}")
        used = _checked(path, data, offset, line, final=False)
        bom = len(codecs.BOM_UTF8) if offset == 0 and data.startswith(codecs.BOM_UTF8) else 0
        yield data[bom:used]
        line += data.count(b"\n", 0, used)
        offset, rest = offset + used, data[used:]
    _checked(path, rest, offset, line, final=True)


def _checked(path: Path, data: bytes, offset: int, line: int, *, final: bool) -> int:
    """Return how many bytes of `data` make whole characters."""
    try:
        return codecs.utf_8_decode(data, "strict", final)[1]
    except UnicodeDecodeError as error:
        line += data.count(b"\n", 0, error.start)
        hint = ""
        if offset == 0 and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            hint = "; it looks like UTF-16, convert it first"
        raise DiagnoseError(
            f"{path} is not UTF-8 text: byte {offset + error.start:,}, on line {line:,}{hint}"
        ) from None


def _raw_chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0)
            named = SQUEEZED.get(path.suffix.lower(), b"")
            if head and not head.startswith(named):
                raise DiagnoseError(f"{path} is not what its name says: it has no {path.suffix} header")
            squeezed = head.startswith((GZIP, ZSTANDARD))
            yield from bounded(_opened(file, head), path) if squeezed else _opened(file, head)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DiagnoseError(f"{path} is damaged: {error}") from None
    except OSError as error:
        raise DiagnoseError(f"{path} cannot be read: {error.strerror or error}") from None


def _opened(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    if head.startswith(ZSTANDARD):
        yield from _zstandard(file)
        return
    plain = gzip.GzipFile(fileobj=file) if head.startswith(GZIP) else file
    while chunk := plain.read(CHUNK):
        yield chunk


def _zstandard(file: BinaryIO) -> Iterator[bytes]:
    """Decompress frame after frame; the library's own reader passes over a file that was cut off."""
    import zstandard

    frame = zstandard.ZstdDecompressor().decompressobj()
    begun = False
    try:
        while data := file.read(1 << 14):  # little, for it may swell a thousandfold
            while data:
                out = frame.decompress(data)
                begun = not frame.eof
                data = frame.unused_data if frame.eof else b""
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                for start in range(0, len(out), CHUNK):
                    yield out[start : start + CHUNK]
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from None
    if begun:
        raise EOFError("it ends in the middle of a zstandard frame")


def lines(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    r"""Yield (text, line end); the end is \n or \r\n, or empty where the line goes on or the file ends."""
    rest = b""
    for chunk in chunks:
        parts = (rest + chunk).split(b"\n")
        rest = parts.pop()
        for part in parts:
            yield (part[:-1], b"\r\n") if part.endswith(b"\r") else (part, b"\n")
        if len(rest) > CHUNK:
            cut = len(rest) - rest.endswith(b"\r")
            yield rest[:cut], b""
            rest = rest[cut:]
    if rest:
        yield rest, b""


def _by_line(parts: Iterator[tuple[bytes, bytes]], sink: Sink, *, paragraphs: bool) -> None:
    number, text_before, within, gap = 1, b"", False, b""
    for text, end in parts:
        text_before = text_before + text if text_before else text
        if within or text_before.strip():
            if not sink.is_open:
                sink.begin(number)
            elif not within:
                sink.extend(gap)
            sink.extend(text_before)
            text_before, within = b"", True
        if end:
            if sink.is_open and not (paragraphs and within):
                sink.end()
            number, text_before, within, gap = number + 1, b"", False, end
    if sink.is_open:
        sink.end()


def _whole(chunks: Iterator[bytes], sink: Sink) -> None:
    document = b""
    for chunk in chunks:
        document += chunk
        if sink.is_open or document.strip():
            if not sink.is_open:
                sink.begin(0)
            sink.extend(document)
            document = b""
    if sink.is_open:
        sink.extend(document)
        sink.end()


def _by_record(path: Path, parts: Iterator[tuple[bytes, bytes]], sink: Sink) -> None:
    number, record_lines = 1, []
    for text, end in parts:
        record_lines.append(text)
        if end:
            _record(path, number, b"".join(record_lines), sink)
            number, record_lines = number + 1, []
    _record(path, number, b"".join(record_lines), sink)


def _record(path: Path, number: int, line: bytes, sink: Sink) -> None:
    if not line.strip():
        return
    try:
        record = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise DiagnoseError(f"{path}, line {number:,}: not JSON ({error})") from None
    text = record.get("text") if isinstance(record, dict) else None
    if not isinstance(text, str):
        raise DiagnoseError(f'{path}, line {number:,}: not an object with a string in the field "text"')
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise DiagnoseError(f'{path}, line {number:,}: "text" holds half of a surrogate pair') from None
    if data.strip():
        sink.begin(number)
        sink.extend(data)
        sink.end()

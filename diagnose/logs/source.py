r"""Opening a log: compressed or not, UTF-8 or UTF-16, in pieces, with lines of bounded length.

A line ends in \n or \r, so that each state of a progress bar is a line of its own; what a line holds beyond
`MOST_LINE` characters is passed over.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from diagnose.data.swelling import bounded
from diagnose.errors import DiagnoseError
from diagnose.formatting import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 1 << 18  # bytes read at a time
HEAD = 1 << 16  # bytes that the format is told from
MOST_LINE = 1 << 14  # characters of a line that are looked at
MOST_RECORD = 1 << 20  # characters of a line of JSON
GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_ANSI = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?|[@-Z\\^_=>78])")
ACTING = ("\x1b", "\x08", "\0")  # characters that lines are rid of
WORKBOOK = (b"[Content_Types].xml", b"xl/workbook", b"xl/worksheets")
REFUSED = (
    (b"PK\x03\x04", "a zip archive (a checkpoint of torch?)", "unpack it, or give the log itself"),
    (b"\x89HDF", "an HDF5 file", "export its numbers as CSV or JSON"),
    (b"SQLite format 3", "a database", "export its numbers as CSV or JSON"),
    (b":W&B", "W&B's own transaction log", "export the run's history as CSV, or as JSONL by `run.history()`"),
    (b"\x93NUMPY", "a numpy array", "export its numbers as CSV"),
    (b"PAR1", "a parquet file", "export its numbers as CSV"),
)


def shown(path: Path) -> str:
    """Return a path for an error's line: a file's name may hold what acts on a terminal."""
    return visible(str(path)).replace("\n", " ")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed. Raises DiagnoseError where it cannot be read."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            head = file.read(16)
            if not file.seekable():
                raise DiagnoseError(f"{shown(path)} is no plain file; write what the pipe gives into one first")
            file.seek(0)
        except OSError as error:
            raise DiagnoseError(f"{shown(path)} cannot be read: {error.strerror or error}") from None
        if head.startswith(GZIP):
            yield cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=file)))
        elif head.startswith(ZSTANDARD):
            import zstandard

            reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(file)
            yield cast("BinaryIO", stack.enter_context(reader))
        else:
            yield file


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file, decompressed, and refuse what is no log.

    Raises:
        DiagnoseError: it cannot be read, is empty, or is of a kind that is never read.
    """
    with opened(path) as file:
        head = b"".join(pieces(file, path, HEAD))
    if not head.strip(b" \r\n\t\0"):
        raise DiagnoseError(f"{shown(path)} is empty: a log with a training and a validation loss is wanted")
    if head.startswith(b"PK\x03\x04") and any(part in head for part in WORKBOOK):
        raise DiagnoseError(f"{shown(path)} is a workbook of Excel, which is not read: save its sheet as CSV")
    for magic, what, instead in REFUSED:
        if head.startswith(magic):
            raise DiagnoseError(f"{shown(path)} is {what}, which is not read: {instead}")
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        raise DiagnoseError(
            f"{shown(path)} is a pickle, which is a program and never loaded here: write the history as JSON "
            "(json.dump(history.history, file)) or use CSVLogger"
        )
    return head


def pieces(file: BinaryIO, path: Path, most: int | None = None) -> Iterator[bytes]:
    """Yield the file's bytes, a piece at a time, at most so many.

    Raises:
        DiagnoseError: it cannot be read or is damaged.
    """
    import zstandard

    try:
        yield from bounded(_pieces(file, most), path)
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise DiagnoseError(f"{shown(path)} is damaged: {error}") from None
    except OSError as error:
        raise DiagnoseError(f"{shown(path)} cannot be read: {error.strerror or error}") from None


def _pieces(file: BinaryIO, most: int | None) -> Iterator[bytes]:
    left = most
    while data := file.read(CHUNK if left is None else min(CHUNK, left)):
        yield data
        if left is not None and (left := left - len(data)) <= 0:
            return


def texts(file: BinaryIO, path: Path) -> Iterator[str]:
    """Yield the file's text, a piece at a time; bytes that are no text show as the replacement character."""
    decoder = None
    for data in pieces(file, path):
        if decoder is None:
            encoding = UTF16.get(data[:2], "utf-8-sig")
            decoder = codecs.getincrementaldecoder(encoding)("replace")
        yield decoder.decode(data)


def lines(file: BinaryIO, path: Path, most: int = MOST_LINE) -> Iterator[tuple[str, bool]]:
    """Yield (line, whether it is a state of a progress bar), without ANSI codes and NULs.

    Args:
        file: what to read.
        path: its name, for errors.
        most: characters of a line; the rest of a longer one is passed over.
    """
    rest, acts = "", False
    for text in texts(file, path):
        acts = acts or any(sign in text for sign in ACTING)
        parts = (rest + text).split("\n")
        rest = parts.pop()
        for line in parts:
            if "\r" in line or acts:
                yield from _states(line, most)
            elif line:
                yield line[:most], False
        if len(rest) > most:
            *states, rest = rest.split("\r")
            for state in states:
                yield plain(state[:most]), True
            rest = rest[:most]
        acts = any(sign in rest for sign in ACTING)
    yield from _states(rest, most)


def of_text(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a text that is held, as `lines` does."""
    for line in text.split("\n"):
        yield from _states(line, MOST_LINE)


def _states(line: str, most: int) -> Iterator[tuple[str, bool]]:
    """Yield what a line showed one after the other: a carriage return at its end belongs to the end."""
    *states, last = line.removesuffix("\r").split("\r")
    for state in states:
        if state:
            yield plain(state[:most]), True
    if last:
        yield plain(last[:most]), False


def plain(line: str) -> str:
    """Return a line without what a terminal would act on; backspaces part it as carriage returns do."""
    if "\x08" in line:
        line = line.replace("\x08", " ")
    line = _ANSI.sub("", line) if "\x1b" in line else line
    return line.replace("\0", "")

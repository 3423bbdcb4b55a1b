"""How much a compressed file may hold: one that swells beyond all text is refused before it fills memory or disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.formatting import size, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

FACTOR = 200  # times its size on the disk; text is seldom beyond 20, a log that repeats itself beyond 100
ALWAYS = 1 << 30  # bytes that any file may hold
MOST_TABLE, TABLE_FACTOR = 256 << 20, 100  # bytes of a table in memory, and how often as many as in its file


def bounded(pieces: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """Yield a file's decompressed pieces.

    Raises:
        DiagnoseError: they are more than `ALWAYS` bytes and more than `FACTOR` times the file's own size.
    """
    most, total = max(ALWAYS, FACTOR * path.stat().st_size), 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise DiagnoseError(
                f"{visible(str(path))} holds more than {size(most)}, over {FACTOR} times its size: that is no text; "
                "decompress it yourself if it is"
            )
        yield piece


def parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file, or some of its columns, which may not hold far more than the file does.

    A word that every row repeats is stored once, so that a few kB may hold terabytes: words are read as codes, and
    written out only where all of them together are within bounds.

    Raises:
        DiagnoseError: they are more than `MOST_TABLE` bytes and more than `TABLE_FACTOR` times the file's size, or a
            column holds lists or structures.
        OSError, pyarrow.ArrowException: it cannot be read.
    """
    from pyarrow import compute, types
    from pyarrow.parquet import ParquetFile  # `pyarrow.parquet.read_table` imports pandas

    most = max(MOST_TABLE, TABLE_FACTOR * path.stat().st_size)
    with ParquetFile(path) as opened:
        schema, footer = opened.schema_arrow, opened.metadata
    wanted = [field for field in schema if columns is None or field.name in columns]
    nested = [field.name for field in wanted if types.is_nested(field.type)]
    if nested:
        raise DiagnoseError(f"{visible(str(path))}: its column {visible(nested[0])} holds lists or structures")
    _within(path, footer.num_rows * max(1, len(wanted)) * 8, most)
    words = [field.name for field in wanted if _is_word(field.type)]
    with ParquetFile(path, metadata=footer, read_dictionary=words) as opened:
        table = opened.read(columns=[field.name for field in wanted], use_threads=False)
    for place, field in enumerate(table.schema):
        if field.name in words and types.is_dictionary(field.type):
            _within(path, _length(table.column(place)), most)
            column = compute.cast(table.column(place), field.type.value_type)
            table = table.set_column(place, field.name, column)
    return table


def _is_word(kind: pa.DataType) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return any(test(kind) for test in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary))


def _length(column: pa.ChunkedArray) -> int:
    """Return how many bytes the words of a column of codes take, each as often as it occurs."""
    from pyarrow import compute

    sizes = (compute.take(compute.binary_length(chunk.dictionary), chunk.indices) for chunk in column.chunks)
    return sum(compute.sum(compute.cast(lengths, "int64")).as_py() or 0 for lengths in sizes)


def _within(path: Path, claimed: int, most: int) -> None:
    if claimed > most:
        raise DiagnoseError(
            f"{visible(str(path))} claims {size(claimed)} in a file of {size(path.stat().st_size)}: that is no table "
            "of measurements; it is not read"
        )

"""The tables of a run or an ablation: Parquet, written whole, read with a check of what they claim and hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import files, formatting
from diagnose.data.swelling import parquet
from diagnose.errors import DiagnoseError
from diagnose.runs.store import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

WORDS = {"steps": (), "readings": ("kind", "split", "mode"), "validation": (), "places": ()}  # columns of a table
WHOLE = ("step", "tokens", "document", "place")  # columns without gaps; all that hold no words hold numbers


def write_table(path: Path, name: str, columns: Mapping[str, Any]) -> None:
    """Write `name`.parquet of columns of numbers or words, whole or not at all; what is no number is empty in it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {name: _arrow_column(values) for name, values in columns.items()}
    table = pa.Table.from_arrays([*arrays.values()], [*arrays])
    files.write_whole(path / f"{name}.parquet", lambda file: pq.write_table(table, file))


def _arrow_column(values: Any) -> Any:
    """Return a column made of its buffers: `pa.array` would import pandas, which a run does without."""
    import pyarrow as pa

    if isinstance(next(iter(values), None), str):
        words = [value.encode() for value in values]
        ends = np.append(0, np.cumsum([len(word) for word in words])).astype(np.int32)
        return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(words))])
    numbers = np.ascontiguousarray(values)
    there = np.packbits(~np.isnan(numbers), bitorder="little")
    return pa.Array.from_buffers(
        pa.from_numpy_dtype(numbers.dtype), len(numbers), [pa.py_buffer(there), pa.py_buffer(numbers)]
    )


def read_table(path: Path, name: str) -> pd.DataFrame:
    """Read `name`.parquet of a run or ablation. Raises DiagnoseError where missing or damaged."""
    file = path / f"{name}.parquet"
    with one_line(file):
        return _arrow(file).to_pandas()


def read_columns(path: Path, name: str, wanted: tuple[str, ...]) -> dict[str, list[Any]]:
    """Read some columns of `name`.parquet as lists, without pandas, which takes longer to import than a page to draw.

    Raises:
        DiagnoseError: missing or damaged, or without one of the columns.
    """
    file = path / f"{name}.parquet"
    table = _arrow(file, wanted)
    missing = [column for column in wanted if column not in table.column_names]
    if missing:
        raise DiagnoseError(f"{file} has no column {', '.join(missing)}; the folder is damaged")
    with one_line(file):
        return {column: table.column(column).to_pylist() for column in wanted}


def _arrow(file: Path, wanted: tuple[str, ...] | None = None) -> Any:
    from pyarrow.lib import ArrowException

    with one_line(file, ArrowException):
        table = parquet(files.inside(file), wanted)
    if file.stem in WORDS and table.num_rows:  # a run that was just begun has read nothing yet
        _refuse_other_kinds(file, table)
    return table


def _refuse_other_kinds(file: Path, table: Any) -> None:
    """Refuse a table of a run whose columns are not of the kind that a run writes.

    Raises:
        DiagnoseError: words where numbers should be, lists, or a step or a document that is no whole number.
    """
    from pyarrow import compute, types

    for field in table.schema:
        column = table.column(field.name)
        if field.name in WORDS[file.stem]:
            fits = types.is_string(field.type) or types.is_large_string(field.type)
        else:
            fits = types.is_integer(field.type) or types.is_floating(field.type)
        if fits and field.name in WHOLE:
            fits = column.null_count == 0 and compute.all(compute.is_finite(column)).as_py() is not False
        if not fits:
            raise DiagnoseError(
                f"{file} is damaged: its column {formatting.visible(field.name)} is not as runs write it"
            )

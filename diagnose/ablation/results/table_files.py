"""The files that tables lie in: CSV of any separator, Parquet, JSON lines or a list; packed by gzip or not."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from diagnose.ablation.results.keyed_rows import rows_of
from diagnose.data.swelling import bounded, parquet
from diagnose.errors import DiagnoseError
from diagnose.formatting import cut, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

SEPARATORS = ",\t;|"
JSON_LINES = (".jsonl", ".ndjson", ".json")
AS_TABLE = "save a table with a row each as CSV (pandas: to_csv)"
BINARY = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods"), "it is a spreadsheet: save the sheet as CSV (UTF-8)"),
    **dict.fromkeys((".npy", ".npz"), f"it holds arrays of NumPy, whose rows and columns have no names: {AS_TABLE}"),
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".joblib"), f"it is pickled, and is not opened: {AS_TABLE}"),
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), f"it is a database, and not MLflow's: {AS_TABLE}"),
    **dict.fromkeys((".feather", ".arrow", ".h5", ".hdf5"), f"it is no CSV, Parquet or JSON: {AS_TABLE}"),
}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
MOST_OBJECT = 64 << 20  # bytes of a file that is looked at as one object
PIECE = 1 << 20  # bytes that are decompressed at once
ONE_OBJECT = "it is one object, not a list of objects, a row each (pandas: to_json(orient='records'))"
RULE = frozenset(b"-:| \t\r\n")  # of what Markdown's second line consists
UNNAMED = "Unnamed: 0"  # what pandas calls the first column where it has no name, as an index that was written
DECIMAL_COMMA = r"^\s*[-+]?\d+(,\d+)?([eE][-+]?\d+)?\s*$"


def columns_of(
    path: Path, keys: Sequence[str], scores: Sequence[str], check: Callable[[Sequence[str], str], None]
) -> pa.Table:
    """Return some columns of a file.

    Args:
        path: of the file.
        keys: columns that are kept as text where the file is text.
        scores: further columns.
        check: refuses columns that are not there, given all names and what the file is called.

    Raises:
        DiagnoseError: the file cannot be read, or lacks a column.
    """
    wanted = [*keys, *scores]
    with _told(path):
        if _kind(path) == ".parquet":
            check(_names_of_parquet(path), path.name)
            return parquet(path, wanted)
        if _kind(path) in JSON_LINES:
            table = _json(path)
            check(table.column_names, path.name)
            return _flat(table.select(wanted), path)
        return _csv(path, keys, scores, check)


def names_of(path: Path) -> list[str]:
    """Return the names of a file's columns. Raises DiagnoseError where it cannot be read."""
    with _told(path):
        if _kind(path) == ".parquet":
            return _names_of_parquet(path)
        if _kind(path) in JSON_LINES:
            return list(_json(path).column_names)
        with _opened(path) as file:
            return _header(file)[1]


def whole(path: Path) -> pa.Table:
    """Return all columns of a file that hold single values. Raises DiagnoseError where it cannot be read."""
    names = list(dict.fromkeys(names_of(path)))
    with _told(path):
        if _kind(path) == ".parquet":
            return parquet(path, names)
        if _kind(path) in JSON_LINES:
            from pyarrow import types

            table = _json(path)
            return table.select([field.name for field in table.schema if not types.is_nested(field.type)])
        return _csv(path, (), names, lambda *_: None)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in one line why a file cannot be read."""
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException, ValueError) as error:
        reason = ONE_OBJECT if "Column(/data/[]/[])" in str(error) else " ".join(visible(str(error)).split())
        raise DiagnoseError(f"{visible(str(path))} cannot be read as a table: {cut(reason, 160)}") from None


def _names_of_parquet(path: Path) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(path).names)


def _kind(path: Path) -> str:
    """Return the ending of a file's name, without that of gzip."""
    name = path.name.lower().removesuffix(".gz")
    return f".{name.rpartition('.')[2]}"


def _json(path: Path) -> pa.Table:
    """Return objects, a line each or in a list, as a table."""
    import json

    import pyarrow.json as pj

    with _opened(path) as file:
        start = file.read(PIECE).lstrip()[:1]
        file.seek(0)
        if start != b"[":
            rows = _keyed(file)
            if not rows:
                return _of_rows(pj.read_json(file))
        else:
            rows = json.load(file)
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is no list of objects, a row each (pandas: to_json(orient='records'))")
    return _of_rows(pj.read_json(io.BytesIO("\n".join(map(json.dumps, rows)).encode())))


def _keyed(file: IO[bytes]) -> list[dict[str, Any]]:
    """Return the rows of a file that is one object of objects; none of any other, which is read from its beginning."""
    import json

    text = file.read(MOST_OBJECT)
    file.seek(0)
    try:
        return rows_of(json.loads(text)) if text.rstrip().endswith(b"}") and b"}\n{" not in text else []
    except (ValueError, RecursionError):
        return []


def _of_rows(table: pa.Table) -> pa.Table:
    """Return a table of JSON with a column for each value within an object, named "metrics.loss".

    Raises:
        ValueError: it is one object that holds all rows in some way of its own.
    """
    from pyarrow import types

    if table.num_rows == 1:
        if {"results", "n-shot"} <= set(table.column_names):
            raise ValueError(
                "it is a summary of lm-evaluation-harness: evaluate with --log_samples, and give the folder"
            )
        kinds = [field.type for field in table.schema]
        if any(map(types.is_list, kinds)) or all(map(types.is_nested, kinds)):
            raise ValueError(ONE_OBJECT)
    while any(types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _flat(table: pa.Table, path: Path) -> pa.Table:
    """Return a table again whose columns hold single values.

    Raises:
        DiagnoseError: one holds lists or structures.
    """
    from pyarrow import types

    nested = [field.name for field in table.schema if types.is_nested(field.type)]
    if nested:
        raise DiagnoseError(f"{visible(str(path))}: its column {visible(nested[0])} holds lists or structures")
    return table


def _csv(
    path: Path, keys: Sequence[str], scores: Sequence[str], check: Callable[[Sequence[str], str], None]
) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv as pc

    types = {name: pa.dictionary(pa.int32(), pa.string()) for name in keys}
    options = pc.ConvertOptions(include_columns=[*keys, *scores], column_types=types, strings_can_be_null=False)
    with _opened(path) as file:
        sign, names, above = _header(file)
        check(names, path.name)
        file.seek(0)
        reading = pc.ReadOptions(column_names=names, skip_rows=above)
        table = pc.read_csv(
            file, read_options=reading, parse_options=pc.ParseOptions(delimiter=sign), convert_options=options
        )
    return _with_decimal_points(table, scores) if sign == ";" else table


def _with_decimal_points(table: pa.Table, scores: Sequence[str]) -> pa.Table:
    """Return a table that is parted by semicolons with points in its scores where all of them have decimal commas."""
    from pyarrow import compute, types

    for name in scores:
        column = table.column(name)
        if types.is_string(column.type) and compute.all(compute.match_substring_regex(column, DECIMAL_COMMA)).as_py():
            pointed = compute.replace_substring(column, ",", ".")
            table = table.set_column(table.column_names.index(name), name, pointed)
    return table


def _header(file: IO[bytes]) -> tuple[str, list[str], int]:
    """Return the sign between fields of a CSV, its column names without blanks around them, and the lines before rows.

    Comments above the names, Excel's "sep=;" and Markdown's rule below them are no rows.
    """
    import csv

    first, above = file.readline(PIECE).decode("utf-8-sig"), 1
    while first.startswith(("#", "sep=")) and _is_comment(first):
        first, above = file.readline(PIECE).decode(), above + 1
    second = file.readline(PIECE)
    if not first.strip():
        raise OSError("it is empty")
    sign = max(SEPARATORS, key=first.count)
    ruled = sign == "|" and b"--" in second and RULE.issuperset(second)
    names = [name.strip() for name in next(csv.reader([first], delimiter=sign))]
    if len(names) > 1 and not names[0] and all(names[1:]):
        names[0] = UNNAMED
    return sign, names, above + ruled


def _is_comment(line: str) -> bool:
    """Tell a comment ("# made by train.py") from names of columns of which the first begins with "#"."""
    return line.startswith("sep=") or not any(sign in line for sign in SEPARATORS)


def _opened(path: Path) -> IO[bytes]:
    """Open a file of text for reading as UTF-8, unpacked and from UTF-16 where it is that.

    Raises:
        OSError: it is a spreadsheet or another kind of file, or in another encoding.
    """
    if path.suffix.lower() in BINARY:
        raise OSError(BINARY[path.suffix.lower()])
    file = io.BytesIO(_unpacked(path)) if path.suffix.lower() == ".gz" else path.open("rb")
    if path.suffix.lower() == ".md":
        with file:
            file = io.BytesIO(_of_markdown(file.read()))
    start = file.read(PIECE)
    file.seek(0)
    if start.startswith(UTF_16):
        with file:
            return io.BytesIO(file.read().decode("utf-16").encode())
    try:
        start[: start.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        file.close()
        raise OSError("it is not UTF-8 text: save it as UTF-8") from None
    return file


def _of_markdown(text: bytes) -> bytes:
    """Return the table of a Markdown file, without what stands around it and without signs of bold.

    Raises:
        OSError: there is none, or several.
    """
    lines = text.decode("utf-8-sig", "replace").splitlines()
    rules = [k for k, line in enumerate(lines) if k and "--" in line and "|" in line and RULE.issuperset(line.encode())]
    if len(rules) != 1:
        raise OSError(f"it has {len(rules) or 'no'} tables: save the one that is meant, alone, as .md or CSV")
    ends = (k for k in range(rules[0], len(lines)) if "|" not in lines[k])
    rows = lines[rules[0] - 1 : next(ends, len(lines))]
    return "\n".join([*(row.strip().replace("**", "") for row in rows), ""]).encode()


def _unpacked(path: Path) -> bytes:
    import gzip
    import zlib

    try:
        with gzip.open(path) as packed:
            return b"".join(bounded(iter(lambda: packed.read(PIECE), b""), path))
    except (EOFError, zlib.error) as error:
        raise OSError(f"it is damaged, or not packed by gzip ({error})") from None

"""Tables and records: CSV as Lightning, Keras, TensorBoard and W&B export it, and a JSON object a line."""

from __future__ import annotations

import csv
import json
import math
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.logs.names import is_epoch, is_seconds, is_step, meaning
from diagnose.logs.series import NAN, Log, LogRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SEPARATORS = ",\t;"
IS_SAID = re.compile(r"[=:] ?[-+]?\d|\d: ")  # "loss: 1.2", which no column is called
MOST_COLUMNS = 4096
MOST_FIELD = 1 << 17
MOST_DEPTH = 3  # of objects within records
Columns = dict[str, str]  # "train", "val", "step" -> a column's name, as `--columns` gives them


def number(value: Any) -> float | None:
    """Return a field as a number, None where it is none (empty, a word, true)."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        if not value or len(value) > 64:
            return None
        value = value.strip().replace("\N{MINUS SIGN}", "-")
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return None


def separator(header: str, row: str) -> str | None:
    """Return what separates the fields of a table, from its first two lines; None where they are no table's."""
    for sign in SEPARATORS:
        names, fields = (next(csv.reader([line[:MOST_FIELD]], delimiter=sign), []) for line in (header, row))
        if len(names) < 2 or len(names) != len(fields) or max(map(len, names)) > 200:
            continue
        numbers = sum(number(field) is not None for field in fields)
        words = [name for name in names if number(name) is None and not IS_SAID.search(name)]
        if numbers and len(words) >= len(names) - 1 and 2 * (numbers + fields.count("")) > len(fields):
            return sign
    return None


def read_csv(lines: Iterable[str], columns: Columns, stem: str = "") -> Log:
    """Read a table with a header.

    Args:
        lines: without their ends.
        columns: names that `--columns` gives.
        stem: the file's name, of a column called "Value" (as TensorBoard's pages export it).

    Raises:
        DiagnoseError: there is no header.
    """
    source = iter(lines)
    first = next((line for line in source if line.strip()), "")
    second = next((line for line in source if line.strip()), "")
    sign = separator(first, second) or max(SEPARATORS, key=first.count)
    source = chain([second], source)
    csv.field_size_limit(MOST_FIELD)
    header = next(iter(csv.reader([first], delimiter=sign)), [])[:MOST_COLUMNS]
    if not header:
        raise DiagnoseError("the table has no header: its first line should name the columns")
    log = Log("csv")
    log.tool = _tool(header)
    keep = _Keep([name.strip() for name in header], columns, stem)
    for fields in _records(source, sign, log):
        row = keep.row(dict(enumerate(fields))) if any(fields) else None
        if row:
            log.add(row)
    return log


def _records(source: Iterator[str], sign: str, log: Log) -> Iterator[list[str]]:
    """Yield the records of a table; one that breaks off counts as bad, and reading goes on behind it."""
    reader = csv.reader(source, delimiter=sign)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            log.bad += 1
            reader = csv.reader(source, delimiter=sign)


class _Keep:
    """Which columns are kept, and as what; keys are places in a table or names in a record."""

    def __init__(self, names: Iterable[str] | Mapping[Any, str], columns: Columns, stem: str = "") -> None:
        self.given = columns
        self.stem = stem
        wanted = set(columns.values())
        pairs = names.items() if hasattr(names, "items") else enumerate(names)
        self.values: dict[Any, str] = {}
        self.where: dict[str, Any] = {}
        for key, name in pairs:
            self._take(key, name, wanted)

    def _take(self, key: Any, name: str, wanted: set[str]) -> None:
        """Decide what a column is."""
        for role, fits in (("step", is_step), ("epoch", is_epoch), ("seconds", is_seconds)):
            given = self.given.get(role)
            if name == given or (given is None and fits(name) and role not in self.where):
                self.where[role] = key
                return
        if name.lower() == "value" and self.stem:
            self.values[key] = self.stem
        elif name in wanted or meaning(name).kind:
            self.values[key] = name

    def row(self, fields: Mapping[Any, Any]) -> LogRow | None:
        """Return what a record says, None where it holds no value that is kept."""
        found = {name: number(fields.get(key)) for key, name in self.values.items()}
        values = {name: value for name, value in found.items() if value is not None}
        if not values:
            return None
        at = {role: number(fields.get(key)) for role, key in self.where.items()}
        step, epoch, seconds = (
            NAN if (place := at.get(role)) is None else place for role in ("step", "epoch", "seconds")
        )
        return LogRow(values, step, epoch, seconds)


def _tool(header: list[str]) -> str:
    names = {name.strip().strip('"') for name in header}
    if any(name.endswith(("__MIN", "__MAX")) for name in names) or "_step" in names:
        return "W&B"
    if {"Wall time", "Step", "Value"} <= names:
        return "TensorBoard"
    if header[0].strip() == "epoch" and "loss" in names and "step" not in names:
        return "Keras"
    if {"epoch", "step"} <= names:
        return "Lightning"
    return ""


def flat(record: dict[str, Any], before: str = "", depth: int = 0) -> dict[str, Any]:
    """Return a record with the objects in it opened: {"train": {"loss": 1}} has "train/loss"."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and depth < MOST_DEPTH:
            out |= flat(value, f"{name}/", depth + 1)
        else:
            out[name] = value
    return out


class Records:
    """Takes records as they come and adds what they say to a log; new keys may turn up at any time."""

    def __init__(self, log: Log, columns: Columns, skip: Callable[[dict[str, Any]], bool] = lambda _: False) -> None:
        self.log, self.columns, self.skip = log, columns, skip
        self._keep: dict[str, bool] = {}
        self._kept = _Keep({}, columns)

    def add(self, record: Any) -> None:
        """Take one record; what is no object counts as bad."""
        if not isinstance(record, dict):
            self.log.bad += 1
            return
        if self.skip(record):
            return
        fields = flat(record)
        wanted = set(self.columns.values())
        for key in fields:
            if key not in self._keep and len(self._keep) < MOST_COLUMNS:
                self._keep[key] = True
                self._kept._take(key, key, wanted)  # noqa: SLF001  (of this file)
        row = self._kept.row(fields)
        if row:
            self.log.add(row)


def read_jsonl(lines: Iterable[str], columns: Columns) -> Log:
    """Read an object a line; lines that are none count as bad."""
    log = Log("jsonl")
    records = Records(log, columns)
    for line in lines:
        text = line.strip()
        if not text:
            continue
        try:
            records.add(json.loads(text))
        except (ValueError, RecursionError):
            log.bad += 1
    names = set(log.series)
    log.tool = "W&B" if "_step" in records._kept.where.values() else "Hugging Face" if "eval_loss" in names else ""  # noqa: SLF001
    return log

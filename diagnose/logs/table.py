"""Tables and records: CSV as Lightning, Keras, TensorBoard and W&B export it, and a JSON object a line."""

from __future__ import annotations

import csv
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.logs.kept_columns import Columns, Keep
from diagnose.logs.names import counter, meaning
from diagnose.logs.rows_at_once import add_rows
from diagnose.logs.series import NAN, STEP, VALUE, Log, LogRow, bare_points
from diagnose.logs.table_fields import json_of, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SEPARATORS = ",\t;"
IS_SAID = re.compile(r"[=:] ?[-+]?\d|\d: ")  # "loss: 1.2", which no column is called
COMMA_IN_NUMBER = re.compile(r"[A-Za-z][=:]?\s\d+,\d{3}\b")  # "train loss 2,500" heads no columns
MOST_COLUMNS = 4096
MOST_FIELD = 1 << 17
MOST_CELLS = 1 << 14  # that are read at once
MOST_CHARACTERS = 1 << 21  # that are read at once
MOST_HELD = 4096  # values that are added at once
MOST_DEPTH = 3  # of objects within records
NOT_WORD = re.compile(r"[\W_]+")
LABEL = re.compile(r"[A-Za-z][\w .+/()-]+$")  # that a row begins with
OF_TIME = re.compile(
    r"(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b|nan\b|inf\b|none\b|null\b",
    re.IGNORECASE,
)
MOST_ROWS = 10_000  # of a table that is looked at for whether its rows are runs
NAMES_RUN = frozenset({
    "name", "run", "id", "seed", "run_id", "run id", "trial", "trial_id", "model", "experiment", "config", "run_name",
    "run name",
    "exp", "model_name", "arch", "number", "trial number", "fold", "fold_id", "fold id", "cv_fold", "repeat",
})  # fmt: skip


def separator(header: str, row: str) -> str | None:
    """Return what separates the fields of a table, from its first two lines; None where they are no table's."""
    for sign in SEPARATORS:
        if sign == "," and COMMA_IN_NUMBER.search(header):
            continue
        names, fields = (
            next(csv.reader([line[:MOST_FIELD]], delimiter=sign, skipinitialspace=True), []) for line in (header, row)
        )
        if len(names) < 2 or len(names) != len(fields) or max(map(len, names)) > 200:
            continue
        numbers = sum(number(field) is not None for field in fields)
        words = [name for name in names if number(name) is None and not IS_SAID.search(name)]
        if not numbers or len(words) < len(names) - 1:
            continue
        filled = sum(bool(field.strip()) for field in fields)
        if 2 * numbers >= filled or any(meaning(name).kind for name in names):
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
    first = next((line for line in source if line.strip() and not line.startswith("#")), "")
    second = next((line for line in source if line.strip()), "")
    sign = separator(first, second) or max(SEPARATORS, key=first.count)
    source = chain([second], source)
    csv.field_size_limit(MOST_FIELD)
    header = next(iter(csv.reader([first], delimiter=sign, skipinitialspace=True)), [])[:MOST_COLUMNS]
    if not header:
        raise DiagnoseError("the table has no header: its first line should name the columns")
    log = Log("csv")
    log.tool = _tool(header)
    keep = Keep([name.strip() for name in header], columns, stem)
    below = next(iter(csv.reader([second], delimiter=sign, skipinitialspace=True)), [])
    runs = _Runs(header, below, keep)
    lines_read = Counted(source)
    for block in _blocks(_records(lines_read, sign, log), lines_read, keep):
        if runs.at < 0 and not (keep.settings and log.sweep.open) and add_rows(keep, block, log):
            continue
        for fields in block:
            row = keep.row(dict(enumerate(fields))) if any(fields) else None
            if row:
                runs.add(fields)
                keep.sweep(dict(enumerate(fields)), row, log)
                log.add(row)
    log.runs = runs.count()
    return log


class Counted:
    """Lines, and how many characters of them were read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self.read = lines, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.read += len(line)
        return line


def _blocks(records: Iterator[list[str]], lines: Counted, keep: Keep) -> Iterator[list[list[str]]]:
    """Yield the records of a table, as many at once as memory bears."""
    most = max(1, MOST_CELLS // max(1, len(keep.values)))
    block, begun = [], 0
    for record in records:
        block.append(record)
        if len(block) >= most or lines.read - begun > MOST_CHARACTERS:
            yield block
            block, begun = [], lines.read
    if block:
        yield block


def _records(source: Iterator[str], sign: str, log: Log) -> Iterator[list[str]]:
    """Yield the records of a table; one that breaks off counts as bad, and reading goes on behind it."""
    reader = csv.reader(source, delimiter=sign, skipinitialspace=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            log.bad += 1
            reader = csv.reader(source, delimiter=sign, skipinitialspace=True)


def names_of_runs(header: list[str], row: list[str], keep: Keep) -> int:
    """Return the column that names runs, -1 where rows are none: they say where in a run they are, or have no names."""
    if keep.placed:
        return -1
    named = [i for i, name in enumerate(header) if NOT_WORD.sub(" ", name).strip().lower() in NAMES_RUN]
    first = row[0].strip(" *`_") if row and 0 not in keep.sides + keep.titles else ""
    labelled = LABEL.match(first) and not OF_TIME.match(first) and not any(map(counter, first.split()))
    return 0 if labelled and 0 not in keep.values else named[0] if named else -1


class _Runs:
    """Whether the rows of a table are runs: none has a position, and each has a name of its own."""

    def __init__(self, header: list[str], row: list[str], keep: Keep) -> None:
        self.at = names_of_runs(header, row, keep)
        self.names: set[str] = set()
        self.rows = 0

    def add(self, fields: list[str]) -> None:
        """Take a row's name."""
        if 0 <= self.at < len(fields) and self.rows < MOST_ROWS:
            self.rows += 1
            self.names.add(fields[self.at])

    def count(self) -> int:
        """Return how many runs there are, 0 where rows are no runs."""
        return self.rows if self.rows > 1 and len(self.names) > 0.9 * self.rows else 0


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
        self._seen: set[str] = set()  # names
        self._held: list[tuple[str, int, float]] = []  # name, step and value
        self.kept = Keep({}, columns)

    def add(self, record: Any) -> None:
        """Take one record; what is no object counts as bad."""
        if not isinstance(record, dict):
            self.log.bad += 1
            return
        if self.skip(record):
            return
        fields = flat(record) if dict in map(type, record.values()) else record
        for key in () if fields.keys() <= self._seen else fields:
            if key not in self._seen and len(self._seen) < MOST_COLUMNS:
                self._seen.add(key)
                self.kept.take(key, key)
        row = self.kept.row(fields)
        if row:
            self.kept.sweep(fields, row, self.log)
            self.log.add(row)

    def add_one(self, name: str, value: Any, step: Any, seconds: float | None = None) -> None:
        """Take a record of one value, its step and its time: what `add` does, in less time once the name is known."""
        if not self._is_plain(name):
            self.add({"step": step, "seconds": seconds, name: value})
            return
        loss = number(value) if name in self.kept.values else None
        if loss is not None:
            place = number(step)
            self.log.add(
                LogRow({name: loss}, NAN if place is None else place, NAN, NAN if seconds is None else seconds)
            )

    def _is_plain(self, name: str) -> bool:
        """Say whether a name is known, and nothing else of a record could change what its value is taken for."""
        return name in self._seen and not (self.kept.sides or self.kept.titles or self.columns)

    def hold(self, name: str, value: float, step: int) -> None:
        """Take what `add_one` takes, many at once; `flush` has to be called at the end."""
        if not self._is_plain(name):
            self.flush()
            self.add_one(name, value, step)
        elif name in self.kept.values:
            self._held.append((name, step, value))
            if len(self._held) >= MOST_HELD:
                self.flush()

    def flush(self) -> None:
        """Add what is held to the log."""
        waiting, self._held = self._held, []
        if not waiting:
            return
        points = bare_points(len(waiting), self.log.rows)
        points[:, STEP] = [float(step) for _, step, _ in waiting]
        points[:, VALUE] = [value for _, _, value in waiting]
        self.log.rows += len(waiting)
        names = np.array([name for name, _, _ in waiting], object)
        for name in dict.fromkeys(names.tolist()):
            self.log.add_many(name, points[names == name])


def read_jsonl(lines: Iterable[str], columns: Columns) -> Log:
    """Read an object a line; lines that are none count as bad."""
    log = Log("jsonl")
    records = Records(log, columns)
    for line in lines:
        text = line.strip()
        if text:
            records.add(json_of(text))
    names = set(log.series)
    log.tool = "W&B" if "_step" in records.kept.where.values() else "Hugging Face" if "eval_loss" in names else ""
    return log

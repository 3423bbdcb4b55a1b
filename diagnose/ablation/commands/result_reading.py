"""What a finished run of a command came to: a number from a file that it left, from its output, or reported scores."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from diagnose import files
from diagnose.ablation.importers.json_files import object_of, objects_in
from diagnose.ablation.results.score_names import better_side
from diagnose.ablation.results.table_files import SEPARATORS
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import cut, listed, visible
from diagnose.logs import source
from diagnose.logs.names import meaning
from diagnose.logs.read import read
from diagnose.logs.series import EPOCH, ITERATION, STEP, UPDATE, VALUE
from diagnose.runs import command_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from diagnose.logs.series import LogSeries

Pick = Literal["last", "best", "min", "max"]
PICKS: tuple[Pick, ...] = ("last", "best", "min", "max")
LOG = "log"  # in --read: what the command prints
FOLDER = "{dir}/"
MOST_NAMES = 12  # that an error lists
MOST_DEPTH = 8
MOST_FIELD = 1 << 20
POSITIONS = ((STEP, "step"), (ITERATION, "iteration"), (UPDATE, "update"), (EPOCH, "epoch"))


@dataclass(frozen=True)
class Readout:
    """What `--read` asks for.

    Attributes:
        given: as typed.
        file: within the run's folder, perhaps with `*`; `LOG` for its output.
        key: which number.
        pick: which of several.
    """

    given: str
    file: str
    key: str
    pick: Pick = "last"

    @property
    def is_log(self) -> bool:
        """Whether it is read from the command's output."""
        return self.file == LOG


def readout_of(given: str) -> Readout:
    """Return what `{dir}/FILE:KEY`, `log:NAME`, or either with `:best`, `:min` or `:max` behind, asks for.

    Raises:
        DiagnoseError: it asks for nothing, or for a file that all runs would share.
    """
    rest, pick = given, "last"
    head, sign, end = given.rpartition(":")
    if sign and end in PICKS and ":" in head:
        rest, pick = head, end
    file, sign, key = rest.rpartition(":")
    if not sign or not file or not key:
        raise DiagnoseError(
            f"--read {cut(visible(given), 80)}: give FILE:KEY, as {{dir}}/metrics.json:val_loss, or log:NAME for what "
            "the command prints"
        )
    if file != LOG:
        file = _inside(file, given)
    return Readout(given, file, key, next(known for known in PICKS if known == pick))


def _inside(file: str, given: str) -> str:
    parts = file.removeprefix(FOLDER).split("/")
    if file.startswith("/") or ".." in parts or "{" in file.removeprefix(FOLDER):
        raise DiagnoseError(
            f"--read {cut(visible(given), 80)}: the file must lie in {{dir}}, which every run has for itself; have the "
            "command write there"
        )
    return file.removeprefix(FOLDER)


def metric_names(readouts: Sequence[Readout]) -> list[str]:
    """Return what the scores are called: by their keys, with their files where two share one.

    Raises:
        DiagnoseError: the same is asked for twice.
    """
    keys = [readout.key for readout in readouts]
    names = [
        readout.key if keys.count(readout.key) == 1 else f"{readout.file}:{readout.key}:{readout.pick}"
        for readout in readouts
    ]
    if len(set(names)) < len(names):
        raise DiagnoseError("--read asks for the same number twice")
    return names


def value_of(run: Path, asked: Readout, higher: bool | None) -> float:
    """Return the number that a run came to.

    Args:
        run: its folder.
        asked: which number.
        higher: whether higher is better; None to go by its name.

    Raises:
        DiagnoseError: it is not there, or is no finite number; one line says so.
    """
    where = _file(run, asked)
    values = _values(where, asked)
    bad = [value for value in values if not math.isfinite(value)]
    if bad and (asked.pick != "last" or not math.isfinite(values[-1])):
        raise DiagnoseError(f"{asked.key} is {bad[-1]} in {_name(where, asked)}", diverged=True)
    return _picked(values, asked, higher)


def _picked(values: Sequence[float], asked: Readout, higher: bool | None) -> float:
    if asked.pick == "last":
        return values[-1]
    if asked.pick != "best":
        return max(values) if asked.pick == "max" else min(values)
    better = {True: "higher", False: "lower", None: better_side(asked.key)}[higher]
    if not better:
        raise DiagnoseError(f"--read {asked.given}: its name does not say which side is better; give :min or :max")
    return max(values) if better == "higher" else min(values)


def _file(run: Path, asked: Readout) -> Path:
    """Return the file to read: of several that a pattern fits the newest."""
    if asked.is_log:
        return files.inside(run / command_store.OUTPUT)
    folder = run / command_store.FILES
    matching = sorted(folder.glob(asked.file), key=lambda path: path.stat().st_mtime) if "*" in asked.file else []
    path = matching[-1] if matching else folder / asked.file
    if not path.is_file():
        there = sorted(file.relative_to(folder).as_posix() for file in _some_files(folder))
        others = f"; it wrote {listed([visible(file) for file in there[:4]])}" if there else "; its folder is empty"
        raise DiagnoseError(f"it wrote no {visible(asked.file)}{others}")
    return files.inside(path, folder)


def _some_files(folder: Path) -> Iterator[Path]:
    for _, path in zip(range(200), folder.rglob("*"), strict=False):
        if path.is_file():
            yield path


def _name(path: Path, asked: Readout) -> str:
    return "its output" if asked.is_log else visible(path.name)


def _values(path: Path, asked: Readout) -> list[float]:
    """Return all values of the wanted name, in order.

    Raises:
        DiagnoseError: there is none, with the nearest name.
    """
    kind = "" if asked.is_log else path.suffix.lower()
    readers: dict[str, Callable[[Path, Readout], list[float]]] = {
        ".json": _of_json, ".jsonl": _of_lines, ".ndjson": _of_lines, ".csv": _of_table, ".tsv": _of_table,
    }  # fmt: skip
    return readers.get(kind, _of_log)(path, asked)


def _of_json(path: Path, asked: Readout) -> list[float]:
    """Return a number by its path of keys; of a Trainer's state the values of its log."""
    record = object_of(path)
    history = record.get("log_history")
    if isinstance(history, list):
        rows = [row for row in history if isinstance(row, dict)]
        values = [_number(row[asked.key], asked) for row in rows if asked.key in row]
        if values:
            return values
        record = {**{key: 0.0 for row in rows for key in row}, **record}
    value = _at(record, asked.key)
    if isinstance(value, list) and value:
        return [_number(item, asked) for item in value]
    if value is None or isinstance(value, dict | list):
        raise _missing(asked, list(_paths(record)), path)
    return [_number(value, asked)]


def _at(within: Any, key: str, depth: int = 0) -> Any:
    """Return what lies at a path of keys with dots (or slashes) between, where keys may hold such signs themselves."""
    if isinstance(within, list):
        within = {str(place): item for place, item in enumerate(within)}
    if not isinstance(within, dict) or depth > MOST_DEPTH:
        return None
    if key in within:
        return within[key]
    for sign in re.finditer(r"[./]", key):
        first = key[: sign.start()]
        value = _at(within[first], key[sign.end() :], depth + 1) if first in within else None
        if value is not None:
            return value
    return None


def _paths(within: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[str]:
    for key, value in within.items():
        if isinstance(value, dict) and depth < MOST_DEPTH:
            yield from _paths(value, f"{before}{key}.", depth + 1)
        elif isinstance(value, int | float | list):
            yield f"{before}{key}"


def _of_lines(path: Path, asked: Readout) -> list[float]:
    values, names = [], dict[str, None]()
    for row in objects_in(path):
        value = _at(row, asked.key)
        if value is not None:
            values.append(_number(value, asked))
        elif len(names) < MOST_NAMES:
            names |= dict.fromkeys(_paths(row))
    if not values:
        raise _missing(asked, list(names), path)
    return values


def _of_table(path: Path, asked: Readout) -> list[float]:
    """Return a column's values; cells may be empty."""
    csv.field_size_limit(MOST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            first = file.readline(MOST_FIELD)
            file.seek(0)
            rows = csv.DictReader(file, delimiter=max(SEPARATORS, key=first.count))
            names = [str(name).strip() for name in rows.fieldnames or ()]
            rows.fieldnames = names
            if asked.key not in names:
                raise _missing(asked, names, path)
            cells = [row[asked.key] for row in rows]
    except (OSError, csv.Error) as error:
        raise DiagnoseError(f"{visible(path.name)} cannot be read: {cut(visible(str(error)), 80)}") from None
    values = [_number(cell, asked) for cell in cells if cell and cell.strip()]
    if not values:
        raise DiagnoseError(f"the column {visible(asked.key)} of {visible(path.name)} is empty")
    return values


def _number(value: Any, asked: Readout) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise DiagnoseError(f"{visible(asked.key)} is {cut(visible(repr(value)), 40)}, which is no number") from None


def _of_log(path: Path, asked: Readout) -> list[float]:
    """Return a loss's values from a log of any kind that is known."""
    series = _series(path, asked)
    if series.broken:
        return [math.nan]
    return [float(value) for value in series.table()[:, VALUE]]


def _series(path: Path, asked: Readout) -> LogSeries:
    try:
        log = read([path])
    except DiagnoseError as error:
        name = "its output" if asked.is_log else visible(path.name)
        reason = str(error).removeprefix(source.shown(path)).lstrip(": ")
        raise DiagnoseError(f"{name} cannot be read as a log: {reason}") from None
    if asked.key in log.series:
        return log.series[asked.key]
    same = [name for name in log.series if _plain(name) == _plain(asked.key)]
    if len(same) != 1:
        raise _missing(asked, list(log.series), path)
    return log.series[same[0]]


def _plain(name: str) -> str:
    """Return a name without case and without what stands between its words."""
    return re.sub(r"[\W_]+", "", name.lower())


def _missing(asked: Readout, names: Sequence[str], path: Path) -> DiagnoseError:
    where = _name(path, asked)
    if not names:
        return DiagnoseError(f"there is no {visible(asked.key)} in {where}, nor any other number")
    told = nearest(asked.key, names)
    if "did you mean" not in told:
        told = f"; it has {listed([cut(visible(name), 40) for name in names[:MOST_NAMES]])}"
    return DiagnoseError(f"there is no {visible(asked.key)} in {where}{visible(told)}")


def curve_of(run: Path, asked: Readout, most: int) -> tuple[list[float], list[float], str] | None:
    """Return a score in the course of a run (x, y, what x counts); None where it was written once or twice.

    Args:
        run: its folder.
        asked: which score.
        most: points to keep.
    """
    try:
        where = _file(run, asked)
        positions = _positions(where, asked)
    except DiagnoseError:
        return None
    if positions is None or len(positions[0]) < 3:
        return None
    x, y, unit = positions
    points = np.unique(np.linspace(0, len(x) - 1, min(most, len(x))).round().astype(int))
    return [float(x[k]) for k in points], [float(y[k]) for k in points], unit


def held_out_loss(run: Path) -> str:
    """Return the name of the held-out loss that a command prints; "" where it prints none."""
    try:
        names = read([files.inside(run / command_store.OUTPUT)]).series
    except DiagnoseError:
        return ""
    return next((name for name in names if meaning(name).held_out and better_side(name) == "lower"), "")


def _positions(path: Path, asked: Readout) -> tuple[Sequence[float], Sequence[float], str] | None:
    try:
        series = _series(path, asked)
    except DiagnoseError:
        values = [value for value in _values(path, asked) if math.isfinite(value)]
        return list(range(1, len(values) + 1)), values, "evaluation"
    table = series.table()
    for column, unit in POSITIONS:
        at = table[:, column]
        if np.isfinite(at).all() and (np.diff(at) > 0).all():
            return at.tolist(), table[:, VALUE].tolist(), unit
    return list(range(1, len(table) + 1)), table[:, VALUE].tolist(), "evaluation"


def output_tail(run: Path, most: int) -> tuple[str, ...]:
    """Return the last lines that a command printed, without what would act on a terminal or a page."""
    try:
        with files.inside(run / command_store.OUTPUT).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - (1 << 14)))
            text = file.read().decode("utf-8", "replace")
    except (OSError, DiagnoseError):
        return ()
    lines = [line.split("\r")[-1] for line in text.replace("\r\n", "\n").split("\n")]
    tail = [cut(visible(source.plain(line)).rstrip(), 300) for line in lines]
    return tuple([line for line in tail if line][-most:])

"""A log as numbers: a series for each name, in bounded memory whatever the log's length, and the settings it states.

Points beyond what is kept are thinned: every second one goes, and from then on only every second is taken. Counts
are exact; so are the first and the last point.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from diagnose.logs.row_settings import RowSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_POINTS = 4096  # kept of a series, at least half as many once there were more
MOST_NAMES = 128  # series of a log; names beyond them are counted and left
SETTINGS = "settings"  # what a heading is called that is but settings stated again
MOST_HEADINGS = 512  # lines that name a run
MOST_VALUE = 1e30  # larger losses count as infinite
LEAST = 1e-30  # anything nearer to zero is taken for zero
LEAST_PLACE = 1e-12  # smaller ones count as zero
MOST_PLACE = 1e15  # larger steps, epochs and seconds count as not said
NAN = math.nan
COLUMNS = ("place", "step", "iteration", "update", "batch", "epoch", "seconds", "value")
PLACE, STEP, ITERATION, UPDATE, BATCH, EPOCH, SECONDS, VALUE = range(len(COLUMNS))
POSITIONS = COLUMNS[STEP:VALUE]


@dataclass(slots=True)
class LogRow:
    """What one line, record or event says.

    Attributes:
        values: numbers by name.
        step, epoch, seconds, iteration, update, batch: where in the run, NaN where it does not say.
        bar: whether it is a state of a progress bar, which the next state of the same position replaces.
        group: states of one pass over the data share a number above zero; the last one replaces those before it.
        whole: whether it sums up the epoch whose states of a bar came before it, which go.
        told: decimals of the values as text has them, by name, of some rows.
    """

    values: dict[str, float]
    step: float = NAN
    epoch: float = NAN
    seconds: float = NAN
    bar: bool = False
    iteration: float = NAN
    update: float = NAN
    batch: float = NAN
    group: int = 0
    whole: bool = False
    told: dict[str, int] | None = None

    def at(self) -> tuple[float, ...]:
        """Return its positions, without the time."""
        return (self.step, self.iteration, self.update, self.batch, self.epoch)


def bare_points(count: int, rows: int) -> NDArray[np.float64]:
    """Return points of the `count` rows behind the first `rows` of a log that say nowhere in the run: (count, 8)."""
    points = np.full((count, len(COLUMNS)), NAN)
    points[:, PLACE] = rows + np.arange(1, count + 1)
    return points


def placed_row(values: dict[str, float], at: Sequence[float]) -> LogRow:
    """Return a row from its positions, in the order of `POSITIONS`."""
    step, iteration, update, batch, epoch, seconds = at
    return LogRow(values, step, epoch, seconds, False, iteration, update, batch)


@dataclass
class LogSeries:
    """The values of one name.

    Attributes:
        name: as the log has it.
        count: finite values that there were.
        broken: values that were NaN, infinite or beyond `MOST_VALUE`; `broken_step`: of the first of them.
        stride: one in so many is kept.
        turned: whether the log has the negatives of its values.
        decimals: that the text of its values was seen to have, None where there was no text.
        means: whether values are means over many batches, as since an epoch began: none is averaged again.
    """

    name: str
    count: int = 0
    broken: int = 0
    broken_step: float = NAN
    stride: int = 1
    turned: bool = False
    decimals: int | None = None
    means: bool = False
    _kept: array[float] = field(default_factory=lambda: array("d"), repr=False)
    _last: tuple[float, LogRow, float] | None = None  # place, row and value of the last point
    _bars: int = 0  # points at the end that are states of a bar of one epoch
    _shown: float = NAN  # place of the state that was shown last, taken or not
    _held: float = NAN  # the epoch whose bar shows the value of the epoch before from its beginning

    @property
    def still(self) -> bool:
        """Whether all its values are the same."""
        values = self.table()[:, VALUE]
        return len(values) > 0 and bool((values == values[0]).all())

    def add(self, place: float, row: LogRow, value: float) -> None:
        """Take a value; a progress bar's later state replaces the earlier of the same position or pass."""
        size = abs(value)
        if not size <= MOST_VALUE:
            self.broken += 1
            self.broken_step = row.step if self.broken == 1 else self.broken_step
            return
        point = (place, row, value if size >= LEAST else 0.0)
        last = self._last
        if last is not None:
            if row.bar or self._bars or row.group:
                if self._replaced(last, point):
                    return
                last = self._last
            elif not (self.count - 1) % self.stride:
                self._keep(last)
        shown_on = row.bar and last is not None and last[1].epoch == row.epoch
        self._bars = (self._bars if shown_on else 0) + 1 if row.bar else 0
        self._last, self._shown = point, place
        self.count += 1

    def add_many(self, points: NDArray[np.float64]) -> None:
        """Take many values, none of them a progress bar's: (points, 8), as `COLUMNS` names them."""
        good = np.abs(points[:, VALUE]) <= MOST_VALUE
        if not good.all():
            self.broken_step = float(points[~good][0, STEP]) if not self.broken else self.broken_step
            self.broken += int((~good).sum())
            points = points[good]
        if not len(points):
            return
        points[np.abs(points[:, VALUE]) < LEAST, VALUE] = 0.0
        at = self.count - 1 if self._last is not None else self.count
        self.count += len(points)
        points = points if self._last is None else np.vstack([_flat(self._last), points])
        self._end_with(points[-1].tolist())
        self._keep_many(points[:-1], at)

    def drop_last(self) -> None:
        """Forget the last value, where all are kept."""
        if self.stride > 1 or not self._kept or self._last is None:
            return
        self._end_with(self._kept[-len(COLUMNS) :].tolist())
        del self._kept[-len(COLUMNS) :]
        self.count -= 1

    def _end_with(self, point: list[float]) -> None:
        """Take a point, as `COLUMNS` has it, for the last one, which no later state of a bar replaces."""
        place, *positions, value = point
        self._last, self._bars, self._shown = (place, placed_row({}, positions), value), 0, place

    def _put(self, table: NDArray[np.float64]) -> None:
        """Put a table, as `table` gives it, in place of what is kept."""
        if self._last is not None:
            place, *positions, value = table[-1].tolist()
            self._last, table = (place, placed_row({}, positions), value), table[:-1]
        self._kept = array("d", table.tobytes())

    def ends_with(self, value: float) -> bool:
        """Say whether a value is the last one that was taken."""
        return self._last is not None and self._last[2] == value

    def tell_again(self, place: float, row: LogRow, value: float) -> None:
        """Place the last value anew: a line that says where it was says it once more."""
        self._last, self._shown = (place, row, value), place

    def _keep_many(self, points: NDArray[np.float64], at: int) -> None:
        """Keep one in `stride` of points; the first of them is the one of this number."""
        while len(points):
            room = MOST_POINTS - len(self._kept) // len(COLUMNS)
            first = -at % self.stride
            chosen = points[first :: self.stride][:room]
            self._kept.extend(chosen.ravel())
            if len(chosen) < room:
                return
            read = first + (room - 1) * self.stride + 1
            points, at = points[read:], at + read
            self._thin()

    def _replaced(self, last: tuple[float, LogRow, float], point: tuple[float, LogRow, float]) -> bool:
        """Say whether a point took the last one's place, or is none; else the last one is kept."""
        (place, row, value), before = point, last[1]
        follows, self._shown = self._shown == place - 1, place
        goes_on = follows and last[2] == value
        if (row.bar or row.epoch == self._held) and goes_on and _anew(before, row):
            return True  # the epoch's value is shown on, through the next epoch
        if self._bars and goes_on and before.epoch == row.epoch:
            self._last = point
            if before.batch == 0 and before.epoch >= 1 and row.batch > 0:
                self._held_on(last, point)
            return True
        if row.whole and self._bars and self.stride == 1 and before.epoch == row.epoch:
            self._without_bars()
            return False
        bare_points = all(at != at for at in row.at())  # noqa: PLR0124
        same = before.at() == row.at() and (follows or not bare_points)  # other values end a pass that says nowhere
        if (row.group and row.group == before.group) or ((row.bar or self._bars) and same):
            self._last = point
            return True
        if not (self.count - 1) % self.stride:
            self._keep(last)
        return False

    def _held_on(self, first: tuple[float, LogRow, float], point: tuple[float, LogRow, float]) -> None:
        """Take a value that a bar shows from before its epoch's first batch: it is of the epoch before.

        So it is where it stays beyond the first batch; the first batch's own loss is shown before that is counted, too.
        """
        place, row, value = point
        if row.batch == 1:
            self._last = (place, first[1], value)
            return
        self._last = (first[0], replace(first[1], epoch=first[1].epoch - 1, batch=NAN), value)
        self._held = row.epoch

    def _without_bars(self) -> None:
        """Forget the states of a bar that stand last."""
        del self._kept[len(self._kept) - (self._bars - 1) * len(COLUMNS) :]
        self.count -= self._bars
        self._bars, self._last = 0, None

    def turn(self) -> None:
        """Put the negative in place of each value."""
        table = self.table()
        table[:, VALUE] *= -1
        self._put(table)
        self.turned = not self.turned

    def divide(self, by: float) -> None:
        """Put a value over `by` in place of each that is as large or larger."""
        table = self.table()
        table[np.abs(table[:, VALUE]) >= by, VALUE] /= by
        self._put(table)

    def end_epochs(self, ends: list[tuple[int, float]]) -> None:
        """Place each point in the epoch that is named behind it: `ends` holds (rows until then, epoch)."""
        places, epochs = (np.array(column, float) for column in zip(*ends, strict=True))
        table = self.table()
        table[:, EPOCH] = epochs[np.minimum(np.searchsorted(places, table[:, PLACE]), len(ends) - 1)]
        self._put(table)

    def _keep(self, last: tuple[float, LogRow, float]) -> None:
        self._kept.extend(_flat(last))
        if len(self._kept) >= MOST_POINTS * len(COLUMNS):
            self._thin()

    def _thin(self) -> None:
        table = np.frombuffer(self._kept, np.float64).reshape(-1, len(COLUMNS))[::2].copy()
        self._kept = array("d", table.tobytes())
        self.stride *= 2

    def _whole(self) -> NDArray[np.float64]:
        return np.frombuffer(self._kept.tobytes(), np.float64).reshape(-1, len(COLUMNS))

    def table(self) -> NDArray[np.float64]:
        """Return what is kept, (points, 8): as `COLUMNS` names them."""
        whole = self._whole()
        table = whole.copy() if self._last is None else np.vstack([whole, _flat(self._last)])
        with np.errstate(invalid="ignore"):
            positions = table[:, STEP:VALUE]
            positions[~(np.abs(positions) <= MOST_PLACE)] = NAN
            positions[np.abs(positions) < LEAST_PLACE] = 0.0
        return table


def _flat(point: tuple[float, LogRow, float]) -> tuple[float, ...]:
    """Return a point as `COLUMNS` has it."""
    place, row, value = point
    return (place, row.step, row.iteration, row.update, row.batch, row.epoch, row.seconds, value)


def _anew(before: LogRow, row: LogRow) -> bool:
    """Say whether a bar that shows a row began anew since the row before."""
    return before.epoch < row.epoch or before.batch > row.batch


@dataclass
class Log:
    """A log that was read.

    Attributes:
        format: which reader read it; `tool`: whose log it is, where lines or keys tell.
        series: by name.
        facts: settings that the log states, by our names for them ("batch_size").
        rows: lines or records that held a value; `bad`: that could not be read; `names_left`: names beyond the limit.
        notes: what a reader has to say of the file.
        headings: lines that may name a run ("Fold 2"), each with the place of the row that it stands before.
        titles: names of configurations that lines of losses hold or stand below, with the place of the row.
        of_all_steps: names of training losses that are the mean over the whole run.
        lent: names whose side is of a heading or of the words around, not of the name itself.
        tuples: lines on which a loss is followed by several values in brackets; `example`: the name of one.
        runs: rows of a table whose rows are runs, 0 for other files.
        sweep: settings of its rows, which tell whether these are runs.
        unclear: names of losses with values as "2,600", whose comma may be a decimal one, each with such a value.
    """

    format: str
    tool: str = ""
    series: dict[str, LogSeries] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    bad: int = 0
    names_left: int = 0
    notes: list[str] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    titles: list[tuple[int, str]] = field(default_factory=list)
    of_all_steps: set[str] = field(default_factory=set)
    lent: set[str] = field(default_factory=set)
    tuples: int = 0
    example: str = ""
    runs: int = 0
    unclear: dict[str, str] = field(default_factory=dict)
    sweep: RowSettings = field(default_factory=RowSettings)

    def settings(self) -> dict[str, float]:
        """Return the settings that are numbers of a sensible size."""
        return {name: value for name, value in self.facts.items() if 0 <= value <= MOST_PLACE}

    def swept(self) -> int:
        """Return how many runs its rows are, where each has settings of its own; else 0."""
        return self.runs or (self.sweep.runs() if len(self.sweep.heads) == self.rows else 0)

    def add(self, row: LogRow, *, counts: bool = True) -> None:
        """Take a row's values; one that does not count is a part of the row before."""
        self.rows += counts
        for name, value in row.values.items():
            series = self.series.get(name)
            if series is None:
                if len(self.series) >= MOST_NAMES:
                    self.names_left += 1
                    continue
                series = self.series[name] = LogSeries(name)
            series.add(self.rows, row, value)
            if row.told:
                series.decimals = max(series.decimals or 0, row.told.get(name, 0))

    def add_many(self, name: str, points: NDArray[np.float64], told: int | None = None) -> None:
        """Take many values of one name, of rows that are counted already: (points, 8), as `COLUMNS` names them.

        `told` are the decimals that text has of some of them.
        """
        if name not in self.series and len(self.series) >= MOST_NAMES:
            self.names_left += len(points)
            return
        series = self.series.setdefault(name, LogSeries(name))
        series.add_many(points)
        if told is not None:
            series.decimals = max(series.decimals or 0, told)

    def rename(self, name: str, to: str) -> None:
        """Give a series another name; it goes behind the others, or takes the place of one that has that name."""
        series = self.series.pop(name)
        series.name = to
        self.series[to] = series

    def heading(self, text: str) -> None:
        """Note a line that may name the run whose rows follow."""
        if len(self.headings) < MOST_HEADINGS:
            self.headings.append((self.rows + 1, text))

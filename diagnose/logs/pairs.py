"""From the series of a log to pairs: what each validation value is compared with, in each run that the log holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.formatting import counted
from diagnose.logs.axis import (
    Counted,
    LogAxis,
    axis,
    ends_of_epochs,
    headed_runs,
    of_epochs_before,
    oldest_first,
    rising,
    runs,
)
from diagnose.logs.choose import Choice, choose, refuse, said
from diagnose.logs.course import AROUND, LINE, course
from diagnose.logs.fold_columns import of_each_run, side_by_side
from diagnose.logs.names import meaning
from diagnose.logs.series import EPOCH, PLACE, SECONDS, VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.logs.kept_columns import Columns
    from diagnose.logs.series import Log, LogSeries

NEAR = 0.1  # of that distance: how far before the first training value a validation may lie
LATE = 0.8  # of an epoch: a validation behind it is at its end
SEVERAL = 0.5  # of the epochs have a further value, at the least, where that is said
STALE = 3  # times that a value is printed, at the least, where it is printed again until the next is there


@dataclass(frozen=True)
class Track:
    """A loss along the run.

    Attributes:
        series: all of the loss in the log.
        at: where in the run, (points,), rising.
        seconds: since some start, NaN where the log does not say, (points,).
        value: nats, or whatever the loop's unit is, (points,).
        count: of the values of the series that are spoken of.
    """

    series: LogSeries
    at: NDArray[np.float64]
    seconds: NDArray[np.float64]
    value: NDArray[np.float64]
    count: int

    @property
    def name(self) -> str:
        """As the log has it."""
        return self.series.name


@dataclass(frozen=True)
class Pairs:
    """Both losses of a run, and what each validation value is compared with; N pairs.

    Attributes:
        train, val: the series.
        at_N, train_N, val_N: where, and both values; NaN never.
        printed_N: the training value that the log has at or last before each place, of which `train_N` may be the local
            mean.
        unit: "loss", "bits per byte" or "" where the two are in different units.
        axis: what `at` counts: "step", "epoch" or "place" (in the log).
        place: of the run's first row in the log.
        mean: the one mean over the whole validation set that a log ends with, where it stands beside values of
            single batches; it is the last pair too.
        batch: the training loss of single batches, where a log has one beside the training loss that is compared.
        dropped: points before a restart, which later ones replace.
        stale: validation values that are repeats of the one before.
        notes: what was chosen, said.
    """

    train: Track
    val: Track
    at_N: NDArray[np.float64]
    train_N: NDArray[np.float64]
    val_N: NDArray[np.float64]
    printed_N: NDArray[np.float64]
    unit: str
    axis: Counted
    place: float = 0.0
    mean: float | None = None
    batch: Track | None = None
    dropped: int = 0
    stale: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def gap_N(self) -> NDArray[np.float64]:
        """Validation minus training, (N,)."""
        return self.val_N - self.train_N

    @property
    def averaged_N(self) -> NDArray[np.bool_]:
        """Where the training value is a local mean and no value of the log, (N,)."""
        return np.not_equal(self.train_N, self.printed_N)


def pairs(log: Log, columns: Columns) -> Pairs:
    """Return the pairs of the run that is spoken of: the last of those with the most.

    Raises:
        DiagnoseError: one of the two losses is not in the log, or nothing pairs.
    """
    every = all_pairs(log, columns)
    most = max(len(run.at_N) for run in every)
    return [run for run in every if len(run.at_N) == most][-1]


def all_pairs(log: Log, columns: Columns) -> list[Pairs]:
    """Return the pairs of each run of a log.

    Raises:
        DiagnoseError: one of the two losses is not in the log, or nothing pairs.
    """
    each = [] if columns else of_each_run(log)
    if each:
        return _of_runs(each)
    choice = choose(log, columns)
    beside = [] if columns else side_by_side((choice.train, choice.val), choice.others)
    if beside:
        return [run for train, val in beside for run in paired(log, Choice(train, val, notes=choice.notes))]
    every = paired(log, choice) or _of_others(log, choice, columns)
    if not every:
        _nothing(log, choice)
    return every


def _of_runs(each: list[Log]) -> list[Pairs]:
    """Return the pairs of the runs of an export, those left out of which nothing can be said.

    Raises:
        DiagnoseError: that is so of all.
    """
    out, why = list[Pairs](), None
    for own in each:
        try:
            out += paired(own, choose(own, {}))
        except DiagnoseError as error:
            why = error
    if not out:
        raise why or DiagnoseError("no validation loss of a run stands near its training loss")
    return out


def _of_others(log: Log, choice: Choice, columns: Columns) -> list[Pairs]:
    """Return the pairs of the losses that are next best, where the training loss that was chosen pairs with nothing."""
    others = replace(log, series={name: s for name, s in log.series.items() if s is not choice.train})
    try:
        return [] if columns else paired(others, choose(others, columns))
    except DiagnoseError:
        return []


def paired(log: Log, choice: Choice) -> list[Pairs]:
    """Return the pairs of each run of two series, none where nothing pairs."""
    train_table, val_table = ends_of_epochs(*oldest_first(choice.train.table(), choice.val.table()))
    val_table = of_epochs_before(train_table, val_table)
    val_table, stale = _fresh(val_table)
    way = axis(train_table, val_table, log)
    headed = headed_runs(train_table, val_table, log.headings) or headed_runs(train_table, val_table, log.titles)
    parts = headed or runs(train_table, val_table, way)
    if headed or (len(parts) > 1 and way.name == "place"):
        way = LogAxis(EPOCH if np.isfinite(train_table[:, EPOCH]).all() else PLACE)
    if len(parts) > 1:  # a mean that closes the log is of the runs then, and not of one run's batches
        choice = replace(choice, mean=None)
    every = [_run(choice, way, train, val) for train, val in parts]
    pairing = [run for run in every if run is not None]
    if stale and pairing:
        note = (
            f"{counted(stale, 'validation value')} {'is the one' if stale == 1 else 'are the ones'} before, printed "
            "again, and left out"
        )
        pairing = [_noted(run, stale, note) for run in pairing]
    return pairing


def _noted(run: Pairs, stale: int, note: str) -> Pairs:
    return replace(run, stale=stale, notes=[*run.notes, note])


def _nothing(log: Log, choice: Choice) -> None:
    """Say why nothing pairs."""
    train, val = choice.train, choice.val
    if not train.count or not val.count:
        refuse(log)
    raise DiagnoseError(
        f"no validation loss stands near a training loss, or all are beyond bounds: {said(train.name)} has "
        f"{counted(train.count, 'value')}, {said(val.name)} {counted(val.count, 'value')}; print both at the same steps"
    )


def _run(choice: Choice, way: LogAxis, train: NDArray[np.float64], val: NDArray[np.float64]) -> Pairs | None:
    """Return the pairs of one run."""
    notes = [*choice.notes, *_several_a_place(choice.val.name, val, way)]
    tracks = {"train": _track(choice.train, _placed(train, way)), "val": _track(choice.val, _placed(val, way))}
    left_out = sum(len(table) - len(tracks[name].at) for name, table in (("train", train), ("val", val)))
    if way.name == "place":
        tracks["val"] = _once_more(tracks["train"], tracks["val"])
    last, closing = tracks["val"], None
    if choice.mean is not None:
        end = _placed(choice.mean.table()[-1:], way)
        if len(end):
            closing, last = float(end[-1, VALUE]), _with_mean(last, end)
    turns = _by_turns(tracks["train"], last) if way.name == "place" else None
    at, left, right, printed = turns or pair(tracks["train"], last, way.scale)
    right = _nats(choice.val.name, right, notes)
    printed, left = (_nats(choice.train.name, values, some) for values, some in ((printed, []), (left, notes)))
    keep = np.isfinite(left) & np.isfinite(right)
    if not keep.any():
        return None
    batch = _track(choice.batch, _placed(choice.batch.table(), way)) if choice.batch is not None else None
    return Pairs(
        tracks["train"], tracks["val"], at[keep], left[keep], right[keep], printed[keep],
        _unit(choice.train.name, choice.val.name), way.name, min(float(train[0, PLACE]), float(val[0, PLACE])), closing,
        batch, left_out if way.name == "step" else 0, 0, notes,
    )  # fmt: skip


def _several_a_place(name: str, val: NDArray[np.float64], way: LogAxis) -> list[str]:
    """Note that epochs have several validation values that differ, as of several sets: the last one is taken."""
    at = way.at(val)
    several = int(((np.diff(at) == 0) & (np.diff(val[:, VALUE]) != 0)).sum())
    places = len(np.unique(at[np.isfinite(at)]))
    if way.name != "epoch" or several < SEVERAL * places:
        return []
    counts = f"{counted(several + places, 'value')} at {counted(places, 'epoch')}"
    return [f"{said(name)} has {counts}: the last one of each is compared"]


def _fresh(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return a validation's table without values that are the last one printed again, and how many these are.

    They are where most values repeat the one before, each about as often, and the values do change.
    """
    if len(table) < 2 * STALE:
        return table, 0
    new = np.append(True, np.diff(table[:, VALUE]) != 0)
    lengths = np.diff(np.append(np.flatnonzero(new), len(table)))
    if len(lengths) < 2 or float(np.median(lengths[:-1])) < STALE or float(lengths[:-1].min()) < STALE - 1:
        return table, 0
    return table[new], int((~new).sum())


def _placed(table: NDArray[np.float64], way: LogAxis) -> NDArray[np.float64]:
    """Return a table with its place in the first column, rising: what a restart repeats counts from there."""
    out = table.copy()
    out[:, 0] = way.at(table)
    out = out[np.isfinite(out[:, 0])]
    return out[rising(out[:, 0])]


def _track(series: LogSeries, placed: NDArray[np.float64]) -> Track:
    return Track(series, placed[:, 0], placed[:, SECONDS], placed[:, VALUE], series.count)


def _once_more(train: Track, val: Track) -> Track:
    """Return a validation loss without a last value taken once more, behind a run whose others each have their own."""
    before = np.searchsorted(train.at, val.at, "right")
    if (
        len(val.at) <= LINE
        or len(val.at) != len(train.at) + 1
        or not np.array_equal(before[:-1], range(1, len(val.at)))
    ):
        return val
    return replace(val, at=val.at[:-1], seconds=val.seconds[:-1], value=val.value[:-1], count=val.count - 1)


def _with_mean(val: Track, end: NDArray[np.float64]) -> Track:
    """Return a validation loss with the mean that closes the log as its last value."""
    keep = val.at < end[-1, 0]
    return replace(
        val, at=np.append(val.at[keep], end[-1, 0]), seconds=np.append(val.seconds[keep], end[-1, SECONDS]),
        value=np.append(val.value[keep], end[-1, VALUE]),
    )  # fmt: skip


def pair(train: Track, val: Track, scale: float = 0.0) -> tuple[NDArray[np.float64], ...]:
    """Return where, the training loss and the validation loss of each pair, and the training loss as it is printed.

    Where training is printed much more often, a validation value is compared with training's course at its place: a
    curve through the values near it, as many on one side as on the other, so that a falling loss biases nothing. Else
    with the last one before it, if that is not farther away than the next validation. `scale` is the steps of an epoch
    where the loop counts within epochs: a validation at the end of one is compared with values of that epoch.
    """
    if not len(train.at) or not len(val.at):
        nothing = np.zeros(0)
        return nothing, nothing, nothing, nothing
    space = float(np.median(np.diff(val.at))) if len(val.at) > 1 else 0.0
    spacing = float(np.median(np.diff(train.at))) if len(train.at) > 1 else 0.0
    last = np.searchsorted(train.at, val.at, "right") - 1
    distance = val.at - train.at[np.maximum(last, 0)]
    if len(train.at) == 1:
        keep = np.arange(len(val.at)) == int(np.argmin(np.abs(distance)))
        keep &= (distance == 0) | (len(val.at) == 1)
        alone = np.full(int(keep.sum()), train.value[0])
        return val.at[keep], alone, val.value[keep], alone
    early = (last < 0) & (-distance <= NEAR * space)
    keep = early | ((last >= 0) & (distance <= max(space, spacing)))
    printed = train.value[np.maximum(last, 0)]
    near = printed.copy()
    if spacing < space * AROUND and not train.series.means:
        for k in np.flatnonzero(keep & ~early):
            at = float(val.at[k])
            near[k] = course(train.at, train.value, at, AROUND * space, float(near[k]), ends=_ends(at, scale))
    return val.at[keep], near[keep], val.value[keep], printed[keep]


def _by_turns(train: Track, val: Track) -> tuple[NDArray[np.float64], ...] | None:
    """Return the pairs of a log without positions that prints each validation before its training, None for others."""
    if len(train.at) != len(val.at) or not len(val.at):
        return None
    if not ((val.at < train.at).all() and (train.at[:-1] < val.at[1:]).all()):
        return None
    return train.at, train.value, val.value, train.value


def _ends(at: float, scale: float) -> bool:
    """Say whether a place is at the end of an epoch."""
    return scale > 0 and (at % scale == 0 or at % scale >= LATE * scale)


def _unit(train: str, val: str) -> str:
    kinds = {meaning(train).kind or "loss", meaning(val).kind or "loss"}
    bits = "bits" in kinds
    return "bits per byte" if kinds == {"bits"} else "" if bits else "loss"


def _nats(name: str, values: NDArray[np.float64], notes: list[str]) -> NDArray[np.float64]:
    """Return a perplexity as the loss that it is the exponential of."""
    if meaning(name).kind != "perplexity":
        return values
    notes.append(f"{said(name)} is taken as a perplexity: its logarithm is compared")
    with np.errstate(all="ignore"):
        return np.log(np.where(values > 0, values, math.nan))

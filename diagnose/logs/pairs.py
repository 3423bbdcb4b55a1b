"""From the series of a log to the two losses: which series they are, where in the run each value stands, and pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import cut, listed, visible
from diagnose.logs.names import meaning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.logs.series import Log, LogSeries
    from diagnose.logs.table import Columns

STEP, EPOCH, SECONDS, VALUE = 1, 2, 3, 4  # columns of a series' table
AROUND = 0.25  # of the distance between validations: training values this near are averaged for a pair
SPANS = {"epoch": 0, "": 1, "batch": 2, "smooth": 3, "step": 4, "mean": 5}  # which of several series is the one meant
MOST_LISTED = 8
MOST = 0.9  # of the values have to have a step for steps to place them


@dataclass(frozen=True)
class Track:
    """A loss along the run.

    Attributes:
        name: as the log has it.
        at: where in the run, (points,), rising.
        seconds: since some start, NaN where the log does not say, (points,).
        value: nats, or whatever the loop's unit is, (points,).
        count, broken, broken_step, stride: as of the series.
    """

    name: str
    at: NDArray[np.float64]
    seconds: NDArray[np.float64]
    value: NDArray[np.float64]
    count: int
    broken: int
    broken_step: float
    stride: int


@dataclass(frozen=True)
class Pairs:
    """Both losses of a log, and what each validation value is compared with; N pairs.

    Attributes:
        train, val: the series.
        at_N, train_N, val_N: where, and both values; NaN never.
        unit: "loss", "bits per byte" or "" where the two are in different units.
        axis: what `at` counts: "step", "epoch" or "place" (in the log).
        mean: the one mean over the whole validation text that a log ends with, where it stands beside values of
            single batches; it is the last pair too.
        batch: the training loss of single batches, where a log has one beside the training loss that is compared.
        dropped: points before a restart, which later ones replace.
        notes: what was chosen, said.
    """

    train: Track
    val: Track
    at_N: NDArray[np.float64]
    train_N: NDArray[np.float64]
    val_N: NDArray[np.float64]
    unit: str
    axis: str
    mean: float | None = None
    batch: Track | None = None
    dropped: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def gap_N(self) -> NDArray[np.float64]:
        """Validation minus training, (N,)."""
        return self.val_N - self.train_N


def pairs(log: Log, columns: Columns) -> Pairs:
    """Return a log's two losses in pairs.

    Raises:
        DiagnoseError: one of the two is not in the log, or nothing pairs.
    """
    notes: list[str] = []
    train, val, mean, batch = _choose(log, columns, notes)
    tables = {name: s.table() for name, s in (("train", train), ("val", val))}
    axis, scale = _axis(list(tables.values()), log)
    tracks = {name: _track(s, _placed(s.table(), axis, scale)) for name, s in (("train", train), ("val", val))}
    dropped = sum(len(tables[name]) - len(tracks[name].at) for name in tables) if axis != "place" else 0
    one, last = None, tracks["val"]
    if mean is not None:
        end = _placed(mean.table()[-1:], axis, scale)
        if len(end):
            one, last = float(end[-1, VALUE]), _with_mean(last, end)
    at, left, right = pair(tracks["train"], last)
    if not len(at):
        raise DiagnoseError("no validation loss of the log stands near a training loss: nothing can be compared")
    unit = _unit(train.name, val.name)
    left, right = (_nats(name, values, notes) for name, values in ((train.name, left), (val.name, right)))
    keep = np.isfinite(left) & np.isfinite(right)
    if not keep.any():
        raise DiagnoseError("the losses of the log are beyond all bounds: nothing can be compared")
    beside = _track(batch, _placed(batch.table(), axis, scale)) if batch is not None else None
    return Pairs(
        tracks["train"], tracks["val"], at[keep], left[keep], right[keep], unit, axis, one, beside, dropped, notes
    )


def _choose(
    log: Log, columns: Columns, notes: list[str]
) -> tuple[LogSeries, LogSeries, LogSeries | None, LogSeries | None]:
    """Return the training loss, the validation loss, a closing mean of it, and training's single batches."""
    for role in ("train", "val"):
        if role in columns and columns[role] not in log.series:
            raise DiagnoseError(
                f"--columns {role}={columns[role]}: the log has no such values{nearest(columns[role], _names(log))}"
            )
    named = {name: meaning(name) for name in log.series}
    losses = {name: m for name, m in named.items() if m.kind}
    vals = [name for name, m in losses.items() if m.side == "val"]
    trains = [name for name, m in losses.items() if m.side != "val"]
    val = columns.get("val") or _best(vals, log, notes, "validation")
    train = columns.get("train") or _best([name for name in trains if name != val], log, notes, "training")
    if not train or not val:
        _refuse(log, train, val)
    mean = next((n for n in vals if named[n].span == "mean" and n != val and log.series[n].count <= 2), None)
    if mean and (meaning(mean).kind != meaning(val).kind or log.series[val].count < 2):
        mean = None
    batch = next((n for n in trains if n != train and meaning(n).kind == meaning(train).kind
                  and log.series[n].count > 2 and meaning(n).side == ""), None)  # fmt: skip
    for side, name in (("training", train), ("validation", val)):
        if not log.series[name].count:
            raise DiagnoseError(f"every value of the {side} loss {cut(visible(name), 60)!r} is NaN or infinite")
    return (
        log.series[train], log.series[val],
        log.series[mean] if mean else None, log.series[batch] if batch else None,
    )  # fmt: skip


def _best(names: list[str], log: Log, notes: list[str], side: str) -> str:
    """Return the name that is most likely the loss meant: a series rather than one value, a loss not its exp."""
    kinds = {"loss": 0, "bits": 1, "perplexity": 2}

    def rank(name: str) -> tuple[int, ...]:
        m, count = meaning(name), log.series[name].count
        return (count < 2, kinds[m.kind], m.side == "", SPANS[m.span], -count)

    ranked = sorted(names, key=rank)
    equals = [n for n in ranked[1:] if rank(n)[:-1] == rank(ranked[0])[:-1]]
    if equals:
        others = listed([repr(cut(visible(n), 40)) for n in equals[:3]])
        notes.append(
            f"the {side} loss is taken to be {cut(visible(ranked[0]), 40)!r}; {others} would do too (--columns chooses)"
        )
    return ranked[0] if ranked else ""


def _names(log: Log) -> list[str]:
    return [cut(visible(name), 40) for name in list(log.series)[:MOST_LISTED]] or ["none"]


def _refuse(log: Log, train: str, val: str) -> None:
    missing = listed([side for side, name in (("training", train), ("validation", val)) if not name])
    if log.series:
        found = listed(
            [f"{cut(visible(n), 40)!r} ({s.count:,} values)" for n, s in list(log.series.items())[:MOST_LISTED]]
        )
        raise DiagnoseError(f"the log has no {missing} loss that is named as one; it has {found}: name both with "
                            "--columns train=NAME,val=NAME")  # fmt: skip
    raise DiagnoseError(
        "no loss was found: wanted are lines or columns as 'train loss 1.9' and 'val_loss: 2.0'; name columns of a "
        "table with --columns train=NAME,val=NAME, or the format with --format"
    )


def _axis(tables: list[NDArray[np.float64]], log: Log) -> tuple[str, float]:
    """Return what values are placed by, and how many steps an epoch has where steps are counted within epochs."""
    both, scale = np.vstack(tables), _within(tables, log)
    moves = {column: _moves(both[:, column]) for column in (STEP, EPOCH)}
    if np.isfinite(both[:, STEP]).mean() > MOST and (moves[STEP] or (scale and moves[EPOCH])):
        return "step", scale
    if np.isfinite(both[:, EPOCH]).mean() > MOST and moves[EPOCH]:
        return "epoch", 0.0
    return "place", 0.0


def _moves(values: NDArray[np.float64]) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 0 and float(np.ptp(known)) > 0


def _within(tables: list[NDArray[np.float64]], log: Log) -> float:
    """Return the steps of an epoch where steps start anew with each, else zero."""
    told = bool(log.facts.get("within_epoch"))
    whole = log.facts.get("batches_per_epoch", log.facts.get("steps", 0.0))
    went_on = fell = 0
    for table in tables:
        known = table[np.isfinite(table[:, STEP]) & np.isfinite(table[:, EPOCH])]
        later = np.diff(np.floor(known[:, EPOCH])) > 0
        down = np.diff(known[:, STEP]) < 0
        went_on, fell = went_on + int((later & (np.diff(known[:, STEP]) > 0)).sum()), fell + int((later & down).sum())
        if np.any(down & ~later) and not told:
            return 0.0  # a restart
    if (went_on and not fell) or not (told or fell):
        return 0.0
    most = max((float(np.nanmax(t[:, STEP])) for t in tables if np.isfinite(t[:, STEP]).any()), default=0.0)
    return whole if whole >= most else most + 1


def _placed(table: NDArray[np.float64], axis: str, scale: float) -> NDArray[np.float64]:
    """Return a table with its place in the first column, rising: what a restart repeats counts from there."""
    out = table.copy()
    if axis == "step":
        epoch = np.nan_to_num(np.floor(out[:, EPOCH])) if scale else 0.0
        out[:, 0] = out[:, STEP] + scale * np.maximum(epoch - 1, 0.0)
    elif axis == "epoch":
        out[:, 0] = out[:, EPOCH]
    out = out[np.isfinite(out[:, 0])]
    later = np.minimum.accumulate(np.append(out[1:, 0], math.inf)[::-1])[::-1]
    return out[out[:, 0] < later] if len(out) else out


def _track(series: LogSeries, placed: NDArray[np.float64]) -> Track:
    return Track(
        series.name, placed[:, 0], placed[:, SECONDS], placed[:, VALUE],
        series.count, series.broken, series.broken_step, series.stride,
    )  # fmt: skip


def _with_mean(val: Track, end: NDArray[np.float64]) -> Track:
    """Return a validation loss with the mean that closes the log as its last value."""
    keep = val.at < end[-1, 0]
    return Track(
        val.name, np.append(val.at[keep], end[-1, 0]), np.append(val.seconds[keep], end[-1, SECONDS]),
        np.append(val.value[keep], end[-1, VALUE]), val.count, val.broken, val.broken_step, val.stride,
    )  # fmt: skip


def pair(train: Track, val: Track) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return where, the training loss and the validation loss of each pair.

    A validation value is compared with the mean of the training values near it, on both sides alike so that a falling
    loss biases nothing, or with the last one before it where they are as rare as it is.
    """
    if not len(train.at) or not len(val.at):
        nothing = np.zeros(0)
        return nothing, nothing, nothing
    space = float(np.median(np.diff(val.at))) if len(val.at) > 1 else 0.0
    own = float(np.median(np.diff(train.at))) if len(train.at) > 1 else math.inf
    last = np.searchsorted(train.at, val.at, "right") - 1
    reach = AROUND * space if own < space * AROUND else 0.0
    low, high = np.searchsorted(train.at, val.at - reach, "left"), np.searchsorted(train.at, val.at + reach, "right")
    many = (high - low >= 2) & (reach > 0)
    sums = np.concatenate([[0.0], np.cumsum(train.value)])
    near = np.where(many, (sums[high] - sums[low]) / np.maximum(high - low, 1), train.value[np.maximum(last, 0)])
    distance = np.abs(val.at - train.at[np.maximum(last, 0)])
    allowed = max(space, 2 * own if math.isfinite(own) else 0.0) if max(space, own) > 0 else math.inf
    first = np.abs(val.at - train.at[0]) <= allowed
    near = np.where(last < 0, train.value[0], near)
    keep = np.where(last < 0, first, (distance <= allowed) | many | (len(train.at) < 2))
    return val.at[keep], near[keep], val.value[keep]


def _unit(train: str, val: str) -> str:
    kinds = {meaning(train).kind or "loss", meaning(val).kind or "loss"}
    bits = "bits" in kinds
    return "bits per byte" if kinds == {"bits"} else "" if bits else "loss"


def _nats(name: str, values: NDArray[np.float64], notes: list[str]) -> NDArray[np.float64]:
    """Return a perplexity as the loss that it is the exponential of."""
    if meaning(name).kind != "perplexity":
        return values
    notes.append(f"{cut(visible(name), 40)!r} is taken as a perplexity: its logarithm is compared")
    with np.errstate(all="ignore"):
        return np.log(np.where(values > 0, values, math.nan))

"""Where in the run each value stands: the counter that both losses carry; and where the next run begins."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from diagnose.logs.series import BATCH, EPOCH, ITERATION, PLACE, STEP, UPDATE, VALUE
from diagnose.logs.titles import TITLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.logs.series import Log

Counted = Literal["step", "epoch", "place"]
MOST = 0.9  # of the values have to have a position for it to place them
NAMES = {STEP: "step", ITERATION: "iteration", UPDATE: "update", BATCH: "batch", EPOCH: "epoch", PLACE: "place"}
MOST_RUNS = 64
AS_PROCESSES = 0.1  # of the change from epoch to epoch
DIGIT = re.compile(r"\d")
COMMENT = "<!--"  # of a page, above what it says of
SEVERAL = 0.5  # of the lines of an epoch, from which on validation is taken anew for them
FEWEST_ROWS = 4  # that tell how a log counts
BEGUN = 0.5  # of a batch: a count of 0 stands behind the end of the epoch before, not at it


@dataclass(frozen=True)
class LogAxis:
    """What values are placed by.

    Attributes:
        column: of a series' table.
        scale: steps of an epoch, where steps start anew with each, else zero.
        first: number of the first epoch.
    """

    column: int
    scale: float = 0.0
    first: float = 1.0

    @property
    def name(self) -> Counted:
        """What it counts: "step", "epoch" or "place" (in the log)."""
        return "epoch" if self.column == EPOCH else "place" if self.column == PLACE else "step"

    def at(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where each point stands, NaN where it does not say."""
        if not self.scale:
            return table[:, self.column].copy()
        epoch = np.nan_to_num(np.floor(table[:, EPOCH]))
        within = np.where(table[:, self.column] == 0, BEGUN, table[:, self.column])
        return within + self.scale * np.maximum(epoch - self.first, 0.0)


def axis(train: NDArray[np.float64], val: NDArray[np.float64], log: Log) -> LogAxis:
    """Return what both losses are placed by: the finest counter that both carry and that moves, else epochs."""
    first = min(1.0, *(float(np.nanmin(t[:, EPOCH])) for t in (train, val) if np.isfinite(t[:, EPOCH]).any()), 1.0)
    counters = [
        LogAxis(column, scale, max(first, 0.0))
        for column in (STEP, ITERATION, UPDATE, BATCH)
        if (scale := _scale(column, train, val, log)) is not None
    ]
    epochs = _carried(EPOCH, train) and _carried(EPOCH, val)
    epochs = epochs and (_moves(train[:, EPOCH]) or _moves(val[:, EPOCH]) or len(train) == len(val) == 1)
    if counters:
        finest = max(counters, key=lambda candidate: (candidate.column != BATCH, float(np.nanmax(candidate.at(train)))))
        if not epochs or finest.column != BATCH or not (_once(train) and _once(val)):
            return finest
    return LogAxis(EPOCH) if epochs and not _rows_within(train, val) else LogAxis(PLACE)


def _rows_within(train: NDArray[np.float64], val: NDArray[np.float64]) -> bool:
    """Say whether each line has both losses, and epochs have several such lines, which go on as from epoch to epoch.

    Lines of an epoch that differ less are of several processes.
    """
    if len(train) != len(val) or len(val) < FEWEST_ROWS or not np.array_equal(train[:, PLACE], val[:, PLACE]):
        return False
    same = np.diff(val[:, EPOCH]) == 0
    if not same.any() or same.all() or (np.diff(val[:, EPOCH]) < 0).any() or (np.diff(val[:, VALUE]) == 0).any():
        return False
    change = np.abs(np.diff(train[:, VALUE]))
    return float(np.median(change[same])) > AS_PROCESSES * float(np.median(change[~same]))


def _carried(column: int, table: NDArray[np.float64]) -> bool:
    missing = int((~np.isfinite(table[:, column])).sum())
    return len(table) > missing and (missing < (1 - MOST) * len(table) or (missing == 1 and len(table) > 2))


def _moves(values: NDArray[np.float64]) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 0 and float(np.ptp(known)) > 0


def _once(table: NDArray[np.float64]) -> bool:
    """Say whether no epoch has two values."""
    return len(np.unique(table[:, EPOCH])) == len(table)


def _scale(column: int, train: NDArray[np.float64], val: NDArray[np.float64], log: Log) -> float | None:
    """Return the steps of an epoch where a counter starts anew with each, zero where not, None for no axis at all."""
    if not (_carried(column, train) and _carried(column, val)):
        return None
    within = _within(column, train)
    still = len(val) > 1 and not _moves(val[:, column])
    if within is None or (within and still and val[0, column] < np.nanmax(train[:, column])):
        return None
    if within:
        whole = max(log.settings().get(name, 0.0) for name in ("batches_per_epoch", "steps"))
        most = float(np.nanmax(np.append(train[:, column], val[:, column])))
        return whole if whole >= most else most + 1
    if still and (_moves(val[:, EPOCH]) or _moves(train[:, column])):
        return None
    return 0.0 if _moves(np.append(train[:, column], val[:, column])) or len(train) == len(val) == 1 else None


def _within(column: int, table: NDArray[np.float64]) -> bool | None:
    """Say whether a counter starts anew with each epoch; None where it moves within none."""
    known = table[np.isfinite(table[:, column]) & np.isfinite(table[:, EPOCH])]
    if len(known) < 2:
        return False
    later = np.diff(np.floor(known[:, EPOCH])) > 0
    change = np.diff(known[:, column])
    if not later.any():
        return column == BATCH and bool(known[0, EPOCH] > 1)
    if not np.any(change > 0):
        return None
    fell = int((later & (change < 0)).sum())
    return fell > 0.5 * int(later.sum())


def restarts(at: NDArray[np.float64]) -> list[int]:
    """Return where a series begins anew: it falls back to where it began, or from there to before."""
    out: list[int] = []
    first, moved = at[0] if len(at) else math.nan, False
    for k in range(1, len(at)):
        if at[k] < at[k - 1] and ((at[k] <= first and moved) or at[k - 1] == first):
            out.append(k)
            first, moved = at[k], False
        moved = moved or at[k] > at[k - 1]
    return out


def runs(
    train: NDArray[np.float64], val: NDArray[np.float64], way: LogAxis
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the tables of each run of a log; one where nothing begins anew.

    Where both losses begin anew equally often, the nth part of one belongs to that of the other; else the place in the
    log decides.
    """
    if way.name == "place":
        return [(train, val)]
    cuts = [restarts(way.at(table)) for table in (train, val)]
    if not cuts[0] and not cuts[1]:
        return [(train, val)]
    if len(cuts[0]) == len(cuts[1]):
        parts = [np.split(table, cut) for table, cut in zip((train, val), cuts, strict=True)]
        return list(zip(*parts, strict=True))[-MOST_RUNS:]
    lead, cut = (train, cuts[0]) if len(cuts[0]) > len(cuts[1]) else (val, cuts[1])
    other = val if lead is train else train
    places = [(lead[k - 1, PLACE] + lead[k, PLACE]) / 2 for k in cut]
    split = np.split(other, np.searchsorted(other[:, PLACE], places))
    leading = np.split(lead, cut)
    both = zip(leading, split, strict=True) if lead is train else zip(split, leading, strict=True)
    return [(a, b) for a, b in both if len(a) and len(b)][-MOST_RUNS:] or [(train, val)]


def headed_runs(
    train: NDArray[np.float64], val: NDArray[np.float64], headings: list[tuple[int, str]]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the tables of runs with a pair each below its heading, none at a later epoch than before; else nothing."""
    epochs = val[:, EPOCH]
    if len(train) != len(val) or len(val) < 2 or not np.array_equal(train[:, EPOCH], epochs, equal_nan=True):
        return []
    if np.any(np.diff(epochs) > 0) or np.any(epochs <= 1):
        return []
    places = [place for place, _ in headings]
    of_train, of_val = (np.searchsorted(places, table[:, PLACE], "right") for table in (train, val))
    above = [[text for _, text in headings[a:b]] for a, b in itertools.pairwise([0, *of_val])]
    if not np.array_equal(of_train, of_val) or not all(above[1:]) or len(set(map(tuple, above))) < len(val):
        return []
    if np.isnan(epochs[0]) and not all(any(map(_tells_apart, texts)) for texts in above if texts):
        return []
    return [(train[k : k + 1], val[k : k + 1]) for k in range(len(val))][-MOST_RUNS:]


def _tells_apart(heading: str) -> bool:
    """Say whether a heading names a run by a number or a configuration, or is a page's comment."""
    return DIGIT.search(heading) is not None or heading.startswith((COMMENT, TITLE))


def rising(at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points count where a resumed run repeats some: those that no later point goes behind."""
    later = np.minimum.accumulate(np.append(at[1:], math.inf)[::-1])[::-1]
    return np.asarray(at < later) if len(at) else np.zeros(0, bool)


def oldest_first(
    train: NDArray[np.float64], val: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both losses in the order of the run, where a log has the newest value first."""
    for column in (STEP, ITERATION, UPDATE, EPOCH):
        if all(len(table) >= FEWEST_ROWS and bool((np.diff(table[:, column]) < 0).all()) for table in (train, val)):
            train, val = train[::-1].copy(), val[::-1].copy()
            last = max(train[0, PLACE], val[0, PLACE])
            train[:, PLACE], val[:, PLACE] = last + 1 - train[:, PLACE], last + 1 - val[:, PLACE]
    return train, val


def ends_of_epochs(
    train: NDArray[np.float64], val: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both losses at the last line of each epoch, where a bar shows them beside each other; else as they are.

    Within an epoch such a bar shows training's state so far, and the validation of the epoch before.
    """
    if not len(train) or not len(val):
        return train, val
    beside = val[np.isin(val[:, PLACE], train[:, PLACE])]
    alone = np.setdiff1d(np.floor(val[:, EPOCH]), np.floor(beside[:, EPOCH]))
    if len(beside) < 2 or len(alone) > 1 or (len(alone) == 1 and len(np.unique(beside[:, EPOCH])) < 2):
        return train, val  # one epoch without may be a check before training
    if not (_carried(EPOCH, train) and _carried(EPOCH, val) and _moves(val[:, EPOCH])) or _once(train):
        return train, val
    bars = any(_carried(column, train) and _within(column, train) for column in (STEP, ITERATION, BATCH))
    within = np.diff(np.floor(beside[:, EPOCH])) == 0
    anew = within.any() and float((np.diff(beside[:, VALUE])[within] != 0).mean()) > SEVERAL
    if not bars or anew or restarts(np.floor(val[:, EPOCH])):
        return train, val
    shared = train[np.isin(train[:, PLACE], val[:, PLACE])]
    return _last_of_epochs(shared), _last_of_epochs(beside)


def of_epochs_before(train: NDArray[np.float64], val: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return validation in the epochs that it follows, where it counts those that are done.

    "Eval Epoch: 1" behind epoch 0 is of that epoch.
    """
    epochs, counted = train[:, EPOCH], val[:, EPOCH]
    if not len(train) or not len(val) or not (np.isfinite(epochs).all() and np.isfinite(counted).all()):
        return val
    whole = not np.any(epochs % 1) and not np.any(counted % 1) and epochs.min() == 0
    before = np.searchsorted(train[:, PLACE], val[:, PLACE]) - 1
    if not whole or before.min() < 0 or np.any(epochs[before] != counted - 1):
        return val
    if not np.array_equal(np.unique(epochs) + 1, np.unique(counted)):
        return val
    out = val.copy()
    out[:, EPOCH] -= 1
    return out


def _last_of_epochs(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the last row of each epoch."""
    epoch = np.floor(table[:, EPOCH])
    return np.asarray(table[np.append(np.diff(epoch) != 0, True)])

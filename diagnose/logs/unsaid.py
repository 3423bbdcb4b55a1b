"""Values that are named by their side alone, beside a loss: losses too, or accuracies, or rates of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.logs.axis import restarts
from diagnose.logs.names import Meaning, meaning
from diagnose.logs.series import EPOCH, PLACE, STEP, VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.logs.series import Log, LogSeries

NEAR = 0.2  # of the logarithm of such a value over the loss of its line, in the median
FIT = 0.02  # relative: how close the logarithm of a perplexity has to be to a loss
FEWEST = 3  # values of a series


def go_with_loss(log: Log, losses: dict[str, Meaning]) -> bool:
    """Say whether the values of both sides are losses as the log's one loss is: "loss=2.4, train=2.4, dev=2.5".

    Args:
        log: what was read.
        losses: its losses by name, those of unsaid meaning too.
    """
    sides = {m.held_out: log.series[name] for name, m in losses.items() if m.kind == "unsaid"}
    loss = _one_loss(log, losses)
    return len(sides) > 1 and loss is not None and sides[True].count >= FEWEST and _near(loss, sides[False])


def name_beside_loss(log: Log) -> None:
    """Give the name of a loss to values of the other side beside the log's one, as in "Loss: 1.60 | eval: 1.75"."""
    losses = {name: m for name in log.series if (m := meaning(name)).kind}
    alone = {name: m for name, m in losses.items() if m.kind == "unsaid"}
    if len({m.held_out for m in alone.values()}) != 1:
        return
    loss = _one_loss(log, losses, held_out=not next(iter(alone.values())).held_out)
    if loss is None:
        return
    for name, m in alone.items():
        series = log.series[name]
        if _near(loss, series) and falls(series):
            log.rename(name, f"{m.side} loss")
            log.notes.append(
                f"the log does not say what the value of {m.side!r} beside each loss is: it is near the loss, falls, "
                "and is taken for one"
            )


def name_by_perplexity(log: Log) -> None:
    """Name the values of both sides by a perplexity beside them: it is theirs, or the exponential of one of them."""
    losses = {name: m for name in log.series if (m := meaning(name)).kind}
    alone = {name: m for name, m in losses.items() if m.kind == "unsaid"}
    rest = losses.keys() - alone.keys()
    if len(rest) != 1 or {m.held_out for m in alone.values()} != {True, False}:
        return
    perplexity = rest.pop()
    if losses[perplexity].kind != "perplexity" or losses[perplexity].side:
        return
    for name, m in alone.items():
        kind = _kind_beside(log.series[perplexity], log.series[name])
        if kind:
            for other, its in alone.items():
                log.rename(other, f"{its.side} {kind}")
            log.rename(perplexity, f"{m.side} {'perplexity' if kind == 'loss' else 'perplexity again'}")
            return


def _kind_beside(perplexity: LogSeries, values: LogSeries) -> str:
    """Return what values are by the perplexity of their lines: its logarithm ("loss"), itself, or neither ("")."""
    first, second = perplexity.table(), values.table()
    _, left, right = np.intersect1d(first[:, PLACE], second[:, PLACE], return_indices=True)
    given, mine = first[left, VALUE], second[right, VALUE]
    if len(given) < FEWEST or np.ptp(given) == 0:
        return ""
    with np.errstate(all="ignore"):
        for kind, wanted in (("loss", np.log(given)), ("perplexity", given)):
            if bool(np.nanmax(np.abs(mine / wanted - 1)) < FIT):
                return kind
    return ""


def _one_loss(log: Log, losses: dict[str, Meaning], *, held_out: bool = False) -> LogSeries | None:
    """Return the one loss of a log that has none of the other side; None for any other."""
    mine = [name for name, m in losses.items() if m.kind == "loss" and m.held_out == held_out]
    others = [name for name, m in losses.items() if m.held_out != held_out and m.kind != "unsaid"]
    curves = [name for name in others if log.series[name].count >= FEWEST]
    return log.series[mine[0]] if len(mine) == 1 and not curves else None


def _near(loss: LogSeries, other: LogSeries) -> bool:
    """Say whether values are near the losses of their lines, or of the last lines before them that have one."""
    first, second = loss.table(), other.table()
    at = np.searchsorted(first[:, PLACE], second[:, PLACE], "right") - 1
    if len(first) < FEWEST or len(second) < FEWEST:
        return False
    with np.errstate(all="ignore"):
        ratio = np.abs(np.log(second[at >= 0, VALUE] / first[at[at >= 0], VALUE]))
    return bool(np.nanmedian(ratio) < NEAR) if np.isfinite(ratio).any() else False


def falls(series: LogSeries) -> bool:
    """Say whether values fall as losses do, in most of the runs that a log holds."""
    table = series.table()
    counted = next((at for at in (table[:, EPOCH], table[:, STEP]) if np.isfinite(at).all()), np.zeros(0))
    runs = [values for values in np.split(table[:, VALUE], restarts(counted)) if len(values) > 1]
    return 2 * sum(map(_falls, runs)) > len(runs)


def _falls(values: NDArray[np.float64]) -> bool:
    third = max(1, len(values) // 3)
    return float(np.median(values[-third:])) < float(np.median(values[:third]))

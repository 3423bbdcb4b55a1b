"""What a log's other values tell of a loss: whose it is, whether it is one at all, and whether more of it is better.

Names whose side only the names beside them tell are "tloss" and "vloss", "fit loss" and "check loss", "ts_loss". Of
log-likelihoods and of objectives that rise while a network learns, as Kaldi's, the negatives are losses. Values that
are named by their side alone may be losses, accuracies or rates of error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.logs.axis import restarts
from diagnose.logs.names import TRAIN, Meaning, meaning, words
from diagnose.logs.series import EPOCH, PLACE, STEP, VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.logs.series import Log, LogSeries

SIDES = ("train", "val")
APART = {("t", "v"), ("fit", "check"), ("seen", "unseen")}  # words for training and held-out data beside each other
SHORT_SIDES = {"te": "test", "ts": "test", "ev": "eval", "vd": "val"}  # beside a name that says "tr" or "train"
OBJECTIVE = "objective"  # may be a loss, too
NEAR = 0.2  # of the logarithm of such a value over the loss of its line, in the median
FIT = 0.02  # relative: how close the logarithm of a perplexity has to be to a loss
FEWEST = 3  # values of a series


def give_sides(log: Log) -> None:
    """Give such names their sides."""
    _of_two_words(log)
    _beside_train(log)


def _of_two_words(log: Log) -> None:
    """Give two names that differ in a word of `APART` alone their sides, where a log has these and no loss else."""
    names = [name for name in log.series if meaning(name).kind == "loss"]
    if len(names) != len(SIDES):
        return
    at = [(k, pair) for k, pair in enumerate(zip(*map(words, names), strict=False)) if pair[0] != pair[1]]
    if len(at) != 1 or len({len(words(name)) for name in names}) > 1:
        return
    k, pair = at[0]
    if pair not in APART and pair[::-1] not in APART:
        return
    for name, side in zip(names, SIDES if pair in APART else SIDES[::-1], strict=True):
        _rename(log, name, k, side)


def _rename(log: Log, name: str, k: int, side: str) -> None:
    """Give a name a side in place of its kth word."""
    parts = words(name)
    log.rename(name, " ".join([*parts[:k], side, *parts[k + 1 :]]))


def _beside_train(log: Log) -> None:
    """Give "loss_te", "ts_loss" and "ev loss" their sides, where a name beside them has a word for training there."""
    names = {words(name): name for name in log.series}
    for parts, name in names.items():
        k = next((k for k, word in enumerate(parts) if word in SHORT_SIDES), -1)
        if k >= 0 and any((*parts[:k], train, *parts[k + 1 :]) in names for train in TRAIN):
            _rename(log, name, k, SHORT_SIDES[parts[k]])


def turn_gains(log: Log) -> None:
    """Put the negatives in place of what is the higher the better, once for all series of a kind."""
    named = {name: meaning(name) for name in log.series}
    likelihoods = [name for name, m in named.items() if m.kind == "likelihood"]
    objectives = [name for name, m in named.items() if m.kind == "loss" and OBJECTIVE in words(name)]
    for names in (likelihoods, objectives):
        series = [log.series[name] for name in names if log.series[name].count]
        if not series or any(curve.turned for curve in series):
            continue
        trains = [curve for curve in series if not named[curve.name].held_out] or series
        if _is_gain(max(trains, key=lambda curve: curve.count), surely=names is likelihoods):
            for curve in series:
                curve.turn()


def _is_gain(series: LogSeries, *, surely: bool) -> bool:
    """Say whether a series is the higher the better: it rises below zero, or does either and is `surely` of that kind.

    A log-likelihood above zero that falls was printed as a loss.
    """
    values = series.table()[:, VALUE]
    rises = _change(values) > 0
    negative = bool((values < 0).all())
    return (rises or negative) if surely else (rises and negative)


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
    return 2 * sum(_change(values) < 0 for values in runs) > len(runs)


def _change(values: NDArray[np.float64]) -> float:
    """Return by how much values change from the first third to the last, in the median."""
    third = max(1, len(values) // 3)
    return float(np.median(values[-third:])) - float(np.median(values[:third]))

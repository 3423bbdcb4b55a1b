"""Log-likelihoods and objectives that rise while a network learns, as Kaldi's: their negatives are losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.logs.names import meaning, words
from diagnose.logs.series import VALUE

if TYPE_CHECKING:
    from diagnose.logs.series import Log, LogSeries

OBJECTIVE = "objective"  # may be a loss, too


def turn(log: Log) -> None:
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
    third = max(1, len(values) // 3)
    rises = float(np.median(values[-third:])) > float(np.median(values[:third]))
    negative = bool((values < 0).all())
    return (rises or negative) if surely else (rises and negative)

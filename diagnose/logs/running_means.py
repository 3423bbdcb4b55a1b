"""Losses that are printed with their running mean in brackets, as "Loss 2.31 (2.41)": the mean is what is compared.

A validation's loss is a mean over its batches, so training's mean is its like; at the end of an epoch it is over all of
it. While a log is read both are kept; at the end, when all values are known, one of the two goes.
icefall prints a mean over the latest batches as `tot_loss[...]`, beside the last batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from diagnose.formatting import cut, visible
from diagnose.logs.digits_of import decimals
from diagnose.logs.names import meaning
from diagnose.logs.series import PLACE, VALUE
from diagnose.logs.written_numbers import to_float

if TYPE_CHECKING:
    from diagnose.logs.series import Log, LogRow, LogSeries

BESIDE = "\x1e"  # marks the running mean of a series
FAR = 3.0  # times: a mean lies within so much of single values, in the median; what scatters about them does not
FEWEST = 3  # values that tell the best so far from a mean


def add(log: Log, means: dict[str, str], row: LogRow) -> None:
    """Take the running means of a row that is counted already; the last one of a pass stays."""
    values = {f"{name}{BESIDE}": to_float(text) for name, text in means.items()}
    told = {f"{name}{BESIDE}": decimals(text) for name, text in means.items()}
    log.add(replace(row, values=values, told=told), counts=False)


def settle(log: Log) -> None:
    """Put running means in place of the values that they are of, where what stands in brackets is one."""
    for name in log.series if log.tool == "icefall" else ():
        log.series[name].means = name.startswith("tot ")
    for name in [name for name in log.series if name.endswith(BESIDE)]:
        means, single = log.series.pop(name), name.removesuffix(BESIDE)
        if single not in log.series or not _is_mean(means, log.series[single]):
            continue
        means.name, means.means = single, True
        log.series[single] = means
        side = {"train": "training", "": "training"}.get(meaning(single).side, "validation")
        log.notes.append(
            f"{cut(visible(single), 40)!r} stands with a running mean in brackets, as 2.31 (2.41): the mean is taken "
            f"as the {side} loss; the last one of an epoch is over all of it"
        )


def _is_mean(means: LogSeries, single: LogSeries) -> bool:
    """Say whether what stands in brackets may be a mean of the values: not their scatter, and not the best so far."""
    both, values = means.table(), single.table()
    at = np.searchsorted(values[:, PLACE], both[:, PLACE], "right") - 1
    if not len(both) or at.min() < 0:
        return False
    beside, best = values[at, VALUE], np.minimum.accumulate(values[:, VALUE])[at]
    with np.errstate(all="ignore"):
        ratio = np.abs(np.log(both[:, VALUE] / beside))
    is_best = len(both) >= FEWEST and np.array_equal(both[:, VALUE], best) and not np.array_equal(best, beside)
    return bool(np.isfinite(ratio).all() and np.median(ratio) <= np.log(FAR)) and not is_best

"""One factor between the two losses of a log, in all prints: a sum that was not divided, or another unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from diagnose.formatting import plain
from diagnose.records.log_report import LogFinding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.logs.pairs import Pairs

FACTORS = {"ln 2 (bits and nats)": math.log(2), "1 / ln 2 (bits and nats)": 1 / math.log(2)}
MOST_FACTOR = 64  # whole numbers that are tried: accumulated parts, devices
FIT = 0.02  # relative: how close a ratio has to be to a factor, and how steady
STEADY = 0.003  # relative: a ratio that stays within this is a factor, whichever number it is
APART = 5.0  # times: a steady ratio of less may be the data's
SCALES = 20.0  # times: means of like losses are not so far apart in every print, with training above
RANGE = 1.5  # a ratio says something where the loss itself changes by this much over the run


def factor(pairs: Pairs) -> list[LogFinding]:
    """Find a validation loss that is training's times a factor all along: a sum not divided, or another unit."""
    train, val = pairs.train_N, pairs.val_N
    if len(train) < 5 or not pairs.unit or min(train.min(), val.min()) < 1e-9:
        return []
    if train.max() < RANGE * train.min():
        return []
    ratio = val / train
    middle = float(np.median(ratio))
    spread = float(np.quantile(np.abs(ratio / middle - 1), 0.9))
    if spread > FIT:
        return _scales(ratio)
    wholes = {f"{k}": float(k) for k in range(2, MOST_FACTOR + 1)} | {
        f"1/{k}": 1 / k for k in range(2, MOST_FACTOR + 1)
    }
    for name, factor in (FACTORS | wholes).items():
        if abs(middle / factor - 1) < FIT / 2:
            return [
                LogFinding.of(
                    "factor", "error", f"Validation is training times {plain(middle)} all along, which is {name}",
                    "look for the factor in how the two are summed, divided and logged (accumulated parts, devices, "
                    "logarithm to base 2)", ratio=middle, factor=factor,
                )
            ]  # fmt: skip
    if spread > STEADY or 1 / APART < middle < APART:
        return []
    return [
        LogFinding.of("factor", "error", f"Validation is training times {plain(middle)} all along: one factor, no gap",
                "look for it in how the two are summed, divided and logged: a sum over batches or samples that was "
                "divided by another number, or not at all", ratio=middle)
    ]  # fmt: skip


def _scales(ratio_N: NDArray[np.float64]) -> list[LogFinding]:
    """Find a training loss that is many times validation's in every print: a sum beside a mean."""
    most = float(ratio_N.max())
    if most > 1 / SCALES:
        return []
    return [
        LogFinding.of("factor", "warning", f"Training is at least {plain(1 / most, 0)} times validation in every "
                "print, as a sum is beside a mean",
                "look whether training's loss was added up over batches or samples and not divided by their number",
                ratio=most)
    ]  # fmt: skip

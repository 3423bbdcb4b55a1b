"""Intervals over batches, or over samples where there are too few batches.

The samples of a batch are no independent draws: a batch norm mixes them, an auxiliary loss is one number for all of
them. Over samples, intervals held the truth in 81 to 93 of 100 cases for networks with
batch norm and in 39 for an auxiliary loss; over 12 or 24 batches in 93 to 98.

Source: Moulton 1990 on grouped disturbances; Cochran, Sampling Techniques (1977), chapter 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.stats import Interval, Reading, combination

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLES = 1 << 24  # of a batch at most: room between the numbers of two batches' samples
ENOUGH = 8  # batches: with fewer, Student's t is so wide that samples are the units, unless batches clearly differ
SAME_DATA = "exact: both sides hold the same samples"
RECOMPUTED = 1e-5  # relative: reading the same again may differ by as much through the order of sums
CHANCE = 0.95  # that the spread of few batches stays below, were their samples independent


def combined(
    readings: Sequence[Reading], factors: Sequence[float], *, mixed: bool = True, few: bool = False
) -> Interval:
    """Return sum(factor * mean of reading) with its interval over batches; see `stats.combination`.

    Args:
        readings: whose documents are numbered by batch and sample (`groups.identities`); named groups stay units.
        factors: as many.
        mixed: whether samples of a batch may move together. In evaluation mode each is read alone: then batches that
            differ are only in order, as where a loader goes through one class after the other.
        few: whether batches are the units however few they are: where a loss is of its batch, samples are none.
    """
    over_samples = combination(readings, factors)
    if not mixed or any(bool((reading.documents < 0).any()) for reading in readings):
        return over_samples
    batches = [Reading.of(one.nats, one.weights, one.documents // SAMPLES) for one in readings]
    over_batches = combination(batches, factors)
    enough = over_batches.low is not None and (few or min(len(reading.documents) for reading in batches) >= ENOUGH)
    if enough or _wider(over_batches, over_samples):
        return over_batches
    return over_samples


def _wider(batches: Interval, samples: Interval) -> bool:
    """Say whether batches spread more than chance lets independent samples."""
    if not batches.se or not samples.se or batches.df is None or samples.df is None:
        return False
    from scipy.special import fdtri

    return bool((batches.se / samples.se) ** 2 > fdtri(batches.df, samples.df, CHANCE))


def around(reading: Reading, value: float) -> Interval:
    """Return the interval of a value less a reading's mean, from the reading's spread."""
    span = combined([reading], [-1.0])
    if span.low is None or span.high is None:
        return Interval(value, None, None, None, None)
    return Interval(value, value - span.value + span.low, value - span.value + span.high, span.se, span.df)

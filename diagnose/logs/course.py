"""What training's loss is at the place of a validation: its course through the prints around it, or up to it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AROUND = 0.25  # of the distance between validations: training values this near say what training is there
CURVED = 7  # training values from which a curve is laid through them, not their mean
LINE = 4  # last training values that a line is laid through where validation comes behind them, at the least
STRAIGHT = 2.0  # times the variance of their noise: where values scatter about a line by more, it bends


def course(
    places: NDArray[np.float64], values: NDArray[np.float64], at: float, reach: float, alone: float, *, ends: bool
) -> float:
    """Return training's course at a place: a parabola through the values around it, or their mean where they are few.

    Args:
        places: of the training loss, rising.
        values: there.
        at: the place.
        reach: how far around it.
        alone: the value that is there where no course is.
        ends: what comes behind does not count: it is of the next epoch.
    """
    if ends:
        places, values = places[places <= at], values[places <= at]
    if places[-1] < at and len(places) >= LINE:
        within = places >= min(at - reach / AROUND, places[-LINE])
        return _onward(places[within] - at, values[within], alone)
    even = min(reach, at - places[0], places[-1] - at)
    around = int(np.searchsorted(places, at + reach, "right") - np.searchsorted(places, at - reach))
    reach = reach if even < reach <= at - places[0] and around >= 3 * CURVED else even
    low, high = np.searchsorted(places, at - reach), np.searchsorted(places, at + reach, "right")
    near, x = values[low:high], places[low:high] - at
    if len(near) < 2 or reach <= 0 or (ends and len(near) < CURVED):
        return alone
    if len(near) < CURVED or np.ptp(x) == 0:
        return float(near.mean())
    x = x / np.abs(x).max()
    basis = np.stack([np.ones_like(x), x, x * x], 1)
    weights, *_ = np.linalg.lstsq(basis, near, rcond=None)
    return float(weights[0]) if math.isfinite(float(weights[0])) else float(near.mean())


def _onward(places: NDArray[np.float64], values: NDArray[np.float64], alone: float) -> float:
    """Return where a line through the last values leads to, for a validation a little behind them.

    A line through four sways more than a single value does: it is laid through twice as many, and again, while they
    scatter about it as they do about one another.
    """
    number = LINE
    while 2 * number <= len(values) and _is_straight(places[-2 * number :], values[-2 * number :]):
        number *= 2
    led, _ = _line(places[-number:], values[-number:])
    return led if math.isfinite(led) and abs(led - alone) <= np.ptp(values[-number:]) else alone


def _line(places: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, float]:
    """Return where a line through values is at the place 0, and the variance about it."""
    across = places - places.mean()
    squares = float((across**2).sum())
    slope = float((across * values).sum()) / squares if squares > 0 else 0.0
    about = values - values.mean() - slope * across
    return float(values.mean()) - slope * float(places.mean()), float((about**2).sum()) / (len(values) - 2)


def _is_straight(places: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Say whether values scatter about a line by no more than by their noise, which second differences show."""
    return _line(places, values)[1] <= STRAIGHT * float((np.diff(values, 2) ** 2).mean()) / 6

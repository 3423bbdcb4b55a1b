"""The order in which a side's batches are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import random as seeding
from diagnose.gap.loop import guard

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = 0.6180339887498949


def walk(batches: Any, number: int = 0) -> tuple[Iterator[tuple[int, Any]], int | None]:
    """Return batches with their numbers, and how many there are (None where that is not known); within `guarded` alone.

    What can be indexed is taken in an order that is spread evenly wherever one stops; a loader from its beginning, with
    its random states set, so that a shuffling one gives the same order each time it is walked with the same number.
    """
    guard.seed(seeding.key(number, "loader"))
    for generator in guard.generators([batches]):
        generator.manual_seed(number)
    count = _count(batches)
    if isinstance(batches, (list, tuple)) and count:
        stride = next(k for k in range(max(1, round(GOLDEN * count)), count + 2) if np.gcd(k, count) == 1)
        order = [k * stride % count for k in range(count)]
        return ((k, batches[k]) for k in order), count
    return enumerate(batches), count


def _count(batches: Any) -> int | None:
    """Return how many batches there are; None where that is not known, as of a stream."""
    try:
        return len(batches)
    except (TypeError, NotImplementedError):
        return None

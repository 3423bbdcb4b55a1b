"""How many digits a figure may show: what its interval supports, and no more."""

from __future__ import annotations

import math

FEWEST = 2  # decimals of a loss that has an interval, however wide
PLAIN = 3  # decimals of a loss that has no interval


def decimals(half_width: float | None) -> int:
    """Return how many decimals an uncertainty supports: two of its digits below 3.55, else one (as PDG rounds).

    Losses keep two decimals at least. Without an uncertainty (None, not finite, zero) three are shown.
    """
    if half_width is None or not math.isfinite(half_width) or half_width <= 0:
        return PLAIN
    exponent = math.floor(math.log10(half_width))
    kept = 1 if half_width / 10**exponent < 3.55 else 0
    return min(max(kept - exponent, FEWEST), 6)

"""Digits that the values of a log carry: never more than were printed, and enough to show a small loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from diagnose.formatting import plain, signed

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LOOKED = 200
FULL = 9  # significant digits from which a value is a float as it was computed, not as it was printed
SIGNIFICANT = 3
SMALL = 1e-4  # below this a number is written with an exponent, as logs write it


@dataclass(frozen=True)
class Digits:
    """How many decimals the values of a log were printed with; None where they are floats in full."""

    decimals: int | None

    @classmethod
    def of(cls, values: Iterable[float]) -> Digits:
        """Return the digits of printed values."""
        most = 0
        for value, _ in zip(values, range(MOST_LOOKED), strict=False):
            _, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
            if not isinstance(exponent, int):
                continue
            if len(digits) >= FULL:
                return cls(None)
            most = max(most, -exponent)
        return cls(most)

    @property
    def unit(self) -> float:
        """The smallest difference that printing keeps, zero where it is not known."""
        return 0.0 if self.decimals is None else 10.0**-self.decimals

    def _places(self, value: float, significant: int) -> int:
        places = significant - 1 - math.floor(math.log10(abs(value)) + 1e-9)
        return places if self.decimals is None else min(places, self.decimals)

    def loss(self, value: float) -> str:
        """Return a loss, with four digits or so."""
        return self._written(value, SIGNIFICANT + 1, sign=False)

    def gap(self, value: float) -> str:
        """Return a difference with its sign."""
        return self._written(value, SIGNIFICANT, sign=True)

    def size(self, value: float) -> str:
        """Return a difference without its sign, and no digits below what was printed."""
        if self.unit and 0 < abs(value) < self.unit:
            return (
                f"less than {self.unit:.{self.decimals or 0}f}"
                if self.unit >= SMALL / 2
                else f"less than {self.unit:.0e}"
            )
        return self._written(abs(value), SIGNIFICANT, sign=False)

    def _written(self, value: float, significant: int, *, sign: bool) -> str:
        if value == 0 or not math.isfinite(value) or (self.unit and abs(value) < self.unit / 2):
            return plain(0.0 if math.isfinite(value) else value, 0 if math.isfinite(value) else significant)
        if abs(value) < SMALL / 2 or abs(value) >= 1e12:
            text = f"{value:{'+' if sign else ''}.{significant - 1}e}"
            return text.replace("-", "\N{MINUS SIGN}", 1) if value < 0 else text
        places = self._places(value, significant)
        rounded = round(value, places)
        return (signed if sign else plain)(rounded, max(places, 0))


def times(ratio: float) -> str:
    """Return a ratio as a reader says it: "0.75 of", "2.4 times", "1/780 of"."""
    if ratio >= 1:
        return f"{_three(ratio)} times"
    return f"{_three(ratio)} of" if ratio >= 0.1 else f"1/{_three(1 / ratio)} of"


def _three(value: float) -> str:
    if value >= 1000:
        return plain(round(value, 2 - math.floor(math.log10(value))), 0)
    return plain(value, 0) if value >= 10 else f"{value:.2g}"

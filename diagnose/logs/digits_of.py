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
FEWEST = 12  # values, of which one hardly ever is without a zero at its end
FULL = 9  # significant digits from which a value is a float as it was computed, not as it was printed
SIGNIFICANT = 3
SMALL = 1e-4  # below this a number is written with an exponent, as logs write it


@dataclass(frozen=True)
class Digits:
    """How many decimals the values of a log were printed with; None where they are floats in full.

    `sure` says whether they are known: few numbers without their text do not tell 2.50 from 2.5.
    """

    decimals: int | None
    sure: bool = True

    @classmethod
    def of(cls, values: Iterable[float], told: int | None = None) -> Digits:
        """Return the digits of printed values; `told` are decimals that the text itself was seen to have."""
        most, count = told or 0, 0
        for value, _ in zip(values, range(MOST_LOOKED), strict=False):
            count += 1
            _, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
            if not isinstance(exponent, int):
                continue
            if len(digits) >= FULL:
                return cls(None)
            most = max(most, -exponent)
        return cls(most, told is not None or count >= FEWEST)

    @property
    def unit(self) -> float:
        """The smallest difference that printing keeps, zero where it is not known."""
        return 0.0 if self.decimals is None else 10.0**-self.decimals

    def of_logarithms(self, most: float) -> Digits:
        """Return the digits of the logarithms of values up to `most` that were printed with these."""
        if self.decimals is None or most <= 0:
            return Digits(None)
        return Digits(max(0, math.floor(math.log10(most) + self.decimals + 1e-9)), self.sure)

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


@dataclass(frozen=True)
class LogDigits:
    """The digits of both losses of a log, and of their difference."""

    train: Digits
    val: Digits
    gap: Digits

    @classmethod
    def of(cls, train: Digits, val: Digits) -> LogDigits:
        """Return the digits of two losses: their difference has as many as the coarser, where that is known."""
        known = [side.decimals for side in (train, val) if side.decimals is not None]
        least = min if train.sure and val.sure else max
        return cls(train, val, Digits(least(known) if known else None))

    @property
    def decimals(self) -> tuple[int | None, int | None, int | None]:
        """How many decimals training's, validation's and their difference have."""
        return self.train.decimals, self.val.decimals, self.gap.decimals


def decimals(text: str) -> int:
    """Return how many decimals a number is written with: two of "2.50" and of "2.5e-1"."""
    try:
        exponent = Decimal(text).as_tuple().exponent
    except ArithmeticError:
        return 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def times(ratio: float) -> str:
    """Return a ratio as a reader says it: "0.75 of", "2.4 times", "1/780 of"."""
    if ratio >= 1:
        return f"{_three(ratio)} times"
    return f"{_three(ratio)} of" if ratio >= 0.1 else f"1/{_three(1 / ratio)} of"


def _three(value: float) -> str:
    if value >= 1000:
        return plain(round(value, 2 - math.floor(math.log10(value))), 0)
    return plain(value, 0) if value >= 10 else f"{value:.2g}"

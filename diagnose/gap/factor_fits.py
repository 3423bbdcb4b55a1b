"""Arithmetic that would turn the loss that is read into the loss that was reported: a factor is named only if it fits.

Where the very batches were read without any luck of masks, arithmetic is named only if it gives the reported value to
1e-4 or to its digits: whole numbers to 64, the number of batches, other averages, exp, bits. Elsewhere a factor fits
where the reported value lies within the interval of the loss that is read, times the factor, while the loss as it is
does not; where intervals are so wide that many would fit, none is named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.gap.measurements import BatchReadings
    from diagnose.stats import Interval

POWERS = (2, 4, 8, 16, 32, 64)
SCALES = tuple(2**k for k in range(7, 25))  # that a gradient scaler multiplies losses by
SHARP = 0.1  # half the interval over the value: wider, and a factor of two is all that could be told
SAME = 1e-4  # of the value: what rounding in a log may do
LN2 = math.log(2)
EQUAL = 1e-9  # of the value: what is the same but for the order of sums
COARSE = 0.01  # of the value: a loss that was rounded by more fits one factor or another by chance
EXACT = 1e-6  # of the value: a step's loss that was copied with all its digits
MOST_FACTOR = 64  # accumulation steps or processes that are tried
LARGEST_EXPONENT = 50.0
OR = ", or "  # between arithmetic that gives the same value
PERPLEXITY = "as a perplexity: exp of what is read"
DIGITS = (2, 6)  # significant ones of a loss that was copied from a log


@dataclass(frozen=True)
class FactorFit:
    """A factor that fits: what it is, the loss that is read times it with its interval, and what was reported."""

    factor: str
    value: float
    low: float
    high: float
    reported: float


def rounding(reported: float) -> float:
    """Return by how much a reported loss may be rounded: half a unit of its last digit, where it has 2 to 6 of them."""
    written = Decimal(repr(float(reported))).normalize().as_tuple()
    digits = len(written.digits) if any(written.digits) else 0
    return 0.5 * 10.0 ** int(written.exponent) if DIGITS[0] <= digits <= DIGITS[1] else 0.0


def slack(reported: float) -> float:
    """Return how far a loss may lie from a reported one and still be it: computing again, and rounding."""
    return SAME * abs(reported) + rounding(reported)


def candidates(read: BatchReadings) -> dict[str, float]:
    """Return the factors that set-ups go wrong by, by what they mean; those of a batch from the batches read."""
    out: dict[str, float] = {}
    size, count = read.samples / read.batches, read.count / read.batches
    if not read.scalar:
        out[f"summed over the {count:,.0f} elements of a batch"] = count
        out[f"divided by the {count:,.0f} elements of a batch once more"] = 1 / count
        if 1 < size < count:
            out[f"summed over the {count / size:,.0f} elements of a sample"] = count / size
            out[f"divided by the {count / size:,.0f} elements of a sample once more"] = size / count
    if 1 < size != count:
        out[f"summed over the {size:,.0f} samples of a batch"] = size
        out[f"divided by the {size:,.0f} samples of a batch once more"] = 1 / size
    if read.counted < 1:
        out[f"averaged over padding too ({read.counted:.1%} of elements count)"] = read.counted
    if 0 < read.silent < 1:
        out[f"averaged without the {read.silent:.1%} of elements whose loss is exactly 0"] = 1 / (1 - read.silent)
    if read.complete and read.beside not in (0, read.batches):
        out[f"divided by the {read.beside:,} batches of the other side instead of its own {read.batches:,}"] = (
            read.batches / read.beside
        )
    out |= {"in bits instead of nats: over ln 2": 1 / LN2, "in nats instead of bits: times ln 2": LN2}
    for k in POWERS:
        out |= whole_factors(k)
    out |= {f"times {k:,}: as a gradient scaler (mixed precision) multiplied it": float(k) for k in SCALES}
    return {name: factor for name, factor in out.items() if factor != 1}


def whole_factors(k: int) -> dict[str, float]:
    """Return the factors of a whole number of accumulation steps or processes, by what they would mean."""
    return {
        f"divided by {k}: by accumulation steps or processes once too often": 1 / k,
        f"times {k}: not divided by accumulation steps or processes": float(k),
    }


def exact_values(value: float, read: BatchReadings) -> dict[str, float]:
    """Return what a loss that is read the same each time may have been reported as, by what was done to it."""
    out: dict[str, float] = {}
    number = read.batches
    if read.complete and number > 1:
        out[f"summed over the {number:,} batches: not divided by their number"] = number * value
        out[f"divided by the {number:,} batches once more"] = value / number
        out[f"divided by {number - 1:,}, the last batch's index, instead of {number:,} batches"] = (
            value * number / max(number - 1, 0.5)
        )
        out[f"divided by {number + 1:,} instead of the {number:,} batches"] = value * number / (number + 1)
        if read.skipped:
            whole = number + read.skipped
            out[f"divided by all {whole:,} batches instead of the {number:,} that give a loss"] = value * number / whole
        out |= {name: likely for name, likely in read.likely.items() if likely != value}
    out |= {name: factor * value for name, factor in candidates(read).items()}
    for k in range(2, MOST_FACTOR + 1):
        if k != number:
            out |= {name: factor * value for name, factor in whole_factors(k).items()}
    return out | functions_of(value)


def functions_of(value: float) -> dict[str, float]:
    """Return what is reported of a loss instead of it: a perplexity, a root."""
    out: dict[str, float] = {}
    if value < LARGEST_EXPONENT:
        out[PERPLEXITY] = math.exp(value)
        out["as a perplexity of bits: 2 to the power of what is read"] = 2**value
    if value > 0:
        out["as a logarithm: of a perplexity that is read"] = math.log(value)
        out["as a root: the square root of what is read (an RMSE)"] = math.sqrt(value)
        out["as a square: of a root that is read"] = value**2
    return out


def fits(reported: float, found: Interval, read: BatchReadings, *, same: bool = False) -> list[FactorFit]:
    """Return the arithmetic that explains a reported loss; none where the loss that is read explains it as it is.

    Args:
        reported: the loss.
        found: the loss that is read, with its interval.
        read: what was read.
        same: whether reading again must give the very same loss: all was read, in evaluation mode.
    """
    if same:
        return _exactly(reported, found.value, read)
    half = _half(found)
    if reported * found.value <= 0 or half > SHARP * abs(found.value):
        return []
    rounded = rounding(reported)
    if abs(reported - found.value) <= half + rounded:
        return []
    value = found.value
    rows = [_fit(name, factor * value, abs(factor) * half, reported) for name, factor in candidates(read).items()]
    if value + half < LARGEST_EXPONENT:
        rows.append(_fit(PERPLEXITY, math.exp(value), math.exp(value) * half, reported))
    return _distinct([row for row in rows if row.low - rounded <= reported <= row.high + rounded])


def _exactly(reported: float, value: float, read: BatchReadings) -> list[FactorFit]:
    """Return what gives the reported loss to its digits, the nearest alone; a loss of few digits fits by chance.

    What lies as near as the digits, or what is computed, can tell is kept beside it.
    """
    rounded = rounding(reported)
    if abs(reported - value) <= SAME * abs(value) + rounded:
        return []
    if rounded > COARSE * abs(reported):
        return []
    coarse = rounded > SAME * abs(reported)
    some = exact_values(value, read)
    if coarse:
        some = {name: some[name] for name in (*candidates(read), PERPLEXITY) if name in some}
    rows = [_fit(name, candidate, SAME * abs(candidate), reported) for name, candidate in some.items()]
    rows = [row for row in rows if row.low - rounded <= reported <= row.high + rounded]
    nearest = max(rounded, min((abs(row.value - reported) for row in rows), default=0.0))
    return _distinct([row for row in rows if coarse or abs(row.value - reported) <= nearest + EXACT * abs(reported)])


def _distinct(rows: list[FactorFit]) -> list[FactorFit]:
    """Return fits with those of the same value as one: 16 samples of a batch and 16 processes cannot be told apart."""
    out: list[FactorFit] = []
    for row in rows:
        place = next((k for k, other in enumerate(out) if abs(other.value - row.value) <= EQUAL * abs(row.value)), None)
        if place is None:
            out.append(row)
        else:
            out[place] = replace(out[place], factor=f"{out[place].factor}{OR}{row.factor}")
    return out


def _fit(name: str, value: float, half: float, reported: float) -> FactorFit:
    return FactorFit(name, value, value - half, value + half, reported)


def _half(found: Interval) -> float:
    wide = 0.0 if found.low is None or found.high is None else (found.high - found.low) / 2
    return max(wide, SAME * abs(found.value))

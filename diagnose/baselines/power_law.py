"""What more would give: a power law through what less of it gave, and how wrong that law was where it could be tested.

    loss(x) = floor + scale * x ** -exponent,   floor and scale not negative

This is the usual form (Hestness et al. 2017, arXiv:1712.00409; Kaplan et al. 2020, arXiv:2001.08361). It is fitted to
the last points alone, for over a wider range no such law holds. What it says of the next two doublings is judged by
what it would have said of the last ones: fitted to the first points, it is compared with those that follow.

Shapes: P points of a curve, in ascending order of x.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.formatting import plain, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 5  # points that a law is fitted to
MOST = 7  # likewise: the last of more
SPAN = 3.0  # that the points must span, as a ratio
FACTORS = (2.0, 4.0)  # that a law is carried beyond its last point
NEAR = 1.2  # ratio: that a point may lie beside a factor to test what was said of it, and that points lie apart
# The interval of what is gained reaches from the promise divided by this to the promise times this: what held the truth
# in 95 % of the curves of `benchmarks/law.py`, over growing text and over runs. A curve whose own tests were further
# off gets what they were.
OFF_TEXT, OFF_RUNS = 1.4, 2.7
WORST = 2.0  # a law whose own tests were further off than this says nothing
EXPONENTS = np.linspace(0.02, 1.5, 149)


@dataclass(frozen=True)
class Forecast:
    """What a law says of more.

    Attributes:
        factor: how many times as much as the last point has.
        bits_per_byte: the loss there.
        low, high: 95 % interval.
    """

    factor: float
    bits_per_byte: float
    low: float
    high: float


@dataclass(frozen=True)
class Law:
    """What more of something would give.

    Attributes:
        of: what there would be more of: "training text", "parameters" or "steps".
        learner: whose loss it is: a yardstick's name, or that of a network.
        amounts: of it at each point: bytes, parameters or steps.
        bits_per_byte: the loss at each point.
        forecasts: by factor; empty where it is refused.
        off: how many times too much or too little the law promised in its own tests, at worst; None without a test.
        refused: why nothing is said; None where something is.
    """

    of: str
    learner: str
    amounts: tuple[float, ...]
    bits_per_byte: tuple[float, ...]
    forecasts: tuple[Forecast, ...] = ()
    off: float | None = None
    refused: str | None = None

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Curve:
    """A fitted law, in units of the last point's amount."""

    floor: float
    scale: float
    exponent: float
    last: float

    def gain(self, amount: float) -> float:
        """Return by how much the loss falls from the last point to an amount."""
        return float(self.scale * (1.0 - (amount / self.last) ** -self.exponent))


def fit(amounts_P: Floats, loss_P: Floats) -> Curve:
    """Return the law of least squares through the last points."""
    from scipy.optimize import nnls

    relative_P, loss_P = amounts_P[-MOST:] / amounts_P[-1], loss_P[-MOST:]
    fits = []
    for exponent in EXPONENTS.tolist():
        (floor, scale), norm = nnls(np.stack([np.ones_like(relative_P), relative_P**-exponent], axis=1), loss_P)
        fits.append((norm, Curve(float(floor), float(scale), exponent, float(amounts_P[-1]))))
    return min(fits, key=lambda pair: pair[0])[1]


def back_tests(amounts_P: Floats, loss_P: Floats, factor: float) -> list[float]:
    """Return how many times too much or too little laws of the first points promise of a later one; at least 1.

    A law is tested at every point that has about `factor` times as much as the last point it was fitted to. Where the
    loss did not fall, the promise was infinitely too much.
    """
    tests = []
    for end in range(FEWEST, len(amounts_P)):
        ratio_P = amounts_P[end:] / amounts_P[end - 1]
        at = end + int(np.abs(np.log(ratio_P / factor)).argmin())
        if abs(np.log(amounts_P[at] / amounts_P[end - 1] / factor)) > np.log(NEAR):
            continue
        promised = fit(amounts_P[:end], loss_P[:end]).gain(float(amounts_P[at]))
        gained = float(loss_P[end - 1] - loss_P[at])
        tests.append(max(promised / gained, gained / promised) if min(promised, gained) > 0 else np.inf)
    return tests


def law(of: str, learner: str, amounts: Sequence[float], losses: Sequence[float], off: float = OFF_TEXT) -> Law:
    """Return what more of something would give, or why nothing can be said of it.

    Args:
        of: what there would be more of.
        learner: whose loss it is.
        amounts: of it, different and in ascending order.
        losses: bits per byte at each, on the same documents.
        off: how many times too much or too little such laws promise, at most 95 % of the time.
    """
    amounts_P, loss_P = _apart(np.asarray(amounts, np.float64), np.asarray(losses, np.float64))
    bare = Law(of, learner, tuple(amounts_P.tolist()), tuple(loss_P.tolist()))
    why = _unfit(of, amounts_P, loss_P)
    if why:
        return _refused(bare, why)
    worst = max((off for factor in FACTORS for off in back_tests(amounts_P, loss_P, factor)), default=None)
    if worst is None:
        return _refused(bare, f"no point has about {plain(FACTORS[0], 0)} times as much as the first {FEWEST} reach")
    if worst > WORST:
        worst_factor = f"{plain(worst, 1)} times" if np.isfinite(worst) else "wholly"
        return _refused(
            bare, f"where the law could be tested it was {worst_factor} off; {plain(WORST, 0)} times is the most"
        )
    curve, last, width = fit(amounts_P, loss_P), float(loss_P[-1]), max(off, worst)
    gains = ((factor, curve.gain(factor * curve.last)) for factor in FACTORS)
    forecasts = tuple(Forecast(factor, last - gain, last - gain * width, last - gain / width) for factor, gain in gains)
    return Law(of, learner, bare.amounts, bare.bits_per_byte, forecasts, worst)


def _apart(amounts_P: Floats, loss_P: Floats) -> tuple[Floats, Floats]:
    """Return points without those that lie close before another: the largest amount stays."""
    apart: list[int] = []
    for place in range(len(amounts_P) - 1, -1, -1):
        if not apart or amounts_P[apart[-1]] / amounts_P[place] >= NEAR:
            apart.append(place)
    return amounts_P[apart[::-1]], loss_P[apart[::-1]]


def _refused(bare: Law, why: str) -> Law:
    return Law(bare.of, bare.learner, bare.amounts, bare.bits_per_byte, refused=why)


def _unfit(of: str, amounts_P: Floats, loss_P: Floats) -> str | None:
    """Return why no law can be fitted; None where one can."""
    if len(amounts_P) < FEWEST:
        there = "there is 1" if len(amounts_P) == 1 else f"there are {len(amounts_P)}"
        return f"a law takes {FEWEST} points that differ in {of} alone, by a fifth at least, and {there}"
    if amounts_P[-1] / amounts_P[0] < SPAN:
        return f"the most {of} is less than {plain(SPAN, 0)} times the least"
    lowest = int(loss_P.argmin())
    if lowest < len(loss_P) - 1:
        at, last = (quantity(float(amounts_P[place])) for place in (lowest, -1))
        return (
            f"the loss is lowest at {at} ({plain(float(loss_P[lowest]))}) and higher at {last} "
            f"({plain(float(loss_P[-1]))}): more {of} does not help here"
        )
    return None

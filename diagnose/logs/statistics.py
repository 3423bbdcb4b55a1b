"""The gap along a run: its mean with an interval, whether it keeps its sign, whether it moves, and how noisy it is.

Prints of one run are alike: the weights move little from one to the next, and what one batch has the next may have too.
So the number of values is reduced by their autocorrelation, as in `stats.trends`. Up to eleven values cannot show their
own autocorrelation; for them neighbours are taken to correlate at 0.5 (`ALIKE`). False alarms are measured in
`tests/test_log_statistics.py` and `benchmarks/log_calibration.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from diagnose.records.log_report import LogMean, LogSign
from diagnose.stats.crossed import t_quantile
from diagnose.stats.trends import FEWEST, Trend, trend

if TYPE_CHECKING:
    from numpy.typing import NDArray

Moves = Literal["narrows", "widens", "crosses", "holds", "unknown"]
ALIKE = 0.5  # autocorrelation that is allowed for where too few values show their own
# |mean| / (sd / sqrt n) that 5 % of series of n normal values exceed whose neighbours correlate at ALIKE (mean zero;
# 1,000,000 series each, benchmarks/log_calibration.py)
CRITICAL = {
    2: 21.91, 3: 7.73, 4: 5.84, 5: 5.12, 6: 4.76, 7: 4.54, 8: 4.37, 9: 4.26, 10: 4.18, 11: 4.10,
}  # fmt: skip
LATE = 24  # pairs from which on the second half of a run is said for itself
LEVEL = 0.05
MOVED = 0.15  # of the gap: by less than this it does not move, however sure that is
SLACK = 3.0  # standard deviations
PRINTS = 6  # of one sign, at the least, where all of them exceed the scatter
CLEAR = 2.5  # times the scatter
SURE = 0.01  # p of a trend that a mean is taken about
LEAST_ALIKE = 0.3  # autocorrelation allowed for where fewer than `LATE` values show little of their own


@dataclass(frozen=True)
class GapCourse:
    """A gap along a run: the whole of it, its second half, its sign, its trend and its course.

    Attributes:
        moves: "narrows", "widens", "crosses", "holds" (it moves by no more than it scatters), or "unknown" (too few).
        start, end: means over the first and the last sixth, None below three pairs.
        scatter: standard deviation about the gap's course, None below five pairs.
    """

    whole: LogMean
    late: LogMean | None
    sign: LogSign
    trend: Trend | None
    moves: Moves
    start: float | None
    end: float | None
    scatter: float | None = None

    @property
    def steady(self) -> bool:
        """Whether one sign is more than scatter makes: by the calibrated tests, or far beyond the scatter."""
        if self.said.resolved or self.sign.resolved:
            return True
        one_sided = min(self.sign.below, self.sign.above) == 0 and self.sign.below + self.sign.above >= PRINTS
        return one_sided and self.scatter is not None and abs(self.whole.value) > CLEAR * self.scatter

    @property
    def said(self) -> LogMean:
        """The mean that is spoken of: of the second half where there are enough pairs."""
        return self.late or self.whole


def gap(at_N: NDArray[np.float64], gap_N: NDArray[np.float64]) -> GapCourse:
    """Return what can be said of a gap; N pairs in the order of the run."""
    half = len(gap_N) // 2
    late = mean(gap_N[half:], at_N[half:]) if len(gap_N) >= LATE else None
    line = trend(at_N, gap_N) if len(gap_N) >= FEWEST else None
    scatter = noise(gap_N)
    moves, start, end = _moves(gap_N, scatter, line)
    return GapCourse(mean(gap_N, at_N), late, sign(gap_N), line, moves, start, end, scatter)


def autocorrelation(residual_N: NDArray[np.float64]) -> float:
    """Return the lag-1 autocorrelation of deviations from a mean, raised for its bias, (1 + 4 r) / n (Kendall 1954)."""
    total = float((residual_N**2).sum())
    if total <= 0:
        return 0.0
    r = float((residual_N[1:] * residual_N[:-1]).sum()) / total
    return min(max(r + (1 + 4 * r) / len(residual_N), 0.0), 0.99)


def mean(values_N: NDArray[np.float64], at_N: NDArray[np.float64] | None = None) -> LogMean:
    """Return a mean with an interval that allows for neighbours being alike.

    Where a straight trend along `at_N` is resolved, values count by their distance from it: the mean over the run is
    sharp though what it is a mean of moves.
    """
    n, value = len(values_N), float(values_N.mean())
    residual = values_N - value
    if n < FEWEST:
        half = CRITICAL[n] * float(residual.std(ddof=1)) / math.sqrt(n) if n > 1 else None
        return _mean(value, half, n, None, ALIKE if n > 1 else None)
    slope = trend(at_N, values_N) if at_N is not None else None
    line = slope is not None and n >= LATE and slope.p < SURE
    if slope is not None and at_N is not None and line:
        residual = residual - slope.value * (at_N - at_N.mean()) / np.ptp(at_N)
    r = max(autocorrelation(residual), LEAST_ALIKE if n < LATE else 0.0)
    effective = max(2.0 + line, n * (1 - r) / (1 + r))
    df = effective - 1 - line
    half = float(t_quantile(0.95, np.float64(df))) * math.sqrt(float((residual**2).sum()) / n / df)
    return _mean(value, half, n, effective, r)


def _mean(value: float, half: float | None, n: int, effective: float | None, alike: float | None) -> LogMean:
    low, high = (None, None) if half is None else (value - half, value + half)
    return LogMean(
        value=value, low=low, high=high, prints=n, effective=effective, alike=alike, alike_assumed=effective is None
    )


def sign(values_N: NDArray[np.float64]) -> LogSign:
    """Return how consistently values are of one sign: a sign test on means of stretches that are nearly independent.

    A stretch is about 1 + 3 r / (1 - r) values long for the autocorrelation r, one value where r is zero.
    """
    values = values_N[values_N != 0]
    below, above = int((values < 0).sum()), int((values > 0).sum())
    assumed = len(values) < FEWEST
    means = values
    if not assumed:
        r = autocorrelation(values - values.mean())
        size = 1 + math.ceil(3 * r / (1 - r) - 0.25)
        blocks = len(values) // size
        means = values[len(values) - blocks * size :].reshape(blocks, size).mean(1) if blocks else values[:0]
    ups = int((means > 0).sum())
    agree = max(ups, len(means) - ups)
    p = _two_sided(agree, len(means))
    return LogSign(below=below, above=above, stretches=len(means), agree=agree, p=p, assumed_independent=assumed)


def _two_sided(agree: int, count: int) -> float:
    """Return the chance of at least so many of one sign, either of the two being as likely."""
    if not count:
        return 1.0
    from scipy.special import bdtrc

    return min(1.0, 2 * float(bdtrc(agree - 1, count, 0.5))) if agree else 1.0


def _moves(
    gap_N: NDArray[np.float64], scatter: float | None, line: Trend | None
) -> tuple[Moves, float | None, float | None]:
    """Return how a gap moves between the first and the last sixth of its prints.

    By more than it scatters: where a trend is resolved or prints are few, than the parts' means scatter if neighbours
    are independent; else by far more, since neighbours may be alike.
    """
    n = len(gap_N)
    if n < 3:
        return "unknown", None, None
    part = max(1, n // 6)
    start, end = float(gap_N[:part].mean()), float(gap_N[-part:].mean())
    largest = max(abs(start), abs(end))
    if scatter is None:
        steps = np.diff(gap_N)
        if not ((steps >= 0).all() or (steps <= 0).all()):
            return "unknown", start, end
    sure = n < FEWEST or (line is not None and line.p < LEVEL)
    slack = SLACK * (scatter or 0.0) * (math.sqrt(2 / part) if sure else 2.0)
    if abs(end - start) <= max(MOVED * largest, slack):
        return "holds", start, end
    if start * end < 0 and min(abs(start), abs(end)) > max(slack / 2, MOVED * largest):
        return "crosses", start, end
    return ("widens" if abs(end) > abs(start) else "narrows"), start, end


def noise(values_N: NDArray[np.float64]) -> float | None:
    """Return the standard deviation of values about their course, from second differences; None below five.

    The median of squares stands for their mean (divided by 0.4549, its value for normal numbers), so that a jump or the
    bend at the start counts little; second differences of independent values have six times their variance.
    """
    if len(values_N) < 5:
        return None
    return math.sqrt(float(np.median(np.diff(values_N, 2) ** 2)) / 0.4549 / 6)


def smoothed(values_N: NDArray[np.float64]) -> bool | None:
    """Say whether neighbouring values share what they average; None below two hundred.

    Second differences of independent values correlate at -2/3 with their neighbours; those of a
    running mean at -1/2 or less.
    """
    bends = np.diff(values_N[len(values_N) // 2 :], 2)
    total = float((bends**2).sum())
    if len(values_N) < 200 or total <= 0:
        return None
    return float((bends[1:] * bends[:-1]).sum()) / total > -0.58


@dataclass(frozen=True)
class LossFall:
    """How fast a loss falls at the end of a run.

    Attributes:
        per_print: by how much from one print to the next; above zero where it falls.
        most: the upper end of its one-sided 95 % interval, None below three values.
        prints: that the line is fitted to.
    """

    per_print: float
    most: float | None
    prints: int


def fall(at_N: NDArray[np.float64], values_N: NDArray[np.float64]) -> LossFall | None:
    """Return how fast a loss falls over the second half of its prints (all where they are few); None for one value."""
    n = len(values_N)
    half = values_N[n // 2 :] if n >= 2 * FEWEST else values_N
    at = at_N[len(at_N) - len(half) :]
    if len(half) < 2 or np.ptp(at) == 0:
        return None
    space = float(np.median(np.diff(at)))
    if len(half) >= FEWEST:
        line = trend(at, half, confidence=0.90)
        assert line is not None  # there are enough, and they differ in place
        scale = space / float(np.ptp(at))
        return LossFall(-line.value * scale, -line.low * scale, len(half))
    across = at - at.mean()
    squares = float((across**2).sum())
    slope = float((across * half).sum()) / squares
    if len(half) < 3:
        return LossFall(-slope * space, None, len(half))
    residual = half - half.mean() - slope * across
    se = math.sqrt(float((residual**2).sum()) / (len(half) - 2) / squares)
    most = -slope + float(t_quantile(0.90, np.float64(len(half) - 2))) * se
    return LossFall(-slope * space, most * space, len(half))

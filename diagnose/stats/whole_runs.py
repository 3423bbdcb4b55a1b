"""Effects from one number a run, where no examples are told apart: paired by seed, or each arm with seeds of its own.

What differs between examples is then part of what differs between runs: that is right where every run is scored on
examples of its own (nested), and where all runs share one set of examples the interval is for that set alone.

Axes: S seeds. Unit: that of the scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.stats.crossed import Spread
from diagnose.stats.paired import Effect
from diagnose.stats.ratios import Interval
from diagnose.stats.unpaired import welch_df

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

ALIKE = 1e-12  # of a value: runs that differ by less are the same number


def paired_runs(arm_S: ArrayLike, control_S: ArrayLike, *, comparisons: int = 1, confidence: float = 0.95) -> Effect:
    """Return the effect of an arm whose seeds are the control's, in the same order: a paired t over seeds.

    Args:
        arm_S: the score of each seed.
        control_S: the control's.
        comparisons: how many effects have intervals that hold together.
        confidence: of all these intervals together.

    Returns:
        The effect; without an interval for one seed, and where the differences are the very same number for all
        seeds: rounded or bounded scores do that by chance, and how far another seed would lie is then not known.
    """
    difference_S = np.asarray(arm_S, dtype=np.float64) - np.asarray(control_S, dtype=np.float64)
    value, seeds = float(difference_S.mean()), len(difference_S)
    per_seed = tuple(difference_S.tolist())
    if not _spreads(difference_S, arm_S, control_S):
        return _effect(value, None, seeds, per_seed, (confidence, comparisons))
    by_seed = float(difference_S.var(ddof=1)) / seeds
    return _effect(value, (by_seed, float(seeds - 1)), seeds, per_seed, (confidence, comparisons))


def unpaired_runs(
    parts: Sequence[tuple[float, ArrayLike]], *, comparisons: int = 1, confidence: float = 0.95
) -> Effect:
    """Return a sum of arms times factors, each arm with seeds of its own (Welch 1947).

    Args:
        parts: the factor of each arm (1 and -1 for a difference) and the score of each of its seeds.
        comparisons: how many effects have intervals that hold together.
        confidence: of all these intervals together.

    Returns:
        The effect without `per_seed`; without an interval where an arm has one seed, or all arms' seeds the same score.
    """
    scores = [(factor, np.asarray(score_S, dtype=np.float64)) for factor, score_S in parts]
    value = float(sum(factor * score_S.mean() for factor, score_S in scores))
    seeds = min(len(score_S) for _, score_S in scores)
    if seeds < 2 or not any(_spreads(score_S) for _, score_S in scores):
        return _effect(value, None, seeds, (), (confidence, comparisons))
    apart = [(f**2 * float(s.var(ddof=1)) / len(s), len(s), f**2) for f, s in scores]
    by_seed = sum(variance for variance, _, _ in apart)
    return _effect(value, (by_seed, welch_df(apart)), seeds, (), (confidence, comparisons))


def runs_level(score_S: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return an arm's mean score with an interval for other seeds; the value alone where its spread is not known."""
    scores = np.asarray(score_S, dtype=np.float64)
    value = float(scores.mean())
    if not _spreads(scores):
        return Interval(value, None, None, None, None)
    by_seed, df = float(scores.var(ddof=1)) / len(scores), float(len(scores) - 1)
    half = float(Spread(by_seed, df, by_seed, df).half_width(confidence))
    return Interval.around(value, half, float(np.sqrt(by_seed)), df)


def _spreads(values_S: NDArray[np.float64], *scale: ArrayLike) -> bool:
    """Tell whether there are two values that differ by more than rounding, held against themselves and `scale`."""
    most = max(float(np.abs(np.asarray(values)).max()) for values in (values_S, *scale))
    return len(values_S) > 1 and float(np.ptp(values_S)) > ALIKE * most


def _effect(
    value: float,
    own: tuple[float, float] | None,
    seeds: int,
    per_seed: tuple[float, ...],
    asked: tuple[float, int],
) -> Effect:
    """Return an effect; `own` is the squared standard error over seeds and its degrees of freedom."""
    effect = Effect(
        value=value, seeds=seeds, documents=1, per_seed=per_seed, effective_documents=1.0,
        confidence=asked[0], comparisons=asked[1], own_seeds=own,
    )  # fmt: skip
    if own is None:
        return effect
    return effect.within(Spread(*own, *own), sd_seeds=float(np.sqrt(own[0] * seeds)), sd_documents=0.0, sd_rest=0.0)

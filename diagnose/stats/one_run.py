"""Two models, each trained once, on the same examples: what differs on other examples of the kind, and no more.

Nothing here is known of another training of either model: `sd_seeds` is None, and so is what follows from it (seeds
needed, equivalence).

Axes: N examples, or clusters of them. Unit: that of the scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.stats.crossed import Spread
from diagnose.stats.paired import Effect, checked
from diagnose.stats.ratios import Interval, Reading, effective_df

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def example_effect(
    arm_N: ArrayLike,
    control_N: ArrayLike,
    weights_N: ArrayLike,
    *,
    comparisons: int = 1,
    confidence: float = 0.95,
) -> Effect:
    """Return the difference of two single runs, paired by example (or cluster), for other examples of the kind.

    Args:
        arm_N: the summed scores of the examples of each cluster; of single examples their scores.
        control_N: the control's, same examples in the same order.
        weights_N: how many examples each cluster holds.
        comparisons: how many effects have intervals that hold together.
        confidence: of all these intervals together.

    Raises:
        DiagnoseError: shapes differ, a score is missing, or weights are not positive in sum.
    """
    (arm,), size_N = checked(np.asarray(arm_N)[None], weights_N, "the arm")
    (control,), _ = checked(np.asarray(control_N)[None], weights_N, "the control")
    reading = Reading(np.arange(len(size_N)), arm - control, size_N)
    df = effective_df(size_N)
    effect = Effect(
        value=reading.mean, seeds=1, documents=len(size_N), per_seed=(), effective_documents=df + 1,
        confidence=confidence, comparisons=comparisons,
    )  # fmt: skip
    influence_N = reading.influences()
    if influence_N is None:
        return effect
    variance = float((influence_N**2).sum())
    between = float(np.sqrt(variance * len(size_N)))
    return effect.within(Spread(variance, df, 0.0, 1.0), sd_seeds=None, sd_documents=between, sd_rest=None)


def example_level(score_N: ArrayLike, weights_N: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return one run's mean score with an interval for other examples of the kind."""
    (score,), size_N = checked(np.asarray(score_N)[None], weights_N, "the arm")
    reading = Reading(np.arange(len(size_N)), score, size_N)
    influence_N = reading.influences()
    if influence_N is None:
        return Interval(reading.mean, None, None, None, None)
    se, df = float(np.sqrt((influence_N**2).sum())), effective_df(size_N)
    half = float(Spread(se**2, df, 0.0, 1.0).half_width(confidence))
    return Interval.around(reading.mean, half, se, df)

"""Scores that are right or wrong: made-up examples that keep an interval from vanishing where hardly any differs.

Where two models answer nearly all examples alike, the differences hardly vary and an interval from their variance
alone is far too narrow, of no width at all where none differs. Two examples are added, one that the arm alone
answers and one that the control alone answers (Bonett & Price 2012, Agresti & Min 2005); for an arm's own share two
right and two wrong ones (Agresti & Coull 1998). Where examples come in clusters, a made-up one counts as much as the
clusters' design effect says that examples of one cluster are alike (Kish 1965). The estimate stays that of the data,
so such an interval need not have it in its middle.

Axes: S seeds, N examples or clusters of them; the made-up ones are appended to N.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from diagnose.stats.paired import Effect
    from diagnose.stats.ratios import Interval

DIFFERENCE = (1.0, 0.0)  # a made-up example that the arm alone answers, and one that the control alone does
LEVEL = (1.0, 1.0, 0.0, 0.0)


def is_binary(scores: ArrayLike) -> bool:
    """Tell whether all scores are 0 or 1."""
    values = np.asarray(scores)
    return bool(((values == 0) | (values == 1)).all())


def design_effect(cells: Sequence[NDArray[np.float64]], weights_M: NDArray[np.float64]) -> float:
    """Return how many examples one independent example stands for, as far as clusters are alike: 1 to their size.

    The variance of a run's mean between clusters over p (1 - p) / N, pooled over the runs; where no run has both right
    and wrong answers nothing is known of it, and clusters are taken to be alike.

    Args:
        cells: right answers by run and cluster, of each arm.
        weights_M: examples of each cluster.
    """
    count, largest = float(weights_M.sum()), float((weights_M**2).sum() / weights_M.sum())
    score_RM = np.concatenate(cells)
    share_R = score_RM.sum(1) / count
    between = float((((score_RM - share_R[:, None] * weights_M) / count) ** 2).sum())
    apart = float((share_R * (1 - share_R)).sum()) / count
    return min(max(between / apart, 1.0), largest) if apart > 0 else largest


def with_made_up(score_SN: ArrayLike, made_up: Sequence[float], weight: float = 1.0) -> NDArray[np.float64]:
    """Return scores with made-up examples of a weight behind, the same for each seed; weights take ones likewise."""
    scores = np.asarray(score_SN, dtype=np.float64)
    made_up = [weight * score for score in made_up]
    return np.concatenate([scores, np.broadcast_to(np.asarray(made_up), (*scores.shape[:-1], len(made_up)))], -1)


def estimated_by(plain: Effect, steadied: Effect) -> Effect:
    """Return an effect with the estimate and sizes of the data, and the interval that made-up examples steady."""
    return replace(
        steadied, value=plain.value, per_seed=plain.per_seed, documents=plain.documents,
        effective_documents=plain.effective_documents,
    )  # fmt: skip


def within_bounds(plain: Interval, steadied: Interval) -> Interval:
    """Return an arm's share with the steadied interval, which never leaves 0 to 1."""
    if steadied.low is None or steadied.high is None:
        return plain
    low, high = max(min(steadied.low, plain.value), 0.0), min(max(steadied.high, plain.value), 1.0)
    return replace(plain, low=low, high=high, se=steadied.se, df=steadied.df)

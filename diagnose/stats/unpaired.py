"""An effect where the arms share no seeds: paired by document alone, each arm's seeds drawn for itself.

The variance of the difference is that between the seeds of either arm, each over its own number, plus that of the
difference between documents, plus the rest of either arm; degrees of freedom of the seeds are Welch's (1947) or fewer.
`effects.paired_effect` is the case where seeds are shared, and sharper for it.

Axes: S seeds of the arm, R seeds of the control, N documents. Unit: bits per byte.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from diagnose.stats.crossed import analyse, satterthwaite
from diagnose.stats.paired import Effect, checked, has_interval, without_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def unpaired_effect(
    bits_arm_SN: ArrayLike,
    bits_control_RN: ArrayLike,
    bytes_N: ArrayLike,
    *,
    comparisons: int = 1,
    confidence: float = 0.95,
) -> Effect:
    """Return the effect of an arm against a control that was trained with seeds of its own.

    Args:
        bits_arm_SN: bits that each seed of the arm spent on each document.
        bits_control_RN: the control's, the same documents in the same order.
        bytes_N: UTF-8 bytes of the documents.
        comparisons: how many effects have intervals that hold together.
        confidence: of all these intervals together.

    Returns:
        The effect, without `per_seed`; without an interval where either arm has one seed, for how far two of its
        seeds lie apart is not known. Deviations are per seed of the smaller arm.

    Raises:
        DiagnoseError: shapes do not fit, a reading is missing, or bytes are not positive in sum.
    """
    parts = [(1.0, bits_arm_SN), (-1.0, bits_control_RN)]
    return unpaired_contrast(parts, bytes_N, comparisons=comparisons, confidence=confidence)


def unpaired_contrast(
    parts: Sequence[tuple[float, ArrayLike]],
    bytes_N: ArrayLike,
    *,
    comparisons: int = 1,
    confidence: float = 0.95,
) -> Effect:
    """Return a sum of arms times factors (of a factorial for instance), each arm with seeds of its own.

    Args:
        parts: the factor of each arm, and the bits that each of its seeds spent on each document.
        bytes_N: UTF-8 bytes of the documents.
        comparisons: how many effects have intervals that hold together.
        confidence: of all these intervals together.

    Returns:
        As `unpaired_effect`, which is the case of the factors 1 and -1.

    Raises:
        DiagnoseError: as `unpaired_effect`.
    """
    names = ["the arm", "the control"] if len(parts) == 2 else [f"arm {k + 1}" for k in range(len(parts))]
    given = [(factor, *checked(bits, bytes_N, name)) for name, (factor, bits) in zip(names, parts, strict=True)]
    size_N = given[0][2]
    mean_N = np.sum([factor * bits.mean(0) for factor, bits, _ in given], axis=0)
    seeds = min(len(bits) for _, bits, _ in given)
    effect = without_interval(mean_N[None], size_N, confidence, comparisons, seeds=seeds)
    if not all(has_interval(bits, size_N) for _, bits, _ in given):
        return effect
    apart = [(factor**2, analyse(bits, size_N)) for factor, bits, _ in given]
    whole = analyse(np.stack([mean_N] * 2), size_N)  # twice, for `analyse` takes two seeds or more
    by_seed, rest = (sum(square * float(getattr(part, name)) for square, part in apart) for name in ("by_seed", "rest"))
    df_seeds = welch_df([(square * float(part.by_seed), len(part.per_seed), square) for square, part in apart])
    df_text = max(float(whole.effective) - 1, 1.0)
    by_document = float(whole.by_document)
    spread = satterthwaite(
        np.float64(by_seed), np.float64(by_document), np.float64(rest), df_seeds=df_seeds, df_text=df_text
    )
    return replace(effect, value=float(whole.value), own_seeds=(by_seed, df_seeds)).within(
        spread,
        sd_seeds=float(np.sqrt(max(by_seed - rest, 0.0) * seeds)),
        sd_documents=float(np.sqrt(max(by_document - rest, 0.0) * len(size_N))),
        sd_rest=float(np.sqrt(rest * seeds * len(size_N))),
    )


def welch_df(parts: Sequence[tuple[float, int, float]]) -> float:
    """Return the degrees of freedom of a sum of variances of means.

    Welch's estimate, but no more than it would be were the arms' variances equal: where the arm of two seeds happens
    to look sharp, Welch's alone covers .90 with ten seeds against two. The lesser of the two covers .95 and more where
    variances are equal, and .935 at the lowest where one arm's deviation is three times the other's.

    Args:
        parts: of each arm the variance of its mean, its seeds, and its factor squared (which the variance holds).
    """
    equal = _welch([(square / seeds, seeds - 1) for _, seeds, square in parts])
    return min(_welch([(variance, seeds - 1) for variance, seeds, _ in parts]), equal)


def _welch(parts: list[tuple[float, int]]) -> float:
    below = sum(variance**2 / df for variance, df in parts)
    return float(sum(variance for variance, _ in parts) ** 2 / below) if below > 0 else float(min(d for _, d in parts))


def shared(one: NDArray[np.int64], other: NDArray[np.int64]) -> list[int]:
    """Return the seeds that two arms share, where pairing by them pays: two or more, or all that either arm has."""
    both = sorted(set(one.tolist()) & set(other.tolist()))
    return both if len(both) > 1 or len(both) == min(len(one), len(other)) else []

"""Mean losses over documents for one run, and sums and differences of them, with intervals over documents.

A reading's mean is a ratio: nats of all documents over their weights (tokens, bytes, sequences). Every
document has an influence on it, (nats - mean * weight) / sum of weights; a combination of readings adds the
influences of a document that occurs in several, so what readings share cancels instead of being counted twice
as chance.

Axes: N documents, M blocks of adjacent documents. Unit: that of nats / weights, usually nats per token.
Sources: Cochran, Sampling Techniques (1977), chapter 6; Efron & Stein 1981 for the jackknife; Welch 1947.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.stats.crossed import t_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Interval:
    """A value with its interval, standard error and degrees of freedom; None where the spread is unknown."""

    value: float
    low: float | None
    high: float | None
    se: float | None
    df: float | None

    @classmethod
    def around(cls, value: float, half: float, se: float, df: float) -> Self:
        """Return the interval of this half width."""
        return cls(value, value - half, value + half, se, df)


@dataclass(frozen=True)
class Reading:
    """Sums per document of one reading; a document may be given in parts, which are added.

    Attributes:
        documents: (N) identities (integers); readings that share a document share its identity.
        nats: (N) summed losses; weights: (N) what they are divided by, not negative.
    """

    documents: NDArray[np.int64]
    nats: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, nats_N: ArrayLike, weights_N: ArrayLike, documents_N: ArrayLike | None = None) -> Self:
        """Return a checked reading; documents are numbered in order unless told.

        Raises:
            DiagnoseError: shapes differ, a loss is not finite, or weights are negative or zero in sum.
        """
        nats, weights = np.asarray(nats_N, dtype=np.float64), np.asarray(weights_N, dtype=np.float64)
        given = np.arange(nats.size) if documents_N is None else np.asarray(documents_N, dtype=np.int64)
        if nats.ndim != 1 or not nats.shape == weights.shape == given.shape:
            raise DiagnoseError(f"a reading needs as many losses {nats.shape} as weights {weights.shape} and documents")
        if not np.isfinite(nats).all():
            raise DiagnoseError(f"{int((~np.isfinite(nats)).sum())} of {nats.size} documents have no finite loss")
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
            raise DiagnoseError("the weights of a reading must be finite, not negative and above 0 in sum")
        ids, place_N = np.unique(given, return_inverse=True)
        return cls(ids, _per_document(nats, place_N, len(ids)), _per_document(weights, place_N, len(ids)))

    @property
    def mean(self) -> float:
        """Sum of nats over sum of weights."""
        return float(self.nats.sum() / self.weights.sum())

    def only(self, documents: NDArray[np.int64]) -> Reading | None:
        """Return the part that lies in these documents; None where it holds none of them."""
        chosen = np.isin(self.documents, documents) & (self.weights > 0)
        return Reading(self.documents[chosen], self.nats[chosen], self.weights[chosen]) if chosen.any() else None

    def influences(self) -> NDArray[np.float64] | None:
        """Return by how much each document moves the mean (jackknife); None for a single document.

        The sum of their squares estimates the mean's variance. A document that holds the share h of the
        weights pulls the mean towards itself; dividing by 1 - h undoes that. With equal weights this is s^2 /
        n exactly.
        """
        if int((self.weights > 0).sum()) < 2:
            return None
        total = self.weights.sum()
        residual_N = (self.nats - self.mean * self.weights) / (total - self.weights)
        return np.asarray(residual_N * np.sqrt(1 - 1 / len(residual_N)))


def _per_document(parts: NDArray[np.float64], place: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(place, parts, count), dtype=np.float64)


def combination(readings: Sequence[Reading], factors: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Return sum(factor * mean of reading) with an interval over documents.

    Every term of a ledger is such a combination: a difference of two readings, or a Shapley value's average
    of differences. Documents in the same set of readings form a stratum; the degrees of freedom are
    Satterthwaite's over strata, each with its effective number of documents (Kish) - 1. So the same documents
    read twice are compared as pairs, different ones as Welch does, and a mixture as it should be; the very
    same reading twice gives exactly 0. No interval (None) where a reading has fewer than two documents with
    weight.

    Raises:
        DiagnoseError: not as many factors as readings, or none.
    """
    if not readings or len(readings) != len(factors):
        raise DiagnoseError(f"a combination needs a factor for each reading, not {len(factors)} for {len(readings)}")
    value = float(sum(f * r.mean for r, f in zip(readings, factors, strict=True)))
    influences = [r.influences() for r in readings]
    parts = [f * u for u, f in zip(influences, factors, strict=True) if u is not None]
    if len(parts) < len(readings):
        return Interval(value, None, None, None, None)
    ids = np.unique(np.concatenate([r.documents for r in readings]))
    influence_N, share_N, member_N = np.zeros(len(ids)), np.zeros(len(ids)), np.zeros(len(ids), dtype=object)
    for k, (reading, part_N) in enumerate(zip(readings, parts, strict=True)):
        at = np.searchsorted(ids, reading.documents)
        influence_N[at] += part_N
        share_N[at] += abs(factors[k]) * reading.weights / reading.weights.sum()
        member_N[at] += 1 << k
    se, df = _spread(influence_N, share_N, member_N)
    return Interval.around(value, float(t_quantile(confidence, df) * se), se, df)


def _spread(
    influence_N: NDArray[np.float64], share_N: NDArray[np.float64], member_N: NDArray[np.object_]
) -> tuple[float, float]:
    """Return the standard error and Satterthwaite's degrees of freedom over strata of equal membership."""
    variances, below = 0.0, 0.0
    strata = [member_N == m for m in set(member_N.tolist())]
    for stratum_N in strata:
        variance = float((influence_N[stratum_N] ** 2).sum())
        below += variance**2 / effective_df(share_N[stratum_N])
        variances += variance
    df = variances**2 / below if below > 0 else float(len(influence_N) - 1)
    return float(np.sqrt(variances)), float(df)


def effective_df(weights_N: NDArray[np.float64]) -> float:
    """Return the effective number of documents (sum^2 / sum of squares, Kish 1965) - 1, at least 1."""
    squares = float((weights_N**2).sum())
    return max(float(weights_N.sum()) ** 2 / squares - 1, 1.0) if squares > 0 else 1.0


def ratio_interval(
    nats_N: ArrayLike, weights_N: ArrayLike, *, blocks_N: ArrayLike | None = None, confidence: float = 0.95
) -> Interval:
    """Return sum(nats) / sum(weights) with an interval over documents, or over blocks of them.

    Args:
        nats_N: summed loss of each document.
        weights_N: its tokens (or bytes, sequences).
        blocks_N: the block of each document, where neighbours are alike (see `in_blocks`).
        confidence: of the interval.
    """
    return combination([Reading.of(nats_N, weights_N, blocks_N)], [1.0], confidence=confidence)


def paired_ratio_interval(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    *,
    blocks_N: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Return the mean of `second` minus that of `first`, both (nats_N, weights_N) of the same documents.

    Raises:
        DiagnoseError: the readings have different numbers of documents.
    """
    if np.shape(first[0]) != np.shape(second[0]):
        raise DiagnoseError(
            f"paired readings need the same documents, not {np.shape(first[0])} and {np.shape(second[0])}"
        )
    readings = [Reading.of(*first, blocks_N), Reading.of(*second, blocks_N)]
    return combination(readings, [-1.0, 1.0], confidence=confidence)


def two_sample_interval(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, confidence: float = 0.95
) -> Interval:
    """Return the mean of `second` minus that of `first`, (nats_N, weights_N) of different documents."""
    left, right = Reading.of(*first), Reading.of(*second)
    apart = Reading(right.documents + len(left.documents), right.nats, right.weights)
    return combination([left, apart], [-1.0, 1.0], confidence=confidence)


def in_blocks(count: int, size: int) -> NDArray[np.int64]:
    """Return the block of each of `count` documents: `size` neighbours each, the last takes the rest.

    Raises:
        DiagnoseError: a size below 1.
    """
    if size < 1:
        raise DiagnoseError(f"a block holds at least one document, not {size}")
    return np.minimum(np.arange(count) // size, max(count // size - 1, 0)).astype(np.int64)

"""Interpolated modified Kneser-Ney n-grams of every order at once (Chen & Goodman 1998), by sorting alone.

An n-gram of order k is named by a dense id, the rank of (id of its first k - 1 symbols, its last symbol). So the
types of an order are one sorted array, a context's n-grams are neighbours in it, and new text is looked up by binary
search. A document begins with a mark that is context only and ends with one that is predicted; no context reaches
into another document.

The highest order counts occurrences; a lower order counts the distinct symbols before an n-gram, but for n-grams that
open a document, before which nothing can stand: these keep their occurrences (as KenLM does). Three discounts an order
follow from its counts of counts; where these are degenerate (a count of counts is zero, or a discount leaves (0, i])
they are 0.5, 1 and 1.5. The lowest order is interpolated with the uniform distribution over the vocabulary.

Shapes: T positions, K n-grams of an order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

FALLBACK = (0.5, 1.0, 1.5)
UNSEEN = -1


@dataclass(frozen=True)
class Text:
    """Documents as symbols, end to end: each opens with the mark `size` (context only) and ends with `size - 1`.

    Attributes:
        symbols_T: int64; 0 to size - 2 are the vocabulary's own.
        document_T: which document.
        size: symbols that can be predicted, the end mark included.
    """

    symbols_T: Ints
    document_T: Ints
    size: int

    @classmethod
    def of(cls, documents: Sequence[Ints], size: int) -> Text:
        """Return documents of symbols below `size - 1` with their marks."""
        begin, end = np.array([size]), np.array([size - 1])
        parts = [part for document in documents for part in (begin, document, end)]
        counts = [len(document) + 2 for document in documents]
        symbols = np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)
        return cls(symbols, np.repeat(np.arange(len(documents)), counts), size)

    @property
    def targets_T(self) -> NDArray[np.bool_]:
        """Which positions are predicted."""
        return self.symbols_T != self.size


@dataclass(frozen=True)
class _Weights:
    """What an order's counts come to: discounted counts of its n-grams, and sum and left-over mass of each context."""

    left_K: Floats
    sum_C: Floats
    spare_C: Floats


@dataclass(frozen=True)
class _Order:
    """The n-grams of an order: sorted keys, and the weights by occurrences and by distinct symbols before."""

    keys_K: Ints
    contexts: int
    raw: _Weights
    lower: _Weights


class Model:
    """Counts of some text, from which n-grams of every order up to `most` predict."""

    def __init__(self, text: Text, most: int) -> None:
        self.size, self.most = text.size, most
        self.orders = _orders(text, most)

    def bits(self, text: Text, order: int) -> Floats:
        """Return the bits of each position under the n-grams of an order; 0 where nothing is predicted, (T,)."""
        return self.all_bits(text, [order])[order]

    def all_bits(self, text: Text, wanted: Sequence[int]) -> dict[int, Floats]:
        """Return the bits of each position for several orders, from one walk.

        Raises:
            ValueError: an order above `most` or below 1.
        """
        if not all(1 <= order <= self.most for order in wanted):
            raise ValueError(f"orders go from 1 to {self.most}")
        target_T = text.targets_T
        lower_T = np.full(len(target_T), 1.0 / self.size)
        ids_T = np.where(target_T, UNSEEN, 0)  # of the context before: the empty one for order 1
        found: dict[int, Floats] = {}
        context_T = np.zeros(len(target_T), np.int64)
        reached_T = target_T
        for k, order in enumerate(self.orders, 1):
            if k > 1:
                context_T, reached_T = _before(ids_T, reached_T, text, first=k == 2)
            place_T = _places(order.keys_K, context_T, text.symbols_T, self.size)
            place_T[~target_T | ~reached_T] = UNSEEN
            top_T = _interpolated(order.raw, context_T, place_T, lower_T, reached_T)
            if k in wanted:
                found[k] = np.where(target_T, -np.log2(top_T), 0.0)
            if k == len(self.orders):
                break
            lower_T = _interpolated(order.lower, context_T, place_T, lower_T, reached_T)
            ids_T = place_T
            if k == 1:
                ids_T = np.where(text.symbols_T == self.size, len(order.keys_K), place_T)
        return found


def _before(ids_T: Ints, reached_T: NDArray[np.bool_], text: Text, *, first: bool) -> tuple[Ints, NDArray[np.bool_]]:
    """Return each position's context (the n-gram that ends right before it), and where a document is that long."""
    context_T = np.full(len(ids_T), UNSEEN, np.int64)
    context_T[1:] = ids_T[:-1]
    inside_T = text.targets_T.copy()
    if not first:
        before_T = np.zeros(len(ids_T), bool)
        before_T[1:] = reached_T[:-1]
        inside_T &= before_T
    context_T[~inside_T] = UNSEEN
    return context_T, inside_T


def _places(keys_K: Ints, context_T: Ints, symbols_T: Ints, size: int) -> Ints:
    """Return the id of each n-gram, or UNSEEN."""
    wanted_T = np.where(context_T >= 0, context_T * (size + 1) + symbols_T, UNSEEN)
    place_T = np.minimum(np.searchsorted(keys_K, wanted_T), max(len(keys_K) - 1, 0))
    if not len(keys_K):
        return np.full(len(wanted_T), UNSEEN, np.int64)
    return np.where(keys_K[place_T] == wanted_T, place_T, UNSEEN)


def _interpolated(
    weights: _Weights, context_T: Ints, place_T: Ints, lower_T: Floats, reached_T: NDArray[np.bool_]
) -> Floats:
    """Return discounted share + left-over mass x lower order; the lower order alone after a context never seen."""
    known_T = reached_T & (context_T >= 0)
    known_T[known_T] = weights.sum_C[context_T[known_T]] > 0
    sum_T = weights.sum_C[context_T[known_T]]
    place = place_T[known_T]
    left_T = np.where(place >= 0, weights.left_K[place] if len(weights.left_K) else 0.0, 0.0)
    out = lower_T.copy()
    out[known_T] = (left_T + weights.spare_C[context_T[known_T]] * lower_T[known_T]) / sum_T
    return out


def _orders(text: Text, most: int) -> list[_Order]:
    """Count every order: ids of the n-grams that end at each position, from those one shorter."""
    size = text.size
    target_T = text.targets_T
    contexts, opens_C = 1, np.array([False])
    context_T = np.where(target_T, 0, UNSEEN)
    counted: list[tuple[Ints, Ints, int, Ints, NDArray[np.bool_]]] = []
    places: list[Ints] = []
    for k in range(1, most + 1):
        at = np.flatnonzero(context_T >= 0)
        keys_K, first, inverse, counts_K = np.unique(
            context_T[at] * (size + 1) + text.symbols_T[at], return_index=True, return_inverse=True, return_counts=True
        )
        opens_K = opens_C[keys_K // (size + 1)]
        ids_T = np.full(len(target_T), UNSEEN, np.int64)
        ids_T[at] = inverse
        counted.append((keys_K, counts_K, contexts, at[first], opens_K))
        places.append(ids_T)
        here_T = ids_T if k > 1 else np.where(target_T, ids_T, len(keys_K))
        context_T = np.full(len(target_T), UNSEEN, np.int64)
        context_T[1:] = np.where(target_T[1:], here_T[:-1], UNSEEN)
        contexts = len(keys_K) + (k == 1)
        opens_C = np.append(opens_K, True) if k == 1 else opens_K
    return [_order(counted, places, k, size) for k in range(most)]


def _order(
    counted: list[tuple[Ints, Ints, int, Ints, NDArray[np.bool_]]], places: list[Ints], k: int, size: int
) -> _Order:
    keys_K, counts_K, contexts, _, opens_K = counted[k]
    context_K = keys_K // (size + 1)
    raw = _weights(counts_K, context_K, contexts)
    if k + 1 == len(counted):
        return _Order(keys_K, contexts, raw, raw)
    longer = counted[k + 1][3]  # where each n-gram one longer ends first; what ends there is its own end
    distinct_K = np.bincount(places[k][longer], minlength=len(keys_K))
    return _Order(keys_K, contexts, raw, _weights(np.where(opens_K, counts_K, distinct_K), context_K, contexts))


def discounts(counts_K: Ints) -> tuple[float, float, float]:
    """Return the three discounts of an order (Chen & Goodman 1998, equation 26), or `FALLBACK`."""
    n1, n2, n3, n4 = (int((counts_K == i).sum()) for i in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return FALLBACK
    share = n1 / (n1 + 2 * n2)
    found = (1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3)
    return found if all(0 < d <= i for i, d in enumerate(found, 1)) else FALLBACK


def _weights(counts_K: Ints, context_K: Ints, contexts: int) -> _Weights:
    off = np.array([0.0, *discounts(counts_K)])[np.minimum(counts_K, 3)]
    sum_C = np.bincount(context_K, counts_K, contexts)
    return _Weights(counts_K - off, sum_C, np.bincount(context_K, off, contexts))

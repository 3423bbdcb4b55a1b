"""N-grams with interpolated modified Kneser-Ney smoothing (Chen & Goodman 1998, equation 27).

    p(w | c) = max(count(c w) - D(count), 0) / total(c) + (D1 N1(c) + D2 N2(c) + D3 N3(c)) / total(c) * p(w | c')

The longest context uses counts of occurrences, each shorter one the number of different symbols that precede what it
counts; below the shortest lies the uniform distribution over the vocabulary. D1, D2 and D3+ come from counts of counts.
A context that was never seen leaves the word to the next shorter one.

Every gram is a number: the number of the gram without its last symbol, times the size of the vocabulary, plus that
symbol, ranked. So a million symbols take a sort for each order and no loop over grams.

Shapes: P positions of a text, G different grams of an order, C their contexts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

FALLBACK = (0.5, 1.0, 1.5)  # discounts where too few counts are there to estimate them


@dataclass(frozen=True)
class MarkedSequences:
    """Sequences laid end to end, each opened by as many marks as a context is long and closed by one.

    Attributes:
        symbols_P: the mark is the vocabulary's last symbol.
        scored_P: which positions are predicted: all but the opening marks.
        sequence_P: the sequence of each position.
    """

    symbols_P: Ints
    scored_P: NDArray[np.bool_]
    sequence_P: Ints


def laid_out(sequences: Sequence[Ints], size: int, longest: int) -> MarkedSequences:
    """Lay sequences of symbols out for contexts of up to `longest` symbols.

    Args:
        sequences: symbols below `size - 1`.
        size: of the vocabulary, the mark included.
        longest: symbols of the longest context.
    """
    mark, before = size - 1, max(1, longest)
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    starts = np.cumsum(lengths + before + 1) - (lengths + before + 1)
    symbols_P = np.full(int((lengths + before + 1).sum()), mark, np.int64)
    scored_P = np.ones(len(symbols_P), bool)
    inside = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    if len(inside):
        symbols_P[np.repeat(starts + before, lengths) + inside] = np.concatenate(list(sequences))
    scored_P[(starts[:, None] + np.arange(before)).ravel()] = False
    return MarkedSequences(symbols_P, scored_P, np.repeat(np.arange(len(sequences)), lengths + before + 1))


@dataclass(frozen=True)
class Counts:
    """How often the grams of one order were seen, and what their contexts come to.

    Attributes:
        keys_G: sorted; a gram's context times the vocabulary plus its last symbol.
        discounted_G: count less its discount, over the context's total.
        left_C: what the discounts leave to the next shorter context; NaN for a context that was never seen.
    """

    keys_G: Ints
    discounted_G: Floats
    left_C: Floats


@dataclass(frozen=True)
class KneserNey:
    """Kneser-Ney models of every order up to one; all share the counts of shorter contexts.

    Attributes:
        size: of the vocabulary, the mark included.
        grams: by order from 1 on, sorted keys of all grams, contexts of opening marks included.
        whole: by order, counts of occurrences, for the model of that order.
        continued: by order, numbers of preceding symbols, for the models of higher orders.
    """

    size: int
    grams: tuple[Ints, ...]
    whole: tuple[Counts, ...]
    continued: tuple[Counts, ...]

    @property
    def orders(self) -> int:
        """The highest order: symbols of its longest gram."""
        return len(self.whole)


def learn(sequences: Sequence[Ints], size: int, orders: int) -> KneserNey:
    """Count sequences.

    Args:
        sequences: symbols below `size - 1`, which is the mark that closes each.
        size: of the vocabulary.
        orders: of the longest gram.
    """
    text = laid_out(sequences, size, orders - 1)
    grams, whole, continued = [], [], []
    ids = [np.zeros(len(text.symbols_P), np.int64)]  # of the gram that ends at each position, by order
    for order in range(1, orders + 1):
        keys_P = _before(ids[-1]) * size + text.symbols_P
        unique, numbers_P = np.unique(keys_P, return_inverse=True)
        grams.append(unique)
        contexts = len(grams[-2]) if order > 1 else 1
        seen, counts = np.unique(keys_P[text.scored_P], return_counts=True)
        whole.append(_counted(seen, counts, size, contexts))
        if order > 1:  # the grams of the order before, by how many symbols precede them
            first = np.unique(keys_P[text.scored_P], return_index=True)[1]
            place = np.flatnonzero(text.scored_P)[first]
            shorter = _before(ids[-2])[place] * size + text.symbols_P[place]
            seen, counts = np.unique(shorter, return_counts=True)
            continued.append(_counted(seen, counts, size, len(grams[-3]) if order > 2 else 1))
        ids.append(numbers_P)
    return KneserNey(size, tuple(grams), tuple(whole), tuple(continued))


def _before(ids_P: Ints) -> Ints:
    """Return what ends one position before each; nothing is predicted at the first."""
    return np.concatenate([ids_P[:1], ids_P[:-1]])


def _counted(keys_G: Ints, counts_G: Ints, size: int, contexts: int) -> Counts:
    discounts = np.array([0.0, *_discounts(counts_G)])
    kind_G = np.minimum(counts_G, 3)
    context_G = keys_G // size
    total_C = np.bincount(context_G, counts_G, contexts)
    taken_C = np.bincount(context_G, discounts[kind_G], contexts)
    with np.errstate(invalid="ignore"):
        left_C = taken_C / total_C
    return Counts(keys_G, (counts_G - discounts[kind_G]) / total_C[context_G], left_C)


def _discounts(counts_G: Ints) -> tuple[float, float, float]:
    """Return D1, D2 and D3+ (Chen & Goodman's equation 26); the fallback where a count of counts is missing."""
    n1, n2, n3, n4 = (int((counts_G == k).sum()) for k in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return FALLBACK
    y = n1 / (n1 + 2 * n2)
    discounts = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return discounts if all(0 < d <= k for k, d in enumerate(discounts, 1)) else FALLBACK


def nats(model: KneserNey, sequences: Sequence[Ints], orders: Iterable[int]) -> dict[int, Floats]:
    """Return what each sequence costs under the models of some orders, its closing mark included, in nats.

    Args:
        model: from `learn`.
        sequences: symbols below the mark.
        orders: at most the model's.
    """
    text = laid_out(sequences, model.size, model.orders - 1)
    by_order = {}
    for order, p_P in _probabilities(model, text):
        if order in set(orders):
            bits = -np.log(p_P[text.scored_P])
            by_order[order] = np.bincount(text.sequence_P[text.scored_P], bits, len(sequences)).astype(np.float64)
    return by_order


def distribution(model: KneserNey, context: Sequence[int], order: int) -> Floats:
    """Return the probability of every symbol after a context, the mark's last.

    Args:
        model: from `learn`.
        context: symbols before it, from the beginning of the sequence.
        order: of the model that is asked.
    """
    given = np.asarray(context, np.int64)
    text = laid_out([np.append(given, w) for w in range(model.size)], model.size, model.orders - 1)
    asked = np.flatnonzero(text.scored_P).reshape(model.size, -1)[:, len(given)]
    return next(p_P[asked] for number, p_P in _probabilities(model, text) if number == order)


def _probabilities(model: KneserNey, text: MarkedSequences) -> Iterable[tuple[int, Floats]]:
    """Yield each order with the probability of each position's symbol under its model."""
    lower_P = np.full(len(text.symbols_P), 1 / model.size)
    ids_P = np.zeros(len(text.symbols_P), np.int64)
    for order in range(1, model.orders + 1):
        context_P = _before(ids_P)
        keys_P = np.where(context_P < 0, -1, context_P * model.size + text.symbols_P)
        yield order, _interpolated(model.whole[order - 1], keys_P, context_P, lower_P)
        if order < model.orders:
            lower_P = _interpolated(model.continued[order - 1], keys_P, context_P, lower_P)
            ids_P = _found(model.grams[order - 1], keys_P)


def _interpolated(counts: Counts, keys_P: Ints, context_P: Ints, lower_P: Floats) -> Floats:
    place_P = _found(counts.keys_G, keys_P)
    left_P = np.where(context_P < 0, np.nan, counts.left_C[context_P])
    own_P = np.where(place_P < 0, 0.0, counts.discounted_G[place_P])
    mixed_P: Floats = np.where(np.isnan(left_P), lower_P, own_P + left_P * lower_P)
    return mixed_P


def _found(sorted_G: Ints, keys_P: Ints) -> Ints:
    """Return where each key lies among sorted ones; -1 where it does not."""
    place_P = np.searchsorted(sorted_G, keys_P).clip(max=len(sorted_G) - 1)
    return np.where(sorted_G[place_P] == keys_P, place_P, -1)

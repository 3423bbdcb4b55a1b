"""How hard documents are without the network: bigrams of all other documents, each document left out of its counts.

`leak` compares documents that training has seen with others that it has not; if these are harder or easier in
themselves, that shows here, where nothing has been trained on either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose import random as seeding
from diagnose.stats import Reading, combination

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.gap.run.run import FinishedRun
    from diagnose.stats import Interval

MOST_TOKENS = 1 << 21  # that are counted
MOST_DOCUMENTS = 2000  # that are scored, of either set
SHARE = 0.7  # of the bigram in the mixture; the unigram has the rest
ADDED = 0.05  # to every count of a unigram, so that no token is impossible


def difficulty(finished: FinishedRun, seen: NDArray[np.int64], unseen: NDArray[np.int64]) -> Interval:
    """Return how much harder the first documents are than the second, in nats per token, with an interval.

    Args:
        finished: the run, for its tokens.
        seen: documents that training holds.
        unseen: documents that it does not.
    """
    text = finished.setup.text
    known = np.unique(np.concatenate([text.split.train, text.split.reserve, text.split.val]))
    counts = _Counts(text.stream.tokens, text.stream.starts, _some(known, len(known)), text.vocabulary)
    first, second = (_reading(counts, _some(documents, MOST_DOCUMENTS)) for documents in (seen, unseen))
    return combination([second, first], [-1.0, 1.0])


def _some(documents: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return documents in a random order, at most so many."""
    order = seeding.generator(0, "yardstick", len(documents)).permutation(len(documents))
    return documents[order[:most]]


class _Counts:
    """Counts of tokens and of pairs over some documents, the opening mark of each included."""

    def __init__(
        self, tokens: NDArray[np.signedinteger], starts: NDArray[np.int64], documents: NDArray[np.int64], size: int
    ) -> None:
        self.tokens, self.starts, self.size = tokens, starts, size
        ends = np.cumsum(starts[documents + 1] - starts[documents])
        self.counted = documents[: max(1, int(np.searchsorted(ends, MOST_TOKENS)))]
        self.holds = set(self.counted.tolist()).__contains__
        pairs = np.concatenate([self.pairs(int(d)) for d in self.counted])
        self.pair_ids, self.pair_counts = np.unique(pairs, return_counts=True)
        self.before_V = np.bincount(pairs // size, minlength=size).astype(float)
        self.token_V = np.bincount(pairs % size, minlength=size).astype(float)

    def pairs(self, document: int) -> NDArray[np.int64]:
        """Return each target of a document with the token before it, as one number."""
        part = np.asarray(self.tokens[self.starts[document] : self.starts[document + 1] + 1], dtype=np.int64)
        return part[:-1] * self.size + part[1:]

    def nats(self, document: int) -> float:
        """Return the nats of a document under the counts of all others."""
        pairs = self.pairs(document)
        before, target = pairs // self.size, pairs % self.size
        counted = float(self.holds(document))
        distinct, place, times = np.unique(pairs, return_inverse=True, return_counts=True)
        at = np.searchsorted(self.pair_ids, distinct).clip(max=len(self.pair_ids) - 1)
        together = np.where(self.pair_ids[at] == distinct, self.pair_counts[at], 0.0)[place] - counted * times[place]
        alone = self.token_V[target] - counted * np.bincount(target, minlength=self.size)[target]
        preceded = self.before_V[before] - counted * np.bincount(before, minlength=self.size)[before]
        single = (alone + ADDED) / (self.token_V.sum() - counted * len(pairs) + ADDED * self.size)
        mixed = SHARE * together / np.maximum(preceded, 1) + np.where(preceded > 0, 1 - SHARE, 1.0) * single
        return float(-np.log(mixed).sum())


def _reading(counts: _Counts, documents: NDArray[np.int64]) -> Reading:
    nats = [counts.nats(int(d)) for d in documents]
    return Reading.of(nats, (counts.starts[documents + 1] - counts.starts[documents]).astype(float), documents)

"""The training and the scored text of a split, or as much of it as is quickly counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diagnose import random as seeding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.data.corpus import Corpus
    from diagnose.data.split import Split

MOST_TRAIN, MOST_SCORED = 1 << 23, 1 << 20  # bytes that are taken of a larger corpus: documents at random
BLOCKS = 50  # of adjacent documents, that intervals of compressors stand on


@dataclass(frozen=True)
class Excerpt:
    """The text that baselines are given.

    Attributes:
        train: documents as UTF-8.
        scored: likewise.
        whole: whether that is all there is; of a larger corpus, documents at random.
        ordered: whether neighbours may be alike, for the split takes the corpus' last part.
    """

    train: list[bytes]
    scored: list[bytes]
    whole: bool
    ordered: bool

    @property
    def sizes_N(self) -> NDArray[np.float64]:
        """UTF-8 bytes of each scored document."""
        return np.array([len(document) for document in self.scored], np.float64)

    @property
    def blocks_N(self) -> NDArray[np.int64]:
        """The block of adjacent documents that each scored one is in."""
        count = len(self.scored)
        return np.arange(count) * min(BLOCKS, count) // count


def excerpt(corpus: Corpus, split: Split) -> Excerpt:
    """Take the training and the scored documents of a split, or as many of them as are quickly counted."""
    texts = [_cut(corpus, _some(corpus, documents, most), most) for documents, most in _sides(split)]
    return Excerpt(texts[0], texts[1], fits(corpus, split), split.kind == "tail")


def _some(corpus: Corpus, documents: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return documents in their order, as many at random as fit; at least one."""
    if corpus.size(documents) <= most:
        return documents
    order = seeding.generator(0, "yardstick", len(documents)).permutation(len(documents))
    fits = np.cumsum(corpus.sizes(documents[order])) <= most
    return documents[np.sort(order[: max(1, int(fits.argmin()))])]


def _cut(corpus: Corpus, documents: NDArray[np.int64], most: int) -> list[bytes]:
    """Return documents as UTF-8; of one that alone is too long, its beginning."""
    if len(documents) > 1 or corpus.size(documents) <= most:
        return list(corpus.raw(documents))
    data = next(part for part, _, _ in corpus.parts(documents, most))
    return [data]


def fits(corpus: Corpus, split: Split) -> bool:
    """Say whether the excerpt is all there is."""
    return all(corpus.size(documents) <= most for documents, most in _sides(split))


def _sides(split: Split) -> tuple[tuple[NDArray[np.int64], int], ...]:
    return (split.train, MOST_TRAIN), (split.scored, MOST_SCORED)

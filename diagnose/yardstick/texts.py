"""The two sides of a yardstick: what may be learned from and what is scored, as UTF-8, at most so much of either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diagnose import seeding
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.corpus import Corpus
    from diagnose.split import Split

MOST_TRAIN = 1 << 24  # bytes that are learned from; the bundled corpus has 4 MB
MOST_SCORED = 1 << 20  # bytes that are scored
NEWLINE, NEVER = b"\n", b"\xff"  # the second occurs in no UTF-8


@dataclass(frozen=True)
class Texts:
    """Documents in the order of the corpus.

    Attributes:
        train, scored: their UTF-8.
        sampled: whether either is a sample, because the corpus holds more than is read.
    """

    train: tuple[bytes, ...]
    scored: tuple[bytes, ...]
    sampled: bool

    @property
    def bytes_N(self) -> NDArray[np.int64]:
        """UTF-8 bytes of each scored document."""
        return np.array([len(document) for document in self.scored], np.int64)

    @property
    def mark(self) -> bytes:
        """What ends a document for a compressor: a newline, or (a document holds one) a byte that no text can hold."""
        return NEVER if any(NEWLINE in document for side in (self.train, self.scored) for document in side) else NEWLINE


def texts(corpus: Corpus, split: Split) -> Texts:
    """Return both sides; of more than `MOST_TRAIN` or `MOST_SCORED` bytes, documents drawn at random.

    Raises:
        DiagnoseError: a side holds no text.
    """
    train, less = _some(corpus, split.train, MOST_TRAIN)
    scored, fewer = _some(corpus, split.scored, MOST_SCORED)
    found = Texts(tuple(corpus.raw(train)), tuple(corpus.raw(scored)), less or fewer)
    if not any(found.train) or not any(found.scored):
        raise DiagnoseError(f"{corpus.name} leaves no text to learn from or none to score; give more documents")
    return found


def _some(corpus: Corpus, documents: NDArray[np.int64], most: int) -> tuple[NDArray[np.int64], bool]:
    sizes = corpus.doc_bytes[documents]
    if int(sizes.sum()) <= most:
        return documents, False
    order = seeding.generator(0, "yardstick", len(documents)).permutation(len(documents))
    kept = order[np.cumsum(sizes[order]) <= most]
    if not len(kept):
        raise DiagnoseError(
            f"the first documents of {corpus.name} are longer than the {most >> 20} MiB that a yardstick reads; "
            "try data.documents = line or paragraph"
        )
    return documents[np.sort(kept)], True

"""Which documents occur in the training text: the same text, or most of their passages of 32 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from diagnose.data.overlap import NEAR, WINDOW, window_hashes
from diagnose.data.readers import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.data.corpus import Corpus

HASHES = 1 << 23  # passages held at most; of more, one in two, four, ... (chosen by the hash: the same on both sides)


@dataclass(frozen=True)
class SeenDocuments:
    """What documents share with the training text, one entry a document.

    Attributes:
        documents: the corpus's numbers, sorted.
        exact: whether the document's text is a training document's.
        share: share of its passages that occur there; 0 where it is shorter than one.
    """

    documents: NDArray[np.int64]
    exact: NDArray[np.bool_]
    share: NDArray[np.float64]

    @property
    def near(self) -> NDArray[np.bool_]:
        """Whether at least half of the passages occur there, in a document that is not the same."""
        return ~self.exact & (self.share >= NEAR)

    @property
    def unseen(self) -> NDArray[np.int64]:
        """The documents that neither are training documents nor nearly so."""
        return self.documents[~self.exact & ~self.near]

    def among(self, documents: NDArray[np.int64]) -> SeenDocuments:
        """Return what is known of some of the documents."""
        kept = np.isin(self.documents, documents)
        return SeenDocuments(self.documents[kept], self.exact[kept], self.share[kept])


def seen(corpus: Corpus, train: NDArray[np.int64], documents: NDArray[np.int64]) -> SeenDocuments:
    """Look documents up in the training text, both given by the corpus's numbers."""
    documents, train = np.unique(documents), np.unique(train)
    size = int(corpus.doc_bytes[documents].sum())
    sampled = 1 << max(0, (size - 1) // HASHES).bit_length()
    found = list(_passages(corpus, documents, sampled))
    owner = np.concatenate([index for index, _ in found]) if found else np.zeros(0, np.int64)
    hashes = np.concatenate([part for _, part in found]) if found else np.zeros(0, np.uint64)
    distinct, place = np.unique(hashes, return_inverse=True)
    known = np.zeros(len(distinct), bool)
    for _, others in _passages(corpus, train, sampled) if len(distinct) else ():
        known |= np.isin(distinct, others)
    total = np.bincount(owner, minlength=len(documents))
    share = np.bincount(owner, weights=known[place], minlength=len(documents)) / np.maximum(total, 1)
    wanted = _digests(corpus, documents)
    exact = np.isin(np.array(wanted), list(set(wanted) & set(_digests(corpus, train))))
    return SeenDocuments(documents, exact, share)


def _digests(corpus: Corpus, documents: NDArray[np.int64]) -> list[bytes]:
    return [blake2b(text, digest_size=8).hexdigest().encode() for text in corpus.raw(documents)]


def _passages(
    corpus: Corpus, documents: NDArray[np.int64], sampled: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint64]]]:
    """Yield the place in `documents` and the hash of each sampled passage, a mebibyte of text at a time."""
    for texts, first in _blocks(corpus, documents):
        ends = np.cumsum([len(text) for text in texts])
        hashes = window_hashes(np.frombuffer(b"".join(texts), np.uint8))
        kept = np.flatnonzero((hashes & np.uint64(sampled - 1)) == 0)
        part = np.searchsorted(ends, kept, "right")
        within = kept + WINDOW <= ends[part]
        yield first + part[within], hashes[kept[within]]


def _blocks(corpus: Corpus, documents: NDArray[np.int64]) -> Iterator[tuple[list[bytes], int]]:
    held: list[bytes] = []
    first = size = 0
    for number, text in enumerate(corpus.raw(documents)):
        held.append(text)
        size += len(text)
        if size > CHUNK:
            yield held, first
            held, first, size = [], number + 1, 0
    if held:
        yield held, first

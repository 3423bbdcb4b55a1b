"""How much validation text occurs in the training text: whole documents, and passages of 32 bytes.

Passages are compared by 64-bit hashes. All passages of a corpus of some megabytes are; of a larger one a
sample, chosen by the hash itself, so that a passage is in the sample of both sides or of neither (as in
Broder 1997).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from diagnose import random as seeding
from diagnose.data.cache import digest, entry
from diagnose.data.readers import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from diagnose.data.corpus import Corpus
    from diagnose.data.split import Split

FORMAT = 4  # of the counts in the cache; part of their key
DOUBLINGS = 5
WINDOW = 1 << DOUBLINGS  # bytes of a passage
BLOCK = 1 << 17  # bytes hashed at a time; their hashes fit a processor's cache
HASHES = 1 << 23  # passages compared; of more, one in two, four or eight
SPARSEST = 8  # a sentence of 130 bytes keeps a dozen passages
LOOKED_UP = 1 << 23  # bytes of text whose passages are looked up
NEAR = 0.5  # share of a document's passages in one training document that makes it a near-duplicate
CHECKED = 2048  # documents at most of which it is looked up in which training document their passages are
COMMON = 256  # of these that share a passage: it is a phrase of the text, and tells no copy

_RNG = seeding.generator(0, "overlap")
_BYTE = _RNG.integers(1, 1 << 63, 256, np.uint64)  # a random number for each byte
_FACTORS = _RNG.integers(1, 1 << 62, DOUBLINGS + 1, np.uint64) * np.uint64(2) + np.uint64(1)


@dataclass(frozen=True)
class TextOverlap:
    """What a set of documents shares with the training text.

    Attributes:
        val_documents: how many documents were looked up.
        exact: those whose text is a training document's.
        near: further ones of whose passages at least half occur in one training document; scaled up from `looked_up`.
        window_share: share of all their passages that occur there; 0 where every document is shorter than
            one.
        looked_up: documents whose passages were; all, unless they hold too much text.
        window_bytes: the length of a passage.
        sampled: one passage in so many was compared.
    """

    val_documents: int
    exact: int
    near: int
    window_share: float
    looked_up: int
    window_bytes: int
    sampled: int

    def record(self) -> dict[str, int | float]:
        """Return the counts by name, for a run's record."""
        return asdict(self)


def overlap(corpus: Corpus, split: Split, cache: Path) -> TextOverlap:
    """Return what the scored documents share with the training documents, from the cache if it is there.

    Those are the validation documents; under the split "windows", where training holds every one of them, the reserve.
    """
    key = digest("overlap", FORMAT, corpus.fingerprint, split.fingerprint)

    def write(folder: Path) -> None:
        counts = shared(corpus, split.train, split.scored).record()
        (folder / "overlap.json").write_text(json.dumps(counts), encoding="utf-8")

    folder = entry(cache, "overlaps", key, write)
    return TextOverlap(**json.loads((folder / "overlap.json").read_text(encoding="utf-8")))


def shared(corpus: Corpus, train: NDArray[np.int64], documents: NDArray[np.int64]) -> TextOverlap:
    """Return what `documents` share with the documents `train`, both given by index.

    All documents are compared whole. Passages are those of all documents too, or of every second, third, ... one
    where they hold more text than `LOOKED_UP`.
    """
    every = max(1, -(-corpus.size(documents) // LOOKED_UP))
    some = documents[::every]
    size = corpus.size(train) + corpus.size(some)
    sampled = min(1 << max(0, (size - 1) // HASHES).bit_length(), SPARSEST)
    exact = _exact(corpus, train, documents)
    seen_N, total_N = _seen_passages(corpus, train, some, sampled)
    near = _near(corpus, train, some, seen_N / np.maximum(total_N, 1), exact[::every], sampled)
    return TextOverlap(
        val_documents=len(documents),
        exact=int(exact.sum()),
        near=round(int(near.sum()) * len(documents) / max(1, len(some))),
        window_share=float(seen_N.sum() / max(1, total_N.sum())),
        looked_up=len(some),
        window_bytes=WINDOW,
        sampled=sampled,
    )


@dataclass(frozen=True)
class SeenDocuments:
    """What documents (or samples) share with training, one entry each.

    Attributes:
        documents: their numbers, sorted.
        exact: whether it is a training document, the same text.
        near: whether at least half of its passages occur in one training document that is not the same.
        share: share of its passages that occur in training; 0 where it is shorter than one.
    """

    documents: NDArray[np.int64]
    exact: NDArray[np.bool_]
    near: NDArray[np.bool_]
    share: NDArray[np.float64]

    @property
    def unseen(self) -> NDArray[np.int64]:
        """The documents that neither are training documents nor nearly so."""
        return self.documents[~self.exact & ~self.near]

    def moved(self, shift: int) -> SeenDocuments:
        """Return the same of documents whose numbers are so much higher."""
        return SeenDocuments(self.documents + shift, self.exact, self.near, self.share)

    def among(self, documents: NDArray[np.int64]) -> SeenDocuments:
        """Return what is known of some of the documents."""
        inside = np.isin(self.documents, documents)
        return SeenDocuments(self.documents[inside], self.exact[inside], self.near[inside], self.share[inside])


def seen(corpus: Corpus, train: NDArray[np.int64], documents: NDArray[np.int64]) -> SeenDocuments:
    """Look each document up in the training text, both given by the corpus's numbers."""
    documents, train = np.unique(documents), np.unique(train)
    size = corpus.size(documents)
    sampled = 1 << max(0, (size - 1) // HASHES).bit_length()
    seen_N, total_N = _seen_passages(corpus, train, documents, sampled)
    exact, share = _exact(corpus, train, documents), seen_N / np.maximum(total_N, 1)
    return SeenDocuments(documents, exact, _near(corpus, train, documents, share, exact, sampled), share)


def _near(
    corpus: Corpus, train: NDArray[np.int64], documents: NDArray[np.int64], share: NDArray[np.float64],
    exact: NDArray[np.bool_], sampled: int,
) -> NDArray[np.bool_]:  # fmt: skip
    """Return which documents are nearly a training document: no other one, and half of their passages are in that one.

    In formulaic text, phrases of many training documents make up a document that is no copy of any. Of more documents
    than `CHECKED` whose passages are in training, what holds of most of a part is taken to hold of the others.
    """
    near = (share >= NEAR) & ~exact
    asked = np.flatnonzero(near)
    some = asked[:: max(1, -(-len(asked) // CHECKED))]
    if len(some):
        copies = _most_from_one(corpus, train, documents[some], sampled) >= NEAR
        near[asked] = bool(copies.mean() >= 0.5)
        near[some] = copies
    return near


def _most_from_one(
    corpus: Corpus, train: NDArray[np.int64], documents: NDArray[np.int64], sampled: int
) -> NDArray[np.float64]:
    """Return the share of each document's passages that occur in the one training document with most of them."""
    parts = [(owner, hashes) for owner, hashes in _passages(corpus, documents, sampled) if len(hashes)]
    owner, hashes = (np.concatenate(some) for some in zip(*parts, strict=True))
    distinct, place, count = np.unique(hashes, return_inverse=True, return_counts=True)
    owners, first = owner[np.argsort(place, kind="stable")], np.cumsum(count) - count
    most, open_pairs = np.zeros(len(documents), np.int64), np.zeros(0, np.int64)
    for theirs, passages in _passages(corpus, train, sampled):
        if not len(theirs):
            continue
        at = np.minimum(np.searchsorted(distinct, passages), len(distinct) - 1)
        hit = (distinct[at] == passages) & (count[at] <= COMMON)
        once = np.unique(at[hit] * len(train) + theirs[hit])  # what a document says twice counts once
        passage, by = once // len(train), once % len(train)
        times = count[passage]
        within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        pairs = owners[np.repeat(first[passage], times) + within] * len(train) + np.repeat(by, times)
        pairs = np.concatenate([open_pairs, pairs])
        goes_on = pairs % len(train) == theirs[-1]  # a long document's next passages may come with the next ones
        _raise_most(most, pairs[~goes_on], len(train))
        open_pairs = pairs[goes_on]
    _raise_most(most, open_pairs, len(train))
    return np.asarray(most / np.maximum(np.bincount(owner, minlength=len(documents)), 1))


def _raise_most(most: NDArray[np.int64], pairs: NDArray[np.int64], train_documents: int) -> None:
    """Raise each document's count to that of the training document that it shares most of these passages with."""
    both, passages = np.unique(pairs, return_counts=True)
    np.maximum.at(most, both // max(1, train_documents), passages)


def _seen_passages(
    corpus: Corpus, train: NDArray[np.int64], documents: NDArray[np.int64], sampled: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many passages of each document occur in `train`, and how many it has (N)."""
    parts = [(index, hashes) for index, hashes in _passages(corpus, documents, sampled) if len(hashes)]
    owner = np.concatenate([index for index, _ in parts]) if parts else np.zeros(0, np.int64)
    hashes = np.concatenate([part for _, part in parts]) if parts else np.zeros(0, np.uint64)
    distinct, place = np.unique(hashes, return_inverse=True)
    present = _found(distinct, (part for _, part in _passages(corpus, train, sampled)))[place]
    seen_N, total_N = (np.bincount(some, minlength=len(documents)) for some in (owner[present], owner))
    return seen_N.astype(np.int64), total_N.astype(np.int64)


def _exact(corpus: Corpus, train: NDArray[np.int64], documents: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of `documents` are also in `train`, by their text, (len(documents),)."""
    wanted = _digests(corpus, documents)
    distinct, place = np.unique(wanted, return_inverse=True)
    steps = range(0, len(train), CHUNK)
    return _found(distinct, (_digests(corpus, train[first : first + CHUNK]) for first in steps))[place]


def _digests(corpus: Corpus, indices: NDArray[np.int64]) -> NDArray[np.uint64]:
    def one(text: bytes) -> int:
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")

    return np.fromiter(map(one, corpus.raw(indices)), np.uint64, len(indices))


def _found(distinct: NDArray[np.uint64], others: Iterable[NDArray[np.uint64]]) -> NDArray[np.bool_]:
    """Return which of `distinct` (sorted) occur in any of `others`."""
    present = np.zeros(len(distinct), bool)
    for other in others:
        if len(distinct) and len(other):
            other.sort()  # neighbours in order find their places several times sooner
            place = np.minimum(np.searchsorted(distinct, other), len(distinct) - 1)
            present[place[distinct[place] == other]] = True
    return present


def _passages(
    corpus: Corpus, indices: NDArray[np.int64], sampled: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint64]]]:
    """Yield the sampled passages of documents, some mebibytes at a time.

    Yields:
        the place in `indices` of each passage's document, and its hash.
    """
    for data, ends, places in _blocks(corpus, indices):
        hashes = window_hashes(np.frombuffer(data, np.uint8))
        sampled_at = np.flatnonzero((hashes & np.uint64(sampled - 1)) == 0)
        part = np.searchsorted(ends, sampled_at, "right")
        within = sampled_at + WINDOW <= ends[part]
        yield places[part[within]], hashes[sampled_at[within]]


def _blocks(corpus: Corpus, indices: NDArray[np.int64]) -> Iterator[tuple[bytes, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield text end to end, where each part of it ends, and which of `indices` it belongs to.

    A document that comes in several parts has the last bytes of one repeated before the next, so that no
    passage is lost between them.
    """
    parts: list[bytes] = []
    ends: list[int] = []
    places: list[int] = []
    place, size, last = -1, 0, b""
    for data, _, opens in corpus.parts(indices):
        place += opens
        part = data if opens else last[-(WINDOW - 1) :] + data
        last = part
        parts.append(part)
        size += len(part)
        ends.append(size)
        places.append(place)
        if size > BLOCK:
            yield b"".join(parts), np.array(ends), np.array(places)
            parts, ends, places, size = [], [], [], 0
    if parts:
        yield b"".join(parts), np.array(ends), np.array(places)


def window_hashes(text: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of the `WINDOW` bytes from each place on; () where the text is shorter.

    Built by doubling: the hash of 2n bytes is that of the first n times a random odd number, and that of the
    next n, scrambled. Five passes over the text give windows of 32 bytes.
    """
    hashes: NDArray[np.uint64] = _BYTE[text]
    for step in range(DOUBLINGS):
        width = 1 << step
        hashes = hashes[:-width] * _FACTORS[step] + hashes[width:]
        hashes ^= hashes >> np.uint64(29)
    hashes *= _FACTORS[DOUBLINGS]
    hashes ^= hashes >> np.uint64(32)
    return hashes

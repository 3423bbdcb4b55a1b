"""Splits: which documents are trained on, which are validated on, and which are kept from both."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

import numpy as np

from diagnose import random as seeding
from diagnose.errors import DiagnoseError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.data.corpus import Corpus

KINDS = ("documents", "tail", "windows")
RESERVE_LEAST = 100  # documents: what a useful interval for unseen text takes
RESERVE_MOST = 10  # at most one document in ten
INNER_MOST = 1000  # documents scored of a divided part: enough to tell settings apart that matter
CHUNK = 1 << 16  # indices permuted at a time, in a processor's cache


class SplitSettings(Protocol):
    """The part of the recipe's table `[data]` that says how documents are divided."""

    @property
    def split(self) -> str:
        """One of `KINDS`."""

    @property
    def val_fraction(self) -> float:
        """Share of the documents that is validation text."""

    @property
    def scored(self) -> str:
        """Either "val" or "reserve": what losses are read on; "windows" can only score the reserve."""

    @property
    def reserve(self) -> float:
        """Share of the documents kept from both where the split leaks or the reserve is scored."""

    @property
    def duplicates(self) -> float:
        """Share of the validation documents copied into training."""

    @property
    def split_seed(self) -> int:
        """Seed of the permutation; the run's own seed changes nothing here."""


@dataclass(frozen=True, eq=False)
class Split:
    """Documents by their indices, int64.

    Attributes:
        kind: "documents" (at random), "tail" (the last part of the corpus is validated on) or "windows"
            (samples are divided after cutting, so that both splits hold the same documents).
        train: in the order of the corpus; copies of validation documents come last.
        val: in the order of the corpus.
        reserve: seen by neither; empty where the split does not leak and validation is scored.
        scored: the documents of the canonical reading: validation's or the reserve.
        fingerprint: 16 hex digits that stand for the corpus and all of the above.
    """

    kind: str
    train: NDArray[np.int64]
    val: NDArray[np.int64]
    reserve: NDArray[np.int64]
    scored: NDArray[np.int64]
    fingerprint: str

    @property
    def learned(self) -> NDArray[np.int64]:
        """The documents that a tokenizer may be learned from: training's."""
        return self.train

    @property
    def scored_text(self) -> str:
        """What the scored documents are called: "validation" or "reserve"."""
        return "reserve" if self.scored is self.reserve else "validation"


def split(corpus: Corpus, data: SplitSettings) -> Split:
    """Divide a corpus as a recipe's `[data]` says.

    One keyed permutation of the documents gives both the validation documents (its head) and the reserve (its
    tail). So recipes that share corpus, `split_seed` and `reserve` keep the same documents aside, whatever
    else they do, and adding duplicates leaves the validation documents as they were.

    Raises:
        DiagnoseError: there are too few documents.
    """
    if data.split not in KINDS:
        raise DiagnoseError(f"data.split = {data.split!r} is unknown{nearest(data.split, KINDS)}")
    _check_count(corpus, data)
    scores_reserve = data.split == "windows" or data.scored == "reserve"
    n = len(corpus)
    n_reserve = _reserve_size(n, data.reserve) if scores_reserve or data.duplicates > 0 else 0
    place = _places(n, data.split_seed)
    reserve = place >= n - n_reserve
    val = ~reserve if data.split == "windows" else _validation(data, place, reserve)
    train = ~reserve if data.split == "windows" else ~reserve & ~val
    del place  # eight bytes a document
    train_documents, val_documents, reserve_documents = (
        np.flatnonzero(mask).astype(np.int64, copy=False) for mask in (train, val, reserve)
    )
    if data.split != "windows" and data.duplicates > 0:
        train_documents = np.concatenate([train_documents, _copies(val_documents, data)])
    parts = (train_documents, val_documents, reserve_documents)
    kind = data.split if data.scored == "val" or data.split == "windows" else f"{data.split}, reserve scored"
    scored = reserve_documents if scores_reserve else val_documents
    return Split(data.split, *parts, scored, _fingerprint(corpus.fingerprint, kind, parts))


def inner(whole: Split, share: float, val_share: float, seed: int) -> Split:
    """Divide a share of the training documents once more, none of which the whole split scores.

    Args:
        whole: a split.
        share: of its training documents.
        val_share: of that share, the part to score, at most `INNER_MOST` documents.
        seed: of the permutation.

    Raises:
        DiagnoseError: there are too few documents.
    """
    unscored = np.setdiff1d(whole.train, whole.scored)
    n = round(share * len(unscored))
    n_val = min(round(val_share * n), INNER_MOST)
    if not 0 < n_val < n:
        raise DiagnoseError(f"{len(unscored)} training documents are too few to divide {share:.0%} of them again")
    place = _places(len(unscored), seeding.key(seed, "inner split"))
    val, train = unscored[place < n_val], unscored[(place >= n_val) & (place < n)]
    parts = (train, val, np.zeros(0, np.int64))
    return Split("documents", *parts, val, _fingerprint(whole.fingerprint, "inner", parts))


def _check_count(corpus: Corpus, data: SplitSettings) -> None:
    n = len(corpus)
    advice = "try data.documents = line or paragraph, or data.split = tail"
    if n == 1:
        raise DiagnoseError(f"{corpus.name} has one document, which cannot be divided: {advice}, which cuts it")
    keeper = "data.split = windows" if data.split == "windows" else f"data.scored = {data.scored}"
    if keeper != "data.scored = val" and n < RESERVE_MOST:
        raise DiagnoseError(
            f"{corpus.name} has {n} documents: {keeper} keeps one in ten unseen and so needs at "
            f"least {RESERVE_MOST}; {advice}"
        )


def _reserve_size(n: int, share: float) -> int:
    return min(max(RESERVE_LEAST, round(share * n)), n // RESERVE_MOST)


def _places(n: int, seed: int) -> NDArray[np.int64]:
    """Return where a keyed permutation puts each document, (n,)."""
    stream_key = seeding.key(seed, "split")
    places = np.arange(n, dtype=np.int64)
    for first in range(0, n, CHUNK):
        places[first : first + CHUNK] = seeding.permute(places[first : first + CHUNK], n, stream_key)
    return places


def _validation(data: SplitSettings, place: NDArray[np.int64], reserve: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Choose validation documents: a share of all, at least one, leaving at least one to train on."""
    n = len(place)
    order = np.arange(n)[::-1] if data.split == "tail" else place
    wanted = min(max(round(data.val_fraction * n), 1), n - 1)
    chosen = (order < wanted) & ~reserve
    free = int((~reserve).sum())
    if not 0 < int(chosen.sum()) < free:  # the reserve took all of one side of a small corpus
        rank = np.where(reserve, n, order).argsort(kind="stable")
        chosen = np.zeros(n, bool)
        chosen[rank[: min(wanted, free - 1)]] = True
    return chosen


def _copies(val: NDArray[np.int64], data: SplitSettings) -> NDArray[np.int64]:
    """Return the validation documents that are copied into training, in the order of the corpus."""
    count = min(max(round(data.duplicates * len(val)), 1), len(val))
    rank = _places(len(val), seeding.key(data.split_seed, "duplicates"))
    return val[rank < count]


def _fingerprint(corpus: str, kind: str, indices: tuple[NDArray[np.int64], ...]) -> str:
    whole = blake2b(f"{corpus} {kind}".encode(), digest_size=8)
    for part in indices:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(np.ascontiguousarray(part).data)
    return whole.hexdigest()

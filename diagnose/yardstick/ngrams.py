"""Bits of documents under n-grams of characters and of words; every byte and every document's end is paid for.

Characters that training lacks share one symbol, and are then paid with eight bits for each of their UTF-8 bytes. A
word is a run of letters and digits, or one other sign, with the space before it. Words that occur once in training
share one symbol too (so that this symbol has been seen in all the places where new words stand), and are then spelled
by a character n-gram learned from training's distinct words, the spelling's end included.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from diagnose.yardstick.kneser_ney import Model, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PIECE = re.compile(r" ?\w+| ?[^\w\s]|\s")
SPELLING_ORDER = 6
BYTE_BITS = 8.0


def character_bits(train: Sequence[str], scored: Sequence[str], orders: Sequence[int]) -> dict[int, Floats]:
    """Return the bits of each scored document under character n-grams of several orders, (N,) each."""
    learned = [_points(document) for document in train]
    known = np.unique(np.concatenate(learned)) if learned else np.zeros(0, np.int64)
    return _spoken(known, learned, [_points(document) for document in scored], orders)


def _points(text: str) -> Ints:
    return np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.int64)


def _spoken(known: Ints, train: Sequence[Ints], scored: Sequence[Ints], orders: Sequence[int]) -> dict[int, Floats]:
    size = len(known) + 2  # known characters, any other one, the end
    model = Model(_coded(known, train, size), max(orders))
    text = _coded(known, scored, size)
    other = np.array([_unknown_bits(document, known) for document in scored])
    found = model.all_bits(text, orders)
    return {
        order: np.bincount(text.document_T, bits_T, len(scored)) + other if len(scored) else np.zeros(0)
        for order, bits_T in found.items()
    }


def _coded(known: Ints, documents: Sequence[Ints], size: int) -> Text:
    return Text.of([_ranks(known, document) for document in documents], size)


def _ranks(known: Ints, document: Ints) -> Ints:
    if not len(known):
        return np.zeros(len(document), np.int64)
    place = np.minimum(np.searchsorted(known, document), len(known) - 1)
    return np.where(known[place] == document, place, len(known))


def _unknown_bits(document: Ints, known: Ints) -> float:
    new = document[_ranks(known, document) == len(known)]
    return BYTE_BITS * float(1 * len(new) + (new >= 0x80).sum() + (new >= 0x800).sum() + (new >= 0x10000).sum())


def word_bits(train: Sequence[str], scored: Sequence[str], orders: Sequence[int]) -> dict[int, Floats]:
    """Return the bits of each scored document under word n-grams of several orders, (N,) each."""
    learned, read = ([PIECE.findall(document) for document in side] for side in (train, scored))
    counts = Counter(word for document in learned for word in document)
    ids = {word: i for i, word in enumerate(sorted(word for word, count in counts.items() if count > 1))}
    size = len(ids) + 2
    sides = [Text.of([_numbered(ids, document) for document in side], size) for side in (learned, read)]
    new = sorted({word for document in read for word in document if word not in ids})
    spelled = dict(zip(new, _spelling(sorted(counts), new), strict=True))
    other = np.array([sum(spelled.get(word, 0.0) for word in document) for document in read])
    found = Model(sides[0], max(orders)).all_bits(sides[1], orders)
    return {order: np.bincount(sides[1].document_T, bits_T, len(read)) + other for order, bits_T in found.items()}


def _numbered(ids: dict[str, int], document: Sequence[str]) -> Ints:
    return np.array([ids.get(word, len(ids)) for word in document], np.int64)


def _spelling(words: Sequence[str], new: Sequence[str]) -> Floats:
    return character_bits(words, new, [SPELLING_ORDER])[SPELLING_ORDER] if new else np.zeros(0)

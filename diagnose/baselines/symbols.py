"""Text as symbols for n-grams: characters, or words of which the rare ones are spelled; every byte is paid for.

A character that training does not hold costs the symbol that stands for all of these, and then its UTF-8 bytes at 8
bits each. A word that training holds less than twice costs the symbol of all new words, and then its characters under a
model of how such words are spelled. No text is given two codes that count, so the probabilities of all texts sum to at
most 1.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diagnose.baselines import kneser_ney

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

WORD = re.compile(r" ?(?:\w+|[^\w\s])|\s")  # a word or sign with the space before it
SPELLED = 5  # order of the model that spells words
SEEN = 2  # times that a word must occur to have a symbol
NATS_PER_BYTE = float(np.log(256))


@dataclass(frozen=True)
class Characters:
    """N-grams over characters.

    Attributes:
        symbols: of each character that training holds.
        model: over these, one symbol for any other character, and the mark.
    """

    symbols: dict[str, int]
    model: kneser_ney.KneserNey

    @property
    def other(self) -> int:
        """The symbol of characters that training does not hold."""
        return len(self.symbols)

    def nats(self, texts: Sequence[str], orders: Iterable[int]) -> dict[int, Floats]:
        """Return what each text costs under the models of some orders, its end included."""
        by_order = kneser_ney.nats(self.model, [_numbered(text, self.symbols) for text in texts], orders)
        strange = [sum(len(c.encode()) for c in text if c not in self.symbols) for text in texts]
        return {order: nats + NATS_PER_BYTE * np.array(strange) for order, nats in by_order.items()}


def characters(texts: Sequence[str], orders: int) -> Characters:
    """Learn n-grams over the characters of some texts, up to an order."""
    symbols = {c: i for i, c in enumerate(sorted(set().union(*texts)))}
    return Characters(symbols, kneser_ney.learn([_numbered(t, symbols) for t in texts], len(symbols) + 2, orders))


def _numbered(pieces: Iterable[str], symbols: dict[str, int]) -> Ints:
    return np.fromiter((symbols.get(piece, len(symbols)) for piece in pieces), np.int64)


@dataclass(frozen=True)
class Words:
    """N-grams over words and signs, each with the space before it, and other white space.

    Attributes:
        symbols: of each word that training holds at least twice.
        model: over these, one symbol for any other word, and the mark.
        spelling: how the others are spelled.
    """

    symbols: dict[str, int]
    model: kneser_ney.KneserNey
    spelling: Characters

    def nats(self, texts: Sequence[str], orders: Iterable[int]) -> dict[int, Floats]:
        """Return what each text costs under the models of some orders, its end included."""
        cut = [WORD.findall(text) for text in texts]
        by_order = kneser_ney.nats(self.model, [_numbered(words, self.symbols) for words in cut], orders)
        new = sorted({word for words in cut for word in words if word not in self.symbols})
        cost = dict(zip(new, self.spelling.nats(new, [SPELLED])[SPELLED].tolist(), strict=True)) if new else {}
        spelled = [sum(cost.get(word, 0.0) for word in words) for words in cut]
        return {order: nats + np.array(spelled) for order, nats in by_order.items()}


def words(texts: Sequence[str], orders: int) -> Words:
    """Learn n-grams over the words of some texts, up to an order, and from their rare words how words are spelled."""
    cut = [WORD.findall(text) for text in texts]
    counts = Counter(word for some in cut for word in some)
    symbols = {word: i for i, word in enumerate(sorted(w for w, n in counts.items() if n >= SEEN))}
    rare = sorted(word for word in counts if word not in symbols)
    model = kneser_ney.learn([_numbered(some, symbols) for some in cut], len(symbols) + 2, orders)
    return Words(symbols, model, characters(rare or sorted(counts), SPELLED))

"""Checks of text and tokenizers that need no network: what is lost, and what was learned from where."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


EXACT_SHARE, NEAR_SHARE, WINDOW_SHARE = 0.05, 0.1, 0.1  # of validation: the Bible repeats itself by 0.041 in all
LEAKED, LEAKED_SHARE = 3, 0.9  # tokens that training text lacks; how many of these validation must hold
SHOWN = 24  # characters of a text that is lost


class Lost(NamedTuple):
    """The first text that does not come back, where it differs, and how many do not."""

    before: str
    after: str
    lost: int
    of: int


def lossy(encode: Callable[[str], list[int]], decode: Callable[[list[int]], str], texts: Iterable[str]) -> Lost | None:
    """Return what a tokenizer loses of some texts; None where nothing is."""
    first, count, total = None, 0, 0
    for text in texts:
        total += 1
        back = decode(encode(text))
        if back != text:
            count += 1
            first = first or _difference(text, back)
    return None if first is None else Lost(*first, count, total)


def _difference(text: str, back: str) -> tuple[str, str]:
    same = next((i for i, (a, b) in enumerate(zip(text, back, strict=False)) if a != b), min(len(text), len(back)))
    part = slice(max(0, same - SHOWN // 2), same + SHOWN // 2)
    return text[part], back[part]


def only_in(strings: Iterable[str], train: str, val: str) -> tuple[list[str], int]:
    """Return the tokens' texts that occur in validation text and not in training text, and how many lack there."""
    absent = [text for text in strings if text and text not in train]
    return [text for text in absent if text in val], len(absent)


def learned_from_all(strings: Iterable[str], train: str, val: str) -> tuple[bool, list[str], int]:
    """Say whether a vocabulary must have been learned from validation text too.

    Each token that was learned occurs in the text that it was learned from. A ready vocabulary (GPT-2's) lacks in
    both texts for the most part; one learned from both has every token that training lacks in validation.
    """
    leaked, absent = only_in(strings, train, val)
    return len(leaked) >= LEAKED and len(leaked) >= LEAKED_SHARE * absent, leaked, absent

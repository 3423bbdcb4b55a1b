"""Spans of rows of tokens, by hashes that are the same wherever a span lies."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HELD = 1024  # spans of a row that are held, about; of more, one in two, four, ... (by the hash: the same on both sides)
ALIKE = 1 / 3  # of a span: where more of it is its first or its last token, it is padding with the end of a text
TOGETHER = 1 << 16  # tokens whose spans are hashed at once


def spans_of(
    rows: Sequence[NDArray[np.int64]], span: int, salts: Sequence[int] = ()
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return each row's spans, as `_spans` does; rows of one length are hashed together."""
    none = np.zeros(0, np.int64)
    out = [(none, none)] * len(rows)
    for length, numbers in _by_length(rows).items():
        size = max(1, TOGETHER // max(1, length))
        for some in (numbers[k : k + size] for k in range(0, len(numbers) if length >= span else 0, size)):
            own = [salts[number] for number in some] if salts else [0] * len(some)
            found = _spans(np.stack([rows[number] for number in some]), span, np.array(own, np.uint64))
            for number, pair in zip(some, found, strict=True):
                out[number] = pair
    return out


def _by_length(rows: Sequence[NDArray[np.int64]]) -> dict[int, list[int]]:
    numbers = defaultdict[int, list[int]](list)
    for number, row in enumerate(rows):
        numbers[len(row)].append(number)
    return numbers


def _spans(
    tokens_ST: NDArray[np.int64], span: int, salts_S: NDArray[np.uint64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the hash of each span of tokens, alone and with its place; not where a text's end and padding make one."""
    tokens_ST = tokens_ST.astype(np.int64)
    width = tokens_ST.shape[1] - span + 1
    first_SW, last_SW = tokens_ST[:, :width], tokens_ST[:, span - 1 :]
    mixed = np.zeros(first_SW.shape, np.uint64)
    firsts, lasts = np.zeros((2, *first_SW.shape), np.int64)
    for place, factor in enumerate(_factors(span)):
        column = tokens_ST[:, place : place + width]
        mixed += column.view(np.uint64) * factor
        firsts += column == first_SW
        lasts += column == last_SW
    mixed ^= salts_S[:, None]
    mixed ^= mixed >> np.uint64(31)
    sampled = np.uint64(max(1, 1 << max(0, (width - 1) // HELD).bit_length()) - 1)
    mask = (np.maximum(firsts, lasts) / span <= ALIKE) & ((mixed & sampled) == 0)
    return [_with_places(row, held) for row, held in zip((mixed >> np.uint64(1)).view(np.int64), mask, strict=True)]


@cache
def _factors(span: int) -> NDArray[np.uint64]:
    return np.array([pow(0x5851F42D4C957F2D, k + 1, 1 << 64) for k in range(span)], dtype=np.uint64)


def _with_places(hashes_W: NDArray[np.int64], mask_W: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a row's spans that are held, sorted, alone and each with the first of its places."""
    spans, first = np.unique(hashes_W[mask_W], return_index=True)
    places = mask_W.nonzero()[0][first].astype(np.uint64)
    return spans, (spans.astype(np.uint64) ^ (places * np.uint64(0x9E3779B97F4A7C15))).view(np.int64)


def is_among(values: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which values are among those held, which are sorted: `np.isin` would sort or hash them all each time."""
    if not len(held):
        return np.zeros(len(values), bool)
    nearest: NDArray[np.int64] = held[np.minimum(np.searchsorted(held, values), len(held) - 1)]
    return np.equal(nearest, values)

"""Rows of tokens that are copies of training's rows but for some of their tokens, each at its own place.

A row is looked at where a block of its tokens stands at the same place in a training row; it is a near copy where the
places at which both hold the same token make most of what a row holds. What most rows share (a template) holds nothing.
Nor does being near tell of a copy where training's own rows are near one another, as those of several templates are:
all that is said is of training rows that stand alone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

BLOCK = 4  # tokens of a block
TRIED = 16  # training rows that a row is compared with at most
MOST = 1 << 22  # tokens of training held at most
COLUMNS = 256  # rows that the entropy of a place is estimated from
LEAST_BITS = 80.0  # that must be the same
MOSTLY = 0.75  # of what a row holds that must be the same
CROWDED = 0.05  # of training's rows: where more are near another, being near tells of no copy


class NearRows:
    """Training's rows of tokens, by blocks at their places."""

    def __init__(self) -> None:
        self.rows: list[NDArray[np.int64]] = []
        self.blocks: dict[bytes, list[int]] = defaultdict(list)
        self.held = 0
        self._bits: NDArray[np.float64] | None = None
        self._alone: dict[int, bool] = {}
        self._crowded: bool | None = None

    def add(self, rows: Iterable[NDArray[np.int64]]) -> None:
        """Add rows; what is beyond the limit is left out."""
        for row in rows:
            if self.held > MOST:
                return
            self.held += len(row)
            for block in _blocks(row):
                if len(self.blocks[block]) < TRIED:
                    self.blocks[block].append(len(self.rows))
            self.rows.append(row)
            self._bits, self._alone, self._crowded = None, {}, None

    def holds(self, row: NDArray[np.int64]) -> bool:
        """Say whether a training row that stands alone is the same as this one but for some of its tokens."""
        alone = [number for number in self._near(row) if self._stands_alone(number)]
        return bool(alone) and not self.is_crowded()

    def _near(self, row: NDArray[np.int64]) -> Iterator[int]:
        """Yield the numbers of the rows that are near one."""
        bits = self._entropies()[: len(row)]
        tried = {number for block in _blocks(row) for number in self.blocks.get(block, ())}
        return (number for number in sorted(tried) if _is_near(row, self.rows[number], bits))

    def _stands_alone(self, number: int) -> bool:
        """Say whether no other training row is near one."""
        if number not in self._alone:
            self._alone[number] = all(other == number for other in self._near(self.rows[number]))
        return self._alone[number]

    def is_crowded(self) -> bool:
        """Say whether many of training's rows are near one another."""
        if self._crowded is None:
            some = range(0, len(self.rows), max(1, len(self.rows) // COLUMNS))
            self._crowded = sum(not self._stands_alone(k) for k in some) > CROWDED * len(some)
        return self._crowded

    def _entropies(self) -> NDArray[np.float64]:
        """Return how many bits each place of a row holds: the collision entropy of its tokens over training's rows."""
        if self._bits is None:
            some = self.rows[:: max(1, len(self.rows) // COLUMNS)]
            width = max(map(len, some), default=0)
            self._bits = np.array([_bits(np.array([row[k] for row in some if len(row) > k])) for k in range(width)])
        return self._bits


def _blocks(row: NDArray[np.int64]) -> list[bytes]:
    return [k.to_bytes(4, "little") + row[k : k + BLOCK].tobytes() for k in range(0, len(row) - BLOCK + 1, BLOCK)]


def _bits(tokens: NDArray[np.int64]) -> float:
    number = len(tokens)
    if number < 2:
        return 0.0
    _, counts = np.unique(tokens, return_counts=True)
    same = float((counts * (counts - 1)).sum()) or 2.0  # none alike: as if one pair were
    return float(np.log2(number * (number - 1) / same))


def _is_near(row: NDArray[np.int64], other: NDArray[np.int64], bits: NDArray[np.float64]) -> bool:
    if len(other) < MOSTLY * len(row) or len(row) < MOSTLY * len(other):
        return False
    width = min(len(row), len(other), len(bits))
    same = float(bits[:width][row[:width] == other[:width]].sum())
    return same >= max(LEAST_BITS, MOSTLY * float(bits.sum()))

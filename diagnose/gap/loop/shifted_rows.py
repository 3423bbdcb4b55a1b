"""Rows of tokens that are copies of training's rows into which tokens were put, or of which some were left out.

Every place moves by that, and no long span may be left, so short blocks are looked for wherever they lie: those of one
training row have to make half of what a row's blocks tell. A block tells the less the more of training's rows hold it
(inverse document frequency), so that templates and commonplaces tell little. As with `NearRows` the training row has to
stand alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

BLOCK = 4  # tokens of a block
SAMPLED = np.uint64(1)  # one block in two is held: the same ones in every row
FEWEST = 5  # blocks of a row that are held; shorter rows are not judged
TRIED = 16  # training rows of a block
MOST = 1 << 20  # tokens of training looked at
MOSTLY = 0.5  # of what the blocks of a row tell
LEAST_BITS = 50.0  # that the shared ones must tell
LOOKED = 256  # training's rows that are compared with the others
CROWDED = 0.05  # of training's rows: where more are near another, being near tells of no copy
FACTORS = np.array([pow(0x5851F42D4C957F2D, k + 1, 1 << 64) for k in range(BLOCK)], dtype=np.uint64)


class ShiftedRows:
    """Training's rows of tokens, by blocks wherever they lie."""

    def __init__(self) -> None:
        self.rows: list[NDArray[np.uint64]] = []
        self.of_block: dict[int, list[int]] = defaultdict(list)
        self.times = Counter[int]()
        self.held = 0
        self._crowded: bool | None = None

    def add(self, rows: Iterable[NDArray[np.int64]]) -> None:
        """Add rows; what is beyond the limit is left out."""
        for row in rows:
            if self.held > MOST:
                return
            self.held += len(row)
            blocks = _blocks(row)
            for block in blocks.tolist():
                self.times[block] += 1
                if len(self.of_block[block]) < TRIED:
                    self.of_block[block].append(len(self.rows))
            self.rows.append(blocks)
            self._crowded = None

    def holds(self, row: NDArray[np.int64]) -> bool:
        """Say whether a training row that stands alone is this one with tokens put in or left out."""
        found = [number for number in self._near(_blocks(row)) if self._stands_alone(number)]
        return bool(found) and not self.is_crowded()

    def _near(self, blocks: NDArray[np.uint64]) -> list[int]:
        """Return the numbers of the rows that share at least half of what a row's blocks tell."""
        if len(blocks) < FEWEST:
            return []
        shared: dict[int, float] = defaultdict(float)
        whole = 0.0
        for block in blocks.tolist():
            tells = float(np.log2((len(self.rows) + 1) / max(1, self.times[block])))
            whole += tells
            for number in self.of_block.get(block, ()):
                shared[number] += tells
        return [number for number, bits in shared.items() if bits >= max(LEAST_BITS, MOSTLY * whole)]

    def _stands_alone(self, number: int) -> bool:
        return all(other == number for other in self._near(self.rows[number]))

    def is_crowded(self) -> bool:
        """Say whether many of training's rows are near one another."""
        if self._crowded is None:
            some = range(0, len(self.rows), max(1, len(self.rows) // LOOKED))
            self._crowded = sum(not self._stands_alone(k) for k in some) > CROWDED * len(some)
        return self._crowded


def _blocks(row_T: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the hashes of one in two of a row's blocks, each once."""
    if len(row_T) < BLOCK:
        return np.zeros(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(row_T, BLOCK).astype(np.uint64)
    mixed = (windows * FACTORS).sum(1, dtype=np.uint64)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return np.unique(mixed[(mixed & SAMPLED) == 0])

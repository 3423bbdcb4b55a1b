"""Where in its document a loss lies: nats by the number of tokens that come before, document by document.

Bands of positions double, each divided once: 0, 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on. So a context of 2^k or
1.5 x 2^k tokens divides what every arm sees whole from what only the longer one may see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

EDGES = np.array([0, 1, *(b for k in range(1, 40) for b in (2**k, 3 * 2 ** (k - 1)))], dtype=np.int64)


def edge_within(count: int) -> int:
    """Return the largest edge of a band that is not above a number of tokens."""
    return int(EDGES[np.searchsorted(EDGES, count, side="right") - 1])


class Places:
    """Sums of nats and tokens by document and band, collected window by window."""

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Floats, Ints]] = []

    def add(self, document_B: Ints, first_B: Ints, nats_BT: Floats, scored_BT: NDArray[np.bool_]) -> None:
        """Take in windows.

        Args:
            document_B: of each window.
            first_B: how many tokens of its document come before the window's first target.
            nats_BT: of each target.
            scored_BT: which targets the window scores.
        """
        row, column = np.nonzero(scored_BT)
        band = np.searchsorted(EDGES, first_B[row] + column, side="right") - 1
        keys, where = np.unique(document_B[row] * len(EDGES) + band, return_inverse=True)
        tokens = np.bincount(where, minlength=len(keys))
        nats = np.asarray(np.bincount(where, nats_BT[row, column], len(keys)), dtype=np.float64)
        self._parts.append((np.asarray(keys, dtype=np.int64), nats, np.asarray(tokens, dtype=np.int64)))

    def table(self) -> dict[str, Ints | Floats]:
        """Return columns `document`, `place` (the band's first position), `nats` and `tokens`, in that order."""
        keys, where = np.unique(np.concatenate([part[0] for part in self._parts]), return_inverse=True)
        nats, tokens = (np.concatenate([part[k] for part in self._parts]) for k in (1, 2))
        return {
            "document": keys // len(EDGES),
            "place": EDGES[keys % len(EDGES)],
            "nats": np.bincount(where, nats, len(keys)),
            "tokens": np.bincount(where, tokens, len(keys)).astype(np.int64),
        }

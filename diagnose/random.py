"""Named random streams: every draw is a pure function of (seed, stream name, counters).

No global state is touched here. A run resumes bit for bit because step k asks for its own key, and arms of an
ablation that share a seed share every stream that their axis does not touch.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

Integers = TypeVar("Integers", "torch.Tensor", "NDArray[np.int64]")
ROUNDS = 6  # of the Feistel network; four already make a pseudo-random permutation (Luby & Rackoff 1988)


def key(seed: int, stream: str, *counters: int) -> int:
    """Return a 63-bit key for a draw, the same on every machine.

    Args:
        seed: the run's seed.
        stream: what is drawn, for instance "dropout".
        counters: the step, the epoch, the place within them.
    """
    name = ":".join((str(seed), stream, *map(str, counters)))
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, stream: str, *counters: int) -> np.random.Generator:
    """Return numpy's generator for a named stream."""
    return np.random.Generator(np.random.SFC64(key(seed, stream, *counters)))


def _mix(x: Integers, salt: int) -> Integers:
    """Scramble non-negative int64 values (xor-shift and multiply, kept within 62 bits)."""
    x = (x ^ salt) & 0x3FFFFFFFFFFFFFFF
    x = (x ^ (x >> 31)) * 0x2545F4914F6CDD1D & 0x3FFFFFFFFFFFFFFF
    x = (x ^ (x >> 29)) * 0x1B03738712FAD5C9 & 0x3FFFFFFFFFFFFFFF
    return x ^ (x >> 32)


def permute(index: Integers, size: int, stream_key: int) -> Integers:
    """Return where a keyed pseudo-random permutation of `range(size)` sends each index.

    A balanced Feistel network over the next even power of two, walked until it lands inside (Black & Rogaway
    2002): no table is stored, so an order over 10^9 samples costs no memory.

    Args:
        index: int64 values in [0, size), any shape, of torch on any device or of numpy; both give the same.
        size: how many there are.
        stream_key: from `key`.
    """
    half = max(1, (max(size - 1, 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    salts = [key(stream_key, "feistel", r) for r in range(ROUNDS)]
    out = _feistel(index, half, mask, salts)
    outside = out >= size
    while bool(outside.any()):
        out[outside] = _feistel(out[outside], half, mask, salts)
        outside = out >= size
    return out


def _feistel(x: Integers, half: int, mask: int, salts: list[int]) -> Integers:
    left, right = x >> half, x & mask
    for salt in salts:
        left, right = right, left ^ (_mix(right, salt) & mask)
    return (left << half) | right


def uniform_index(index: torch.Tensor, size: int, stream_key: int) -> torch.Tensor:
    """Return a draw from `range(size)` with replacement for each counter in `index` (int64, any shape)."""
    return _mix(_mix(index, stream_key & 0x3FFFFFFFFFFFFFFF), key(stream_key, "with replacement")) % size

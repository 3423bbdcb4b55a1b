"""What compressors take for the scored text once they have read the training text.

That is size(training + scored) - size(training), documents joined in the corpus' order with a mark after each (a
newline, or a byte that occurs in no UTF-8 where a document holds one). A compressor also learns from the scored
documents before the one it codes, which an n-gram or a network does not.

How far each looks back: gzip 32 kB and bzip2 900 kB, so that these hardly see the training text; xz, zstd and PPMd all
of it.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLEST_WINDOW, LARGEST_WINDOW = 16, 27  # powers of two
PPMD_ORDERS = (4, 6, 8, 12, 16)
PPMD_LEAST, PPMD_PER_BYTE, PPMD_MOST = 1 << 25, 64, 1 << 30  # bytes of memory: so that the model is never thrown away


def conditional_bits(name: str, train: bytes, scored: bytes) -> float:
    """Return the bits that the scored text takes after the training text.

    Raises:
        KeyError: no compressor of this name.
    """
    size = COMPRESSORS[name]
    whole = len(train) + len(scored)
    return 8.0 * (size(train + scored, whole) - size(train, whole))


def _gzip(data: bytes, _: int) -> int:
    return len(gzip.compress(data, 9, mtime=0))


def _bzip2(data: bytes, _: int) -> int:
    return len(bz2.compress(data, 9))


def window(whole: int) -> int:
    """Return the power of two of a window that covers so many bytes."""
    return min(max((whole - 1).bit_length(), SMALLEST_WINDOW), LARGEST_WINDOW)


def _xz(data: bytes, whole: int) -> int:
    preset = 9 | lzma.PRESET_EXTREME
    chain = [{"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": 1 << window(whole)}]
    return len(lzma.compress(data, lzma.FORMAT_XZ, filters=chain))


def _zstd(data: bytes, whole: int) -> int:
    from zstandard import ZstdCompressionParameters, ZstdCompressor

    settings = ZstdCompressionParameters.from_level(22, source_size=whole, window_log=window(whole), enable_ldm=True)
    return len(ZstdCompressor(compression_params=settings).compress(data))


def _ppmd(order: int) -> Callable[[bytes, int], int]:
    def size(data: bytes, whole: int) -> int:
        from pyppmd import Ppmd7Encoder

        memory = min(max(PPMD_LEAST, PPMD_PER_BYTE * whole), PPMD_MOST)
        encoder = Ppmd7Encoder(order, memory)
        return len(encoder.encode(data)) + len(encoder.flush(endmark=False))

    return size


COMPRESSORS: dict[str, Callable[[bytes, int], int]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _zstd,
    **{f"ppmd-{order}": _ppmd(order) for order in PPMD_ORDERS},
}

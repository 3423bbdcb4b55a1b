"""What general compressors need for text, given other text: the size of both together less that of the first alone.

Documents are joined by line feeds, so that their ends are paid for. A compressor helps itself to the text before as far
as its window reaches: gzip's 32 KiB and bzip2's blocks of 900 kB forget most of a longer training text; the windows of
xz and zstd and the memory of PPMd are made to hold all of it.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

PPMD_ORDERS = (4, 6, 8, 12, 16)
PPMD_MEMORY = 1 << 28  # bytes of its model, enough for some tens of megabytes of text at order 16
WINDOW = 26  # of xz and zstd: 2**26 bytes, more than the text that is taken


def _gzip(data: bytes) -> int:
    return len(zlib.compress(data, 9, wbits=31))


def _bzip2(data: bytes) -> int:
    return len(bz2.compress(data, 9))


def _xz(data: bytes) -> int:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << WINDOW}]
    return len(lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=filters))


def _zstd(data: bytes) -> int:
    import zstandard

    settings = zstandard.ZstdCompressionParameters.from_level(
        22, source_size=len(data), window_log=WINDOW, enable_ldm=True, write_checksum=False, write_content_size=False
    )
    return len(zstandard.ZstdCompressor(compression_params=settings).compress(data))


SIZES: dict[str, Callable[[bytes], int]] = {"gzip": _gzip, "bzip2": _bzip2, "xz": _xz, "zstd -22": _zstd}


def joined(documents: Sequence[bytes]) -> bytes:
    """Return documents one after another, each ended by a line feed."""
    return b"".join(document + b"\n" for document in documents)


def conditional_bits(name: str, train: Sequence[bytes], val: Sequence[bytes]) -> float:
    """Return the bits that a compressor of `SIZES` spends on some documents given others."""
    before = joined(train)
    return 8.0 * (SIZES[name](before + joined(val)) - SIZES[name](before))


def ppmd_bits(
    order: int, train: Sequence[bytes], val: Sequence[bytes], blocks_N: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the bits that PPMd (variant H, Shkarin 2001) spends on each block of some documents, given others.

    It reads its text once and says as it goes what it has written, to the byte.

    Args:
        order: symbols of the longest context.
        train: documents that come before.
        val: documents that are paid for.
        blocks_N: the block of each of them, in ascending order from 0.
    """
    import pyppmd

    encoder = pyppmd.Ppmd7Encoder(order, PPMD_MEMORY)
    written = len(encoder.encode(joined(train))) if train else 0
    ends = []
    for block in range(int(blocks_N[-1]) + 1):
        some = [val[i] for i in np.flatnonzero(blocks_N == block).tolist()]
        written += len(encoder.encode(joined(some)))
        ends.append(written)
    tail = len(encoder.flush())
    alone = pyppmd.Ppmd7Encoder(order, PPMD_MEMORY)
    begun = len(alone.encode(joined(train)))
    flushed = len(alone.flush())  # what a text's end costs is the training text's, not the scored one's
    ends[-1] += tail - flushed
    return 8.0 * np.diff(np.array([begun, *ends], np.float64))

"""Which validation samples occur among the training samples: by their group, whole, or by most of their token spans.

Rows of token ids are compared by spans of tokens, wherever they lie in a row, so that overlapping windows and packed
rows are recognised too; anything else by its values, bit for bit. A span is as long as it takes to be no commonplace:
about 32 characters, 14 words.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose.data.seen_documents import SeenDocuments
from diagnose.gap.elements import SAMPLES, tensors
from diagnose.gap.readings import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

SPAN_BITS, LEAST_BITS = 130, 80  # of unigram entropy that a span holds; at least, where rows are short
SPANS = (8, 32)  # tokens of a span, least and most
INTEGERS = (torch.int32, torch.int64)
PLAIN = 2.0  # bits a token: integers with less (pixels, flags) are no text
SHORTEST = 8  # values of a sample that can be recognised: fewer recur by chance
LONGEST = 0.75  # of a row: a longer span would not find rows again that overlap
ALIKE = 1 / 3  # of a span: where more of it is its first or its last token, it is padding with the end of a text
MOST = 1 << 23  # spans and samples of training held at most


@dataclass(frozen=True)
class SampleIdentity:
    """What identifies a sample: the hash of its values, and the hashes of its spans (none where it holds no tokens)."""

    whole: int
    spans: NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """What training's samples hold.

    Attributes:
        wholes: hashes of their values; spans: hashes of their token spans, sorted; span: tokens of one, 0 for no text.
        complete: whether all of them were walked.
        why: why samples cannot be recognised; "" where they can.
    """

    wholes: frozenset[int]
    spans: NDArray[np.int64]
    span: int
    complete: bool
    why: str = ""


def rows_of(batch: Any) -> list[Tensor] | None:
    """Return what identifies a batch's samples, each (values): token ids, or the first tensor; None if too small.

    A list of tables is a batch of several parts, as accumulation has them.
    """
    parts = batch if isinstance(batch, list) and batch and all(hasattr(p, "keys") for p in batch) else [batch]
    some = [_rows(part) for part in parts]
    return None if any(rows is None for rows in some) else [row for rows in some if rows is not None for row in rows]


def _rows(batch: Any) -> Tensor | None:
    some = [found for found in tensors(batch) if found.dim() >= 2]
    if not some:
        return None
    chosen = next((found for found in some if _integers(found)), some[0]).detach().cpu().flatten(1)
    return chosen if chosen.shape[1] >= SHORTEST else None


def _integers(found: Tensor) -> bool:
    return found.dim() == 2 and found.dtype in INTEGERS


def span_of(rows: list[Tensor]) -> int:
    """Return how many tokens a span of such rows takes; 0 where they are no text."""
    if rows[0].dtype not in INTEGERS:
        return 0
    _, counts = torch.cat(rows).unique(return_counts=True)  # type: ignore[no-untyped-call]
    share = counts.double() / counts.sum()
    bits = float(-(share * share.log2()).sum())
    if bits < PLAIN:
        return 0
    least = max(SPANS[0], round(LEAST_BITS / bits))
    return min(max(least, min(round(SPAN_BITS / bits), int(LONGEST * min(map(len, rows))))), SPANS[1])


def samples(rows: list[Tensor], span: int) -> list[SampleIdentity]:
    """Return what identifies each of these rows."""
    values = [np.ascontiguousarray((row.double() if row.is_floating_point() else row).numpy()) for row in rows]
    none = np.zeros(0, np.int64)
    return [SampleIdentity(_hash(row.tobytes()), _spans(row, span) if 0 < span <= len(row) else none) for row in values]


def _hash(raw: bytes) -> int:
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "little") >> 1


def _spans(row_T: NDArray[np.int64], span: int) -> NDArray[np.int64]:
    """Return the hash of each span of tokens, but not where the end of a text and its padding make one."""
    windows = np.lib.stride_tricks.sliding_window_view(row_T.astype(np.int64), span)
    factors = np.array([pow(0x5851F42D4C957F2D, k + 1, 1 << 64) for k in range(span)], dtype=np.uint64)
    hashes = (windows.astype(np.uint64) * factors).sum(1, dtype=np.uint64)
    alike = np.maximum(*((windows == windows[:, k][:, None]).mean(1) for k in (0, -1)))
    return np.unique((hashes[alike <= ALIKE] >> np.uint64(1)).astype(np.int64))


def known(batches: Any, seconds: float, most: int | None = None) -> Known:
    """Walk training's batches and keep what identifies their samples.

    Args:
        batches: all of them.
        seconds: a limit.
        most: a limit in batches for a stream of unknown length, which may have no end.
    """
    begun, wholes, spans, held, span, complete = time.monotonic(), set[int](), [np.zeros(0, np.int64)], 0, -1, True
    some, count = walk(batches)
    for number, batch in some:
        rows = rows_of(batch)
        if rows is None:
            return Known(frozenset(), spans[0], 0, complete=False, why="samples are too small to be recognised")
        span = span_of(rows) if span < 0 else span
        endless = count is None and most is not None and number >= most
        if endless or time.monotonic() - begun > seconds or held + len(wholes) > MOST:
            complete = False
            break
        found = samples(rows, span)
        wholes |= {sample.whole for sample in found}
        spans += [sample.spans for sample in found]
        held += sum(len(sample.spans) for sample in found)
    why = "" if complete else f"the first {len(wholes):,} training samples alone were looked through"
    return Known(frozenset(wholes), np.unique(np.concatenate(spans)), span, complete, why)


def seen(batches: Any, training: Known, most: int) -> SeenDocuments:
    """Look up to `most` batches' samples up among training's, in the order in which they are read."""
    rows = list(_looked_up(batches, training, most))
    ids, exact, share = ([row[k] for row in rows] for k in range(3))
    return SeenDocuments(np.array(ids, np.int64), np.array(exact, bool), np.array(share, np.float64))


def _looked_up(batches: Any, training: Known, most: int) -> Iterator[tuple[int, bool, float]]:
    some, _ = walk(batches)
    for place, (number, batch) in enumerate(some):
        if place >= most:
            return
        values = rows_of(batch)
        for k, sample in enumerate(samples(values, training.span) if values is not None else ()):
            share = float(np.isin(sample.spans, training.spans).mean()) if len(sample.spans) else 0.0
            yield number * SAMPLES + k, sample.whole in training.wholes, share


def by_group(train: NDArray[np.int64], val: NDArray[np.int64]) -> SeenDocuments:
    """Return which named groups of validation occur in training; both as `elements.identities` numbers them."""
    return SeenDocuments(val, np.isin(val, train), np.zeros(len(val)))

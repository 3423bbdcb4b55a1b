"""What of a batch identifies its samples: all tensors with a row a sample that tell samples apart, never one alone.

A mask, a label or a prompt that many samples share tells none apart; a tensor counts by the bits that its values hold
from sample to sample. Tensors with one number a sample (labels, numbers of samples) are left out beside larger ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diagnose.gap.loop.elements import attributes_of, graphs_of, is_table, listed_of, size_of, texts
from diagnose.gap.loop.ragged import flat_values, is_ragged, ragged_size, sample_rows

INTEGERS = (torch.int32, torch.int64)
RICH = 20.0  # bits that a tensor holds from sample to sample: with less it is a mask, a label or a prompt
ENOUGH = 30.0  # bits that identify a sample: fewer recur by chance
FLOAT_BITS = 16.0  # of a column of floats of which no two are equal
LOOKED, MOST_COLUMNS = 256, 512  # samples and columns that bits are estimated from
SERIES = 4096  # values of a sample whose spans are compared; larger ones, and pictures, are compared whole
SPAN_BITS, LEAST_BITS = 130, 80  # of unigram entropy that a span holds; at least, where rows are short
CHANCE_BITS = 24  # that a span holds at least where tokens follow from the ones before: less recurs by chance
FOLLOWERS = 8.0  # tokens' worth of unigram shares that the counts of what follows a token are smoothed with
SPANS = (8, 32)  # tokens of a span, least and most
PLAIN = 2.0  # bits a token: integers with less (pixels, flags) are no text
PADDING = 0.8  # of the ends of rows that repeat a value: so many must repeat one value for it to be padding
LONGEST = 0.75  # of a row: a longer span would not find rows again that overlap
TOO_LITTLE = "samples hold too little to be recognised"
Key = tuple[str, ...]
HASHED: Key = ("",)  # stands for a batch whose samples are told by hashes


@dataclass(frozen=True)
class SampleLayout:
    """Which tensors of a batch identify its samples.

    Attributes:
        keys: of them, as `named_tensors` names them.
        texts: those of them whose spans are compared; `spans` says how long these are; beside: what must be the same
            beside them, for it holds more (the picture of a prompt).
        why: why samples cannot be recognised; "" where they can.
        by_value: whether anything but text is compared, bit for bit, so that changed copies are not recognised.
        pads: what rows of integers are filled up with, by tensor, where batches fill them up to their longest row.
    """

    keys: tuple[Key, ...]
    texts: tuple[Key, ...] = ()
    spans: tuple[int, ...] = ()
    beside: tuple[Key, ...] = ()
    why: str = ""
    by_value: bool = False
    pads: tuple[tuple[Key, int], ...] = ()


def named_tensors(batch: Any, key: Key = ()) -> Iterator[tuple[Key, Tensor]]:  # noqa: C901 - a way for each kind
    """Yield the tensors of a batch with where they lie in it, but for sparse ones, whose rows cannot be compared."""
    if is_ragged(batch):
        yield key, flat_values(batch)
    elif isinstance(batch, Tensor):
        if batch.layout == torch.strided:
            yield key, batch
    elif is_table(batch):
        for name, value in batch.items():
            yield from named_tensors(value, (*key, str(name)))
    elif callable(getattr(batch, "to_dict", None)):
        yield from named_tensors(batch.to_dict(), key)
    elif isinstance(batch, Sequence) and not isinstance(batch, (str, bytes)):
        for number, value in enumerate(batch):
            yield from named_tensors(value, (*key, str(number)))
    elif isinstance(batch, np.ndarray):
        if batch.dtype.kind in "iufb":
            yield key, torch.from_numpy(batch)
    else:
        for name, value in attributes_of(batch).items():
            yield from named_tensors(value, (*key, name))


def parts_of(batch: Any) -> list[Any]:
    """Return the parts of a batch: a list of tables is one of several, as accumulation has them."""
    several = isinstance(batch, list) and batch and all(hasattr(part, "keys") for part in batch)
    return list(batch) if several else [batch]


def hashed(batch: Any) -> Tensor | None:
    """Return a hash of each graph, listed sample or text of a batch without tensors by sample (N, 8)."""
    if graphs_of(batch) is not None:
        rows = [_of_tensors(graph) for graph in batch.to_data_list()]
    elif listed_of(batch) is not None:
        rows = [_of_tensors(sample) for sample in zip(*batch, strict=True)]
    elif ragged_size(batch):
        rows = [_of_tensors(sample) for sample in sample_rows(batch)]
    else:
        columns = [some for some in texts(batch) if len(some) == size_of(batch)]
        rows = ["\0".join(row).encode() for row in zip(*columns, strict=True)] if columns else []
    whole = [np.frombuffer(blake2b(row, digest_size=64).digest(), np.int64) for row in rows]
    return torch.from_numpy(np.stack(whole)) if whole else None


def _of_tensors(sample: Any) -> bytes:
    return b"".join(_bytes(part) for _, part in named_tensors(sample))


def _bytes(found: Tensor) -> bytes:
    return bytes(np.ascontiguousarray(found.detach().cpu().numpy()).tobytes())


def rows_by_key(batch: Any) -> dict[Key, Tensor]:
    """Return the tensors of a batch that have a row a sample, each (samples, values)."""
    by_sample = graphs_of(batch) is None and listed_of(batch) is None and not ragged_size(batch)
    some = list(named_tensors(batch)) if by_sample else []
    if not some and (rows := hashed(batch)) is not None:
        some = [(HASHED, rows)]
    size = next((int(tensor.shape[0]) for _, tensor in some if tensor.dim()), 0)
    return {
        key: tensor.detach().cpu().reshape(size, -1)
        for key, tensor in some
        if size and tensor.dim() and tensor.shape[0] == size and not tensor.is_sparse and not tensor.dtype.is_complex
    }


def layout(batches: Iterator[Any], other: Any = None) -> SampleLayout:
    """Return what identifies samples, from the first batches; `other` is one of the other side, which holds it too."""
    by_key: dict[Key, list[Tensor]] = {}
    shapes: dict[Key, int] = {}
    count = 0
    for batch in batches:
        for part in parts_of(batch):
            dims = {key: tensor.dim() for key, tensor in named_tensors(part)}
            table = rows_by_key(part)
            count += max(map(len, table.values()), default=0)
            for key, rows in table.items():
                by_key.setdefault(key, []).append(rows)
                shapes[key] = dims.get(key, 2)
        if count >= LOOKED:
            break
    others = [] if other is None else [rows_by_key(part) for part in parts_of(other)]
    pads = {key: _pad_of([*some, *(table[key] for table in others if key in table)]) for key, some in by_key.items()}
    if other is not None:
        shared = set.intersection(*map(set, others))
        if by_key and not shared & set(by_key):
            return SampleLayout((), why="the batches of the two sides hold different tensors")
        by_key = {key: some for key, some in by_key.items() if key in shared}
    known = tuple((key, pad) for key, pad in pads.items() if pad is not None and key in by_key)
    return replace(_chosen(by_key, shapes), pads=known)


def _pad_of(some: Sequence[Tensor]) -> int | None:
    """Return what rows of integers are filled up with: nearly all ends of two or more alike are of it; else None."""
    votes = Counter[int]()
    for rows in some:
        if rows.dtype in INTEGERS and rows.shape[1] > 1:
            for end, beside in ((-1, -2), (0, 1)):
                votes.update(rows[:, end][rows[:, end] == rows[:, beside]].tolist())
    ((pad, count),) = votes.most_common(1) or [(0, 0)]
    return pad if count > 1 and count >= PADDING * votes.total() else None


def _chosen(held: Mapping[Key, list[Tensor]], dims: Mapping[Key, int]) -> SampleLayout:
    wide = {key: some for key, some in held.items() if dims[key] >= 2 and max(f.shape[1] for f in some)}
    bits = {key: information(some) for key, some in wide.items()}
    rich = tuple(key for key, value in bits.items() if value >= RICH)
    no_masks = tuple(key for key in rich if not _is_mask(wide[key]))  # which are as wide as a batch is padded
    rich = no_masks or rich
    keys = rich or tuple(key for key, value in bits.items() if value > 0)
    if sum(bits[key] for key in keys) < ENOUGH:
        return SampleLayout((), why=f"{TOO_LITTLE} (groups= says which are the same)")
    series = [(key, span) for key in keys if key != HASHED and (span := _span(wide[key], dims[key]))]
    most = max((bits[key] for key, _ in series), default=0.0)
    beside = tuple(key for key in keys if key not in dict(series) and bits[key] > most)
    floats = any(wide[key][0].is_floating_point() for key in keys)
    by_value = floats or bool(beside) or not series
    return SampleLayout(
        keys, tuple(key for key, _ in series), tuple(span for _, span in series), beside, by_value=by_value
    )


def _is_mask(some: Sequence[Tensor]) -> bool:
    """Say whether rows hold nothing but yes and no, as truth values or as whole numbers."""
    return not some[0].is_floating_point() and all(bool((rows.bool() == rows).all()) for rows in some)


def information(some: Sequence[Tensor]) -> float:
    """Return how many bits a tensor holds from sample to sample: the collision entropies of its columns, added up."""
    width = min(rows.shape[1] for rows in some)
    rows_NT = torch.cat([rows[:, :width] for rows in some])[:LOOKED]
    if len(rows_NT) < 2:
        return FLOAT_BITS * width if rows_NT.is_floating_point() else float(width)
    columns = np.linspace(0, width - 1, min(width, MOST_COLUMNS)).astype(int)
    each = [_column_bits(rows_NT[:, k]) for k in columns]
    return float(np.sum(each) * width / max(len(columns), 1))


def _column_bits(values_N: Tensor) -> float:
    _, counts = values_N.unique(return_counts=True)  # type: ignore[no-untyped-call]
    number = len(values_N)
    pairs = float((counts * (counts - 1)).sum()) / (number * (number - 1))
    if pairs == 0:
        return FLOAT_BITS if values_N.is_floating_point() else float(np.log2(number * (number - 1) / 2 + 1))
    return float(-np.log2(pairs))


def _span(some: Sequence[Tensor], dims: int) -> int:
    if dims > 3 or (some[0].is_floating_point() and max(rows.shape[1] for rows in some) > SERIES):
        return 0
    if not some[0].is_floating_point() and (dims != 2 or some[0].dtype not in INTEGERS):
        return 0
    return span_of([row for rows in some for row in rows])


def span_of(rows: list[Tensor]) -> int:
    """Return how many tokens a span of such rows takes; 0 where they are no text, or hold too little to be told by."""
    if rows[0].dtype not in INTEGERS and not rows[0].is_floating_point():
        return 0
    _, counts = torch.cat(rows).unique(return_counts=True)  # type: ignore[no-untyped-call]
    share = counts.double() / counts.sum()
    bits = float(-(share * share.log2()).sum())
    if bits < PLAIN:
        return 0
    needed = CHANCE_BITS / max(_rate(rows), 1 / CHANCE_BITS) if rows[0].dtype in INTEGERS else 0.0
    least, longest = max(SPANS[0], round(LEAST_BITS / bits)), LONGEST * max(map(len, rows))
    if needed > SPANS[1] or least <= longest < needed:
        return 0
    least = max(least, round(needed))
    return min(max(least, min(round(SPAN_BITS / bits), int(LONGEST * min(map(len, rows))))), SPANS[1])


def _rate(rows: list[Tensor]) -> float:
    """Return how many bits a token holds beside the one before it, over the tokens that do not repeat that one.

    What follows a token is counted without the place itself, and smoothed by how often each token is met at all, so
    that few rows of many words do not seem to be foretold.
    """
    before, here = torch.cat([row[:-1] for row in rows]), torch.cat([row[1:] for row in rows])
    moved = before != here
    before, here = before[moved], here[moved]
    if not len(here):
        return 0.0
    _, first, ones = before.unique(return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
    _, second, met = here.unique(return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
    _, place, twos = (first * len(met) + second).unique(return_inverse=True, return_counts=True)
    likely = (twos[place] - 1 + FOLLOWERS * met[second].double() / len(here)) / (ones[first] - 1 + FOLLOWERS)
    return float(-likely.log2().mean())

"""Training batches composed anew in the sizes of validation's, for losses that depend on the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, cat, strided

from diagnose.errors import DiagnoseError
from diagnose.gap.intervals import SAMPLES
from diagnose.gap.loop.elements import (
    attributes_of,
    graphs_of,
    listed_of,
    samples_of,
    with_attributes,
    with_parts,
    with_values,
)
from diagnose.gap.loop.ragged import is_ragged, of_rows_like, ragged_rows
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOOKED = 256  # batches whose sizes are looked at
CANNOT_CUT = (DiagnoseError, RuntimeError, TypeError, KeyError, IndexError, ValueError)


def rows_of(batch: Any, first: int, last: int) -> Any:
    """Return a batch of some of its samples."""
    return _joined([(batch, first, last)], [samples_of(batch)])


def rows_in_order(batch: Any, order: Sequence[int]) -> Any:
    """Return a batch with its samples in another order.

    Raises:
        RuntimeError, TypeError, KeyError: it cannot be taken apart.
    """
    return _joined([(batch, k, k + 1) for k in order], [samples_of(batch)])


def changed(batch: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return a batch of the same kind with each tensor changed; what is none, is sparse or cannot be rebuilt stays."""
    if is_ragged(batch):
        return batch
    if isinstance(batch, Tensor):
        return change(batch) if batch.layout == strided else batch
    if isinstance(batch, Mapping):
        return with_values(batch, {key: changed(value, change) for key, value in batch.items()})
    if isinstance(batch, (tuple, list)):
        return with_parts(batch, (changed(part, change) for part in batch))
    if attributes := attributes_of(batch):
        with suppress(TypeError):  # its construction takes what it does not hold
            return with_attributes(batch, {name: changed(value, change) for name, value in attributes.items()})
    return batch


def _joined(parts: Sequence[tuple[Any, int, int]], sizes: Sequence[int]) -> Any:  # noqa: PLR0911 - a way for each kind
    """Return samples of several batches as one batch.

    Raises:
        RuntimeError, TypeError, KeyError: they do not fit together.
    """
    values = [part[0] for part in parts]
    first = values[0]
    if graphs_of(first) is not None:
        return type(first).from_data_list([graph for value, a, b in parts for graph in value.to_data_list()[a:b]])
    if listed_of(first) is not None:
        return with_parts(first, (_listed([(value[k], a, b) for value, a, b in parts]) for k in range(len(first))))
    if is_ragged(first):
        return of_rows_like([row for value, a, b in parts for row in ragged_rows(value)[a:b]], first)
    if isinstance(first, Tensor):
        if not first.dim() or first.shape[0] != sizes[0] or first.layout != strided:
            return first
        return cat([value[a:b] for value, a, b in parts])
    if isinstance(first, Mapping):
        return with_values(first, {k: _joined([(v[k], a, b) for v, a, b in parts], sizes) for k in first})
    if isinstance(first, (tuple, list)):
        if len(first) == sizes[0] and not any(isinstance(part, (Tensor, Mapping, tuple, list)) for part in first):
            return with_parts(first, (part for value, a, b in parts for part in value[a:b]))
        return with_parts(first, (_joined([(v[k], a, b) for v, a, b in parts], sizes) for k in range(len(first))))
    names = attributes_of(first)
    joined = {n: _joined([(getattr(v, n), a, b) for v, a, b in parts], sizes) for n in names}
    return with_attributes(first, joined) if names else first


def _listed(parts: Sequence[tuple[Any, int, int]]) -> Any:
    """Return samples of several batches' lists, or of tensors with a row a sample, as one."""
    if isinstance(parts[0][0], Tensor):
        return cat([value[a:b] for value, a, b in parts])
    return with_parts(parts[0][0], (part for value, a, b in parts for part in value[a:b]))


def sizes_of(batches: Any) -> list[int]:
    """Return how many samples each of the first batches has; none where that is not known."""
    sizes = [samples_of(batch) for _, batch in islice(walk(batches)[0], LOOKED)]
    return [size for size in sizes if size] if all(sizes) else []


class RebatchedBatches:
    """A side's batches in other sizes, which recur in their order; what is left over at the end is left out."""

    def __init__(self, batches: Any, sizes: Sequence[int]) -> None:
        self.batches, self.sizes = batches, list(sizes)
        self.origins: dict[int, NDArray[np.int64]] = {}

    def _source(self) -> Iterator[tuple[int, Any]]:
        return iter(enumerate(self.batches)) if isinstance(self.batches, (list, tuple)) else walk(self.batches)[0]

    def __iter__(self) -> Iterator[Any]:
        pending: list[tuple[int, Any, int, int]] = []
        made = 0
        for number, batch in self._source():
            pending.append((number, batch, 0, samples_of(batch)))
            while sum(last - first for *_, first, last in pending) >= self.sizes[made % len(self.sizes)]:
                yield self._taken(pending, self.sizes[made % len(self.sizes)], made)
                made += 1

    def _taken(self, held: list[tuple[int, Any, int, int]], size: int, made: int) -> Any:
        parts, ids = [], []
        while size:
            number, batch, first, last = held.pop(0)
            stop = min(last, first + size)
            parts.append((batch, first, stop))
            ids.append(number * SAMPLES + np.arange(first, stop, dtype=np.int64))
            size -= stop - first
            if stop < last:
                held.insert(0, (number, batch, stop, last))
        self.origins[made] = np.concatenate(ids)
        return _joined(parts, [samples_of(batch) for batch, *_ in parts])


def rebatched(batches: Any, sizes: Sequence[int]) -> RebatchedBatches | None:
    """Return batches in other sizes; cut where they cannot be joined; None where that cannot be done either."""
    for some in (sizes, [min(sizes)]):
        resized = RebatchedBatches(batches, some)
        try:
            if next(iter(resized), None) is not None and _fits(resized):
                return resized
        except (RuntimeError, TypeError, KeyError, ValueError, IndexError):
            continue
    return None


def _fits(found: RebatchedBatches) -> bool:
    return all(samples_of(batch) for batch in islice(iter(found), 4))

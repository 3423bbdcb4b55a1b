"""Which rows of a batch its losses are of, where a mask or an index in the batch selects them (a graph's nodes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import (
    NOT_FINITE,
    Elements,
    attributes_of,
    size_of,
    with_attributes,
    with_parts,
    with_values,
)
from diagnose.gap.loop.sample_parts import Key, named_tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST: Key = ("batch_size",)  # names how many of a batch's first rows count, as loaders of neighbourhoods say
Losses = Callable[[Any], Elements]


def rows_selected(batch: Any, key: Key | None) -> NDArray[np.int64] | None:
    """Return the rows that the mask or the index under a key selects; None without one."""
    if key == FIRST:
        count = _first_rows(batch)
        return None if count is None else np.arange(count, dtype=np.int64)
    mask = None if key is None else dict(named_tensors(batch)).get(key)
    if mask is None:
        return None
    rows = mask.nonzero().flatten() if mask.dtype == torch.bool else mask.flatten()
    return np.asarray(rows.detach().cpu().long().numpy(), dtype=np.int64)


def selector(batch: Any, losses: Losses) -> Key | None:
    """Return where in a batch the mask or index lies by which what its losses are of is selected; None where none does.

    Args:
        batch: of a side.
        losses: its objective's, for a batch that may be changed.
    """
    whole = losses(batch)
    size, count = size_of(batch) or 0, len(whole.nats)
    if whole.scalar:
        return _selects_all(batch, losses, size) if whole.nats.any() else None
    if count in (0, size):
        return None
    if _first_rows(batch) == count < size:
        return FIRST
    for key, tensor in named_tensors(batch):
        less = _one_less(tensor, size, count)
        if less is not None and _count(losses, _with(batch, key, less)) == count - 1:
            return key
    return None


def _selects_all(batch: Any, losses: Losses, size: int) -> Key | None:
    """Return the mask or index without which a mean over a batch is a mean over nothing: 0, or no number."""
    for key, tensor in named_tensors(batch):
        none = _none_of(tensor, size)
        changed = None if none is None else _with(batch, key, none)
        if changed is not None and _is_nothing(losses, changed):
            return key
    return None


def _is_nothing(losses: Losses, batch: Any) -> bool:
    try:
        return not losses(batch).nats.any()
    except DiagnoseError as error:
        return NOT_FINITE in str(error)


def _none_of(found: Tensor, size: int) -> Tensor | None:
    """Return a mask, or an index, that selects nothing, in the place of one that selects some of a batch's rows."""
    if found.dim() != 1:
        return None
    if found.dtype == torch.bool and len(found) == size and 0 < int(found.sum()) < size:
        return torch.zeros_like(found)
    index = found.dtype in (torch.int32, torch.int64) and 0 < len(found) < size
    return found[:0] if index and len(found.unique()) == len(found) else None  # type: ignore[no-untyped-call]


def _first_rows(batch: Any) -> int | None:
    count = batch.get(FIRST[0]) if isinstance(batch, Mapping) else getattr(batch, FIRST[0], None)
    return count if isinstance(count, int) else None


def as_selected(batch: Any, own: Key, other: Key) -> Any:
    """Return a batch in which the mask or index under `other` selects what the one under `own` does."""
    table = dict(named_tensors(batch))
    if own not in table or other not in table:
        return batch
    mask, wanted = table[own], table[other]
    if mask.dtype != wanted.dtype:
        rows = rows_selected(batch, own)
        index = torch.as_tensor(rows, device=wanted.device)
        mask = torch.zeros_like(wanted).index_fill(0, index, True) if wanted.dtype == torch.bool else index.to(wanted)
    changed = _with(batch, other, mask)
    return batch if changed is None else changed


def _one_less(found: Tensor, size: int, count: int) -> Tensor | None:
    """Return a mask or an index that could select these losses, with one less."""
    if found.dim() != 1:
        return None
    if found.dtype == torch.bool and len(found) == size and int(found.sum()) == count:
        less = found.clone()
        less[int(found.nonzero()[-1])] = False
        return less
    whole = found.dtype in (torch.int32, torch.int64) and len(found) == count < size
    return found[:-1] if whole and len(found.unique()) == count else None  # type: ignore[no-untyped-call]


def _count(losses: Losses, batch: Any) -> int:
    try:
        return -1 if batch is None else len(losses(batch).nats)
    except DiagnoseError:
        return -1


def _with(batch: Any, key: Key, value: Tensor) -> Any:
    """Return a batch with another tensor under a key; None where it cannot be rebuilt."""
    if not key:
        return value
    first, rest = key[0], key[1:]
    if isinstance(batch, Mapping):
        return with_values(batch, {k: _with(v, rest, value) if str(k) == first else v for k, v in batch.items()})
    if isinstance(batch, (tuple, list)):
        return with_parts(batch, (_with(v, rest, value) if str(k) == first else v for k, v in enumerate(batch)))
    if first in (held := attributes_of(batch)):
        with suppress(TypeError):  # its construction takes what it does not hold
            return with_attributes(batch, {first: _with(held[first], rest, value)})
    elif callable(getattr(batch, "clone", None)) and hasattr(batch, first):  # a graph of torch_geometric
        other = batch.clone()
        setattr(other, first, value)
        return other
    return None

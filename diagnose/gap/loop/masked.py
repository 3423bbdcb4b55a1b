"""Which rows of a batch its losses are of, where a mask or an index in the batch selects them (a graph's nodes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import size_of
from diagnose.gap.loop.sample_parts import Key, named_tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST: Key = ("batch_size",)  # names how many of a batch's first rows count, as loaders of neighbourhoods say
Counted = Callable[[Any], int]


def rows_selected(batch: Any, key: Key | None) -> NDArray[np.int64] | None:
    """Return the rows that the mask or the index under a key selects; None without one."""
    if key == FIRST:
        count = _first_rows(batch)
        return None if count is None else np.arange(count, dtype=np.int64)
    found = None if key is None else dict(named_tensors(batch)).get(key)
    if found is None:
        return None
    rows = found.nonzero().flatten() if found.dtype == torch.bool else found.flatten()
    return np.asarray(rows.detach().cpu().long().numpy(), dtype=np.int64)


def selector(batch: Any, count: int, counted: Counted) -> Key | None:
    """Return where in a batch the mask or index lies by which its `count` losses are selected; None where none does.

    Args:
        batch: of a side.
        count: of losses that its objective gives.
        counted: the count of losses for a changed batch.
    """
    size = size_of(batch) or 0
    if count in (0, 1, size):
        return None
    if _first_rows(batch) == count < size:
        return FIRST
    for key, found in named_tensors(batch):
        less = _one_less(found, size, count)
        if less is not None and _count(counted, _with(batch, key, less)) == count - 1:
            return key
    return None


def _first_rows(batch: Any) -> int | None:
    found = batch.get(FIRST[0]) if isinstance(batch, Mapping) else getattr(batch, FIRST[0], None)
    return found if isinstance(found, int) else None


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
    found = _with(batch, other, mask)
    return batch if found is None else found


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


def _count(counted: Counted, batch: Any) -> int:
    try:
        return -1 if batch is None else counted(batch)
    except DiagnoseError:
        return -1


def _with(batch: Any, key: Key, value: Tensor) -> Any:
    """Return a batch with another tensor under a key; None where it cannot be rebuilt."""
    if not key:
        return value
    first, rest = key[0], key[1:]
    if isinstance(batch, Mapping):
        changed = {k: _with(v, rest, value) if str(k) == first else v for k, v in batch.items()}
        return changed if type(batch) is dict else type(batch)(changed)  # type: ignore[call-arg]
    if isinstance(batch, (tuple, list)):
        parts = [_with(v, rest, value) if str(k) == first else v for k, v in enumerate(batch)]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(batch, **{first: _with(getattr(batch, first), rest, value)})
    if callable(getattr(batch, "clone", None)) and hasattr(batch, first):  # a graph of torch_geometric
        other = batch.clone()
        setattr(other, first, value)
        return other
    return None

"""Samples of unequal lengths in one object, packed sequences and nested tensors: as rows, and made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence, unpack_sequence


def is_ragged(part: Any) -> bool:
    """Say whether a part of a batch holds rows of unequal lengths."""
    return isinstance(part, PackedSequence) or (isinstance(part, Tensor) and part.is_nested)


def ragged_parts(batch: Any) -> list[Any]:
    """Return the parts of a batch, itself among them, that hold rows of unequal lengths."""
    if is_ragged(batch):
        return [batch]
    some = batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, (list, tuple)) else ()
    return [part for part in some if is_ragged(part)]


def ragged_size(batch: Any) -> int:
    """Return how many samples a batch with such parts has; 0 for any other."""
    first = next(iter(ragged_parts(batch)), None)
    if first is None:
        return 0
    return int(first.batch_sizes[0]) if isinstance(first, PackedSequence) else int(first.size(0))


def ragged_rows(part: Any) -> list[Tensor]:
    """Return the samples of a part, in the batch's order."""
    return unpack_sequence(part) if isinstance(part, PackedSequence) else list(part.unbind())


def of_rows_like(rows: list[Tensor], like: Any) -> Any:
    """Return rows as a part of the same kind.

    Raises:
        RuntimeError: there is none, or a sequence that was packed as sorted would not be.
    """
    if isinstance(like, PackedSequence):
        return pack_sequence(rows, enforce_sorted=like.sorted_indices is None)
    return torch.nested.as_nested_tensor(rows, layout=like.layout)


def flat_values(part: Any) -> Tensor:
    """Return all values of a part, a row an element, as a loss that is taken of it lies."""
    return part.data if isinstance(part, PackedSequence) else torch.cat(list(part.unbind()))


def sample_rows(batch: Any) -> list[list[Tensor]]:
    """Return for each sample of a batch with such parts what it holds of each part."""
    size = ragged_size(batch)
    some = list(batch.values()) if isinstance(batch, Mapping) else [batch] if is_ragged(batch) else list(batch)
    columns = [ragged_rows(part) if is_ragged(part) else part for part in some]
    return [
        [column[k] for column in columns if isinstance(column, (Tensor, list)) and len(column) == size]
        for k in range(size)
    ]


def owners(batch: Any, count: int) -> Tensor | None:
    """Return of which sample each of a batch's elements is, where a part has as many; None where none has."""
    for part in ragged_parts(batch):
        if isinstance(part, PackedSequence):
            size = int(part.batch_sizes[0])
            order = torch.arange(size) if part.sorted_indices is None else part.sorted_indices.cpu()
            found = torch.cat([order[:some] for some in part.batch_sizes.tolist()])
        else:
            lengths = torch.tensor([len(row) for row in part.unbind()])
            found = torch.arange(len(lengths)).repeat_interleave(lengths)
        if len(found) == count:
            return found
    return None

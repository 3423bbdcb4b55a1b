"""A user's batches taken apart for an audit: their tokens, their rows, and the same batch with other inputs.

What a batch's tensors mean is inferred only where it is unambiguous: `input_ids` and `labels` of a table, or two
integer tensors of one shape of which the second is the first moved by a place.

Shapes: B rows, T positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from diagnose.audit.predictions import NONE, SHIFTS, shifted
from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import graphs_of, size_of, tensors
from diagnose.gap.loop.ragged import ragged_size
from diagnose.gap.loop.rebatched import changed, rows_in_order
from diagnose.training.registry import told

if TYPE_CHECKING:
    from collections.abc import Callable

AGREE = 0.9  # of the targets are the inputs moved by a place, or it is not told to be next-token prediction
UNLIKE = 0.5  # or less of the targets are: labels or masked tokens, no next-token prediction
NOT_MOVED = "targets are not the inputs moved by a place: this is no prediction of the next token"
INTEGERS = (torch.int32, torch.int64)


@dataclass(frozen=True)
class TokenBatch:
    """A batch of next-token prediction.

    Attributes:
        inputs_BT: what the network reads.
        targets_BT: as the batch holds them; `NONE` where nothing is scored.
        real_BT: False where the target is padding.
        offset: targets are the inputs moved by so many places to the left: 1, or 0 where the model shifts labels.
        source: how they were found: "given", "labels" or "pair".
    """

    inputs_BT: Tensor
    targets_BT: Tensor
    real_BT: Tensor
    offset: int
    source: str

    @property
    def clean_BT(self) -> Tensor:
        """The targets with padding left out."""
        return self.targets_BT.masked_fill(~self.real_BT, NONE)

    @property
    def scored_BT(self) -> Tensor:
        """The targets that should be scored: with padding left out, each at the place before it."""
        return shifted(self.clean_BT, 1 - self.offset) if self.offset != 1 else self.clean_BT

    @property
    def padded(self) -> bool:
        """Whether some rows are padded: targets beyond those that the shift takes off are missing."""
        counts = (self.clean_BT != NONE).sum(1)
        return bool((counts < counts.max()).any() or (~self.real_BT).any())


def may_hold_text(batch: Any) -> bool:
    """Tell whether a batch holds rows of whole numbers, as tokens are.

    Images with their classes, or with a class for each pixel, do not, nor do the edges of graphs.
    """
    every, size = list(tensors(batch)), size_of(batch)
    pictures = any(tensor.dim() == 4 and tensor.is_floating_point() for tensor in every)
    return any(
        tensor.dim() in ((2,) if pictures else (2, 3)) and tensor.shape[1] > 1 and tensor.dtype in INTEGERS
        and tensor.shape[0] == size
        for tensor in every
    )  # fmt: skip


def tokens_of(batch: Any, given: Callable[[Any], Any] | None, pad: int | None) -> TokenBatch | str:
    """Return a batch's tokens, or why it has none that can be told.

    Raises:
        DiagnoseError: `given` fails or returns something else than two integer tensors of one shape.
    """
    parsed = _given(batch, given) if given is not None else _inferred(batch)
    if isinstance(parsed, str):
        return parsed
    inputs_BT, targets_BT, mask_BT, source = parsed
    targets_BT = targets_BT.long().masked_fill(targets_BT < 0, NONE)
    moved = _moved_most(inputs_BT, targets_BT)
    if moved is None:
        return "a batch has no target that is scored"
    offset, share = moved
    if share <= UNLIKE:
        return NOT_MOVED
    if share < AGREE:
        return f"{share:.0%} of the targets are the inputs moved by a place: too few to tell next tokens"
    real_BT = torch.ones_like(targets_BT, dtype=torch.bool)
    if mask_BT is not None:
        real_BT &= _moved(mask_BT, offset)
    if pad is not None:
        real_BT &= targets_BT != pad
    return TokenBatch(inputs_BT.long(), targets_BT, real_BT, offset, source)


def _moved(mask_BT: Tensor, offset: int) -> Tensor:
    moved_BT = shifted(mask_BT.long(), offset)
    return torch.where(moved_BT == NONE, mask_BT.long(), moved_BT) > 0


def _given(batch: Any, given: Callable[[Any], Any]) -> tuple[Tensor, Tensor, Tensor | None, str]:
    try:
        parts = given(batch)
    except Exception as error:
        raise DiagnoseError(f"tokens fails on a batch: {told(error)}") from error
    if not isinstance(parts, (tuple, list)) or len(parts) != 2 or not all(_is_rows(p) for p in parts):
        raise DiagnoseError("tokens must return (inputs, targets): two integer tensors (rows, positions)")
    if parts[0].shape != parts[1].shape:
        shapes = " and ".join(str(tuple(part.shape)) for part in parts)
        raise DiagnoseError(f"tokens returns inputs and targets of shapes {shapes}; they must be of one shape")
    return parts[0], parts[1], _mask(batch, parts[0]), "given"


def _is_rows(found: Any) -> bool:
    return isinstance(found, Tensor) and found.dim() == 2 and found.dtype in INTEGERS


def _mask(batch: Any, inputs_BT: Tensor) -> Tensor | None:
    mask = batch.get("attention_mask") if hasattr(batch, "get") else None
    return mask if isinstance(mask, Tensor) and mask.shape == inputs_BT.shape else None


def _inferred(batch: Any) -> tuple[Tensor, Tensor, Tensor | None, str] | str:
    if hasattr(batch, "get"):
        inputs, labels = batch.get("input_ids"), batch.get("labels")
        if _is_rows(inputs) and _is_rows(labels) and inputs.shape == labels.shape:
            return inputs, labels, _mask(batch, inputs), "labels"
    if hasattr(batch, "keys"):
        return "batches have no input_ids and labels of one shape; give tokens=batch -> (inputs, targets)"
    two = isinstance(batch, (tuple, list)) and len(batch) == 2 and all(_is_rows(part) for part in batch)
    if two and batch[0].shape == batch[1].shape:
        return batch[0], batch[1], None, "pair"
    return "batches are not two integer tensors of one shape; give tokens=batch -> (inputs, targets)"


def _moved_most(inputs_BT: Tensor, targets_BT: Tensor) -> tuple[int, float] | None:
    """Return by how many places targets are most often the inputs moved, and how often; None without a target."""
    shares = dict[int, float]()
    for offset in SHIFTS:
        moved_BT = shifted(inputs_BT.long(), offset)
        both = (moved_BT != NONE) & (targets_BT != NONE)
        if both.any():
            shares[offset] = float((moved_BT == targets_BT)[both].float().mean())
    return max(shares.items(), key=lambda moved: moved[1], default=None)


def some_rows(batch: Any, index: list[int]) -> Any:
    """Return a batch of some of its rows, in that order."""
    if graphs_of(batch) is not None:
        every = batch.to_data_list()
        return type(batch).from_data_list([every[k] for k in index])
    if ragged_size(batch):
        return rows_in_order(batch, index)
    size = size_of(batch)
    return changed(batch, lambda t: t[index] if t.dim() and t.shape[0] == size else t)


def columns(batch: Any, first: int, last: int, length: int) -> Any:
    """Return a batch with positions `first` to `last` alone; what has another length than T stays."""
    return changed(batch, lambda t: t[:, first:last] if t.dim() >= 2 and t.shape[1] == length else t)


def with_inputs(batch: Any, old_BT: Tensor, new_BT: Tensor) -> Any | None:
    """Return a batch with other inputs, targets as they are; None where its inputs cannot be found in it."""
    hits = 0

    def change(found: Tensor) -> Tensor:
        nonlocal hits
        if hits or found.dim() != 2 or found.dtype not in INTEGERS or found.shape[0] != old_BT.shape[0]:
            return found
        width = old_BT.shape[1]
        if found.shape[1] >= width and torch.equal(found[:, :width].long(), old_BT):
            hits += 1
            return torch.cat([new_BT.to(found), found[:, width:]], 1)
        return found

    out = changed(batch, change)
    return out if hits else None


def first_tensors(batch: Any) -> list[Tensor]:
    """Return the tensors of a batch that have a row a sample."""
    size = size_of(batch)
    return [tensor for tensor in tensors(batch) if tensor.dim() and tensor.shape[0] == size]

"""Where a loss that is no number comes from: weights or running statistics that are none, or the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn


def why_not_finite(model: nn.Module | None, batch: Iterable[Tensor]) -> str:
    """Return what holds NaN or infinity, as the rest of a sentence: tensors of the batch, of the model; "" if none.

    Infinity below 0 in a buffer is let be: masks hold it.
    """
    reasons = [f"the batch holds NaN or infinity in {count:,} of {of:,} numbers"
               for count, of in [_counted(batch)] if count]  # fmt: skip
    if model is None:
        return "".join(f": {reason}" for reason in reasons)
    names = [name for name, tensor in model.named_parameters() if _bad(tensor).any()]
    names += [name for name, tensor in model.named_buffers() if (_bad(tensor) & ~tensor.isneginf()).any()]
    if names:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        reasons.append(f"the model's {names[0]}{more} hold{'' if more else 's'} NaN or infinity")
    return f": {'; '.join(reasons)}" if reasons else ""


def holds_not_finite(batch: Iterable[Tensor]) -> bool:
    """Say whether a batch's tensors hold NaN or infinity."""
    return _counted(batch)[0] > 0


def _bad(one: Tensor) -> Tensor:
    return ~torch.isfinite(one.detach())


def _counted(batch: Iterable[Tensor]) -> tuple[int, int]:
    """Return how many numbers are not finite, of how many."""
    dense = (tensor for tensor in batch if tensor.layout == torch.strided and not tensor.is_meta)
    tensors = [tensor for tensor in dense if tensor.is_floating_point()]
    return sum(int(_bad(tensor).sum()) for tensor in tensors), sum(tensor.numel() for tensor in tensors)

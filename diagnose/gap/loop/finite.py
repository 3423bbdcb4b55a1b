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
    said = [f"the batch holds NaN or infinity in {count:,} of {of:,} numbers"
            for count, of in [_counted(batch)] if count]  # fmt: skip
    if model is None:
        return "".join(f": {one}" for one in said)
    found = [name for name, one in model.named_parameters() if _bad(one).any()]
    found += [name for name, one in model.named_buffers() if (_bad(one) & ~one.isneginf()).any()]
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        said.append(f"the model's {found[0]}{more} hold{'' if more else 's'} NaN or infinity")
    return f": {'; '.join(said)}" if said else ""


def _bad(one: Tensor) -> Tensor:
    return ~torch.isfinite(one.detach())


def _counted(batch: Iterable[Tensor]) -> tuple[int, int]:
    """Return how many numbers are not finite, of how many."""
    some = [one for one in batch if one.is_floating_point() and not one.is_sparse and not one.is_meta]
    return sum(int(_bad(one).sum()) for one in some), sum(one.numel() for one in some)

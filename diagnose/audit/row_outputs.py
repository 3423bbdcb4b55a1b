"""Are a model's outputs for a row its own, whatever else is in the batch: so the loss, not the model, mixes rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from diagnose.audit.side_batches import some_rows
from diagnose.audit.side_passes import CannotRunError
from diagnose.gap.loop.elements import samples_of

if TYPE_CHECKING:
    from torch import nn

    from diagnose.audit.side_passes import SidePasses

ROWS = 3  # of a batch that are looked at, or pairs of them
SAME = 1e-4  # of the largest output


def stay(passes: SidePasses, batch: Any, width: int = 1) -> bool | None:
    """Say whether a row's outputs are the same alone and beside others; None where that cannot be told.

    Args:
        passes: of the model.
        batch: whose first rows are looked at.
        width: how many rows are read at a time: two where one alone cannot be read.
    """
    size = samples_of(batch)
    some = [list(range(k, k + width)) for k in range(0, min(ROWS * width, size - width + 1), width)]
    try:
        beside = outputs_of(passes, batch)
        alone = [outputs_of(passes, some_rows(batch, rows)) for rows in some]
    except CannotRunError:
        return None
    if not beside or any(len(outputs) != len(beside) for outputs in alone):
        return None
    told = [_is_own(whole, outputs[place], rows, size)
            for rows, outputs in zip(some, alone, strict=True) for place, whole in enumerate(beside)]  # fmt: skip
    return None if None in told else all(told)


def outputs_of(passes: SidePasses, batch: Any) -> list[Tensor]:
    """Return what the model returns each time that the objective calls it, of a table what has rows; else none."""
    outputs: list[Any] = []

    def seen(_: nn.Module, __: Any, given: Any) -> None:
        given = getattr(given, "logits", given)
        table = isinstance(given, Mapping)
        outputs.extend(
            [part for part in given.values() if isinstance(part, Tensor) and part.dim()] if table else [given]
        )

    handle = passes.model.register_forward_hook(seen)
    try:
        passes.losses(batch, probe=True)
    finally:
        handle.remove()
    if not all(isinstance(output, Tensor) and output.dim() for output in outputs):
        return []
    return [output.detach() for output in outputs]


def _is_own(whole: Tensor, one: Tensor, rows: list[int], size: int) -> bool | None:
    """Say whether rows' outputs alone are those beside others; views of a row lie one after another, or in blocks."""
    most = SAME * float(whole.abs().max().clamp(min=1e-6))
    if whole.shape == (size, size) and one.shape == (len(rows), len(rows)):  # each row's score with each
        return bool(torch.all((whole[rows][:, rows] - one).abs() <= most))
    views = len(one) // len(rows)
    if len(one) != views * len(rows) or len(whole) != views * size or whole.shape[1:] != one.shape[1:]:
        return None
    along = [row * views + k for row in rows for k in range(views)]
    places = (along, [k * size + row for k in range(views) for row in rows])
    return any(bool(torch.all((whole[place] - one).abs() <= most)) for place in places)

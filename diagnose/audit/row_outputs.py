"""Are a model's outputs for a row its own, whatever else is in the batch: so the loss, not the model, mixes rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from diagnose.audit.side_batches import some_rows
from diagnose.audit.side_passes import CannotRunError
from diagnose.gap.loop.elements import samples_of

if TYPE_CHECKING:
    from torch import nn

    from diagnose.audit.side_passes import SidePasses

ROWS = 3  # of a batch that are looked at
SAME = 1e-4  # of the largest output


def stay(passes: SidePasses, batch: Any) -> bool:
    """Say whether a row's outputs are the same alone and beside others; False where that cannot be told."""
    size = samples_of(batch)
    try:
        beside = _outputs(passes, batch)
        alone = [_outputs(passes, some_rows(batch, [k])) for k in range(min(ROWS, size))]
    except CannotRunError:
        return False
    same = all(len(one) == len(beside) for one in alone)
    return same and bool(beside) and all(
        _is_own(whole, one[place], k, size) for k, one in enumerate(alone) for place, whole in enumerate(beside)
    )  # fmt: skip


def _outputs(passes: SidePasses, batch: Any) -> list[Tensor]:
    """Return what the model returns each time that the objective calls it; none where it is no tensor."""
    found: list[Any] = []

    def seen(_: nn.Module, __: Any, given: Any) -> None:
        found.append(given)

    handle = passes.model.register_forward_hook(seen)
    try:
        passes.losses(batch, probe=True)
    finally:
        handle.remove()
    return [one.detach() for one in found] if all(isinstance(one, Tensor) and one.dim() for one in found) else []


def _is_own(whole: Tensor, one: Tensor, row: int, size: int) -> bool:
    """Say whether a row's outputs alone are those beside others; views of a row lie one after another, or in blocks."""
    views = len(one)
    if len(whole) != views * size or whole.shape[1:] != one.shape[1:]:
        return False
    places = ([row * views + k for k in range(views)], [k * size + row for k in range(views)])
    most = SAME * float(whole.abs().max().clamp(min=1e-6))
    return any(bool(torch.all((whole[place] - one).abs() <= most)) for place in places)

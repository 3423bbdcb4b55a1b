"""Predictions and targets whose shapes differ by a dimension of one, so that each is compared with all others."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from diagnose.gap.loop.elements import tensors
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diagnose.audit.audited_sides import AuditedSides
    from diagnose.audit.side_passes import SidePasses

LOSSES = {"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"}
DIFFERENCES = {"sub", "subtract", "rsub", "__sub__", "__rsub__"}


class _Broadcasts(TorchFunctionMode):
    """Sees losses and differences that broadcast (B, 1) against (B) while it is entered.

    A loss of torch counts whatever it is of, a plain difference where one of the two is a tensor of the batch and the
    other is not: differences of all pairs of a tensor are meant.
    """

    def __init__(self, batch: Any) -> None:
        super().__init__()
        self.found: tuple[tuple[int, ...], tuple[int, ...]] | None = None
        self._own = list(tensors(batch))

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in LOSSES or name in DIFFERENCES:
            both = [*args, *(given[key] for key in ("input", "target", "other") if key in given)][:2]
            self._note(both, any_tensor=name in LOSSES)
        return func(*args, **given)

    def _note(self, both: Sequence[Any], *, any_tensor: bool) -> None:
        if len(both) < 2 or not all(isinstance(operand, Tensor) for operand in both) or not _is_broadcast(*both):
            return
        if any_tensor or sum(map(self._is_own, both)) == 1:
            self.found = tuple(both[0].shape), tuple(both[1].shape)

    def _is_own(self, operand: Tensor) -> bool:
        """Say whether a tensor holds the values of one of the batch, which may have been copied, moved or cast."""
        flat = operand.flatten()
        return any(tensor.numel() == len(flat) and torch.equal(tensor.flatten().to(flat), flat) for tensor in self._own)


def _is_broadcast(first: Tensor, second: Tensor) -> bool:
    """Say whether two tensors are the same but for a last dimension of one, and of more than one sample."""
    less, more = sorted((first, second), key=lambda tensor: tensor.dim())
    return less.dim() >= 1 and len(less) > 1 and tuple(more.shape) == (*less.shape, 1)


def first_seen(sides: AuditedSides) -> tuple[str, tuple[int, ...], tuple[int, ...]] | None:
    """Return whose objective compares which shapes so, on a batch of each side; None where none does."""
    for whose, passes, batch in _with_first(sides):
        with _Broadcasts(batch) as seen:
            passes.losses(batch)
        if seen.found is not None:
            return whose, *seen.found
    return None


def _with_first(sides: AuditedSides) -> list[tuple[str, SidePasses, Any]]:
    """Return validation's passes with a batch, training's with its first one where its objective is another.

    Each comes with whose objective it is, in words.
    """
    passes, train = sides.passes, sides.train
    if train is None or train.objective is passes.side.objective:
        return [("the objective" if train is None else "the objective of both sides", passes, sides.batches[0])]
    of_train = [("training's objective", sides.train_passes, batch) for _, batch in islice(walk(train.batches)[0], 1)]
    return [("validation's objective", passes, sides.batches[0]), *of_train]

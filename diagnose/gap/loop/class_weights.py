"""Class weights and ignored targets in losses that are not averaged: torch's mean divides by what such losses lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from diagnose.gap.loop.loss_calls import BY_CLASS, arguments

if TYPE_CHECKING:
    from collections.abc import Callable


class ClassWeights(TorchFunctionMode):
    """Sees the losses that torch weighs by class, or ignores targets of, without averaging them, while it is entered.

    Attributes:
        calls: losses, and what each counts.
        called: whether any were taken; classes: whether any were weighed by class.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Tensor, Tensor]] = []
        self.called = self.classes = False

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note a loss's class weights; the loss is as it was."""
        returned = func(*args, **(kwargs or {}))
        given = arguments(func, args, kwargs) if func in BY_CLASS else None
        if given is not None:
            weight, target = given["weight"], given["target"]
            if given["reduction"] == "none" and target.dtype == torch.int64:
                valid = target != given["ignore_index"]
                self.called, self.classes = True, self.classes or weight is not None
                if weight is not None or not bool(valid.all()):
                    counts = valid.to(returned.dtype) if weight is None else weight[target.clamp(min=0)]
                    self.calls.append((returned, torch.where(valid, counts, 0.0)))
        return returned

    def weighed(self, returned: Any) -> Any:
        """Return what an objective returned, with what its losses count as weights where they were seen."""
        table = dict(returned) if hasattr(returned, "keys") else {"loss": returned}
        loss = table.get("loss")
        if "weights" in table or not isinstance(loss, Tensor):
            return returned
        for seen, counts in self.calls:
            if seen.numel() == loss.numel() and torch.equal(seen.reshape(-1), loss.reshape(-1)):
                counts = counts.reshape(loss.shape)  # noqa: PLW2901 - the same in the loss's shape
                plain = torch.where(counts > 0, loss / counts.clamp(min=torch.finfo(counts.dtype).tiny), 0.0)
                return table | {"loss": plain, "weights": counts}
        return returned

"""The loss of each step by what a Lightning module logs: of one that returns none, as under manual optimisation."""

from __future__ import annotations

from typing import Any

from torch import Tensor


class LoggedSteps:
    """Takes the loss of a step from what its Trainer holds of the logged one: the step's own, or what its sum grew by.

    Args:
        name: under which `training_step` logs its loss.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch()

    def epoch(self) -> None:
        """Begin an epoch: sums begin anew."""
        self.before: tuple[Any, Any] = (0.0, 0.0)

    def last(self, trainer: Any) -> Tensor | None:
        """Return the loss that the step which just ended has logged; None where it logged none that can be had."""
        found = self._logged(trainer)
        if found is None:
            return None
        if found.meta.on_step or not found.is_tensor:
            own = found._forward_cache  # noqa: SLF001 - Lightning has no other name for it
            return own if isinstance(own, Tensor) else None
        if not found.meta.is_mean_reduction:
            return None
        now = found.value.detach().clone(), found.cumulated_batch_size.detach().clone()
        (total, count), self.before = self.before, now
        grown: Tensor = (now[0] - total) / (now[1] - count)
        return grown

    def _logged(self, trainer: Any) -> Any | None:
        """Return what the Trainer holds under the name: the asked one, or the only one that is called a loss."""
        results = getattr(trainer, "_results", None) or {}
        own = {one.meta.name: one for one in results.values() if one.meta.fx == "training_step"}
        losses = [name for name in own if "loss" in name.lower()]
        return own.get(self.name) or (own[losses[0]] if len(losses) == 1 else None)

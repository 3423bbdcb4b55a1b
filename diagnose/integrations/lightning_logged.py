"""What a Lightning module logs: the loss of each step, and what its batches weigh in the mean over an epoch."""

from __future__ import annotations

import warnings
from itertools import islice
from typing import Any

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from diagnose.gap.loop.elements import size_of, tensors
from diagnose.gap.loop.ragged import ragged_parts
from diagnose.gap.loop.sample_parts import named_tensors
from diagnose.integrations.lightning_package import extract_batch_size

LOOKED = 4  # batches whose sizes are looked at


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


def other_sizes(loader: Any) -> str:
    """Say that Lightning weighs a loader's batches by the rows of a tensor that has not one a sample; "" else."""
    size = getattr(loader, "batch_size", None)
    if not isinstance(size, int):
        return ""
    some = list(islice(iter(loader), LOOKED))
    try:
        with warnings.catch_warnings(action="ignore"):  # it says that it guesses, of a size that a step may give
            rows = [extract_batch_size(batch) for batch in some]
    except Exception:  # noqa: BLE001 - of a batch without tensors Lightning takes no size
        return ""
    if len(set(rows)) < 2 or rows[0] == size or size not in _lengths(some[0]):
        return ""
    name = next(".".join(key) for key, tensor in named_tensors(some[0]) if tensor.dim())
    return (f"Lightning weighs each validation batch in the mean over the epoch by the rows of its first tensor, "
            f"'{name}' ({', then '.join(map(str, rows[:2]))}), and not by its {size} samples, so that batches with "
            f"more of these count more: give self.log(..., batch_size=...) in both steps")  # fmt: skip


def rows_of_first(batch: Any) -> int | None:
    """Return what Lightning takes for a batch's size: of its first tensor, and of a packed sequence its elements."""
    if isinstance(batch, Tensor) and batch.dim() and not batch.is_nested:
        return batch.shape[0]
    packed = any(isinstance(part, PackedSequence) for part in ragged_parts(batch))
    return next((int(t.shape[0]) for t in tensors(batch) if t.dim()), None) if packed else size_of(batch)


def _lengths(batch: Any) -> set[int]:
    return {int(tensor.shape[0]) for _, tensor in named_tensors(batch) if tensor.dim()}

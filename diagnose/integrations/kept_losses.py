"""The loss of a batch that a Lightning module's step keeps for the end of the epoch: in a list, or in a metric's mean.

`on_validation_epoch_end` logs their mean then. It is not called here: what else it does (it draws, saves, schedules)
would be done again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch import nn

MEAN = ("mean_value", "weight")  # of a torchmetrics MeanMetric: the sum of what it was given, and of its weights


def held(module: nn.Module) -> list[Any]:
    """Return what a module keeps before a step: how long its lists are, and the sums of its metrics."""
    return [len(kept) if isinstance(kept, list) else _sums(kept) for _, kept in _places(module)]


def added(module: nn.Module, before: list[Any]) -> Tensor | None:
    """Return the one number that a step added to what its module keeps, of several the one that is called a loss.

    None where it added none, or it is not told which it is.
    """
    places = _places(module)
    pairs = zip(places, before, strict=True) if len(places) == len(before) else ()
    numbers = [entry for (name, kept), was in pairs for entry in _since(name, kept, was)]
    losses = numbers if len(numbers) == 1 else [entry for entry in numbers if "loss" in entry[0].lower()]
    return losses[0][1] if len(losses) == 1 else None


def _places(module: nn.Module) -> list[tuple[str, Any]]:
    """Return a module's lists by name, also those within its dictionaries, and the metrics that take a mean."""
    values = [(name, value) for part in module.modules() for name, value in vars(part).items()]
    values += [(str(name), value) for _, table in values if type(table) is dict for name, value in table.items()]
    metrics = [(name, part) for name, part in module.named_modules() if all(hasattr(part, some) for some in MEAN)]
    return [(name, value) for name, value in values if type(value) is list] + metrics


def _sums(metric: Any) -> tuple[Tensor, ...]:
    return tuple(getattr(metric, name).detach().clone() for name in MEAN)


def _since(name: str, kept: Any, was: Any) -> list[tuple[str, Tensor]]:
    """Return the numbers that were added to a list, by name, or the mean of what a metric was given."""
    if not isinstance(kept, list):
        total, weight = (now - then for now, then in zip(_sums(kept), was, strict=True))
        return [(name, total / weight)] if weight else []
    new = [entry for one in kept[was:] for entry in (one.items() if isinstance(one, dict) else [(name, one)])]
    return [(str(key), torch.as_tensor(entry).detach().reshape(())) for key, entry in new if _is_number(entry)]


def _is_number(entry: Any) -> bool:
    return isinstance(entry, float) or (isinstance(entry, Tensor) and entry.numel() == 1)

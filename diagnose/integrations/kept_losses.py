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

Place = tuple[str, ...]  # the module's name, its attribute's, and the key where that is a dictionary
MEAN = ("mean_value", "weight")  # of a torchmetrics MeanMetric: the sum of what it was given, and of its weights


def held(module: nn.Module) -> dict[Place, Any]:
    """Return what a module keeps before a step: how long its lists are, and the sums of its metrics."""
    return {at: len(kept) if isinstance(kept, list) else _sums(kept) for at, kept in _places(module).items()}


def added(module: nn.Module, before: dict[Place, Any]) -> Tensor | None:
    """Return the one number that a step added to what its module keeps, of several the one that is called a loss.

    None where it added none, or it is not told which it is.
    """
    numbers: list[tuple[str, Tensor]] = []
    for at, kept in _places(module).items():
        was = before.get(at, 0 if isinstance(kept, list) else None)  # a `defaultdict` may have begun a list
        numbers += [] if was is None else _since(at[-1], kept, was)
    losses = numbers if len(numbers) == 1 else [entry for entry in numbers if "loss" in entry[0].lower()]
    return losses[0][1] if len(losses) == 1 else None


def _places(module: nn.Module) -> dict[Place, Any]:
    """Return a module's lists by where they lie, in its dictionaries, too, and the metrics that take a mean."""
    values: dict[Place, Any] = {
        (path, name): value for path, part in module.named_modules() for name, value in vars(part).items()
    }
    tables = [(at, table) for at, table in values.items() if isinstance(table, dict)]
    values |= {(*at, str(key)): value for at, table in tables for key, value in table.items()}
    metrics = {(name,): part for name, part in module.named_modules() if all(hasattr(part, some) for some in MEAN)}
    return {at: value for at, value in values.items() if type(value) is list} | metrics


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

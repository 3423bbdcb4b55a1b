"""The loss of a batch that a Lightning module's step keeps for the end of the epoch: in a list, or in a metric's mean.

`on_validation_epoch_end` logs their mean then. It is not called here: what else it does (it draws, saves, schedules)
would be done again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from torch import nn

MEAN = ("mean_value", "weight")  # of a torchmetrics MeanMetric: the sum of what it was given, and of its weights


def held(module: nn.Module) -> list[Any]:
    """Return what a module keeps before a step: how long its lists are, and the sums of its metrics."""
    return [len(kept) if isinstance(kept, list) else _sums(kept) for kept in _places(module)]


def added(module: nn.Module, before: list[Any]) -> Tensor | None:
    """Return the one number that a step added to what its module keeps; None where it added none, or several."""
    places = _places(module)
    pairs = zip(places, before, strict=True) if len(places) == len(before) else ()
    numbers = [number for kept, was in pairs for number in _since(kept, was)]
    return numbers[0] if len(numbers) == 1 else None


def _places(module: nn.Module) -> list[Any]:
    """Return a module's lists, also those within its dictionaries, and the metrics that take a mean."""
    values = [value for part in module.modules() for value in vars(part).values()]
    values += [value for table in values if type(table) is dict for value in table.values()]
    lists = [value for value in values if type(value) is list]
    return lists + [part for part in module.modules() if all(hasattr(part, name) for name in MEAN)]


def _sums(metric: Any) -> tuple[Tensor, ...]:
    return tuple(getattr(metric, name).detach().clone() for name in MEAN)


def _since(kept: Any, was: Any) -> list[Tensor]:
    """Return the numbers that were added to a list, or the mean of what a metric was given."""
    if not isinstance(kept, list):
        total, weight = (now - then for now, then in zip(_sums(kept), was, strict=True))
        return [total / weight] if weight else []
    new = [entry for one in kept[was:] for entry in (_losses(one) if isinstance(one, dict) else [one])]
    return [entry.detach().reshape(()) for entry in new if isinstance(entry, Tensor) and entry.numel() == 1]


def _losses(table: dict[Any, Any]) -> list[Any]:
    """Return what a table holds under a name that says loss: of several all."""
    return [value for name, value in table.items() if "loss" in str(name).lower()]

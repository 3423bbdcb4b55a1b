"""What is switched in a model while it evaluates, its weights apart: adapters that are off, a head that is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

Switches = dict[tuple[str, str], bool | str]  # by module and attribute


def switches(model: nn.Module) -> Switches:
    """Return the flags and names that a model's modules hold, but for whether they train."""
    return {
        (name, attribute): value
        for name, module in model.named_modules()
        for attribute, value in vars(module).items()
        if isinstance(value, (bool, str)) and attribute != "training"
    }


def changed(before: Switches, now: Switches) -> Switches:
    """Return the switches that were set to something else."""
    return {key: value for key, value in now.items() if key in before and before[key] != value}


def put(model: nn.Module, some: Switches) -> None:
    """Set switches of a model, or of a copy of it."""
    modules = dict(model.named_modules())
    for (name, attribute), value in some.items():
        setattr(modules[name], attribute, value)

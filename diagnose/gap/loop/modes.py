"""What training mode switches on in a user's network, and how to run it with some of that on."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from diagnose.formatting import listed, visible
from diagnose.gap.loop.mode_kinds import OTHER, kind_of
from diagnose.gap.side import HALF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

KERAS_DROPOUTS = {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"}
ALIKE = 1e-5  # of the largest loss: what another kernel for evaluation may differ by


def kind(module: nn.Module) -> str:
    """Return the kind of what a module does in training mode: the name of its class where that does not tell."""
    if isinstance(module, nn.RNNBase) and module.dropout:
        return "dropout between layers"
    if isinstance(module, nn.MultiheadAttention) and module.dropout:
        return "attention dropout"
    if layers := keras_layers(module):
        return layers
    known = kind_of(module)
    return visible(type(module).__name__) if known == OTHER else known


def keras_layers(model: nn.Module) -> str:
    """Return which layers of a Keras model take `training=`, which its root alone is told; "" of anything else."""
    every = getattr(model, "_flatten_layers", None)
    if not callable(every) or not type(model).__module__.startswith("keras"):
        return ""
    some = [layer for layer in every(include_self=False) if not hasattr(layer, "layers") and _acts(layer)]
    names = sorted({type(layer).__name__ for layer in some})
    if set(names) <= KERAS_DROPOUTS:
        return "dropout" if names else ""
    return listed([visible(name) for name in names])


def _acts(layer: Any) -> bool:
    """Say whether a Keras layer does something else in training: it draws, keeps moving averages, or is a user's."""
    if not getattr(layer, "_call_has_training_arg", False) or getattr(layer, "rate", 1.0) == 0:
        return False
    custom = not type(layer).__module__.startswith("keras")
    return custom or hasattr(layer, "seed_generator") or hasattr(layer, "moving_mean")


def known_kinds(model: nn.Module) -> set[str]:
    """Return the kinds that a model's modules are known to do in training mode."""
    return {kind(m) for m in model.modules() if kind(m) != visible(type(m).__name__) and getattr(m, "p", 1.0) > 0}


def unknown_kinds(model: nn.Module) -> list[str]:
    """Return the classes of modules that may do something in training mode: all that are not known.

    Torch's own too: `RReLU`, an `InstanceNorm` that tracks statistics, an `Embedding` whose hook adds noise.
    """
    return sorted({kind(m) for m in model.modules() if kind(m) == visible(type(m).__name__)})


def differs(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Say whether two losses of the same batch differ by more than another kernel explains."""
    return len(first) != len(second) or bool(
        np.abs(first - second).max() > ALIKE * max(1.0, float(np.abs(first).max()))
    )


def norms(model: nn.Module) -> list[nn.Module]:
    """Return the batch norms of a model."""
    return [module for module in model.modules() if kind(module) == "batch norm"]


def frozen_norms(model: nn.Module) -> frozenset[int]:
    """Return which batch norms are frozen by what they hold: no gradient, or statistics that no batch has made."""
    return frozenset(id(module) for module in norms(model) if _frozen(module))


def _frozen(module: nn.Module) -> bool:
    weight, made, mean = (getattr(module, name, None) for name in ("weight", "num_batches_tracked", "running_mean"))
    if weight is not None and not weight.requires_grad:
        return True
    return made is not None and mean is not None and int(made) == 0 and bool((mean != 0).any())


@contextmanager
def training(model: nn.Module, on: frozenset[str] | None, frozen: frozenset[int] = frozenset()) -> Iterator[None]:
    """Have these kinds in training mode and all else in evaluation mode; with None, all in training mode.

    Modules that a model keeps in evaluation mode while it trains (a frozen batch norm) stay so: where it was handed
    over in training mode its own flags say which, else its own `train` does, and `frozen` (ids of modules).
    """
    before = [(module, module.training) for module in model.modules()]
    ready = model.training
    if not ready:
        model.train()
    live = {id(module) for module in model.modules() if module.training and id(module) not in frozen}
    flags = [(m, id(m) in live and (on is None or kind(m) in on)) for m in model.modules()]
    masks = any(flag and kind(module) != visible(type(module).__name__) for module, flag in flags)
    try:
        for module, flag in flags:
            module.training = flag
        with torch.no_grad(), _no_fast_path() if masks else nullcontext():
            yield
    finally:
        for module, flag in before:
            module.training = flag


@contextmanager
def _no_fast_path() -> Iterator[None]:
    """Have torch's transformer layers take no fast path for a while.

    In evaluation mode they have one, which leaves out the dropout of their parts even where these are in training mode,
    and which sets padded places to 0: what evaluation gives is read with it, dropout without it.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def mode_held(model: nn.Module) -> Iterator[None]:
    """Have a model's own `train()` and `eval()` change nothing for a while."""
    attributes = vars(model)
    methods: dict[str, Any] = {name: attributes.pop(name) for name in ("train", "eval") if name in attributes}
    attributes["train"], attributes["eval"] = lambda mode=True: model, lambda: model  # noqa: ARG005
    try:
        yield
    finally:
        del attributes["train"], attributes["eval"]
        attributes |= methods


@contextmanager
def forward_modes(model: nn.Module) -> Iterator[set[bool]]:
    """Collect whether a model is in training mode whenever a module of it runs."""
    modules, modes = set(model.modules()), set[bool]()

    def note(module: nn.Module, _: Any) -> None:
        if module in modules:
            modes.add(model.training)

    hook = register_module_forward_pre_hook(note)
    try:
        yield modes
    finally:
        hook.remove()


def cast(device: torch.device, autocast: torch.dtype | bool | None) -> AbstractContextManager[object]:
    """Return the context of a precision: autocast to a dtype, switched on or off, or as the objective has it."""
    if autocast is None:
        return nullcontext()
    if isinstance(autocast, torch.dtype) and autocast in HALF:
        return torch.autocast(device.type, dtype=autocast)
    return torch.autocast(device.type, enabled=autocast is True)

"""Dead units: those of a ReLU that never answer, whatever text they are shown; they cost and do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from diagnose.training import network
from diagnose.training.device import autocast
from diagnose.training.evaluation import unchanged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from diagnose.training.batches import Batch


def dead_units(net: nn.Module, batches: Iterable[Batch], precision: str = "fp32") -> dict[str, Any] | None:
    """Count the units of `nn.ReLU` layers that are zero at every token of some text.

    Args:
        net: left exactly as it was; read in evaluation mode.
        batches: the text.
        precision: "fp32" or "bf16".

    Returns:
        `units`, `dead`, `share` and `tokens` that were read, and `layers`: the dead share of each; None where the
        network has no `nn.ReLU`.
    """
    layers = [module for module in net.modules() if isinstance(module, nn.ReLU)]
    if not layers:
        return None
    alive: dict[int, Tensor] = {}

    def look(number: int) -> Any:
        def hook(_: nn.Module, __: Any, out: Tensor) -> None:
            answers = (out > 0).flatten(0, -2).any(0)
            alive[number] = alive[number] | answers if number in alive else answers

        return hook

    device, tokens = next(net.parameters()).device, 0
    hooks = [layer.register_forward_hook(look(number)) for number, layer in enumerate(layers)]
    try:
        with torch.no_grad(), unchanged(net, training=False), network.eager(net):
            for batch in batches:
                here = batch.to(device)
                tokens += here.inputs_BT.numel()
                with autocast(device, precision):
                    net(here.inputs_BT, here.segments_BT)
    finally:
        for hook in hooks:
            hook.remove()
    dead = [int((~alive[number]).sum()) for number in sorted(alive)]
    units = [alive[number].numel() for number in sorted(alive)]
    shares = [a / b for a, b in zip(dead, units, strict=True)]
    return {"units": sum(units), "dead": sum(dead), "share": sum(dead) / sum(units), "tokens": tokens, "layers": shares}

"""What training mode switches on in a network, by kind, and how to have some of it on and the rest off.

A module that has a `kind` and a probability `p` (ours do) is switched alone. Torch's own dropouts and batch norms are
known by their class. Whatever else a network does in training mode is one kind, "other", found by trying.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

from diagnose import random as seeding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.training.batches import Batch

OTHER = "other"
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def kind_of(module: nn.Module) -> str:
    """Return the kind of what a module does in training mode alone; `OTHER` where that is not known."""
    if isinstance(getattr(module, "kind", None), str) and isinstance(getattr(module, "p", None), float):
        return str(module.kind)
    if isinstance(module, DROPOUTS):
        return "dropout"
    return "batch norm" if isinstance(module, NORMS) else OTHER


def live_kinds(network: nn.Module, batch: Batch) -> tuple[str, ...]:
    """Return the kinds that do anything in training mode, in alphabetical order.

    Args:
        network: left exactly as it was.
        batch: on the network's device; a row of it is read to see whether unknown modules depend on the mode.
    """
    known = {
        kind for module in network.modules() if (kind := kind_of(module)) != OTHER and getattr(module, "p", 1.0) > 0
    }
    rows = slice(0, 2)
    segments = None if batch.segments_BT is None else batch.segments_BT[rows]
    answers = []
    for on in (frozenset[str](), frozenset({OTHER})):
        with torch.inference_mode(), switched(network, on):
            torch.manual_seed(seeding.key(0, "live kinds"))
            answers.append(network(batch.inputs_BT[rows], segments))
    return tuple(sorted(known | (set() if torch.equal(*answers) else {OTHER})))


@contextmanager
def switched(network: nn.Module, on: frozenset[str]) -> Iterator[None]:
    """Have what these kinds do in training mode on and all else off; everything is put back.

    Flags, random states and buffers (a batch norm counts what it sees) come back as they were.
    """
    flags = [(module, module.training) for module in network.modules()]
    buffers = [(b, b.clone()) for m in network.modules() if isinstance(m, NORMS) for b in m.buffers(recurse=False)]
    devices = sorted({p.device.index or 0 for p in network.parameters() if p.device.type == "cuda"})
    with torch.random.fork_rng(devices):
        try:
            for module, _ in flags:
                module.training = kind_of(module) in on
            yield
        finally:
            for module, flag in flags:
                module.training = flag
            for buffer, value in buffers:
                buffer.copy_(value)

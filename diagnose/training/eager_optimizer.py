"""Optimizers that do not import torch's compiler.

Torch shields an optimizer's methods from being compiled, and the shield imports the whole compiler when it is first
passed, which takes a second of every process. Our steps compile a network's loss at most, never its optimizer.
"""

from __future__ import annotations

import inspect
from typing import TypeVar

import torch
from torch.optim import Adam, AdamW, Optimizer

Kind = TypeVar("Kind", bound=Optimizer)
SHIELDED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


def eager(kind: type[Kind]) -> type[Kind]:
    """Return a kind of optimizer whose methods are called as they are written; its steps are the same bit for bit."""
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in SHIELDED}
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return type(f"Eager{kind.__name__}", (kind,), {**methods, "step": step})


EagerAdam, EagerAdamW = eager(Adam), eager(AdamW)

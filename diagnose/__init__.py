"""Controlled ablations and loss-gap diagnostics for people who train language models.

    from diagnose import Recipe, train, ablate

    run = train("quick", {"tokenizer.kind": "char"})  # -> Path of the run's directory
    ablation = ablate("tokenizer", seeds=3)  # -> Path of the ablation's directory

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diagnose.ablation.ablate import ablate
    from diagnose.errors import DiagnoseError
    from diagnose.gap.ledger import loss_gap
    from diagnose.recipe import Recipe
    from diagnose.runner import train

_HOMES = {
    "DiagnoseError": "diagnose.errors",
    "Recipe": "diagnose.recipe",
    "ablate": "diagnose.ablation.ablate",
    "loss_gap": "diagnose.gap.ledger",
    "train": "diagnose.runner",
}

__all__ = ["DiagnoseError", "Recipe", "ablate", "loss_gap", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'diagnose' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)

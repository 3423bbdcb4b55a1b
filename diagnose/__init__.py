"""Controlled ablations and loss-gap diagnostics for people who train language models.

    from diagnose import Recipe, train, ablate

    run = train("quick", {"tokenizer.kind": "char"})  # -> Path of the run's directory
    ablation = ablate("tokenizer", seeds=3)  # -> Path of the ablation's directory

    from diagnose import Side, explain_gap  # for a model and a loop of your own

    gap = explain_gap(model, train=Side(batches, loss, reported=0.49), val=Side(others, loss, reported=0.36))

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diagnose.ablation.ablate import ablate
    from diagnose.audited import Audited, audit_metric
    from diagnose.errors import DiagnoseError
    from diagnose.explain.recorder import GapRecorder
    from diagnose.explain.side import Side
    from diagnose.explained import Gap, explain_gap
    from diagnose.gap.ledger import loss_gap
    from diagnose.recipe import Recipe
    from diagnose.runner import train

_HOMES = {
    "Audited": "diagnose.audited",
    "DiagnoseError": "diagnose.errors",
    "Gap": "diagnose.explained",
    "GapRecorder": "diagnose.explain.recorder",
    "Recipe": "diagnose.recipe",
    "Side": "diagnose.explain.side",
    "ablate": "diagnose.ablation.ablate",
    "audit_metric": "diagnose.audited",
    "explain_gap": "diagnose.explained",
    "loss_gap": "diagnose.gap.ledger",
    "train": "diagnose.runner",
}

__all__ = [
    "Audited", "DiagnoseError", "Gap", "GapRecorder", "Recipe", "Side", "ablate", "audit_metric", "explain_gap",
    "loss_gap", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'diagnose' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)

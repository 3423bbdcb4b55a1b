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
    from diagnose.api import audit_metric, compare_scores, explain_gap, load, loss_gap, train
    from diagnose.config.recipe import Recipe
    from diagnose.errors import DiagnoseError
    from diagnose.gap.recorder.recorder import GapRecorder
    from diagnose.gap.side import Side
    from diagnose.report.audit_result import Audited
    from diagnose.report.gap_result import Gap
    from diagnose.runs.score_file import report_scores

_HOMES = {
    "Audited": "diagnose.report.audit_result",
    "DiagnoseError": "diagnose.errors",
    "Gap": "diagnose.report.gap_result",
    "GapRecorder": "diagnose.gap.recorder.recorder",
    "Recipe": "diagnose.config.recipe",
    "Side": "diagnose.gap.side",
    "ablate": "diagnose.ablation.ablate",
    "audit_metric": "diagnose.api",
    "compare_scores": "diagnose.api",
    "explain_gap": "diagnose.api",
    "load": "diagnose.api",
    "loss_gap": "diagnose.api",
    "report_scores": "diagnose.runs.score_file",
    "train": "diagnose.api",
}

__all__ = [
    "Audited", "DiagnoseError", "Gap", "GapRecorder", "Recipe", "Side", "ablate", "audit_metric", "compare_scores",
    "explain_gap", "load", "loss_gap", "report_scores", "train",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'diagnose' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)

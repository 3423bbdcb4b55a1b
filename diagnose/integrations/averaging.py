"""The average by which a trainer reports validation, found from the value where it is another than usual."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.gap.ledger import explain
from diagnose.gap.side import REDUCTIONS

if TYPE_CHECKING:
    from torch import nn

    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.side import Side
    from diagnose.records.ledgers import LedgerRecord


def explain_as_averaged(
    model: nn.Module, train: Side, val: Side, record: Recording | None, budget: float | str
) -> LedgerRecord:
    """Return a ledger, validation averaged as its reported value says, where one of the averages gives that.

    A metric object counts each batch alike; a packed batch of many samples is one row.
    """
    found = explain(model, train, val, record, budget=budget)
    fits = [fit.factor for fit in found.arithmetic.get("validation", ())]
    named = [name for name in REDUCTIONS if any(f"reduction={name!r}" in fit for fit in fits)]
    if named and len(fits) == 1:  # of scalars "mean" and "batch" are one
        return explain(model, train, replace(val, reduction=named[-1]), record, budget=budget)
    return found

"""The average by which a trainer reports validation, found from the value where it is another than usual."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.gap.gap_rules import findings
from diagnose.gap.ledger import explain
from diagnose.gap.record import BY_OBJECTIVE
from diagnose.gap.recorder.ranks import of_first
from diagnose.gap.side import REDUCTIONS
from diagnose.gap.verdict import sentence

if TYPE_CHECKING:
    from torch import nn

    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.side import Side
    from diagnose.records.ledgers import LedgerRecord

OF_SIDES = re.compile(r"; Side\(model=\.\.\.\)[^;]*|, its copy as Side\(model=\.\.\.\)")
SAME = 1e-4  # relative: a reported loss against what is read


def explain_as_averaged(
    model: nn.Module, train: Side, val: Side, record: Recording | None, budget: float | str, named: str = ""
) -> LedgerRecord:
    """Return a ledger, validation averaged as its reported value says, where one of the averages gives that.

    A metric object counts each batch alike; a packed batch of many samples is one row. `named` is the name of the
    validation loss, where there are several.
    """
    ledger = _as_averaged(model, train, val, record, budget)
    ledger = ledger.model_copy(update={"findings": tuple(findings(ledger, in_callback=True)),
                                       "notes": tuple(map(_without_sides, ledger.notes))})  # fmt: skip
    if not named:
        return ledger
    ledger = ledger.model_copy(update={"reported": ledger.reported.model_copy(update={"named": named})})
    return ledger.model_copy(update={"verdict": sentence(ledger)})


def _without_sides(note: str) -> str:
    """Return a note without what it advises those who give sides themselves."""
    return OF_SIDES.sub("", note)


def _as_averaged(
    model: nn.Module, train: Side, val: Side, record: Recording | None, budget: float | str
) -> LedgerRecord:
    given = of_first((train.reported, val.reported))
    train, val = replace(train, reported=given[0]), replace(val, reported=given[1])
    ledger = explain(model, train, val, record, budget=budget)
    fits = [fit.factor for fit in ledger.arithmetic.get("validation", ())]
    some = [name for name in REDUCTIONS if any(_is_average(fit, name) for fit in fits)]
    name = of_first(some[-1] if some and len(fits) == 1 else None)
    if name is not None:  # of scalars "mean" and "batch" are one
        return explain(model, train, replace(val, reduction=name), record, budget=budget)
    return ledger


def is_weighted(ledger: LedgerRecord) -> bool:
    """Say whether the reported validation loss is the mean of batches that are weighted by their sizes, as read."""
    left = {part.id: abs(part.value or 0.0) for part in ledger.term("residual").parts}.get("validation", 0.0)
    return ledger.conditions.val.mean_by == BY_OBJECTIVE["weighted"] and left <= SAME * max(
        1.0, abs(ledger.matched.val)
    )


def _is_average(factor: str, name: str) -> bool:
    """Say whether a fit is this average of all batches, not of one process's alone."""
    return any(name_of_fit.endswith(f"(reduction={name!r})") for name_of_fit in factor.split(", or "))

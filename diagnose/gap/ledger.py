"""From two sides to the record of their ledger: reads them, makes the terms, and puts both into plain data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import samples_of
from diagnose.gap.loop.measure import measure
from diagnose.gap.loop.per_sample import per_sample
from diagnose.gap.loop.reading_budget import ReadingBudget
from diagnose.gap.loop.time_first import columns_of, rows_first
from diagnose.gap.record import of_loop, terms
from diagnose.gap.recorder.ranks import mean_of_ranks
from diagnose.gap.reported import reported
from diagnose.gap.side import Side, check_model

if TYPE_CHECKING:
    from torch import nn

    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.side import Objective
    from diagnose.records.ledgers import LedgerRecord


def explain(
    model: nn.Module,
    train: Side | Objective,
    val: Side | Objective,
    kept: Recording | None = None,
    *,
    budget: float | str = 20.0,
) -> LedgerRecord:
    """Return a ledger; see `diagnose.api.explain_gap`."""
    check_model(model)
    limit = ReadingBudget.of(budget)
    if kept is not None:
        kept.check()
    sides: tuple[Side, Side]
    sides, kept = rows_first(model, (_train_side(kept, train), _val_side(kept, val)), kept)
    kept = None if kept is None else kept.without_skipped()
    sides, kept, notes = per_sample(model, sides, kept)
    measurements = measure(model, *sides, limit, kept)
    measurements = replace(measurements, notes=(*measurements.notes, *notes))
    given = reported(measurements, *sides)
    return of_loop(measurements, sides, given, terms(measurements, given), kept, limit)


def _train_side(kept: Recording | None, given: Objective | Side) -> Side:
    if kept is None:
        return _given(given, "train")
    if isinstance(given, Side):
        return given if given.reported is not None else replace(given, reported=mean_of_ranks(kept.train))
    return Side(kept.batches(kept.earlier or kept.window), given, reported=mean_of_ranks(kept.train), reduction="batch")


def _val_side(kept: Recording | None, given: Objective | Side) -> Side:
    if kept is None:
        return _given(given, "val")
    val_batches = kept.batches(kept.validation) if kept.whole else []
    if not isinstance(given, Side):
        if not val_batches:
            raise DiagnoseError("the record holds no validation batches; call recorder.validation or give a Side")
        return Side(val_batches, given, reported=mean_of_ranks(kept.val), reduction=_reduction(kept, val_batches))
    reported = mean_of_ranks(kept.val) if given.reported is None else given.reported
    if given.reported_on is not None or given.reported is not None or not val_batches:
        return replace(given, reported=reported)
    own = _reduction(kept, val_batches) if given.reduction == "mean" else given.reduction
    return replace(given, reported=reported, reported_on=val_batches, reduction=own)


def _reduction(kept: Recording, shown: list[Any]) -> str:
    """Return how the recorded validation batches were averaged: alike, by their samples, or by what each counts."""
    weights = [step.weight for step in kept.validation]
    if len(set(weights)) < 2:
        return "batch"
    counts = [[count(batch) for batch in shown] for count in (samples_of, columns_of)]
    return "weighted" if weights in counts else "mean"


def _given(side: Any, name: str) -> Side:
    if not isinstance(side, Side):
        raise DiagnoseError(
            f"{name} is a {type(side).__name__}; give {name}=Side(batches, objective), and what was recorded of a loop "
            "as recorder="
        )
    return side

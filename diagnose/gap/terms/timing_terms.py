"""What time does to training's loss: the weights that moved since it was logged, and which batches it is of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.formatting import counted
from diagnose.gap.intervals import combined
from diagnose.gap.term import REPLAYED, Term, TermKind
from diagnose.stats import Interval

if TYPE_CHECKING:
    from diagnose.gap.measurements import Measurements, Replayed
    from diagnose.gap.reported import ReportedLosses
    from diagnose.stats import Reading

KINDS = (TermKind("lag", "timing", "lag: weights moved"), TermKind("recency", "timing", "recency: which batches"))
NO_REPLAY = "not known without a record of the steps (GapRecorder); together with recency in residual"


def terms(found: Measurements, given: ReportedLosses) -> list[Term]:
    """Return `lag` and `recency`: from recorded steps that were read again, or what is known without."""
    del given
    if found.replayed is None:
        return _without_record(found)
    start = found.train.readings[found.sides.train]
    return [_lag(found.replayed), _recency(found.replayed, start, found.train.batches)]


def _without_record(found: Measurements) -> list[Term]:
    how = "the final weights on the very batches and masks of the logged losses, minus what was logged"
    how_recency = "other training batches minus those that were reported on, both under training's condition"
    lag = Term("lag", None, basis=NO_REPLAY, how=how)
    reported_on = found.shown[0]
    if reported_on is None:
        reason = "not known: which batches the training loss is of was not given; together with lag in residual"
        return [lag, Term("recency", None, basis=reason, how=how_recency)]
    condition = found.sides.train
    between = combined([reported_on.readings[condition], found.train.readings[condition]], [-1.0, 1.0])
    basis = f"{counted(reported_on.batches, 'batch', 'batches')} that were reported on against {found.train.batches:,}"
    recency = Term("recency", between.value, between.low, between.high, basis=basis, how=how_recency)
    lag = replace(lag, basis="not known without a record of the steps (GapRecorder); in residual")
    return [lag, recency]


def _lag(found: Replayed) -> Term:
    """Return the term `lag`."""
    value = found.value - found.logged
    masks = "masks" if found.masked else "other masks (the model was not called itself, so they are not known)"
    how = f"the final weights on the very batches and {masks} of the logged losses, minus what was logged"
    if found.half is None:
        again = f"{counted(found.steps, 'step')} read again"
        other = found.first is not None and abs(found.first) > REPLAYED
        basis = f"{again}; the first does not give its loss with its own weights" if other else f"exact: {again}"
        return Term("lag", value, basis=basis, how=how)
    basis = f"a sample: {found.steps} of {found.of} steps read again"
    return Term("lag", value, value - found.half, value + found.half, basis=basis, how=how)


def _recency(found: Replayed, start: Reading, batches: int) -> Term:
    """Return the term `recency`: the training batches minus the recorded ones, under the final weights."""
    span = combined([found.reading, start], [-1.0, 1.0])
    value = start.mean - found.value
    basis = f"{counted(batches, 'training batch', 'training batches')} against the {found.steps} of the logged losses"
    how = "other training batches, minus the batches of the logged losses; final weights"
    if span.low is None or span.high is None:
        return Term("recency", value, basis=basis, how=how)
    if found.half is not None:  # what the steps that were not kept would give is chance too
        half = (((span.high - span.low) / 2) ** 2 + found.half**2) ** 0.5
        return Term("recency", value, value - half, value + half, basis=basis, how=how)
    return Term("recency", value, value - span.value + span.low, value - span.value + span.high, basis=basis, how=how)


def together(first: Term, second: Term) -> Interval:
    """Return `lag` + `recency`; where lag was sampled, its chance and recency's add up as squares."""
    value = (first.value or 0.0) + (second.value or 0.0)
    if second.low is None or second.high is None:
        return Interval(value, None, None, None, None)
    half = 0.0 if first.low is None or first.high is None else (first.high - first.low) / 2
    wide = ((second.high - second.low) ** 2 / 4 + half**2) ** 0.5
    return Interval(value, value - wide, value + wide, None, None)

"""Which batches were reported on: what their choice does to validation's loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.formatting import counted, plain
from diagnose.gap.factor_fits import rounding
from diagnose.gap.intervals import RECOMPUTED, around
from diagnose.gap.reported import left
from diagnose.gap.term import Term, TermKind
from diagnose.stats import Interval
from diagnose.stats.crossed import t_quantile

if TYPE_CHECKING:
    from diagnose.gap.measurements import BatchReadings, Measurements
    from diagnose.gap.reported import ReportedLosses

KINDS = (
    TermKind(
        "draw", "chance", "draw: the one batch", lead="The one validation batch that was shown",
        change="the batches that were reported on",
    ),
)  # fmt: skip


def terms(found: Measurements, given: ReportedLosses) -> list[Term]:
    """Return `draw`."""
    return [read(found, given)[0]]


def read(found: Measurements, given: ReportedLosses) -> tuple[Term, Interval]:
    """Return `draw`, and what validation's part of the residual is: reported minus read again."""
    val, how = (
        found.sides.val,
        "the batches that were reported on minus all validation batches, under validation's conditions",
    )
    whole, reported_on = found.val_own.readings[val], found.shown[1]
    if reported_on is not None and (again := _of_the_same(found, reported_on)) is not None:
        exact_basis = f"exact: all {counted(reported_on.batches, 'batch', 'batches')} are reported on"
        lies = given.val - whole.mean
        return Term("draw", 0.0, basis=exact_basis, how=how), Interval(lies, lies - again, lies + again, None, None)
    if reported_on is not None:
        reading = reported_on.readings[val]
        sampled = not found.exact(1)
        value = reading.mean - whole.mean
        span = around(whole, value) if sampled else Interval(value, None, None, None, None)
        number, of = (counted(text.batches, "batch", "batches") for text in (reported_on, found.val_own))
        basis = f"{'' if sampled else 'exact: '}{number} reported on, against {of}"
        rest = left(given.val, reading, exact=reported_on.repeated or found.steady(1))
        if reported_on.luck is not None:
            rest = Interval(rest.value, rest.value - reported_on.luck, rest.value + reported_on.luck, None, None)
        return Term("draw", value, span.low, span.high, basis=basis, how=how), rest
    exact, draws = found.exact(1), found.draws(1)
    alike = RECOMPUTED * max(1.0, abs(whole.mean)) + rounding(given.val)
    if not given.given[1] or abs(given.val - whole.mean) <= alike:
        what = "what is reported is the loss of all batches that were read" + (", recomputed" if given.given[1] else "")
        return Term("draw", 0.0, basis=f"exact: {what}", how=how), left(given.val, whole, exact=exact, draws=draws)
    bound = _spread(found.val_own, val)
    if found.anew(1):
        basis = "not told apart: the loader draws anew each pass, so the reported loss is of another draw; in residual"
        rest = left(given.val, whole, exact=False, draws=draws)
        return Term("draw", None, basis=basis, how=how), rest
    basis = "not known: which batches were reported on was not given (reported_on); in residual"
    if bound is not None:
        basis += f". One batch lies within ±{plain(bound)} of all in 95 of 100 cases"
    low, high = (None, None) if bound is None else (-bound, bound)
    return Term("draw", None, low, high, basis=basis, how=how), left(given.val, whole, exact=exact, draws=draws)


def _of_the_same(found: Measurements, reported_on: BatchReadings) -> float | None:
    """Return how far two draws of noise lie apart where a random loss is reported on all batches; else None."""
    val, luck, draws = found.val_own, reported_on.luck, max(1, reported_on.draws)
    if luck is None or 1 not in found.random or found.anew(1) or not val.complete:
        return None
    half = luck * (2 / (1 + 1 / draws)) ** 0.5
    apart = abs(reported_on.readings[found.sides.val].mean - val.readings[found.sides.val].mean)
    same = (reported_on.batches, reported_on.samples) == (val.batches, val.samples)
    return half if same and apart <= half else None


def _spread(text: BatchReadings, own: Any) -> float | None:
    """Return how far one batch's loss may lie from the mean of all, in 95 of 100 cases; None for a single batch."""
    means = np.array(text.means[own])
    return float(t_quantile(0.95, len(means) - 1) * means.std(ddof=1)) if len(means) > 1 else None

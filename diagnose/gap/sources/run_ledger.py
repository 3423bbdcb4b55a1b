"""The ledger of a finished run: from the reported training loss to the reported validation loss, term by term.

The terms are differences of consecutive readings, so that they telescope: their sum is the gap whatever was read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.gap.sources import run_budget as budgets
from diagnose.gap.sources import run_conditions as conditions
from diagnose.gap.sources import run_data as data
from diagnose.gap.sources import run_places as where
from diagnose.gap.sources import run_replay, run_texts
from diagnose.gap.sources.run_terms import Term, mode_on_unseen
from diagnose.gap.sources.run_terms import terms as ledger_terms
from diagnose.stats import Interval, combination

if TYPE_CHECKING:
    from diagnose.gap.sources.run import FinishedRun
    from diagnose.gap.sources.run_budget import RunBudget
    from diagnose.gap.sources.run_conditions import RunConditions
    from diagnose.gap.sources.run_data import ValidationReadings
    from diagnose.gap.sources.run_replay import Lag, VerifiedInterval

LAG_SHARE = 0.6  # of the budget; the others are of what is left
TRAINING_SHARE, VALIDATION_SHARE, RESERVE_SHARE, DIFFICULTY_SHARE, WHERE_SHARE = 0.4, 0.25, 0.1, 0.1, 0.15
NEIGHBOURS = 10  # documents of a block under a split by place: neighbouring verses correlate at 0.24
FEWEST_BLOCKS = 20


@dataclass(frozen=True)
class MatchedReadings:
    """Both losses under the same condition, and their difference with its interval."""

    train: float
    val: float
    interval: Interval


@dataclass(frozen=True)
class RunLedger:
    """Everything that is known of a run's gap.

    Attributes:
        finished: the run.
        terms: in the ledger's order.
        timing: `lag` + `recency` with its interval.
        matched, matched_on: both losses in validation's condition with the plain objective, dropout off and on.
        sides, conditions, data, lag: what was measured.
        verified: the last interval trained again; None where that was not asked for, or not possible (see `notes`).
        beside: `mode` on unseen text; None where there is none.
        where: losses by place in the text (see `gap.where`); None where that was not asked for.
        seconds: that it took; limit: that it was allowed.
    """

    finished: FinishedRun
    terms: tuple[Term, ...]
    timing: Interval
    matched: MatchedReadings
    matched_on: MatchedReadings
    conditions: RunConditions
    data: ValidationReadings
    lag: Lag
    verified: VerifiedInterval | None
    beside: Interval | None
    where: dict[str, Any] | None
    limit: RunBudget
    seconds: float
    notes: tuple[str, ...] = field(default=())

    @property
    def matched_data(self) -> Interval:
        """`unseen` + `leak`: both texts under validation's own condition."""
        readings = [self.conditions.end, self.data.whole[self.conditions.sides.val]]
        return combination(readings, [-1.0, 1.0])

    @property
    def gap(self) -> float:
        """Reported validation minus reported training, in nats per token."""
        return self.finished.val - self.finished.train

    def term(self, name: str) -> Term:
        """Return a term by its id."""
        return next(term for term in self.terms if term.id == name)

    def value(self, name: str) -> float:
        """Return a term's value, 0 where there is none."""
        return self.term(name).value or 0.0


def make(
    finished: FinishedRun, *, budget: float | str | None = None, verify: bool = False, places: bool = False
) -> RunLedger:
    """Measure every term of a run's ledger, and with `places` where in the text losses lie; see `run_gap.loss_gap`."""
    begun = time.monotonic()
    limit = budgets.allow(finished, budget)
    verified, notes = _verified(finished) if verify else (None, ())
    notes = (*finished.notes, *notes)
    delayed = run_replay.lag(finished, LAG_SHARE * limit.positions)
    left = limit.less(delayed.steps * finished.positions)
    found = conditions.sides(finished)
    unit = _unit(finished)
    positions = left.share(TRAINING_SHARE, conditions.passes(found, divided=conditions.divides(found)))
    chosen = run_texts.training_text(finished, positions, masks=bool(found.kinds))
    measured = conditions.measure(finished, found, chosen, 2 * positions, unit)
    often = data.passes(found)
    shares = (
        left.share(VALIDATION_SHARE, often, budgets.ENOUGH_VALIDATION),
        left.share(RESERVE_SHARE, often, budgets.ENOUGH_VALIDATION),
    )
    read = data.measure(finished, found, shares, unit)
    if read.whole[found.val].influences() is None or measured.start.influences() is None:
        notes = (*notes, "the text is a single document, so what compares texts has no interval")
    if found.kinds and finished.recipe.run.compile == "on":
        notes = (
            *notes,
            "the run was compiled, and a compiler draws masks of its own: lag is with other masks than logged",
        )
    timing, terms = ledger_terms(finished, delayed, measured, read, verified, left.share(DIFFICULTY_SHARE, 1), unit)
    share = left.share(WHERE_SHARE / 2, 1)
    by_place = where.measure(finished, measured, (share, share), unit) if places else None
    return RunLedger(
        finished, terms, timing, _matched(measured, read, on=False), _matched(measured, read, on=True), measured, read,
        delayed, verified, mode_on_unseen(measured, read), by_place, limit, time.monotonic() - begun, notes,
    )  # fmt: skip


def _verified(finished: FinishedRun) -> tuple[VerifiedInterval | None, tuple[str, ...]]:
    try:
        return run_replay.verify(finished), ()
    except DiagnoseError as error:
        return None, (str(error),)


def _unit(finished: FinishedRun) -> int:
    """Return how many adjacent documents are one unit of the intervals."""
    parts = finished.setup.text.split
    return max(1, min(NEIGHBOURS, len(parts.val) // FEWEST_BLOCKS)) if parts.kind == "tail" else 1


def _matched(measured: RunConditions, read: ValidationReadings, *, on: bool) -> MatchedReadings:
    ask = measured.sides.alike(on=on)
    train, val = measured.alike(on=on), read.whole[ask]
    return MatchedReadings(train.mean, val.mean, combination([train, val], [-1.0, 1.0]))

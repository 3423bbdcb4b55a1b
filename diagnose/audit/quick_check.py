"""The cheap rules of the audit, for the findings of a ledger: is the validation loss the same twice, and why not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.audit import broadcast, side_evaluation
from diagnose.audit.findings import Audit
from diagnose.audit.rules import SEVERITIES
from diagnose.audit.side_batches import may_hold_text
from diagnose.audit.side_passes import CannotRunError, SidePasses, mean_of
from diagnose.audit.sides_audit import first_of
from diagnose.errors import DiagnoseError
from diagnose.formatting import signed
from diagnose.gap.loop.guard import guarded
from diagnose.gap.loop.reached import other_modules
from diagnose.gap.recorder import ranks
from diagnose.gap.verdict import wrong_loss

if TYPE_CHECKING:
    from torch import nn

    from diagnose.gap.side import Side
    from diagnose.records.ledgers import LedgerRecord
    from diagnose.records.schema import FindingRecord

MOST = 8  # batches that are read
SHARE = 0.2  # of the seconds that the ledger took
SEEDS = range(4)  # of dropout that is on in evaluation
SEVERITY = {
    "targets-broadcast": "error", "state-carried": "warning", "dropout-on": "warning", "batch-dependent": "note",
    "ragged-mean": "note",
}  # fmt: skip
SAID = {  # by the ledger's own rules
    "batch-dependent": {"gap/batching", "gap/eval-forgotten", "targets-broadcast"}, "ragged-mean": {"gap/reduction"},
    "dropout-on": {"gap/eval-forgotten"},
}  # fmt: skip


def with_quick_findings(record: LedgerRecord, model: nn.Module, train: Side | None, val: Side) -> LedgerRecord:
    """Return a ledger's record with what the cheap rules of the audit find in how its losses are taken.

    That a loss is random is said once: by `dropout-on` where that is why.
    """
    if ranks.several():  # each would have to make the same passes
        return record
    own = record.findings
    found = quick_findings(model, train, val, {one.rule for one in own}, SHARE * max(1.0, record.budget.took))
    if any(one.rule == "dropout-on" for one in found):
        own = tuple(one for one in own if one.rule != "gap/random")
    both = sorted((*own, *found), key=lambda one: SEVERITIES.index(one.severity))
    wrong = next((one.what for one in found if one.rule == broadcast.RULE), "")
    return record.model_copy(
        update={"findings": tuple(both), "verdict": wrong_loss(record, wrong) if wrong else record.verdict}
    )


def quick_findings(
    model: nn.Module, train: Side | None, val: Side, known: set[str], seconds: float
) -> list[FindingRecord]:
    """Return what the cheap rules of the audit find in how losses are taken; the model comes back as it was.

    Milder than in an audit, for a ledger is asked about a gap: what a loss is by design (in-batch negatives) is a note.

    Args:
        model: the ledger's.
        train: the training side, where one was given; its objective is looked at alone.
        val: the validation side, whose evaluation is looked at.
        known: the ledger's own findings: what they say is not said again.
        seconds: a limit; a rule that has begun is carried out.
    """
    out, begun = Audit(), time.monotonic()
    model = ranks.unwrapped(model if val.model is None else val.model)
    sides = [side for side in (val, train) if side is not None]
    others = list({id(m): m for side in sides for m in other_modules(side.objective, model).values()}.values())
    with guarded(model, [side.batches for side in sides], others) as kept:
        passes = SidePasses(model, kept, val, "validation")
        try:
            passes.set_mode()
            batches = first_of(val, MOST)
            out.text = not batches or may_hold_text(batches[0])
            broadcast.judge(out, broadcast.with_first(passes, batches[0], train))
            _judged(out, passes, batches, begun + seconds)
        except (DiagnoseError, CannotRunError):
            pass  # what cannot be read so has been read by the ledger in its own way
        finally:
            passes.forget()
            kept.restore()
    known = known | {one.rule for one in out.findings}
    found = [one for one in out.findings if one.rule in SEVERITY and not SAID.get(one.rule, set()) & known]
    return [one.model_copy(update={"severity": SEVERITY[one.rule]}) for one in found]


def _judged(out: Audit, passes: SidePasses, batches: list[Any], end: float) -> None:
    repeats = side_evaluation.repeatable(out, passes, batches)
    if "dropout-on" in out.broken:
        _cost(out, passes, batches)
    if repeats and time.monotonic() < end:
        side_evaluation.rows_alone(out, passes, batches[0], None)
    if repeats and time.monotonic() < end:
        side_evaluation.averaging(out, passes, batches, None)


def _cost(out: Audit, passes: SidePasses, batches: list[Any]) -> None:
    """Add to the finding what dropout in evaluation does to the loss, over several batches and masks."""
    found = next(one for one in out.findings if one.rule == "dropout-on")
    without = np.array([mean_of(passes.losses(batch)) for batch in batches])
    passes.quiet = False
    given = np.array([[mean_of(passes.losses(batch, seed=seed)) for seed in SEEDS] for batch in batches])
    passes.quiet = True
    costs = float(given.mean() - without.mean())
    what = f"{found.what}; over {len(batches)} batches it costs {signed(costs, 3)}"
    more = {"what": what, "measured": found.measured | {"costs": costs}}
    out.findings[out.findings.index(found)] = found.model_copy(update=more)

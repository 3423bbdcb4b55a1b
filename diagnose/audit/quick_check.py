"""The cheap rules of the audit, for the findings of a ledger: is the validation loss the same twice, and why not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.audit import side_evaluation
from diagnose.audit.audited_sides import FEW, AuditedSides, first_of
from diagnose.audit.findings import SEVERITIES, Audit
from diagnose.audit.hits import why_refused
from diagnose.audit.rules import labels_unrelated, targets_broadcast
from diagnose.audit.side_batches import may_hold_text
from diagnose.audit.side_passes import CannotRunError, SidePasses, mean_of
from diagnose.errors import DiagnoseError
from diagnose.formatting import signed
from diagnose.gap.gap_causes import mostly_seen
from diagnose.gap.loop.guard import guarded
from diagnose.gap.loop.reached import other_modules
from diagnose.gap.loop.time_first import rows_first
from diagnose.gap.recorder import ranks
from diagnose.gap.verdict import wrong_labels, wrong_loss

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
    "ragged-mean": "note", "labels-unrelated": "warning",
}  # fmt: skip
INSTEAD = {  # of the ledger's own findings: what these come of
    "dropout-on": {"gap/random"}, "labels-unrelated": {"gap/unseen", "gap/training-worse"},
}  # fmt: skip
SAID = {  # by the ledger's own rules
    "batch-dependent": {"gap/batching", "gap/eval-forgotten", "targets-broadcast"}, "ragged-mean": {"gap/reduction"},
    "dropout-on": {"gap/eval-forgotten"},
}  # fmt: skip


def with_quick_findings(record: LedgerRecord, model: nn.Module, train: Side | None, val: Side) -> LedgerRecord:
    """Return a ledger's record with what the cheap rules of the audit find in how its losses are taken.

    What comes of the same cause is said once: that a loss is random by `dropout-on`, where that is why.
    """
    if ranks.several():  # each would have to make the same passes
        return record
    (train, val), _ = rows_first(model, (train, val))
    seconds = SHARE * max(1.0, record.budget.took)
    known = {finding.rule for finding in record.findings}
    of_audit = quick_findings(model, train, val, known, seconds, asks_labels=_asks_labels(record))
    gone = {rule for finding in of_audit for rule in INSTEAD.get(finding.rule, ())}
    of_ledger = [finding for finding in record.findings if finding.rule not in gone]
    both = sorted((*of_ledger, *of_audit), key=lambda finding: SEVERITIES.index(finding.severity))
    return record.model_copy(update={"findings": tuple(both), "verdict": _verdict(record, of_audit)})


def _verdict(record: LedgerRecord, findings: list[FindingRecord]) -> str:
    """Return the verdict: of a loss that is not what it is meant to be, or of labels that tell nothing, that first."""
    by_rule = {finding.rule: finding for finding in findings}
    if "targets-broadcast" in by_rule:
        return wrong_loss(record, by_rule["targets-broadcast"].what)
    if "labels-unrelated" in by_rule:
        return wrong_labels(record, labels_unrelated.lead(by_rule["labels-unrelated"].measured))
    return record.verdict


def _asks_labels(record: LedgerRecord) -> bool:
    """Say whether data alone make a resolved difference, on samples that are made alike: labels may be why."""
    data, same = record.group("data"), record.conditions
    resolved = data.low is not None and data.high is not None and not data.low <= 0 <= data.high
    return resolved and not same.unlike and not same.masked and not mostly_seen(record)


def quick_findings(
    model: nn.Module, train: Side | None, val: Side, known: set[str], seconds: float, *, asks_labels: bool = False
) -> list[FindingRecord]:
    """Return what the cheap rules of the audit find in how losses are taken; the model comes back as it was.

    Milder than in an audit, for a ledger is asked about a gap: what a loss is by design (in-batch negatives) is a note.

    Args:
        model: the ledger's.
        train: the training side, where one was given; its objective is looked at alone.
        val: the validation side, whose evaluation is looked at.
        known: the ledger's own findings: what they say is not said again.
        seconds: a limit; a rule that has begun is carried out.
        asks_labels: whether labels are asked for, too.

    Raises:
        DiagnoseError: of what the objectives return higher is better.
    """
    out, refused, begun = Audit(), "", time.monotonic()
    model = ranks.unwrapped(model if val.model is None else val.model)
    sides = [side for side in (val, train) if side is not None]
    others = list({id(m): m for side in sides for m in other_modules(side.objective, model).values()}.values())
    with guarded(model, [side.batches for side in sides], others) as guard:
        passes = SidePasses(model, guard, val, "validation")
        try:
            passes.set_mode()
            batches = first_of(val, MOST)
            out.text = not batches or may_hold_text(batches[0])
            refused = why_refused(audited := AuditedSides(passes, batches, train))
            targets_broadcast.judge_sides(out, audited)
            _judged(out, passes, batches, begun + seconds)
            if asks_labels and train is not None:
                labels_unrelated.judge_sides(out, AuditedSides(passes, first_of(val, FEW), train))
        except (DiagnoseError, CannotRunError):
            pass  # what cannot be read so has been read by the ledger in its own way
        finally:
            passes.forget()
            guard.restore()
    if refused:
        raise DiagnoseError(refused)
    known = known | {finding.rule for finding in out.findings}
    return [
        finding.model_copy(update={"severity": SEVERITY[finding.rule]})
        for finding in out.findings
        if finding.rule in SEVERITY and not SAID.get(finding.rule, set()) & known
    ]


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
    finding = next(finding for finding in out.findings if finding.rule == "dropout-on")
    without = np.array([mean_of(passes.losses(batch)) for batch in batches])
    passes.quiet = False
    given = np.array([[mean_of(passes.losses(batch, seed=seed)) for seed in SEEDS] for batch in batches])
    passes.quiet = True
    costs = float(given.mean() - without.mean())
    what = f"{finding.what}; over {len(batches)} batches it costs {signed(costs, 3)}"
    more = {"what": what, "measured": finding.measured | {"costs": costs}}
    out.findings[out.findings.index(finding)] = finding.model_copy(update=more)

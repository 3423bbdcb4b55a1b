"""What the data differ in: text that training has not seen, and validation's text that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.gap.intervals import RECOMPUTED, SAME_DATA, combined
from diagnose.gap.term import Term, TermKind

if TYPE_CHECKING:
    from diagnose.gap.measurements import Measurements
    from diagnose.gap.reported import ReportedLosses

KINDS = (
    TermKind("unseen", "data", "unseen text", lead="Text that was not trained on", change="data other than training's"),
    TermKind("leak", "data", "leak: seen text", change="validation data that it has seen"),
)  # fmt: skip


def terms(found: Measurements, given: ReportedLosses) -> list[Term]:
    """Return `unseen` and `leak`."""
    del given
    val = found.sides.end
    end, whole = found.train.readings[val], found.val.readings[val]
    how = "unseen validation data minus training data, both under validation's conditions"
    how_leak = "all validation data minus its unseen part, both under validation's conditions"
    alike = found.same_samples and abs(whole.mean - end.mean) <= RECOMPUTED * max(1.0, abs(end.mean))
    if found.same_data or alike:
        return [Term("unseen", 0.0, basis=SAME_DATA, how=how), Term("leak", 0.0, basis=SAME_DATA, how=how_leak)]
    if found.unseen is None:
        both = combined([end, whole], [-1.0, 1.0], mixed=found.sides.together)
        reason = f"{found.why}: this is unseen and leak together, validation data minus training data"
        leak = Term("leak", None, basis=f"{found.why}: given together with unseen", how=how_leak)
        return [Term("unseen", both.value, both.low, both.high, basis=reason, how=how), leak]
    rest = combined([end, found.unseen[val]], [-1.0, 1.0], mixed=found.sides.together)
    first = Term("unseen", rest.value, rest.low, rest.high, basis=found.why, how=how)
    if found.all_unseen:
        return [first, Term("leak", 0.0, basis=f"exact: {found.why}", how=how_leak)]
    gone = combined([found.unseen[val], whole], [-1.0, 1.0], mixed=found.sides.together)
    basis = "a difference between samples, so it holds their difficulty too"
    return [first, Term("leak", gone.value, gone.low, gone.high, basis=basis, how=how_leak)]

"""Is each prediction compared with its own target alone?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.audit.findings import METRIC, Audit, Rule

if TYPE_CHECKING:
    from diagnose.audit.audited_sides import AuditedSides

RULES = (Rule(
    "targets-broadcast", METRIC, 130, "error",
    "each prediction is compared with its own target alone",
    "give both the same shape: model(x).squeeze(-1), or y.unsqueeze(-1)",
    "Predictions of shape (B, 1) less targets of shape (B) are broadcast to B times B differences: every "
    "prediction is compared with every target of its batch. Such a loss has the best value where all predictions "
    "are the mean of the targets, and it depends on who is in the batch.",
    not_of_runs="the loss of tokens compares no numbers",
),)  # fmt: skip


def judge_sides(audit: Audit, sides: AuditedSides) -> None:
    """Judge by the shapes that losses and differences are taken of, on a batch of each side."""
    from diagnose.audit.broadcast import first_seen

    seen = first_seen(sides)
    if seen is None:
        audit.keeps("targets-broadcast")
        return
    whose, shape, other = seen
    size = shape[0]
    what = (f"{whose} compares {shape} with {other}: each prediction with the targets of all {size:,} samples "
            f"({size:,} times {size:,} differences)")  # fmt: skip
    audit.breaks("targets-broadcast", what, samples=size)

"""Objectives of which higher is better, as an accuracy is: every word on a gap is of losses, and would be reversed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.audit import labels
from diagnose.audit.side_passes import mean_of
from diagnose.formatting import plain
from diagnose.gap.loop.elements import samples_of

if TYPE_CHECKING:
    from typing import Any

    from diagnose.audit.audited_sides import AuditedSides
    from diagnose.audit.side_passes import SidePasses

LOOKED = 4  # batches that must all be counts
WHOLE = 1e-3  # how far a count may be from a whole number
LUCK = 3.0  # standard errors


def why_refused(sides: AuditedSides) -> str:
    """Say that objectives count what is right: with other samples' labels they fall, on both sides; "" where not."""
    if sides.train is None or not all(_is_count(sides.passes, batch) for batch in sides.batches[:LOOKED]):
        return ""
    losses = labels.losses_of(sides)
    if isinstance(losses, labels.NotRead):
        return ""
    falls = [own - other for own, other in losses.values()]
    if not all(fall.mean() > LUCK * fall.std(ddof=1) / len(fall) ** 0.5 for fall in falls):
        return ""
    own, other = (plain(float(losses["training"][k].mean())) for k in range(2))
    return (
        f"the objectives return counts of what is right: training's is {own}, and {other} with the labels of other "
        "samples, so that higher is better; a gap is of losses: return 1 - it, or the loss"
    )


def _is_count(passes: SidePasses, batch: Any) -> bool:
    """Say whether a batch's mean is a whole number of its samples."""
    mean, number = mean_of(passes.losses(batch)), samples_of(batch)
    return 0 <= mean <= 1 and number > 1 and abs(mean * number - round(mean * number)) < WHOLE

"""A reported loss that is what the other side's objective gives: smoothing in both, a loss that was compiled once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.readings import read
from diagnose.gap.reported import SAME, rounding
from diagnose.gap.side import SIDES

if TYPE_CHECKING:
    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side


def with_other_objective(
    subject: Subject, side: Side, text: BatchReadings, own: Condition, name: str, seconds: float
) -> BatchReadings:
    """Return what was read with what the other side's objective gives, where that is what was reported.

    It takes a pass more only where a loss that is the same each time is not the reported one.
    """
    if side.reported is None or side.reported_on is not None or side.plain is not None or not text.complete:
        return text
    other = 1 - own.objective
    same = subject.apart or subject.objectives[0] == subject.objectives[1]
    if same or own.on or subject.random:
        return text
    slack = SAME * abs(side.reported) + rounding(side.reported)
    if abs(side.reported - text.readings[own].mean) <= slack:
        return text
    turned = replace(own, objective=other)
    try:
        found = read(subject, side, side.batches, [turned], name=name, seconds=seconds, owner=own.objective)
    except DiagnoseError:  # the other objective cannot be run on these batches
        return text
    mean = found.readings[turned].mean
    if not found.complete or abs(side.reported - mean) > slack:
        return text
    return replace(text, likely=text.likely | {f"by the {SIDES[other]} side's objective": mean})

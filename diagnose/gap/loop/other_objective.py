"""A reported loss that another objective gives: the other side's (smoothing in both), or its own with gradients on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.other_precision import reported_of_all
from diagnose.gap.loop.readings import read
from diagnose.gap.reported import slack
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side


def with_other_objective(
    subject: Subject, side: Side, text: BatchReadings, own: Condition, name: str, seconds: float
) -> BatchReadings:
    """Return what was read with what the other side's objective gives, where that is what was reported.

    Also with what its own gives where gradients are on, for one that weighs its parts by them. It takes a pass more
    only where a loss that is the same each time is not the reported one.
    """
    reported = reported_of_all(side, text)
    if reported is None or own.on or subject.random or abs(reported - text.readings[own].mean) <= slack(reported):
        return text
    other = 1 - own.objective
    tried = [(f"by the {SIDES[other]} side's objective", replace(own, objective=other), False),
             ("with gradients on: the objective gives another loss without", own, True)]  # fmt: skip
    if subject.apart or subject.objectives[0] == subject.objectives[1]:
        del tried[0]
    for said, turned, gradients in tried:
        subject.gradients = gradients
        mean = _mean(subject, side, turned, name, seconds)
        subject.gradients = False
        if mean is not None and abs(reported - mean) <= slack(reported):
            return replace(text, likely=text.likely | {said: mean})
    return text


def _mean(subject: Subject, side: Side, turned: Condition, name: str, seconds: float) -> float | None:
    """Return the loss under another condition; None where it cannot be read so."""
    try:
        found = read(subject, side, side.batches, [turned], name=name, seconds=seconds)
    except DiagnoseError:  # the other objective cannot be run on these batches
        return None
    return found.readings[turned].mean if found.complete else None

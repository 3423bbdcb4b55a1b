"""A reported loss that was taken in 16 bits, or without them, though its side does not say so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from diagnose.errors import DiagnoseError
from diagnose.gap.factor_fits import slack
from diagnose.gap.loop.readings import read
from diagnose.gap.side import HALF

if TYPE_CHECKING:
    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side

NEAR = 0.02  # of a loss: rounding to 16 bits moves it by no more
NEARER = 5.0  # times: so much nearer must the other precision come to what was reported, and within what a log rounds


def reported_of_all(side: Side, text: BatchReadings) -> float | None:
    """Return the loss that was reported of all that was read, as it was; None where it is not of these very batches."""
    return side.reported if side.reported_on is None and side.plain is None and text.complete else None


def with_other_precision(
    subject: Subject, side: Side, text: BatchReadings, own: Condition, name: str, seconds: float
) -> BatchReadings:
    """Return what was read with what the other precision gives, where that is what was reported.

    It takes a pass more only where a loss that is the same each time lies close to the reported one and is not it.
    """
    reported = reported_of_all(side, text)
    if reported is None or own.on or own.objective in subject.random:
        return text
    off = abs(reported - text.readings[own].mean)
    if not slack(reported) < off < NEAR * abs(reported):
        return text
    turned = replace(own, precision=False if own.precision in (*HALF, True) else torch.bfloat16)
    try:
        other = read(subject, side, side.batches, [turned], name=name, seconds=seconds)
    except DiagnoseError:  # an objective that cannot run so was not run so
        return text
    mean = other.readings[turned].mean
    left = abs(reported - mean)
    if not other.complete or left * NEARER > off or left > slack(reported):
        return text
    how = "in bfloat16 (autocast or a model of 16 bits)" if turned.precision else "in float32, without autocast"
    return replace(text, likely=text.likely | {how: mean})

"""A reported loss that another objective gives: the other side's, its own with gradients on, or its plain criterion."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.formatting import listed
from diagnose.gap.factor_fits import slack
from diagnose.gap.loop.other_precision import reported_of_all
from diagnose.gap.loop.plain_criterion import PlainCriterion
from diagnose.gap.loop.readings import read
from diagnose.gap.loop.setting import first_batch
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side

    Trial = tuple[str, Condition, Callable[[], AbstractContextManager[object]]]  # what it is called, and how it is read


def with_other_objective(
    subject: Subject, side: Side, text: BatchReadings, own: Condition, name: str, seconds: float
) -> BatchReadings:
    """Return what was read with what the other side's objective gives, where that is what was reported.

    Also with what its own gives where gradients are on, for one that weighs its parts by them, and with what its
    criterion gives without smoothing or class weights. It takes a pass more for each only where a loss that is the same
    each time is not the reported one.
    """
    reported = reported_of_all(side, text)
    if reported is None or own.on or subject.random or abs(reported - text.readings[own].mean) <= slack(reported):
        return text
    for how, turned, entered in _trials(subject, side, own):
        with entered():
            mean = _mean(subject, side, turned, name, seconds)
        if mean is not None and abs(reported - mean) <= slack(reported):
            return replace(text, likely=text.likely | {how: mean})
    return text


def _trials(subject: Subject, side: Side, own: Condition) -> list[Trial]:
    out: list[Trial] = []
    other = 1 - own.objective
    if not subject.apart and subject.objectives[0] != subject.objectives[1]:
        out.append((f"by the {SIDES[other]} side's objective", replace(own, objective=other), nullcontext))
    out.append(("with gradients on: the objective gives another loss without", own, partial(_with_gradients, subject)))
    given = _options(subject, side, own)
    left_out = dict.fromkeys([*(frozenset({name}) for name in given), frozenset(given)] if given else [])
    return out + [(f"without its criterion's {listed(sorted(some))}", own, partial(PlainCriterion, some))
                  for some in left_out]  # fmt: skip


@contextmanager
def _with_gradients(subject: Subject) -> Iterator[None]:
    subject.gradients = True
    try:
        yield
    finally:
        subject.gradients = False


def _options(subject: Subject, side: Side, own: Condition) -> list[str]:
    """Return the options of torch's losses that the objective gives them: smoothing, weights."""
    if own.objective in subject.weighed:
        return []  # its class weights say what each loss counts
    number, batch = first_batch(side, SIDES[own.objective])
    with PlainCriterion() as seen:
        subject.run(batch, own, 0, f"batch {number + 1} of the {SIDES[own.objective]} side")
    return sorted(seen.seen)


def _mean(subject: Subject, side: Side, turned: Condition, name: str, seconds: float) -> float | None:
    """Return the loss under another condition; None where it cannot be read so."""
    try:
        other = read(subject, side, side.batches, [turned], name=name, seconds=seconds)
    except DiagnoseError:  # the other objective cannot be run on these batches
        return None
    return other.readings[turned].mean if other.complete else None

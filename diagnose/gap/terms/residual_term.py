"""What is left: what was reported minus what reading it again gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import signed
from diagnose.gap.intervals import RECOMPUTED
from diagnose.gap.reported import left
from diagnose.gap.term import Term, TermKind
from diagnose.gap.terms import draw_term
from diagnose.stats import Interval

if TYPE_CHECKING:
    from diagnose.gap.measurements import Measurements
    from diagnose.gap.reported import ReportedLosses

KINDS = (TermKind("residual", "unexplained", "residual: unexplained", lead="What is not explained"),)


def terms(found: Measurements, given: ReportedLosses) -> list[Term]:
    """Return what is not explained: for training what is read minus what was reported, for validation the reverse."""
    _, val = draw_term.read(found, given)
    how = "what was reported minus what reading it again gives, validation's; the other way round, training's"
    condition, reported_on = found.sides.train, found.shown[0]
    if found.replayed is not None:
        train, given_train = (
            Interval(found.replayed.logged - given.train, None, None, None, None),
            found.replayed.checked,
        )
    elif not given.given[0]:
        train, given_train = Interval(0.0, None, None, None, None), "the training loss is as read now"
    else:
        text = reported_on or found.train
        reading = text.readings[condition]
        again = reported_on is None and found.anew(0)
        same = abs(given.train - reading.mean) <= RECOMPUTED * max(1.0, abs(given.train))
        exact = text.complete and not again and (found.steady(0) or (same and 0 in found.shuffled and not condition.on))
        read = left(given.train, reading, exact=exact, draws=found.draws(0) if reported_on is None else 1)
        if text.luck is not None and not again:
            read = Interval(read.value, read.value - text.luck, read.value + text.luck, None, None)
        train = _negative(read)
        included = "lag" if reported_on is not None else "lag and recency"
        given_train = f"training: {signed(train.value)}, which holds {included} and the luck of masks"
    value, ends = train.value + val.value, _half(train) ** 2 + _half(val) ** 2
    wide = ends**0.5 or None
    given_val = f"validation: {signed(val.value)}" if given.given[1] else "the validation loss is as read now"
    parts = tuple(
        {"id": name, "value": part.value, "low": part.low, "high": part.high}
        for name, part in (("training", train), ("validation", val))
    )
    low, high = (None, None) if wide is None else (value - wide, value + wide)
    return [Term("residual", value, low, high, parts=parts, basis=f"{given_train}; {given_val}", how=how)]


def _negative(found: Interval) -> Interval:
    low, high = (None, None) if found.low is None or found.high is None else (-found.high, -found.low)
    return Interval(-found.value, low, high, found.se, found.df)


def _half(found: Interval) -> float:
    return 0.0 if found.low is None or found.high is None else (found.high - found.low) / 2

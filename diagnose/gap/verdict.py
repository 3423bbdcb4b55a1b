"""The verdict of a ledger: what makes the reported gap, what it is under the same conditions, what was seen.

Where validation text was seen in training, it says what the loss is on text that was not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnose.formatting import carried, plain, signed, visible
from diagnose.gap.gap_causes import (
    ALL_SEEN,
    BESIDE,
    LITTLE,
    MASKED,
    RESOLVES,
    Cause,
    all_causes,
    loss_size,
    mostly_seen,
    nothing,
    other_data,
    partly_seen,
    said_text,
    seen_share,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.records.ledgers import LedgerRecord

MOST_WORDS = 60
MANY = 0.1  # of validation's data: so many in training are said, whatever they make of the gap
EQUAL = 1e-9  # of a loss: what is the same but for the order of sums


def sentence(record: LedgerRecord) -> str:
    """Return the verdict: what makes the gap, what it is under the same conditions, and whether the text was seen."""
    shapes = ((2, True, True), (2, False, True), (1, False, True), (1, False, False))
    why = [_why(record, causes=causes, other=other, more=more) for causes, other, more in shapes]
    sentences = [f"{text} {_matched(record)}{_seen(record, text)}" for text in why]
    return next((text for text in sentences if len(text.split()) <= MOST_WORDS), sentences[-1])


def wrong_loss(record: LedgerRecord, what: str) -> str:
    """Return the verdict of a ledger whose losses are not what they are meant to be, as `what` says of them."""
    side = "below" if record.gap < 0 else "above"
    return (f"Mend the loss first: {what}. As it is, validation lies {plain(abs(record.gap))} {side} training, which "
            "tells nothing yet.")  # fmt: skip


def wrong_labels(record: LedgerRecord, what: str) -> str:
    """Return the verdict of a ledger of which one side's labels are not seen to tell anything, as `what` says."""
    side = "below" if record.gap < 0 else "above"
    return (f"{what}. Validation lies {plain(abs(record.gap))} {side} training; if the labels are right, what was "
            "learned holds on one side alone.")  # fmt: skip


def _why(record: LedgerRecord, *, causes: int, other: bool, more: bool) -> str:
    """Name the largest resolved causes on the gap's side, a large one on the other side, and what is not resolved."""
    gap, least_said, digits = record.gap, nothing(record), _decimals(record, record.gap)
    large = [c for c in all_causes(record) if abs(c.value) > least_said]
    if abs(gap) <= least_said or not any(c.value * gap > 0 for c in large):
        reported = "reported " if all(record.reported.given) else ""
        within = plain(max(abs(gap), 10.0**-digits), digits)
        return f"The two {reported}losses agree to within {within}."
    side = "below" if gap < 0 else "above"
    same = [c for c in large if c.resolved and c.value * gap > 0 and abs(c.value) >= LITTLE * abs(large[0].value)]
    against = [c for c in large if c.resolved and c.value * gap < 0]
    open_ = _unresolved(record, large, gap)
    out = f"{_named(record, 'Validation', 1)} lies {plain(abs(gap), digits)} {side} {_named(record, 'training', 0)}"
    least = BESIDE * abs((same or large)[0].value)
    told = other and against and abs(against[0].value) >= least
    but = f"{against[0].words} ({_size(record, against[0])})" if told else ""
    if not same:
        no_cause = f". What {'lowers' if gap < 0 else 'raises'} it is not" if but else ", and no cause of that is"
        what = f"{': ' if but else '. The largest is '}{open_}" if open_ and more else ""
        return f"{out}{f', although {but}' if but else ''}{no_cause} resolved{what}."
    named = [c for c in same[:causes] if abs(c.value) >= least]
    out += " because " + " and ".join(f"{c.words} ({_size(record, c)})" for c in named)
    left = next((c for c in large if not c.resolved), None)
    rest = left is not None and abs(left.value) >= BESIDE * max(abs(gap), abs(same[0].value))
    out += f", partly offset because {but}" if but else ""
    return f"{out}. Not resolved: {open_}." if rest and more else f"{out}."


def _size(record: LedgerRecord, cause: Cause) -> str:
    return signed(cause.value, _decimals(record, cause.value, cause.low, cause.high))


def _decimals(record: LedgerRecord, value: float, low: float | None = None, high: float | None = None) -> int:
    """Return how many decimals a value is said with: as many as of losses near 1, and more of ones near 0."""
    size = loss_size(record)
    more = max(0, -1 - math.floor(math.log10(size))) if size else 0
    ends = (None if end is None else end * 10.0**more for end in (low, high))
    return more + carried(value * 10.0**more, *ends)


def _named(record: LedgerRecord, name: str, side: int) -> str:
    """Return a side's name, with which loss that is of several, and how it was taken where only one was reported."""
    reported = record.reported
    of = f" ({visible(reported.named)})" if side and reported.named else ""
    return f"{name}{of}" if reported.given[0] == reported.given[1] else f"{name}{of} {reported.taken[side]}"


def _unresolved(record: LedgerRecord, large: Sequence[Cause], gap: float) -> str:
    """Say which part is not told from zero, how much it is, and what would resolve it."""
    some = [c for c in large if not c.resolved]
    if not some:
        return ""
    first = next((c for c in some if c.value * gap > 0), some[0])
    low, high = first.low, first.high
    digits = _decimals(record, first.value, low, high)
    half = f" ± {plain((high - low) / 2, digits)}" if low is not None and high is not None else ", no interval"
    return f"{first.id} ({_size(record, first)}{half}); {_what_resolves(record, first.id)} would resolve it"


def _what_resolves(record: LedgerRecord, cause: str) -> str:
    """Return what would tell a part from zero; of training's residual, where its steps were not recorded, these."""
    if cause == "residual" and record.of_loop and record.term("lag").value is None:
        parts = record.term("residual").parts
        widest = max(parts, key=lambda part: ((part.high or 0.0) - (part.low or 0.0), abs(part.value or 0.0)))
        if widest.id == "training":
            return "a record of the steps"
    return RESOLVES.get(cause, "more batches")


def _matched(record: LedgerRecord) -> str:
    gap, low, high = record.matched.gap, record.matched.low, record.matched.high
    side, digits = "above" if gap > 0 else "below", _decimals(record, gap, low, high)
    if mostly_seen(record) and abs(gap) <= EQUAL * max(1.0, abs(record.matched.train)):
        return f"{_alike(record)} the two are equal"
    if low is not None and high is not None and low <= 0 <= high:
        half = (high - low) / 2
        return f"{_alike(record)} the two do not differ measurably ({signed(gap, digits)} ± {plain(half, digits)})"
    return f"{_alike(record)} it is {plain(abs(gap), digits)} {side}"


def _alike(record: LedgerRecord) -> str:
    """Say what the two are alike in once the walk is done; where data are still made otherwise, not in all."""
    conditions = record.conditions
    if "train" in conditions.redrawn and not conditions.drawn_alike:
        return "Under conditions that are the same but for how samples are drawn or augmented,"
    masked = conditions.masked
    if conditions.unlike or (masked and abs(masked["val"] - masked["train"]) > MASKED):
        return "Under conditions that are the same but for how batches are made,"
    return "Under the same conditions"


def _seen(record: LedgerRecord, before: str) -> str:
    """Say how much of validation's data training has seen, and the loss on the rest; once, if said before."""
    if mostly_seen(record):
        return _mostly(record)
    part = partly_seen(record)
    if not part or part in before or seen_share(record) < MANY:
        return "."
    return f"; {part}{f': on the others the loss is {plain(record.unseen.loss, 2)}' if record.unseen else ''}."


def _mostly(record: LedgerRecord) -> str:
    part, text = seen_share(record), said_text(record)
    whole = record.overlap is None or record.overlap.whole
    what = f"this {text}" if part > ALL_SEEN else f"{'' if whole else 'at least '}{part:.0%} of this {text}"
    if record.unseen is None or not whole:  # what was not looked through may hold the others
        return f"; but training has seen {what}, so it is no validation loss."
    loss = plain(record.unseen.loss, 2)
    spelled = record.unseen.spelled_share or 0.0
    on = f", {spelled:.0%} of it on words without a token" if spelled >= BESIDE else ""
    return f"; but training has seen {what}: on {other_data(record)} the loss is {loss}{on}."

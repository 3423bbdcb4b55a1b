"""Are validation's batches made as training's are: the scale of their numbers, the shares of labels, rows of tokens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from diagnose.gap.loop.inputs import InputsSeen, group_names
from diagnose.gap.loop.redrawn import is_shuffled
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.audit.findings import Audit
    from diagnose.gap.side import Side

RULE = "inputs-unlike"
MOST = 256  # training batches that are looked at
SECONDS = 5.0  # for them


def judge(audit: Audit, train: Side | None, val: Side, batches: Sequence[Any]) -> None:
    """Judge `inputs-unlike` as a ledger does.

    Args:
        audit: takes the outcome.
        train: the training side.
        val: the validation side.
        batches: those that are held of it.
    """
    if train is None:
        audit.skips(RULE, "give train=, the training side")
        return
    if train.plain is not None or val.plain is not None:
        audit.skips(RULE, "plain= was given, so batches are known to be made otherwise", matters=False)
        return
    seen, number = _first(train)
    if seen is None:
        audit.skips(RULE, "training's first batches do not stand for all: there are more, and they are in order")
        return
    other = InputsSeen()
    for batch in batches:
        other.add(batch)
    differences = seen.unlike(other, group_names((train, val)))
    if differences:
        audit.breaks(RULE, "; ".join(differences), training_batches=number, batches=len(batches))
    else:
        audit.keeps(RULE, training_batches=number, batches=len(batches))


def _first(train: Side) -> tuple[InputsSeen | None, int]:
    """Return what training's first batches hold, and how many these are; None where they do not stand for all."""
    seen, number, begun = InputsSeen(), 0, time.monotonic()
    some, _ = walk(train.batches)
    for number, (_, batch) in enumerate(some, 1):
        if number > MOST or time.monotonic() - begun > SECONDS:
            apart = isinstance(train.batches, (list, tuple)) or is_shuffled(train.batches)
            return (seen if apart else None), number - 1
        seen.add(batch)
    return seen, number

"""Are validation's batches made as training's are?"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.audit.findings import TEXT, Audit, Rule

if TYPE_CHECKING:
    from diagnose.audit.audited_sides import AuditedSides
    from diagnose.gap.loop.inputs import InputsSeen
    from diagnose.gap.side import Side

MOST = 256  # training batches that are looked at
SECONDS = 5.0  # for them

RULES = (Rule(
    "inputs-unlike", TEXT, 80, "note",
    "validation's batches are made as training's are",
    "see that both are prepared alike (the same normalisation, encoding, tokenizer and masks) and split at random",
    "Validation that is not normalised as training is, that holds classes or ids which training never has, or of "
    "which rows are packed, cut or masked otherwise costs more or less for that alone. The audit compares what "
    "batches hold: where numbers lie and how wide, which labels occur and how often, how long rows of tokens are "
    "and which targets are left out. A split by time or by source differs so, too, and is meant: a note.",
    not_of_runs="one program makes the batches of both",
),)  # fmt: skip


def judge_sides(audit: Audit, sides: AuditedSides) -> None:
    """Judge as a ledger does: by where numbers lie, which labels occur, how long rows are."""
    from diagnose.gap.loop.inputs import InputsSeen, group_names
    from diagnose.gap.loop.redrawn import unweighted

    train, val, batches = sides.train, sides.passes.side, sides.batches
    if train is None:
        audit.skips("inputs-unlike", "give train=, the training side")
        return
    if train.plain is not None or val.plain is not None:
        audit.skips("inputs-unlike", "plain= was given, so batches are known to be made otherwise", matters=False)
        return
    seen, other = InputsSeen(), InputsSeen()
    plain = unweighted(train.batches)  # classes in other shares are what a weighted sampler is for
    number = _see_first(train if plain is None else replace(train, batches=plain), seen)
    if number is None:
        why = "training's first batches do not stand for all: there are more, and they are in order"
        audit.skips("inputs-unlike", why)
        return
    for batch in batches:
        other.add(batch)
    differences = seen.unlike(other, group_names((train, val)))
    if differences:
        audit.breaks("inputs-unlike", "; ".join(differences), training_batches=number, batches=len(batches))
    else:
        audit.keeps("inputs-unlike", training_batches=number, batches=len(batches))


def _see_first(train: Side, seen: InputsSeen) -> int | None:
    """Look at training's first batches; return how many these are, None where they do not stand for all."""
    from diagnose.gap.loop.redrawn import is_shuffled
    from diagnose.gap.loop.walking import walk

    number, begun = 0, time.monotonic()
    for number, (_, batch) in enumerate(walk(train.batches)[0], 1):
        if number > MOST or time.monotonic() - begun > SECONDS:
            apart = isinstance(train.batches, (list, tuple)) or is_shuffled(train.batches)
            return number - 1 if apart else None
        seen.add(batch)
    return number

"""In which mode a reported loss was really taken: told by reading it again in the other one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gap.loop.elements import sums
from diagnose.gap.loop.walking import walk
from diagnose.gap.reported import COARSE, SAME, rounding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.side import Side

MOST = 64  # batches: of more the reported loss is not read again for this
DRAWS = 6  # readings of a loss that is random in training mode
CLEAR, FAR = 5.0, 3.0  # times what the other mode, and this one, may be off by: so far off must this one lie


def mode_of(subject: Subject, side: Side, own: Condition, kinds: Sequence[str], name: str) -> tuple[Side, str]:
    """Return a side with the mode that its reported loss was taken in, and a note where that is not the usual one.

    Where `mode` is given nothing is looked at. A loss that is the same each time has to come out to its digits.
    """
    if side.reported is None or side.mode is not None or not kinds:
        return side, ""
    some = _some(side)
    if some is None:
        return side, ""
    on = frozenset[str]() if own.on else frozenset(kinds)
    reported, slack = side.reported, SAME * abs(side.reported) + rounding(side.reported)
    if slack > COARSE * abs(reported):
        return side, ""
    as_said = _draws(subject, some, own)
    other = _draws(subject, some, replace(own, on=on))
    here = [abs(float(np.mean(found)) - reported) - 2 * _spread(found) for found in (as_said, other)]
    wide = CLEAR * (slack + _spread(other)) + FAR * _spread(as_said)
    if here[1] > slack or here[0] <= 0 or abs(float(np.mean(as_said)) - reported) <= wide:
        return side, ""
    mode, call = ("eval", "model.train()") if own.on else ("train", "model.eval()")
    word = {"eval": "evaluation", "train": "training"}[mode]
    return replace(side, mode=mode), (
        f"the reported {name} loss is what the model gives in {word} mode: it was read so on purpose, or {call} was "
        "not called before"
    )


def _some(side: Side) -> list[Any] | None:
    """Return the batches that the reported loss is of; None where there are too many."""
    out: list[Any] = []
    for _, batch in walk(side.batches if side.reported_on is None else side.reported_on)[0]:
        if len(out) == MOST:
            return None
        out.append(batch)
    return out


def _draws(subject: Subject, batches: list[Any], condition: Condition) -> list[float]:
    """Return the loss under a condition: once, or with several draws where it is random."""
    first = [_loss(subject, batches, condition, seed) for seed in (0, 1)]
    return first[:1] if first[0] == first[1] else [*first, *(_loss(subject, batches, condition, k)
                                                            for k in range(2, DRAWS))]  # fmt: skip


def _loss(subject: Subject, batches: list[Any], condition: Condition, seed: int) -> float:
    total = np.zeros(2)
    for number, batch in enumerate(batches):
        found = subject.run(batch, condition, seed * MOST + number, "a batch that was reported on")
        nats, weights = sums(found, condition.reduction)
        total += nats.sum(), weights.sum()
    return float(total[0] / total[1]) if total[1] else 0.0


def _spread(draws: list[float]) -> float:
    return float(np.std(draws, ddof=1)) if len(draws) > 1 else 0.0

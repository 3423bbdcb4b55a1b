"""In which mode a reported loss was really taken: told by reading it again in the other one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gap.loop.elements import sums
from diagnose.gap.loop.walking import walk
from diagnose.gap.reported import COARSE, slack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.side import Side

MOST = 64  # batches: of more the reported loss is not read again for this
DRAWS = 6  # readings of a loss that is random in training mode
HOPELESS = 8.0  # times the deviation of three draws or more: further off, no more are made
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
    reported, within = side.reported, slack(side.reported)
    if within > COARSE * abs(reported):
        return side, ""
    if not _is_other(subject, some, own, replace(own, on=on), reported, within):
        return side, ""
    mode, call = ("eval", "model.train()") if own.on else ("train", "model.eval()")
    word = {"eval": "evaluation", "train": "training"}[mode]
    return replace(side, mode=mode), (
        f"the reported {name} loss is what the model gives in {word} mode: it was read so on purpose, or {call} was "
        "not called before"
    )


def _is_other(
    subject: Subject, some: list[Any], own: Condition, turned: Condition, reported: float, slack: float
) -> bool:
    """Say whether a reported loss is that of the other mode and not that of this one; cheapest passes come first."""
    calm = _calm(subject, some, replace(own, on=frozenset()))
    if calm is not None and _is_told(own, abs(calm - reported), slack):
        return False
    other = _draws(subject, some, turned, reported, slack)
    if abs(float(np.mean(other)) - reported) - 2 * _spread(other) > slack:
        return False
    as_said = _draws(subject, some, own)
    off = abs(float(np.mean(as_said)) - reported)
    wide = CLEAR * (slack + _spread(other)) + FAR * _spread(as_said)
    return off > max(wide, 2 * _spread(as_said))


def _some(side: Side) -> list[Any] | None:
    """Return the batches that the reported loss is of; None where there are too many."""
    out: list[Any] = []
    for _, batch in walk(side.batches if side.reported_on is None else side.reported_on)[0]:
        if len(out) == MOST:
            return None
        out.append(batch)
    return out


def _is_told(own: Condition, off: float, slack: float) -> bool:
    """Say whether the loss in evaluation mode tells already that nothing was forgotten.

    For training it is the other mode, which has to come out; for validation it is the usual one, which has come out.
    """
    return off > slack if own.on else off <= CLEAR * slack


def _calm(subject: Subject, batches: list[Any], condition: Condition) -> float | None:
    """Return the loss in evaluation mode by one pass; None where it is random there."""
    one, again = (_loss(subject, batches[:1], condition, seed) for seed in (0, 1))
    return _loss(subject, batches, condition, 0) if one == again else None


def _draws(
    subject: Subject, batches: list[Any], condition: Condition, reported: float | None = None, slack: float = 0.0
) -> list[float]:
    """Return the loss under a condition: once, or with several draws where it is random; few that lie far off."""
    out = [_loss(subject, batches, condition, seed) for seed in (0, 1)]
    if out[0] == out[1]:
        return out[:1]
    for k in range(2, DRAWS):
        out.append(_loss(subject, batches, condition, k))
        if reported is not None and abs(float(np.mean(out)) - reported) > slack + HOPELESS * _spread(out):
            break
    return out


def _loss(subject: Subject, batches: list[Any], condition: Condition, seed: int) -> float:
    total = np.zeros(2)
    for number, batch in enumerate(batches):
        found = subject.run(batch, condition, seed * MOST + number, "a batch that was reported on")
        nats, weights = sums(found, condition.reduction)
        total += nats.sum(), weights.sum()
    return float(total[0] / total[1]) if total[1] else 0.0


def _spread(draws: list[float]) -> float:
    return float(np.std(draws, ddof=1)) if len(draws) > 1 else 0.0

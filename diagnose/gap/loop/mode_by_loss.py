"""In which mode a reported loss was really taken: told by reading it again in the other one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gap.factor_fits import COARSE, slack
from diagnose.gap.loop.elements import samples_of, sums
from diagnose.gap.loop.redrawn import is_shuffled
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.side import Side

Means = dict[str, float]  # by how they average
AVERAGES = ("batch", "weighted")  # that loops take beside the mean over elements
MOST, SAMPLES = 64, 1024  # batches, samples: of more of both the reported loss is not read again for this
DRAWS = 6  # readings of a loss that is random in training mode
HOPELESS = 8.0  # times the deviation of three draws or more: further off, no more are made
LIKELY = 2.5  # times what the other mode may be off by: so far off, the other one is worth a word
OFF = 1.0  # the same, where this mode is the same each time and does not give the loss
SAME = 1e-7  # of a loss: what sums in another order differ by
RARE = 0.02  # chance that this mode gives a reported loss to its digits: below it, the other mode is beyond doubt
CLEAR, FAR = 5.0, 3.0  # times what the other mode, and this one, may be off by: so far off must this one lie


@dataclass(frozen=True)
class ModeTold:
    """What a reported loss tells of the mode that it was taken in.

    Attributes:
        side: with that mode, where it is told; note: what to say of it.
        open: whether the other mode gives the loss and this one does not, by too little to read it so.
    """

    side: Side
    note: str = ""
    open: bool = False


def mode_of(subject: Subject, side: Side, own: Condition, kinds: Sequence[str], name: str) -> ModeTold:
    """Return a side with the mode that its reported loss was taken in, and a note where that is or may be another one.

    Where `mode` is given nothing is looked at. A loss that is the same each time has to come out to its digits,
    averaged as the side says or in another way that `Side.reduction` names; no average may give it in the usual mode.
    """
    if side.reported is None or side.mode is not None or not kinds:
        return ModeTold(side)
    some = PassesOfLoss.of(side)
    if some is None:
        return ModeTold(side)
    on = frozenset[str]() if own.on else frozenset(kinds)
    reported, within = side.reported, slack(side.reported)
    if within > COARSE * abs(reported):
        return ModeTold(side)
    reduction, sure = _other_average(subject, some, own, replace(own, on=on), reported, within)
    if not reduction:
        return ModeTold(side)
    mode, call = ("eval", "model.train()") if own.on else ("train", "model.eval()")
    word = {"eval": "evaluation", "train": "training"}[mode]
    averaged = "" if reduction == side.reduction else f", averaged by reduction={reduction!r}"
    if not sure:
        note = (
            f"the reported {name} loss is also what the model gives in {word} mode{averaged}, to within the luck of "
            f"its masks: so few batches do not tell whether {call} was forgotten"
        ) + (f"; mode={mode!r} reads it so" if own.on else "")  # of validation a finding says it
        return ModeTold(side, note, open=not own.on)
    return ModeTold(
        replace(side, mode=mode, reduction=reduction),
        f"the reported {name} loss is what the model gives in {word} mode{averaged}: it was read so on purpose, or "
        f"{call} was not called before",
    )


def _other_average(
    subject: Subject, some: PassesOfLoss, own: Condition, turned: Condition, reported: float, slack: float
) -> tuple[str, bool]:
    """Return the average by which a reported loss is that of the other mode, and whether that is beyond doubt.

    The average is "" where this mode may give the loss, or the other does not. Cheapest passes come first.
    """
    calm = _calm(subject, some, replace(own, on=frozenset()))
    if calm and _is_told(own, calm, reported, slack):
        return "", False
    other = _draws(subject, some, turned, (reported, slack))
    near = [
        name for name, draws in other.items() if abs(float(np.mean(draws)) - reported) - 2 * _spread(draws) <= slack
    ]
    if not near:
        return "", False
    reduction = own.reduction if own.reduction in near else min(near, key=lambda n: abs(np.mean(other[n]) - reported))
    as_said = _draws(subject, some, own)
    to_digits = own.on and _spread(other[reduction]) <= slack
    if to_digits and max(_chance(draws, reported, slack) for draws in as_said.values()) < RARE:
        return reduction, True
    spread = max(slack + _spread(other[reduction]), math.ulp(1.0))
    each = [(abs(float(np.mean(draws)) - reported), FAR * _spread(draws)) for draws in as_said.values()]
    least = min((off - wide) / spread for off, wide in each)
    nearer = not any(wide for _, wide in each) and least * spread > abs(float(np.mean(other[reduction])) - reported)
    return (reduction, least > CLEAR) if least > (OFF if nearer else LIKELY) else ("", False)


def _chance(draws: list[float], reported: float, slack: float) -> float:
    """Return the chance that one more draw is a reported loss to its digits; 1 where there is no luck to judge by."""
    if len(draws) < 2:
        return 1.0
    from scipy.special import stdtr

    wide = max(_spread(draws) * (1 + 1 / len(draws)) ** 0.5, math.ulp(1.0))
    low, high = ((reported + side * slack - float(np.mean(draws))) / wide for side in (-1, 1))
    return float(stdtr(len(draws) - 1, high) - stdtr(len(draws) - 1, low))


@dataclass(frozen=True)
class PassesOfLoss:
    """The batches that a reported loss is of, once for each draw: those of a loader that shuffles lie in another order.

    Attributes:
        batches: the side's own; first: those of the first pass; shuffled: whether others differ from it.
    """

    batches: Any
    first: list[Any]
    shuffled: bool

    @classmethod
    def of(cls, side: Side) -> PassesOfLoss | None:
        """Return a side's; None where there are too many batches."""
        batches = side.batches if side.reported_on is None else side.reported_on
        first, count = list[Any](), 0
        for _, batch in walk(batches)[0]:
            if len(first) >= MOST and (count >= SAMPLES or not count):
                return None
            first.append(batch)
            count += samples_of(batch)
        return cls(batches, first, is_shuffled(batches))

    def draw(self, number: int) -> Iterable[Any]:
        """Return the batches of a pass."""
        return (batch for _, batch in walk(self.batches, number)[0]) if self.shuffled and number else self.first


def _is_told(own: Condition, calm: Means, reported: float, slack: float) -> bool:
    """Say whether the loss in evaluation mode tells already that nothing was forgotten.

    For training it is the other mode, which has to come out; for validation it is the usual one, which has come out.
    """
    off = min(abs(mean - reported) for mean in calm.values())
    if own.on:
        return off > slack and len(calm) == len(_averages(own))
    return off <= slack or (own.reduction in calm and abs(calm[own.reduction] - reported) <= CLEAR * slack)


def _calm(subject: Subject, some: PassesOfLoss, condition: Condition) -> Means:
    """Return the loss in evaluation mode by one pass; nothing where it is random there.

    Of a loader that shuffles, without the averages that depend on which samples share a batch.
    """
    first, again = (_means(subject, some.first[:1], condition, start) for start in (0, 1))
    if first != again:
        return {}
    whole = _means(subject, some.first, condition, 0)
    if not some.shuffled:
        return whole
    other = _means(subject, some.draw(1), condition, 0)
    return {name: mean for name, mean in whole.items() if math.isclose(mean, other[name], rel_tol=SAME)}


def _draws(
    subject: Subject, some: PassesOfLoss, condition: Condition, near: tuple[float, float] | None = None
) -> dict[str, list[float]]:
    """Return the loss under a condition by its average: once, or with several draws where it is random.

    Few are drawn where each lies far off what is `near`: a loss, and by how much it may be off.
    """
    each = len(some.first)
    draws = [_means(subject, some.draw(k), condition, k * each) for k in (0, 1)]
    if all(math.isclose(mean, draws[1][name], rel_tol=SAME) for name, mean in draws[0].items()):
        return {name: [mean] for name, mean in draws[0].items()}
    for k in range(2, DRAWS):
        draws.append(_means(subject, some.draw(k), condition, k * each))
        if near is not None and all(_is_hopeless(losses, *near) for losses in _by_average(draws).values()):
            break
    return _by_average(draws)


def _by_average(draws: list[Means]) -> dict[str, list[float]]:
    return {name: [means[name] for means in draws] for name in draws[0]}


def _is_hopeless(draws: list[float], reported: float, slack: float) -> bool:
    return abs(float(np.mean(draws)) - reported) > slack + HOPELESS * _spread(draws)


def _means(subject: Subject, batches: Iterable[Any], condition: Condition, start: int) -> Means:
    """Return the loss by each way of averaging that is meant or may be: not by samples where these are not known.

    Args:
        subject: reads a batch.
        batches: of a pass.
        condition: that they are read under.
        start: the first one's seed.
    """
    totals = {name: np.zeros(2) for name in _averages(condition)}
    for number, batch in enumerate(batches):
        losses = subject.run(batch, condition, start + number, "a batch that was reported on")
        for name, total in totals.items():
            nats, weights = sums(losses, name)
            total[:] += nats.sum(), weights.sum()
    return {name: float(total[0] / total[1]) if total[1] else 0.0 for name, total in totals.items()}


def _averages(condition: Condition) -> list[str]:
    """Return by which averages a loss is looked for: the one that is meant, and those that loops take."""
    return list(dict.fromkeys([condition.reduction, *(() if condition.reduction == "sum" else AVERAGES)]))


def _spread(draws: list[float]) -> float:
    return float(np.std(draws, ddof=1)) if len(draws) > 1 else 0.0

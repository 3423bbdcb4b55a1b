"""By which average a reported loss was taken, where it is another than the side says: told by reading all of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.gap.factor_fits import fits
from diagnose.gap.side import REDUCTIONS
from diagnose.gap.term import SIDES
from diagnose.stats import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.gap.conditions import Condition
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side

NAMED = re.compile(r"as the mean [^(]*\(reduction='(\w+)'\)")


def as_reported(
    both: tuple[Side, Side], own: tuple[Condition, Condition], texts: tuple[BatchReadings, BatchReadings],
    unsteady: Iterable[int],
) -> tuple[Side, Side, list[str]]:  # fmt: skip
    """Return the sides averaged as their reported losses are, and notes on those that are averaged otherwise.

    Args:
        both: training's and validation's side.
        own: their conditions.
        texts: what was read of them.
        unsteady: the sides whose loss is another each time it is read.
    """
    sides, notes = list(both), []
    for k, side in enumerate(both):
        if side.reported is None or side.reported_on is not None or k in unsteady or own[k].on or not texts[k].complete:
            continue
        read = Interval(texts[k].readings[own[k]].mean, None, None, None, None)
        matches = [NAMED.match(fit.factor) for fit in fits(side.reported, read, texts[k], same=True)]
        if len(matches) != 1 or matches[0] is None:
            continue
        name = "batch" if texts[k].scalar and matches[0][1] == "mean" else matches[0][1]  # one number a batch
        sides[k] = replace(side, reduction=name)
        notes.append(
            f"the reported {SIDES[k]} loss is the mean {REDUCTIONS[name]} and was read so (reduction={name!r})"
        )
    return sides[0], sides[1], notes

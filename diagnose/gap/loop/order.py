"""Losses that go by the place of a sample in its batch: pairs that lie side by side in training, not in validation."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gap.loop.elements import samples_of
from diagnose.gap.loop.rebatched import CANNOT_CUT, rows_in_order
from diagnose.gap.loop.setting import mean_loss
from diagnose.gap.loop.walking import walk
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from diagnose.gap.conditions import Condition, SideConditions
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.side import Side

LOOKED = 4  # batches of each side
FEWEST = 4  # samples of a batch
CLEAR = 4.0  # standard errors that training's batches cost more by when their samples are put in another order
LITTLE = 0.2  # of that, and less, is what validation's may


def order_tells(subject: Subject, both: tuple[Side, Side], sides: SideConditions) -> tuple[str, ...]:
    """Say that places in a batch tell something in training and nothing in validation, under validation's condition."""
    if not sides.mixed or subject.random:
        return ()
    condition = replace(sides.val, on=frozenset(), plain=False, batching=False)
    costs = [_costs(subject, side, condition, name) for side, name in zip(both, SIDES, strict=True)]
    if any(len(pairs) < LOOKED for pairs in costs):
        return ()
    (mine, error), (other, _) = (_more(pairs) for pairs in costs)
    if not mine > CLEAR * error or abs(other) > LITTLE * mine:
        return ()
    (as_is, anew), (vas_is, vanew) = (np.mean(pairs, axis=0) for pairs in costs)
    return ("the loss goes by the place of a sample in its batch (as pairs that lie side by side do): in another order "
            f"training's samples cost {anew:.3f} instead of {as_is:.3f}, validation's {vanew:.3f} instead of "
            f"{vas_is:.3f}, so that their order tells little",)  # fmt: skip


def _costs(subject: Subject, side: Side, own: Condition, name: str) -> list[tuple[float, float]]:
    """Return what the first batches cost as they are, and with their samples in another order."""
    out, draw = [], np.random.default_rng(0)
    try:
        for number, batch in islice(walk(side.batches)[0], LOOKED):
            size, where = samples_of(batch), f"batch {number + 1} of the {name} side"
            if size < FEWEST:
                return []
            some: tuple[Any, Any] = batch, rows_in_order(batch, draw.permutation(size).tolist())
            out.append(tuple(mean_loss(subject.run(rows, own, 0, where)) for rows in some))
    except CANNOT_CUT:
        return []
    return out  # type: ignore[return-value]


def _more(costs: list[tuple[float, float]]) -> tuple[float, float]:
    """Return by how much another order costs more, and the standard error of that."""
    more = np.array([anew - as_is for as_is, anew in costs])
    return float(more.mean()), float(more.std(ddof=1) / len(more) ** 0.5)

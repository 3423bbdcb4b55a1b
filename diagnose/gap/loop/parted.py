"""One number a batch as the mean of its samples' numbers: where a side has too few batches for an interval."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import random as seeding
from diagnose.gap.intervals import ENOUGH
from diagnose.gap.loop.elements import samples_of
from diagnose.gap.loop.rebatched import CANNOT_CUT, rows_of
from diagnose.gap.term import DROPOUTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.elements import Elements

    Run = Callable[[Any, Condition, int, str], Elements]  # a batch, a condition, a seed, a place for errors

MOST = 256  # samples of a side that are read alone
ADDS_UP = 1e-4  # of a loss: what other kernels for batches of other sizes may differ by


def by_sample(run: Run, batch: Any, found: Elements, condition: Condition, total: int | None, where: str) -> Elements:
    """Return a batch's one number as the mean of those of its samples, read alone; as it is where it is not their mean.

    With dropout on it is one in expectation alone, so that is asked without.

    Args:
        run: reads a batch.
        batch: which was read.
        found: its number.
        condition: that it was read under.
        total: how many batches the side has.
        where: for errors.
    """
    size = samples_of(batch)
    few = total is not None and total < ENOUGH and 1 < size * total <= MOST
    if not few or not found.scalar or not DROPOUTS.issuperset(condition.on):
        return found
    quiet = replace(condition, on=frozenset())
    try:
        alone = [rows_of(batch, k, k + 1) for k in range(size)]
        losses = _numbers(run, alone, quiet, where)
        whole = found.nats if not condition.on else run(batch, quiet, 0, where).nats
        if any(part is batch for part in alone) or abs(losses.mean() - whole[0]) > ADDS_UP * max(abs(whole[0]), 1e-2):
            return found
        losses = losses if not condition.on else _numbers(run, alone, condition, where)
    except CANNOT_CUT:
        return found
    weights = np.full(size, found.weights.sum() / size)
    return replace(
        found, nats=losses + (found.nats[0] - losses.mean()), weights=weights, samples=np.arange(size), known=True
    )


def _numbers(run: Run, alone: list[Any], condition: Condition, where: str) -> np.ndarray[Any, np.dtype[Any]]:
    return np.array([run(sample, condition, seeding.key(0, "alone", k), where).nats[0]
                     for k, sample in enumerate(alone)])  # fmt: skip

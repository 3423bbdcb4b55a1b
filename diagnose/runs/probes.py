"""Probes: the same few documents of both splits, read while a run trains, so that the two curves are matched.

Every run on a text probes the same documents, each alone and with dropout off; how often depends on what that costs
beside the run's training.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.training import evaluation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.training.preparation import Setup

PROBES = 16  # points of a run's learning curve, at most
FEWEST = 4  # and at least: fewer points are no curve
SHARE = 0.05  # of a run's training that its probes may cost
BACKWARD = 3  # what a token costs in training, in forward passes
PROBE_BYTES = 12_288  # text of either split that a probe reads


def probe_steps(setup: Setup) -> frozenset[int] | None:
    """Return the steps after which a run is probed, its last one included; None where only the clock knows its end.

    They are evenly spaced, and so many that they cost at most `SHARE` of the training: 16, 8 or 4.
    """
    steps = setup.course.steps
    if steps is None:
        return None
    count = _affordable(setup, steps * setup.derived.tokens_per_step * BACKWARD)
    return frozenset(-(-k * steps // count) for k in range(1, count + 1))


def _affordable(setup: Setup, training: float) -> int:
    """Return how many probes cost little beside training, which is given in positions of forward passes."""
    documents = np.concatenate([probe_documents(setup, side) for side in ("train", "val")])
    one = evaluation.positions(setup.text.stream, documents, setup.recipe.batches.context)
    count = PROBES
    while count > FEWEST and count * one > SHARE * training:
        count //= 2
    return count


def probe_documents(setup: Setup, side: str) -> NDArray[np.int64]:
    """Return some documents of the training text or of the text that validation is scored on, the same for all runs."""
    parts = setup.text.split
    pool = np.unique(parts.train if side == "train" else parts.scored)
    picked = pool[_drawn(len(pool), PROBE_BYTES // 8)]
    sizes = setup.text.corpus.doc_bytes[picked].cumsum()
    return np.sort(picked[: max(1, int(np.searchsorted(sizes, PROBE_BYTES)))])


@lru_cache(maxsize=8)
def _drawn(count: int, most: int) -> NDArray[np.int64]:
    """Return the places of `most` out of `count` documents in a random order, which is the same for all runs."""
    order = seeding.permute(torch.arange(count), count, seeding.key(0, "probe", count)).numpy()
    return np.asarray(order[:most])

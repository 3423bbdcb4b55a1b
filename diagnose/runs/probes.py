"""Which documents a run reads while it trains and at its end, and how often, so that this costs little beside training.

Probes are the same few documents of both splits, so that the two curves are matched. The final reading is the whole
text that is scored where that is cheap, and otherwise as much of it as is. One random order of a text's documents
decides both, the same for all runs: what a run has read is part of what any other that read more has.
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

    from diagnose.config.recipe import Recipe
    from diagnose.data.corpus import Corpus
    from diagnose.records.run_records import Derived
    from diagnose.training.preparation import PreparedText, Setup

PROBES = (16, 8, 4, 3)  # points of a run's learning curve; fewer are no curve
SHARE = 0.02  # of a run's training that its probes may cost, and its final reading as much again
BACKWARD = 3  # what a token costs in training, in forward passes
PROBE_BYTES = 8_192  # text of either split that a probe reads; half of that in a short run
SHORT = 1_000_000  # bytes of text: a run that trains on less is short
FINAL_BYTES = 8_192  # text that it reads at least


def probe_steps(setup: Setup) -> frozenset[int] | None:
    """Return the steps after which a run is probed, its last one included; None where only the clock knows its end.

    They are evenly spaced, and as many of `PROBES` as cost at most `SHARE` of the training.
    """
    steps = setup.course.steps
    if steps is None:
        return None
    count = _affordable(setup, steps * setup.derived.tokens_per_step * BACKWARD)
    return frozenset(-(-k * steps // count) for k in range(1, count + 1))


def _affordable(setup: Setup, training: float) -> int:
    """Return how many probes cost little beside training, which is given in positions of forward passes."""
    documents = np.concatenate([probe_documents(setup, side) for side in ("train", "val")])
    once = evaluation.positions(setup.text.stream, documents, setup.recipe.batches.context).sum()
    return next((count for count in PROBES if count * once <= SHARE * training), PROBES[-1])


def probe_documents(setup: Setup, side: str) -> NDArray[np.int64]:
    """Return some documents of the training text or of what validation is scored on, in one order for all runs.

    Their number depends on nothing but how much text a run trains on: where arms hold that, they are the same.
    """
    parts, trained = setup.text.split, setup.derived.text
    pool = np.unique(parts.train if side == "train" else parts.scored)
    short = trained is not None and trained < SHORT
    return _first(pool, setup.text.corpus, PROBE_BYTES // 2 if short else PROBE_BYTES)


def final_documents(text: PreparedText, recipe: Recipe, derived: Derived) -> NDArray[np.int64]:
    """Return the documents of the final reading, in order.

    They are all that are scored where the recipe says so, where only the clock knows how long the run trains, and
    where reading them costs at most `SHARE` of the training; otherwise as many as that allows, and
    `FINAL_BYTES` at least.
    """
    scored = text.split.scored
    if recipe.report.final == "whole" or derived.steps is None:
        return scored
    allowed = SHARE * derived.steps * derived.tokens_per_step * BACKWARD
    cost_N = evaluation.positions(text.stream, scored, recipe.batches.context)
    if cost_N.sum() <= allowed:
        return scored
    most = max(FINAL_BYTES, text.corpus.size(scored) * allowed / float(cost_N.sum()))
    return _first(scored, text.corpus, most)


def _first(pool: NDArray[np.int64], corpus: Corpus, most: float) -> NDArray[np.int64]:
    """Return the first documents of a pool's random order that hold less than so many bytes, at least one, sorted."""
    picked = pool[_order(len(pool))[: int(most)]]
    return np.sort(picked[: max(1, int(np.searchsorted(corpus.sizes(picked).cumsum(), most)))])


@lru_cache(maxsize=8)
def _order(count: int) -> NDArray[np.int64]:
    """Return a random order of so many documents, which is the same for all runs."""
    return seeding.permute(torch.arange(count), count, seeding.key(0, "probe", count)).numpy()

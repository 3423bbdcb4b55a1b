"""Factorials whose arms' losses are known: effects and interactions that were planted."""

from types import SimpleNamespace

import numpy as np

from diagnose.ablation.effects import Scores, compare

SHAPE = (3, 40)  # seeds, documents


def planted(names, cells, noise=0.0):
    """Return axes, arms and scores of arms whose bits per byte are those of the cells, on documents of 100 bytes."""
    rng = np.random.default_rng(0)
    varied = [SimpleNamespace(name=n, levels=dict.fromkeys(levels), control=levels[0]) for n, levels in names.items()]
    arms = {", ".join(cell): dict(zip(names, cell, strict=True)) for cell in cells}
    scores = {
        ", ".join(cell): Scores((), 100 * (value + noise * rng.normal(size=SHAPE)), np.ones(3), np.full(40, 100))
        for cell, value in cells.items()
    }
    return compare(varied, arms, scores)

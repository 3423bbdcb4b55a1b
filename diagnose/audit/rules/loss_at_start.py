"""Is an untrained network about as uncertain as a uniform guess?"""

from __future__ import annotations

import math

from diagnose.audit.findings import NETWORK, Audit, Rule

START_OFF = 0.15  # of ln V, and a tenth of a nat

RULES = (Rule(
    "loss-at-start", NETWORK, 40, "warning",
    "an untrained network is about as uncertain as a uniform guess (ln V)",
    "initialise smaller (a standard deviation of 0.02 for embeddings that are also the output matrix)",
    "Before training no token should be preferred: the loss is then near ln V. Far above it, the network is "
    "surely wrong and the first hundreds of steps undo the initialisation; far below it, something tells it the "
    "answer.",
),)  # fmt: skip


def judge(audit: Audit, loss: float, classes: int) -> None:
    """Compare the loss before training with ln V."""
    uniform = math.log(classes)
    off = loss - uniform
    if abs(off) > START_OFF * uniform + 0.1:
        side = "above" if off > 0 else "below"
        what = f"before training the loss is {loss:.2f}, far {side} the {uniform:.2f} of a uniform guess (ln {classes})"
        audit.breaks("loss-at-start", what, loss=loss, uniform=uniform)
    else:
        audit.keeps("loss-at-start", loss=loss, uniform=uniform)

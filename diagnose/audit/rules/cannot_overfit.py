"""Can a single small batch be learned by heart?"""

from __future__ import annotations

from diagnose.audit.findings import NETWORK, Audit, Rule

ENOUGH = 0.7  # of the loss at the start; label smoothing alone keeps it from falling to nothing
AT_FLOOR = 0.05  # of the loss at the start
MOSTLY = 0.5  # of the weights: where more are frozen, what is left (an adapter, a head) may not learn samples by heart
FROZEN = "{:.0%} of the weights are frozen, and what is left need not learn {} samples by heart"
NOTHING_LEFT = "the loss of {} samples is 0 already: nothing is left to learn (a margin that is kept)"
LATE = "{} steps, all that the budget allows, do not tell"

RULES = (Rule(
    "cannot-overfit", NETWORK, 50, "error",
    "a single small batch can be learned by heart",
    "look for a detached loss, a network that is blind to its input, targets of other rows, a rate of 0",
    "A network that cannot learn a handful of samples by heart will not learn a corpus. Almost every broken "
    "training set-up shows here first.",
),)  # fmt: skip


def judge(audit: Audit, fit: tuple[float, float, int, bool], samples: int, least: float, frozen: float = 0.0) -> None:
    """Judge by training on a few samples, and by the floor that their loss cannot fall below, whatever the network.

    `fit`: the first and the lowest loss, the steps, and whether these were fewer than tell that it cannot.
    `frozen`: the share of the weights that are not trained.
    """
    start, lowest, steps, spent = fit
    if has_fallen(start, lowest, least):
        audit.keeps("cannot-overfit", start=start, lowest=lowest, steps=steps)
    elif start == 0 == lowest:
        audit.skips("cannot-overfit", NOTHING_LEFT.format(samples), matters=False)
    elif frozen > MOSTLY:
        audit.skips("cannot-overfit", FROZEN.format(frozen, samples), matters=False)
    elif spent:
        audit.skips("cannot-overfit", LATE.format(steps), matters=False)
    else:
        what = f"trained on {samples} samples alone, the loss falls from {start:.4f} to {lowest:.4f} only"
        audit.breaks("cannot-overfit", what, start=start, lowest=lowest, steps=steps)


def has_fallen(start: float, lowest: float, floor: float = 0.0) -> bool:
    """Say whether a loss has fallen clearly, or had no way to fall: it began at its floor."""
    return lowest - floor < ENOUGH * (start - floor) or (floor > 0 and start - floor < AT_FLOOR * start)

"""Each network's own learning rate, from a small sweep on a slice of the training text.

One learning rate for several networks favours the one that it happens to suit. So each arm is first trained briefly
at a few rates, on part of its training documents, and read on others of them; the documents that the ablation is
scored on take no part. What a trial came to is kept in the cache, so that none is repeated.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from diagnose.data import split
from diagnose.data.cache import cache_folder, digest, entry
from diagnose.errors import FINDING, DiagnoseError
from diagnose.records.ablations import Trial, Tuning
from diagnose.runs.session import read_documents
from diagnose.runs.watched import Progress
from diagnose.training import device, trainer
from diagnose.training.preparation import Setup, set_up

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from diagnose.runs.watched import Watch

FORMAT = 1  # of a trial's record in the cache; part of its key
FIRST = (0.3, 1.0, 3.0)  # times the recipe's learning rate
LADDER = (0.01, 0.03, 0.1, *FIRST, 10.0, 30.0, 100.0)
MOST = 5  # rates tried, while the best of them is the lowest or the highest
SHARE = 0.2  # of the steps and of the training documents, so that text is seen as often as in a run
FEWEST_STEPS = 50
TIE = 0.01  # relative: of losses this close the lowest rate is taken, for a run is longer than a trial
HELD_OUT = 0.2  # of the slice's documents, to read


@dataclass(frozen=True)
class Sweep:
    """What was tried for an arm.

    Attributes:
        base: the set-up of a trial at the recipe's own rate.
        trials: bits per byte of the slice's documents that were kept to read, by factor; None where it diverged.
    """

    base: Setup
    trials: Mapping[float, float | None]

    @property
    def rate(self) -> float:
        """The learning rate that was chosen."""
        return rate(self.base, best(self.trials))

    @property
    def end(self) -> str:
        """Which end of what was tried the chosen rate lies at: "lowest", "highest" or ""."""
        chosen = best(self.trials)
        return "lowest" if chosen == min(self.trials) else "highest" if chosen == max(self.trials) else ""

    def record(self, level: str) -> Tuning:
        """Return the sweep of an arm."""
        trials = tuple(
            Trial(factor=factor, learning_rate=rate(self.base, factor), bits_per_byte=self.trials[factor])
            for factor in sorted(self.trials)
        )
        return Tuning(level=level, learning_rate=self.rate, end=self.end, trials=trials, **size(self.base))


def best(trials: Mapping[float, float | None]) -> float:
    """Return the lowest factor whose loss is the lowest but for `TIE`; the lowest of all where every trial diverged."""
    known = {factor: bits for factor, bits in trials.items() if bits is not None}
    lowest = min(known.values(), default=math.inf)
    return min((factor for factor, bits in known.items() if bits <= (1 + TIE) * lowest), default=min(trials))


def rate(base: Setup, factor: float) -> float:
    """Return a learning rate of the sweep, free of rounding."""
    return float(f"{factor * base.recipe.optimizer.lr:.6g}")


def size(base: Setup) -> dict[str, Any]:
    """Return how long a trial is and what it reads."""
    parts = base.text.split
    return {"steps": base.course.steps, "documents": len(parts.train), "scored_documents": len(parts.scored)}


def trial(setup: Setup) -> Setup:
    """Return what a trial of an arm comes to, at the recipe's own learning rate.

    Raises:
        DiagnoseError: the budget is in seconds, this machine lacks the run's device, or the training text is too
            small to take a slice of.
    """
    steps = setup.course.steps
    if steps is None:
        raise DiagnoseError(
            "learning rates are tuned for so many steps, which a budget in seconds does not say: give another "
            "budget, or compare the networks at one rate with --untuned"
        )
    if not device.is_here(setup.recipe.run.device):
        raise DiagnoseError(
            "learning rates of networks that differ are tried where the command is given, and this machine has no "
            "GPU: give the command on one that has, or compare the networks at one rate with --untuned"
        )
    share = min(1.0, max(SHARE, FEWEST_STEPS / steps))
    values = {"budget.steps": max(1, round(share * steps)), "data.split": "documents", "data.duplicates": 0.0}
    recipe = setup.recipe.with_values({**values, "data.scored": "val"})
    try:
        part = split.inner(setup.text.split, share, HELD_OUT, recipe.data.split_seed)
        return set_up(recipe, text=replace(setup.text, split=part))
    except DiagnoseError as error:
        raise DiagnoseError(
            f"learning rates cannot be tuned on a slice of the training text ({error}); "
            "compare the networks at one rate with --untuned"
        ) from None


def sweep(level: str, setup: Setup, watch: Watch) -> Sweep:
    """Try learning rates for an arm until the best of them lies between two others, or `MOST` were tried.

    Raises:
        DiagnoseError: see `trial`; or training diverged at every rate.
    """
    base = trial(setup)
    trials: dict[float, float | None] = {}
    factors: tuple[float, ...] = FIRST
    while factors:
        for factor in factors:
            trials[factor] = _kept(level, base, rate(base, factor), watch)
        factors = _further(trials)
    if all(bits is None for bits in trials.values()):
        raise DiagnoseError(
            f"{level} diverged at every learning rate that was tried, from {rate(base, max(trials)):g} down to "
            f"{rate(base, min(trials)):g}: lower optimizer.lr, or set optimizer.clip",
            exit_code=FINDING,
        )
    return Sweep(base, trials)


def _further(trials: Mapping[float, float | None]) -> tuple[float, ...]:
    """Return the next factor to try: beyond the end at which the best of them lies."""
    chosen = best(trials)
    if len(trials) >= MOST or min(trials) < chosen < max(trials):
        return ()
    return (LADDER[LADDER.index(chosen) + (-1 if chosen == min(trials) else 1)],)


def _kept(level: str, base: Setup, lr: float, watch: Watch) -> float | None:
    """Return a trial's loss, from the cache if it is there."""
    setup = set_up(base.recipe.with_values({"optimizer.lr": lr}), text=base.text)

    def write(folder: Path) -> None:
        bits = _train(f"{level} at {lr:g}", setup, watch)
        (folder / "trial.json").write_text(json.dumps({"bits_per_byte": bits}), encoding="utf-8")

    folder = entry(cache_folder(), "trials", digest("trial", FORMAT, setup.digest), write)
    bits: float | None = json.loads((folder / "trial.json").read_text(encoding="utf-8"))["bits_per_byte"]
    return bits


def _train(label: str, setup: Setup, watch: Watch) -> float | None:
    """Train a trial and read its loss; None where it diverges."""
    with device.random_kept(setup.prepare()):
        net = setup.network()
        setup.check(net)
        optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
        setup.compile(net)
        try:
            for step in trainer.train_steps(net, optimizer, setup.course, trainer.START):
                watch(_progress(label, setup, step))
            bits = read_documents(setup, net, setup.text.split.scored).bits_per_byte
        except DiagnoseError as error:
            if not error.diverged:
                raise
            return None
    return bits if math.isfinite(bits) else None


def _progress(label: str, setup: Setup, step: trainer.Step) -> Progress:
    pace, steps = step.seconds / step.step, setup.course.steps or step.step
    left = (steps - step.step) * pace
    speed = step.tokens / max(step.seconds, 1e-9)
    return Progress(label, label, setup.recipe.run.seed, step.step, steps, step.loss, speed, left, "tuning")

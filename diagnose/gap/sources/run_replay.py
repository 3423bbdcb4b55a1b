"""Going back to the steps of a run: their batches and masks with the final weights, or trained once more.

Batches, masks and learning rates are pure functions of the step, so what a logged loss was averaged over can be read
again exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.errors import DiagnoseError
from diagnose.gap.sources.run_reading import Ask, Pass, StepGroup, Way, read
from diagnose.runs import session, store
from diagnose.training import network, trainer
from diagnose.training.batches import step_batches, steps_per_epoch
from diagnose.training.trainer import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.gap.sources.run import FinishedRun
    from diagnose.stats import Interval, Reading

LEAST_SAMPLED = 8  # steps: fewer give no useful interval for their mean


def training_ask(finished: FinishedRun, on: frozenset[str] | None = None) -> Ask:
    """Return the condition that training losses were logged under."""
    loss = finished.recipe.loss
    level = {"token": "step", "sequence": "row", "batch": "part"}[loss.mean]
    return Ask(Pass(on, finished.recipe.run.precision), loss.label_smoothing, Way(loss.padding, level))


def validation_ask(finished: FinishedRun, on: frozenset[str] | None = None) -> Ask:
    """Return the condition that validation losses were reported under."""
    condition = session.reported_condition(finished.recipe, finished.network)
    level = {"token": "all", "sequence": "row", "batch": "part"}[condition.mean]
    run = Pass(on if condition.training else frozenset(), condition.precision)
    return Ask(run, condition.label_smoothing, Way(condition.padding, level))


def penalties(finished: FinishedRun) -> tuple[float, float]:
    """Return the weight decay that stands in the training loss and in the reported validation loss, in nats."""
    with torch.no_grad():
        training = float(trainer.penalty(finished.network, finished.recipe.loss.weight_decay))
    return training, session.reported_condition(finished.recipe, finished.network).penalty


def step_group(finished: FinishedRun, step: int, weight: float = 1.0, turn: int | None = None) -> StepGroup:
    """Return a step's batches (from 0) with the masks that it was trained with, or with others.

    Args:
        finished: the run.
        step: which.
        weight: what it counts in a mean over steps.
        turn: None for the step's own masks; each number draws other ones.
    """
    parts = step_batches(finished.setup.course.layout, step, finished.recipe.batches.accumulate)
    names: tuple[str, ...] = ("dropout",) if turn is None else ("ledger masks", str(turn))
    stream = " ".join(names)
    seeds = [seeding.key(finished.recipe.run.seed, stream, step, part) for part in range(len(parts))]
    return StepGroup(tuple(parts), tuple(seeds), weight)


@dataclass(frozen=True)
class Lag:
    """What the final weights lose on the batches of the reported training loss.

    Attributes:
        value: that loss minus the logged one.
        half: of the 95 % interval; None where every step was read.
        reading: per document, without the weight decay in the loss.
        steps: how many steps were read; averaged: how many the reported loss averages.
    """

    value: float
    half: float | None
    reading: Reading
    steps: int
    averaged: int


def lag(finished: FinishedRun, positions: float) -> Lag:
    """Read the final weights on the very batches and masks that the reported training loss averages.

    Args:
        finished: the run.
        positions: what may be read; a sample of the steps is, where they do not fit.
    """
    steps, weights = finished.averaged()
    most = max(LEAST_SAMPLED, int(positions // finished.positions))
    picked, counts = np.arange(len(steps)), weights
    if len(steps) > most:
        picked, counts = _drawn(weights, most)
    ask = training_ask(finished)
    readings = [read(finished.network, [step_group(finished, int(steps[k]))], [ask])[ask] for k in picked]
    return _lag(finished, readings, steps[picked], counts, len(steps))


def _drawn(weights: NDArray[np.float64], most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw places by their weights, one from each of `most` parts of equal weight; and how much each then counts."""
    draw = seeding.generator(0, "sampled steps", len(weights), most).random(most)
    ends = np.cumsum(weights)
    places = np.searchsorted(ends, (np.arange(most) + draw) / most * ends[-1]).clip(max=len(weights) - 1)
    picked, times = np.unique(places, return_counts=True)
    return picked, times / most


def _lag(
    finished: FinishedRun,
    readings: list[Reading],
    steps: NDArray[np.int64],
    weights: NDArray[np.float64],
    averaged: int,
) -> Lag:
    from diagnose.stats import Reading, ratio_interval

    change = np.array([r.mean for r in readings]) + penalties(finished)[0] - finished.logged[steps]
    parts = [
        (r.documents, r.nats / r.weights.sum() * w, r.weights / r.weights.sum() * w)
        for r, w in zip(readings, weights, strict=True)
    ]
    documents, nats, shares = (np.concatenate(some) for some in zip(*parts, strict=True))
    whole = Reading.of(nats, shares, documents)
    if len(steps) == averaged:
        value = whole.mean + penalties(finished)[0] - finished.train
        return Lag(value, None, whole, averaged, averaged)
    found: Interval = ratio_interval(change * weights, weights)
    half = None if found.high is None else found.high - found.value
    return Lag(found.value, half, whole, len(steps), averaged)


def report_group(finished: FinishedRun) -> Iterator[StepGroup]:
    """Yield the validation batches that the last report read, with its masks."""
    key = seeding.key(finished.recipe.run.seed, "validation masks", finished.number)
    for number, batch in enumerate(session.reported_batches(finished.setup, finished.number)):
        yield StepGroup((batch,), (seeding.key(key, "masks", number),))


@dataclass(frozen=True)
class VerifiedInterval:
    """What training the last interval once more gave.

    Attributes:
        train: the reported training loss with the retrained losses in place of the logged ones.
        steps: how many were trained again; differing: how many of them did not give the logged loss bit for bit.
        largest: the largest difference of a step's loss.
        weights: whether the final weights came out bit for bit.
        whole: whether every step that the reported loss averages was trained again.
    """

    train: float
    steps: int
    differing: int
    largest: float
    weights: bool
    whole: bool


def verify(finished: FinishedRun) -> VerifiedInterval:
    """Train the last logging interval once more from the checkpoint that was kept at its start.

    Raises:
        DiagnoseError: there is no such checkpoint, or the budget was one of seconds, which only the clock could repeat.
    """
    course = finished.setup.course
    if course.steps is None:
        raise DiagnoseError("--verify: the budget was in seconds, and the learning rate followed the clock")
    found = store.read_checkpoint(finished.path / "interval")
    if found is None:
        raise DiagnoseError(f"--verify: {finished.path} keeps no checkpoint of its last interval's start (pruned?)")
    tensors, state = found
    known: dict[str, Any] = {k: float("nan") if v is None else v for k, v in state.items() if k != "format"}
    last = Step(**known)
    net = finished.setup.network()
    optimizer = trainer.make_optimizer(net, finished.recipe.optimizer)
    session.load_state(net, optimizer, tensors)
    if finished.recipe.run.compile == "on":
        network.compile_in_place(net)
    with torch.random.fork_rng():
        again = np.array([step.loss for step in trainer.train_steps(net, optimizer, course, last)])
    return _compared(finished, net, again, last.step)


def _compared(finished: FinishedRun, net: torch.nn.Module, again: NDArray[np.float64], first: int) -> VerifiedInterval:
    table, logged = finished.recipe.report, finished.logged
    per_epoch = steps_per_epoch(finished.setup.course.layout, finished.recipe.batches.accumulate)
    losses = [*logged[:first].tolist(), *again.tolist()]
    train = trainer.reported_training_loss(losses, table.train, table.interval, per_epoch)
    pairs = zip(net.state_dict().values(), finished.network.state_dict().values(), strict=True)
    return VerifiedInterval(
        train=train, steps=len(again), differing=int((again != logged[first:]).sum()),
        largest=float(np.abs(again - logged[first:]).max()), weights=all(torch.equal(a, b) for a, b in pairs),
        whole=int(finished.averaged()[0][0]) >= first,
    )  # fmt: skip

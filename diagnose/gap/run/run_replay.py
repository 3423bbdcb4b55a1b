"""Going back to the steps of a run: their batches and masks with the final weights, or trained once more.

Batches, masks and learning rates are pure functions of the step, so what a logged loss was averaged over can be read
again exactly.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.errors import DiagnoseError
from diagnose.formatting import counted
from diagnose.gap.conditions import Condition
from diagnose.gap.measurements import Replayed
from diagnose.gap.run.run_reading import RunObjective, StepGroup, Way, in_units, read
from diagnose.runs import checkpoints, session, store
from diagnose.stats import Reading, ratio_interval
from diagnose.training import device, trainer
from diagnose.training.batches import steps_per_epoch
from diagnose.training.trainer import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.gap.run.run import FinishedRun

LEAST_SAMPLED = 8  # steps: fewer give no useful interval for their mean


def training_condition(finished: FinishedRun, on: frozenset[str]) -> Condition:
    """Return the condition that training losses were logged under, with the final weights' decay in the loss."""
    loss = finished.recipe.loss
    level = {"token": "step", "sequence": "row", "batch": "part"}[loss.mean]
    with torch.no_grad():
        penalty = float(trainer.penalty(finished.network, loss.weight_decay))
    objective = RunObjective(loss.label_smoothing, penalty)
    return Condition(on, objective, finished.recipe.run.precision, Way(loss.padding, level))


def validation_condition(finished: FinishedRun, on: frozenset[str]) -> Condition:
    """Return the condition that validation losses were reported under."""
    given = session.reported_condition(finished.recipe, finished.network)
    level = {"token": "all", "sequence": "row", "batch": "part"}[given.mean]
    objective = RunObjective(given.label_smoothing, given.penalty)
    return Condition(on if given.training else frozenset(), objective, given.precision, Way(given.padding, level))


def step_group(finished: FinishedRun, step: int, weight: float = 1.0, turn: int | None = None) -> StepGroup:
    """Return a step's batches (from 0) with the masks that it was trained with, or with others.

    Args:
        finished: the run.
        step: which.
        weight: what it counts in a mean over steps.
        turn: None for the step's own masks; each number draws other ones.
    """
    parts = trainer.step_parts(finished.setup.course, step)
    names: tuple[str, ...] = ("dropout",) if turn is None else ("ledger masks", str(turn))
    stream = " ".join(names)
    seeds = [seeding.key(finished.recipe.run.seed, stream, step, part) for part in range(len(parts))]
    return StepGroup(tuple(parts), tuple(seeds), weight)


def replay(
    finished: FinishedRun, own: Condition, positions: float, verified: VerifiedInterval | None, unit: int
) -> Replayed:
    """Read the final weights on the very batches and masks that the reported training loss averages.

    Args:
        finished: the run.
        own: the condition that training losses were logged under.
        positions: what may be read; a sample of the steps is, where they do not fit.
        verified: the last interval trained again, if it was.
        unit: adjacent documents that are one unit of the intervals.
    """
    steps, weights = finished.averaged()
    most = max(LEAST_SAMPLED, int(positions // finished.positions))
    picked, counts = np.arange(len(steps)), weights
    if len(steps) > most:
        picked, counts = _drawn(weights, most)
    readings = [read(finished.network, [step_group(finished, int(steps[k]))], [own])[own] for k in picked]
    change, half, whole = _change(finished, readings, steps[picked], counts, len(steps))
    return Replayed(
        finished.train + change, verified.train if verified else finished.train, half, in_units(whole, unit),
        len(picked), len(steps), True, None, checked=_checked(verified), of_run=asdict(verified) if verified else None,
    )  # fmt: skip


def _checked(verified: VerifiedInterval | None) -> str:
    """Return what training the last interval again showed."""
    if verified is None:
        return "training: not checked (--verify trains the last steps again)"
    exact = "bit for bit" if not verified.differing and verified.weights else f"within {verified.largest:.1e}"
    outcome = f"training: the last {counted(verified.steps, 'step')} trained again: {exact}"
    return outcome if verified.whole else f"{outcome}; earlier steps that the reported loss averages were not"


def _drawn(weights: NDArray[np.float64], most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw places by their weights, one from each of `most` parts of equal weight; and how much each then counts."""
    draw = seeding.generator(0, "sampled steps", len(weights), most).random(most)
    ends = np.cumsum(weights)
    places = np.searchsorted(ends, (np.arange(most) + draw) / most * ends[-1]).clip(max=len(weights) - 1)
    picked, times = np.unique(places, return_counts=True)
    return picked, times / most


def _change(
    finished: FinishedRun,
    readings: list[Reading],
    steps: NDArray[np.int64],
    weights: NDArray[np.float64],
    averaged: int,
) -> tuple[float, float | None, Reading]:
    """Return by how much final weights change the logged losses, half its interval, and the steps as one reading."""
    change = np.array([r.mean for r in readings]) - finished.logged[steps]
    parts = [
        (r.documents, r.nats / r.weights.sum() * w, r.weights / r.weights.sum() * w)
        for r, w in zip(readings, weights, strict=True)
    ]
    documents, nats, shares = (np.concatenate(some) for some in zip(*parts, strict=True))
    whole = Reading.of(nats, shares, documents)
    if len(steps) == averaged:
        return whole.mean - finished.train, None, whole
    span = ratio_interval(change * weights, weights)
    return span.value, None if span.high is None else span.high - span.value, whole


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
        DiagnoseError: there is no such checkpoint, the budget was one of seconds, which only the clock could repeat, or
            the run was trained on a device that is not here, or in a stack.
    """
    course, trained_on = finished.setup.course, store.recipe_of(finished.path).run.device
    if trained_on != finished.recipe.run.device:
        raise DiagnoseError(
            f"--verify: only on {trained_on}, where the run was trained, do its steps repeat bit for bit"
        )
    if store.environment(finished.path).stack:
        raise DiagnoseError("--verify: trained in a stack with other seeds, where alone its steps repeat bit for bit")
    if course.steps is None:
        raise DiagnoseError("--verify: the budget was in seconds, and the learning rate followed the clock")
    checkpoint = checkpoints.read_checkpoint(finished.path / "interval")
    if checkpoint is None:
        raise DiagnoseError(f"--verify: {finished.path} keeps no checkpoint of its last interval's start (pruned?)")
    tensors, state = checkpoint
    known: dict[str, Any] = {k: float("nan") if v is None else v for k, v in state.items() if k != "format"}
    last = Step(**known)
    net = finished.setup.network()
    optimizer = trainer.make_optimizer(net, finished.recipe.optimizer)
    session.load_state(net, optimizer, tensors)
    finished.setup.compile(net)
    with device.random_kept(device.find(finished.recipe.run.device)):
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

"""`lag` and `recency` from the record of a loop: back to the very steps that the reported training loss averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose.errors import DiagnoseError
from diagnose.formatting import signed
from diagnose.gap.factor_fits import MOST_FACTOR, SAME
from diagnose.gap.loop.elements import sums
from diagnose.gap.loop.groups import identities
from diagnose.gap.loop.tally import joined
from diagnose.gap.measurements import Replayed
from diagnose.gap.recorder import random_states
from diagnose.stats.crossed import t_quantile

if TYPE_CHECKING:
    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.elements import Elements
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.loop.sample_identity import DistinctSamples
    from diagnose.gap.recorder.recording import RecordedStep, Recording
    from diagnose.gap.side import Side

WINDOW = 3 << 60  # added to the numbers of the recorded steps' samples: they are not those of the side's batches


def replay(
    subject: Subject, record: Recording, side: Side, own: Condition, distinct: DistinctSamples | None = None
) -> Replayed:
    """Read the recorded steps again with the final weights and their own masks, and the first with its own weights.

    With `distinct`, which has numbered the side's samples, those of the steps have the same numbers where the steps
    are of all of them, as in a whole epoch: then nothing of what data happened to be drawn is between the two.
    """
    if not record.window:
        raise DiagnoseError("the record holds no training step; call recorder.step(batch, loss) at each")
    rows, changes = [], []
    own_first = _first(subject, record, own)
    factor = 1 if own_first is None else whole_factor(*own_first)
    same: list[Any] = []
    every_sample = 0 if distinct is None else distinct.count
    for step, batch in zip(record.window, record.batches(record.window), strict=True):
        losses = _read(subject, step, batch, own)
        groups = None if side.groups is None else side.groups(batch)
        nats, weights = sums(losses, own.reduction)
        ids = identities(losses, step.number, groups, f"recorded step {step.number + 1}")
        ids = np.where(ids < 0, ids, ids + WINDOW)
        rows.append((ids, nats, weights))
        if distinct is not None and groups is None and losses.known:
            same.append(distinct.numbered(batch, ids, losses.samples))
        changes.append(_loss(losses, own) - factor * float(step.loss))
    if len(same) == len(rows) and _are_all(same, every_sample):
        rows = [(ids, nats, weights) for ids, (_, nats, weights) in zip(same, rows, strict=True)]
    every = len(changes) == record.offered
    mean = float(np.average(changes, weights=[step.weight for step in record.window]))
    half = None if every else _half(np.array(changes), record.offered)
    masked = all(step.states for step in record.window)
    first = None if own_first is None else own_first[0] - factor * own_first[1]
    logged = factor * record.train
    return Replayed(
        logged + mean, logged, half, joined(rows), len(changes), record.offered, masked, first, factor, _checked(first),
        beside=tuple(n for n, m in subject.reached.items() if any(p.requires_grad for p in m.parameters())),
    )  # fmt: skip


def _are_all(ids: list[Any], count: int) -> bool:
    """Say whether the samples of recorded steps are just the side's: all known, and none left out."""
    unique_ids = np.unique(np.concatenate(ids)) if ids else np.zeros(0)
    return len(unique_ids) == count > 0 and bool((unique_ids < WINDOW).all())


def whole_factor(read: float, logged: float) -> int:
    """Return which whole number turns a logged loss into the one that is read: 1 where none does, or none is needed."""
    ratio = read / logged if logged else 1.0
    near = round(ratio) if MOST_FACTOR >= ratio > 1 else 1
    return near if near > 1 and abs(ratio - near) <= SAME * near else 1


def _loss(found: Elements, own: Condition) -> float:
    """Return a batch's loss as the loop logs it."""
    nats, weights = sums(found, own.reduction)
    return float(nats.sum() / weights.sum())


def _half(changes_K: Any, number: int) -> float:
    """Return half the interval of the mean of a sample of steps, drawn without replacement."""
    count = len(changes_K)
    spread = float(changes_K.std(ddof=1)) if count > 1 else float("inf")
    return float(t_quantile(0.95, max(count - 1, 1)) * spread * ((1 - count / number) / count) ** 0.5)


def _read(subject: Subject, step: RecordedStep, batch: Any, own: Condition) -> Elements:
    """Return the losses of a step's batch, the random state set as it was: before its objective, or the model, ran.

    Before the objective, too, where it runs the model compiled: a hook that comes after its compiling is not called.
    """
    seen = list[None]()

    def put() -> None:
        random_states.put(step.states, subject.device)

    def before(*_: Any) -> None:
        hook.remove()
        seen.append(None)
        put()

    where = f"the batch of recorded step {step.number + 1}"
    if step.early:
        return subject.run(batch, own, put, where)
    hook = subject.model.register_forward_pre_hook(before)
    try:
        found = subject.run(batch, own, lambda: None, where)
    finally:
        hook.remove()
    return found if seen else subject.run(batch, own, put, where)


def _first(subject: Subject, record: Recording, own: Condition) -> tuple[float, float] | None:
    """Return what the first step gives with the weights that it was taken with, and what was logged."""
    step = next((step for step in record.window if step.number == record.first), None)
    if step is None or not record.start or not step.states:
        return None
    (batch,) = record.batches([step])
    try:
        with torch.no_grad():
            subject.model.load_state_dict(record.start)
        return _loss(_read(subject, step, batch, own), own), float(step.loss)
    finally:
        subject.kept.restore()


def _checked(first: float | None) -> str:
    """Return what is known of whether reading a step again gives what was logged."""
    if first is None:
        return "training: not checked (no step was kept with its weights)"
    return f"training: the first of its steps, read again with its own weights, differs by {signed(first, 6)}"

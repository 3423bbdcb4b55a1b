"""Readings through a user's objective: one walk over a side's batches gives its loss under every condition."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.errors import DiagnoseError
from diagnose.gap.loop import guard
from diagnose.gap.loop.class_weights import ClassWeights
from diagnose.gap.loop.elements import (
    elements,
    of_rows,
    own_copy,
    samples_of,
    tensors,
)
from diagnose.gap.loop.gradients import with_gradients
from diagnose.gap.loop.groups import identities, named_groups, of_several
from diagnose.gap.loop.masked import as_selected, rows_selected, selector
from diagnose.gap.loop.modes import cast, mode_held, training
from diagnose.gap.loop.parted import by_sample
from diagnose.gap.loop.rebatched import RebatchedBatches
from diagnose.gap.loop.tally import Tally
from diagnose.gap.loop.walking import held_by, walk
from diagnose.gap.side import HALF, order_hint
from diagnose.gap.term import SIDES
from diagnose.training.registry import told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.elements import Elements
    from diagnose.gap.loop.loss_calls import LossCalls
    from diagnose.gap.loop.sample_identity import DistinctSamples
    from diagnose.gap.loop.sample_parts import Key
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side

FEWEST = 8  # batches of a side that are read whatever the limit
SMALL = 0.02  # times their values: weights of a network that is sure of nothing
NUDGES = (0.1, 10.0)  # of a weight's usual size


@dataclass
class Subject:
    """A model guarded, its objectives, its device, and what training mode switches on in it, once that is known.

    Attributes:
        own: the models that sides have of their own: training's, validation's.
        reached: others that the objectives reach, by name.
        structural: kinds that an objective needs in training mode, where its model returns something else.
        needing: which objectives need them.
        frozen: batch norms that are frozen while the model trains (ids).
        apart: whether each side's objective is run on its own batches alone.
        random: objectives that are random though nothing of training mode is on.
        masked: objectives with losses that are 0 whatever the weights are, and count.
        empty: by what was read, its batches in which nothing counts.
        written: buffers that a pass in evaluation mode wrote into.
        writes: objectives that write into their batch (mixed samples in place), so that each gets a copy.
        switching: objectives that put the model into a mode themselves, and whether that is training mode.
        gradients: whether objectives are run with gradients on, as a training loop runs its own.
        calls: what of torch's losses each objective takes, once it has been run.
        weighed: objectives whose class weights, or ignored targets, say what each loss counts.
        zeros: objectives whose zeros of ignored targets count in the mean, as the reported loss says.
        skips: whether batches that hold NaN are left out where they give no loss: a loss was reported nevertheless.
        skipped: by what was read, how many were.
    """

    model: nn.Module
    objectives: tuple[Any, Any]
    kept: guard.StateGuard
    kinds: frozenset[str] = frozenset()
    selectors: dict[int, Key | None] = field(default_factory=dict)
    own: tuple[nn.Module | None, nn.Module | None] = (None, None)
    reached: dict[str, nn.Module] = field(default_factory=dict)
    structural: frozenset[str] = frozenset()
    needing: frozenset[int] = frozenset({0})
    frozen: frozenset[int] = frozenset()
    random: set[int] = field(default_factory=set)
    apart: bool = False
    gradients: bool = False
    writes: set[int] = field(default_factory=set)
    switching: dict[int, bool] = field(default_factory=dict)
    weighed: set[int] = field(default_factory=set)
    zeros: set[int] = field(default_factory=set)
    masked: set[int] = field(default_factory=set)
    calls: dict[int, LossCalls] = field(default_factory=dict)
    empty: Counter[str] = field(default_factory=Counter)
    skips: bool = False
    skipped: Counter[str] = field(default_factory=Counter)
    written: set[str] = field(default_factory=set)
    device: torch.device = field(init=False)

    def __post_init__(self) -> None:
        device = next((p.device for p in (*self.model.parameters(), *self.model.buffers())), None)
        self.device = device or torch.device("cpu")

    def run(
        self, batch: Any, condition: Condition, seed: int | Callable[[], None], where: str, owner: int | None = None
    ) -> Elements:
        """Return the losses of a batch under a condition, with random states set from `seed`, or by it.

        Args:
            batch: of a side.
            condition: the loss's.
            seed: of all random states.
            where: for errors.
            owner: whose batch it is, where the other side's objective may be run on it: 0 training's, 1 validation's.

        Raises:
            DiagnoseError: the objective fails or returns no loss.
        """
        number = condition.objective
        who = f"the objective of the {('training', 'validation')[number]} side"
        batch = self._as_selected(batch, number, owner)
        batch = own_copy(batch) if number in self.writes | self.random else batch
        model = self.of(condition)
        on = condition.on | self.structural if number in self.needing else condition.on
        with training(model, self._switched(on), self.frozen), cast(self.device, condition.precision):
            try:
                returned = self._seeded(number, model, batch, seed)
            except DiagnoseError:
                raise
            except Exception as error:
                hint = self._hint(batch, number, error)
                raise DiagnoseError(f"{who} fails on {where}{self._mode(on)}: {hint}{told(error)}") from error
            finally:
                written = self.kept.settle()  # one that fails on its way has written into buffers, too
        self.written |= set() if on else written
        losses = elements(returned, batch, f"{who}, on {where},", model, skips=self.skips)
        return of_rows(losses, self.rows(batch, number))

    def _seeded(self, number: int, model: nn.Module, batch: Any, seed: int | Callable[[], None]) -> Any:
        """Return what an objective returns from these random states."""
        put = seed if callable(seed) else partial(self._put, seed)
        put()
        return with_gradients(lambda: self._returned(number, model, batch), put, always=self.gradients)

    def _put(self, seed: int) -> None:
        """Set all random states from a number, also those that the model holds."""
        guard.seed(seed)
        self.kept.reseed(seed)

    def _returned(self, number: int, model: nn.Module, batch: Any) -> Any:
        with mode_held(model) if number in self.switching else nullcontext():
            if number not in self.weighed:
                return self.objectives[number](model, batch)
            with ClassWeights() as seen:
                returned = self.objectives[number](model, batch)
            return seen.weighed(returned)

    def of(self, condition: Condition) -> nn.Module:
        """Return the model that is read under a condition."""
        model = self.own[condition.weights - 1] if condition.weights else None
        return self.model if model is None else model

    def _mode(self, on: frozenset[str]) -> str:
        return "" if on else " in evaluation mode"

    def _as_selected(self, batch: Any, number: int, owner: int | None) -> Any:
        """Have an objective that selects by another mask than the batch's own side select what that side does."""
        if self.apart:
            return batch
        key, other = self.selectors.get(number if owner is None else owner), self.selectors.get(number)
        return batch if key is None or other is None or key == other else as_selected(batch, key, other)

    def rows(self, batch: Any, side: int) -> NDArray[np.int64] | None:
        """Return which rows of a batch the losses of a side are of, where a mask or an index in it selects them."""
        keys = self.selectors.values() if self.apart else (self.selectors.get(side),)
        return next((rows for key in keys if (rows := rows_selected(batch, key)) is not None), None)

    def moves(
        self, model: nn.Module, before: Any, batch: Any, condition: Condition, where: str = "its first batch"
    ) -> bool:
        """Say whether other weights of a model change a loss: near ones, or far ones where it is at its floor."""
        guard.reshard(model.modules())
        some = (guard.local(p) for p in (*model.parameters(), *model.buffers()))
        weights = [p for p in some if p.is_floating_point() and p.numel()]
        return not weights or any(self._nudged(weights, size, before, batch, condition, where) for size in NUDGES)

    def _nudged(
        self, weights: list[torch.Tensor], size: float, before: Any, batch: Any, condition: Condition, where: str
    ) -> bool:
        guard.nudge(weights, size)
        written = set(self.written)  # buffers are among what is moved
        try:
            after = self.run(batch, condition, 0, where).nats
        except DiagnoseError:  # other weights may give no finite loss
            after = before + 1
        self.kept.restore()
        self.written = written
        return not np.array_equal(before, after)

    def silent_elsewhere(self, batch: Any, condition: Condition, where: str) -> NDArray[np.bool_]:
        """Return which losses of a batch are 0 and count under other weights: moved ones, and small ones.

        A network that is sure of a sample gives it a loss of 0, too; with small weights it is sure of none.
        """
        out: list[NDArray[np.bool_]] = []
        model = self.of(condition)
        for keep in (1.0, SMALL):
            guard.reshard(model.modules())
            some = [w for w in map(guard.local, model.parameters()) if w.is_floating_point() and w.numel()]
            guard.nudge(some, 1.0, keep)
            try:
                losses = self.run(batch, condition, 0, where)
                out.append(np.asarray((losses.nats == 0) & (losses.weights > 0)))
            except DiagnoseError:  # other weights may give no finite loss
                return np.zeros(0, bool)
            finally:
                self.kept.restore()
        return out[0] & out[1] if len(out[0]) == len(out[1]) else np.zeros(0, bool)

    def select(self, batch: Any, condition: Condition, where: str, side: int) -> None:
        """Find out by which mask or index in the batch a side's objective selects what it takes losses of."""

        def losses(changed: Any) -> Elements:
            return self.run(changed, condition, 0, where)

        key = selector(batch, losses)
        self.selectors[side if self.apart else condition.objective] = key

    def refuse_constant(self, batch: Any, condition: Condition, where: str) -> None:
        """Refuse a loss that other weights leave as it is, bit for bit.

        Raises:
            DiagnoseError: it does not depend on the model; the weights have been put back. Or it is none.
        """
        found = self.run(batch, condition, 0, where)
        before = found.nats
        if found.skipped:
            raise DiagnoseError(f"{where} and those after it hold NaN or infinity and give no loss; give others first")
        if not self.moves(self.of(condition), before, batch, condition, where):
            if any(self.moves(other, before, batch, condition, where) for other in self.reached.values()):
                return
            side = SIDES[condition.objective]
            raise DiagnoseError(
                f"the loss of the {side} side does not depend on the model (a constant, detached before it, or of "
                "another model: hand that over as Side(model=...)): return what the objective's first argument gives"
            )

    def _switched(self, on: frozenset[str]) -> frozenset[str] | None:
        """Return what to have on: with every kind all modules, for other kernels lay masks out in another order."""
        return None if on and on == self.kinds and not self.structural else on

    def _hint(self, batch: Any, number: int, error: Exception) -> str:
        if order := order_hint(self.objectives[number], error):
            return order
        devices = {tensor.device for tensor in tensors(batch)}
        if devices and self.device not in devices and self.device.type not in {d.type for d in devices}:
            here = ", ".join(sorted(map(str, devices)))
            return f"the batch is on {here} and the model on {self.device} (move the batch in the objective): "
        half = next((p.dtype for p in self.model.parameters() if p.dtype in HALF), None)
        if half is not None:
            return f"the model is in {str(half).removeprefix('torch.')} (hand it over in float32, or cast its input): "
        return ""


def read(
    subject: Subject, side: Side, batches: Any, conditions: Sequence[Condition], *, name: str, seconds: float,
    most: int | None = None, stream: str = "masks", distinct: DistinctSamples | None = None, owner: int | None = None,
) -> BatchReadings:  # fmt: skip
    """Read batches under conditions; each batch runs once through the model for each that differs in its pass.

    Args:
        subject: the model guarded.
        side: whose batches they are: says what its groups are.
        batches: re-iterable.
        conditions: at least one.
        name: what to call the batches in errors: "the training side".
        seconds: a limit, though at least `FEWEST` batches are read.
        most: a limit in batches.
        stream: names the random stream of masks: equal names and numbers of batches give equal masks.
        distinct: recognises samples that are read again.
        owner: 0 for training's batches, 1 for validation's.

    Raises:
        DiagnoseError: there are none, or the objective fails on one.
    """
    begun = time.monotonic()
    runs = list(dict.fromkeys(condition.run for condition in conditions))
    tally, complete = Tally(), True
    some, total = walk(batches)
    for place, (number, batch) in enumerate(some):
        late = place >= FEWEST and time.monotonic() - begun > seconds
        if late or (most is not None and place >= most):
            complete = False
            break
        where = f"batch {number + 1} of {name}"
        groups = None if side.groups is None else _grouped(side, batch, where)
        state = guard.states()  # the loader goes on with its own draws, whatever passes draw
        for run in runs:
            same = [condition for condition in conditions if condition.run == run]
            whole = subject.run(batch, same[0], seeding.key(0, stream, number), where, owner)
            if whole.skipped and run == runs[0]:
                tally.skipped += 1
                break
            apart = groups is None or len(named_groups(groups)) == samples_of(batch)
            apart = apart and same[0].objective not in subject.random
            losses = by_sample(subject.run, batch, whole, same[0], total, where) if apart else whole
            several = of_several(losses, groups)
            tally.groups |= set(named_groups(groups).tolist()) if several else set()
            ids = identities(losses, number, groups, where)
            if isinstance(batches, RebatchedBatches) and groups is None and losses.known:
                ids = batches.origins[number][losses.samples]
            elif distinct is not None and groups is None:
                ids = distinct.numbered(batch, ids, losses.samples)
            tally.add(losses, ids, same, named=groups is not None and not several)
            if run == runs[0]:
                subject.empty[name] += losses.scalar and not losses.weights.any()
                tally.notice(number, whole, batch)
        guard.put(state)
    if not tally.batches:
        raise DiagnoseError(f"{name} yields no batch; an iterable that yields the same batches each time is needed")
    subject.skipped[name] = tally.skipped
    complete = complete and (total is None or tally.batches + tally.skipped >= total)
    return tally.text(len(runs), complete=complete, held=held_by(batches))


def _grouped(side: Side, batch: Any, where: str) -> Any:
    assert side.groups is not None
    try:
        return side.groups(batch)
    except Exception as error:
        raise DiagnoseError(f"{where}: groups fails: {told(error)}") from error

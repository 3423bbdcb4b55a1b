"""Readings through somebody's objective: one walk over a side's batches gives its loss under every condition."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.errors import DiagnoseError
from diagnose.gap import guard as custody
from diagnose.gap.elements import elements, identities, sums, tensors
from diagnose.gap.modes import training
from diagnose.gap.side import HALF
from diagnose.stats import Reading
from diagnose.training.registry import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from torch import nn

    from diagnose.gap.elements import Elements
    from diagnose.gap.side import Side

FEWEST = 8  # batches of a side that are read whatever the limit
NUDGE = 0.1  # of a weight's usual size
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Condition:
    """How a loss is taken.

    Attributes:
        on: the kinds.
        objective: 0 for the training side's, 1 for the validation side's.
        autocast, reduction: as in `Side`.
        plain: whether the batches are the side's `plain` ones.
    """

    on: frozenset[str]
    objective: int
    autocast: torch.dtype | bool | None
    reduction: str
    plain: bool = False

    @property
    def run(self) -> tuple[frozenset[str], int, torch.dtype | bool | None]:
        """What a forward pass depends on: conditions that share it share their passes."""
        return self.on, self.objective, self.autocast


@dataclass
class BatchReadings:
    """What was read of some batches.

    Attributes:
        readings: the loss under each condition, as sums over samples or groups.
        others: by condition and name, what the objective returned beside the loss: (sum over batches, batches).
        means: by condition, the loss of each batch.
        batches: how many were read; complete: whether that is all of them.
        passes: how often each ran through the model; samples: how many a batch had, all together; count: elements;
            counted: the share of elements that count (padding does not); silent: of those whose loss is exactly 0.
        unit: what intervals resample: "sample", "group" or "batch".
        scalar: whether the objective gives one number a batch.
    """

    readings: dict[Condition, Reading]
    others: dict[Condition, dict[str, float]]
    means: dict[Condition, list[float]]
    batches: int
    complete: bool
    passes: int
    samples: int
    count: int
    counted: float
    silent: float
    unit: str
    scalar: bool


@dataclass
class Subject:
    """A model in custody, its objectives, its device, and what training mode switches on in it, once that is known."""

    model: nn.Module
    objectives: tuple[Any, Any]
    custody: custody.StateGuard
    kinds: frozenset[str] = frozenset()
    device: torch.device = field(init=False)

    def __post_init__(self) -> None:
        found = next((p.device for p in (*self.model.parameters(), *self.model.buffers())), None)
        self.device = found or torch.device("cpu")

    def run(self, batch: Any, condition: Condition, seed: int | Callable[[], None], where: str) -> Elements:
        """Return the losses of a batch under a condition, with random states set from `seed`, or by it.

        Raises:
            DiagnoseError: the objective fails or returns no loss.
        """
        number = condition.objective
        owner = f"the objective of the {('training', 'validation')[number]} side"
        with training(self.model, self._switched(condition.on)), _cast(self.device, condition.autocast):
            if callable(seed):
                seed()
            else:
                custody.seed(seed)
            try:
                returned = self.objectives[number](self.model, batch)
            except DiagnoseError:
                raise
            except Exception as error:
                raise DiagnoseError(f"{owner} fails on {where}: {self._hint(batch)}{told(error)}") from error
        self.custody.settle()
        return elements(returned, batch, f"{owner}, on {where},")

    def refuse_constant(self, batch: Any, condition: Condition, where: str) -> None:
        """Refuse a loss that other weights leave as it is, bit for bit.

        Raises:
            DiagnoseError: it does not depend on the model; the weights have been put back.
        """
        weights = [p for p in self.model.parameters() if p.is_floating_point() and p.numel()]
        before = self.run(batch, condition, 0, where).nats
        with torch.no_grad():
            for weight in weights:
                weight.add_(torch.randn_like(weight) * NUDGE * (weight.abs().mean() + NUDGE))
        try:
            after = self.run(batch, condition, 0, where).nats
        except DiagnoseError:  # other weights may give no finite loss
            after = before + 1
        self.custody.restore()
        if weights and np.array_equal(before, after):
            side = ("training", "validation")[condition.objective]
            raise DiagnoseError(
                f"the loss of the {side} side does not depend on the model (a constant, or detached before it): return "
                "what the model's output gives"
            )

    def _switched(self, on: frozenset[str]) -> frozenset[str] | None:
        """Return what to have on: with every kind all modules, for other kernels lay masks out in another order."""
        return None if on and on == self.kinds else on

    def _hint(self, batch: Any) -> str:
        devices = {found.device for found in tensors(batch)}
        if devices and self.device not in devices and self.device.type not in {d.type for d in devices}:
            here = ", ".join(sorted(map(str, devices)))
            return f"the batch is on {here} and the model on {self.device} (move the batch in the objective): "
        half = next((p.dtype for p in self.model.parameters() if p.dtype in HALF), None)
        if half is not None:
            return f"the model is in {str(half).removeprefix('torch.')} (hand it over in float32, or cast its input): "
        return ""


def _cast(device: torch.device, autocast: torch.dtype | bool | None) -> AbstractContextManager[object]:
    if autocast is None:
        return nullcontext()
    if isinstance(autocast, torch.dtype) and autocast in HALF:
        return torch.autocast(device.type, dtype=autocast)
    return torch.autocast(device.type, enabled=autocast is True)


def walk(batches: Any) -> tuple[Iterator[tuple[int, Any]], int | None]:
    """Return batches with their numbers, and how many there are (None where that is not known); in custody alone.

    What can be indexed is taken in an order that is spread evenly wherever one stops; a loader from its beginning, with
    its random states set, so that a shuffling one gives the same order each time it is walked.
    """
    custody.seed(seeding.key(0, "loader"))
    for generator in custody.generators([batches]):
        generator.manual_seed(0)
    count = _count(batches)
    if isinstance(batches, (list, tuple)) and count:
        stride = next(k for k in range(max(1, round(GOLDEN * count)), count + 2) if np.gcd(k, count) == 1)
        order = [k * stride % count for k in range(count)]
        return ((k, batches[k]) for k in order), count
    return enumerate(batches), count


def _count(batches: Any) -> int | None:
    """Return how many batches there are; None where that is not known, as of a stream."""
    try:
        return len(batches)
    except (TypeError, NotImplementedError):
        return None


def read(
    subject: Subject,
    side: Side,
    batches: Any,
    conditions: Sequence[Condition],
    *,
    name: str,
    seconds: float,
    most: int | None = None,
    stream: str = "masks",
) -> BatchReadings:
    """Read batches under conditions; each batch runs once through the model for each that differs in its pass.

    Args:
        subject: the model in custody.
        side: whose batches they are: says what its groups are.
        batches: re-iterable.
        conditions: at least one.
        name: what to call the batches in errors: "the training side".
        seconds: a limit, though at least `FEWEST` batches are read.
        most: a limit in batches.
        stream: names the random stream of masks: equal names and numbers of batches give equal masks.

    Raises:
        DiagnoseError: there are none, or the objective fails on one.
    """
    begun = time.monotonic()
    runs = list(dict.fromkeys(condition.run for condition in conditions))
    tally = _Tally()
    some, total = walk(batches)
    complete = True
    for place, (number, batch) in enumerate(some):
        late = place >= FEWEST and time.monotonic() - begun > seconds
        if late or (most is not None and place >= most):
            complete = False
            break
        where = f"batch {number + 1} of {name}"
        groups = None if side.groups is None else _grouped(side, batch, where)
        state = custody.states()  # the loader goes on with its own draws, whatever passes draw
        for run in runs:
            same = [condition for condition in conditions if condition.run == run]
            found = subject.run(batch, same[0], seeding.key(0, stream, number), where)
            ids = identities(found, number, groups, where)
            tally.add(found, ids, same, named=groups is not None)
        custody.put(state)
    if not tally.batches:
        raise DiagnoseError(f"{name} yields no batch; an iterable that yields the same batches each time is needed")
    return tally.text(len(runs), complete=complete and (total is None or tally.batches >= total))


def _grouped(side: Side, batch: Any, where: str) -> Any:
    assert side.groups is not None
    try:
        return side.groups(batch)
    except Exception as error:
        raise DiagnoseError(f"{where}: groups fails: {told(error)}") from error


class _Tally:
    """Sums as they are read."""

    def __init__(self) -> None:
        self.rows: dict[Condition, list[tuple[Any, Any, Any]]] = defaultdict(list)
        self.others: dict[Condition, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.means: dict[Condition, list[float]] = defaultdict(list)
        self.batches = self.samples = self.count = self.counted = self.silent = 0
        self.units: set[str] = set()
        self.kinds: set[bool] = set()
        self._first: Any = None

    def add(self, found: Elements, ids: Any, conditions: Sequence[Condition], *, named: bool) -> None:
        """Add a batch's losses to the conditions that share the pass."""
        self._first = self._first or conditions[0].run
        if conditions[0].run == self._first:
            self.batches += 1
            self.samples += found.size
            self.count += len(found.nats)
            self.counted += int((found.weights > 0).sum())
            self.silent += int(((found.nats == 0) & (found.weights > 0)).sum())
            self.units.add("group" if named else "sample" if found.known else "batch")
        self.kinds.add(found.scalar)
        for condition in conditions:
            if condition.reduction == "sample" and not found.known:
                raise DiagnoseError("reduction='sample' needs the loss of each sample: a tensor (samples, ...)")
            nats, weights = sums(found, condition.reduction)
            self.rows[condition].append((ids, nats, weights))
            if weights.sum() > 0:
                self.means[condition].append(float(nats.sum() / weights.sum()))
            for name, value in found.others.items():
                self.others[condition][name].append(value)

    def text(self, passes: int, *, complete: bool) -> BatchReadings:
        """Return what was read."""
        if len(self.kinds) > 1:
            raise DiagnoseError(
                "one objective returns a scalar and the other the loss of each element; both must be of one kind"
            )
        unit = "batch" if "batch" in self.units else "group" if "group" in self.units else "sample"
        return BatchReadings(
            {condition: joined(rows) for condition, rows in self.rows.items()},
            {c: {n: float(np.mean(v)) for n, v in table.items()} for c, table in self.others.items()},
            dict(self.means), self.batches, complete, passes, self.samples, self.count, self.counted / self.count,
            self.silent / self.count, unit, self.kinds == {True},
        )  # fmt: skip


def joined(rows: Iterable[tuple[Any, Any, Any]]) -> Reading:
    """Return the sums of all batches as one reading.

    Raises:
        DiagnoseError: nothing counts: all weights are 0.
    """
    ids, nats, weights = (np.concatenate(some) for some in zip(*rows, strict=True))
    if not weights.sum() > 0:
        raise DiagnoseError("the weights of all elements are 0, so there is no mean of their losses")
    return Reading.of(nats, weights, ids)

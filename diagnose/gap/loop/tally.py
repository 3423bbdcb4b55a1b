"""The sums of one walk over a side's batches, under every condition that it was read under."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.gap.intervals import SAMPLES
from diagnose.gap.loop.elements import lacks_targets, sums
from diagnose.gap.loop.inputs import InputsSeen
from diagnose.gap.loop.other_means import OtherMeans
from diagnose.gap.measurements import BatchReadings
from diagnose.stats import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diagnose.gap.conditions import Condition
    from diagnose.gap.loop.elements import Elements


class Tally:
    """Sums as they are read."""

    def __init__(self) -> None:
        self.rows: dict[Condition, list[tuple[Any, Any, Any]]] = defaultdict(list)
        self.others: dict[Condition, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.means: dict[Condition, list[float]] = defaultdict(list)
        self.batches = self.samples = self.count = self.counted = self.silent = 0
        self.units: set[str] = set()
        self.groups: set[int] = set()
        self.kinds: set[bool] = set()
        self.zeros = self.skipped = 0
        self.other, self.inputs = OtherMeans(), InputsSeen()
        self._first: Any = None

    def notice(self, number: int, found: Elements, batch: Any) -> None:
        """Take in what a batch is like, whatever the condition that it was read under."""
        silent = found.scalar and not found.nats.any() and bool(found.weights.all())
        self.zeros += silent and lacks_targets(batch)
        self.other.add(number, found, batch)
        self.inputs.add(batch)

    def add(self, found: Elements, ids: Any, conditions: Sequence[Condition], *, named: bool) -> None:
        """Add a batch's losses to the conditions that share the pass."""
        self._first = self._first or conditions[0].run
        if conditions[0].run == self._first:
            self.batches += 1
            self.samples += found.size
            some = slice(1 if found.scalar else None)
            counts = found.weights[some] > 0
            self.count += len(counts)
            self.counted += int(counts.sum())
            self.silent += int(((found.nats[some] == 0) & counts).sum())
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

    def text(self, passes: int, *, complete: bool, held: int = 0) -> BatchReadings:
        """Return what was read."""
        if len(self.kinds) > 1:  # scalars beside losses of elements: what they share is the batch
            self.units = {"batch"}
            self.rows = {c: [(ids // SAMPLES * SAMPLES, *rest) for ids, *rest in some] for c, some in self.rows.items()}
        unit = "batch" if "batch" in self.units else "group" if "group" in self.units else "sample"
        return BatchReadings(
            {condition: joined(rows) for condition, rows in self.rows.items()},
            self.batches, complete, passes, self.samples, unit,
            others={c: {n: float(np.mean(v)) for n, v in table.items()} for c, table in self.others.items()},
            means=dict(self.means), count=self.count, counted=self.counted / self.count,
            silent=self.silent / self.count, scalar=self.kinds == {True}, likely=self.other.means(held),
            inputs=self.inputs, zeros=self.zeros, skipped=self.skipped, groups=frozenset(self.groups),
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

"""What a recorder keeps of a loop: steps, losses and weights, in memory and as files."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import samples_of
from diagnose.gap.loop.elements import tensors as tensors_of
from diagnose.gap.loop.finite import holds_not_finite
from diagnose.gap.recorder.packing import pack, unpack
from diagnose.runs import checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDER = "record"


@dataclass
class RecordedStep:
    """A step that is kept.

    Attributes:
        number: from 0; batch: itself, or its id; loss: as logged.
        states: the random states before it, by device.
        early: whether they are of before its objective ran, rather than of right before the model did.
        weight: what it counts in the mean that is reported.
    """

    number: int
    batch: Any
    loss: Any
    states: dict[str, Tensor]
    early: bool = False
    weight: float = 1.0


def numbers(losses: list[Any]) -> list[float]:
    """Return losses as numbers, fetched from their device at once."""
    some = [loss for loss in losses if isinstance(loss, Tensor)]
    if not some:
        return [float(loss) for loss in losses]
    fetched = iter(torch.stack([loss.reshape(()).double() for loss in some]).tolist())
    return [next(fetched) if isinstance(loss, Tensor) else float(loss) for loss in losses]


def for_json(loss: float) -> float | str:
    """Return a loss as JSON holds it, which has no word for one that is not finite."""
    return loss if math.isfinite(loss) else str(loss)


def packed(steps: list[RecordedStep]) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """Return steps as JSON, and the tensors that it names."""
    tensors: list[Tensor] = []
    rows = [
        {
            "number": step.number,
            "batch": pack(step.batch, tensors),
            "loss": None if step.loss is None else for_json(float(step.loss)),
            "early": step.early,
            "weight": step.weight,
            "states": {name: pack(value, tensors) for name, value in step.states.items()},
        }
        for step in steps
    ]
    return rows, {str(k): tensor.clone() for k, tensor in enumerate(tensors)}


@dataclass(frozen=True)
class Recording:
    """What a recorder kept.

    Attributes:
        window: steps that the reported training loss averages: all `offered`, or a sample of them.
        earlier: a sample of other steps; validation: the batches of the last reported validation loss.
        whole: whether all of these were kept.
        reports: as in `GapRecorder`; steps: how many there were; first: the window's first.
        offered: how many steps the window had; losses: all of their losses as logged; weights: what each counts.
        means: of all losses since the epoch began, since the run began, of an interval that is open yet ("open"), and
            decaying ones ("smoothed 0.98").
        start: the weights before the window's first step.
        fetch: returns the batch of an id; None where the batches themselves were kept.
        interval: steps of an interval, where the reported loss is of such; else 0.
    """

    window: list[RecordedStep]
    earlier: list[RecordedStep]
    validation: list[RecordedStep]
    whole: bool
    reports: str
    steps: int
    first: int
    offered: int
    losses: list[float]
    weights: list[float]
    means: dict[str, float]
    start: dict[str, Tensor]
    fetch: Callable[[Any], Any] | None = None
    interval: int = 0

    @property
    def train(self) -> float:
        """The reported training loss."""
        if self.reports == "last":
            return self.losses[-1]
        return float(np.average(self.losses, weights=self.weights))

    @property
    def val(self) -> float | None:
        """The reported validation loss: its batches' mean by what each counts; None where there was no validation."""
        losses, weights = ([step.loss for step in self.validation], [step.weight for step in self.validation])
        return float(np.average(losses, weights=weights)) if losses else None

    @property
    def samples(self) -> int:
        """How many samples the steps have that the reported training loss is of; 0 where not all of these were kept."""
        sizes = [samples_of(step.batch) for step in self.window]
        return sum(sizes) if all(sizes) and len(sizes) == len(self.losses) else 0

    @property
    def said(self) -> list[str]:
        """Which steps the reported losses are of, where others came after them."""
        last, out = self.first + self.offered, list[str]()
        if last < self.steps:
            out.append(f"the training loss is the mean of recorded steps {self.first + 1:,} to {last:,}, the last "
                       f"whole interval; the {self.steps - last:,} steps after it are in none (where the loop's own "
                       "sum began elsewhere, recorder.epoch() says so)")  # fmt: skip
        read = self.validation[-1].number if self.validation else self.steps
        if read < self.steps:
            out.append(f"validation was read after step {read:,}, and {self.steps - read:,} steps moved the weights "
                       "since: what that did to its loss is in residual")  # fmt: skip
        return out

    def check(self) -> None:
        """See that there is a gap to explain.

        Raises:
            DiagnoseError: no step was recorded, or a loss is not finite.
        """
        if not self.losses:
            raise DiagnoseError("the record holds no training step: call recorder.step(batch, loss) after each")
        for name, loss in (("training", self.train), ("validation", self.val)):
            if loss is not None and not math.isfinite(loss):
                raise DiagnoseError(f"the recorded {name} loss is {loss} at step {self.steps:,}: it has no parts")

    def of_last(self) -> Recording:
        """Return the record with the last step alone as what the reported loss is of."""
        last = [step for step in self.window if step.number == self.steps - 1]
        earlier = [*self.earlier, *(step for step in self.window if step.number < self.steps - 1)]
        first = self.start if self.first == self.steps - 1 else {}
        return replace(
            self, window=last, earlier=earlier, reports="last", first=self.steps - 1, offered=1,
            losses=self.losses[-1:], weights=self.weights[-1:], start=first,
        )  # fmt: skip

    def without_skipped(self) -> Recording:
        """Return the record without steps that were none: they hold NaN, and what was logged of them is 0 or no number.

        As it is where not all steps were kept, or ids in the place of batches.
        """
        kept = [step for step in self.window if not _was_skipped(step)]
        gone = len(self.window) - len(kept)
        if not gone or not kept or len(self.window) != self.offered or self.fetch is not None:
            return self
        places = [step.number - self.first for step in kept]
        losses, weights = ([some[k] for k in places] for some in (self.losses, self.weights))
        means = self.means | ({"epoch": float(np.mean(losses))} if self.reports == "epoch" else {})
        return replace(
            self, window=kept, steps=self.steps - gone, offered=len(kept), losses=losses, weights=weights, means=means
        )

    def unweighted(self) -> Recording:
        """Return the record with each step counting alike in what is reported."""
        window = [replace(step, weight=1.0) for step in self.window]
        return replace(self, window=window, weights=[1.0] * len(self.weights))

    def batches(self, steps: list[RecordedStep]) -> list[Any]:
        """Return the batches of some steps."""
        return [step.batch if self.fetch is None else self.fetch(step.batch) for step in steps]


def _was_skipped(step: RecordedStep) -> bool:
    loss = float(step.loss)
    return (loss == 0 or not math.isfinite(loss)) and holds_not_finite(tensors_of(step.batch))


def is_record(folder: Path) -> bool:
    """Say whether a folder holds the record of a user's loop."""
    return (folder / FOLDER / "state.json").exists()


def read_record(folder: Path, fetch: Callable[[Any], Any] | None = None) -> tuple[Recording, dict[str, Tensor]]:
    """Read a record, and the model's last weights.

    Raises:
        DiagnoseError: there is none, it is damaged, or it holds ids and `fetch` is missing.
    """
    checkpoint = checkpoints.read_checkpoint(folder / FOLDER)
    if checkpoint is None or "parts" not in checkpoint[1]:
        raise DiagnoseError(f"{folder} holds no record of a loop; GapRecorder writes one")
    tensors, state = checkpoint
    if state["ids"] and fetch is None:
        raise DiagnoseError(f"{folder} holds the ids of batches; the file of --model must have fetch(id) -> batch")
    parts = {name: [_step(row, tensors.get(name, {})) for row in rows] for name, rows in state["parts"].items()}
    record = Recording(
        parts["window"], parts["earlier"], parts["validation"], state["whole"], state["reports"], state["steps"],
        state["first"], state["offered"], [float(loss) for loss in state["losses"]], state["weights"],
        {name: float(mean) for name, mean in state["means"].items()}, tensors.get("start", {}),
        fetch if state["ids"] else None, state["interval"] if state["reports"] == "interval" else 0,
    )  # fmt: skip
    return record, tensors["model"]


def _step(row: dict[str, Any], tensors: dict[str, Tensor]) -> RecordedStep:
    states = {key: unpack(value, tensors) for key, value in row["states"].items()}
    loss = None if row["loss"] is None else float(row["loss"])
    return RecordedStep(row["number"], unpack(row["batch"], tensors), loss, states, row["early"], row["weight"])

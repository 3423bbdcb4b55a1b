"""A record of somebody's training loop: what it takes to go back to the steps that a reported training loss is of.

Kept are the batches of the steps that the reported loss averages, with the random state in which the model first ran
on each, a sample of earlier batches, the reported validation batches, and the weights at the start of the averaged
steps and at the end. What is kept is bounded; where it is a sample, the ledger says so.
"""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from diagnose.errors import DiagnoseError, own_words
from diagnose.gap.loop.elements import tensors
from diagnose.gap.recorder.loss_means import LossMeans
from diagnose.gap.recorder.packing import copied, nbytes, pack
from diagnose.gap.recorder.random_states import RandomStates
from diagnose.gap.recorder.ranks import unwrapped
from diagnose.gap.recorder.recording import FOLDER, RecordedStep, Recording, for_json, numbers, packed
from diagnose.gap.side import check_model
from diagnose.runs import checkpoints, store

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

REPORTS = ("interval", "last", "epoch")
FORMAT = 1
EARLIER = 64  # batches of earlier steps
MOST_PASSES = 64  # of a step whose random states are noted
STATES = 16 << 10  # bytes of a step's random states, about
WRITE_SHARE = 0.0005  # of the time since the last writing: what the next one may take
FIRST_SECONDS = 30.0  # of a loop in which nothing is written: that takes as long as all of a short loop's records


@dataclass
class Reservoir:
    """Some of the steps that were offered, each as likely (Vitter's reservoir), with how many were."""

    most: int
    chance: random.Random
    steps: list[RecordedStep] = field(default_factory=list)
    offered: int = 0

    def place(self) -> int | None:
        """Return where the next step belongs; None where it is not to be kept."""
        self.offered += 1
        if len(self.steps) < self.most:
            return len(self.steps)
        place = self.chance.randrange(self.offered)
        return place if place < self.most else None

    def put(self, place: int, step: RecordedStep) -> None:
        """Keep a step, in another's place once all are taken."""
        if place < len(self.steps):
            self.steps[place] = step
        else:
            self.steps.append(step)


@dataclass(frozen=True)
class ReportedSteps:
    """The steps that a reported training loss averages.

    Attributes:
        window: those of them that were kept; offered: how many there were; first: the first one's number.
        losses, weights: of all of them; start: the weights before the first one.
    """

    window: list[RecordedStep]
    offered: int
    first: int
    losses: list[Any]
    weights: list[float]
    start: dict[str, Tensor]


class GapRecorder:
    """Records a training loop so that its gap can be explained to the last step.

        recorder = GapRecorder("runs/mine", model, interval=100)
        for batch in batches:
            loss = train_loss(model, batch)
            ...
            recorder.step(batch, loss)
        recorder.validation(val_batch, val_loss(model, val_batch))
        recorder.close()

    Then `explain_gap(model, train_loss, val_loss, recorder=recorder)`, or in a shell `diagnose loss-gap runs/mine
    --model file.py:build`.

    >>> import tempfile
    >>> import torch
    >>> folder, model = tempfile.mkdtemp(), torch.nn.Linear(2, 1)
    >>> with GapRecorder(folder, model, interval=10) as recorder:
    ...     for _ in range(25):
    ...         batch = torch.randn(8, 2)
    ...         recorder.step(batch, model(batch).square().mean())
    >>> recorder.record().steps, len(recorder.record().window)
    (25, 10)

    Args:
        folder: where the record goes; made if it is not there.
        model: the network that is trained. Hooks on it note the random state before it runs; `close` removes them.
        reports: what the reported training loss is: "interval" (the mean of the last whole interval, as a loop prints
            it every `interval` steps; of the steps so far before there is one), "last" (the last step's) or "epoch"
            (the mean since `epoch()` was last called, as Keras shows it).
        interval: steps of an interval.
        most_bytes: of batches that are kept in memory and on the disk.
        fetch: `fetch(id)` returns a batch, for loops that give `step` and `validation` ids instead of batches.

    Raises:
        DiagnoseError: the folder cannot be written, or a value is of the wrong kind.
    """

    @own_words
    def __init__(
        self,
        folder: str | Path,
        model: nn.Module,
        *,
        reports: str = "interval",
        interval: int = 100,
        most_bytes: int = 256 << 20,
        fetch: Callable[[Any], Any] | None = None,
    ) -> None:
        check_model(model)
        if reports not in REPORTS:
            raise DiagnoseError(f"reports is {reports!r}; give {', '.join(REPORTS)}")
        if interval < 1:
            raise DiagnoseError(f"interval is {interval}; give how many steps a reported loss averages, at least 1")
        self.folder, self.model, self.fetch = Path(folder), model, fetch
        self.reports, self.interval, self.most_bytes = reports, interval, most_bytes
        store.check_writable(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.number, self.first, self.losses, self.weights = 0, 0, list[Any](), list[float]()
        self.window = Reservoir(1, random.Random(0))  # noqa: S311 - no secret
        self.earlier = Reservoir(1, random.Random(1))  # noqa: S311
        self.shown: list[RecordedStep] = []
        self.shown_whole, self.shown_open = True, False
        self.start: dict[str, Tensor] = {}
        self.whole: ReportedSteps | None = None  # the interval before the one that is open
        self.means = LossMeans()
        self._random_states = RandomStates()
        self._device = torch.device("cpu")  # where the network is, looked up once an interval
        self._states: dict[str, Tensor] | None = None
        self._passes: list[tuple[Any, dict[str, Tensor]]] = []  # of the coming step: inputs, states before it
        self._coming: dict[str, Tensor] = {}  # the weights before a step that opens an interval, until it is recorded
        self._early = False
        self._fresh, self._written, self._took = True, time.monotonic(), 0.0
        self._hook = model.register_forward_pre_hook(self._before)

    def before(self) -> None:
        """Say that a step's loss is about to be taken.

        A loop need not: the recorder sees when the model runs. One whose losses do not come from calling the model
        itself, or that draws random numbers before it does, calls this right before it takes the loss.
        """
        self._states, self._early = None, True
        self._note(self.model)

    def _before(self, model: nn.Module, given: Any) -> None:
        """Note the random state before a step's passes: where it accumulates gradients, one is of its batch."""
        if not model.training or self._early:
            return
        if self._states is None:
            self._note(model)
            self._passes = [(given, self._states or {})]
        elif len(self._passes) < MOST_PASSES:
            self._passes.append((given, self._random_states.taken(self._device)))

    def _note(self, model: nn.Module) -> None:
        """Note the random state, and the weights before an interval's first step."""
        opens = self._opens()
        if opens:
            self._device = next((p.device for p in model.parameters()), self._device)
        self._states = self._random_states.taken(self._device)
        if opens and self.reports != "last":
            self._coming = {
                name: value.detach().to("cpu", copy=True) for name, value in unwrapped(model).state_dict().items()
            }

    def _opens(self) -> bool:
        """Say whether the coming step is the first that a reported loss averages."""
        if self.reports == "interval":
            return self._fresh or self.number - self.first == self.interval
        return self.reports == "last" or self._fresh

    def epoch(self) -> None:
        """Say that an epoch begins, or that the loop sets its sum back to 0: the reported loss averages from here.

        With `reports="interval"` a loop need not where it does so every `interval` steps from the first one on.
        """
        self._fresh = True

    @own_words
    def step(self, batch: Any, loss: Any, weight: Any = 1.0) -> None:
        """Record a step: after its loss was taken, before or after the weights moved.

        Args:
            batch: what the objective took; or its id, with `fetch`.
            loss: as the loop logs it: a number, or a tensor of one (it is not waited for).
            weight: what the step counts in the mean that is reported, for instance its number of samples
                (a number, or a tensor of one: `mask.sum()`).
        """
        if not self.number:
            pack(batch, [])  # what cannot be kept is refused at the first step, not after the last
        if self._opens():
            self._open(batch)
        number, weight = _scalar(loss), float(_scalar(weight))
        self.losses.append(number)
        self.weights.append(weight)
        self.means.add(number, begins=self._fresh)
        place = self.window.place()
        if place is not None:
            states = self._states_of(batch)
            self.window.put(place, RecordedStep(self.number, copied(batch), number, states, self._early, weight))
        self.number, self._states, self._early, self._fresh = self.number + 1, None, False, False
        self._passes = []
        self.shown_open = False
        if self._opens():
            self._write_if_cheap()

    def _states_of(self, batch: Any) -> dict[str, Tensor]:
        """Return the random states before the pass that took a batch: the first that was given a tensor of it."""
        if len(self._passes) < 2:
            return self._states or {}
        own = {id(tensor) for tensor in tensors(batch)}
        some = (states for given, states in self._passes if any(id(tensor) in own for tensor in tensors(given)))
        return next(some, self._states or {})

    def _open(self, batch: Any) -> None:
        """Begin an interval: what the last one kept becomes a sample of earlier steps."""
        for step in self.window.steps:
            place = self.earlier.place()
            if place is not None:
                self.earlier.put(place, _batch_alone(step))
        two = 2 if self.reports == "interval" else 1  # the open interval, and the whole one before it
        if self.losses and two > 1:
            start = self.start if sum(map(nbytes, self.start.values())) <= self.most_bytes else {}
            self.whole = replace(self._open_steps(), start=start)
        room = max(1, self.most_bytes // 2 // (nbytes(batch) + STATES))
        self.earlier.most = max(1, min(EARLIER, room // 2))
        self.window = Reservoir(max(1, (room - self.earlier.most) // two), self.window.chance)
        self.first, self.losses, self.weights = self.number, [], []
        self.start, self._coming = self._coming, {}

    def _open_steps(self) -> ReportedSteps:
        return ReportedSteps(
            list(self.window.steps), self.window.offered, self.first, self.losses, self.weights, self.start
        )

    def _reported(self) -> tuple[ReportedSteps, list[RecordedStep]]:
        """Return the steps that the reported loss averages, and a sample of other ones."""
        steps, whole = self._open_steps(), self.whole
        if whole is None or steps.offered >= self.interval:
            return steps, list(self.earlier.steps)
        others = [step for step in self.earlier.steps if step.number < whole.first]
        return whole, [*others, *map(_batch_alone, steps.window)]

    @own_words
    def validation(self, batch: Any, loss: Any, weight: Any = 1.0) -> None:
        """Record a validation batch and its loss; those between two training steps make one reported loss.

        Args:
            batch: what the objective took.
            loss: as the loop adds it up: a number, or a tensor of one (it is not waited for).
            weight: what the batch counts in the mean that is reported, for instance its number of samples.
        """
        if not self.shown_open:
            self.shown, self.shown_whole, self.shown_open = [], True, True
        fits = sum(nbytes(step.batch) for step in self.shown) + nbytes(batch) <= self.most_bytes // 2
        self.shown_whole = self.shown_whole and fits
        kept = copied(batch) if fits else None
        weight = float(_scalar(weight))
        self.shown.append(RecordedStep(self.number, kept, _scalar(loss), {}, weight=weight))
        self._states, self._passes = None, []  # of validation's own pass, where it ran in training mode

    def _write_if_cheap(self) -> None:
        """Write the record as the loop goes on, as seldom as keeps it cheap."""
        begun = time.monotonic()
        if self.number and begun - self._written > max(FIRST_SECONDS, self._took / WRITE_SHARE):
            self.write(synced=False)  # a loop that loses its power has no last steps to explain

    def write(self, *, synced: bool = True) -> None:
        """Write the record; what was there before is replaced whole.

        `synced`: wait until it is on the disk.

        Raises:
            DiagnoseError: there is no room, or a batch cannot be kept.
        """
        begun = time.monotonic()
        reported, others = self._reported()
        parts = {"window": reported.window, "earlier": others, "validation": self.shown}
        packed_parts = {name: packed(steps) for name, steps in parts.items()}
        state = {
            "record": FORMAT, "reports": self.reports, "interval": self.interval, "steps": self.number,
            "first": reported.first, "offered": reported.offered, "whole": self.shown_whole,
            "means": {name: for_json(mean) for name, mean in self._means().items()}, "ids": self.fetch is not None,
            "losses": [for_json(loss) for loss in numbers(reported.losses)], "weights": reported.weights,
            "parts": {name: rows for name, (rows, _) in packed_parts.items()},
        }  # fmt: skip
        weights = {
            name: value.detach().to("cpu", copy=True) for name, value in unwrapped(self.model).state_dict().items()
        }
        tensors = {name: values for name, (_, values) in packed_parts.items()}
        tensors |= {"model": weights, "start": reported.start}
        try:
            checkpoints.write_checkpoint(
                self.folder / FOLDER,
                {name: values for name, values in tensors.items() if values},
                state,
                synced=synced,
            )
        except OSError as error:
            raise DiagnoseError(f"the record cannot be written to {self.folder}: {error.strerror}") from None
        self._written = time.monotonic()
        self._took = self._written - begun

    def _means(self) -> dict[str, float]:
        """Return other means that a loop may have reported: since its epoch began, and since it began."""
        means = self.means.so_far()
        if self.losses:
            means["open"] = float(np.average(numbers(self.losses), weights=self.weights))
        return means

    def detach(self) -> None:
        """Take the hooks off the model."""
        self._hook.remove()

    def close(self) -> None:
        """Write the record and take the hooks off the model."""
        self.detach()
        self.write()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        with suppress(DiagnoseError):  # the loop's own error is the one to see
            self.close()

    def record(self) -> Recording:
        """Return what is recorded so far."""
        reported, others = self._reported()
        window, val_steps = ([replace(s, loss=float(s.loss)) for s in some] for some in (reported.window, self.shown))
        return Recording(
            window, others, val_steps, self.shown_whole, self.reports, self.number, reported.first, reported.offered,
            numbers(reported.losses), list(reported.weights), self._means(), reported.start, self.fetch,
            self.interval if self.reports == "interval" else 0,
        )  # fmt: skip


def _batch_alone(step: RecordedStep) -> RecordedStep:
    return RecordedStep(step.number, step.batch, None, {})


def _scalar(loss: Any) -> Any:
    """Return a loss, or a weight, as a number; one on another device, which would have to be waited for, as a tensor.

    Raises:
        DiagnoseError: it is neither.
    """
    if type(loss) is float:  # the usual weight; a look at the abstract class takes 20 microseconds
        return loss
    if isinstance(loss, Tensor):
        if loss.numel() != 1:
            raise DiagnoseError(
                f"a recorded loss or weight has the shape {tuple(loss.shape)}; give the one number that is logged"
            )
        return loss.item() if loss.device.type == "cpu" else loss.detach().reshape(())
    if isinstance(loss, bool) or not isinstance(loss, Real):
        raise DiagnoseError(f"a recorded loss or weight is a {type(loss).__name__}; give the number that is logged")
    return float(loss)

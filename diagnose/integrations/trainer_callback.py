"""The ledger for Hugging Face's Trainer: a callback that records its steps and explains its gap when it is done.

from diagnose.huggingface import GapCallback

callback = GapCallback()
trainer = Trainer(model, args, train_dataset=..., eval_dataset=..., callbacks=[callback])
trainer.train()
print(callback.gap)
"""

from __future__ import annotations

import copy
import inspect
import math
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from transformers import Trainer, TrainerCallback

from diagnose.errors import DiagnoseError, own_words
from diagnose.gap.loop.guard import random_states
from diagnose.gap.recorder.recorder import GapRecorder
from diagnose.gap.side import Side
from diagnose.integrations.aside import Aside, steps_aside, tell
from diagnose.integrations.averaging import explain_as_averaged
from diagnose.integrations.module_flags import Switches, changed, put, switches
from diagnose.integrations.trainer_objectives import objectives
from diagnose.report.gap_result import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from diagnose.gap.recorder.recording import Recording

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Evaluated:
    """An evaluation: the losses of each set by name, the steps that led to it, and the weights that it was of.

    `trained` are the weights that the steps led to, where evaluation swapped others in (an average); else None.
    `switched` is what else evaluation set otherwise in the model: adapters that were off. `own_loop` says that it took
    no `prediction_step`.
    """

    losses: dict[str, float]
    step: int
    logged: tuple[float, Recording] | None
    weights: Weights
    trained: Weights | None = None
    switched: Switches = field(default_factory=dict)
    own_loop: bool = False


class TrainerGapCallback(Aside, TrainerCallback):  # type: ignore[misc]
    """Records a Trainer's steps and explains the gap between its logged training loss and its `eval_loss`.

    It never ends anybody's training: what it cannot do is one warning, and training goes on.

    Attributes:
        gap: the ledger of the last evaluation, with `load_best_model_at_end` of the best; None where there is none.
            Of several evaluation sets the first one's.
        gaps: the ledgers of all evaluation sets, by the name of the loss.
        page: where the page of `gap` lies.

    Args:
        page: where to write the page; by default `gap.html` in the Trainer's `output_dir`.
        budget: as for `explain_gap`.
        most_bytes: of batches that are kept.
        plain: training's data without augmentation, noise or packing, a dataset as `train_dataset` is one.
        groups: `groups(batch)`, whose each sample of a batch is (document, patient), as for `Side`.
    """

    @own_words
    def __init__(
        self, page: str | Path | None = None, *, budget: float | str = 20.0, most_bytes: int = 256 << 20,
        plain: Any = None, groups: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self.plain, self.groups = plain, groups
        self.page, self.budget, self.most_bytes = Path(page) if page else None, budget, most_bytes
        self.gaps: dict[str, Gap] = {}
        self._recorder: GapRecorder | None = None
        self._held: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}  # the Trainer's steps: ours, its own
        self._inside = False
        self._parts: list[Any] = []
        self._loss: Any = 0.0
        self._logged: tuple[float, Recording] | None = None
        self._trained: Weights | None = None
        self._before: Switches | None = None
        self._switched: Switches = {}
        self._predicted = self._lossless = False
        self._last: Evaluated | None = None
        self._best: Evaluated | None = None

    @property
    def gap(self) -> Gap | None:
        """The ledger of the last evaluation; of several sets the first one's."""
        return next(iter(self.gaps.values()), None)

    @steps_aside
    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Begin to record."""
        self._let_go()
        self._trainer = trainer = _trainer()
        self._last = self._best = self._logged = self._trained = None  # of a training before
        self._parts, self._loss = [], 0.0
        folder = Path(args.output_dir) / "gap"
        self._recorder = GapRecorder(folder, trainer.model, reports="epoch", most_bytes=self.most_bytes)
        for name, ours in (("training_step", self._step), ("prediction_step", self._predict)):
            own = getattr(trainer, name)
            self._held[name] = partial(ours, own), own
            setattr(trainer, name, self._held[name][0])

    def _let_go(self) -> None:
        """Give the Trainer its own steps back and take the hooks off its model: training ended, or was interrupted."""
        for name, (ours, own) in self._held.items():
            if getattr(self._trainer, name) is ours:  # somebody else may have put a step of theirs around it
                setattr(self._trainer, name, own)
        self._held = {}
        if self._recorder is not None:
            self._recorder.detach()

    def _step(self, own: Callable[..., Any], model: nn.Module, inputs: Any, *more: Any, **named: Any) -> Any:
        """Take the Trainer's own step on a part of a batch, and keep what it read."""
        if self._inside:  # left within somebody else's step by a training that was interrupted
            return own(model, inputs, *more, **named)
        self._inside = True
        try:
            self._open(inputs)
            loss = own(model, inputs, *more, **named)
        finally:
            self._inside = False
        self._add(loss)
        return loss

    @steps_aside
    def _add(self, loss: Tensor) -> None:
        self._loss = self._loss + loss.detach()

    def _predict(self, own: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Take the Trainer's own step of an evaluation, also in a loop of the user's, and note that it was."""
        self._predicted = True
        return own(*args, **named)

    @steps_aside
    def _open(self, inputs: Any) -> None:
        """Note the random state before a step, and a part of its batch."""
        assert self._recorder is not None
        if not self._parts:
            self._recorder.before()
        self._parts.append(dict(inputs))

    @steps_aside
    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Record the step."""
        if self._recorder is not None and self._parts:
            self._recorder.step(self._parts, self._loss)
        self._parts, self._loss = [], 0.0
        self._trained = None
        self._will_evaluate(control)

    @steps_aside
    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Note the weights before an evaluation, which may swap others in."""
        if self._recorder is not None:
            self._will_evaluate(control)

    def _will_evaluate(self, control: Any) -> None:
        if control.should_evaluate:
            self._trained, self._before = _weights(self._trainer.model), switches(self._trainer.model)

    @steps_aside
    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Note that the Trainer's own loop evaluates, and what was switched in the model, at its first batch."""
        self._predicted = True
        if self._before is not None:
            self._switched, self._before = changed(self._before, switches(self._trainer.model)), None

    @steps_aside
    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        """Note a logged training loss, and the steps that it averages; or what an `evaluate` of one's own logs."""
        if self._recorder is not None and logs and "loss" in logs and self._recorder.number:
            self._logged = (float(logs["loss"]), self._recorder.record())
            self._recorder.epoch()
        if self._recorder is not None and self._trainer.is_in_train:
            self._note(logs, state.global_step)

    @steps_aside
    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:  # noqa: ARG002
        """Note the losses of an evaluation, and explain them at once where training has ended."""
        if self._recorder is None:
            return
        noted = self._note(metrics, state.global_step)
        self._lossless |= not noted
        if not self._trainer.is_in_train and (noted or self._last is None):
            self._explain_last()

    def _note(self, metrics: Any, step: int) -> bool:
        """Note the losses of an evaluation, and the weights that they were taken with; say whether there are any."""
        losses = {name: float(value) for name, value in (metrics or {}).items() if _is_loss(name)}
        if losses and self._last is not None and self._last.step == step and self._trainer.is_in_train:
            self._last.losses.update(losses)  # noted before, or another set of the same evaluation
        elif losses:
            self._last = self._evaluated(losses, step)
        return bool(losses)

    def _evaluated(self, losses: dict[str, float], step: int) -> Evaluated:
        """Return an evaluation with the weights that it was of, and those that were trained where they are others."""
        read, trained = _weights(self._trainer.model), self._trained
        if self._trainer.is_in_train:
            self._trained = None
        same = trained is None or all(_equal(value, trained[name]) for name, value in read.items() if name in trained)
        switched, self._switched = self._switched, {}
        own_loop, self._predicted = not self._predicted, False
        return Evaluated(losses, step, self._logged, read, None if same else trained, switched, own_loop)

    @steps_aside
    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Keep the evaluation whose model the Trainer will load when training ends."""
        if args.load_best_model_at_end and self._last is not None and state.best_global_step == self._last.step:
            self._best = self._last

    @steps_aside
    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Explain the gap of the last evaluation, or of the best one where its model is what training ends with."""
        if self._recorder is None:
            return
        self._let_go()
        if args.bf16_full_eval or args.fp16_full_eval:  # evaluate() turns the model to it, for good
            self._trained = _weights(self._trainer.model)
        self._last = self._best or self._last
        if self._last is not None or self._lossless or self._trainer.eval_dataset is None:
            self._explain_last()
        else:
            self.say("no evaluation ran in training: the gap is explained when evaluate() is called")

    def _explain_last(self) -> None:
        """Explain the gap of the last evaluation, or say why there is none."""
        if self._last is not None:
            self._explain(self._last)
        elif self._lossless:
            self.say(
                "evaluation ran but gave no eval_loss, so there is no gap to explain: the Trainer takes it of batches "
                "that hold labels (label_names)"
            )
        else:
            self.say(
                "no evaluation ran, so there is no gap to explain: give eval_dataset and eval_strategy, or call "
                "evaluate() when training has ended"
            )

    def _explain(self, found: Evaluated) -> None:
        """Explain the gaps under the weights of an evaluation, and write the pages."""
        trainer, model = self._trainer, self._trainer.model
        if found.logged is None:
            self.say(
                f"no training loss was logged before the evaluation at step {found.step} (see logging_strategy and "
                "logging_steps), so training's loss is read now, with the weights of then"
            )
        now = _weights(model)
        try:
            _hold(model, found.weights if found.trained is None else found.trained)
            with random_states(()):  # a loader draws as it begins
                self.gaps = {name: self._ledger(trainer, name, value, found) for name, value in found.losses.items()}
        finally:
            _hold(model, now)
        if trainer.is_world_process_zero():
            self.page = self.page or Path(trainer.args.output_dir) / "gap.html"
            tell(self.gaps.values(), self.page)

    def _ledger(self, trainer: Trainer, name: str, val: float, found: Evaluated) -> Gap:
        """Explain the gap to one evaluation set."""
        loader = _eval_loader(trainer, name)
        of_train, of_val = objectives(trainer, loader, self.say, own_loop=found.own_loop)
        parts = _Steps(trainer.get_train_dataloader(), trainer.args.gradient_accumulation_steps)
        train = Side(
            parts, of_train, reported=None if found.logged is None else found.logged[0], reduction="batch",
            plain=None if self.plain is None else parts.of(trainer.get_test_dataloader(self.plain)),
            groups=None if self.groups is None else partial(_of_each, self.groups),
        )  # fmt: skip
        more: dict[str, Any] = {}
        if found.trained is not None or found.switched:
            more["model"] = _copy(trainer.model, found.weights)
            put(more["model"], found.switched)
        side = Side(loader, of_val, reported=val, reduction="weighted", groups=self.groups, **more)
        record = found.logged[1] if found.logged else None
        of = name if len(found.losses) > 1 else ""
        return Gap(explain_as_averaged(trainer.model, train, side, record, self.budget, of))


def _of_each(groups: Callable[[Any], Any], parts: list[Any]) -> list[Any]:
    """Return whose the samples of all parts of a step are."""
    return [name for part in parts for name in np.ravel(groups(part)).tolist()]


def _is_loss(name: str) -> bool:
    return name.startswith("eval_") and name.endswith("loss")


def _weights(model: nn.Module) -> Weights:
    return {name: value.detach().to("cpu", copy=True) for name, value in model.state_dict().items()}


def _copy(model: nn.Module, weights: Weights) -> nn.Module:
    """Return a copy of a model with other weights."""
    other = copy.deepcopy(model)
    _hold(other, weights)
    return other


def _hold(model: nn.Module, weights: Weights) -> None:
    """Have a model hold weights, each in its own precision."""
    for name, value in model.state_dict(keep_vars=True).items():
        if value.dtype != weights[name].dtype:
            value.data = value.data.to(weights[name].dtype)
    model.load_state_dict(weights)


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


def _eval_loader(trainer: Trainer, name: str) -> Any:
    """Return the loader of the evaluation set whose loss has this name: "eval_loss", or "eval_NAME_loss" of several."""
    if isinstance(trainer.eval_dataset, dict):
        return trainer.get_eval_dataloader(name.removeprefix("eval_").removesuffix("_loss"))
    return trainer.get_eval_dataloader()


def _trainer() -> Trainer:
    """Return the Trainer that calls: it gives a callback everything but itself."""
    frame = inspect.currentframe()
    while frame is not None:
        candidate = frame.f_locals.get("self")
        if isinstance(candidate, Trainer):
            return candidate
        frame = frame.f_back
    raise DiagnoseError("GapCallback was not called by a Trainer; give it as Trainer(callbacks=[GapCallback()])")


class _Steps:
    """A loader's batches in lists of as many as a step accumulates; an epoch's last list may be shorter."""

    def __init__(self, loader: Any, accumulate: int) -> None:
        self.base_dataloader, self.accumulate = loader, max(1, accumulate)

    def of(self, loader: Any) -> _Steps:
        """Return another loader's batches in lists of as many."""
        return _Steps(loader, self.accumulate)

    def __len__(self) -> int:
        return math.ceil(len(self.base_dataloader) / self.accumulate)

    def __iter__(self) -> Iterator[list[Any]]:
        parts: list[Any] = []
        for batch in self.base_dataloader:
            parts.append(dict(batch))
            if len(parts) == self.accumulate:
                yield parts
                parts = []
        if parts:
            yield parts

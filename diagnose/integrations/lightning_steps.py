"""A Lightning module's own steps, run outside of its Trainer's loop: as objectives that only compute."""

from __future__ import annotations

import functools
import inspect
from contextlib import contextmanager, nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import SequentialSampler

from diagnose.errors import DiagnoseError
from diagnose.gap.side import HALF, Objective
from diagnose.integrations.kept_losses import added, held
from diagnose.integrations.lightning_package import CombinedLoader, RunningStage, move_data_to_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

TORCHS = ("_parameters", "_buffers", "_modules")
HOOKS = ("on_before_batch_transfer", "on_after_batch_transfer", "transfer_batch_to_device")
LIGHTNING = ("lightning", "pytorch_lightning")
CONTEXTS = {"training_step": "train_step_context", "validation_step": "val_step_context"}


class CombinedBatches:
    """The batches of several training loaders, put together as Lightning does for one step.

    Args:
        loaders: as the Trainer has them: a dictionary, a list.
        mode: how they are combined where one is shorter.
    """

    def __init__(self, loaders: Any, mode: Any) -> None:
        self.combined = CombinedLoader(loaders, mode)

    def __iter__(self) -> Iterator[Any]:
        for batch, _, _ in self.combined:
            yield batch


class TransferredBatches:
    """A loader's batches as the module's own hooks of their transfer leave them, such as augmentation of a whole batch.

    Recorded batches have been through these hooks, so objectives must not call them again.

    Args:
        loader: its batches.
        trainer: of the module whose hooks they are.
        stage: "train" or "validate": hooks may ask for it.
    """

    def __init__(self, loader: Any, trainer: Any, stage: str) -> None:
        self.base_dataloader, self.trainer, self.stage = loader, trainer, RunningStage(stage)

    def __len__(self) -> int:
        return len(self.base_dataloader)

    def __iter__(self) -> Iterator[Any]:
        for batch in self.base_dataloader:
            state, before = self.trainer.state, self.trainer.state.stage
            state.stage = self.stage
            try:
                yield self._moved(batch)
            finally:
                state.stage = before

    def _moved(self, batch: Any) -> Any:
        module = self.trainer.lightning_module
        batch = self.trainer.precision_plugin.convert_input(batch)
        batch = module._on_before_batch_transfer(batch, dataloader_idx=0)  # noqa: SLF001 - as Lightning's own loops do
        return self.trainer.strategy.batch_to_device(batch, dataloader_idx=0)


def has_hooks(module: Any) -> bool:
    """Say whether a module changes its batches on their way."""
    return any(getattr(type(module), name).__module__.partition(".")[0] not in LIGHTNING for name in HOOKS)


def objective(trainer: Any, step: str, name: str, loader: int = 0) -> Callable[[nn.Module, Any], Tensor]:
    """Return the loss of a step: what it returns, or what it logs under a name.

    Args:
        trainer: whose strategy and precision the step runs under.
        step: "training_step" or "validation_step".
        name: of the logged loss.
        loader: the number of the loader, for steps that take it.
    """

    def of_step(module: nn.Module, batch: Any) -> Tensor:
        if has_hooks(trainer.lightning_module):
            batch = move_data_to_device(batch, trainer.strategy.root_device)
        else:
            batch = trainer.precision_plugin.convert_input(trainer.strategy.batch_to_device(batch))
        context = getattr(trainer.precision_plugin, CONTEXTS[step], nullcontext)
        before = held(module) if step == "validation_step" else {}
        with _quiet(module) as logged, context():
            returned = getattr(module, step)(batch, *_numbers(getattr(module, step), loader))
        loss = returned.get("loss") if isinstance(returned, dict) else returned
        value = logged.get(name, loss) if step == "validation_step" or loss is None else loss
        value = added(module, before) if value is None else value
        if not isinstance(value, Tensor):
            raise DiagnoseError(
                f"{step} neither returns a loss nor logs '{name}', nor keeps one number a batch in a list or a "
                "MeanMetric, so it cannot be read again: let it do one of these"
            )
        return value.float() if value.dtype in HALF else value

    of_step.__qualname__ = step
    return of_step


def staying_on(function: Objective, names: frozenset[str]) -> Objective:
    """Return an objective whose module has parts in training mode always, as `on_validation_model_eval` leaves them.

    Args:
        function: the objective.
        names: of these parts.
    """

    @functools.wraps(function)
    def of_step(module: nn.Module, batch: Any) -> Any:
        some = [(part, part.training) for name, part in module.named_modules() if name in names]
        for part, _ in some:
            part.training = True
        try:
            return function(module, batch)
        finally:
            for part, flag in some:
                part.training = flag

    return of_step if names else function


def _numbers(function: Any, loader: int) -> list[int]:
    """Return what a step takes beside its batch: the batch's number, and its loader's."""
    return [0, loader][: max(0, len(inspect.signature(function).parameters) - 1)]


@contextmanager
def _quiet(module: Any) -> Iterator[dict[str, Any]]:
    """Catch what a module logs and let it train nothing: neither could be done outside of its Trainer's loop."""
    logged: dict[str, Any] = {}

    def log(name: str, value: Any, *_: Any, **__: Any) -> None:
        value = getattr(value, "_forward_cache", value)  # of a torchmetrics object: the batch's own value
        if value is not None:
            logged[name] = torch.as_tensor(value)

    def log_dict(values: Any, *_: Any, **__: Any) -> None:
        for name, value in values.items():
            log(name, value)

    replaced: dict[str, Any] = {"log": log, "log_dict": log_dict}
    if not getattr(module, "automatic_optimization", True):
        replaced |= dict.fromkeys(("manual_backward", "clip_gradients", "toggle_optimizer", "untoggle_optimizer"), _no)
        replaced |= {"optimizers": lambda *_, **__: _idle(module), "lr_schedulers": _Idle}
    replaced_before = {name: vars(module).get(name) for name in replaced}
    for name, function in replaced.items():
        object.__setattr__(module, name, function)
    try:
        yield logged
    finally:
        for name, value in replaced_before.items():
            if value is None:
                object.__delattr__(module, name)
            else:
                object.__setattr__(module, name, value)


def _no(*_: Any, **__: Any) -> None:
    """Do nothing."""


class _Idle:
    """An optimizer, or a schedule, that does nothing."""

    def __getattr__(self, _: str) -> Any:
        return _no


def _idle(module: Any) -> Any:
    """Return as many idle optimizers as a module has: one, or a list of several."""
    count = len(module.trainer.optimizers)
    return _Idle() if count == 1 else [_Idle() for _ in range(count)]


@contextmanager
def at_epoch(trainer: Any, epoch: int) -> Iterator[None]:
    """Have a Trainer in an epoch that it has ended: what a module anneals by `current_epoch` is as it was then."""
    progress = trainer.fit_loop.epoch_progress.current
    before = progress.completed
    progress.completed = epoch
    try:
        yield
    finally:
        progress.completed = before


@contextmanager
def state_kept(module: nn.Module) -> Iterator[None]:
    """Put back what steps leave behind in a module: its lists and dictionaries, and the states of its metrics."""
    tables = [value for part in module.modules() for name, value in vars(part).items() if name not in TORCHS]
    tables += [value for table in tables if type(table) is dict for value in table.values()]
    containers = [(value, value.copy()) for value in tables if type(value) in (list, dict, set)]
    metrics = [(part, _metric_state(part)) for part in module.modules() if hasattr(part, "metric_state")]
    try:
        yield
    finally:
        for value, before in containers:
            value.clear()
            value.extend(before) if isinstance(value, list) else value.update(before)
        for part, state in metrics:
            vars(part).update(state)


def _metric_state(metric: Any) -> dict[str, Any]:
    """Return a copy of a torchmetrics object's state."""
    names = (*metric.metric_state, "_update_count", "_computed", "_forward_cache")
    states = {name: vars(metric)[name] for name in names if name in vars(metric)}
    return {name: value.clone() if isinstance(value, Tensor) else value for name, value in states.items()}


class FirstBatches:
    """The first batches of a loader: all that a training of few batches (`overfit_batches`) ever sees."""

    def __init__(self, batches: Any, number: int) -> None:
        self.batches, self.number = batches, number

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self.batches), self.number)


def train_batches(trainer: Any) -> Any:
    """Return training's batches: its loader, or what a step gets of several; no more than training ever sees."""
    loaders = trainer.train_dataloader
    if isinstance(loaders, (dict, list, tuple)):
        return CombinedBatches(loaders, trainer.fit_loop._combined_loader._mode)  # noqa: SLF001 - there is no other name
    number = trainer.num_training_batches
    if isinstance(getattr(loaders, "sampler", None), SequentialSampler) and number < len(loaders):
        return FirstBatches(loaders, int(number))
    return loaders

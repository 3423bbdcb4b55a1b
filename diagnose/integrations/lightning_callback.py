"""The ledger for Lightning: a callback that records a module's steps and explains its gap when training is done.

    from diagnose.lightning import GapCallback

    callback = GapCallback(train="train_loss", val="val_loss")
    Trainer(callbacks=[callback]).fit(module, train_loader, val_loader)
    print(callback.gap)

How Lightning averages (each shown by a test on the installed version): what `training_step` logs is the last batch's
value (`on_step`, the default there) or the mean over the epoch, weighted by the batches' sizes (`on_epoch`, the default
of `validation_step`); under gradient accumulation each part's own loss is logged, not divided by the number of parts.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback
from torch import Tensor

from diagnose.errors import DiagnoseError
from diagnose.gap.elements import size_of
from diagnose.gap.recorder import GapRecorder
from diagnose.gap.side import Side
from diagnose.report.gap_result import explain_gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from diagnose.gap.recording import Recording
    from diagnose.report.gap_result import Gap

SAME = 1e-6  # relative: a logged value against the recorder's


class LightningGapCallback(Callback):  # type: ignore[misc]
    """Records a module's training steps and explains the gap between what it logs of training and of validation.

    Attributes:
        gap: the ledger of the last validation; None before there was one.
        page: where its page lies.

    Args:
        train: the name under which `training_step` logs its loss.
        val: the name under which `validation_step` logs its loss.
        page: where to write the page; by default `gap.html` in the Trainer's `default_root_dir`.
        budget: as for `explain_gap`.
        most_bytes: of batches that are kept.
    """

    def __init__(
        self,
        train: str = "train_loss",
        val: str = "val_loss",
        *,
        page: str | Path | None = None,
        budget: float | str = 20.0,
        most_bytes: int = 256 << 20,
    ) -> None:
        self.train, self.val, self.budget, self.most_bytes = train, val, budget, most_bytes
        self.page = Path(page) if page else None
        self.gap: Gap | None = None
        self._recorder: GapRecorder | None = None
        self._read: tuple[float, dict[str, Tensor], Recording] | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to record."""
        folder = Path(trainer.default_root_dir) / "gap"
        self._recorder = GapRecorder(folder, pl_module, reports="epoch", most_bytes=self.most_bytes)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Begin an epoch, which a loss that is logged `on_epoch` averages."""
        if self._recorder is not None:
            self._recorder.epoch()

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Note the random state that the step begins with."""
        if self._recorder is not None:
            self._recorder.before()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Record the step."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if self._recorder is not None and isinstance(loss, Tensor):
            whole = loss * trainer.accumulate_grad_batches  # it is given divided
            self._recorder.step(batch, whole, weight=float(size_of(batch) or 1))

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Note a validation loss, the weights that it was taken with, and the steps that led to it."""
        value = trainer.callback_metrics.get(self.val)
        if trainer.sanity_checking or self._recorder is None or not self._recorder.number or value is None:
            return
        weights = {k: v.detach().to("cpu", copy=True) for k, v in pl_module.state_dict().items()}
        self._read = (float(value), weights, self._recorder.record())

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Explain the gap of the last validation, and write the page."""
        if self._recorder is None:
            return
        self._recorder.detach()
        if self._read is None:
            raise DiagnoseError(f"validation logged no '{self.val}'; name what it logs: GapCallback(val=...)")
        val, weights, record = self._read
        now = {k: v.detach().to("cpu", copy=True) for k, v in pl_module.state_dict().items()}
        try:
            pl_module.load_state_dict(weights)
            self.gap = self._explain(trainer, pl_module, val, record)
        finally:
            pl_module.load_state_dict(now)
        if trainer.is_global_zero:
            self.page = self.gap.to_html(self.page or Path(trainer.default_root_dir) / "gap.html")

    def _explain(self, trainer: Any, module: Any, val: float, record: Recording) -> Gap:
        """Explain the gap under the module's weights."""
        logged = {k: float(v) for k, v in trainer.callback_metrics.items() if k in _names(self.train)}
        train, record = _reported(logged, self.train, record)
        sides = [
            Side(
                _loader(loader), _objective(trainer, step, name), reported=value,
                reduction="weighted" if weighted else "batch",
            )
            for loader, step, name, value, weighted in (
                (trainer.train_dataloader, "training_step", self.train, train, record.reports == "epoch"),
                (trainer.val_dataloaders, "validation_step", self.val, val, True),
            )
        ]  # fmt: skip
        return explain_gap(module, sides[0], sides[1], recorder=record, budget=self.budget)


def _names(name: str) -> tuple[str, str, str]:
    """Return the names that a loss may be found under: with both `on_step` and `on_epoch` it has two."""
    return name, f"{name}_epoch", f"{name}_step"


def _reported(logged: dict[str, float], name: str, record: Recording) -> tuple[float, Recording]:
    """Return the logged training loss, and the record with what it averages: the epoch, or its last step."""
    value = next((logged[key] for key in (f"{name}_epoch", name) if key in logged), None)
    if value is None:
        return record.train, record
    last = record.losses[-1]
    if f"{name}_epoch" not in logged and abs(value - last) <= SAME * max(1.0, abs(last)):
        return value, record.of_last()
    return value, record


def _loader(given: Any) -> Any:
    """Return the one loader of a side.

    Raises:
        DiagnoseError: there are several.
    """
    if isinstance(given, (list, tuple)):
        if len(given) != 1:
            raise DiagnoseError(f"the ledger is of one loader a side, and there are {len(given)}")
        return given[0]
    return given


def _objective(trainer: Any, step: str, name: str) -> Any:
    """Return the loss of a step: what it returns, or what it logs under a name."""

    def objective(module: nn.Module, batch: Any) -> Tensor:
        batch = trainer.strategy.batch_to_device(batch)
        function = getattr(module, step)
        more = [0] if len(inspect.signature(function).parameters) > 1 else []
        with _quiet(module) as logged:
            returned = function(batch, *more)
        loss = returned.get("loss") if isinstance(returned, dict) else returned
        found = logged.get(name, loss) if step == "validation_step" else loss
        if not isinstance(found, Tensor):
            raise DiagnoseError(f"{step} neither returns a loss nor logs '{name}'")
        return found

    objective.__qualname__ = step
    return objective


@contextmanager
def _quiet(module: Any) -> Iterator[dict[str, Any]]:
    """Catch what a module logs, which it could not do outside of its Trainer's loop."""
    found: dict[str, Any] = {}

    def log(name: str, value: Any, *_: Any, **__: Any) -> None:
        found[name] = torch.as_tensor(value)

    def log_dict(values: Any, *_: Any, **__: Any) -> None:
        for name, value in values.items():
            log(name, value)

    own = {name: vars(module).get(name) for name in ("log", "log_dict")}
    object.__setattr__(module, "log", log)
    object.__setattr__(module, "log_dict", log_dict)
    try:
        yield found
    finally:
        for name, value in own.items():
            if value is None:
                object.__delattr__(module, name)
            else:
                object.__setattr__(module, name, value)

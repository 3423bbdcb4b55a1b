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

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from diagnose.ablation.results.score_names import better_side
from diagnose.errors import DiagnoseError, nearest, own_words
from diagnose.gap.loop.elements import versions
from diagnose.gap.loop.guard import random_states
from diagnose.gap.recorder.packing import copied, nbytes
from diagnose.gap.recorder.recorder import GapRecorder
from diagnose.gap.side import Side
from diagnose.integrations.aside import Aside, steps_aside, tell
from diagnose.integrations.averaging import explain_as_averaged, is_weighted
from diagnose.integrations.lightning_logged import LoggedSteps, other_sizes, rows_of_first
from diagnose.integrations.lightning_package import Callback
from diagnose.integrations.lightning_steps import (
    TransferredBatches,
    at_epoch,
    has_hooks,
    objective,
    state_kept,
    staying_on,
    train_batches,
)
from diagnose.report.gap_result import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn

    from diagnose.gap.recorder.recording import Recording

SAME = 1e-6  # relative: a logged value against the recorder's
Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Validated:
    """The last validation.

    Attributes:
        values: the loss of each validation loader as it was logged, by name.
        weights: those that were trained; read: those that validation read, None where these are the same.
        recording: of the steps that led to it; None where no step's loss was seen.
        shown: the batches of each loader that was not read whole.
        epoch: the number of the epoch that it ended, which steps may ask for.
        training: whether the module was in training mode; staying: its parts that were while it was not.
    """

    values: dict[str, float]
    weights: Weights
    read: Weights | None
    recording: Recording | None
    shown: dict[int, list[Any]]
    epoch: int = 0
    training: bool = False
    staying: frozenset[str] = frozenset()


class LightningGapCallback(Aside, Callback):  # type: ignore[misc]
    """Records a module's training steps and explains the gap between what it logs of training and of validation.

    It never ends anybody's training: what it cannot do is one warning, and training goes on.

    Attributes:
        gap: the ledger of the last validation; None where there is none. Of several loaders the first one's.
        gaps: the ledgers of all validation loaders, by the name of the loss.
        page: where the page of `gap` lies.

    Args:
        train: the name under which `training_step` logs its loss.
        val: the name under which `validation_step` logs its loss. Where there is no such name the nearest is taken, and
            a warning says which.
        page: where to write the page; by default `gap.html` in the Trainer's `default_root_dir`.
        budget: as for `explain_gap`.
        most_bytes: of batches that are kept.
        plain: training's data without augmentation, noise or packing, a loader.
        groups: `groups(batch)`, whose each sample of a batch is (document, patient), as for `Side`.
    """

    @own_words
    def __init__(
        self,
        train: str = "train_loss",
        val: str = "val_loss",
        *,
        page: str | Path | None = None,
        budget: float | str = 20.0,
        most_bytes: int = 256 << 20,
        plain: Iterable[Any] | None = None,
        groups: Callable[[Any], Any] | None = None,
    ) -> None:
        self.plain, self.groups = plain, groups
        self.train, self.val, self.budget, self.most_bytes = train, val, budget, most_bytes
        self.page = Path(page) if page else None
        self.gaps: dict[str, Gap] = {}
        self._recorder: GapRecorder | None = None
        self._logged = LoggedSteps(train)
        self._before: set[str] = set()
        self._logged_by_validation: list[str] = []
        self._shown: dict[int, list[Any]] = {}
        self._room = most_bytes
        self._read: Weights = {}
        self._training, self._staying = False, frozenset[str]()
        self._taken, self._writes = None, False
        self._last: Validated | None = None

    @property
    def gap(self) -> Gap | None:
        """The ledger of the last validation; of several loaders the first one's."""
        return next(iter(self.gaps.values()), None)

    @steps_aside
    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to record."""
        folder = Path(trainer.default_root_dir) / "gap"
        self._recorder = GapRecorder(folder, pl_module, reports="epoch", most_bytes=self.most_bytes)

    @steps_aside
    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Begin an epoch, which a loss that is logged `on_epoch` averages."""
        if self._recorder is not None:
            self._recorder.epoch()
            self._logged.epoch()

    @steps_aside
    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Note the random state that the step begins with, and the batch where steps write into it."""
        if self._recorder is not None:
            first = not self._recorder.number
            self._taken, self._versions = copied(batch) if self._writes or first else None, versions(batch)
            self._recorder.before()

    @steps_aside
    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Record the step."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        whole = loss if isinstance(loss, Tensor) else self._logged.last(trainer)
        if isinstance(loss, Tensor) and trainer.accumulate_grad_batches > 1:
            whole = loss * trainer.accumulate_grad_batches  # a returned loss is given divided
        if self._recorder is not None and whole is not None:
            self._writes = self._writes or versions(batch) != self._versions
            taken = batch if self._taken is None or not self._writes else self._taken
            self._recorder.step(taken, whole, weight=float(rows_of_first(batch) or 1))

    @steps_aside
    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Note which names are there before validation logs."""
        self._shown, self._read, self._room = {}, {}, self.most_bytes
        if not self._logged_by_validation:
            self._before = set(trainer.callback_metrics)

    @steps_aside
    def on_validation_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Note the weights that validation reads, and the batches where it does not read them all."""
        if trainer.sanity_checking or self._recorder is None:
            return
        if not self._read:
            self._read, self._training = _weights(pl_module), pl_module.training
            on = {name for name, part in pl_module.named_modules() if part.training}
            self._staying = frozenset() if self._training else frozenset(on)
        if batch_idx < trainer.num_val_batches[dataloader_idx] < _length(_loaders(trainer)[dataloader_idx]):
            self._show(dataloader_idx, batch)

    def _show(self, loader: int, batch: Any) -> None:
        """Keep a batch that validation reads, as long as there is room; of a loader that has none, none is kept."""
        batches = self._shown.setdefault(loader, [])
        self._room -= nbytes(batch)
        if self._room < 0:
            batches.clear()
        else:
            batches.append(copied(batch))

    @steps_aside
    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Note the validation losses, the weights that they were taken with, and the steps that led to them."""
        if not self._logged_by_validation:
            self._logged_by_validation = [name for name in trainer.callback_metrics if name not in self._before]
        if trainer.sanity_checking or self._recorder is None:
            return
        names = self._validation_names(trainer)
        weights = _weights(pl_module)
        same = all(torch.equal(weights[name], value) for name, value in self._read.items())
        recording = self._recorder.record() if self._recorder.number else None
        values = {name: float(trainer.callback_metrics[name]) for name in names}
        read = None if same else self._read
        self._last = Validated(
            values, weights, read, recording, self._shown, trainer.current_epoch, self._training, self._staying
        )  # fmt: skip

    def _validation_names(self, trainer: Any) -> list[str]:
        """Return the names of the validation losses, a loader each.

        Raises:
            DiagnoseError: validation logs nothing that looks like a loss.
        """
        metrics, count = trainer.callback_metrics, len(_loaders(trainer))
        several = [f"{self.val}/dataloader_idx_{number}" for number in range(count)]
        if count > 1 and all(name in metrics for name in several):
            return several
        return [_chosen(self.val, list(metrics), self._logged_by_validation, "val", self.say)]

    @steps_aside
    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Explain the gap of the last validation, and write the page."""
        if self._recorder is None:
            return
        self._recorder.detach()
        if self._last is None:
            self.say("no validation ran, so there is no gap to explain")
            return
        now = _weights(pl_module)
        held = random_states([trainer.train_dataloader, *_loaders(trainer)])  # a loader draws as it begins
        with held, state_kept(pl_module), at_epoch(trainer, self._last.epoch):
            try:
                pl_module.load_state_dict(self._last.weights)
                for number, name in enumerate(self._last.values):
                    self.gaps[name] = self._explain(trainer, pl_module, self._last, number)
            finally:
                pl_module.load_state_dict(now)
        if trainer.is_global_zero:
            self.page = self.page or Path(trainer.default_root_dir) / "gap.html"
            tell(self.gaps.values(), self.page)

    @steps_aside
    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ARG002
        """Take the hooks off a model whose training ended before its time."""
        if self._recorder is not None:
            self._recorder.detach()

    def _explain(self, trainer: Any, module: Any, last: Validated, number: int) -> Gap:
        """Explain the gap to one validation loader, under the module's weights."""
        name = list(last.values)[number]
        train, value, record = self._reported(trainer, last.recording)
        loaders = train_batches(trainer), _loaders(trainer)[number]
        train_side = Side(
            _batches(trainer, loaders[0], "train"),
            staying_on(objective(trainer, "training_step", train, number), last.staying), reported=value,
            plain=_plain_batches(trainer, self.plain), groups=self.groups,
            reduction="weighted" if record is None or _by_samples(record) else "batch",
        )  # fmt: skip
        more: dict[str, Any] = {} if last.read is None else {"model": _copy(module, last.read)}
        val_side = Side(
            _batches(trainer, loaders[1], "validate"),
            staying_on(objective(trainer, "validation_step", name.split("/dataloader_idx_")[0], number), last.staying),
            reported=last.values[name], reported_on=last.shown.get(number) or None, reduction="weighted",
            mode="train" if last.training else None, groups=self.groups, **more,
        )  # fmt: skip
        of = name if len(last.values) > 1 else ""
        ledger = explain_as_averaged(module, train_side, val_side, record, self.budget, of)
        if (told := other_sizes(loaders[1])) and is_weighted(ledger):
            self.say(told)
        return Gap(ledger)

    def _reported(self, trainer: Any, record: Recording | None) -> tuple[str, float | None, Recording | None]:
        """Return the training loss's name, its logged value, and the record with what that averages."""
        logged = {k: float(v) for k, v in trainer.callback_metrics.items() if k not in self._logged_by_validation}
        value = next((logged[key] for key in (f"{self.train}_epoch", self.train) if key in logged), None)
        name = self.train
        if value is None and any("loss" in key.lower() for key in logged):
            name = _chosen(self.train, list(logged), list(logged), "train", self.say)
            value = logged[name]
        if record is None and value is not None:
            self.say(
                f"training_step neither returned a loss nor logged one of each step, so no step was recorded: '{name}' "
                "is taken as it was logged, and how far the weights moved meanwhile is in the residual; let "
                "training_step return the loss"
            )
            return name.removesuffix("_epoch").removesuffix("_step"), value, None
        if record is None or value is None:
            return name, record.train if record is not None else None, record
        last = record.losses[-1]
        if f"{name}_epoch" not in logged and abs(value - last) <= SAME * max(1.0, abs(last)):
            record = record.of_last()
        elif record.reports != "last" and abs(value - record.unweighted().train) < abs(value - record.train):
            record = record.unweighted()  # a metric object's mean, which knows no sizes
        return name.removesuffix("_epoch").removesuffix("_step"), value, record


def _by_samples(record: Recording) -> bool:
    return record.reports == "epoch" and len(set(record.weights)) > 1


def _chosen(asked: str, known: list[str], own: list[str], option: str, say: Any) -> str:
    """Return the name of a loss: as asked, or the nearest one of the side's own, which is said.

    Raises:
        DiagnoseError: the side logs no loss.
    """
    if asked in known:
        return asked
    losses = [name for name in own if "loss" in name.lower()]
    losses = losses or (own if len(own) == 1 and not _is_score(own[0]) else [])
    if not losses:
        if not own:
            raise DiagnoseError(
                f"no metric '{asked}' was logged, nor any other of a whole epoch: what self.log(..., on_step=True, "
                "on_epoch=False) shows is one batch's alone, and no callback sees it; log the loss with on_epoch=True"
            )
        raise DiagnoseError(
            f"no metric '{asked}' was logged, nor another loss (it logs {', '.join(sorted(own))})"
            f"{nearest(asked, known)}; log it, as self.log('{asked}', loss), or name it: GapCallback({option}=...)"
        )
    exact = [name for name in losses if _plain(name) == _plain(asked)]
    name = (exact or losses)[0]
    if len(losses) > 1 or not exact:
        others = f" (there are also {', '.join(losses[1:])})" if len(losses) > 1 else ""
        say(f"no metric '{asked}' was logged, so '{name}' is taken{others}; GapCallback({option}=...) names another")
    return name


def _is_score(name: str) -> bool:
    """Say whether a name is that of a score which is better the higher it is, as accuracy is."""
    return better_side(name) == "higher"


def _plain(name: str) -> str:
    """Return a name without what tools write differently: "valid/loss", "Val/Loss" and "loss/val" are "val_loss"."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    words = words.replace("validation", "val").replace("valid", "val").replace("training", "train")
    return "".join(sorted(words.split()))


def _weights(module: nn.Module) -> Weights:
    return {name: value.detach().to("cpu", copy=True) for name, value in module.state_dict().items()}


def _copy(module: Any, weights: Weights) -> nn.Module:
    """Return a copy of a module with other weights, attached to the same Trainer."""
    trainer, module._trainer = module._trainer, None  # noqa: SLF001 - a Trainer cannot be copied
    try:
        other: nn.Module = copy.deepcopy(module)
    finally:
        module._trainer = trainer  # noqa: SLF001
    other._trainer = trainer  # noqa: SLF001
    other.load_state_dict(weights)
    return other


def _batches(trainer: Any, loader: Any, stage: str) -> Any:
    """Return a loader's batches as steps get them: through the module's hooks, where it has any."""
    return TransferredBatches(loader, trainer, stage) if has_hooks(trainer.lightning_module) else loader


def _plain_batches(trainer: Any, given: Any) -> Any:
    """Return training's plain batches as the module's hooks leave them in validation: those that were given.

    Else training's own; None where it has no hooks either.
    """
    if not has_hooks(trainer.lightning_module):
        return given
    return TransferredBatches(train_batches(trainer) if given is None else given, trainer, "validate")


def _loaders(trainer: Any) -> list[Any]:
    """Return the validation loaders."""
    loaders = trainer.val_dataloaders
    if isinstance(loaders, dict):
        return list(loaders.values())
    return list(loaders) if isinstance(loaders, (list, tuple)) else [loaders]


def _length(loader: Any) -> float:
    """Return how many batches a loader has; none is known of a stream."""
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return float("inf")

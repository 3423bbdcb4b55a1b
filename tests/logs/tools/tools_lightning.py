# ruff: noqa: E501, TC003  (calls of tools are long)
"""PyTorch Lightning and its loggers."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

from make import kept, log, points, printed, scratch
from tools_torch import loaders, net


def train(folder: Path, logger: Any = False, *, names: tuple[str, str] = ("train_loss", "val_loss"), how: Any = None,
          how_val: Any = None, more: Any = None, **options: Any) -> Any:  # fmt: skip
    """Train with Lightning; return what its metrics were at the end of each training and validation epoch."""
    import lightning as pl
    import torch

    warnings.simplefilter("ignore")
    seen: dict[str, list[tuple[int, int, float]]] = {"train": [], "val": [], "step": []}

    class Tiny(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = net()

        def loss(self, batch: Any) -> Any:
            return torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def training_step(self, batch: Any, _: int) -> Any:
            loss = self.loss(batch)
            self.log(names[0], loss, **(how or {}))
            if more:
                self.log_dict({name: loss * scale for name, scale in more.items()})
            seen["step"].append((self.global_step, self.current_epoch, float(loss)))
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            loss = self.loss(batch)
            self.log(names[1], loss, **(how_val or {}))

        def on_validation_epoch_end(self) -> None:
            if not self.trainer.sanity_checking:
                value = self.trainer.callback_metrics[names[1]]
                seen["val"].append((self.global_step - 1, self.current_epoch, float(value)))

        def on_train_epoch_end(self) -> None:
            name = names[0] if names[0] in self.trainer.callback_metrics else f"{names[0]}_epoch"
            seen["train"].append((self.global_step - 1, self.current_epoch, float(self.trainer.callback_metrics[name])))

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), 0.01)

    pl.seed_everything(0, verbose=False)
    settings = {"max_epochs": 6, "log_every_n_steps": 5, "enable_checkpointing": False, "accelerator": "cpu",
                "enable_progress_bar": False, "enable_model_summary": False, **options}  # fmt: skip
    trainer = pl.Trainer(logger=logger, default_root_dir=str(folder), **settings)
    trainer.fit(Tiny(), *loaders())
    return seen


def of(seen: list[tuple[int, int, float]]) -> dict[str, list[float]]:
    return points([v for *_, v in seen], step=[s for s, *_ in seen], epoch=[e for _, e, _ in seen])


def logged(seen: list[tuple[int, int, float]], every: int = 5) -> dict[str, list[float]]:
    """Return the single batches that are logged."""
    return of([one for one in seen if (one[0] + 1) % every == 0])


def tqdm_bar() -> Any:
    from lightning.pytorch.callbacks import TQDMProgressBar

    return [TQDMProgressBar(refresh_rate=1)]


EPOCH = {"on_step": False, "on_epoch": True}
BAR = {"prog_bar": True, **EPOCH}


def by_epoch(seen: Any, first: int = 0) -> dict[str, Any]:
    """Return what a bar shows at the end of each epoch, from one on."""
    sides = {}
    for side in ("train", "val"):
        kept_ = seen[side][first:]
        sides[side] = points([v for *_, v in kept_], epoch=[e for _, e, _ in kept_], step=[s + 1 for s, *_ in kept_])
    return {**sides, "significant": 3}


@log(
    "lightning-bar.txt",
    "lightning",
    "TQDMProgressBar, self.log(prog_bar=True, on_step=True, on_epoch=True), written to a file",
)
def bar(path: Path) -> dict[str, Any]:
    with printed(path):
        seen = train(scratch(path), how={"prog_bar": True, "on_step": True, "on_epoch": True},
                     how_val={"prog_bar": True}, enable_progress_bar=True, callbacks=tqdm_bar())  # fmt: skip
    return by_epoch(seen)


@log(
    "lightning-bar-terminal.txt", "lightning", "TQDMProgressBar, self.log(prog_bar=True, on_epoch=True), in a terminal"
)
def bar_terminal(path: Path) -> dict[str, Any]:
    with printed(path, terminal=True):
        seen = train(scratch(path), how=BAR, how_val={"prog_bar": True}, enable_progress_bar=True, max_epochs=4,
                     callbacks=tqdm_bar())  # fmt: skip
    return by_epoch(seen)


@log(
    "lightning-bar-summary.txt",
    "lightning",
    "TQDMProgressBar, model summary, sanity check, names train/loss and val/loss",
)
def bar_summary(path: Path) -> dict[str, Any]:
    with printed(path):
        seen = train(scratch(path), names=("train/loss", "val/loss"), how=BAR, how_val={"prog_bar": True},
                     enable_progress_bar=True, enable_model_summary=True, max_epochs=5, callbacks=tqdm_bar())  # fmt: skip
    return by_epoch(seen)


@log("lightning-rich.txt", "lightning", "RichProgressBar written to a file: the last state alone")
def rich_bar(path: Path) -> dict[str, Any]:
    with printed(path):
        seen = train(scratch(path), how=BAR, how_val={"prog_bar": True}, enable_progress_bar=True)
    return by_epoch(seen, 5)


@log("lightning-rich-terminal.txt", "lightning", "RichProgressBar in a terminal, one bar redrawn through all epochs")
def rich_terminal(path: Path) -> dict[str, Any]:
    with printed(path, terminal=True):
        seen = train(scratch(path), how=BAR, how_val={"prog_bar": True}, enable_progress_bar=True, max_epochs=4)
    return by_epoch(seen)


@log("lightning-rich-leave.txt", "lightning", "RichProgressBar(leave=True) in a terminal, a bar for each epoch stays")
def rich_leave(path: Path) -> dict[str, Any]:
    from lightning.pytorch.callbacks import RichProgressBar

    with printed(path, terminal=True):
        seen = train(scratch(path), how=BAR, how_val={"prog_bar": True}, enable_progress_bar=True, max_epochs=3,
                     callbacks=[RichProgressBar(leave=True)])  # fmt: skip
    return by_epoch(seen)


def csv(path: Path, **options: Any) -> Any:
    from lightning.pytorch.loggers import CSVLogger

    folder = scratch(path)
    seen = train(folder, CSVLogger(folder, name="lightning_logs"), **options)
    if path.suffix == ".csv":
        shutil.copy(folder / "lightning_logs/version_0/metrics.csv", path)
    else:
        kept(folder / "lightning_logs", path, "metrics.csv", "hparams.yaml")
    return seen


@log("lightning-steps.csv", "lightning", "CSVLogger, training's single batches each 5 steps")
def csv_steps(path: Path) -> dict[str, Any]:
    seen = csv(path)
    return {"train": logged(seen["step"]), "val": of(seen["val"]), "relative": 1e-6}


@log("lightning-epochs.csv", "lightning", "CSVLogger, self.log(on_step=True, on_epoch=True)")
def csv_epochs(path: Path) -> dict[str, Any]:
    seen = csv(path, how={"on_step": True, "on_epoch": True})
    return {"train": of(seen["train"]), "val": of(seen["val"]), "relative": 1e-6}


@log("lightning-slashes.csv", "lightning", "CSVLogger, names train/loss and val/loss, other losses beside them")
def csv_slashes(path: Path) -> dict[str, Any]:
    seen = csv(path, names=("train/loss", "val/loss"), how=EPOCH, more={"train/kl_loss": 0.1, "train/recon_loss": 0.9})
    return {"train": of(seen["train"]), "val": of(seen["val"]), "relative": 1e-6}


@log("lightning-often.csv", "lightning", "CSVLogger, val_check_interval=0.5")
def csv_often(path: Path) -> dict[str, Any]:
    seen = csv(path, val_check_interval=0.5)
    return {"train": logged(seen["step"]), "val": of(seen["val"]), "relative": 1e-6}


@log("lightning-logs-csv", "lightning", "CSVLogger's folder lightning_logs/version_0")
def csv_folder(path: Path) -> dict[str, Any]:
    seen = csv(path, how={"on_step": True, "on_epoch": True})
    return {"train": of(seen["train"]), "val": of(seen["val"]), "relative": 1e-6}


@log("lightning-logs-tensorboard", "lightning", "TensorBoardLogger's folder lightning_logs with version_0")
def tensorboard(path: Path) -> dict[str, Any]:
    from lightning.pytorch.loggers import TensorBoardLogger

    folder = scratch(path)
    seen = train(folder, TensorBoardLogger(folder, name="lightning_logs"))
    kept(folder / "lightning_logs", path)
    return {"train": logged(seen["step"]), "val": of(seen["val"]), "relative": 1e-6}


@log(
    "lightning-logs-two-versions",
    "lightning",
    "CSVLogger's folder lightning_logs with version_0 and version_1",
    run="version_1",
)
def versions(path: Path) -> dict[str, Any]:
    from lightning.pytorch.loggers import CSVLogger

    folder = scratch(path)
    seen = {}
    for epochs in (3, 6):
        seen = train(folder, CSVLogger(folder, name="lightning_logs"), how=EPOCH, max_epochs=epochs)
    kept(folder / "lightning_logs", path, "metrics.csv", "hparams.yaml")
    return {"train": of(seen["train"]), "val": of(seen["val"]), "relative": 1e-6}

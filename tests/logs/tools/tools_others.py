# ruff: noqa: E501, ARG002, TC003  (calls of tools are long)
"""LLaMA-Factory, Catalyst, pytorch-accelerated, Composer, LitGPT and torchtune's loggers, RecBole."""

from __future__ import annotations

import collections
import collections.abc
import os
import shutil
from pathlib import Path
from typing import Any

from make import epochs, kept, log, points, printed, scratch
from tools_torch import loaders, net


@log(
    "llamafactory-trainer_log.jsonl",
    "llamafactory",
    "llamafactory.train.callbacks.LogCallback on a Trainer: trainer_log.jsonl",
)
def llamafactory(path: Path) -> dict[str, Any]:
    import torch
    from llamafactory.train.callbacks import LogCallback
    from tools_hf import STEPS, characters, gpt, seeing, truth
    from transformers import Trainer, TrainingArguments

    rows = [{"input_ids": torch.tensor(row[:32]), "labels": torch.tensor(row[:32])} for row in characters()]
    see, seen = seeing()
    folder = scratch(path) / "out"
    args = TrainingArguments(str(folder), num_train_epochs=3, per_device_train_batch_size=16, save_strategy="no", report_to="none",
                             learning_rate=5e-3, use_cpu=True, disable_tqdm=True, **STEPS)  # fmt: skip
    Trainer(gpt(), args, train_dataset=rows[:320], eval_dataset=rows[320:], callbacks=[LogCallback(), see]).train()
    shutil.copy(folder / "trainer_log.jsonl", path)
    return truth(seen, relative=1e-9)


def catalysed(path: Path, folder: Path, *, terminal: bool = False) -> Any:
    """Train with Catalyst; return its epoch metrics."""
    collections.MutableMapping = collections.abc.MutableMapping  # type: ignore[attr-defined]  # gone from Python 3.10
    import torch
    from catalyst import dl

    runner = dl.SupervisedRunner()
    model = net()
    train, val = loaders()
    seen: list[tuple[float, float]] = []

    class See(dl.Callback):
        def __init__(self) -> None:
            super().__init__(order=dl.CallbackOrder.External)

        def on_epoch_end(self, runner: Any) -> None:
            seen.append(tuple(float(runner.epoch_metrics[side]["loss"]) for side in ("train", "valid")))

    with printed(path, terminal=terminal):
        runner.train(model=model, criterion=torch.nn.CrossEntropyLoss(), optimizer=torch.optim.Adam(model.parameters(), 0.01),
                     loaders=collections.OrderedDict(train=train, valid=val), num_epochs=5, verbose=terminal, logdir=str(folder),
                     callbacks=[See()])  # fmt: skip
    return seen


@log("catalyst.txt", "catalyst", "SupervisedRunner.train(verbose=False), its console logger")
def catalyst_text(path: Path) -> dict[str, Any]:
    seen = catalysed(path, scratch(path))
    return {"train": epochs([t for t, _ in seen], 1), "val": epochs([v for _, v in seen], 1), "significant": 4}


@log("catalyst-csv", "catalyst", "logdir/csv_logger/train.csv and valid.csv")
def catalyst_csv(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    seen = catalysed(scratch(path.with_suffix(".x")) / "out", folder)
    kept(folder, path, "*.csv")
    at = range(1, 6)  # the column "step" counts epochs
    sides = {"train": [t for t, _ in seen], "val": [v for _, v in seen]}
    return {side: points(values, epoch=at, step=at) for side, values in sides.items()} | {"relative": 1e-5}


@log("pytorch-accelerated.txt", "pytorch-accelerated", "Trainer.train(), its print callback and bar")
def pytorch_accelerated(path: Path) -> dict[str, Any]:
    import torch
    from pytorch_accelerated import Trainer

    model = net()
    train, val = (part.dataset for part in loaders())
    with printed(path):
        trainer = Trainer(model, torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 0.01))
        trainer.train(train, 5, val, per_device_batch_size=16)
    history = trainer.run_history
    sides = [[float(v) for v in history.get_metric_values(name)] for name in ("train_loss_epoch", "eval_loss_epoch")]
    return {"train": epochs(sides[0], 1), "val": epochs(sides[1], 1), "significant": 6}


def composed(path: Path | None, folder: Path, loggers: Any = ()) -> Any:
    """Train with Composer; return (batch, loss) of training and of evaluations."""
    import torch
    from composer import Callback, Trainer
    from composer.models import ComposerClassifier
    from torchmetrics import MeanMetric

    class Loss(MeanMetric):
        def update(self, outputs: Any, targets: Any) -> None:
            super().update(torch.nn.functional.cross_entropy(outputs, targets), weight=len(targets))

    seen: dict[str, list[Any]] = {"train": [], "val": []}

    class See(Callback):
        def batch_end(self, state: Any, logger: Any) -> None:
            seen["train"].append((int(state.timestamp.batch), int(state.timestamp.epoch), float(state.loss)))

        def eval_end(self, state: Any, logger: Any) -> None:
            seen["val"].append(
                (int(state.timestamp.batch), int(state.timestamp.epoch), float(state.eval_metric_values["loss"]))
            )

    model = ComposerClassifier(net(), train_metrics={}, val_metrics={"loss": Loss()}, num_classes=2,
                               loss_fn=torch.nn.functional.cross_entropy)  # fmt: skip
    train, val = loaders()

    def run() -> None:
        Trainer(model=model, train_dataloader=train, eval_dataloader=val, max_duration="4ep", device="cpu", progress_bar=False,
                log_to_console=path is not None, console_log_interval="1ep", callbacks=[See()], loggers=list(loggers),
                optimizers=torch.optim.Adam(model.parameters(), 0.01)).fit()  # fmt: skip

    if path is None:
        run()
    else:
        with printed(path):
            run()
    return seen


@log("composer.txt", "mosaicml", "Trainer(log_to_console=True, console_log_interval='1ep')")
def composer_text(path: Path) -> dict[str, Any]:
    seen = composed(path, scratch(path))
    ends = [one for one in seen["train"] if one[0] % 19 == 0]
    return {"val": points([v for *_, v in seen["val"]], step=[b for b, *_ in seen["val"]], epoch=range(1, 5)),
            "paired_train": [v for *_, v in ends], "digits": 4}  # fmt: skip


@log(
    "recbole.txt",
    "recbole",
    "run_recbole's console log: training loss, validation score",
    refused="only training|no validation loss",
)
def recbole(path: Path) -> dict[str, Any]:
    import numpy as np
    import torch

    folder = scratch(path)
    rng = np.random.default_rng(0)
    (folder / "tiny").mkdir()
    rows = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    rows += [f"{u}\t{i}\t{rng.integers(1, 6)}\t{k}" for k, (u, i) in enumerate(rng.integers(1, 40, (800, 2)))]
    (folder / "tiny/tiny.inter").write_text("\n".join(rows) + "\n")
    os.chdir(folder)
    load = torch.load
    torch.load = lambda *a, **k: load(*a, **{**k, "weights_only": False})
    with printed(path):
        from recbole.quick_start import run_recbole

        run_recbole(model="BPR", dataset="tiny", config_dict={"data_path": str(folder), "epochs": 4, "embedding_size": 8,
                    "load_col": {"inter": ["user_id", "item_id", "rating", "timestamp"]}, "use_gpu": False, "show_progress": False})  # fmt: skip
    torch.load = load
    return {}


@log("torchtune.txt", "torchtune", "torchtune.training.metric_logging.StdoutLogger.log_dict, as its recipes call it")
def torchtune(path: Path) -> dict[str, Any]:
    from tools_torch import loop
    from torchtune.training.metric_logging import StdoutLogger

    train, val = [], []
    with printed(path):
        logger = StdoutLogger()
        for k, (_, _, _, loss, _, held) in enumerate(loop(epochs_=3), 1):
            logger.log_dict({"loss": loss, "lr": 0.1, "tokens_per_second_per_gpu": 1234.5}, step=k)
            train.append((k, loss))
            if held is not None:
                logger.log_dict({"val_loss": held}, step=k)
                val.append((k, held))
    return {side: points([v for _, v in rows], step=[k for k, _ in rows]) for side, rows in (("train", train), ("val", val))} | {
        "relative": 1e-9}  # fmt: skip


def ends() -> list[tuple[int, float, float]]:
    """Return (epoch, training loss, validation loss) of a plain loop."""
    from tools_torch import loop

    return [(e, mean, held) for e, _, _, _, mean, held in loop() if held is not None]


def by_step(rows: list[tuple[int, float, float]]) -> dict[str, Any]:
    at = [e for e, *_ in rows]
    return {
        "train": points([t for _, t, _ in rows], step=at),
        "val": points([v for *_, v in rows], step=at),
        "relative": 1e-9,
    }


@log("comet-offline.zip", "comet_ml", "comet_ml.OfflineExperiment.log_metric: its zip archive")
def comet(path: Path) -> dict[str, Any]:
    import comet_ml

    folder = scratch(path)
    run = comet_ml.OfflineExperiment(offline_directory=str(folder), project_name="tiny", log_code=False, log_graph=False,
                                     auto_param_logging=False, log_git_metadata=False, log_env_details=False)  # fmt: skip
    rows = ends()
    for e, mean, held in rows:
        run.log_metric("train_loss", mean, step=e)
        run.log_metric("val_loss", held, step=e)
    run.end()
    shutil.copy(next(folder.glob("*.zip")), path)
    return by_step(rows)


@log("neptune-offline", "neptune", "neptune.init_run(mode='offline')")
def neptune(path: Path) -> dict[str, Any]:
    import neptune as neptune_

    folder = scratch(path)
    os.chdir(folder)
    run = neptune_.init_run(mode="offline", project="a/b", capture_stdout=False, capture_stderr=False,
                            capture_hardware_metrics=False, source_files=[], git_ref=False)  # fmt: skip
    rows = ends()
    for e, mean, held in rows:
        run["train/loss"].append(mean, step=e)
        run["val/loss"].append(held, step=e)
    run.stop()
    kept(folder, path)
    return by_step(rows)


@log("swanlab-offline", "swanlab", "swanlab.init(mode='offline')")
def swanlab(path: Path) -> dict[str, Any]:
    import swanlab as swanlab_

    folder = scratch(path)
    os.chdir(folder)
    swanlab_.init(project="tiny", mode="offline", logdir=str(folder / "swanlog"))
    rows = ends()
    for e, mean, held in rows:
        swanlab_.log({"train/loss": mean, "val/loss": held}, step=e)
    swanlab_.finish()
    kept(folder, path, "*.swanlab")
    return by_step(rows)

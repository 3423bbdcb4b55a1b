# ruff: noqa: E501, TC003  (calls of tools are long)
"""fastai, timm, ultralytics and other tools that want torchvision or stand alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from data import table
from make import epochs, kept, log, points, printed, scratch
from tools_torch import loaders, net


def fastai_fit(path: Path | None, *, terminal: bool = False, count: int = 6, cbs: Any = (), bar: bool = False) -> Any:
    """Fit with fastai; return its recorder's values."""
    import fastai.callback.progress  # noqa: F401  (gives Learner its no_bar)
    import torch
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.metrics import accuracy

    train, val = loaders()
    learn = Learner(
        DataLoaders(train, val), net(), loss_func=torch.nn.CrossEntropyLoss(), metrics=[accuracy], cbs=list(cbs)
    )
    if path is None:
        learn.fit(count, 0.01)
    elif bar:
        with printed(path, terminal=terminal):
            learn.fit(count, 0.01)
    else:
        with printed(path, terminal=terminal), learn.no_bar():
            learn.fit(count, 0.01)
    return learn.recorder.values


@log("fastai-no-bar.txt", "fastai", "Learner.no_bar(): fit(6), lists without names", refused="no loss was found")
def fastai_plain(path: Path) -> dict[str, Any]:
    fastai_fit(path)
    return {}


@log("fastai.txt", "fastai", "fit(6), fastprogress' console bars, written to a file")
def fastai_file(path: Path) -> dict[str, Any]:
    values = fastai_fit(path, bar=True)
    return {"train": epochs([v[0] for v in values]), "val": epochs([v[1] for v in values]), "digits": 6}


@log("fastai-bar.txt", "fastai", "fit(6), fastprogress' console bars, in a terminal")
def fastai_bar(path: Path) -> dict[str, Any]:
    values = fastai_fit(path, terminal=True, bar=True)
    return {"train": epochs([v[0] for v in values]), "val": epochs([v[1] for v in values]), "digits": 6}


@log("fastai-history.csv", "fastai", "CSVLogger")
def fastai_csv(path: Path) -> dict[str, Any]:
    from fastai.callback.progress import CSVLogger

    values = fastai_fit(None, cbs=[CSVLogger(str(path))])
    return {"train": epochs([v[0] for v in values]), "val": epochs([v[1] for v in values]), "relative": 1e-6}


@log("timm-summary.csv", "timm", "timm.utils.update_summary, as timm's train.py calls it")
def timm_summary(path: Path) -> dict[str, Any]:
    from collections import OrderedDict

    from timm.utils import update_summary
    from tools_torch import loop

    rows = [(e - 1, mean, held) for e, _, _, _, mean, held in loop() if held is not None]
    for e, t, v in rows:
        update_summary(e, OrderedDict(loss=t), OrderedDict(loss=v, top1=50.0 + e, top5=100.0), str(path), lr=0.1,
                       write_header=e == 0)  # fmt: skip
    return {"train": epochs([t for _, t, _ in rows]), "val": epochs([v for *_, v in rows]), "relative": 1e-9}


@log("poutyne.txt", "poutyne", "Model.fit_generator(), colours off")
def poutyne_text(path: Path) -> dict[str, Any]:
    return poutyned(path, terminal=False)


@log("poutyne-terminal.txt", "poutyne", "Model.fit_generator() in a terminal")
def poutyne_terminal(path: Path) -> dict[str, Any]:
    return poutyned(path, terminal=True)


def poutyned(path: Path | None, *, terminal: bool = False, callbacks: Any = ()) -> dict[str, Any]:
    from poutyne import Model

    model = Model(net(), "adam", "cross_entropy", batch_metrics=["accuracy"])
    if path is None:
        history = model.fit_generator(*loaders(), epochs=6, callbacks=list(callbacks), verbose=False)
    else:
        with printed(path, terminal=terminal):
            history = model.fit_generator(*loaders(), epochs=6)
    at, step = range(1, 7), range(19, 115, 19)
    return {"train": points([h["loss"] for h in history], epoch=at, step=step),
            "val": points([h["val_loss"] for h in history], epoch=at, step=step), "digits": 6}  # fmt: skip


@log("poutyne-log.tsv", "poutyne", "CSVLogger, whose default is tab-separated")
def poutyne_csv(path: Path) -> dict[str, Any]:
    from poutyne import CSVLogger

    return {**poutyned(None, callbacks=[CSVLogger(str(path))]), "relative": 1e-6, "digits": 8}


@log("ngboost.txt", "ngboost", "NGBRegressor(verbose_eval=5).fit(X_val=...)")
def ngboost(path: Path) -> dict[str, Any]:
    from ngboost import NGBRegressor

    x, y, xv, yv = table(classes=False)
    model = NGBRegressor(n_estimators=40, verbose_eval=5, random_state=0, learning_rate=0.05)
    with printed(path):
        model.fit(x, y, X_val=xv, Y_val=yv)
    seen = model.evals_result
    at = range(0, 40, 5)
    sides = [list(next(iter(seen[side].values()))) for side in ("train", "val")]
    return {"train": points([sides[0][k] for k in at], step=at, iteration=at),
            "val": points([sides[1][k] for k in at], step=at, iteration=at), "digits": 4}  # fmt: skip


@log("deepxde.txt", "deepxde", "Model.train(display_every=100) on the torch backend")
def deepxde_text(path: Path) -> dict[str, Any]:
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde as dde

    dde.config.set_random_seed(0)
    x, y, xv, yv = table(classes=False)
    data = dde.data.DataSet(X_train=x, y_train=y[:, None], X_test=xv, y_test=yv[:, None])
    model = dde.Model(data, dde.nn.FNN([4, 8, 1], "tanh", "Glorot normal"))
    with printed(path):
        model.compile("adam", lr=0.01)
        history, _ = model.train(iterations=1000, display_every=100)
    train = [float(np.sum(v)) for v in history.loss_train]
    val = [float(np.sum(v)) for v in history.loss_test]
    return {"train": points(train, step=history.steps), "val": points(val, step=history.steps), "significant": 3}


@log("pykan.txt", "pykan", "KAN.fit(steps=20), its bar")
def pykan(path: Path) -> dict[str, Any]:
    import torch
    from kan import KAN

    x, y, xv, yv = (torch.tensor(part) for part in table(classes=False))
    os.chdir(scratch(path))
    model = KAN(width=[4, 2, 1], grid=3, k=3, seed=0, auto_save=False)
    data = {"train_input": x, "train_label": y[:, None], "test_input": xv, "test_label": yv[:, None]}
    with printed(path):
        seen = model.fit(data, opt="Adam", steps=20, lamb=0.001, lr=0.02)
    return {"among": [[float(a), float(b)] for a, b in zip(seen["train_loss"], seen["test_loss"], strict=True)],
            "significant": 3}  # fmt: skip


@log("tabnet.txt", "pytorch-tabnet", "TabNetClassifier.fit(eval_set=[valid], eval_metric=['logloss'])")
def tabnet(path: Path) -> dict[str, Any]:
    from pytorch_tabnet.tab_model import TabNetClassifier

    x, y, xv, yv = table()
    model = TabNetClassifier(verbose=1, seed=0, device_name="cpu")
    with printed(path):
        model.fit(
            x, y, eval_set=[(xv, yv)], eval_metric=["logloss"], max_epochs=8, batch_size=64, virtual_batch_size=32
        )
    seen = model.history.history
    return {"train": epochs(seen["loss"]), "val": epochs(seen["val_0_logloss"]), "digits": 5}


@log("monai.txt", "monai", "StatsHandler on a SupervisedTrainer and a SupervisedEvaluator")
def monai_text(path: Path) -> dict[str, Any]:
    import logging
    import sys

    import torch
    from ignite.metrics import Loss
    from monai.engines import SupervisedEvaluator, SupervisedTrainer
    from monai.handlers import StatsHandler, ValidationHandler

    model, loss = net(), torch.nn.CrossEntropyLoss()
    train, val = loaders()

    def prepare(batch: Any, *_: Any, **__: Any) -> Any:
        return batch[0], batch[1]

    means: list[float] = []
    with printed(path):
        logging.basicConfig(stream=sys.stdout, level=logging.INFO, force=True)
        evaluator = SupervisedEvaluator(
            device=torch.device("cpu"), val_data_loader=val, network=model, prepare_batch=prepare, decollate=False,
            key_val_metric={"val_loss": Loss(loss, output_transform=lambda o: (o["pred"], o["label"]))},
            val_handlers=[StatsHandler(name="val", output_transform=lambda _: None)],
        )  # fmt: skip
        trainer = SupervisedTrainer(
            device=torch.device("cpu"), max_epochs=5, train_data_loader=train, network=model, prepare_batch=prepare,
            optimizer=torch.optim.Adam(model.parameters(), 0.01), loss_function=loss, decollate=False,
            train_handlers=[ValidationHandler(1, evaluator),
                            StatsHandler(name="train", tag_name="train_loss", output_transform=lambda o: o["loss"])],
        )  # fmt: skip
        seen: list[float] = []
        from ignite.engine import Events

        trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(float(e.state.output["loss"])))
        evaluator.add_event_handler(Events.COMPLETED, lambda e: means.append(float(e.state.metrics["val_loss"])))
        trainer.run()
        logging.getLogger().handlers.clear()
    step = [19.0 * k for k in range(1, 6)]
    return {
        "val": points(means, epoch=range(1, 6), step=step),
        "paired_train": [seen[int(k) - 1] for k in step],
        "digits": 4,
    }


@log("ultralytics-results.csv", "ultralytics", "YOLO('yolov8n-cls.yaml').train(epochs=4): results.csv")
def ultralytics_cls(path: Path) -> dict[str, Any]:
    return yolo(path, "yolov8n-cls.yaml", "csv")


@log(
    "ultralytics-detect.csv",
    "ultralytics",
    "YOLO('yolov8n.yaml').train(epochs=3): results.csv with box, cls and dfl losses",
)
def ultralytics_det(path: Path) -> dict[str, Any]:
    return yolo(path, "yolov8n.yaml", "csv", detect=True)


def yolo(path: Path, model: str, kind: str, *, detect: bool = False) -> dict[str, Any]:
    import cv2
    from ultralytics import YOLO

    folder = scratch(path)
    rng = np.random.default_rng(0)
    for side, count in (("train", 12), ("val", 6)):
        for k in range(count):
            image = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
            if detect:
                for part in ("images", "labels"):
                    (folder / "data" / part / side).mkdir(parents=True, exist_ok=True)
                image[8:24, 8:24] = 255
                cv2.imwrite(str(folder / "data/images" / side / f"{k}.png"), image)
                (folder / "data/labels" / side / f"{k}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
            else:
                to = folder / "data" / side / ("a" if k % 2 else "b")
                to.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(to / f"{k}.png"), image)
    data = folder / "data"
    if detect:
        data = folder / "data.yaml"
        data.write_text(f"path: {folder}/data\ntrain: images/train\nval: images/val\nnames:\n  0: box\n")
    seen: dict[str, list[float]] = {"train": [], "val": []}
    yolo_ = YOLO(model)

    def note(trainer: Any) -> None:
        name = "box_loss" if detect else "loss"
        losses = trainer.label_loss_items(trainer.tloss, prefix="train")
        if f"val/{name}" in trainer.metrics:
            seen["train"].append(float(losses[f"train/{name}"]))
            seen["val"].append(float(trainer.metrics[f"val/{name}"]))

    yolo_.add_callback("on_fit_epoch_end", note)
    with printed(folder / "out.txt"):
        yolo_.train(data=str(data), epochs=4, imgsz=32, device="cpu", workers=0, project=str(folder), name="run", plots=False,
                    batch=4, val=True, amp=False, save=False)  # fmt: skip
    shutil.copy(folder / "run/results.csv", path)
    n = 4
    return {"train": epochs(seen["train"][:n], 1), "val": epochs(seen["val"][:n], 1), "significant": 5}


def flaired(path: Path, *, training_log: bool) -> dict[str, Any]:
    import flair
    import torch
    from data import verses
    from flair.data import Corpus, Sentence
    from flair.datasets import FlairDatapointDataset
    from flair.embeddings import DocumentRNNEmbeddings, OneHotEmbeddings
    from flair.models import TextClassifier
    from flair.trainers import ModelTrainer

    flair.device = torch.device("cpu")
    flair.set_seed(0)
    rows = [Sentence(text[:80]).add_label("long", "yes" if len(text) > 90 else "no") for text in verses(120)]
    sets = [FlairDatapointDataset(part) for part in (rows[:80], rows[80:100], rows[100:])]
    corpus = Corpus(*sets)
    words = OneHotEmbeddings.from_corpus(corpus, embedding_length=8)
    model = TextClassifier(DocumentRNNEmbeddings([words], hidden_size=8), label_type="long",
                           label_dictionary=corpus.make_label_dictionary("long"))  # fmt: skip
    folder = scratch(path)
    seen: dict[str, list[float]] = {"train": [], "val": []}
    from flair.trainers.plugins import TrainerPlugin

    class See(TrainerPlugin):
        @TrainerPlugin.hook
        def metric_recorded(self, record: Any) -> None:
            name = str(record.name)
            if name == "train/loss":
                seen["train"].append(float(record.value))
            if name == "dev/loss":
                seen["val"].append(float(record.value))

    with printed(folder / "out.txt"):
        ModelTrainer(model, corpus).train(str(folder), max_epochs=5, learning_rate=0.1, mini_batch_size=8, save_final_model=False,
                                          plugins=[See()])  # fmt: skip
    shutil.copy(folder / ("training.log" if training_log else "loss.tsv"), path)
    at = range(1, 6)
    if training_log:  # the running mean of an epoch's ten batches is its mean at the last
        step = [10.0 * k for k in at]
        return {"val": points(seen["val"], epoch=at, step=step), "paired_train": seen["train"], "digits": 4}
    return {"train": points(seen["train"], epoch=at), "val": points(seen["val"], epoch=at), "digits": 4}


@log("flair-loss.tsv", "flair", "ModelTrainer.train(): loss.tsv")
def flair_table(path: Path) -> dict[str, Any]:
    return flaired(path, training_log=False)


@log("flair-training.log", "flair", "ModelTrainer.train(): training.log")
def flair_log(path: Path) -> dict[str, Any]:
    return flaired(path, training_log=True)


@log("darts-bar.txt", "darts", "NLinearModel.fit(val_series=...), its Lightning bar")
def darts_bar(path: Path) -> dict[str, Any]:
    return darted(path)


@log("darts-metrics.csv", "darts", "NLinearModel.fit(val_series=...), CSVLogger")
def darts_csv(path: Path) -> dict[str, Any]:
    return darted(path, csv=True)


def darted(path: Path, *, csv: bool = False) -> dict[str, Any]:
    from darts import TimeSeries
    from darts.models import NLinearModel
    from pytorch_lightning.callbacks import Callback, TQDMProgressBar
    from pytorch_lightning.loggers import CSVLogger

    seen: dict[str, list[Any]] = {"train": [], "val": [], "step": []}

    class See(Callback):
        def on_validation_epoch_end(self, trainer: Any, *_: Any) -> None:
            if not trainer.sanity_checking:
                seen["val"].append(
                    (trainer.global_step - 1, trainer.current_epoch, float(trainer.callback_metrics["val_loss"]))
                )

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            value = float(trainer.callback_metrics["train_loss"])
            if trainer.global_step % 5 == 0:
                seen["step"].append((trainer.global_step - 1, trainer.current_epoch, value))

        def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
            value = float(trainer.callback_metrics["train_loss"])
            seen["train"].append((trainer.global_step - 1, trainer.current_epoch, value))

    rng = np.random.default_rng(0)
    wave = np.sin(np.arange(300) / 5) + rng.normal(scale=0.1, size=300)
    series = TimeSeries.from_values(wave.astype(np.float32))
    folder = scratch(path)
    more = {"logger": CSVLogger(str(folder))} if csv else {"logger": False}
    model = NLinearModel(12, 3, n_epochs=6, batch_size=16, random_state=0, pl_trainer_kwargs={
        "accelerator": "cpu", "log_every_n_steps": 5, "callbacks": [See(), *([] if csv else [TQDMProgressBar()])], **more})  # fmt: skip
    with printed(folder / "out.txt" if csv else path):
        model.fit(series[:240], val_series=series[200:])
    from tools_lightning import by_epoch, of

    if csv:
        shutil.copy(next(folder.rglob("metrics.csv")), path)
        return {"train": of(seen["step"]), "val": of(seen["val"]), "relative": 1e-6}
    return {"val": by_epoch(seen)["val"], "significant": 3}  # training's single batches are shown too


@log("neuralforecast.txt", "neuralforecast", "NeuralForecast.fit(val_size=...), TQDMProgressBar")
def neural(path: Path) -> dict[str, Any]:
    import pandas as pd
    from neuralforecast import NeuralForecast
    from neuralforecast.models import MLP
    from pytorch_lightning.callbacks import Callback, TQDMProgressBar

    seen: dict[str, list[Any]] = {"train": [], "val": []}

    class See(Callback):
        def on_validation_epoch_end(self, trainer: Any, *_: Any) -> None:
            if not trainer.sanity_checking:
                seen["val"].append((trainer.current_epoch, float(trainer.callback_metrics["valid_loss"])))

        def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
            seen["train"].append((trainer.current_epoch, float(trainer.callback_metrics["train_loss_epoch"])))

    rng = np.random.default_rng(0)
    wave = np.sin(np.arange(300) / 5) + rng.normal(scale=0.1, size=300)
    frame = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2020-01-01", periods=300, freq="D"), "y": wave})
    model = MLP(h=6, input_size=24, max_steps=60, val_check_steps=10, accelerator="cpu", random_seed=0, hidden_size=8, num_layers=1,
                logger=False, callbacks=[See(), TQDMProgressBar()])  # fmt: skip
    os.chdir(scratch(path))
    with printed(path):
        NeuralForecast([model], freq="D").fit(frame, val_size=30)
    at = [e for e, _ in seen["val"]]  # training's equal neighbours cannot be told from a value that is shown on
    return {"val": points([v for _, v in seen["val"]], epoch=at, step=at), "significant": 3}


@log("pytorch-forecasting", "pytorch-forecasting", "TimeSeriesDataSet, RecurrentNetwork, TensorBoardLogger's folder")
def forecasting(path: Path) -> dict[str, Any]:
    import lightning.pytorch as pl
    import pandas as pd
    from lightning.pytorch.loggers import CSVLogger
    from pytorch_forecasting import RecurrentNetwork, TimeSeriesDataSet
    from pytorch_forecasting.metrics import MAE

    pl.seed_everything(0)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"t": np.arange(200), "g": "a", "y": (np.sin(np.arange(200) / 5) + rng.normal(scale=0.1, size=200))}
    )
    common = {"time_idx": "t", "target": "y", "group_ids": ["g"], "max_encoder_length": 12, "max_prediction_length": 3,
              "time_varying_unknown_reals": ["y"]}  # fmt: skip
    data = TimeSeriesDataSet(frame[frame.t < 150], **common)
    held = TimeSeriesDataSet(frame[frame.t >= 140], **common)
    seen: dict[str, list[Any]] = {"train": [], "val": []}

    class See(pl.Callback):
        def on_validation_epoch_end(self, trainer: Any, *_: Any) -> None:
            if not trainer.sanity_checking:
                seen["val"].append(
                    (trainer.global_step - 1, trainer.current_epoch, float(trainer.callback_metrics["val_loss"]))
                )

        def on_train_epoch_end(self, trainer: Any, *_: Any) -> None:
            value = float(trainer.callback_metrics["train_loss_epoch"])
            seen["train"].append((trainer.global_step - 1, trainer.current_epoch, value))

    folder = scratch(path)
    trainer = pl.Trainer(max_epochs=5, accelerator="cpu", logger=CSVLogger(folder, name="lightning_logs"), callbacks=[See()],
                         enable_progress_bar=False, log_every_n_steps=3, enable_checkpointing=False)  # fmt: skip
    model = RecurrentNetwork.from_dataset(data, hidden_size=8, learning_rate=0.01, loss=MAE(), log_interval=-1)
    trainer.fit(model, data.to_dataloader(train=True, batch_size=16), held.to_dataloader(train=False, batch_size=16))
    kept(folder / "lightning_logs", path, "metrics.csv")
    from tools_lightning import of

    return {side: of(rows) for side, rows in seen.items()} | {"relative": 1e-6}

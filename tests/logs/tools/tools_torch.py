# ruff: noqa: E501, G004, TC003  (calls of tools are long)
"""skorch, PyTorch Ignite, and loops with Accelerate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data import table
from make import epochs, kept, log, points, printed, scratch


def net(seed: int = 0) -> Any:
    """Return a tiny network."""
    import torch

    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 2))


def loaders() -> tuple[Any, Any]:
    """Return batches of training and of validation."""
    import torch

    x, y, xv, yv = (torch.tensor(part) for part in table())
    data = torch.utils.data
    return (
        data.DataLoader(data.TensorDataset(x, y), 16, shuffle=True),
        data.DataLoader(data.TensorDataset(xv, yv), 16),
    )


def skorched(path: Path | None, *, terminal: bool = False, regression: bool = False, **options: Any) -> Any:
    """Fit with skorch; return its history."""
    import skorch
    import torch
    from skorch.dataset import ValidSplit

    x, y, *_ = table()
    settings: dict[str, Any] = {"max_epochs": 8, "lr": 0.1, "train_split": ValidSplit(4), **options}
    model: Any
    if regression:
        settings.pop("train_split")
        torch.manual_seed(0)
        model = skorch.NeuralNetRegressor(torch.nn.Linear(4, 1), **settings)
        y = x[:, :1] * 2 + 0.1
    else:
        model = skorch.NeuralNetClassifier(net(), criterion=torch.nn.CrossEntropyLoss, **settings)
    if path is None:
        return model.fit(x, y).history
    with printed(path, terminal=terminal):
        model.fit(x, y)
    return model.history


def of_skorch(history: Any, **how: Any) -> dict[str, Any]:
    return {"train": epochs(history[:, "train_loss"], 1), "val": epochs(history[:, "valid_loss"], 1), **how}


@log("skorch.txt", "skorch", "NeuralNetClassifier.fit()")
def skorch_plain(path: Path) -> dict[str, Any]:
    return of_skorch(skorched(path), digits=4)


@log("skorch-terminal.txt", "skorch", "NeuralNetClassifier.fit() in a terminal")
def skorch_terminal(path: Path) -> dict[str, Any]:
    return of_skorch(skorched(path, terminal=True), digits=4)


@log("skorch-regressor.txt", "skorch", "NeuralNetRegressor.fit()")
def skorch_regressor(path: Path) -> dict[str, Any]:
    return of_skorch(skorched(path, regression=True, lr=0.05), digits=4)


@log("skorch-checkpoint.txt", "skorch", "NeuralNetClassifier(callbacks=[EpochScoring, Checkpoint]).fit()")
def skorch_scores(path: Path) -> dict[str, Any]:
    from skorch.callbacks import Checkpoint, EpochScoring

    more = [
        EpochScoring("f1", lower_is_better=False, on_train=True, name="train_f1"),
        Checkpoint(dirname=scratch(path)),
    ]
    return of_skorch(skorched(path, callbacks=more), digits=4)


@log("skorch-history.json", "skorch", "net.history.to_file()")
def skorch_json(path: Path) -> dict[str, Any]:
    history = skorched(None, verbose=0)
    history.to_file(str(path))
    return of_skorch(history, relative=1e-9)


@log("skorch-two-fits.txt", "skorch", "fit() twice in one log")
def skorch_twice(path: Path) -> dict[str, Any]:
    history = skorched(path)
    first = path.read_bytes()
    history = skorched(path, lr=0.02)
    path.write_bytes(first + path.read_bytes())
    return of_skorch(history, digits=4, runs=2)


def ignited(attach: Any, epochs_: int = 6) -> tuple[list[float], list[float]]:
    """Train with Ignite as its examples do; return the losses of both evaluators."""
    import torch
    from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
    from ignite.metrics import Accuracy, Loss

    model, criterion = net(), torch.nn.CrossEntropyLoss()
    train, val = loaders()
    trainer = create_supervised_trainer(model, torch.optim.Adam(model.parameters(), 0.01), criterion)
    evaluators = [
        create_supervised_evaluator(model, {"accuracy": Accuracy(), "loss": Loss(criterion)}) for _ in range(2)
    ]
    seen: tuple[list[float], list[float]] = ([], [])

    @trainer.on(Events.EPOCH_COMPLETED)
    def evaluate(_: Any) -> None:
        for evaluator, batches, values in zip(evaluators, (train, val), seen, strict=True):
            evaluator.run(batches)
            values.append(evaluator.state.metrics["loss"])

    attach(trainer, *evaluators)
    trainer.run(train, max_epochs=epochs_)
    return seen


@log("ignite-mnist-example.txt", "pytorch-ignite", "print statements of Ignite's quick start, tqdm bar beside them")
def ignite_text(path: Path) -> dict[str, Any]:
    from ignite.contrib.handlers import ProgressBar
    from ignite.engine import Events

    def attach(trainer: Any, on_train: Any, on_val: Any) -> None:
        bar = ProgressBar(persist=True)
        bar.attach(trainer, output_transform=lambda loss: {"batch loss": loss})

        @trainer.on(Events.EPOCH_COMPLETED)
        def said(engine: Any) -> None:
            for name, evaluator in (("Training", on_train), ("Validation", on_val)):
                m = evaluator.state.metrics
                bar.log_message(
                    f"{name} Results - Epoch: {engine.state.epoch} Avg accuracy: {m['accuracy']:.2f} Avg loss: {m['loss']:.2f}"
                )

    with printed(path):
        seen = ignited(attach)
    return {"train": epochs(seen[0], 1), "val": epochs(seen[1], 1), "digits": 2}


@log(
    "ignite-logging.txt",
    "pytorch-ignite",
    "ignite.utils.setup_logger on trainer and evaluators, metrics logged as in its cifar10 example",
)
def ignite_logging(path: Path) -> dict[str, Any]:
    from ignite.engine import Events
    from ignite.utils import setup_logger

    def attach(trainer: Any, on_train: Any, on_val: Any) -> None:
        trainer.logger = setup_logger("Trainer")
        logger = setup_logger("CIFAR10-Training")

        @trainer.on(Events.EPOCH_COMPLETED)
        def said(engine: Any) -> None:
            for tag, evaluator in (("Train", on_train), ("Test", on_val)):
                rows = "\n".join(f"\t{k}: {v}" for k, v in evaluator.state.metrics.items())
                spent = evaluator.state.times["COMPLETED"]
                logger.info(
                    f"Epoch[{engine.state.epoch}] - Evaluation time (seconds): {spent:.3f}\n - {tag} metrics:\n {rows}"
                )

    with printed(path):
        seen = ignited(attach)
    return {"train": epochs(seen[0], 1), "val": epochs(seen[1], 1), "relative": 1e-9}


@log(
    "ignite-tensorboard",
    "pytorch-ignite",
    "TensorboardLogger, tags training and validation by epoch and batch loss by iteration",
)
def ignite_tensorboard(path: Path) -> dict[str, Any]:
    from ignite.engine import Events
    from ignite.handlers import TensorboardLogger, global_step_from_engine

    folder = scratch(path)

    def attach(trainer: Any, on_train: Any, on_val: Any) -> None:
        logger = TensorboardLogger(log_dir=str(folder))
        for tag, evaluator in (("training", on_train), ("validation", on_val)):
            logger.attach_output_handler(evaluator, Events.EPOCH_COMPLETED, tag=tag, metric_names=["loss", "accuracy"],
                                         global_step_transform=global_step_from_engine(trainer))  # fmt: skip
        trainer.add_event_handler(Events.COMPLETED, lambda _: logger.close())

    seen = ignited(attach)
    kept(folder, path, "*tfevents*")
    at = range(1, len(seen[0]) + 1)
    return {"train": points(seen[0], step=at), "val": points(seen[1], step=at), "relative": 1e-6}


def accelerated(say: Any, tracker: str = "", folder: Path | None = None) -> tuple[list[float], list[float]]:
    """Train with Accelerate as its examples do; return the means over epochs."""
    import torch
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = Accelerator(cpu=True, log_with=tracker or None, project_dir=str(folder) if folder else None)
    if tracker:
        accelerator.init_trackers("tiny")
    model = net()
    model, optimizer, train, val = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), 0.01), *loaders())
    seen: tuple[list[float], list[float]] = ([], [])
    for epoch in range(6):
        for side, batches in enumerate((train, val)):
            model.train(side == 0)
            total = 0.0
            for x, y in batches:
                with torch.set_grad_enabled(side == 0):
                    loss = torch.nn.functional.cross_entropy(model(x), y)
                total += loss.detach().float().item()
                if side == 0:
                    accelerator.backward(loss)
                    optimizer.step()
                    optimizer.zero_grad()
            seen[side].append(total / len(batches))
        say(accelerator, epoch, *(values[-1] for values in seen))
    if tracker:
        accelerator.end_training()
    return seen


@log(
    "accelerate-print.txt", "accelerate", "accelerator.print(f'epoch {epoch}: train_loss: {a:.5f} eval_loss: {b:.5f}')"
)
def accelerate_print(path: Path) -> dict[str, Any]:
    with printed(path):
        seen = accelerated(lambda a, e, t, v: a.print(f"epoch {e}: train_loss: {t:.5f} eval_loss: {v:.5f}"))
    return {"train": epochs(seen[0]), "val": epochs(seen[1]), "digits": 5}


@log(
    "accelerate-perplexity.txt",
    "accelerate",
    "logger.info as run_clm_no_trainer: 'epoch 0: perplexity: 1.9 eval_loss: 0.7', train_loss by log()",
)
def accelerate_info(path: Path) -> dict[str, Any]:
    import logging
    import math

    with printed(path):
        logging.basicConfig(format="%(asctime)s - %(levelname)s - %(name)s - %(message)s", datefmt="%m/%d/%Y %H:%M:%S",
                            level=logging.INFO, force=True)  # fmt: skip
        logger = logging.getLogger("__main__")

        def say(_: Any, epoch: int, train: float, val: float) -> None:
            logger.info(f"epoch {epoch}: perplexity: {math.exp(val)} eval_loss: {val} train_loss: {train}")

        seen = accelerated(say)
        logging.getLogger().handlers.clear()
    return {"train": epochs(seen[0]), "val": epochs(seen[1]), "relative": 1e-9}


@log(
    "accelerate-tensorboard",
    "accelerate",
    "accelerator.log({'train_loss':..., 'eval_loss':...}, step=epoch), log_with='tensorboard'",
)
def accelerate_tensorboard(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    seen = accelerated(lambda a, e, t, v: a.log({"train_loss": t, "eval_loss": v}, step=e), "tensorboard", folder)
    kept(folder, path, "*tfevents*")
    at = range(6)
    return {"train": points(seen[0], step=at), "val": points(seen[1], step=at), "relative": 1e-6}


def loop(seed: int = 0, epochs_: int = 6) -> Any:
    """Train by a plain loop; yield (epoch, batch, batches, batch loss, mean so far, validation loss or None)."""
    import torch

    model = net(seed)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    train, val = loaders()
    for epoch in range(1, epochs_ + 1):
        total, n = 0.0, len(train)
        for k, (x, y) in enumerate(train, 1):
            loss = torch.nn.functional.cross_entropy(model.train()(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            held = None
            if k == n:
                with torch.no_grad():
                    held = sum(torch.nn.functional.cross_entropy(model.eval()(x), y).item() for x, y in val) / len(val)
            yield epoch, k, n, loss.item(), total / k, held


@log("tqdm-postfix.txt", "tqdm", "tqdm(desc=f'Epoch {e}', set_postfix(loss=..)), then tqdm.write of both losses")
def tqdm_postfix(path: Path) -> dict[str, Any]:
    from tqdm import tqdm

    train, val = [], []
    with printed(path, terminal=True):
        bar = None
        for epoch, k, n, _, mean, held in loop():
            bar = bar if k > 1 else tqdm(total=n, desc=f"Epoch {epoch}/6", mininterval=0)
            bar.update()
            bar.set_postfix(loss=f"{mean:.4f}")
            if held is not None:
                bar.close()
                tqdm.write(f"Epoch {epoch}: train loss {mean:.4f}, val loss {held:.4f}")
                train.append(mean)
                val.append(held)
    return {"train": epochs(train, 1), "val": epochs(val, 1), "digits": 4}


@log("tqdm-val-in-bar.txt", "tqdm", "one bar an epoch whose postfix ends with loss and val_loss")
def tqdm_both(path: Path) -> dict[str, Any]:
    from tqdm import tqdm

    train, val = [], []
    with printed(path):
        bar = None
        for epoch, k, n, _, mean, held in loop():
            bar = bar if k > 1 else tqdm(total=n, desc=f"Epoch {epoch}", mininterval=0)
            bar.set_postfix({"loss": mean} if held is None else {"loss": mean, "val_loss": held})
            bar.update()
            if held is not None:
                bar.close()
                train.append(mean)
                val.append(held)
    return {"val": points(val, epoch=range(1, 7), step=range(19, 115, 19)), "significant": 3}


@log("rich-table.txt", "rich", "rich.table.Table(Epoch, Train Loss, Val Loss)")
def rich_table(path: Path) -> dict[str, Any]:
    from rich.console import Console
    from rich.table import Table

    shown = Table("Epoch", "Train Loss", "Val Loss", title="Training")
    ends = [(e, mean, held) for e, _, _, _, mean, held in loop() if held is not None]
    for epoch, mean, held in ends:
        shown.add_row(str(epoch), f"{mean:.4f}", f"{held:.4f}")
    with path.open("w", encoding="utf-8") as file:
        Console(file=file, width=100).print(shown)
    return {"train": epochs([t for _, t, _ in ends], 1), "val": epochs([v for *_, v in ends], 1), "digits": 4}


@log("tabulate-grid.txt", "tabulate", "tabulate(rows, headers='keys', tablefmt='grid')")
def tabulated(path: Path) -> dict[str, Any]:
    from tabulate import tabulate

    ends = [(e, mean, held) for e, _, _, _, mean, held in loop() if held is not None]
    rows = [{"epoch": e, "train_loss": t, "val_loss": v} for e, t, v in ends]
    path.write_text(tabulate(rows, headers="keys", tablefmt="grid") + "\n")
    return {"train": epochs([t for _, t, _ in ends], 1), "val": epochs([v for *_, v in ends], 1), "significant": 6}


@log("pandas-print.txt", "pandas", "print(pandas.DataFrame(history))")
def pandas_print(path: Path) -> dict[str, Any]:
    import pandas as pd

    ends = [(e, mean, held) for e, _, _, _, mean, held in loop() if held is not None]
    with printed(path):
        print(pd.DataFrame(ends, columns=["epoch", "train_loss", "valid_loss"]))
    return {"train": epochs([t for _, t, _ in ends], 1), "val": epochs([v for *_, v in ends], 1), "digits": 6}


@log("loguru.txt", "loguru", "logger.info('Epoch {} | train_loss={:.4f} | val_loss={:.4f}') in a terminal")
def loguru(path: Path) -> dict[str, Any]:
    import sys

    from loguru import logger

    ends = []
    with printed(path, terminal=True):
        logger.remove()
        logger.add(sys.stderr, colorize=True)
        for epoch, _, _, _, mean, held in loop():
            if held is not None:
                ends.append((mean, held))
                logger.info("Epoch {} | train_loss={:.4f} | val_loss={:.4f}", epoch, mean, held)
    return {"train": epochs([t for t, _ in ends], 1), "val": epochs([v for _, v in ends], 1), "digits": 4}


@log("structlog.jsonl", "structlog", "structlog JSONRenderer: event='epoch', phase='train' | 'val'")
def structured(path: Path) -> dict[str, Any]:
    import structlog

    ends = []
    with path.open("w") as file:
        structlog.configure(processors=[structlog.processors.TimeStamper("iso"), structlog.processors.JSONRenderer()],
                            logger_factory=structlog.PrintLoggerFactory(file))  # fmt: skip
        logger = structlog.get_logger()
        for epoch, _, _, _, mean, held in loop():
            if held is not None:
                ends.append((mean, held))
                logger.info("epoch", epoch=epoch, phase="train", loss=mean)
                logger.info("epoch", epoch=epoch, phase="val", loss=held)
    return {"train": epochs([t for t, _ in ends], 1), "val": epochs([v for _, v in ends], 1), "relative": 1e-9}

# ruff: noqa: ARG005, E501, LOG015, TC003  (calls of tools are long)
"""A second set, made after the readers were mended with the first: other settings of the same tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data import table
from make import kept, log, points, printed, scratch
from tools_boosting import rounds
from tools_hf import HOW, STEPS, by_epoch, train, truth
from tools_lightning import of
from tools_lightning import train as lightning
from tools_torch import loop


@log("second-xgboost-early.txt", "xgboost", "xgboost.train(early_stopping_rounds=3, eval_metric='rmse')")
def xgb_early(path: Path) -> dict[str, Any]:
    import xgboost

    x, y, xv, yv = table(classes=False, seed=3)
    sets, seen = (xgboost.DMatrix(x, y), xgboost.DMatrix(xv, yv)), {}
    with printed(path):
        xgboost.train({"eta": 0.5, "nthread": 1}, sets[0], 60, evals=[(sets[0], "train"), (sets[1], "dev")], evals_result=seen,
                      early_stopping_rounds=3, verbose_eval=1)  # fmt: skip
    return {"train": rounds(seen["train"]["rmse"]), "val": rounds(seen["dev"]["rmse"]), "digits": 5}


@log(
    "second-lightgbm-sklearn.txt",
    "lightgbm",
    "LGBMClassifier.fit(eval_set=[(xv, yv), (x, y)], eval_names=['valid', 'train'])",
)
def lgb_sklearn(path: Path) -> dict[str, Any]:
    import lightgbm

    x, y, xv, yv = table(seed=3)
    model = lightgbm.LGBMClassifier(n_estimators=20, num_leaves=7, n_jobs=1, verbose=-1)
    with printed(path):
        model.fit(
            x, y, eval_set=[(xv, yv), (x, y)], eval_names=["valid", "train"], callbacks=[lightgbm.log_evaluation(2)]
        )
    at = range(2, 21, 2)
    sides = {"train": model.evals_result_["train"], "val": model.evals_result_["valid"]}
    return {
        side: points([values["binary_logloss"][k - 1] for k in at], step=at, iteration=at)
        for side, values in sides.items()
    } | {"significant": 6}


@log("second-catboost-two-sets.txt", "catboost", "CatBoostClassifier.fit(eval_set=[first, second])")
def cat_two(path: Path) -> dict[str, Any]:
    import catboost

    x, y, xv, yv = table(seed=3)
    model = catboost.CatBoostClassifier(
        iterations=15, depth=3, train_dir=str(scratch(path)), thread_count=1, random_seed=0
    )
    with printed(path):
        model.fit(x, y, eval_set=[(xv[:50], yv[:50]), (xv[50:], yv[50:])])
    seen = model.get_evals_result()
    return {"train": rounds(seen["learn"]["Logloss"]), "digits": 7,
            "val": rounds(seen["validation_0"]["Logloss"])}  # fmt: skip


@log(
    "second-transformers-best.txt",
    "transformers",
    "Trainer(load_best_model_at_end, compute_metrics, label_smoothing_factor=0.1)",
)
def hf_best(path: Path) -> dict[str, Any]:
    _, seen = train(path, load_best_model_at_end=True, save_strategy="epoch", label_smoothing_factor=0.1,
                    compute_metrics=lambda p: {"accuracy": 0.5}, num_train_epochs=4)  # fmt: skip
    return by_epoch(truth(seen, **HOW))


@log(
    "second-transformers-warnings.txt",
    "transformers",
    "Trainer(eval_strategy='steps', eval_steps=7, logging_steps=3, logging_first_step, gradient_accumulation_steps=2)",
)
def hf_first(path: Path) -> dict[str, Any]:
    _, seen = train(path, **{**STEPS, "eval_steps": 7, "logging_steps": 3}, logging_first_step=True, gradient_accumulation_steps=2,
                    num_train_epochs=4)  # fmt: skip
    return by_epoch(truth(seen, **HOW))


@log("second-lightning-early-stopping.txt", "lightning", "TQDMProgressBar and EarlyStopping(verbose=True)")
def lightning_stop(path: Path) -> dict[str, Any]:
    from lightning.pytorch.callbacks import EarlyStopping, TQDMProgressBar

    with printed(path):
        seen = lightning(scratch(path), how={"prog_bar": True, "on_step": False, "on_epoch": True}, how_val={"prog_bar": True},
                         enable_progress_bar=True, callbacks=[TQDMProgressBar(), EarlyStopping("val_loss", verbose=True)])  # fmt: skip
    sides = {side: points([v for *_, v in seen[side]], epoch=[e for _, e, _ in seen[side]], step=[s + 1 for s, *_ in seen[side]])
             for side in ("train", "val")}  # fmt: skip
    return {**sides, "significant": 3}


@log("second-lightning-loss-train.csv", "lightning", "CSVLogger, names loss/train and loss/valid")
def lightning_names(path: Path) -> dict[str, Any]:
    from lightning.pytorch.loggers import CSVLogger

    folder = scratch(path)
    seen = lightning(
        folder, CSVLogger(folder), names=("loss/train", "loss/valid"), how={"on_step": False, "on_epoch": True}
    )
    path.write_bytes(next(folder.rglob("metrics.csv")).read_bytes())
    return {"train": of(seen["train"]), "val": of(seen["val"]), "relative": 1e-6}


def ends(seed: int = 5) -> list[tuple[int, float, float]]:
    return [(e, mean, held) for e, _, _, _, mean, held in loop(seed) if held is not None]


def sides(rows: list[tuple[int, float, float]], **how: Any) -> dict[str, Any]:
    at = [e for e, *_ in rows]
    return {"train": points([t for _, t, _ in rows], epoch=at), "val": points([v for *_, v in rows], epoch=at), **how}


@log("second-logging.txt", "tqdm", "logging.info('[epoch %02d] training loss=%.3f validation loss=%.3f (best %.3f)')")
def logged(path: Path) -> dict[str, Any]:
    import logging

    rows, best = ends(), 9.0
    with printed(path):
        logging.basicConfig(format="%(asctime)s [%(levelname)s] %(message)s", level=logging.INFO, force=True)
        for e, t, v in rows:
            best = min(best, v)
            logging.info("[epoch %02d] training loss=%.3f validation loss=%.3f (best %.3f)", e, t, v, best)
        logging.getLogger().handlers.clear()
    return sides(rows, digits=3)


@log("second-tabulate-github.md", "tabulate", "tabulate(rows, headers, tablefmt='github')")
def github(path: Path) -> dict[str, Any]:
    from tabulate import tabulate

    rows = ends()
    path.write_text(
        "# Results\n\n" + tabulate(rows, ["epoch", "train loss", "val loss"], "github", floatfmt=".4f") + "\n"
    )
    return sides(rows, digits=4)


@log("second-pandas-markdown.md", "pandas", "DataFrame.to_markdown() with an index")
def pandas_md(path: Path) -> dict[str, Any]:
    import pandas as pd

    rows = ends()
    path.write_text(pd.DataFrame(rows, columns=["Epoch", "Training Loss", "Validation Loss"]).to_markdown() + "\n")
    return sides(rows, significant=6)


@log("second-polars.txt", "polars", "print(polars.DataFrame)")
def polars_(path: Path) -> dict[str, Any]:
    import polars as pl

    rows = ends()
    with printed(path):
        print(pl.DataFrame(rows, schema=["epoch", "train_loss", "valid_loss"], orient="row"))
    return sides(rows, digits=6)


@log("second-prettytable.txt", "prettytable", "PrettyTable(['Epoch', 'Train loss', 'Valid loss', 'LR'])")
def pretty(path: Path) -> dict[str, Any]:
    from prettytable import PrettyTable

    rows = ends()
    shown = PrettyTable(["Epoch", "Train loss", "Valid loss", "LR"])
    for e, t, v in rows:
        shown.add_row([e, f"{t:.4f}", f"{v:.4f}", 0.1])
    path.write_text(str(shown) + "\n")
    return sides(rows, digits=4)


@log(
    "second-tensorboard-keras-like",
    "tensorboard",
    "folders train and validation, tags epoch_loss and evaluation_loss_vs_iterations",
)
def keras_like(path: Path) -> dict[str, Any]:
    from torch.utils.tensorboard import SummaryWriter

    folder, rows = scratch(path), ends()
    for side, k in (("train", 1), ("validation", 2)):
        with SummaryWriter(str(folder / "logs" / "20261128-120000" / side)) as writer:
            for row in rows:
                writer.add_scalar("epoch_loss", row[k], row[0])
                writer.add_scalar("epoch_accuracy", 0.5, row[0])
                if side == "validation":
                    writer.add_scalar("evaluation_loss_vs_iterations", row[k], 19 * row[0])
    kept(folder / "logs", path, "*tfevents*")
    found = sides(rows, relative=1e-6)
    for side in ("train", "val"):
        found[side]["step"] = found[side].pop("epoch")
    return found

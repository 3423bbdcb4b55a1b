# ruff: noqa: E402, E501  (calls of tools are long)
"""Trackers that write on this machine: W&B offline, MLflow, Trackio, DVCLive, Aim, TensorBoard, tensorboardX."""

from __future__ import annotations

import os
import shutil
import sqlite3
import warnings
from pathlib import Path
from typing import Any

os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_CONSOLE="off", WANDB_DISABLE_GIT="true",
                  WANDB_DISABLE_CODE="true", WANDB_X_DISABLE_STATS="true", WANDB_X_DISABLE_META="true",
                  MLFLOW_ALLOW_FILE_STORE="true", GIT_PYTHON_REFRESH="quiet", TRACKIO_DIR="/tmp/logs-of-tools/trackio-home",
                  DO_NOT_TRACK="1", DVC_NO_ANALYTICS="1")  # fmt: skip
warnings.simplefilter("ignore")

from make import kept, log, points, scratch
from tools_torch import loop


def ends(seed: int = 0, epochs: int = 6) -> list[tuple[int, float, float]]:
    """Return (epoch, training loss, validation loss) of a plain loop."""
    return [(e, mean, held) for e, _, _, _, mean, held in loop(seed, epochs) if held is not None]


def of(rows: list[tuple[int, float, float]], **how: Any) -> dict[str, Any]:
    """Return rows as both sides; epochs are steps too."""
    at = [e for e, *_ in rows]
    train, val = ([row[k] for row in rows] for k in (1, 2))
    return {"train": points(train, step=at, epoch=at), "val": points(val, step=at, epoch=at), "relative": 1e-9, **how}


def wandb_run(folder: Path, **options: Any) -> Any:
    import wandb

    settings = wandb.Settings(x_disable_stats=True, x_disable_meta=True, disable_git=True, console="off", silent=True,
                              save_code=False, host="machine", username="user")  # fmt: skip
    return wandb.init(project="tiny", dir=str(folder), mode="offline", settings=settings, **options)


def keep_wandb(folder: Path, path: Path) -> None:
    kept(folder / "wandb", path, "*.wandb")


@log("wandb-epochs", "wandb", "wandb.init(mode='offline'); run.log({'epoch':..., 'train/loss':..., 'val/loss':...})")
def wandb_epochs(path: Path) -> dict[str, Any]:
    folder, rows = scratch(path), ends()
    with wandb_run(folder, config={"lr": 0.1, "batch_size": 16}) as run:
        for e, t, v in rows:
            run.log({"epoch": e, "train/loss": t, "val/loss": v, "lr": 0.1})
    keep_wandb(folder, path)
    found = of(rows)
    for side in ("train", "val"):
        found[side]["step"] = [float(k) for k in range(len(rows))]
    return found


@log(
    "wandb-steps",
    "wandb",
    "run.log({'train_loss':...}, step=k) each batch, run.log({'val_loss':...}, step=k) each epoch",
)
def wandb_steps(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    train, val = [], []
    with wandb_run(folder) as run:
        for k, (_, _, _, loss, _, held) in enumerate(loop(), 1):
            run.log({"train_loss": loss}, step=k)
            train.append((k, loss))
            if held is not None:
                run.log({"val_loss": held}, step=k)
                val.append((k, held))
    keep_wandb(folder, path)
    return {"train": points([v for _, v in train], step=[k for k, _ in train]),
            "val": points([v for _, v in val], step=[k for k, _ in val]), "relative": 1e-9}  # fmt: skip


@log(
    "wandb-nested",
    "wandb",
    "run.log({'train': {'loss':...}, 'val': {'loss':...}, 'epoch':...}), a table and a histogram beside them",
)
def wandb_nested(path: Path) -> dict[str, Any]:
    import wandb

    folder, rows = scratch(path), ends()
    with wandb_run(folder, name="nested") as run:
        for e, t, v in rows:
            run.log({"train": {"loss": t, "acc": 0.5}, "val": {"loss": v}, "epoch": e,
                     "weights": wandb.Histogram([1.0, 2.0, 3.0]), "note": "text"})  # fmt: skip
    keep_wandb(folder, path)
    found = of(rows)
    for side in ("train", "val"):
        found[side]["step"] = [float(k) for k in range(len(rows))]
    return found


@log("wandb-two-runs", "wandb", "two runs in one folder wandb/", run="second")
def wandb_two(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    rows: Any = []
    for seed, name in enumerate(("first", "second")):
        rows = ends(seed)
        with wandb_run(folder, name=name) as run:
            for e, t, v in rows:
                run.log({"epoch": e, "train_loss": t, "val_loss": v})
    keep_wandb(folder, path)
    found = of(rows)
    for side in ("train", "val"):
        found[side]["step"] = [float(k) for k in range(len(rows))]
    return found


@log("wandb-huggingface", "wandb", "transformers.Trainer(report_to='wandb')")
def wandb_hf(path: Path) -> dict[str, Any]:
    from tools_hf import STEPS, train, truth

    folder = scratch(path)
    os.environ["WANDB_DIR"] = str(folder)
    from transformers.integrations import WandbCallback  # noqa: F401

    run = wandb_run(folder)
    _, seen = train(path.with_suffix(".x"), report_to="wandb", **STEPS)
    run.finish()
    keep_wandb(folder, path)
    return truth(seen, relative=1e-9)


@log("wandb-lightning", "wandb", "lightning.pytorch.loggers.WandbLogger(offline=True)")
def wandb_lightning(path: Path) -> dict[str, Any]:
    from lightning.pytorch.loggers import WandbLogger
    from tools_lightning import logged, train
    from tools_lightning import of as taken

    folder = scratch(path)
    run = wandb_run(folder)
    seen = train(folder, WandbLogger(experiment=run, save_dir=str(folder)))
    run.finish()
    keep_wandb(folder, path)
    return {"train": logged(seen["step"]), "val": taken(seen["val"]), "relative": 1e-6}


def mlflow_run(uri: str, rows: Any, name: str, names: tuple[str, str] = ("train_loss", "val_loss")) -> None:
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("tiny")
    with mlflow.start_run(run_name=name):
        mlflow.log_params({"lr": 0.1, "batch_size": 16})
        for e, t, v in rows:
            mlflow.log_metrics({names[0]: t, names[1]: v, "lr": 0.1}, step=e)


def no_epoch(found: dict[str, Any]) -> dict[str, Any]:
    for side in ("train", "val"):
        del found[side]["epoch"]
    return found


@log("mlflow-mlruns", "mlflow", "file store mlruns/, mlflow.log_metrics(step=epoch)")
def mlflow_files(path: Path) -> dict[str, Any]:
    folder, rows = scratch(path), ends()
    mlflow_run((folder / "mlruns").as_uri(), rows, "one")
    kept(folder / "mlruns", path, "metrics/*", "meta.yaml", "tags/mlflow.runName", "params/*")
    return no_epoch(of(rows))


@log("mlflow-mlruns-two", "mlflow", "file store mlruns/ with two runs", run="second")
def mlflow_files_two(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    rows: Any = []
    for seed, name in enumerate(("first", "second")):
        rows = ends(seed)
        mlflow_run((folder / "mlruns").as_uri(), rows, name)
    kept(folder / "mlruns", path, "metrics/*", "meta.yaml", "tags/mlflow.runName")
    return no_epoch(of(rows))


def slim(path: Path, *keep: str) -> None:
    """Shrink a database: its page size, and tables that hold nothing of a log where those that do are named."""
    base = sqlite3.connect(path)
    base.execute("PRAGMA journal_mode=DELETE")
    names = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    base.execute("PRAGMA foreign_keys=OFF")
    for name in names:
        if keep and name not in keep and not name.startswith("sqlite"):
            base.execute(f"DROP TABLE {name}")
    base.commit()
    base.execute("PRAGMA page_size=1024")
    base.execute("VACUUM")
    base.close()


@log("mlflow.db", "mlflow", "sqlite store mlflow.db (tables that hold no metric dropped to keep it small)")
def mlflow_sqlite(path: Path) -> dict[str, Any]:
    folder, rows = scratch(path), ends()
    mlflow_run(f"sqlite:///{folder}/mlflow.db", rows, "one")
    shutil.copy(folder / "mlflow.db", path)
    slim(path, "metrics", "runs", "experiments", "tags", "params", "latest_metrics", "alembic_version")
    return no_epoch(of(rows))


@log("mlflow-two-runs", "mlflow", "folder with a sqlite store mlflow.db of two runs", run="second")
def mlflow_sqlite_two(path: Path) -> dict[str, Any]:
    folder = scratch(path)
    rows: Any = []
    for seed, name in enumerate(("first", "second")):
        rows = ends(seed)
        mlflow_run(f"sqlite:///{folder}/mlflow.db", rows, name, ("train/loss", "val/loss"))
    path.mkdir(exist_ok=True)
    shutil.copy(folder / "mlflow.db", path / "mlflow.db")
    slim(path / "mlflow.db", "metrics", "runs", "experiments", "tags", "params", "latest_metrics", "alembic_version")
    return no_epoch(of(rows))


@log("mlflow-xgboost-autolog", "mlflow", "mlflow.xgboost.autolog() into mlruns/")
def mlflow_autolog(path: Path) -> dict[str, Any]:
    import mlflow
    import xgboost
    from data import table

    folder = scratch(path)
    mlflow.set_tracking_uri((folder / "mlruns").as_uri())
    mlflow.set_experiment("tiny")
    mlflow.xgboost.autolog(log_models=False, log_datasets=False)
    x, y, xv, yv = table()
    sets, seen = (xgboost.DMatrix(x, y), xgboost.DMatrix(xv, yv)), {}
    settings = {"objective": "binary:logistic", "nthread": 1, "eta": 0.2}
    with mlflow.start_run():
        xgboost.train(
            settings, sets[0], 12, evals=[(sets[0], "train"), (sets[1], "valid")], evals_result=seen, verbose_eval=0
        )
    mlflow.xgboost.autolog(disable=True)
    kept(folder / "mlruns", path, "metrics/*", "meta.yaml", "tags/mlflow.runName", "params/*")
    at = range(12)
    return {"train": points(seen["train"]["logloss"], step=at), "val": points(seen["valid"]["logloss"], step=at),
            "relative": 1e-9}  # fmt: skip


@log("mlflow-lightning", "mlflow", "lightning.pytorch.loggers.MLFlowLogger into mlruns/")
def mlflow_lightning(path: Path) -> dict[str, Any]:
    from lightning.pytorch.loggers import MLFlowLogger
    from tools_lightning import logged, train
    from tools_lightning import of as taken

    folder = scratch(path)
    seen = train(folder, MLFlowLogger("tiny", tracking_uri=(folder / "mlruns").as_uri()))
    kept(folder / "mlruns", path, "metrics/*", "meta.yaml", "tags/mlflow.runName")
    return {"train": logged(seen["step"]), "val": taken(seen["val"]), "relative": 1e-6}


def trackio_run(rows: Any, project: str, name: str) -> Path:
    import trackio

    trackio.init(project=project, name=name, config={"lr": 0.1}, embed=False)
    for e, t, v in rows:
        trackio.log({"epoch": e, "train/loss": t, "val/loss": v})
    trackio.finish()
    return Path(os.environ["TRACKIO_DIR"])


@log("trackio", "trackio", "trackio.init(); trackio.log({'epoch':..., 'train/loss':..., 'val/loss':...})")
def trackio_one(path: Path) -> dict[str, Any]:
    home, rows = Path(os.environ["TRACKIO_DIR"]), ends()
    shutil.rmtree(home, ignore_errors=True)
    trackio_run(rows, "tiny", "one")
    kept(home, path, "*.db")
    for file in path.rglob("*.db"):
        slim(file)
    found = of(rows)
    for side in ("train", "val"):
        found[side]["step"] = [float(k) for k in range(len(rows))]
    return found


@log("trackio-two-runs", "trackio", "two runs of one project", run="second")
def trackio_two(path: Path) -> dict[str, Any]:
    home = Path(os.environ["TRACKIO_DIR"])
    shutil.rmtree(home, ignore_errors=True)
    rows: Any = []
    for seed, name in enumerate(("first", "second")):
        rows = ends(seed)
        trackio_run(rows, "pair", name)
    kept(home, path, "*.db")
    for file in path.rglob("*.db"):
        slim(file)
    found = of(rows)
    for side in ("train", "val"):
        found[side]["step"] = [float(k) for k in range(len(rows))]
    return found


@log("dvclive", "dvclive", "Live(save_dvc_exp=False).log_metric('train/loss', ...), next_step()")
def dvclive(path: Path) -> dict[str, Any]:
    from dvclive import Live

    folder, rows = scratch(path), ends()
    os.chdir(folder)
    with Live(str(folder / "dvclive"), save_dvc_exp=False, dvcyaml=None, report=None) as live:
        for _, t, v in rows:
            live.log_metric("train/loss", t)
            live.log_metric("val/loss", v)
            live.log_metric("lr", 0.1)
            live.next_step()
    kept(folder / "dvclive", path)
    found = no_epoch(of(rows))
    for side in ("train", "val"):
        found[side]["step"] = [float(k) for k in range(len(rows))]
    return found


@log("dvclive-lightning", "dvclive", "dvclive.lightning.DVCLiveLogger")
def dvclive_lightning(path: Path) -> dict[str, Any]:
    from dvclive.lightning import DVCLiveLogger
    from tools_lightning import logged, train
    from tools_lightning import of as taken

    folder = scratch(path)
    os.chdir(folder)
    seen = train(folder, DVCLiveLogger(dir=str(folder / "dvclive"), save_dvc_exp=False, dvcyaml=None, report=None))
    kept(folder / "dvclive", path)
    return {"train": logged(seen["step"]), "val": taken(seen["val"]), "relative": 1e-6}


@log(
    "aim", "aim", "aim.Run(repo=...).track(value, 'loss', epoch=..., context={'subset': 'train' | 'val'})", needs="aim"
)
def aim(path: Path) -> dict[str, Any]:
    import aim

    folder, rows = scratch(path), ends()
    run = aim.Run(repo=str(folder), experiment="tiny", system_tracking_interval=None, log_system_params=False,
                  capture_terminal_logs=False)  # fmt: skip
    for k, (e, t, v) in enumerate(rows):
        run.track(t, name="loss", step=k, epoch=e, context={"subset": "train"})
        run.track(v, name="loss", step=k, epoch=e, context={"subset": "val"})
    run.close()
    kept(folder, path)
    for file in (*path.rglob("LOG"), *path.rglob("check_ins/*")):
        file.unlink()
    found = of(rows)
    for side in ("train", "val"):
        found[side]["step"] = [float(k) for k in range(len(rows))]
    return found


@log("tensorboardx", "tensorboardX", "tensorboardX.SummaryWriter.add_scalars('loss', {'train':..., 'val':...})")
def tensorboardx(path: Path) -> dict[str, Any]:
    from tensorboardX import SummaryWriter

    folder, rows = scratch(path), ends()
    with SummaryWriter(str(folder)) as writer:
        for e, t, v in rows:
            writer.add_scalars("loss", {"train": t, "val": v}, e)
    kept(folder, path, "*tfevents*")
    return {**no_epoch(of(rows)), "relative": 1e-6}


@log("tensorboard-two-runs", "tensorboard", "torch's SummaryWriter, runs/first and runs/second", run="second")
def tensorboard_two(path: Path) -> dict[str, Any]:
    from torch.utils.tensorboard import SummaryWriter

    folder = scratch(path)
    rows: Any = []
    for seed, name in enumerate(("first", "second")):
        rows = ends(seed)
        with SummaryWriter(str(folder / "runs" / name)) as writer:
            for e, t, v in rows:
                writer.add_scalar("Loss/train", t, e)
                writer.add_scalar("Loss/val", v, e)
    kept(folder / "runs", path, "*tfevents*")
    return {**no_epoch(of(rows)), "relative": 1e-6}

"""A folder as readers of the documentation have it: their text, runs, tables, logs and scripts, by the pages' names."""

import json
import math
import shutil
from itertools import product

import pandas as pd
import torch
from command_fixture import user_folder
from pages_fixture import ROOT
from run_fixture import quickly

from diagnose import GapRecorder, api

LOGS = ROOT / "tests" / "logs"
WRITTEN = LOGS / "tools" / "written"
NETWORK = """
import torch
from torch import nn
from torch.nn import functional as F


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3))


def train_loss(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none", label_smoothing=0.1)


def val_loss(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")
"""
LEAKY = {
    "data.duplicates": 0.5,
    "tokenizer.kind": "word",
    "optimizer.lr": 1e-2,
    "budget.steps": 60,
    "report.interval": 20,
}
OF_TOOLS = {
    "train.log": LOGS / "cases" / "val-before-train.txt", "monday.log": LOGS / "nanogpt.txt",
    "tuesday.log": LOGS / "nanogpt-overfits.txt", "train.csv": LOGS / "cases" / "two-files" / "train.csv",
    "validation.csv": LOGS / "cases" / "two-files" / "validation.csv", "wandb": WRITTEN / "wandb-two-runs",
    "mlflow.db": WRITTEN / "mlflow-two-runs" / "mlflow.db",
    "lightning_logs/version_3": WRITTEN / "lightning-logs-csv" / "version_0",
}  # fmt: skip
MODELS, SEEDS = ("small", "large"), (0, 1, 2)


def loss(model, seed, of=0):
    return 2.0 - 0.1 * (model == "large") + 0.003 * seed + 0.001 * (seed == 1) * (model == "large") + 0.01 * (of % 7)


def filled(folder, verses, tiny):
    """Fill a folder with all of it; `runs/latest` is a run of which half of the validation text is in training's."""
    for name in ("notes.txt", "verses.txt"):
        shutil.copy(verses, folder / name)
    user_folder(folder)
    (folder / "examples").symlink_to(ROOT / "examples")
    _logs(folder)
    _tables(folder)
    _sweep(folder / "multirun" / "2026-01-05" / "10-11-12")
    _recorded(folder)
    _trained(folder / "runs", tiny)
    return folder


def _logs(folder):
    for name, source in OF_TOOLS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    rows = [f"{step},{3 - 0.02 * step:.4f},{3.1 - 0.015 * step:.4f}\n" for step in range(0, 100, 10)]
    (folder / "metrics.csv").write_text("step,loss,val_loss\n" + "".join(rows), encoding="utf-8")


def _tables(folder):
    rows = [
        {"model": f"{model} {rate}", "lr": rate, "activation": model, "seed": seed,
         "val_loss": loss(model, seed) + 30 * rate, "accuracy": 1.2 - loss(model, seed) / 3}
        for model, rate, seed in product(MODELS, (1e-3, 3e-3), SEEDS)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "results.csv", index=False)
    for model in MODELS:
        own = pd.DataFrame({"seed": SEEDS, "val_loss": [loss(model, seed) for seed in SEEDS]})
        own.to_csv(folder / f"{model}.csv", index=False)
    wide = [{"model": model, **{f"seed{seed}": 1.2 - loss(model, seed) / 3 for seed in SEEDS}} for model in MODELS]
    pd.DataFrame(wide).to_csv(folder / "wide.csv", index=False)
    of_epochs = [
        {"model": model, "seed": seed, "dataset": of, "epoch": epoch, "acc": 1.2 - loss(model, seed) / (2 + epoch)}
        for model, seed, of, epoch in product(MODELS, SEEDS, ("cifar10", "mnist"), (1, 2))
    ]
    pd.DataFrame(of_epochs).to_csv(folder / "all.csv", index=False)
    samples = [
        {"model": model, "seed": seed, "id": of, "passage": of // 3,
         "accuracy": float((of * 7 + seed) % (3 + place) > 0)}
        for (place, model), seed, of in product(enumerate(MODELS), SEEDS, range(24))
    ]  # fmt: skip
    pd.DataFrame(samples).to_parquet(folder / "samples.parquet")


def _sweep(folder):
    """Leave what Hydra's multirun leaves."""
    for number, (model, seed) in enumerate(product(MODELS, SEEDS)):
        job = folder / str(number)
        (job / ".hydra").mkdir(parents=True)
        (job / ".hydra" / "overrides.yaml").write_text(f"- model={model}\n- seed={seed}\n", encoding="utf-8")
        (job / "metrics.json").write_text(json.dumps({"val_loss": loss(model, seed)}), encoding="utf-8")


def _recorded(folder):
    """Record a loop of the network in file.py as `runs/mine`."""
    (folder / "file.py").write_text(NETWORK, encoding="utf-8")
    own = {}
    exec(compile(NETWORK, "file.py", "exec"), own)
    model, draw = own["build"](), torch.Generator().manual_seed(1)
    x = torch.randn(300, 10, generator=draw)
    batches = list(zip(x.split(20), x[:, :3].argmax(1).split(20), strict=True))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    with GapRecorder(folder / "runs" / "mine", model, interval=5) as recorder:
        for batch in batches[:10]:
            optimizer.zero_grad()
            step_loss = own["train_loss"](model, batch).mean()
            step_loss.backward()
            optimizer.step()
            recorder.step(batch, step_loss)
        model.eval()
        for batch in batches[10:]:
            recorder.validation(batch, own["val_loss"](model, batch).mean())


def _trained(runs, tiny):
    given = {"NAME": {}, "OTHER": {"model.dropout": 0.0}, "THIRD": {"optimizer.lr": 1e-2}}
    with quickly():
        for name, keys in given.items():
            api.train("quick", tiny | keys, runs=runs).rename(runs / name)
        api.train("quick", tiny | LEAKY, runs=runs)
    ours = pd.read_parquet(runs / "NAME" / "validation.parquet")
    theirs = ours.assign(model="theirs", seed=0, bits_per_byte=1.1 * ours.nats / ours.bytes / math.log(2))
    theirs[["model", "seed", "document", "bits_per_byte"]].to_csv(runs.parent / "others.csv", index=False)

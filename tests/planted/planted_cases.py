"""Planted causes: small runs on real text whose gap has one or two causes of known kind.

`cause` is what must come out as the largest part (a term, or the group `timing` or `data`); None where a case is there
for its intervals alone. The table grows: a case is a name, the recipe keys that plant it, and the cause.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    cause: str | None
    keys: dict
    quick: bool = False  # run by `make test` too


BASE = {
    "tokenizer.kind": "word", "tokenizer.vocab_size": 600, "model.layers": 2, "model.width": 32, "model.heads": 2,
    "model.dropout": 0.0, "batches.context": 32, "batches.size": 8, "budget.steps": 80, "report.interval": 10,
    "report.train": "interval", "report.val": "full", "report.sample": False, "optimizer.lr": 3e-3, "run.threads": 1,
    "run.device": "cpu",
}  # fmt: skip
PADDED = {"batches.loader": "padded", "batches.context": 48}

CASES = [
    Case("dropout of all kinds", "mode", {"model.dropout": 0.5, "budget.steps": 120, "report.interval": 5}),
    Case("dropout of the embedding alone", "mode", {"model.dropout_embedding": 0.4}, quick=True),
    Case("dropout of an LSTM", "mode", {"model.name": "lstm", "model.dropout": 0.4}),
    Case("dropout on in validation too", None, {"model.dropout": 0.3, "report.val_dropout": True}),
    Case("weights move during one long interval", "timing", {"report.interval": 80}, quick=True),
    Case("mean over an epoch", "timing", {"report.train": "epoch", "budget.steps": 40, "optimizer.lr": 1e-2}),
    Case("decaying average", "timing", {"report.train": "ema", "budget.steps": 60}),
    Case("the luck of one batch", "timing", {"report.train": "last", "batches.size": 1, "model.width": 16}),
    Case("label smoothing", "objective", {"loss.label_smoothing": 0.2}, quick=True),
    Case("weight decay in the loss", "objective", {"loss.weight_decay": 0.01}),
    Case("padding in the mean", "reduction", {**PADDED, "loss.padding": "denominator"}, quick=True),
    Case("padding is a target", "reduction", {**PADDED, "loss.padding": "target"}),
    Case("mean of sequence means", None, {**PADDED, "loss.mean": "sequence"}),
    Case("packed against padded", None, {"report.val_loader": "padded", "budget.steps": 160}),
    Case("bf16 against fp32", None, {"run.precision": "bf16", "report.val_precision": "fp32"}),
    Case("memorised text", "data", {"budget.steps": 500, "model.width": 64, "optimizer.lr": 5e-3}),
    Case("duplicates", None, {"data.duplicates": 1.0, "budget.steps": 400, "model.width": 64}),
    Case("one small validation batch", "draw", {"report.val": "batch", "batches.size": 1, "budget.steps": 60}),
    Case("windows divided after cutting", None, {
        "data.split": "windows", "batches.loader": "windows", "report.val": "batch", "model.dropout": 0.1,
        "budget.steps": 200,
    }),
    Case("dropout and label smoothing", None, {"model.dropout": 0.2, "loss.label_smoothing": 0.1}),
]  # fmt: skip

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
    Case("nothing at all", None, {"report.val": "full", "budget.steps": 200, "report.interval": 5}),
    Case("dropout of attention alone", "mode", {
        "model.dropout_attention": 0.6, "budget.steps": 150, "report.interval": 5, "optimizer.lr": 1e-2,
        "model.dropout_embedding": 0.3,
    }),
    Case("dropout of the residual stream alone", "mode", {
        "model.dropout_residual": 0.5, "report.interval": 5, "budget.steps": 150,
    }),
    Case("slight label smoothing", "objective", {"loss.label_smoothing": 0.05, "report.interval": 5}),
    Case("label smoothing in validation too", None, {"loss.label_smoothing": 0.2, "report.val_objective": "training"}),
    Case("weight decay in both losses", None, {"loss.weight_decay": 0.01, "report.val_objective": "training"}),
    Case("padding in validation's mean", "reduction", {**PADDED, "report.val_padding": "denominator"}),
    Case("padding is validation's target", "reduction", {**PADDED, "report.val_padding": "target"}),
    Case("padding in both means", None, {**PADDED, "loss.padding": "denominator", "report.val_padding": "denominator"}),
    Case("mean of batch means in validation", None, {**PADDED, "report.val_mean": "batch", "report.interval": 5}),
    Case("mean of sequence means in validation", None, {**PADDED, "report.val_mean": "sequence", "report.interval": 5}),
    Case("padded against packed", None, {**PADDED, "report.val_loader": "packed", "budget.steps": 160}),
    Case("masked documents against padded", None, {
        "batches.mask": "document", "report.val_loader": "padded", "budget.steps": 120, "report.interval": 5,
    }),
    Case("accumulated parts", "timing", {"batches.accumulate": 2, "batches.size": 4, "report.interval": 80}),
    Case("mean of parts' means", None, {**PADDED, "batches.accumulate": 2, "batches.size": 4, "loss.mean": "batch"}),
    Case("several validation batches", None, {"report.val": "batch", "report.val_batches": 3}),
    Case("the whole text in windows", None, {"batches.loader": "windows", "batches.order": "random"}),
    Case("text in its own order", None, {"batches.order": "sequential", "data.split": "tail", "report.interval": 5}),
    Case("tail of the text", "data", {"data.split": "tail", "report.interval": 5, "budget.steps": 200}),
    Case("duplicates, half", None, {"data.duplicates": 0.5, "budget.steps": 400, "model.width": 64}),
    Case("dropout and padding in the mean", "reduction", {
        **PADDED, "loss.padding": "denominator", "model.dropout": 0.2,
    }),
    Case("dropout, last step reported", None, {"model.dropout": 0.3, "report.train": "last"}),
    Case("dropout and a decaying average", "timing", {"model.dropout": 0.2, "report.train": "ema"}),
    Case("smoothing and bf16 and dropout", "objective", {
        "loss.label_smoothing": 0.2, "run.precision": "bf16", "report.val_precision": "fp32", "model.dropout": 0.1,
    }),
    Case("dropout and label smoothing", None, {"model.dropout": 0.2, "loss.label_smoothing": 0.1}),
]  # fmt: skip

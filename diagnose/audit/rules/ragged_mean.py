"""Is the mean over tokens or samples, not over means of unequal batches?"""

from __future__ import annotations

from typing import Any

from diagnose.audit.findings import METRIC, Audit, Rule, differ

RAGGED = 1e-3  # of the loss: what averaging may change

RULES = (Rule(
    "ragged-mean", METRIC, 150, "warning",
    "the mean is over tokens, not over means of unequal batches",
    "sum the losses and the numbers of tokens over all batches, and divide once at the end",
    "A mean of batch means gives each token or sample of a small batch (the last one, or one of short documents) "
    "more weight. The result depends on the batch size and on the order.",
    "the mean is over samples, not over means of unequal batches",
    "sum the losses and the numbers of samples over all batches, and divide once at the end",
    reported_so="the reported validation loss is a mean over {mean} means",
),)  # fmt: skip


def judge(audit: Audit, reported: float, whole: float, averaged: str, batches: int, units: str) -> None:
    """Judge by the loss as it is reported, averaged so in words, and by the mean over all tokens or samples."""
    measured: dict[str, Any] = {"reported": reported, f"over_{units}": whole, "batches": batches}
    if differ(reported, whole, RAGGED):
        what = f"a mean {averaged} is {reported:.4f}, one over all {units} {whole:.4f}"
        audit.breaks("ragged-mean", what, fix=RULES[0].mended(text=units == "tokens"), **measured)
    else:
        audit.keeps("ragged-mean", **measured)

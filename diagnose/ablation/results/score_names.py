"""Which side of a score is better, as its name tells, and of what kind its values are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import numpy as np

from diagnose.records.score_records import ScoreMetric
from diagnose.stats.proportions import is_binary

if TYPE_CHECKING:
    from numpy.typing import NDArray

HIGHER = frozenset((
    "acc", "accuracy", "f1", "auc", "auroc", "auprc", "bleu", "rouge", "meteor", "em", "match", "exact",
    "precision", "recall", "map", "ndcg", "mrr", "iou", "dice", "psnr", "ssim", "r2", "reward", "return", "returns",
    "score", "correct", "pass", "win", "winrate", "success", "mcc", "kappa", "spearman", "pearson", "throughput",
))  # fmt: skip
LOWER = frozenset((
    "loss", "nll", "error", "err", "perplexity", "ppl", "wer", "cer", "ter", "mse", "mae", "rmse", "bpb", "bpc", "bits",
    "nats", "fid", "latency", "seconds", "time", "ece", "brier", "regret", "crossentropy", "entropy", "xent",
    "toxicity",
))  # fmt: skip
_BETWEEN = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])")
MOST_COUNT = 10_000_000  # whole numbers beyond are taken for numbers


def metric_of(name: str, score: NDArray[np.float64], higher: bool | None) -> ScoreMetric:
    """Return a score's metric.

    Args:
        name: of its column.
        score: all of its values.
        higher: whether higher is better, as an option says; None to go by the name.
    """
    if higher is not None:
        return ScoreMetric(name=name, better="higher" if higher else "lower", told_by="option", kind=_kind(score))
    better = better_side(name)
    return ScoreMetric(name=name, better=better, told_by="name" if better else "", kind=_kind(score))


def better_side(name: str) -> Literal["lower", "higher", ""]:
    """Return which side of a score is better: the last word of its name that says so; "" where none does."""
    for part in reversed(_BETWEEN.split(name)):
        words = {part.lower(), part.lower().rstrip("0123456789")}  # f1, and acc5
        if words & LOWER:
            return "lower"
        if words & HIGHER:
            return "higher"
    return ""


def _kind(score: NDArray[np.float64]) -> Literal["binary", "counts", "bounded", "numbers"]:
    if is_binary(score):
        return "binary"
    low, high = float(score.min()), float(score.max())
    if low >= 0 and high < MOST_COUNT and bool((score == np.round(score)).all()):
        return "counts"
    return "bounded" if low >= 0 and high <= 1 else "numbers"

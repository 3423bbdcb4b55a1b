"""What the name of a logged value says: whose loss it is, in which unit, and what it is a mean of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

VAL = frozenset({
    "val", "valid", "validation", "validating", "validate", "eval", "evaluation", "dev", "heldout", "test", "testing",
    "tel",
})  # fmt: skip
TRAIN = frozenset({"train", "training", "trn", "trl"})
LOSS = frozenset({"loss", "losses", "nll", "ce", "xent", "crossentropy", "entropy", "trl", "tel"})
BITS = frozenset(("bpb",))
PERPLEXITY = frozenset(("ppl", "perplexity"))
SPANS = {
    "epoch": "epoch", "step": "step", "batch": "batch", "minibatch": "batch", "mean": "mean", "avg": "mean",
    "average": "mean", "averaged": "mean", "smooth": "smooth", "smoothed": "smooth", "ema": "smooth",
    "running": "smooth", "final": "mean",
}  # fmt: skip
NEUTRAL = frozenset({
    "mini", "total", "lm", "model", "cross", "mlm", "current", "on", "per", "the", "set", "data", "nats", "token",
    "tokens", "value",
})  # fmt: skip
FOREIGN = frozenset({
    "scale", "scaler", "best", "min", "max", "lowest", "aux", "auxiliary", "balance", "router", "z", "kl", "delta",
    "diff", "improved", "improvement", "previous", "prev", "target", "patience", "from", "std", "var", "stderr",
    "accuracy", "acc", "ratio", "weight", "coef", "coeff", "over", "num", "n", "count", "distill", "grad", "norm",
    "time", "seconds", "runtime", "steps", "samples",
})  # fmt: skip
STEP = frozenset({"step", "steps", "iter", "iters", "iteration", "iterations", "batch", "batches", "update", "updates"})
EPOCH = frozenset(("epoch", "epochs", "ep"))
MOST = 200  # characters of a name that are looked at
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORDS = re.compile(r"[a-z]+|\d+")


@dataclass(frozen=True)
class Meaning:
    """What a name says.

    Attributes:
        side: "train", "val", or "" where it names none.
        kind: "loss" (nats or whatever the loop's unit is), "bits" (bits per byte), "perplexity", or "" for no loss.
        span: what the value is a mean of: "batch", "step", "epoch", "mean", "smooth", or "" where it does not say.
    """

    side: str
    kind: str
    span: str


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """Return a name's words in lower case: "valLoss_epoch" gives val, loss, epoch."""
    return tuple(_WORDS.findall(_CAMEL.sub(" ", name[-MOST:]).lower()))


@lru_cache(maxsize=4096)
def meaning(name: str) -> Meaning:
    """Return what a name says; of a W&B export's "run - train/loss" the part after the run's name counts."""
    found = words(name.rpartition(" - ")[2])
    held = set(found)
    span = next((SPANS[word] for word in found if word in SPANS), "")
    side = "val" if held & VAL else "train" if held & TRAIN else ""
    if held & FOREIGN:
        return Meaning(side, "", span)
    if "entropy" in held and "cross" not in held:
        held -= {"entropy"}
    kind = "bits" if held & BITS else "perplexity" if held & PERPLEXITY else "loss" if held & LOSS else ""
    return Meaning(side, kind, span)


def is_step(name: str) -> bool:
    """Say whether a column counts steps."""
    return name.strip().lower().rpartition("/")[2] in {
        "step", "_step", "global_step", "iteration", "iter", "steps", "train_step", "trainer_step", "_global_step",
    }  # fmt: skip


def is_epoch(name: str) -> bool:
    """Say whether a column counts epochs."""
    return name.strip().lower().rpartition("/")[2] in EPOCH


def is_seconds(name: str) -> bool:
    """Say whether a column holds seconds since some start."""
    return name.strip().lower() in {"_runtime", "elapsed", "seconds", "wall time", "wall_time", "_timestamp"}

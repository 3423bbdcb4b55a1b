"""Rows whose settings differ: those of a sweep, or of a table of results, are runs and no curve.

A row's settings are what stands before its losses under the name of one ("hidden 64", "batch_size"). Rows are runs
where no two have the same settings. A learning rate may follow a schedule, so rates alone tell runs apart only where
they are round and no schedule's: they go up and down, or change by a factor each time.
"""

from __future__ import annotations

import itertools
import re

from diagnose.logs.names import words

MOST_ROWS = 512  # of a sweep
FEWEST = 2
DIGITS = 2  # significant ones of a setting that somebody chose
TIMES = 1.9  # from one rate of a sweep to the next
LONGEST = 2  # words of a setting
FIXED = frozenset({
    "hidden", "width", "depth", "layers", "heads", "units", "neurons", "nodes", "filters", "channels", "degree",
    "dropout", "batch size", "batchsize", "bs", "mbs", "n embd", "d model", "embed dim", "embedding dim",
    "embedding size", "latent dim", "kernel size", "max depth", "num leaves", "n estimators", "min child weight",
    "subsample", "lora r", "lora rank", "reg", "regularization", "regularisation", "reg strength", "train size",
    "training size", "n train", "optimizer", "activation", "context", "block size", "seq len", "weight init",
    "polynomial degree", "model size", "params", "window size", "epochs",
    "smoothing", "sigma", "noise", "margin", "features", "components", "clusters",
})  # fmt: skip
SCHEDULED = frozenset({
    "lr", "learning rate", "learningrate", "lrate", "wd", "weight decay", "momentum", "temperature", "alpha", "beta",
    "gamma", "lambda", "lam", "eta", "l2 reg", "kl weight", "mu", "tau",
})  # fmt: skip
BESIDE = frozenset({
    "n", "num", "number", "of", "the", "with", "for", "using", "dim", "size", "rate", "param", "init", "initial",
    "base", "max",
})  # fmt: skip
KINDS = ("fixed", "scheduled")  # settings that stay in a run, and those that may move
_MANTISSA = re.compile(r"[^0-9]|[eE].*")


def setting(name: str) -> str:
    """Return "fixed" for the name of a setting that stays in a run, "scheduled" for one that may move, else ""."""
    name_words = words(name.replace("_", " "))
    ends = [" ".join(name_words[-size:]) for size in range(min(LONGEST, len(name_words)), 0, -1)]
    ends += [" ".join(word for word in name_words if word not in BESIDE)]
    return next(("scheduled" if end in SCHEDULED else "fixed" for end in ends if end in SCHEDULED | FIXED), "")


class RowSettings:
    """The settings of the rows of a log while it is read.

    Attributes:
        open: whether its rows may still be runs.
        places: of each row, where in the log.
        heads: its settings as text.
    """

    def __init__(self) -> None:
        self.open = True
        self.places: list[int] = []
        self.heads: list[str] = []
        self._rates: list[tuple[float, ...]] = []
        self._epochs: list[float] = []
        self._fixed: list[tuple[str, ...]] = []

    def add(self, place: int, head: str, fixed: tuple[str, ...], rates: tuple[str, ...], epoch: float | None) -> None:
        """Take a row's settings: all of them as text, those that stay in a run, those that may move."""
        chosen = all(len(_MANTISSA.sub("", rate).strip("0")) <= DIGITS for rate in rates)
        if not self.open or head in self.heads or len(self.heads) >= MOST_ROWS or not (chosen or any(fixed)):
            self.open = False
            self.heads, self.places = [], []
            return
        self.places.append(place)
        self.heads.append(head)
        self._fixed.append(fixed)
        self._rates.append(tuple(map(_number, rates)))
        self._epochs += [] if epoch is None else [epoch]

    def runs(self) -> int:
        """Return how many runs there are, 0 where rows are no runs."""
        if not self.open or len(self.heads) < FEWEST or _rises(self._epochs):
            return 0
        if len(set(self._fixed)) > 1 or len(self._rates[0]) == 0:
            return len(self.heads)
        moves = [column for column in zip(*self._rates, strict=False) if len(set(column)) > 1]
        return len(self.heads) if moves and not all(map(_is_schedule, moves)) else 0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _rises(epochs: list[float]) -> bool:
    """Say whether rows follow each other in a run."""
    return len(epochs) > 1 and all(first < second for first, second in itertools.pairwise(epochs))


def _is_schedule(rates: tuple[float, ...]) -> bool:
    """Say whether rates may be those of one run: they go one way, in steps of less than a sweep's."""
    steps = [(first, second) for first, second in itertools.pairwise(rates) if first != second]
    if len({first < second for first, second in steps}) > 1:
        return False
    return any(max(pair) < TIMES * min(pair) for pair in steps)

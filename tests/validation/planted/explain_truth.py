"""The ledger of two sides by brute force: loops over all data, all orders, many masks; no diagnose.gap.sources.

What a side *is* (its batches, its objective, how it averages) is the user's; what a term *means* is written out here
once more, in float64 sums and loops.
"""

import copy
import math
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

import numpy as np
import torch

MASKS = 5  # redrawn masks of all data, averaged
BITS, FEWEST, SHORTEST, LONGEST = 130, 80, 8, 32  # what a passage holds, where rows are short, and its tokens


@dataclass
class Planted:
    """What a case gives to `explain_gap`, and what the truth may know beside it.

    Attributes:
        steps: of a recorded loop: (batch, random state before the model ran, loss as logged), all of them.
        window: how many of the last steps the reported training loss averages.
        shown: the validation batches that a recorded loop reported on.
        random: whether reading the batches again gives others (augmentation), so that they are redrawn too.
    """

    model: Any
    train: Any
    val: Any
    recorder: Any = None
    budget: Any = "1000 batches"
    steps: list = field(default_factory=list)
    window: int = 0
    shown: list = field(default_factory=list)
    random: bool = False


@dataclass(frozen=True)
class How:
    """A condition, written out: training mode, objective, autocast, reduction, and which batches."""

    mode: str
    objective: Any
    precision: Any
    reduction: str
    collation: str


def read(planted, batches, how, wanted=None, turns=None):
    """Return the loss of batches; `wanted` holds (batch, sample) pairs. Each turn draws masks (and data) anew."""
    luck = how.mode == "train" and any(getattr(m, "p", 0) or getattr(m, "dropout", 0) for m in planted.model.modules())
    turns = turns or (MASKS if luck or planted.random else 1)
    return float(np.mean([_once(planted.model, batches, how, wanted, 1000 + turn) for turn in range(turns)]))


def _once(model, batches, how, wanted, seed):
    net = copy.deepcopy(model)
    net.train(how.mode == "train")
    torch.manual_seed(seed)
    cells = []  # (sum of losses, what it is divided by, what the quotient counts)
    for number, batch in enumerate(batches):
        for nats, weights in _samples(net, batch, how, None if wanted is None else (number, wanted)):
            cells.append((number, nats, weights))
    return _mean(cells, how.reduction)


def _samples(net, batch, how, wanted):
    """Return (losses, weights) for each sample of a batch; one pair where the objective gives a scalar."""
    precision = how.precision
    cast = torch.autocast("cpu", dtype=precision or torch.bfloat16, enabled=bool(precision))
    with torch.no_grad(), cast:
        found = how.objective(net, batch)
    table = found if isinstance(found, dict) else {"loss": found}
    loss = table["loss"].double()
    if loss.dim() == 0:
        return [(loss.reshape(1), torch.ones(1).double())]
    weights = table.get("weights", torch.ones_like(loss)).double()
    rows = range(len(loss)) if wanted is None else [k for k in range(len(loss)) if (wanted[0], k) in wanted[1]]
    return [(loss[k].reshape(-1), weights[k].reshape(-1)) for k in rows]


def _mean(cells, reduction):
    """Return the loss, looping over what is averaged first."""
    if reduction == "mean":
        return float(sum((n * w).sum() for _, n, w in cells) / sum(w.sum() for _, _, w in cells))
    if reduction == "sample":
        return float(np.mean([float((n * w).sum() / w.sum()) for _, n, w in cells if w.sum() > 0]))
    batches = {}
    for number, n, w in cells:
        total, weight, count = batches.get(number, (0.0, 0.0, 0))
        batches[number] = (total + float((n * w).sum()), weight + float(w.sum()), count + 1)
    if reduction == "sum":
        return float(np.mean([total for total, _, _ in batches.values()]))
    sizes = [count if reduction == "weighted" else 1 for _, _, count in batches.values()]
    means = [total / weight for total, weight, _ in batches.values()]
    return float(np.average(means, weights=sizes))


class Truth:
    """All terms of a planted case."""

    def __init__(self, planted):
        self.planted = planted
        train, val = planted.train, planted.val
        if planted.recorder is not None:
            self.train_text = [batch for batch, _, _ in planted.steps[: -planted.window] or planted.steps]
            self.val_text = planted.shown
            self.start = How("train", train, None, "batch", "own")
            self.end = self.apart = How("eval", val, None, "batch", "own")
            return
        self.train_text, self.val_text = train.batches, val.batches
        self.start = How(train.mode or "train", train.objective, train.autocast, train.reduction, "own")
        last = "own" if train.plain is None else "plain"
        self.end = How(val.mode or "eval", val.objective, val.autocast, val.reduction, last)
        by_batch = val.reduction in ("batch", "weighted")  # what that does is taken on validation's own batches
        self.apart = replace(self.end, reduction="mean") if by_batch else self.end

    def terms(self):
        """Return every term; unseen and leak joined under "data" too."""
        values = self.conditions() | self.data()
        return values | (self.recorded() if self.planted.recorder is not None else self.reported())

    def at(self, changed):
        """Return the training data's loss with these conditions on validation's side."""
        names = ("mode", "objective", "precision", "reduction", "collation")
        how = How(*(getattr(self.apart if name in changed else self.start, name) for name in names))
        text = self.planted.train.plain if how.collation == "plain" else self.train_text
        return read(self.planted, text, how)

    def conditions(self):
        """Return each condition's Shapley value: its change averaged over all orders."""
        names = ("mode", "objective", "precision", "reduction", "collation")
        players = [name for name in names if getattr(self.start, name) != getattr(self.apart, name)]
        known, total = {}, dict.fromkeys(names, 0.0)
        for order in permutations(players):
            for place, player in enumerate(order):
                for upto, sign in ((place + 1, 1), (place, -1)):
                    key = frozenset(order[:upto])
                    if key not in known:
                        known[key] = self.at(key)
                    total[player] += sign * known[key] / math.factorial(len(players))
        self.first, self.last = (known.get(frozenset(some)) or self.at(frozenset(some)) for some in ((), players))
        if self.apart != self.end:
            own, alike = (read(self.planted, self.val_text, how) for how in (self.end, self.apart))
            total["reduction"] += own - alike
        return total

    def data(self):
        """Return unseen and leak, apart and together."""
        whole = read(self.planted, self.val_text, self.apart)
        unseen = self.unseen()
        alone = read(self.planted, self.val_text, self.apart, unseen) if unseen else None
        out = {"data": whole - self.last, "unseen": None, "leak": None}
        return out if alone is None else out | {"unseen": alone - self.last, "leak": whole - alone}

    def unseen(self):
        """Return (batch, sample) of validation samples that training has not: by group, by values, by passages."""
        train, val = self.planted.train, self.planted.val
        if getattr(train, "groups", None) and getattr(val, "groups", None):
            known = {name for batch in self.train_text for name in train.groups(batch).tolist()}
            rows = [[(name,) for name in val.groups(batch).tolist()] for batch in self.val_text]
            return {(b, k) for b, some in enumerate(rows) for k, (name,) in enumerate(some) if name not in known}
        text = self.train_text if getattr(train, "plain", None) is None else train.plain
        wholes, known, length = set(), set(), passage(next(iter(text))[0])
        for batch in text:
            for row in batch[0].flatten(1).tolist():
                wholes.add(tuple(row))
                known |= passages(row, length)
        out = set()
        for number, batch in enumerate(self.val_text):
            for k, row in enumerate(batch[0].flatten(1).tolist()):
                some = passages(row, length)
                near = bool(some) and sum(one in known for one in some) >= len(some) / 2
                if tuple(row) not in wholes and not near:
                    out.add((number, k))
        return out

    def reported(self):
        """Return timing, draw and residual of given sides."""
        train, val, out = self.planted.train, self.planted.val, {"lag": None, "recency": None}
        seen_train, seen_val = self.first, read(self.planted, self.val_text, self.end)
        whole = seen_val
        if train.reported_on is not None:
            seen_train = read(self.planted, train.reported_on, self.start, turns=4 * MASKS)
            out["recency"] = self.first - seen_train
        if val.reported_on is not None:
            seen_val = read(self.planted, val.reported_on, self.end, turns=4 * MASKS)
        residual = 0.0 if train.reported is None else seen_train - train.reported
        residual += 0.0 if val.reported is None else val.reported - seen_val
        return out | {"draw": seen_val - whole, "residual": residual}

    def recorded(self):
        """Return timing of a recorded loop: its steps with final weights and their own masks."""
        window = self.planted.steps[-self.planted.window :]
        net = copy.deepcopy(self.planted.model).train()
        losses = []
        for batch, state, _ in window:
            torch.set_rng_state(state)
            with torch.no_grad():
                losses.append(float(self.planted.train(net, batch).double().mean()))
        again, logged = float(np.mean(losses)), float(np.mean([loss for _, _, loss in window]))
        return {"lag": again - logged, "recency": self.first - again, "draw": 0.0, "residual": 0.0}


def passage(tokens):
    """Return how many tokens hold 130 bits; if that is less, three quarters of a row, but 80 bits; 0 for no tokens."""
    if tokens.is_floating_point():
        return 0
    shares = [count / tokens.numel() for count in Counter(tokens.flatten().tolist()).values()]
    bits = -sum(share * math.log2(share) for share in shares)
    wanted = min(round(BITS / bits), 3 * tokens.shape[1] // 4)
    return min(max(wanted, round(FEWEST / bits), SHORTEST), LONGEST)


def passages(row, length):
    """Return a row's passages but those of which more than a third is their first or last token: padding."""
    some = [tuple(row[k : k + length]) for k in range(len(row) - length + 1)] if length else []
    return {one for one in some if max(one.count(one[0]), one.count(one[-1])) <= length / 3}

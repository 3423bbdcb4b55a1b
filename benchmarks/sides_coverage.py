"""How often `explain_gap`'s 95 % intervals hold the truth: `python benchmarks/sides_coverage.py [replications] [name]`.

Small networks are trained once; their populations are distributions that can be drawn from without end. The truth is
read by plain torch on a hundred thousand samples and masks. Each replication draws both sides' data anew, and with
them the masks, the augmentation and the tool's own seed, and asks `explain_gap` alone. Terms that are exact have no
interval and are not counted.

Counts are written as they grow to `sides_coverage.json` in the working folder; prints a Markdown table.
"""

import copy
import itertools
import json
import math
import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from scipy.stats import binom
from torch import nn
from torch.nn import functional as F

from diagnose import Side, explain_gap
from diagnose import random as seeding
from diagnose.gap.recorder.recording import RecordedStep, Recording

WIDTH, CLASSES, SIZE = 8, 4, 32
MANY = 120_000  # samples of the truth
TRUE_BATCHES = 6_000
BLOCK = 50  # replications of a set-up before the next one's turn


def points(count, draw, noise=1.5, classes=CLASSES):
    """Return inputs and classes of blobs."""
    centres = torch.randn(classes, WIDTH, generator=torch.Generator().manual_seed(99))
    y = torch.randint(0, classes, (count,), generator=draw)
    return centres[y] + noise * torch.randn(count, WIDTH, generator=draw), y


def cut(data, size=SIZE):
    return list(zip(*(part.split(size) for part in data), strict=True))


class Net(nn.Module):
    def __init__(self, p=0.0, norm=False, classes=CLASSES):
        super().__init__()
        middle = [nn.BatchNorm1d(24)] if norm else []
        self.layers = nn.Sequential(
            nn.Linear(WIDTH, 24), *middle, nn.ReLU(), nn.Dropout(p), nn.Linear(24, classes)
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


def fit(model, loss, batches, steps=150):
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for step in range(steps):
        optimizer.zero_grad()
        loss(model, batches[step % len(batches)]).mean().backward()
        optimizer.step()
    return model


def plain(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def smoothed(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none", label_smoothing=0.2)


def in_batch(model, batch):
    """Contrast each sample with the others of its batch."""
    z, other = (F.normalize(model(x), dim=1) for x in (batch[0], batch[0] + 0.3))
    return F.cross_entropy(z @ other.T / 0.2, torch.arange(len(z)), reduction="none")


def scalar(model, batch):
    return plain(model, batch).mean()


def counted(model, batch):
    """Give the loss of each of a sample's elements, of which the first `batch[2]` count."""
    loss = (model(batch[0])[:, :CLASSES] - batch[0][:, :CLASSES]).square() * (1 + batch[2][:, None] / 2)
    return {"loss": loss, "weights": (torch.arange(CLASSES)[None] < batch[2][:, None]).float()}


def ragged(count, draw):
    x, y = points(count, draw)
    return x, y, torch.randint(1, CLASSES + 1, (count,), generator=draw)


@torch.no_grad()
def true_mean(model, loss, batches, mode="eval"):
    """Return the mean of all losses of batches, each batch with masks of its own."""
    found = copy.deepcopy(model).train(mode == "train")
    return float(torch.cat([loss(found, batch).reshape(-1).double() for batch in batches]).mean())


def shapley(players, value):
    """Return each player's change of `value(frozenset)`, averaged over all orders."""
    out, known = defaultdict(float), {}
    for order in itertools.permutations(players):
        for place, player in enumerate(order):
            for upto, sign in ((place + 1, 1), (place, -1)):
                key = frozenset(order[:upto])
                known.setdefault(key, value(key))
                out[player] += sign * known[key] / math.factorial(len(players))
    return dict(out)


@dataclass(frozen=True)
class Setup:
    """A set-up: `sides(draw)` returns model, sides and perhaps a record; `truth()` the true value of its terms."""

    name: str
    sides: object
    truth: object
    budget: str = "1000 batches"


def trained(p=0.0, norm=False, loss=plain, seed=3, maker=points):
    torch.manual_seed(seed)
    some = cut(maker(320, torch.Generator().manual_seed(seed)))
    return fit(Net(p, norm), loss, some).eval()


def big(seed=1, count=MANY, maker=points, size=MANY, **more):
    return cut(maker(count, torch.Generator().manual_seed(seed), **more), size)


def conditions():
    """Dropout and smoothing in training, averaged weights in validation, on harder data."""
    model = trained(0.4, loss=smoothed)
    other = copy.deepcopy(model)
    for weight in other.parameters():
        weight.data.mul_(0.7)

    def sides(draw):
        train, val = cut(points(192, draw)), cut(points(160, draw, noise=1.8))
        return model, Side(train, smoothed), Side(val, plain, model=other)

    def truth():
        train, val = big(), big(2, noise=1.8)

        def value(changed):
            read, loss = other if "weights" in changed else model, plain if "objective" in changed else smoothed
            return true_mean(read, loss, train * 3, "eval" if "mode" in changed else "train")

        out = shapley(("mode", "objective", "weights"), value)
        end, whole = true_mean(other, plain, train), true_mean(other, plain, val)
        on = true_mean(other, plain, val * 3, "train") - true_mean(other, plain, train * 3, "train")
        return out | {"unseen": whole - end, "matched": whole - end, "matched_on": on}

    return Setup("dropout, smoothing, averaged weights, harder data", sides, truth)


class Disturbed:
    def __init__(self, batches, amount=0.8):
        self.batches, self.amount = batches, amount

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return ((x + self.amount * torch.randn_like(x), y) for x, y in self.batches)


def augmentation():
    model = trained(0.3)

    def sides(draw):
        train, val = cut(points(192, draw)), cut(points(160, draw))
        return model, Side(Disturbed(train), plain, plain=train), Side(val, plain)

    def truth():
        train = big()

        def value(changed):
            some = train if "collation" in changed else [b for _ in range(3) for b in Disturbed(train)]
            return true_mean(model, plain, some, "eval" if "mode" in changed else "train")

        return shapley(("mode", "collation"), value) | {"unseen": 0.0, "matched": 0.0}

    return Setup("augmentation and dropout", sides, truth)


def averaging(first, second):
    """Elements that count are ragged, and more of them go with larger losses."""
    torch.manual_seed(5)
    model = Net().eval()

    def sides(draw):
        return model, *(Side(cut(ragged(n, draw), 16), counted, reduction=r) for n, r in ((192, first), (160, second)))

    def mean_of(reduction):
        with torch.no_grad():
            found = counted(model, ragged(MANY, torch.Generator().manual_seed(1)))
        nats, weights = (found["loss"] * found["weights"]).double(), found["weights"].double()
        if reduction == "sample":
            return float((nats.sum(1) / weights.sum(1)).mean())
        if reduction == "batch":
            return float((nats.reshape(-1, 16 * CLASSES).sum(1) / weights.reshape(-1, 16 * CLASSES).sum(1)).mean())
        return float(nats.sum() / weights.sum())

    def truth():
        return {"reduction": mean_of(second) - mean_of(first), "unseen": 0.0, "matched": 0.0}

    return Setup(f"ragged elements, {first} and {second}", sides, truth)


def negatives():
    torch.manual_seed(3)
    some = cut(points(320, torch.Generator().manual_seed(3)))
    model = fit(Net(), in_batch, some).eval()

    def sides(draw):
        return model, Side(cut(points(192, draw), 32), in_batch), Side(cut(points(128, draw), 8), in_batch)

    def truth():
        small, large = (true_mean(model, in_batch, big(count=TRUE_BATCHES * 16, size=n)) for n in (8, 32))
        return {"batching": small - large, "unseen": 0.0, "matched": 0.0}

    return Setup("in-batch negatives, batches of 32 and 8", sides, truth)


def norm():
    model = trained(norm=True)
    val_noise = 1.8

    def sides(draw):
        return model, Side(cut(points(192, draw), 8), plain), Side(cut(points(160, draw, noise=val_noise)), plain)

    def truth():
        on = true_mean(model, plain, big(count=TRUE_BATCHES * 16, size=8), "train")
        off, val = true_mean(model, plain, big()), true_mean(model, plain, big(2, noise=val_noise))
        return {"mode": off - on, "unseen": val - off, "matched": val - off}

    return Setup("batch norm of batches of 8, harder data", sides, truth)


def copies():
    """A third of validation is training's, which is easier than what is new."""
    model = trained()

    def sides(draw):
        train, new = points(192, draw), points(128, draw, noise=2.2)
        val = tuple(torch.cat([old[:64], fresh]) for old, fresh in zip(train, new, strict=True))
        order = torch.randperm(192, generator=draw)
        return model, Side(cut(train), plain), Side(cut(tuple(part[order] for part in val)), plain)

    def truth():
        easy, hard = true_mean(model, plain, big()), true_mean(model, plain, big(2, noise=2.2))
        whole = (easy + 2 * hard) / 3
        return {"unseen": hard - easy, "leak": whole - hard, "matched": whole - easy}

    return Setup("a third of validation is training's", sides, truth)


def one_batch():
    """Both reported losses are of one batch, with dropout on for training's; neither side is whole."""
    model = trained(0.4)

    def sides(draw):
        train, val = points(480, draw), points(480, draw)
        shown = [cut(data)[0] for data in (train, val)]
        torch.manual_seed(int(torch.randint(1 << 30, (), generator=draw)))
        first = true_mean(model, plain, shown[:1], "train")
        return (
            model,
            Side(cut(train)[1:], plain, reported=first, reported_on=shown[:1]),
            Side(cut(val)[1:], plain, reported_on=shown[1:]),
        )

    def truth():
        mode = true_mean(model, plain, big()) - true_mean(model, plain, big() * 3, "train")
        return {"mode": mode, "recency": 0.0, "unseen": 0.0, "matched": 0.0}

    return Setup("one batch reported on each side, dropout", sides, truth, "8 batches")


class Draws:
    """Batches at random places, as nanoGPT's `get_batch`."""

    def __init__(self, data, count):
        self.data, self.count = data, count

    def __len__(self):
        return self.count

    def __iter__(self):
        for _ in range(self.count):
            index = torch.randint(len(self.data[1]), (SIZE,))
            yield self.data[0][index], self.data[1][index]


def redrawn():
    """Both loaders draw anew; what was reported is another draw, of as many batches."""
    model = trained(0.3)

    def sides(draw):
        train, val = points(20_000, draw), points(20_000, draw)
        torch.manual_seed(int(torch.randint(1 << 30, (), generator=draw)))
        reported = true_mean(model, plain, list(Draws(val, 6)))
        return model, Side(Draws(train, 8), plain), Side(Draws(val, 6), plain, reported=reported)

    def truth():
        mode = true_mean(model, plain, big()) - true_mean(model, plain, big() * 3, "train")
        return {"mode": mode, "unseen": 0.0, "residual": 0.0, "matched": 0.0}

    return Setup("loaders that draw anew, another draw reported", sides, truth)


class Always(Net):
    """Dropout that `eval()` does not switch off."""

    def forward(self, x):
        for layer in self.layers:
            x = F.dropout(x, 0.4) if isinstance(layer, nn.Dropout) else layer(x)
        return x


def always():
    torch.manual_seed(3)
    model = fit(Always(), plain, cut(points(320, torch.Generator().manual_seed(3))))

    def sides(draw):
        train, val = cut(points(192, draw)), cut(points(160, draw, noise=1.8))
        torch.manual_seed(int(torch.randint(1 << 30, (), generator=draw)))
        reported = true_mean(model, plain, val[:1])
        return model, Side(train, plain), Side(val, plain, reported=reported, reported_on=val[:1])

    def truth():
        gap = true_mean(model, plain, big(2, noise=1.8) * 3) - true_mean(model, plain, big() * 3)
        return {"unseen": gap, "residual": 0.0, "matched": gap}

    return Setup("dropout that eval() misses", sides, truth)


def people(count, draw):
    """Return samples of people, eight each, who differ."""
    x, y = points(count * 8, draw)
    return x + 1.0 * torch.randn(count, WIDTH, generator=draw).repeat_interleave(8, 0), y


def groups():
    model = trained(0.3)

    def sides(draw):
        out = []
        for number, count in enumerate((40, 30)):
            x, y = people(count, draw)
            who = torch.arange(count).repeat_interleave(8) + 1000 * number
            order = torch.randperm(len(y), generator=draw)
            out.append(Side(cut((x[order], y[order], who[order])), plain, groups=lambda batch: batch[2]))
        return model, *out

    def truth():
        some = big(count=MANY // 8, maker=people)
        mode = true_mean(model, plain, some) - true_mean(model, plain, some * 3, "train")
        return {"mode": mode, "unseen": 0.0, "matched": 0.0}

    return Setup("groups of eight samples", sides, truth)


def scalars():
    model = trained(0.4)

    def sides(draw):
        return model, Side(cut(points(192, draw), 16), scalar), Side(cut(points(160, draw, noise=1.8), 16), scalar)

    def truth():
        off, val = true_mean(model, plain, big()), true_mean(model, plain, big(2, noise=1.8))
        return {"mode": off - true_mean(model, plain, big() * 3, "train"), "unseen": val - off, "matched": val - off}

    return Setup("a scalar a batch, 12 and 10 batches", sides, truth)


def few():
    model = trained()

    def sides(draw):
        return model, Side(cut(points(48, draw), 8), plain), Side(cut(points(24, draw), 8), plain)

    def truth():
        return {"unseen": 0.0, "matched": 0.0}

    return Setup("48 training and 24 validation samples", sides, truth)


def autocast():
    """Training under autocast to half the digits."""
    model = trained()

    def sides(draw):
        train, val = cut(points(384, draw)), cut(points(160, draw))
        return model, Side(train, plain, autocast=torch.bfloat16), Side(val, plain, autocast=False)

    def truth():
        train = big()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = true_mean(model, plain, train)
        return {"precision": true_mean(model, plain, train) - half, "unseen": 0.0, "matched": 0.0}

    return Setup("training under bfloat16", sides, truth)


def step_of(model, batch, number, loss=None):
    """Record a step from the random state as it is now; its loss is that of the weights as they are now by default."""
    state = torch.get_rng_state()
    if loss is None:
        loss = true_mean(model, plain, [batch], "train")
    return RecordedStep(number, batch, loss, {"cpu": state}, early=True)


def record_of(steps, losses, first=0):
    """Return the record of a loop that reports the mean of these losses and kept these steps of them."""
    return Recording(steps, [], [], whole=True, reports="interval", steps=first + len(losses), first=first,
                     offered=len(losses), losses=losses, weights=[1.0] * len(losses), means={}, start={})  # fmt: skip


def recorded():
    """All of 20 recorded steps are kept; weights hardly move any more."""
    model = trained(0.3)

    def sides(draw):
        torch.manual_seed(int(torch.randint(1 << 30, (), generator=draw)))
        steps = [step_of(model, batch, k) for k, batch in enumerate(cut(points(640, draw)))]
        record = record_of(steps, [step.loss for step in steps])
        train, val = cut(points(512, draw)), cut(points(160, draw))
        return model, Side(train, plain), Side(val, plain), record

    def truth():
        mode = true_mean(model, plain, big()) - true_mean(model, plain, big() * 3, "train")
        return {"recency": 0.0, "mode": mode, "unseen": 0.0, "matched": 0.0}

    return Setup("a record of 20 steps", sides, truth)


def sampled():
    """A fifth of 120 recorded steps, in which the network still learns, is kept."""
    torch.manual_seed(3)
    model, every = Net(0.3), cut(points(3840, torch.Generator().manual_seed(3)))
    optimizer, steps = torch.optim.Adam(model.parameters(), 5e-3), []
    for number, batch in enumerate(every):
        steps.append(step_of(model.train(), batch, number, 0.0))
        loss = plain(model, batch).mean()
        steps[-1].loss = float(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    losses = [step.loss for step in steps]

    def sides(draw):
        some = sorted(torch.randperm(len(steps), generator=draw)[: len(steps) // 5].tolist())
        train, val = cut(points(512, draw)), cut(points(160, draw))
        return model, Side(train, plain), Side(val, plain), record_of([steps[k] for k in some], losses)

    def truth():
        after = []
        for step in steps:
            torch.set_rng_state(step.states["cpu"])
            after.append(true_mean(model, plain, [step.batch], "train"))
        now, logged = sum(after) / len(after), sum(losses) / len(losses)
        on = true_mean(model, plain, big() * 3, "train")
        return {"lag": now - logged, "recency": on - now, "unseen": 0.0, "matched": 0.0}

    return Setup("a record that kept 24 of 120 steps", sides, truth)


def forgotten():
    """Validation in training mode too."""
    model = trained(0.4, norm=True)

    def sides(draw):
        train, val = cut(points(192, draw)), cut(points(160, draw, noise=1.8))
        return model, Side(train, smoothed), Side(val, plain, mode="train")

    def truth():
        train = big(count=TRUE_BATCHES * 16, size=SIZE)
        val = big(2, count=TRUE_BATCHES * 16, size=SIZE, noise=1.8)
        on = [true_mean(model, loss, train, "train") for loss in (smoothed, plain)]
        gap = true_mean(model, plain, val, "train") - on[1]
        off = true_mean(model, plain, val) - true_mean(model, plain, train)
        return {"objective": on[1] - on[0], "unseen": gap, "matched": off, "matched_on": gap}

    return Setup("eval forgotten: batch norm and dropout on, on both sides", sides, truth)


SETUPS = (
    conditions, augmentation, partial(averaging, "sample", "mean"), partial(averaging, "batch", "mean"), negatives,
    norm, copies, one_batch, redrawn, always, groups, scalars, few, forgotten,
    autocast, recorded, sampled,
)  # fmt: skip


def intervals(gap):
    """Return the interval of each term that has one, and of both losses matched."""
    out = {term["id"]: term for term in gap.record["terms"] if term["value"] is not None}
    out |= {name: gap.record[name] | {"value": gap.record[name]["gap"]} for name in ("matched", "matched_on")}
    return {name: (one["low"], one["value"], one["high"]) for name, one in out.items() if one["low"] is not None}


def count(setup, rows, numbers):
    """Add replications to each term's row: replications, hits, half widths and truth."""
    own = seeding.key
    for number in numbers:
        model, train, val, *record = setup.sides(torch.Generator().manual_seed(10_000 + number))
        seeding.key = lambda root, *names, number=number: own(root + 7 * number, *names)  # the tool's own seed
        try:
            found = intervals(explain_gap(model, train, val, recorder=(record or [None])[0], budget=setup.budget))
        finally:
            seeding.key = own
        for name, (low, _, high) in found.items():
            if name in rows:
                true = rows[name][3]
                rows[name][0] += 1
                rows[name][1] += low - 1e-9 <= true <= high + 1e-9
                rows[name][2] += (high - low) / 2


def table(found):
    """Return the counts of all set-ups as a Markdown table."""
    lines = ["| set-up | term | truth | mean half width | coverage |", "| --- | --- | ---: | ---: | ---: |"]
    for setup, rows in found.items():
        for name, (times, hits, wide, true) in rows.items():
            if not times:
                continue
            lines.append(f"| {setup} | {name} | {true:+.4f} | {wide / times:.4f} | {hits / times:.3f} of {times:,} |")
    return "\n".join(lines)


def main(replications=1000, only=""):
    torch.set_num_threads(1)
    setups = [setup for make in SETUPS if only in (setup := make()).name]
    found = {setup.name: {name: [0, 0, 0.0, value] for name, value in setup.truth().items()} for setup in setups}
    for first in range(0, replications, BLOCK):  # all set-ups in turn, so that what is counted by any moment is of use
        for setup in setups:
            count(setup, found[setup.name], range(first, min(first + BLOCK, replications)))
        Path("sides_coverage.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    low, high = (binom.ppf(q, replications, 0.95) / replications for q in (0.025, 0.975))
    print(f"{replications:,} replications; binomial error of 95 %: {low:.3f} to {high:.3f}\n\n{table(found)}")


if __name__ == "__main__":
    main(*(kind(value) for kind, value in zip((int, str), sys.argv[1:], strict=False)))

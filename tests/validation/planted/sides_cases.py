"""Planted causes of the kinds that people reported in public: batching, second models, loaders that draw anew, states,
masks on graphs, accumulation, auxiliary heads, frozen batch norms.

Each case gives a model, two sides and the true value of every term that is not 0, by plain torch.
"""

import copy
import itertools
import math
from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from explain_networks import Perceptron, Transformer, fit, packed, split
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler, TensorDataset, WeightedRandomSampler

from diagnose import GapRecorder, Side

MASKS = 40  # drawn for the truth of what is random
CENTRES = torch.randn(4, 16, generator=torch.Generator().manual_seed(99))


@dataclass(frozen=True)
class Sides:
    """A planted case.

    Attributes:
        model, train, val, recorder: for `explain_gap`; budget: its own.
        truth: of each term; what is not named is 0.
        open: terms whose truth is not known, as the luck of one draw.
    """

    model: nn.Module
    train: object
    val: object
    truth: dict
    recorder: object = None
    open: tuple = ()
    budget: str = "1000 batches"


@dataclass(frozen=True)
class SidesCase:
    """`make(folder)` returns `Sides`; `cause` is the term that must lead; `rules` and `factor` must be found."""

    name: str
    make: object
    cause: str | None = None
    rules: tuple = ()
    factor: str | None = None
    causes: int = 1
    notes: tuple = field(default=())


def blobs(count, seed, noise=1.5):
    draw = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 4, (count,), generator=draw)
    return CENTRES[y] + noise * torch.randn(count, 16, generator=draw), y


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def scalar_sum(model, batch):
    return ce(model, batch).sum()


def contrast(model, batch):
    """Give each sample's loss against the others of its batch."""
    z, other = (F.normalize(model(x), dim=1) for x in (batch[0], batch[0] + 0.2))
    return F.cross_entropy(z @ other.T / 0.2, torch.arange(len(z)), reduction="none")


def over_longest(model, batch):
    """Divide each sample's loss by the longest length of its batch, as losses over padded lengths do."""
    return ce(model, batch) * batch[2] / batch[2].max()


class Norm(nn.Module):
    def __init__(self, p=0.0, running=None):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(p), nn.Linear(32, 4)
        )  # fmt: skip
        if running is not None:
            self.layers[1].running_mean.fill_(running)
            self.layers[1].running_var.fill_(4.0)

    def forward(self, x):
        return self.layers(x)


class TwoHeads(nn.Module):
    def __init__(self, p=0.0):
        super().__init__()
        self.body, self.drop = nn.Linear(16, 32), nn.Dropout(p)
        self.more, self.head = nn.Linear(32, 4), nn.Linear(32, 4)

    def forward(self, x):
        h = self.drop(F.relu(self.body(x)))
        return (self.head(h), self.more(h)) if self.training else self.head(h)


class Remembering(nn.Module):
    """A network that keeps its state from batch to batch, or a bank of what it has seen."""

    def __init__(self, bank=False):
        super().__init__()
        self.cell, self.head, self.state = nn.GRU(4, 16, batch_first=True), nn.Linear(16, 1), None
        self.bank = deque(maxlen=8) if bank else None

    def forward(self, x):
        out, state = self.cell(x, self.state)
        if self.bank is None:
            self.state = state.detach()
            return self.head(out)[..., 0]
        past = torch.stack(list(self.bank)).mean(0) if self.bank else torch.zeros(16)
        self.bank.append(out.mean((0, 1)).detach())
        return self.head(out - past)[..., 0]


class Graph(nn.Module):
    def __init__(self, p=0.0):
        super().__init__()
        self.first, self.second, self.drop = nn.Linear(8, 32), nn.Linear(32, 3), nn.Dropout(p)

    def forward(self, graph):
        return self.second(self.drop(graph["A"] @ F.relu(self.first(graph["A"] @ graph["x"]))))


@lru_cache
def trained(kind="mlp", objective=ce, size=32, p=0.0, steps=150, **more):
    torch.manual_seed(3)
    model = {
        "mlp": lambda: Perceptron(16, 4, 32, dropout=p), "norm": lambda: Norm(p), "two": lambda: TwoHeads(p),
    }[kind](**more)  # fmt: skip
    return fit(model, split(blobs(640, 1), size), objective, steps)


@torch.no_grad()
def losses(model, batches, objective, mode="eval", turns=1):
    """Return the losses of each batch, with a copy of the model for each batch, so that none reaches the next."""
    out = []
    for turn in range(turns):
        torch.manual_seed(1000 + turn)
        out += [objective(copy.deepcopy(model).train(mode == "train"), batch).double() for batch in batches]
    return out


def mean(model, batches, objective=ce, mode="eval", turns=1, *, by_batch=False):
    found = losses(model, batches, objective, mode, turns)
    if by_batch or found[0].dim() == 0:
        return float(torch.stack([one.mean() for one in found]).mean())
    return float(torch.cat([one.reshape(-1) for one in found]).mean())


def shapley(players, value):
    """Return each player's change of `value(frozenset)`, averaged over all orders."""
    out, known = dict.fromkeys(players, 0.0), {}
    for order in itertools.permutations(players):
        for place, player in enumerate(order):
            for upto, sign in ((place + 1, 1), (place, -1)):
                key = frozenset(order[:upto])
                known[key] = known[key] if key in known else value(key)
                out[player] += sign * known[key] / math.factorial(len(players))
    return out


def regrouped(batches, size):
    """Return the same samples in their order, in batches of another size; what is left over is left out."""
    whole = [torch.cat(parts) for parts in zip(*batches, strict=True)]
    return [b for b in split(tuple(whole), size) if len(b[0]) == size]


def two_sizes(objective, first, second, *, p=0.0, reduction="mean", kind="mlp", mode=None):
    """The loss depends on the batch, and the sides have batches of two sizes."""

    def make(_):
        train_loss = objective if reduction != "sum" and objective is not scalar_sum else ce
        model = trained(kind, train_loss, p=p)
        train, val = split(blobs(512, 1), first), split(blobs(256, 2), second)
        by_sum = reduction == "sum"

        def value(changed):
            some = regrouped(train, second) if "batching" in changed else train
            on = "eval" if "mode" in changed or (mode is None and not p) else "train"
            found = losses(model, some, objective, on, MASKS if p and on == "train" else 1)
            return float(torch.stack([one.sum() for one in found]).mean() if by_sum else torch.cat(
                [one.reshape(-1) for one in found]).mean())  # fmt: skip

        players = ("mode", "batching") if p else ("batching",)
        end = value(frozenset(players))
        own = losses(model, val, objective, mode or "eval")
        whole = float(torch.stack([one.sum() for one in own]).mean() if by_sum else torch.cat(
            [one.reshape(-1) for one in own]).mean())  # fmt: skip
        sides = (Side(some, objective, reduction=reduction, mode=mode) for some in (train, val))
        return Sides(model, *sides, shapley(players, value) | {"unseen": whole - end})

    return make


def ragged(_):
    """Validation is a mean of batch means, its last batch short and hard."""
    model, train = trained(), split(blobs(512, 1), 32)
    hard = blobs(4, 5, noise=6.0)
    val = [*split(blobs(256, 2), 32), hard]
    over_all = mean(model, val)
    truth = {"reduction": mean(model, val, by_batch=True) - over_all, "unseen": over_all - mean(model, train)}
    return Sides(model, Side(train, ce), Side(val, ce, reduction="batch"), truth)


@lru_cache
def uneven():
    """Return samples of classes that are uneven, and weights that even them."""
    x, y = blobs(4000, 1, noise=2.5)
    kept = torch.rand(4000, generator=torch.Generator().manual_seed(1)) < torch.tensor([1.0, 0.3, 0.1, 0.05])[y]
    x, y = x[kept][:1200], y[kept][:1200]
    weight = 1 / torch.bincount(y).float()
    return (x, y), weight / weight.mean()


def class_weights(*, reduced):
    """Training weighs classes, as torch averages, or with losses that are not averaged."""

    def make(_):
        data, weight = uneven()

        def loop(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], weight=weight)

        def apart(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], weight=weight, reduction="none")

        train, val = split(data, 50), split(blobs(600, 2, noise=2.5), 50)
        torch.manual_seed(3)
        model = fit(Perceptron(16, 4, 32), train, loop, 150)
        first, plain = mean(model, train, loop), mean(model, train)
        truth = {"objective": plain - first, "unseen": mean(model, val) - plain}
        if reduced:
            return Sides(model, Side(train, loop, reported=first), Side(val, ce), truth)
        every = torch.cat([apart(model, b).detach().double() for b in train]).sum() / weight[data[1]].double().sum()

        def value(changed):  # the mean of batch means goes with the average, the weights with the objective
            if "objective" in changed:
                return plain
            return float(every) if "reduction" in changed else first

        truth |= shapley(("objective", "reduction"), value)
        return Sides(model, Side(train, apart, reported=first, reduction="batch"), Side(val, ce), truth)

    return make


def second_model(kind, *, p=0.0, closed=False):
    """Validation reads another model: averaged, of few bits, or a small student."""

    def make(_):
        model, other = trained(p=p), copy.deepcopy(trained(p=p)).eval()
        if kind == "student":
            torch.manual_seed(5)
            other = fit(Perceptron(16, 4, 4), split(blobs(640, 1), 32), ce, 60).eval()
        for weight in other.parameters() if kind != "student" else ():
            step = weight.abs().max()
            weight.data = (weight / step).round() * step if kind == "bits" else 0.6 * weight.data
        train, val = split(blobs(512, 1), 32), split(blobs(256, 2), 32)

        def value(changed):
            on = "eval" if "mode" in changed or not p else "train"
            return mean(other if "weights" in changed else model, train, ce, on, MASKS if on == "train" else 1)

        def own(_, batch):
            return ce(other, batch)

        players = ("mode", "weights") if p else ("weights",)
        truth = shapley(players, value) | {"unseen": mean(other, val) - mean(other, train)}
        val_side = Side(val, own) if closed else Side(val, ce, model=other)
        return Sides(model, Side(train, ce), val_side, truth)

    return make


class Draws:
    """Batches at random places, as nanoGPT's `get_batch`."""

    def __init__(self, rows, count, size=16):
        self.rows, self.count, self.size = rows, count, size

    def __len__(self):
        return self.count

    def __iter__(self):
        for _ in range(self.count):
            row = self.rows[torch.randint(len(self.rows), (self.size,))]
            yield row[:, :-1].contiguous(), row[:, 1:].contiguous()


def tokens(model, batch):
    return F.cross_entropy(model(batch[0]).transpose(1, 2), batch[1], reduction="none")


@lru_cache
def reader():
    torch.manual_seed(3)
    rows_N = packed()[0][:128]
    return fit(Transformer(), [(p[:, :-1], p[:, 1:]) for p in rows_N.split(16)], tokens, 200)


def drawn(_):
    """Both loaders draw anew, and the reported validation loss is of another draw."""
    model, (train, val) = reader(), packed()
    train = train[:128]
    torch.manual_seed(9)
    reported = mean(model, list(Draws(val, 20)), tokens)
    whole = [mean(model, [(rows[:, :-1], rows[:, 1:])], tokens) for rows in (train, val)]
    sides = Side(Draws(train, 20), tokens), Side(Draws(val, 20), tokens, reported=reported)
    return Sides(model, *sides, {"unseen": whole[1] - whole[0]})


class Masking(Dataset):
    """Rows of which some tokens are masked anew each time: (input, target, which are predicted)."""

    def __init__(self, rows_N, share):
        self.rows_N, self.share = rows_N, share

    def __len__(self):
        return len(self.rows_N)

    def __getitem__(self, index):
        row = self.rows_N[index][:-1]
        hidden = torch.rand(len(row)) < self.share
        hidden[0] = True
        return row.masked_fill(hidden, 299), row, hidden


def filled(model, batch):
    loss = F.cross_entropy(model(batch[0]).transpose(1, 2), batch[1], reduction="none")
    return {"loss": loss, "weights": batch[2].float()}


def _of_masked(model, rows_N, share, turns):
    found = [
        (filled(model, batch)["loss"].double(), batch[2])
        for turn in range(turns) for batch in [_seeded(turn) or b for b in DataLoader(Masking(rows_N, share), 64)]
    ]  # fmt: skip
    return float(sum((n * w).sum() for n, w in found) / sum(w.sum() for _, w in found))


def _seeded(turn):
    torch.manual_seed(turn)


def masked_tokens(_):
    """Masks are drawn anew in each pass over both sides."""
    (train, val), model = packed(), reader()
    with torch.no_grad():
        first, last = (_of_masked(model, rows, 0.15, 8) for rows in (train[:128], val))
    sides = (Side(DataLoader(Masking(rows, 0.15), 16), filled) for rows in (train[:128], val))
    return Sides(model, *sides, {"unseen": last - first})


class Crops(Dataset):
    """Inputs of which a part is left out: at random, or the same always."""

    def __init__(self, data, *, random):
        self.data, self.random = data, random

    def __len__(self):
        return len(self.data[1])

    def __getitem__(self, index):
        start = int(torch.randint(0, 8, ())) if self.random else 12
        x = self.data[0][index].clone()
        x[start : start + 6] = 0
        return x, self.data[1][index]


def crops(_):
    data = blobs(512, 1, noise=0.8)
    train = [DataLoader(Crops(data, random=random), 32) for random in (True, False)]
    val = list(DataLoader(Crops(blobs(256, 2, noise=0.8), random=False), 32))
    torch.manual_seed(3)
    model = fit(Perceptron(16, 4, 32), list(train[1]), ce, 150)
    plain = mean(model, list(train[1]))
    cropped = mean(model, [b for _ in range(20) for b in train[0]])
    truth = {"collation": plain - cropped, "unseen": mean(model, val) - plain}
    return Sides(model, Side(train[0], ce, plain=train[1]), Side(val, ce), truth)


def sampler(*, weighted):
    """Training's loader draws samples with replacement, some classes more often."""

    def make(_):
        data, val = blobs(512, 1), split(blobs(256, 2), 32)
        chance = torch.tensor([1.0, 1.0, 1.0, 12.0])[data[1]]
        draws = WeightedRandomSampler(chance, 512) if weighted else RandomSampler(data[1], replacement=True)
        loader = DataLoader(TensorDataset(*data), 32, sampler=draws)
        model = trained()
        each = torch.cat(losses(model, split(data, 32), ce))
        plain = float(each.mean())
        expected = float((each * chance).sum() / chance.sum()) if weighted else plain
        truth = {"collation": plain - expected, "unseen": mean(model, val) - plain}
        return Sides(model, Side(loader, ce), Side(val, ce), truth)

    return make


def remembering(*, bank):
    """A state is carried from batch to batch; each batch is read as from the state that was handed over."""

    def make(_):
        torch.manual_seed(3)
        x = torch.randn(64, 10, 4, generator=torch.Generator().manual_seed(1)).cumsum(1)
        train, val = split((x[:40], x[:40].sum(2)), 8), split((x[40:], x[40:].sum(2) + 0.5), 8)
        model = Remembering(bank)

        def loss(m, batch):
            return (m(batch[0]) - batch[1]).square()

        truth = {"unseen": mean(model, val, loss) - mean(model, train, loss)}
        return Sides(model, Side(train, loss), Side(val, loss), truth)

    return make


def graph(how, p=0.0):
    """One graph on both sides; masks or indices say which nodes count."""

    def make(_):
        torch.manual_seed(0)
        y = torch.arange(240) % 3
        x = torch.randn(240, 8) + 0.4 * F.one_hot(y, 3).float().repeat(1, 3)[:, :8]
        near = torch.eye(240) + (torch.rand(240, 240) < 0.02).float()
        train = torch.arange(240) < 120
        whole = {"x": x, "A": near / near.sum(1, keepdim=True), "y": y, "train_mask": train, "val_mask": ~train}
        masks = whole["train_mask"], whole["val_mask"]

        def of(rows):
            return lambda m, g: F.cross_entropy(m(g)[rows], g["y"][rows], reduction="none")

        model = fit(Graph(p), [whole], of(masks[0]), 60)
        first, last = mean(model, [whole], of(masks[0])), mean(model, [whole], of(masks[1]))
        on = mean(model, [whole], of(masks[0]), "train", 400) if p else first
        truth = {"mode": first - on, "unseen": last - first}
        if how == "index":
            rows = [mask.nonzero().flatten() for mask in masks]

            def loss(m, batch):
                return F.cross_entropy(m(batch[0])[batch[1]], batch[0]["y"][batch[1]], reduction="none")

            return Sides(model, *(Side([(whole, some)], loss) for some in rows), truth)

        def masked(name):
            return lambda m, g: F.cross_entropy(m(g)[g[name]], g["y"][g[name]], reduction="none")

        return Sides(model, Side([whole], masked("train_mask")), Side([whole], masked("val_mask")), truth)

    return make


def accumulated(folder):
    """The recorded training loss is the loss over four accumulation steps."""
    torch.manual_seed(3)
    train, val, model = split(blobs(640, 1), 16), split(blobs(256, 2), 32), Perceptron(16, 4, 32)
    recorder, window = GapRecorder(folder / "record", model, interval=20), []
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for number, batch in enumerate(train):
        loss = ce(model, batch).mean() / 4
        loss.backward()
        recorder.step(batch, loss)
        window.append((batch, loss.item()))
        if number % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
    model.eval()
    for batch in val:
        recorder.validation(batch, ce(model, batch).mean())
    recorder.close()
    last, logged = [b for b, _ in window[-20:]], 4 * sum(loss for _, loss in window[-20:]) / 20
    again = mean(model, last)
    earlier = mean(model, train[:20])
    truth = {"residual": 0.75 * logged, "lag": again - logged, "recency": earlier - again,
             "unseen": mean(model, val) - earlier}  # fmt: skip
    return Sides(model, ce, ce, truth, recorder)


def reported_as(change, term="residual"):
    """The validation loss was reported after some arithmetic, or by another average."""

    def make(_):
        model, train, val = trained(), split(blobs(512, 1), 32), split(blobs(250, 2), 32)
        read, by_batch = mean(model, val), mean(model, val, by_batch=True)
        value = change(read, by_batch, len(val))
        truth = {term: value - read, "unseen": read - mean(model, train)}
        return Sides(model, Side(train, ce), Side(val, ce, reported=value), truth)

    return make


def part_of_validation(_):
    """The loop reads the first four validation batches alone, the hard ones."""
    model, train = trained(), split(blobs(512, 1), 32)
    val = [*split(blobs(128, 6, noise=3.0), 32), *split(blobs(256, 2), 32)]
    whole, shown = mean(model, val), mean(model, val[:4])
    truth = {"draw": shown - whole, "unseen": whole - mean(model, train)}
    return Sides(model, Side(train, ce), Side(val, ce, reported=shown, reported_on=val[:4]), truth)


def auxiliary(p=0.0):
    """A second head that exists in training mode alone is part of the training loss."""

    def loop(m, b):
        found = m(b[0])
        out, more = found if isinstance(found, tuple) else (found, None)
        loss = F.cross_entropy(out, b[1], reduction="none")
        return loss if more is None else loss + 0.5 * F.cross_entropy(more, b[1], reduction="none")

    def strict(m, b):
        out, more = m(b[0])
        return F.cross_entropy(out, b[1], reduction="none") + 0.5 * F.cross_entropy(more, b[1], reduction="none")

    def make(_):
        model = trained("two", loop, p=p)
        train, val = split(blobs(512, 1), 32), split(blobs(256, 2), 32)
        first, end = mean(model, train, loop, "train", MASKS if p else 1), mean(model, train)
        truth = {"objective + mode": end - first, "unseen": mean(model, val) - end}
        return Sides(model, Side(train, strict), Side(val, ce), truth)

    return make


def frozen(mode, p=0.0):
    """Batch norms are frozen with statistics of other data, in whatever mode the model is handed over."""

    def make(_):
        torch.manual_seed(3)
        model = Norm(p, running=1.0)
        model.layers[1].weight.requires_grad_(False)
        model.layers[1].bias.requires_grad_(False)
        train, val = split(blobs(512, 1), 8), split(blobs(256, 2), 32)
        optimizer = torch.optim.Adam([q for q in model.parameters() if q.requires_grad], 3e-3)

        def own():
            model.train()
            model.layers[1].eval()

        for step in range(150):
            own()
            optimizer.zero_grad()
            ce(model, train[step % len(train)]).mean().backward()
            optimizer.step()
        own()
        on = torch.cat([ce(model, b).detach().double() for _ in range(MASKS if p else 1) for b in train]).mean()
        first, last = mean(model, train), mean(model, val)
        own() if mode == "train" else model.eval()
        return Sides(model, Side(train, ce), Side(val, ce), {"mode": first - float(on), "unseen": last - first})

    return make


def eval_forgotten_norm(_):
    """Batch norm stays in training mode on both sides, of batches of 4 and of 64."""
    return two_sizes(ce, 4, 64, kind="norm", mode="train")(None)


def half(_):
    """Training is under autocast, validation is not."""
    model = trained()
    train, val = split(blobs(512, 1), 32), split(blobs(256, 2), 32)
    for weight in (some := copy.deepcopy(model)).parameters():
        weight.data.mul_(2.0)

    def loose(m, b):
        return F.cross_entropy(m(b[0]).float(), b[1], reduction="none")

    def cast(m, b):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return loose(m, b)

    first, plain = mean(some, train, cast), mean(some, train)
    sides = Side(train, loose, autocast=torch.bfloat16), Side(val, loose)
    return Sides(some, *sides, {"precision": plain - first, "unseen": mean(some, val) - plain})


def with_length(count, seed):
    x, y = blobs(count, seed)
    return x, y, torch.randint(1, 20, (count,), generator=torch.Generator().manual_seed(seed)).float()


def longest(_):
    """Losses are divided by the longest length of the batch, so that they depend on its composition."""
    model, train, val = trained(), split(with_length(512, 1), 128), split(with_length(256, 2), 2)
    again = mean(model, regrouped(train, 2), over_longest)
    truth = {"batching": again - mean(model, train, over_longest), "unseen": mean(model, val, over_longest) - again}
    return Sides(model, Side(train, over_longest), Side(val, over_longest), truth)


FACTOR = ("gap/arithmetic",)
SIDES_CASES = [
    SidesCase("batching, in-batch negatives of 64 and 8", two_sizes(contrast, 64, 8), "batching", ("gap/batching",)),
    SidesCase("batching, in-batch negatives of 8 and 64", two_sizes(contrast, 8, 64), "batching", ("gap/batching",)),
    SidesCase("batching, in-batch negatives and dropout", two_sizes(contrast, 64, 16, p=0.5), "batching", causes=2),
    SidesCase("batching, sums of 16 and 64", two_sizes(ce, 16, 64, reduction="sum"), "batching", ("gap/batching",)),
    SidesCase("batching, sums of 64 and 16", two_sizes(ce, 64, 16, reduction="sum"), "batching"),
    SidesCase("batching, a scalar sum of 32 and 128", two_sizes(scalar_sum, 32, 128), "batching"),
    SidesCase(
        "batching, batch norm left on in batches of 4 and 64", eval_forgotten_norm, "batching", ("gap/eval-forgotten",)
    ),
    SidesCase("batching, divided by the longest of the batch", longest, "batching"),
    SidesCase("averaging, ragged batch means", ragged, "reduction", ("gap/reduction",)),
    SidesCase("averaging, class weights in torch's mean", class_weights(reduced=True)),
    SidesCase("averaging, class weights without averaging", class_weights(reduced=False)),
    SidesCase("weights, averaged", second_model("mean"), "weights", ("gap/weights",)),
    SidesCase("weights, averaged, in a closure", second_model("mean", closed=True), "weights", ("gap/weights",)),
    SidesCase(
        "weights, averaged, in a closure, and dropout", second_model("mean", p=0.4, closed=True), "weights", causes=2
    ),
    SidesCase("weights, of few bits", second_model("bits"), "weights", ("gap/weights",)),
    SidesCase("weights, a student", second_model("student"), "weights", ("gap/weights",)),
    SidesCase("redrawn, get_batch", drawn, "data", ("gap/redrawn",)),
    SidesCase("redrawn, masked tokens", masked_tokens, rules=("gap/redrawn",)),
    SidesCase("redrawn, random crops against one crop", crops, "collation", ("gap/collation",)),
    SidesCase("redrawn, a weighted sampler", sampler(weighted=True), "collation"),
    SidesCase("redrawn, a sampler with replacement", sampler(weighted=False), causes=0),
    SidesCase("state, recurrent", remembering(bank=False), "data", ("state-carried",)),
    SidesCase("state, a bank of features", remembering(bank=True), "data", ("state-carried",)),
    SidesCase("graph, masks", graph("mask"), "data"),
    SidesCase("graph, indices", graph("index"), "data"),
    SidesCase("graph, masks and dropout", graph("mask", 0.5), causes=2),
    SidesCase("accumulation, loss over 4 recorded", accumulated, "residual", FACTOR, "loss / accumulation"),
    SidesCase(
        "arithmetic, divided by 3 processes",
        reported_as(lambda read, _b, _n: read / 3),
        "residual",
        FACTOR,
        "divided by 3",
    ),
    SidesCase("arithmetic, a perplexity", reported_as(lambda read, _b, _n: math.exp(read)), "residual", FACTOR, "exp"),
    SidesCase(
        "arithmetic, summed over batches", reported_as(lambda read, _b, n: read * n), "residual", FACTOR, "summed over"
    ),
    SidesCase("averaging, a mean of batch means", reported_as(lambda _r, by_batch, _n: by_batch, "reduction")),
    SidesCase("draw, the first batches alone", part_of_validation, "draw", ("gap/draw",)),
    SidesCase("auxiliary head in training mode", auxiliary(), "objective"),
    SidesCase("auxiliary head in training mode, and dropout", auxiliary(0.4), causes=2),
    SidesCase("frozen batch norm, handed over in training mode", frozen("train"), "data"),
    SidesCase("frozen batch norm, handed over in evaluation mode", frozen("eval"), "data"),
    SidesCase("frozen batch norm and dropout", frozen("eval", 0.4), causes=2),
    SidesCase("precision, autocast of training alone", half),
]

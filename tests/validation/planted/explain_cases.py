"""Planted causes for `explain_gap`: five architectures, one or two causes each, and clean ones.

`cause` is what must come out as the largest part: a term, or the group `timing` or `data`; None where a case is there
for its intervals or its finding alone. `rules` must be among the findings, `factor` among the arithmetic that fits.
"""

import copy
from dataclasses import dataclass
from functools import lru_cache

import torch
from explain_networks import (
    Convolutions,
    Perceptron,
    Recurrent,
    Transformer,
    balanced,
    counted,
    fit,
    images,
    nats,
    packed,
    padded,
    plain,
    points,
    rows,
    scalar,
    smoothed,
    split,
    squares,
    text_batches,
    verses,
)  # fmt: skip
from explain_truth import Planted
from torch.utils.data import DataLoader, TensorDataset

from diagnose import GapRecorder, Side


@dataclass(frozen=True)
class Case:
    name: str
    make: object  # (folder) -> Planted
    cause: str | None = None
    rules: tuple = ()
    factor: str | None = None
    causes: int = 1  # how many are planted; 0: clean, nothing false may be named
    quick: bool = False  # run by `make test` too


NETWORKS = {
    "mlp": Perceptron, "cnn": Convolutions, "lstm": Recurrent, "transformer": Transformer,
    "mixture": lambda **more: Transformer(experts=True, **more),
}  # fmt: skip
STEPS = {"mlp": 200, "cnn": 60, "lstm": 300, "transformer": 120, "mixture": 120}


@lru_cache
def data(kind, size=16):
    """Return training and validation batches of the same kind of data, divided by sample or by verse."""
    if kind == "mlp":
        return split(points(640, 1), size), split(points(320, 2), size)
    if kind == "cnn":
        return split(images(384, 1), size), split(images(256, 2), size)
    return tuple(text_batches(part, size) for part in packed())


@lru_cache
def trained(kind, objective=plain, size=16, steps=None, **more):
    """Return a network that was trained on `data` for a moment."""
    torch.manual_seed(3)
    return fit(NETWORKS[kind](**more), data(kind, size)[0], objective, steps or STEPS[kind])


def sides(kind, train_loss=plain, val_loss=plain, *, size=16, train=None, val=None, net=None, budget="1000 batches",
          steps=None, same=False, **more):  # fmt: skip
    """Return a maker of a case: a trained network, its data, and what differs between its sides.

    `same` validates on the very training data, so that only conditions differ.
    """

    def make(_):
        model = trained(kind, train_loss, size, steps, **(net or {}))
        first, second = data(kind, size)
        given = Side(first, train_loss, **(train or {})), Side(first if same else second, val_loss, **(val or {}))
        return Planted(model, *given, budget=budget, **more)

    return make


def mean_of(model, batches, objective, *, mode="eval"):
    """Return the mean of batch means as a loop would log it, with the masks of that moment."""
    model = copy.deepcopy(model).train(mode == "train")  # a batch norm counts what it sees
    torch.manual_seed(77)
    with torch.no_grad():
        out = [float(_mean(objective(model, batch))) for batch in batches]
    return sum(out) / len(out)


def _mean(found):
    table = found if isinstance(found, dict) else {"loss": found}
    weights = table.get("weights", torch.ones_like(table["loss"]))
    return (table["loss"] * weights).sum() / weights.sum()


def reported(kind, train_factor=1.0, val_factor=1.0, *, objective=plain, net=None, val_loss=None, shown=None):
    """Return a maker whose losses are what a loop reports, off by a factor; in training mode where a network has any.

    `shown` reports validation's loss of so many of its hardest batches, and says so.
    """

    def make(_):
        model = trained(kind, objective, **(net or {}))
        first, second = data(kind)
        mode = "train" if net else "eval"
        some = sorted(second, key=lambda b: -mean_of(model, [b], plain))[: shown or len(second)]
        train = train_factor * mean_of(model, first, objective, mode=mode)
        val = val_factor * mean_of(model, some, val_loss or objective)
        given = {"reported": val, "reported_on": None if shown is None else some}
        return Planted(model, Side(first, objective, reported=train, mode=mode, reduction="batch"),
                       Side(second, val_loss or objective, reduction="batch", **given))  # fmt: skip

    return make


def loader(folder):
    """A shuffling DataLoader on both sides, read in part."""
    del folder
    model = trained("mlp", dropout=0.5)
    some = [DataLoader(TensorDataset(*points(n, s)), 16, shuffle=True) for n, s in ((640, 1), (320, 2))]
    return Planted(model, Side(some[0], plain), Side(some[1], plain), budget="12 batches")


def duplicates(share, dropout=0.0):
    """Some of validation's samples are training's, which the network has memorised."""

    def make(_):
        torch.manual_seed(3)
        x, y = points(256, 4, noise=0.5)
        other_x, other_y = points(256, 5, noise=0.5)
        copied = int(share * 256)
        first = split((x, y))
        second = split((torch.cat([x[:copied], other_x[copied:]]), torch.cat([y[:copied], other_y[copied:]])))
        model = fit(Perceptron(width=128, dropout=dropout), first, plain, 500)
        return Planted(model, Side(first, plain), Side(second, plain))

    return make


def easier(kind="mlp", dropout=0.0):
    """Validation is the half whose labels have no noise."""

    def make(_):
        torch.manual_seed(3)
        first, second = split(points(640, 1, noise=0.4)), split(points(320, 6, noise=0.0))
        model = fit(NETWORKS[kind](dropout=dropout), first, plain, 150)
        return Planted(model, Side(first, plain), Side(second, plain))

    return make


class Noisy:
    """Batches whose inputs are disturbed anew each time they are iterated, as an augmenting loader does."""

    def __init__(self, batches, amount):
        self.batches, self.amount = batches, amount

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for x, y in self.batches:
            yield x + self.amount * torch.randn_like(x), y


def augmented(kind, amount, **net):
    def make(_):
        torch.manual_seed(3)
        first, second = data(kind)
        noisy = Noisy(first, amount)
        model = fit(NETWORKS[kind](**net), noisy, plain, STEPS[kind])
        return Planted(model, Side(noisy, plain, plain=first), Side(second, plain), random=True)

    return make


def of(batch):
    return batch[2]


def grouped(*, apart):
    """Samples of groups that differ; divided by sample, or by group as they should be."""

    def make(_):
        torch.manual_seed(3)
        x, y, group = points(800, 1, groups=100)
        order = torch.randperm(800, generator=torch.Generator().manual_seed(1))
        known = group < 70 if apart else torch.isin(torch.arange(800), order[:560])
        first, second = (split((x[some], y[some], group[some])) for some in (known, ~known))
        model = fit(Perceptron(width=128), first, plain, 300)
        return Planted(model, Side(first, plain, groups=of), Side(second, plain, groups=of), budget="1000 batches")

    return make


def windows(dropout=0.0, steps=400):
    """Overlapping windows of one text, divided at random."""

    def make(_):
        torch.manual_seed(3)
        some = rows([word for verse in verses()[:100] for word in verse], stride=2)
        order = torch.randperm(len(some), generator=torch.Generator().manual_seed(2))
        parts = some[order[: 9 * len(some) // 10]], some[order[9 * len(some) // 10 :]]
        first, second = (text_batches(part, 32) for part in parts)
        model = fit(Transformer(dropout=dropout), first, plain, steps, lr=5e-3)
        return Planted(model, Side(first, plain), Side(second, plain))

    return make


def lengths(kind, train, val, train_loss=counted, val_loss=counted, *, by_length=False, **net):
    """Verses of unequal lengths, padded; the sides average in different ways."""

    def make(_):
        torch.manual_seed(3)
        first, second = padded(size=8, by_length=by_length)
        model = fit(NETWORKS[kind](**net), first, train_loss, 100)
        return Planted(model, Side(first, train_loss, reduction=train), Side(second, val_loss, reduction=val))

    return make


def over_padding(_):
    """The reported training loss is a mean over padding too, which the objective does not count."""
    torch.manual_seed(3)
    first, second = padded()
    model = fit(Recurrent(), first, counted, 100)
    model.eval()
    with torch.no_grad():
        summed = sum(float(nats(model, batch).double().sum()) for batch in first)
    value = summed / sum(batch[1].numel() for batch in first)
    return Planted(model, Side(first, counted, reported=value, mode="eval"), Side(second, counted))


def regression(_):
    torch.manual_seed(3)
    first, second = data("mlp")
    model = fit(Perceptron(), first, squares, 150)
    return Planted(model, Side(first, squares), Side(second, squares))


def means(_):
    """Objectives that return one number a batch."""
    model = trained("mlp", dropout=0.5)
    first, second = data("mlp")
    return Planted(model, Side(first, scalar), Side(second, scalar))


def last_batch(kind, **net):
    """The reported training loss is that of one known batch, an unlucky one."""

    def make(_):
        model = trained(kind, **net)
        first, second = data(kind)
        shown = [max(first, key=lambda batch: mean_of(model, [batch], plain))]
        own = "train" if net else "eval"
        return Planted(model, Side(first, plain, reported_on=shown, mode=own), Side(second, plain))

    return make


def hardest_first(model, batches):
    """Return the same samples in batches by their loss, the highest first."""
    x, y = (torch.cat([batch[k] for batch in batches]) for k in range(2))
    with torch.no_grad():
        order = nats(model, (x, y)).mean(1).argsort(descending=True)
    return split((x[order], y[order]))


def recorded(kind, window, steps=120, *, lr=3e-3, easier=False, **net):
    """A loop with a recorder, whose reported training loss is the mean of the last `window` steps.

    `easier` gives the last steps the samples with the lowest loss, as text in its own order may have.
    """

    def make(folder):
        torch.manual_seed(3)
        first, second = data(kind)
        model, kept = NETWORKS[kind](**net), []
        some = first
        if easier:
            some = hardest_first(trained(kind), first)
            some = [some[k % (len(some) - window)] for k in range(steps - window)] + some[-window:]
        recorder = GapRecorder(folder / "record", model, interval=window)
        optimizer = torch.optim.Adam(model.parameters(), lr)
        model.train()
        for k in range(steps):
            batch, state = some[k % len(some)], torch.get_rng_state()
            loss = plain(model, batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(batch, loss)
            kept.append((batch, state, loss.item()))
        model.eval()
        with torch.no_grad():
            for batch in second:
                recorder.validation(batch, plain(model, batch).mean())
        recorder.close()
        return Planted(model, plain, plain, recorder, steps=kept, window=window, shown=second)

    return make


BF16 = {"autocast": torch.bfloat16}
LEAK, FORGOTTEN, FACTOR = ("gap/leaking-split",), ("gap/eval-forgotten",), ("gap/arithmetic",)

CASES = [
    Case("mlp, dropout", sides("mlp", net={"dropout": 0.5}, budget="12 batches"), "mode", ("gap/mode",), quick=True),
    Case("mlp, dropout, shuffling loaders read in part", loader, "mode"),
    Case("mlp, dropout, a scalar a batch", means, "mode"),
    Case("mlp, label smoothing", sides("mlp", smoothed, budget="12 batches"), "objective", quick=True),
    Case("mlp, eval forgotten", sides("mlp", net={"dropout": 0.5}, val={"mode": "train"}, budget="12 batches"),
         None, FORGOTTEN),
    Case("mlp, eval forgotten and label smoothing", sides(
        "mlp", smoothed, net={"dropout": 0.4}, val={"mode": "train"}, budget="12 batches"), "objective", FORGOTTEN,
         causes=2),
    Case("mlp, half of validation is training's", duplicates(0.5), "data", LEAK),
    Case("mlp, a quarter of validation is training's, and dropout", duplicates(0.25, 0.3), None,
         ("gap/duplicates",), causes=2),
    Case("mlp, validation is easier", easier(), "data"),
    Case("mlp, validation is easier, and dropout", easier(dropout=0.3), "data", causes=2),
    Case("mlp, augmentation", augmented("mlp", 1.0), "collation", quick=True),
    Case("mlp, augmentation and dropout", augmented("mlp", 0.7, dropout=0.3), None, causes=2),
    Case("mlp, one validation batch", reported("mlp", shown=1), "draw"),
    Case("mlp, one validation batch, and dropout", reported("mlp", net={"dropout": 0.5}, shown=1), None,
         causes=2),
    Case("mlp, one training batch", last_batch("mlp"), "timing"),
    Case("mlp, validation summed over the batch", reported("mlp", val_factor=16), "residual", FACTOR, "summed over"),
    Case("mlp, training divided by 4 once more", reported("mlp", 0.25), "residual", FACTOR, "divided by 4"),
    Case("mlp, groups divided by sample", grouped(apart=False), None, LEAK),
    Case("mlp, groups divided by group", grouped(apart=True), "data"),
    Case("mlp, clean", reported("mlp"), causes=0, quick=True),
    Case("mlp, clean regression", regression, causes=0),
    Case("cnn, batch norm", sides("cnn", size=8, steps=10), "mode", quick=True),
    Case("cnn, batch norm of tiny batches", sides("cnn", size=2, steps=15), "mode"),
    Case("cnn, batch norm of tiny batches, read in part", sides("cnn", size=2, steps=15, budget="40 batches"),
         "mode"),
    Case("cnn, batch norm and dropout", sides("cnn", size=4, net={"dropout": 0.3}, budget="30 batches"), "mode",
         causes=2),
    Case("cnn, batch norm and augmentation", augmented("cnn", 1.0), None, causes=2),
    Case("cnn, batch norm and eval forgotten", sides("cnn", size=4, val={"mode": "train"}, budget="30 batches"),
         None, FORGOTTEN),
    Case("cnn, label smoothing and tiny batches", sides("cnn", smoothed, size=4, budget="30 batches"), "objective",
         causes=2),
    Case("cnn, clean in evaluation mode", reported("cnn"), causes=0),
    Case("lstm, dropout between layers", sides("lstm", net={"dropout": 0.6}, same=True), "mode", LEAK),
    Case("lstm, padding counted", lengths("lstm", "mean", "mean", plain, counted), "objective"),
    Case("lstm, padding counted, and dropout", lengths("lstm", "mean", "mean", plain, counted, dropout=0.3),
         "objective", causes=2),
    Case("lstm, padding in the reported mean", over_padding, "residual", FACTOR, "padding"),
    Case("lstm, mean of sample means", lengths("lstm", "sample", "mean"), None),
    Case("lstm, validation in bits", reported("lstm", val_factor=1 / 0.6931471805599453), "residual", FACTOR, "bits"),
    Case("lstm, training in bits, and dropout", reported(
        "lstm", 1 / 0.6931471805599453, net={"dropout": 0.3}), "residual", FACTOR, "bits", causes=2),
    Case("lstm, clean", reported("lstm"), causes=0),
    Case("transformer, dropout and attention dropout", sides(
        "transformer", net={"dropout": 0.5, "attention_dropout": 0.3}, budget="12 batches"), "mode", causes=2),
    Case("transformer, overlapping windows", windows(), None, LEAK),
    Case("transformer, overlapping windows and dropout", windows(0.3), "mode", LEAK, causes=2),
    Case("transformer, bf16 alone", sides("transformer", train=BF16, same=True), "precision", LEAK),
    Case("transformer, label smoothing and bf16", sides("transformer", smoothed, train=BF16, budget="16 batches"),
         "objective", causes=2),
    Case("transformer, label smoothing, dropout and bf16", sides(
        "transformer", smoothed, train=BF16, net={"dropout": 0.2}, budget="16 batches"), None, causes=2),
    Case("transformer, batch means of unequal lengths", lengths("transformer", "batch", "mean", by_length=True),
         None),
    Case("transformer, batch means weighted by samples, and dropout", lengths(
        "transformer", "mean", "weighted", dropout=0.5, by_length=True), "mode", causes=2),
    Case("transformer, sums of batches", lengths("transformer", "sum", "mean"), "reduction"),
    Case("transformer, clean", reported("transformer"), causes=0, quick=True),
    Case("transformer, clean, read in part", sides("transformer", budget="16 batches"), causes=0),
    Case("transformer, weights move", recorded("transformer", 80, 80), "timing", quick=True),
    Case("transformer, weights move, and dropout", recorded("transformer", 40, dropout=0.2), None, causes=2),
    Case("transformer, easier batches last", recorded("transformer", 4, 160, easier=True, lr=1e-3), "timing"),
    Case("lstm, weights move", recorded("lstm", 100, 100, dropout=0.2), "timing", causes=2),
    Case("mixture, auxiliary loss", sides("mixture", balanced, plain, budget="12 batches"), "objective", quick=True),
    Case("mixture, auxiliary loss and dropout", sides("mixture", balanced, plain, net={"dropout": 0.2},
         budget="16 batches"), "objective",
         causes=2),
    Case("mixture, auxiliary loss, a training loss divided by 8", reported(
        "mixture", 1 / 8, objective=balanced, val_loss=plain), "residual", FACTOR, "divided by 8", causes=2),
    Case("mixture, clean, auxiliary loss in both", reported("mixture", objective=balanced), causes=0),
    Case("cnn, clean, read in part", sides("cnn", train={"mode": "eval"}, budget="12 batches"), causes=0),
]  # fmt: skip

"""In which of torch's losses, and of their settings, two objectives differ: said as they are, by plain torch."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnose import Side, explain_gap

CLASSES = 4


def rows(number, seed):
    """Return rows of features with classes that depend on them; class 0 stands for padding."""
    draw = torch.Generator().manual_seed(seed)
    inputs = torch.randn(number, 6, generator=draw)
    return [(inputs[k : k + 20], inputs[k : k + 20, :CLASSES].argmax(1)) for k in range(0, number, 20)]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Linear(6, CLASSES).eval()


def mean(model, batches, loss):
    """Return the mean of a loss over batches, as the objectives give it."""
    with torch.no_grad():
        return sum(float(loss(model(inputs), targets)) for inputs, targets in batches) / len(batches)


def of_sides(model, first, second):
    """Return the ledger of two criteria, and what the second is less than the first on training's batches."""
    train, val = rows(800, 1), rows(400, 2)

    def taken(criterion):
        return lambda model, batch: criterion(model(batch[0]), batch[1])

    gap = explain_gap(model, Side(train, taken(first)), Side(val, taken(second)))
    return gap, mean(model, train, second) - mean(model, train, first)


def objective(gap):
    return next(term["value"] for term in gap.record["terms"] if term["id"] == "objective")


WEIGHT = torch.tensor([0.2, 1.0, 1.0, 3.0])
ONE_HOT = {
    "huber": lambda delta: lambda out, y: F.huber_loss(out, 4 * F.one_hot(y, CLASSES).float(), delta=delta),
    "mse": lambda out, y: F.mse_loss(out, 4 * F.one_hot(y, CLASSES).float()),
}


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (nn.CrossEntropyLoss(label_smoothing=0.2), nn.CrossEntropyLoss(),
         "label_smoothing is 0.2 in training and 0 in validation"),
        (nn.CrossEntropyLoss(weight=WEIGHT), F.cross_entropy, "training's loss alone has weights by class (weight=)"),
        (F.cross_entropy, lambda out, y: F.cross_entropy(out, y, WEIGHT),
         "validation's loss alone has weights by class (weight=)"),
        (ONE_HOT["huber"](1.0), ONE_HOT["huber"](0.25), "delta is 1 in training and 0.25 in validation"),
        (ONE_HOT["huber"](1.0), ONE_HOT["mse"], "training takes huber_loss and validation mse_loss"),
    ],
)  # fmt: skip
def test_a_setting_that_differs_is_named_beside_what_it_comes_to(model, first, second, said):
    gap, true = of_sides(model, first, second)
    assert objective(gap) == pytest.approx(true, abs=1e-5)
    assert next(one["what"] for one in gap.findings if one["rule"] == "gap/objective").endswith(f": {said}")
    assert f"because the objectives of the two sides differ: {said} (" in gap.verdict


def test_targets_that_one_side_alone_leaves_out_are_named(model):
    nn.init.constant_(model.bias[:1].data, 2.0)  # targets of 0 cost less than others
    gap, true = of_sides(model, nn.CrossEntropyLoss(ignore_index=0), F.cross_entropy)
    assert objective(gap) == pytest.approx(true, abs=1e-5)
    said = next(one["what"] for one in gap.findings if one["rule"] == "gap/objective")
    assert "training leaves out targets of 0 (ignore_index=0), which validation counts" in said


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (F.cross_entropy, nn.CrossEntropyLoss()),
        (nn.CrossEntropyLoss(weight=WEIGHT), lambda out, y: F.cross_entropy(out, y, weight=WEIGHT.clone())),
        (F.cross_entropy, nn.CrossEntropyLoss(ignore_index=17)),  # no target is 17
        (lambda out, y: F.cross_entropy(out, y) + 0.1 * F.mse_loss(out, out.flip(0)), F.cross_entropy),  # two losses
    ],
)
def test_nothing_is_named_where_settings_are_alike_or_losses_are_several(model, first, second):
    gap, true = of_sides(model, first, second)
    assert objective(gap) == pytest.approx(true, abs=1e-5)
    assert gap.record["conditions"]["losses"] == []


def test_random_draws_of_one_side_are_named_beside_a_setting(model):
    """Mixup under label smoothing: the whole difference is not smoothing's."""

    def mixed(out, y):
        share = float(torch.distributions.Beta(0.4, 0.4).sample())
        other, smoothing = y[torch.randperm(len(y))], 0.1
        first, second = (F.cross_entropy(out, one, label_smoothing=smoothing) for one in (y, other))
        return share * first + (1 - share) * second

    gap, _ = of_sides(model, mixed, F.cross_entropy)
    said = "label_smoothing is 0.1 in training and 0 in validation"
    assert f": {said}, and training's draws at random (mixed samples, noise) (" in gap.verdict
    what = next(one["what"] for one in gap.findings if one["rule"] == "gap/objective")
    assert what.endswith(f": {said}; training's draws at random (mixed samples, noise)")


def test_zeros_that_count_on_one_side_are_named_in_the_verdict(model):
    """The losses of training hold the zeros of ignored targets, and their mean counts them."""
    train, val = rows(800, 1), rows(400, 2)

    def zeros_count(model, batch):
        return F.cross_entropy(model(batch[0]), batch[1], ignore_index=0, reduction="none")

    def left_out(model, batch):
        return F.cross_entropy(model(batch[0]), batch[1], ignore_index=0)

    with torch.no_grad():
        both = [float(torch.stack([one(model, b).mean() for b in train]).mean()) for one in (zeros_count, left_out)]
    gap = explain_gap(model, Side(train, zeros_count, reported=both[0]), Side(val, left_out))
    assert objective(gap) + sum(t["value"] for t in gap.record["terms"] if t["id"] == "reduction") == pytest.approx(
        both[1] - both[0], abs=1e-4
    )
    assert "differ: zeros of ignored targets (ignore_index) count in training's mean (" in gap.verdict

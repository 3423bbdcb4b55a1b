"""One dataset or transform for both sides: validation is augmented as training is, or training's is taken away."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split

from diagnose import Side, explain_gap

DRAWS = 200


class Points(Dataset):
    def __init__(self, count, seed, transform=None):
        draw = torch.Generator().manual_seed(seed)
        self.x = torch.randn(count, 8, generator=draw)
        self.y = (self.x.sum(1) + torch.randn(count, generator=draw) > 0).long()
        self.transform = transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, k):
        return (self.x[k] if self.transform is None else self.transform(self.x[k])), self.y[k]


def noise(x):
    return x + torch.randn(8)


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def trained(data):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(net(noise(data.x)), data.y).backward()
        optimizer.step()
    return net


@torch.no_grad()
def losses(net, data, numbers):
    """Return the loss of some samples as they are, and with noise."""
    x, y = data.x[numbers], data.y[numbers]
    each = [float(F.cross_entropy(net(x + torch.randn_like(x)), y)) for _ in range(DRAWS)]
    return float(F.cross_entropy(net(x), y)), sum(each) / DRAWS


def explained(net, train, val):
    gap = explain_gap(net, *(Side(DataLoader(some, 32), ce) for some in (train, val)))
    return (
        gap,
        {finding["rule"]: finding for finding in gap.findings},
        {t["id"]: t["value"] for t in gap.record["terms"]},
    )


def split(data):
    return random_split(data, [384, 128], generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", ["one dataset object", "one transform"])
def test_what_makes_both_is_named_and_no_other_cause_of_their_difference(kind):
    data = Points(512, 1, noise)
    train, val = split(data) if kind == "one dataset object" else (data, Points(256, 2, noise))
    net = trained(data)
    gap, rules, terms = explained(net, train, val)
    both = [losses(net, getattr(some, "dataset", some), getattr(some, "indices", slice(None))) for some in (train, val)]
    assert kind in rules["gap/drawn-alike"]["what"]
    assert "gap/redrawn" not in rules
    assert "augmented anew" not in gap.verdict
    assert terms["collation"] == 0
    low, high = next((t["low"], t["high"]) for t in gap.record["terms"] if t["id"] == "unseen")
    assert low <= both[1][1] - both[0][1] <= high


def test_parts_of_two_datasets_of_which_one_is_augmented_are_collation():
    data = Points(512, 1, noise)
    train, val = split(data)
    net = trained(data)
    _, rules, terms = explained(net, train, Subset(Points(512, 1), val.indices))
    plain, noisy = losses(net, data, train.indices)
    assert terms["collation"] == pytest.approx(plain - noisy, abs=0.1)
    assert terms["unseen"] == pytest.approx(losses(net, data, val.indices)[0] - plain, abs=1e-5)
    assert not {"gap/drawn-alike", "gap/redrawn"} & set(rules)


@pytest.mark.parametrize("kind", ["plain", "two transforms", "training alone"])
def test_nothing_is_said_where_nothing_draws_for_both(kind):
    data = Points(512, 1, None if kind == "plain" else noise)
    train, val = split(data)
    if kind == "two transforms":
        train, val = data, Points(256, 2, lambda x: x + torch.randn(8))
    if kind == "training alone":
        val = TensorDataset(data.x[val.indices], data.y[val.indices])
    _, rules, _ = explained(trained(data), train, val)
    assert "gap/drawn-alike" not in rules

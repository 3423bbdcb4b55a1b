"""Data that loaders make up as they go: the two sides are two independent draws, each the same every time."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, IterableDataset

from diagnose import Side, explain_gap

TIMES = 24


def point():
    x = torch.randn(8)
    return x, (x.sum() + torch.randn(()) > 0).long()


class Made(Dataset):
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, k):
        return point()


class Stream(IterableDataset):
    def __init__(self, count):
        self.count = count

    def __iter__(self):
        return (point() for _ in range(self.count))


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def net(p=0.0):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(p), nn.Linear(16, 2))


def terms(gap):
    return {term["id"]: term for term in gap.record["terms"]}


@pytest.mark.parametrize("kind", [Made, Stream])
def test_the_difference_of_two_draws_is_within_its_interval_and_is_not_nothing(kind):
    model, found = net(), []
    for count in range(96, 96 + TIMES):
        gap = explain_gap(model, *(Side(DataLoader(kind(count), 16), ce) for _ in range(2)))
        found.append(terms(gap)["unseen"])
    assert all(term["value"] != 0 for term in found)
    assert sum(term["low"] <= 0 <= term["high"] for term in found) >= TIMES - 4


def test_each_side_is_the_same_every_time():
    first, second = (explain_gap(net(), *(Side(DataLoader(Made(64), 16), ce) for _ in range(2))) for _ in range(2))
    assert terms(first) == terms(second)


def test_one_loader_that_is_given_for_both_sides_is_one_draw():
    loader = DataLoader(Made(64), 16)
    assert terms(explain_gap(net(), Side(loader, ce), Side(loader, ce)))["unseen"]["value"] == 0


def test_masks_of_a_side_stay_paired():
    x, y = zip(*(point() for _ in range(256)), strict=True)
    some = [(torch.stack(x)[k : k + 32], torch.stack(y)[k : k + 32]) for k in range(0, 256, 32)]
    mode = terms(explain_gap(net(0.2), Side(some, ce), Side(DataLoader(Made(64), 16), ce)))["mode"]
    alone = terms(explain_gap(net(0.2), Side(some, ce), Side(some, ce)))["mode"]
    assert mode["value"] == pytest.approx(alone["value"], abs=1e-12)

"""Factors that numbers leave open: a perplexity beside a whole number, a multiple of data that are drawn anew."""

import math

import pytest
import torch
from test_drawn_apart import Made, ce, net
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from diagnose import Side, explain_gap

LOSS = 3.26168568  # whose perplexity is 8 times it
BATCHES = [(torch.zeros(16),), (torch.zeros(16),)]


class Level(nn.Module):
    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(LOSS))

    def forward(self, x):
        return self.level + x


def val_loss(model, batch):
    return model(batch[0])


def train_loss(model, batch):
    return model(batch[0]) - 0.3


def said(train, val):
    gap = explain_gap(Level(), Side(BATCHES, train_loss, reported=train), Side(BATCHES, val_loss, reported=val))
    return gap, next(finding["what"] for finding in gap.findings if finding["rule"] == "gap/arithmetic")


@pytest.mark.parametrize("reported", [8 * LOSS, 26.0935, 26.1])
def test_a_perplexity_beside_a_whole_number_is_left_open(reported):
    gap, what = said(None, reported)
    assert all(part in what for part in ("either", "times 8", "perplexity", "this one loss does not tell which"))
    assert "times 8" not in gap.verdict


@pytest.mark.parametrize(
    ("train", "val", "one", "other"),
    [(math.exp(LOSS - 0.3), math.exp(LOSS), "exp", "times 8"), (8 * (LOSS - 0.3), 8 * LOSS, "times 8", "exp")],
)
def test_what_explains_both_sides_is_named_for_both(train, val, one, other):
    _, what = said(train, val)
    assert what.count(one) >= 2
    assert other not in what
    assert "either" not in what


def test_another_factor_is_still_named_alone():
    _, what = said(None, 7 * LOSS)
    assert "times 7" in what
    assert "either" not in what


@torch.no_grad()
def mean(model, count):
    return sum(float(ce(model, batch).mean()) for batch in DataLoader(Made(count), 64)) / (count / 64)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("factor", [1 / 16, 1.0, 12.0])
def test_a_multiple_of_data_that_are_drawn_anew_is_said_as_wide_as_it_is(side, factor):
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        x, y = next(iter(DataLoader(Made(256), 256)))
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    reported = [mean(model, 1024), mean(model, 1024)]
    reported[side] *= factor
    sides = [Side(DataLoader(Made(1024), 64), ce, reported=loss) for loss in reported]
    found = [finding["what"] for finding in explain_gap(model, *sides).findings if finding["rule"] == "gap/residual"]
    if factor == 1:
        assert not found
        return
    name = ("training", "validation")[side]
    low, high = found[0].partition(f": {name}'s is ")[2].removesuffix(" times what is read").split(" to ")
    assert float(low) <= factor <= float(high)
    assert float(high) < 4 * float(low)

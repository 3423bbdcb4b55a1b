"""Set-ups that resemble what the detectors look for and are not it: nothing of it may be said."""

import copy
from functools import partial

import pytest
import rounds_fixture
import torch
from rounds_fixture import ce, fit
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset, WeightedRandomSampler

from diagnose import Side, explain_gap

data = partial(rounds_fixture.data, apart=0.5)
network = partial(rounds_fixture.network, width=32)


def draws(seed):
    return torch.Generator().manual_seed(seed)


def mean(model, loader, loss=ce):
    """Return the mean over elements in evaluation mode."""
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        return torch.cat([loss(model, batch).flatten() for batch in loader]).double().mean().item()


def said(gap):
    record = gap.record
    return " | ".join([gap.verdict, *record["notes"], *record["conditions"]["unlike"]])


class Language(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.out = nn.Embedding(vocab, 8), nn.Linear(8, vocab)

    def forward(self, x):
        return self.out(self.embedding(x))


def of_next(model, batch):
    (x,) = batch
    return F.cross_entropy(model(x[:, :-1]).transpose(1, 2), x[:, 1:], reduction="none")


def templated(count, seed, templates, length=60, free=6):
    """Return rows of one of several templates with tokens of their own in the middle."""
    draw = draws(seed)
    template = torch.randint(1000, 2000, (templates, length), generator=draws(99))
    which = torch.randint(0, templates, (count,), generator=draw)
    own, half = torch.randint(1, 1000, (count, free), generator=draw), length // 2
    return torch.cat([template[which, :half], own, template[which, half:]], 1)


def rare(count, seed):
    draw = draws(seed)
    rows = torch.randint(1, 1000, (count, 66), generator=draw)
    rows[::20] = templated(count, seed + 50, 1)[::20]
    return rows


def relatives(count, seed):
    """Return proteins of a few families, each with a fifth of its places changed: none is a copy of another."""
    draw = draws(seed)
    family = torch.randint(1, 21, (6, 120), generator=draws(5))[torch.randint(0, 6, (count,), generator=draw)]
    return torch.where(
        torch.rand(count, 120, generator=draw) < 0.8, family, torch.randint(1, 21, (count, 120), generator=draw)
    )


def levels(count, seed):
    """Return readings of a sensor that stays at one of 40 levels for long."""
    draw = draws(seed)
    level = torch.randint(1, 41, (count, 3), generator=draw)
    switch = torch.randint(5, 60, (count, 2), generator=draw).sort(1)[0]
    place = torch.arange(64)[None]
    return level.gather(1, (place >= switch[:, :1]).long() + (place >= switch[:, 1:]).long())


def openings(count, seed):
    draw = draws(seed)
    common = torch.randint(1, 200, (8, 20), generator=draws(9))[torch.randint(0, 8, (count,), generator=draw)]
    return torch.cat([common, torch.randint(1, 200, (count, 5), generator=draw)], 1)


KINDS = {
    "two templates": partial(templated, templates=2, length=100),
    "ten templates": partial(templated, templates=10),
    "forty templates": partial(templated, templates=40),
    "a template of few rows": rare,
    "families": relatives,
    "levels": levels,
    "openings": openings,
}


class TestRowsThatAreAlikeAmongThemselves:
    @pytest.mark.parametrize("kind", KINDS)
    def test_they_are_no_copies(self, kind):
        train, val = (DataLoader(TensorDataset(KINDS[kind](n, n)), 32) for n in (400, 120))
        gap = explain_gap(Language(2000), Side(train, of_next), Side(val, of_next))
        assert (gap.record["overlap"]["exact"], gap.record["overlap"]["near"]) == (0, 0)

    def test_copies_within_a_template_are_found_still(self):
        rows, other = templated(400, 1, 10), templated(120, 2, 10)
        other[:60] = rows[:60]
        train, val = (DataLoader(TensorDataset(some), 32) for some in (rows, other))
        gap = explain_gap(Language(2000), Side(train, of_next), Side(val, of_next))
        assert (gap.record["overlap"]["exact"], gap.record["overlap"]["near"]) == (60, 0)

    def test_near_copies_among_repeated_training_rows_are_found_still(self):
        rows = torch.randint(1, 1000, (200, 66), generator=draws(1))
        other = rows[:60].clone()
        other[:, 30] = 0
        train = DataLoader(TensorDataset(rows.repeat(6, 1)), 32)
        gap = explain_gap(Language(1000), Side(train, of_next), Side(DataLoader(TensorDataset(other), 32), of_next))
        assert gap.record["overlap"]["near"] == 60

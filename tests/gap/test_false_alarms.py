"""Set-ups that resemble what the detectors look for and are not it: nothing of it may be said."""

import copy
from functools import partial

import pytest
import rounds_fixture
import torch
from rounds_fixture import ce, fit
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset, WeightedRandomSampler

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


class Written(Dataset):
    """A dataset that writes the same into what it holds each time it is read."""

    def __init__(self, some, how):
        self.x, self.y, self.how = some.tensors[0].clone(), some.tensors[1].clone(), how

    def __len__(self):
        return len(self.y)

    def __getitem__(self, number):
        x, y = self.x[number], self.y[number]
        if self.how == "limit":
            x.clamp_(-3, 3)
        elif self.how == "first":
            x[0] = 1.0
        elif self.how == "ignored":
            y.masked_fill_(y == -1, -100)
        return x, y


class Listed(Sampler):
    """A sampler that draws what it is told to."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __iter__(self):
        return iter(self.numbers)

    def __len__(self):
        return len(self.numbers)


class TestLoaders:
    @pytest.mark.parametrize("how", ["limit", "first", "ignored"])
    def test_a_dataset_that_writes_the_same_each_time_changes_no_sample(self, how):
        train = DataLoader(Written(data(256, 1), how), 32, shuffle=True)
        gap = explain_gap(fit(network(), train), Side(train, ce), Side(DataLoader(data(128, 2), 32), ce))
        assert "changes its own samples" not in said(gap)

    @pytest.mark.parametrize("kind", ["weighted", "few", "many"])
    def test_a_sampler_that_repeats_within_one_process_is_none_of_several(self, kind):
        some = data(128, 2)
        sampler = {
            "weighted": WeightedRandomSampler(torch.ones(128), 128),
            "few": Listed([*range(128), *[1, 2, 3] * 4]),
            "many": Listed([k for k in range(128) for _ in range(3)]),
        }[kind]
        train, val = DataLoader(data(256, 1), 32), DataLoader(some, 32, sampler=sampler)
        gap = explain_gap(fit(network(), train), Side(train, ce), Side(val, ce))
        assert "DistributedSampler" not in said(gap)

    def test_a_batch_that_is_drawn_anew_does_not_hang_on_its_padding(self):
        def noisy(rows):
            width = max(map(len, rows))
            rows = [torch.where(torch.rand(len(row)) < 0.1, torch.randint(1, 60, (len(row),)), row) for row in rows]
            return torch.stack([F.pad(row, (0, width - len(row))) for row in rows])

        def losses(model, x):
            table = F.cross_entropy(model(x[:, :-1]).transpose(1, 2), x[:, 1:], reduction="none")
            return {"loss": table, "weights": (x[:, 1:] != 0).float()}

        train, val = (
            DataLoader(
                [row[: 10 + k % 20] for k, row in enumerate(torch.randint(1, 60, (120, 40)))], size, collate_fn=f
            )
            for size, f in ((4, noisy), (30, noisy))
        )
        gap = explain_gap(Language(60), Side(train, losses), Side(val, losses))
        (batching,) = [term for term in gap.record["terms"] if term["id"] == "batching"]
        assert (batching["value"], batching["low"]) in ((0.0, 0.0), (0.0, None))


class TestWeightsOf16Bits:
    def cast(self, model, batch):
        return F.cross_entropy(model(batch[0].to(model[0].weight.dtype)).float(), batch[1], reduction="none")

    @pytest.mark.parametrize("kind", ["means of batches", "another loss"])
    def test_they_are_not_blamed_for_what_they_cannot_do(self, kind):
        train, val = DataLoader(data(250, 1), 32), DataLoader(data(128, 2), 32)
        model = fit(network(), train).bfloat16()
        reported = sum(self.cast(model, batch).mean().item() for batch in train) / len(train)
        if kind == "another loss":
            reported = 1.2 * mean(model, train, self.cast)
        gap = explain_gap(model, Side(train, self.cast, reported=reported, mode="eval"), Side(val, self.cast))
        assert "bfloat16" not in said(gap)


def test_that_changed_copies_of_rows_that_are_alike_are_not_told_is_said():
    """Eight copies of each row, a token in twelve changed, divided at random, are as a template's rows."""
    rows = torch.randint(1, 500, (100, 40), generator=draws(1)).repeat(8, 1)
    rows = torch.where(torch.rand(rows.shape, generator=draws(2)) < 0.08, 500 - rows, rows)
    rows = rows[torch.randperm(800, generator=draws(3))]
    train, val = (DataLoader(TensorDataset(some), 50) for some in (rows[:600], rows[600:]))
    gap = explain_gap(Language(500), train=Side(train, objective=of_next), val=Side(val, objective=of_next))
    assert "copies of which some values were changed" in said(gap)
    apart = torch.randint(1, 500, (800, 40), generator=draws(4))
    train, val = (DataLoader(TensorDataset(some), 50) for some in (apart[:600], apart[600:]))
    gap = explain_gap(Language(500), train=Side(train, objective=of_next), val=Side(val, objective=of_next))
    assert "copies of which" not in said(gap)

"""A table whose rows are of persons, split by rows: what persons bring along lies on both sides."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, audit_metric, explain_gap


def rows(persons=60, each=8, known=5, own=3):
    """Return rows of persons: what is known of each, bit for bit in all its rows, and what is of the row alone."""
    draw = torch.Generator().manual_seed(0)
    traits = torch.randn(persons, known, generator=draw).repeat_interleave(each, 0)
    x = torch.cat([traits, torch.randn(persons * each, own, generator=draw)], 1)
    return x, x[:, 0] + 0.1 * torch.randn(len(x), generator=draw), draw


def mse(model, batch):
    return F.mse_loss(model(batch[0]).squeeze(-1), batch[1], reduction="none")


def sides(x, y, order):
    part = int(0.8 * len(x))
    return [Side(DataLoader(TensorDataset(x[some], y[some]), 32), mse) for some in (order[:part], order[part:])]


def network(width):
    torch.manual_seed(0)
    return nn.Linear(width, 1)


def note(found):
    return [text for text in found.record["notes"] if "columns in common" in text]


def finding(train, val, width):
    found = audit_metric(network(width), train, val, budget=0.5).record["findings"]
    return [one for one in found if one["rule"] == "split-overlap-near"]


def test_a_split_by_rows_is_noted():
    x, y, draw = rows()
    order = torch.randperm(len(x), generator=draw)
    train, val = sides(x, y, order)
    in_both = torch.isin(order[384:] // 8, order[:384] // 8).float().mean().item()
    (told,) = note(explain_gap(network(8), train, val))
    assert f"{in_both:.0%} of validation's rows have 5 of their 8 columns in common" in told
    assert "60 sets" in told
    (one,) = finding(train, val, 8)
    assert one["severity"] == "note"
    assert "group" in one["fix"]


def test_a_split_by_persons_is_not():
    x, y, _ = rows()
    train, val = sides(x, y, torch.arange(len(x)))
    assert not note(explain_gap(network(8), train, val))
    assert not finding(train, val, 8)


@pytest.mark.parametrize("kind", ["of its own", "classes", "one column", "an hour"])
def test_columns_that_tell_of_no_person_are_not(kind):
    x, y, draw = rows()
    if kind == "of its own":
        x = torch.randn(x.shape, generator=draw)
    elif kind == "classes":  # one of three, in as many columns that come together
        x[:, :5] = torch.randint(3, (len(x), 1), generator=draw).float()
    elif kind == "an hour":  # of ten, in two forms
        x, y, draw = rows(persons=120)
        x[:, 0] = torch.randint(10, (len(x),), generator=draw).float()
        x[:, 1] = x[:, 0] / 10
        x[:, 2:] = torch.randn(len(x), 6, generator=draw)
    else:
        x[:, 1:] = torch.randn(len(x), 7, generator=draw)
    train, val = sides(x, y, torch.randperm(len(x), generator=draw))
    assert not note(explain_gap(network(8), train, val))
    assert not finding(train, val, 8)


def test_passages_of_a_table_are_not_called_windows():
    x, y, draw = rows(known=9, own=2)
    train, val = sides(x, y, torch.randperm(len(x), generator=draw))
    found = audit_metric(network(11), train, val, budget=0.5).record["findings"]
    told = [one["what"] for one in found if one["rule"] == "scored-twice"]
    verdict = audit_metric(network(11), train, val, budget=0.5).verdict
    assert "no error or warning, but notes: scored-twice and split-overlap-near" in verdict
    assert told
    assert all("rows have columns in common" in what for what in told)

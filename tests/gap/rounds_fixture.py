"""A small classifier, its data and its training, as rounds of causes hold them against plain torch."""

import copy

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset


def data(count, seed, outputs=4, apart=1.0):
    draw = torch.Generator().manual_seed(seed)
    centres = torch.randn(outputs, 16, generator=torch.Generator().manual_seed(99))
    y = torch.randint(0, outputs, (count,), generator=draw)
    return TensorDataset(apart * centres[y] + torch.randn(count, 16, generator=draw), y)


def network(outputs=4, width=24):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, outputs))


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def of_batch(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def rules(found):
    return {one["rule"] for one in found.findings}


def fit(model, loader, loss=ce, turns=8):
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(turns):
        for batch in loader:
            optimizer.zero_grad()
            loss(model, batch).mean().backward()
            optimizer.step()
    return model


def draws(seed):
    return torch.Generator().manual_seed(seed)


def mean(model, loader, loss=ce, *, training=False):
    """Return the mean of the batches' means."""
    model = copy.deepcopy(model).train(training)
    with torch.no_grad():
        found = [float(loss(model, batch).mean()) for batch in loader]
    return sum(found) / len(found)


def term(gap, name):
    return next(row for row in gap.record["terms"] if row["id"] == name)


def unlike(gap):
    return gap.record["conditions"].get("unlike", [])

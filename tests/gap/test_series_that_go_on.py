"""Windows of training's own series: those that go on where training ends are not seen, those that lie in it are."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from diagnose import Side, explain_gap

BACK, AHEAD, LENGTH = 24, 8, 96


def windows(kind):
    """Return training's and validation's windows of 30 series."""
    series = torch.randn(30, LENGTH, generator=torch.Generator().manual_seed(0)).cumsum(1)
    every = [series[:, k : k + BACK + AHEAD] for k in range(LENGTH - BACK - AHEAD + 1)]
    if kind == "goes on":  # the future alone is new
        return torch.cat(every[:-AHEAD]), every[-1]
    if kind == "lies within":  # each window's neighbours are training's
        return torch.cat(every[::2]), torch.cat(every[1::16])
    return torch.cat(every[: LENGTH // 2 - BACK]), torch.cat(every[LENGTH // 2 :: 8])  # apart


def squares(model, batch):
    return (model(batch[0][:, :BACK]) - batch[0][:, BACK:]).square()


@pytest.mark.parametrize(("kind", "seen"), [("goes on", False), ("lies within", True), ("apart", False)])
@pytest.mark.parametrize("columns", [1, 2])
def test_windows_count_as_seen_where_training_has_their_end(kind, seen, columns):
    def objective(model, batch):
        return squares(model, [batch[0].reshape(len(batch[0]), -1, columns)[..., 0]])

    torch.manual_seed(0)
    sides = [
        Side(DataLoader(TensorDataset(some[..., None].expand(-1, -1, columns).contiguous().squeeze(-1)), 64), objective)
        for some in windows(kind)
    ]
    gap = explain_gap(nn.Linear(BACK, AHEAD), *sides)
    overlap = gap.record["overlap"]
    assert (overlap["exact"] + overlap["near"] > 0.9 * overlap["val_documents"]) == seen
    assert ("gap/leaking-split" in {finding["rule"] for finding in gap.findings}) == seen
    assert seen or overlap["exact"] + overlap["near"] == 0

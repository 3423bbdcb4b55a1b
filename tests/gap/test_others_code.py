"""What running well-known public training scripts with the tool showed, each kind rebuilt small."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnose import GapRecorder, Side, audit_metric, explain_gap


class GraphNet(nn.Module):
    """Two layers over a sparse adjacency matrix, with dropout between them."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x, adjacency):
        hidden = torch.sparse.mm(adjacency, self.first(x)).relu()
        return torch.sparse.mm(adjacency, self.last(F.dropout(hidden, 0.5, self.training)))


def graph_loss(model, batch):
    x, adjacency, y, nodes = batch
    return F.cross_entropy(model(x, adjacency)[nodes], y[nodes], reduction="none")


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("layout", ["coo", "csr"])
def test_a_graph_with_a_sparse_adjacency_matrix(tmp_path, layout):
    torch.manual_seed(0)
    dense = torch.rand(60, 60).lt(0.1).float() + torch.eye(60)
    adjacency = dense.to_sparse() if layout == "coo" else dense.to_sparse_csr()
    x, y, model = torch.randn(60, 8), torch.randint(0, 3, (60,)), GraphNet()
    train, val = (x, adjacency, y, torch.arange(20)), (x, adjacency, y, torch.arange(30, 60))
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    with GapRecorder(tmp_path, model, reports="last") as recorder:
        for _ in range(10):
            loss = graph_loss(model, train).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(train, loss)
    sides = Side([train], graph_loss, reported=loss.item()), Side([val], graph_loss)
    gap = explain_gap(model, *sides, recorder=recorder)
    values = gap.terms.set_index("id").value
    model.eval()
    losses = [graph_loss(model, batch).mean().item() for batch in (train, val)]
    assert values["residual"] == pytest.approx(0, abs=1e-5)
    assert values["unseen"] == pytest.approx(losses[1] - losses[0], abs=1e-5)
    assert "gap/replay" not in {finding["rule"] for finding in gap.findings}
    audit_metric(model, *sides)


class PooledNet(nn.Module):
    """Groups of rows, whose places the batch lists, are averaged behind a batch norm, in training mode far off."""

    def __init__(self):
        super().__init__()
        self.norm, self.last = nn.BatchNorm1d(6, momentum=0.9), nn.Linear(6, 1)

    def forward(self, x, places):
        hidden = self.norm(x)
        return self.last(torch.stack([hidden[rows].max(0).values for rows in places]))


def test_a_pass_that_fails_behind_a_batch_norm_leaves_no_statistics():
    torch.manual_seed(0)

    def made():
        places = [torch.arange(5 * k, 5 * k + 5) for k in range(6)]
        return torch.randn(30, 6) * 3 + 2, places, torch.randn(6, 1)

    def loss(model, batch):
        x, places, y = batch
        return F.mse_loss(model(x, places), y)

    gap = explain_gap(PooledNet(), Side([made() for _ in range(4)], loss), Side([made() for _ in range(3)], loss))
    assert "gap/random" not in {finding["rule"] for finding in gap.findings}
    assert "writes into its buffers" not in str(gap)


class Drawn(torch.utils.data.Dataset):
    """Samples that are drawn anew each time they are read, among the easier ones."""

    def __init__(self):
        self.x = torch.randn(512, 4)
        self.easy = self.x[self.x.sum(1).abs().argsort()[:200]]

    def __len__(self):
        return 64

    def __getitem__(self, number):
        return self.easy[torch.randint(len(self.easy), ()).item()]


def test_draws_that_ease_training_are_no_overfitting():
    torch.manual_seed(0)
    data = Drawn()
    train, val = torch.utils.data.DataLoader(data, 16), torch.randn(256, 4).split(32)
    model = nn.Linear(4, 1)
    nn.init.zeros_(model.weight)

    def loss(model, batch):
        return (model(batch) - batch.sum(1, keepdim=True)).square()

    gap = explain_gap(model, Side(train, loss), Side(val, loss))
    rules = {finding["rule"] for finding in gap.findings}
    assert "gap/redrawn" in rules
    assert "gap/unseen" not in rules


def test_probabilities_are_not_freed_beyond_what_their_loss_takes():
    batches = [(torch.ones(16, 4), torch.arange(16).remainder(2).float()[:, None])] * 3
    model = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())

    def loss(model, batch):
        return F.binary_cross_entropy(model(batch[0]), batch[1], reduction="none")

    audited = audit_metric(model, Side(batches, loss), Side(batches, loss))
    assert "cannot-overfit" in {finding["rule"] for finding in audited.findings}
    assert "between 0 and 1" not in str(audited)


def recorded(tmp_path, objective, reported, *, shared=False):
    """Return the ledger of an epoch whose loop makes `reported` of the losses of its steps, and what that is.

    The recorder is given the losses, or each sample's share of them.
    """
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    batches = [(x, x.sum(1, keepdim=True)) for x in torch.randn(76, 4).split(16)]
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    losses = []
    with GapRecorder(tmp_path, model, reports="epoch") as recorder:
        for batch in batches:
            loss = objective(model, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(batch, loss / len(batch[0]) if shared else loss, weight=len(batch[0]) if shared else 1.0)
            losses.append(loss.item())
    train = Side(batches, objective, reported=reported(losses))
    return explain_gap(model, train, Side(batches, objective), recorder=recorder), train.reported


def mean(model, batch):
    return F.mse_loss(model(batch[0]), batch[1])


def summed(model, batch):
    return F.mse_loss(model(batch[0]), batch[1], reduction="sum")


def test_the_sum_of_an_epoch_over_the_last_index_is_named(tmp_path):
    gap, _ = recorded(tmp_path, mean, lambda losses: sum(losses) / 4)
    assert "gap/arithmetic" in {finding["rule"] for finding in gap.findings}
    assert "the sum of 5 steps divided by 4, the last one's index" in " ".join(str(gap).split())


@pytest.mark.parametrize("shared", [False, True])
def test_sums_of_batches_that_were_reported_by_the_sample_are_read_so(tmp_path, shared):
    gap, reported = recorded(tmp_path, summed, lambda losses: sum(losses) / 76, shared=shared)
    values = dict(zip(gap.terms.id, gap.terms.value, strict=True))
    assert values["residual"] == pytest.approx(0, abs=1e-6)
    assert gap.matched.val < reported  # training went on
    assert values["lag"] == pytest.approx(gap.matched.val - reported, abs=1e-5)
    assert any("the sum over a batch's samples" in note for note in gap.record["notes"])


@pytest.mark.parametrize(("objective", "reported", "read"), [
    (summed, "by the sample", "by the sample"), (summed, "by the batch", "by the batch"),
    (mean, "by the sample", "by the sample"), (mean, "a sixteenth", "by the sample"),
])  # fmt: skip
def test_a_sum_is_shared_out_among_its_samples_where_it_was_reported_so(objective, reported, read):
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(4, 1), nn.Dropout(0.2)), torch.randn(60, 4)
    model.eval()
    batches = [(part, part.sum(1, keepdim=True)) for part in x.split(16)]
    with torch.no_grad():
        each = (model(x) - x.sum(1, keepdim=True)).square().mean().item()
        of_batches = sum(summed(model, batch).item() for batch in batches) / len(batches)
    value = {"by the sample": each, "by the batch": of_batches, "a sixteenth": each / 16}
    model.train()
    train = Side([(part, part.sum(1, keepdim=True)) for part in torch.randn(64, 4).split(16)], mean)
    gap = explain_gap(model, train, Side(batches, objective, reported=value[reported]))
    assert gap.matched.val == pytest.approx(value[read], rel=0.02 if objective is mean else 1e-5)
    assert model.training
    noted = any("the sum over a batch's samples" in note for note in gap.record["notes"])
    assert noted == (objective is summed and reported == "by the sample")

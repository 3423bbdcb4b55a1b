"""What a second look at public training scripts showed, each kind rebuilt small."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnose import GapRecorder, Side, explain_gap
from diagnose.gap.recorder.packing import pack, unpack
from diagnose.gap.recorder.recording import read_record


def squared(model, batch):
    return (model(batch[0]) - batch[1]).square().mean(-1)


def trained(model, batches, objective, recorder, weight=lambda _: 1.0):
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for batch in batches:
        loss = objective(model, batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recorder.step(batch, loss, weight=weight(batch))


def rules(gap):
    return {finding["rule"] for finding in gap.findings}


def test_weights_may_be_tensors_as_sums_of_masks_are(tmp_path):
    torch.manual_seed(0)
    model, sizes = nn.Linear(3, 1), [2, 7, 4]
    batches = [(torch.randn(size, 3), torch.randn(size, 1)) for size in sizes]
    with GapRecorder(tmp_path, model, interval=3) as recorder:
        trained(model, batches, squared, recorder, lambda batch: torch.ones(len(batch[0])).sum())
        losses = [squared(model, batch).mean().item() for batch in batches]
        for batch, loss in zip(batches, losses, strict=True):
            recorder.validation(batch, loss, weight=torch.ones(len(batch[0])).sum())
    record, _ = read_record(tmp_path)
    assert record.weights == sizes
    mean = sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)
    assert record.val == pytest.approx(mean)


class Energy(nn.Module):
    """A field is the gradient of one number, by its input, as of physics-informed networks."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, x):
        return torch.autograd.grad(self.net(x).sum(), x, create_graph=True)[0]


def test_batches_whose_inputs_are_differentiated_by_are_recorded_so(tmp_path):
    torch.manual_seed(0)
    x, model = torch.randn(32, 2, requires_grad=True), Energy()
    batch, other = (x, -x.detach()), (torch.randn(32, 2, requires_grad=True), torch.zeros(32, 2))
    with GapRecorder(tmp_path, model, reports="last") as recorder:
        trained(model, [batch] * 5, squared, recorder)
        recorder.validation(other, squared(model, other).mean())
    gap = explain_gap(model, squared, squared, recorder=recorder)
    assert gap.terms.set_index("id").value["residual"] == pytest.approx(0, abs=1e-6)
    assert "gap/replay" not in rules(gap)
    tensors = []
    structure = json.loads(json.dumps(pack(batch, tensors)))
    first, second = unpack(structure, {str(k): tensor for k, tensor in enumerate(tensors)})
    assert (first.requires_grad, second.requires_grad) == (True, False)
    assert torch.equal(first, x)


def node_loss(model, batch):
    x, y, nodes = batch
    return F.cross_entropy(model(x)[nodes], y[nodes], reduction="none")


def test_other_nodes_on_each_side_are_no_other_preparation(tmp_path):
    torch.manual_seed(0)
    x, y, model = torch.randn(90, 4), torch.randint(0, 3, (90,)), nn.Linear(4, 3)
    train, val = (x, y, torch.arange(30)), (x, y, torch.arange(40, 80))
    with GapRecorder(tmp_path, model, reports="last") as recorder:
        trained(model, [train] * 12, node_loss, recorder)
        recorder.validation(val, node_loss(model, val).mean())
    gap = explain_gap(model, node_loss, node_loss, recorder=recorder)
    assert "gap/inputs" not in rules(gap)
    assert "batches differ" not in gap.verdict


class MadeUp:
    """Batches that are drawn as they are read, from the random state of the process."""

    def __iter__(self):
        for _ in range(8):
            x = torch.randn(16, 5)
            yield x, x.sum(1, keepdim=True)

    def __len__(self):
        return 8


def test_data_that_is_made_up_as_it_is_read_is_not_on_both_sides():
    torch.manual_seed(0)
    gap = explain_gap(nn.Linear(5, 1), Side(MadeUp(), squared), Side(MadeUp(), squared))
    assert "gap/leaking-split" not in rules(gap)


def test_one_loader_that_augments_for_both_sides_holds_one_set_of_samples():
    class Noisy(torch.utils.data.Dataset):
        def __len__(self):
            return 64

        def __getitem__(self, k):
            x = torch.arange(5.0) * k + torch.randn(5)
            return x, x.sum()[None]

    torch.manual_seed(0)
    side = Side(torch.utils.data.DataLoader(Noisy(), 16, shuffle=True), squared)
    assert "training has seen this data" in explain_gap(nn.Linear(5, 1), side, side).verdict


def episode_loss(model, batch):
    """A sample's loss is by the classes of its episode, of which each has as many samples."""
    hidden, classes = model(batch[0]), batch[1].unique()
    rows = torch.stack([hidden[batch[1] == label] for label in classes])
    distances = torch.cdist(rows[:, 2:].flatten(0, 1), rows[:, :2].mean(1))
    return F.cross_entropy(-distances, torch.arange(len(classes)).repeat_interleave(rows.shape[1] - 2))


def episodes(classes, count):
    out = []
    for _ in range(count):
        y = torch.randperm(20)[:classes].repeat(6)
        y = y[torch.randperm(len(y))]
        out.append((F.one_hot(y, 20) + 0.5 * torch.randn(len(y), 20), y))
    return out


def test_an_objective_that_fails_on_half_a_batch_is_said_where_batches_differ():
    torch.manual_seed(0)
    model, few, many = nn.Linear(20, 8), episodes(3, 10), episodes(12, 10)
    said = explain_gap(model, Side(many, episode_loss), Side(few, episode_loss))
    assert any("could not be tried" in note for note in said.record["notes"])
    alike = explain_gap(model, Side(few, episode_loss), Side(episodes(3, 10), episode_loss))
    assert not any("could not be tried" in note for note in alike.record["notes"])

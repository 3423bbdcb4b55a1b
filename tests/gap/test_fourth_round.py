"""The fourth round of causes (docs/LOG.md, 2026-11-29), held against plain torch."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import GapRecorder, Side, audit_metric, explain_gap


def data(count, seed, outputs=4):
    draw = torch.Generator().manual_seed(seed)
    centres = torch.randn(outputs, 16, generator=torch.Generator().manual_seed(99))
    y = torch.randint(0, outputs, (count,), generator=draw)
    return TensorDataset(0.5 * centres[y] + torch.randn(count, 16, generator=draw), y)


def network(outputs=4):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, outputs))


def ce(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1], reduction="none")


def fit(model, loader, loss=ce, turns=8):
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(turns):
        for batch in loader:
            optimizer.zero_grad()
            loss(model, batch).mean().backward()
            optimizer.step()
    return model


@torch.no_grad()
def read(model, loader, loss=ce):
    """Return the mean over elements in evaluation mode."""
    model = copy.deepcopy(model).eval()
    found = torch.cat([loss(model, batch).double().reshape(-1) for batch in loader])
    return float(found.mean())


def values(gap):
    return {one["id"]: one["value"] or 0.0 for one in gap.record["terms"]}


def rules(gap):
    return {one["rule"] for one in gap.record["findings"]}


class TestRecordedRandomness:
    def mixed(self, model, batch):
        x, y = batch
        share, order = np.random.beta(0.4, 0.4), np.random.permutation(len(x))  # noqa: NPY002
        scores, other = model(share * x + (1 - share) * x[order]), y[order]
        losses = (F.cross_entropy(scores, some, reduction="none") for some in (y, other))
        return sum(part * loss for part, loss in zip((share, 1 - share), losses, strict=True))

    def test_what_numpy_draws_is_drawn_again_in_replay(self, tmp_path):
        train, val = DataLoader(data(256, 1), 32), DataLoader(data(128, 2), 32)
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        np.random.seed(7)  # noqa: NPY002
        with GapRecorder(tmp_path / "run", model, interval=8) as recorder:
            for batch in [*train, *train]:
                recorder.before()
                optimizer.zero_grad()
                loss = self.mixed(model, batch).mean()
                loss.backward()
                optimizer.step()
                recorder.step(batch, loss)
            first = next(iter(val))
            recorder.validation(first, ce(model, first).mean())  # in training mode
        gap = explain_gap(model, Side(train, self.mixed), Side(val, ce), recorder=recorder)
        assert gap.record["verified"]["largest"] < 1e-6
        assert "gap/replay" not in rules(gap)

    def test_validation_in_training_mode_leaves_the_weights_of_the_interval(self, tmp_path):
        model, batch = network(), next(iter(DataLoader(data(32, 1), 32)))
        with GapRecorder(tmp_path / "run", model, interval=2) as recorder:
            before = copy.deepcopy(model.state_dict())
            for _ in range(2):
                recorder.step(batch, ce(model, batch).mean())
                with torch.no_grad():
                    model[0].weight.add_(1.0)
            recorder.validation(batch, ce(model, batch).mean())
        start = recorder.record().start
        assert all(torch.equal(start[name], value) for name, value in before.items())

    def test_smoothing_that_ended_within_the_interval_is_no_progress(self, tmp_path):
        train, val = DataLoader(data(480, 1), 32), DataLoader(data(256, 2), 32)
        model, share = network(), [0.2]

        def smoothed(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=share[0], reduction="none")

        optimizer = torch.optim.Adam(model.parameters(), 2e-3)
        with GapRecorder(tmp_path / "run", model, interval=30) as recorder:
            for step, batch in enumerate([*train] * 4):
                share[0] = 0.2 if step < 45 else 0.0
                optimizer.zero_grad()
                loss = smoothed(model, batch).mean()
                loss.backward()
                optimizer.step()
                recorder.step(batch, loss)
        gap = explain_gap(model, Side(train, smoothed), Side(val, ce, reported=read(model, val)), recorder=recorder)
        assert "the network still improved" not in gap.verdict
        assert "gap/averaging" not in rules(gap)
        assert "gap/replay" in rules(gap)


class TestObjectivesThatWriteIntoTheirBatch:
    def test_an_audit_leaves_the_batches_as_they_are(self):
        held = [[tensor.clone() for tensor in batch] for batch in DataLoader(data(128, 2), 32)]
        before = copy.deepcopy(held)

        def shifted(model, batch):
            return ce(model, (batch[0].sub_(0.05), batch[1]))

        train = DataLoader(data(256, 1), 32)
        audited = audit_metric(fit(network(), train), Side(train, ce), Side(held, shifted))
        assert all(torch.equal(a[0], b[0]) for a, b in zip(held, before, strict=True))
        broken = {one["rule"] for one in audited.record["findings"]}
        assert not broken & {"state-carried", "evaluation-random"}

"""Clean set-ups as people write them: what a ledger says of them is true, or nothing (docs/LOG.md, 2026-12-01)."""

import copy

import pytest
import torch
from rounds_fixture import ce, data, draws, fit, network, of_batch, rules, term
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import GapRecorder, Side, explain_gap
from diagnose.gap.verdict import _what_resolves
from diagnose.integrations.averaging import _without_sides


def loaders(*, shuffle=False, train=320, val=100):
    return DataLoader(data(train, 1), 32, shuffle=shuffle), DataLoader(data(val, 2), 32)


def normed(dropout=0.2):
    torch.manual_seed(0)
    layers = nn.Linear(16, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Dropout(dropout), nn.Linear(48, 4)
    return nn.Sequential(*layers)


def finding(gap, rule):
    return next(one for one in gap.findings if one["rule"] == rule)


class TestWordsOfParts:
    def test_a_part_that_makes_most_is_named_beside_one_that_is_told(self):
        from diagnose.gap.gap_causes import live_kinds

        train, val = loaders()
        record = explain_gap(fit(normed(), train), Side(train, ce), Side(val, ce)).found
        part = record.term("mode").parts[0]
        parts = (
            part.model_copy(update={"id": "batch norm", "value": -0.04, "low": -0.081, "high": 0.001}),
            part.model_copy(update={"id": "dropout", "value": -0.017, "low": -0.033, "high": -0.001}),
        )

        def with_parts(*some):
            mode = record.term("mode").model_copy(update={"value": -0.057, "parts": some})
            terms = tuple(mode if one.id == "mode" else one for one in record.terms)
            return record.model_copy(update={"terms": terms})

        assert set(live_kinds(with_parts(*parts))) == {"batch norm", "dropout"}
        small = parts[0].model_copy(update={"value": -0.004, "low": -0.01, "high": 0.002})
        assert live_kinds(with_parts(small, parts[1])) == ["dropout"]

    def test_batches_of_unequal_sizes_are_not_averaged_in_different_ways(self):
        torch.manual_seed(0)
        train = DataLoader(data(320, 1, apart=0.5), 32)
        x, y = data(104, 2, apart=0.5).tensors
        y[-8:] = (y[-8:] + 1) % 4  # the last, smaller batch costs more
        val = DataLoader(TensorDataset(x, y), 32)
        model = fit(network(), train)
        gap = explain_gap(model, Side(train, ce, reduction="batch"), Side(val, ce, reduction="batch"))
        assert finding(gap, "gap/reduction")["what"].startswith("Batches of unequal sizes weigh alike")
        assert "padding" not in finding(gap, "gap/reduction")["fix"]

    def test_what_would_resolve_a_loss_of_steps_that_nobody_recorded(self):
        train, val = loaders()
        model = fit(network(), train)
        for reported, other in (((1.2, None), "a record of the steps"), ((None, 1.2), "the batches that it was")):
            gap = explain_gap(model, Side(train, ce, reported=reported[0]), Side(val, ce, reported=reported[1]))
            assert _what_resolves(gap.found, "residual").startswith(other)
        record, part = gap.found, gap.found.term("residual").parts[0]  # the wider part's, whichever is the larger
        parts = (
            part.model_copy(update={"id": "training", "value": -0.04, "low": -0.09, "high": 0.01}),
            part.model_copy(update={"id": "validation", "value": 0.005, "low": -0.8, "high": 0.8}),
        )
        residual = record.term("residual").model_copy(update={"parts": parts})
        terms = tuple(residual if one.id == "residual" else one for one in record.terms)
        resolved = _what_resolves(record.model_copy(update={"terms": terms}), "residual")
        assert resolved.startswith("the batches that it was")


class TestSmallLosses:
    def test_a_loss_that_is_twice_the_other_does_not_agree_with_it(self):
        def squares(model, batch):
            return 1e-6 * (model(batch[0]) - 0.1 * batch[1][:, None]).square().mean(1)

        train, val = loaders(val=96)
        torch.manual_seed(0)
        model = fit(nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1)), train,
                    lambda model, batch: 1e6 * squares(model, batch), turns=40)  # fmt: skip
        gap = explain_gap(model, Side(train, squares), Side(val, squares))
        assert 0 < gap.found.reported.train < gap.found.reported.val / 1.5 < 1e-6
        assert "agree" not in gap.verdict
        assert "0.000 " not in gap.verdict
        assert "does better on training data" in gap.verdict

    def test_losses_near_one_are_said_as_before(self):
        train, val = loaders()
        model = fit(network(), train)
        gap = explain_gap(model, Side(train, ce, reported=1.2), Side(val, ce, reported=1.2015))
        assert "agree to within 0.002" in gap.verdict


class TestNoise:
    """An objective that draws random numbers: mixed samples, latents."""

    @staticmethod
    def latents(model, batch):
        x = batch[0]
        return (model(x + 0.5 * torch.randn_like(x)) - batch[1][:, None]).square().mean(1)

    def test_all_of_validation_was_reported_on_and_noise_is_no_draw(self, tmp_path):
        train, val = loaders()
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 1))
        optimizer = torch.optim.Adam(model.parameters(), 3e-3)
        recorder = GapRecorder(tmp_path, model, reports="epoch")
        for batch in train:
            recorder.before()
            loss = self.latents(model, batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(batch, loss)
        for batch in val:
            with torch.no_grad():
                recorder.validation(batch, self.latents(model, batch).mean())
        recorder.close()
        gap = explain_gap(model, Side(train, self.latents), Side(val, self.latents), recorder=recorder)
        assert term(gap, "draw")["value"] == 0
        residual = term(gap, "residual")
        assert residual["low"] < 0 < residual["high"]

    def test_a_mixed_loss_of_other_draws_says_where_the_recorder_is_told(self, tmp_path):
        def mixed(model, batch):
            x, y = batch
            share, order = float(torch.rand(())), torch.randperm(len(x))
            out = model(share * x + (1 - share) * x[order])
            return share * F.cross_entropy(out, y) + (1 - share) * F.cross_entropy(out, y[order])

        train, val = loaders()
        model = network()
        found = {}
        for told in (False, True):
            own = copy.deepcopy(model)
            optimizer = torch.optim.Adam(own.parameters(), 3e-3)
            recorder = GapRecorder(tmp_path / str(told), own, reports="epoch")
            torch.manual_seed(1)
            for batch in train:
                if told:
                    recorder.before()
                loss = mixed(own, batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                recorder.step(batch, loss)
            recorder.close()
            found[told] = explain_gap(own, Side(train, mixed), Side(val, of_batch), recorder=recorder)
        assert finding(found[False], "gap/replay")["fix"].startswith("call recorder.before() right before")
        assert not term(found[False], "lag")["basis"].startswith("exact")
        assert "gap/replay" not in rules(found[True])
        assert term(found[True], "lag")["basis"].startswith("exact")


def test_frozen_batch_norms_of_a_model_that_comes_in_training_mode():
    train, val = loaders()
    model = fit(normed(0.0), train)
    for part in model[:2].parameters():
        part.requires_grad_(requires_grad=False)
    x = train.dataset.tensors[0]
    train = DataLoader(TensorDataset(2 * x, train.dataset.tensors[1]), 32)  # other statistics than those kept
    model.train()
    model[1].eval()
    with torch.no_grad():
        reported = sum(float(of_batch(model, batch)) for batch in train) / len(train)
    model.train()
    gap = explain_gap(model, Side(train, ce, reported=reported), Side(val, ce))
    assert term(gap, "mode")["value"] == pytest.approx(0, abs=1e-6)
    assert term(gap, "residual")["value"] == pytest.approx(0, abs=1e-5)
    assert any("without gradients are taken as frozen" in note for note in gap.record["notes"])
    with torch.no_grad():
        live = sum(float(of_batch(copy.deepcopy(model).train(), batch)) for batch in train) / len(train)
    gap = explain_gap(model, Side(train, ce, reported=live), Side(val, ce))
    assert term(gap, "mode")["value"] == pytest.approx(reported - live, abs=0.01)


def test_losses_that_are_taken_by_turns_are_not_named_by_the_first_batch():
    x, y = data(320, 1).tensors
    y = y.float()[:, None]
    turns = [(x[k : k + 32], y[k : k + 32], k // 32 % 2) for k in range(0, 320, 32)]

    def by_turns(model, batch):
        return (F.l1_loss if batch[2] else F.mse_loss)(model(batch[0]), batch[1])

    def absolute(model, batch):
        return F.l1_loss(model(batch[0]), batch[1])

    gap = explain_gap(network(1), Side(turns, by_turns), Side(turns[:5], absolute))
    assert gap.record["conditions"]["losses"] == []
    once = [(*batch[:2], 0) for batch in turns]
    gap = explain_gap(network(1), Side(once, by_turns), Side(once[:5], absolute))
    assert gap.record["conditions"]["losses"] == ["training takes mse_loss and validation l1_loss"]


class Graphs:
    """Graphs joined into one, each node a row."""

    def __init__(self, seed):
        draw = draws(seed)
        count = torch.randint(3, 8, (12,), generator=draw)
        self.x = torch.randn(int(count.sum()), 16, generator=draw)
        self.edge_index = torch.randint(0, len(self.x), (2, 40), generator=draw)
        self.owner = torch.repeat_interleave(torch.arange(12), count)
        self.y = torch.randint(0, 4, (12,), generator=draw)


def test_nodes_are_not_counted_as_samples():
    def loss(model, batch):
        hidden = torch.zeros(len(batch.y), 4).index_add(0, batch.owner, model(batch.x))
        return F.cross_entropy(hidden, batch.y, reduction="none")

    train, val = [Graphs(k) for k in range(10)], [Graphs(k) for k in range(50, 56)]
    gap = explain_gap(network(), Side(train, loss), Side(val, loss))
    assert gap.record["overlap"] is None
    said = " ".join(gap.record["notes"])
    assert "rows are no samples" in said
    assert "no loss a sample" not in said


def test_a_recorder_that_began_within_an_interval_claims_no_prints(tmp_path):
    train, val = loaders()
    model = network()
    recorder = GapRecorder(tmp_path, model, interval=4)
    losses = []
    for batch in train:
        loss = of_batch(model, batch)
        recorder.step(batch, loss)
        losses.append(float(loss.detach()))
    recorder.close()
    gap = explain_gap(model, Side(train, ce), Side(val, ce), recorder=recorder)
    assert "recorder.epoch() says so" in gap.record["notes"][0]
    assert "print" not in gap.record["notes"][0]
    other = explain_gap(model, Side(train, ce, reported=losses[0] + 0.5), Side(val, ce), recorder=recorder)
    assert finding(other, "gap/residual")["fix"].startswith("see that the recorded steps are those")


@pytest.mark.parametrize(("note", "left"), [
    ("the objectives reach other modules (a), read as they are; Side(model=...) names a loss's own",
     "the objectives reach other modules (a), read as they are"),
    ("cannot be read again (hand over the model as it was, its copy as Side(model=...))",
     "cannot be read again (hand over the model as it was)"),
])  # fmt: skip
def test_notes_for_callbacks_name_no_sides(note, left):
    assert _without_sides(note) == left

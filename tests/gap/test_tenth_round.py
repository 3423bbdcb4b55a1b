"""What was open after nine rounds of causes (docs/LOG.md, 2026-11-30), each against plain torch."""

import pytest
import torch
from rounds_fixture import ce, data, draws, fit, mean, network, of_batch, rules, term
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import DiagnoseError, GapRecorder, Side, audit_metric, explain_gap

pytestmark = pytest.mark.trains


class TestValidationInTrainingModeOfFewBatches:
    def trained(self):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 4))
        train = DataLoader(data(640, 1, apart=0.6), 32, shuffle=True)
        return fit(model, train), train

    @pytest.mark.parametrize("batches", [10, 30])
    def test_is_named(self, batches):
        model, train = self.trained()
        val = DataLoader(data(32 * batches, 2, apart=0.6), 32)
        torch.manual_seed(5)
        reported, calm = mean(model, val, training=True), mean(model, val)
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=reported))
        assert "gap/eval-unsure" in rules(gap)
        assert "as in training mode, within the luck of its masks" in gap.verdict
        assert term(gap, "residual")["value"] == pytest.approx(reported - calm, abs=1e-5)

    @pytest.mark.parametrize("times", [0.97, 1.0])
    def test_is_not_named_of_others(self, times):
        model, train = self.trained()
        val = DataLoader(data(320, 2, apart=0.6), 32)
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=times * mean(model, val)))
        assert not {"gap/eval-unsure", "gap/eval-forgotten"} & rules(gap)


class TestTheSameSamplesOnBothSides:
    def test_two_under_batch_norm_are_exact(self):
        torch.manual_seed(0)
        batches = [(torch.randn(2, 16), torch.tensor([0, 1]))]
        model = nn.Sequential(nn.Linear(16, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 4))
        fit(model, batches, turns=12)
        on, off = mean(model, batches, training=True), mean(model, batches)
        gap = explain_gap(model, Side(batches, ce, reported=on), Side(batches, ce, reported=off))
        mode = term(gap, "mode")
        assert mode["value"] == pytest.approx(off - on, abs=1e-6)
        assert mode["low"] is None
        assert mode["basis"].startswith("exact")
        assert term(gap, "unseen")["value"] == 0
        assert "batch norm is in training mode for one and in evaluation mode for the other" in gap.verdict

    def test_an_interval_stays_where_batches_are_shuffled(self):
        same = data(300, 1)
        train, val = DataLoader(same, 16, shuffle=True), DataLoader(same, 16)
        torch.manual_seed(0)
        model = fit(nn.Sequential(nn.Linear(16, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 4)), train, turns=3)
        gap = explain_gap(model, Side(train, ce), Side(val, ce))
        assert term(gap, "mode")["low"] is not None
        assert (term(gap, "unseen")["value"], term(gap, "unseen")["low"]) == (0, None)


def test_what_a_smaller_last_batch_moves_is_little():
    """Means of means over 20 batches, the last of 22: two shuffles differ by far less than samples do."""
    train, val = DataLoader(data(630, 1), 32, shuffle=True), DataLoader(data(310, 2), 32)
    model = fit(network(), train)
    spread = []
    for seed in range(40):
        torch.manual_seed(seed)
        spread.append(mean(model, train, of_batch))
    gap = explain_gap(model, Side(train, of_batch, reported=spread[0] / 4), Side(val, of_batch))
    found = term(gap, "residual")
    half = (found["high"] - found["low"]) / 2
    true = 1.96 * 2**0.5 * torch.tensor(spread).std().item()
    assert 0.4 * true < half < 2.5 * true
    assert gap.record["arithmetic"]["training"][0]["factor"].startswith("divided by 4")
    own = explain_gap(model, Side(train, of_batch, reported=spread[1]), Side(val, of_batch))
    assert not own.record["arithmetic"]["training"]
    assert "gap/residual" not in rules(own)


class TestRowsCutOnOneSide:
    def rows(self, count, seed, length):
        draw = draws(seed)
        rows = torch.zeros(count, length, dtype=torch.long)
        rows[:, 0], step = torch.randint(0, 20, (count,), generator=draw), torch.randint(1, 5, (count,), generator=draw)
        for place in range(1, length):
            rows[:, place] = (rows[:, place - 1] + step) % 20
        noisy = torch.rand(count, length, generator=draw) < 0.1
        rows[noisy] = torch.randint(0, 20, (int(noisy.sum()),), generator=draw)
        return rows

    def test_are_measured_in_a_table_of_transformers(self):
        from transformers import BatchEncoding

        rows = self.rows(320, 1, 24)
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(20, 8), nn.Linear(8, 20))

        def table(some):
            return BatchEncoding({"input_ids": torch.stack(some), "labels": torch.stack(some)})

        def loss(model, batch):
            found = model(batch["input_ids"][:, :-1]).transpose(1, 2)
            return F.cross_entropy(found, batch["labels"][:, 1:], reduction="none")

        train, val = (DataLoader(some, 32, collate_fn=table) for some in (rows[:160], rows[160:, :10]))
        with torch.no_grad():
            whole, short = (loss(model, table(list(some))).mean().item() for some in (rows[:160], rows[:160, :10]))
        gap = explain_gap(model, Side(train, loss), Side(val, loss))
        assert term(gap, "collation")["value"] == pytest.approx(short - whole, abs=1e-5)

    @pytest.mark.parametrize("longer", ["training", "validation"])
    def test_are_measured(self, longer):
        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.ids, self.cells, self.out = (
                    nn.Embedding(20, 16),
                    nn.GRU(16, 24, batch_first=True),
                    nn.Linear(24, 20),
                )

            def forward(self, x):
                return self.out(self.cells(self.ids(x))[0])

        def loss(model, rows):
            return F.cross_entropy(model(rows[:, :-1]).transpose(1, 2), rows[:, 1:], reduction="none")

        train, val = self.rows(640, 1, 24), self.rows(320, 2, 24)
        train, val = (train, val[:, :10]) if longer == "training" else (train[:, :10], val)
        own, other = DataLoader(train, 32, shuffle=True), DataLoader(val, 32)
        model = fit(Model(), own, loss, turns=6)
        whole, short = (train, train[:, :10]) if longer == "training" else (val, val[:, :10])
        with torch.no_grad():
            cost, less = (loss(model, rows).mean().item() for rows in (whole, short))
            apart = loss(model, val[:, :10]).mean().item() - loss(model, train[:, :10]).mean().item()
        gap = explain_gap(model, Side(own, loss), Side(other, loss))
        sign = 1 if longer == "training" else -1
        assert term(gap, "collation")["value"] == pytest.approx(sign * (less - cost), abs=1e-5)
        data_part = (term(gap, "unseen")["value"] or 0) + (term(gap, "leak")["value"] or 0)
        assert data_part == pytest.approx(apart, abs=1e-5)


class TestLabelsThatNothingTells:
    def trained(self, apart):
        samples = data(160, 1, apart=apart)
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 4))
        return fit(model, DataLoader(samples, 32, shuffle=True), turns=150), samples

    def test_of_a_network_that_learned_by_heart_are_not_blamed(self):
        model, samples = self.trained(0.0)
        val = DataLoader(data(320, 2, apart=0.0), 32)
        gap = explain_gap(model, Side(DataLoader(samples, 32), ce), Side(val, ce))
        assert "labels-unrelated" not in rules(gap)
        assert "the network does better on training data than on other data" in gap.verdict

    def test_permuted_ones_are_blamed_all_the_same(self):
        model, samples = self.trained(0.6)
        x, y = data(320, 2, apart=0.6).tensors
        val = DataLoader(TensorDataset(x, y[torch.randperm(320, generator=draws(3))]), 32)
        gap = explain_gap(model, Side(DataLoader(samples, 32), ce), Side(val, ce))
        assert gap.verdict.startswith("Check validation's labels first")


@pytest.mark.parametrize("budget", ["2 batches", None, 0, -1.0, float("nan"), True])
def test_a_budget_of_the_audit_is_seconds(budget):
    train, val = DataLoader(data(64, 1), 32), DataLoader(data(64, 2), 32)
    with pytest.raises(DiagnoseError, match=r"budget is .*; give seconds, a number above 0"):
        audit_metric(network(), Side(train, ce), Side(val, ce), budget=budget)


def test_a_network_that_is_sure_masks_nothing():
    """Losses that underflow to 0 are no mask: `gap/masked` was said of a classifier that had learned by heart."""
    samples = data(160, 1, apart=0.6)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 4))
    fit(model, DataLoader(samples, 32, shuffle=True), turns=300)
    val = DataLoader(data(320, 2, apart=0.6), 32)
    with torch.no_grad():
        assert any((ce(model, batch) == 0).any() for batch in val)
    assert "gap/masked" not in rules(explain_gap(model, Side(DataLoader(samples, 32), ce), Side(val, ce)))


class TestASmoothedTrainingLoss:
    def gap(self, tmp_path, steps, of):
        model, batches = network(), list(DataLoader(data(steps * 8, 1), 8))
        optimizer, losses = torch.optim.Adam(model.parameters(), 5e-3), []
        with GapRecorder(tmp_path / "run", model) as recorder:
            for batch in batches:
                loss = of_batch(model, batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                recorder.step(batch, loss)
            for batch in DataLoader(data(160, 2), 32):
                recorder.validation(batch, of_batch(model, batch))
        return explain_gap(model, Side(batches, of_batch, reported=of(losses)), of_batch, recorder=recorder)

    @pytest.mark.parametrize("begin", ["from the first loss", "from 0"])
    def test_is_named_by_where_it_begins(self, tmp_path, begin):
        def smoothed(losses):
            value = losses[0] if begin == "from the first loss" else 0.0
            for loss in losses:
                value = 0.98 * value + 0.02 * loss
            return value

        (found,) = self.gap(tmp_path, 60, smoothed).record["arithmetic"]["training"]
        assert found["factor"] == f"a decaying mean over steps (smoothed with 0.98, begun {begin})"

    def test_of_two_decays_that_give_it_both_are_named(self):
        from types import SimpleNamespace

        from diagnose.gap.reported import means

        table = {"epoch": 1.0, "run": 1.0, "smoothed 0.98 from the first loss": 0.51232, "smoothed 0.99": 0.51229}
        record = SimpleNamespace(
            train=0.7, losses=[0.6, 0.8], means=table, samples=0, first=0, offered=2, steps=2, interval=0
        )
        (found,) = means(0.5123, record)
        assert found.factor == "a decaying mean over steps (smoothed with 0.98, begun from the first loss or 0.99)"


class TestTheTenthRound:
    def test_one_example_with_dropout_has_the_luck_of_its_masks(self):
        """OpenNMT/OpenNMT-py#625: one example on both sides; the luck of masks was said to be the cause."""
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 4))
        batches = [data(1, 1).tensors]
        fit(model, batches, turns=8)
        on = [mean(model, batches, training=True) for _ in range(400)]
        off = mean(model, batches)
        gap = explain_gap(model, Side(batches, ce, reported=sorted(on)[150]), Side(batches, ce, reported=off))
        mode, residual = term(gap, "mode"), term(gap, "residual")
        true = off - sum(on) / len(on)
        assert mode["low"] <= true <= mode["high"]
        assert residual["low"] <= 0 <= residual["high"]
        half = (residual["high"] - residual["low"]) / 2
        assert 0.9 <= sum(abs(one + true - off) <= half for one in on) / len(on) <= 0.99
        assert "the reported training loss is not" not in gap.verdict

    def test_a_sampler_of_validation_that_repeats_is_collation(self):
        """MIC-DKFZ/nnUNet#1729: patches with foreground are drawn more often in validation."""
        draw = draws(2)
        y = (torch.rand(960, generator=draw) < 0.15).long()
        x = 0.7 * y[:, None] + torch.randn(960, 16, generator=draw)
        train = DataLoader(TensorDataset(x[:640], y[:640]), 32, shuffle=True)
        own = TensorDataset(x[640:], y[640:])
        weights = 1 + 9 * y[640:].double()
        val = DataLoader(own, 32, sampler=torch.utils.data.WeightedRandomSampler(weights, 320))
        model = fit(network(2), train, turns=5)
        with torch.no_grad():
            each = ce(model, own.tensors).double()
        gap = explain_gap(model, Side(train, ce), Side(val, ce))
        collation, seen = term(gap, "collation"), gap.record["matched"]
        true = ((each * weights).sum() / weights.sum() - each.mean()).item()
        assert seen["val"] == pytest.approx(each.mean().item(), rel=1e-5)
        assert collation["low"] <= true <= collation["high"]
        assert "validation's batches are not its plain data" in gap.verdict
        assert any("validation's loader draws by a WeightedRandomSampler" in note for note in gap.record["notes"])

    def test_a_meter_that_is_given_sums(self):
        """lixiny/bihand#3: each batch's sum, times its samples, over all samples."""
        train, val = DataLoader(data(320, 1), 32), DataLoader(data(310, 2), 32)
        model = fit(network(), train)
        with torch.no_grad():
            reported = sum(float(ce(model, batch).sum()) * len(batch[0]) for batch in val) / 310
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=reported))
        (found,) = gap.record["arithmetic"]["validation"]
        assert found["factor"].startswith("each batch's sum, weighed by its samples")

    @pytest.mark.parametrize("scalar", [True, False])
    @pytest.mark.parametrize("as_index", [True, False])
    def test_one_graph_with_masks_is_no_leak(self, scalar, as_index):
        draw, count = draws(1), 200
        y = torch.randint(0, 3, (count,), generator=draw)
        near = (torch.rand(count, count, generator=draw) < 0.05).float() + torch.eye(count)
        some = torch.rand(count, generator=draw) < 0.5
        masks = {"train": some, "val": ~some}
        if as_index:
            masks = {name: mask.nonzero().flatten() for name, mask in masks.items()}
        graph = {"x": torch.randn(count, 8, generator=draw) + F.one_hot(y, 8), "near": near, "y": y, **masks}

        class Network(nn.Module):
            def __init__(self):
                super().__init__()
                torch.manual_seed(0)
                self.first, self.last = nn.Linear(8, 16), nn.Linear(16, 3)

            def forward(self, graph):
                return self.last(graph["near"] @ F.relu(self.first(graph["x"])) / 10)

        def of(name):
            how = "mean" if scalar else "none"
            return lambda model, batch: F.cross_entropy(
                model(batch)[batch[name]], batch["y"][batch[name]], reduction=how
            )

        model = fit(Network(), [graph], of("train"), turns=15)
        train, val = (Side([graph], of(name)) for name in ("train", "val"))
        gap, audited = explain_gap(model, train, val), audit_metric(model, train, val)
        with torch.no_grad():
            true = float(of("val")(model, graph).mean() - of("train")(model, graph).mean())
        assert term(gap, "unseen")["value"] == pytest.approx(true, abs=1e-5)
        assert "gap/leaking-split" not in rules(gap)
        assert "split-overlap-exact" not in rules(audited)

"""What causes were known to be read poorly (docs/LOG.md, 2026-11-29, night), each against plain torch."""

import copy

import pytest
import torch
from rounds_fixture import ce, data, fit, network
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import DiagnoseError, GapRecorder, Side, audit_metric, explain_gap


def mean(model, loader, loss):
    """Return the mean of the batches' means in evaluation mode."""
    model = copy.deepcopy(model).eval()
    with torch.no_grad():
        found = [float(loss(model, batch).mean()) for batch in loader]
    return sum(found) / len(found)


def of_batch(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def term(gap, name):
    return next(row for row in gap.record["terms"] if row["id"] == name)


def notes(gap, part):
    return [note for note in gap.record["notes"] if part in note]


def loaders(train=320, val=160, size=32):
    return DataLoader(data(train, 1), size, shuffle=True), DataLoader(data(val, 2), size)


class TestRepeatedSamples:
    def filled(self):
        """The last batch is filled with zeros, as loaders of fixed size do."""
        x, y = data(99, 2).tensors
        return torch.cat([x, torch.zeros(29, 16)]), torch.cat([y, torch.zeros(29, dtype=torch.long)])

    @pytest.mark.parametrize("loss", [ce, of_batch])
    def test_rows_that_repeat_are_said_with_the_loss_of_each_once(self, loss):
        train, val = DataLoader(data(320, 1), 32, shuffle=True), DataLoader(TensorDataset(*self.filled()), 32)
        model = fit(network(), train, loss)
        (said,) = notes(explain_gap(model, Side(train, loss), Side(val, loss)), "repeat")
        assert "28 of validation's 128 samples repeat" in said
        assert "occurs 29 times" in said
        if loss is ce:
            x, y = self.filled()
            with torch.no_grad():
                once = F.cross_entropy(model(x[:100]), y[:100]).item()
            assert f"{once:.3f} with each once" in said

    def test_of_samples_that_occur_once_nothing_is_said(self):
        train, val = loaders()
        assert not notes(explain_gap(fit(network(), train), Side(train, ce), Side(val, ce)), "repeat")


class Observer(nn.Module):
    """Notes how large its inputs are, in training and in evaluation, as observers of quantisation do."""

    def __init__(self, *, anew):
        super().__init__()
        self.anew = anew
        self.register_buffer("largest", torch.zeros(()))

    def forward(self, x):
        found = torch.maximum(self.largest, x.abs().max())
        if self.anew:
            self.largest = found
        else:
            self.largest.copy_(found)
        return x


class TestBuffers:
    @pytest.mark.parametrize("anew", [True, False])
    def test_what_evaluation_writes_is_said_and_put_back(self, anew):
        train, val = loaders()
        model = nn.Sequential(Observer(anew=anew), *network())
        before = model[0].largest
        (said,) = notes(explain_gap(model, Side(train, ce), Side(val, ce)), "writes into its buffers")
        assert "(0.largest)" in said
        assert model[0].largest is before
        assert before == 0

    def test_a_batch_norm_writes_in_training_mode_alone(self):
        train, val = loaders()
        model = nn.Sequential(nn.Linear(16, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 4))
        assert not notes(explain_gap(fit(model, train), Side(train, ce), Side(val, ce)), "writes into")


class TestRefusals:
    def test_a_batch_that_is_a_generator(self):
        _, val = loaders()
        batches = [(part for part in batch) for batch in val]
        with pytest.raises(DiagnoseError, match=r"batch 1 is a generator, which can be read once only"):
            audit_metric(network(), None, Side(batches, lambda model, batch: ce(model, list(batch))))

    @pytest.mark.parametrize(("value", "name"), [(float("nan"), "2.bias"), (float("inf"), "0.weight")])
    def test_weights_that_are_no_numbers_are_named(self, value, name):
        train, val = loaders()
        model = network()
        model.get_parameter(name).data.flatten()[0] = value
        for tool in (explain_gap, audit_metric):
            with pytest.raises(DiagnoseError, match=rf"the model's {name} holds NaN or infinity"):
                tool(model, Side(train, ce), Side(val, ce))

    def test_so_are_running_statistics_and_the_batch(self):
        model = nn.Sequential(nn.BatchNorm1d(16), *network())
        model.eval()[0].running_var[3] = float("nan")
        train, val = loaders()
        with pytest.raises(DiagnoseError, match=r"the model's 0\.running_var holds NaN"):
            explain_gap(model, Side(train, ce, mode="eval"), Side(val, ce))
        x, y = data(64, 1).tensors
        x[5, 0] = float("nan")
        with pytest.raises(DiagnoseError, match=r"the batch holds NaN or infinity in 1 of 512 numbers$"):
            explain_gap(network(), Side(DataLoader(TensorDataset(x, y), 32), ce), Side(val, ce))

    @pytest.mark.parametrize(("call", "said"), [
        (lambda side, _: Side(side.batches, ce, report=0.3), "Side takes no 'report'; did you mean 'reported'?"),
        (lambda side, _: Side(side.batches), "Side lacks objective; it is called Side(batches, objective)"),
        (lambda side, _: explain_gap(side, side), "explain_gap lacks val; it is called explain_gap(model, train, val)"),
        (lambda side, _: explain_gap(network(), side, side, 3), "explain_gap is given 4 arguments without names"),
        (lambda side, _: explain_gap(network(), side, train=side, val=side), "explain_gap is given train twice"),
        (lambda _, recorder: recorder.step(0.3), "GapRecorder.step lacks loss; it is called GapRecorder.step("),
    ])  # fmt: skip
    def test_mistyped_arguments(self, call, said, tmp_path):
        with GapRecorder(tmp_path, network()) as recorder, pytest.raises(DiagnoseError) as found:
            call(Side(loaders()[1], ce), recorder)
        assert str(found.value).startswith(said)


class TestPlainCriterion:
    @pytest.mark.parametrize(("criterion", "reported", "said"), [
        ({"label_smoothing": 0.1}, {}, "label_smoothing"),
        ({"label_smoothing": 0.1, "reduction": "none"}, {}, "label_smoothing"),
        ({"label_smoothing": 0.1, "weight": torch.tensor([3.0, 1, 1, 0.5])}, {}, "label_smoothing and weight"),
        ({"label_smoothing": 0.1, "weight": torch.tensor([3.0, 1, 1, 0.5])}, {"label_smoothing": 0.1}, "weight"),
    ])  # fmt: skip
    def test_a_reported_loss_without_the_criterions_options(self, criterion, reported, said):
        train, val = loaders()

        def loss(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], **criterion)

        model = fit(network(), train, loss)
        plain = mean(model, val, lambda model, batch: F.cross_entropy(model(batch[0]), batch[1], **reported))
        gap = explain_gap(model, Side(train, loss), Side(val, loss, reported=plain))
        (found,) = gap.record["arithmetic"]["validation"]
        assert found["factor"] == f"without its criterion's {said}"
        assert term(gap, "residual")["value"] == pytest.approx(plain - mean(model, val, loss), abs=1e-5)

    def test_positive_weights_of_a_binary_loss(self):
        def loss(model, batch):
            wanted = (batch[1] == 0).float()[:, None]
            return F.binary_cross_entropy_with_logits(model(batch[0]), wanted, pos_weight=torch.tensor(5.0))

        def plain(model, batch):
            return F.binary_cross_entropy_with_logits(model(batch[0]), (batch[1] == 0).float()[:, None])

        train, val = loaders()
        model = fit(network(1), train, loss)
        gap = explain_gap(model, Side(train, loss), Side(val, loss, reported=mean(model, val, plain)))
        assert gap.record["arithmetic"]["validation"][0]["factor"] == "without its criterion's pos_weight"

    def test_another_loss_has_no_factor(self):
        train, val = loaders()

        def loss(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], label_smoothing=0.1)

        model = fit(network(), train, loss)
        gap = explain_gap(model, Side(train, loss), Side(val, loss, reported=1.07 * mean(model, val, of_batch)))
        assert not gap.record["arithmetic"]["validation"]


class TestInputs:
    """The audit asks what the ledger asks: are validation's batches made as training's are."""

    @pytest.mark.parametrize(("change", "said"), [
        (lambda x: 4 * x, "is on another scale"), (lambda x: x + 1, "lies elsewhere"), (lambda x: x, ""),
    ])  # fmt: skip
    def test_validation_that_is_not_scaled_as_training_is(self, change, said):
        train, (x, y) = loaders()[0], data(160, 2).tensors
        sides = Side(train, ce), Side(DataLoader(TensorDataset(change(x), y), 32), ce)
        model = fit(network(), train)
        audited = audit_metric(model, *sides)
        found = [one for one in audited.findings if one["rule"] == "inputs-unlike"]
        assert [one["severity"] for one in found] == ["note"] * bool(said)
        assert all(said in one["what"] for one in found)
        assert ("a note: inputs-unlike" in audited.verdict) is bool(said)
        unlike = explain_gap(model, *sides).record["conditions"].get("unlike", [])
        assert [one["what"] for one in found] == ["; ".join(unlike)] * bool(said)

    def test_batches_in_order_of_which_not_all_are_looked_at_are_not_judged(self, monkeypatch):
        monkeypatch.setattr("diagnose.audit.rules.inputs_unlike.MOST", 4)
        train = DataLoader(data(320, 1), 32)
        audited = audit_metric(network(), Side(train, ce), Side(loaders()[1], ce))
        assert "in order" in {one["rule"]: one["why"] for one in audited.record["skipped"]}["inputs-unlike"]


class TestSameData:
    def correlation(self, model, batch):
        found, wanted = model(batch[0])[:, 0], batch[1]
        return 1 - torch.corrcoef(torch.stack([found, wanted]))[0, 1]

    @pytest.mark.parametrize("sizes", [(64, 8), (8, 64), (32, 32)])
    def test_of_the_same_samples_composition_is_all(self, sizes):
        x = torch.randn(256, 16, generator=torch.Generator().manual_seed(1))
        same = TensorDataset(x, x[:, 0] + x[:, 1])
        train, val = DataLoader(same, sizes[0], shuffle=True), DataLoader(same, sizes[1])
        model = fit(network(1), train, self.correlation, 2)
        gap = explain_gap(model, Side(train, self.correlation), Side(val, self.correlation))
        assert term(gap, "unseen")["value"] == 0
        assert term(gap, "leak")["value"] == 0
        assert term(gap, "batching")["value"] == pytest.approx(gap.gap, abs=1e-9)

    def test_other_targets_are_other_data(self):
        x = torch.randn(256, 16, generator=torch.Generator().manual_seed(1))
        train = DataLoader(TensorDataset(x, x[:, 0] + x[:, 1]), 64)
        val = DataLoader(TensorDataset(x, x[:, 0] - x[:, 1]), 64)
        model = fit(network(1), train, self.correlation, 2)
        gap = explain_gap(model, Side(train, self.correlation), Side(val, self.correlation))
        assert term(gap, "batching")["value"] == 0
        assert gap.gap > 0.1


class TestOneBatch:
    @pytest.mark.parametrize("loss", [ce, of_batch])
    def test_one_batch_of_training_has_an_interval_over_its_samples(self, loss):
        train, val = DataLoader(data(32, 1), 32), loaders()[1]
        model = fit(network(), train, loss, 60)
        gap = explain_gap(model, Side(train, loss), Side(val, loss))
        truth = mean(model, val, loss) - mean(model, train, loss)
        found = term(gap, "unseen")
        assert found["value"] == pytest.approx(truth, abs=1e-5)
        assert 0 < found["low"] < truth < found["high"]

    def test_a_number_that_is_of_the_whole_batch_has_none(self):
        train, val = DataLoader(data(32, 1), 32), DataLoader(data(32, 2), 32)

        def loss(model, batch):
            return model(batch[0]).std(0).sum() + of_batch(model, batch)

        model = fit(network(), train, loss, 10)
        assert term(explain_gap(model, Side(train, loss), Side(val, loss)), "unseen")["low"] is None

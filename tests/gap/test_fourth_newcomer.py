"""What a fourth newcomer met (docs/LOG.md, 2026-11-30), each against plain torch."""

import pytest
import torch
from rounds_fixture import ce, data, draws, fit, mean, network, of_batch, rules, term
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import DiagnoseError, GapRecorder, Side, audit_metric, explain_gap

CLASSES = torch.tensor([2, 3, 1, 0])
OTHER_LABELS = {
    "permuted": lambda y: y[torch.randperm(len(y), generator=draws(3))],
    "of the row before": lambda y: y.roll(1),
    "another order of classes": lambda y: CLASSES[y],
    "off by one class": lambda y: (y + 1) % 4,
}


class TestLabelsThatDoNotBelong:
    """The loss lies below twenty times training's: the advice was that for overfitting."""

    def trained(self):
        train = DataLoader(data(640, 1, apart=0.5), 32, shuffle=True)
        return fit(network(), train, turns=6), train

    @pytest.mark.parametrize("how", OTHER_LABELS)
    @pytest.mark.parametrize("loss", [ce, of_batch])
    def test_lead_the_verdict(self, how, loss):
        model, train = self.trained()
        x, y = data(512, 2, apart=0.5).tensors
        val = DataLoader(TensorDataset(x, OTHER_LABELS[how](y)), 32)
        with torch.no_grad():
            own, others = (F.cross_entropy(model(x), labels).item() for labels in (OTHER_LABELS[how](y), y.roll(5)))
        gap = explain_gap(model, Side(train, loss), Side(val, loss))
        assert gap.record["matched"]["val"] < 20 * gap.record["matched"]["train"]
        assert gap.verdict.startswith("Check validation's labels first")
        found = next(one for one in gap.findings if one["rule"] == "labels-unrelated")
        assert found["measured"]["validation_own"] == pytest.approx(own, rel=0.1)
        assert found["measured"]["validation_others"] == pytest.approx(others, rel=0.15)
        assert "gap/unseen" not in rules(gap)

    def test_those_that_belong_do_not(self):
        model, train = self.trained()
        gap = explain_gap(model, Side(train, ce), Side(DataLoader(data(512, 2, apart=0.5), 32), ce))
        assert "labels" not in gap.verdict
        assert "labels-unrelated" not in rules(gap)


class TestBothLossesInEvaluationMode:
    def network(self):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(16, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 4))

    @pytest.mark.parametrize("shuffled", [True, False])
    def test_no_mode_is_invented_that_the_residual_cancels(self, shuffled):
        own = data(400, 1)
        train, val = DataLoader(own, 32, shuffle=shuffled), DataLoader(data(200, 2), 32)
        model = fit(self.network(), DataLoader(own, 32, shuffle=True), turns=4).eval()
        with torch.no_grad():
            reported = [F.cross_entropy(model(x), y).item() for x, y in (own.tensors, data(200, 2).tensors)]
        gap = explain_gap(model, Side(train, ce, reported=reported[0]), Side(val, ce, reported=reported[1]))
        assert term(gap, "mode")["value"] == 0
        assert term(gap, "residual")["value"] == pytest.approx(0, abs=1e-6)
        assert term(gap, "unseen")["value"] == pytest.approx(reported[1] - reported[0], abs=1e-6)
        assert "gap/train-forgotten" in rules(gap)

    def test_what_was_taken_in_training_mode_stays_so(self):
        train, val = DataLoader(data(400, 1), 32, shuffle=True), DataLoader(data(200, 2), 32)
        model = fit(self.network(), train, turns=4)
        for seed in range(4):
            torch.manual_seed(seed)
            gap = explain_gap(model, Side(train, ce, reported=mean(model, train, training=True)), Side(val, ce))
            assert "gap/train-forgotten" not in rules(gap)
            assert term(gap, "mode")["value"] != 0


class TestBatchNormWithoutStatistics:
    @pytest.mark.parametrize("loss", [ce, of_batch])
    def test_is_judged_by_two_rows(self, loss):
        torch.manual_seed(0)
        norm = nn.BatchNorm1d(24, track_running_stats=False)
        model = nn.Sequential(nn.Linear(16, 24), norm, nn.ReLU(), nn.Linear(24, 4))
        train, val = DataLoader(data(320, 1), 32), DataLoader(data(160, 2), 32)
        fit(model, train, turns=2)
        found = {one["rule"]: one for one in audit_metric(model, Side(train, loss), Side(val, loss)).findings}
        assert found["batch-dependent"]["severity"] == "error"
        if loss is ce:
            x, y = next(iter(val))
            model.eval()
            with torch.no_grad():
                beside = F.cross_entropy(model(x), y, reduction="none")[:12]
                pairs = torch.cat([F.cross_entropy(model(x[k : k + 2]), y[k : k + 2], reduction="none")
                                   for k in range(0, 12, 2)])  # fmt: skip
            worst = ((pairs - beside).abs() / torch.maximum(pairs, beside).clamp(min=0.1)).argmax()
            assert found["batch-dependent"]["measured"]["alone"] == pytest.approx(pairs[worst].item(), rel=1e-4)

    def test_rows_that_are_their_own_in_twos_are_kept(self):
        class Pairs(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(16, 4)

            def forward(self, x):
                if len(x) < 2:
                    raise ValueError("needs two rows")
                return self.head(x)

        train, val = DataLoader(data(320, 1), 32), DataLoader(data(160, 2), 32)
        audited = audit_metric(fit(Pairs(), train), Side(train, ce), Side(val, ce))
        assert "batch-dependent" in {one["rule"] for one in audited.record["checked"]}


def test_the_last_whole_interval_is_what_a_loop_printed(tmp_path):
    """94 steps, printed every 50: the 44 steps after the print were reported."""
    model, batches = network(), list(DataLoader(data(94 * 8, 1), 8))
    optimizer, losses, states = torch.optim.Adam(model.parameters(), 5e-3), [], []
    with GapRecorder(tmp_path / "run", model, interval=50) as recorder:
        for batch in batches:
            states.append({name: value.clone() for name, value in model.state_dict().items()})
            loss = of_batch(model, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            recorder.step(batch, loss)
        for batch in DataLoader(data(160, 2), 32):
            recorder.validation(batch, of_batch(model, batch))
    gap = explain_gap(model, of_batch, of_batch, recorder=recorder)
    printed = sum(losses[:50]) / 50
    assert gap.record["reported"]["train"] == pytest.approx(printed, rel=1e-6)
    assert term(gap, "lag")["value"] == pytest.approx(mean(model, batches[:50], of_batch) - printed, abs=1e-5)
    assert term(gap, "lag")["low"] is None
    assert gap.record["verified"]["largest"] < 1e-6
    assert (
        "recorded steps 1 to 50, the last whole interval; the 44 steps after it are in none" in gap.record["notes"][0]
    )
    since = sum(losses[50:]) / 44
    other = explain_gap(model, Side(batches, of_batch, reported=since), of_batch, recorder=recorder)
    (said,) = (one["what"] for one in other.findings if one["rule"] == "gap/arithmetic")
    assert "the mean of the steps since the last whole interval" in said


def test_groups_that_both_sides_share_are_no_duplicates():
    def of_person(batch):
        return batch[0][:, 0].round().long().clamp(-2, 2)

    train, val = DataLoader(data(320, 1), 32), DataLoader(data(160, 2), 32)
    model = fit(network(), train)
    sides = [Side(one, ce, groups=of_person) for one in (train, val)]
    found = next(one for one in explain_gap(model, *sides).findings if one["rule"] == "gap/leaking-split")
    assert found["fix"].startswith("split by group")
    audited = next(one for one in audit_metric(model, *sides).findings if one["rule"] == "split-overlap-exact")
    assert audited["fix"].startswith("split by group")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (nn.CrossEntropyLoss(), "nn.CrossEntropyLoss(reduction='none')(model(batch[0]), batch[1])"),
        (F.mse_loss, "F.mse_loss(model(batch[0]), batch[1], reduction='none')"),
    ],
)
def test_a_loss_of_torch_gets_the_line_that_works(given, line):
    loader = DataLoader(data(64, 1), 32)
    with pytest.raises(DiagnoseError) as found:
        Side(loader, given)
    assert f"give lambda model, batch: {line}" in str(found.value)
    works = eval(f"lambda model, batch: {line}", {"nn": nn, "F": F})
    if isinstance(given, nn.Module):
        assert explain_gap(network(), Side(loader, works), Side(loader, works)).gap == pytest.approx(0, abs=1e-6)


def test_a_criterion_of_ones_own_is_told_how_objectives_are_called():
    class Focal(nn.Module):
        def forward(self, prediction, target):
            return F.cross_entropy(prediction, target)

    loader = DataLoader(data(64, 1), 32)
    with pytest.raises(DiagnoseError, match=r"as lambda model, batch: criterion\(model\(batch\[0\]\), batch\[1\]\)"):
        explain_gap(network(), Side(loader, Focal()), Side(loader, Focal()))

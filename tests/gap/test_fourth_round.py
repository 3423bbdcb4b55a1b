"""The fourth round of causes (docs/LOG.md, 2026-11-29), held against plain torch."""

import copy
from functools import partial

import numpy as np
import pytest
import rounds_fixture
import torch
from rounds_fixture import ce, fit
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import GapRecorder, Side, audit_metric, explain_gap
from diagnose.errors import DiagnoseError

data = partial(rounds_fixture.data, apart=0.5)
network = partial(rounds_fixture.network, width=32)


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


class Balanced(torch.utils.data.Sampler):
    """Draws as many of each class, with replacement."""

    def __init__(self, y):
        self.rows = [(y == k).nonzero().flatten().tolist() for k in y.unique().tolist()]

    def __iter__(self):
        for _ in range(8):
            yield [some[int(torch.randint(0, len(some), ()))] for some in self.rows for _ in range(8)]

    def __len__(self):
        return 8


class TestSamplersThatRepeat:
    def skewed(self, count, seed):
        x, y = data(count, seed).tensors
        y = torch.where(torch.arange(count) % 4 > 0, 0, y)
        return TensorDataset(x + y[:, None], y)

    def test_a_batch_sampler_of_the_users_own_is_collation(self):
        train, val = self.skewed(256, 1), DataLoader(self.skewed(128, 2), 32)
        loader = DataLoader(train, batch_sampler=Balanced(train.tensors[1]))
        model = fit(network(), loader)
        gap = explain_gap(model, Side(loader, ce, mode="eval", reported=read(model, loader)), Side(val, ce))
        plain = read(model, DataLoader(train, 32))
        assert values(gap)["unseen"] == pytest.approx(read(model, val) - plain, abs=2e-3)
        term = next(one for one in gap.record["terms"] if one["id"] == "collation")
        assert term["low"] < plain - np.mean([read(model, loader) for _ in range(8)]) < term["high"]
        rest = next(one for one in gap.record["terms"] if one["id"] == "residual")
        assert rest["low"] < 0 < rest["high"]

    def test_samples_of_weight_0_are_no_training_data(self):
        whole = data(256, 1)
        weights = (torch.arange(256) < 192).double()
        loader = DataLoader(whole, 32, sampler=torch.utils.data.WeightedRandomSampler(weights, 192))
        val = DataLoader(TensorDataset(*(part[192:] for part in whole.tensors)), 32)
        gap = explain_gap(network(), Side(loader, ce, mode="eval"), Side(val, ce))
        assert gap.record["overlap"]["exact"] == 0
        plain = DataLoader(TensorDataset(*(part[:192] for part in whole.tensors)), 32)
        assert values(gap)["unseen"] == pytest.approx(read(network(), val) - read(network(), plain), abs=1e-5)

    def test_padding_of_the_last_batch_is_no_sampler_that_repeats(self):
        train = data(250, 1)
        loader = DataLoader(train, 32, sampler=[*range(250), *range(6)])
        gap = explain_gap(network(), Side(loader, ce, mode="eval"), Side(DataLoader(data(64, 2), 32), ce))
        assert values(gap)["collation"] == 0


@pytest.mark.parametrize("objective", [ce, lambda model, batch: ce(model, batch).mean()])
@pytest.mark.parametrize(("sums", "said"), [("samples", "summed over all 250"), ("batches", "11 batches")])
def test_a_sum_over_samples_or_unequal_batches_is_named(objective, sums, said):
    train, val = DataLoader(data(500, 1), 32), DataLoader(data(250, 2), 24)
    model = fit(network(), train)
    each = [read(model, [batch]) for batch in val]
    reported = sum(each) if sums == "batches" else read(model, val) * 250
    gap = explain_gap(model, Side(train, objective, mode="eval"), Side(val, objective, reported=reported))
    assert said in gap.verdict
    assert values(gap)["unseen"] == pytest.approx(read(model, val) - read(model, train), abs=1e-5)


class TestBatchesWithoutTargets:
    def rows(self, count, seed, empty=()):
        x = torch.randint(0, 40, (count, 12), generator=torch.Generator().manual_seed(seed))
        y = x.clone()
        y[:, :4] = -100
        for number in empty:
            y[number * 8 : number * 8 + 8] = -100
        return [{"input_ids": x[k : k + 8], "labels": y[k : k + 8]} for k in range(0, count, 8)]

    def loss(self, model, batch):
        scores = model(batch["input_ids"])[:, :-1].transpose(1, 2)
        return F.cross_entropy(scores, batch["labels"][:, 1:])

    def test_their_losses_which_are_no_numbers_are_left_out_and_said(self):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(40, 16), nn.Linear(16, 40))
        train, val = self.rows(128, 1, (0, 5)), self.rows(64, 2, (2,))
        truth = [
            np.mean([self.loss(model, batch).item() for k, batch in enumerate(side) if k not in empty])
            for side, empty in ((train, (0, 5)), (val, (2,)))
        ]
        gap = explain_gap(model, Side(train, self.loss), Side(val, self.loss))
        assert (gap.matched.train, gap.matched.val) == pytest.approx(truth, abs=1e-5)
        assert any(note.startswith("2 batches of the training side without any target") for note in gap.record["notes"])
        assert rules(gap) <= {"gap/unseen"}
        audited = audit_metric(model, Side(train, self.loss), Side(val, self.loss))
        assert not any("nan" in one["what"] for one in audited.record["findings"])

    def test_other_losses_that_are_no_numbers_are_refused(self):
        model = nn.Sequential(nn.Embedding(40, 16), nn.Linear(16, 40))
        sides = [Side(self.rows(32, k), lambda m, b: self.loss(m, b) * float("nan")) for k in (1, 2)]
        with pytest.raises(DiagnoseError, match="NaN or infinity"):
            explain_gap(model, *sides)


class TestPrecisionThatIsNotSaid:
    def sharp(self):
        train, val = DataLoader(data(512, 1), 32), DataLoader(data(256, 2), 32)
        model = fit(network(), train, turns=20)
        with torch.no_grad():
            model[2].weight.mul_(16)
        return model, train, val

    def half(self, model, batch):
        return F.cross_entropy(model(batch[0].bfloat16()).float(), batch[1], reduction="none")

    def test_a_loss_that_was_reported_in_16_bits_is_named(self):
        model, train, val = self.sharp()
        reported = read(copy.deepcopy(model).bfloat16(), val, self.half)
        gap = explain_gap(
            model, Side(train, ce, mode="eval", reported=read(model, train)), Side(val, ce, reported=reported)
        )
        (fit_,) = gap.record["arithmetic"]["validation"]
        assert "bfloat16" in fit_["factor"]
        assert values(gap)["residual"] == pytest.approx(reported - read(model, val), abs=1e-5)

    def test_another_small_difference_is_not_called_that(self):
        model, train, val = self.sharp()
        own = Side(train, ce, mode="eval", reported=read(model, train))
        gap = explain_gap(model, own, Side(val, ce, reported=1.004 * read(model, val)))
        assert not gap.record["arithmetic"].get("validation")

    def test_a_copy_of_16_bits_is_read_by_the_objective_that_is_written_for_it(self):
        model, train, val = self.sharp()
        copied = copy.deepcopy(model).bfloat16()
        gap = explain_gap(model, Side(train, ce, mode="eval"), Side(val, self.half, model=copied))
        truth = read(copied, train, self.half) - read(model, train)
        assert values(gap)["weights"] == pytest.approx(truth, abs=1e-5)
        assert values(gap)["objective"] == 0


def test_an_objective_that_sums_over_samples_is_called_that():
    train, val = DataLoader(data(500, 1), 32), DataLoader(data(250, 2), 32)
    sides = [
        Side(some, lambda m, b, how=how: F.cross_entropy(m(b[0]), b[1], reduction=how))
        for some, how in ((train, "mean"), (val, "sum"))
    ]
    gap = explain_gap(network(), *sides)
    said = "validation's is the other's times a whole number on every batch (at most 32): a sum over samples instead of"
    assert gap.record["conditions"]["losses"][0].startswith(said)
    assert f"because the objectives of the two sides differ: {said} their mean (" in gap.verdict
    other = Side(val, lambda m, b: ce(m, b).mean() * 1.3)
    assert not any("times the other's" in note for note in explain_gap(network(), sides[0], other).record["notes"])


def test_a_loss_that_is_no_number_is_no_batch_without_targets():
    """A flag of no meaning that is nowhere set does not make a broken input a batch of which nothing counts."""

    def batches(count, broken=None):
        out = [(*batch, torch.zeros(8, dtype=torch.bool)) for batch in DataLoader(data(8 * count, count), 8)]
        if broken is not None:
            out[broken][0][0, 0] = float("nan")
        return out

    def mean(model, batch):
        return F.cross_entropy(model(batch[0]), batch[1])

    with pytest.raises(DiagnoseError, match="on batch 4 of the validation side, returns NaN"):
        explain_gap(network(), train=Side(batches(9), mean), val=Side(batches(10, broken=3), mean))

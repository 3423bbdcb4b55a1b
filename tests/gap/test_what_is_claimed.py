"""What a ledger says of two sides is no more than what was looked for, and in the words of the loop that it is of."""

import copy

import pytest
import torch
from rounds_fixture import ce, data, fit, network
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler, TensorDataset, WeightedRandomSampler

from diagnose import GapRecorder, Side, explain_gap
from diagnose.errors import DiagnoseError
from diagnose.gap.verdict import sentence
from diagnose.records.ledgers import LedgerRecord

CLAIMS = ("has not seen", "on unseen", "not trained on", "it has not")


def draws(seed):
    return torch.Generator().manual_seed(seed)


def whole(gap):
    """Return what the terminal and the page say, but for the page's glossary, in one line."""
    return " ".join(f"{gap} {gap.to_markdown()}".split())


def pictures(count, seed, dtype):
    """Return noise with a label drawn at random: what is learned is each picture by heart."""
    x = torch.randint(0, 256, (count, 3, 8, 8), generator=draws(seed), dtype=torch.uint8)
    y = torch.randint(0, 4, (count,), generator=draws(seed + 50))
    return TensorDataset(x if dtype == torch.uint8 else x.float() / 255, y)


def classified(model, batch):
    return F.cross_entropy(model(batch[0].float() / 64), batch[1], reduction="none")


class TestBitForBit:
    @pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
    def test_of_pictures_no_more_is_said_than_that_none_is_the_same(self, dtype):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 4))
        train, val = (DataLoader(pictures(n, s, dtype), 32) for n, s in ((256, 1), (128, 2)))
        gap = explain_gap(fit(model, train, classified, 12), Side(train, classified), Side(val, classified))
        walk = sentence(LedgerRecord.model_validate(gap.record))  # labels, which are random, come before it
        assert "because the network does better on training data than on other data (" in walk
        said = whole(gap)
        assert not [claim for claim in CLAIMS if claim in said]
        assert "cropped or shifted ones are not" in said

    def test_of_pictures_that_are_in_part_training_s(self):
        """A fifth is training's to the bit: "has not seen" was said of all of it."""
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 4))
        train, val = pictures(256, 1, torch.uint8), pictures(128, 2, torch.uint8)
        both = TensorDataset(*(torch.cat([a[:32], b]) for a, b in zip(train.tensors, val.tensors, strict=True)))
        train, val = DataLoader(train, 32), DataLoader(both, 32)
        gap = explain_gap(fit(model, train, classified, 12), Side(train, classified), Side(val, classified))
        walk = sentence(LedgerRecord.model_validate(gap.record))
        assert "because the network does better on training data than on other data (" in walk
        loss = f"{gap.record['unseen']['loss']:.2f}"
        assert f"; 20% of validation's samples are in training, too: on the others the loss is {loss}." in walk

    def test_of_rows_of_tokens_spans_were_looked_for(self):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(500, 16), nn.Linear(16, 500))

        def next_token(model, batch):
            return F.cross_entropy(model(batch[0][:, :-1]).transpose(1, 2), batch[0][:, 1:], reduction="none")

        train, val = (
            DataLoader(TensorDataset(torch.randint(1, 500, (n, 40), generator=draws(s))), 32)
            for n, s in ((256, 1), (128, 2))
        )
        gap = explain_gap(fit(model, train, next_token, 3), Side(train, next_token), Side(val, next_token))
        assert "because the network does better on training data than on unseen data (" in gap.verdict
        assert "bit for bit" not in whole(gap)

    def test_parts_of_samples_that_occur_in_training_are_said(self):
        """Fourteen of 34 values of each validation window are a training window's: too few to make it a near copy."""
        series = torch.randn(60, 60, generator=draws(1))
        train = DataLoader(TensorDataset(series[:, :40], torch.zeros(60, dtype=torch.long)), 20)
        val = DataLoader(TensorDataset(series[:, 20:60:1][:, 6:], torch.zeros(60, dtype=torch.long)), 20)
        torch.manual_seed(0)
        model = nn.Sequential(nn.AdaptiveAvgPool1d(8), nn.Linear(8, 4))
        gap = explain_gap(model, Side(train, ce), Side(val, ce))
        assert "as a whole (parts of 60 do)" in whole(gap)


def scalar(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def means(model, loader, *, training=False):
    """Return the mean over all elements, and the mean of the batches' means."""
    model = copy.deepcopy(model).train(training)
    with torch.no_grad():
        each = [ce(model, batch).double() for batch in loader]
    return torch.cat(each).mean().item(), torch.stack([one.mean() for one in each]).mean().item()


def rules(gap):
    return {finding["rule"]: finding for finding in gap.findings}


def term(gap, name):
    return next(row for row in gap.record["terms"] if row["id"] == name)


def ragged():
    return DataLoader(data(256, 1), 32), DataLoader(data(135, 2), 32)  # 7 in validation's last batch


class TestAverages:
    def test_a_loop_that_weighs_batches_by_samples_is_not_told_to_mend_itself(self):
        train, val = ragged()
        model = fit(network(), train)
        reported = [means(model, loader)[0] for loader in (train, val)]
        gap = explain_gap(model, Side(train, scalar, reported=reported[0]), Side(val, scalar, reported=reported[1]))
        assert not {"gap/arithmetic", "ragged-mean"} & set(rules(gap))
        assert "was read so (reduction='weighted')" in whole(gap)
        assert term(gap, "residual")["value"] == pytest.approx(0, abs=1e-6)
        assert term(gap, "reduction")["value"] == pytest.approx(0, abs=1e-6)

    def test_arithmetic_is_named_on_the_terminal(self):
        train, val = ragged()
        model = fit(network(), train)
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=means(model, val)[0] / 8))
        assert "The reported validation loss is what is read, divided by 8: by accumulation steps" in whole(gap)

    def test_eval_is_forgotten_where_the_loop_logs_the_mean_of_batch_means(self):
        train, val = ragged()
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(16, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 4))
        fit(model, train)
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=means(model, val, training=True)[1]))
        assert "gap/eval-forgotten" in rules(gap)
        assert abs(term(gap, "residual")["value"]) < 1e-4

    @pytest.mark.parametrize("first", [True, False])
    def test_averaging_is_no_objective_where_one_side_gives_a_scalar(self, first):
        loader, other = DataLoader(data(135, 1), 32), DataLoader(data(128, 2), 32)
        model = fit(network(), loader)
        over, alike = means(model, loader)
        assert abs(over - alike) > 1e-3
        objectives = (scalar, ce) if first else (ce, scalar)
        gap = explain_gap(model, Side(loader, objectives[0]), Side(other, objectives[1]))
        assert term(gap, "objective")["value"] == pytest.approx(0, abs=1e-6)
        assert term(gap, "reduction")["value"] == pytest.approx(over - alike if first else 0, abs=1e-6)

    def test_a_recorded_validation_weighs_its_batches(self, tmp_path):
        train, val = ragged()
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        with GapRecorder(tmp_path / "run", model, reports="epoch") as recorder:
            for batch in train:
                loss = scalar(model, batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                recorder.step(batch, loss, weight=len(batch[1]))
            for batch in val:
                recorder.validation(batch, scalar(model, batch), weight=len(batch[1]))
            gap = explain_gap(model, ce, ce, recorder=recorder)
        assert gap.record["reported"]["val"] == pytest.approx(means(model, val)[0], rel=1e-6)
        assert next(part for part in term(gap, "residual")["parts"] if part["id"] == "validation")["value"] < 1e-6


class Noisy(Dataset):
    def __init__(self, data, noise):
        self.data, self.transform = data, noise

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        x, y = self.data[index]
        return (x + torch.randn(16) if self.transform else x), y


class TestWords:
    def test_plain_that_was_given_is_not_said_to_be_taken(self):
        held = data(256, 1)
        weights = torch.where(held.tensors[1] == 0, 5.0, 1.0)
        train = DataLoader(held, 32, sampler=WeightedRandomSampler(weights, 256))
        val = DataLoader(data(128, 2), 32)
        model = fit(network(), train)
        given = explain_gap(model, Side(train, ce, plain=DataLoader(held, 32)), Side(val, ce))
        taken = explain_gap(model, Side(train, ce), Side(val, ce))
        assert "taken as plain=" not in whole(given)
        assert "taken as plain=" in whole(taken)
        assert "unless plain=" not in whole(taken)

    def test_augmentation_is_no_cutting_of_documents(self):
        held = data(256, 1)
        model = fit(network(), DataLoader(Noisy(held, True), 32))
        train, val = DataLoader(Noisy(held, True), 32), DataLoader(Noisy(data(128, 2), False), 32)
        gap = explain_gap(model, Side(train, ce), Side(val, ce))
        assert "gap/collation" in rules(gap)
        assert not [word for word in ("cut", "document", "text") if word in whole(gap).replace("context", "")]

    def test_batch_norm_is_not_called_off(self):
        train, val = ragged()
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(16, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 4))
        gap = explain_gap(fit(model, train, turns=1), Side(train, ce), Side(val, ce))
        said = whole(gap)
        assert term(gap, "mode")["value"]
        assert "batch norm off" not in said
        assert "batch norm on" not in said
        assert "mode: batch norm to eval" in said


def left_out(held):
    return DataLoader(held, 32, shuffle=True, drop_last=True)


def replaced(held):
    return DataLoader(held, 32, sampler=RandomSampler(held, replacement=True, num_samples=64))


def weighted(held):
    return DataLoader(held, 32, sampler=WeightedRandomSampler(torch.ones(len(held)), len(held)))


class TestSamplers:
    """What is reported is of another draw than what is read: its luck is an interval, no cause."""

    @pytest.mark.parametrize("loader", [left_out, replaced, weighted])
    def test_another_draw_of_validation_is_no_residual_without_an_interval(self, loader):
        train, val = DataLoader(data(250, 1), 32), loader(data(135, 2))
        model = fit(network(), train, turns=2)
        torch.manual_seed(5)
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=means(model, val)[0]))
        rest = term(gap, "residual")
        assert rest["low"] <= 0 <= rest["high"]
        assert "not what these weights give" not in gap.verdict
        assert "the validation side's sampler draws other samples each pass" in whole(gap)

    def test_so_of_training_that_leaves_out_its_last_batch(self):
        train, val = left_out(data(250, 1)), DataLoader(data(135, 2), 32)
        model = fit(network(), train, turns=2)
        torch.manual_seed(5)
        gap = explain_gap(model, Side(train, ce, reported=means(model, train)[0]), Side(val, ce))
        rest = term(gap, "residual")
        assert rest["low"] <= 0 <= rest["high"]
        assert rest["high"] - rest["low"] < 0.1  # 26 of 250 samples are left out: nearly the same are read

    def test_a_shuffled_loader_that_reads_all_stays_exact(self):
        train, val = DataLoader(data(250, 1), 32), DataLoader(data(135, 2), 32, shuffle=True)
        model = fit(network(), train, turns=2)
        gap = explain_gap(model, Side(train, ce), Side(val, ce, reported=means(model, val)[0] + 0.02))
        assert term(gap, "residual")["low"] is None


class TestWhatANewcomerMetNext:
    def test_a_loss_many_times_trainings_is_not_blamed_on_overfitting_alone(self):
        train, val = data(600, 1, apart=3.0), data(300, 2, apart=3.0)
        shifted = TensorDataset(val.tensors[0], (val.tensors[1] + 1) % 4)
        loaders = [DataLoader(some, 30) for some in (train, val, shifted)]
        model = fit(network(), loaders[0])
        wrong = explain_gap(model, train=Side(loaders[0], ce), val=Side(loaders[2], ce))
        assert wrong.verdict.startswith("Check validation's labels first")
        assert not [one for one in wrong.findings if one["rule"] == "gap/unseen"]
        right = explain_gap(model, train=Side(loaders[0], ce), val=Side(loaders[1], ce))
        assert "labels" not in right.verdict
        assert "labels-unrelated" not in {one["rule"] for one in right.findings}

    def test_objectives_that_differ_are_not_said_to_hold_more(self):
        loaders = [DataLoader(data(count, seed), 30) for count, seed in ((600, 1), (300, 2))]
        model = fit(network(), loaders[0], turns=2)

        def focal(model, batch):
            nats = ce(model, batch)
            return nats * (1 - (-nats).exp()) ** 2

        gap = explain_gap(model, train=Side(loaders[0], focal), val=Side(loaders[1], ce))
        (what,) = (one["what"] for one in gap.findings if one["rule"] == "gap/objective")
        assert what == "The objectives of the two sides differ"

    def test_a_recorder_in_the_place_of_a_side_is_told_where_it_goes(self, tmp_path):
        model = network()
        recorder = GapRecorder(tmp_path, model)
        with pytest.raises(DiagnoseError, match=r"give train=Side\(batches, objective\), .* as recorder="):
            explain_gap(model, recorder, Side([data(8, 1).tensors], ce))

    def test_a_lambda_is_called_so(self):
        batches = list(DataLoader(data(96, 1), 16))
        side = Side(batches, lambda model, batch: ce(model, batch).double())
        record = explain_gap(network(), side, side).record
        assert record["conditions"]["train"]["objective"] == "a lambda"

"""Faults that public training scripts showed, run as they lie: each rebuilt small, with the value that is right."""

import pytest
import torch
from rounds_fixture import ce, data, fit, mean, network, of_batch, rules, term
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import GapRecorder, Side, explain_gap
from diagnose.gap.reported import EARLIER_STEPS, OF_TRAINING

SPREAD = [k * 27 % 40 for k in range(8)]  # the first 8 of 40 batches, by 40 times the golden section
TRAIN, VAL = DataLoader(data(200, 1), 24), DataLoader(data(72, 2), 24)


def recorded(folder, model, loss=of_batch, **reports):
    """One epoch of a loop that records its steps and then its validation; its losses, by side."""
    optimizer, losses = torch.optim.SGD(model.parameters(), 0.2), ([], [])
    recorder = GapRecorder(folder, model, **(reports or {"reports": "epoch"}))
    for batch in TRAIN:
        value = loss(model, batch)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        recorder.step(batch, value)
        losses[0].append(value.item())
    for batch in VAL:
        losses[1].append(loss(model, batch).item())
        recorder.validation(batch, losses[1][-1])
    recorder.close()
    return recorder, losses


def root(net, batch):
    return of_batch(net, batch).sqrt()


def factors(gap, side):
    return [fit["factor"] for fit in gap.record["arithmetic"].get(side, [])]


@pytest.fixture
def model():
    return fit(network(), TRAIN, turns=1)


def test_weights_that_moved_since_are_not_called_a_harder_batch(tmp_path):
    net = network()
    recorder = GapRecorder(tmp_path, net, reports="last")
    first = next(iter(TRAIN))
    recorder.step(first, of_batch(net, first))
    fit(net, TRAIN, turns=3)
    gap = explain_gap(net, Side(TRAIN, ce), Side(VAL, ce, reported=0.6), recorder=recorder)
    recorder.detach()
    assert term(gap, "lag")["value"] < -5 * abs(term(gap, "recency")["value"])
    assert "improved on the training batch that was shown" in gap.verdict
    assert "harder" not in gap.verdict
    assert "gap/one-batch" not in rules(gap)


class TestTheOtherSidesBatches:
    def test_with_a_record(self, tmp_path, model):
        recorder, (losses, _) = recorded(tmp_path, model)
        side = Side(TRAIN, of_batch, reported=sum(losses) / len(VAL))
        gap = explain_gap(model, side, Side(VAL, of_batch), recorder=recorder)
        assert factors(gap, "training") == ["the sum of 9 steps divided by 3, the batches of the other side"]

    def test_without_one(self):
        net = torch.nn.Sequential(*network(), torch.nn.Dropout(0.02))
        fit(net, TRAIN, turns=2)
        read = explain_gap(net, Side(TRAIN, ce), Side(VAL, ce)).record["reported"]["train"]
        gap = explain_gap(net, Side(TRAIN, ce, reported=read * len(TRAIN) / len(VAL) * 1.003), Side(VAL, ce))
        assert "divided by the 3 batches of the other side instead of its own 9" in factors(gap, "training")[0]


def test_arithmetic_near_to_what_is_read_may_be_an_earlier_mean_of_a_network_without_modes(model):
    batches = [of_batch(model, batch).item() for batch in TRAIN]
    near = sum(batches) * 24 / 200 * (1 + 5e-5)
    gap = explain_gap(model, Side(TRAIN, of_batch, reported=near), Side(VAL, of_batch))
    assert factors(gap, "training")[1:] == [EARLIER_STEPS]
    gap = explain_gap(model, Side(TRAIN, of_batch, reported=near, mode="eval"), Side(VAL, of_batch))
    assert len(factors(gap, "training")) == 1


def test_a_validation_loss_that_is_the_last_training_loss(tmp_path, model):
    recorder, (losses, _) = recorded(tmp_path, model, reports="interval", interval=4)  # the ninth step is in none
    val = Side(VAL, of_batch, reported=losses[-1])
    gap = explain_gap(model, Side(TRAIN, of_batch), val, recorder=recorder)
    assert factors(gap, "validation") == [OF_TRAINING]
    assert "The reported validation loss is the loss of training's last step" in str(gap).replace("\n", " ")


def test_roots_of_what_is_recorded(tmp_path, model):
    def squares(net, batch):
        return F.mse_loss(net(batch[0]), F.one_hot(batch[1], 4).float())

    recorder, losses = recorded(tmp_path, model, squares)
    roots = [(sum(some) / len(some)) ** 0.5 for some in losses]
    sides = [Side(loader, squares, reported=root) for loader, root in zip((TRAIN, VAL), roots, strict=True)]
    gap = explain_gap(model, *sides, recorder=recorder)
    assert [factors(gap, side)[0].partition(":")[0] for side in ("training", "validation")] == ["as a root"] * 2


class TestOneBatchThatIsAll:
    """A graph, or a table, of which the two losses hold different things."""

    def test_its_objectives_are_exact_and_lead(self, model):
        train, val = next(iter(TRAIN)), next(iter(VAL))
        plain = of_batch(model, train).item()
        difference = root(model, train).item() - plain
        shown = plain - 0.01 * difference
        gap = explain_gap(model, Side([train], of_batch, reported=shown), Side([val], root))
        assert term(gap, "objective")["value"] == pytest.approx(difference, rel=1e-5)
        assert term(gap, "objective")["basis"].startswith("exact")
        assert "the objectives of the two sides differ" in gap.verdict
        assert "not resolved: objective" not in gap.verdict.lower()

    def test_what_is_small_does_not_lead_before_what_is_not_resolved(self, model):
        train, val = next(iter(TRAIN)), (torch.randn(8, 16), torch.randint(0, 4, (8,)))
        gap = explain_gap(model, Side([train], root, reported=root(model, train).item() - 0.01), Side([val], root))
        assert "no cause of that is resolved. The largest is data" in gap.verdict


def test_a_loader_in_its_datasets_order_is_read_all_over_it(model):
    x, y = TRAIN.dataset.tensors
    order = y.argsort()
    in_order = DataLoader(TensorDataset(x[order], y[order]), 5)  # sorted by class, as folders of pictures are
    gap = explain_gap(model, Side(in_order, ce), Side(VAL, ce), budget="8 batches")
    read = [batch for number, batch in enumerate(in_order) if number in SPREAD]
    assert gap.record["reported"]["train"] == pytest.approx(mean(model, read), rel=1e-6)
    assert {int(k) for _, labels in read for k in labels} == {0, 1, 2}  # the first eight batches hold one class


def test_a_gap_of_small_losses_is_said_in_their_own_digits(model):
    def tiny(net, batch):
        return ce(net, batch) * 1e-4

    gap = explain_gap(model, Side(TRAIN, tiny, mode="eval", reported=9e-5), Side(VAL, tiny, reported=1.2e-4))
    assert gap.verdict.startswith("Validation lies 0.000030 above training")


def test_times_that_are_the_same_to_their_digits_are_said_once():
    net = torch.nn.Sequential(*network(), torch.nn.Dropout(0.002))
    fit(net, TRAIN, turns=1)
    read = explain_gap(net, Side(TRAIN, ce), Side(VAL, ce)).record["reported"]["train"]
    gap = explain_gap(net, Side(TRAIN, of_batch, reported=read * 7.35), Side(VAL, of_batch))
    assert "7.4 to 7.4" not in str(gap)
    assert "7.3 to 7.3" not in str(gap)

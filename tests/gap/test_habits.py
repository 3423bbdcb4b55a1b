"""Objectives that call `model.train()` or `model.eval()` themselves, as steps of loops do, against plain torch."""

import pytest
import torch
from rounds_fixture import ce, data, fit, network
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from diagnose import Side, explain_gap


def calling(mode):
    """Return the cross-entropy of samples, after `model.train()` or `model.eval()`."""

    def objective(model, batch):
        model.train(mode)
        return ce(model, batch)

    return objective


def of(mode):
    return ce if mode is None else calling(mode)


@pytest.fixture(scope="module")
def fitted():
    train, val = (DataLoader(data(count, seed, apart=0.5), 30) for count, seed in ((600, 1), (300, 2)))
    model = network(width=48)
    model.insert(2, nn.Dropout(0.5))
    return fit(model, train), train, val


def mean(model, loader, *, training, draws=40):
    """Return the mean loss of a loader's samples; in training mode over draws of dropout."""
    was = model.training
    model.train(training)
    torch.manual_seed(3)
    with torch.no_grad():
        found = [torch.cat([ce(model, b) for b in loader]).mean() for _ in range(draws if training else 1)]
    model.train(was)
    return float(torch.stack(found).mean())


@pytest.mark.parametrize("modes", [(None, None), (True, False), (None, False), (True, None)])
def test_what_they_switch_is_mode_and_no_objective(fitted, modes):
    model, train, val = fitted
    gap = explain_gap(model, train=Side(train, of(modes[0])), val=Side(val, of(modes[1])))
    on, off = (mean(model, train, training=mode) for mode in (True, False))
    term = {row.id: row for row in gap.terms.itertuples()}
    assert term["mode"].low <= off - on <= term["mode"].high
    assert not term["objective"].value
    assert gap.matched.train == pytest.approx(off, abs=1e-5)
    assert gap.matched.val == pytest.approx(mean(model, val, training=False), abs=1e-5)


def test_a_validation_that_trains_has_forgotten_eval(fitted):
    model, train, val = fitted
    gap = explain_gap(model, train=Side(train, ce), val=Side(val, calling(True)))
    assert "gap/eval-forgotten" in {one["rule"] for one in gap.findings}
    assert "gap/random" not in {one["rule"] for one in gap.findings}
    term = {row.id: row for row in gap.terms.itertuples()}
    assert not term["mode"].value
    assert not term["objective"].value
    assert gap.matched.val == pytest.approx(mean(model, val, training=False), abs=1e-5)
    assert "the validation side's objective calls model.train() itself" in str(gap)


@pytest.mark.parametrize("logged", ["train", "eval"])
def test_one_function_for_both_sides_is_read_in_the_mode_that_the_reported_loss_tells(fitted, logged):
    """A function that evaluates, handed over for training too, says nothing of how training took its loss."""
    model, train, val = fitted
    on, off = (mean(model, train, training=mode, draws=1) for mode in (True, False))
    reported = on if logged == "train" else off
    both = calling(False)
    gap = explain_gap(model, train=Side(train, both, reported=reported), val=Side(val, both))
    term = {row.id: row for row in gap.terms.itertuples()}
    if logged == "train":
        assert term["mode"].low <= off - on <= term["mode"].high
    else:
        assert not term["mode"].value
        assert abs(term["residual"].value) < 1e-5


def test_the_model_keeps_its_own_train_and_eval(fitted):
    model, train, val = fitted
    model.train()
    explain_gap(model, train=Side(train, calling(True)), val=Side(val, calling(False)))
    assert "train" not in vars(model)
    assert "eval" not in vars(model)
    assert model.eval().training is False


def test_an_objective_that_uses_both_modes_is_left_alone(fitted):
    """As a consistency loss does: a target in evaluation mode, the loss in training mode."""
    model, train, val = fitted

    def consistent(model, batch):
        was = model.training
        model.eval()
        with torch.no_grad():
            target = model(batch[0]).softmax(1)
        model.train(was)
        return F.cross_entropy(model(batch[0]), target, reduction="none")

    gap = explain_gap(model, train=Side(train, consistent), val=Side(val, consistent))
    assert "calls model." not in str(gap)

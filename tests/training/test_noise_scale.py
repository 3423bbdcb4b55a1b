"""The gradient noise scale against a model whose gradients' covariance is known."""

import math

import pytest
import torch

from diagnose.runs import runner, session, store
from diagnose.training import noise_scale
from diagnose.training.noise_scale import NoiseScale, average, from_parts, from_two_sizes

SIZE, DIMENSIONS = 4, 30


def gradients(draw, rows, slope, spread):
    """Return the mean gradient of rows of the model 0.5 |w - x|^2 at w: w - x, with x around its mean."""
    return slope + (spread * torch.randn(rows, DIMENSIONS, generator=draw, dtype=torch.float64)).mean(0)


@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_both_estimators_are_unbiased_on_a_quadratic_whose_covariance_is_known(strength):
    draw = torch.Generator().manual_seed(0)
    slope = torch.full((DIMENSIONS,), strength, dtype=torch.float64)
    spread = torch.linspace(0.5, 2.0, DIMENSIONS, dtype=torch.float64)
    parts, sizes = [], []
    for _ in range(4000):
        some = [gradients(draw, SIZE, slope, spread) for _ in range(8)]
        squares = [float(g.square().sum()) for g in some]
        parts.append(from_parts(squares, float((sum(some) / 8).square().sum()), SIZE))
        big = float(gradients(draw, 8 * SIZE, slope, spread).square().sum())
        sizes.append(from_two_sizes(sum(squares) / 8, SIZE, big, 8 * SIZE))
    signal, noise = float(slope.square().sum()), float(spread.square().sum())
    for found in (parts, sizes):
        for name, truth in (("signal", signal), ("noise", noise)):
            values = torch.tensor([getattr(one, name) for one in found])
            error = float(values.std()) / math.sqrt(len(values))
            assert abs(float(values.mean()) - truth) < 4 * error
        assert average(found).rows == pytest.approx(noise / signal, rel=0.15)


def test_the_two_estimators_agree_where_the_large_batch_is_that_of_the_parts():
    some = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, -1.0]), torch.tensor([0.5, 0.5])]
    squares, mean = [float(g.square().sum()) for g in some], float((sum(some) / 3).square().sum())
    one, two = from_parts(squares, mean, 5), from_two_sizes(sum(squares) / 3, 5, mean, 15)
    assert one.signal == pytest.approx(two.signal)
    assert one.noise == pytest.approx(two.noise)


def test_by_hand():
    # two parts of one row with gradients 3 and 1: variance 2, mean 2
    assert from_parts([9.0, 1.0], 4.0, 1) == NoiseScale(signal=3.0, noise=2.0)
    assert from_parts([9.0, 1.0], 4.0, 10).noise == 20.0


def test_noise_that_hides_the_signal_has_no_scale():
    assert from_parts([1.0, 1.0], 0.1, 1).rows is None


class Line(torch.nn.Module):
    """Logits of two tokens, (0, w): the gradient of a row is the mean of sigmoid(w) - target over its places."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(0.3))

    def forward(self, tokens_BT, _segments_BT=None):
        zero = torch.zeros(tokens_BT.shape)
        return torch.stack([zero, zero + self.w], -1)


def test_what_is_measured_of_a_network_is_what_its_rows_gradients_say(tiny, monkeypatch):
    from types import SimpleNamespace

    from diagnose.config.recipe import Recipe
    from diagnose.training.batches import Batch

    draw = torch.Generator().manual_seed(1)
    batches = [torch.randint(2, (8, 6), generator=draw) for _ in range(2)]

    def step_batches(layout, number, accumulate):
        targets = batches[number]
        everything = torch.ones_like(targets, dtype=torch.bool)
        zero = torch.zeros_like(targets)
        return [Batch(inputs_BT=zero, targets_BT=targets, counted_BT=everything, documents_BT=zero, segments_BT=None)]

    monkeypatch.setattr(noise_scale, "step_batches", step_batches)
    net = Line()
    found = noise_scale.measure(net, SimpleNamespace(layout=None, recipe=Recipe.load("quick", tiny)), 0)
    rows = [1 / (1 + math.exp(-0.3)) - b.double().mean(1) for b in batches]
    assert found["parts"]["noise"] == pytest.approx(float(rows[0].var()), rel=1e-5)
    assert found["parts"]["signal"] == pytest.approx(float(rows[0].mean() ** 2 - rows[0].var() / 8), rel=1e-4)
    wanted = from_two_sizes(float((rows[0] ** 2).mean()), 1, float(rows[1].mean() ** 2), 8)
    assert found["two_sizes"]["noise"] == pytest.approx(wanted.noise, rel=1e-5)
    assert net.w.grad is None


def test_measuring_changes_nothing_of_a_run_and_survives_a_stop(tiny, tmp_path, quick_probes):
    from run_fixture import stopped, tensors

    plain = runner.train("quick", tiny, runs=tmp_path / "plain")
    given = tiny | {"report.noise_scale": True}
    measured = runner.train("quick", given, runs=tmp_path / "measured")
    a, b = tensors(plain), tensors(measured)
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    found = session.read_noise(measured)
    assert [one["step"] for one in found] == [3, 6, 9, 12]
    assert all(math.isfinite(one[kind][part]) for one in found for kind in ("parts", "two_sizes")
               for part in ("signal", "noise"))  # fmt: skip
    again = stopped(given, tmp_path / "again")
    runner.train("quick", given, runs=tmp_path / "again", resume=True)
    assert session.read_noise(again) == found
    assert not (plain / "noise.json").exists()
    assert store.state(again) == "finished"

"""Random states of a recorded step: what was drawn after they were taken is drawn again once they are put back."""

import random

import numpy as np
import pytest
import torch

from diagnose.gap.recorder.loss_means import LossMeans
from diagnose.gap.recorder.random_states import RandomStates, put

CPU = torch.device("cpu")


def _drawn():
    numpy = [np.random.rand(), np.random.randn(), np.random.randn(), np.random.randint(9)]  # noqa: NPY002
    return [torch.rand(1).item(), random.random(), *numpy]


@pytest.mark.parametrize(
    "between",
    [
        lambda: None,
        np.random.rand,
        np.random.randn,
        lambda: (np.random.randn(), np.random.randn()),  # noqa: NPY002
        lambda: np.random.seed(3),  # noqa: NPY002
        random.random,
        lambda: (random.gauss(0, 1), random.gauss(0, 1)),
        lambda: random.seed(3),
        lambda: torch.rand(1),
    ],
    ids=["nothing", "numpy", "half a pair", "a pair", "seeded", "python", "python's pair", "python's seed", "torch"],
)
def test_each_state_is_the_one_at_its_time(between):
    states, seen = RandomStates(), []
    np.random.seed(0)  # noqa: NPY002
    for _ in range(4):
        now = states.taken(CPU)
        before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
        seen.append((now, _drawn()))
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])
        between()
    for now, drawn in reversed(seen):
        put(now, CPU)
        assert _drawn() == drawn


def test_what_nothing_was_drawn_from_is_not_copied_again():
    states = RandomStates()
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    first, second = states.taken(CPU), states.taken(CPU)
    assert first["numpy"] is second["numpy"]
    assert first["python"] is second["python"]


def test_another_generator_in_numpys_place_is_left_out():
    before = np.random.get_bit_generator()
    try:
        np.random.set_bit_generator(np.random.PCG64(1))
        assert "numpy" not in RandomStates().taken(CPU)
    finally:
        np.random.set_bit_generator(before)


def test_running_means_are_those_of_all_losses():
    losses = torch.rand(2500, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    means = LossMeans()
    for step, loss in enumerate(losses):
        means.add(loss if step % 2 else loss.item(), begins=step in (0, 1700))
    smoothed = losses[0].item()
    for loss in losses.tolist():
        smoothed = 0.9 * smoothed + 0.1 * loss
    so_far = means.so_far()
    assert so_far["run"] == pytest.approx(losses.mean().item())
    assert so_far["epoch"] == pytest.approx(losses[1700:].mean().item())
    assert so_far["smoothed 0.9 from the first loss"] == pytest.approx(smoothed)
    with_nan = _with_nan(means)
    assert with_nan.pop("before") == pytest.approx(losses[-1].item())
    assert all(value != value for value in with_nan.values())  # noqa: PLR0124


def _with_nan(means):
    means.add(float("nan"))
    return means.so_far()

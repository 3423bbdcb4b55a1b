import numpy as np
import pytest
import torch

from diagnose import random as seeding


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 4097])
def test_a_permutation_visits_everything_once(size):
    out = seeding.permute(torch.arange(size), size, seeding.key(1, "order", 0))
    assert sorted(out.tolist()) == list(range(size))


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 65_537])
def test_a_permutation_of_numpy_s_numbers_is_that_of_torch_s(size):
    index, key = np.arange(size), seeding.key(1, "order", 0)
    assert seeding.permute(index, size, key).tolist() == seeding.permute(torch.arange(size), size, key).tolist()
    assert index.tolist() == list(range(size))


def test_same_key_same_order_other_key_other_order():
    index = torch.arange(1000)
    one, again, other = (seeding.permute(index, 1000, seeding.key(s, "order", 0)) for s in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(index, torch.arange(1000))


def test_a_permutation_looks_random():
    size = 5000
    out = seeding.permute(torch.arange(size), size, seeding.key(3, "order", 0)).double()
    corr = np.corrcoef(np.arange(size), out.numpy())[0, 1]
    steps = (out[1:] - out[:-1]).sign().mean().item()
    assert abs(corr) < 4 / size**0.5
    assert abs(steps) < 0.05


def test_draws_with_replacement_are_uniform():
    draws = seeding.uniform_index(torch.arange(200_000), 10, seeding.key(0, "order", 0))
    counts = torch.bincount(draws, minlength=10).double()
    chi2 = ((counts - 20_000) ** 2 / 20_000).sum().item()
    assert chi2 < 33  # 9 degrees of freedom, p = 1e-4


def test_streams_are_apart_and_global_state_is_left_alone():
    before = torch.get_rng_state()
    assert seeding.key(0, "order", 1) != seeding.key(0, "dropout", 1) != seeding.key(0, "order", 2)
    assert seeding.generator(0, "x").integers(1 << 40) == seeding.generator(0, "x").integers(1 << 40)
    seeding.permute(torch.arange(9), 9, 5)
    assert torch.equal(before, torch.get_rng_state())

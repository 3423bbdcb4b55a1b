"""Results of others: one number a run, one run an arm, scores of 0 and 1. By hand, degenerate input, coverage."""

import numpy as np
import pytest
from scipy import stats as peers
from stats_fixture import rng, within_binomial_error

from diagnose import stats
from diagnose.stats.proportions import DIFFERENCE, LEVEL, estimated_by, is_binary, with_made_up, within_bounds


def test_paired_runs_are_a_paired_t():
    arm, control = [2.0, 2.5, 2.2], [2.1, 2.4, 2.6]
    found, peer = stats.paired_runs(arm, control), peers.ttest_rel(arm, control)
    low, high = peer.confidence_interval()
    assert (found.low, found.high, found.p, found.df) == pytest.approx((low, high, peer.pvalue, 2))
    assert found.per_seed == pytest.approx((-0.1, 0.1, -0.4))
    assert found.sd_seeds == pytest.approx(np.std([-0.1, 0.1, -0.4], ddof=1))


def test_unpaired_runs_of_equal_numbers_are_no_sharper_than_welch():
    arm, control = [2.0, 2.5, 2.2], [2.1, 2.4, 2.6]
    found, peer = stats.unpaired_runs([(1.0, arm), (-1.0, control)]), peers.ttest_ind(arm, control, equal_var=False)
    low, high = peer.confidence_interval()
    assert found.value == pytest.approx(np.mean(arm) - np.mean(control))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.per_seed == ()


def test_a_contrast_of_four_arms_counts_each_arms_factor():
    parts = [(1.0, [1.0, 3.0]), (-1.0, [2.0, 4.0]), (-1.0, [1.0, 2.0]), (1.0, [0.0, 1.0])]
    found = stats.unpaired_runs(parts)
    assert found.value == pytest.approx(2 - 3 - 1.5 + 0.5)
    assert found.sd_seeds**2 / 2 == pytest.approx((2 + 2 + 0.5 + 0.5) / 2)


@pytest.mark.parametrize("arm", [[2.0], [0.99, 0.99, 0.99]])
def test_no_interval_where_seeds_say_nothing_of_their_spread(arm):
    control = [1.0] if len(arm) == 1 else [0.98, 0.98, 0.98]
    for found in (stats.paired_runs(arm, control), stats.unpaired_runs([(1.0, arm), (-1.0, control)])):
        assert (found.low, found.p, found.resolved, found.spread()) == (None, None, False, None)
        assert stats.seeds_needed(found) is None
    assert stats.runs_level(arm).low is None


def test_runs_level_is_a_t():
    values = [1.0, 2.0, 4.0]
    low, high = peers.ttest_1samp(values, 0.0).confidence_interval()
    found = stats.runs_level(values)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_examples_of_one_run_are_a_paired_t():
    arm, control = rng(1).standard_normal((2, 30))
    found, peer = stats.example_effect(arm, control, np.ones(30)), peers.ttest_rel(arm, control)
    low, high = peer.confidence_interval()
    assert (found.low, found.high, found.p) == pytest.approx((low, high, peer.pvalue))
    assert found.sd_seeds is None
    assert stats.equivalence(found, 9.0) is None  # nothing is known of another training
    assert stats.seeds_needed(found) is None


def test_one_example_gives_no_interval():
    assert stats.example_effect([1.0], [2.0], [1.0]).low is None
    assert stats.example_level([1.0], [1.0]).low is None


def test_clusters_weigh_by_their_examples():
    found = stats.example_effect([3.0, 10.0], [1.0, 4.0], [1.0, 3.0])
    assert found.value == pytest.approx((2 + 6) / 4)


def test_made_up_examples_of_equal_shares_are_bonett_and_price():
    """100 examples, all alike but 3: the adjusted Wald interval of paired shares, with t instead of z."""
    control = np.ones(100)
    arm = control.copy()
    arm[:3] = 0
    plain = stats.example_effect(arm, control, np.ones(100))
    steady = stats.example_effect(
        with_made_up(arm, DIFFERENCE), with_made_up(control, DIFFERENCE[::-1]), with_made_up(np.ones(100), (1, 1))
    )
    found = estimated_by(plain, steady)
    p12, p21 = 1 / 102, 4 / 102
    se = np.sqrt((p12 + p21 - (p12 - p21) ** 2) / 102 * 102 / 101)
    half = peers.t.isf(0.025, 101) * se
    assert found.value == pytest.approx(-0.03)
    assert (found.low, found.high) == pytest.approx((p12 - p21 - half, p12 - p21 + half))
    assert plain.high < found.high


def test_equal_scores_have_an_interval_of_some_width():
    ones = np.ones((3, 50))
    arms = with_made_up(ones, DIFFERENCE), with_made_up(ones, DIFFERENCE[::-1])
    found = stats.paired_effect(*arms, np.ones(52))
    assert found.low < -0.04
    assert found.high > 0.04


def test_shares_stay_within_their_bounds():
    ones = np.ones((3, 50))
    plain = stats.arm_level(ones, np.ones(50))
    found = within_bounds(plain, stats.arm_level(with_made_up(ones, LEVEL), np.ones(54)))
    assert (plain.low, plain.high) == (1.0, 1.0)
    assert found.high == 1.0
    assert 0.85 < found.low < 0.96


def test_what_is_binary():
    assert is_binary([0, 1, 1.0])
    assert not is_binary([0, 0.5])


@pytest.mark.parametrize("count", [3, 5])
def test_intervals_over_runs_cover(count):
    random, covered = rng(count), 0
    for _ in range(2000):
        own, arm, control = random.standard_normal((3, count))
        found = stats.paired_runs(own + arm, own + control)
        covered += found.low <= 0 <= found.high
    within_binomial_error(covered / 2000, 0.95, 2000)


@pytest.mark.parametrize("share", [0.02, 0.98])
def test_intervals_of_right_and_wrong_cover_near_the_ends(share):
    """Three seeds on 100 examples, of which few differ: the plain interval does not cover, the steadied one does."""
    from scipy.special import ndtri

    random, kept, plain_kept = rng(7), 0, 0
    for _ in range(2000):
        latent = random.standard_normal((2, 3, 100)) * 0.5 + random.standard_normal(100) * np.sqrt(0.75)
        control, arm = (latent < ndtri(share)).astype(float)
        plain = stats.paired_effect(arm, control, np.ones(100))
        steady = stats.paired_effect(
            with_made_up(arm, DIFFERENCE), with_made_up(control, DIFFERENCE[::-1]), np.ones(102)
        )
        kept += steady.low <= 0 <= steady.high
        plain_kept += plain.low < 0 < plain.high
    assert kept / 2000 > 0.95
    assert plain_kept < kept

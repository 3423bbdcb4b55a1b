import numpy as np
import pytest
from scipy.stats import t
from stats_fixture import REGIMES, arms, draw, rng, within_binomial_error

from diagnose import stats
from diagnose.errors import DiagnoseError
from diagnose.stats.crossed import analyse, each


def test_an_effect_worked_by_hand():
    effect = stats.paired_effect([[11, 12], [13, 16]], [[10, 10], [10, 10]], [1, 1])
    assert effect.value == 3  # differences 1, 2; 3, 6
    assert effect.per_seed == (1.5, 4.5)
    assert effect.sd_seeds == pytest.approx(2.0)  # 4 (between seeds, 9/4 x 2 = 4.5) less the rest's 1/4 x 2
    assert effect.sd_documents == pytest.approx(np.sqrt(1.5))  # 2 less 1/2
    assert effect.sd_rest == pytest.approx(1.0)
    assert effect.df == pytest.approx(9 / (2.25**2 + 1 + 0.25**2))
    half = max(12.7062 * 1.5, t.isf(0.025, effect.df) * np.sqrt(3))
    assert (effect.low, effect.high) == pytest.approx((3 - half, 3 + half), rel=1e-5)
    assert not effect.resolved


def test_an_effect_is_the_difference_of_the_arms_whatever_the_bytes():
    arm, control, size_N = arms()
    levels = [stats.arm_level(bits, size_N).value for bits in (arm, control)]
    assert stats.paired_effect(arm, control, size_N).value == pytest.approx(levels[0] - levels[1], abs=1e-12)


def test_neither_order_nor_unit_matters():
    arm, control, size_N = arms()
    seeds, documents = [2, 0, 1], rng(5).permutation(40)
    one = stats.paired_effect(arm, control, size_N)
    two = stats.paired_effect(arm[seeds][:, documents] / 9, control[seeds][:, documents] / 9, size_N[documents] / 9)
    assert (two.low, two.high, two.p, two.df) == pytest.approx((one.low, one.high, one.p, one.df))


@pytest.mark.parametrize("effect", [0.0, 0.02, -0.05, 0.3])
def test_interval_and_p_value_say_the_same(effect):
    found = stats.paired_effect(*arms(effect=effect, seeds=4))
    assert found.resolved == (found.p <= 0.05)
    assert found.spread().half_width(1 - found.p) == pytest.approx(abs(found.value))
    assert found.spread().half_width(0.95) == pytest.approx(found.high - found.value)


def test_several_comparisons_widen_the_interval_and_leave_p_alone():
    one, four = (stats.paired_effect(*arms(effect=0.1), comparisons=k) for k in (1, 4))
    assert four.low < one.low
    assert four.high > one.high
    assert four.p == one.p
    assert each(0.95, 4) ** 4 == pytest.approx(0.95)


def test_identical_arms_differ_by_nothing():
    _, control, size_N = arms()
    effect = stats.paired_effect(control, control, size_N)
    assert (effect.value, effect.low, effect.high, effect.p) == (0, 0, 0, 1)
    assert not effect.resolved
    assert (stats.seeds_needed(effect), stats.documents_needed(effect)) == (None, None)
    assert stats.equivalence(effect, 0.001) == 0


def test_a_constant_difference_is_certain():
    effect = stats.paired_effect(np.full((3, 4), 6.0), np.full((3, 4), 5.0), np.full(4, 2.0))
    assert (effect.value, effect.low, effect.high, effect.p) == (0.5, 0.5, 0.5, 0)
    assert effect.resolved


@pytest.mark.parametrize("shape", [(1, 9), (4, 1), (1, 1)])
def test_one_seed_or_one_document_gives_the_value_alone(shape):
    arm, size_N = rng().standard_normal(shape), np.full(shape[1], 3.0)
    effect = stats.paired_effect(arm, np.zeros(shape), size_N)
    assert effect.value == pytest.approx(arm.mean() / 3)
    assert (effect.low, effect.high, effect.p, effect.df, effect.sd_seeds) == (None,) * 5
    assert not effect.resolved
    assert (effect.spread(), stats.equivalence(effect, 1), stats.seeds_needed(effect)) == (None, None, None)
    level = stats.arm_level(arm, size_N)
    assert (level.value, level.low) == (pytest.approx(arm.mean() / 3), None)


def test_only_documents_with_bytes_count_as_a_spread():
    arm = rng().standard_normal((3, 3))
    assert stats.paired_effect(arm, np.zeros((3, 3)), [5, 0, 0]).low is None
    assert np.isfinite(stats.paired_effect(arm, np.zeros((3, 3)), [5, 4, 0]).high)


def test_missing_runs_and_wrong_shapes_are_refused():
    arm, control, size_N = arms()
    arm[1, :5] = np.nan
    with pytest.raises(DiagnoseError, match="the arm has no finite loss for seed 2 on 5 of 40 doc"):
        stats.paired_effect(arm, control, size_N)
    with pytest.raises(DiagnoseError, match="have 2 and 3 seeds"):
        stats.paired_effect(control[:2], control, size_N)
    with pytest.raises(DiagnoseError, match="by seed and document"):
        stats.paired_effect(control, control, size_N[:-1])
    with pytest.raises(DiagnoseError, match="above 0 in sum"):
        stats.arm_level(control, 0 * size_N)
    with pytest.raises(DiagnoseError, match=r"confidence 1\.5"):
        stats.paired_effect(control, control, size_N, confidence=1.5)


@pytest.mark.parametrize("unequal", [False, True])
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_interval_covers(seeds, regime, unequal):
    random, count = rng(seeds), 400
    bytes_XN = random.lognormal(0, 1, (count, 100)) if unequal else np.ones((count, 100))
    parts = analyse(draw(random, bytes_XN, seeds, REGIMES[regime]), bytes_XN)
    share = (abs(parts.value) <= parts.spread().half_width(0.95)).mean()
    assert share > 0.95 - 4 * np.sqrt(0.95 * 0.05 / count)
    if seeds > 2:  # with two it may be wider than need be, never narrower
        within_binomial_error(share, 0.95, count, slack=0.02)


def test_all_intervals_against_one_control_cover_together():
    random, count, own = rng(), 1000, np.array(REGIMES["seeds"]) / np.sqrt(2)
    bytes_XN = np.ones((count, 60))
    control = draw(random, bytes_XN, 3, own)
    parts = [analyse(draw(random, bytes_XN, 3, own) - control, bytes_XN) for _ in range(4)]
    alone, together = (
        np.all([abs(p.value) <= p.spread().half_width(c) for p in parts], axis=0).mean() for c in (0.95, each(0.95, 4))
    )
    within_binomial_error(together, 0.95, count, slack=0.01)
    assert alone < 0.88


def test_equal_recipes_are_seldom_called_different():
    random, count = rng(), 1000
    bytes_XN = random.lognormal(0, 0.5, (count, 60))
    one, two = (draw(random, bytes_XN, 3, (0.02, 0, 0.05)) for _ in range(2))
    parts = analyse(one - two, bytes_XN)
    within_binomial_error((abs(parts.value) > parts.spread().half_width(0.95)).mean(), 0.05, count)


def test_a_level_worked_by_hand_and_its_coverage():
    level = stats.arm_level([[2.0, 4.0], [2.0, 4.0]], [1, 1])
    assert (level.value, level.se) == (3, pytest.approx(1.0))
    random, count = rng(), 300
    bytes_XN = random.lognormal(0, 0.5, (count, 80))
    bits_XSN = 2 * bytes_XN[:, None] + draw(random, bytes_XN, 3, (0.02, 0.4, 0.05))
    found = [stats.arm_level(bits, size) for bits, size in zip(bits_XSN, bytes_XN, strict=True)]
    within_binomial_error(np.mean([i.low <= 2 <= i.high for i in found]), 0.95, count, slack=0.01)


def test_the_noise_band_by_hand():
    size_N = [2, 2]
    band = stats.noise_band({"a": [[4, 4], [8, 8]], "b": [[6, 6], [6, 6], [6, 6]]}, size_N)
    # levels 2, 4 (sum of squares 2, df 1) and 3, 3, 3 (0, df 2): pooled 2/3, two seeds an arm
    assert band == pytest.approx(t.isf(0.025, 3) * np.sqrt(2 * (2 / 3) / 2))
    assert stats.noise_band([[[4, 4], [8, 8]]], size_N, seeds=8) == pytest.approx(12.7062 * np.sqrt(0.5), rel=1e-4)
    assert stats.noise_band([[[4, 4]], [[5, 5]]], size_N) is None
    assert stats.noise_band([], size_N) is None


def test_equal_arms_fall_within_the_noise_band():
    random, count = rng(), 400
    bytes_N = random.lognormal(0, 1, 50)
    arms_XASN = draw(random, np.tile(bytes_N, (4 * count, 1)), 3, (0.02, 0, 0.1)).reshape(count, 4, 3, 50)
    level_XA = arms_XASN.sum((2, 3)) / bytes_N.sum() / 3
    inside = [
        abs(level[2] - level[3]) <= stats.noise_band(list(four[:2]), bytes_N)
        for level, four in zip(level_XA, arms_XASN, strict=True)
    ]
    within_binomial_error(np.mean(inside), 0.95, count)


def test_holm_by_hand():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([0.5, None, 0.9]) == [1.0, None, 1.0]
    assert stats.holm([None]) == [None]
    assert stats.holm([]) == []


@pytest.mark.parametrize("margin", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("effect", [0.0, 0.04, -0.1])
def test_equivalence_is_the_ninety_percent_interval_within_the_margin(margin, effect):
    found = stats.paired_effect(*arms(effect=effect, seeds=5), confidence=0.9)
    p = stats.equivalence(found, margin)
    assert 0 <= p <= 1
    assert (p <= 0.05) == (-margin < found.low and found.high < margin)
    assert stats.equivalence(found, abs(found.value)) == pytest.approx(0.5)


def test_equivalence_is_claimed_wrongly_at_most_as_often_as_said():
    random, count, margin = rng(), 400, 0.05
    bytes_N = np.ones(60)
    bits_XSN = draw(random, np.ones((count, 60)), 3, (0.005, 0.1, 0.1)) + margin
    claimed = [stats.equivalence(stats.paired_effect(b, np.zeros((3, 60)), bytes_N), margin) <= 0.05 for b in bits_XSN]
    assert np.mean(claimed) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / count)
    with pytest.raises(DiagnoseError, match="above 0 bits per byte"):
        stats.equivalence(stats.paired_effect(bits_XSN[0], bits_XSN[1], bytes_N), 0)

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import nct, norm, t, ttest_1samp, ttest_ind, ttest_rel

from diagnose import stats
from diagnose.errors import DiagnoseError
from diagnose.stats.crossed import analyse, each

REGIMES = {"seeds": (0.03, 0.05, 0.03), "documents": (0.002, 0.3, 0.2), "both": (0.01, 0.05, 0.2)}


def rng(seed=0):
    return np.random.default_rng(seed)


def draw(random, bytes_XN, seeds, regime):
    """Differences_XSN whose true ratio is zero."""
    replications, documents = bytes_XN.shape
    between, text, rest = regime
    deviation = rest * random.standard_normal((replications, seeds, documents))
    deviation += between * random.standard_normal((replications, seeds, 1))
    deviation += text * random.standard_normal((replications, 1, documents))
    return deviation * bytes_XN[:, None, :]


def arms(seeds=3, documents=40, seed=0, effect=0.0):
    random = rng(seed)
    size_N = random.integers(20, 300, documents).astype(float)
    control = 2 * size_N + draw(random, size_N[None], seeds, (0.02, 0.4, 0.05))[0]
    arm = control + effect * size_N + draw(random, size_N[None], seeds, (0.02, 0.1, 0.05))[0]
    return arm, control, size_N


def within_binomial_error(share, expected, count, slack=0.0):
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / count) + slack, share


# the crossed model


def slow_mean_squares(bits_SN, bytes_N):
    """The classical table of two-way mean squares by explicit loops, each over S N; bytes equal."""
    seeds, documents = bits_SN.shape
    x = bits_SN / bytes_N
    grand = x.sum() / (seeds * documents)
    by_seed = sum((x[s].mean() - grand) ** 2 for s in range(seeds)) * documents / (seeds - 1)
    by_document = sum((x[:, n].mean() - grand) ** 2 for n in range(documents)) * seeds / (documents - 1)
    rest = 0.0
    for s in range(seeds):
        for n in range(documents):
            rest += (x[s, n] - x[s].mean() - x[:, n].mean() + grand) ** 2
    rest /= (seeds - 1) * (documents - 1)
    return np.array([by_seed, by_document, rest]) / (seeds * documents)


def slow_jackknife(bits_SN, bytes_N):
    """The document part by leaving out each document in turn; bytes as they are."""
    value = bits_SN.mean(0).sum() / bytes_N.sum()
    documents, total = len(bytes_N), 0.0
    for n in range(documents):
        others = np.arange(documents) != n
        total += (bits_SN[:, others].mean(0).sum() / bytes_N[others].sum() - value) ** 2
    return total * (documents - 1) / documents


@pytest.mark.parametrize(("seeds", "documents"), [(2, 2), (3, 7), (5, 30)])
def test_mean_squares_agree_with_the_classical_table(seeds, documents):
    bits_SN = rng(seeds).standard_normal((seeds, documents))
    bytes_N = np.full(documents, 7.0)
    found = analyse(bits_SN, bytes_N)
    expected = slow_mean_squares(bits_SN, bytes_N)
    np.testing.assert_allclose([found.by_seed, found.by_document, found.rest], expected, rtol=1e-10)
    assert found.effective == pytest.approx(documents)


def test_documents_of_unequal_bytes_are_left_out_one_by_one():
    bytes_N = rng().lognormal(3, 1, 25)
    bits_SN = rng(1).standard_normal((4, 25)) * bytes_N
    assert analyse(bits_SN, bytes_N).by_document == pytest.approx(slow_jackknife(bits_SN, bytes_N), rel=1e-10)


def test_a_table_of_data_sets_is_analysed_as_each_is_alone():
    bytes_XN = rng().lognormal(0, 1, (5, 12))
    bits_XSN = draw(rng(1), bytes_XN, 3, REGIMES["both"])
    together = analyse(bits_XSN, bytes_XN)
    half_X = together.spread().half_width(0.9)
    for x in range(5):
        effect = stats.paired_effect(bits_XSN[x], np.zeros((3, 12)), bytes_XN[x], confidence=0.9)
        assert effect.value == pytest.approx(together.value[x])
        assert effect.high - effect.value == pytest.approx(half_X[x])


# effects


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


# noise, families, equivalence


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


# planning


def seen(value, regime, seeds=3, documents=300, **more):
    """An effect with exactly these deviations."""
    spread = regime[0] * np.array([1.0, -1.0, 0.0])[:seeds]
    parts = {"low": -9.0, "high": 9.0, "p": 0.5, "df": 2.0, "effective_documents": float(documents)}
    parts |= dict(zip(("sd_seeds", "sd_documents", "sd_rest"), regime, strict=True))
    return stats.Effect(value=value, seeds=seeds, documents=documents, per_seed=tuple(value + spread), **parts | more)


def test_power_with_endless_documents_is_that_of_a_t_test():
    found = stats.power(1.5, 1.0, 0.0, 0.0, seeds=5, documents=1e9)
    assert found == pytest.approx(nct.sf(t.isf(0.025, 4), 4, 1.5 * np.sqrt(5)), abs=0.001)


@pytest.mark.parametrize("regime", REGIMES)
def test_power_comes_true(regime):
    random, count = rng(), 2000
    bytes_XN = np.ones((count, 100))
    value = 3.5 * np.sqrt(np.square(REGIMES[regime]) @ [1 / 4, 1 / 100, 1 / 400])
    parts = analyse(draw(random, bytes_XN, 4, REGIMES[regime]) + value, bytes_XN)
    simulated = (parts.value > parts.spread().half_width(0.95)).mean()
    predicted = stats.power(value, *REGIMES[regime], seeds=4, documents=100)
    within_binomial_error(simulated, predicted, count, slack=0.01)


@pytest.mark.parametrize(("regime", "value"), [("seeds", 0.03), ("documents", 0.07), ("both", 0.015)])
@pytest.mark.parametrize("comparisons", [1, 3])
def test_seeds_needed_is_the_first_number_with_the_power(regime, value, comparisons):
    effect = seen(value, REGIMES[regime], comparisons=comparisons)
    needed = stats.seeds_needed(effect)
    found = [
        stats.power(value, *REGIMES[regime], seeds=s, documents=300, comparisons=comparisons)
        for s in range(4, needed + 3)
    ]
    assert [power >= 0.8 for power in found] == [s >= needed for s in range(4, needed + 3)]
    assert stats.seeds_needed(seen(-value, REGIMES[regime], comparisons=comparisons)) == needed


def test_where_documents_rule_only_text_helps():
    effect = seen(0.04, REGIMES["documents"])
    assert stats.seeds_needed(effect) is None
    factor = stats.documents_needed(effect)
    assert 1 < factor < 10
    power = stats.power(0.04, *REGIMES["documents"], seeds=3, documents=300 * factor)
    assert power == pytest.approx(0.8, abs=0.005)


def test_where_seeds_rule_only_seeds_help():
    effect = seen(0.02, REGIMES["seeds"])
    assert stats.documents_needed(effect) is None
    assert stats.seeds_needed(effect) > 10
    assert stats.documents_needed(effect, seeds=1000) == 1.0
    assert stats.seeds_needed(seen(0.0, REGIMES["seeds"])) is None


def test_a_resolved_effect_needs_no_more():
    effect = seen(0.3, REGIMES["seeds"], low=0.1, high=0.5)
    assert stats.seeds_needed(effect) == 3
    assert stats.documents_needed(effect) == 1.0


def test_the_smallest_resolvable_effect_has_the_power():
    regime = REGIMES["both"]
    sizes = [stats.smallest_resolvable(*regime, seeds=s, documents=300, comparisons=2) for s in (2, 3, 5, 10)]
    assert all(one > two for one, two in pairwise(sizes))
    assert stats.power(sizes[1], *regime, seeds=3, documents=300, comparisons=2) == pytest.approx(0.8, abs=1e-3)
    many = stats.smallest_resolvable(0.1, 0, 0, seeds=1000, documents=10)
    assert many == pytest.approx((norm.isf(0.025) + norm.isf(0.2)) * 0.1 / np.sqrt(1000), rel=0.01)
    assert stats.smallest_resolvable(*regime, seeds=1, documents=300) is None
    assert stats.smallest_resolvable(0, 0, 0, seeds=3, documents=300) == 0
    with pytest.raises(DiagnoseError, match="two seeds"):
        stats.power(0.1, *regime, seeds=1, documents=300)


# readings of one run


def bounds(result):
    interval = result.confidence_interval(0.95)
    return interval.low, interval.high


def test_with_equal_weights_the_intervals_are_the_textbook_ones():
    one, two = rng().standard_normal(12), rng(1).standard_normal(30) * 3
    ones = np.ones(12)
    found = stats.ratio_interval(one, ones)
    assert (found.low, found.high) == pytest.approx(bounds(ttest_1samp(one, 0)))
    assert (found.value, found.df) == pytest.approx((one.mean(), 11))
    found = stats.two_sample_interval((one, ones), (two, np.ones(30)))
    assert (found.low, found.high) == pytest.approx(bounds(ttest_ind(two, one, equal_var=False)))
    found = stats.paired_ratio_interval((one, ones), (two[:12], ones))
    assert (found.low, found.high) == pytest.approx(bounds(ttest_rel(two[:12], one)))


def test_a_ratio_worked_by_hand():
    found = stats.ratio_interval([2, 9], [1, 3])  # mean 11/4; leaving one out: 9/3 and 2/1
    assert found.value == 2.75
    assert found.se == pytest.approx(np.sqrt((0.25**2 + 0.75**2) / 2))
    assert found.df == 1


def test_what_readings_share_cancels():
    nats, weights = rng().gamma(2, 2, 50), rng(1).gamma(2, 2, 50)
    same = stats.Reading.of(nats, weights)
    nothing = stats.combination([same, same], [1.0, -1.0])
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
    parts = [stats.Reading.of(nats[a:b], weights[a:b], range(a, b)) for a, b in ((0, 20), (20, 50))]
    shares = [float(r.weights.sum() / weights.sum()) for r in parts]
    rebuilt = stats.combination([same, *parts], [1.0, *(-s for s in shares)])
    assert rebuilt.value == pytest.approx(0)
    part_alone = stats.combination([same, parts[0]], [1.0, -1.0])
    as_if_apart = stats.two_sample_interval((nats[:20], weights[:20]), (nats, weights))
    assert part_alone.value == pytest.approx(as_if_apart.value)
    assert part_alone.se < 0.85 * as_if_apart.se


def test_an_average_of_differences_is_one_combination():
    random = rng()
    weights = random.gamma(2, 2, 30)
    nats = [random.gamma(2, 2, 30) for _ in range(4)]
    readings = [stats.Reading.of(n, weights) for n in nats]
    found = stats.combination(readings, [0.5, -0.5, 0.5, -0.5])
    direct = stats.ratio_interval((nats[0] - nats[1] + nats[2] - nats[3]) / 2, weights)
    assert (found.low, found.high) == pytest.approx((direct.low, direct.high))


def test_blocks_are_documents_put_together():
    nats, weights = rng().gamma(2, 2, 10), rng(1).gamma(2, 2, 10)
    blocks = stats.in_blocks(10, 3)
    assert blocks.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    found = stats.ratio_interval(nats, weights, blocks_N=blocks)
    sums = [[x[blocks == m].sum() for m in range(3)] for x in (nats, weights)]
    direct = stats.ratio_interval(*sums)
    assert (found.low, found.high) == pytest.approx((direct.low, direct.high))
    assert stats.in_blocks(2, 5).tolist() == [0, 0]
    with pytest.raises(DiagnoseError, match="at least one"):
        stats.in_blocks(10, 0)


def test_blocks_cover_where_neighbours_are_alike():
    random, count = rng(), 300
    noise = random.standard_normal((count, 400))
    alike = np.stack([np.convolve(x, np.ones(4) / 2, "valid") for x in noise])
    ones, blocks = np.ones(alike.shape[1]), stats.in_blocks(alike.shape[1], 20)
    cover = [
        [(i := stats.ratio_interval(x, ones, blocks_N=b)).low <= 0 <= i.high for b in (None, blocks)] for x in alike
    ]
    alone, in_blocks = np.mean(cover, axis=0)
    within_binomial_error(in_blocks, 0.95, count, slack=0.03)
    assert alone < 0.8


def test_degenerate_readings():
    alone = stats.ratio_interval([3.0], [2.0])
    assert (alone.value, alone.low, alone.se) == (1.5, None, None)
    assert stats.ratio_interval([3.0, 0.1], [2.0, 0.0]).low is None
    assert stats.two_sample_interval(([3.0], [2.0]), ([1.0, 2.0], [1.0, 1.0])).high is None
    same = stats.ratio_interval([2.0, 4.0], [1.0, 2.0])
    assert (same.low, same.high) == (2, 2)
    with pytest.raises(DiagnoseError, match="1 of 2 documents have no finite loss"):
        stats.ratio_interval([np.inf, 1.0], [1.0, 1.0])
    with pytest.raises(DiagnoseError, match="weights of a reading"):
        stats.ratio_interval([1.0, 1.0], [0.0, 0.0])
    with pytest.raises(DiagnoseError, match="as many losses"):
        stats.ratio_interval([1.0, 1.0], [1.0])
    with pytest.raises(DiagnoseError, match="same documents"):
        stats.paired_ratio_interval(([1.0], [1.0]), ([1.0, 2.0], [1.0, 1.0]))
    with pytest.raises(DiagnoseError, match="a factor for each reading"):
        stats.combination([], [])


@pytest.mark.parametrize("documents", [10, 60])
@pytest.mark.parametrize("kind", ["one", "paired", "apart", "half shared"])
def test_intervals_of_readings_cover(kind, documents):
    random, count = rng(documents), 300
    cover = 0
    for _ in range(count):
        size, other_size = random.lognormal(0, 1, (2, documents))
        loss = size * random.standard_normal(documents)
        if kind == "one":
            found = stats.ratio_interval(loss, size)
        elif kind == "paired":
            again = loss + size * 0.3 * random.standard_normal(documents)
            found = stats.paired_ratio_interval((loss, size), (again, size))
        else:
            other = other_size * 2 * random.standard_normal(documents)
            ids = np.arange(documents) + (documents if kind == "apart" else documents // 2)
            readings = [stats.Reading.of(loss, size), stats.Reading.of(other, other_size, ids)]
            found = stats.combination(readings, [-1.0, 1.0])
        cover += found.low <= 0 <= found.high
    within_binomial_error(cover / count, 0.95, count, slack=0.01)


def test_importing_the_statistics_is_cheap():
    code = "import sys, diagnose.stats; assert not {'scipy', 'torch', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

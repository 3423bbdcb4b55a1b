import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind, ttest_rel
from stats_fixture import rng, within_binomial_error

from diagnose import stats
from diagnose.errors import DiagnoseError


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

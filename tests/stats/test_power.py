from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import nct, norm, t
from stats_fixture import REGIMES, draw, rng, within_binomial_error

from diagnose import stats
from diagnose.errors import DiagnoseError
from diagnose.stats.crossed import analyse


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

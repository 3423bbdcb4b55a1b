"""Effects between arms that share no seeds: worked by hand, degenerate input, measured coverage."""

import numpy as np
import pytest
from stats_fixture import REGIMES, arms, rng, within_binomial_error

from diagnose import stats
from diagnose.errors import DiagnoseError


def test_worked_by_hand():
    """Two documents alike and no document effect: Welch's test over the seeds."""
    arm = np.array([[2.0, 2.0], [4.0, 4.0], [3.0, 3.0]])
    control = np.array([[1.0, 1.0], [2.0, 2.0]])
    found = stats.unpaired_effect(arm, control, [1.0, 1.0])
    variance = 1 / 3 + 0.5 / 2
    df = min(variance**2 / ((1 / 3) ** 2 / 2 + 0.25**2 / 1), (1 / 3 + 1 / 2) ** 2 / ((1 / 3) ** 2 / 2 + (1 / 2) ** 2))
    from scipy.stats import t

    assert found.value == pytest.approx(1.5)
    assert found.high - found.value == pytest.approx(t.ppf(0.975, df) * np.sqrt(variance))
    assert found.per_seed == ()
    assert found.seeds == 2


def test_the_value_is_the_difference_of_the_arms_whatever_the_numbers_of_seeds():
    arm, control, size = arms(seeds=5)
    found = stats.unpaired_effect(arm[:3], control, size)
    assert found.value == pytest.approx(arm[:3].sum() / 3 / size.sum() - control.sum() / 5 / size.sum())


def test_one_seed_on_a_side_gives_no_interval():
    arm, control, size = arms(seeds=4)
    found = stats.unpaired_effect(arm, control[:1], size)
    assert (found.low, found.high, found.p) == (None, None, None)
    assert stats.equivalence(found, 0.1) is None
    assert found.seeds == 1


def test_other_documents_are_refused():
    arm, control, size = arms()
    with pytest.raises(DiagnoseError, match="the control needs bits by seed and document"):
        stats.unpaired_effect(arm, control[:, 1:], size)


def test_shared_seeds():
    def of(*seeds):
        return np.array(seeds)

    assert stats.shared(of(0, 1, 2), of(2, 1, 5)) == [1, 2]
    assert stats.shared(of(0), of(0)) == [0]
    assert stats.shared(of(0, 1), of(1)) == [1]
    assert stats.shared(of(0, 1), of(1, 2)) == []
    assert stats.shared(of(0, 1), of(2, 3)) == []


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("counts", [(2, 2), (3, 3), (3, 5), (5, 2)])
def test_the_interval_covers(counts, regime):
    """1,000 replications of a planted effect; both arms with their own seeds, documents shared."""
    random, count, planted = rng(3), 1000, 0.05
    between, text, rest = REGIMES[regime]
    size = random.integers(20, 300, 100).astype(float)
    held = 0
    for _ in range(count):
        common = text * random.standard_normal(len(size))
        sides = []
        for seeds, extra in zip(counts, (common + planted, 0.0), strict=True):
            own = between * random.standard_normal((seeds, 1)) + rest * random.standard_normal((seeds, len(size)))
            sides.append((2 + own + extra) * size)
        found = stats.unpaired_effect(*sides, size)
        held += found.low <= planted <= found.high
    assert held / count > 0.95 - 3 * np.sqrt(0.95 * 0.05 / count), held / count
    if regime == "seeds" and counts == (3, 3):
        within_binomial_error(held / count, 0.95, count, slack=0.02)

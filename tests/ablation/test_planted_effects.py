"""Planted effects of known size through the whole of an ablation's statistics: coverage, power, false claims.

Simulated arms with known variances of seeds and documents; 1,000 replications, three arms against a control, so that
intervals must hold together.
"""

import numpy as np
import pytest
from stats_fixture import REGIMES, rng, within_binomial_error

from diagnose import stats
from diagnose.ablation.effects import Scores
from diagnose.ablation.pairwise import against_first, all_pairs, with_seeds

COUNT, DOCUMENTS = 1000, 60
PLANTED = {"better": -0.03, "worse": 0.02, "same": 0.0}


@pytest.fixture(autouse=True)
def _without_plans(monkeypatch):
    """Leave out how many seeds would be needed, which takes most of the time and is tested elsewhere."""
    monkeypatch.setattr(stats, "seeds_needed", lambda *_, **__: None)
    monkeypatch.setattr(stats, "documents_needed", lambda _: None)


def simulated(random, regime, seeds):
    """Return the scores of a control and three arms, each with deviations of its own beside its planted effect.

    An effect against the control deviates by `regime`: so each arm's own deviations are that over the root of 2.
    """
    between, text, rest = (sd / np.sqrt(2) for sd in REGIMES[regime])
    size = random.integers(20, 300, DOCUMENTS)
    out = {}
    for level, planted in {"control": 0.0, **PLANTED}.items():
        own = between * random.standard_normal((seeds, 1)) + text * random.standard_normal(DOCUMENTS)
        own = 2 + planted + own + rest * random.standard_normal((seeds, DOCUMENTS))
        out[level] = Scores((), own * size, np.full(seeds, 100), size)
    return with_seeds(out, range(seeds))


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_hold_planted_effects_together(regime, seeds):
    random = rng(seeds)
    together = 0
    for _ in range(COUNT):
        found = against_first(simulated(random, regime, seeds), "axis")
        together += all(one.low <= PLANTED[one.level] <= one.high for one in found)
    assert together / COUNT > 0.95 - 3 * np.sqrt(0.95 * 0.05 / COUNT), together / COUNT
    assert together < COUNT  # they are not so wide that nothing could miss


def test_intervals_over_all_pairs_hold_together():
    random = rng(11)
    truth = {"control": 0.0, **PLANTED}
    together = 0
    for _ in range(COUNT):
        found = all_pairs(simulated(random, "both", 3), "axis")
        assert len(found) == 6
        together += all(one.low <= truth[one.level] - truth[one.against] <= one.high for one in found)
    assert together / COUNT > 0.95 - 3 * np.sqrt(0.95 * 0.05 / COUNT), together / COUNT


@pytest.mark.parametrize("regime", ["seeds", "both"])
def test_effects_are_resolved_as_often_as_predicted(regime):
    random, seeds = rng(5), 5
    resolved = dict.fromkeys(PLANTED, 0)
    for _ in range(COUNT):
        for one in against_first(simulated(random, regime, seeds), "axis"):
            resolved[one.level] += one.resolved and one.value * (PLANTED[one.level] or 1) > 0
    for level in ("better", "worse"):
        predicted = stats.power(PLANTED[level], *REGIMES[regime], seeds=seeds, documents=DOCUMENTS, comparisons=3)
        within_binomial_error(resolved[level] / COUNT, predicted, COUNT, slack=0.03)
    assert resolved["same"] / COUNT < 0.05


def test_no_effect_is_claimed_of_one_that_is_there_at_most_once_in_twenty():
    """The margin is the effect itself: the claim is wrong whenever it is made."""
    random, wrong = rng(6), 0
    for _ in range(COUNT):
        found = against_first(simulated(random, "documents", 3), "axis", margin=0.02)
        wrong += any(one.equivalent for one in found if one.level == "worse")
    assert wrong / COUNT < 0.05 + 3 * np.sqrt(0.95 * 0.05 / COUNT)


def test_no_effect_is_claimed_where_there_is_none_and_the_margin_is_wide():
    random = rng(7)
    found = [against_first(simulated(random, "both", 5), "axis", margin=0.5) for _ in range(20)]
    assert all(one.equivalent for some in found for one in some)

"""A few set-ups of `benchmarks/sides_coverage.py`: intervals hold the truth about as often as they say."""

import sys
from pathlib import Path

import pytest
from scipy.stats import binom

REPLICATIONS = 60
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


def test_a_true_value_that_is_missed_is_counted(monkeypatch):
    import sides_coverage

    setup = sides_coverage.few()
    rows = {"unseen": [0, 0, 0.0, 0.0], "matched": [0, 0, 0.0, 1000.0]}
    sides_coverage.count(setup, rows, range(3))
    assert rows["unseen"][0] == rows["matched"][0] == 3
    assert rows["matched"][1] == 0
    assert rows["unseen"][2] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["copies", "groups", "scalars", "always", "norm"])
def test_intervals_hold_the_truth(name):
    import sides_coverage

    setup = getattr(sides_coverage, name)()
    rows = {term: [0, 0, 0.0, value] for term, value in setup.truth().items()}
    sides_coverage.count(setup, rows, range(REPLICATIONS))
    print(f"\n{sides_coverage.table({setup.name: rows})}")
    least = binom.ppf(0.001, REPLICATIONS, 0.94)  # each of a dozen terms: one may be as rare as this
    assert all(hits >= least for times, hits, _, _ in rows.values() if times), rows
    assert sum(times for times, *_ in rows.values()) >= REPLICATIONS

"""How often two arms of equal recipe are called different, counted: a few here, 160 by `make aa`."""

import time

import numpy as np
import pytest
from aa_trained import ablation, effect, handicapped, part, verses
from scipy.stats import binom, binomtest

from diagnose import stats

NOMINAL = 0.05
MANY, SEEDS = 160, (2, 3, 5)
FEW = 6
HANDICAPPED = 150  # seeds, whose mean stands for the truth


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return verses(tmp_path_factory.mktemp("text"))


def most(count):
    """Return how many false alarms of `count` the nominal rate gives at most, 999 times in 1,000."""
    return int(binom.ppf(0.999, count, NOMINAL))


def test_a_few_equal_arms_are_seldom_called_different(text):
    found = [effect(ablation(number, 3, text), 3) for number in range(FEW)]
    assert sum(one.resolved for one in found) <= most(FEW)
    assert len({one.value for one in found}) == FEW  # other streams, other losses: nothing here is equal by design
    assert all(0 < abs(one.value) < 0.5 and one.low < one.value < one.high for one in found)


@pytest.mark.slow
def test_equal_arms_are_called_different_as_often_as_said(text):
    begun = time.monotonic()
    found = [ablation(number, max(SEEDS), text) for number in range(MANY)]
    print(f"\n{MANY} A/A ablations, {2 * MANY * max(SEEDS)} runs, {(time.monotonic() - begun) / 60:.0f} minutes")
    print("\n| seeds | false alarms | rate | 95 % of the rate | sd of the effect | median half width |")
    print("| ---: | ---: | ---: | --- | ---: | ---: |")
    for seeds in SEEDS:
        effects = [effect(one, seeds) for one in found]
        alarms = sum(one.resolved for one in effects)
        ends = binomtest(alarms, MANY).proportion_ci(method="exact")
        spread = np.std([one.value for one in effects])
        half = np.median([(one.high - one.low) / 2 for one in effects])
        print(f"| {seeds} | {alarms} of {MANY} | {alarms / MANY:.3f} | {ends.low:.3f} to {ends.high:.3f} "
              f"| {spread:.4f} | {half:.4f} |")  # fmt: skip
        assert alarms <= most(MANY)


@pytest.mark.slow
def test_a_known_handicap_lies_within_the_intervals(text):
    """A narrower network: what few seeds say against the mean of 150, on the same documents.

    It is resolved as often as the deviations of the 150 predict.
    """
    found = handicapped(HANDICAPPED, text)
    whole = part(found, 0, HANDICAPPED)
    deviations = [getattr(whole, name) for name in ("sd_seeds", "sd_documents", "sd_rest")]
    print(f"\nthe handicap: {whole.value:+.5f} bits per byte, between seeds {deviations[0]:.5f}")
    print("deciles over seeds:", np.quantile(whole.per_seed, np.linspace(0, 1, 11)).round(5))
    print(
        "\n| seeds | ablations | intervals that hold it | resolved | predicted |\n| ---: | ---: | ---: | ---: | ---: |"
    )
    for seeds in SEEDS:
        few = [part(found, first, seeds) for first in range(0, HANDICAPPED - seeds + 1, seeds)]
        held = sum(one.low <= whole.value <= one.high for one in few)
        resolved = sum(one.resolved and one.value > 0 for one in few)
        predicted = stats.power(whole.value, *deviations, seeds=seeds, documents=whole.documents)
        print(f"| {seeds} | {len(few)} | {held / len(few):.3f} | {resolved / len(few):.3f} | {predicted:.3f} |")
        assert held >= binom.ppf(0.001, len(few), 1 - NOMINAL)
        assert binom.ppf(0.001, len(few), predicted) <= resolved <= binom.ppf(0.999, len(few), predicted)

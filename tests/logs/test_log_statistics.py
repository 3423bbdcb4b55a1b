"""What is said of a gap along a run: values by hand, false alarms measured, nothing said of too few prints."""

import math

import numpy as np
import pytest

from diagnose.logs import statistics


def noise(rng, count, n, r):
    out = rng.standard_normal((count, n))
    for k in range(1, n):
        out[:, k] = r * out[:, k - 1] + math.sqrt(1 - r * r) * out[:, k]
    return out


@pytest.mark.parametrize(("n", "r"), [(3, 0.0), (6, 0.5), (12, 0.3), (30, 0.0), (60, 0.6)])
def test_noise_without_a_gap_raises_few_false_alarms(n, r):
    """Nominal 5 %: 600 series, so that 0.08 is 3.4 standard errors above; the whole table is in the benchmark."""
    at = np.arange(float(n))
    found = [statistics.gap(at, values) for values in noise(np.random.default_rng([n, 5]), 600, n, r)]
    assert np.mean([gap.whole.resolved for gap in found]) <= 0.085
    assert np.mean([gap.sign.resolved for gap in found]) <= 0.085


def test_a_gap_is_found_where_there_is_one():
    at = np.arange(40.0)
    found = [statistics.gap(at, v) for v in 2 + noise(np.random.default_rng(1), 100, 40, 0.3)]
    assert np.mean([gap.whole.resolved and gap.sign.resolved for gap in found]) > 0.95
    assert np.mean([gap.whole.low <= 2 <= gap.whole.high for gap in found]) > 0.85


def test_three_prints_of_one_sign_are_half_of_what_chance_gives_twice():
    sign = statistics.sign(np.array([-0.128, -0.162, -0.110]))
    assert (sign.below, sign.above, sign.p) == (3, 0, pytest.approx(0.25))
    assert not sign.resolved
    mean = statistics.mean(np.array([-0.128, -0.162, -0.110]))
    half = 7.73 * np.std([-0.128, -0.162, -0.110], ddof=1) / math.sqrt(3)
    assert (mean.value, mean.high - mean.value) == (pytest.approx(-0.4 / 3), pytest.approx(half))
    assert mean.alike_assumed


def test_one_print_has_no_interval():
    mean = statistics.mean(np.array([0.3]))
    assert (mean.low, mean.high, mean.resolved) == (None, None, False)
    assert statistics.fall(np.array([1.0]), np.array([2.0])) is None
    assert statistics.noise(np.array([1.0, 2.0])) is None


def test_values_that_are_all_alike_give_no_warning():
    gap = statistics.gap(np.arange(30.0), np.full(30, 0.25))
    assert gap.whole.value == 0.25
    assert statistics.gap(np.arange(30.0), np.zeros(30)).sign.p == 1.0


COURSES = [(0.0, 1.0, "widens"), (1.0, 0.2, "narrows"), (-0.5, 0.5, "crosses"), (0.3, 0.3, "holds")]


@pytest.mark.parametrize(("start", "end", "moves"), COURSES)
def test_a_gap_narrows_crosses_or_widens(start, end, moves):
    values = np.linspace(start, end, 40) + 0.02 * np.random.default_rng(3).standard_normal(40)
    assert statistics.gap(np.arange(40.0), values).moves == moves


def test_noise_is_measured_about_a_course_and_running_means_are_told():
    rng = np.random.default_rng(2)
    course = 4 * np.exp(-np.arange(400) / 60)
    values = course + 0.05 * rng.standard_normal(400)
    assert statistics.noise(values) == pytest.approx(0.05, rel=0.2)
    assert statistics.smoothed(values) is False
    smooth, level = [], 0.0
    for step in rng.standard_normal(400):
        level = 0.95 * level + 0.05 * step
        smooth.append(level)
    assert statistics.smoothed(course + np.array(smooth)) is True


def test_a_fall_is_bounded():
    at = np.arange(0, 4000, 100.0)
    values = 3 - 0.0001 * at + 0.001 * np.random.default_rng(4).standard_normal(40)
    found = statistics.fall(at, values)
    assert found.per_print == pytest.approx(0.01, rel=0.05)
    assert 0.01 < found.most < 0.011
    assert statistics.fall(at[:2], values[:2]).most is None

"""What benchmarks conclude from what they timed."""

import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("throughput", Path(__file__).parents[1] / "benchmarks" / "throughput.py")
throughput = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(throughput)


def test_a_step_takes_the_median_between_ends_without_the_first_steps():
    assert throughput.step_seconds([9.0, 10.0, 11.0, 12.0, 20.0, 21.0]) == pytest.approx(1.0)


def test_the_ratio_is_of_rounds_side_by_side():
    assert throughput.speed([1.0, 10.0, 2.0], [2.0, 20.0, 5.0]) == "2.00 times (2.00 to 2.50)"


def test_rounds_that_disagree_give_no_ratio():
    said = throughput.speed([1.0, 1.0, 1.0], [1.0, 1.0, 1.6])
    assert said == "no ratio: rounds disagree by a factor of 1.6; the machine is busy, try again"

"""What planned seeds can resolve, from runs at hand: which are taken, the figure, and what is said without any."""

import numpy as np
import pytest

from diagnose import stats
from diagnose.ablation import axes, noise_floor, plan
from diagnose.ablation.design import design
from diagnose.runs import run_tables


@pytest.fixture(scope="module")
def small(tiny):
    return {**tiny, "model.layers": 1, "budget.steps": 6}


@pytest.fixture(scope="module")
def at_hand(small, tmp_path_factory, quick_probes):
    """Three seeds of a recipe, two of one that is further from what is planned, one of another text's split."""
    from diagnose.runs.runner import train

    root = tmp_path_factory.mktemp("runs")
    for seed in (0, 1, 2):
        train("quick", small | {"run.seed": seed}, runs=root)
    for seed in (0, 1):
        train("quick", small | {"run.seed": seed, "optimizer.lr": 1e-4, "optimizer.clip": 0.5}, runs=root)
        train("quick", small | {"run.seed": seed, "data.split_seed": 1}, runs=root)
    return root


def planned(small, seeds=3, axis="activation"):
    return design([axes.find(axis)], "quick", small, seeds, None)


def test_the_nearest_runs_of_the_same_text_are_taken_and_named(at_hand, small):
    found = noise_floor.floor(planned(small), at_hand)
    assert len(found.runs) == 3
    assert found.differ == ("model.activation",)  # the recipe's is gelu, the planned control is relu
    tables = [run_tables.read_table(at_hand / name, "validation") for name in found.runs]
    levels = [table.nats.sum() / np.log(2) / table["bytes"].sum() for table in tables]
    assert found.sd_seeds <= np.std(levels, ddof=1) * 1.001  # without what documents add to it
    said = noise_floor.sentences(found, 3)
    assert found.runs[0] in said[1]
    assert "model.activation" in said[1]
    assert "rough guess" not in said[1]
    assert "a rough guess" in noise_floor.sentences(found.model_copy(update={"differ": tuple("abc")}), 3)[1]
    assert "four times in five, as far as chance between seeds goes" in said[0]


def test_the_figure_has_the_power_that_it_promises(at_hand, small):
    found = noise_floor.floor(planned(small, axis="optimizer.lr=2e-3,1e-3,3e-3"), at_hand)
    assert found.comparisons == 2
    few, many = found.by_seeds["3"], found.by_seeds["10"]
    assert few == found.bits_per_byte > many > 0
    between = 2**0.5 * found.sd_seeds
    power = stats.power(few, between, 0.0, 0.0, seeds=3, documents=found.documents, comparisons=2)
    assert power >= 0.79  # what a seed does to single documents is left out here


def test_one_seed_resolves_nothing(at_hand, small):
    found = noise_floor.floor(planned(small, seeds=1), at_hand)
    assert found.bits_per_byte is None
    assert noise_floor.sentences(found, 1)[0].startswith("One seed resolves nothing")


def test_without_runs_that_is_said(small, tmp_path):
    described = plan.describe(planned(small), runs=tmp_path / "nowhere")
    assert described.resolvable is None
    (said,) = noise_floor.sentences(None, 3)
    assert "can resolve is not known yet" in said


def test_damaged_and_unfinished_runs_are_passed_over(at_hand, small, tmp_path):
    broken = tmp_path / "runs" / "20000101-000000-x-s0-aaaa"
    broken.mkdir(parents=True)
    (broken / "status.json").write_text('{"format": 1, "state": "finished"}')
    assert noise_floor.floor(planned(small), tmp_path / "runs") is None

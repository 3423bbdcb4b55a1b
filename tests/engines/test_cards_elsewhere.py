"""Runs for GPUs that only the nodes of a cluster have, planned on a machine without one."""

import json

import pytest
import torch
from pretend_cuda import pretended

from diagnose.ablation import axes, plan
from diagnose.ablation.design import design
from diagnose.ablation.lr_tuning import trial
from diagnose.engines import job, slurm_cluster, slurm_commands
from diagnose.engines.resources import Resources
from diagnose.engines.selection import Place
from diagnose.errors import DiagnoseError

SMALL = {"run.device": None, "model.layers": 1, "model.width": 16, "budget.steps": 4, "batches.context": 16}
pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")


@pytest.fixture
def slurm(monkeypatch):
    """Return a place on Slurm for each request; no Slurm is needed to plan."""
    monkeypatch.setattr(slurm_cluster, "check", lambda _: None)
    monkeypatch.setattr(slurm_commands, "time_limit", lambda *_: 3600.0)
    return lambda **takes: Place("slurm", takes=Resources(**takes))


def planned(place, tiny, tmp_path, **more):
    with place.devices():
        return design(axes.find_all(["activation"], None, None), "quick", tiny | SMALL | more, 2, None, threads=1)


def jobs_of(found, runs):
    return [
        job.Job.of(arm.level, seed, arm.setups[seed], (), runs, resume=False) for arm in found.arms for seed in (0, 1)
    ]


def test_nodes_with_a_card_come_to_the_very_runs_that_were_planned(slurm, tiny, tmp_path):
    found = planned(slurm(gpus=1), tiny, tmp_path)
    recipe = found.arms[0].first.recipe
    assert (recipe.run.device, recipe.run.precision) == ("cuda", "bf16")
    assert found.arms[0].first.course.layout.tokens.device.type == "cpu"
    (first, *_) = jobs_of(found, tmp_path)
    assert first.on_gpu
    there = job.Job.of_record(json.loads(json.dumps(first.record())))
    with pretended():
        assert job._set_up(there).digest == found.arms[0].first.digest
    with pytest.raises(DiagnoseError, match="this machine has none that torch can use"):
        job._set_up(there)


def test_the_plan_says_what_sbatch_is_asked_for_and_no_time_that_it_cannot_know(slurm, tiny, tmp_path):
    place = slurm(gpus=1, partition="gpu")
    found = plan.describe(planned(place, tiny, tmp_path), place, tmp_path / "runs")
    assert found.sbatch["gres"] == "gpu:1"
    assert found.seconds is None
    assert [arm.seconds_per_run for arm in found.arms] == [None, None]
    assert "minutes" not in str(plan.plan_rows(found).renderables[0])


@pytest.mark.parametrize(
    ("takes", "more", "device"),
    [
        ({}, {}, "cpu"),
        ({"gpus": 0}, {}, "cpu"),
        ({}, {"run.device": "cuda"}, "cuda"),
        ({"gpus": 1}, {"run.device": "cpu"}, "cpu"),
    ],
)
def test_whose_device_a_run_is_for(slurm, tiny, tmp_path, takes, more, device):
    found = planned(slurm(**takes), tiny, tmp_path, **more)
    assert {arm.first.recipe.run.device for arm in found.arms} == {device}


def test_a_gpu_that_a_run_would_leave_idle_is_refused(slurm, tiny, tmp_path):
    place = slurm(gpus=1)
    found = planned(place, tiny, tmp_path, **{"run.device": "cpu"})
    with pytest.raises(DiagnoseError, match=r"--gpus-per-task 1: the runs are set up for the CPU \(run.device\)"):
        place.shown(jobs_of(found, tmp_path))


def test_on_this_machine_a_card_that_is_not_there_is_refused(tiny, tmp_path):
    with pytest.raises(DiagnoseError, match="this machine has none that torch can use"):
        planned(Place(), tiny, tmp_path, **{"run.device": "cuda"})


def test_learning_rates_are_not_tried_on_a_card_that_is_not_here(slurm, tiny, tmp_path):
    found = planned(slurm(gpus=1), tiny, tmp_path)
    with pytest.raises(DiagnoseError, match="are tried where the command is given, and this machine has no GPU"):
        trial(found.arms[0].first)

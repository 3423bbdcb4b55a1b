"""Runs and ablations in the real trackers, offline, read back with the tracker's own reader or ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from diagnose.cli import app
from diagnose.integrations import trackers
from diagnose.report import summary

pytestmark = [pytest.mark.trains, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def ablation(tmp_path_factory, tiny):
    from diagnose import ablate

    keys = tiny | {"budget.steps": 4}
    return ablate("activation", overrides=keys, seeds=2, runs=tmp_path_factory.mktemp("tracked") / "runs")


def sent(tracker, folder, where):
    """Send a folder by the command, in a folder of its own, and return what was printed on both streams."""
    before = Path.cwd()
    os.chdir(where)
    try:
        shown = CliRunner().invoke(app, ["report", str(folder), "--report-to", tracker])
    finally:
        os.chdir(before)
    assert shown.exit_code == 0, shown.output
    return shown.output


def losses(ablation):
    """Return each run's matched validation losses by step, by the name that it has in a tracker."""
    runs = summary.read_ablation(ablation).runs
    return {f"{run.level} seed {run.seed}": {one.step: one.loss for one in run.select("probe", "val")} for run in runs}


def test_tensorboard_has_a_run_for_each_arm_and_seed(ablation, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    sent("tensorboard", ablation, tmp_path)
    for name, known in losses(ablation).items():
        read = events.EventAccumulator(str(tmp_path / "tensorboard" / ablation.name / name.replace(" ", "-"))).Reload()
        assert {one.step: one.value for one in read.Scalars("val/loss")} == pytest.approx(known)
        assert read.Scalars("val/bits_per_byte")
    whole = events.EventAccumulator(str(tmp_path / "tensorboard" / ablation.name)).Reload()
    assert "effect/gelu" in whole.Tags()["scalars"]


def test_mlflow_nests_the_runs_under_the_ablation_and_keeps_the_page(ablation, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path}/mlruns")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(None)
    sent("mlflow", ablation, tmp_path)
    client = mlflow.MlflowClient()
    found = {
        run.info.run_name: run for run in client.search_runs([client.get_experiment_by_name("diagnose").experiment_id])
    }
    known = losses(ablation)
    assert set(found) == {ablation.name, *known}
    for name, values in known.items():
        history = client.get_metric_history(found[name].info.run_id, "val/loss")
        assert {one.step: one.value for one in history} == pytest.approx(values)
        assert found[name].data.params["arm"] == name.split()[0]
        assert found[name].data.tags["mlflow.parentRunId"] == found[ablation.name].info.run_id
    assert [one.path for one in client.list_artifacts(found[ablation.name].info.run_id)] == [f"{ablation.name}.html"]
    assert found[ablation.name].data.metrics["effect/gelu"] == summary.read_ablation(ablation).summary.effects[0].value


def test_wandb_offline_holds_what_the_runs_read(ablation, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    from diagnose.logs.pairs import pairs
    from diagnose.logs.read import read

    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    sent("wandb", ablation, tmp_path)
    for name, known in losses(ablation).items():
        assert pairs(read([tmp_path / "wandb"], run=name), {}).val_N.tolist() == pytest.approx(list(known.values()))
    assert len(list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))) == 1 + len(losses(ablation))


def test_a_single_run_carries_its_own_page(ablation, tmp_path, monkeypatch):
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "here"))
    run = ablation.parent / summary.read_ablation(ablation).runs[0].name
    sent("tensorboard", run, tmp_path)
    assert [path.name for path in (tmp_path / "here").iterdir()] == [run.name]


def test_what_a_tracker_refuses_is_said_and_ends_nothing(ablation, tmp_path, monkeypatch, capfd):
    def refuse(*_):
        raise RuntimeError("no\nroute to host")

    monkeypatch.setitem(trackers._SENDERS, "tensorboard", refuse)
    said = sent("tensorboard", ablation, tmp_path) + capfd.readouterr().err
    assert f"tensorboard did not take it (no route to host); `diagnose report {ablation} --report-to" in said


@pytest.mark.parametrize(("tracker", "said"), [("wandbb", "did you mean 'wandb'?"), ("mlflow", "pip install mlflow")])
def test_a_tracker_that_cannot_take_it_is_refused_before_training(tracker, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trackers, "find_spec", lambda _: None)
    shown = CliRunner().invoke(app, ["train", "--report-to", tracker])
    assert said in str(shown.exception)
    assert not list(tmp_path.iterdir())

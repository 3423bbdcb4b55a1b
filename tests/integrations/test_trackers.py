"""Runs and ablations in the real trackers, offline, read back with the tracker's own reader or ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tracker_fixture import assert_holds
from typer.testing import CliRunner

from diagnose.cli import app
from diagnose.integrations import trackers
from diagnose.report import summary
from diagnose.runs.watched import Progress

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


class Refusing:
    """A tracker that takes so many runs and logs, and then no more."""

    def __init__(self, takes):
        self.takes, self.calls, self.ended = takes, [], []

    def __call__(self, *_):
        self._count("begin")
        return self

    def _count(self, what):
        self.calls.append(what)
        if len(self.calls) > self.takes:
            raise RuntimeError("no\nroute to host")

    def log(self, step, _):
        self._count(step)

    def close(self, _):
        self._count("close")
        self.ended.append("well")

    def abandon(self):
        self.ended.append("abandoned")


def test_what_a_tracker_refuses_is_said_and_ends_nothing(ablation, tmp_path, monkeypatch, capfd):
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", Refusing(0))
    said = sent("tensorboard", ablation, tmp_path) + capfd.readouterr().err
    assert f"tensorboard did not take it (no route to host); `diagnose report {ablation} --report-to" in said


@pytest.mark.parametrize(("tracker", "said"), [("wandbb", "did you mean 'wandb'?"), ("mlflow", "pip install mlflow")])
def test_a_tracker_that_cannot_take_it_is_refused_before_training(tracker, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trackers, "find_spec", lambda _: None)
    shown = CliRunner().invoke(app, ["train", "--report-to", tracker])
    assert said in str(shown.exception)
    assert not list(tmp_path.iterdir())


def trained(tmp_path, tiny, tracker, *more):
    """Train by the command, in a folder of its own, and return what was printed and the run's folder."""
    keys = {**tiny, "budget.steps": 6, "report.interval": 2}
    given = [word for key, value in keys.items() for word in ("--set", f"{key}={str(value).lower()}")]
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        shown = CliRunner().invoke(app, ["train", *given, "--quiet", "--report-to", tracker, *more])
    finally:
        os.chdir(before)
    return shown, next((path for path in (tmp_path / "runs").glob("*-s0-*")), None)


def test_a_tracker_is_told_while_a_run_trains(tmp_path, tiny, monkeypatch):
    begun = []

    class Noting(Refusing):
        def __call__(self, run, parent=None):
            run_folder = tmp_path / "runs" / run.name
            begun.append((run_folder / "status.json").read_text())
            return super().__call__(run, parent)

    tracker = Noting(1000)
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", tracker)
    shown, _ = trained(tmp_path, tiny, "tensorboard")
    assert shown.exit_code == 0, shown.output
    assert ["running" in status for status in begun] == [True]
    steps = [call for call in tracker.calls if isinstance(call, int)]
    assert steps == sorted(steps)
    assert {2, 4, 6} <= set(steps)
    assert tracker.calls[-1] == "close"
    assert tracker.ended == ["well"]


@pytest.mark.parametrize("takes", [0, 1, 3])
def test_a_tracker_that_refuses_on_the_way_ends_no_training(takes, tmp_path, tiny, monkeypatch, capfd):
    tracker = Refusing(takes)
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", tracker)
    shown, run = trained(tmp_path, tiny, "tensorboard")
    assert shown.exit_code == 0, shown.output
    assert '"finished"' in (run / "status.json").read_text()
    assert (shown.output + capfd.readouterr().err).count("tensorboard did not take it (no route to host)") == 1
    assert tracker.ended == (["abandoned"] if takes else [])


def test_a_run_that_is_stopped_is_abandoned_in_its_tracker(tmp_path, tiny, monkeypatch):
    class Stopping(Refusing):
        def log(self, step, _):
            if step >= 4:
                raise KeyboardInterrupt

    tracker = Stopping(1000)
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", tracker)
    shown, run = trained(tmp_path, tiny, "tensorboard")
    assert "stopped" in str(shown.exception)
    assert '"interrupted"' in (run / "status.json").read_text()
    assert tracker.ended == ["abandoned"]


def test_a_run_that_goes_on_is_sent_from_its_first_step(tmp_path):
    tracker = Refusing(1000)
    live = trackers.Tracking("tensorboard", tmp_path, print)
    live.open["r"] = trackers._Open(tracker)
    rows = [{"step": step, "kind": kind, "split": "val", "loss": 1.0} for step in (4, 2) for kind in ("reported", "x")]
    live.watch(Progress("r", "", 0, 4, 6, 1.0, 1.0, None, "going on", rows))
    live.watch(Progress("r", "", 0, 5, 6, 1.0, 1.0, None))
    assert tracker.calls == [2, 4]


def ablated(tmp_path, tiny, tracker, *more):
    """Ablate by the command, in a folder of its own, and return what was printed and the ablation's folder."""
    keys = {**tiny, "budget.steps": 6, "report.interval": 2}
    given = [word for key, value in keys.items() for word in ("--set", f"{key}={str(value).lower()}")]
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        command = ["ablate", "--axis", "activation", "--seeds", "2", *given, "--quiet", "--report-to", tracker, *more]
        shown = CliRunner().invoke(app, command)
    finally:
        os.chdir(before)
    return shown, next((path for path in (tmp_path / "runs").glob("*-ablate-*")), None)


class Noted:
    """A tracker that notes what each run is told, and what was in the folder of runs then."""

    def __init__(self, runs):
        self.runs, self.told, self.parents, self.unfinished = runs, {}, {}, set()

    def __call__(self, run, parent=None):
        self.told[run.name], self.parents[run.name] = [], parent
        return NotedRun(self, run.name)


class NotedRun:
    """One run of `Noted`."""

    def __init__(self, tracker, name):
        self.tracker, self.name = tracker, name

    def log(self, step, losses):
        self.tracker.told[self.name].append((step, *losses))
        if not list(self.tracker.runs.glob("*-ablate-*")):
            self.tracker.unfinished.add(self.name)

    def close(self, _):
        self.tracker.told[self.name].append("closed")

    def abandon(self):
        self.tracker.told[self.name].append("abandoned")


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.usefixtures("forked_workers")
def test_a_tracker_is_told_while_arms_train(jobs, tmp_path, tiny, monkeypatch):
    tracker = Noted(tmp_path / "runs")
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", tracker)
    shown, folder = ablated(tmp_path, tiny, "tensorboard", "--jobs", jobs)
    assert shown.exit_code == 0, shown.output
    arms = [f"{arm} seed {seed}" for seed in (0, 1) for arm in ("relu", "gelu")]
    (whole,) = [name for name in tracker.told if name not in arms]
    assert whole.startswith("ablate-activation-")
    assert tracker.told[whole] == ["closed"]
    assert tracker.unfinished == set(arms)  # each was told of something before the ablation had its folder
    for name in arms:
        assert tracker.parents[name].name == whole
        *steps, last = tracker.told[name]
        assert last == "closed"
        known = next(part.curve for part in trackers._ended(folder, None, "").parts if part.name == name)
        assert sorted((step, one) for step, *names in steps for one in names) == sorted(
            (step, one) for step, losses in known.items() for one in losses
        )


def test_a_run_that_is_told_of_when_it_has_ended_is_sent_whole_then(ablation, monkeypatch):
    tracker = Noted(ablation.parent)
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", tracker)
    live = trackers.Tracking("tensorboard", ablation.parent, print, "activation")
    run = next(one for one in summary.read_ablation(ablation).runs if one.level == "gelu" and one.seed == 1)
    for doing in ("training", "finished", "finished"):
        live.watch(Progress(run.name, "gelu", 1, 4, 4, 1.0, 1.0, None, doing))
    assert tracker.told["gelu seed 1"][-1] == "closed"
    assert len(tracker.told["gelu seed 1"]) == 1 + len(trackers._tracked(ablation.parent, run).curve)
    assert len(tracker.told) == 2  # it, and the one for the whole
    live.finish(ablation, None, "")
    assert [told.count("closed") for told in tracker.told.values()] == [1] * 5


def test_runs_have_the_names_of_their_own_seeds(tmp_path, tiny, monkeypatch):
    tracker = Noted(tmp_path / "runs")
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", tracker)
    shown, folder = ablated(tmp_path, tiny, "tensorboard", "--seed", "5")
    assert shown.exit_code == 0, shown.output
    arms = {f"{arm} seed {seed}" for arm in ("relu", "gelu") for seed in (5, 6)}
    assert {name for name in tracker.told if not name.startswith("ablate-")} == arms
    assert {part.name for part in trackers._ended(folder, None, "").parts} == arms


def test_runs_that_are_reused_are_sent_whole(tmp_path, tiny, monkeypatch):
    assert ablated(tmp_path, tiny, "tensorboard")[0].exit_code == 0
    tracker = Noted(tmp_path / "none")
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", tracker)
    shown, _ = ablated(tmp_path, tiny, "tensorboard")
    assert shown.exit_code == 0, shown.output
    assert [told[-1] for told in tracker.told.values()] == ["closed"] * 5


def test_an_ablation_goes_on_where_its_tracker_refuses(tmp_path, tiny, monkeypatch, capfd):
    tracker = Refusing(4)
    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", tracker)
    shown, folder = ablated(tmp_path, tiny, "tensorboard")
    assert shown.exit_code == 0, shown.output
    assert (folder / "summary.json").exists()
    said = shown.output + capfd.readouterr().err
    assert said.count("tensorboard did not take it (no route to host); `diagnose report runs/NAME") == 1
    assert "once the ablation has ended" in said
    assert tracker.ended == ["abandoned", "abandoned"]  # the arm's run, and the one for the whole


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow", "wandb"])
@pytest.mark.usefixtures("offline", "forked_workers")
def test_a_live_ablation_holds_what_it_would_have_been_sent(tracker, jobs, tmp_path, tiny):
    pytest.importorskip(tracker)
    shown, folder = ablated(tmp_path, tiny, tracker, "--jobs", jobs)
    assert shown.exit_code == 0, shown.output
    assert "did not take it" not in shown.output
    assert_holds(tracker, tmp_path, folder)


@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow", "wandb"])
@pytest.mark.usefixtures("offline")
def test_a_live_run_holds_what_it_would_have_been_sent(tracker, tmp_path, tiny):
    pytest.importorskip(tracker)
    shown, run = trained(tmp_path, tiny, tracker)
    assert shown.exit_code == 0, shown.output
    known = trackers._ended(run, None, "").curve
    assert len(known) >= 3
    found = {"tensorboard": by_tensorboard, "mlflow": by_mlflow, "wandb": by_wandb}[tracker](tmp_path, run)
    for name in ("val/loss", "val/loss_reported"):
        expected = {step: losses[name] for step, losses in known.items() if name in losses}
        assert found(name) == pytest.approx(expected)


def by_tensorboard(place, run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(place / "tensorboard" / run.name)).Reload()
    return lambda name: {one.step: one.value for one in read.Scalars(name)}


def by_mlflow(place, run):
    import mlflow

    mlflow.set_tracking_uri(f"file:{place}/mlruns")
    client = mlflow.MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("diagnose").experiment_id])
    assert found.info.status == "FINISHED"
    assert [one.path for one in client.list_artifacts(found.info.run_id)] == [f"{run.name}.html"]
    return lambda name: {one.step: one.value for one in client.get_metric_history(found.info.run_id, name)}


def by_wandb(place, run):
    from diagnose.logs.read import read
    from diagnose.logs.series import STEP, VALUE

    series = read([place / "wandb"], run=run.name).series
    return lambda name: {int(row[STEP]): row[VALUE] for row in series[name].table()}

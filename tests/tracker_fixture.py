"""What tests of trackers share: what each holds of an ablation, by its own reader or ours."""

import pytest

from diagnose.integrations import trackers


def assert_holds(tracker, place, folder):
    """A tracker that wrote below a folder has the curve of every arm and seed of an ablation of activations."""
    found = {"tensorboard": arms_by_tensorboard, "mlflow": arms_by_mlflow, "wandb": arms_by_wandb}[tracker](place)
    parts = trackers._ended(folder, None, "").parts
    assert set(found) == {part.name for part in parts}
    for part in parts:
        expected = {step: losses["val/loss"] for step, losses in part.curve.items() if "val/loss" in losses}
        assert len(expected) >= 2
        assert found[part.name] == pytest.approx(expected)


def arms_by_tensorboard(place):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (whole,) = (place / "tensorboard").iterdir()
    assert "effect/gelu" in EventAccumulator(str(whole)).Reload().Tags()["scalars"]
    reads = {path.name: EventAccumulator(str(path)).Reload() for path in whole.iterdir() if path.is_dir()}
    return {
        name.replace("-", " "): {one.step: one.value for one in read.Scalars("val/loss")}
        for name, read in reads.items()
    }


def arms_by_mlflow(place):
    import mlflow

    mlflow.set_tracking_uri(f"file:{place}/mlruns")
    client = mlflow.MlflowClient()
    found = {
        run.info.run_name: run for run in client.search_runs([client.get_experiment_by_name("diagnose").experiment_id])
    }
    (whole,) = [name for name in found if name.startswith("ablate-activation-")]
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert [one.path.endswith(".html") for one in client.list_artifacts(found[whole].info.run_id)] == [True]
    assert found[whole].data.metrics["effect/gelu"]
    parts = {name: run for name, run in found.items() if name != whole}
    assert {run.data.tags["mlflow.parentRunId"] for run in parts.values()} == {found[whole].info.run_id}
    return {
        name: {one.step: one.value for one in client.get_metric_history(run.info.run_id, "val/loss")}
        for name, run in parts.items()
    }


def arms_by_wandb(place):
    from diagnose.logs.read import read
    from diagnose.logs.series import STEP, VALUE

    assert len(list((place / "wandb").glob("offline-run-*/*.wandb"))) == 5
    tables = {
        name: read([place / "wandb"], run=name).series["val/loss"].table()
        for name in (f"{arm} seed {seed}" for arm in ("relu", "gelu") for seed in (0, 1))
    }
    return {name: {int(row[STEP]): row[VALUE] for row in table} for name, table in tables.items()}

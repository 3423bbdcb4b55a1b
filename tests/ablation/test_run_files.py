"""Folders with a file a run: JSON with settings and scores, Ray Tune's trials, a CSV of each run's course."""

import json

import pandas as pd
import pytest
from scipy import stats

LOSSES = {"0.001": (0.51, 0.53, 0.50), "0.01": (0.45, 0.49, 0.43)}
RIGHT = stats.ttest_rel(LOSSES["0.01"], LOSSES["0.001"]).confidence_interval()
RUNS = [(lr, seed, loss) for lr, losses in LOSSES.items() for seed, loss in enumerate(losses)]


def ray(folder):
    for k, (lr, seed, loss) in enumerate(RUNS):
        trial = folder / f"train_ab{k}_0000{k}_{k}_lr={float(lr):.4f},seed={seed}_2026-01-01_10-00-00"
        trial.mkdir(parents=True)
        config = {"lr": float(lr), "seed": seed, "hidden": 64}
        (trial / "params.json").write_text(json.dumps(config))
        rows = [{"val_loss": loss + 2 - i, "training_iteration": i, "pid": k, "config": config} for i in (1, 2)]
        (trial / "result.json").write_text("\n".join(map(json.dumps, rows)))


def settings_inside(folder):
    folder.mkdir()
    for lr, seed, loss in RUNS:
        content = {"config": {"lr": float(lr), "seed": seed}, "losses": [3, 2, 1], "val_loss": loss}
        (folder / f"lr{lr}_seed{seed}.json").write_text(json.dumps(content))


def settings_beside(folder):
    for k, (lr, seed, loss) in enumerate(RUNS):
        run = folder / f"run{k}"
        run.mkdir(parents=True)
        (run / "config.json").write_text(json.dumps({"optimizer": {"lr": float(lr)}, "seed": seed}))
        (run / "metrics.json").write_text(json.dumps({"val_loss": loss}))


def courses(folder):
    for lr, seed, loss in RUNS:
        run = folder / f"lr{lr}".replace(".", "_") / f"version_{seed}"
        run.mkdir(parents=True)
        pd.DataFrame(
            {"epoch": [0, 0, 1, 1], "train_loss": [3, None, 2, None], "val_loss": [None, 2, None, loss]}
        ).to_csv(run / "metrics.csv", index=False)


@pytest.mark.parametrize("write", [ray, settings_inside, settings_beside, courses])
def test_a_file_a_run_comes_to_the_paired_t(write, tmp_path, diagnose):
    write(tmp_path / "runs_there")
    code, out, err = diagnose("compare", tmp_path / "runs_there", "--score", "val_loss", "--json", "--out", tmp_path)
    assert code == 0, err
    (effect,) = json.loads(out)["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((RIGHT.low, RIGHT.high))


def test_folders_that_are_an_arm_each(tmp_path, diagnose):
    for arm, extra in (("mlp", {"depth": 2}), ("gbdt", {"leaves": 31, "bins": 255})):
        for seed, loss in enumerate(LOSSES["0.001" if arm == "mlp" else "0.01"]):
            run = tmp_path / arm / "evaluation" / str(seed)
            run.mkdir(parents=True)
            content = {"config": {"seed": seed, **extra}, "metrics": {"test": {"rmse": loss}}}
            (run / "report.json").write_text(json.dumps(content))
    folders = [tmp_path / arm / "evaluation" for arm in ("mlp", "gbdt")]
    code, out, err = diagnose("compare", *folders, "--score", "metrics.test.rmse", "--json", "--out", tmp_path)
    assert code == 0, err
    (effect,) = json.loads(out)["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((RIGHT.low, RIGHT.high))


def test_what_is_no_file_a_run_is_refused(tmp_path, diagnose):
    (tmp_path / "a.json").write_text("[1, 2]")
    (tmp_path / "b.csv").write_text("model,acc\na,1\n")
    code, _, err = diagnose("compare", tmp_path, "--score", "acc")
    assert code
    assert "holds no results of" in " ".join(err.split())
    code, _, err = diagnose("compare", tmp_path, tmp_path / "gone", "--score", "acc")
    assert "does not exist" in " ".join(err.split())


def test_bare_numbers_with_a_usual_seed_are_seeds(tmp_path, diagnose):
    for arm, losses in LOSSES.items():
        for seed, loss in zip((13, 42, 87), losses, strict=True):
            folder = tmp_path / "out" / f"{'bert' if arm == '0.001' else 'albert'}_{seed}"
            folder.mkdir(parents=True)
            (folder / "all_results.json").write_text(json.dumps({"epoch": 3.0, "eval_loss": loss}))
    words = ("--score", "eval_loss", "--levels", "bert,albert", "--json", "--out", tmp_path)
    code, out, err = diagnose("compare", tmp_path / "out", *words)
    assert code == 0, err
    (effect,) = json.loads(out)["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((RIGHT.low, RIGHT.high))

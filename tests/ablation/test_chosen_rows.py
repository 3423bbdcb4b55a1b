"""Tables as they lie in repositories: which rows count, columns that are rows first, columns that were not named."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from diagnose import compare_scores
from diagnose.ablation.results.table_files import names_of
from diagnose.errors import DiagnoseError

SEEDS = range(4)
NOISE = (0.02, -0.01, 0.03, 0.0)
WIDE = pd.DataFrame([
    {"task": task, "method": method, "seed": seed, "acc": round(base + 0.05 * (method == "ours") + NOISE[seed]
     + 0.01 * (method == "ours") * (seed % 2), 4)}
    for task, base in (("easy", 0.8), ("hard", 0.5)) for method in ("base", "ours") for seed in SEEDS
])  # fmt: skip


def right(table, task="easy"):
    """Return the paired t interval of one task."""
    by = table[table.task == task].pivot_table(index="seed", columns="method", values="acc")
    interval = stats.ttest_rel(by.ours, by.base).confidence_interval()
    return interval.low, interval.high


@pytest.fixture
def told(diagnose, tmp_path):
    """Run `compare` on a table, or on files that are there, and return its record, or the line that refuses it."""

    def run(table, *words, name="t.csv"):
        if isinstance(table, pd.DataFrame):
            table.to_csv(tmp_path / name, index=False)
            table = [tmp_path / name]
        code, out, err = diagnose("compare", *table, *words, "--json", "--out", tmp_path)
        return json.loads(out.replace("\xa0", " ")) if code == 0 else " ".join(err.split())

    return run


def interval(record):
    (effect,) = record["effects"]
    return effect["low"], effect["high"]


NAMED = ("--arm", "method", "--seed", "seed", "--score", "acc")


def test_rows_of_other_tasks_are_refused_with_what_to_type_and_that_works(told):
    refused = told(WIDE, *NAMED)
    assert "these rows differ in task (easy and hard): --where task=easy compares within one" in refused
    record = told(WIDE, *NAMED, "--where", "task=easy")
    assert interval(record) == pytest.approx(right(WIDE))
    assert "Of 16 rows only those are compared whose task is easy." in record["notes"]
    assert "no row has that value; it has easy and hard" in told(WIDE, *NAMED, "--where", "task=eazy")
    assert "no such column; did you mean 'task'?" in told(WIDE, *NAMED, "--where", "taks=easy")
    assert "COLUMN=VALUE keeps the rows" in told(WIDE, *NAMED, "--where", "task")


def test_the_last_row_of_each_run_whatever_its_length(told):
    rows = [
        (method, seed, epoch, value + (stop - epoch) * 0.1)
        for method, seed, value, stop in zip(
            WIDE.method[:8], WIDE.seed[:8], WIDE.acc[:8], (3, 12, 5, 4, 6, 3, 10, 2), strict=True
        )
        for epoch in range(stop + 1)
    ]
    long = pd.DataFrame(rows, columns=["method", "seed", "epoch", "acc"])
    assert "differ in epoch (0, 1, 2 and 10 more): --where epoch=last keeps each run's last row" in told(long, *NAMED)
    assert interval(told(long, *NAMED, "--where", "epoch=last")) == pytest.approx(right(WIDE))


def test_curves_of_runs_are_not_taken_for_runs(told, tmp_path):
    for k, arm in enumerate(("relu", "gelu")):
        curve = pd.DataFrame(
            {"Wall time": 1.7e9 + np.arange(30), "Step": range(30), "Value": np.linspace(2, 1 - k, 30)}
        )
        curve.to_csv(tmp_path / f"{arm}.csv", index=False)
    files = [tmp_path / "relu.csv", tmp_path / "gelu.csv"]
    assert "they differ in Step (0, 1, 2 and 27 more): --where Step=last" in told(files, "--score", "Value")
    record = told(files, "--score", "Value", "--where", "Step=last")
    assert [arm["scores"][0]["value"] for arm in record["arms"]] == [1, 0]
    assert record["effects"][0]["low"] is None


def test_settings_that_arms_share_are_no_runs(told):
    alone = WIDE[WIDE.seed == 0].drop(columns="seed")
    refused = told(alone, "--arm", "method", "--score", "acc")
    assert "rows of an arm are no runs of one setting: they differ in task (easy and hard)" in refused
    assert "--example task takes it for what was scored" in refused
    assert told(alone, "--arm", "method", "--example", "task", "--score", "acc")["design"]["over"] == "examples"
    sizes = pd.DataFrame(
        [(m, d, d * (2 - k)) for k, m in enumerate("ab") for d in (64, 128, 256)], columns=["m", "d", "mb"]
    )
    assert "differ in d (64, 128 and 256)" in told(sizes, "--arm", "m", "--score", "mb")
    assert told(sizes, "--arm", "m", "--seed", "d", "--score", "mb")["design"]["seeds_paired"]


def test_measurements_beside_a_score_are_no_settings():
    runs = WIDE[WIDE.task == "easy"].assign(best_epoch=[3, 4, 4, 7, 3, 4, 9, 9], time=np.linspace(1, 2, 8))
    found = compare_scores(runs[["method", "acc", "best_epoch", "time"]], arm="method", score="acc").record
    assert not found["notes"]
    assert len(found["arms"][0]["seeds"]) == 4


@pytest.mark.parametrize(("mean", "std"), [("acc_mean", "acc_std"), ("mean_acc", "std_acc"), ("acc", "acc_std")])
def test_means_over_runs_are_no_runs(told, mean, std):
    table = pd.DataFrame(
        [(m, f"v{k}{m}", 0.1 * k, 0.01) for m in "ab" for k in range(3)], columns=["m", "v", mean, std]
    )
    assert f"{mean} is a mean over runs, as {std} beside it says" in told(table, "--arm", "m", "--score", mean)
    one = told(table.drop_duplicates("m"), "--arm", "m", "--score", mean)
    assert any("how far runs lie apart is not in these rows" in note for note in one["notes"])


def test_splits_of_a_search_become_runs(told):
    splits = np.array([[0.80, 0.83, 0.79, 0.85], [0.84, 0.86, 0.85, 0.88]])
    table = pd.DataFrame(
        {"param_kernel": ["linear", "rbf"], **{f"split{k}_test_score": splits[:, k] for k in range(4)}}
    )
    table = table.assign(mean_test_score=splits.mean(1), std_test_score=splits.std(1))
    (note,) = told(table, "--arm", "param_kernel", "--score", "mean_test_score")["notes"]
    assert "--melt 'fold=split*_test_score' --score NAME" in note
    record = told(table, "--arm", "param_kernel", "--melt", "fold=split*_test_score", "--score", "test_score")
    want = stats.ttest_rel(*splits[::-1]).confidence_interval()
    assert interval(record) == pytest.approx((want.low, want.high))
    assert "mean over runs" not in " ".join(record["notes"])
    assert "folds of one data set" in " ".join(record["notes"])


def test_columns_that_are_an_arm_each_become_rows(told):
    pivot = WIDE[WIDE.task == "easy"].pivot_table(index="seed", columns="method", values="acc").reset_index()
    pivot.loc[len(pivot)] = [4, 0.9, np.nan]
    refused = told(pivot, "--seed", "seed", "--scores", "base,ours")
    assert "--melt arm=base,ours --score NAME makes them rows" in refused
    record = told(pivot, "--seed", "seed", "--melt", "arm=base,ours", "--score", "acc")
    assert interval(record) == pytest.approx(right(WIDE))
    assert "1 empty cell of them is no rows." in record["notes"]
    assert "say what these columns hold with one --score NAME" in told(pivot, "--melt", "arm=base,ours")
    assert "no such column; did you mean 'ours'?" in told(pivot, "--melt", "arm=base,our", "--score", "acc")
    assert "NAME=A,B makes the columns" in told(pivot, "--melt", "arm", "--score", "acc")


def test_scores_that_runs_lack_are_refused_with_what_keeps_the_others(told):
    table = WIDE[WIDE.task == "easy"].assign(status="FINISHED")
    table.loc[table.index[5], ["acc", "status"]] = [np.nan, "FAILED"]
    assert "--where status=FINISHED keeps rows that have it" in told(table, *NAMED)
    record = told(table, *NAMED, "--where", "status=FINISHED")
    assert interval(record) == pytest.approx(right(WIDE[WIDE.seed != 1]))
    third = pd.concat(
        [table[table.status == "FINISHED"], pd.DataFrame({"method": "late", "seed": SEEDS, "task": "easy"})]
    )
    third["status"] = "FINISHED"
    assert "late has none: --levels base,ours" in told(third, *NAMED)
    assert interval(told(third, *NAMED, "--levels", "base,ours")) == pytest.approx(right(WIDE[WIDE.seed != 1]))


def test_a_search_whose_trials_differ_is_said(told):
    random = np.random.default_rng(0)
    trials = pd.DataFrame(
        {"params_act": ["relu", "gelu"] * 8, "params_lr": random.random(16), "value": random.random(16)}
    )
    (note,) = told(trials, "--arm", "params_act", "--score", "value")["notes"]
    assert note.startswith("Rows of an arm differ in params_lr")


def test_files_that_are_a_seed_each_are_paired(told, tmp_path):
    files = [tmp_path / f"results_seed{seed}.csv" for seed in SEEDS]
    for seed, file in zip(SEEDS, files, strict=True):
        WIDE[(WIDE.task == "easy") & (WIDE.seed == seed)][["method", "acc"]].to_csv(file, index=False)
    record = told(files, "--arm", "method", "--score", "acc")
    assert interval(record) == pytest.approx(right(WIDE))
    assert "Each file is taken for a seed, by its name." in record["notes"]


def test_a_table_within_a_readme(told, tmp_path):
    page = tmp_path / "README.md"
    rows = "| Base | 94.1 | 94.3 | 94.0 |\n| Ours | **95.0** | **95.1** | **94.8** |\n"
    head = "| Method | seed 1 | seed 2 | seed 3 |\n|---|---|---|---|\n"
    page.write_text(f"# Results\n\nOf *three* seeds.\n\n{head}{rows}\nThat is all.\n")
    record = told([page], "--arm", "Method", "--melt", "seed=seed *", "--score", "acc")
    want = stats.ttest_rel((95.0, 95.1, 94.8), (94.1, 94.3, 94.0)).confidence_interval()
    assert interval(record) == pytest.approx((want.low, want.high))
    page.write_text(page.read_text() * 2)
    with pytest.raises(DiagnoseError, match="it has 2 tables: save the one that is meant"):
        names_of(page)


@pytest.mark.parametrize("leaf", ["objects", "lists"])
def test_objects_within_one_object_are_rows(told, tmp_path, leaf):
    easy = WIDE[WIDE.task == "easy"]
    if leaf == "objects":
        content = {
            m: {f"seed_{s}": {"acc": a} for s, a in zip(t.seed, t.acc, strict=True)} for m, t in easy.groupby("method")
        }
    else:
        content = {m: {"seeds": list(t.seed), "acc": list(t.acc)} for m, t in easy.groupby("method")}
    (tmp_path / "r.json").write_text(json.dumps({**content, "_note": "made"}))
    seed = "name 2" if leaf == "objects" else "seeds"
    record = told([tmp_path / "r.json"], "--arm", "name", "--seed", seed, "--score", "acc")
    assert interval(record) == pytest.approx(right(WIDE))


def test_an_export_of_a_chart_is_told_whatever_is_named(told):
    chart = pd.DataFrame({"Step": [1], "sun-1 - loss": [1.0], "sun-1 - loss__MIN": [1.0]})
    assert "it is a chart's export of W&B" in told(chart, "--arm", "algo", "--score", "loss")


def test_where_runs_were_made_is_no_setting(told):
    runs = WIDE[WIDE.task == "easy"].drop(columns=["task", "seed"]).assign(host=["n1", "n2", "n1", "n2"] * 2)
    record = told(runs, "--arm", "method", "--score", "acc")
    assert any("Rows of an arm differ in host (n1 and n2)" in note for note in record["notes"])
    assert record["effects"][0]["low"] is not None

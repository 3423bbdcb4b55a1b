"""Tables that are not a row a run: what is computed is right, and what cannot be is refused with what to do."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from diagnose import compare_scores
from diagnose.ablation.results.score_table import ScoreColumns, read_table
from diagnose.cli import app
from diagnose.errors import DiagnoseError

LOSSES = {"relu": (0.51, 0.53, 0.50, 0.52), "gelu": (0.45, 0.46, 0.47, 0.44)}
RUNS = pd.DataFrame(
    [(arm, seed, loss) for arm, losses in LOSSES.items() for seed, loss in enumerate(losses)],
    columns=["model", "seed", "val_loss"],
)
ASKED = ScoreColumns(("model",), ("val_loss",), "seed")
RIGHT = stats.ttest_rel(LOSSES["gelu"], LOSSES["relu"]).confidence_interval()
ROWS = [f"{arm},{seed},{loss}" for arm, seed, loss in RUNS.itertuples(index=False)]
MARKDOWN = "| model | seed | val_loss |\n|:---|--:|---|\n" + "".join(f"| {row.replace(',', ' | ')} |\n" for row in ROWS)
NESTED = [{"model": a, "seed": s, "metrics": {"val": {"loss": v}}} for a, s, v in RUNS.itertuples(index=False)]

READ = {
    "markdown.md": MARKDOWN,
    "bare.csv": "\n".join(line.strip("| ") for line in MARKDOWN.splitlines()) + "\n",
    "excel.csv": "sep=;\r\n" + RUNS.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n"),
    "comments.csv": "# by train.py\n# at abc\n" + RUNS.to_csv(index=False),
}


def compared(path, *words):
    options = ["--arm", "model", "--seed", "seed", "--json", "--out", str(path.parent)]
    shown = CliRunner().invoke(app, ["compare", str(path), *options, *words])
    assert shown.exit_code == 0, shown.exception
    return json.loads(shown.stdout)


@pytest.mark.parametrize("name", READ)
def test_tables_with_more_than_rows_come_to_the_paired_t(name, tmp_path):
    (tmp_path / name).write_text(READ[name], encoding="utf-8-sig", newline="")
    (effect,) = compared(tmp_path / name, "--score", "val_loss")["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((RIGHT.low, RIGHT.high))


def test_a_column_that_begins_with_a_hash_is_no_comment(tmp_path):
    (tmp_path / "r.csv").write_text("#model,val_loss\na,1\n")
    assert len(read_table(tmp_path / "r.csv", ScoreColumns(("#model",), ("val_loss",)))) == 1


@pytest.mark.parametrize("name", ["r.json", "r.jsonl"])
def test_scores_within_objects_are_named_with_points(name, tmp_path):
    text = json.dumps(NESTED) if name == "r.json" else "\n".join(map(json.dumps, NESTED))
    (tmp_path / name).write_text(text)
    (effect,) = compared(tmp_path / name, "--score", "metrics.val.loss")["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((RIGHT.low, RIGHT.high))
    with pytest.raises(DiagnoseError, match=r"metrics\.val\.loss"):
        read_table(tmp_path / name, ASKED)


def two(score):
    return f"model,seed,val_loss\na,0,{score}\nb,0,{score}\n"


REFUSED = {
    "plus.csv": (two("0.5 ± 0.02"), "a mean and its deviation"),
    "brackets.csv": (two("0.5 (0.02)"), "a mean and its deviation"),
    "ascii.csv": (two("0.5+-0.02"), "a mean and its deviation"),
    "tex.csv": (two(r"$0.5 \pm 0.02$"), "a mean and its deviation"),
    "yes.csv": (two("yes"), "write right and wrong as 1 and 0"),
    "again.csv": (RUNS.to_csv(index=False) * 2, "a header in the midst"),
    "wide.csv": ("model,seed0,seed1\na,1,2\nb,2,3\n", "look like a column a seed"),
    "numbers.csv": ("model,0,1\na,1,2\nb,2,3\n", "look like a column a seed"),
    "headings.csv": (",val_loss,val_loss\nseed,0,1\nmodel,,\na,1,2\n", "several headings"),
    "latex.csv": ("\\begin{tabular}{lr}\nmodel & val_loss \\\\\n", "it is a LaTeX table"),
    "printed.txt": (RUNS.to_string(index=False), "its first line is one column"),
    "seedless.csv": ("model,val_loss\na,1\nb,2\n", "without --seed each row is a run"),
    "mean.csv": (RUNS.to_csv(index=False) + "relu,mean,0.5\ngelu,mean,0.5\n", "rows of seed mean, a summary"),
    "numbers_above.txt": ("ndcg\tq0\t0.25\nndcg\tq1\t0.5\n", "its first line holds numbers"),
    "std.csv": (RUNS.to_csv(index=False) + "relu,std,0.5\ngelu,std,0.5\n", "rows of seed std, a summary"),
    "split.json": (RUNS.to_json(orient="split"), "orient='records'"),
    "values.json": (RUNS.to_json(orient="values"), "orient='records'"),
    "within.json": (json.dumps({"results": RUNS.to_dict("records")}), "orient='records'"),
    "results.json": (json.dumps({"results": {"arc": {"acc": 1}}, "n-shot": {}}), "--log_samples"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_shapes_are_refused_with_what_to_do(name, tmp_path):
    text, told = REFUSED[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(DiagnoseError) as caught:
        read_table(tmp_path / name, ASKED)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


WIDE = RUNS.pivot_table(index="model", columns="seed", values="val_loss")
FRAMES = {
    "list": (RUNS.to_dict("records"), "no pandas DataFrame but list"),
    "dict": (RUNS.to_dict("list"), "no pandas DataFrame but dict"),
    "path": ("results.csv", "no pandas DataFrame but str"),
    "series": (RUNS.set_index(["model", "seed"]).val_loss, "no pandas DataFrame but Series"),
    "index": (RUNS.set_index(["model", "seed"]), "give table.reset_index"),
    "wide": (WIDE.reset_index(), "look like a column a seed"),
    "headings": (RUNS.pivot_table(index="model", columns="seed"), "several headings"),
    "double": (pd.concat([RUNS, RUNS[["val_loss"]]], axis=1), "several columns val_loss"),
    "complex": (RUNS.assign(val_loss=RUNS.val_loss + 0j), "no plain numbers"),
    "time": (RUNS.assign(val_loss=pd.to_timedelta(RUNS.val_loss, "s")), "no plain numbers"),
    "arrays": (RUNS.assign(val_loss=[np.array([one]) for one in RUNS.val_loss]), r"array\(\[.*is no number"),
    "metrics": (
        pd.concat([RUNS.assign(metric=one) for one in ("f1", "em")]),
        r"the same row 2 times .* these rows differ in metric \(f1 and em\): --where metric=f1",
    ),
    "twice": (pd.concat([RUNS, RUNS[:1]]), "the same row 2 times at model relu and seed 0"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_what_is_no_table_of_runs_is_told(name):
    table, told = FRAMES[name]
    with pytest.raises(DiagnoseError, match=told):
        compare_scores(table, arm="model", seed="seed", score="val_loss")


def test_pyarrow_is_told_how():
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(DiagnoseError, match=r"give table\.to_pandas\(\)"):
        compare_scores(pa.Table.from_pandas(RUNS), arm="model", score="val_loss")


def test_columns_with_numbers_as_names_are_found():
    (effect,) = compare_scores(RUNS.set_axis([0, 1, 2], axis=1), arm="0", seed="1", score="2").record["effects"]
    assert effect["value"] == pytest.approx(np.mean(LOSSES["gelu"]) - np.mean(LOSSES["relu"]))


def asked(table=RUNS, **columns):
    return compare_scores(table, **{"arm": "model", "seed": "seed", "score": "val_loss", **columns})


def test_columns_that_are_named_wrongly_are_told():
    wide = pd.DataFrame({"model": ["a", "b"], "seed0": [1.0, 2.0], "seed1": [1.5, 2.5]})
    with pytest.raises(DiagnoseError, match="look like a column a seed, not several scores"):
        compare_scores(wide, arm="model", score=["seed0", "seed1"])
    with pytest.raises(DiagnoseError, match=r"did you mean 'model'\? or: seed0 and seed1 look like a column a seed"):
        asked(wide, arm="modle")
    with pytest.raises(DiagnoseError, match="--arm model --arm seed"):
        asked(arm="model,seed")
    with pytest.raises(DiagnoseError, match="--scores val_loss,seed"):
        asked(score="val_loss,seed")
    with pytest.raises(DiagnoseError, match="checkpoints of one run are no examples"):
        asked(RUNS.assign(checkpoint=1), example="checkpoint")
    with pytest.raises(DiagnoseError, match="leave --example out"):
        asked(RUNS.assign(id="x"), example="id")
    items = pd.concat([RUNS.assign(subject=s, trial=t) for s in range(3) for t in range(4)])
    with pytest.raises(DiagnoseError, match="numbered within each subject"):
        asked(items, example="trial", cluster="subject")
    with pytest.raises(DiagnoseError, match="macro avg, a summary"):
        asked(pd.concat([RUNS.assign(label=one) for one in ("cat", "dog", "macro avg")]), example="label")


def notes(table, **columns):
    return " ".join(asked(table, **columns).record["notes"])


def test_what_may_be_meant_otherwise_is_said():
    assert "may" not in notes(RUNS)
    percent = RUNS.assign(accuracy=(1 - RUNS.val_loss) * np.where(RUNS.model == "gelu", 100, 1))
    assert "some percent" in notes(percent, score="accuracy")
    assert "percent" not in notes(RUNS.assign(accuracy=1 - RUNS.val_loss), score="accuracy")
    assert "percent" not in notes(RUNS.assign(reward=RUNS.val_loss * 2), score="reward")
    assert "The table has seed" in notes(RUNS, seed=None)
    assert "The very same scores: gelu and relu" in notes(RUNS.assign(val_loss=0.5))
    assert "share no seed" in notes(RUNS.assign(seed=RUNS.model + RUNS.seed.astype(str)))


def test_the_note_of_an_unnamed_seed_is_of_files_too(tmp_path):
    RUNS.assign(epoch=1).to_csv(tmp_path / "r.csv", index=False)
    words = ["compare", str(tmp_path / "r.csv"), "--arm", "model", "--score", "val_loss", "--json"]
    shown = json.loads(CliRunner().invoke(app, [*words, "--out", str(tmp_path)]).stdout)
    assert "The table has seed and epoch" in shown["notes"][0]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for arm, losses in LOSSES.items():
        (tmp_path / arm).mkdir()
        pd.DataFrame({"seed": range(4), "val_loss": losses}).to_csv(tmp_path / arm / "r.csv", index=False)
    files = [str(tmp_path / arm / "r.csv") for arm in LOSSES]
    words = ["--seed", "seed", "--score", "val_loss", "--json", "--out", str(tmp_path)]
    (effect,) = json.loads(CliRunner().invoke(app, ["compare", *files, *words]).stdout)["effects"]
    assert (effect["against"], effect["level"]) == ("relu/r", "gelu/r")
    assert (effect["low"], effect["high"]) == pytest.approx((RIGHT.low, RIGHT.high))


def test_folders_with_only_the_trainers_summary_are_runs(tmp_path):
    for arm, seed, loss in RUNS.itertuples(index=False):
        folder = tmp_path / "out" / f"{arm}-seed{seed}"
        folder.mkdir(parents=True)
        (folder / "all_results.json").write_text(json.dumps({"epoch": 3.0, "eval_loss": loss}))
    words = ["compare", str(tmp_path / "out"), "--score", "eval_loss", "--levels", "relu,gelu", "--json"]
    (effect,) = json.loads(CliRunner().invoke(app, [*words, "--out", str(tmp_path)]).stdout)["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((RIGHT.low, RIGHT.high))


def test_an_evaluation_without_samples_is_told_how(tmp_path):
    (tmp_path / "org__a").mkdir()
    (tmp_path / "org__a" / "results_2026-01-01T10-00-00.000.json").write_text('{"results": {}}')
    shown = CliRunner().invoke(app, ["compare", str(tmp_path), "--score", "acc"])
    assert "--log_samples" in str(shown.exception)


def test_lightevals_results_are_told_by_their_own_name(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "results_2026-01-01T10-00-00.json").write_text('{"config_general": {}, "results": {}}')
    shown = CliRunner().invoke(app, ["compare", str(tmp_path), "--score", "acc"])
    assert "results of lighteval without samples: evaluate with --save-details" in str(shown.exception)


def test_a_summary_row_of_trec_eval_is_no_query():
    names = [*(f"q{place}" for place in range(9)), "all"]
    table = pd.DataFrame([(arm, query, 0.5) for arm in "ab" for query in names], columns=["arm", "query", "ndcg"])
    with pytest.raises(DiagnoseError, match="rows of query all, a summary of other rows"):
        compare_scores(table, arm="arm", example="query", score="ndcg")
    words = table.replace("q3", "All").replace("all", "each")
    assert compare_scores(words, arm="arm", example="query", score="ndcg").record["design"]["examples"] == len(names)


def test_rows_of_one_run_are_refused_with_the_column_that_may_tell_them_apart(tmp_path):
    long = pd.concat([RUNS.assign(fold=RUNS.seed, repeat=one, val_loss=RUNS.val_loss + one) for one in range(3)])
    long.to_csv(tmp_path / "cv.csv", index=False)
    words = ["compare", str(tmp_path / "cv.csv"), "--arm", "model", "--seed", "fold", "--score", "val_loss"]
    told = str(CliRunner().invoke(app, [*words, "--out", str(tmp_path)]).exception)
    assert (
        "these rows differ in repeat (0, 1 and 2): --where repeat=0 compares within one, --arm repeat makes it" in told
    )
    again = str(
        CliRunner().invoke(app, [*words[:4], *words[6:], "--example", "fold", "--out", str(tmp_path)]).exception
    )
    assert "two scores of one example" in again
    assert "these rows differ in repeat (0, 1 and 2): --seed repeat names the runs" in again


def test_a_code_for_failed_runs_among_fractions_is_said():
    table = RUNS.assign(accuracy=1 - RUNS.val_loss)
    assert "below 0" not in notes(table, score="accuracy", seed="seed")
    table.loc[table.index[-1], "accuracy"] = -1
    assert f"accuracy is -1 at model {table.model.iloc[-1]} and seed" in notes(table, score="accuracy", seed="seed")


def test_arms_of_other_users_are_told_to_be_rows():
    table = pd.DataFrame({"user": range(8), "variant": ["a", "b"] * 4, "converted": [0, 1, 1, 1, 0, 0, 1, 0]})
    with pytest.raises(DiagnoseError, match="as a user of an A/B test, leave --example out"):
        compare_scores(table, arm="variant", example="user", score="converted")


def test_a_first_column_without_a_name_is_called_as_pandas_calls_it(tmp_path):
    for arm, losses in LOSSES.items():
        pd.DataFrame({"val_loss": losses}).to_csv(tmp_path / f"{arm}.csv")
    files = [str(tmp_path / f"{arm}.csv") for arm in LOSSES]
    words = ["--seed", "Unnamed: 0", "--score", "val_loss", "--json", "--out", str(tmp_path)]
    (effect,) = json.loads(CliRunner().invoke(app, ["compare", *files, *words]).stdout)["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((RIGHT.low, RIGHT.high))


PIVOT = "seed,small,large\n0,2.5,2.2\n1,2.6,2.3\n2,2.4,2.15\n"


@pytest.mark.parametrize(("table", "which"), [(PIVOT, "another column (large)"), (RUNS.to_csv(index=False), "(model)")])
def test_seeds_are_no_arms(table, which, tmp_path):
    (tmp_path / "table.csv").write_text(table)
    score = "small" if "small" in table else "val_loss"
    told = refused(tmp_path / "table.csv", "--arm", "seed", "--score", score)
    assert "--arm seed: seeds are chance and not what is compared: give --seed seed" in told
    assert which in told


FOLDS = "model,fold1,fold2,fold3\nA,0.5,0.52,0.49\nB,0.4,0.43,0.41\n"


@pytest.mark.parametrize(
    ("table", "arm", "score"),
    [("lr,1,2,3\n1e-3,2.5,2.6,2.4\n1e-4,3.0,3.1,3.2\n", "lr", "1"), (FOLDS, "model", "fold1")],
)
def test_one_of_several_columns_a_seed_is_not_compared(table, arm, score, tmp_path):
    (tmp_path / "pivot.csv").write_text(table)
    told = refused(tmp_path / "pivot.csv", "--arm", arm, "--score", score)
    assert f"look like a column a seed, of which {score} alone would be compared: a row a run is wanted" in told


def test_a_pivot_whose_columns_are_not_named_is_told_what_to_do(tmp_path):
    (tmp_path / "pivot.csv").write_text(FOLDS)
    told = refused(tmp_path / "pivot.csv")
    assert "fold1, fold2 and fold3 look like a column a seed: a row a run is wanted" in told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resluts.csv", "there is no file {path}; did you mean 'results.csv'?"),
        ("nothing/like.csv", "there is no file {path}; there is no folder"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--arm", "model", "--score", "val_loss")])
def test_a_file_that_is_not_there_is_said(name, said, more, tmp_path):
    (tmp_path / "results.csv").write_text(RUNS.to_csv(index=False))
    assert said.format(path=tmp_path / name) in refused(tmp_path / name, *more)


def refused(path, *words):
    shown = CliRunner().invoke(app, ["compare", str(path), *words, "--out", str(path.parent)])
    assert isinstance(shown.exception, DiagnoseError), shown.output
    return str(shown.exception)


def test_folds_as_runs_are_told_to_share_their_training_data(tmp_path, diagnose):
    scores = {"lr": (0.797, 0.821, 0.840, 0.860, 0.879), "gbm": (0.829, 0.852, 0.873, 0.889, 0.911)}
    rows = [f"{arm},{k},{score}" for arm, some in scores.items() for k, score in enumerate(some)]
    for name, said in (("fold", True), ("cv_fold", True), ("seed", False), ("scaffold", False)):
        table = tmp_path / f"{name}.csv"
        table.write_text("\n".join([f"clf,{name},auc", *rows]))
        code, out, err = diagnose("compare", table, "--arm", "clf", "--seed", name, "--score", "auc", "--json")
        assert code == 0, err
        notes = " ".join(json.loads(out)["notes"])
        assert ("folds of one data set share most of their training data" in notes) == said

"""Finished runs that were not planned together: arms, pairing, names, the page, and what is refused."""

import json
import math
import shutil

import pytest
from typer.testing import CliRunner

from diagnose.ablation import comparison
from diagnose.cli import app
from diagnose.errors import MISTAKE, DiagnoseError
from diagnose.runs import run_tables, store


@pytest.fixture(scope="module")
def some(tiny, tmp_path_factory, quick_probes):
    """Runs of three recipes: two share seeds 0 and 1, the third has seeds of its own, and one more is other text."""
    from diagnose.runs.runner import train

    root = tmp_path_factory.mktemp("runs")
    small = {**tiny, "model.layers": 1, "budget.steps": 6}

    def run(seed, **keys):
        more = {key.replace("__", "."): value for key, value in keys.items()}
        return train("quick", small | more | {"run.seed": seed}, runs=root)

    return {
        "relu": [run(seed, model__activation="relu") for seed in (0, 1)],
        "gelu": [run(seed, model__activation="gelu", report__interval=3) for seed in (0, 1)],
        "slow": [run(seed, model__activation="gelu", optimizer__lr=1e-4) for seed in (5, 6, 7)],
        "other split": [run(0, data__split_seed=1)],
    }


def summary(*runs, **more):
    return store.read_json(comparison.compare(runs, **more) / "summary.json")


def test_runs_of_one_recipe_are_seeds_of_an_arm_and_are_paired(some):
    found = summary(*some["relu"], *some["gelu"])
    assert [(arm["level"], arm["seeds"]) for arm in found["arms"]] == [("relu", [0, 1]), ("gelu", [0, 1])]
    (effect,) = found["effects"]
    assert (effect["axis"], effect["level"], effect["against"]) == ("model.activation", "gelu", "relu")
    assert effect["paired"] == [0, 1]
    values = [arm["bits_per_byte"]["value"] for arm in found["arms"]]
    assert effect["value"] == pytest.approx(values[1] - values[0], abs=1e-12)
    assert {row["what"] for row in found["differs"]} == {"model.activation", "report.interval"}
    assert found["verdict"].startswith("Two seeds an arm decide next to nothing. After the same ")


def test_it_is_what_an_ablation_of_the_same_runs_says(some, tiny):
    """Same runs, same pairs: effects, intervals and p-values are those of `ablate`."""
    from diagnose.ablation import effects

    found = summary(*some["relu"], *some["gelu"])
    scores = effects.score({"relu": tuple(some["relu"]), "gelu": tuple(some["gelu"])})
    from diagnose.ablation.axes import find

    (planned,) = effects.compare([find("activation")], {k: {"activation": k} for k in scores}, scores)
    (effect,) = found["effects"]
    assert {key: effect[key] for key in ("value", "low", "high", "p", "df")} == pytest.approx(
        {key: getattr(planned, key) for key in ("value", "low", "high", "p", "df")}
    )


def test_arms_without_shared_seeds_are_paired_by_document(some):
    found = summary(*some["gelu"], *some["slow"], pairs=True)
    (effect,) = found["effects"]
    assert (effect["level"], effect["paired"], effect["per_seed"]) == ("lr 0.0001", [], [])
    assert effect["low"] < effect["value"] < effect["high"]
    assert len(found["pairs"]) == 1


def test_every_two_arms_on_request(some):
    found = summary(*some["relu"], *some["gelu"], *some["slow"], pairs=True)
    names = [arm["level"] for arm in found["arms"]]
    assert names == ["relu, 0.002", "gelu, 0.002", "gelu, 0.0001"]
    assert [(pair["level"], pair["against"]) for pair in found["pairs"]] == [
        (names[1], names[0]), (names[2], names[0]), (names[2], names[1]),
    ]  # fmt: skip
    both = [next(row for row in rows if row["level"] == names[2]) for rows in (found["effects"], found["pairs"])]
    assert both[1]["high"] - both[1]["low"] > both[0]["high"] - both[0]["low"]  # they hold together over more
    assert found["apart"] == [[pair["against"], pair["level"]] for pair in found["pairs"] if pair["resolved"]]
    assert summary(*some["relu"], *some["gelu"], *some["slow"])["apart"] == found["apart"]  # whether shown or not


def test_one_recipe_is_compared_seed_by_seed(some):
    found = summary(*some["relu"])
    assert [arm["level"] for arm in found["arms"]] == ["seed 0", "seed 1"]
    assert found["effects"][0]["low"] is None
    assert "One seed gives no interval" in found["verdict"]


def test_from_the_command_line_to_the_page(some, tmp_path):

    names = [str(run) for run in (*some["relu"], *some["slow"])]
    shown = CliRunner().invoke(app, ["compare", *names, "--json", "--pairs", "--margin", "9", "--out", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert {"ablation", "page", "hold", "arms", "effects", "changed", "verdict", "pairs", "differs"} <= found.keys()
    assert found["effects"][0]["equivalent"]
    page = (tmp_path / found["page"]).read_text(encoding="utf-8")
    assert "were not planned together" in page
    assert "An effect larger than 9 bits per byte is excluded" in page
    assert 'id="pairs"' in page
    assert "Every two arms differ beyond doubt" in page or "No two arms are told apart" in page
    assert "paired are" in page.lower()


def refused(*runs, **more):
    with pytest.raises(DiagnoseError) as caught:
        comparison.compare(runs, **more)
    assert caught.value.exit_code == MISTAKE
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_comparison_is_told_in_one_line(some, tmp_path):
    (first, _), (other,) = some["relu"], some["other split"]
    assert "takes two different runs, not 1" in refused(first, first)
    assert "are scored on different documents of the text" in refused(first, other)
    assert "above 0" in refused(first, other, margin=0)
    elsewhere = shutil.copytree(some["gelu"][0], tmp_path / "elsewhere")
    assert "lie in one folder" in refused(first, elsewhere)
    assert "no run or ablation" in refused(first, tmp_path / "nowhere")


def test_a_run_that_failed_and_one_that_is_there_twice_are_refused(some, tmp_path):
    (first, _) = some["relu"]
    again = shutil.copytree(first, first.parent / "20000101-000000-again-s0-aaaa")
    try:
        assert "are the same recipe with the same seed" in refused(first, again)
        (again / "status.json").write_text('{"format": 1, "state": "failed", "why": "training has diverged"}')
        assert "has not finished: it is failed (training has diverged)" in refused(first, again)
    finally:
        shutil.rmtree(again)


def test_other_text_is_refused(some):
    (first, second) = some["relu"]
    copy = shutil.copytree(second, second.parent / "20000101-000000-other-s1-bbbb")
    try:
        environment = json.loads((copy / "environment.json").read_text())
        environment["corpus"] |= {"fingerprint": "0" * 16, "title": "another book"}
        (copy / "environment.json").write_text(json.dumps(environment))
        assert "they are of different text (verses.txt and another book)" in refused(first, copy)
    finally:
        shutil.rmtree(copy)


COLUMNS = ("--arm", "model", "--seed", "seed", "--example", "document", "--score", "bits_per_byte", "--json")


def bits_per_byte(run):
    read = run_tables.read_table(run, "validation")
    return (read.nats / math.log(2) / read.bytes).set_axis(read.document)


@pytest.fixture
def others(some, tmp_path):
    """Return a table as another program would leave it: its network's scores of the documents that ours scored."""
    path = tmp_path / "others.csv"
    rows = [
        f"outside,{seed},{document},{bits + 0.25}"
        for seed, run in enumerate(some["gelu"])
        for document, bits in bits_per_byte(run).items()
    ]
    path.write_text("\n".join(["model,seed,document,bits_per_byte", *rows]) + "\n")
    return path


def test_runs_stand_beside_a_table_of_the_same_documents(some, others, tmp_path, diagnose):
    code, out, err = diagnose("compare", others, *some["relu"], *COLUMNS)
    assert code == 0, err
    found = json.loads(out)
    ours, theirs = ([bits_per_byte(run).mean() for run in some[name]] for name in ("relu", "gelu"))
    assert [arm["level"] for arm in found["arms"]] == ["outside", some["relu"][0].name]
    (effect,) = found["effects"]
    assert effect["paired_seeds"] == ["0", "1"]
    assert effect["value"] == pytest.approx(sum(ours) / 2 - sum(theirs) / 2 - 0.25, abs=1e-9)
    assert found["design"]["examples"] == len(bits_per_byte(some["relu"][0]))


def test_the_first_that_is_named_leads_and_recipes_are_arms(some, others, tmp_path, diagnose):
    code, out, err = diagnose("compare", *some["relu"], others, *some["slow"], *COLUMNS)
    assert code == 0, err
    names = [arm["level"] for arm in json.loads(out)["arms"]]
    assert names[0] == "relu"
    assert sorted(names[1:]) == ["gelu", "outside"]


def test_what_does_not_go_beside_a_run_is_told(some, others, tmp_path, diagnose):
    run = some["relu"][0]
    for columns, said in (
        (COLUMNS[:4] + COLUMNS[6:], "name its columns with --example; an example's key is the document's number"),
        ((*COLUMNS[:6], "--score", "seed"), "the column seed is asked for twice"),
        ((*COLUMNS[:6], "--score", "accuracy"), "--score accuracy: others.csv has no such column"),
    ):
        code, _, err = diagnose("compare", others, run, *columns)
        assert (code, err.count("\n")) == (MISTAKE, 1)
        assert said in err
    lines = others.read_text().replace(",bits_per_byte", ",loss").splitlines()
    others.write_text("\n".join(lines))
    code, _, err = diagnose("compare", others, run, *COLUMNS[:6], "--score", "loss")
    assert code == MISTAKE
    assert "have no such score of a document; known are bits, bits_per_byte, nats, nats_per_token" in err
    others.write_text("\n".join([lines[0], *(f"outside,0,q{k},1.0" for k in range(9))]).replace("loss", "bits"))
    code, _, err = diagnose("compare", others, run, *COLUMNS[:6], "--score", "bits")
    assert (code, "--example document: the table has none of the" in err) == (MISTAKE, True)
    (tmp_path / "tool").mkdir()
    code, _, err = diagnose("compare", tmp_path / "tool", run, *COLUMNS)
    assert (code, "tool is another tool's and" in err) == (MISTAKE, True)


def test_margins_as_they_are_typed(others, some, tmp_path, diagnose):
    wide, two = ("--scores", "bits_per_byte"), ("--margin", "bits_per_byte=9")
    code, out, _ = diagnose("compare", others, *some["relu"], *COLUMNS[:6], *wide, *two, "--json")
    assert (code, json.loads(out)["effects"][0]["equivalent"]) == (0, True)
    for given, told in (
        ("much", "give a number, or one for each score as A=SIZE,B=SIZE"),
        ("a=b", "give a number, or"),
    ):
        code, _, err = diagnose("compare", others, *some["relu"], *COLUMNS, "--margin", given)
        assert (code, told in err, err.count("\n")) == (MISTAKE, True, 1)
    code, _, err = diagnose("compare", *some["relu"], *some["gelu"], "--margin", "bits=1")
    assert (code, "runs of ours have one score, so give bits per byte alone" in err) == (MISTAKE, True)

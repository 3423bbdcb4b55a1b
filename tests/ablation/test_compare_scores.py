"""Anybody's table of scores: the design that is found, effects beside peers, the verdict's words, what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as peers
from typer.testing import CliRunner

from diagnose import compare_scores
from diagnose.errors import MISTAKE, DiagnoseError


def examples(arms="ab", seeds=4, count=60, effect=-0.1, spread=0.02):
    """Return a table with a row an example of a run; arms after the first lie `effect` lower, each a step further."""
    random = np.random.default_rng(0)
    hard, rows = random.standard_normal(count), []
    for place, arm in enumerate(arms):
        for seed in range(seeds):
            run = 2 + effect * place + spread * random.standard_normal() + hard + 0.1 * random.standard_normal(count)
            rows += [(arm, seed, n, n // 4, loss, float(loss < 2)) for n, loss in enumerate(run)]
    return pd.DataFrame(rows, columns=["model", "seed", "id", "passage", "val_loss", "acc"])


def by_run(table):
    return table.groupby(["model", "seed"], as_index=False)[["val_loss", "acc"]].mean()


def compared(table, **more):
    return compare_scores(table, **{"arm": "model", "seed": "seed", "score": "val_loss"} | more)


def said(compared):
    return compared.verdict.replace("\xa0", " ")


@pytest.fixture(scope="module")
def trained():
    """Scores of small networks that are really trained: two widths, four seeds, the loss of each of 80 test samples."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    x = torch.randn(240, 6)
    y = ((x[:, 0] * x[:, 1] + x[:, 2]) > 0).long()
    rows = []
    for width in (2, 32):
        for seed in range(4):
            torch.manual_seed(seed)
            net = nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, 2))
            optimizer = torch.optim.Adam(net.parameters(), 0.02)
            for _ in range(150):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(x[:160]), y[:160]).backward()
                optimizer.step()
            with torch.no_grad():
                logits = net(x[160:])
                losses = nn.functional.cross_entropy(logits, y[160:], reduction="none")
                right = (logits.argmax(1) == y[160:]).float()
            rows += [(f"width {width}", seed, n, losses[n].item(), right[n].item()) for n in range(80)]
    return pd.DataFrame(rows, columns=["model", "seed", "id", "loss", "accuracy"])


def test_really_trained_networks(trained):
    """Fewer units do worse; the design is found, and the table by runs gives the same values."""
    found = compared(trained, example="id", score=["loss", "accuracy"])
    design = found.record["design"]
    assert (design["layout"], design["over"], design["seeds_paired"]) == ("crossed", "seeds and examples", True)
    assert [metric["kind"] for metric in found.record["metrics"]] == ["numbers", "binary"]
    assert [metric["better"] for metric in found.record["metrics"]] == ["lower", "higher"]
    loss, accuracy = found.record["effects"]
    assert accuracy["value"] > 0
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    runs = trained.groupby(["model", "seed"], as_index=False)[["loss", "accuracy"]].mean()
    again = compared(runs, score=["loss", "accuracy"]).record
    assert [one["value"] for one in again["effects"]] == pytest.approx([loss["value"], accuracy["value"]])
    assert again["design"]["over"] == "seeds"


def test_seeds_and_examples_are_crossed_as_in_an_ablation():
    """The same interval as that of our own runs, whose documents have a byte each."""
    from diagnose import stats

    table = examples()
    (effect,) = compared(table, example="id").record["effects"]
    cells = table.val_loss.to_numpy().reshape(2, 4, 60)
    planned = stats.paired_effect(cells[1], cells[0], np.ones(60))
    assert (effect["value"], effect["low"], effect["high"], effect["p"]) == pytest.approx(
        (planned.value, planned.low, planned.high, planned.p)
    )
    assert effect["paired_seeds"] == ["0", "1", "2", "3"]
    assert effect["resolved"]


def test_rows_in_any_order_give_the_same():
    table = examples()
    mixed = table.sample(frac=1, random_state=1)
    mixed = pd.concat([mixed[mixed.model == "a"], mixed[mixed.model == "b"]])
    one, other = (compared(some, example="id", cluster="passage").record["effects"][0] for some in (table, mixed))
    assert one["low"] == pytest.approx(other["low"], abs=1e-12)


def test_clusters_are_the_unit():
    table = examples()
    hard = np.random.default_rng(5).standard_normal(15)
    table.loc[table.model == "b", "val_loss"] += 0.3 * hard[table.passage[table.model == "b"]]  # by passage
    plain, grouped = (compared(table, example="id", **more).record for more in ({}, {"cluster": "passage"}))
    assert grouped["design"]["clusters"] == 15
    assert grouped["effects"][0]["value"] == pytest.approx(plain["effects"][0]["value"])
    widths = [one["effects"][0]["high"] - one["effects"][0]["low"] for one in (plain, grouped)]
    assert widths[1] > 1.4 * widths[0]


def test_a_row_a_run_is_a_paired_t():
    runs = by_run(examples())
    (effect,) = compared(runs).record["effects"]
    peer = peers.ttest_rel(runs.val_loss[runs.model == "b"], runs.val_loss[runs.model == "a"])
    low, high = peer.confidence_interval()
    assert (effect["low"], effect["high"], effect["p"]) == pytest.approx((low, high, peer.pvalue))


def test_seeds_of_other_names_and_runs_without_are_not_paired():
    runs = by_run(examples())
    other = runs.assign(seed=runs.seed + 10 * (runs.model == "b"))
    one, two = (compared(other).record, compared(runs, seed=None).record)
    assert not one["design"]["seeds_paired"]
    assert one["effects"][0]["paired_seeds"] == two["effects"][0]["paired_seeds"] == []
    assert one["effects"][0]["low"] == pytest.approx(two["effects"][0]["low"])
    assert "Over 4 runs an arm" in said(compared(runs, seed=None))


def test_few_shared_seeds_do_not_throw_the_others_away():
    runs = by_run(examples(seeds=6))
    shifted = runs.assign(seed=runs.seed + 4 * (runs.model == "b"))  # 4 and 5 are shared
    assert compared(shifted).record["effects"][0]["paired_seeds"] == []
    half = runs.assign(seed=runs.seed + 3 * (runs.model == "b"))
    assert compared(half).record["effects"][0]["paired_seeds"] == ["3", "4", "5"]


def test_each_seed_on_examples_of_its_own():
    table = examples()
    table["id"] += 1000 * table.seed
    found = compared(table, example="id").record
    assert found["design"]["layout"] == "nested"
    assert found["effects"][0]["low"] == pytest.approx(compared(by_run(examples())).record["effects"][0]["low"])


def test_examples_that_a_run_lacks_are_left_out_and_said():
    table = examples().drop(index=[3, 77])
    found = compared(table, example="id")
    assert (found.record["design"]["examples"], found.record["design"]["left_out"]) == (58, 2)
    assert "2 examples of 60 (3.3 %) are not scored in every run (2 cells missing)" in found.record["notes"][0].replace(
        "\xa0", " "
    )
    assert "not scored in every run" in str(found)
    whole = table[~table.id.isin([3, 17])]
    assert found.record["effects"][0]["low"] == pytest.approx(compared(whole, example="id").record["effects"][0]["low"])


def test_much_that_is_missing_is_in_the_verdict():
    table = examples()
    lost = table[(table.model == "b") & (table.seed == 2) & (table.id < 20)].index
    assert "20 examples not scored in every run took no part." in said(compared(table.drop(index=lost), example="id"))


def test_one_run_an_arm_is_never_resolved():
    table = examples(effect=-1.0)
    found = compared(table[table.seed == 0], example="id")
    (effect,) = found.record["effects"]
    assert effect["excludes_zero"]
    assert not effect["resolved"]
    assert effect["over"] == "examples"
    assert effect["seeds_needed"] is None
    assert "resolved" not in found.verdict
    assert said(found).startswith("For these very models, on 60 examples: in val_loss, b is ")
    assert said(found).endswith("Each arm was run once: whether another training would differ is not known.")


def test_one_number_an_arm_has_no_interval():
    found = compared(by_run(examples())[lambda runs: runs.seed == 0])
    assert found.record["effects"][0]["low"] is None
    assert said(found).startswith("One run an arm gives no interval over seeds: val_loss is b ")
    assert said(found).endswith("Run three seeds or more.")


def test_all_scores_are_corrected_together():
    table = examples("abc")
    alone = compared(table, example="id").record["effects"]
    both = compared(table, example="id", score=["val_loss", "acc"]).record["effects"]
    assert len(both) == 4
    assert both[0]["high"] - both[0]["low"] > alone[0]["high"] - alone[0]["low"]
    assert both[1]["p"] >= alone[1]["p"]


def test_a_factorial_has_main_effects_and_interactions():
    rows = []
    random = np.random.default_rng(2)
    for lr in ("low", "high"):
        for act in ("relu", "gelu"):
            for seed in range(5):
                value = 2 - 0.3 * (lr == "high") - 0.2 * (act == "gelu") - 0.5 * (lr == "high" and act == "gelu")
                rows.append((lr, act, seed, value + 0.01 * random.standard_normal()))
    table = pd.DataFrame(rows, columns=["lr", "act", "seed", "loss"])
    for seed in ("seed", None):
        found = compare_scores(table, arm=["lr", "act"], seed=seed, score="loss")
        values = {(one["axis"], one["level"]): one["value"] for one in found.record["effects"]}
        assert values["lr", "high"] == pytest.approx(-0.55, abs=0.02)
        assert values["act", "gelu"] == pytest.approx(-0.45, abs=0.02)
        assert values["lr x act", "high x gelu"] == pytest.approx(-0.5, abs=0.03)
        assert all(one["resolved"] for one in found.record["effects"])
    assert "the interaction high x gelu" in found.verdict


def test_levels_that_are_numbers_keep_their_names():
    rows = [(lr, act, s, float(lr) * 1e3 + s / 10) for lr in ("3e-4", "1e-3") for act in "ab" for s in range(3)]
    table = pd.DataFrame(rows, columns=["lr", "act", "seed", "loss"])
    found = compare_scores(table, arm=["lr", "act"], seed="seed", score="loss").record
    assert [(one["axis"], one["level"]) for one in found["effects"]] == [
        ("lr", "1e-3"), ("act", "b"), ("lr x act", "1e-3 x b"),
    ]  # fmt: skip
    assert found["axes"][0]["levels"] == ["3e-4", "1e-3"]


def test_levels_choose_arms_and_the_control():
    found = compared(examples("abc"), example="id", levels=["c", "a"])
    assert [arm["level"] for arm in found.record["arms"]] == ["c", "a"]
    assert found.record["effects"][0]["against"] == "c"
    assert found.record["effects"][0]["value"] > 0


def test_every_two_arms_on_request():
    found = compared(examples("abc"), example="id", pairs=True)
    assert [(one["level"], one["against"]) for one in found.record["pairs"]] == [("b", "a"), ("c", "a"), ("c", "b")]


def test_which_side_is_better():
    table = examples().rename(columns={"val_loss": "thing"})
    assert "lower than a" in said(compared(table, example="id", score="thing"))
    assert "worse than a" in said(compared(table, example="id", score="thing", higher_is_better=True))
    assert "better than a" in said(compared(table, example="id", score="thing", higher_is_better={"thing": False}))


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("val_loss", "lower"),
        ("eval/accuracy", "higher"),
        ("f1", "higher"),
        ("test-error", "lower"),
        ("valLoss", "lower"),
        ("top_acc5", "higher"),
        ("thing", ""),
    ],
)
def test_names_that_tell_the_side(name, side):
    from diagnose.ablation.results.score_names import better_side

    assert better_side(name) == side


def test_no_effect_is_claimed_only_where_it_is_shown():
    found = compared(examples(effect=0.0), example="id", margin=0.5)
    assert found.record["effects"][0]["equivalent"]
    assert "no effect larger than 0.5" in found.verdict
    assert "no effect larger" not in compared(examples(effect=0.0), example="id", margin=0.001).verdict


def test_each_score_has_a_margin_in_its_own_unit():
    table = examples(effect=0.0)
    table["doubled"] = 2 * table.val_loss
    several = compared(table, example="id", score=["val_loss", "doubled"], margin={"val_loss": 0.5, "doubled": 0.001})
    assert [(one["metric"], one["margin"], one["equivalent"]) for one in several.record["effects"]] == [
        ("val_loss", 0.5, True), ("doubled", 0.001, False),
    ]  # fmt: skip
    one = compared(table, example="id", score=["val_loss", "doubled"], margin={"doubled": 1.0})
    assert [effect["margin"] for effect in one.record["effects"]] == [None, 1.0]


@pytest.mark.parametrize(
    ("margin", "told"),
    [
        (0.5, "--margin 0.5: 2 scores are compared, each in its own unit: val_loss=SIZE,doubled=SIZE"),
        ({"val_los": 0.5}, "--margin val_los: no such score is compared; did you mean 'val_loss'?"),
        ({"doubled": 0.0}, "--margin 0: above 0, in the score's own unit"),
    ],
)
def test_margins_that_are_none(margin, told):
    table = examples(effect=0.0)
    table["doubled"] = 2 * table.val_loss
    with pytest.raises(DiagnoseError) as caught:
        compared(table, example="id", score=["val_loss", "doubled"], margin=margin)
    assert str(caught.value) == told


def test_seeds_that_all_agree_give_no_interval():
    runs = pd.DataFrame([(a, s, {"a": 0.98, "b": 0.99}[a]) for a in "ab" for s in range(3)], columns=["m", "s", "acc"])
    found = compare_scores(runs, arm="m", seed="s", score="acc")
    assert found.record["effects"][0]["low"] is None
    assert "without an interval: all seeds give the same difference" in found.verdict


def test_the_very_same_scores_are_a_warning():
    table = examples("a")
    found = compared(pd.concat([table, table.assign(model="copy")]), example="id")
    assert "Check that these are different runs" in found.record["notes"][0]


def test_two_seeds_decide_next_to_nothing():
    assert said(compared(by_run(examples(seeds=2)))).startswith("Two seeds an arm decide next to nothing.")


@pytest.mark.parametrize(
    ("factor", "told"),
    [
        (1e-9, "b is 1.0{x}10⁻¹⁰ ± 4{x}10⁻¹¹ better than a."),
        (1e9, "b is 103,828,820 ± 35,527,860 better than a."),
    ],
)
def test_scores_of_any_size_are_shown(factor, told, tmp_path):
    runs = by_run(examples()).assign(val_loss=lambda t: t.val_loss * factor)
    by_arm = runs.pivot_table(index="seed", columns="model", values="val_loss")
    right = peers.ttest_rel(by_arm.b, by_arm.a).confidence_interval()
    found = compared(runs)
    (effect,) = found.record["effects"]
    assert (effect["low"], effect["high"]) == pytest.approx((right.low, right.high), rel=1e-6, abs=0)
    assert said(found).endswith(told.format(x="\N{MULTIPLICATION SIGN}"))
    page = found.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "0.000000" not in page
    assert "±0.000" not in page


def test_a_seed_that_one_arm_lacks_is_said():
    runs = by_run(examples())
    found = compared(runs.drop(runs[(runs.model == "b") & (runs.seed == 3)].index))
    by_arm = runs[runs.seed < 3].pivot_table(index="seed", columns="model", values="val_loss")
    assert found.record["effects"][0]["value"] == pytest.approx((by_arm.b - by_arm.a).mean())
    (note,) = found.record["notes"]
    assert note.startswith("Not in the table: b seed 3. Differences are paired by seed")
    assert not compared(runs).record["notes"]


def test_the_words_of_the_verdict():
    """As pinned as a golden: what a reader is told of three arms, two scores, clusters."""
    found = compared(examples("abc"), example="id", cluster="passage", score=["val_loss", "acc"])
    assert said(found) == (
        "Over 4 seeds an arm and 60 examples: in val_loss, c is 0.201 ± 0.028 better and b 0.10 ± 0.07 better than a. "
        "In acc, no arm is told from a."
    )


def test_a_record_a_frame_a_page(tmp_path):
    found = compared(examples("abc"), example="id")
    frame = found.to_frame()
    assert list(frame.level) == ["b", "c"]
    assert frame.resolved.all()
    assert json.loads(json.dumps(found.record)) == found.record
    page = found.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "crossed random effects" in page
    assert "<svg" in page
    assert "bits per byte</" not in page
    assert found.findings == []
    assert "Effects against a" in found.to_markdown()


BAD = {
    "no such column": (examples(), {"score": "val_los"}, "did you mean 'val_loss'?"),
    "twice the same": (examples(), {"example": "id", "cluster": "id"}, "the column id is asked for twice"),
    "one arm": (examples("a"), {"example": "id"}, "takes two arms, and there is one: a"),
    "an arm with one seed": (by_run(examples())[:5], {}, "b has one seed, so how far its seeds lie apart is not known"),
    "a seed that is named twice": (
        by_run(examples())[:6].assign(seed=[0, 1, 2, 3, 0, 0]), {}, "2 rows at model b and seed 0: a run is one row",
    ),
    "rows that are examples": (examples(), {}, "60 rows at model a and seed 0: a run is one row"),
    "twice a cell": (pd.concat([examples(), examples()[:2]]), {"example": "id"}, "two scores of one example"),
    "nothing": (examples()[:0], {}, "the table has no rows"),
    "words": (by_run(examples()).assign(val_loss="good"), {}, "'good' is no number"),
    "an arm without name": (by_run(examples()).assign(model=["a"] * 4 + [None] * 4), {}, "4 rows of the table have no"),
    "epochs as examples": (examples().rename(columns={"id": "epoch"}), {"example": "epoch"}, "are no examples"),
    "no such level": (examples(), {"example": "id", "levels": ["a", "x"]}, "the table has no such arm"),
    "cluster of nothing": (by_run(examples()).assign(k=1), {"cluster": "k"}, "name their column with --example"),
    "one cluster": (examples().assign(k=1), {"example": "id", "cluster": "k"}, "all examples lie in one k"),
    "two clusters": (
        examples().assign(k=lambda t: t.id + t.seed), {"example": "id", "cluster": "k"}, "lies in two",
    ),
    "a margin of nothing": (examples(), {"example": "id", "margin": 0.0}, "above 0"),
    "a margin of two units": (
        examples(), {"example": "id", "margin": 0.1, "score": ["val_loss", "acc"]}, "each in its own unit",
    ),
    "no shared examples": (
        examples().assign(id=lambda t: t.id + 1000 * (t.model == "b")), {"example": "id"}, "scored in every run",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused_in_one_line(case):
    table, more, told = BAD[case]
    with pytest.raises(DiagnoseError) as caught:
        compared(table, **more)
    assert told in str(caught.value).replace("\xa0", " ")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == MISTAKE


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number(value):
    table = examples()
    table.loc[65, "val_loss"] = value
    with pytest.raises(
        DiagnoseError, match=r"1 of 480.scores of val_loss is missing or not finite, the first at model a"
    ):
        compared(table, example="id")


def run(*words):
    from diagnose.cli import app

    return CliRunner().invoke(app, ["compare", *map(str, words)])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, table = tmp_path_factory.mktemp("tables"), examples()
    table.to_csv(folder / "t.csv", index=False)
    table.to_csv(folder / "t.tsv", index=False, sep="\t")
    table.to_parquet(folder / "t.parquet")
    table.to_json(folder / "t.jsonl", orient="records", lines=True)
    for arm, rows in by_run(table).groupby("model"):
        rows.drop(columns="model").to_csv(folder / f"{arm}.csv", index=False)
    return folder


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "jsonl"])
def test_every_kind_of_file_says_the_same(files, kind, tmp_path):
    options = ("--arm", "model", "--seed", "seed", "--example", "id", "--scores", "val_loss,acc")
    shown = run(files / f"t.{kind}", *options, "--json", "--out", tmp_path)
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    direct = compared(examples(), example="id", score=["val_loss", "acc"]).record
    assert [one["low"] for one in found["effects"]] == pytest.approx([one["low"] for one in direct["effects"]])
    assert found["verdict"] == direct["verdict"]
    assert (tmp_path / f"compare-t.{kind}.html").exists()


def test_a_file_an_arm(files, tmp_path):
    shown = run(files / "a.csv", files / "b.csv", "--seed", "seed", "--score", "val_loss", "--out", tmp_path)
    assert shown.exit_code == 0, shown.output
    assert "b is " in shown.output
    assert "than a" in shown.output


def test_the_terminal_markdown_and_the_page(files, tmp_path):
    options = (files / "t.csv", "--arm", "model", "--seed", "seed", "--example", "id", "--score", "val_loss")
    shown = run(*options, "--out", tmp_path)
    assert max(map(len, shown.output.splitlines())) <= 100
    assert shown.output.rstrip().endswith("compare-t.csv.html")
    assert run(*options, "--markdown", "--out", tmp_path).output.startswith("**Over 4")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("t.csv",), "name columns of t.csv with --arm and --score: it has model, seed, id, passage, val_loss and acc"),
        (("t.csv", "--arm", "modell", "--score", "acc"), "did you mean 'model'?"),
        (("many.csv", "--arm", "a"), "c18, c19 and 5 more"),
        (("chart.csv", "--score", "loss"), "it is a chart's export of W&B, a column a run: export the table of runs"),
        (("gone.csv", "--arm", "a", "--score", "b"), "there is no file gone.csv"),
        (("empty.csv", "--arm", "a", "--score", "b"), "it is empty"),
        (("broken.parquet", "--arm", "a", "--score", "b"), "cannot be read as a table"),
        (("broken.jsonl", "--arm", "a", "--score", "b"), "cannot be read as a table"),
        ((".", "--arm", "a"), "holds no results of"),
    ],
)
def test_what_the_command_refuses_in_one_line(files, words, told, monkeypatch, tmp_path):
    (files / "empty.csv").write_text("")
    (files / "many.csv").write_text(",".join(f"c{place}" for place in range(25)))
    (files / "chart.csv").write_text('"Step","sun-1 - loss","sun-1 - loss__MIN","sun-1 - loss__MAX"\n1,2,2,2\n')
    (files / "broken.parquet").write_bytes(b"PAR1 and no more")
    (files / "broken.jsonl").write_text('{"a": 1}\n{"a"')
    monkeypatch.chdir(files)
    shown = run(*words, "--out", tmp_path)
    assert isinstance(shown.exception, DiagnoseError)
    assert told in str(shown.exception)
    assert "\n" not in str(shown.exception)


def test_seeds_in_the_order_of_their_numbers():
    runs = by_run(examples(seeds=12))
    assert compared(runs).record["arms"][0]["seeds"] == [str(k) for k in range(12)]


def test_a_score_of_true_and_false():
    table = examples().assign(right=lambda t: t.acc == 1)
    one, other = (compared(table, example="id", score=name).record for name in ("right", "acc"))
    assert one["effects"][0]["low"] == pytest.approx(other["effects"][0]["low"])
    assert one["metrics"][0]["kind"] == "binary"


def test_names_of_strangers_are_inert(tmp_path):
    table = examples().replace({"model": {"a": "<script>alert(1)</script>", "b": "x\u202e{} [arm] **b**"}})
    table = table.rename(columns={"val_loss": "<b>loss</b> {}"})
    found = compared(table, example="id", score="<b>loss</b> {}", pairs=True)
    page = found.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<b>loss" not in page
    assert "\u202e" not in page
    assert "\u202e" not in str(found) + found.to_markdown()


NAMES = st.sampled_from(["a", "b", "c", "1", " a", ""])
ROW = st.tuples(
    NAMES, st.sampled_from([0, 1, 2, 1.0, "x", None]), st.integers(0, 6), st.integers(0, 2),
    st.sampled_from([0.0, 1.0, 0.5, -3.0, 1e300, float("nan"), "7", "word", None, True]),
)  # fmt: skip


@given(st.lists(ROW, max_size=60), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_any_table_is_compared_or_refused_in_a_line(rows, with_seed, with_example, with_cluster, clean):
    if clean:
        rows = [(arm or "a", seed, n, n // 2, float(score) if isinstance(score, float) and abs(score) < 9 else 0.25)
                for arm, seed, n, _, score in dict.fromkeys(rows)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["model", "seed", "id", "passage", "val_loss"])
    more = {"seed": "seed" if with_seed else None, "example": "id" if with_example else None}
    try:
        found = compared(table, **more, cluster="passage" if with_cluster else None)
    except DiagnoseError as error:
        assert "\n" not in str(error)  # noqa: PT017  (what is refused is as good)
        return
    for effect in found.record["effects"]:
        assert effect["low"] is None or effect["low"] <= effect["value"] <= effect["high"]
        assert not effect["resolved"] or len(found.record["arms"][0]["seeds"]) > 1
    assert str(found)


def test_where_no_margin_is_known_a_tiny_effect_is_said_by_what_it_excludes():
    table = pd.DataFrame(
        {"model": list("aaabbb"), "seed": [1, 2, 3] * 2, "acc": [0.701, 0.72, 0.689, 0.699, 0.713, 0.699]}
    )  # b - a: -0.002, -0.007, +0.010, so 0.00033 ± 0.0216 by t with two degrees of freedom
    found = compared(table, score="acc")
    assert found.to_frame().high[0] == pytest.approx(0.00033 + 0.0216, abs=2e-4)
    assert said(found).endswith("Not resolved; effects beyond 0.022 are excluded.")
    assert "effects beyond 0.022 are excluded, and about" in said(compared(table, score="acc", margin=0.005))


class TestSeedsInNames:
    @pytest.mark.parametrize("names", ["wd{arm}_s{seed}", "wd{arm}-seed{seed}", "{arm}/{seed}"])
    def test_names_of_runs_are_parted_into_arm_and_seed(self, names, tmp_path):
        rows = [(names.format(arm=arm, seed=seed), 1 + float(arm) + 0.01 * seed) for arm in ("0.1", "0.3")
                for seed in range(4)]  # fmt: skip
        pd.DataFrame(rows, columns=["run", "val_loss"]).to_csv(tmp_path / "names.csv", index=False)
        done = run(tmp_path / "names.csv", "--arm", "run", "--score", "val_loss", "--json")
        record = json.loads(done.stdout)
        assert [arm["seeds"] for arm in record["arms"]] == [["0", "1", "2", "3"]] * 2
        assert record["design"]["seeds_paired"]
        assert record["effects"][0]["value"] == pytest.approx(0.2)
        assert any("was read from the runs' names" in note for note in record["notes"])

    def test_sizes_are_no_seeds(self, tmp_path):
        rows = [("vit-16", 1.0), ("vit-32", 1.1), ("resnet-50", 1.2)]
        pd.DataFrame(rows, columns=["run", "val_loss"]).to_csv(tmp_path / "names.csv", index=False)
        done = run(tmp_path / "names.csv", "--arm", "run", "--score", "val_loss", "--json")
        assert [arm["level"] for arm in json.loads(done.stdout)["arms"]] == ["vit-16", "vit-32", "resnet-50"]

"""Axes: what each sets, and that what cannot be compared is refused before anything is trained."""

import pytest

from diagnose.ablation import ablate, axes
from diagnose.ablation.design import design
from diagnose.errors import MISTAKE, DiagnoseError
from diagnose.runs import run_tables, runner, store


def refusal(axis, given, levels=None):
    with pytest.raises(DiagnoseError) as caught:
        design([axes.find(axis, levels)], "quick", given, 1, None)
    assert caught.value.exit_code == MISTAKE
    assert "\n" not in str(caught.value)
    return str(caught.value)


BAD = {
    "lr=1e-3,1e-2": "--axis lr is no axis, but the key optimizer.lr is: --axis optimizer.lr=1e-3,1e-2",
    "optimizer.lr": "--axis optimizer.lr lacks its levels: --axis optimizer.lr=value1,value2",
    "lrr=1,2": "unknown axis 'lrr'",
    "optimizer.lrr=1,2": "unknown key optimizer.lrr; did you mean 'lr'?",
    "optimiser.lr=1,2": "unknown table [optimiser]; did you mean 'optimizer'?",
    "model.dropuot=0,0.1": "model.dropuot: no arm's network takes it; did you mean 'dropout'?",
    "optimizer.weight_decay=0.1,much": "optimizer.weight_decay = 'much': input should be a valid number",
    "loss.label_smoothing=0.1,2,3": "loss.label_smoothing = 2: input should be less than 1; loss.label_smoothing = 3",
    "model.bias=true,maybe,true": "given a level twice: true, maybe, true",
    "loss.padding=ignore,target": "loss.padding would have no effect: the loader packed pads nothing",
    "data.reserve=0.01,0.02": "data.reserve would have no effect",
    "run.seed=0,1": "run.seed cannot vary between arms: seeds pair the arms; the noise floor is --axis seed",
    "data.path=a,b": "data.path cannot vary between arms: arms that read other text cannot be compared",
    "data.documents=line,file": "data.documents cannot vary between arms",
    "data.split_seed=0,1": "data.split_seed cannot vary between arms: its arms would be scored on other documents",
    "data.split=tail,documents": "--axis split has all arms reserve and score the same",
    "optimizer.lr=0.001,1e-3": "0.001 and 1e-3 come to the same recipe; for the noise floor use --axis seed",
    "optimizer.lr=1e-3": "the axis optimizer.lr needs two levels to compare, not 1",
    "optimizer.lr=": "the axis optimizer.lr needs two levels to compare, not 0",
    "about.x=1,2": "'about.x' is no table.key",
    "=1,2": "unknown axis ''",
    "dropout=0,much": "the axis dropout has no level 'much'; known are 0.0, 0.1, 0.2",
    "seed=a,1": "the axis seed has no level '1'",
    "tokenizer=char,words": "the axis tokenizer has no level 'words'; did you mean 'word'?",
}


@pytest.mark.parametrize("axis", BAD)
def test_what_cannot_be_an_axis_is_told_in_one_line(axis, tiny):
    assert BAD[axis] in refusal(axis, tiny)


def test_a_value_that_the_network_refuses_names_it(tiny):
    given = {key: value for key, value in tiny.items() if key != "model.width"}
    assert "width 33 cannot be divided among 2 heads" in refusal("model.width=32,33", given)
    assert refusal("model.width=32,wide", given).endswith("model.width = 'wide', where the default is 128")
    given = {key: value for key, value in tiny.items() if key != "model.activation"}
    assert "model.activation = 3, where the default is 'gelu'" in refusal("model.activation=relu,3", given)


def test_levels_may_be_named_with_the_axis():
    assert list(axes.find("tokenizer=bpe,char").levels) == ["bpe", "char"]
    assert axes.find("tokenizer", "bpe,char") == axes.find("tokenizer=bpe,char")
    assert axes.find("tokenizer", ["bpe", "char"]) == axes.find("tokenizer=bpe,char")


@pytest.mark.parametrize(
    ("axis", "levels"),
    [
        ("dropout=0,0.3", {"0.0": {"model.dropout": 0.0}, "0.3": {"model.dropout": 0.3}}),
        ("batch-size=8,16", {"8": {"batches.size": 8}, "16": {"batches.size": 16}}),
        ("epochs=0.5,1", {"0.5": {"budget.epochs": 0.5}, "1.0": {"budget.epochs": 1.0}}),
    ],
)
def test_an_axis_of_numbers_takes_any(axis, levels):
    assert axes.find(axis).levels == levels


@pytest.mark.parametrize(
    ("axis", "told"),
    [
        ("dropout=0,nan", "model.dropout = nan: input should be a finite number"),
        ("dropout=0,1.5", "dropout of 1.5 is outside [0, 1)"),
        ("batch-size=8,32.5", "batches.size = 32.5: input should be a valid integer"),
    ],
)
def test_a_number_that_the_recipe_refuses_names_it(axis, told, tiny):
    assert told in refusal(axis, {key: tiny[key] for key in tiny.keys() - {"model.dropout", "batches.size"}})


@pytest.mark.parametrize("seeds", ["three", 0, [0, 1]])
def test_seeds_that_are_no_number_are_told_in_one_line(seeds, tiny):
    with pytest.raises(DiagnoseError, match=r"--seeds .*: give at least one"):
        ablate.ablate("tokenizer", levels=["char", "word"], seeds=seeds, overrides=tiny)


def test_a_value_may_be_a_list():
    found = axes.find("optimizer.betas=[0.9, 0.95],[0.9,0.99]")
    assert [values["optimizer.betas"] for values in found.levels.values()] == [[0.9, 0.95], [0.9, 0.99]]


def test_precision_varies_though_arms_share_what_auto_comes_to(tiny):
    plan = design([axes.find("run.precision=fp32,bf16")], "quick", tiny, 1, None)
    assert [arm.first.recipe.run.precision for arm in plan.arms] == ["fp32", "bf16"]


def test_any_key_is_an_axis(tiny, tmp_path, quick_probes):
    given = {key: value for key, value in tiny.items() if key != "model.dropout"}
    found = ablate.ablate("model.dropout=0,0.3", seeds=2, overrides=given, runs=tmp_path)
    summary = store.read_json(found / "summary.json")
    (effect,) = summary["effects"]
    assert effect["low"] <= effect["value"] <= effect["high"]
    assert summary["arms"][1]["levels"] == {"model.dropout": "0.3"}
    rates = [store.recipe_of(tmp_path / arm["runs"][0]).model.settings()["dropout"] for arm in summary["arms"]]
    assert rates == [0, 0.3]


def test_arms_of_the_axis_split_reserve_and_score_the_same_documents(tiny, tmp_path, quick_probes):
    found = ablate.ablate("split", seeds=2, overrides=tiny | {"budget.steps": 6}, runs=tmp_path)
    summary = store.read_json(found / "summary.json")
    assert [arm["level"] for arm in summary["arms"]] == ["documents", "tail", "windows"]
    for effect in summary["effects"]:
        assert effect["low"] <= effect["value"] <= effect["high"]
    paths = [tmp_path / run for arm in summary["arms"] for run in arm["runs"]]
    assert len({tuple(run_tables.read_table(path, "validation").document) for path in paths}) == 1
    splits = [store.read_json(path / "environment.json")["split"] for path in paths]
    assert {(split["scored"], split["scored_documents"]) for split in splits} == {("reserve", 15)}
    assert "size of the training text" in {row["what"] for row in summary["changed"]}


def test_arms_whose_training_text_holds_what_they_are_scored_on_say_so(tiny, tmp_path, quick_probes):
    given = tiny | {"budget.steps": 3}
    found = ablate.ablate("data.duplicates=0.0,0.5", seeds=1, overrides=given, runs=tmp_path)
    rows = {row["what"]: row["per_arm"] for row in store.read_json(found / "summary.json")["changed"]}
    (held,) = [per_arm for what, per_arm in rows.items() if what.startswith("scored documents")]
    assert held["0.5"] - held["0.0"] >= 7


def test_a_run_of_the_axis_split_is_repeated_by_its_own_recipe(tiny, tmp_path, quick_probes):
    given = tiny | {"data.split": "tail", "data.scored": "reserve", "budget.steps": 3}
    first = runner.train("quick", given, runs=tmp_path)
    second = runner.train(first / "recipe.toml", runs=tmp_path)
    digests = [store.read_json(path / "environment.json")["digest"] for path in (first, second)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batches.loader": "packed"}, "batches.loader: set by the axis split itself"),
        ({"data.scored": "val"}, "data.scored: set by the axis split itself"),
        ({"data.duplicates": 0.5}, "data.duplicates copies validation documents, of which the split windows has none"),
        ({"report.val_loader": "packed"}, "the split windows has no validation documents of its own|val_loader"),
    ],
)
def test_what_the_axis_split_sets_is_left_to_it(given, said, tiny):
    assert any(words in refusal("split", tiny | given) for words in said.split("|"))


def test_the_axis_split_needs_documents_to_keep_aside(tiny, tmp_path):
    (tmp_path / "few.txt").write_text("a line of some words\n" * 9)
    said = refusal("split", tiny | {"data.path": str(tmp_path / "few.txt")})
    assert "data.scored = reserve keeps one in ten unseen and so needs at least 10" in said

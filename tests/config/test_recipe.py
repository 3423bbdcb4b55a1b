import math
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.config.recipe import BudgetConfig, Recipe, parse_settings, refuse_unused, shipped, unused
from diagnose.errors import MISTAKE, DiagnoseError

PLAIN = "input should be a finite number, text, true, false, or a list or table of them"


def refusal(overrides, source="quick"):
    with pytest.raises(DiagnoseError) as caught:
        Recipe.load(source, overrides)
    assert caught.value.exit_code == MISTAKE
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("batches.loder", "packed", "unknown key batches.loder; did you mean 'loader'?"),
        ("batches.lr", 1, "unknown key batches.lr; known are accumulate, context, loader, mask, order, size"),
        ("batch.size", 3, "unknown table [batch]; did you mean 'batches'?"),
        ("batches.loader", "pakced", "'pakced' is not known: packed, padded, windows; did you mean 'packed'?"),
        ("batches.loader", 3, "batches.loader = 3 is not known: packed, padded, windows"),
        ("batches.size", 0, "batches.size = 0: input should be greater than or equal to 1"),
        ("batches.size", "8", "batches.size = '8': input should be a valid integer"),
        ("batches.size", 8.5, "batches.size = 8.5: input should be a valid integer"),
        ("batches.size", True, "batches.size = True: input should be a valid integer"),
        ("optimizer.lr", True, "optimizer.lr = True: input should be a number"),
        ("optimizer.lr", -1, "optimizer.lr = -1: input should be greater than 0"),
        ("optimizer.lr", math.nan, "optimizer.lr = nan: input should be"),
        ("optimizer.lr", math.inf, "optimizer.lr = inf: input should be a finite number"),
        ("optimizer.warmup", math.nan, "optimizer.warmup = nan: input should be"),
        ("optimizer.betas", [0.9], "optimizer.betas = [0.9]: field required"),
        ("optimizer.betas", [0.9, 1.0], "optimizer.betas = [0.9, 1.0]: input should be less than 1"),
        ("optimizer.betas", 0.9, "optimizer.betas = 0.9: input should be a valid tuple"),
        ("data.val_fraction", 0.0, "data.val_fraction = 0.0: input should be greater than 0"),
        ("report.sample", "maybe", "report.sample = 'maybe': input should be a valid boolean"),
        ("run.threads", 10**12, "run.threads = 1000000000000: input should be less than or equal to 4096"),
        pytest.param("run.threads", 10**5000, "run.threads = a number without end: input should be", id="endless"),
        ("run.seed", -1, "run.seed = -1: input should be greater than or equal to 0"),
        ("data.corpus", "file", 'data.corpus = "file" needs data.path (or --data FILE)'),
        ("data.split", "windows", 'data.split = "windows" divides single samples and needs batches.loader = "windows"'),
        ("budget.stps", 3, "unknown key budget.stps; did you mean 'steps'?"),
        ("budget.steps", 1.0, "budget.steps = 1.0: input should be a valid integer"),
        ("budget.epochs", 0, "budget.epochs = 0: input should be greater than 0"),
        ("model.name", 3, "model.name = 3: input should be a valid string"),
        ("model.x", "\udcff", f"model.x = '\\udcff': {PLAIN}"),
        ("model.x", math.inf, f"model.x = inf: {PLAIN}"),
        ("model.x", [1.0, math.nan], f"model.x = [1.0, nan]: {PLAIN}"),
        ("model.x", {"a": [None]}, f"model.x = {{'a': [None]}}: {PLAIN}"),
        ("tokenizer.path", "\udcff", "tokenizer.path = '\\udcff': input should be valid Unicode"),
        ("run", 3, "'run' is no table.key"),
        ("about.x", 3, "'about.x' is no table.key"),
        ("a\nb.c", 3, "unknown table [a\\nb]; known are"),
    ],
)
def test_a_mistake_is_one_line_with_the_key_and_what_is_allowed(key, value, said):
    assert said in refusal({key: value})


def test_several_mistakes_are_told_together():
    overrides = {
        "batches.loader": "bogus", "optimizer.lrr": 3, "optimizer.lr": -1, "bugdet.steps": 1,
        "budget.steps": 2, "budget.text": 3.0,
    }  # fmt: skip
    said = refusal(overrides).split("; ")
    for part in (
        "two budgets are given (budget.steps and budget.text)",
        "batches.loader = 'bogus' is not known: packed, padded, windows",
        "unknown key optimizer.lrr",
        "did you mean 'lr'?",
        "optimizer.lr = -1: input should be greater than 0",
        "unknown table [bugdet]",
        "did you mean 'budget'?",
    ):
        assert part in said


UNUSED = {
    "data.path": ("x", {}),
    "data.documents": ("paragraph", {}),
    "data.reserve": (0.05, {}),
    "data.scored": ("reserve", {"data.split": "windows", "batches.loader": "windows"}),
    "data.split_seed": (3, {"data.split": "tail"}),
    "tokenizer.kind": ("bpe", {"tokenizer.path": "t.json"}),
    "tokenizer.vocab_size": (500, {"tokenizer.path": "t.json"}),
    "batches.mask": ("document", {"batches.loader": "padded"}),
    "loss.padding": ("target", {}),
    "optimizer.lr_reference_tokens": (1000, {}),
    "optimizer.lr_floor": (0.2, {"optimizer.schedule": "constant"}),
    "report.val_batches": (3, {"report.val": "full"}),
    "report.val_padding": ("target", {}),
}


@pytest.mark.parametrize("key", UNUSED)
def test_a_key_that_would_have_no_effect_is_refused(key):
    value, others = UNUSED[key]
    assert f"{key} would have no effect: " in refusal({key: value, **others})


@pytest.mark.parametrize(
    ("key", "others"),
    [
        ("data.reserve", {"data.duplicates": 0.5}),
        ("data.reserve", {"data.scored": "reserve"}),
        ("data.split_seed", {"data.split": "tail", "data.duplicates": 0.5}),
        ("batches.mask", {"batches.loader": "padded", "report.val_loader": "packed"}),
        ("report.val_padding", {"report.val_loader": "padded"}),
    ],
)
def test_a_key_that_has_an_effect_after_all_is_kept(key, others):
    value, _ = UNUSED[key]
    recipe = Recipe.load("quick", {key: value, **others})
    table, name = key.split(".")
    assert recipe.tables()[table][name] == value
    assert recipe.digest() != Recipe.load("quick", others).digest()


def test_a_key_is_only_refused_where_no_arm_uses_it():
    padded, packed = (Recipe.load("quick", {"batches.loader": loader}) for loader in ("padded", "packed"))
    refuse_unused([packed, padded], ["loss.padding"])
    with pytest.raises(DiagnoseError, match=r"loss\.padding would have no effect"):
        refuse_unused([packed, packed], ["loss.padding", "batches.size"])


def test_what_a_recipe_merely_carries_changes_nothing():
    plain = Recipe.load("quick")
    carried = plain.model_copy(update={"data": plain.data.model_copy(update={"documents": "file", "reserve": 0.05})})
    assert carried.digest() == plain.digest()
    assert carried.to_toml() == plain.to_toml()


@pytest.mark.parametrize("name", shipped())
def test_a_recipe_that_ships_repeats_itself_from_its_own_file(name, tmp_path):
    recipe = Recipe.load(name)
    assert len(recipe.about) > 40
    for key in recipe.assumptions:  # a misspelt one would go unnoticed
        table, _, setting = key.partition(".")
        assert table == "model" or setting in type(getattr(recipe, table)).model_fields
    path = tmp_path / "recipe.toml"
    path.write_text(recipe.to_toml(), encoding="utf-8")
    again = Recipe.load(path)
    assert (again.digest(), again.tables(), again.to_toml()) == (recipe.digest(), recipe.tables(), recipe.to_toml())
    assert (again.about, again.assumptions) == (recipe.about, recipe.assumptions)


def test_the_recipes_of_the_issue_ship():
    assert {"quick", "first-user", "gpt2-scaled", "nanogpt-cpu"} <= set(shipped())


def test_every_key_but_the_words_about_it_changes_the_digest():
    plain = Recipe.load("quick", {"batches.loader": "padded"})
    others = {"optimizer.lr": 1e-4, "run.seed": 1, "model.width": 64, "model.unheard_of": 1, "budget.text": 2.0,
              "loss.padding": "target", "report.val_dropout": True}  # fmt: skip
    digests = {plain.with_values({key: value}).digest() for key, value in others.items()} | {plain.digest()}
    assert len(digests) == len(others) + 1
    assert plain.model_copy(update={"about": "other words", "assumptions": ("x",)}).digest() == plain.digest()
    assert plain.digest("another corpus") != plain.digest() == plain.digest()


def test_a_budget_replaces_the_recipes_own_and_two_in_a_file_are_refused(tmp_path):
    assert Recipe.load("quick", {"budget.steps": 7}).budget == BudgetConfig(steps=7)
    assert Recipe.load("quick", {"budget.steps": 7}).with_values({"budget.epochs": 2}).budget == BudgetConfig(epochs=2)
    assert (BudgetConfig(steps=7).unit(), BudgetConfig(steps=7).amount()) == ("steps", 7.0)
    path = tmp_path / "two.toml"
    path.write_text("[budget]\nsteps = 3\nepochs = 1.0\n[batches]\nsise = 1\n")
    said = refusal({}, path)
    assert "budget: give exactly one of epochs, steps, tokens, text, flops, seconds, not 2" in said
    assert "unknown key batches.sise; did you mean 'size'?" in said
    path.write_text("[budget]\n")
    assert "not 0" in refusal({}, path)
    assert "budget.steps and budget.epochs" in refusal({"budget.steps": 7, "budget.epochs": 2})


def test_none_puts_a_key_back_to_its_default():
    assert Recipe.load("nanogpt-cpu", {"batches.order": None}).batches.order == "shuffled"
    assert Recipe.load("quick", {"budget.steps": None}).budget == Recipe.load("quick").budget
    assert "dropout" not in Recipe.load("quick", {"model.dropout": None}).model.settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budget = 3", "budget = 3: input should be a valid dictionary"),
        ("data = 3", "data = 3: input should be a valid dictionary"),
        ("[[data]]\npath = 'x'", "data = [{'path': 'x'}]: input should be a valid dictionary"),
        ("about = 3", "about = 3: input should be a valid string"),
        ("assumptions = [1]", "assumptions = [1]: input should be a valid string"),
        ("size = 8", "unknown table [size]"),
        ("[data]\npath = 2020-01-01", "data.path = datetime.date(2020, 1, 1): input should be a valid string"),
        ("[model]\nborn = 2020-01-01", f"model.born = datetime.date(2020, 1, 1): {PLAIN}"),
        ("[data]\ncorpus = {}", "data.corpus = {} is not known: akjv, file"),
        ("a = " + "9" * 5000, "is not valid TOML"),
        ("a = " + "[" * 5000, "is not valid TOML"),
        ("[data", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_in_one_line(text, said, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert said in refusal({}, path)


def test_a_recipe_is_found_by_name_or_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("quick").mkdir()  # a folder of that name hides nothing
    assert Recipe.load("quick").digest() == Recipe.load(Path("quick")).digest()
    own = Recipe.load("quick", {"batches.size": 5}).to_toml()
    Path("mine").write_text(own)
    Path("sub").mkdir()
    Path("sub/mine.toml").write_text(own)
    for name in ("mine", "sub/mine.toml", tmp_path / "sub" / "mine.toml", str(tmp_path / "mine")):
        assert Recipe.load(name).batches.size == 5
    assert refusal({}, "qick") == "no recipe 'qick'; did you mean 'quick'? (or give the path of a .toml file)"
    assert refusal({}, "other.toml") == "no recipe file other.toml"
    assert refusal({}, "sub") == f"no recipe 'sub'; known are {', '.join(shipped())} (or give the path of a .toml file)"
    for name in ("sub/", "./sub", "\0", "\0.toml", "x" * 300, "x" * 300 + ".toml", "", "/"):
        refusal({}, name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("32", 32), ("1_000", 1000), ("1e-3", 1e-3), (".1", 0.1), ("1.", 1.0), ("-.5e1", -5.0), ("true", True),
        ("True", True), ("False", False), ("[0.9, 0.95]", [0.9, 0.95]), ('"32"', "32"), ("word", "word"),
        ("a/b.toml", "a/b.toml"), ("C:\\x", "C:\\x"), ("", ""), ("[1", "[1"), ("1\nb = 2", "1\nb = 2"), ("=", "="),
        ("9" * 5000, "9" * 5000), ("[" * 5000, "[" * 5000), (" 8 ", 8),
    ],
)  # fmt: skip
def test_a_value_is_read_as_toml_or_python_or_text(text, value):
    read = parse_settings([f"a.b={text}"])
    assert read == {"a.b": value}
    assert type(read["a.b"]) is type(value)


def test_settings_that_are_none_are_told_together():
    with pytest.raises(DiagnoseError) as caught:
        parse_settings(["size=3", "batches.size", "a.b=1", "a.b=2", "=", "x\ny"])
    said = str(caught.value)
    assert "'size=3' is no setting; write table.key=value, for instance batches.size=32; 'batches.size' is" in said
    assert "a.b is set twice" in said
    assert "'=' is no setting" in said
    assert "\n" not in said


def one_line_or(make):
    """Return what a function makes; None where it refuses in one line."""
    try:
        return make()
    except DiagnoseError as error:
        said = str(error)
    assert "\n" not in said
    return None


def keys():
    """Return every key of a recipe with its type's name."""
    tables = {n: f.annotation for n, f in Recipe.model_fields.items() if hasattr(f.annotation, "model_fields")}
    return sorted(f"{table}.{name}" for table, kind in tables.items() for name in kind.model_fields)


WORDS = ["packed", "padded", "windows", "file", "tail", "documents", "random", "none", "document", "target", "full"]
VALUES = st.one_of(
    st.sampled_from([*WORDS, "training", "batch", "sequence", "bf16", "fp32", "auto", "linear", "constant", "word"]),
    st.integers(0, 64), st.integers(), st.floats(0, 1, exclude_min=True), st.floats(), st.booleans(), st.none(),
    st.text(max_size=5), st.lists(st.floats(0, 0.99), min_size=2, max_size=2), st.dictionaries(st.text(), st.none()),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(keys()), st.sampled_from(["model.layers", "model.x", "model.bias"]), st.text(max_size=8)
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(shipped()), st.dictionaries(KEYS, VALUES, max_size=4))
def test_whatever_is_overridden_gives_a_recipe_that_repeats_itself_or_one_line(name, overrides):
    recipe = one_line_or(lambda: Recipe.load(name, overrides))
    if recipe is None:
        return
    again = Recipe.model_validate(tomllib.loads(recipe.to_toml()))
    assert again.tables() == recipe.tables()
    assert again.digest() == recipe.digest() == recipe.with_values({}).digest()
    assert not {f"{t}.{k}" for t, rows in again.tables().items() for k in rows} & unused(recipe).keys()
    assert recipe.budget.amount() > 0


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=12) | st.from_regex(r"[a-z]{1,6}\.[a-z_]{1,8}=.{0,12}", fullmatch=True), max_size=4))
def test_whatever_is_given_as_a_setting_is_read_or_refused_in_one_line(pairs):
    read = one_line_or(lambda: parse_settings(pairs))
    assert read is None or len(read) == len(pairs)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_key_overrules_a_files(order, tmp_path):
    file = tmp_path / "some.toml"
    file.write_text("[optimizer]\nlr = 1e-3\nclip = 2.0\n")
    given = (str(file), "optimizer.lr=5e-4")
    assert parse_settings([given[place] for place in order]) == {"optimizer.lr": 5e-4, "optimizer.clip": 2.0}
    with pytest.raises(DiagnoseError, match=r"optimizer\.lr is set twice"):
        parse_settings([str(file), str(file)])

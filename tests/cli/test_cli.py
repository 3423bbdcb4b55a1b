"""The command line: bad input gives one clear line, exit code 2 and nothing written; results go to standard output."""

import json
import os
import shlex
import subprocess
import sys

import pytest
import typer

from diagnose.cli import app

GROUP = typer.main.get_command(app)
COMMANDS = list(GROUP.commands)
TINY = ["model.layers=1", "model.width=32", "model.heads=2", "batches.size=8", "batches.context=32", "run.threads=1"]


def sets(*pairs):
    return [part for pair in pairs for part in ("--set", pair)]


BAD = {
    "unknown axis": (["ablate", "--axis", "tokeniser"], "did you mean 'tokenizer'"),
    "unknown level": (["ablate", "--axis", "tokenizer", "--levels", "char,words"], "did you mean 'word'"),
    "one level": (["ablate", "--axis", "tokenizer", "--levels", "char"], "two levels"),
    "level twice": (["ablate", "--axis", "tokenizer", "--levels", "char,char"], "twice"),
    "no seeds": (["ablate", "--axis", "tokenizer", "--seeds", "0"], "at least one"),
    "hold": (["ablate", "--axis", "tokenizer", "--hold", "txt"], "did you mean 'text'"),
    "axis sets the key": (["ablate", "--axis", "tokenizer", *sets("tokenizer.kind=bpe")], "set by the axis"),
    "axis of an unknown key": (["ablate", "--axis", "optimizer.lrr=1,2"], "did you mean 'lr'"),
    "hold with an axis of budgets": (["ablate", "--axis", "epochs", "--hold", "text"], "nothing can be held equal"),
    "untuned without networks": (["ablate", "--axis", "activation", "--untuned"], "no axis compares networks"),
    "levels of several axes": (["ablate", "--axis", "seed", "--axis", "masking", "--levels", "a,b"], "--axis name="),
    "axes of one key": (["ablate", "--axis", "loader", "--axis", "split"], "both set batches.loader"),
    "axis of the seed": (["ablate", "--axis", "run.seed=0,1"], "--axis seed"),
    "no axis": (["ablate"], "--axis"),
    "unknown recipe": (["train", "--recipe", "quik"], "did you mean 'quick'"),
    "unknown table": (["train", *sets("modle.layers=2")], "did you mean 'model'"),
    "unknown key": (["train", *sets("batches.sise=2")], "did you mean 'size'"),
    "unknown value": (["train", *sets("tokenizer.kind=chars")], "did you mean 'char'"),
    "unknown model key": (["train", *sets("model.layrs=2")], "did you mean 'layers'"),
    "unknown model": (["train", *sets("model.name=gtp")], "did you mean 'gpt'"),
    "negative": (["train", *sets("batches.size=-1")], "greater than or equal to 1"),
    "width and heads": (["train", *sets("model.width=65", "model.heads=2")], "heads"),
    "two budgets": (["train", *sets("budget.steps=2", "budget.seconds=3")], "two budgets"),
    "unused key": (["train", *sets("loss.padding=target")], "pads nothing"),
    "no setting": (["train", "--set", "steps"], "table.key=value"),
    "vocabulary too small": (["train", *sets("tokenizer.vocab_size=100")], "258"),
    "missing file": (["train", "--data", "nowhere.txt"], "nowhere.txt"),
    "empty file": (["train", "--data", "empty.txt"], "empty"),
    "binary file": (["train", "--data", "binary.txt"], "byte"),
    "one document": (["train", "--data", "one.txt"], "one document"),
    "small corpus": (["train", "--data", "small.txt"], "rows"),
    "no run": (["report", "nowhere"], "nowhere"),
    "no run to sample": (["sample", "runs/latest"], "runs/latest"),
    "device": (["train", *sets("run.device=gpu")], "device"),
    "unknown option": (["train", "--recipee", "quick"], "--help"),
    "unknown command": (["trian"], "--help"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_line_and_writes_nothing(name, diagnose, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "one.txt").write_text("one line")
    (tmp_path / "small.txt").write_text("a line\nanother line\na third\n")
    args, words = BAD[name]
    code, out, err = diagnose(*args)
    assert code == 2, err
    assert out == ""
    assert err.startswith("diagnose: ")
    assert err.count("\n") == 1, err
    assert words in err
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "reports").exists()


def test_all_mistakes_are_told_at_once(diagnose):
    code, _, err = diagnose("train", *sets("tokenizer.knd=char", "batches.size=0", "model.layers=1", "x.y=1"))
    assert code == 2
    assert all(word in err for word in ("tokenizer.knd", "batches.size", "[x]"))


def test_the_help_of_the_application_lists_every_command_under_a_heading(diagnose):
    code, out, _ = diagnose("--help")
    assert code == 0
    assert all(heading in out for heading in ("Explain and check:", "Train and compare:", "List and look up:"))
    assert "..." not in out.split("Explain and check:")[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_three_examples_that_parse(name, diagnose):
    code, out, _ = diagnose(name, "--help")
    assert code == 0
    examples = out.split("Examples:\n")[1].splitlines()
    assert len(examples) == 3
    for example in examples:
        program, command, *arguments = shlex.split(example)
        assert program == "diagnose"
        GROUP.commands[command].make_context(command, arguments)  # raises for an option that there is not


@pytest.mark.parametrize("name", ["train", "ablate"])
def test_short_forms_stand_for_recipe_keys(name, diagnose):
    out = diagnose(name, "--help")[1]
    assert all(f"--set {key}" in out for key in ("optimizer.lr", "batches.size", "run.seed", "run.device"))
    needed = ["--axis", "tokenizer"] if name == "ablate" else []
    code, _, err = diagnose(name, *needed, "--lr", "fast")
    assert (code, "optimizer.lr" in err) == (2, True)
    code, _, err = diagnose(name, *needed, "--lr", "1e-3", "--set", "optimizer.lr=1e-4")
    assert (code, err) == (2, "diagnose: optimizer.lr is set twice\n")


def test_settings_come_from_a_file_and_from_the_environment_too(diagnose, tmp_path, monkeypatch):
    plan = ("ablate", "--axis", "activation", "--dry-run", "--json")
    (tmp_path / "more.toml").write_text("[model]\nlayers = 1\n[budget]\nsteps = 3\n")
    code, out, err = diagnose(*plan, "--set", "more.toml")
    assert code == 0, err
    assert json.loads(out)["arms"][0]["steps"] == 3
    monkeypatch.setenv("DIAGNOSE_SET", "budget.steps=4 model.layers=1")
    assert json.loads(diagnose(*plan)[1])["arms"][0]["steps"] == 4


@pytest.mark.parametrize(("text", "said"), [("steps = 3", "in no table"), ("[model", "not valid TOML"), (None, "no ")])
def test_a_wrong_file_of_settings_is_told(text, said, diagnose, tmp_path):
    if text is not None:
        (tmp_path / "more.toml").write_text(text)
    code, out, err = diagnose("train", "--set", "more.toml")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "more.toml" in err
    assert said in err


def test_help_is_light():
    run = [sys.executable, "-X", "importtime", "-m", "diagnose", "--help"]
    err = subprocess.run(run, capture_output=True, text=True, check=True).stderr
    loaded = {line.rsplit("|", 1)[-1].strip() for line in err.splitlines()}
    assert not loaded & {"torch", "pandas", "matplotlib", "scipy", "numpy", "pydantic"}


def test_recipes_and_axes_are_listed(diagnose):
    recipes = json.loads(diagnose("recipes", "--json")[1])
    assert {r["name"] for r in recipes["recipes"]} == {"quick", "first-user", "gpt2-scaled", "nanogpt-cpu", "small"}
    assert next(r for r in recipes["recipes"] if r["name"] == "first-user")["assumptions"]
    axes = json.loads(diagnose("axes", "--json")[1])
    assert axes["axes"][0]["levels"] == ["char", "word", "bpe"]
    assert "tokenizer" in diagnose("axes")[1]


@pytest.fixture(scope="module")
def verses(tmp_path_factory):
    from pythonbible_akjv.plain_text_readers_bible import bible

    text = bible.scripture_content
    spans = [(start, bible.verse_end_indices[v]) for v, start in bible.verse_start_indices.items()][:300]
    path = tmp_path_factory.mktemp("text") / "verses.txt"
    path.write_text("\n".join(" ".join(text[a:b].split()) for a, b in spans) + "\n", encoding="utf-8")
    return path


def test_an_ablation_from_plan_to_page_and_what_it_leaves(diagnose, verses, tmp_path):
    command = ["ablate", "--axis", "tokenizer", "--levels", "char,word", "--seeds", 2, "--data", verses]
    command += sets(*TINY, "budget.steps=6", "tokenizer.vocab_size=600")

    code, out, err = diagnose(*command, "--dry-run", "--json")
    plan = json.loads(out)
    assert code == 0, err
    assert [arm["level"] for arm in plan["arms"]] == ["char", "word"]
    assert plan["arms"][0]["text"] == pytest.approx(plan["arms"][1]["text"], rel=0.2)
    assert plan["seconds"] > 0
    assert not (tmp_path / "runs").exists()
    assert "4 runs" in diagnose(*command, "--dry-run")[1]

    code, out, err = diagnose(*command, "--json")
    assert code == 0, err
    got = json.loads(out)
    assert got["format"] == 1
    assert {arm["level"] for arm in got["arms"]} == {"char", "word"}
    (effect,) = got["effects"]
    assert effect["low"] <= effect["value"] <= effect["high"]
    levels = {arm["level"]: arm["bits_per_byte"]["value"] for arm in got["arms"]}
    assert effect["value"] == pytest.approx(levels["word"] - levels["char"], abs=1e-9)
    assert "parameters" in {row["what"] for row in got["changed"]}
    page = (tmp_path / got["page"]).read_bytes()

    assert diagnose("report", got["ablation"])[0] == 0
    assert (tmp_path / got["page"]).read_bytes() == page

    before = len(json.loads(diagnose("runs", "--json")[1])["runs"])
    code, out, _ = diagnose(*command[:5], "--seeds", 3, *command[7:], "--json")
    assert code == 0
    assert len(json.loads(diagnose("runs", "--json")[1])["runs"]) == before + 2, "finished runs are not trained again"
    assert len(json.loads(out)["arms"][0]["runs"]) == 3

    listed = json.loads(diagnose("runs", "--json")[1])["runs"]
    assert all(row["status"] == "finished" and row["val"]["bits_per_byte"] > 0 for row in listed)
    assert "finished" in diagnose("runs")[1]
    latest = diagnose("sample", "runs/latest", "--prompt", "And God", "--bytes", 30)
    assert latest[0] == 0
    assert latest[1].startswith("And God")
    assert diagnose("runs", "--prune", "--yes")[0] == 0
    assert diagnose("sample", listed[0]["run"])[0] == 2, "its checkpoint was dropped"
    assert diagnose("sample", "runs/latest", "--bytes", 5)[0] == 0, "the latest run's was kept"


def test_a_diverged_arm_is_reported_and_the_rest_compared(diagnose, verses):
    command = ["ablate", "--axis", "optimizer.lr=1e-3,1e30", "--seeds", 1, "--data", verses]
    code, _, err = diagnose(*command, *sets(*TINY, "budget.steps=4", "optimizer.clip=0.0", "tokenizer.vocab_size=600"))
    assert code == 1
    assert "diverged" in err
    assert "Traceback" not in err


def test_an_unwritable_folder_for_pages_is_refused_before_training(diagnose, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = diagnose("ablate", "--axis", "tokenizer", "--out", "file/pages")
    assert code == 2
    assert "cannot be written" in err
    assert not (tmp_path / "runs").exists()


def test_an_unwritable_folder_for_runs_is_one_line(diagnose, verses, tmp_path):
    (tmp_path / "runs").write_text("a file in the way")
    code, _, err = diagnose("train", "--data", verses, *sets(*TINY, "budget.steps=2"))
    assert code == 2
    assert "runs cannot be written" in err


@pytest.mark.parametrize("option", ["--version", "-h", "--help"])
def test_what_every_command_line_answers(option):
    done = subprocess.run([sys.executable, "-m", "diagnose", option], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("diagnose 0." if option == "--version" else "Usage: diagnose")
    short = subprocess.run([sys.executable, "-m", "diagnose", "log", "-h"], capture_output=True, text=True, check=False)
    assert short.stdout.startswith("Usage: diagnose log")


@pytest.mark.parametrize(
    ("words", "place", "said"), [("diagnose au", "1", ["audit"]), ("diagnose ablate --axis-", "2", ["--axis-file"])]
)
def test_a_shell_completes_commands_and_options(words, place, said):
    asked = {"_DIAGNOSE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place}
    done = subprocess.run(
        [sys.executable, "-m", "diagnose"], capture_output=True, text=True, check=False, env={**os.environ, **asked}
    )
    assert done.stdout.split() == said

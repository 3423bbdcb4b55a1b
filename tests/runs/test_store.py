import errno
import json
import math
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from run_fixture import ENVIRONMENT

import diagnose
from diagnose import files
from diagnose.config.recipe import Recipe
from diagnose.errors import DiagnoseError
from diagnose.records.schema import FORMAT
from diagnose.runs import checkpoints, run_tables, store


def refusal(function, *args):
    with pytest.raises(DiagnoseError) as caught:
        function(*args)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_runs_of_commands_are_not_runs_of_train(tmp_path):
    runs = tmp_path / "runs"
    for name in ("a", "b"):
        (runs / name).mkdir(parents=True)
        (runs / name / "command.json").write_text("{}")
    said = refusal(store.find, runs / "latest")
    assert f"{runs} holds 2\N{NO-BREAK SPACE}runs of other commands and none of `diagnose train`" in said
    assert f"lies in its folder, as {runs / 'b'}" in said
    (runs / "c").mkdir()
    (runs / "c" / "comparison.json").write_text("{}")
    assert f"`diagnose report {runs / 'c'}` shows what they came to" in refusal(store.find, runs / "latest")
    assert "it is a run of another command" in refusal(store.find, runs / "a")


@pytest.fixture
def run(tmp_path):
    return store.create(tmp_path / "runs", "word", Recipe.load("quick"), ENVIRONMENT)


def tensors(value):
    return {
        "model": {"a": torch.full((3, 2), value), "b": torch.tensor(value)},
        "optimizer": {"0.step": torch.tensor(value)},
    }


def values(folder):
    found = checkpoints.read_checkpoint(folder)
    assert found is not None
    assert {float(v.flatten()[0]) for part in found[0].values() for v in part.values()} == {found[1]["value"]}
    return found[1]["value"]


def checkpoint(folder, value):
    checkpoints.write_checkpoint(folder, tensors(value), {"value": value})


def test_a_run_is_named_by_time_label_seed_and_recipe(tmp_path):
    recipe = Recipe.load("quick", {"run.seed": 7})
    runs = [store.create(tmp_path / "deep" / "runs", "words / 'and' so on", recipe, ENVIRONMENT) for _ in range(13)]
    assert len(set(runs)) == 13  # in one second
    stamp, rest = runs[0].name[:15], runs[0].name[15:]
    assert stamp.replace("-", "").isdigit()
    assert rest == "-words----and--so-on-s7-3f9a"
    assert store.recipe_of(runs[0]) == recipe
    assert store.environment(runs[0]) == ENVIRONMENT
    assert store.read_json(runs[0] / "status.json") == {"format": FORMAT, "state": "running", "why": ""}
    assert set(store.entries(runs[0].parent)) == set(runs)
    assert store.create(tmp_path / "runs", "///", recipe, ENVIRONMENT).name[15:] == "-run-s7-3f9a"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for runs in (tmp_path / "file", tmp_path / "file" / "runs"):
        said = refusal(store.create, runs, "word", Recipe.load("quick"), ENVIRONMENT)
        assert said.startswith(f"{runs} cannot be written: ")
        refusal(store.check_writable, runs)
    store.check_writable(tmp_path / "new" / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_a_run_that_finds_no_room_leaves_nothing(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "write_json", full)
    said = refusal(store.create, tmp_path / "runs", "word", Recipe.load("quick"), ENVIRONMENT)
    assert "cannot be written: No space left on device" in said
    assert list((tmp_path / "runs").iterdir()) == []


def write_table(folder, value):
    run_tables.write_table(folder, "x", pd.DataFrame({"v": [value]}))


WRITERS = {
    "text": (lambda p, v: store.write_text(p / "x.txt", str(v)), lambda p: int((p / "x.txt").read_text())),
    "json": (lambda p, v: store.write_status(p, "failed", str(v)), lambda p: int(store.status(p).why)),
    "table": (write_table, lambda p: int(run_tables.read_table(p, "x").v[0])),
    "samples": (lambda p, v: store.write_samples(p, [{"v": v}]), lambda p: store.read_samples(p)[0]["v"]),
    "checkpoint": (lambda p, v: checkpoint(p / "checkpoint", float(v)), lambda p: int(values(p / "checkpoint"))),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there(kind, broken, tmp_path, monkeypatch):
    write, read = WRITERS[kind]
    write(tmp_path, 1)
    before = sorted(p.name for p in tmp_path.rglob("*"))
    with monkeypatch.context() as patch:

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, broken, full)
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path, 2)
    assert read(tmp_path) == 1
    assert sorted(p.name for p in tmp_path.rglob("*")) == before  # and no half-written part
    write(tmp_path, 3)
    assert read(tmp_path) == 3


def test_tensors_of_every_type_come_back_through_the_library(tmp_path):
    kinds = [getattr(torch, name) for name in checkpoints.TYPES]
    held = {str(kind): torch.arange(6).reshape(2, 3).to(kind) for kind in kinds}
    held |= {"empty": torch.zeros(0, 2), "number": torch.tensor(2.5), "turned": torch.arange(6.0).reshape(2, 3).T}
    held["spread"] = torch.arange(6.0)[::2]
    checkpoints.write_checkpoint(tmp_path / "checkpoint", {"model": held}, {})
    back, _ = checkpoints.read_checkpoint(tmp_path / "checkpoint")
    assert back["model"].keys() == held.keys()
    for name, value in held.items():
        assert (back["model"][name].dtype, back["model"][name].shape) == (value.dtype, value.shape)
        assert back["model"][name].tolist() == value.tolist()


class KilledError(BaseException):
    """Stands for kill -9: nothing after it is run."""


@pytest.mark.parametrize("moment", ["before the first", "between the two", "before the old one goes"])
def test_a_checkpoint_is_found_wherever_a_kill_came(moment, tmp_path, monkeypatch):
    folder, renamed, removed = tmp_path / "checkpoint", [], []
    checkpoint(folder, 1.0)
    rename, rmtree = Path.rename, shutil.rmtree

    def renames(path, target):
        renamed.append(path.name)
        if moment == "before the first" or (moment == "between the two" and len(renamed) == 2):
            raise KilledError
        return rename(path, target)

    def removes(path, **more):
        removed.append(path.name)
        if moment == "before the old one goes" and removed.count("checkpoint.old") == 2:
            raise KilledError
        return rmtree(path, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", renames)
        patch.setattr(checkpoints.shutil, "rmtree", removes)
        with pytest.raises(KilledError):
            checkpoint(folder, 2.0)
    assert values(folder) == (2.0 if moment == "before the old one goes" else 1.0)
    checkpoint(folder, 3.0)
    assert values(folder) == 3.0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint"]


def test_a_checkpoint_keeps_every_bit(tmp_path):
    torch.manual_seed(0)
    kept = {
        "x": torch.randn(50, 3),
        "half": torch.randn(7).bfloat16(),
        "count": torch.arange(5),
        "empty": torch.zeros(0, 3),
    }
    kept["odd"] = torch.tensor([math.nan, math.inf, -0.0, 1e-45])
    kept["turned"] = torch.randn(4, 6).T
    checkpoints.write_checkpoint(tmp_path / "c", {"model": kept}, {"step": 3})
    found, state = checkpoints.read_checkpoint(tmp_path / "c")
    assert state == {"format": FORMAT, "step": 3}
    for name, value in kept.items():
        assert found["model"][name].dtype == value.dtype
        assert torch.equal(found["model"][name].contiguous().view(torch.uint8), value.contiguous().view(torch.uint8))
    assert checkpoints.read_checkpoint(tmp_path / "none") is None


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_groups_members_may_read_all_files(tmp_path):
    before = os.umask(0o027)
    try:
        run = store.create(tmp_path / "runs", "word", Recipe.load("quick"), ENVIRONMENT)
        checkpoint(run / "checkpoint", 1.0)
        run_tables.write_table(run, "steps", pd.DataFrame({"step": [1]}))
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in run.rglob("*") if p.is_file()}
    assert set(modes.values()) == {0o640}, modes


def test_tables_keep_every_bit(tmp_path):
    frame = pd.DataFrame(
        {"x": [0.1 + 0.2, math.nan, 1e-310, math.inf], "n": [1, 2**62, -3, 0], "s": ["a", "é\n", "", "<b>"]}
    )
    run_tables.write_table(tmp_path, "x", frame)
    found = run_tables.read_table(tmp_path, "x")
    assert found.x.to_numpy().tobytes() == frame.x.to_numpy().tobytes()
    assert found.n.tolist() == frame.n.tolist()
    assert found.s.tolist() == frame.s.tolist()
    columns = run_tables.read_columns(tmp_path, "x", ("s", "n"))
    assert columns == {"s": frame.s.tolist(), "n": frame.n.tolist()}
    assert "has no column z;" in refusal(run_tables.read_columns, tmp_path, "x", ("n", "z"))


def test_samples_are_a_line_each_whatever_they_hold(tmp_path):
    samples = [
        {"step": 1, "text": "a\nb\u2028c\r\x85 é \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")},
        {"step": 2, "text": ""},
    ]
    assert store.read_samples(tmp_path) == []
    store.write_samples(tmp_path, samples)
    assert store.read_samples(tmp_path) == samples
    assert (tmp_path / "samples.jsonl").read_text(encoding="utf-8").count("\n") == 2


def damaged(path, how):
    data = path.read_bytes()
    noise = np.random.default_rng(0).bytes(len(data))
    path.write_bytes({"empty": b"", "half": data[: len(data) // 2], "noise": noise, "zeros": bytes(len(data))}[how])


@pytest.mark.parametrize("how", ["empty", "half", "noise", "zeros", "missing"])
def test_damage_is_one_line_that_names_the_file(how, run):
    checkpoint(run / "checkpoint", 1.0)
    run_tables.write_table(run, "steps", pd.DataFrame({"step": range(100)}))
    store.write_samples(run, [{"step": 1, "text": "x"}])
    readers = {
        "environment.json": lambda: store.read_json(run / "environment.json"),
        "status.json": lambda: store.state(run),
        "recipe.toml": lambda: store.recipe_of(run),
        "steps.parquet": lambda: (
            run_tables.read_columns(run, "steps", ("step",)),
            run_tables.read_table(run, "steps"),
        ),
        "checkpoint/state.json": lambda: checkpoints.read_checkpoint(run / "checkpoint"),
    }
    if how != "missing":  # no sample is none, and tensors that are missing are missed by whoever wants them
        readers["checkpoint/model.safetensors"] = lambda: checkpoints.read_checkpoint(run / "checkpoint")
        readers["samples.jsonl"] = lambda: store.read_samples(run)
    for name, read in readers.items():
        if (name, how) in {("recipe.toml", "empty"), ("recipe.toml", "half"), ("samples.jsonl", "empty")}:
            continue  # what is left of them is whole in itself
        read()
        whole = (run / name).read_bytes()
        (run / name).unlink() if how == "missing" else damaged(run / name, how)
        assert str(run / name if "safetensors" not in name else run / "checkpoint") in refusal(read)
        (run / name).write_bytes(whole)
        read()


@pytest.mark.parametrize("text", ["[]", "3", '"x"', "null", "{}", '{"format": "1"}', '{"format": null}', "{", "\xff"])
def test_json_that_is_no_record_is_damage(text, tmp_path):
    (tmp_path / "x.json").write_text(text, encoding="latin-1")
    assert str(tmp_path / "x.json") in refusal(store.read_json, tmp_path / "x.json")


def test_a_status_that_states_nothing_is_damage(run):
    for value in ({}, {"state": None}, {"state": "done"}):
        store.write_json(run / "status.json", {"format": FORMAT, **value})
        assert "status.json is corrupted: state: " in refusal(store.state, run)


def test_a_newer_format_is_refused_and_an_older_is_read(run):
    store.write_json(run / "environment.json", {"format": FORMAT + 1})
    assert refusal(store.read_json, run / "environment.json").endswith(f"reads up to {FORMAT}: upgrade it")
    store.write_json(run / "environment.json", {"format": FORMAT - 1, "x": 1})
    assert store.read_json(run / "environment.json")["x"] == 1
    checkpoint(run / "checkpoint", 1.0)
    state = store.read_json(run / "checkpoint" / "state.json")
    (run / "checkpoint" / "state.json").write_text(json.dumps({**state, "format": FORMAT + 1}))
    assert "upgrade it" in refusal(checkpoints.read_checkpoint, run / "checkpoint")


def test_no_record_holds_what_json_has_no_word_for(run):
    with pytest.raises(ValueError, match="JSON compliant"):
        store.write_json(run / "status.json", {"x": math.nan})
    assert store.state(run) == "interrupted"
    (run / "status.json").write_text('{"format": 1, "x": NaN, "y": -Infinity}')  # as others may write it
    assert store.read_json(run / "status.json") == {"format": FORMAT, "x": None, "y": None}


@pytest.mark.parametrize("links", [True, False])
def test_latest_leads_to_the_newest_run(links, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if not links:

        def refuses(*_, **__):
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(Path, "symlink_to", refuses)
    runs = [store.create(Path("runs"), label, Recipe.load("quick"), ENVIRONMENT) for label in ("a", "b")]
    for run in runs:
        Path(f"runs/.x{files.PARTS}").symlink_to("x") if links else None  # of one that was killed
        monkeypatch.setattr(files, "_cleared", set())
        store.point_latest(run)
        assert Path("runs/latest").is_symlink() == links
        for name in ("runs/latest", "latest", Path("runs") / "latest", tmp_path / "runs" / "latest"):
            assert store.find(name).resolve() == run.resolve()
            assert store.find(name).name == run.name
    assert sorted(p.name for p in Path("runs").iterdir()) == sorted([*(r.name for r in runs), "latest"])
    assert store.entries(Path("runs")) == sorted(runs)  # `latest` is no run of its own
    moved = tmp_path / "elsewhere"
    shutil.copytree("runs", moved, symlinks=True)  # and it still leads there
    assert store.find(moved / "latest") == moved / runs[1].name


def test_a_run_is_found_by_path_or_name_and_the_nearest_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal(store.find, "runs/latest") == "no run or ablation at runs/latest; runs holds no runs"
    run = store.create(Path("runs"), "word", Recipe.load("quick"), ENVIRONMENT)
    ablation = store.create_ablation(
        Path("runs"), "tokenizer", "abcdef", lambda part, name: store.write_text(part / "ablation.toml", name)
    )
    assert (ablation / "ablation.toml").read_text() == ablation.name
    assert store.find(run) == store.find(run.name) == store.find(str(run) + "/") == run
    assert store.find(ablation.name) == ablation
    assert store.ablations(Path("runs")) == [ablation]
    assert refusal(store.find, f"runs/{run.name[:-1]}").endswith(f"did you mean '{run.name}'?")
    assert refusal(store.find, ablation.name + "x").endswith(f"did you mean '{ablation.name}'?")
    assert run.name in refusal(store.find, "latest")
    assert "holds no runs" in refusal(store.find, str(run / "checkpoint"))
    Path("runs/latest").symlink_to("gone")
    refusal(store.find, "runs/latest")
    for junk in (b"", b"\xff\xfe", b"gone\n"):
        Path("runs/latest").unlink()
        Path("runs/latest").write_bytes(junk)
        refusal(store.find, "latest")


def test_a_run_is_written_by_one_process_at_a_time(run):
    assert not store.is_being_written(run)
    with store.locked(run):
        assert store.is_being_written(run)
        assert store.state(run) == "running"
        assert "is being written by another process" in refusal(store.locked(run).__enter__)
        code = f"from pathlib import Path; from diagnose.runs import store; print(store.state(Path({str(run)!r})))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "running\n"
    assert store.state(run) == "interrupted"  # says that it runs, and nobody writes it
    with pytest.raises(ZeroDivisionError), store.locked(run):
        raise ZeroDivisionError
    assert not store.is_being_written(run)
    assert "cannot be written" in refusal(store.locked(run / "recipe.toml").__enter__)


def test_what_only_resuming_needs_can_be_dropped(run):
    for name in ("checkpoint", "interval"):
        checkpoint(run / name, 1.0)
    size = store.disk_use(run)
    assert size == sum(len(p.read_bytes()) for p in run.rglob("*") if p.is_file())
    checkpoints.drop_checkpoints(run)
    assert checkpoints.read_checkpoint(run / "checkpoint") is checkpoints.read_checkpoint(run / "interval") is None
    assert 0 < store.disk_use(run) < size
    assert store.recipe_of(run) == Recipe.load("quick")


def test_nothing_is_ever_pickled():
    words = ("torch.load(", "torch.save(", "import pickle", "from pickle", "pickle.", "cloudpickle", "import joblib",
             "joblib.", "shelve", "marshal", "allow_pickle", "to_pickle", "read_pickle")  # fmt: skip
    sources = list(Path(diagnose.__file__).parent.rglob("*.py"))
    assert len(sources) > 20
    assert [f"{p.name}: {word}" for p in sources for word in words if word in p.read_text(encoding="utf-8")] == []


def test_recipes_that_differ_in_their_seed_are_parsed_once(tmp_path, monkeypatch):
    recipes = [Recipe.load("quick", {"run.seed": seed, "data.split_seed": 7}) for seed in (3, 4)]
    odd = recipes[0].model_copy(update={"about": "of two lines\nseed = 9\n"})
    for number, recipe in enumerate([*recipes, odd]):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    assert store.recipe_of(tmp_path / "0") == recipes[0]
    with monkeypatch.context() as patch:
        patch.setattr(Recipe, "load", lambda *_: pytest.fail("it is parsed again"))
        assert store.recipe_of(tmp_path / "1") == recipes[1]
    assert store.recipe_of(tmp_path / "2") == odd
    with pytest.raises(DiagnoseError, match="no recipe file"):
        store.recipe_of(tmp_path / "3")

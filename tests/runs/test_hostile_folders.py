"""A run's folder may be a stranger's: no link is followed out of it, no claim of size believed, no escape printed."""

import json
import os
import shutil
import signal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diagnose import files
from diagnose.ablation.commands.result_reading import output_tail, readout_of, value_of
from diagnose.errors import DiagnoseError
from diagnose.runs import checkpoints, runner, store

SECRET = "-----BEGIN A PRIVATE KEY-----"


@pytest.fixture
def stranger(whole, tmp_path, monkeypatch):
    """Return a stranger's run in `runs/` of the current folder, and a file of the user's beside."""
    monkeypatch.chdir(tmp_path)
    run = shutil.copytree(whole, tmp_path / "runs" / whole.name)
    (tmp_path / "secret").write_text(SECRET)
    return run


@pytest.mark.parametrize("name", ["gap.json", "audit.json"])
@pytest.mark.parametrize("suffix", ["", ".part"])
def test_no_write_follows_a_link(stranger, tmp_path, diagnose, name, suffix):
    (stranger / (name + suffix)).unlink(missing_ok=True)
    (stranger / (name + suffix)).symlink_to(tmp_path / "secret")
    command = {"gap.json": ["loss-gap", "--budget", "9000 tokens"], "audit.json": ["audit"]}[name]
    code, _, err = diagnose(command[0], f"runs/{stranger.name}", *command[1:])
    assert code in (0, 1), err
    assert (tmp_path / "secret").read_text() == SECRET
    assert (stranger / name).is_file()
    assert not (stranger / name).is_symlink()
    assert json.loads((stranger / name).read_text())["format"] == 1


@pytest.mark.parametrize("name", ["recipe.toml", "samples.jsonl", "environment.json", "steps.parquet", "status.json"])
def test_no_read_follows_a_link(stranger, tmp_path, diagnose, name):
    (stranger / name).unlink()
    (stranger / name).symlink_to(tmp_path / "secret")
    for command in ("report", "loss-gap"):
        code, out, err = diagnose(command, f"runs/{stranger.name}")
        assert code == 2
        assert "is a link out of" in err
        assert SECRET not in out + err
    assert not [p for p in tmp_path.rglob("*.html") if SECRET in p.read_text()]


@pytest.mark.parametrize("name", ["checkpoint", "checkpoint/model.safetensors"])
def test_no_checkpoint_is_read_through_a_link(stranger, tmp_path, name):
    away = tmp_path / "away"
    shutil.move(stranger / name, away)
    (stranger / name).symlink_to(away)
    with pytest.raises(DiagnoseError, match="is a link out of"):
        checkpoints.read_checkpoint(stranger / "checkpoint")


def test_a_link_within_the_folder_is_as_good_as_the_file(stranger):
    shutil.move(stranger / "recipe.toml", stranger / "kept.toml")
    (stranger / "recipe.toml").symlink_to("kept.toml")
    assert store.recipe_of(stranger).model.name == "gpt"


def damage_nesting(run):
    (run / "status.json").write_text('{"format":1,"x":' + "[" * 100_000 + "]" * 100_000 + "}")


def damage_derived(run):
    environment = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps(environment | {"derived": []}))


def damage_bomb(run):
    """Write a few MB of Parquet that claim 30 million rows."""
    schema = pq.read_schema(run / "readings.parquet").remove_metadata()
    zeros = [pa.array(np.zeros(1_000_000)).cast(field.type) for field in schema]
    with pq.ParquetWriter(run / "readings.parquet", schema, compression="zstd") as writer:
        for _ in range(30):
            writer.write_table(pa.Table.from_arrays(zeros, schema=schema))


@pytest.mark.parametrize("damage", [damage_nesting, damage_derived, damage_bomb])
def test_one_damaged_run_hides_no_other(stranger, diagnose, damage):
    other = shutil.copytree(stranger, stranger.with_name("20260101-000000-other-s0-0000"))
    damage(other)
    code, out, err = diagnose("runs", "--json")
    assert code == 0, err
    status = {run["run"].split("/")[1]: run["status"] for run in json.loads(out)["runs"]}
    assert status[stranger.name] == "finished"
    assert status[other.name].startswith("damaged: ")
    digest = json.loads((stranger / "environment.json").read_text())["digest"]
    assert runner.newest_finished(stranger.parent, digest) == stranger


def test_no_escape_sequence_of_a_record_reaches_the_terminal(stranger, diagnose):
    recipe = (stranger / "recipe.toml").read_text()
    hostile = recipe.replace('name = "gpt"', 'name = "\\u001b]52;c;ZXZpbA==\\u0007:x"')
    assert hostile != recipe
    (stranger / "recipe.toml").write_text(hostile)
    for command in (["sample"], ["loss-gap"], ["compare"]):
        _, out, err = diagnose(*command, f"runs/{stranger.name}")
        assert "\x1b" not in out + err
        assert "\x07" not in out + err


class TestWriteWhole:
    def test_it_replaces_a_link_and_obeys_the_mask(self, tmp_path):
        (tmp_path / "secret").write_text(SECRET)
        (tmp_path / "a").symlink_to("secret")
        before = os.umask(0o027)
        try:
            files.write_whole(tmp_path / "a", lambda file: file.write(b"new"))
        finally:
            os.umask(before)
        assert (tmp_path / "secret").read_text() == SECRET
        assert (tmp_path / "a").read_text() == "new"
        assert not (tmp_path / "a").is_symlink()
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640

    def test_nothing_is_left_of_a_write_that_fails(self, tmp_path):
        (tmp_path / "a").write_text("old")

        def write(file):
            file.write(b"half")
            raise OSError(28, "No space left on device")

        with pytest.raises(OSError, match="No space"):
            files.write_whole(tmp_path / "a", write)
        assert [p.name for p in tmp_path.iterdir()] == ["a"]
        assert (tmp_path / "a").read_text() == "old"

    def test_what_a_killed_process_left_goes_with_the_next_write(self, tmp_path, monkeypatch):
        (tmp_path / f".b.k1ll3d{files.PARTS}").write_text("half")
        (tmp_path / f".k1ll3d{files.PARTS}").mkdir()
        (tmp_path / f".l1nk{files.PARTS}").symlink_to("b")
        (tmp_path / ".of-another-program.part").write_text("half")
        with files.begun_folder(tmp_path.parent), files.begun_folder(tmp_path) as held:
            monkeypatch.setattr(files, "_cleared", set())  # as another process, while this one fills a folder
            files.write_whole(tmp_path / "a", lambda file: file.write(b"x"))
            assert sorted(p.name for p in tmp_path.iterdir()) == sorted([".of-another-program.part", "a", held.name])
        assert not held.exists()


def test_a_text_of_equal_lines_has_pages(tmp_path, monkeypatch, diagnose):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a b c\n" * 300)
    keys = ["budget.steps=3", "model.layers=1", "model.width=16", "model.heads=2", "batches.size=4"]
    sets = [part for key in [*keys, "batches.context=32", "tokenizer.kind=char"] for part in ("--set", key)]
    code, _, err = diagnose("train", "--data", "a.txt", *sets)
    assert code == 0, err
    for command in (["runs"], ["report", "runs/latest"]):
        code, _, err = diagnose(*command)
        assert code == 0, err


@pytest.mark.parametrize(
    "name", ["status.json", "environment.json", "recipe.toml", "steps.parquet", "tokenizer.json", "lock"]
)
def test_nobody_waits_for_a_pipe(stranger, diagnose, name):
    (stranger / name).unlink(missing_ok=True)
    os.mkfifo(stranger / name)
    signal.alarm(60)  # ends the tests where one waits for ever
    try:
        for command in (["runs"], ["report", f"runs/{stranger.name}"], ["sample", f"runs/{stranger.name}"]):
            code, _, err = diagnose(*command)
            assert code == 0 or "is a pipe or a device" in err, err
    finally:
        signal.alarm(0)


def test_no_lock_is_made_through_a_link(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="lock"):
        files.hold_file(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()


def test_no_output_of_a_command_is_read_through_a_link(stranger, tmp_path):
    (stranger / "output.txt").symlink_to(tmp_path / "secret")
    assert output_tail(stranger, 3) == ()
    with pytest.raises(DiagnoseError, match="is a link out of"):
        value_of(stranger, readout_of("log:loss"), None)

"""Trackers' folders as they lie: which run is meant, what is not followed, and bad input."""

import os
import shutil
import sqlite3
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from folder_fuzz import fuzz

from diagnose.errors import DiagnoseError
from diagnose.logs import folders
from diagnose.logs.folders import database, framing, plain_files, wandb_runs
from diagnose.logs.judge import judge
from diagnose.logs.pairs import pairs
from diagnose.logs.read import read

WRITTEN = Path(__file__).parent / "tools" / "written"
OF_TRACKERS = {
    "W&B": "wandb-epochs", "MLflow": "mlflow-mlruns", "Trackio": "trackio", "DVCLive": "dvclive",
    "Neptune": "neptune-offline", "SwanLab": "swanlab-offline", "TensorBoard": "tensorboard-two-runs",
    "CatBoost": "catboost-info",
    "Hugging Face": "transformers-v5-checkpoints", "Lightning or tools that leave a table": "lightning-logs-csv",
}  # fmt: skip


def copied(name, to):
    shutil.copytree(WRITTEN / name, to)
    return to


def one_file(name, pattern="*"):
    return next(file for file in sorted((WRITTEN / name).rglob(pattern)) if file.is_file())


@pytest.mark.parametrize("tracker", OF_TRACKERS)
def test_each_tracker_knows_its_own_folder(tracker):
    assert {run.tracker for run in folders.runs_in(WRITTEN / OF_TRACKERS[tracker])} == {tracker}


def test_every_tracker_is_tested_here():
    assert {tracker.name for tracker in folders.trackers()} == OF_TRACKERS.keys() | {"Aim", "Comet"}


def test_several_runs_are_named_and_one_is_asked_for():
    with pytest.raises(DiagnoseError) as told:
        judge([WRITTEN / "wandb-two-runs"])
    assert "holds 2" in str(told.value)
    assert "'first' (6 training and 6 validation values)" in str(told.value)
    assert "--run second" in str(told.value)


def test_a_run_is_found_by_its_identifier_and_by_its_folder():
    by_name = read([WRITTEN / "wandb-two-runs"], run="first")
    run = next(run for run in folders.runs_in(WRITTEN / "wandb-two-runs") if run.name == "first")
    for also in run.also:
        assert (
            pairs(read([WRITTEN / "wandb-two-runs"], run=also), {}).val_N.tolist() == pairs(by_name, {}).val_N.tolist()
        )


def test_a_run_is_found_by_how_its_identifier_begins():
    folder = WRITTEN / "mlflow-two-runs"
    first, second = folders.runs_in(folder)
    found = pairs(read([folder], run=second.also[0][:8]), {}).val_N.tolist()
    assert found == pairs(read([folder], run=second.name), {}).val_N.tolist()
    assert found != pairs(read([folder], run=first.name), {}).val_N.tolist()
    assert first.also[0][0] == second.also[0][0]
    with pytest.raises(DiagnoseError, match=r"2.runs .* fit"):
        read([folder], run=second.also[0][0])


def test_a_name_that_no_run_has_and_one_that_two_have(tmp_path):
    with pytest.raises(DiagnoseError, match="no such run; it holds 'first' and 'second'"):
        read([WRITTEN / "wandb-two-runs"], run="third")
    copied("wandb-nested", tmp_path / "a")
    copied("wandb-nested", tmp_path / "b")
    with pytest.raises(DiagnoseError, match=r"2.runs .* fit"):
        read([tmp_path], run="nested")


def test_the_one_run_with_both_losses_is_read_and_that_is_said(tmp_path):
    copied("lightning-logs-two-versions", tmp_path / "logs")
    for file in tmp_path.rglob("version_0/metrics.csv"):
        file.write_text("epoch,step,train_loss\n0,18,0.6\n1,37,0.5\n")
    log = read([tmp_path / "logs"])
    assert any("'version_1' alone holds both losses" in note for note in log.notes)
    assert pairs(log, {}).val.count == 6


def test_run_without_a_folder_is_refused():
    with pytest.raises(DiagnoseError, match="--run names a run of a folder"):
        read([WRITTEN / "keras-verbose-2.txt"], run="a")


def test_a_tracker_s_one_file_is_read_alone():
    for folder, pattern in (("wandb-epochs", "*.wandb"), ("trackio", "*.db"), ("swanlab-offline", "*.swanlab")):
        alone, whole = read([one_file(folder, pattern)]), read([WRITTEN / folder])
        assert pairs(alone, {}).val_N.tolist() == pairs(whole, {}).val_N.tolist()


def test_the_last_checkpoint_holds_the_whole_run(tmp_path):
    folder = copied("transformers-v5-checkpoints", tmp_path / "out")
    last = max(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    assert folders.runs_in(folder)[0].parts[0][0].parent == last
    shutil.copy(last / "trainer_state.json", folder)
    assert folders.runs_in(folder)[0].parts[0][0].parent == folder


def test_what_lies_within_a_run_s_folder_belongs_to_it(tmp_path):
    folder = copied("transformers-v5-checkpoints", tmp_path / "out")
    shutil.copytree(WRITTEN / "transformers-v5-tensorboard", folder / "runs" / "Nov28")
    assert [run.tracker for run in folders.runs_in(folder)] == ["Hugging Face"]


def test_symbolic_links_in_a_folder_are_not_followed(tmp_path):
    copied("wandb-nested", tmp_path / "out" / "real")
    inside = tmp_path / "logs"
    inside.mkdir()
    (inside / "latest-run").symlink_to(tmp_path / "out" / "real", target_is_directory=True)
    (inside / "metrics.csv").symlink_to(WRITTEN / "lightning-steps.csv")
    with pytest.raises(DiagnoseError, match=r"2.symbolic links in it are not followed"):
        read([inside])
    (tmp_path / "named").symlink_to(tmp_path / "out", target_is_directory=True)
    assert read([tmp_path / "named"]).series  # one that the user names is


def test_a_database_that_is_a_link_out_of_the_folder_is_not_read(tmp_path):
    (tmp_path / "mlflow.db").symlink_to(WRITTEN / "mlflow.db")
    with pytest.raises(DiagnoseError, match="not followed"):
        read([tmp_path])


def test_a_listing_is_bounded(tmp_path, monkeypatch):
    deep = tmp_path.joinpath(*["d"] * (plain_files.MOST_DEPTH + 2))
    deep.mkdir(parents=True)
    shutil.copy(WRITTEN / "lightning-steps.csv", deep / "metrics.csv")
    with pytest.raises(DiagnoseError, match="more files than are looked at"):
        read([tmp_path])
    monkeypatch.setattr(plain_files, "MOST_ENTRIES", 5)
    for k in range(10):
        (tmp_path / f"{k}.txt").touch()
    assert plain_files.Listing(tmp_path).cut


def test_an_empty_folder_and_one_of_other_things(tmp_path):
    (tmp_path / "notes.txt").write_text("loss 1.0")
    with pytest.raises(DiagnoseError, match="holds no log of Hugging Face, "):
        read([tmp_path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list everything")
def test_a_folder_that_may_not_be_listed(tmp_path):
    tmp_path.chmod(0)
    with pytest.raises(DiagnoseError, match="cannot be listed"):
        read([tmp_path])
    tmp_path.chmod(0o700)


# W&B's and SwanLab's records


def framed(bodies, header=wandb_runs.HEADER):
    """Return records as W&B frames them, over blocks."""
    out = bytearray(header)
    for whole in bodies:
        kind, body = framing.FIRST, whole
        while True:
            left = framing.BLOCK - len(out) % framing.BLOCK
            if left < framing.HEADER:
                out += b"\0" * left
                continue
            part, body = body[: left - framing.HEADER], body[left - framing.HEADER :]
            kind = (framing.FULL if kind == framing.FIRST else framing.LAST) if not body else kind
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            if not body:
                break
            kind = framing.MIDDLE
    return bytes(out)


def message(field, data):
    size, out = len(data), bytearray()
    while True:
        out.append(size & 0x7F | (0x80 if size > 0x7F else 0))
        size >>= 7
        if not size:
            break
    key = field << 3 | 2
    head = bytes([key]) if key < 128 else bytes([key & 0x7F | 0x80, key >> 7])
    return head + bytes(out) + data


def history(**values):
    return message(
        2, b"".join(message(1, message(2, k.encode()) + message(16, str(v).encode())) for k, v in values.items())
    )


def of_wandb(tmp_path, bodies):
    path = tmp_path / "run-a.wandb"
    path.write_bytes(framed(bodies))
    return read([path])


def test_records_that_go_over_blocks_are_put_together(tmp_path):
    bodies = [history(_step=k, train_loss=2 - k / 10, val_loss=2.1 - k / 10) for k in range(8)]
    between = message(7, b"x" * 100_000)
    log = of_wandb(tmp_path, [part for body in bodies for part in (between, body)])
    assert pairs(log, {}).val_N.tolist() == pytest.approx([2.1 - k / 10 for k in range(8)])


def test_a_record_beyond_the_bound_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(framing, "MOST_RECORD", 1 << 17)
    bodies = [history(_step=k, train_loss=2.0 - k, val_loss=2.5 - k) for k in range(3)]
    log = of_wandb(tmp_path, [bodies[0], message(2, b"y" * (1 << 18)), *bodies[1:]])
    assert pairs(log, {}).val_N.tolist() == [2.5, 1.5, 0.5]


def test_values_that_are_no_numbers_are_left(tmp_path):
    bad = ('"NaN"', "true", "null", '"text"', "[1, 2]", "{", "9" * 80)
    bodies = [history(_step=k, train_loss=2.0 - k, val_loss=2.5 - k) for k in range(3)]
    log = of_wandb(tmp_path, [*bodies, *(history(_step=9, val_loss=value) for value in bad)])
    found = pairs(log, {})
    assert found.val_N.tolist() == [2.5, 1.5, 0.5]
    assert found.val.series.broken == 1


def test_a_transaction_log_that_is_cut_off_is_read_up_to_there(tmp_path):
    data = one_file("wandb-steps", "*.wandb").read_bytes()
    path = tmp_path / "run.wandb"
    path.write_bytes(data[: len(data) // 2])
    log = read([path])
    assert any("breaks off" in note for note in log.notes)
    assert log.series["train_loss"].count > 10


def test_a_damaged_record_ends_its_block_alone(tmp_path):
    bodies = [history(_step=k, train_loss=2 - k / 100, val_loss=2.1 - k / 100) for k in range(100)]
    data = bytearray(framed([part for body in bodies for part in (message(7, b"x" * 2000), body)]))
    data[framing.BLOCK + 3000] ^= 1
    path = tmp_path / "run.wandb"
    path.write_bytes(data)
    log = read([path])
    assert log.bad == 1
    assert 80 < log.series["val_loss"].count < 100


def test_a_version_that_is_not_known_is_said(tmp_path):
    path = tmp_path / "run.wandb"
    path.write_bytes(b":W&B\xe1\xbe\x07" + b"x" * 100)
    with pytest.raises(DiagnoseError, match="version of its format that is not known"):
        read([path])
    path.write_text("a foreign file")
    with pytest.raises(DiagnoseError, match="no loss was found"):
        judge([path])


# databases


def base(path, *statements):
    with sqlite3.connect(path) as made:
        for statement in statements:
            made.execute(statement)
    made.close()
    return path


RUNS = "CREATE TABLE runs (run_uuid TEXT, name TEXT, start_time INT, lifecycle_stage TEXT)"
METRICS = "CREATE TABLE metrics (key TEXT, value FLOAT, timestamp INT, run_uuid TEXT, step INT, is_nan INT)"


def test_a_database_is_opened_to_be_read_alone(tmp_path):
    path = tmp_path / "mlflow.db"
    shutil.copy(WRITTEN / "mlflow.db", path)
    path.chmod(0o400)
    before = (path.read_bytes(), sorted(tmp_path.iterdir()))
    assert pairs(read([path]), {}).val.count == 6
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == before
    with database.read_only(path) as opened, pytest.raises(sqlite3.OperationalError):
        opened.execute("DELETE FROM runs")


def test_a_view_in_the_place_of_a_table_is_not_read(tmp_path):
    endless = (
        "CREATE VIEW metrics AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
        "SELECT 'val_loss' AS key, x AS value, 0 AS timestamp, 'a' AS run_uuid, x AS step, 0 AS is_nan FROM c"
    )
    path = base(tmp_path / "mlflow.db", RUNS, endless, "INSERT INTO runs VALUES ('a', 'a', 0, 'active')")
    with pytest.raises(DiagnoseError, match="holds no log"):
        read([tmp_path])
    with pytest.raises(DiagnoseError):
        read([path])


def test_a_database_that_wants_too_much_time_is_left(tmp_path, monkeypatch):
    rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 20000)"
    path = base(
        tmp_path / "mlflow.db", RUNS, METRICS, "INSERT INTO runs VALUES ('a', 'a', 0, 'active')",
        f"INSERT INTO metrics {rows} SELECT 'val_loss', x, 0, 'a', x, 0 FROM c",
    )  # fmt: skip
    monkeypatch.setattr(database, "OPERATIONS", 100)
    monkeypatch.setattr(database, "MOST_COUNTED", 10)
    with pytest.raises(DiagnoseError, match="interrupted"):
        read([path])


def test_what_stands_in_the_write_ahead_log_is_read_too(tmp_path):
    path = tmp_path / "tiny.db"
    made = sqlite3.connect(path)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("CREATE TABLE metrics (run_name TEXT, timestamp TEXT, step INT, metrics TEXT)")
    for k in range(5):
        made.execute(
            "INSERT INTO metrics VALUES ('a', '', ?, ?)",
            (k, f'{{"train/loss": {2 - k / 10}, "val/loss": {3 - k / 10}}}'),
        )
    made.commit()
    assert (tmp_path / "tiny.db-wal").stat().st_size
    before = sorted(file.name for file in tmp_path.iterdir())
    assert pairs(read([tmp_path]), {}).val_N.tolist() == [3.0, 2.9, 2.8, 2.7, 2.6]
    assert sorted(file.name for file in tmp_path.iterdir()) == before
    made.close()


def test_a_database_of_something_else_and_a_broken_one(tmp_path):
    other = base(tmp_path / "a.db", "CREATE TABLE pets (name TEXT)")
    with pytest.raises(DiagnoseError, match="is a database"):
        read([other])
    broken = tmp_path / "b.db"
    broken.write_bytes((WRITTEN / "mlflow.db").read_bytes()[:3000])
    with pytest.raises(DiagnoseError, match=r"cannot be read as a database|is a database"):
        read([broken])


def test_a_deleted_run_is_not_offered(tmp_path):
    path = tmp_path / "mlflow.db"
    shutil.copy(WRITTEN / "mlflow-two-runs" / "mlflow.db", path)
    base(path, "UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'first'")
    assert [run.name for run in folders.runs_in(tmp_path)] == ["second"]
    folder = copied("mlflow-mlruns-two", tmp_path / "mlruns")
    meta = next(file for file in folder.rglob("meta.yaml") if "run_name: first" in file.read_text())
    meta.write_text(meta.read_text().replace("lifecycle_stage: active", "lifecycle_stage: deleted"))
    assert [run.name for run in folders.runs_in(folder)] == ["second"]


def test_lines_of_a_metric_that_are_none_count_as_bad(tmp_path):
    folder = copied("mlflow-mlruns", tmp_path / "mlruns")
    with next(folder.rglob("val_loss")).open("a") as file:
        file.write("no numbers here at all really\n\n1 nan 9\n")
    log = read([folder])
    assert log.bad == 1
    assert pairs(log, {}).val.series.broken == 1


# the others


def test_aim_without_its_library_is_said_in_a_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "aim", None)
    with pytest.raises(DiagnoseError, match=r"not installed: pip install 'diagnose-training\[trackers\]'") as told:
        read([WRITTEN / "aim"])
    assert "\n" not in str(told.value)


def test_an_archive_that_swells_is_read_up_to_a_bound(tmp_path, monkeypatch):
    from diagnose.logs.folders import comet_runs

    path = tmp_path / "a.zip"
    good = (
        f'{{"payload": {{"metric": {{"metricName": "{side}_loss", "metricValue": {2 - k}, "step": {k}}}}}, '
        f'"type": "metric_msg"}}\n'
        for k in range(4)
        for side in ("train", "val")
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("experiment.json", "{}")
        archive.writestr("messages.json", "".join(good) + "0" * 50_000_000)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(comet_runs, "MOST_UNPACKED", 1 << 20)
    assert pairs(read([path]), {}).val_N.tolist() == [2.0, 1.0, 0.0, -1.0]


def test_another_archive_is_refused_as_before(tmp_path):
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    with pytest.raises(DiagnoseError, match="zip archive"):
        read([path])


def test_no_module_of_pickles_is_imported():
    for file in Path(folders.__file__).parent.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import pickle" not in text
        assert "torch" not in text


def test_mutated_folders_are_read_or_refused():
    """Bytes changed, cut off, doubled and strewn in: one line or a record, never a traceback (more: folder_fuzz.py)."""
    read, slowest, _ = fuzz(600, 1)
    assert 50 < read < 550
    assert slowest < 5

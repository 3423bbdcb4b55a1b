"""Logs of real tools and of published formats: what is read is what was written (`tests/logs/make.py`)."""

import json
from pathlib import Path

import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.pairs import pairs
from diagnose.logs.read import detect, parse_columns, read

LOGS = Path(__file__).parent
MANIFEST = json.loads((LOGS / "manifest.json").read_text(encoding="utf-8"))


def opened(name):
    made = MANIFEST[name]
    columns = parse_columns(made.get("columns"))
    log = read([LOGS / name, *(LOGS / other for other in made.get("others", []))], None, columns)
    return log, pairs(log, columns)


def test_there_are_enough_of_both_kinds():
    kinds = [made["kind"] for made in MANIFEST.values()]
    assert len(kinds) >= 30
    assert kinds.count("real") >= 12


@pytest.mark.parametrize("name", MANIFEST)
def test_values_are_read_as_they_were_written(name):
    values = MANIFEST[name]["values"]
    _, found = opened(name)
    close = values.get("close", 1e-9)
    for side in ("train", "val"):
        if side in values:
            track = getattr(found, side)
            assert track.value.tolist() == pytest.approx([v for _, v in values[side]], rel=close), side
            assert track.at.tolist() == pytest.approx([a for a, _ in values[side]], abs=1e-4), side
            assert track.count >= len(values[side])
    assert found.mean == values.get("mean")


def test_text_that_is_no_log_gives_no_loss(tmp_path, verses):
    """Verses hold numbers, and words such as loss; none is a loss of a network."""
    with pytest.raises(DiagnoseError, match="no loss was found"):
        pairs(read([verses]), {})


LINES = {
    "best val loss 1.2": {},
    "Epoch 5: val_loss improved from 0.31 to 0.25, saving model": {},
    "the loss of 40 men, and 3 were left": {},
    "loss scale 65536": {},
    "loss: 1.2, loss_scale: 65536": {"loss": 1.2},
    "[rank0] epoch 3 | train loss 2.0 | valid loss 2.1 | ppl 8.17": {"train loss": 2.0, "valid loss": 2.1, "ppl": 8.17},
    "eval: loss 1.5 (3 batches)": {"val loss": 1.5},
    "valid | epoch 3 | loss 1.25": {"val loss": 1.25},
    "val_acc: 0.5 - loss: 1.2": {"loss": 1.2},
    "train loss nan, val loss inf": {"train loss": float("nan"), "val loss": float("inf")},
    "number of nan iterations: 0 | lm loss: 1.0E+00": {"lm loss": 1.0},
    "loss=1,234.5": {"loss": 1234.5},
    "loss 50%": {},
}


@pytest.mark.parametrize("line", LINES)
def test_numbers_of_a_line_are_named_by_the_words_before_them(line):
    from diagnose.logs.text import read_text

    log = read_text([(line, False)])
    read_values = {name: s.table()[-1, -1] if s.count else None for name, s in log.series.items()}
    wanted = {name: value if abs(value) < 1e30 else None for name, value in LINES[line].items()}
    assert read_values == wanted


FORMS = {
    "tensorboard": LOGS / "tensorboard-scalars" / "events.out.tfevents.0.log", "csv": LOGS / "keras-csvlogger.csv",
    "jsonl": LOGS / "nested.jsonl", "json": LOGS / "trainer_state.json", "text": LOGS / "nanogpt.txt",
}  # fmt: skip


@pytest.mark.parametrize("kind", FORMS)
def test_the_format_is_told_from_the_content(kind, tmp_path):
    named_wrongly = tmp_path / "log.csv"
    named_wrongly.write_bytes(FORMS[kind].read_bytes())
    assert detect(named_wrongly.read_bytes()) == kind
    assert read([named_wrongly]).series


@pytest.mark.parametrize("squeeze", ["gzip", "zstandard"])
def test_compressed_logs_are_read(squeeze, tmp_path):
    import gzip

    import zstandard

    data = (LOGS / "nanogpt.txt").read_bytes()
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(data) if squeeze == "gzip" else zstandard.compress(data))
    assert pairs(read([path]), {}).val.value.tolist() == opened("nanogpt.txt")[1].val.value.tolist()


def test_parts_of_one_run_are_joined(tmp_path):
    lines = (LOGS / "nanogpt.txt").read_text().splitlines(keepends=True)
    for name, part in (("a", lines[:60]), ("b", lines[60:])):
        (tmp_path / name).write_text("".join(part))
    whole = pairs(read([tmp_path / "a", tmp_path / "b"]), {})
    assert whole.val.value.tolist() == opened("nanogpt.txt")[1].val.value.tolist()


def test_event_files_are_read_as_tensorboard_reads_them():
    """The tool's own reader on the same file."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    own = EventAccumulator(str(LOGS / "tensorboard-scalars")).Reload()
    found = opened("tensorboard-scalars")[1]
    for track, tag in ((found.train, "Loss/train"), (found.val, "Loss/validation")):
        events = own.Scalars(tag)
        assert track.at.tolist() == [e.step for e in events]
        assert track.value.tolist() == [e.value for e in events]


def test_an_event_file_that_breaks_off_is_read_up_to_there(tmp_path):
    path = tmp_path / "events"
    path.write_bytes(FORMS["tensorboard"].read_bytes()[:-20])
    log = read([path])
    assert any("breaks off" in note for note in log.notes)
    assert sum(s.count for s in log.series.values()) > 50


def test_a_long_series_is_thinned_and_its_count_exact():
    from diagnose.logs.series import MOST_POINTS, Log, LogRow

    log = Log("text")
    for k in range(100_000):
        log.add(LogRow({"loss": float(k)}, step=float(k)))
    table = log.series["loss"].table()
    assert log.series["loss"].count == 100_000
    assert MOST_POINTS / 2 <= len(table) <= MOST_POINTS + 1
    assert (table[0, -1], table[-1, -1]) == (0.0, 99_999.0)
    assert (table[:, 1] == table[:, -1]).all()

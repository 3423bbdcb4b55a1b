"""Mutated logs raise nothing, take no time and no memory; a log of two gigabytes streams. All of it: `make fuzz`."""

import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import log_fuzz
import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge

HERE = Path(__file__).parent


def test_mutated_logs_end_in_a_record_or_a_line(tmp_path):
    read, slowest, growth = log_fuzz.fuzz(tmp_path, 2000, 1)
    assert 500 < read < 1900
    assert slowest < log_fuzz.MOST_SECONDS
    assert growth < log_fuzz.MOST_GROWTH


LONG = {
    "one line": b"a" * 3_000_000, "digits": b"9" * 3_000_000, "brackets": b"[" * 3_000_000, "braces": b"{" * 3_000_000,
    "spaces": b" " * 3_000_000 + b"x", "escapes": b"\x1b[" * 1_000_000, "titles": b"\x1b]" * 1_000_000,
    "quotes": b'a,"b\n' * 400_000, "objects": b'{"a":' * 400_000, "keys": b"loss " * 600_000, "bars": b"1/2 " * 500_000,
    "returns": b"loss: 1\r" * 200_000, "backspaces": b"loss: 1" + b"\x08" * 2_000_000,
    "history": b'{"log_history": [' + b'{"loss": 1},' * 60_000, "commas": b"1,234," * 400_000,
    "thousands": b"loss: " + b"123," * 700_000, "pipes": b"| " * 1_500_000, "sides": b"train | valid | " * 200_000,
    "dashes": b"- " * 1_500_000, "header": b"train_loss  val_loss  " * 150_000, "signs": b"loss=" * 600_000 + b"1",
    "letters": "Потери训练".encode() * 150_000, "joined": b"epoch_1 " * 400_000, "code": b"if loss " * 400_000,
    "config": b"Namespace(" * 300_000, "brackets with numbers": b"[1,2] " * 500_000, "missing": b"val: n/a " * 300_000,
    "many shapes": b"".join(b"loss%s 1\n" % (b"x" * (k % 500)) for k in range(12_000)),
    "csv": b"step,loss,val_loss\n" + b"1,2,3," * 300_000, "columns": b"loss," * 300_000 + b"\n" + b"1," * 300_000,
}  # fmt: skip


@pytest.mark.parametrize("kind", LONG)
def test_no_input_takes_time_beyond_its_length(kind, tmp_path):
    """Some megabytes of what makes patterns go back and forth; a quadratic one would take minutes."""
    path = tmp_path / "log"
    path.write_bytes(LONG[kind])
    start = time.perf_counter()
    log_fuzz.MOST_SECONDS, before = 20.0, log_fuzz.MOST_SECONDS
    try:
        log_fuzz.tried(path)
    finally:
        log_fuzz.MOST_SECONDS = before
    assert time.perf_counter() - start < 20


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "jsonl", "csv", "trainer_state"])
def test_two_gigabytes_stream(kind, tmp_path):
    """A process of its own, so that its memory is its own."""
    path = tmp_path / "log"
    write_large(path, kind, 2 << 30)
    code = (
        "import resource, sys; from pathlib import Path; from diagnose.logs.judge import judge\n"
        "r = judge([Path(sys.argv[1])]); print(r.points.train, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    count, memory = map(int, run.stdout.split())
    assert count > 1_000_000
    assert memory * 1024 < 400 << 20
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0


OTHERS = 20  # columns of other numbers
CHATTER = "saved a checkpoint to out; the text goes on and on\n" * 20
RECORD = '{{"step": {0}, "loss": {1:.4f}, "eval_loss": {2:.4f}, "note": "' + "x" * 900 + '"}}'
LARGE = {  # what begins a log, each of its records, what ends it
    "text": ("", "step {0}: train loss {1:.4f}, val loss {2:.4f}\n" + CHATTER, ""),
    "csv": ("step,loss,val_loss" + "".join(f",m{i}" for i in range(OTHERS)) + "\n",
            "{0},{1:.4f},{2:.4f}" + ",0.123456" * OTHERS + "\n", ""),
    "jsonl": ("", RECORD + "\n", ""),
    "trainer_state": ('{"log_history": [{}', "," + RECORD + "\n", "]}"),
}  # fmt: skip


def write_large(path, kind, size):
    """Write a log of about that many bytes, most of which say nothing of a loss."""
    begin, record, end = LARGE[kind]
    with path.open("w") as file:
        file.write(begin)
        k = written = 0
        while written < size:
            written += file.write("".join(record.format(j, 1 + 1 / j, 1.1 + 1 / j) for j in range(k + 1, k + 1001)))
            k += 1000
        file.write(end)


def test_a_row_of_long_numbers_that_is_none_is_told_at_once(tmp_path):
    """The fuzz found it: a number was matched in as many ways as it has digits, several in their product."""
    path = tmp_path / "long.txt"
    path.write_text("loss " + " ".join(["9" * 400] * 12) + " x\n" * 3)
    start = time.process_time()
    with pytest.raises(DiagnoseError):
        judge([path])
    assert time.process_time() - start < 2


def test_a_total_beyond_all_bounds_is_none(tmp_path):
    """The fuzz found it: batches of an epoch that were infinite times none of them."""
    path = tmp_path / "total.txt"
    lines = "".join(
        f"Epoch {e}/3, step {s}/{'9' * 400}, train loss {2 / e + s / 100}, val loss {3 / e + s / 100}\n"
        for e in (1, 2, 3)
        for s in (1, 2, 3)
    )
    path.write_text(lines)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert judge([path]).points.pairs == 9

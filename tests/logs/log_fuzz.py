# ruff: noqa: E501, C901, PT017
"""Mutated logs: none may end in anything but a record or a `DiagnoseError`, take long, or leave memory behind.

python tests/logs/log_fuzz.py [COUNT] [SEED]       600,000 by default, as `make fuzz-logs`
"""

import io
import json
import re
import resource
import shutil
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
from fresh_rounds import CASES
from rich.console import Console

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge
from diagnose.report.console import rows
from diagnose.report.log_document import report_of

LOGS = Path(__file__).parent
MOST_SECONDS = 5.0  # of one input, on a busy machine; they take a millisecond
MOST_GROWTH = 64 << 20  # bytes, after the first tenth
MOST_BYTES = 1500
SMALL = 400  # bytes of half of the inputs, so that many can be tried
SHOWN = 64  # one in so many records is rendered for the terminal, which takes longer than all else
SPLICES = (
    b"nan", b"inf", b"-inf", b"1e999", b"9" * 400, b"-0", b"1,234,567.8", b"0x1p3", b"\x00" * 5, b"\xff\xfe\xfd", b"\xf0\x9f\x98\x80",
    b"\x1b[31m", b"\x1b]0;title\x07", b"\x1b[" + b"9" * 80, b"\r", b"\r\n", b"\n" * 3, b"\x08" * 8, b"|" * 50, b" " * 300, b"a" * 500,
    b"{" * 200, b"[" * 3000, b'"', b"'", b"\\u0000", b"\\ud800", b"<script>alert(1)</script>", "\u202eevil\u202c".encode(),
    b"train loss 1.0, val loss 2.0\n", b"step 5/10 ", b"Epoch 3/2 ", b"loss: ", b"val_loss=", b",,,,", b";;;", b"\t\t",
    b'{"step": 1, "loss": 2, "eval_loss": 3}\n', b'{"log_history": [', b"\x80\x04", b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd",
    b"1e-320", b"Batch Size: 1e400", b"dropout = nan", b"1/0", b"\xe2\x80\xa8", b"5 validation batches", b"vocab_size = 1e9",
    b"epoch train_loss valid_loss\n", b"| Step | Training Loss | Validation Loss |\n|:--:|\n", b"1,5000;2,5;", b"Fold 3\n",
    b"Validation:\n", b"---- Training ----\n", b"Loss train/val: 1.0/2.0 ", b"val: n/a ", b"1.0 (2.0) ", b"loss: (1, 2)", b"[5/9]",
    "训练损失: 1 ".encode(), "Эпоха 3 потери ".encode(), b'"mode": "val", ', b"split,metric,value\n", b"[0]\ttrain-l2:1\tval-l2:2\n",
)  # fmt: skip


ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


MOST_KEPT = 20  # failed inputs


class TooLongError(Exception):
    """An input that took longer than `MOST_SECONDS`."""


def seeds():
    """Return the contents of all logs, event files included."""
    files = [
        p
        for p in sorted(LOGS.rglob("*"))
        if p.is_file() and p.suffix not in (".py", ".pyc") and p.name != "manifest.json"
    ]
    fresh = [(f"fresh-{name}", content) for name, logs, _ in CASES for content in logs.values()]
    return [(p.name, p.read_bytes()[:MOST_BYTES]) for p in files] + [(name, head(content)) for name, content in fresh]


def head(content):
    """Return the beginning of a log that a test has written down."""
    return (content if isinstance(content, bytes) else content.encode())[:MOST_BYTES]


def piece(rng, data):
    """Return a log, or its beginning with some later lines behind it."""
    if len(data) <= SMALL or rng.integers(4) == 0:
        return data
    at = int(rng.integers(SMALL // 2, len(data) - SMALL // 3))
    return data[: SMALL // 2] + data[at : at + SMALL // 2]


def mutated(rng, data):
    """Return a log with one to six changes."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        at = int(rng.integers(0, len(out) + 1))
        kind = int(rng.integers(0, 8))
        if kind == 0:
            del out[at:]
        elif kind == 1:
            del out[at : at + int(rng.integers(1, 200))]
        elif kind == 2:
            out[at:at] = SPLICES[int(rng.integers(len(SPLICES)))]
        elif kind == 3:
            out[at : at + 4] = rng.bytes(int(rng.integers(1, 9)))
        elif kind == 4:
            end = at + int(rng.integers(1, 400))
            out[at:at] = out[at:end]
        elif kind == 5 and at < len(out):
            out[at] ^= 1 << int(rng.integers(8))
        elif kind == 6:
            digits = [i for i in range(at, min(at + 60, len(out))) if 48 <= out[i] < 58]
            if digits:
                out[digits[0] : digits[-1] + 1] = SPLICES[int(rng.integers(8))]
        else:
            old, new = ((b"\n", b"\r"), (b",", b";"), (b".", b","), (b"loss", b"LOSS"))[int(rng.integers(4))]
            out = out.replace(old, new)
        if len(out) > 4 * MOST_BYTES:
            del out[4 * MOST_BYTES :]
    return bytes(out)


def _alarm(*_):
    raise TooLongError


def tried(path, shown=True):
    """Read one log; return whether it was read (or refused), and show its record as a person would see it."""
    signal.signal(signal.SIGVTALRM, _alarm)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        record = judge([path])
        json.dumps(record.model_dump(mode="json"), allow_nan=False).encode()
        if shown:
            out = io.StringIO()
            Console(file=out, width=100).print(rows(report_of(record)))
            Console(file=out, width=100).print(rows(report_of(record), everything=True))
            assert not ACTS.search(out.getvalue()), "a character that acts reaches the terminal"
    except DiagnoseError as error:
        assert "\n" not in str(error), "an error of several lines"
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return True


def fuzz(folder, count, seed):
    """Try so many mutated logs; return how many could be read, the slowest in seconds, and how memory grew in bytes."""
    rng = np.random.default_rng(seed)
    known = seeds()
    read, failed, slowest, before = 0, 0, 0.0, 0
    path = Path(folder) / "events.out.tfevents"  # a name that says nothing: formats are told from content
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(count):
            name, data = known[int(rng.integers(len(known)))]
            path.write_bytes(tried_bytes := mutated(rng, piece(rng, data)))
            start = time.perf_counter()
            try:
                read += tried(path, k % SHOWN == 0)
            except Exception:  # noqa: BLE001  (whatever it is, it is shown)
                failed += 1
                if failed <= MOST_KEPT:
                    kept = Path(folder) / f"failed-{seed}-{k}-{name}"
                    kept.write_bytes(tried_bytes)
                    print(f"input {k} of seed {seed}, made from {name}, is kept as {kept}", file=sys.stderr)
                    traceback.print_exc()
            slowest = max(slowest, time.perf_counter() - start)
            if k == count // 10:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if k and k % 50_000 == 0:
                print(f"{k:,} of {count:,}: {read:,} read, slowest {slowest:.3f} s", flush=True)
    assert not failed, f"{failed} inputs ended in an error that is not a DiagnoseError"
    return read, slowest, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def main():
    import tempfile

    count, seed = (int(x) for x in (sys.argv[1:] + ["600000", "0"][len(sys.argv) - 1 :])[:2])
    memory = Path("/dev/shm")  # where there is one: opening files on disk takes longer than reading them here
    folder = tempfile.mkdtemp(prefix="log-fuzz-", dir=memory if memory.is_dir() else None)
    start = time.perf_counter()
    read, slowest, growth = fuzz(folder, count, seed)
    seconds = time.perf_counter() - start
    shutil.rmtree(folder)
    print(f"{count:,} mutated logs in {seconds:,.0f} s: {read:,} read, {count - read:,} refused; the slowest took "
          f"{slowest:.3f} s; memory grew by {growth / 2**20:.1f} MiB after the first tenth")  # fmt: skip
    assert growth <= MOST_GROWTH


if __name__ == "__main__":
    main()

"""What programs read, pinned: `--json`, exit code and verdict of every command on small fixed runs.

`python tests/goldens/commands.py` writes the goldens anew: only in a change that is meant to change what they say.
"""

import contextlib
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
LOGS = HERE.parent / "logs"
VOLATILE = re.compile(r"seconds|tokens_per_second|^bytes$|^environment$|^page$|^took$|^recipe$")
RUN = re.compile(r"\d{8}-\d{6}-[\w.-]+")
NUMBER = re.compile(r"-?\N{MINUS SIGN}?\d[\d,]*\.?\d*(?:e[-+]\d+)?")
TINY = {
    "data.path": "verses.txt", "data.corpus": "file", "tokenizer.vocab_size": 400, "model.layers": 2, "model.width": 32,
    "model.heads": 2, "model.dropout": 0.1, "batches.context": 32, "batches.size": 8, "report.interval": 5,
    "run.threads": 1, "run.device": "cpu", "run.precision": "fp32",
}  # fmt: skip
SETS = [part for key, value in TINY.items() for part in ("--set", f"{key}={value}")]
COMMANDS = {
    "train": ["train", *SETS, "--set", "budget.steps=12", "--json"],
    "train-leaky": [
        "train", *SETS, "--set", "budget.steps=12", "--set", "batches.loader=windows", "--set", "data.split=windows",
        "--set", "tokenizer.kind=word", "--set", "report.train=interval", "--json",
    ],
    "train-bad": ["train", "--set", "batches.sise=2", "--json"],
    "loss-gap": ["loss-gap", "runs/latest", "--budget", "20000 tokens", "--json"],
    "loss-gap-verify": ["loss-gap", "runs/latest", "--budget", "20000 tokens", "--verify"],
    "loss-gap-none": ["loss-gap", "runs/nowhere", "--json"],
    "ablate": ["ablate", "--axis", "activation", "--seeds", "2", *SETS, "--set", "budget.steps=8", "--json"],
    "ablate-text": ["ablate", "--axis", "activation", "--seeds", "2", *SETS, "--set", "budget.steps=8", "--resume"],
    "ablate-plan": ["ablate", "--axis", "activation", *SETS, "--set", "budget.steps=8", "--dry-run", "--json"],
    "audit": ["audit", "runs/latest", "--json"],
    "audit-text": ["audit", "runs/latest"],
    "yardstick": ["yardstick", "--data", "verses.txt", "--json"],
    "log-first-user": ["log", str(LOGS / "first-user.txt"), "--json"],
    "log-keras": ["log", str(LOGS / "keras-history.json"), "--json"],
    "explain": ["explain", "mode", "--json"],
    "explain-none": ["explain", "modus"],
    "axes": ["axes", "--json"],
    "recipes": ["recipes", "--json"],
    "runs": ["runs", "--json"],
}  # fmt: skip


def call(arguments):
    """Run a command in this process; return its exit code, standard output and standard error."""
    from diagnose import __main__

    out, err, code = io.StringIO(), io.StringIO(), 0
    before, sys.argv = sys.argv, ["diagnose", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            __main__.main()
    except SystemExit as error:
        code = error.code or 0
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


def stable(value, key=""):
    """Return a record without what no two runs share: times, names of runs, sizes on disk."""
    if VOLATILE.search(key):
        return "..."
    if isinstance(value, dict):
        return {RUN.sub("RUN", k): stable(v, k) for k, v in value.items()}
    if isinstance(value, list):
        found = [stable(v) for v in value]
        return (
            sorted(found, key=_loss)
            if key == "runs" and all(isinstance(one, dict) and "status" in one for one in found)
            else found
        )
    if isinstance(value, str):
        return RUN.sub("RUN", value).replace(str(LOGS), "LOGS")
    return value


def _loss(run):
    """Return what runs of one second are told apart by: their order is that of their names, which end at random."""
    return run["steps"], run["val"]["bits_per_byte"]


def outcome(arguments):
    code, out, err = call(arguments)
    if "--json" in arguments and out:
        return {"code": code, "out": stable(json.loads(out))}
    said = out if code == 0 or out else err
    lines = [RUN.sub("RUN", line.rstrip()) for line in said.splitlines()]
    return {"code": code, "out": [line for line in lines if line]}


def everything(verses):
    """Carry all commands out in the current folder and return what each gave."""
    Path("verses.txt").write_text(Path(verses).read_text(encoding="utf-8"), encoding="utf-8")
    return {name: outcome(arguments) for name, arguments in COMMANDS.items()} | loop()


def loop():
    """Return the ledger and the audit of a user's model: dropout, batch norm, smoothing, two reductions, a leak."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    from diagnose import Side, audit_metric, explain_gap

    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(400, 12, generator=draw), torch.randint(0, 5, (400,), generator=draw)
    parts = [(x[k : k + 32], y[k : k + 32]) for k in range(0, 400, 32)]
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 5))

    def loss(smoothing):
        def objective(model, batch):
            return F.cross_entropy(model(batch[0]), batch[1], reduction="none", label_smoothing=smoothing)

        return objective

    train = Side(parts[:9], loss(0.1), reported=1.9)
    val = Side(parts[8:], loss(0.0), reduction="batch", reported=1.7)
    return {
        "explain_gap": {"code": 0, "out": stable(explain_gap(net, train, val, budget="100 batches").record)},
        "audit_metric": {"code": 0, "out": stable(audit_metric(net, train=train, val=val).record)},
    }


def differences(now, then, at="", digits=3e-3):  # noqa: C901  (a branch for each kind of value)
    """Yield where two outcomes differ: numbers by more than rounding of another processor, words and keys at all."""
    if isinstance(now, dict) and isinstance(then, dict):
        for key in sorted(now.keys() | then.keys()):
            if key in now and key in then:
                yield from differences(now[key], then[key], f"{at}.{key}", digits)
            else:
                yield f"{at}.{key} is {'new' if key in now else 'gone'}"
    elif isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        for number, (a, b) in enumerate(zip(now, then, strict=True)):
            yield from differences(a, b, f"{at}[{number}]", digits)
    elif isinstance(now, str) and isinstance(then, str) and digits:
        if NUMBER.sub("#", now).split() != NUMBER.sub("#", then).split():
            yield f"{at}: {now!r} was {then!r}"
    elif isinstance(now, float | int) and isinstance(then, float | int):
        if abs(now - then) > digits * max(1e-3, abs(then), abs(now)):
            yield f"{at}: {now!r} was {then!r}"
    elif now != then:
        yield f"{at}: {now!r} was {then!r}"


if __name__ == "__main__":
    from pythonbible_akjv.plain_text_readers_bible import bible

    text, ends = bible.scripture_content, bible.verse_end_indices
    lines = [" ".join(text[a : ends[v]].split()) for v, a in list(bible.verse_start_indices.items())[:150]]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIAGNOSE_CACHE"] = f"{folder}/cache"
        os.chdir(folder)
        Path("source.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        results = everything("source.txt")
    (HERE / "commands.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

"""Mutated records of runs and ablations: every view ends in a result or a line, and no run hides another.

python tests/reliability/record_fuzz.py [COUNT] [SEED]        100,000 by default, as `make fuzz-records`
"""

import io
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import scenarios
from mutations import mutated_bytes, mutated_json, mutated_table

PAGE = 960  # one in so many is drawn as a page, which takes longer than all else
SHOWN = 48  # one in so many is drawn on a terminal; its parts and its Markdown are made more often
MOST_KEPT = 30


class Folder:
    """Runs, an ablation of them, a ledger and an audit, all whole; the first run and the ablation are mutated."""

    def __init__(self, home):
        self.home = Path(home)
        (self.home / "text.txt").write_text("\n".join(scenarios.LINES) + "\n")
        os.chdir(self.home)
        os.environ["DIAGNOSE_CACHE"] = str(self.home / "cache")
        for args in (
            ["ablate", "--axis", "activation", "--seeds", "1", *scenarios.SETS, "--json"],
            ["train", *scenarios.sets({"report.sample": "true", "model.dropout": 0}), "--json"],
            ["loss-gap", "runs/latest", "--budget", "2000 tokens", "--json"], ["audit", "runs/latest", "--json"],
        ):  # fmt: skip
            _command(args)
        self.runs = self.home / "runs"
        self.victim = (self.runs / "latest").resolve()
        (self.runs / "latest").unlink()
        self.ablation = next(path.parent for path in self.runs.glob("*/ablation.toml"))
        self.good = next(p.parent for p in self.runs.glob("*/status.json") if p.parent != self.victim)
        self.digest = json.loads((self.good / "environment.json").read_text())["digest"]
        self.files = [p for home in (self.victim, self.ablation) for p in sorted(home.rglob("*"))
                      if p.is_file() and p.name != "lock"]  # fmt: skip
        self.whole = {path: path.read_bytes() for path in self.files}


def _command(args):
    from diagnose import __main__

    before, sys.argv = sys.argv, ["diagnose", *args]
    try:
        with redirect_stdout(io.StringIO()):
            __main__.main()
    except SystemExit as error:
        if error.code not in (None, 0, 1):
            raise RuntimeError(f"{args} ended with {error.code}") from None
    finally:
        sys.argv = before


def mutated(rng, path, data):
    """Return a file's content with a few changes, of its own kind or of any."""
    import pyarrow.parquet as pq

    if path.suffix == ".json" and rng.integers(4):
        return mutated_json(rng, data)
    if path.suffix == ".jsonl" and rng.integers(2):
        return b"\n".join(mutated_json(rng, line) for line in data.split(b"\n") if line)
    if path.suffix == ".parquet" and rng.integers(4):
        out = io.BytesIO()
        pq.write_table(mutated_table(rng, pq.read_table(io.BytesIO(data))), out)
        return out.getvalue()
    return mutated_bytes(rng, data)


def views(folder, path, number):
    """Yield what anybody may ask of such a folder, each a name and a function; cheap ones first."""
    from diagnose.report import page
    from diagnose.runs import inventory, opened, runner

    owner = folder.victim if folder.victim in path.parents else folder.ablation
    if owner == folder.victim:
        yield "runs", lambda: _listed(folder, inventory.listing(folder.runs), number)
        yield "resume", lambda: _found(folder, runner)
        yield "open", lambda: opened.open_run(folder.victim)
        if number % 8 == 0:
            yield "prune", lambda: inventory.prunable(folder.runs)
            yield "summary", lambda: _printed(runner.summary(folder.victim))
        if path.name in ("tokenizer.json", "recipe.toml") or path.suffix == ".safetensors":
            yield "sample", lambda: inventory.samples(str(folder.victim), "", 1, most_bytes=3, temperature=1.0, seed=0)
    yield "report", lambda: _reported(page.reports_of(owner), number)
    if number % 4 == 0:
        yield "the other's report", lambda: page.reports_of(folder.good)
    if number % PAGE == 0:
        yield "page", lambda: page.render(owner, folder.home / "reports")


def _listed(folder, listed, number):
    from diagnose.runs import inventory

    status = {row.run: row.status for row in listed}
    assert status[str(folder.good)] == "finished", "a damaged run hides another"
    _printed({"runs": [row.model_dump() for row in listed]})
    if number % SHOWN == 0:
        _shown(inventory.rows(listed))


def _printed(record):
    from diagnose.cli.outcome import print_json

    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):  # which refuses what a terminal would
        print_json(record)


def _found(folder, runner):
    assert runner.newest_finished(folder.runs, folder.digest) == folder.good, "a damaged run hides another"
    runner.newest_unfinished(folder.runs, folder.digest)


def _reported(reports, number):
    from diagnose.report.console import rows
    from diagnose.report.markdown import text_of

    for _, report in reports:
        if number % 4 == 0:
            parts = rows(report, everything=True)
            text_of(report, everything=True)
            if number % SHOWN == 0:
                _shown(parts)


def _shown(what):
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=100).print(what)
    assert "\x1b" not in out.getvalue(), "an escape sequence reaches the terminal"


def fuzz(home, count, seed):
    """Try so many mutations; return counts by how they ended, the slowest in seconds, and those that failed."""
    from diagnose.errors import DiagnoseError

    folder, rng = Folder(home), np.random.default_rng(seed)
    ended, slowest, kept, begun = Counter(), 0.0, Counter(), time.monotonic()
    for number in range(count):
        path = folder.files[int(rng.integers(len(folder.files)))]
        data = mutated(rng, path, folder.whole[path])
        path.write_bytes(data)
        refused = False
        for name, view in views(folder, path, number):
            start = time.perf_counter()
            try:
                view()
            except DiagnoseError as error:
                refused = True
                if "\n" in str(error):
                    ended["failed"] += 1
                    print(f"{number} {path.name} {name}: an error of several lines: {error}", file=sys.stderr)
            except Exception as error:  # noqa: BLE001
                ended["failed"] += 1
                _keep(kept, (number, seed, path, name), error, data)
            slowest = max(slowest, time.perf_counter() - start)
        ended["refused" if refused else "read"] += 1
        path.write_bytes(folder.whole[path])
        _restore(folder)
        if number % 5000 == 4999:
            print(f"# {number + 1} mutations: {dict(ended)}, {time.monotonic() - begun:.0f} s", flush=True)
    return ended, slowest


def _restore(folder):
    for path in set(folder.runs.iterdir()) - {folder.victim, folder.ablation, folder.good}:
        if path.name.startswith("compare"):
            shutil.rmtree(path, ignore_errors=True)


def _keep(kept, what, error, data):
    """Show a failure, each place in the code once."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/diagnose/" in frame.filename]
    place = f"{frames[-1].filename.rpartition('/diagnose/')[2]}:{frames[-1].lineno}" if frames else "?"
    key = f"{type(error).__name__} at {place}"
    kept[key] += 1
    if kept[key] == 1 and len(kept) <= MOST_KEPT:
        number, seed, path, name = what
        calls = " < ".join(
            f"{frame.filename.rpartition('/diagnose/')[2]}:{frame.lineno}" for frame in reversed(frames[-5:])
        )
        print(f"FAILED {key}: input {number} of seed {seed}, {path.name}, {name}: {error!s:.200} | {calls}", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="record-fuzz-") as place:
        found, slow = fuzz(place, int([*sys.argv, "100000"][1]), int([*sys.argv, "", "0"][2] or 0))
        os.chdir("/")
    print(f"# {dict(found)}, slowest {slow:.2f} s")
    sys.exit(bool(found["failed"]))

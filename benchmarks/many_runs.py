"""A folder with many runs: CPU time of `runs`, `report --index` and planning an ablation that reuses them.

    python benchmarks/many_runs.py [COUNT...]        1,000 and 10,000 by default

Trains one tiny run, copies its records and its page, each under a name and a digest of its own, and times the commands
as processes. The time of a folder with no runs is shown too, and taken off.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SETTINGS = {
    "tokenizer.kind": "char", "budget.steps": 3, "model.layers": 1, "model.width": 16, "model.heads": 2,
    "batches.size": 4, "batches.context": 32, "report.sample": False, "run.device": "cpu",
}  # fmt: skip
SETS = ["--data", "text.txt", *(part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}"))]
COMMANDS = {
    "runs": ["runs", "--json"],
    "report --index": ["report", "--index"],
    "ablate --dry-run": ["ablate", "--axis", "dropout", "--dry-run", *SETS],
}
RECORDS = ("status.json", "environment.json", "recipe.toml", "steps.parquet", "readings.parquet", "validation.parquet")


def cpu_seconds(folder, args):
    """Run a command there and return the CPU time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-P", "-m", "diagnose", *args]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(args[:2])}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def copies(folder, run, page, many):
    """Fill a folder with so many copies of a run and of its page."""
    environment = json.loads((run / "environment.json").read_text())
    (folder / "runs").mkdir()
    (folder / "reports").mkdir()
    for number in range(many):
        name = f"20250101-{number // 3600 % 24:02}{number // 60 % 60:02}{number % 60:02}-char-s0-{number:05x}"
        place = folder / "runs" / name
        place.mkdir()
        for record in RECORDS:
            os.link(run / record, place / record) if record != "environment.json" else None
        digest = f"{number:016x}"
        (place / "environment.json").write_text(json.dumps(environment | {"digest": digest}))
        shutil.copy(page, folder / "reports" / f"{name}.html")


def main(counts):
    """Print a table: a row for each number of runs."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print("runs", *COMMANDS, sep=" | ")
    with tempfile.TemporaryDirectory(prefix="many-runs-") as home:
        first = Path(home) / "first"
        first.mkdir()
        os.environ["DIAGNOSE_CACHE"] = str(first / "cache")
        text = "".join(f"line {k} of a small text, {k * k % 97}\n" for k in range(400))
        (first / "text.txt").write_text(text)
        cpu_seconds(first, ["train", *SETS])
        run, page = (first / "runs" / "latest").resolve(), next((first / "reports").glob("*.html"))
        for many in (1, *counts):
            folder = Path(home) / str(many)
            folder.mkdir()
            shutil.copy2(first / "text.txt", folder)
            copies(folder, run, page, many)
            print(many, *(f"{cpu_seconds(folder, args):.2f}" for args in COMMANDS.values()), sep=" | ", flush=True)


if __name__ == "__main__":
    main([int(part) for part in sys.argv[1:]] or [1000, 10000])

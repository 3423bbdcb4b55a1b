"""Time and memory of `diagnose compare` on a million rows: `python benchmarks/compare_speed.py [examples]`.

Writes a table of 20 arms, 10 seeds and (5,000) examples as CSV and as Parquet into a temporary folder, compares each by
the command, and prints its processor time and the most memory that it held.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ARMS, SEEDS = 20, 10


def table(examples):
    rng = np.random.default_rng(0)
    shape = (ARMS, SEEDS, examples)
    loss = 2 + rng.standard_normal(examples) - 0.01 * np.arange(ARMS)[:, None, None]
    loss = loss + 0.02 * rng.standard_normal((ARMS, SEEDS, 1)) + 0.1 * rng.standard_normal(shape)
    arm, seed, example = (axis.ravel() for axis in np.indices(shape))
    columns = {"model": np.char.add("model-", arm.astype(str)), "seed": seed, "id": example, "loss": loss.ravel()}
    return pd.DataFrame(columns)


def main():
    """Print a line for each kind of file."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as folder:
        rows = table(examples)
        rows.to_csv(Path(folder) / "t.csv", index=False)
        rows.to_parquet(Path(folder) / "t.parquet")
        for kind in ("csv", "parquet"):
            words = ["compare", f"{folder}/t.{kind}", "--arm", "model", "--seed", "seed", "--example", "id"]
            command = [sys.executable, "-m", "diagnose", *words, "--score", "loss", "--out", folder]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(
                f"{kind}: {len(rows):,} rows, {took:.1f} s of processor time, at most {after.ru_maxrss / 1024:.0f} MiB"
            )


if __name__ == "__main__":
    main()

"""How CPU time and memory grow with text, arms, seeds, runs in the folder and rows of a log (`make bench-growth`).

    python benchmarks/growth.py [--quick]        --quick: a hundredth of the text and rows, ten runs

Each size is measured as a process of its own: CPU seconds of user and system together, its children's included, and its
peak memory.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

from many_runs import SETS, copies, cpu_seconds

TEXT = """
import sys
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from diagnose.data import corpus, split, stream, tokenizer

cache = Path(mkdtemp(dir="."))
data = SimpleNamespace(
    corpus="file", path=sys.argv[1], documents="line", split="documents", val_fraction=0.1, reserve=0.01,
    duplicates=0.0, split_seed=0, scored="val",
)
made = corpus.load(data, cache)
kind = SimpleNamespace(kind=sys.argv[2], path="", vocab_size=4096)
stream.tokenise(made, tokenizer.for_run(kind, made, split.split(made, data), cache), cache)
"""


def measured(folder, argv):
    """Return CPU seconds and peak mebibytes of a process, which must end well."""
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execv(sys.executable, [sys.executable, "-P", *argv])
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f"{argv[:4]} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def write_text(path, size):
    """Write lines of words of very unequal frequency, so many bytes."""
    draw = random.Random(0)
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(1, 11))) for _ in range(50_000)]
    weights = [1 / (k + 2.7) for k in range(len(words))]
    with path.open("w") as file:
        while file.tell() < size:
            some = draw.choices(words, weights, k=20_000)
            file.writelines(" ".join(some[first : first + 20]) + "\n" for first in range(0, len(some), 20))


def write_log(path, rows):
    """Write a plain log of a run whose losses fall."""
    falls = (2 + 1 / (1 + i / 50) for i in range(rows))
    with path.open("w") as file:
        file.writelines(f"step {i * 10} train loss {x:.4f} val loss {x + 0.1:.4f}\n" for i, x in enumerate(falls))


def texts(folder, share):
    """Yield what was measured of taking text in, at three sizes ten times apart."""
    for kind in ("char", "word", "bpe"):
        for size in [max(int(share * 10**power), 20_000) for power in (6, 7, 8)]:
            path = folder / f"text-{size}.txt"
            if not path.exists():
                write_text(path, size)
            yield f"text, {kind}", f"{size / 1e6:g} MB", *measured(folder, ["-c", TEXT, str(path), kind])


def logs(folder, share):
    """Yield what was measured of reading a log, a hundred times as long."""
    for rows in [max(int(share * 10**power), 50) for power in (3, 4, 5)]:
        write_log(folder / f"{rows}.log", rows)
        yield "rows of a log", f"{rows:,}", *measured(folder, ["-m", "diagnose", "log", f"{rows}.log"])


def plans(folder):
    """Yield what was measured of planning ablations with ten times the arms, and ten times the seeds."""
    (folder / "text.txt").write_text("".join(f"line {k} of a small text, {k * k % 97}\n" for k in range(400)))
    for arms, seeds in ((3, 1), (30, 1), (3, 10)):
        axis = "optimizer.lr=" + ",".join(f"{(k + 1) * 1e-4:g}" for k in range(arms))
        argv = ["-m", "diagnose", "ablate", "--axis", axis, "--seeds", str(seeds), "--dry-run", *SETS]
        yield "plan of an ablation", f"{arms} arms x {seeds} seeds", *measured(folder, argv)


def folders(folder, many):
    """Yield what was measured of listing the runs of a folder."""
    cpu_seconds(folder, ["train", *SETS])
    run, page = (folder / "runs" / "latest").resolve(), next((folder / "reports").glob("*.html"))
    for count in (1, many):
        place = folder / f"folder-{count}"
        place.mkdir()
        copies(place, run, page, count)
        yield "runs in the folder", f"{count:,}", *measured(place, ["-m", "diagnose", "runs", "--json"])


def main():
    """Print a table, a row as soon as it is measured."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true")
    quick = options.parse_args().quick
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print("| what | size | CPU s | peak MiB |\n| --- | --- | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="growth-") as home:
        folder = Path(home)
        os.environ["DIAGNOSE_CACHE"] = str(folder / "cache")
        share = 0.01 if quick else 1.0
        parts = (texts(folder, share), logs(folder, share), plans(folder), folders(folder, 10 if quick else 1000))
        for part in parts:
            for what, size, seconds, memory in part:
                print(f"| {what} | {size} | {seconds:.2f} | {memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()

"""How much memory a large corpus takes: a text file is loaded, divided, tokenised and compared with itself.

Usage: python benchmarks/memory.py [MEGABYTES] [KIND]; 1,000 megabytes and "char" unless said otherwise.

Each stage runs in a process of its own, so that its peak is its own; `base` is a process that only imports
(torch, which a split's permutation needs, is the most of it). The text is the bundled corpus over and over, each
line with a number of its own, so that no line repeats.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STAGES = ("base", "load", "split", "learn", "tokenise", "overlap", "load again")


def write(path, size):
    """Write `size` bytes of text, a verse and a number on each line."""
    from diagnose.data import corpus

    with tempfile.TemporaryDirectory() as folder:
        verses = list(corpus.load(settings("akjv", ""), Path(folder)).texts())
    number = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        while file.tell() < size:
            file.writelines(f"{number + i} {verse}\n" for i, verse in enumerate(verses))
            number += len(verses)


def settings(name, path):
    from diagnose.config.recipe import DataConfig

    return DataConfig(corpus=name, path=str(path))


def stage(name, path, kind, cache):
    """Run one stage on what earlier ones left in the cache, and print its seconds and its process's peak."""
    import torch

    from diagnose.config.recipe import TokenizerConfig
    from diagnose.data import corpus, overlap, split, stream, tokenizer

    assert torch.get_num_threads()
    wanted = TokenizerConfig(kind=kind)
    start = time.perf_counter()
    if name != "base":
        made = corpus.load(settings("file", path), cache)
    if name not in ("base", "load", "load again"):
        start = time.perf_counter()
        parts = split.split(made, settings("file", path))
    if name in ("learn", "tokenise"):
        start = time.perf_counter()
        learned = tokenizer.for_run(wanted, made, parts, cache)
    if name == "tokenise":
        start = time.perf_counter()
        stream.tokenise(made, learned, cache)
    if name == "overlap":
        start = time.perf_counter()
        print(overlap.overlap(made, parts, cache), file=sys.stderr)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:10s} {seconds:9.2f} s {peak:9.0f} MiB", flush=True)


def main():
    size = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 10**9
    kind = sys.argv[2] if len(sys.argv) > 2 else "char"
    with tempfile.TemporaryDirectory() as folder:
        path, cache = Path(folder) / "large.txt", Path(folder) / "cache"
        write(path, size)
        print(f"{path.stat().st_size / 1e6:.0f} MB of text, {kind}", flush=True)
        for name in STAGES:
            subprocess.run([sys.executable, __file__, "--stage", name, path, kind, cache], check=True)


if __name__ == "__main__":
    if "--stage" in sys.argv:
        name, path, kind, cache = sys.argv[2:]
        stage(name, Path(path), kind, Path(cache))
    else:
        main()

"""Two more stages of `make gpu`: samples with and without a memory, and one run trained on several cards."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

MOST_CARDS = 8


def samples(setup, wait):
    """Return milliseconds a token of a sample, where each token is read once and where the text is read anew."""
    from diagnose.training import sampling

    figures, net = {}, setup.network()
    encode = setup.text.tokenizer.encode
    for how, remembers in (("read once", True), ("read anew", False)):
        with mock.patch.object(sampling, "remembers", lambda _, remembers=remembers: remembers):
            for _ in range(2):  # the first sample warms up
                wait()
                begun = time.perf_counter()
                text = sampling.generate(
                    net, setup.text.tokenizer, "In the beginning", context=setup.recipe.batches.context, seed=0,
                    most_bytes=300, precision=setup.recipe.run.precision,
                )  # fmt: skip
                took = time.perf_counter() - begun
        figures[f"ms a token, {how}"] = 1e3 * took / max(1, len(encode(text, add_special_tokens=False).ids))
    return figures


def together(given, cards):
    """Return how a run of several processes differs from one process's, and the seconds that either took."""
    from safetensors.torch import load_file

    count = min(cards, MOST_CARDS) or 2
    with tempfile.TemporaryDirectory() as folder:
        one, seconds = _trained(Path(folder) / "one", given, ())
        many, shared = _trained(Path(folder) / "many", given, ("-m", "torch.distributed.run", "--standalone",
                                                               "--nproc-per-node", str(count)))  # fmt: skip
        a, b = (load_file(path / "checkpoint" / "model.safetensors") for path in (one, many))
        furthest = max(float((a[name] - b[name]).abs().max()) for name in a)
    return {
        "processes": count, "largest difference of a weight": furthest, "seconds of one process, all in all": seconds,
        "seconds of all together": shared,
    }  # fmt: skip


def _trained(folder, given, launcher):
    """Train by the command, in a folder of its own, and return the run and the seconds that it took."""
    folder.mkdir()
    sets = [f"--set={key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in given.items()]
    command = [sys.executable, *launcher, "-m", "diagnose", "train", "--json", *sets]
    begun = time.perf_counter()
    run = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, env=dict(os.environ))
    if run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1])
    return (folder / "runs" / "latest").resolve(), time.perf_counter() - begun

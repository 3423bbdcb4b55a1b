"""An ablation of 3 arms x 3 seeds with `--jobs 2` beside the same runs one after another in nanoGPT's own loop.

    python benchmarks/ablation.py [--rounds 3] [--cases A,B,B-bf16] [--jobs 2] [--share 1.0]

Arms differ in the learning rate, so that all cost the same. Both sides take the same steps on the same batches, on the
same cores; they take turns, and ratios are medians over rounds. Two ratios are given. *Training*: steps a second of all
processes while they train, from what our runs record, against nanoGPT's loop. *Whole*: the wall time of the command,
from the start of its processes over probes, samples and the reading of the whole validation text to the page, against
nanoGPT's loop alone, which does none of that and is not charged for its start. With 9 runs in 2 processes one of them
trains 5, so that "whole" could not reach more than 0.9 of "training" even if the rest cost nothing.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from throughput import CASES

RATES = (5e-4, 1e-3, 2e-3)
SEEDS = (0, 1, 2)
STEPS = {"A": 1500, "B": 60, "B-bf16": 60}  # of a run


def sets(case, steps):
    """Return the overrides of a case."""
    precision = CASES[case]["precision"]
    return {**CASES[case]["sets"], "budget.steps": steps, "run.compile": "off", "run.precision": precision,
            "optimizer.schedule": "constant", "optimizer.warmup": 0.0}  # fmt: skip


def our_seconds(case, steps, jobs):
    """Carry the ablation out; return its wall time and what its runs' training took if shared out evenly."""
    from diagnose.runs import run_tables, store

    levels = ",".join(str(rate) for rate in RATES)
    given = [f"--set={key}={str(value).lower()}" for key, value in sets(case, steps).items()]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "diagnose", "ablate", f"--axis=optimizer.lr={levels}", f"--seeds={len(SEEDS)}",
                   f"--jobs={jobs}", f"--recipe={CASES[case]['recipe']}", *given]  # fmt: skip
        begun = time.perf_counter()
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        whole = time.perf_counter() - begun
        runs = store.entries(Path(folder) / "runs")
        assert len(runs) == len(RATES) * len(SEEDS)
        trained = sum(float(run_tables.read_table(run, "steps").iloc[-1].seconds) for run in runs)
    return whole, trained / jobs


def nanogpt(pipe, case, precision, steps):
    """Train the same runs one after another, all cores in one process; answer with the seconds of the loops."""
    import reference
    import torch

    from diagnose.config.recipe import Recipe
    from diagnose.training.batches import step_batches
    from diagnose.training.preparation import set_up

    torch.set_num_threads(os.cpu_count())
    total = 0.0
    for seed in SEEDS:
        setup = set_up(Recipe.load(CASES[case]["recipe"], {**sets(case, steps), "run.seed": seed}))
        torch.set_num_threads(os.cpu_count())
        torch.set_float32_matmul_precision("highest")  # as nanoGPT's loop has it
        parts = [step_batches(setup.course.layout, k, 1)[0] for k in range(steps)]
        data = [(b.inputs_BT, b.targets_BT) for b in parts]
        model = setup.recipe.model.settings()
        for rate in RATES:
            config = reference.Config(
                setup.text.vocabulary, setup.recipe.batches.context, model["layers"], model["heads"], model["width"],
                model["dropout"], model["bias"], learning_rate=rate,
            )  # fmt: skip
            torch.manual_seed(seed)
            step = reference.nanogpt_step(config, data, precision)
            begun = time.perf_counter()
            for _ in range(steps):
                step()
            total += time.perf_counter() - begun
    pipe.send(total)


def nanogpt_seconds(case, precision, steps):
    """Return what nanoGPT's loop takes, in a process of its own: our allocator settings must not help it."""
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=nanogpt, args=(there, case, precision, steps))
    process.start()
    seconds = here.recv()
    process.join()
    return seconds


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--cases", default="A,B,B-bf16")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--share", type=float, default=1.0, help="of the steps, to try it out")
    given = options.parse_args()
    for case in given.cases.split(","):
        steps = max(4, round(STEPS[case] * given.share))
        precisions = ["fp32", "bf16"] if case.endswith("bf16") else ["fp32"]
        found = {precision: ([], []) for precision in precisions}
        for _ in range(given.rounds):
            base = {precision: nanogpt_seconds(case, precision, steps) for precision in precisions}
            whole, training = our_seconds(case, steps, given.jobs)
            for precision, seconds in base.items():
                found[precision][0].append(seconds / training)
                found[precision][1].append(seconds / whole)
            took = ", ".join(f"nanoGPT's loop in {precision} {seconds:.0f} s" for precision, seconds in base.items())
            print(
                f"  {case}, 9 runs of {steps} steps: {took}; ours {training:.0f} s training, {whole:.0f} s whole",
                flush=True,
            )
        for precision, (training, whole) in found.items():
            said = " and ".join(
                f"{statistics.median(values):.2f} times ({min(values):.2f} to {max(values):.2f}) {name}"
                for name, values in (("training", training), ("whole", whole))
            )
            print(f"{case} against nanoGPT's loop in {precision}: {said}", flush=True)


if __name__ == "__main__":
    main()

"""An ablation with `--jobs 2` beside the same runs one after another in nanoGPT's own loop.

    python benchmarks/ablation.py [--rounds 1] [--cases A,B,B-bf16] [--arms 2] [--seeds 2] [--jobs 2] [--share 1.0]

Arms differ in the learning rate, so that all cost the same. Both sides take the same steps on the same batches, on the
same cores; they take turns, and ratios are medians over rounds. Two ratios are given. *Training*: steps a second of all
processes while they train, from what our runs record, against nanoGPT's steps. *Whole*: the wall time of the command,
from the start of its processes over probes, samples and the reading of the whole validation text to the page, against
nanoGPT's loop with nanoGPT's own evaluation, which is not charged for its start: `estimate_loss` over 20 batches of
each split at the first step and every 250, and a last one over as many tokens as ours reads. Where the runs are no
multiple of the jobs a process is idle at the end, which belongs to the whole.
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
STEPS = {"A": 1500, "B": 300, "B-bf16": 300}  # of a run
EVALUATED_EVERY, EVALUATED = 250, 20  # steps and batches of either split: nanoGPT's own defaults for small texts


def sets(case, steps):
    """Return the overrides of a case."""
    precision = CASES[case]["precision"]
    return {**CASES[case]["sets"], "budget.steps": steps, "run.compile": "off", "run.precision": precision,
            "optimizer.schedule": "constant", "optimizer.warmup": 0.0}  # fmt: skip


def our_seconds(case, steps, given):
    """Carry the ablation out; return its wall time and what its runs' training took if shared out evenly."""
    from diagnose.runs import run_tables, store

    levels = ",".join(str(rate) for rate in RATES[: given.arms])
    keys = [f"--set={key}={str(value).lower()}" for key, value in sets(case, steps).items()]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            Path(sys.executable).parent / "diagnose", "ablate", f"--axis=optimizer.lr={levels}",
            f"--seeds={given.seeds}", f"--jobs={given.jobs}", f"--recipe={CASES[case]['recipe']}", *keys,
        ]  # fmt: skip
        begun = time.perf_counter()
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        whole = time.perf_counter() - begun
        runs = store.entries(Path(folder) / "runs")
        assert len(runs) == given.arms * given.seeds
        trained = sum(float(run_tables.read_table(run, "steps").iloc[-1].seconds) for run in runs)
    return whole, trained / given.jobs


def nanogpt(pipe, case, precision, steps, given):
    """Train the same runs one after another, all cores in one process; answer with seconds of steps and of losses."""
    import reference
    import torch

    from diagnose.config.recipe import Recipe
    from diagnose.training import batches
    from diagnose.training.preparation import set_up

    trained = evaluated = 0.0
    for seed in range(given.seeds):
        setup = set_up(Recipe.load(CASES[case]["recipe"], {**sets(case, steps), "run.seed": seed}))
        torch.set_num_threads(os.cpu_count())
        torch.set_float32_matmul_precision("highest")  # as nanoGPT's loop has it
        plan = setup.course.layout
        data = _pairs(batches.step_batches(plan, k, 1)[0] for k in range(steps))
        rows = setup.validation
        whole = -(-rows.targets // (rows.size * rows.context))
        held_out = _pairs(batches.rows(rows, k * rows.size, rows.size) for k in range(max(whole, EVALUATED)))
        model = setup.recipe.model.settings()
        for rate in RATES[: given.arms]:
            config = reference.Config(
                setup.text.vocabulary, setup.recipe.batches.context, model["layers"], model["heads"], model["width"],
                model["dropout"], model["bias"], learning_rate=rate,
            )  # fmt: skip
            torch.manual_seed(seed)
            took = _through(reference.Loop(config, data, precision), data, held_out, steps, whole)
            trained, evaluated = trained + took[0], evaluated + took[1]
    pipe.send((trained, evaluated))


def _through(loop, data, held_out, steps, whole):
    """Take all steps with nanoGPT's evaluation between them; return the seconds of steps and those of evaluation."""
    evaluated, begun = 0.0, time.perf_counter()
    for k in range(steps):
        if k % EVALUATED_EVERY == 0:
            paused = time.perf_counter()
            loop.estimate_loss(data[:EVALUATED])
            loop.estimate_loss(held_out[:EVALUATED])
            evaluated += time.perf_counter() - paused
        loop.step()
    ended = time.perf_counter()
    loop.estimate_loss(held_out[:whole])
    return ended - begun - evaluated, evaluated + time.perf_counter() - ended


def _pairs(found):
    return [(batch.inputs_BT, batch.targets_BT) for batch in found]


def nanogpt_seconds(case, precision, steps, given):
    """Return what nanoGPT's loop takes, in a process of its own: our allocator settings must not help it."""
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=nanogpt, args=(there, case, precision, steps, given))
    process.start()
    seconds = here.recv()
    process.join()
    return seconds


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--cases", default="A,B,B-bf16")
    options.add_argument("--arms", type=int, default=2, choices=(2, 3))
    options.add_argument("--seeds", type=int, default=2)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--share", type=float, default=1.0, help="of the steps, to try it out")
    given = options.parse_args()
    for case in given.cases.split(","):
        compare(case, max(4, round(STEPS[case] * given.share)), given)


def compare(case, steps, given):
    """Measure a case in rounds and print its ratios."""
    precisions = ["fp32", "bf16"] if case.endswith("bf16") else ["fp32"]
    found = {precision: ([], []) for precision in precisions}
    for _ in range(given.rounds):
        base = {precision: nanogpt_seconds(case, precision, steps, given) for precision in precisions}
        whole, training = our_seconds(case, steps, given)
        for precision, (trained, evaluated) in base.items():
            found[precision][0].append(trained / training)
            found[precision][1].append((trained + evaluated) / whole)
        took = ", ".join(
            f"nanoGPT's loop in {precision} {trained:.0f} s training, {evaluated:.0f} s evaluation"
            for precision, (trained, evaluated) in base.items()
        )
        runs = given.arms * given.seeds
        print(
            f"  {case}, {runs} runs of {steps} steps: {took}; ours {training:.0f} s training, {whole:.0f} s whole",
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

"""Steps a second of our trainer beside nanoGPT's loop, Hugging Face's Trainer and Lightning, as ratios.

    python benchmarks/throughput.py [--rounds 7] [--cases A,B,B-bf16] [--others]

Every contender is a process of its own (our allocator settings must not help the others) with the same network sizes,
the same batches and as many threads. They take turns, a burst of steps each, so that a drifting machine drifts under
all. Each step is timed inside its loop, from the end of one to the end of the next; a round's ratio is that of its
bursts' medians, and what is printed is the median of the rounds' ratios. Where rounds disagree by more than a factor
of 1.5 no ratio is printed: the machine is busy. Ours runs as users run it: batches made, every step recorded.
Also printed: peak memory, what share of a step goes into making its batch and its record, and what share of the
machine's own rate of matrix products a step reaches.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import resource
import statistics
import time
from itertools import islice, pairwise

CASES = {
    "A": {
        "recipe": "nanogpt-cpu", "precision": "fp32", "burst": 20,
        "sets": {"data.split": "documents", "batches.order": "random"},
    },
    "B": {
        "recipe": "quick", "precision": "fp32", "burst": 4,
        "sets": {
            "tokenizer.kind": "bpe", "tokenizer.vocab_size": 4096, "batches.size": 64, "batches.context": 128,
            "model.layers": 4, "model.heads": 4, "model.width": 128, "model.dropout": 0.1, "model.bias": False,
        },
    },
}  # fmt: skip
CASES["B-bf16"] = CASES["B"] | {"precision": "bf16"}
WARM = 3  # bursts that are thrown away
FIRST = 2  # steps of each burst that are thrown away: a framework starts anew with each
DISAGREE = 1.5  # rounds whose ratios differ by more say nothing


def our_setup(case, compiled="off"):
    from diagnose.config.recipe import Recipe
    from diagnose.training.preparation import set_up

    table = CASES[case]
    recipe = Recipe.load(table["recipe"], {**table["sets"], "budget.steps": 100_000, "run.compile": compiled})
    return set_up(recipe.with_values({"run.precision": table["precision"], "run.threads": os.cpu_count()}))


def our_course(case, compiled="off"):
    """Return a function that takes n of our steps and tells when each ended, and the set-up."""
    from diagnose.training import trainer

    setup = our_setup(case, compiled)
    net = setup.network()
    setup.compile(net)
    steps = trainer.train_steps(net, trainer.make_optimizer(net, setup.recipe.optimizer), setup.course, trainer.START)
    return (lambda n: [time.perf_counter() for _ in islice(steps, n)]), setup


def reference_data(case, count=64):
    """Return nanoGPT's configuration and our own first batches."""
    import reference

    from diagnose.training.batches import step_batches

    setup = our_setup(case)
    model = setup.recipe.model.settings()
    config = reference.Config(
        setup.text.vocabulary, setup.recipe.batches.context, model["layers"], model["heads"], model["width"],
        model["dropout"], model["bias"],
    )  # fmt: skip
    parts = (step_batches(setup.course.layout, k, 1)[0] for k in range(count))
    return config, [(b.inputs_BT, b.targets_BT) for b in parts]


def nanogpt_course(case, precision=None):
    import reference

    config, data = reference_data(case)
    step = reference.nanogpt_step(config, data, precision or CASES[case]["precision"])
    return lambda n: [(step(), time.perf_counter())[1] for _ in range(n)]


def huggingface_course(case):
    import torch
    from reference import NanoGPT
    from transformers import Trainer, TrainerCallback, TrainingArguments

    config, data = reference_data(case)

    class Wrapped(NanoGPT):
        def forward(self, input_ids, labels):
            logits, loss = super().forward(input_ids, labels)
            return {"loss": loss, "logits": logits}

    rows = [{"input_ids": x, "labels": y} for xs, ys in data for x, y in zip(xs, ys, strict=True)]
    size, network = len(data[0][0]), Wrapped(config)

    class Clock(TrainerCallback):
        def __init__(self):
            self.ends = []

        def on_step_end(self, *_, **__):
            self.ends.append(time.perf_counter())

    def course(n):
        clock = Clock()
        arguments = TrainingArguments(
            output_dir="/tmp/hf", max_steps=n, per_device_train_batch_size=size, report_to=[], save_strategy="no",
            use_cpu=True, bf16=CASES[case]["precision"] == "bf16", logging_steps=100, disable_tqdm=True,
            learning_rate=1e-3, lr_scheduler_type="cosine", warmup_steps=0, max_grad_norm=1.0,
        )  # fmt: skip
        torch.manual_seed(0)
        Trainer(network, arguments, train_dataset=rows, callbacks=[clock]).train()
        return clock.ends

    return course


def lightning_course(case):
    import logging
    import warnings

    import lightning
    import reference
    from torch.utils.data import DataLoader

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    config, data = reference_data(case)

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = reference.NanoGPT(config)

        def training_step(self, batch, _):
            loss = self.network(*batch)[1]
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self):
            return reference.optimizer(self.network, config)

    class Clock(lightning.Callback):
        def __init__(self):
            self.ends = []

        def on_train_batch_end(self, *_, **__):
            self.ends.append(time.perf_counter())

    loader, module = DataLoader(data, batch_size=None), Module()

    def course(n):
        clock = Clock()
        precision = "bf16-mixed" if CASES[case]["precision"] == "bf16" else "32-true"
        lightning.Trainer(
            max_steps=n, accelerator="cpu", precision=precision, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, gradient_clip_val=1.0, callbacks=[clock],
        ).fit(module, loader)  # fmt: skip
        return clock.ends

    return course


def worker(pipe, contender, case):
    """Take steps when told to; answer with the median of the seconds a step and peak memory in MiB."""
    import torch

    torch.set_num_threads(os.cpu_count())
    makers = {
        "ours": lambda: our_course(case)[0],
        "ours, compiled": lambda: our_course(case, "on")[0],
        "nanoGPT": lambda: nanogpt_course(case),
        "nanoGPT fp32": lambda: nanogpt_course(case, "fp32"),
        "Hugging Face": lambda: huggingface_course(case),
        "Lightning": lambda: lightning_course(case),
    }
    course = makers[contender]()
    while (count := pipe.recv()) is not None:
        pipe.send((step_seconds(course(count + FIRST)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def step_seconds(ends):
    """Return the median of the seconds a step, from when each ended, without the first ones."""
    return statistics.median(later - sooner for sooner, later in pairwise(ends[FIRST - 1 :]))


def speed(took, base):
    """Return in words how many times as fast a contender is, from seconds a step of each round.

    No ratio is given where the rounds' own ones differ by more than `DISAGREE`.
    """
    ratios = [b / a for a, b in zip(took, base, strict=True)]
    least, most = min(ratios), max(ratios)
    if most > DISAGREE * least:
        return f"no ratio: rounds disagree by a factor of {most / least:.1f}; the machine is busy, try again"
    return f"{statistics.median(ratios):.2f} times ({least:.2f} to {most:.2f})"


def race(case, contenders, rounds):
    """Return seconds a step of each contender per round, and peak memory."""
    context, processes = mp.get_context("spawn"), {}
    for name in contenders:
        here, there = context.Pipe()
        processes[name] = (context.Process(target=worker, args=(there, name, case), daemon=True), here)
        processes[name][0].start()
    burst, took, memory = CASES[case]["burst"], {name: [] for name in contenders}, {}
    for turn in range(WARM + rounds):
        for name, (_, pipe) in processes.items():
            pipe.send(burst)
            each, memory[name] = pipe.recv()
            if turn >= WARM:
                took[name].append(each)
            time.sleep(0.2)
    for process, pipe in processes.values():
        pipe.send(None)
        process.join()
    return took, memory


def matrix_rate(precision):
    """Return the machine's rate of 2048^3 matrix products, in operations a second."""
    import torch

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.randn(2048, 2048).to(dtype), torch.randn(2048, 2048).to(dtype)
    times = []
    for _ in range(12):
        begun = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - begun)
    return 2 * 2048**3 / statistics.median(times)


def shares(case):
    """Return what share of one of our steps goes into making its batch and into its record."""
    from dataclasses import asdict

    import pandas as pd

    from diagnose.training.batches import step_batches
    from diagnose.training.trainer import START

    course, setup = our_course(case)
    course(3)
    begun = time.perf_counter()
    course(CASES[case]["burst"])
    step = (time.perf_counter() - begun) / CASES[case]["burst"]
    begun = time.perf_counter()
    for k in range(50):
        step_batches(setup.course.layout, k, 1)
    loading = (time.perf_counter() - begun) / 50
    begun = time.perf_counter()
    pd.DataFrame([asdict(START) for _ in range(2000)]).to_parquet("/tmp/steps.parquet")
    return loading / step, (time.perf_counter() - begun) / 2000 / step, setup.derived.flops_per_step / step


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--cases", default="A,B,B-bf16")
    options.add_argument("--others", action="store_true", help="also Hugging Face's Trainer and Lightning")
    given = options.parse_args()
    for case in given.cases.split(","):
        base = "nanoGPT fp32" if case.endswith("bf16") else "nanoGPT"
        names = [base, "ours", *(["nanoGPT"] if case.endswith("bf16") else [])]
        names += ["ours, compiled"] if case == "A" else []
        names += ["Hugging Face", "Lightning"] if given.others else []
        took, memory = race(case, names, given.rounds)
        median = {name: statistics.median(values) for name, values in took.items()}
        print(f"{case}: nanoGPT's loop takes {1000 * median[base]:.1f} ms a step")
        for name in names:
            print(f"  {name:14s} {speed(took[name], took[base]):28s} peak memory {memory[name]:,.0f} MiB")
        loading, recording, rate = shares(case)
        precision = CASES[case]["precision"]
        print(f"  a batch takes {loading:.2%} of our step, a record {recording:.3%}")
        share = rate / matrix_rate(precision)
        print(f"  our step reaches {share:.0%} of the machine's {precision} matrix rate", flush=True)


if __name__ == "__main__":
    main()

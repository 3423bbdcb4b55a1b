"""The stages of `make gpu`: each prints one JSON object, `state` ("done" or "skipped") and `figures`; see `gpu.py`.

Sizes are those of issue 19 on a CUDA device and tiny ones on a CPU, where a stage shows that it runs and no more.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import gpu_whole_runs

ROOT = Path(__file__).resolve().parent.parent
NO_CUDA = {"state": "skipped", "why": "no CUDA: skipped"}
DATASHEET = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "4090": 165e12, "L4": 121e12}  # dense bf16 operations/s
TINY = {"model.layers": 1, "model.heads": 2, "model.width": 32, "batches.size": 8, "batches.context": 32}


class Stage(NamedTuple):
    """A function and the seconds that it may take."""

    run: object
    limit: int


def has_cuda():
    import torch

    return torch.cuda.is_available()


def done(**figures):
    return {"state": "done", "figures": figures}


def place():
    """Return the device and a function that waits for it."""
    import torch

    if has_cuda():
        return torch.device("cuda"), torch.cuda.synchronize
    return torch.device("cpu"), lambda: None


def text_file(folder, verses=400):
    """Write verses of the bundled corpus and return their file."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    ends = bible.verse_end_indices
    some = list(bible.verse_start_indices.items())[:verses]
    path = Path(folder) / "verses.txt"
    path.write_text("\n".join(" ".join(bible.scripture_content[a : ends[v]].split()) for v, a in some) + "\n")
    return path


def small(folder, **more):
    """Return settings of a run that takes seconds anywhere."""
    device = "cuda" if has_cuda() else "cpu"
    return {
        "data.corpus": "file", "data.path": str(text_file(folder)), "tokenizer.vocab_size": 400, **TINY,
        "model.dropout": 0.1, "budget.steps": 24, "report.interval": 8, "report.sample": False, "run.device": device,
        "run.compile": "off", "run.threads": 1,
    } | more  # fmt: skip


def environment():
    import platform

    import torch

    from diagnose.training import device, preparation

    where, _ = place()
    name = device.card_name(where) if where.type == "cuda" else "no CUDA device: tiny sizes on the CPU"
    commit, dirty = preparation.source_commit()
    figures = {"python": platform.python_version(), "torch": torch.__version__, "commit": commit, "dirty": dirty}
    return done(device=name, **figures, **device.card_versions(where)) | {"head": name, "cuda": where.type == "cuda"}


def tests():
    if not has_cuda():
        return NO_CUDA
    files = ["tests/training/test_batches.py", "tests/training/test_models.py", "tests/training/test_on_card.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", *files]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    told = [line for line in run.stdout.splitlines() if line.strip()][-1]
    return {"state": "failed", "why": told} if run.returncode else done(pytest=told)


def course(recipe, vocabulary, where, tokens=200_000):
    """Return a course over random tokens, and the network for it."""
    import numpy as np
    import torch

    from diagnose.training import batches, network
    from diagnose.training.trainer import TrainingPlan

    length, draw = 64, np.random.default_rng(0)
    documents = tokens // length
    ids = draw.integers(2, vocabulary, (documents, length)).astype(np.uint16 if vocabulary < 1 << 16 else np.int32)
    ids[:, 0] = 0
    text = SimpleNamespace(
        tokens=np.append(ids.reshape(-1), 0).astype(np.int32), starts=np.arange(documents + 1) * length
    )
    sides = SimpleNamespace(train=np.arange(documents), val=np.arange(1))
    layout = batches.plan(recipe, text, sides, "train", 1, where)
    bytes_V = torch.ones(vocabulary, dtype=torch.int64, device=where)
    net = network.build("gpt", recipe.model.settings(), vocabulary, recipe.batches.context, 0, where)
    return TrainingPlan(recipe, layout, recipe.budget.steps, recipe.optimizer.lr, bytes_V), net


def recipe_of(steps, device, **more):
    from diagnose.config.recipe import Recipe

    given = {"budget.steps": steps, "run.device": device, "run.compile": "off", "run.precision": "fp32"}
    return Recipe.load("quick", given | more)


def losses(steps, where, **more):
    """Return the losses of a small run over random tokens."""
    from diagnose.training import device, trainer

    recipe = recipe_of(steps, where.type, **more)
    device.prepare(recipe, 1.0)
    plan, net = course(recipe, 300, where)
    optimizer = trainer.make_optimizer(net, recipe.optimizer)
    return [step.loss for step in trainer.train_steps(net, optimizer, plan, trainer.START)]


def parity():
    """The same steps on the CPU and on the device; masks differ, so there is no dropout."""
    import torch

    where, _ = place()
    steps, sizes = (200, {}) if where.type == "cuda" else (5, TINY)
    cpu = losses(steps, torch.device("cpu"), **sizes, **{"model.dropout": 0.0})
    here = losses(steps, where, **sizes, **{"model.dropout": 0.0})
    half = losses(steps, where, **sizes, **{"model.dropout": 0.0, "run.precision": "bf16"})
    again = losses(steps, where, **sizes)
    return done(
        steps=steps, largest_relative_difference_fp32=max(abs(a / b - 1) for a, b in zip(here, cpu, strict=True)),
        last_loss_cpu=cpu[-1], last_loss_fp32=here[-1], last_loss_bf16=half[-1],
        repeats_bit_for_bit=again == losses(steps, where, **sizes),
    )  # fmt: skip


def child(order):
    """Train a run as told, and kill this process at a step where that is wanted."""
    import signal

    from diagnose.runs import runner, session
    from diagnose.training import trainer

    session.CHECKPOINT_SECONDS, session.CHECKPOINT_SHARE, trainer.FETCHED = -1.0, float("inf"), 4

    def watch(progress):
        if order["kill"] is not None and progress.doing == "training" and progress.step >= order["kill"]:
            os.kill(os.getpid(), signal.SIGKILL)

    return str(runner.train("quick", order["given"], runs=order["runs"], resume=order["resume"], watch=watch))


def trained(folder, given, *, kill=None, resume=False):
    """Train in a process of its own, with a compiler cache of its own, and return the run's folder."""
    order = {"given": given, "runs": str(folder), "kill": kill, "resume": resume}
    place = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": tempfile.mkdtemp(dir=folder.parent)}
    command = [sys.executable, __file__, "child", json.dumps(order)]
    run = subprocess.run(command, check=False, capture_output=True, text=True, env=place)
    if kill is None and run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1])
    return None if kill is not None else Path(json.loads(run.stdout.splitlines()[-1]))


def resume():
    """Kill a run with `kill -9`, go on with it in a new process, and compare its weights with a run that was not."""
    from safetensors.numpy import load_file

    from diagnose import loss_gap

    figures = {}
    compiled = ("off", "on") if has_cuda() else ("off",)
    masks = ("none", "document") if has_cuda() else ("document",)
    with tempfile.TemporaryDirectory() as folder:
        for mode, mask in ((c, m) for c in compiled for m in masks):
            given = small(folder, **{"run.compile": mode, "batches.mask": mask})
            (runs := Path(folder) / f"{mode}-{mask}").mkdir()
            whole = trained(runs / "whole", given)
            trained(runs / "parted", given, kill=13)
            parted = trained(runs / "parted", given, resume=True)
            one, two = (load_file(path / "checkpoint" / "model.safetensors") for path in (whole, parted))
            same = all((one[name].tobytes() == two[name].tobytes()) for name in one)
            found = loss_gap(whole, budget="2000 tokens", verify=True)["verified"]
            again = "bit for bit" if found["weights"] and not found["differing"] else f"{found['largest']:.1e} apart"
            killed = "bit for bit" if same else "DIFFERENT WEIGHTS"
            figures[f"compile {mode}, mask {mask}"] = f"after kill -9: {killed}; --verify: {again}"
    return done(**figures)


def rate(where, wait):
    """Return the device's own rate of bf16 matrix products, in operations a second."""
    import torch

    size = 8192 if where.type == "cuda" else 256
    a, b = (torch.randn(size, size, device=where, dtype=torch.bfloat16) for _ in range(2))
    times = []
    for _ in range(12):
        wait()
        begun = time.perf_counter()
        a @ b
        wait()
        times.append(time.perf_counter() - begun)
    return 2 * size**3 / statistics.median(times)


def timed(course, wait, count):
    """Return the seconds of a step."""
    wait()
    begun = time.perf_counter()
    course(count)
    wait()
    return (time.perf_counter() - begun) / count


def our_steps(setup):
    """Return a function that takes steps of a run."""
    from diagnose.training import trainer

    setup.prepare()
    net = setup.network()
    setup.compile(net)
    optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
    steps = trainer.train_steps(net, optimizer, setup.course, trainer.START)
    return lambda count: sum(1 for _ in islice(steps, count))


def first_user(compiled, steps=2000):
    """Return the set-up of the recipe `first-user`; on a CPU a tiny one."""
    from diagnose.config.recipe import Recipe
    from diagnose.training.preparation import set_up

    more = {"budget.steps": steps, "run.compile": compiled}
    if has_cuda():
        return set_up(Recipe.load("first-user", more | {"run.device": "cuda"}))
    tiny = {"data.corpus": "file", "data.path": str(text_file(tempfile.mkdtemp())), "tokenizer.vocab_size": 400}
    return set_up(Recipe.load("first-user", more | TINY | tiny | {"run.device": "cpu", "run.threads": 1}))


def speed(each, setup, where, own):
    """Return what a step's time comes to."""
    tokens, flops = setup.derived.tokens_per_step, setup.derived.flops_per_step
    known = next((peak for name, peak in DATASHEET.items() if name in card()), None)
    share = {} if known is None else {"share_of_datasheet_bf16": flops / each / known}
    own_share = {"share_of_own_matrix_rate": flops / each / own}
    return {"ms_a_step": 1e3 * each, "tokens_a_second": tokens / each, **own_share, **share}


def card():
    import torch

    return torch.cuda.get_device_name() if has_cuda() else ""


def waits(setup):
    """Count what torch itself calls synchronizing in a block of steps."""
    import warnings

    import torch

    if not has_cuda():
        return {}
    steps = our_steps(setup)
    steps(50)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            steps(50)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return {"waits_in_50_steps": sum("synchroniz" in str(w.message) for w in caught)}


def kernels(steps):
    """Return the kernels that take most time of a few steps."""
    import torch

    if not has_cuda():
        return {}
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        steps(50)
        torch.cuda.synchronize()
    rows = sorted(seen.key_averages(), key=lambda row: -row.device_time_total)[:12]
    count = sum(row.count for row in seen.key_averages())
    top = {
        f"kernel {r.key[:60]}": f"{r.device_time_total / 50e3:.3f} ms a step, {r.count / 50:.0f} times" for r in rows
    }
    return {"kernels_a_step": count / 50, **top}


def step():
    """The recipe `first-user` compiled, for 1,000 steps."""
    import torch

    where, wait = place()
    warm, count = (100, 1000) if has_cuda() else (2, 3)
    setup = first_user("on" if has_cuda() else "off")
    steps = our_steps(setup)
    begun = time.perf_counter()
    steps(warm)
    wait()
    first = time.perf_counter() - begun
    each = timed(steps, wait, count)
    peak = {"peak_memory_gb": torch.cuda.max_memory_allocated() / 1e9} if has_cuda() else {}
    figures = speed(each, setup, where, rate(where, wait)) | peak | {f"first_{warm}_steps_s": first}
    if has_cuda():
        figures["projected_training_s_of_41,900_steps"] = 41_900 * each
    return done(**figures, **kernels(steps), **waits(first_user("off")))


def nanogpt(setup, where, *, compiled):
    """Return a function that takes steps of nanoGPT's loop on our first batches."""
    import reference
    import torch

    from diagnose.training.batches import step_batches

    model = setup.recipe.model.settings()
    config = reference.Config(
        setup.text.vocabulary, setup.recipe.batches.context, model["layers"], model["heads"], model["width"],
        model["dropout"], model["bias"],
    )  # fmt: skip
    parts = [step_batches(setup.course.layout, k, 1)[0] for k in range(8)]
    real = reference.NanoGPT
    if compiled:
        reference.NanoGPT = lambda c: torch.compile(real(c).to(where))
    try:
        own = reference.nanogpt_step(config, [(b.inputs_BT, b.targets_BT) for b in parts], "bf16")
    finally:
        reference.NanoGPT = real
    return lambda count: [own() for _ in range(count)]


def huggingface(setup, where):
    """Return a function that takes steps of the Hugging Face Trainer on our first batches, and its start."""
    import reference
    from transformers import Trainer, TrainingArguments

    from diagnose.training.batches import step_batches

    model = setup.recipe.model.settings()
    config = reference.Config(
        setup.text.vocabulary, setup.recipe.batches.context, model["layers"], model["heads"], model["width"],
        model["dropout"], model["bias"],
    )  # fmt: skip
    parts = [step_batches(setup.course.layout, k, 1)[0].to("cpu") for k in range(8)]
    rows = [{"input_ids": x, "labels": y} for b in parts for x, y in zip(b.inputs_BT, b.targets_BT, strict=True)]

    class Wrapped(reference.NanoGPT):
        def forward(self, input_ids, labels):
            logits, loss = super().forward(input_ids, labels)
            return {"loss": loss, "logits": logits}

    def course(count):
        arguments = TrainingArguments(
            output_dir=tempfile.mkdtemp(), max_steps=count, per_device_train_batch_size=setup.recipe.batches.size,
            report_to=[], save_strategy="no", use_cpu=where.type == "cpu", bf16=where.type == "cuda", logging_steps=100,
            disable_tqdm=True, learning_rate=3e-4,
        )  # fmt: skip
        Trainer(Wrapped(config), arguments, train_dataset=rows).train()

    return course


def race():
    """Ours against nanoGPT's loop and the Hugging Face Trainer, taking turns."""
    where, wait = place()
    burst, rounds = (50, 5) if has_cuda() else (2, 1)
    eager = first_user("off")
    contenders = {"ours, eager": our_steps(eager), "nanoGPT, eager": nanogpt(eager, where, compiled=False)}
    if has_cuda():
        contenders["ours, compiled"] = our_steps(first_user("on"))
        contenders["nanoGPT, compiled"] = nanogpt(eager, where, compiled=True)
    for course in contenders.values():
        timed(course, wait, burst)
    took = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, course in contenders.items():
            took[name].append(timed(course, wait, burst))
    figures = {f"{name}, ms a step": 1e3 * statistics.median(times) for name, times in took.items()}
    if find_spec("transformers") and has_cuda():
        course = huggingface(eager, where)
        short, long = (timed(course, wait, n) * n for n in (burst, 4 * burst))
        figures["Hugging Face Trainer, ms a step"] = 1e3 * (long - short) / (3 * burst)
    return done(**figures)


def jobs():
    """Small runs at once on one device: steps a second of all together."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 2, 4, 8) if has_cuda() else (1,):
            given = small(folder, **{"budget.steps": 2000 if has_cuda() else 4})
            many = []
            begun = time.perf_counter()
            for seed in range(count):
                own = Path(folder) / f"{count}-{seed}"
                order = {"given": given | {"run.seed": seed}, "runs": str(own), "kill": None, "resume": False}
                command = [sys.executable, __file__, "child", json.dumps(order)]
                many.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            if any(process.wait() for process in many):
                raise RuntimeError(f"one of {count} runs at once failed")
            figures[f"{count} at once, seconds a run with its start"] = (time.perf_counter() - begun) / count
    return done(**figures, stacked_seeds="not written")


def gpt2():
    """A GPT-2 of 124 M parameters at context 1,024 over random tokens."""
    import torch

    from diagnose.training import device, network, trainer

    where, wait = place()
    large = {"model.layers": 12, "model.heads": 12, "model.width": 768, "batches.context": 1024, "batches.size": 16}
    vocabulary, count = (50_257, 50) if has_cuda() else (300, 2)
    mode = {"run.precision": "bf16", "run.compile": "on" if has_cuda() else "off", "model.dropout": 0.0}
    recipe = recipe_of(1000, where.type, **(large if has_cuda() else TINY), **mode)
    device.prepare(recipe, 1.0)
    plan, net = course(recipe, vocabulary, where, 2_000_000 if has_cuda() else 20_000)
    if has_cuda():
        network.compile_in_place(net, recipe.batches.size * recipe.batches.context * vocabulary)
    optimizer = trainer.make_optimizer(net, recipe.optimizer)
    steps = trainer.train_steps(net, optimizer, replace(plan, steps=1000), trainer.START)

    def take(number):
        return sum(1 for _ in islice(steps, number))

    take(50 if has_cuda() else 1)
    each = timed(take, wait, count)
    flops = network.flops(net, recipe.batches.size, recipe.batches.context, vocabulary)
    tokens = recipe.batches.size * recipe.batches.context
    peak = {"peak_memory_gb": torch.cuda.max_memory_allocated() / 1e9} if has_cuda() else {}
    return done(
        parameters=network.parameters(net), ms_a_step=1e3 * each, tokens_a_second=tokens / each,
        share_of_own_matrix_rate=flops / each / rate(where, wait), **peak,
    )  # fmt: skip


def samples():
    """Samples at the size of `first-user`, untrained."""
    return done(**gpu_whole_runs.samples(first_user("off"), place()[1]))


def together():
    """One run by as many processes as there are cards, without dropout; on a CPU by two."""
    import torch

    cards = torch.cuda.device_count()
    if cards == 1:
        return {"state": "skipped", "why": "one card: skipped"}
    with tempfile.TemporaryDirectory() as folder:
        return done(**gpu_whole_runs.together(small(folder, **{"model.dropout": 0.0}), cards))


STAGES = {
    "environment": Stage(environment, 30), "tests": Stage(tests, 50), "parity": Stage(parity, 50),
    "resume": Stage(resume, 120), "step": Stage(step, 75), "race": Stage(race, 75), "jobs": Stage(jobs, 45),
    "gpt2": Stage(gpt2, 30), "samples": Stage(samples, 15), "together": Stage(together, 50),
}  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "child":
        print(json.dumps(child(json.loads(sys.argv[2]))))
    else:
        print(json.dumps(STAGES[sys.argv[1]].run()))

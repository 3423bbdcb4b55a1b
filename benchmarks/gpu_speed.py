"""Stages of `make gpu` that time steps: ours, nanoGPT's loop, the Hugging Face Trainer's, and a GPT-2."""

import statistics
import tempfile
import time
import warnings
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from types import SimpleNamespace
from typing import NamedTuple

from gpu_common import DATASHEET, SMALL, card, done, first_user, has_cuda, is_large, mode, note, place, rate, timed

FETCHES = 10  # steps between two losses that nanoGPT's loop prints
WATCHED = 50  # steps whose waits and kernels are counted


class Contender(NamedTuple):
    """Who takes steps: what it sets for its process, a function that takes some, and the memory that it took."""

    prepare: object
    course: object
    gigabytes: float | None


def course_of(recipe, vocabulary, where, tokens=200_000):
    """Return a course over random tokens, and the network for it."""
    import numpy as np
    import torch

    from diagnose.training import batches, network
    from diagnose.training.trainer import TrainingPlan

    length, draw = 64, np.random.default_rng(0)
    documents = tokens // length
    ids = draw.integers(2, vocabulary, (documents, length)).astype(np.int32)
    ids[:, 0] = 0
    text = SimpleNamespace(tokens=np.append(ids.reshape(-1), np.int32(0)), starts=np.arange(documents + 1) * length)
    sides = SimpleNamespace(train=np.arange(documents), val=np.arange(1))
    layout = batches.plan(recipe, text, sides, "train", 1, where)
    bytes_V = torch.ones(vocabulary, dtype=torch.int64, device=where)
    net = network.build("gpt", recipe.model.settings(), vocabulary, recipe.batches.context, 0, where)
    return TrainingPlan(recipe, layout, recipe.budget.steps, recipe.optimizer.lr, bytes_V), net


def recipe_of(steps, device, **more):
    from diagnose.config.recipe import Recipe

    given = {"budget.steps": steps, "run.device": device, "run.compile": "off", "run.precision": "fp32"}
    return Recipe.load("quick", given | more)


def our_steps(setup):
    """Return a function that takes steps of a run."""
    from diagnose.training import trainer

    setup.prepare()
    net = setup.network()
    setup.compile(net)
    optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
    steps = trainer.train_steps(net, optimizer, setup.course, trainer.START)
    return lambda count: sum(1 for _ in islice(steps, count))


def speed(each, setup, own):
    """Return what a step's time comes to."""
    tokens, flops = setup.derived.tokens_per_step, setup.derived.flops_per_step
    known = next((peak for name, peak in DATASHEET.items() if name in card()), None)
    share = {} if known is None else {"share_of_datasheet_bf16": flops / each / known}
    return {"ms_a_step": 1e3 * each, "tokens_a_second": tokens / each, **own_share(flops / each, own), **share}


def own_share(operations, own):
    """Return which part of the device's own rate a step reaches; of tiny sizes it would say nothing."""
    return {"share_of_own_matrix_rate": operations / own} if is_large() else {}


def waits(course, count=WATCHED):
    """Count what torch itself calls synchronizing in some steps."""
    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            course(count)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return {f"waits_in_{count}_steps": sum("called a synchronizing" in str(w.message) for w in caught)}


def kernels(course, wait, count=WATCHED):
    """Return the number of kernels of a step and those that take most time."""
    from torch.profiler import ProfilerActivity, profile

    try:
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            course(count)
            wait()
    except (AssertionError, RuntimeError) as error:  # a container may forbid it
        return {"kernels": f"not counted: {error}"}
    rows = sorted(seen.key_averages(), key=lambda row: -row.device_time_total)
    top = {f"kernel {r.key[:60]}": f"{r.device_time_total / 1e3 / count:.3f} ms a step, {r.count / count:.0f} times"
           for r in rows[:12]}  # fmt: skip
    return {"kernels_a_step": sum(row.count for row in rows) / count, **top}


def peak():
    import torch

    return {"peak_memory_gb": torch.cuda.max_memory_allocated() / 1e9} if has_cuda() else {}


def step():
    """The recipe `first-user` compiled, for 1,000 steps."""
    where, wait = place()
    warm, count = (100, 1000) if is_large() else (2, 3)
    setup = first_user(mode())
    steps = our_steps(setup)
    begun = time.perf_counter()
    steps(warm)
    wait()
    note(compiled=mode(), **{f"first_{warm}_steps_s": time.perf_counter() - begun})
    each = timed(steps, wait, count)
    note(**speed(each, setup, rate(where, wait)), **peak())
    if is_large():
        note(**{"training_s_of_41,900_steps": 41_900 * each})
    if has_cuda():
        note(**waits(steps))
        note(**kernels(steps, wait))
    return done()


def as_found():
    """Set what nanoGPT sets: TF32 where products are in fp32, and nothing that makes runs repeat."""
    import torch

    from diagnose.training import switches

    switches.leave_card()
    torch.set_float32_matmul_precision("high" if has_cuda() else "highest")


def pairs(setup, count=8):
    """Return our first batches, and the sizes of our network for nanoGPT's."""
    import reference

    from diagnose.training.batches import step_batches

    model = setup.recipe.model.settings()
    config = reference.Config(
        setup.text.vocabulary, setup.recipe.batches.context, model["layers"], model["heads"], model["width"],
        model["dropout"], model["bias"],
    )  # fmt: skip
    return config, [step_batches(setup.course.layout, k, 1)[0] for k in range(count)]


def nanogpt(setup, *, compiled):
    """Return a function that takes steps of nanoGPT's loop on our first batches."""
    import reference
    import torch

    config, parts = pairs(setup)
    loop = reference.Loop(config, [(b.inputs_BT, b.targets_BT) for b in parts], "bf16")
    loop.network = torch.compile(loop.network) if compiled else loop.network

    def course(count):
        for number in range(1, count + 1):
            loss = loop.take()
            if number % FETCHES == 0:
                loss.item()

    return course


def huggingface(setup, where):
    """Return a function that takes steps of the Hugging Face Trainer on our first batches, and its start."""
    import reference
    import torch
    from transformers import Trainer, TrainingArguments

    config, parts = pairs(setup)
    host = [b.to(torch.device("cpu")) for b in parts]
    rows = [{"input_ids": x, "labels": y} for b in host for x, y in zip(b.inputs_BT, b.targets_BT, strict=True)]

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


def contender(prepare, make, wait, burst):
    """Build one who takes part, let it warm up, and note the memory that it came to."""
    import torch

    prepare()
    if not has_cuda():
        course = make()
        course(burst)
        return Contender(prepare, course, None)
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    course = make()
    timed(course, wait, burst)
    return Contender(prepare, course, (torch.cuda.max_memory_allocated() - before) / 1e9)


def eager_ones(wait, burst):
    """Return those who take part uncompiled, and the set-up of each."""
    ours = first_user("off")
    return {
        "ours, eager": (contender(ours.prepare, lambda: our_steps(ours), wait, burst), ours),
        "nanoGPT, eager": (contender(as_found, lambda: nanogpt(ours, compiled=False), wait, burst), ours),
    }


def compiled_ones(wait, burst):
    """Return those who take part compiled, and the set-up of each."""
    ours, fast = first_user("on"), first_user("on", **{"run.deterministic": False})
    return {
        "ours, compiled": (contender(ours.prepare, lambda: our_steps(ours), wait, burst), ours),
        "nanoGPT, compiled": (contender(as_found, lambda: nanogpt(ours, compiled=True), wait, burst), ours),
        "ours, compiled, run.deterministic=false": (
            contender(fast.prepare, lambda: our_steps(fast), wait, burst), fast,
        ),
    }  # fmt: skip


def heat(taking_part, wait, burst, own):
    """Have some take turns, each with the switches of its own, and note after each round what their steps come to."""
    took = {name: [] for name in taking_part}
    for _ in range(5 if is_large() else 1):
        for name, (one, _) in taking_part.items():
            one.prepare()
            took[name].append(timed(one.course, wait, burst))
        for name, (one, setup) in taking_part.items():
            figures = speed(statistics.median(took[name]), setup, own)
            memory = {} if one.gigabytes is None else {"gb_at_its_peak": one.gigabytes}
            note(**{f"{name}, {what}": value for what, value in (figures | memory).items()})


def fused():
    """`run.compile=fused` and `on`: losses of the same steps, whether fused ones repeat, and times in turn.

    Then the same under document masks without dropout of attention, where `fused` reads no mask of all pairs.
    """
    if mode() != "on":
        return {"state": "skipped", "why": "no CUDA, or no compiler: skipped"}
    wait = place()[1]
    count = 50 if is_large() else 3
    documents = {"batches.mask": "document", "model.dropout_attention": 0.0}
    for more, under in (({}, ""), (documents, ", document masks")):
        setups = {what: first_user(what, **more) for what in ("on", "fused")}
        plain, found, again = (first_losses(setups[what], count) for what in ("on", "fused", "fused"))
        note(**{
            f"largest_relative_difference{under}": max(abs(a / b - 1) for a, b in zip(plain, found, strict=True)),
            f"repeats_bit_for_bit{under}": found == again,
        })  # fmt: skip
        taking_part = {
            f"run.compile={what}{under}":
                (contender(setup.prepare, lambda setup=setup: our_steps(setup), wait, count), setup)
            for what, setup in setups.items()
        }  # fmt: skip
        heat(taking_part, wait, count, rate(*place()))
        for name, (one, _) in taking_part.items():
            one.prepare()
            note(**{f"{name}, {what}": value for what, value in list(kernels(one.course, wait).items())[:6]})
    return done()


def first_losses(setup, count):
    """Return the losses of a run's first steps."""
    from diagnose.training import trainer

    setup.prepare()
    net = setup.network()
    setup.compile(net)
    optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
    return [step.loss for step in islice(trainer.train_steps(net, optimizer, setup.course, trainer.START), count)]


def race():
    """Ours against nanoGPT's loop and the Hugging Face Trainer: uncompiled, compiled, and then watched."""
    where, wait = place()
    burst = 50 if is_large() else 2
    taking_part = eager_ones(wait, burst)
    own = rate(where, wait)  # no sooner: a process's first product decides whether others can repeat
    heat(taking_part, wait, burst, own)
    if find_spec("transformers") and find_spec("accelerate"):
        as_found()
        course = huggingface(first_user("off"), where)
        short, long = (timed(course, wait, n) * n for n in (burst, 4 * burst))
        note(**{"Hugging Face Trainer, ms_a_step": 1e3 * (long - short) / (3 * burst)})
    if mode() == "on":
        compiled = compiled_ones(wait, burst)
        heat(compiled, wait, burst, own)
        taking_part |= compiled
    for name, (one, _) in reversed(taking_part.items()) if has_cuda() else ():
        one.prepare()
        seen = waits(one.course) | dict(list(kernels(one.course, wait).items())[:6])
        note(**{f"{name}, {what}": value for what, value in seen.items()})
    return done()


def gpt2():
    """A GPT-2 of 124 M parameters at context 1,024 over random tokens."""
    from diagnose.training import device, network, trainer

    where, wait = place()
    large = {"model.layers": 12, "model.heads": 12, "model.width": 768, "batches.context": 1024, "batches.size": 16}
    vocabulary, count = (50_257, 50) if is_large() else (300, 2)
    how = {"run.precision": "bf16", "run.compile": mode(), "model.dropout": 0.0}
    recipe = recipe_of(1000, where.type, **(large if is_large() else SMALL), **how)
    device.prepare(recipe, 1.0)
    plan, net = course_of(recipe, vocabulary, where, 2_000_000 if is_large() else 20_000)
    flops = network.flops(net, recipe.batches.size, recipe.batches.context, vocabulary)
    if mode() == "on":
        network.compile_in_place(net, recipe.batches.size * recipe.batches.context * vocabulary)
    optimizer = trainer.make_optimizer(net, recipe.optimizer)
    steps = trainer.train_steps(net, optimizer, replace(plan, steps=1000), trainer.START)

    def take(number):
        return sum(1 for _ in islice(steps, number))

    take(50 if is_large() else 1)
    note(parameters=network.parameters(net), compiled=mode())
    each = timed(take, wait, count)
    tokens = recipe.batches.size * recipe.batches.context
    note(ms_a_step=1e3 * each, tokens_a_second=tokens / each, **peak())
    return done(**own_share(flops / each, rate(where, wait)))

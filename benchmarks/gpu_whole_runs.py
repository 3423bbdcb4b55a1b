"""Parts of `make gpu` that are no steps: reports, samples and readings, stacked seeds, one run on several cards."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

from gpu_common import FOUND, is_large, once, timed

MOST_CARDS = 8


def parts(setup, wait, note):
    """Time what a run does beside its steps, each the second time."""
    from diagnose.runs import session
    from diagnose.runs.probes import final_documents, probe_documents
    from diagnose.training import evaluation

    net, recipe = setup.network(), setup.recipe
    condition = session.reported_condition(recipe, net)
    some = list(session.reported_batches(setup, 0))
    note(report_s=once(lambda: evaluation.read(net, some, condition, setup.course.bytes_V), wait))
    for how, remembers in (("read once", True), ("read anew", False)):
        seconds, tokens = sample(setup, net, wait, remembers=remembers)
        note(**{f"sample_s, {how}": seconds, f"ms a token, {how}": 1e3 * seconds / tokens})
    sides = [probe_documents(setup, side) for side in ("train", "val")]
    note(probe_s=once(lambda: [session.read_documents(setup, net, some) for some in sides], wait))
    last = final_documents(setup.text, recipe, setup.derived)
    note(last_reading_s=timed(lambda _: session.read_documents(setup, net, last), wait, 1))


def sample(setup, net, wait, *, remembers):
    """Return the seconds of a sample and its tokens, where each is read once or where the text is read anew."""
    from diagnose.training import sampling

    texts = []

    def write():
        texts.append(sampling.generate(
            net, setup.text.tokenizer, "In the beginning", context=setup.recipe.batches.context, seed=0,
            most_bytes=300 if is_large() else 40,
            precision=setup.recipe.run.precision,
        ))  # fmt: skip

    with mock.patch.object(sampling, "remembers", return_value=remembers):
        seconds = once(write, wait)
    return seconds, max(1, len(setup.text.tokenizer.encode(texts[-1], add_special_tokens=False).ids))


def projected(setup, wait, steps, count):
    """Return what the parts of a whole run come to, its steps timed here: some, after as many to warm up."""
    from diagnose.runs.probes import probe_steps

    timed(steps, wait, count)
    each, total, table = timed(steps, wait, count), setup.course.steps, setup.recipe.report
    reports, probes = total // table.interval, len(probe_steps(setup))
    samples = beside(setup, wait, steps, count, each)
    parts_s = {
        "steps_s": total * each, "reports_s": reports * FOUND["report_s"],
        "samples_s": reports * samples.get("held_up_s_a_sample", FOUND["sample_s, read once"]) * table.sample,
        "probes_s": probes * FOUND["probe_s"],
    }  # fmt: skip
    rest = FOUND["set_up_s"] + FOUND["last_reading_s"]
    return {"steps": total, "reports": reports, "probes": probes, **samples, **parts_s,
            "projected_s_of_the_whole_run": sum(parts_s.values()) + rest}  # fmt: skip


def beside(setup, wait, steps, count, alone):
    """Return how far samples that are written beside the steps hold them up; {} where they are written at once.

    Args:
        setup, wait: of the run, and what waits for the device.
        steps: takes some; `count` of them are timed.
        alone: seconds of a step without a sample.
    """
    from diagnose.runs.beside import Beside
    from diagnose.training import sampling
    from diagnose.training.second_network import second_network

    second, thread, over, texts = second_network(setup), Beside(), threading.Event(), []
    if second is None:
        return {}
    recipe = setup.recipe

    def write(net, alone):
        while not over.is_set():
            texts.append(sampling.generate(
                net, setup.text.tokenizer, "In the beginning", context=recipe.batches.context, seed=0,
                turn=len(texts), precision=recipe.run.precision, alone=alone,
            ))  # fmt: skip

    thread.begin(lambda: second.read(write))
    each = timed(steps, wait, count)
    written = max(1, len(texts))  # one that is under way counts where there is no other
    over.set()
    thread.settle()
    held_up = max(0.0, each - alone) * count / written
    return {"ms_a_step, no sample": 1e3 * alone, "ms_a_step, samples beside": 1e3 * each,
            "samples_written_beside": written, "held_up_s_a_sample": held_up}  # fmt: skip


def stacked(where, wait, count):
    """Return milliseconds of a pass of several seeds' networks, one after another and stacked to one, no dropout."""
    import torch
    from torch.func import functional_call, grad, stack_module_state, vmap
    from torch.nn import functional as F

    from diagnose.training import device, network

    if (loops := device.fused_loops()) is not None:
        loops.use(wanted=False)  # which know nothing of stacks
    layers, width, rows, context, vocabulary = (4, 128, 64, 128, 4096) if is_large() else (1, 32, 4, 16, 50)
    settings = {"layers": layers, "heads": 4, "width": width, "dropout": 0.0}
    nets = [network.build("gpt", settings, vocabulary, context, seed, where) for seed in range(count)]
    draw = torch.Generator().manual_seed(0)
    texts = torch.randint(vocabulary, (count, rows, context + 1), generator=draw).to(where)

    def loss(weights, buffers, text_BT):
        logits_BTV = functional_call(nets[0], (weights, buffers), (text_BT[:, :-1],))
        return F.cross_entropy(logits_BTV.flatten(0, 1), text_BT[:, 1:].flatten())

    def one_by_one(_=0):
        own = [dict(net.named_parameters()) for net in nets]
        return [grad(loss)({k: p.detach() for k, p in w.items()}, {}, text) for w, text in zip(own, texts, strict=True)]

    state = stack_module_state(nets)
    weights = {name: p.detach() for name, p in state[0].items()}

    def all_at_once(_=0):
        return vmap(grad(loss))(weights, state[1], texts)

    name = next(iter(weights))
    apart = (all_at_once()[name] - torch.stack([one[name] for one in one_by_one()])).abs().max()
    return {
        f"{count} seeds, ms one after another": 1e3 * timed(one_by_one, wait, 1),
        f"{count} seeds, ms stacked": 1e3 * timed(all_at_once, wait, 1),
        f"{count} seeds, largest difference of a gradient": float(apart),
    }


def stacked_runs(given, wait, count):
    """Return milliseconds of a step of the trainer for all of several seeds, one after another and in its own stack."""
    from diagnose.config.recipe import Recipe
    from diagnose.training import stack, trainer
    from diagnose.training.preparation import set_up

    setups = [set_up(Recipe.load("quick", given | {"run.seed": seed})) for seed in range(count)]
    steps, last = setups[0].course.steps, {}

    def train(setup, member=None):
        net = setup.network()
        optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
        for block in trainer.train_blocks(net, optimizer, setup.course, trainer.START, mates=member):
            last[setup.recipe.run.seed, member is None] = block[-1].loss

    def one_by_one():
        for setup in setups:
            train(setup)

    def all_at_once():
        works = {place: lambda member, own=setup: train(own, member) for place, setup in enumerate(setups)}
        stack.SeedStack(range(count)).carry_out(works)

    return {
        f"{count} runs, ms a step of all, one after another": 1e3 * once(one_by_one, wait) / steps,
        f"{count} runs, ms a step of all, in the trainer's stack": 1e3 * once(all_at_once, wait) / steps,
        f"{count} runs, largest relative difference of the last loss":
            max(abs(last[seed, True] / last[seed, False] - 1) for seed in range(count)),
    }  # fmt: skip


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

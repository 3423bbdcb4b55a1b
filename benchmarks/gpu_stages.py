"""The stages of `make gpu`: each prints what it has found as JSON objects, the last of them whole; see `gpu.py`.

Sizes are those of issue 19 on a CUDA device and tiny ones on a CPU, where a stage shows that it runs and no more.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import gpu_speed
import gpu_whole_runs
from gpu_common import NO_CUDA, SMALL, done, ended, first_user, has_cuda, is_large, mode, note, place, small, started

HIDDEN = ("", "-1")  # values of CUDA_VISIBLE_DEVICES that hide all cards
CARD_TESTS = ("batches", "models", "on_card")
WIDER = {"model.layers": 4, "model.heads": 4, "model.width": 128, "batches.size": 64, "batches.context": 128}


class Stage(NamedTuple):
    """A function and the seconds that it may take."""

    run: object
    limit: int


def environment():
    import platform

    import torch

    from diagnose.training import device, preparation

    where, _ = place()
    name = device.card_name(where) if where.type == "cuda" else "no CUDA device: tiny sizes on the CPU"
    commit, dirty = preparation.source_commit()
    found = done(
        device=name, cards=torch.cuda.device_count(), python=platform.python_version(), torch=torch.__version__,
        commit=commit, dirty=dirty, **device.card_versions(where),
    ) | {"head": name, "cuda": where.type == "cuda"}  # fmt: skip
    if where.type != "cuda":
        unseen = device.DRIVER.exists() and os.environ.get("CUDA_VISIBLE_DEVICES") not in HIDDEN
        return found | ({"state": "failed", "why": why_unseen()} if unseen else {})
    compiler = compiler_s_error()
    found["figures"] |= {"compiler": compiler or "works"}
    return found | {"compiles": not compiler}


def why_unseen():
    """Say why torch sees no card where NVIDIA's driver is."""
    import torch

    build = f"is built for CUDA {torch.version.cuda}, and the driver may be older"
    built = build if torch.version.cuda else "is built without CUDA"
    return f"NVIDIA's driver is here and torch sees no card: torch {torch.__version__} {built}"


def compiler_s_error():
    """Return the first line of what torch's compiler says where it cannot compile for the card; "" where it can."""
    import torch

    try:
        x = torch.ones(64, device="cuda", requires_grad=True)
        torch.compile(lambda x: (2 * x).relu().sum())(x).backward()
        torch.cuda.synchronize()
    except Exception as error:  # noqa: BLE001 - whatever the compiler and what it calls may raise
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    return ""


def tests():
    if not has_cuda():
        return NO_CUDA
    files = [f"tests/training/test_{name}.py" for name in CARD_TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "cuda", *files]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    told = [line for line in (run.stderr + run.stdout).splitlines() if line.strip()] or ["pytest said nothing"]
    failed = [line for line in told if line.startswith(("FAILED", "ERROR"))][:8]
    note(pytest=told[-1], **{f"failed {number + 1}": line[:200] for number, line in enumerate(failed)})
    return done() | ({"state": "failed", "why": told[-1]} if run.returncode else {})


def losses(steps, where, **more):
    """Return the losses of a small run over random tokens."""
    from diagnose.training import device, trainer

    recipe = gpu_speed.recipe_of(steps, where.type, **more)
    device.prepare(recipe, 1.0)
    plan, net = gpu_speed.course_of(recipe, 300, where)
    optimizer = trainer.make_optimizer(net, recipe.optimizer)
    return [step.loss for step in trainer.train_steps(net, optimizer, plan, trainer.START)]


def parity():
    """The same steps on the CPU and on the device; masks differ, so there is no dropout."""
    import torch

    where, _ = place()
    steps, sizes = (200, {}) if is_large() else (5, SMALL)
    plain = sizes | {"model.dropout": 0.0}
    here = losses(steps, where, **plain)
    note(steps=steps, last_loss_fp32=here[-1])
    cpu = losses(steps, torch.device("cpu"), **plain)
    note(
        last_loss_cpu=cpu[-1],
        largest_relative_difference_fp32=max(abs(a / b - 1) for a, b in zip(here, cpu, strict=True)),
    )
    note(last_loss_bf16=losses(steps, where, **plain, **{"run.precision": "bf16"})[-1])
    return done(repeats_bit_for_bit=losses(steps, where, **sizes) == losses(steps, where, **sizes))


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


def resume():
    """Kill runs with `kill -9`, go on with each in a new process, and compare with runs that were not killed."""
    modes = ("off", "on") if mode() == "on" else ("off",)
    masks = ("none", "document") if is_large() else ("document",)
    with tempfile.TemporaryDirectory() as folder:
        orders = {}
        for compiled, mask in ((c, m) for c in modes for m in masks):
            given = small(folder, **{"run.compile": compiled, "batches.mask": mask})
            runs = Path(folder) / f"{compiled}-{mask}"
            orders[f"compile {compiled}, mask {mask}"] = [
                {"given": given, "runs": str(runs / name), "kill": kill, "resume": False}
                for name, kill in (("whole", None), ("parted", 13))
            ]
        begun = {name: [started(order) for order in pair] for name, pair in orders.items()}
        for name, (whole, parted) in begun.items():
            begun[name] = (ended(whole), ended(parted, killed=True))
        again = {name: started(pair[1] | {"kill": None, "resume": True}) for name, pair in orders.items()}
        for name, process in again.items():
            note(**{name: compared(begun[name][0], ended(process))})
    return done()


def compared(whole, parted):
    """Say whether two runs have the same weights, and whether the second verifies itself."""
    from safetensors.numpy import load_file

    from diagnose import loss_gap

    one, two = (load_file(path / "checkpoint" / "model.safetensors") for path in (whole, parted))
    same = all(one[name].tobytes() == two[name].tobytes() for name in one)
    found = loss_gap(parted, budget="2000 tokens", verify=True)["verified"]
    again = "bit for bit" if found["weights"] and not found["differing"] else f"{found['largest']:.1e} apart"
    return f"after kill -9: {'bit for bit' if same else 'DIFFERENT WEIGHTS'}; --verify: {again}"


def jobs():
    """Small runs at once on one device, and the seeds of an arm stacked to one network."""
    from diagnose.runs import runner

    where, wait = place()
    steps, counts = (600, (4, 8)) if is_large() else (4, (2,))
    with tempfile.TemporaryDirectory() as folder:
        given = small(folder, **{"budget.steps": steps, "report.interval": steps})
        for count in (1, 2, 4, 8) if is_large() else (1,):
            begun = time.perf_counter()
            many = [
                started({"given": given | {"run.seed": seed}, "runs": f"{folder}/{count}-{seed}", "kill": None,
                         "resume": False})
                for seed in range(count)
            ]  # fmt: skip
            paths = [ended(process) for process in many]
            seconds = max(runner.summary(path)["seconds"] for path in paths)
            note(**{
                f"{count} at once, steps a second of all": count * steps / seconds,
                f"{count} at once, seconds a run with its start": (time.perf_counter() - begun) / count,
            })  # fmt: skip
        given = small(folder, **{"model.dropout": 0.0, "budget.steps": 30 if is_large() else 4})
        for count in counts:
            note(**gpu_whole_runs.stacked_runs(given | (WIDER if is_large() else {}), wait, count))
    for count in counts:
        note(**gpu_whole_runs.stacked(where, wait, count))
    return done()


def whole():
    """What `first-user` takes from its start to its last reading, by its parts."""
    wait = place()[1]
    begun = time.perf_counter()
    setup = first_user(mode(), None if is_large() else 400)
    note(set_up_s=time.perf_counter() - begun)
    gpu_whole_runs.parts(setup, wait, note)
    steps, count = gpu_speed.our_steps(setup), 300 if is_large() else 3
    return done(**gpu_whole_runs.projected(setup, wait, steps, count))


def together():
    """One run by as many processes as there are cards, without dropout; on a CPU by two."""
    import torch

    cards = torch.cuda.device_count()
    if cards == 1:
        return {"state": "skipped", "why": "one card: skipped"}
    with tempfile.TemporaryDirectory() as folder:
        return done(**gpu_whole_runs.together(small(folder, **{"model.dropout": 0.0}), cards))


STAGES = {
    "environment": Stage(environment, 30), "tests": Stage(tests, 45), "parity": Stage(parity, 25),
    "step": Stage(gpu_speed.step, 50), "resume": Stage(resume, 90), "race": Stage(gpu_speed.race, 90),
    "fused": Stage(gpu_speed.fused, 70), "whole": Stage(whole, 40), "jobs": Stage(jobs, 40),
    "gpt2": Stage(gpu_speed.gpt2, 35), "together": Stage(together, 25),
}  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "child":
        print(json.dumps(child(json.loads(sys.argv[2]))))
    else:
        print(json.dumps(STAGES[sys.argv[1]].run()))

"""What tests of engines share: a network whose steps take their time, and ablations of it that are disturbed."""

import os
import signal
import subprocess
import sys
import threading
import time

from command_fixture import begun
from run_fixture import assert_same, processes

from diagnose.engines import worker
from diagnose.errors import DiagnoseError
from diagnose.runs import store

# In processes that tests start, a run of it probes little and writes a checkpoint after every step.
SLOW = """
import math, os, signal, sys, time
from pathlib import Path
import torch
from diagnose.runs import probes, session
from diagnose.models.gpt import build as gpt

if sys.argv[0] == "diagnose" or "pytest" not in sys.modules:
    session.CHECKPOINT_SECONDS, session.CHECKPOINT_SHARE = -1.0, math.inf
    probes.PROBE_BYTES, probes.PROBES = 1200, (4,)
HERE = Path(__file__).parent


class Slow(torch.nn.Module):
    def __init__(self, inner, activation):
        super().__init__()
        self.inner, self.activation = inner, activation

    def forward(self, tokens_BT, segments_BT=None):
        if self.training and (HERE / "slow").exists():
            time.sleep(0.06)
        if self.training and (HERE / f"deadly-{self.activation}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner(tokens_BT, segments_BT)


def build(vocab_size, context, *, layers=1, heads=2, width=32, activation="gelu"):
    sizes = {"layers": layers, "heads": heads, "width": width}
    return Slow(gpt(vocab_size, context, activation=activation, dropout=0.1, **sizes), activation)
"""
STEPS = 30


def slow_network(folder):
    """Write the network's file and return its path; a file `slow` beside it makes its steps take their time,
    and one `deadly-relu` kills the process in which a network with that activation is trained."""
    path = folder / "slow.py"
    path.write_text(SLOW, encoding="utf-8")
    return path


def given_to(tiny, network):
    keys = ("data.corpus", "data.path", "tokenizer.vocab_size", "batches.context", "batches.size", "run.device")
    return {key: tiny[key] for key in keys} | {
        "model.name": f"{network}:build", "model.layers": 1, "model.width": 32, "model.heads": 2,
        "budget.steps": STEPS, "report.interval": 10, "report.sample": False, "run.threads": 1,
    }  # fmt: skip


def started(given, folder, *more, seeds=2):
    """Start an ablation in a folder of its own, as a terminal would."""
    sets = [f"--set={key}={value}" for key, value in given.items()]
    return begun(folder, "ablate", "--axis", "activation", "--seeds", str(seeds), *sets, *more)


class ForkedWorker:
    """What `subprocess.Popen` is to `diagnose.engines.local_pool`: a worker, forked as `Forked` is."""

    def __init__(self, *_):
        context = processes()
        (child_in, own_out), (own_in, child_out) = context.Pipe(duplex=False), context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(child_in, child_out, dict(os.environ)), daemon=True)
        self.process.start()
        self.pid, self.ending = self.process.pid, threading.Lock()
        self.stdin = os.fdopen(os.dup(own_out.fileno()), "w", encoding="utf-8")
        self.stdout = os.fdopen(os.dup(own_in.fileno()), encoding="utf-8")
        for end in (child_in, child_out, own_in, own_out):
            end.close()

    @property
    def returncode(self):
        return self.process.exitcode

    def poll(self):
        return self.wait(0)

    def wait(self, timeout=None):
        with self.ending:  # of two threads that wait one would take the other's exit code
            self.process.join(timeout)
            if timeout and self.process.exitcode is None:
                raise subprocess.TimeoutExpired("worker", timeout)
            return self.process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def _work(child_in, child_out, env):
    os.setsid()
    os.environ.update(env)
    os.dup2(child_in.fileno(), 0)
    os.dup2(child_out.fileno(), 1)
    child_in.close()
    child_out.close()
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    worker.main()


def until(holds, seconds=90):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def steps_of(path):
    """Return the step of a run's checkpoint; 0 where there is none, or another is just taking its place."""
    try:
        return int(store.read_json(path / "checkpoint" / "state.json")["step"])
    except (OSError, DiagnoseError):
        return 0


def by_arm(runs):
    """Return the finished runs by arm and seed, one each."""
    found = {}
    for path in store.entries(runs):
        assert store.state(path) == "finished"
        recipe = store.recipe_of(path)
        key = (recipe.model.settings()["activation"], recipe.run.seed)
        assert key not in found, "a run was computed twice"
        found[key] = path
    return found


def assert_all_same(runs, others):
    one, two = by_arm(runs), by_arm(others)
    assert one.keys() == two.keys()
    for key, path in one.items():
        assert_same(path, two[key])


def workers(runs):
    """Return the processes that write runs in a folder, from the locks that they hold."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 2) for line in listed.split("\n") if "diagnose.engines.worker" in line]
    return {int(pid): int(parent) for pid, parent, _ in lines}

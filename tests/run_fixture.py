"""What tests of runs share: what is compared of two runs, how a run is stopped, and processes that may be killed."""

import hashlib
import math
import multiprocessing
import os
import signal
import socket
import sys
from contextlib import contextmanager
from multiprocessing import forkserver

import pandas as pd
import pytest
import torch

from diagnose.errors import MISTAKE, DiagnoseError
from diagnose.records.run_records import CorpusRecord, Derived, Environment, SplitRecord
from diagnose.runs import checkpoints, probes, run_tables, runner, store
from diagnose.runs.session import load_state
from diagnose.training import trainer
from diagnose.training.trainer import Step

QUICK = {"PROBE_BYTES": 1200, "PROBES": (4,)}  # little text, and seldom
OFTEN = {"CHECKPOINT_SECONDS": -1.0, "CHECKPOINT_SHARE": math.inf}  # a checkpoint after every step
PRELOADED = [
    "command_fixture", "pyarrow.parquet", "scipy.special", "matplotlib.figure", "diagnose.cli",
    "diagnose.ablation.commands.command_plan", "diagnose.ablation.ablate", "diagnose.report.page",
    "torch._dynamo", "torch.distributed.fsdp", "torch.nn.parallel",
]  # fmt: skip

DERIVED = Derived(
    vocabulary=9, parameters=10, steps=3, steps_per_epoch=2.0, tokens_per_step=4.0, text_per_step=5.0,
    flops_per_step=6.0, flops=18.0, text=15.0, share_of_training_text=1.5, training_text=10, truncated_share=0.0,
    learning_rate=1e-3,
)  # fmt: skip
ENVIRONMENT = Environment(
    digest="3f9a8b7c6d5e4f30", corpus=CorpusRecord(), split=SplitRecord(), derived=DERIVED
)  # fmt: skip


@contextmanager
def quickly():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUICK.items():
            patch.setattr(probes, name, value)
        yield


def refusal(*args, exit_code=MISTAKE, **more):
    with pytest.raises(DiagnoseError) as caught:
        runner.train(*args, **more)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == exit_code
    return caught.value


def tensors(path, folder="checkpoint"):
    found = checkpoints.read_checkpoint(path / folder)
    assert found is not None
    return {f"{name}.{key}": value for name, part in found[0].items() for key, value in part.items()}


def assert_same(one, two):
    """Two runs left the same but for the time they took."""
    for folder in ("checkpoint", "interval"):
        a, b = tensors(one, folder), tensors(two, folder)
        assert a.keys() == b.keys()
        assert [name for name in a if not torch.equal(a[name], b[name])] == []
    for name in ("steps", "readings", "validation"):
        a, b = (run_tables.read_table(path, name).drop(columns="seconds", errors="ignore") for path in (one, two))
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    assert store.read_samples(one) == store.read_samples(two)
    assert (one / "recipe.toml").read_bytes() == (two / "recipe.toml").read_bytes()
    assert (one / "tokenizer.json").read_bytes() == (two / "tokenizer.json").read_bytes()
    assert store.state(one) == store.state(two) == "finished"


def print_of(path):
    """Return a fingerprint of a run's final weights."""
    values = sorted(tensors(path).items())
    return hashlib.sha256(b"".join(name.encode() + value.numpy().tobytes() for name, value in values)).hexdigest()


def final_state(path, setup, folder="checkpoint"):
    """Return a run's network and optimizer as they were saved, and the step."""
    net = setup.network()
    optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
    found, state = checkpoints.read_checkpoint(path / folder)
    if found["optimizer"]:
        load_state(net, optimizer, found)
    else:
        load_state(net, None, found)
    step = Step(**{k: math.nan if v is None else v for k, v in state.items() if k != "format"})
    return net, optimizer, step


def signalled(number, times=1):
    """Return a watcher that raises a signal once: after step 6, or the first that it is told of behind it."""
    raised = []

    def watch(progress):
        if progress.doing == "training" and progress.step >= 6 and not raised:
            raised.append(progress.step)
            for _ in range(times):
                signal.raise_signal(number)

    return watch


def stopped(given, runs):
    with pytest.raises(DiagnoseError):
        runner.train("quick", given, runs=runs, watch=signalled(signal.SIGINT))
    return store.entries(runs)[-1]


def processes():
    """Return what starts processes; torch and the like are imported once for all of them."""
    if sys.platform == "win32":
        pytest.skip("needs POSIX signals")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # until Python 3.13 it looks nowhere else
        forkserver.ensure_running()
    return context


class Forked:
    """A call in a process of its own, forked from one that has imported torch and the like."""

    def __init__(self, target, *args, **env):
        context = processes()
        self.answer = context.SimpleQueue()
        self.process = context.Process(target=_answer, args=(self.answer.put, env, target, args), daemon=True)
        self.process.start()

    def result(self, seconds=120):
        self.process.join(seconds)
        assert self.process.exitcode == 0
        return self.answer.get()


def _answer(put, env, target, args):
    os.environ.update(env)
    torch.set_num_threads(1)
    put(target(*args))
    os._exit(0)  # taken down normally, gloo's threads abort now and then, with torch alone too


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return str(bound.getsockname()[1])


def two_ranks(target, *args):
    """Return what a call came to in both processes of a group, which have the environment that torchrun gives."""
    group = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    ranks = [Forked(target, *args, **group, RANK=rank, LOCAL_RANK=rank) for rank in "01"]
    return [rank.result() for rank in ranks]

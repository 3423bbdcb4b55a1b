"""What was killed ends as what was not. Each child is killed by a real SIGKILL at a moment of its own."""

import os
import signal
import time

import pytest
from run_fixture import OFTEN, QUICK, assert_same, processes

from diagnose.runs import probes, runner, session, store

pytestmark = pytest.mark.usefixtures("quick_probes")


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def at_call(home, name, number, *, after=False, when=lambda *_: True, before_kill=lambda *_: None):
    """Let a function's nth call of a kind be the last thing that this process does."""
    function, calls = getattr(home, name), []

    def wrapped(*args, **more):
        calls.append(1) if when(*args) else None
        if len(calls) == number and not after:
            before_kill(*args)
            kill()
        out = function(*args, **more)
        if len(calls) == number:
            kill()
        return out

    setattr(home, name, wrapped)


def half_a_table(table, file):
    file.write(table.to_string().encode()[:50])
    file.flush()


def half_the_weights(file):
    file.write(b"half")
    file.flush()


def renamed(name):
    return lambda _, to: to.name == name


def watched(doing, step):
    return lambda progress: kill() if (progress.doing, progress.step) == (doing, step) else None


def at_watch(doing, step):
    return lambda: watched(doing, step)


def at(home, name, number, **more):
    def arrange():
        place = __import__(home, fromlist=["x"])
        *path, last = name.split(".")
        for part in path:
            place = getattr(place, part)
        at_call(place, last, number, **more)

    return arrange


# Each chain is one run, killed and resumed and killed again; calls are counted in each process anew.
CHAINS = {
    "steps and readings": {
        "before any checkpoint": at_watch("training", 1),
        "in the middle of a table": at("pyarrow.parquet", "write_table", 3, before_kill=half_a_table),
        "in an update": at("diagnose.training.eager_optimizer", "EagerAdamW.step", 2, after=True),
        "while probing": at_watch("probing", 6),
        "while reading for a print": at_watch("validating", 10),
        "before it is said to be finished": at(
            "diagnose.runs.store", "write_status", 1, when=lambda _, state, *__: state == "finished"
        ),
    },
    "checkpoints": {
        "after a step": at_watch("training", 7),
        "between records and checkpoint": at("diagnose.runs.checkpoints", "write_checkpoint", 2),
        "in the middle of the weights": at(
            "diagnose.runs.checkpoints", "_write_tensors", 3, before_kill=half_the_weights
        ),
        "while the interval is saved": at("pathlib", "Path.rename", 1, when=renamed("interval")),
        "in the last records": at("diagnose.runs.store", "write_samples", 4),
    },
    "renames": {
        "between the two renames": at("pathlib", "Path.rename", 3, when=renamed("checkpoint")),
        "between them once more": at("pathlib", "Path.rename", 1, when=renamed("checkpoint")),
        "before the old one goes": at("pathlib", "Path.rename", 2, when=renamed("checkpoint"), after=True),
        "while the whole validation text is read": at_watch("reading the validation text", 12),
    },
}
MOMENTS = {name: arrange for chain in CHAINS.values() for name, arrange in chain.items()}


def train_in_a_child(given, runs, moment, resume, pause):
    """Train in a process of its own, with a checkpoint after every step, and be killed at a moment."""
    vars(session).update(OFTEN)
    vars(probes).update(QUICK)
    watch = (MOMENTS[moment]() if moment else None) or (lambda _: time.sleep(pause))
    runner.train("quick", given, runs=runs, resume=resume, watch=watch)


@pytest.fixture(scope="module")
def child():
    """Return a function that starts `train_in_a_child`."""
    context = processes()

    def start(given, runs, moment=None, *, resume=False, pause=0.0):
        process = context.Process(target=train_in_a_child, args=(given, runs, moment, resume, pause), daemon=True)
        process.start()
        return process

    return start


def killed(process):
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("chain", CHAINS)
def test_what_was_killed_ends_in_the_very_same_weights(chain, child, whole, given, runs):
    for moment in CHAINS[chain]:
        killed(child(given, runs, moment, resume=True))
        (path,) = store.entries(runs)
        assert store.state(path) == "interrupted"
    assert runner.train("quick", given, runs=runs, resume=True) == path
    assert_same(path, whole)


def test_what_was_killed_from_outside_at_no_moment_of_its_own_too(child, whole, given, runs):
    process = child(given, runs, pause=0.03)
    while process.is_alive() and not list(runs.glob("*/checkpoint")):
        time.sleep(0.005)
    time.sleep(0.1)
    process.kill()
    killed(process)
    (path,) = store.entries(runs)
    assert runner.train("quick", given, runs=runs, resume=True) == path
    assert_same(path, whole)


@pytest.mark.parametrize(
    "other",
    [
        {"batches.loader": "padded", "model.name": "lstm", "model.heads": None, "report.train": "epoch"},
        {"batches.loader": "windows", "batches.order": "random", "data.split": "windows", "run.precision": "bf16"},
    ],
    ids=["padded lstm", "split windows in bf16"],
)
def test_other_networks_and_loaders_resume_too(other, child, given, runs, tmp_path):
    given = given | {"budget.steps": 8, "model.layers": 1} | other
    killed(child(given, runs, "after a step"))
    path = runner.train("quick", given, runs=runs, resume=True)
    assert store.entries(runs) == [path]
    assert_same(path, runner.train("quick", given, runs=tmp_path / "other"))

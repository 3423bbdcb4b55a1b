"""Runs that diverge, networks that cannot be measured and those of strangers, and budgets that the clock keeps."""

from pathlib import Path

import numpy as np
import pytest
from run_fixture import refusal

from diagnose.errors import FINDING
from diagnose.runs import run_tables, runner, store
from diagnose.training import device, trainer
from diagnose.training.preparation import set_up

pytestmark = pytest.mark.usefixtures("quick_probes")


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_diverging_run_stops_and_keeps_its_records(schedule, plain, runs):
    given = plain | {
        "optimizer.lr": 1e30,
        "optimizer.clip": 0.0,
        "optimizer.warmup": 0.5,
        "optimizer.schedule": schedule,
    }
    error = refusal("quick", given, runs=runs, exit_code=FINDING)
    (path,) = store.entries(runs)
    assert error.diverged
    assert error.run == path.name
    assert "at step 2 " in str(error)
    assert str(path) in str(error)
    status = store.read_json(path / "status.json")
    assert status["state"] == "failed"
    assert "at step 2 " in status["why"]
    steps = run_tables.read_table(path, "steps")
    assert steps.step.tolist() == [1]
    assert np.isfinite(steps.loss).all()
    assert not (runs / "latest").exists()
    again = refusal("quick", given, runs=runs, resume=True, exit_code=FINDING)
    assert again.run == path.name


NETWORKS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, vocab, out=None):
        super().__init__()
        self.e, self.h = nn.Embedding(vocab, 8), nn.Linear(8, out or vocab)
    def forward(self, tokens, segments=None):
        return self.h(self.e(tokens))

class Peeks(Net):
    def forward(self, tokens, segments=None):
        x = self.e(tokens)
        return self.h(torch.cat([x[:, 1:], x[:, -1:]], 1))

class Mixes(Net):
    def forward(self, tokens, segments=None):
        return self.h(self.e(tokens).cumsum(1))

class Raises(Net):
    def forward(self, tokens, segments=None):
        raise IndexError("out of something")

class Broken(Net):
    def forward(self, tokens, segments=None):
        return super().forward(tokens) * float("nan")

def good(vocab_size, context): return Net(vocab_size)
def peeks(vocab_size, context): return Peeks(vocab_size)
def raises(vocab_size, context): return Raises(vocab_size)
def broken(vocab_size, context): return Broken(vocab_size)
def narrow(vocab_size, context): return Net(vocab_size, vocab_size - 1)
def fails(vocab_size, context): raise RuntimeError("cannot be\\nbuilt")
def none(vocab_size, context): return None
def dead(vocab_size, context):
    net = Net(vocab_size)
    for p in net.parameters(): p.requires_grad_(False)
    return net
def mixes(vocab_size, context): return Mixes(vocab_size)
number = 3
"""


@pytest.fixture(scope="module")
def strangers(plain, tmp_path_factory):
    path = tmp_path_factory.mktemp("strangers") / "net.py"
    path.write_text(NETWORKS)
    given = {key: value for key, value in plain.items() if not key.startswith("model.")}
    return lambda name: given | {"model.name": f"{path}:{name}"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("peeks", "lets the future through: its output at position 0 changes with tokens from position 1 on"),
        ("raises", "out of something"), ("broken", "NaN or infinite logits"), ("narrow", "logits of shape"),
        ("fails", "cannot be built"), ("none", "NoneType"), ("dead", "no parameters"), ("number", "not a function"),
        ("nowhere", "has no 'nowhere'"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_measured_is_refused_before_anything_is_written(name, words, strangers, runs):
    error = refusal("quick", strangers(name), runs=runs)
    assert words in str(error)
    assert not runs.exists()


def test_a_network_that_ignores_document_masks_is_refused_where_they_are_asked_for(strangers, runs):
    assert runner.train("quick", strangers("mixes"), runs=runs)  # without masks all is well
    error = refusal("quick", strangers("mixes") | {"batches.mask": "document"}, runs=runs)
    assert "lets a segment see another" in str(error)
    assert len(store.entries(runs)) == 1


def test_a_strangers_network_is_trained_and_told_from_its_next_version(strangers, runs):
    path = runner.train("quick", strangers("good"), runs=runs)
    assert store.state(path) == "finished"
    setup = set_up(store.recipe_of(path))
    assert setup.digest == store.read_json(path / "environment.json")["digest"]
    file = Path(strangers("good")["model.name"].rpartition(":")[0])
    before = file.read_text()
    file.write_text(before.replace("nn.Embedding(vocab, 8), nn.Linear(8,", "nn.Embedding(vocab, 9), nn.Linear(9,"))
    try:
        assert set_up(store.recipe_of(path)).digest != setup.digest
    finally:
        file.write_text(before)


def test_a_budget_in_seconds_ends_by_the_clock_and_is_kept(plain, runs):
    given = {k: v for k, v in plain.items() if k != "budget.steps"} | {"budget.seconds": 0.2}
    path = runner.train("quick", given, runs=runs)
    steps = run_tables.read_table(path, "steps")
    assert steps.seconds.iloc[-1] >= 0.2
    assert (steps.seconds.iloc[:-1] < 0.2).all()
    assert store.read_json(path / "checkpoint" / "state.json")["step"] == len(steps)


def test_a_card_without_room_is_a_line_with_what_was_asked_of_it(plain, runs, monkeypatch):
    def full(*_):
        raise device.OUT_OF_MEMORY(
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.20 GiB "
            "is free. Process 7 has 77.90 GiB memory in use."
        )

    monkeypatch.setattr(trainer, "accumulate", full)
    error = refusal("quick", plain, runs=runs, exit_code=FINDING)
    assert str(error).startswith("memory ran out (tried to allocate 2.00 GiB): lower batches.size and raise")

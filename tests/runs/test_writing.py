"""Checkpoints written beside the training of a (pretended) card: whole, in order, and no error of theirs is lost."""

import errno
import threading

import pytest
import torch
from pretend_cuda import CUDA, pretended

from diagnose.runs import checkpoints
from diagnose.runs.writing import CheckpointWriter

STATE = {"step": 3}


@pytest.fixture
def card():
    with pretended() as found:
        yield found


@pytest.fixture
def gate(monkeypatch):
    """Return what lets checkpoints be written; until it is set they wait."""
    opened, write = threading.Event(), checkpoints.write_checkpoint

    def later(*args):
        assert opened.wait(20)
        write(*args)

    monkeypatch.setattr(checkpoints, "write_checkpoint", later)
    return opened


def of(value, **more):
    return {"model": {"w": value, **more}}


def test_what_is_written_is_what_the_tensors_were(card, gate, tmp_path):
    writer, weights, steps = CheckpointWriter(), torch.arange(6.0).reshape(2, 3).to(CUDA), torch.tensor(1.0)
    card.reset()
    with card.never_waited_for():
        writer.write(tmp_path / "checkpoint", of(weights, steps=steps), STATE)
        weights.add_(1)  # the next step
    steps.add_(1)
    assert writer.busy
    assert not (tmp_path / "checkpoint").exists()
    writer.look()  # waits for nothing
    gate.set()
    writer.settle()
    tensors, state = checkpoints.read_checkpoint(tmp_path / "checkpoint")
    assert torch.equal(tensors["model"]["w"], torch.arange(6.0).reshape(2, 3))
    assert float(tensors["model"]["steps"]) == 1.0
    assert state["step"] == 3


def test_the_next_one_waits_until_the_last_is_written(card, gate, tmp_path):
    writer, weights = CheckpointWriter(), torch.zeros(4).to(CUDA)
    writer.write(tmp_path / "checkpoint", of(weights), STATE)
    weights.add_(1)
    threading.Timer(0.2, gate.set).start()
    writer.write(tmp_path / "interval", of(weights), STATE)  # into the memory of the last one
    writer.settle()
    found = [checkpoints.read_checkpoint(tmp_path / name)[0]["model"]["w"] for name in ("checkpoint", "interval")]
    assert [float(x.sum()) for x in found] == [0.0, 4.0]


def failing(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["look", "settle", "write", "end"])
def test_an_error_of_the_thread_is_raised_once_and_leaves_the_checkpoint_before(where, card, tmp_path, monkeypatch):
    writer, place = CheckpointWriter(), tmp_path / "checkpoint"
    writer.write(place, of(torch.zeros(2).to(CUDA)), STATE)
    writer.settle()
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_write_tensors", failing)
        writer.write(place, of(torch.ones(2).to(CUDA)), STATE)
        while writer.busy:
            pass
        ways = {
            "look": writer.look,
            "settle": writer.settle,
            "write": lambda: writer.write(place, of(torch.ones(2)), STATE),
        }
        with pytest.raises(OSError, match="No space left"), writer.settled():
            ways.get(where, list)()
    writer.settle()
    assert checkpoints.read_checkpoint(place)[0]["model"]["w"].tolist() == [0.0, 0.0]


def test_another_error_is_not_hidden_and_the_thread_is_waited_for(card, gate, tmp_path):
    writer = CheckpointWriter()

    def broken():
        with writer.settled():
            writer.write(tmp_path / "checkpoint", of(torch.zeros(2).to(CUDA)), STATE)
            gate.set()
            raise ValueError("of the training")

    with pytest.raises(ValueError, match="of the training"):
        broken()
    assert not writer.busy
    assert (tmp_path / "checkpoint" / "state.json").exists()


def test_tensors_of_a_cpu_are_written_at_once(tmp_path):
    writer = CheckpointWriter()
    writer.write(tmp_path / "checkpoint", of(torch.zeros(2)), STATE)
    assert not writer.busy
    assert (tmp_path / "checkpoint" / "state.json").exists()

"""A second network beside one that is trained on a (pretended) card: what it takes and leaves alone, who has none."""

import threading
from types import SimpleNamespace

import pytest
import torch
from pretend_cuda import CUDA
from test_sampling import PAD, START, small, write
from test_trainer import course
from test_without_a_card import card as _card
from torch import nn

from diagnose.training import device, sampling, step_clock
from diagnose.training.second_network import SecondNetwork, second_network

card = _card


def talkative(name, seed):
    torch.manual_seed(seed)
    net = small(name, 24)
    with torch.no_grad():
        net.embedding.weight.mul_({"gpt": 20, "lstm": 100}[name])  # so that texts hang on weights
        net.embedding.weight[[START, PAD]] = -1.0
    return net


def written(second, **more):
    """Return what a second network writes in a thread of its own."""
    texts = []

    def reader(net, alone):
        texts.append(write(net, "abc", context=24, most_bytes=40, alone=alone, **more))

    thread = threading.Thread(target=second.read, args=(reader,))
    thread.start()
    thread.join()
    return texts[0]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["gpt", "lstm"])
def test_what_is_written_is_by_the_weights_that_were_taken(name, precision, card, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "is_acceptable", lambda _: False)
    texts = [write(talkative(name, seed), "abc", context=24, most_bytes=40, precision=precision) for seed in (1, 2)]
    assert texts[0] != texts[1]
    second = SecondNetwork(talkative(name, 0).to(CUDA))
    for seed, text in zip((1, 2), texts, strict=True):
        trained = talkative(name, seed).to(CUDA)
        card.reset()
        with card.never_waited_for():
            assert second.take(trained)
            with torch.no_grad():  # the next step
                for value in trained.parameters():
                    value.zero_()
        assert written(second, precision=precision) == text


def test_nothing_of_the_training_is_touched(card, monkeypatch):
    """Neither mode, weights, gradients nor the casts that a step uses; it has a queue of its own."""
    trained, second = talkative("gpt", 1).to(CUDA).train(), SecondNetwork(talkative("gpt", 0).to(CUDA))
    second.take(trained)
    queues, moved = set(), torch.Tensor.pin_memory
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda x: (queues.add(card.here.stream), moved(x))[1])
    weight, kept = trained.head.weight, [value.clone() for value in trained.parameters()]
    x = torch.ones(2, 32, device=CUDA)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        card.reset()
        nn.functional.linear(x, weight)
        assert card.ops["_to_copy"] == 2  # both are cast
        written(second, precision="bf16")
        card.reset()
        nn.functional.linear(x, weight)
        assert card.ops["_to_copy"] == 1  # the weight's is still there
    assert trained.training
    assert all(map(torch.equal, kept, trained.parameters()))
    assert not any(value.requires_grad for value in second.network.parameters())
    (queue,) = queues
    assert queue.waited[0].stream is None or queue.waited[0].stream is not queue


def test_random_states_that_a_step_sets_meanwhile_are_not_put_back(card, monkeypatch):
    draw = sampling._draw
    monkeypatch.setattr(sampling, "_draw", lambda *given: (torch.manual_seed(5), draw(*given))[1])
    torch.manual_seed(4)
    written(SecondNetwork(talkative("gpt", 0).to(CUDA)))
    found = torch.get_rng_state(), torch.cuda.get_rng_state()
    torch.manual_seed(5)
    assert all(map(torch.equal, found, (torch.get_rng_state(), torch.cuda.get_rng_state())))


class Averaging(nn.Module):
    """A network with a buffer that training moves, and another that it makes on its way."""

    def __init__(self, draws=False):
        super().__init__()
        self.weight, self.draws = nn.Parameter(torch.zeros(5)), draws
        self.register_buffer("mean", torch.zeros(5), persistent=False)

    def forward(self, tokens_BT, _=None):
        noise = torch.rand(1, device=self.weight.device) if self.draws else 0
        return (self.weight + self.mean + 0 * noise).expand(*tokens_BT.shape, 5)


def test_buffers_are_taken_too_and_a_network_that_has_got_others_is_not(card):
    trained, second = Averaging().to(CUDA), SecondNetwork(Averaging().to(CUDA))
    trained.mean = trained.mean + 3  # bound anew, as averages often are
    assert second.take(trained)
    assert second.network.mean.tolist() == [3.0] * 5
    trained.register_buffer("mask", torch.ones(2, device=CUDA))
    assert not second.take(trained)


def of(net, **more):
    """Return what `second_network` asks of a run."""
    recipe = course(6, **{"run.device": "cuda", "report.sample": True} | more).recipe
    return SimpleNamespace(recipe=recipe, divides=False, network=lambda: net.to(device.find(recipe.run.device)))


def test_who_has_one(card):
    assert isinstance(second_network(of(Averaging().train())), SecondNetwork)
    assert isinstance(second_network(of(small("gpt", 24).train())), SecondNetwork)  # whose dropout is off
    assert second_network(of(Averaging(draws=True))) is None
    assert second_network(of(Averaging(), **{"report.sample": False})) is None
    assert second_network(of(Averaging(), **{"run.device": "cpu"})) is None
    divided = of(Averaging())
    divided.divides = True
    assert second_network(divided) is None


def test_a_look_at_whether_a_network_draws_takes_no_random_number(card):
    before = torch.get_rng_state(), torch.cuda.get_rng_state()
    second_network(of(Averaging(draws=True)))
    after = torch.get_rng_state(), torch.cuda.get_rng_state()
    assert all(map(torch.equal, before, after))


def test_events_are_of_the_card_that_a_run_is_on(card):
    """Which may be another than the process's current one, whose queue would be empty."""
    where = torch.device("cuda", 1)
    assert device.recorded(where).stream.device == where
    clock = step_clock.StepClock(SimpleNamespace(parameters=lambda: iter([SimpleNamespace(device=where)])))
    clock.start()
    clock.mark()
    assert [event.stream.device for event in clock.events] == [where] * 2

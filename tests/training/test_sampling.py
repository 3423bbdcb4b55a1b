from importlib import import_module

import numpy as np
import pytest
import torch
from pretend_cuda import CUDA, pretended
from torch import nn

from diagnose.data.tokenizer import learn, marks
from diagnose.training import sampling
from diagnose.training.sampling import generate

TOKENIZER = learn(["abcde é"], "char", 300)
START, PAD = marks(TOKENIZER)
IDS = {character: TOKENIZER.token_to_id(character) for character in "abcde"}


class Chain(nn.Module):
    """A network with known probabilities of the next character, by the one before."""

    def __init__(self, chances):
        super().__init__()
        table = torch.full((TOKENIZER.get_vocab_size(), TOKENIZER.get_vocab_size()), 0.0)
        for before, after in chances.items():
            for character, chance in after.items():
                table[IDS.get(before, START), {**IDS, "end": START, "pad": PAD}[character]] = chance
        self.table, self.seen = nn.Parameter(table), []

    def forward(self, tokens_BT, _=None):
        self.seen.append(tokens_BT.tolist()[0])
        assert not self.training
        return self.table[tokens_BT].log()


def write(net, prompt="", **more):
    given = {"context": 8, "seed": 0, "most_bytes": 50}
    return generate(net, TOKENIZER, prompt, **given | more)


WORD = {"start": {"a": 1.0}, "a": {"b": 1.0}, "b": {"c": 1.0}, "c": {"end": 1.0}}


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0, 2.0])
def test_a_document_is_written_up_to_its_end_mark(temperature):
    net = Chain(WORD)
    assert write(net, temperature=temperature) == "abc"
    assert net.seen[0] == [START]
    assert net.seen[-1] == [START, IDS["a"], IDS["b"], IDS["c"]]
    assert write(net, "b", temperature=temperature) == "bc"


def test_padding_ends_a_document_too():
    assert write(Chain(WORD | {"b": {"pad": 1.0}})) == "ab"


@pytest.mark.parametrize(("context", "rows"), [(5, [2, 3, 4, 5, 2, 3, 4]), (2, [1, 2, 1, 2, 1, 2, 1]), (1, [1] * 7)])
def test_the_older_half_of_a_full_context_is_forgotten(context, rows):
    net = Chain({"start": {"a": 1.0}, "a": {"a": 1.0}})
    assert write(net, "aaaaaaaaaa", context=context, most_bytes=7) == "a" * 17
    assert [len(seen) for seen in net.seen] == rows
    assert START not in net.seen[0]


@pytest.mark.parametrize("most", [1, 4, 50])
def test_text_without_an_end_stops(most):
    assert write(Chain({"start": {"a": 1.0}, "a": {"a": 1.0}}), "a", most_bytes=most) == "a" * (1 + most)


@pytest.mark.parametrize("prompt", ["", " ", "a <s> b <pad>", "é漢\U0001f600\n\t", "<0x41>"])
def test_a_prompt_comes_back_as_it_was_whatever_it_holds(prompt):
    net = Chain({})
    with torch.no_grad():
        net.table[:, START] = 1.0
    assert write(net, prompt) == prompt
    assert START not in net.seen[0][1:]


def test_draws_follow_the_networks_own_distribution():
    chances = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4}
    net = Chain({"start": chances} | {c: {"end": 1.0} for c in "abcd"})
    drawn = [write(net, turn=turn) for turn in range(300)]
    counts = np.array([drawn.count(c) for c in "abcd"])
    expected = 300 * np.array(list(chances.values()))
    assert ((counts - expected) ** 2 / expected).sum() < 21.1  # 3 degrees of freedom, p = 1e-4
    assert {write(net, turn=turn, temperature=0) for turn in range(5)} == {"d"}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_sharpens_and_flattens(temperature):
    p_V = torch.tensor([0.1, 0.2, 0.3, 0.4]).double()
    drawn = [sampling._draw(p_V.log(), temperature, (k + 0.5) / 1000) for k in range(1000)]
    expected = p_V ** (1 / temperature) / (p_V ** (1 / temperature)).sum()
    assert np.bincount(drawn) / 1000 == pytest.approx(expected.numpy(), abs=1e-3)


def test_the_same_seed_and_turn_write_the_same_and_others_do_not():
    net = Chain({c: dict.fromkeys("abcde", 0.2) for c in ("start", *"abcde")})
    one, same, turn, seed = (write(net, seed=s, turn=t, most_bytes=30) for s, t in ((0, 0), (0, 0), (0, 1), (1, 0)))
    assert one == same
    assert len({one, turn, seed}) == 3


@pytest.mark.parametrize("fails", [False, True])
def test_the_network_and_the_random_state_are_left_as_they_were(fails):
    net = Chain(WORD).train()
    if fails:
        net.forward = None
    torch.manual_seed(3)
    before = torch.get_rng_state()
    try:
        write(net)
    except TypeError:
        assert fails
    assert net.training
    assert torch.equal(before, torch.get_rng_state())


def test_a_token_without_probability_is_never_drawn():
    logits_V = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]).double().log()
    for uniform, token in ((0.0, 1), (0.4999, 1), (0.5, 3), (1 - 2**-53, 3)):
        assert sampling._draw(logits_V, 1.0, uniform) == token


class Forgetful(nn.Module):
    """A network that does not offer to go on from what it has read."""

    def __init__(self, net):
        super().__init__()
        self.forward, self.weight = net.forward, net.embedding.weight


def small(name, context):
    builder = import_module(f"diagnose.models.{name}").build
    return builder(TOKENIZER.get_vocab_size(), context, layers=2, width=32, dropout=0.5).eval()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["gpt", "lstm"])
def test_a_network_that_remembers_writes_the_same(name, precision):
    """Up to the context, where it is left, and where the prompt is longer."""
    torch.manual_seed(0)
    net = small(name, 24)
    with torch.no_grad():
        net.embedding.weight.mul_(20)  # so that what is written hangs on what was read
        net.embedding.weight[[START, PAD]] = -1.0  # and goes on
    for prompt in ("", "abc", "edcba" * 6):
        for turn in range(3):
            given = {"context": 24, "most_bytes": 60, "turn": turn, "precision": precision}
            assert write(net, prompt, **given) == write(Forgetful(net), prompt, **given)
    assert len({write(net, "abc", context=24, turn=turn) for turn in range(5)}) == 5


@pytest.mark.parametrize("name", ["gpt", "lstm"])
def test_each_token_is_read_once_and_again_where_the_context_is_full(name, monkeypatch):
    net = small(name, 10)
    read, on = [], net.read_on
    monkeypatch.setattr(net, "read_on", lambda row, memory: read.append(row.shape[1]) or on(row, memory))
    monkeypatch.setattr(net, "forward", None)
    monkeypatch.setattr(sampling, "_draw", lambda *_: IDS["a"])
    write(net, "abcd", context=10, most_bytes=9)
    assert read == [5, 1, 1, 1, 1, 1, 5, 1, 1]


def test_on_a_card_the_host_waits_once_a_token_and_writes_the_same(monkeypatch):
    torch.manual_seed(0)
    net = small("gpt", 24)
    with torch.no_grad():
        net.embedding.weight[[START, PAD]] = -1.0
    text = write(net, "abc", context=24, most_bytes=12)
    drawn, draw = [], sampling._draw
    monkeypatch.setattr(sampling, "_draw", lambda *given: drawn.append(draw(*given)) or drawn[-1])
    with pretended() as card:
        net = net.to(CUDA)
        card.reset()
        assert write(net, "abc", context=24, most_bytes=12) == text
        waits = [(what, count) for (what, _), count in card.waits.items()]
    assert waits == [("copy to the host", len(drawn))]

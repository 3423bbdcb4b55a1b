"""The chunked loss against torch's own over full logits, in value and gradient, and where numbers break."""
# ruff: noqa: ARG002 - a network's signature is given

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnose.training import chunked_loss

N, D, V = 37, 8, 23


@pytest.fixture
def parts():
    draw = torch.Generator().manual_seed(0)
    x_ND = torch.randn(N, D, generator=draw, dtype=torch.float64)
    weight_VD = torch.randn(V, D, generator=draw, dtype=torch.float64)
    bias_V = torch.randn(V, generator=draw, dtype=torch.float64)
    targets_N = torch.randint(V, (N,), generator=draw)
    weights_N = torch.rand(N, generator=draw, dtype=torch.float64)
    return x_ND, weight_VD, bias_V, targets_N, weights_N


def plain(x_ND, weight_VD, bias_V, targets_N, weights_N, smoothing=0.0):
    logits_NV = F.linear(x_ND, weight_VD, bias_V)
    smoothed_N = F.cross_entropy(logits_NV, targets_N, reduction="none", label_smoothing=smoothing)
    return (weights_N * smoothed_N).sum(), F.cross_entropy(logits_NV, targets_N, reduction="none")


def gradients(function, x_ND, weight_VD, bias_V, *rest):
    leaves = [None if t is None else t.clone().requires_grad_() for t in (x_ND, weight_VD, bias_V)]
    loss, nats_N = function(*leaves, *rest)
    (3.5 * loss).backward()
    return loss.detach(), nats_N.detach(), [t.grad for t in leaves if t is not None]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("chunk", [1, 10, 37, 1000])
@pytest.mark.parametrize("biased", [True, False])
def test_value_and_gradients_equal_those_of_full_logits(parts, smoothing, chunk, biased):
    x_ND, weight_VD, bias_V, targets_N, weights_N = parts
    bias_V = bias_V if biased else None
    ours = gradients(chunked_loss.chunked, x_ND, weight_VD, bias_V, targets_N, weights_N, smoothing, chunk)
    theirs = gradients(plain, x_ND, weight_VD, bias_V, targets_N, weights_N, smoothing)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_gradcheck(parts):
    x_ND, weight_VD, bias_V, targets_N, weights_N = parts
    leaves = [t.clone().requires_grad_() for t in (x_ND[:5], weight_VD, bias_V)]

    def loss(*leaves):
        return chunked_loss.chunked(*leaves, targets_N[:5], weights_N[:5], 0.2, 2)[0]

    assert torch.autograd.gradcheck(loss, leaves)


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_only_what_needs_a_gradient_gets_one(parts, frozen):
    leaves = [t.clone().requires_grad_(place != frozen) for place, t in enumerate(parts[:3])]
    chunked_loss.chunked(*leaves, *parts[3:])[0].backward()
    assert [t.grad is None for t in leaves] == [place == frozen for place in range(3)]


def test_without_gradients_nothing_is_kept(parts):
    x_ND = parts[0].clone().requires_grad_()
    with torch.no_grad():
        loss, nats_N = chunked_loss.chunked(x_ND, *parts[1:])
    assert not loss.requires_grad
    assert not nats_N.requires_grad
    with torch.inference_mode():
        assert chunked_loss.chunked(x_ND, *parts[1:])[0] == loss


def test_what_has_no_weight_does_no_harm(parts):
    x_ND, weight_VD, bias_V, targets_N, weights_N = (t.clone() for t in parts)
    weights_N[[3, 20]] = 0
    good = gradients(chunked_loss.chunked, x_ND, weight_VD, bias_V, targets_N, weights_N, 0.0, 10)
    x_ND[3], bias_V[5] = torch.nan, -torch.inf
    targets_N = torch.where(targets_N == 5, 6, targets_N)
    targets_N[20] = 5  # an impossible target: its loss is infinite
    loss, nats_N, grads = gradients(chunked_loss.chunked, x_ND, weight_VD, bias_V, targets_N, weights_N, 0.0, 10)
    assert loss.isfinite()
    assert nats_N[3].isnan()
    assert nats_N[20] == torch.inf
    assert all(g.isfinite().all() for g in grads)
    assert (grads[0][[3, 20]] == 0).all()
    assert good[0].isfinite()


class WithParts(nn.Module):
    def __init__(self, bias=False):
        super().__init__()
        self.embedding = nn.Embedding(V, D)
        self.head = nn.Linear(D, V, bias=bias)
        if not bias:
            self.head.weight = self.embedding.weight

    def features(self, tokens_BT, segments_BT=None):
        return torch.tanh(self.embedding(tokens_BT))

    def forward(self, tokens_BT, segments_BT=None):
        return self.head(self.features(tokens_BT, segments_BT))


class Whole(nn.Module):
    """The same network without its parts on show."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, tokens_BT, segments_BT=None):
        return self.inner(tokens_BT, segments_BT)


@pytest.fixture
def batch():
    draw = torch.Generator().manual_seed(1)
    tokens_BT, targets_BT = torch.randint(V, (2, 3, 7), generator=draw)
    return tokens_BT, targets_BT, torch.rand(3, 7, generator=draw)


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_objective_is_the_same_by_features_and_by_logits(batch, biased, smoothing):
    tokens_BT, targets_BT, weights_BT = batch
    torch.manual_seed(0)
    network = WithParts(biased)
    logits_BTV = network(tokens_BT)
    smoothed = F.cross_entropy(
        logits_BTV.flatten(0, 1), targets_BT.flatten(), reduction="none", label_smoothing=smoothing
    )
    expected = (weights_BT.flatten() * smoothed).sum()
    expected.backward()
    wanted = [p.grad.clone() for p in network.parameters()]
    for way in (network, Whole(network)):
        network.zero_grad()
        loss, nats_BT = chunked_loss.objective(way, tokens_BT, targets_BT, weights_BT, None, smoothing)
        loss.backward()
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close([p.grad for p in network.parameters()], wanted)
        torch.testing.assert_close(nats_BT, chunked_loss.token_nats(way, tokens_BT, targets_BT))
        assert not nats_BT.requires_grad
        read = chunked_loss.token_nats(way, tokens_BT, targets_BT, None, smoothing)
        torch.testing.assert_close((read * weights_BT).sum(), expected.detach())


def test_broken_logits_without_weight_do_no_harm(batch):
    tokens_BT, targets_BT, weights_BT = batch
    weights_BT[0, 0] = 0
    logits_BTV = torch.randn(3, 7, V)
    logits_BTV[0, 0] = torch.nan
    logits_BTV.requires_grad_()
    loss, _ = chunked_loss.objective(lambda *_: logits_BTV, tokens_BT, targets_BT, weights_BT)
    loss.backward()
    assert loss.isfinite()
    assert logits_BTV.grad.isfinite().all()


def test_a_stack_called_features_is_not_taken_for_the_contract():
    network = WithParts()
    assert chunked_loss.split(network) is not None
    other = nn.Module()
    other.features, other.head = nn.Sequential(nn.Linear(2, 2)), nn.Linear(2, 2)
    assert chunked_loss.split(other) is None
    network.head = nn.Sequential(network.head)
    assert chunked_loss.split(network) is None


def test_in_bfloat16_products_alone_are_rounded(batch):
    tokens_BT, targets_BT, weights_BT = batch
    network = WithParts()
    exact, _ = chunked_loss.objective(network, tokens_BT, targets_BT, weights_BT)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, nats_BT = chunked_loss.objective(network, tokens_BT, targets_BT, weights_BT)
        read_BT = chunked_loss.token_nats(network, tokens_BT, targets_BT)
    loss.backward()
    assert loss.dtype == nats_BT.dtype == network.head.weight.grad.dtype == torch.float32
    assert loss != exact
    torch.testing.assert_close(loss, exact, rtol=2e-2, atol=0)
    torch.testing.assert_close(nats_BT, read_BT)

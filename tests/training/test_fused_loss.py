"""The loss that is compiled as a whole on CUDA devices: equal to the chunked one, and one graph for a run."""

from functools import partial

import pytest
import torch
from pretend_cuda import CUDA, pretended
from run_fixture import quickly
from test_trainer import Plain, course, gpt, timeless
from torch import nn

from diagnose.config.recipe import RunConfig
from diagnose.runs import runner
from diagnose.training import batches, chunked_loss, network, trainer
from diagnose.training.fused_loss import training_loss

LOSS = network.LOSS


def gradients(net, loss):
    net.zero_grad()
    loss.backward()
    return loss.detach(), [p.grad.clone() for p in net.parameters()]


@pytest.fixture
def counted():
    """Return a backend that runs graphs as they are and keeps them."""
    torch._dynamo.reset()
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    yield backend, graphs
    torch._dynamo.reset()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize(("loader", "mask"), [("padded", None), ("packed", "document")])
@pytest.mark.parametrize("make", [gpt, Plain])
def test_it_is_the_chunked_loss(make, loader, mask, smoothing):
    plan, net = course(**{"batches.loader": loader, **({} if mask is None else {"batches.mask": mask})}), make()
    batch = batches.step_batches(plan.layout, 1, 1)[0]
    weights_BT = trainer.weights([batch], plan.recipe.loss)[0]
    given = (net, batch.inputs_BT, batch.targets_BT, weights_BT, batch.segments_BT, smoothing)
    ours, theirs = gradients(net, training_loss(*given)), gradients(net, chunked_loss.objective(*given)[0])
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_what_weighs_nothing_does_no_harm(broken):
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.head = nn.Embedding(5, 4), nn.Linear(4, 5)

        def features(self, tokens_BT, _):
            x_BTD = self.embedding(tokens_BT)
            return torch.where((tokens_BT == 0)[..., None], broken, x_BTD)

    net, tokens_BT = Broken(), torch.tensor([[0, 1, 2, 0]])
    weights_BT = torch.tensor([[0.0, 0.5, 0.5, 0.0]])
    loss, found = gradients(net, training_loss(net, tokens_BT, tokens_BT, weights_BT, None, 0.0))
    assert loss.isfinite()
    assert all(g.isfinite().all() for g in found)
    assert any(g.abs().sum() > 0 for g in found)


def test_a_cuda_device_compiles_the_loss_where_its_logits_fit_and_readings_run_as_written(monkeypatch):
    made = []
    monkeypatch.setattr(torch, "compile", lambda f, **how: made.append((f, how)) or f)
    with pretended():
        net, large = gpt().to(CUDA), gpt().to(CUDA)
        network.compile_in_place(net, network.FUSED_BYTES // 2)
        network.compile_in_place(large, network.FUSED_BYTES // 2 + 1)
        assert [how for _, how in made] == [{"dynamic": False, "options": None}, {}]
        assert network.compiled_loss(net) is made[0][0]
        assert network.compiled_loss(large) is None
        assert chunked_loss.split(net)[0] == net.features  # a bound method: what it was
        with network.eager(net):
            assert network.compiled_loss(net) is None
        assert network.compiled_loss(net) is made[0][0]
        assert LOSS not in dict(net.named_modules())
        assert LOSS not in net.state_dict()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what torch's compiler imports
@pytest.mark.parametrize(
    ("changed", "biased", "without", "backends"),
    [
        ({}, False, True, "ATEN,TRITON"),
        ({"deterministic": False}, False, True, "ATEN,TRITON"),
        ({}, True, False, "ATEN,TRITON"),  # the kernels know no bias: logits are written
        ({"compile": "on"}, False, False, None),
    ],
)
def test_fused_products_and_a_loss_without_logits_are_compiled_where_they_are_asked_for(
    changed, biased, without, backends, monkeypatch
):
    made, real = [], torch.compile
    monkeypatch.setattr(torch, "compile", lambda f, **how: made.append((f, how)) or real(f, **how))
    run = RunConfig(**{"device": "cuda", "precision": "bf16", "compile": "fused"} | changed)
    with pretended():
        net = gpt()
        net.head = nn.Linear(*reversed(net.head.weight.shape), bias=biased)
        network.compile_in_place(net.to(CUDA), 100, run)
    ((loss, how),) = made  # and torch took each of these options
    assert loss.keywords == {"without_logits": without}
    assert (how["options"] or {}).get("max_autotune_gemm_backends") == backends
    if backends:
        assert how["options"]["benchmark_epilogue_fusion"] == (not run.deterministic)


@pytest.mark.parametrize("mask", ["none", "document"])
def test_a_whole_run_is_one_graph_without_a_break(tiny, tmp_path, mask, counted, monkeypatch):
    """Training, reports, probes, samples, checkpoints and the final reading."""
    backend, graphs = counted
    monkeypatch.setattr(network, "fuses_loss", lambda *_: True)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    given = tiny | {"run.compile": "on", "batches.accumulate": 2, "batches.mask": mask, "report.sample": True}
    torch._dynamo.utils.counters.clear()
    with quickly():
        runner.train("quick", given, runs=tmp_path)
    assert len(graphs) == 1  # and its backward pass, which the compiler derives
    assert not torch._dynamo.utils.counters["graph_break"]


def test_compiled_steps_are_those_of_the_chunked_loss(counted):
    found = []
    for compiles in (False, True):
        plan, net = course(**{"batches.accumulate": 2}), gpt()
        if compiles:
            net.__dict__[LOSS] = torch.compile(partial(training_loss, net), dynamic=False, backend="aot_eager")
        optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
        steps = timeless(trainer.train_steps(net, optimizer, plan, trainer.START))
        found.append(torch.tensor([[loss, norm] for _, _, _, loss, _, _, norm in steps]))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)

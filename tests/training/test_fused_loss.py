"""The loss that is compiled as a whole on CUDA devices: equal to the chunked one, and one graph for a run."""

import importlib
import warnings
from functools import partial

import pytest
import torch
from pretend_cuda import CUDA, pretended
from run_fixture import quickly
from test_trainer import Plain, course, gpt, timeless
from torch import nn

from diagnose.config.recipe import RunConfig
from diagnose.models.gpt import build
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


@pytest.fixture
def flexible(monkeypatch):
    """Let `flex_attention` have gradients on a CPU, where it computes them as it is written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of what it imports
        flex = importlib.import_module("torch.nn.attention.flex_attention")
    monkeypatch.setattr(flex, "_validate_device", lambda *_: None)


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
    assert net.masks_in_blocks == (backends is not None)
    assert loss.keywords == {"without_logits": without}
    assert (how["options"] or {}).get("max_autotune_gemm_backends") == backends
    if backends:
        assert how["options"]["benchmark_epilogue_fusion"] == (not run.deterministic)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what torch's compiler imports
@pytest.mark.parametrize(("dropped", "blocks"), [(0.0, True), (0.1, False)])
def test_documents_are_kept_apart_by_attentions_kernel_where_it_drops_no_weights(dropped, blocks, counted, flexible):
    backend, graphs = counted
    length, losses = 160, []  # no multiple of a block
    net = build(30, length, layers=2, heads=2, width=32, dropout=0.0, dropout_attention=dropped).train()
    for net.masks_in_blocks in (True, False):
        for how in (backend, "aot_eager"):
            torch._dynamo.reset()
            loss = torch.compile(partial(training_loss, net), dynamic=False, fullgraph=True, backend=how)
            torch.manual_seed(0)
            for _ in range(2):  # of other documents, in the same graph
                tokens_BT = torch.randint(30, (3, length))
                segments_BT = (torch.rand(3, length) < 0.05).long().cumsum(1)
                targets_BT, weights_BT = tokens_BT.roll(-1, 1), torch.full((3, length), 1 / (3 * length))
                losses.append(gradients(net, loss(tokens_BT, targets_BT, weights_BT, segments_BT, 0.0)))
    assert len(graphs) == 2
    assert ["flex_attention" in graph.code for graph in graphs] == [blocks, False]
    if not dropped:
        torch.testing.assert_close(losses[:4], losses[4:], rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what torch's compiler imports
@pytest.mark.parametrize(("heads", "blocks"), [(4, False), (2, True)])
def test_heads_too_narrow_for_torchs_kernel_take_the_mask(heads, blocks, counted, flexible):
    """On a card torch compiles it for heads of 16 and more, a power of two or not."""
    backend, graphs = counted
    net = build(30, 8, layers=1, heads=heads, width=48, dropout=0.0).train()
    net.masks_in_blocks = True
    loss = torch.compile(partial(training_loss, net), dynamic=False, fullgraph=True, backend=backend)
    tokens_BT, segments_BT = torch.randint(30, (2, 8)), torch.arange(8).expand(2, 8) // 3
    loss(tokens_BT, tokens_BT, torch.full((2, 8), 1 / 16), segments_BT, 0.0)
    assert ["flex_attention" in graph.code for graph in graphs] == [blocks]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what torch's compiler imports
@pytest.mark.parametrize("mask", ["none", "document", "document in blocks"])
def test_a_whole_run_is_one_graph_without_a_break(tiny, tmp_path, mask, counted, monkeypatch, flexible):
    """Training, reports, probes, samples, checkpoints and the final reading."""
    backend, graphs = counted
    compiles = network.compile_in_place

    def compile_in_place(net, *more):
        compiles(net, *more)
        net.masks_in_blocks = "blocks" in mask

    monkeypatch.setattr(network, "compile_in_place", compile_in_place)
    monkeypatch.setattr(network, "fuses_loss", lambda *_: True)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    given = tiny | {
        "run.compile": "on", "batches.accumulate": 2, "batches.mask": mask.split()[0], "report.sample": True,
        "model.dropout_attention": 0.0,
    }  # fmt: skip
    torch._dynamo.utils.counters.clear()
    with quickly():
        runner.train("quick", given, runs=tmp_path)
    assert len(graphs) == 1  # and its backward pass, which the compiler derives
    assert ("flex_attention" in graphs[0].code) == ("blocks" in mask)
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

"""What a compiled step of `first-user` moves through memory, by the compiler's own count; nothing is computed.

The compiler plans for a CPU first. For cards it fuses otherwise: the second test has it plan for an H100 that is not
there. Both guard against a step that moves more and say nothing of a card's time.
"""

import json
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import pytest
import torch

from diagnose.config.recipe import Recipe
from diagnose.models import attention, gpt
from diagnose.training import network
from diagnose.training.fused_loss import training_loss

VOCABULARY, CONTEXT = 9101, 128  # of first-user's text
STEP_BYTES = 25e9  # of `run.compile=on`
FUSED_BYTES = 18e9  # of `run.compile=fused`, and the aim of issue 19


class Planned(Exception):  # noqa: N818 - no error: what stands behind the plan is not wanted
    """The compiler has planned a graph."""


def causal(qkv_BT3HD, segments_BT, dropout, word, mask_B1TT=None):
    """Stand for attention on a card; the CPU's kernel knows no dropout, which moves no bytes there."""
    return attention._fused(qkv_BT3HD, mask_B1TT, 0.0)


@pytest.fixture
def planned(monkeypatch):
    """Return what compiles without generating code, and the bytes of each graph that it planned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of what it imports
        from torch._functorch import config as autograd_config
        from torch._functorch.aot_autograd import make_boxed_func
        from torch._inductor import compile_fx, config, scheduler
    found = []

    def plan(self):
        found.append(sum(node.get_read_write_buffers_sizes() for node in self.nodes))
        raise Planned

    def inner(graph, inputs, **more):
        as_written = make_boxed_func(graph.forward)
        with pytest.raises(Exception, match="Planned"):
            compile_fx.compile_fx_inner(graph, inputs, **more)
        return as_written

    monkeypatch.setattr(gpt, "attend", causal)
    monkeypatch.setattr(scheduler.Scheduler, "codegen", plan)
    with config.patch(fx_graph_cache=False), autograd_config.patch(enable_autograd_cache=False):
        yield partial(compile_fx.compile_fx, inner_compile=inner), found
    torch._dynamo.reset()


def step_bytes(planned, layers, rows):
    backend, found = planned
    torch._dynamo.reset()
    found.clear()
    model = Recipe.load("first-user", {"model.layers": layers}).model
    net = network.build(model.name, model.settings(), VOCABULARY, CONTEXT, 0, torch.device("cpu")).train()
    step = torch.compile(partial(training_loss, net), backend=backend, dynamic=False)
    tokens_BT = torch.zeros(rows, CONTEXT, dtype=torch.int64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        step(tokens_BT, tokens_BT, torch.full((rows, CONTEXT), 1 / tokens_BT.numel()), None, 0.0).backward()
    assert len(found) == 2  # forward and backward
    return sum(found)


@pytest.mark.skipif(tuple(map(int, torch.__version__.split(".")[:2])) < (2, 9), reason="older compilers plan otherwise")
@pytest.mark.trains
def test_a_compiled_step_of_first_user_stays_within_its_bytes(planned):
    """Bytes are linear in rows and in layers, so few of both tell those of a whole step."""
    recipe = Recipe.load("first-user")
    rows, layers = recipe.batches.size, recipe.model.settings()["layers"]
    small = {(many, some): step_bytes(planned, many, some) for many in (1, 2) for some in (2, 4)}

    def of_all_rows(many):
        return small[many, 2] + (small[many, 4] - small[many, 2]) / 2 * (rows - 2)

    counted = of_all_rows(1) + (of_all_rows(2) - of_all_rows(1)) * (layers - 1)
    assert counted <= STEP_BYTES, f"{counted / 1e9:.2f} GB"


@pytest.mark.skipif(not torch.__version__.startswith("2.13"), reason="it replaces insides of torch 2.13")
@pytest.mark.trains
def test_a_fused_step_of_first_user_stays_within_its_bytes_as_planned_for_a_card():
    """In a process of its own, for the plan is made with much of torch replaced."""
    pytest.importorskip("triton")
    script = Path(__file__).parents[2] / "benchmarks" / "compiled_bytes.py"
    out = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), "--json", "fused"], capture_output=True, text=True, check=False
    )
    assert not out.returncode, out.stderr[-2000:]
    found = json.loads(out.stdout)
    assert sum(found["bytes"].values()) <= FUSED_BYTES, found
    assert found["bytes"]["output layer and loss"] < 0.2e9  # logits, once, would be 0.45e9

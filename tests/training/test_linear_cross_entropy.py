"""The output layer and its loss without logits: its kernels in Triton's interpreter, its compiling without a card."""

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import plain_kernels
import pytest
import torch
from test_trainer import course, gpt, timeless

from diagnose.training import fused_loss, linear_cross_entropy, network, trainer

pytestmark = pytest.mark.trains

HERE = Path(__file__).parent
SHARED_OF_A_4090 = 99 << 10  # bytes of shared memory that a program may take; an A100 has 163 KiB, an H100 227


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.setattr(linear_cross_entropy, "_kernels", lambda: plain_kernels)


def answer(what, **more):
    """Run a part of `kernels_by_hand.py`, which needs Triton set up before it is imported, and return what it says."""
    pytest.importorskip("triton")
    command = [sys.executable, "-W", "ignore", str(HERE / "kernels_by_hand.py"), what]
    out = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=False)
    assert not out.returncode, out.stderr[-2000:]
    return json.loads(out.stdout)


def test_the_kernels_are_cross_entropy_and_its_gradients():
    """In float32 and float16; the interpreter reads bfloat16 wrongly, and that of Triton 3.6 fails with newer numpy."""
    pytest.importorskip("triton", minversion="3.9")
    for case in answer("interpret", TRITON_INTERPRET="1"):
        limit = 2e-6 if case["dtype"] == "torch.float32" else 1e-3
        assert case["loss"] < 1e-5, case
        assert case["of_x"] < limit, case
        assert case["of_weight"] < limit, case


@pytest.mark.parametrize("capability", [80, 89, 90])
def test_the_kernels_compile_for_cards(capability):
    kernels = answer("compile", CAPABILITY=str(capability))
    assert set(kernels) == {"losses", "gradient_of_features", "gradient_of_weight"}
    for name, found in kernels.items():
        assert found["shared"] <= SHARED_OF_A_4090, (name, found)
        assert re.search(rf"\.target sm_{capability}", found["target"])
        if capability == 90:
            assert found["spilled"] <= 8, (name, found)  # bytes of registers that go to memory


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_steps_without_logits_are_those_of_the_chunked_loss_in_bf16(plain, smoothing):
    changed = {"batches.loader": "padded", "run.precision": "bf16", "loss.label_smoothing": smoothing}
    found = []
    torch._dynamo.reset()
    for without in (False, True):
        plan, net = course(**changed), gpt()
        if without:
            loss = partial(fused_loss.training_loss, net, without_logits=True)
            net.__dict__[network.LOSS] = torch.compile(loss, dynamic=False, fullgraph=True, backend="aot_eager")
        optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
        steps = timeless(trainer.train_steps(net, optimizer, plan, trainer.START))
        found.append(torch.tensor([[loss, norm] for _, _, _, loss, _, _, norm in steps]))
    torch._dynamo.reset()
    torch.testing.assert_close(*found, rtol=1e-2, atol=1e-3)


def test_wide_features_are_divided_among_programs(plain):
    x_ND, weight_VD = torch.randn(5, 1100, requires_grad=True), torch.randn(7, 1100, requires_grad=True)
    for kernel in (plain_kernels.gradient_of_features, plain_kernels.gradient_of_weight):
        kernel.programs.clear()
    linear_cross_entropy.linear_cross_entropy(x_ND, weight_VD, torch.arange(5), 0.0).sum().backward()
    assert plain_kernels.gradient_of_features.programs == [(1, 3)]
    assert plain_kernels.gradient_of_weight.programs == [(1, 3)]


@pytest.mark.parametrize(("width", "wanted"), [(8, 16), (16, 16), (48, 64), (512, 512), (768, 512)])
def test_columns_of_a_program_are_a_power_of_two(width, wanted):
    assert linear_cross_entropy.columns(width) == wanted


def test_logits_are_written_where_the_output_layer_has_a_bias_or_products_are_fp32():
    net = gpt()
    assert fused_loss.can_do_without_logits(net, "bf16")
    assert not fused_loss.can_do_without_logits(net, "fp32")
    net.head = torch.nn.Linear(*reversed(net.head.weight.shape))
    assert not fused_loss.can_do_without_logits(net, "bf16")

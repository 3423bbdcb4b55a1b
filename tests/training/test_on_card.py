"""A CUDA device itself: what the pretended one cannot show. Nobody has run these yet."""

import math

import pytest
import torch
from run_fixture import assert_same, quickly
from test_trainer import CPU, START, gpt, timeless
from test_without_a_card import LOADERS, loaded, on

from diagnose.runs import runner
from diagnose.training import device, switches, trainer

CUDA = torch.device("cuda")
pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype feature"),
]


@pytest.fixture(autouse=True)
def own_switches(monkeypatch):
    """Let no block end early: the first products of a process take a second. Put torch's switches back."""
    monkeypatch.setattr(trainer, "PATIENCE", math.inf)
    yield
    switches.leave_card()


def trained(plan, net):
    device.prepare(plan.recipe.with_values({"run.device": next(net.parameters()).device.type}), 1.0)
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    return timeless(trainer.train_steps(net, optimizer, plan, START)), [p.detach().cpu() for p in net.parameters()]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("loader", "mask"), LOADERS)
def test_no_step_of_an_interval_waits(loader, mask, precision):
    plan = on(CUDA, 12, **loaded(loader, mask, **{"run.precision": precision}))
    net = gpt(dropout=0.1).to(CUDA)
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    steps = trainer.train_blocks(net, optimizer, plan, START, lambda step: step == 2)
    next(steps)
    took, records = [], trainer._records
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            trainer, "_records", lambda *given: (torch.cuda.set_sync_debug_mode("default"), records(*given))[1]
        )
        torch.cuda.set_sync_debug_mode("error")
        try:
            took = next(steps)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert len(took) == 10


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("loader", "mask"), LOADERS)
def test_a_run_repeats_bit_for_bit(loader, mask, precision):
    given = loaded(loader, mask, **{"run.precision": precision})
    one, two = (trained(on(CUDA, 20, **given), gpt(dropout=0.1).to(CUDA)) for _ in range(2))
    assert one[0] == two[0]
    assert all(torch.equal(p, q) for p, q in zip(one[1], two[1], strict=True))


@pytest.mark.parametrize(("loader", "mask"), LOADERS)
def test_losses_are_those_of_the_cpu_within_rounding(loader, mask):
    given = loaded(loader, mask)
    here, there = (trained(on(where, 20, **given), gpt().to(where))[0] for where in (CPU, CUDA))
    assert [step[3] for step in there] == pytest.approx([step[3] for step in here], rel=1e-3)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_samples_beside_the_training_change_nothing(precision, tiny, tmp_path, monkeypatch):
    card = {"run.device": "cuda", "run.precision": precision, "report.sample": True, "report.interval": 2}
    with quickly():
        beside = runner.train("quick", tiny | card, runs=tmp_path)
        monkeypatch.setattr(device, "samples_beside", lambda *_: False)
        at_once = runner.train("quick", tiny | card, runs=tmp_path)
    assert_same(beside, at_once)

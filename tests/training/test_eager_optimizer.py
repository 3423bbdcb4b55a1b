"""Optimizers without torch's compiler: the very steps of torch's own, and no import of it."""

import subprocess
import sys

import pytest
import torch
from torch.optim import Adam, AdamW

from diagnose.runs import runner
from diagnose.training.eager_optimizer import EagerAdam, EagerAdamW


def trained(kind, **settings):
    torch.manual_seed(0)
    net = torch.nn.Linear(5, 3)
    groups = [{"params": [net.weight], "weight_decay": 0.1}, {"params": [net.bias], "weight_decay": 0.0}]
    optimizer = kind(groups, lr=0.01, **settings)
    for _ in range(7):
        net(torch.randn(4, 5)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    assert net.weight.grad is None
    return net, optimizer


@pytest.mark.parametrize(("ours", "torchs"), [(EagerAdam, Adam), (EagerAdamW, AdamW)])
@pytest.mark.parametrize("fused", [True, False])
def test_steps_are_the_same_bit_for_bit_and_states_can_be_exchanged(ours, torchs, fused):
    (one, mine), (two, theirs) = trained(ours, fused=fused), trained(torchs, fused=fused)
    assert torch.equal(one.weight, two.weight)
    assert torch.equal(one.bias, two.bias)
    assert isinstance(mine, torchs)
    theirs.load_state_dict(mine.state_dict())
    mine.load_state_dict(theirs.state_dict())
    assert torch.equal(mine.state[one.weight]["exp_avg"], theirs.state[two.weight]["exp_avg"])


def test_what_is_no_parameter_is_refused_as_torch_does():
    with pytest.raises(TypeError, match="optimizer can only optimize Tensors"):
        EagerAdamW([{"params": [1.0]}])


def test_a_run_imports_no_compiler(tiny, tmp_path):
    sets = [f"--set={key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in tiny.items()]
    code = (
        "import sys; from diagnose.__main__ import main; sys.argv[0] = 'diagnose'\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('compiler' if 'torch._dynamo' in sys.modules else 'none')"
    )
    runner.train("quick", tiny, runs=tmp_path / "before")  # counting the operations of a network imports it, once
    command = [sys.executable, "-c", code, "train", *sets]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "none"

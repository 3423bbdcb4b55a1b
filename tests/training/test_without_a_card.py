"""The path of CUDA devices on a machine without one: what a step asks of the device, and that nothing waits for it.

What these cannot show: that a card computes the same, how fast it is, what its memory holds, that it repeats bit for
bit.
"""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pretend_cuda import CUDA, DeviceMismatchError, OnCard, WaitError, pretended
from test_trainer import BYTES_V, PAD, course, gpt, stream, timeless

from diagnose.training import batches, device, evaluation, trainer

CPU = torch.device("cpu")
BATCH_OPS, STEP_OPS = 15, 450  # budgets of issue 19
LOADERS = [("packed", "none"), ("packed", "document"), ("windows", "none"), ("windows", "document"), ("padded", None)]


@pytest.fixture
def card(monkeypatch):
    monkeypatch.setattr(trainer, "PATIENCE", math.inf)  # a pretended card is slow
    loops = device.fused_loops()
    used = loops is not None and loops.in_use()
    if loops is not None:
        loops.use(wanted=False)  # which a CPU may use and a card does not
    with pretended() as found:
        yield found
    if loops is not None:
        loops.use(wanted=used)


def on(where, steps=6, **given):
    """Return a course whose batches are made on a device."""
    plan = course(steps, **given)
    sides = SimpleNamespace(train=np.arange(60), val=np.arange(60))
    layout = batches.plan(plan.recipe, stream(), sides, "train", PAD, where)
    return replace(plan, layout=layout, bytes_V=BYTES_V.to(where))


def loaded(loader, mask, **more):
    return {"batches.loader": loader, **({} if mask is None else {"batches.mask": mask}), **more}


WAITS = {
    "bool": lambda x: bool(x.any()),
    "float": lambda x: float(x.sum()),
    "nonzero": lambda x: x.nonzero(),
    "where": lambda x: torch.where(x > 0),
    "unique": lambda x: x.unique(),
    "boolean index": lambda x: x[x > 0],
    "boolean assignment": lambda x: x.index_put_((x > 0,), x[:0]),
    "copy": lambda x: x.cpu(),
    "list": lambda x: x.tolist(),
    "equal": lambda x: torch.equal(x, x),
    "upload": lambda _: torch.arange(3).to(CUDA),
    "constant": lambda _: torch.tensor([1, 2], device=CUDA),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_would_be_seen(name, card):
    x = torch.zeros(3, device=CUDA)
    with card.never_waited_for(), pytest.raises(WaitError):
        WAITS[name](x)


def test_what_needs_no_wait_is_none(card):
    x, here = torch.ones(3, device=CUDA), torch.arange(3)
    with card.never_waited_for():
        x.masked_fill_(x > 0, 2.0)
        x += torch.where(x > 1, x, 0.0).cumsum(0)
        batches.moved(here, CUDA)
        x[torch.zeros(2, dtype=torch.int64, device=CUDA)].sum()
    assert x.tolist() == [4.0, 6.0, 8.0]


def test_tensors_of_host_and_device_do_not_mix(card):
    with pytest.raises(DeviceMismatchError):
        torch.ones(3, device=CUDA) + torch.ones(3)


@pytest.mark.parametrize(("loader", "mask"), LOADERS)
@pytest.mark.parametrize("order", ["shuffled", "random", "sequential"])
def test_a_batch_takes_a_dozen_operations_and_no_wait(loader, mask, order, card):
    given = loaded(loader, mask, **{"batches.order": order})
    here, there = on(CPU, **given).layout, on(CUDA, **given).layout
    batches.rows(there, 0, 1)  # tables of an epoch are made once
    per_epoch = math.ceil(there.rows / 4)
    for step in range(2 * per_epoch):
        within = (4 * step) // there.rows == (4 * step + 3) // there.rows
        new = within and (4 * step) % there.rows < 4  # an epoch's first rows and tables
        card.reset()
        with card.never_waited_for():
            found = batches.step_batches(there, step, 1)[0]
        if within and not new:
            assert sum(card.ops.values()) <= BATCH_OPS, card.ops
        expected = batches.step_batches(here, step, 1)[0]
        for ours, theirs in zip(vars(found).values(), vars(expected).values(), strict=True):
            assert theirs is None or (isinstance(ours, OnCard) and torch.equal(ours.held, theirs))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("loader", "mask"), LOADERS)
def test_no_step_of_an_interval_waits_for_the_device(loader, mask, precision, card):
    plan = on(CUDA, 6, **loaded(loader, mask, **{"run.precision": precision, "batches.accumulate": 2}))
    net = gpt(dropout=0.1, layers=1).to(CUDA)
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    steps = trainer.train_blocks(net, optimizer, plan, trainer.START, lambda step: step == 2)
    assert len(next(steps)) == 2  # moments of the optimizer are made
    card.reset()
    assert len(next(steps)) == 4
    assert [(what, count) for (what, _), count in card.waits.items()] == [("tolist", 4)]  # loss, norm, tokens, bytes


@pytest.mark.parametrize(("loader", "mask"), LOADERS)
def test_steps_on_the_device_are_those_on_the_cpu(loader, mask, card):
    """In fp32 and without dropout every operation is the CPU's, so each number is, bit for bit."""
    found = []
    for where in (CPU, CUDA):
        plan = on(where, 4, **loaded(loader, mask, **{"optimizer.clip": 0.5, "loss.label_smoothing": 0.1}))
        net = gpt().to(where)
        optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
        found.append(timeless(trainer.train_steps(net, optimizer, plan, trainer.START)))
    assert found[0] == found[1]


def test_shares_of_several_processes_on_the_device_are_those_on_the_cpu(card):
    found = []
    for where in (CPU, CUDA):
        plan, net = on(where, 3, **{"run.processes": 2, "batches.accumulate": 2}), gpt().to(where)
        optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
        found.append(timeless(trainer.train_steps(net, optimizer, plan, trainer.START)))
    assert found[0] == found[1]


@pytest.mark.parametrize("mask", ["none", "document"])
def test_a_step_of_first_users_depth_stays_within_its_operations(mask, card):
    plan = on(CUDA, 3, **loaded("windows", mask, **{"run.precision": "bf16"}))
    net = gpt(dropout=0.1, layers=6).to(CUDA)
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    steps = trainer.train_blocks(net, optimizer, plan, trainer.START, lambda step: step == 2)
    next(steps)
    card.reset()
    next(steps)
    counted = sum(card.ops.values())
    assert 100 < counted <= STEP_OPS, (counted, card.ops.most_common(20))


def test_each_step_s_time_is_that_between_its_events(card, monkeypatch):
    """By the device's clock, whatever the host's says, and without a wait for it."""
    at = iter([0.0, 0.25, 1.0, 1.5, 10.0, 10.125])  # a block of three steps; one step after whatever came between
    monkeypatch.setattr(torch.cuda.Event, "record", lambda self, _: setattr(self, "at", next(at)))
    plan, net = on(CUDA, 4), gpt().to(CUDA)
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    blocks = trainer.train_blocks(net, optimizer, plan, trainer.START, lambda step: step == 3)
    assert [[step.seconds for step in block] for block in blocks] == [[0.25, 1.0, 1.5], [1.625]]


def test_a_step_that_is_not_finite_is_named_without_a_wait(card):
    plan = on(CUDA, 20, **{"optimizer.lr": 1e30, "optimizer.clip": 0.0})
    net = gpt().to(CUDA)
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    blocks = trainer.train_blocks(net, optimizer, plan, trainer.START)
    seen = []
    with pytest.raises(Exception, match=r"is (nan|inf) at step \d+ .*training has diverged") as caught:
        seen += [step.step for block in blocks for step in block]
    named = int(str(caught.value).split("at step ")[1].split(" ")[0])
    weights = [p.held.clone() for p in net.parameters()]
    again = on(CUDA, named - 1, **{"optimizer.lr": 1e30, "optimizer.clip": 0.0})
    twin = gpt().to(CUDA)
    other = trainer.make_optimizer(twin, again.recipe.optimizer)
    assert len(list(trainer.train_steps(twin, other, again, trainer.START))) == named - 1
    assert all(torch.equal(p, q.held) for p, q in zip(weights, twin.parameters(), strict=True))


def test_a_reading_on_the_device_is_that_on_the_cpu(card):
    found = []
    for where in (CPU, CUDA):
        plan, net = on(where, **loaded("packed", "document")), gpt().to(where)
        condition = evaluation.EvalCondition()
        reading = evaluation.read(net, batches.whole(plan.layout), condition, plan.bytes_V)
        text = stream()
        documents = np.arange(60)
        sizes = np.array([int(BYTES_V[torch.from_numpy(text.tokens[a + 1 : b + 1].astype(int))].sum()) for a, b in
                          zip(text.starts[:-1], text.starts[1:], strict=True)])  # fmt: skip
        canonical = evaluation.canonical(net, text, documents, sizes, 12, bytes_V=plan.bytes_V)
        found.append((reading.loss, reading.document_nats_N.tolist(), canonical.nats_N.tolist()))
    assert found[0] == found[1]

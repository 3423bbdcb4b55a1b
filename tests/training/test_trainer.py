import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diagnose import random as seeding
from diagnose.config.recipe import OptimizerConfig, Recipe
from diagnose.errors import FINDING, DiagnoseError
from diagnose.training import batches, network, trainer
from diagnose.training.trainer import EMA, START, TrainingPlan, learning_rate, reported_training_loss

CPU = torch.device("cpu")
PAD, VOCABULARY, CONTEXT = 1, 23, 12
BYTES_V = torch.arange(VOCABULARY) % 4 * (torch.arange(VOCABULARY) > 1)


def stream():
    rng = np.random.default_rng(3)
    tokens, starts = [], [0]
    for length in rng.integers(0, 20, 60):
        tokens += [0, *rng.integers(2, VOCABULARY, length)]
        starts.append(len(tokens))
    return SimpleNamespace(tokens=np.array([*tokens, 0], np.int16), starts=np.array(starts))


def course(steps=6, **given):
    """Return a course over 60 short documents, with plain settings but for those given."""
    plain = {
        "batches.loader": "padded", "batches.context": CONTEXT, "batches.size": 4, "optimizer.schedule": "constant",
        "optimizer.warmup": 0.0, "optimizer.lr": 1e-2, "run.precision": "fp32",
    }  # fmt: skip
    budget = {} if any(key.startswith("budget") for key in given) else {"budget.steps": steps}
    recipe = Recipe.load("quick", plain | budget | given)
    sides = SimpleNamespace(train=np.arange(60), val=np.arange(60))
    layout = batches.plan(recipe, stream(), sides, "train", PAD, CPU)
    return TrainingPlan(recipe, layout, recipe.budget.steps, recipe.optimizer.lr, BYTES_V)


def gpt(dropout=0.0, **more):
    given = {"layers": 2, "width": 16, "heads": 2, "dropout": dropout} | more
    return network.build("gpt", given, VOCABULARY, CONTEXT, 0, CPU)


class Plain(nn.Module):
    """A stranger's network: logits alone, one matrix used twice."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.embedding, self.mix = nn.Embedding(VOCABULARY, 8), nn.Linear(8, 8)

    def forward(self, tokens_BT, _=None):
        return torch.tanh(self.mix(self.embedding(tokens_BT))).cumsum(1) @ self.embedding.weight.T


def by_definition(net, parts, table):
    """Return a step's loss as the recipe's `[loss]` defines it, in plain PyTorch."""
    summed = []
    for part in parts:
        logits_NV = net(part.inputs_BT, part.segments_BT).flatten(0, 1)
        targets_N = part.targets_BT.flatten()
        nats_N = F.cross_entropy(logits_NV, targets_N, reduction="none", label_smoothing=table.label_smoothing)
        nats_BT, real_BT = nats_N.view(part.targets_BT.shape), part.counted_BT
        if table.padding == "denominator":
            nats_BT = torch.where(real_BT, nats_BT, torch.zeros(()))
        if table.padding != "ignore":
            real_BT = torch.ones_like(real_BT)
        summed.append([nats_T[real_T] for nats_T, real_T in zip(nats_BT, real_BT, strict=True)])
    if table.mean == "token":
        loss = torch.cat([row for rows in summed for row in rows]).mean()
    elif table.mean == "sequence":
        loss = torch.stack([row.mean() for rows in summed for row in rows]).mean()
    else:
        loss = torch.stack([torch.cat(rows).mean() for rows in summed]).mean()
    squares = sum((p**2).sum() for p in net.parameters())
    return loss + 0.5 * table.weight_decay * squares


@pytest.mark.parametrize("mean", ["token", "sequence", "batch"])
@pytest.mark.parametrize("padding", ["ignore", "target", "denominator"])
@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize(("smoothing", "decay"), [(0.0, 0.0), (0.15, 0.0), (0.0, 0.02), (0.15, 0.02)])
@pytest.mark.parametrize("make", [gpt, Plain])
def test_a_steps_loss_and_gradients_are_those_of_the_definition(mean, padding, accumulate, smoothing, decay, make):
    table = {"mean": mean, "padding": padding, "label_smoothing": smoothing, "weight_decay": decay}
    plan = course(**{f"loss.{k}": v for k, v in table.items()}, **{"batches.accumulate": accumulate})
    net = make()
    for step in (0, 4):
        parts = batches.step_batches(plan.layout, step, accumulate)
        net.zero_grad()
        expected = by_definition(net, parts, plan.recipe.loss)
        expected.backward()
        gradients = [p.grad.clone() for p in net.parameters()]
        net.zero_grad()
        loss = trainer.backward(net, parts, plan.recipe, step)
        assert loss == pytest.approx(expected.item(), rel=1e-5)
        for ours, theirs in zip((p.grad for p in net.parameters()), gradients, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("padding", ["ignore", "target", "denominator"])
@pytest.mark.parametrize("loader", ["padded", "packed", "windows"])
def test_three_parts_are_one_batch_of_triple_size(padding, loader):
    loss = {"loss.padding": padding} if loader == "padded" else {}
    thrice = course(**{"batches.loader": loader, "batches.accumulate": 3}, **loss)
    once = course(**{"batches.loader": loader, "batches.size": 12}, **loss)
    net = gpt()
    for step in range(2):
        found = []
        for one in (thrice, once):
            net.zero_grad()
            parts = batches.step_batches(one.layout, step, one.recipe.batches.accumulate)
            found.append((trainer.backward(net, parts, one.recipe, step), [p.grad.clone() for p in net.parameters()]))
        assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
        torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("loader", "mask"), [("packed", "document"), ("windows", "none"), ("padded", None)])
@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_training_is_the_loop_that_one_would_write(loader, mask, clip):
    given = {"batches.loader": loader, "optimizer.clip": clip, "optimizer.warmup": 0.5, "optimizer.schedule": "cosine",
             "batches.accumulate": 2, "run.seed": 4} | ({"batches.mask": mask} if mask else {})  # fmt: skip
    plan = course(**given)
    ours, theirs = gpt(dropout=0.2), gpt(dropout=0.2)
    steps = list(trainer.train_steps(ours, trainer.make_optimizer(ours, plan.recipe.optimizer), plan, START))

    matrices = [p for p in theirs.parameters() if p.dim() >= 2]
    vectors = [p for p in theirs.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, betas=(0.9, 0.95), foreach=False)
    seen = sizes = 0
    for k in range(6):
        rate = 1e-2 * (k + 1) / 4 if k < 3 else 1e-2 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (k - 3) / 3)))
        for group in adam.param_groups:
            group["lr"] = rate
        parts = batches.step_batches(plan.layout, k, 2)
        count = sum(int(b.counted_BT.sum()) for b in parts)
        adam.zero_grad()
        total = 0.0
        for number, part in enumerate(parts):
            torch.manual_seed(seeding.key(4, "dropout", k, number))
            logits_NV = theirs.train()(part.inputs_BT, part.segments_BT)[part.counted_BT]
            loss = F.cross_entropy(logits_NV, part.targets_BT[part.counted_BT], reduction="sum") / count
            loss.backward()
            total += loss.item()
        norm = math.sqrt(sum(float((p.grad**2).sum()) for p in theirs.parameters()))
        if clip:
            nn.utils.clip_grad_norm_(theirs.parameters(), clip)
            assert norm > clip
        adam.step()
        seen += count
        sizes += sum(int(BYTES_V[b.targets_BT[b.counted_BT]].sum()) for b in parts)
        record = steps[k]
        assert (record.step, record.tokens, record.text_bytes) == (k + 1, seen, sizes)
        assert record.learning_rate == pytest.approx(rate, rel=1e-12)
        assert record.loss == pytest.approx(total, rel=1e-4)
        assert record.gradient_norm == pytest.approx(norm, rel=1e-3)
        assert record.epoch == pytest.approx((k + 1) * 8 / plan.layout.rows)
        assert record.seconds > (steps[k - 1].seconds if k else 0)
    assert len(steps) == 6
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        # keys' biases change nothing, so their gradient is rounding alone, which Adam makes as large as any other
        torch.testing.assert_close(p, q, rtol=1e-3, atol=1e-4)


def trained(plan, net, optimizer, last=START, count=None):
    out = []
    for step in trainer.train_steps(net, optimizer, plan, last):
        out.append(step)
        if len(out) == count:
            break
    return out


def timeless(steps):
    return [(s.step, s.epoch, s.learning_rate, s.loss, s.tokens, s.text_bytes, s.gradient_norm) for s in steps]


def test_the_same_seed_repeats_a_run_bit_for_bit_and_another_does_not():
    runs = []
    for seed in (0, 0, 1):
        plan, net = course(**{"run.seed": seed}), gpt(dropout=0.2)
        torch.manual_seed(len(runs))  # what came before changes nothing
        steps = trained(plan, net, trainer.make_optimizer(net, plan.recipe.optimizer))
        runs.append((timeless(steps), net.state_dict()))
    assert runs[0][0] == runs[1][0] != runs[2][0]
    assert all(torch.equal(runs[0][1][k], runs[1][1][k]) for k in runs[0][1])


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_going_on_from_any_step_is_as_if_nothing_had_been(stop):
    plan, whole, parted = course(), gpt(dropout=0.2), gpt(dropout=0.2)
    steps = trained(plan, whole, trainer.make_optimizer(whole, plan.recipe.optimizer))
    first = trainer.make_optimizer(parted, plan.recipe.optimizer)
    begun = trained(plan, parted, first, count=stop)
    second = trainer.make_optimizer(parted, plan.recipe.optimizer)
    second.load_state_dict(first.state_dict())
    torch.manual_seed(99)
    rest = trained(plan, parted.eval(), second, begun[-1])  # whoever read it in evaluation mode
    assert timeless([*begun, *rest]) == timeless(steps)
    for p, q in zip(whole.parameters(), parted.parameters(), strict=True):
        assert torch.equal(p, q)
    assert trained(plan, parted, second, rest[-1]) == []


def test_dropout_differs_by_step_and_part():
    plan, net = course(**{"batches.accumulate": 2}), gpt(dropout=0.5).train()
    part = batches.step_batches(plan.layout, 0, 2)[:1]
    one, same, step = (trainer.backward(net, part, plan.recipe, k) for k in (0, 0, 1))
    assert one == same != step
    twice = trainer.backward(net, part * 2, plan.recipe, 0)
    assert twice != pytest.approx(one, rel=1e-6)  # the second part has other masks


@pytest.mark.parametrize(("steps", "warm"), [(2000, 100), (40, 2), (30, 3), (7, 1), (10, 0), (12, 6)])
def test_the_schedule_is_nanogpts(steps, warm):
    lr, least = 1e-3, 1e-4
    table = OptimizerConfig(lr=lr, lr_floor=0.1, warmup=warm / steps)

    def get_lr(it):
        if it < warm:
            return lr * (it + 1) / (warm + 1)
        ratio = (it - warm) / (steps - warm)
        return least + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (lr - least)

    for it in range(steps):
        assert learning_rate(table, lr, it / steps, 1 / steps) == pytest.approx(get_lr(it), rel=1e-9)


def test_the_schedule_by_hand():
    table = OptimizerConfig(lr=1.0, lr_floor=0.2, warmup=0.2)
    by_hand = [1 / 3, 2 / 3, 1.0, 0.2 + 0.4 * (1 + math.cos(math.pi / 8)), 0.2 + 0.4 * (1 + math.cos(math.pi / 4))]
    assert [learning_rate(table, 1.0, k / 10, 0.1) for k in range(5)] == pytest.approx(by_hand)
    assert learning_rate(table, 1.0, 0.6, 0.1) == pytest.approx(0.6)
    assert learning_rate(table, 3.0, 0.6, 0.1) == pytest.approx(1.8)  # of the peak
    assert learning_rate(table, 1.0, 1.0, 0.1) == learning_rate(table, 1.0, 1.5, 0.1) == pytest.approx(0.2)
    constant = OptimizerConfig(schedule="constant", warmup=0.2)
    assert [learning_rate(constant, 1.0, k / 10, 0.1) for k in range(10)] == pytest.approx([1 / 3, 2 / 3] + [1.0] * 8)


def test_the_peak_scales_with_the_tokens_of_a_step():
    peaks = {
        rule: OptimizerConfig(lr=6e-4, lr_rule=rule, lr_reference_tokens=1000) for rule in ("fixed", "linear", "sqrt")
    }
    assert {rule: trainer.peak_learning_rate(t, 250) for rule, t in peaks.items()} == pytest.approx(
        {"fixed": 6e-4, "linear": 1.5e-4, "sqrt": 3e-4}
    )
    assert all(trainer.peak_learning_rate(t, 1000) == pytest.approx(6e-4) for t in peaks.values())


def test_a_budget_in_seconds_ends_by_the_clock(monkeypatch):
    clock = iter(k * 0.25 for k in range(1000))
    monkeypatch.setattr(trainer.time, "perf_counter", lambda: next(clock))
    more = {"optimizer.schedule": "cosine", "optimizer.lr_floor": 0.1}
    plan, net = course(**{"budget.seconds": 1.0}, **more), gpt()
    steps = trained(plan, net, trainer.make_optimizer(net, plan.recipe.optimizer))
    assert [s.seconds for s in steps] == [0.25, 0.5, 0.75, 1.0]
    rates = [0.1 + 0.45 * (1 + math.cos(math.pi * t)) for t in (0, 0.25, 0.5, 0.75)]
    assert [s.learning_rate for s in steps] == pytest.approx([1e-2 * rate for rate in rates])


def test_what_is_not_trained_is_left_alone():
    plan, net = course(), gpt()
    net.position.weight.requires_grad_(False)
    before = net.position.weight.clone()
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    trained(plan, net, optimizer)
    assert torch.equal(net.position.weight, before)
    decays = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    assert len(decays) == sum(p.requires_grad for p in net.parameters())  # a tied matrix once
    assert all(decays[id(p)] == (0.1 if p.dim() >= 2 else 0.0) for p in net.parameters() if p.requires_grad)


class Breaking(Plain):
    """A network that breaks at its third step: in its loss, or in its gradient alone."""

    def __init__(self, how):
        super().__init__()
        self.how, self.calls = how, 0

    def forward(self, tokens_BT, _=None):
        logits_BTV = super().forward(tokens_BT)
        self.calls += 1
        if self.calls < 3:
            return logits_BTV
        if self.how == "gradient":
            return logits_BTV + (self.mix.bias.sum() * 0).sqrt()  # 0, with an infinite slope: 0 x inf
        return logits_BTV * (math.nan if self.how == "nan" else math.inf)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("nan", "the loss is nan at step 3"),
        ("inf", "the loss is nan at step 3"),
        ("gradient", "the gradient's norm is nan at step 3"),
    ],
)
def test_a_loss_that_is_no_number_stops_the_run_at_that_step(how, words):
    plan, net = course(), Breaking(how)
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    seen, weights, state = [], [], []
    steps = trainer.train_steps(net, optimizer, plan, START)
    for step in (next(steps), next(steps)):
        seen.append(step.step)
        weights = [p.detach().clone() for p in net.parameters()]
        state = [v["exp_avg"].clone() for v in optimizer.state.values()]
    with pytest.raises(DiagnoseError) as caught:
        next(steps)
    assert seen == [1, 2]
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), weights, strict=True))
    assert all(torch.equal(v["exp_avg"], q) for v, q in zip(optimizer.state.values(), state, strict=True))
    said = str(caught.value)
    assert said.startswith(f"{words} (learning rate 0.01): training has diverged; ")
    assert "lower optimizer.lr" in said
    assert (caught.value.exit_code, caught.value.diverged) == (FINDING, True)


@pytest.fixture
def together(monkeypatch):
    """Have losses fetched four steps at a time, as on a CUDA device."""
    monkeypatch.setattr(trainer, "_fetched_together", lambda *_: 4)


@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_losses_that_are_fetched_together_are_those_of_single_steps(clip, monkeypatch):
    found = []
    for most in (1, 4):
        monkeypatch.setattr(trainer, "_fetched_together", lambda *_, most=most: most)
        plan, net = course(11, **{"optimizer.clip": clip, "batches.accumulate": 2}), gpt(dropout=0.2)
        optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
        blocks = list(trainer.train_blocks(net, optimizer, plan, START, lambda step: step == 6))
        states = [v for state in optimizer.state.values() for v in state.values()]
        found.append(([s for block in blocks for s in block], [*net.state_dict().values(), *states]))
    assert [len(block) for block in blocks] == [4, 2, 4, 1]  # until the step that is due, and until the end
    assert timeless(found[0][0]) == timeless(found[1][0])
    assert all(torch.equal(a, b) for a, b in zip(found[0][1], found[1][1], strict=True))
    seconds = [s.seconds for s in found[1][0]]
    assert seconds == sorted(seconds)
    assert seconds[3] / 4 == pytest.approx(seconds[0])  # a block's steps share its time


@pytest.mark.parametrize(("how", "words"), [("nan", "the loss is nan"), ("gradient", "the gradient's norm is nan")])
def test_a_step_that_is_not_finite_and_those_behind_it_update_nothing(how, words, together):
    plan, net = course(), Breaking(how)
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    blocks = trainer.train_blocks(net, optimizer, plan, START)
    assert [s.step for s in next(blocks)] == [1, 2]
    with pytest.raises(DiagnoseError, match=rf"{words} at step 3 \(learning rate 0.01\)"):
        next(blocks)
    assert net.calls == 4  # the fourth step was taken before anybody looked
    plan, twin = course(2), Plain()
    state = trainer.make_optimizer(twin, plan.recipe.optimizer)
    trained(plan, twin, state)
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), twin.parameters(), strict=True))
    for ours, theirs in zip(optimizer.state.values(), state.state.values(), strict=True):
        assert all(torch.equal(ours[key], theirs[key]) for key in ("step", "exp_avg", "exp_avg_sq"))


@pytest.mark.parametrize("message", ["cumsum_cuda_kernel does not have a deterministic implementation, but", "other"])
def test_an_operation_without_a_deterministic_kernel_is_one_line_that_says_what_to_do(message, monkeypatch):
    def fail(*_):
        raise RuntimeError(message)

    plan, net = course(), Plain()
    monkeypatch.setattr(net, "forward", fail)
    steps = trainer.train_steps(net, trainer.make_optimizer(net, plan.recipe.optimizer), plan, START)
    kind, words = (
        (RuntimeError, "other") if message == "other" else (DiagnoseError, r"cumsum_.*run\.deterministic=false")
    )
    with pytest.raises(kind, match=words):
        next(steps)


def test_a_block_ends_when_patience_does(together, monkeypatch):
    monkeypatch.setattr(trainer, "PATIENCE", 0.0)
    plan, net = course(3), gpt()
    optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
    assert [len(block) for block in trainer.train_blocks(net, optimizer, plan, START)] == [1, 1, 1]


LOSSES = [4.0, 3.0, 5.0, 2.0, 1.0, 6.0, 2.5]


@pytest.mark.parametrize(
    ("kind", "by_hand"),
    [
        ("last", [4.0, 3.0, 5.0, 2.0, 1.0, 6.0, 2.5]),
        ("interval", [4.0, 3.5, 4.0, 2.0, 1.5, 3.0, 2.5]),  # prints at 3, 6 and at the end
        ("epoch", [4.0, 3.5, 4.0, 2.0, 1.5, 6.0, 4.25]),  # 2.5 steps: epochs begin with steps 0, 3 (2.5 is within 2), 5
    ],
)
def test_a_reported_training_loss_by_hand(kind, by_hand):
    found = [reported_training_loss(LOSSES[: n + 1], kind, 3, 2.5) for n in range(7)]
    assert found == pytest.approx(by_hand)


def test_a_decaying_average_is_corrected_for_its_start():
    assert reported_training_loss([4.0], "ema", 3, 2.5) == pytest.approx(4.0)
    assert reported_training_loss([3.0] * 50, "ema", 3, 2.5) == pytest.approx(3.0)
    weights = np.array([EMA ** (6 - k) for k in range(7)])
    assert reported_training_loss(LOSSES, "ema", 3, 2.5) == pytest.approx((weights * LOSSES).sum() / weights.sum())


@pytest.mark.parametrize(("rows", "size"), [(7, 3), (10, 3), (75, 16), (11, 11), (64, 5), (49, 48)])
def test_the_mean_of_an_epoch_begins_with_the_epochs_first_step(rows, size):
    rng = np.random.default_rng(0)
    losses = rng.random(300).tolist()
    for n in range(1, 300):
        epoch = [k * size // rows for k in range(n)]  # of each step's first row, in whole numbers
        expected = np.mean([loss for loss, e in zip(losses[:n], epoch, strict=True) if e == epoch[-1]])
        assert reported_training_loss(losses[:n], "epoch", 10, rows / size) == pytest.approx(expected)

"""Seeds trained as one stacked network, against each trained by itself."""

import math
from functools import partial

import pytest
import torch
from pretend_cuda import CUDA
from test_trainer import CONTEXT, CPU, VOCABULARY, Plain, course
from test_without_a_card import card as _card
from test_without_a_card import on

from diagnose.errors import DiagnoseError
from diagnose.training import network, stack, trainer
from diagnose.training.trainer import START

pytestmark = pytest.mark.trains

SETTINGS = {"layers": 2, "width": 16, "heads": 2, "dropout": 0.0, "bias": False}  # keys' biases have no gradient
GIVEN = {
    "padded": {},
    "packed": {"batches.loader": "packed", "batches.mask": "document"},
    "all": {"optimizer.clip": 0.1, "loss.label_smoothing": 0.1, "loss.weight_decay": 0.02, "batches.accumulate": 3},
    "rows": {"loss.mean": "sequence", "loss.padding": "denominator", "optimizer.warmup": 0.5},
}


card = _card  # a fixture


def gpts(count, where=CPU, **more):
    return [network.build("gpt", SETTINGS | more, VOCABULARY, CONTEXT, seed, where) for seed in range(count)]


class Runs:
    """Runs that differ in their seed, and what each step of them came to."""

    def __init__(self, networks, plans):
        self.networks, self.plans, self.steps = networks, plans, {}

    def train(self, place, mates=None):
        net, plan, steps = self.networks[place], self.plans[place], self.steps.setdefault(place, [])
        optimizer = trainer.make_optimizer(net, plan.recipe.optimizer)
        for some in trainer.train_blocks(net, optimizer, plan, START, mates=mates):
            steps += some

    def singly(self):
        for place in range(len(self.networks)):
            self.train(place)
        return self

    def together(self, places=None):
        works = {place: partial(self.train, place) for place in places or range(len(self.networks))}
        stack.SeedStack(range(len(self.networks))).carry_out(works)
        return self

    def losses(self, place):
        return [(step.loss, step.gradient_norm) for step in self.steps[place]]

    def weights(self, place):
        return torch.cat([p.detach().flatten() for p in self.networks[place].parameters()])


def runs(count=3, steps=8, networks=None, **given):
    return Runs(networks or gpts(count), [course(steps, **{"run.seed": seed}, **given) for seed in range(count)])


def assert_near(one, other, rel=1e-4):
    for place in one.steps:
        for a, b in zip(one.losses(place), other.losses(place), strict=True):
            assert b == pytest.approx(a, rel=rel)
        apart = (one.weights(place) - other.weights(place)).norm() / one.weights(place).norm()
        assert float(apart) < rel


def test_seeds_see_their_own_batches_and_have_their_own_weights():
    found = runs().together()
    assert len({step[0].loss for step in found.steps.values()}) == 3
    assert len({float(found.weights(place).sum()) for place in range(3)}) == 3


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("given", GIVEN)
def test_a_stack_trains_as_each_network_does_by_itself(given, tied):
    one, other = (runs(networks=gpts(3, tied=tied), **GIVEN[given]) for _ in range(2))
    assert_near(one.singly(), other.together())


def test_a_network_that_offers_its_logits_alone_is_stacked_too():
    assert_near(
        runs(networks=[Plain() for _ in range(3)]).singly(), runs(networks=[Plain() for _ in range(3)]).together()
    )


def test_bf16_is_near():
    given = {"run.precision": "bf16"}
    one, other = runs(**given).singly(), runs(**given).together()
    for place in range(3):
        assert [s.loss for s in other.steps[place]] == pytest.approx([s.loss for s in one.steps[place]], rel=0.01)


def test_a_stack_repeats_bit_for_bit():
    one, other = runs().together(), runs().together()
    for place in range(3):
        assert one.losses(place) == other.losses(place)
        assert torch.equal(one.weights(place), other.weights(place))


def test_runs_of_other_lengths_leave_the_others_as_they_would_have_been():
    whole = runs().together()
    ended = Runs(gpts(3), [course(steps, **{"run.seed": seed}) for seed, steps in enumerate((8, 3, 8))]).together()
    absent = runs().together(places=[0, 2])
    assert len(ended.steps[1]) == 3
    for place in (0, 2):
        assert whole.losses(place) == ended.losses(place) == absent.losses(place)
        assert torch.equal(whole.weights(place), ended.weights(place))
        assert torch.equal(whole.weights(place), absent.weights(place))


def test_one_that_diverges_does_not_touch_the_others():
    whole, broken = runs().together(), runs()
    with torch.no_grad():
        broken.networks[1].blocks[0].widen.weight[0, 0] = math.inf
    with pytest.raises(DiagnoseError, match="diverged") as caught:
        broken.together()
    assert caught.value.diverged
    assert broken.steps[1] == []
    for place in (0, 2):
        assert whole.losses(place) == broken.losses(place)
        assert torch.equal(whole.weights(place), broken.weights(place))


def test_what_a_step_raises_reaches_every_run():
    found = runs()
    found.networks[2].norm.weight.data = found.networks[2].norm.weight.data[:-1]
    with pytest.raises(RuntimeError):
        found.together()
    assert found.steps == {0: [], 1: [], 2: []}


def test_an_error_of_one_run_asks_the_others_to_stop():
    found, asked = runs(), []

    def fails(_):
        raise ZeroDivisionError

    def goes_on(member):
        found.train(0, member)
        asked.append(member.stops())

    with pytest.raises(ZeroDivisionError):
        stack.SeedStack((0, 1)).carry_out({0: goes_on, 1: fails})
    assert asked == [True]
    assert len(found.steps[0]) == 8


def test_clocks_count_steps_and_not_what_others_do_between_them(monkeypatch):
    now, found = [0.0], runs(steps=4)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    plain = trainer.make_optimizer

    def slow(net, table):
        optimizer = plain(net, table)
        step = optimizer.step
        optimizer.step = lambda: (now.__setitem__(0, now[0] + 1), step())[1]
        return optimizer

    records = trainer._records
    monkeypatch.setattr(trainer, "make_optimizer", slow)
    monkeypatch.setattr(trainer, "_records", lambda *a: (records(*a), now.__setitem__(0, now[0] + 100))[0])
    found.together()
    assert [[s.seconds for s in steps] for steps in found.steps.values()] == [[3.0, 6.0, 9.0, 12.0]] * 3


def asked_of(device, count, steps, mask, *, together):
    """Return operations and waits of a whole training on the pretended card."""
    given = {"batches.loader": "packed", "batches.mask": mask}
    plans = [on(CUDA, steps, **{"run.seed": seed}, **given) for seed in range(count)]
    found = Runs(gpts(count, CUDA, layers=4, width=32), plans)
    device.reset()
    found.together() if together else found.singly()
    return sum(device.ops.values()), sum(device.waits.values())


@pytest.mark.parametrize(("mask", "count", "most"), [("none", 4, 380), ("none", 8, 555), ("document", 4, 395)])
def test_on_a_card_a_stack_asks_for_fewer_operations_and_no_wait_more(mask, count, most, card):
    one, four = (asked_of(card, count, steps, mask, together=True) for steps in (1, 4))
    singly = [asked_of(card, count, steps, mask, together=False) for steps in (1, 4)]
    assert one[1] == four[1] == singly[1][1]  # where losses are fetched
    each, alone = ((b[0] - a[0]) / 3 for a, b in ((one, four), singly))
    assert each < most < 0.6 * alone

"""The seeds of each arm as one stacked network: the same results within rounding, whatever happens to the process."""

import math
import os
import signal
import time

import pytest
import torch
from engine_fixture import SLOW, assert_all_same, by_arm, given_to, started, steps_of, until
from run_fixture import assert_same, quickly, tensors

from diagnose import loss_gap
from diagnose.ablation import ablate
from diagnose.engines import memory
from diagnose.engines.selection import Place
from diagnose.errors import INTERRUPTED, DiagnoseError
from diagnose.report import parts
from diagnose.runs import run_tables, runner, store
from diagnose.training import stack, trainer
from diagnose.training.preparation import Setup

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def slow_one(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "slow.py"
    path.write_text(SLOW.replace("dropout=0.1", "dropout=0.0"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def stacked(tiny, slow_one, tmp_path_factory):
    """Return the runs of an ablation whose arms were stacked, which nothing disturbed."""
    folder = tmp_path_factory.mktemp("stacked")
    process = started(given_to(tiny, slow_one), folder, "--stack")
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert "finished (4 of 4)" in err
    return folder / "runs"


@pytest.fixture
def slow(slow_one):
    """Make steps slow enough to be disturbed in time."""
    (slow_one.parent / "slow").touch()
    yield
    (slow_one.parent / "slow").unlink(missing_ok=True)


def ablation(tiny, runs, axis="model.activation=gelu,relu", seeds=3, **more):
    lines = []
    place = Place(stack=True, tell=lines.append)
    given = {key: value for key, value in (tiny | more).items() if not axis.startswith(key)}
    with quickly():
        folder = ablate.ablate(axis, seeds=seeds, overrides=given, runs=runs, place=place)
    return folder, lines


def by_name(runs):
    """Return runs by their digest."""
    return {store.environment(path).digest: path for path in store.entries(runs)}


def test_an_arms_seeds_come_to_the_same_stacked_and_one_by_one(tiny, tmp_path):
    given = tiny | {"model.dropout": 0.0, "model.bias": False, "batches.accumulate": 2, "batches.size": 4,
                    "loss.label_smoothing": 0.05, "optimizer.clip": 0.5}  # fmt: skip
    ablation(given, tmp_path / "stacked")
    with quickly():
        ablate.ablate("model.activation=gelu,relu", seeds=3, overrides=given, runs=tmp_path / "singly")
    one, other = by_name(tmp_path / "singly"), by_name(tmp_path / "stacked")
    assert one.keys() == other.keys()
    assert len(one) == 6
    for digest, path in one.items():
        there = other[digest]
        assert store.environment(path).stack == ()
        assert store.environment(there).stack == (0, 1, 2)
        assert (path / "recipe.toml").read_bytes() == (there / "recipe.toml").read_bytes()
        for name, columns in (("steps", ["loss", "gradient_norm"]), ("readings", ["loss"]), ("validation", ["nats"])):
            a, b = (run_tables.read_table(run, name)[columns].to_numpy().ravel() for run in (path, there))
            assert b == pytest.approx(a, rel=1e-4, nan_ok=True)
        steps = [
            run_tables.read_table(run, "steps").drop(columns=["loss", "gradient_norm", "seconds"])
            for run in (path, there)
        ]
        assert steps[0].equals(steps[1])
        a, b = tensors(path), tensors(there)
        weights = [torch.cat([v.flatten() for k, v in found.items() if k.startswith("model")]) for found in (a, b)]
        assert float((weights[0] - weights[1]).norm() / weights[0].norm()) < 1e-4


def test_a_stack_that_is_killed_goes_on_to_the_same_bits(tiny, slow_one, stacked, slow, tmp_path):
    process = started(given_to(tiny, slow_one), tmp_path, "--stack")
    until(lambda: any(steps_of(path) > 5 for path in store.entries(tmp_path / "runs")))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    (slow_one.parent / "slow").unlink()
    process = started(given_to(tiny, slow_one), tmp_path, "--stack", "--resume")
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert_all_same(tmp_path / "runs", stacked)
    assert {store.environment(path).stack for path in by_arm(tmp_path / "runs").values()} == {(0, 1)}


def test_the_rest_of_a_stack_goes_on_to_the_same_bits(tiny, slow_one, stacked, slow, tmp_path):
    process = started(given_to(tiny, slow_one), tmp_path, "--stack")
    until(lambda: any(steps_of(path) > 5 for path in store.entries(tmp_path / "runs")))
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == INTERRUPTED, err
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1].startswith("diagnose: stopped; ")
    assert {store.state(path) for path in store.entries(tmp_path / "runs")} == {"interrupted"}
    (slow_one.parent / "slow").unlink()
    process = started(given_to(tiny, slow_one) | {"run.seed": 1}, tmp_path, "--resume")
    _, err = process.communicate()
    assert process.returncode != 0
    assert "was begun in a stack of seeds 0 and 1: go on with `diagnose ablate --stack --resume`" in err
    process = started(given_to(tiny, slow_one) | {"run.seed": 1}, tmp_path, "--stack", "--resume")
    _, err = process.communicate()
    assert process.returncode == 0, err
    whole = {store.environment(path).digest: path for path in store.entries(stacked)}
    ended = [path for path in store.entries(tmp_path / "runs") if store.state(path) == "finished"]
    for path in ended:
        one = store.environment(path)
        if one.digest in whole:
            assert_same(path, whole[one.digest])
    assert sorted(store.environment(path).stack for path in ended) == [(), (0, 1), (1, 2), (1, 2)]


def test_one_seed_that_diverges_is_reported_and_the_others_are_whole(tiny, tmp_path, monkeypatch):
    given = tiny | {"model.dropout": 0.0}
    ablation(given, tmp_path / "whole")
    build, make = Setup.network, trainer.make_optimizer

    def known(setup, where=None):
        net = build(setup, where)
        net.of_seed_1 = setup.recipe.run.seed == 1
        return net

    def breaking(net, table):
        optimizer, taken = make(net, table), []
        if net.of_seed_1:
            step = optimizer.step
            optimizer.step = lambda: (step(), taken.append(1), len(taken) == 4 and net.norm.weight.data.fill_(math.nan))
        return optimizer

    monkeypatch.setattr(Setup, "network", known)
    monkeypatch.setattr(trainer, "make_optimizer", breaking)
    folder, lines = ablation(given, tmp_path / "broken")
    assert lines == []
    failed = store.read_json(folder / "summary.json")["failed"]
    assert [(one["level"], one["seed"]) for one in failed] == [("gelu", 1), ("relu", 1)]
    assert all("at step 5" in one["why"] and "diverged" in one["why"] for one in failed)
    whole = by_name(tmp_path / "whole")
    others = [path for path in store.entries(tmp_path / "broken") if store.state(path) == "finished"]
    assert len(others) == 4
    for path in others:
        assert_same(path, whole[store.environment(path).digest])


@pytest.mark.parametrize(("doing", "finished"), [("training", 0), ("reading the", 1)])
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_is_heard_once_and_no_other_arm_is_begun(tiny, tmp_path, doing, finished, times):
    heard = []

    def watch(progress):
        if progress.step >= 6 and progress.doing.startswith(doing) and not heard:
            heard.extend(os.kill(os.getpid(), signal.SIGINT) for _ in range(times))
            time.sleep(0.5)  # until the main thread has heard it

    given = tiny | {"model.dropout": 0.0, "model.layers": 1}
    with quickly(), pytest.raises(DiagnoseError, match=r"^stopped") as caught:
        ablate.ablate(
            "model.activation=gelu,relu", seeds=2, overrides=given, runs=tmp_path, place=Place(stack=True), watch=watch
        )
    assert caught.value.exit_code == INTERRUPTED
    states = sorted(store.state(path) for path in store.entries(tmp_path))
    assert states in (["interrupted"] * 2, ["finished", "interrupted"], ["finished"] * 2)
    assert ("finished" in states) == bool(finished)


def test_a_run_of_a_stack_is_not_verified_by_itself(tiny, tmp_path):
    ablation(tiny, tmp_path, **{"model.dropout": 0.0, "model.layers": 1})
    found = loss_gap(store.entries(tmp_path)[0], budget="2000 tokens", verify=True)
    assert found["verified"] is None
    assert "--verify: trained in a stack" in str(found["notes"])
    shown = str(parts.environment(store.environment(store.entries(tmp_path)[0])))
    assert "('seeds trained in one stack', '0, 1, 2')" in shown


def test_an_arm_that_cannot_be_stacked_is_trained_seed_by_seed_and_a_line_says_why(tiny, tmp_path):
    _, lines = ablation(tiny, tmp_path, "model.dropout=0.0,0.1", 2, **{"model.layers": 1})
    stacks = {
        store.recipe_of(p).model.settings()["dropout"]: store.environment(p).stack for p in store.entries(tmp_path)
    }
    assert stacks == {0.0: (0, 1), 0.1: ()}
    assert lines == [
        "seeds trained one by one, not stacked, of 0.1: it has dropout, whose masks each network draws by itself "
        "(--set model.dropout=0 does without)"
    ]


COUNTS = """
import torch
from diagnose.models.gpt import build as gpt


class Odd(torch.nn.Module):
    def __init__(self, inner, kind):
        super().__init__()
        self.inner, self.kind = inner, kind
        self.register_buffer("seen", torch.zeros(()))
        self.own = torch.rand(())  # of each network, and no buffer

    def forward(self, tokens_BT, segments_BT=None):
        logits = self.inner(tokens_BT, segments_BT)
        if self.kind == "counts" and self.training:
            self.seen += 1
        if self.kind == "asks" and float(logits.sum()) > 1e9:
            return logits * 2
        if self.kind == "draws" and self.training:
            return logits + 0.01 * torch.randn_like(logits)
        return logits * (1 + self.own) if self.kind == "hides" else logits


def build(vocab_size, context, *, kind="counts"):
    return Odd(gpt(vocab_size, context, layers=1, heads=2, width=16, dropout=0.0), kind)
"""
WHY = {
    "counts": "it counts or averages in buffers while it trains",
    "asks": "its steps cannot be stacked: RuntimeError: vmap: It looks like you're calling .item()",
    "draws": "its steps cannot be stacked: RuntimeError: vmap: called random operation while in randomness error mode",
    "hides": "its first step comes out otherwise in a stack (off by a share of",
    "rnn": "torch does not stack its recurrent layers",
    "seconds": "its budget is in seconds, which networks of a stack would share",
    "compiled": "its steps are compiled (--set run.compile=off)",
}


def reason(tiny, tmp_path, case):
    given = tiny | {"model.dropout": 0.0, "model.layers": 1}
    if case in ("counts", "asks", "draws", "hides"):
        (tmp_path / "odd.py").write_text(COUNTS, encoding="utf-8")
        given = {key: value for key, value in given.items() if not key.startswith("model.")}
        given |= {"model.name": f"{tmp_path / 'odd.py'}:build", "model.kind": case}
    more = {"rnn": {"model.name": "lstm"}, "compiled": {"run.compile": "on"}, "seconds": {"budget.seconds": 2}}
    given = {key: value for key, value in given.items() if case != "rnn" or key != "model.heads"} | more.get(case, {})
    given = {key: value for key, value in given.items() if case != "seconds" or key != "budget.steps"}
    return stack.why_not([runner.planned("quick", given | {"run.seed": seed}) for seed in range(2)])


@pytest.mark.parametrize("case", WHY)
def test_what_cannot_be_stacked_is_told(case, tiny, tmp_path):
    before = torch.get_rng_state()
    found = reason(tiny, tmp_path, case)
    assert found.startswith(WHY[case])
    assert "\n" not in found
    assert torch.equal(before, torch.get_rng_state())


def test_a_stack_that_memory_does_not_hold_is_not_begun(tiny, tmp_path, monkeypatch):
    setup = runner.planned("quick", tiny | {"model.dropout": 0.0})
    logits = 2 * 8 * 32 * setup.text.vocabulary
    monkeypatch.setattr(memory, "available", lambda: 2 * memory.needed(setup) + 20 * logits)
    assert memory.too_large(setup, 2) == ""
    assert memory.too_large(setup, 3).startswith("3 at once take about 0.0 GB and 0.0 GB are free")
    monkeypatch.setattr(memory, "available", lambda: 0)
    with pytest.raises(DiagnoseError, match="--stack: nothing can be stacked; gelu: 3 at once take about"):
        ablation(tiny, tmp_path, **{"model.dropout": 0.0})
    assert store.entries(tmp_path) == []


def test_what_can_be_stacked_is_not_refused(tiny, tmp_path):
    assert reason(tiny, tmp_path, "gpt") == ""


BAD = {
    "one seed": (("--seeds", "1", "--stack"), "--stack makes one network of an arm's seeds: --seeds 1 leaves nothing"),
    "jobs": (
        ("--stack", "--jobs", "2"),
        "--stack trains in one process of this machine: leave --jobs and --engine out",
    ),
    "engine": (("--stack", "--engine", "ray"), "--stack trains in one process of this machine"),
    "a value": (("--stack", "0"), "got unexpected extra argument(s) (0)"),
    "dropout": (("--stack", "--set", "model.dropout=0.1"), "--stack: nothing can be stacked; relu: it has dropout"),
    "a command": (("--stack", "--run", "true {seed} {lr}"), "--stack is of diagnose's own trainer"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_has_one_line(case, tiny, diagnose):
    more, line = BAD[case]
    sets = [f"--set={key}={value}" for key, value in tiny.items() if key != "model.dropout" and case != "a command"]
    code, out, err = diagnose("ablate", "--axis", "lr=1,2" if case == "a command" else "activation", *sets, *more)
    assert code == 2
    assert out == ""
    assert line in err
    assert len([each for each in err.splitlines() if each.startswith("diagnose: ")]) == 1
    assert "Traceback" not in err


def test_a_plan_says_that_seeds_are_stacked(tiny, diagnose):
    sets = [f"--set={key}={value}" for key, value in tiny.items()]
    _, out, _ = diagnose("ablate", "--axis", "activation", "--seeds", "2", "--stack", "--dry-run", *sets)
    assert "an arm's seeds stacked" in " ".join(out.split())

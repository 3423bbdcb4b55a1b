"""The axis `model`: equal parameters, and learning rates that are found without the text that is scored."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from diagnose.ablation import ablate, axes, lr_tuning
from diagnose.ablation.changed import changed
from diagnose.ablation.design import design
from diagnose.ablation.equal_size import matched
from diagnose.ablation.plan import describe
from diagnose.config.recipe import Recipe
from diagnose.errors import FINDING, DiagnoseError
from diagnose.runs import store
from diagnose.training import network
from diagnose.training.preparation import set_up

OWN = """
from torch import nn

class Net(nn.Module):
    def __init__(self, vocab_size, size):
        super().__init__()
        self.embedding, self.head = nn.Embedding(vocab_size, size), nn.Linear(size, vocab_size)

    def forward(self, tokens_BT, segments_BT=None):
        return self.head(self.embedding(tokens_BT))

def build(vocab_size: int, context: int, *, size: int = 48) -> nn.Module:
    return Net(vocab_size, size)
"""


@pytest.fixture
def shallow(tiny):
    return tiny | {"model.layers": 1, "budget.steps": 4}


def planned(given, axis="model", **more):
    return design([axes.find(axis)], "quick", given, 1, None, **more)


def refusal(given, axis="model", **more):
    with pytest.raises(DiagnoseError) as caught:
        describe(planned(given, axis, **more))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {},
        pytest.param({"model.layers": 3, "model.width": 64}, marks=pytest.mark.slow),
        pytest.param({"model.tied": False, "model.width": 96, "batches.context": 128}, marks=pytest.mark.slow),
        {"tokenizer.kind": "word", "model.bias": False},
    ],
)
def test_the_lstm_gets_the_transformers_parameters_whichever_is_the_control(given, tiny):
    for levels in ("gpt,lstm", "lstm,gpt"):
        plan = design([axes.find("model", levels)], "quick", tiny | given, 1, None, untuned=True)
        sizes = {arm.level: arm.first.derived.parameters for arm in plan.arms}
        assert abs(sizes["lstm"] - sizes["gpt"]) <= 0.02 * sizes["gpt"]
        widths = {arm.level: arm.width for arm in plan.arms}
        assert widths["gpt"] is None
        row = next(row for row in changed(plan) if row.what.startswith("width"))
        assert row.per_arm == {"gpt": (tiny | given)["model.width"], "lstm": widths["lstm"]}


def test_parameters_are_counted_as_they_are_built(tiny):
    recipe = Recipe.load("quick", tiny)
    (width,) = matched({"gpt": recipe, "lstm": recipe.with_values({"model.name": "lstm"})}).values()
    built = set_up(recipe.with_values({"model.name": "lstm", "model.width": width})).network()
    assert abs(network.parameters(built) / set_up(recipe).derived.parameters - 1) <= 0.02


def test_a_network_without_a_width_keeps_its_size_and_the_other_is_solved(shallow, tmp_path):
    shallow = {key: value for key, value in shallow.items() if key not in ("model.heads", "model.width")}
    (tmp_path / "own.py").write_text(OWN)
    plan = planned(shallow, f"model.name=lstm,{tmp_path / 'own.py'}:build", untuned=True)
    assert [arm.width is None for arm in plan.arms] == [False, True]
    sizes = [arm.first.derived.parameters for arm in plan.arms]
    assert abs(sizes[0] / sizes[1] - 1) <= 0.02
    (tmp_path / "other.py").write_text(OWN)


def test_what_no_width_can_match_is_told(shallow):
    assert "no width of the network 'lstm' comes within 2 %" in refusal(shallow | {"model.width": 2}).replace(
        "2%", "2 %"
    )


REFUSED = {
    "seconds": ({"budget.steps": None, "budget.seconds": 5.0}, "give another budget, or compare the networks at one"),
    "a slice too small": ({"batches.size": 140, "batches.context": 64}, "cannot be tuned on a slice"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_untuned_comparison_is_refused_unless_it_is_asked_for(name, shallow):
    given, said = REFUSED[name]
    given = {key: value for key, value in (shallow | given).items() if value is not None}
    message = refusal(given)
    assert said in message
    assert "--untuned" in message
    assert planned(given, untuned=True).tunes is False


def test_untuned_is_about_networks_alone(shallow):
    assert "no axis compares networks" in refusal(shallow, "activation", untuned=True)


def test_a_learning_rate_that_is_tuned_is_no_axis(shallow):
    both = [axes.find("model"), axes.find("optimizer.lr=1e-3,1e-2")]
    with pytest.raises(DiagnoseError, match=r"optimizer\.lr: tuned for each network"):
        design(both, "quick", shallow, 1, None)
    assert len(design(both, "quick", shallow, 1, None, untuned=True).arms) == 4


SPLITS = [
    {},
    {"data.split": "tail"},
    {"data.duplicates": 0.5},
    {"data.split": "windows", "batches.loader": "windows"},
    {"data.split": "tail", "data.scored": "reserve"},
]


@pytest.mark.parametrize("given", SPLITS)
def test_trials_see_training_documents_alone(given, tiny):
    setup = set_up(Recipe.load("quick", tiny | given))
    part = lr_tuning.trial(setup).text.split
    assert not set(part.train) & set(part.scored)
    assert {*part.train, *part.scored} <= set(setup.text.split.train) - set(setup.text.split.scored)


def test_a_trial_is_a_fifth_of_a_long_run_on_a_fifth_of_its_text(tiny):
    long = set_up(Recipe.load("quick", tiny | {"budget.steps": 400, "batches.size": 4}))
    base, own = lr_tuning.trial(long), len(long.text.split.train)
    assert base.course.steps == 80
    assert len(base.text.split.train) + len(base.text.split.scored) == round(0.2 * own)


@pytest.mark.parametrize(
    ("losses", "tried", "chosen"),
    [
        ({0.3: 2.0, 1.0: 1.5, 3.0: 1.8}, [0.3, 1.0, 3.0], 1.0),
        ({0.3: 2.0, 1.0: 1.5, 3.0: 1.2, 10.0: 1.9}, [0.3, 1.0, 3.0, 10.0], 3.0),
        ({0.3: 2.0, 1.0: 1.5, 3.0: 1.2, 10.0: 1.195}, [0.3, 1.0, 3.0, 10.0], 3.0),
        ({0.3: 2.0, 1.0: 1.5, 3.0: 1.2, 10.0: 1.1, 30.0: 1.0}, [0.3, 1.0, 3.0, 10.0, 30.0], 30.0),
        ({0.1: 1.1, 0.3: 1.0, 1.0: None, 3.0: None}, [0.1, 0.3, 1.0, 3.0], 0.3),
        ({0.03: 1.3, 0.1: 1.1, 0.3: None, 1.0: None, 3.0: None}, [0.03, 0.1, 0.3, 1.0, 3.0], 0.1),
        ({0.3: 1.0, 1.0: 1.0, 3.0: None, 0.1: 1.0, 0.03: 1.2}, [0.03, 0.1, 0.3, 1.0, 3.0], 0.1),
    ],
)
def test_rates_are_tried_until_the_best_lies_between_two(losses, tried, chosen, monkeypatch):
    base = SimpleNamespace(recipe=SimpleNamespace(optimizer=SimpleNamespace(lr=1e-3)))
    monkeypatch.setattr(lr_tuning, "trial", lambda _: base)
    monkeypatch.setattr(lr_tuning, "_kept", lambda _level, _base, lr, _watch: losses[round(lr * 1000, 6)])
    found = lr_tuning.sweep("gpt", None, None)
    assert sorted(found.trials) == tried
    assert found.rate == pytest.approx(chosen * 1e-3)
    assert found.end == ("highest" if chosen == 30.0 else "")


def test_a_network_that_diverges_at_every_rate_is_told(shallow, monkeypatch):
    monkeypatch.setattr(lr_tuning, "_train", lambda *_: None)
    with pytest.raises(DiagnoseError, match="gpt diverged at every learning rate that was tried, from 0") as caught:
        lr_tuning.sweep("gpt", planned(shallow | {"run.seed": 11}).arms[0].first, None)
    assert caught.value.exit_code == FINDING


def test_networks_are_compared_at_rates_of_their_own_which_are_sought_once(
    shallow, tmp_path, quick_probes, monkeypatch
):
    given = shallow | {"run.seed": 5}
    told = []
    found = ablate.ablate("model", seeds=2, overrides=given, runs=tmp_path, watch=told.append)
    summary = store.read_json(found / "summary.json")
    assert {sweep["level"] for sweep in summary["tuning"]} == {"gpt", "lstm"}
    for sweep, arm in zip(summary["tuning"], summary["arms"], strict=True):
        losses = {trial["learning_rate"]: trial["bits_per_byte"] for trial in sweep["trials"]}
        assert losses[sweep["learning_rate"]] <= 1.01 * min(losses.values())
        assert len(losses) >= 3
        rates = {store.recipe_of(tmp_path / run).optimizer.lr for run in arm["runs"]}
        assert rates == {sweep["learning_rate"]}
    assert "each at a learning rate of its own" in summary["verdict"]
    assert not summary["untuned"]
    assert [p for p in told if p.doing == "tuning"]
    monkeypatch.setattr(lr_tuning, "_train", lambda *_: pytest.fail("a trial was repeated"))
    again = ablate.ablate("model", seeds=2, overrides=given, runs=tmp_path, resume=True)
    assert store.read_json(again / "summary.json")["tuning"] == summary["tuning"]
    assert len(store.read_json(again / "summary.json")["reused"]) == 4


def test_a_stopped_sweep_goes_on_where_it_was(shallow, tmp_path, quick_probes, monkeypatch):
    given, trained, train = shallow | {"run.seed": 9}, [], lr_tuning._train

    def stopping(label, *args):
        if len(trained) == 2 and "stopped" not in trained:
            trained.append("stopped")
            raise KeyboardInterrupt
        trained.append(label)
        return train(label, *args)

    monkeypatch.setattr(lr_tuning, "_train", stopping)
    with pytest.raises(KeyboardInterrupt):
        ablate.ablate("model", seeds=1, overrides=given, runs=tmp_path)
    assert not tmp_path.joinpath("runs").exists()
    ablate.ablate("model", seeds=1, overrides=given, runs=tmp_path, resume=True)
    assert len(trained) == len(set(trained))


def test_what_a_network_does_not_take_is_dropped_and_recorded(shallow, tmp_path, quick_probes):
    found = ablate.ablate("model", seeds=1, overrides=shallow, runs=tmp_path)
    run = tmp_path / store.read_json(found / "summary.json")["arms"][1]["runs"][0]
    assert "model.heads" in store.read_json(run / "environment.json")["dropped"]


def test_a_sweep_comes_to_the_same_numbers_anywhere(shallow, tmp_path, monkeypatch):
    setup = planned(shallow | {"run.seed": 7}).arms[1].first
    found = []
    for cache in ("one", "two"):
        monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / cache))
        np.random.default_rng().random()
        found.append(lr_tuning.sweep("lstm", setup, lambda _: None).record("lstm"))
    assert found[0] == found[1]


def test_untuned_says_so(shallow, tmp_path, quick_probes):
    found = ablate.ablate("model", seeds=1, overrides=shallow, runs=tmp_path, untuned=True)
    summary = store.read_json(found / "summary.json")
    assert summary["untuned"]
    assert summary["tuning"] == []
    assert "at one learning rate for all, untuned" in summary["verdict"]


def test_a_plan_says_what_will_be_tried_and_trains_nothing(shallow, monkeypatch):
    monkeypatch.setattr(lr_tuning, "_train", lambda *_: pytest.fail("a plan trains nothing"))
    plan = describe(planned(shallow))
    assert [trial.learning_rates for trial in plan.tuning] == [(0.0006, 0.002, 0.006)] * 2
    assert plan.tuning[0].steps == 4
    assert plan.seconds > sum(arm.seconds_per_run for arm in plan.arms)
    assert json.dumps(plan.model_dump())
    assert describe(planned(shallow, untuned=True)).tuning == ()

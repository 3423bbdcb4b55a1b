"""Several axes: every combination is an arm; main effects, interactions, and what is refused."""

import pytest
from factorial_fixture import planted

from diagnose.ablation import ablate, axes
from diagnose.ablation.design import design
from diagnose.errors import MISTAKE, DiagnoseError
from diagnose.report import page
from diagnose.runs import store


def test_main_effects_and_interactions_are_those_that_were_planted():
    cells = {(a, b): 2 + 0.3 * (a == "y") - 0.1 * (b == "q") + 0.04 * (a + b == "yq") for a in "xy" for b in "pq"}
    found = {(e.axis, e.level, e.against): e.value for e in planted({"A": "xy", "B": "pq"}, cells)}
    assert found == {
        ("A", "y", "x"): pytest.approx(0.32),
        ("B", "q", "p"): pytest.approx(-0.08),
        ("A x B", "y x q", "x x p"): pytest.approx(0.04),
    }


def test_three_axes_average_over_the_rest():
    cells = {
        (a, b, c): 3 + 0.2 * (b == "q") + 0.1 * (c == "n") + 0.05 * (a == "y" and c == "n") + 0.5 * (b == "r")
        for a in "xy" for b in "pqr" for c in "mn"
    }  # fmt: skip
    found = {(e.axis, e.level): e.value for e in planted({"A": "xy", "B": "pqr", "C": "mn"}, cells, 1e-6)}
    assert len(found) == 1 + 2 + 1 + 2 + 1 + 2
    wanted = {("A", "y"): 0.025, ("B", "q"): 0.2, ("B", "r"): 0.5, ("C", "n"): 0.125, ("A x C", "y x n"): 0.05}
    for key, value in found.items():
        assert value == pytest.approx(wanted.get(key, 0.0), abs=1e-5)


def test_intervals_hold_together_over_all_of_them():
    cells = {(a, b): 2.0 for a in "xy" for b in "pq"}
    several = planted({"A": "xy", "B": "pq"}, cells, 0.01)
    alone = planted({"A": "xy"}, {("x",): 2.0, ("y",): 2.0}, 0.01)
    assert all(e.low < e.value < e.high for e in (*several, *alone))
    assert alone[0].sentence.startswith("y against x: ")
    assert "averaged over the other axes" in several[0].sentence
    assert "beyond the sum of both effects" in several[2].sentence


def test_an_arm_that_is_missing_leaves_what_the_others_can_say():
    cells = {(a, b): 2 + 0.3 * (a == "y") for a in "xy" for b in "pq" if a + b != "yq"}
    found = {(e.axis, e.level): e.value for e in planted({"A": "xy", "B": "pq"}, cells)}
    assert found == {("A", "y"): pytest.approx(0.3), ("B", "q"): pytest.approx(0.0)}


def refusal(names, given, levels=None, **more):
    with pytest.raises(DiagnoseError) as caught:
        design(axes.find_all(names, levels), "quick", given, 1, None, **more)
    assert caught.value.exit_code == MISTAKE
    assert "\n" not in str(caught.value)
    return str(caught.value)


MANY = ["optimizer.lr=1e-3,2e-3,3e-3,4e-3,5e-3", "optimizer.clip=0.5,1,2", "optimizer.weight_decay=0,.1,.2,.3,.4"]
BAD = [
    (["loader", "split"], "the axes loader and split both set batches.loader"),
    (["lr-scale", "optimizer.lr=1e-3,1e-2"], "the axes lr-scale and optimizer.lr both set optimizer.lr"),
    (["activation", "activation"], "the axis activation is given twice"),
    (["activation", "optimizer.lrr=1,2"], "unknown key optimizer.lrr; did you mean 'lr'?"),
    (["activation", "optimizer.lr=1e-3"], "the axis optimizer.lr needs two levels"),
    (["model=gpt,lstm", "activation"], "come to the same recipe"),
    (["optimizer.lr=1e-3,0.001"], "come to the same recipe; for the noise floor use --axis seed"),
    (["report.val=batch,full"], "report.val cannot vary between arms: it changes what a run reports"),
    (["data.split_seed=0,1"], "data.split_seed cannot vary between arms: its arms would be scored on other documents"),
    (MANY, "75 arms are more than 64: leave levels out, or train them all with --full"),
]


@pytest.mark.parametrize(("names", "said"), BAD)
def test_axes_that_cannot_be_crossed_are_told_in_one_line(names, said, tiny):
    assert said in refusal(names, tiny)


def test_levels_are_given_with_their_axis(tiny):
    assert "of several, each is given as --axis name=level1,level2" in refusal(["seed", "masking"], tiny, "a,b")


def test_a_factorial_from_axes_to_page(tiny, tmp_path, quick_probes):
    given = {key: value for key, value in tiny.items() if key != "model.dropout"} | {"budget.steps": 5}
    found = ablate.ablate(["activation", "dropout=0.0,0.2"], seeds=2, overrides=given, runs=tmp_path)
    summary = store.ablation(found)
    assert [axis.name for axis in summary.axes] == ["activation", "dropout"]
    assert [arm.levels for arm in summary.arms][3] == {"activation": "gelu", "dropout": "0.2"}
    level = {tuple(arm.levels.values()): arm.bits_per_byte.value for arm in summary.arms}
    values = {effect.axis: effect.value for effect in summary.effects}
    means = {name: (level[name, "0.0"] + level[name, "0.2"]) / 2 for name in ("relu", "gelu")}
    assert values["activation"] == pytest.approx(means["gelu"] - means["relu"], abs=1e-9)
    both = level["gelu", "0.2"] - level["gelu", "0.0"] - level["relu", "0.2"] + level["relu", "0.0"]
    assert values["activation x dropout"] == pytest.approx(both, abs=1e-9)
    assert all(effect.low <= effect.value <= effect.high for effect in summary.effects)
    assert "activation x dropout" in page.render_own(found, tmp_path / "pages").read_text(encoding="utf-8")

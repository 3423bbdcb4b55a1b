"""The picture of a factorial's interactions: what it draws, what its title says, and where there is none."""

import pytest
from factorial_fixture import planted
from run_fixture import DERIVED, ENVIRONMENT

from diagnose.records.ablations import AblationRecord, ArmRecord, AxisRecord, Estimate
from diagnose.report import ablation_sentences
from diagnose.report.interaction import interaction_figure


def summary(cells, noise=1e-6, seeds=3):
    """Return the summary of a planted factorial of A (x, y) and B (p, q, r)."""
    effects = planted({"A": "xy", "B": "pqr"}, cells, noise)
    axes = [AxisRecord(name=n, levels=tuple(levels), control=levels[0]) for n, levels in (("A", "xy"), ("B", "pqr"))]
    arms = [
        ArmRecord(
            level=", ".join(cell), levels=dict(zip("AB", cell, strict=True)), bits_per_byte=Estimate(value=value),
            per_seed=(value,) * seeds, derived=DERIVED,
        )
        for cell, value in cells.items()
    ]  # fmt: skip
    return AblationRecord(
        name="f", axes=tuple(axes), arms=tuple(arms), effects=tuple(effects), seeds=tuple(range(seeds)),
        environment=ENVIRONMENT,
    )  # fmt: skip


def cells(both=0.0):
    return {(a, b): 2 + 0.3 * (a == "y") - 0.1 * (b == "q") + both * (a + b == "yq") for a in "xy" for b in "pqr"}


def test_the_title_names_what_depends_on_what():
    title = ablation_sentences.interaction_title(summary(cells(both=0.04)))
    assert title.startswith("What A does depends on B: together +0.04")
    noisy = ablation_sentences.interaction_title(summary(cells(), noise=0.1))
    assert noisy == "No interaction is resolved: the effects may simply add up"


def test_the_axis_with_more_levels_goes_across_and_means_are_the_arms():
    svg = interaction_figure(summary(cells(both=0.04))).svg
    assert svg.count("<svg") == 2  # wide and narrow
    assert "B, a line for each A" in svg
    assert "x: p 2.000 q 1.900 r 2.000, y: p 2.300 q 2.240 r 2.300" in svg


def test_an_arm_that_is_missing_leaves_a_gap():
    some = cells()
    del some["y", "r"]
    assert "y: p 2.300 q 2.200." in interaction_figure(summary(some)).sentence


def test_one_axis_has_no_interaction():
    one = summary(cells())
    assert interaction_figure(one.model_copy(update={"axes": one.axes[:1]})) is None


def test_rows_name_main_effects_and_interactions():
    found = summary(cells(both=0.04))
    rows = [ablation_sentences.row_words(effect, found) for effect in found.effects]
    assert rows[0] == ("y", "A, against x")
    assert rows[-1] == ("y x r", "A x B")
    assert [ablation_sentences.is_interaction(effect, found) for effect in found.effects] == [False] * 3 + [True] * 2


@pytest.mark.parametrize("seeds", [1])
def test_one_seed_tells_nothing_of_interactions(seeds):
    found = summary(cells(), seeds=seeds)
    bare = [effect.model_copy(update={"low": None, "high": None}) for effect in found.effects]
    assert "cannot be told from one seed" in ablation_sentences.interaction_title(
        found.model_copy(update={"effects": bare})
    )

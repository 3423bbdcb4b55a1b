"""What an ablation's verdict and page say of effects that are small, of arms that diverged, of seeds left out."""

import json

import pytest
from report_fixture import write_ablation
from run_fixture import DERIVED

from diagnose.ablation.ablate import ablate
from diagnose.ablation.conclusion import verdict
from diagnose.errors import DiagnoseError
from diagnose.records.ablations import ArmRecord, EffectRecord, Estimate, Failure
from diagnose.report import ablation_sentences
from diagnose.report.page import render_own
from diagnose.report.summary import read_ablation
from diagnose.runs import store


def effect(level, value, half, **more):
    low, high = (None, None) if half is None else (value - half, value + half)
    resolved = half is not None and (low > 0 or high < 0)
    row = {"axis": "size", "level": level, "against": "s", "value": value, "low": low, "high": high}
    return EffectRecord(**row | {"resolved": resolved, "seeds_needed": 9, "margin": 0.01} | more)


ARMS = [
    ArmRecord(level=level, bits_per_byte=Estimate(value=value), derived=DERIVED)
    for level, value in (("s", 2.0), ("m", 1.9))
]


def said(*effects, failed=()):
    return verdict(["size"], ARMS, list(effects), "After the same text", failed)


def test_no_effect_is_said_only_where_a_test_supports_it():
    assert said(effect("m", 0.001, 0.002, equivalent=True)).endswith("m: no effect larger than 0.01.")
    assert said(effect("m", 0.02, 0.03)).endswith("m: not resolved; about 9 seeds would.")
    assert "only more validation text would" in said(effect("m", 0.02, 0.03, seeds_needed=None))
    assert "the same bits are spent on every document" in said(effect("m", 0.0, 0.0, seeds_needed=None))


def test_of_an_effect_too_small_to_matter_it_is_said_what_is_excluded():
    """Seeds are named for one that would matter: nobody trains 24 runs to resolve 0.001."""
    excluded = "m: effects beyond 0.12 are excluded; about 7 seeds would tell one of 0.01."
    assert said(effect("m", 0.001, 0.12, seeds_for_margin=7)).endswith(excluded)
    assert said(effect("m", 0.001, 0.12)).endswith("only more validation text would tell one of 0.01.")


def test_no_number_of_seeds_is_made_of_an_estimate_that_is_chance():
    """0.02 ± 0.5 of three seeds is less than its standard error: the number that it wants is of no use to a plan."""
    text = said(effect("m", 0.02, 0.5, seeds=3, seeds_needed=2400, seeds_for_margin=9000))
    assert text.endswith("m: effects beyond 0.52 are excluded; over 1,000 seeds would tell one of 0.01.")
    assert said(effect("m", 0.3, 0.5, seeds=3, seeds_needed=9)).endswith("m: not resolved; about 9 seeds would.")
    text = said(effect("m", 0.02, 0.5, seeds_needed=None, text_needed=50.0, seeds_for_margin=None))
    assert text.endswith("m: effects beyond 0.52 are excluded; only more validation text would tell one of 0.01.")


def test_a_level_that_is_a_number_is_named_with_its_axis():
    text = said(effect("0.2", -0.1, 0.02, axis="dropout", against="0.0"))
    assert "dropout 0.2 is 0.100 ± 0.020 bits per byte better than s." in text


def test_what_two_seeds_are_worth_is_said_first():
    assert said(effect("m", -0.1, 0.02, seeds=2)).startswith("Two seeds an arm resolve only large effects. After")
    assert said(effect("m", -0.1, 0.2, seeds=2)).startswith("Two seeds an arm decide next to nothing. After")
    assert "Two seeds" not in said(effect("m", -0.1, 0.02, seeds=3))


def test_an_arm_of_one_seed_among_others_is_named():
    text = said(effect("m", -0.1, 0.02), effect("l", -0.2, None))
    assert "m is 0.100 ± 0.020 bits per byte better than s." in text
    assert text.endswith("l: one seed, so no interval.")


def test_many_arms_are_counted_and_not_listed():
    text = said(*(effect(f"l{k}", 0.05, 0.1) for k in range(6)))
    assert "6 others: not resolved" in text
    best = said(*(effect(f"l{k}", -0.1 - k, 0.01) for k in range(6)))
    assert "and 3 more less so" in best
    assert len(best.split()) < 40


def test_diverged_runs_are_a_result():
    lost = [Failure(level=level, seed=seed) for level, seed in (("wild", 0), ("wild", 2), ("m", 1))]
    assert said(effect("m", -0.1, 0.02), failed=lost).endswith("wild diverged with 2 seeds and m diverged with 1 seed.")


def test_an_arm_that_diverges_with_a_seed_is_told_from_verdict_to_page(tiny, tmp_path, quick_probes, monkeypatch):
    """The second seed of one arm diverges: its seed is left out of both, and that is said."""
    from diagnose.runs import runner

    carry_out = runner.carry_out

    def diverging(setup, *args, **more):
        if setup.recipe.optimizer.lr == 1e-4 and setup.recipe.run.seed == 1:
            raise DiagnoseError("the loss is no finite number after step 3: training has diverged", diverged=True)
        return carry_out(setup, *args, **more)

    monkeypatch.setattr(runner, "carry_out", diverging)
    folder = ablate("optimizer.lr=1e-3,1e-4", overrides=tiny | {"budget.steps": 5}, runs=tmp_path)
    summary = store.read_json(folder / "summary.json")
    assert summary["left_out"] == [1]
    assert summary["seeds"] == [0, 2]
    assert "diverged with 1 seed." in summary["verdict"]
    page = render_own(folder, tmp_path / "pages").read_text(encoding="utf-8")
    assert "Seed 1 is left out of all arms, for effects are paired by seed." in page
    assert "training has diverged" in page


def changed_effects(folder, **more):
    found = json.loads((folder / "summary.json").read_text())
    found["effects"] = [row | {"margin": 0.01, "p_equivalent": 0.3} | more for row in found["effects"]]
    (folder / "summary.json").write_text(json.dumps(found))
    return read_ablation(folder).summary


@pytest.mark.parametrize(("holds", "words"), [(True, "is excluded for"), (False, "No effect is shown to be smaller")])
def test_the_page_states_the_margin(tmp_path, holds, words):
    summary = changed_effects(write_ablation(tmp_path), equivalent=holds)
    sentence = ablation_sentences.equivalence_sentence(summary)
    assert words in sentence
    assert "0.01" in sentence


def test_a_page_of_an_older_summary_says_nothing_of_equivalence(tmp_path):
    assert ablation_sentences.equivalence_sentence(read_ablation(write_ablation(tmp_path)).summary) == ""


@pytest.mark.parametrize("margin", [0, -1, float("nan"), float("inf")])
def test_a_margin_is_above_zero(margin, tiny, tmp_path):
    with pytest.raises(DiagnoseError, match=r"--margin .* bits per byte above 0"):
        ablate("activation", overrides=tiny, margin=margin, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()

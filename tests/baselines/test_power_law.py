"""What more would give: the law against closed forms, what it refuses, real text, and runs that differ in one thing."""

import numpy as np
import pytest
from run_fixture import ENVIRONMENT

from diagnose.baselines import growth, scoring
from diagnose.baselines.peers import PeerRun
from diagnose.baselines.power_law import OFF_RUNS, OFF_TEXT, back_tests, fit, law
from diagnose.config.recipe import Recipe
from diagnose.data import corpus, split
from diagnose.data.cache import cache_folder
from diagnose.data.excerpt import excerpt
from diagnose.report.baseline_document import law_sentence
from diagnose.runs import store

AMOUNTS = 1e5 * 2.0 ** (np.arange(11) / 2)


@pytest.mark.parametrize(("floor", "height", "exponent"), [(0.9, 30.0, 0.3), (0.0, 8.0, 0.12), (2.0, 5e3, 0.9)])
def test_a_curve_that_follows_the_law_is_carried_on_exactly(floor, height, exponent):
    found = law("text", "PPMd of order 8", AMOUNTS, floor + height * AMOUNTS**-exponent)
    assert found.refused is None
    assert found.off < 1.02
    last = found.bits_per_byte[-1]
    for row in found.forecasts:
        truth = floor + height * (row.factor * AMOUNTS[-1]) ** -exponent
        assert row.bits_per_byte == pytest.approx(truth, abs=0.01 * (last - truth))
        assert row.low < row.bits_per_byte < row.high < last
        assert (last - row.low) / OFF_TEXT == pytest.approx(last - row.bits_per_byte) == (last - row.high) * OFF_TEXT


def test_a_curve_that_its_own_past_misjudges_has_a_wider_interval_or_none():
    """The loss falls faster from the middle on: the first half promises too little."""
    slow, fast = 2 - 0.05 * np.arange(11), np.where(np.arange(11) > 7, 0.030, 0.0) * (np.arange(11) - 7)
    wider = law("text", "PPMd", AMOUNTS, slow - fast)
    assert wider.off > OFF_TEXT
    row, last = wider.forecasts[0], wider.bits_per_byte[-1]
    assert last - row.low == pytest.approx(wider.off * (last - row.bits_per_byte))
    assert wider.off == max(back_tests(AMOUNTS, slow - fast, 2.0) + back_tests(AMOUNTS, slow - fast, 4.0))
    none = law("text", "PPMd", AMOUNTS, slow - 10 * fast)
    assert not none.forecasts
    assert "where the law could be tested it was" in none.refused


@pytest.mark.parametrize(
    ("amounts", "losses", "why"),
    [
        ([], [], "a law takes 5 points that differ in steps alone, by a fifth at least, and there are 0"),
        ([100], [2.0], "a law takes 5 points that differ in steps alone, by a fifth at least, and there is 1"),
        ([100, 125, 156, 195, 244, 295], [2, 1.9, 1.8, 1.7, 1.6, 1.5], "the most steps is less than 3 times the least"),
        ([100, 200, 400, 800, 1600, 3200], [2, 1.8, 1.7, 1.6, 1.55, 1.7], "more steps does not help here"),
        ([100, 200, 400, 800, 1600], [2, 1.8, 1.7, 1.6, 1.55], "no point has about 2 times as much"),
    ],
)
def test_what_cannot_be_carried_on_is_refused_with_the_reason(amounts, losses, why):
    found = law("steps", "gpt", amounts, losses)
    assert why in found.refused
    assert not found.forecasts
    assert law_sentence(found).startswith("More steps: nothing is said, for ")


def test_points_that_lie_close_before_another_are_left_out():
    """Two runs of 300 and 320 steps say nothing of a doubling."""
    amounts = np.sort(np.concatenate([AMOUNTS, AMOUNTS[3:5] * 1.02, AMOUNTS[-1:] * 0.99]))
    found = law("steps", "gpt", amounts, 1 + 30 * amounts**-0.3)
    assert len(found.amounts) == len(AMOUNTS)
    assert found.amounts[-1] == AMOUNTS[-1]
    assert found.off < 1.02


def test_the_floor_is_never_negative():
    found = fit(AMOUNTS, 3 - 0.01 * np.arange(11) ** 2)
    assert found.floor == 0
    assert found.gain(2 * AMOUNTS[-1]) > 0


def test_growing_parts_of_real_text(verses, tmp_path):
    recipe = Recipe.load("quick", {"data.corpus": "file", "data.path": str(verses)})
    text = corpus.load(recipe.data, cache_folder())
    parts = split.split(text, recipe.data)
    told = []
    found, *rest = growth.laws(text, parts, [], tmp_path, told.append)
    assert found.of == "text"
    assert found.amounts == tuple(sorted(found.amounts))
    assert len(told) == 1
    assert growth.laws(text, parts, [], tmp_path, told.append) == [found, *rest]
    assert len(told) == 1
    (whole,) = scoring.yardsticks(text, parts, tmp_path, ["PPMd of order 8"])
    scored = excerpt(text, parts).sizes_N.sum()
    assert found.bits_per_byte[-1] == pytest.approx(whole.bits_per_byte, abs=16 / scored)
    assert found.amounts[-1] == text.size(parts.train) + scored / 2
    assert [one.refused is not None for one in rest] == [True, True]


@pytest.mark.slow
def test_half_the_bible_foretells_the_whole():
    recipe = Recipe.load("quick", {})
    text = corpus.load(recipe.data, cache_folder())
    found = growth.laws(text, split.split(text, recipe.data), [], cache_folder())[0]
    half = law("text", found.learner, found.amounts[:-2], found.bits_per_byte[:-2])
    assert half.forecasts[0].low < found.bits_per_byte[-1] < half.forecasts[0].high


def run(folder, bits, **settings):
    """Return a finished run as it stands beside yardsticks; no more of it is read than its recipe."""
    recipe = Recipe.load("quick", settings)
    path = store.create(folder, "gpt", recipe, ENVIRONMENT)
    steps = int(recipe.budget.steps or 100)
    return PeerRun(str(path), "gpt", bits, None, None, steps, 1000 * int(recipe.model.settings().get("width", 8)))


def test_runs_that_differ_in_one_thing_alone_give_a_law(tmp_path):
    """Seeds are averaged; a run of another learning rate does not count, nor one that is damaged."""
    steps = [100 * 2**n for n in range(7)]
    curve = [1.5 + 20 * n**-0.6 for n in steps]
    runs = [
        run(tmp_path, bits + more, **{"budget.steps": n, "run.seed": seed})
        for n, bits in zip(steps, curve, strict=True)
        for seed, more in ((0, 0.01), (1, -0.01))
    ]
    odd = run(tmp_path, 9.0, **{"budget.steps": 51200, "optimizer.lr": 0.5})
    gone = PeerRun(str(tmp_path / "gone"), "gpt", 9.0, None, None, 5, 5)
    found = growth.of_runs("steps", [*runs, odd, gone])
    assert found.refused is None
    assert found.learner == "gpt"
    assert found.amounts == tuple(map(float, steps))
    assert found.bits_per_byte == pytest.approx(curve)
    assert found.forecasts[0].bits_per_byte == pytest.approx(1.5 + 20 * 12800**-0.6, abs=1e-3)
    assert "with twice and" in law_sentence(found)
    gain = found.bits_per_byte[-1] - found.forecasts[0].bits_per_byte
    assert found.bits_per_byte[-1] - found.forecasts[0].low == pytest.approx(OFF_RUNS * gain)
    assert "there is 1" in growth.of_runs("parameters", [*runs, odd]).refused


def test_wider_networks_give_a_law_of_parameters_at_equal_steps(tmp_path):
    widths = [16, 32, 64, 128, 256, 512]
    runs = [run(tmp_path, 1.2 + 5 * w**-0.5, **{"model.width": w, "budget.steps": 100}) for w in widths]
    longer = run(tmp_path, 0.1, **{"model.width": 1024, "budget.steps": 200})
    found = growth.of_runs("parameters", [*runs, longer])
    assert found.amounts == tuple(1000.0 * w for w in widths)
    assert found.forecasts[0].bits_per_byte == pytest.approx(1.2 + 5 * 1024**-0.5, abs=1e-2)

"""The page and the terminal: what is read, what is said of it, how it is drawn, and that nothing foreign acts."""

from __future__ import annotations

import io
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fixture import LOST, write_ablation, write_run
from rich.console import Console

from diagnose import formatting
from diagnose.errors import DiagnoseError
from diagnose.records.ablations import AblationRecord
from diagnose.report import (
    ablation_limits,
    ablation_sentences,
    baseline_rows,
    canvas,
    figures,
    means,
    plots,
    run_sentences,
    tables,
)
from diagnose.report.console import rows
from diagnose.report.glossary_notes import GUIDE
from diagnose.report.page import own_report, render_own
from diagnose.report.summary import read_ablation, read_run

CSS = Path(canvas.__file__).with_name("templates") / "page.css"
CASES = {
    "plain": {},
    "hostile": {"hostile": True, "failed": True},
    "one seed": {"seeds": 1},
    "unresolved": {"axis": "activation"},
}


@pytest.fixture(scope="module", params=CASES)
def ablation(request, tmp_path_factory):
    return write_ablation(tmp_path_factory.mktemp("runs"), **CASES[request.param])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write_ablation(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return write_ablation(tmp_path_factory.mktemp("runs"), hostile=True, failed=True)


def change(folder: Path, **values) -> None:
    """Overwrite keys of an ablation's summary."""
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


# numbers and text


@pytest.mark.parametrize(
    ("half", "digits"),
    [
        (0.39, 2),
        (4.0, 2),
        (0.034, 3),
        (0.04, 2),
        (0.0063, 3),
        (0.0014, 4),
        (0.00355, 3),
        (None, 3),
        (0, 3),
        (math.nan, 3),
    ],
)
def test_decimals_are_what_the_uncertainty_supports(half, digits):
    assert formatting.decimals(half) == digits


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((0.021, 0.015, 0.027), "+0.021 ± 0.006"),
        ((-0.2684, -0.29, -0.2468), "\N{MINUS SIGN}0.268 ± 0.022"),
        ((0.021, 0.001, 0.027), "+0.021 (+0.001 to +0.027)"),
        ((0.0, -0.004, 0.004), "0.000 ± 0.004"),
        ((-0.25, None, None), "\N{MINUS SIGN}0.250"),
        ((None, None, None), "\N{EN DASH}"),
    ],
)
def test_an_estimate_bears_its_sign_and_its_interval(args, text):
    assert formatting.estimate(*args, difference=True).replace("\xa0", " ") == text


def test_a_loss_has_no_plus_and_nothing_rounds_to_minus_zero():
    assert formatting.estimate(1.8534, 1.8414, 1.8656).replace("\xa0", " ") == "1.853 ± 0.012"
    assert formatting.plain(-0.0001) == "0.000"
    assert formatting.signed(-0.0001) == "0.000"
    assert formatting.signed(0.0004) == "0.000"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (27_992, "", "27,992"),
        (3_412_000.0, "bytes", "3.41 MB"),
        (812, "bytes", "812 bytes"),
        (1.68e13, "FLOP", "16.8 TFLOP"),
        (1.68e13, "", "16.8 trillion"),
        (0.00003, "", "0.00003"),
        (120.0, "", "120"),
        (120.4, "", "120"),
        (0.9, "share", "90 %"),
        (0.0224, "share", "2.2 %"),
        (0.0004, "share", "under 0.1 %"),
        (262.4, "seconds", "4 min 22 s"),
        (10_029.2, "s", "2 h 47 min"),
        (math.inf, "", "\N{EN DASH}"),
        (None, "", "\N{EN DASH}"),
        (True, "", "yes"),
        ("gelu", "", "gelu"),
    ],
)
def test_quantities_are_written_out(value, unit, text):
    assert formatting.quantity(value, unit).replace("\xa0", " ") == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_no_number_is_written_scientifically(value):
    shown = [
        formatting.plain(value),
        formatting.signed(value),
        formatting.size(value),
        formatting.quantity(value),
        formatting.duration(abs(value)),
    ]
    assert not any(re.search(r"\d[eE]", text) or "-" in text for text in shown)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (-1.164e-10, 11, "\N{MINUS SIGN}1.2\N{MULTIPLICATION SIGN}10⁻¹⁰"),
        (3.7e-11, 11, "4\N{MULTIPLICATION SIGN}10⁻¹¹"),
        (2.0e-13, 11, "0"),
        (0.0, 11, "0"),
        (0.0000012, 6, "0.000001"),
    ],
)
def test_more_than_six_decimals_are_a_power_of_ten(value, digits, text):
    assert formatting.plain(value, digits) == text


def test_decimals_of_scores_of_any_size():
    assert formatting.decimals(3e-11) == 6  # a loss
    assert formatting.decimals(3e-11, 1e-10) == 12
    assert formatting.decimals(3e-11, 1.0) == 6
    assert formatting.decimals(36_577_853.0, 1e8) == 0
    assert formatting.decimals(10.15, 13.6) == 2


def test_p_values_dates_and_lists():
    assert [formatting.chance(p).replace("\xa0", " ") for p in (0.0123, 0.0004, None)] == [
        "0.012",
        "< 0.001",
        "\N{EN DASH}",
    ]
    assert formatting.day("2026-11-22T14:32:05+00:00").replace("\xa0", " ") == "22 Nov 2026"
    assert formatting.day("yesterday") == ""
    assert [formatting.listed(list(x)) for x in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]


@given(st.text())
def test_visible_text_holds_nothing_that_acts(text):
    shown = formatting.visible(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert formatting.visible(shown) == shown
    shown.encode()


def test_what_acts_is_shown_and_what_is_read_is_kept():
    assert formatting.visible("a\x00\u202eb\x1b\ud800") == "a⟨U+0000⟩⟨U+202E⟩b⟨U+001B⟩⟨U+D800⟩"
    kept = "tab\tline\n\u05d1\u05bc\u05b0\u05e8 \U0001f469\u200d\U0001f52c a\u0301"
    assert formatting.visible(kept) == kept


# what is read


def test_a_newer_format_is_one_line_that_names_the_file(plain, tmp_path):
    folder = shutil.copytree(plain, tmp_path / plain.name)
    change(folder, format=2)
    with pytest.raises(DiagnoseError, match=r"summary\.json has format 2, .*upgrade it$"):
        read_ablation(folder)
    run = write_run(tmp_path / "run")
    (run / "status.json").write_text('{"format": 99, "state": "finished"}')
    with pytest.raises(DiagnoseError, match=r"status\.json has format 99"):
        read_run(run)


def _cut_short(path):
    path.write_bytes(path.read_bytes()[:40])


def _drop_column(path):
    pq.write_table(pq.read_table(path).drop_columns(["text_bytes"]), path)


@pytest.mark.parametrize(
    ("name", "spoil", "says"),
    [
        ("status.json", Path.unlink, "missing"),
        ("environment.json", _cut_short, "cannot be read"),
        ("environment.json", lambda p: p.write_text("[1]"), "format"),
        ("environment.json", lambda p: p.write_text("{}"), "format"),
        ("environment.json", lambda p: p.write_text('{"format": 1, "threads": "many"}'), "threads"),
        ("readings.parquet", Path.unlink, "missing"),
        ("readings.parquet", _cut_short, "cannot be read"),
        ("readings.parquet", _drop_column, "text_bytes"),
        ("steps.parquet", lambda p: p.write_bytes(b""), "cannot be read"),
        ("samples.jsonl", lambda p: p.write_text('{"step": 1}\n'), "prompt"),
        ("samples.jsonl", lambda p: p.write_bytes(b"\xff\xfe"), "cannot be read"),
        ("recipe.toml", Path.unlink, "missing"),
    ],
)
def test_a_spoilt_run_is_one_line_that_names_the_file(tmp_path, name, spoil, says):
    run = write_run(tmp_path / "run")
    spoil(run / name)
    with pytest.raises(DiagnoseError, match=says) as caught:
        render_own(run, tmp_path / "reports")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"arms": 3}, "arms"),
        ({"seeds": None}, "seeds"),
        ({"effects": [{"axis": "x", "level": "y", "against": "z", "value": "low"}]}, r"effects\.0\.value"),
    ],
)
def test_a_spoilt_summary_names_the_key(tmp_path, values, says):
    folder = write_ablation(tmp_path, seeds=1)
    change(folder, **values)
    with pytest.raises(DiagnoseError, match=rf"summary\.json is corrupted: {says}"):
        read_ablation(folder)


def test_a_run_that_is_gone_is_named_and_no_path_leads_out(tmp_path):
    folder = write_ablation(tmp_path, seeds=1)
    found = json.loads((folder / "summary.json").read_text())
    (tmp_path / found["arms"][1]["runs"][0] / "status.json").unlink()
    with pytest.raises(DiagnoseError, match=found["arms"][1]["runs"][0]):
        read_ablation(folder)
    found["arms"][1]["runs"] = ["../../etc"]
    (folder / "summary.json").write_text(json.dumps(found))
    with pytest.raises(DiagnoseError, match="no name of a run"):
        read_ablation(folder)


def test_bits_per_byte_and_their_interval_are_of_the_same_reading(tmp_path):
    final = run_sentences.last(read_run(write_run(tmp_path / "run")), "final", "val")
    row = next(r for r in pq.read_table(tmp_path / "run" / "readings.parquet").to_pylist() if r["kind"] == "final")
    assert final.bits == pytest.approx(row["nats"] / math.log(2) / row["bytes"])
    assert final.bits_high / final.bits == pytest.approx(row["high"] / row["loss"])


def test_numbers_that_are_none_and_levels_that_are_numbers_are_read(tmp_path):
    folder = write_ablation(tmp_path, seeds=1)
    found = json.loads((folder / "summary.json").read_text())
    found["arms"][1]["level"] = found["arms"][1]["levels"]["tokenizer"] = found["effects"][0]["level"] = 1e-5
    found["changed"][0]["per_arm"] = {"char": 1, "1e-05": math.nan, "bpe": 2}
    summary = AblationRecord.model_validate(json.loads(json.dumps(found), parse_constant=lambda _: None))
    assert summary.arms[1].level == summary.effects[0].level == "1e-05"
    assert tables.changed(summary).rows[0][1:] == ("1", "\N{EN DASH}", "2 (\N{MULTIPLICATION SIGN}\xa02.00)")


# what is said


def test_titles_say_what_the_intervals_allow(tmp_path):
    said = {}
    for name, options in CASES.items():
        report = read_ablation(write_ablation(tmp_path / name, **options))
        said[name] = (ablation_sentences.forest_title(report.summary), ablation_sentences.curves_title(report))
    assert re.fullmatch(r"word lowers the loss by 0\.\d+ and bpe by 0\.\d+ bits per byte", said["plain"][0])
    assert said["plain"][1] == "bpe is lowest at every reading, and no arm has levelled off"
    assert said["one seed"][0] == "One seed an arm: what differs here may be chance"
    assert said["one seed"][1].startswith("With one seed an arm the order of the curves may be chance")
    assert said["unresolved"][0] == "The difference is not resolved: its interval includes zero"
    assert "not told apart" in said["unresolved"][1]


@pytest.mark.parametrize(
    ("fell", "said"),
    [
        ((0.1, None), "the curves are too short to say whether any has levelled off"),
        ((0.1, 0.2), "no arm has levelled off"),
        ((0.0, -0.01), "all arms have levelled off"),
        ((0.0, 0.2), "b still falls at the end"),
    ],
)
def test_curves_level_off_only_where_they_are_long_enough_to_tell(fell, said):
    assert ablation_sentences._ends(dict(zip("ab", fell, strict=True))) == said


def test_several_effects_are_counted_and_open_ones_named(plain):
    summary = AblationRecord.model_validate(json.loads((plain / "summary.json").read_text()))
    word, bpe = summary.effects
    open_one = word.model_copy(update={"resolved": False})
    mixed = summary.model_copy(update={"effects": (open_one, bpe)})
    assert ablation_sentences.forest_title(mixed).endswith("bits per byte; word is not resolved")
    none = summary.model_copy(update={"effects": (open_one, open_one)})
    assert ablation_sentences.forest_title(none) == "No difference is resolved: every interval includes zero"
    many = summary.model_copy(update={"effects": (word, bpe, bpe, open_one)})
    assert ablation_sentences.forest_title(many).startswith(
        "3 of 4 effects are resolved; the largest is of bpe: \N{MINUS SIGN}0."
    )


def test_every_two_arms_are_drawn_where_that_was_asked_for(plain):
    summary = AblationRecord.model_validate(json.loads((plain / "summary.json").read_text()))
    word, bpe = summary.effects
    pair = bpe.model_copy(update={"against": "word", "resolved": False})
    asked = summary.model_copy(update={"pairs": (word, bpe, pair)})
    assert ablation_sentences.pairs_title(asked) == "2 of 3 pairs of arms differ beyond doubt"
    assert ablation_sentences.pairs_title(summary.model_copy(update={"pairs": (pair,)})) == "No two arms are told apart"
    report = read_ablation(plain)
    drawn = plots.ablation_figures(type(report)(report.folder, asked, report.runs))
    assert "bpe against word" in drawn["pairs"].svg
    assert "pairs" not in plots.ablation_figures(report)
    many = asked.model_copy(update={"pairs": (pair,) * 16})  # the table alone shows so many
    assert "pairs" not in plots.ablation_figures(type(report)(report.folder, many, report.runs))


def test_arms_that_lie_close_together_are_not_ranked(plain):
    summary = AblationRecord.model_validate(json.loads((plain / "summary.json").read_text()))
    assert ablation_sentences.told_apart("bpe", "char", summary)
    assert ablation_sentences.told_apart("bpe", "word", summary)
    word, bpe = summary.effects
    near = summary.model_copy(update={"effects": (word, bpe.model_copy(update={"high": word.low + 0.001}))})
    assert not ablation_sentences.told_apart("bpe", "word", near)
    report = read_ablation(plain)
    close = type(report)(report.folder, near, report.runs)
    assert ablation_sentences.curves_title(close).startswith("bpe and word end lowest, not told apart")
    known = near.model_copy(update={"apart": (("word", "bpe"),)})  # what the comparison of all pairs said
    assert ablation_sentences.told_apart("bpe", "word", known)
    assert not ablation_sentences.told_apart("bpe", "word", near.model_copy(update={"apart": ()}))


def test_what_is_not_known_is_said(ablation):
    report = read_ablation(ablation)
    said = " ".join(ablation_limits.limits(report))
    assert "American King James Version" in said
    assert ("each arm was trained once" in said) == (len(report.summary.seeds) == 1)
    assert ("did not finish" in said) == bool(report.summary.failed)
    assert ("gelu has no effect" in said) == (report.summary.axes[0].name == "activation")


@pytest.mark.parametrize("state", ["finished", "failed", "interrupted", "running"])
@pytest.mark.parametrize("alike", [0.5, 0.0, -0.5])
def test_a_runs_verdict_has_at_most_forty_words_and_the_sign_right(tmp_path, state, alike):
    run = read_run(write_run(tmp_path / "run", state=state, alike=alike))
    verdict = run_sentences.run_verdict(run)
    assert len(verdict.split()) <= 40
    assert re.search(r"As reported, it lies 0\.\d+ nats per token below training", verdict)
    gap = run_sentences.matched(run)
    said = "cannot be told apart" if gap.open else " above" if alike > 0 else " below"
    assert said in verdict
    assert said.rsplit(maxsplit=1)[-1] in run_sentences.run_title(run)
    assert gap.open == (alike == 0)


def test_the_gap_measured_alike_adds_half_widths_as_squares(tmp_path):
    run = read_run(write_run(tmp_path / "run"))
    gap = run_sentences.matched(run, "nats")
    assert gap.width == pytest.approx(math.hypot(0.030, 0.031))
    assert str(run_sentences.RunGap(0.021, 0.006)).replace("\xa0", " ") == "+0.021 ± 0.006"


def test_a_gap_whose_sign_depends_on_the_unit_is_explained(tmp_path):
    run = write_run(tmp_path / "run", alike=0.01)
    assert run_sentences.units_disagree(read_run(run)) == ""
    rows = pq.read_table(run / "readings.parquet").to_pylist()
    for row in rows:
        if row["kind"] == "probe" and row["split"] == "val":  # the same nats over more tokens
            row.update({key: row[key] / 1.05 for key in ("loss", "low", "high")}, tokens=int(row["tokens"] * 1.05))
    pq.write_table(pa.Table.from_pylist(rows), run / "readings.parquet")
    said = run_sentences.units_disagree(read_run(run))
    assert re.search(r"In bits per byte the same gap is \+.* more tokens per byte", said)


def test_text_seen_is_given_for_each_arm_where_it_differs(plain):
    summary = AblationRecord.model_validate(json.loads((plain / "summary.json").read_text()))
    assert (
        ablation_sentences.seen(summary).replace("\xa0", " ")
        == "Each run trained on 3.41 MB, 90 % of the training text."
    )
    seen = {"share_of_training_text": 0.2}
    arms = tuple(
        arm.model_copy(update={"derived": arm.derived.model_copy(update=seen | {"text": 1e6 * (i + 1)})})
        for i, arm in enumerate(summary.arms)
    )
    assert "char 1.00" in ablation_sentences.seen(summary.model_copy(update={"arms": arms}))


def test_what_is_held_equal_is_named_with_its_unit(plain):
    summary = AblationRecord.model_validate(json.loads((plain / "summary.json").read_text()))
    held = [
        ablation_sentences.held(summary.model_copy(update={"hold": summary.hold.model_copy(update=values)})).replace(
            "\xa0", " "
        )
        for values in ({}, {"what": "steps", "amount": 30.0, "unit": "steps"}, {"what": "nothing", "amount": 0.0})
    ]
    assert held == ["the text trained on (3.41 MB)", "the number of steps (30 steps)", ""]


# curves


def test_the_leader_is_the_lowest_arm_and_leads_from_the_last_crossing():
    slow = means.MeanCurve((0.0, 1.0, 2.0, 3.0), (8.0, 4.0, 3.0, 2.5))
    late = means.MeanCurve((0.0, 1.0, 2.0, 3.0), (8.5, 5.0, 2.9, 2.0))
    assert means.leader({"slow": slow, "late": late}) == ("late", 2.0)
    assert means.leader({"slow": slow, "worse": means.MeanCurve(slow.text, tuple(y + 1 for y in slow.bits))}) == (
        "slow",
        0.0,
    )
    assert means.leader({"slow": slow}) is None


def test_a_course_is_the_mean_over_finished_runs_alone(hostile):
    report = read_ablation(hostile)
    runs = report.arm("char")
    assert [run.finished for run in runs] == [True, True, False]
    ends = [run.select("probe", "val")[-1].bits for run in runs[:2]]
    assert means.course(runs, "val").last == pytest.approx(np.mean(ends))
    assert means.MeanCurve((0.0, 5.0, 10.0), (3.0, 2.0, 1.0)).still_falling() == pytest.approx(0.4)


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(10, 40)), max_size=7))
def test_labels_keep_their_order_and_never_overlap(items):
    items.sort()
    wanted, heights = [w for w, _ in items], [h for _, h in items]
    tops = figures.spread(wanted, heights, (0, 300))
    assert len(tops) == len(items)
    for (top, height), (following, _) in itertools.pairwise(zip(tops, heights, strict=True)):
        assert following >= top + height - 1e-6
    if sum(heights) <= 300:
        assert all(-1e-6 <= top <= 300 - height + 1e-6 for top, height in zip(tops, heights, strict=True))


def test_labels_that_fit_stay_where_they_are_wanted():
    assert figures.spread([0, 100, 200], [30, 30, 30], (0, 300)) == [0, 100, 200]
    assert figures.spread([100, 100], [30, 30], (0, 300)) == [85, 115]


# drawings


def test_drawing_leaves_no_state_and_takes_none(plain):
    import matplotlib as mpl

    report = read_ablation(plain)
    before = [drawn.svg for drawn in plots.ablation_figures(report).values()]
    with mpl.rc_context({"font.size": 40, "text.usetex": True, "axes.grid": True, "svg.fonttype": "path"}):
        inside = dict(mpl.rcParams)
        assert [drawn.svg for drawn in plots.ablation_figures(report).values()] == before
        assert dict(mpl.rcParams) == inside
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_figures_use_the_pages_colours_and_font_alone(plain):
    css = CSS.read_text()
    for drawn in plots.ablation_figures(read_ablation(plain)).values():
        assert "font-family" not in drawn.svg
        assert "<text" in drawn.svg
        assert not re.search(r"#[0-9a-f]{6}\b", drawn.svg)
        assert "http" not in drawn.svg
        for name in set(re.findall(r"var\((--[\w-]+)\)", drawn.svg)):
            assert f"{name}:" in css


def test_a_long_run_makes_no_large_page(tmp_path):
    run = write_run(tmp_path / "run")
    rows = pq.read_table(run / "readings.parquet").to_pylist()
    probes = [row for row in rows if row["kind"] == "probe"]
    many = [row | {"step": row["step"] + 1000 * (i + 1)} for row in probes for i in range(300)]
    pq.write_table(pa.Table.from_pylist(rows + many), run / "readings.parquet")
    assert render_own(run, tmp_path).stat().st_size < 300_000
    readings = read_run(run).run.select("probe", "val")
    assert means.thin(readings)[-1] == readings[-1]
    assert len(means.thin(readings)) <= means.MOST_POINTS < len(readings)
    assert means.thin(readings[:7]) == readings[:7]


def test_every_interval_and_seed_is_drawn(plain):
    rows = plots.effect_rows(AblationRecord.model_validate(json.loads((plain / "summary.json").read_text())))
    assert all(row.low < row.value < row.high and len(row.points) == 3 for row in rows)
    assert [row.paint for row in rows] == ["arm-0", "arm-1"]


def test_many_arms_and_several_axes_are_drawn(tmp_path):
    folder = write_ablation(tmp_path)
    found = json.loads((folder / "summary.json").read_text())
    base, effect = found["arms"][1], found["effects"][0]
    found["arms"] += [base | {"level": f"word-{i}", "levels": {"tokenizer": f"word-{i}"}} for i in range(8)]
    found["effects"] += [effect | {"level": f"word-{i}"} for i in range(8)]
    found["axes"].append({"name": "masking", "levels": ["none"], "control": "none"})
    for arm in found["arms"]:
        arm["levels"]["masking"] = "none"
    (folder / "summary.json").write_text(json.dumps(found))
    report = read_ablation(folder)
    assert report.summary.control == "char"
    assert set(plots.ablation_figures(report)) == {"forest", "curves"}
    assert plots.paints(report.summary)["word-7"] == "quiet"


# the page


class Page(HTMLParser):
    """Collects a page's elements, and its text outside of `code`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.code = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.code += tag in {"code", "style"}

    def handle_endtag(self, tag):
        self.code -= tag in {"code", "style"}

    def handle_data(self, data):
        if not self.code:
            self.text.append(data)

    def all(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]


@pytest.fixture(scope="module", params=[*CASES, "run", "failed run"])
def page(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    if request.param in CASES:
        return render_own(write_ablation(root / "runs", **CASES[request.param]), root / "reports")
    state = {"state": "failed", "until": 0.5, "hostile": True} if request.param == "failed run" else {}
    return render_own(write_run(root / "runs" / "20261122-150000-word-s0-aaaa", **state), root / "reports")


def test_a_page_is_self_contained(page):
    text = page.read_text()
    found = Page(text)
    assert page.stat().st_size < 1_500_000
    policies = [meta["content"] for meta in found.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in policies[0]
    assert not found.all("script", "img", "iframe", "object", "embed", "form", "base")
    links = [attrs[name] for _, attrs in found.elements for name in ("src", "href", "xlink:href") if name in attrs]
    saved = tuple(f"data:{kind};base64," for kind in ("text/csv", "text/x-tex", "image/svg+xml"))
    assert all(link.startswith(("#", *saved)) or link == "data:," for link in links)
    assert not re.search(r"@import|url\((?!#)", text)
    assert not any(name.startswith("on") for _, attrs in found.elements for name in attrs)


def test_a_page_can_be_read_by_a_screen_reader(page):
    found = Page(page.read_text())
    assert found.all("html")[0]["lang"] == "en"
    assert [len(found.all(tag)) for tag in ("main", "h1", "header", "nav")] == [1, 1, 1, 1]
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert len(found.all("table")) == len(found.all("caption")) == len(found.all("thead"))
    assert all(cell.get("scope") in {"col", "row"} for cell in found.all("th"))
    assert all(svg["role"] == "img" and len(svg["aria-label"].split()) > 5 for svg in found.all("svg"))
    regions = [div for div in found.all("div") if div.get("class") == "scroll"]
    assert len(regions) == len(found.all("table"))
    assert all(div["tabindex"] == "0" and div["role"] == "region" and div["aria-label"] for div in regions)


def test_ids_are_unique_and_every_link_has_its_end(page):
    text = page.read_text()
    ids = re.findall(r'<[^>]* id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    ends = re.findall(r'href="#([^"]*)"', text) + re.findall(r"url\(#([^)]*)\)", text)
    assert set(ends) <= set(ids)


def test_every_word_that_is_linked_is_in_the_guide_and_none_is_carried_in_vain(page):
    text = page.read_text()
    linked = set(re.findall(r'href="#word-([^"]*)"', text))
    assert linked <= set(GUIDE)
    assert linked <= set(re.findall(r'id="word-([^"]*)"', text))


def test_prose_holds_no_scientific_notation_and_true_minus_signs(page):
    text = " ".join(Page(page.read_text()).text)
    assert not re.search(r"\d[eE][+-]?\d", re.sub(r"⟨U\+[0-9A-F]+⟩|[0-9]{8}-\S+", "", text))
    assert not re.search(r"(?<![\w\d-])-\d", text)
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_the_same_records_give_the_same_bytes(plain, tmp_path):
    first = render_own(plain, tmp_path / "a")
    assert first.name == f"{plain.name}.html"
    code = (
        "import sys; from pathlib import Path; from diagnose.report.page import render_own;"
        "render_own(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    env = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", code, plain, tmp_path / "b.html"], check=True, env=env)
    assert first.read_bytes() == (tmp_path / "b.html").read_bytes()


def test_hostile_text_is_shown_and_does_nothing(hostile, tmp_path):
    bad = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202e$x^2$'
    found = json.loads((hostile / "summary.json").read_text())
    for arm in found["arms"][1:2]:
        arm["level"] = bad
        arm["derived"]["<b>"] = bad
    found["effects"][0] |= {"level": bad, "sentence": bad, "resolved": False}
    found |= {"verdict": bad, "name": bad, "command": bad + "\x00", "recipe": "</code>" + bad, "created": bad}
    found["axes"][0] |= {"what": bad, "trap": bad}
    found["changed"][0] |= {"what": bad, "unit": bad}
    found["corpus"] = found["corpus"] | {"title": bad}
    folder = hostile.with_name("hostile")
    folder.mkdir()
    (folder / "summary.json").write_text(json.dumps(found))
    text = render_own(folder, tmp_path).read_text()
    page = Page(text)
    assert not page.all("script", "img", "b")
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert "\u202e" not in text
    assert "\x00" not in text
    assert "⟨U+202E⟩" in text
    assert "{{ 7 * 7 }}" in text  # of a sample: no template inside a template
    assert page.text.count("caught") == 0
    assert "<bdi>" in text


def test_failed_runs_and_single_seeds_are_shown(page):
    text = page.read_text()
    if "1\xa0run did not finish" in text:
        assert LOST in text
        assert "a cross ends a run that failed" in text
    if "One seed." in text:
        assert "without intervals" in text
        assert " ± " not in " ".join(Page(text).text)


def test_runs_whose_arm_fell_out_are_shown_too(tmp_path):
    folder = write_ablation(tmp_path, failed=True)
    found = json.loads((folder / "summary.json").read_text())
    lost = {"run": found["arms"][2]["runs"][0], "level": "bpe", "seed": 0, "why": "it diverged"}
    found |= {"arms": found["arms"][:2], "effects": found["effects"][:1], "failed": [lost]}
    (folder / "summary.json").write_text(json.dumps(found))
    report = read_ablation(folder)
    assert [run.name for run in report.arm("bpe")] == [lost["run"]]
    assert "did not finish" in plots.ablation_figures(report)["curves"].svg


def test_a_page_that_cannot_be_written_is_one_line_and_leaves_nothing(plain, tmp_path):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(DiagnoseError, match=r"the page cannot be written to .*reports"):
        render_own(plain, tmp_path / "reports")
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]


def test_a_page_is_made_without_the_heavy_imports(plain, tmp_path):
    code = (
        "import sys; from pathlib import Path; from diagnose.report.page import render_own;"
        "render_own(Path(sys.argv[1]), Path(sys.argv[2]));"
        "print(*{'torch', 'seaborn', 'pandas', 'scipy', 'matplotlib.pyplot'} & set(sys.modules))"
    )
    made = subprocess.run([sys.executable, "-c", code, plain, tmp_path], check=True, capture_output=True, text=True)
    assert made.stdout.strip() == ""


# colours


def _schemes() -> dict[str, dict[str, str]]:
    css = CSS.read_text()
    light = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", css.split("@media", 1)[0]))
    dark = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", css.split("@media", 2)[1]))
    assert light.keys() == dark.keys()
    return {"light": light, "dark": dark}


def _linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _contrast(one: str, other: str) -> float:
    low, high = sorted(float(_linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme):
    colours = _schemes()[scheme]
    assert {f"--{name}" for name in canvas.PAINT} <= set(colours)
    for ground, texts in {
        "--paper": ["--ink", "--quiet", "--link", *(f"--arm-{i}" for i in range(canvas.ARMS))],
        "--raised": ["--ink", "--quiet", *(f"--arm-{i}" for i in range(canvas.ARMS))],
        "--alert": ["--ink"],
        "--band": ["--ink", "--quiet"],
    }.items():
        for text in texts:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for name in canvas.PAINT:
        if name.startswith("arm"):  # marks on the band of equal arms
            assert _contrast(colours[f"--{name}"], colours["--band"]) >= 3, name


# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB
VISIONS = {
    "full": np.eye(3),
    "protan": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    "deutan": np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    "tritan": np.array([[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
}


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(linear, 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_arms_can_be_told_apart_by_all_eyes(scheme, vision):
    colours = _schemes()[scheme]
    names = ["--ink", *(f"--arm-{i}" for i in range(canvas.ARMS))]
    seen = {name: _lab(VISIONS[vision] @ _linear(colours[name])) for name in names}
    for one, other in itertools.combinations(names, 2):
        few = max(names.index(one), names.index(other)) <= 3
        assert np.linalg.norm(seen[one] - seen[other]) >= (17 if few else 12), (one, other)


# the terminal


def _printed(what, width=130, **options) -> str:
    target = io.StringIO()
    Console(file=target, width=width, **options).print(what)
    return target.getvalue()


@pytest.mark.parametrize("width", [50, 80, 130])
def test_the_terminal_shows_the_verdict_and_rows_in_a_hundred_columns(ablation, width):
    found = json.loads((ablation / "summary.json").read_text())
    text = _printed(rows(own_report(ablation)), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= min(width, 100)
    assert len(lines) <= 24
    assert " ".join(found["verdict"].split()) in " ".join(text.split())
    assert "\x1b" not in text
    for row in plots.effect_rows(AblationRecord.model_validate(found)):
        assert any(row.name in line and row.figure in line for line in lines)
    assert ("did not finish" in text) == bool(found["failed"])


def test_bars_lie_on_the_side_of_their_sign_and_cross_zero_where_open(ablation):
    found = json.loads((ablation / "summary.json").read_text())
    text = _printed(rows(own_report(ablation)), 100)
    row = next(line for line in text.splitlines() if line.startswith(f"  {found['effects'][-1]['level']} "))
    if found["effects"][-1]["resolved"]:
        assert row.index("◆") < row.index("█") < row.index("│")
    elif found["noise"]:
        assert "┼" in row
        assert "█" not in row


def test_colour_is_for_terminals_that_want_it(plain, monkeypatch):
    found = rows(own_report(plain))
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in _printed(found, force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    quiet = _printed(found, force_terminal=True)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", quiet)


def test_a_terminal_without_unicode_gets_plain_bars(plain):
    target = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    Console(file=target, width=100).print(rows(own_report(plain)))
    target.seek(0)
    assert re.search(r"\[-*o-*\]=+\|", target.read())


def test_a_runs_rows(tmp_path):
    text = _printed(rows(own_report(write_run(tmp_path / "run"))))
    assert max(map(len, text.splitlines())) <= 100
    assert [name for name in ("as reported", "matched", "whole validation text") if name in text] == [
        "as reported",
        "matched",
        "whole validation text",
    ]
    assert "bits per byte" in text


def keep_yardsticks(run, *rows, sampled=False):
    rows = [{"name": name, "family": "compressor", "bits_per_byte": bits} for name, bits in rows]
    (run / "yardsticks.json").write_text(json.dumps({"format": 1, "sampled": sampled, "yardsticks": rows}))
    return run


def test_a_run_stands_among_yardsticks_of_its_text(tmp_path):
    """Its place is said on its page and in the terminal, and nothing is said where an older version kept none."""
    run = write_run(tmp_path / "runs" / "20261122-150000-word-s0-aaaa")
    assert 'id="scale"' not in render_own(run, tmp_path).read_text()
    bits = baseline_rows.losses(read_run(run))[0][1]
    keep_yardsticks(run, ("gzip<script>", bits + 0.31), ("xz", bits - 0.12), ("PPMd", bits - 0.3), sampled=True)
    page = render_own(run, tmp_path).read_text()
    assert "It lies between gzip&lt;script&gt; and xz" in page
    assert "gzip<script>" not in page
    assert "0.31 better than gzip" in page
    assert "0.12 worse than xz. The best yardstick, PPMd, needs" in page
    assert "measured on a part of it" in page
    assert "too good to be true" not in page
    assert "0.12 worse than xz" in _printed(rows(own_report(run)))
    found = baseline_rows.record(read_run(run))
    assert (found["below"]["name"], found["best"]["name"], found["checks"]) == ("xz", "PPMd", [])


def test_a_loss_below_every_yardstick_is_too_good_to_be_true(tmp_path):
    run = write_run(tmp_path / "runs" / "20261122-150000-word-s0-aaaa")
    bits = baseline_rows.losses(read_run(run))[0][1]
    keep_yardsticks(run, ("xz", bits * 2.5), ("PPMd", bits * 2))
    page = render_own(run, tmp_path).read_text()
    assert "This loss is too good to be true" in page
    assert "PPMd, the best yardstick of it" in page
    assert page.index("does training hold the validation text") < page.index("is every byte paid for")
    assert len(baseline_rows.record(read_run(run))["checks"]) == 5


def test_spoilt_yardsticks_are_one_line_that_names_the_file(tmp_path):
    run = write_run(tmp_path / "runs" / "20261122-150000-word-s0-aaaa")
    keep_yardsticks(run, ("xz", "<b>"))
    with pytest.raises(DiagnoseError, match=r"yardsticks\.json"):
        render_own(run, tmp_path)


def test_foreign_text_does_not_reach_the_terminal(tmp_path):
    folder = write_ablation(tmp_path)
    change(folder, verdict="\x1b[2J[bold]gone[/bold]\u202e")
    text = _printed(rows(own_report(folder)))
    assert "⟨U+001B⟩[2J[bold]gone[/bold]⟨U+202E⟩" in text

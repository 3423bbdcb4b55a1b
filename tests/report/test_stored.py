"""`load`: what a run or an ablation left behind, as a page and as tables."""

import pytest
from report_fixture import write_ablation, write_run

from diagnose import DiagnoseError, load


def test_an_ablation_gives_its_words_its_page_and_its_tables(tmp_path):
    ablation = load(write_ablation(tmp_path / "runs"))
    assert ablation.verdict in str(ablation).replace("\n", " ").replace("  ", " ") or ablation.verdict[:40] in str(
        ablation
    )
    assert "<iframe" in ablation._repr_html_()
    effects, runs = ablation.to_frame(), ablation.runs
    assert "..." not in repr(effects)
    assert "not shown, for they hold sentences: sentence" in repr(effects)
    assert list(effects.level) == [one["level"] for one in ablation.record["effects"]]
    assert (effects.high >= effects.value).all()
    control = ablation.record["arms"][0]
    mine = runs[runs.arm == control["level"]]
    assert list(mine.bits_per_byte) == control["per_seed"]
    assert list(mine.seed) == ablation.record["seeds"]
    assert set(ablation.curves.arm) == set(runs.arm)
    assert ablation.to_html(tmp_path / "page.html").exists()


def test_a_run_gives_its_steps_and_losses(tmp_path):
    run = load(write_run(tmp_path / "runs" / "one"))
    assert run.verdict
    assert run.record["status"]["state"] == "finished"
    assert {"kind", "split", "loss"} <= set(run.to_frame())
    assert run.steps.step.is_monotonic_increasing
    assert repr(run).startswith("StoredRun(one: ")


def test_what_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DiagnoseError, match="nowhere"):
        load("nowhere")

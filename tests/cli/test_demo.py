"""`diagnose demo`: both pages are made, by real training, and the loop that it leaves runs by itself."""

import json
import subprocess
import sys

import pytest

from diagnose.cli import demo, demo_loop


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(demo, "EVERY", 200)
    monkeypatch.setattr(demo, "SMALL", demo.SMALL | {"budget.text": 6_000, "model.layers": 1})
    monkeypatch.setattr(demo_loop, "EPOCHS", 1)


@pytest.mark.trains
def test_the_demo_leaves_two_pages_and_a_loop_that_runs(short, diagnose, tmp_path):
    _, out, err = diagnose("demo", "here", "--json")
    record = json.loads(out)
    loop, ablation = record["pages"]
    assert "training loss" in err
    assert record["verdicts"][0].split(" because")[0] in (tmp_path / loop).read_text(encoding="utf-8")
    assert "--data verses.txt" in (tmp_path / ablation).read_text(encoding="utf-8")
    assert "word is" in record["verdicts"][1]
    alone = subprocess.run(
        [sys.executable, "loop.py"], cwd=tmp_path / "here", capture_output=True, text=True, check=True
    )
    assert alone.stdout.startswith("training loss")
    assert (tmp_path / "here" / "gap.html").exists()


def test_a_folder_that_cannot_be_written_is_told_in_a_line(diagnose, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = diagnose("demo", "file")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "verses.txt" in err


def test_a_loop_that_was_changed_is_not_overwritten(diagnose, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "loop.py").write_text("print('mine')")
    code, out, err = diagnose("demo", "mine")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "give another folder" in err
    assert (tmp_path / "mine" / "loop.py").read_text() == "print('mine')"

"""The examples run as they stand, name what they are about, and leave a page."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = ("plain_loop", "lightning_module", "huggingface_trainer")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_ends_with_a_page(name, tmp_path):
    if name != "plain_loop":
        pytest.importorskip(name.partition("_")[0].replace("huggingface", "transformers"))
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Validation lies" in run.stdout
    assert "dropout" in run.stdout
    assert "Replaying the run does not give" not in run.stdout
    page = tmp_path / run.stdout.strip().splitlines()[-1]
    assert page.read_text(encoding="utf-8").count("<svg") >= 1


def test_the_example_of_scores_ends_with_a_page(tmp_path):
    command = [sys.executable, str(EXAMPLES / "compared_scores.py")]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "better" in run.stdout
    assert "width 16" in run.stdout
    assert (tmp_path / "compared.html").read_text(encoding="utf-8").count("<svg") >= 2

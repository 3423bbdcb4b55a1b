"""The examples run as they stand, name what they are about, and leave a page."""

from pathlib import Path

import pytest
from command_fixture import diagnose

EXAMPLES = Path(__file__).parent.parent / "examples"
LIBRARIES = ("lightning_module", "huggingface_trainer")  # `make commands`; their callbacks have tests of their own


@pytest.mark.parametrize("name", ["plain_loop", *(pytest.param(name, marks=pytest.mark.slow) for name in LIBRARIES)])
def test_an_example_ends_with_a_page(name, tmp_path):
    if name != "plain_loop":
        pytest.importorskip(name.partition("_")[0].replace("huggingface", "transformers"))
    run = diagnose(tmp_path, script=EXAMPLES / f"{name}.py", timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "Validation lies" in run.stdout
    assert "dropout" in run.stdout
    assert "Replaying the run does not give" not in run.stdout
    page = tmp_path / run.stdout.strip().splitlines()[-1]
    assert page.read_text(encoding="utf-8").count("<svg") >= 1


def test_the_example_of_scores_ends_with_a_page(tmp_path):
    run = diagnose(tmp_path, script=EXAMPLES / "compared_scores.py", timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "better" in run.stdout
    assert "width 16" in run.stdout
    assert (tmp_path / "compared.html").read_text(encoding="utf-8").count("<svg") >= 2


def test_the_example_of_an_audit_finds_both_faults_and_its_guide_holds_its_lines(tmp_path):
    script = EXAMPLES / "audited_metric.py"
    run = diagnose(tmp_path, script=script, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    guide = (EXAMPLES.parent / "docs" / "how-to" / "audit.md").read_text(encoding="utf-8")
    assert run.stdout.splitlines()[0] in guide
    assert "error dropout-on" in run.stdout
    assert "20.0% of the validation samples are training samples too" in run.stdout
    assert (tmp_path / "audit.html").exists()
    shown = guide.split("```python\n")[1].split("```")[0].splitlines()[:-1]
    assert set(shown) <= set(script.read_text(encoding="utf-8").splitlines())

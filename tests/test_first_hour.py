"""The first hour of a newcomer, step by step as docs/first-hour.md shows it (`diagnose demo` has a test of its own)."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from first_hour import PAGE, STEPS, prepare, run  # noqa: E402

pytestmark = pytest.mark.trains


def steps():
    """Return them; the ablation, whose every run imports torch, and what draws it are for `make commands`."""
    slow = {"An ablation of your own command", "Out to a paper"}  # tests/commands shows the same of cheaper scripts
    return [
        pytest.param(one, id=one.title, marks=[pytest.mark.slow] if one.title in slow else [])
        for one in STEPS if one.title != "See it"
    ]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("hour")
    prepare(place)
    return place


@pytest.mark.parametrize("step", steps())
def test_a_step_ends_as_the_page_says(step, folder):
    printed, _ = run(step, folder)
    assert printed
    assert not step.page or next(folder.glob(step.page)).stat().st_size > 5_000


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_the_page_shows_the_step_as_it_is_run(step):
    text = PAGE.read_text(encoding="utf-8")
    assert f"```bash\n{step.command}\n```" in text
    assert all(f'```python title="{name}"\n{content}```' in text for name, content in step.files)

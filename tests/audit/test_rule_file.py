"""A rule is one file: what lies beside the others is judged in every audit, explained and shown in its own words."""

import html
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F
from typer.testing import CliRunner

from diagnose import Side, audit_metric
from diagnose.audit import findings
from diagnose.audit import rules as package
from diagnose.cli import app
from diagnose.errors import DiagnoseError
from diagnose.glossary import catalogue

ALL_ALIKE = '''
"""Do a side's labels say anything?"""

from diagnose.audit.findings import TEXT, Rule

RULES = (Rule(
    "labels-alike", TEXT, 75, "warning", "labels are not all alike", "look at how labels are read",
    "Where all labels are one, a constant guess has no loss, and neither side says anything of the network.",
    not_of_runs="the targets of text are its own tokens",
),)


def judge_sides(audit, sides):
    labels = {int(label) for _, targets in sides.batches for label in targets}
    if len(labels) == 1:
        audit.breaks("labels-alike", f"all labels of validation are {labels.pop()}", batches=len(sides.batches))
    else:
        audit.keeps("labels-alike", classes=len(labels))
'''


@pytest.fixture
def labels_alike(tmp_path, monkeypatch):
    """Lay a file with a further rule beside ours."""
    (tmp_path / "labels_alike.py").write_text(ALL_ALIKE)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    caches = (findings._files, findings.known, catalogue.entries)
    for cache in caches:
        cache.cache_clear()
    yield
    sys.modules.pop(f"{package.__name__}.labels_alike", None)
    for cache in caches:
        cache.cache_clear()


def audited(labels):
    torch.manual_seed(0)
    batches = [(torch.randn(8, 4), torch.full((8,), labels) if labels else torch.arange(8) % 3) for _ in range(3)]
    return audit_metric(torch.nn.Linear(4, 3), None, Side(batches, lambda m, b: F.cross_entropy(m(b[0]), b[1])))


def test_a_file_more_is_a_rule_more(labels_alike):
    assert list(findings.known())[-9:-6] == ["labels-unrelated", "labels-alike", "inputs-unlike"]
    broken = next(found for found in audited(2).found.findings if found.rule == "labels-alike")
    assert (broken.what, broken.severity, broken.measured) == (
        "all labels of validation are 2",
        "warning",
        {"batches": 3},
    )
    assert broken.fix == "look at how labels are read"
    kept = audited(0)
    assert "labels-alike" in kept.checked
    assert "of 35 rules were judged" in kept.verdict


def test_its_words_are_explained_and_on_the_page(labels_alike, tmp_path):
    entry = catalogue.find("labels-alike")
    assert (entry.id, entry.short) == ("audit/labels-alike", "A rule of the audit: labels are not all alike.")
    shown = CliRunner().invoke(app, ["explain", "audit/labels-alike"])
    assert shown.exit_code == 0
    assert "a constant guess has no loss" in " ".join(shown.stdout.split())
    page = html.unescape(audited(2).to_html(tmp_path / "audit.html").read_text(encoding="utf-8"))
    assert "labels-alike" in page
    assert "a constant guess has no loss" in page


def test_without_the_file_there_is_no_such_rule():
    assert len(findings.known()) == 34
    with pytest.raises(DiagnoseError, match="labels-alike"):
        catalogue.find("labels-alike")


def test_words_are_read_without_torch():
    code = "import sys; from diagnose.audit.findings import known; print(len(known()), 'torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "34 False\n"
    )

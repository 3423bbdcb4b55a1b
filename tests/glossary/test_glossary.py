"""The field guide: every term, cause, axis and rule has an entry, figures are those measured, asking is safe."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

from diagnose.ablation.axes import NAMED
from diagnose.audit.findings import known
from diagnose.errors import DiagnoseError
from diagnose.gap.gap_rules import RULES
from diagnose.gap.term_kinds import GROUPS, KIND
from diagnose.glossary import catalogue
from diagnose.glossary import entries as files
from diagnose.report.glossary_notes import GUIDE, TERMS

ROOT = Path(__file__).parent.parent.parent
ENTRIES = catalogue.entries()
HOSTILE = ["\x1b[31mred", "<script>", "\u202eabc", "../../etc/passwd", "x" * 5000, "", " ", "--", "\ud800", "a\nb"]


def script(name):
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(ROOT / "tools"))


def test_all_that_a_page_or_a_finding_names_has_an_entry():
    rules = [rule.id for rule in RULES]
    axes = [f"axis/{name}" for name in NAMED]
    asked = [*TERMS, *KIND, *GROUPS, *GUIDE, *axes, *rules]
    assert [name for name in asked if name not in ENTRIES] == []


def test_every_finding_of_a_log_has_an_entry():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "diagnose" / "logs").glob("*.py")]
    found = {name for text in sources for name in re.findall(r'finding\(\s*"([a-z-]+)"', text)}
    assert [name for name in found if f"log/{name}" not in ENTRIES] == []


def test_every_rule_of_an_audit_has_an_entry():
    table = known()
    assert [name for name in table if f"audit/{name}" not in ENTRIES] == []
    assert all(table[name].why in str(ENTRIES[f"audit/{name}"].sections) for name in table)


def test_links_between_entries_lead_somewhere():
    for entry in ENTRIES.values():
        linked = [*entry.see, *entry.rules, *([entry.part_of] if entry.part_of else [])]
        late = {name for name in linked if name.startswith("audit/")}  # of a room that may not be there yet
        assert [name for name in linked if name not in ENTRIES and name not in late] == [], entry.id
        for target in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", "\n".join(text for _, text in entry.sections)):
            assert (ROOT / "diagnose/glossary/entries" / target).exists(), (entry.id, target)


def test_a_gap_rule_leads_to_a_term_or_a_cause():
    for rule in RULES:
        kinds = {ENTRIES[name].kind for name in ENTRIES[rule.id].see}
        assert kinds & {"term", "cause"}, rule.id


def test_an_entry_says_what_it_is_how_large_how_to_tell_and_what_to_do():
    for entry in ENTRIES.values():
        if entry.kind in ("term", "cause"):
            headings = [heading for heading, _ in entry.sections]
            assert headings == ["How large it is", "How to recognise it", "What to do"], entry.id
            assert "```bash" in entry.sections[0][1], f"{entry.id}: no command that measured it"
            assert (ROOT / "docs/img/guide" / entry.picture).exists(), entry.id


def test_figures_are_those_that_were_measured():
    guide = script("guide")
    found = json.loads(guide.KEPT.read_text(encoding="utf-8"))
    assert set(found) == {*guide.CASES, *guide.OF_GALLERY}
    for case in found.values():
        total = sum(term["value"] or 0.0 for term in case["terms"])
        assert total == pytest.approx(case["gap"], abs=1e-9)
    for entry in files.written().values():
        if entry.kind in ("term", "cause"):
            text = (guide.ENTRIES / f"{entry.id}.md").read_text(encoding="utf-8")
            assert guide.filled(entry, text, found) == text, f"{entry.id}: run `python tools/guide.py`"


def test_the_table_of_contents_is_up_to_date():
    page = (ROOT / "docs" / "field-guide.md").read_text(encoding="utf-8")
    assert script("guide_pages").contents() == page, "run `python tools/guide_pages.py`"


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_explain_prints_every_entry_within_its_columns(name, monkeypatch, capsys):
    out = explained([name], monkeypatch, capsys)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in out
    assert not re.search(r"\]\(|<!--|\{\w+\}", out), name


def explained(words, monkeypatch, capsys):
    from diagnose import __main__ as command

    monkeypatch.setattr(sys, "argv", ["diagnose", "explain", *words])
    with pytest.raises(SystemExit) as ended:
        command.main()
    said = capsys.readouterr()
    if ended.value.code == 0:
        return said.out
    assert ended.value.code == 2
    assert said.out == ""
    return said.err


def test_explain_lists_all_and_finds_by_bare_name(monkeypatch, capsys):
    out = explained([], monkeypatch, capsys)
    assert all(re.search(rf"^  {re.escape(name)} ", out, re.MULTILINE) for name in ENTRIES)
    assert catalogue.find("leaking-split").id == "gap/leaking-split"
    assert catalogue.find("Bits per byte").id == "bits-per-byte"
    assert catalogue.find("dropout").kind == "cause"
    assert catalogue.find("axis/dropout").kind == "axis"


def test_explain_gives_one_object_to_programs(monkeypatch, capsys):
    found = json.loads(explained(["dropout", "--json"], monkeypatch, capsys))
    assert list(found)[:3] == ["format", "id", "kind"]
    assert found["part_of"] == "mode"
    everything = json.loads(explained(["--json"], monkeypatch, capsys))
    assert [one["id"] for one in everything["entries"]] == list(ENTRIES)


def test_an_unknown_name_gets_the_nearest(monkeypatch, capsys):
    assert "did you mean 'dropout'?" in explained(["droput"], monkeypatch, capsys)
    assert "did you mean 'gap/leaking-split'?" in explained(["leaking-splits"], monkeypatch, capsys)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_told_in_one_inert_line(name):
    with pytest.raises(DiagnoseError) as told:
        catalogue.find(name)
    line = str(told.value)
    assert "\n" not in line
    assert len(line) < 300
    assert not set(line) & set("\x1b\u202e\ud800")


def test_a_broken_entry_is_our_mistake_and_says_where():
    with pytest.raises(ValueError, match="broken: an entry begins with a head"):
        files.parse("broken", "# no head\n\ntext")
    with pytest.raises(ValueError, match="has a title"):
        files.parse("broken", "---\nkind: word\n---\nno title")

"""The index of a folder of pages: what it lists, in which order, and what it does with files that are none of ours."""

import json
import re

import pytest
from report_fixture import write_ablation, write_run
from typer.testing import CliRunner

from diagnose.errors import DiagnoseError
from diagnose.report.index import entries, render_index
from diagnose.report.page import render_own


@pytest.fixture
def pages(tmp_path):
    out = tmp_path / "reports"
    render_own(write_ablation(tmp_path / "runs", hostile=True), out)
    for name in ("20261122-150000-word-s0-aaaa", "20270101-000000-word-s1-bbbb"):
        render_own(write_run(tmp_path / "other" / name), out)
    (out / "notes.html").write_text("<title>mine</title><h1>Not a page of ours</h1>")
    (out / "broken.html").write_bytes(b"\xff\xfe<h1 id=verdict>")
    return out


def test_pages_are_listed_newest_first_with_their_verdicts(pages):
    found = entries(pages)
    assert [entry.kind for entry in found] == ["run", "run", "ablation"]
    assert found[0].href == "20270101-000000-word-s1-bbbb.html"
    assert found[0].about.startswith("20270101-000000-word-s1-bbbb · ")
    text = render_index(pages).read_text(encoding="utf-8")
    assert text.index("20270101-000000") < text.index("20261122-150000")
    for entry in found:
        own = (pages / entry.href).read_text(encoding="utf-8")
        said = re.search(r'<h1 id="verdict"><bdi>(.*?)</bdi>', own)[1]
        assert " ".join(said.split()) in text
        assert f'href="{entry.href}"' in text
    assert "Not a page of ours" not in text
    assert render_index(pages).read_text(encoding="utf-8") == text  # it does not list itself


def test_pages_can_be_filtered_and_are_shown_in_small(pages):
    found = entries(pages)
    assert {entry.values[0] for entry in found} == {"run", "ablation"}
    assert next(entry for entry in found if entry.kind == "ablation").values[2]
    text = render_index(pages).read_text(encoding="utf-8")
    assert ".index:has(#filter-kind-1:checked) li:not(.kind-1) { display: none; }" in text
    assert text.count('<li class="kind-2 ') == 2  # the runs
    assert text.count('<img src="data:image/svg+xml;base64,') == 3


def test_each_kind_of_page_says_what_it_is_of(tmp_path):
    out = tmp_path / "reports"
    render_own(write_run(tmp_path / "runs" / "20261122-150000-word-s0-aaaa"), out)
    page = next(out.glob("*.html")).read_text(encoding="utf-8")
    run, corpus, _ = re.findall(r"<bdi>(.*?)</bdi>", re.search(r'<p class="identity">(.*?)</p>', page)[1])
    shown = re.search("<title>.*?</title>", page)[0]

    def leave(name, title, *line):
        identity = "&nbsp;· ".join(f"<bdi>{part}</bdi>" for part in line)
        of_page = re.sub(r'(<p class="identity">).*?(</p>)', rf"\g<1>{identity}\g<2>", page)
        (out / f"{name}.html").write_text(of_page.replace(shown, f"<title>{title}</title>"), encoding="utf-8")

    leave("mine", "Audit", "audit")
    leave("loop", "Loss gap", "loss gap")
    leave("of-run", "Audit of r", run, corpus, "29 Nov 2026")
    leave("log-a", "Log a.txt", "log a.txt", "text", "5 pairs")
    leave("compare-a", "What method changes", "comparison of a.csv", "6 rows", "29 Nov 2026")
    leave("own", "What lr changes", "ablation 20261129-ablate-lr", "6 runs", "29 Nov 2026")
    found = {entry.href.removesuffix(".html"): entry for entry in entries(out)}
    told = {name: (entry.kind, entry.values[1]) for name, entry in found.items() if not name.startswith("2026")}
    text = corpus.rpartition(", ")[0]
    assert told == {
        "mine": ("audit", ""), "loop": ("loss gap", ""), "of-run": ("audit", text), "log-a": ("log", ""),
        "compare-a": ("comparison", ""), "own": ("ablation", ""),
    }  # fmt: skip
    assert [found[name].about for name in ("mine", "loop", "log-a")] == ["mine", "loop", "a.txt · text"]


def test_hostile_text_does_nothing(pages):
    path = pages / next(entry.href for entry in entries(pages) if entry.kind == "ablation")
    page = path.read_text(encoding="utf-8")
    hostile = "&lt;script&gt;alert(1)&lt;/script&gt;"
    path.write_text(re.sub(r'(<h1 id="verdict"><bdi>)', rf"\g<1>{hostile}", page), encoding="utf-8")
    text = render_index(pages).read_text(encoding="utf-8")
    assert hostile in text
    assert "<script" not in text


def test_from_the_command_line(pages):
    from diagnose.cli import app

    shown = CliRunner().invoke(app, ["report", "--index", "--out", str(pages), "--json"])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout) == {"format": 1, "pages": [], "index": str(pages / "index.html")}
    nothing = CliRunner().invoke(app, ["report"])
    assert isinstance(nothing.exception, DiagnoseError)
    assert "or give --index" in str(nothing.exception)


def test_a_folder_without_pages_is_told_in_one_line(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DiagnoseError, match="holds no pages"):
            render_index(folder)

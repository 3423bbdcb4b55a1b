"""Figures and tables out of a page: what they hold is what the page says, in forms that others read."""

import csv
import html as markup
import io
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from report_fixture import write_ablation, write_run
from typer.testing import CliRunner

from diagnose.cli import app
from diagnose.report import exports, page
from diagnose.report.blocks import Report, Section, TextTable
from diagnose.report.page import own_report


@pytest.fixture(scope="module")
def ablation(tmp_path_factory):
    return write_ablation(tmp_path_factory.mktemp("runs"))


def table(*rows, head=("name", "loss"), caption="Losses"):
    return TextTable(caption=caption, head=head, rows=rows)


def test_every_table_of_the_page_is_written(ablation, tmp_path):
    report = own_report(ablation)
    found = exports.write_tables(report, tmp_path / "new", "it")
    assert [path.suffix for path in found] == [".csv", ".tex"] * len(exports.tables_of(report))
    for path, one in zip(found[::2], exports.tables_of(report), strict=True):
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8"))))
        assert len(rows) == 1 + len(one.rows)
        assert {len(row) for row in rows} == {len(one.head)}


def test_figures_are_files_of_their_own_in_the_page_s_colours(ablation, tmp_path):
    found = exports.write_figures(own_report(ablation), tmp_path, "it")
    assert {path.suffix for path in found} == {".svg", ".png", ".pdf"}
    begins = {".svg": b"<?xml", ".png": b"\x89PNG\r\n", ".pdf": b"%PDF"}
    for path in found:
        assert path.read_bytes().startswith(begins[path.suffix])
    for path in (path for path in found if path.suffix == ".svg"):
        drawn = path.read_text("utf-8")
        assert "#0d0e" not in drawn  # what stands for the page's variables
        assert "var(--" not in drawn
        assert "#1b1f24" in drawn or "#5b626b" in drawn


def test_a_page_links_to_the_pictures_that_were_written_with_it(ablation, tmp_path):
    pictures, out = tmp_path / "a paper's" / "figures", tmp_path / "pages"
    written = exports.write(ablation, pictures, None)
    (own, *_) = page.render(ablation, out, pictures)
    links = re.findall(r'href="([^"]*[.](?:png|pdf))"', own.read_text("utf-8"))
    found = {(out / unquote(markup.unescape(link))).resolve() for link in links}
    assert found == {path for path in written if path.suffix in {".png", ".pdf"}}
    (plain, *_) = page.render(ablation, out)
    assert ".png" not in plain.read_text("utf-8")


def test_a_page_after_an_export_is_the_same(ablation, tmp_path):
    from diagnose.report import html

    before = html.page_of(own_report(ablation))
    first = exports.write_figures(own_report(ablation), tmp_path / "one", "it")
    again = exports.write_figures(own_report(ablation), tmp_path / "two", "it")
    assert html.page_of(own_report(ablation)) == before
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("@SUM(A1)", "'@SUM(A1)"), ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("+0.012\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.003", "+0.012 ± 0.003"),
        ("\N{MINUS SIGN}0.131", "-0.131"), ("a,b", "a,b"), ("1e-5", "1e-5"),
        ("\N{MINUS SIGN}1.2\N{MULTIPLICATION SIGN}10⁻¹⁰ ± 4\N{MULTIPLICATION SIGN}10⁻¹¹", "-1.2e-10 ± 4e-11"),
        ("m²", "m²"),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(cell, shown):
    (_, row) = csv.reader(io.StringIO(exports.csv_of(table(("arm", cell)))))
    assert row == ["arm", shown]


def test_a_power_of_ten_is_latex():
    assert r"4$\times$10$^{-}$$^{1}$$^{1}$" in exports.latex_of(table(("a", "4\N{MULTIPLICATION SIGN}10⁻¹¹")))


def test_foreign_text_is_no_latex():
    text = exports.latex_of(table((r"\input{/etc/passwd} $x_1$ 5% & #", "\N{MINUS SIGN}0.1 ± 0.2")))
    assert r"\textbackslash{}input\{/etc/passwd\} \$x\_1\$ 5\% \& \#" in text
    assert r"$-$0.1 $\pm$ 0.2" in text
    body = re.search(r"\\midrule\n(.*)\n\\bottomrule", text, re.DOTALL)
    assert body
    assert len(re.findall(r"(?<!\\)&", body[1])) == 1


def test_a_table_that_stands_twice_is_written_once(tmp_path):
    one = table(("a", "1"))
    report = Report("t", (), "v", sections=(Section("s", "", "s", (one, one, table(("b", "2"), caption="Other"))),))
    names = [path.name for path in exports.write_tables(report, tmp_path, "it") if path.suffix == ".csv"]
    assert names == ["it-table-1-losses.csv", "it-table-2-other.csv"]


def test_the_command_names_what_it_wrote(tmp_path, monkeypatch):
    run = write_run(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["report", str(run), "--figures", "figures", "--tables", "tables"])
    assert said.exit_code == 0
    written = [Path(line) for line in said.output.splitlines()[1:]]
    assert written
    assert all(path.exists() for path in written)
    assert {path.parent.name for path in written} == {"figures", "tables"}


def test_a_folder_that_is_a_file_is_one_line(tmp_path, monkeypatch):
    run = write_run(tmp_path / "run")
    (tmp_path / "taken").write_text("")
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["report", str(run), "--tables", "taken"])
    assert said.exit_code == 1
    assert "taken" in str(said.exception or said.output)

"""A report as a page, in the terminal and as Markdown: what is shown where, and that nothing foreign acts."""

import io
import re
from html.parser import HTMLParser

import pytest
from report_fixture import HOSTILE, write_ablation, write_run
from rich.console import Console
from typer.testing import CliRunner

from diagnose.cli import app
from diagnose.report import blocks, console, html, markdown
from diagnose.report.blocks import Bars, Figure, Fold, Heading, Mark, Paragraph, Report, Section, Span, marked
from diagnose.report.figures import Bar

TABLE = blocks.TextTable("caption", ("name", "figure"), (("row", "1"), ("other", "2")))
HOT = blocks.TextTable("heat", ("", "a"), (("row", "1"),), heat=((30,),))
BAR = Bars("bars", (Bar("bar", "+1", "note", 1.0, 0.5, 1.5, "arm-0"),))


def every_block(text):
    """Return a block of each kind that holds a text wherever it may be foreign."""
    cells = blocks.TextTable(text, (text, text), ((text, text),))
    return (
        Paragraph(marked("[interval|words] **strong** `code` <arm-1:key> {}", text), items=(marked("**{}**", text),)),
        Paragraph(text, "alert", (text,), numbered=True), Heading(text), blocks.NamedRows(((text, text),)),
        blocks.CodeText(text), Fold(text, (Paragraph(text),)), cells,
        Figure(None, bars=(Bars(text, (Bar(text, "1", text, 1.0, None, None, "ink"),)),)),
        blocks.Samples((blocks.Sample(text, text, text, (text, text, text), 3),)),
        blocks.RuleFinding("error", text, text, text, text, text),
        blocks.Glance(((text, (Mark(text, "kept", text, "+", "arm-2"),)),), text),
        blocks.CostlyText(text, ((text, 2), ("", 0)), 4),
        blocks.Links((blocks.PageLink(text, text, text, (text,)),), ((text, (text, text)),)),
    )  # fmt: skip


def report(*some, **more):
    return Report("title", ("identity",), "verdict", sections=(Section("name", "heading", "link", some),), **more)


def terminal(what, **options):
    target = io.StringIO()
    Console(file=target, width=100).print(console.rows(what, **options))
    return target.getvalue()


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.names = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}


def test_a_template_knows_terms_and_styles_and_reads_no_foreign_text():
    found = marked("A [gap], two [interval|intervals]: **so**, `x`, <arm-1:red>, {} and **{}**", "[gap]{}", "`y`")
    assert [(one.text, one.style, one.of) for one in found if one.style] == [
        ("gap", "term", "gap"), ("intervals", "term", "interval"), ("so", "strong", ""), ("x", "code", ""),
        ("red", "key", "arm-1"), ("[gap]{}", "foreign", ""), ("`y`", "strong", ""),
    ]  # fmt: skip
    assert blocks.plain_text(found) == "A gap, two intervals: so, x, red, [gap]{} and `y`"


def test_every_kind_of_block_is_tested_and_drawn_on_a_page():
    kinds = {kind for kind in vars(blocks).values() if isinstance(kind, type) and issubclass(kind, blocks.ReportBlock)}
    assert {type(block) for block in every_block("x")} == kinds - {blocks.ReportBlock}
    for block in every_block("marker"):
        if not isinstance(block, Figure):  # one without a drawing is of the terminal alone
            assert "marker" in html.page_of(report(block)), block


def test_hostile_text_does_nothing_in_any_form():
    what = report(*every_block(HOSTILE), lead=(Paragraph(HOSTILE, "setup"),), headnote=HOSTILE, limits=(HOSTILE,))
    page = html.page_of(what, [(HOSTILE, HOSTILE)])
    found = Elements(page)
    assert not {"script", "img"} & set(found.tags)
    assert not [name for name in found.names if name.startswith("on")]
    for text in (page, terminal(what, everything=True), markdown.text_of(what, everything=True)):
        assert not re.search("[\x00-\x08\x0e-\x1f\u202e\u2066\u200b]", text)
        assert "U+202E" in text
    said = markdown.text_of(what, everything=True)
    prose = re.sub(r"^(`{3,})$.*?^\1$|`[^`\n]+`", "", said, flags=re.DOTALL | re.MULTILINE)  # but for code
    assert not re.search(r"(?<!\\)<(?!/?details>|/?summary>)", prose)
    rows = [line for line in prose.splitlines() if line.startswith("| ")]
    assert {line.count("|") - line.count(r"\|") for line in rows} == {3, 4}  # of two columns, and of bars


def test_code_cannot_leave_its_fence():
    said = markdown.text_of(report(blocks.CodeText("a\n```\n<b>")), everything=True)
    assert "````\na\n```\n<b>\n````" in said


@pytest.mark.parametrize(
    ("detail", "short", "long"), [("always", True, True), ("full", False, True), ("brief", True, False)]
)
def test_a_block_is_shown_where_its_detail_says(detail, short, long):
    what = report(Paragraph("the words", detail=detail))
    assert ("the words" in html.page_of(what)) == long
    for shown in (terminal, markdown.text_of):
        assert ("the words" in shown(what)) == short
        assert ("the words" in shown(what, everything=True)) == long


def test_a_section_without_blocks_in_the_short_form_has_no_heading_there():
    assert "heading" not in terminal(report(Paragraph("x")))
    assert "heading" in terminal(report(Paragraph("x")), everything=True)
    always = Section("name", "heading", "link", (Paragraph("x", detail="always"),), "always")
    assert "heading" in terminal(Report("t", ("i",), "v", sections=(always,)))


def test_a_figure_is_drawn_on_a_page_and_written_elsewhere():
    figure = Figure(None, "caption", (BAR,), detail="always")
    assert "◆" in terminal(report(figure))
    assert "| bar | +1 | note |" in markdown.text_of(report(figure))
    tabled = Figure(None, "caption", (BAR,), (TABLE,), detail="always")
    said = markdown.text_of(report(tabled))
    assert "| name | figure |\n| --- | ---: |\n| row | 1 |" in said
    assert "bar" not in said


def test_the_verdict_leads_and_figures_follow():
    what = report(Paragraph("x", detail="always"), headlines=(blocks.Headline("name", "1.5", "bits"),))
    assert markdown.text_of(what).startswith("**verdict**\n\nname **1.5** bits\n\nx")
    assert terminal(what).startswith("verdict")


def test_cells_are_coloured_by_their_heat():
    assert '<td style="--heat: 30%"><bdi>1</bdi></td>' in html.page_of(report(HOT))


def test_a_page_carries_the_words_that_it_links_and_no_others():
    page = html.page_of(report(Paragraph((Span("gap", "term", "gap"),))))
    assert re.findall(r'id="word-([^"]*)"', page) == ["gap"]
    assert "Words used here" not in html.page_of(report(Paragraph("none")))


@pytest.mark.parametrize(
    "command", ["train", "ablate", "compare", "loss-gap", "audit", "log", "yardstick", "report"]
)  # fmt: skip
def test_every_command_that_has_an_outcome_takes_markdown(command):
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert "--markdown" in shown.output


def test_what_is_stored_is_written_as_markdown(tmp_path):
    run = write_run(tmp_path / "20261122-150000-word-s0-aaaa")
    ablation = write_ablation(tmp_path / "runs")
    shown = CliRunner().invoke(app, ["report", str(run), str(ablation), "--out", str(tmp_path / "pages"), "--markdown"])
    assert shown.exit_code == 0, shown.output
    assert "**Validation ends at" in shown.output
    assert "| training, as reported |" in shown.output
    assert "| bpe against char |" in shown.output
    assert shown.output.count("\n**") == 1  # two verdicts, the first at the beginning
    whole = CliRunner().invoke(app, ["report", str(run), "--out", str(tmp_path / "pages"), "--markdown", "--all"])
    assert whole.output.count("| training, as reported |") == 1  # a table is said once
    assert "<details><summary>Recipe</summary>" in whole.output
    printed = CliRunner().invoke(app, ["report", str(run), "--out", str(tmp_path / "pages"), "--all"])
    assert "What this does not show" in printed.output


def test_a_log_as_markdown(diagnose, tmp_path):
    (tmp_path / "a|b.txt").write_text("".join(f"step {k} train loss {3 / k} val loss {4 / k}\n" for k in range(1, 9)))
    _, out, _ = diagnose("log", "a|b.txt", "--markdown")
    assert out.startswith("**")
    assert "| step | training | validation | difference |" in out
    assert r"a\|b.txt" in out
    _, more, _ = diagnose("log", "a|b.txt", "--markdown", "--all")
    assert "### What this does not show" in more


def test_baselines_have_a_page(diagnose, tmp_path, verses):
    code, out, _ = diagnose("yardstick", "--data", verses, "--page", "--out", "pages")
    assert code == 0
    (page,) = (tmp_path / "pages").glob("yardstick-*.html")
    assert out.splitlines()[-1].endswith(page.name)
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert "What more would give" in text
    assert "diagnose yardstick --data" in text

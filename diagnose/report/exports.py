"""Figures and tables of a report as files, for papers and spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose import files
from diagnose.formatting import visible
from diagnose.report import blocks, canvas, page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diagnose.report.blocks import Report, ReportBlock, TextTable
    from diagnose.report.figures import Drawn

FIGURES = ("svg", "png", "pdf")
DOTS = 200  # an inch, of a PNG
MOST_NAME = 48  # letters of a table's caption that its file is named after
_COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
_FORMULA = re.compile(r"^[=+\-@\t\r]")  # a cell that begins so is carried out by spreadsheets
_FIGURE = re.compile(r"^[+-]?[\d.,]+(?:e[+-]?\d+)?%?(?: ± [\d.,]+)?$")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\N{MINUS SIGN}": "$-$", "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$", "→": r"$\rightarrow$", "\N{EN DASH}": "--", "\N{EM DASH}": "---",
    "\N{NO-BREAK SPACE}": "~", "≤": r"$\leq$", "≥": r"$\geq$",
    "<": r"\textless{}", ">": r"\textgreater{}", "…": r"\ldots{}",
}  # fmt: skip


def write(folder: Path, figures: Path | None, tables: Path | None) -> list[Path]:
    """Write the figures and tables of a run or an ablation, its ledger and its audit, each where a folder is given."""
    found = []
    for end, report in page.reports_of(folder) if figures or tables else []:
        name = f"{folder.resolve().name}{end}"
        found += write_figures(report, figures, name) if figures else []
        found += write_tables(report, tables, name) if tables else []
    return found


def write_figures(report: Report, folder: Path, name: str) -> list[Path]:
    """Write each drawing of a report as SVG, PNG and PDF, in the colours of the light page.

    Args:
        report: of any subject.
        folder: made where it is missing.
        name: what the files' names begin with.

    Returns:
        Where they lie; none where the report has no drawing.

    Raises:
        DiagnoseError: a file cannot be written.
    """
    drawn = (block.drawn for block in blocks_of(report) if isinstance(block, blocks.Figure) and block.drawn)
    return [
        files.put(folder / f"{name}-{one.name}.{kind}", data, "a figure")
        for one in drawn
        for kind, data in _pictures(one).items()
    ]  # fmt: skip


def write_tables(report: Report, folder: Path, name: str) -> list[Path]:
    """Write each table of a report as CSV and as LaTeX (booktabs); arguments and errors as `write_figures`."""
    found = []
    for number, table in enumerate(tables_of(report), 1):
        words = re.sub(r"[^a-z0-9]+", "-", table.caption.lower()).strip("-")[:MOST_NAME].rstrip("-")
        path = folder / f"{name}-table-{number}-{words or 'untitled'}"
        found.append(files.put(path.with_name(f"{path.name}.csv"), csv_of(table).encode(), "a table"))
        found.append(files.put(path.with_name(f"{path.name}.tex"), latex_of(table).encode(), "a table"))
    return found


def blocks_of(report: Report) -> Iterator[ReportBlock]:
    """Yield all blocks of a report's long form, those of its folds too."""
    yield from _unfolded(report.lead)
    for section in report.sections:
        yield from _unfolded(section.blocks)


def _unfolded(some: Iterable[ReportBlock]) -> Iterator[ReportBlock]:
    for block in some:
        if block.detail == "brief":
            continue
        yield block
        if isinstance(block, blocks.Fold):
            yield from _unfolded(block.blocks)


def tables_of(report: Report) -> list[TextTable]:
    """Return a report's tables and those that stand for its figures, each once."""
    found: list[TextTable] = []
    for block in blocks_of(report):
        found += [block] if isinstance(block, blocks.TextTable) else []
        found += block.tables if isinstance(block, blocks.Figure) else []
    return list(dict.fromkeys(found))


def csv_of(table: TextTable) -> str:
    """Return a table as CSV; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(text) for text in row] for row in (table.head, *table.rows))
    return out.getvalue()


def _cell(text: str) -> str:
    """Return a cell with plain minus and spaces, so that programs read its figure."""
    shown = visible(text).replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    return f"'{shown}" if _FORMULA.match(shown) and not _FIGURE.match(shown) else shown


def latex_of(table: TextTable) -> str:
    """Return a table in LaTeX, for the packages booktabs and inputenc (UTF-8)."""
    columns = "".join("l" if place in table.words else "r" for place in range(len(table.head)))
    rows = [" & ".join(map(_latex, row)) + r" \\" for row in (table.head, *table.rows)]
    return "\n".join([
        "% needs \\usepackage{booktabs}", r"\begin{table}", r"\centering", rf"\caption{{{_latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{columns}}}", r"\toprule", rows[0], r"\midrule", *rows[1:], r"\bottomrule",
        r"\end{tabular}", r"\end{table}", "",
    ])  # fmt: skip


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in visible(text))


def _pictures(one: Drawn) -> dict[str, bytes]:
    """Return a drawing, wide, in each format."""
    with canvas.drawing(), canvas.painted(_light()):
        sheet = one.draw(narrow=False)
        return {kind: sheet.picture(kind, DOTS) for kind in FIGURES}


@cache
def _light() -> dict[str, str]:
    """Return the colours of the light page, which its style sheet gives first."""
    style = (Path(__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for name, colour in _COLOUR.findall(style):
        found.setdefault(name, colour)
    return found

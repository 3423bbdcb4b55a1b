"""Figures and tables of a report as files, for papers and spreadsheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose import files
from diagnose.report import blocks, canvas, page
from diagnose.report.file_formats import csv_of, latex_of, light, slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from diagnose.report.blocks import Report, ReportBlock, TextTable
    from diagnose.report.figures import Drawn

FIGURES = ("svg", "png", "pdf")
DOTS = 200  # an inch, of a PNG


def write(folder: Path, figures: Path | None, tables: Path | None) -> list[Path]:
    """Write the figures and tables of a run or an ablation, its ledger and its audit, each where a folder is given."""
    written = []
    for end, report in page.reports_of(folder) if figures or tables else []:
        name = f"{folder.resolve().name}{end}"
        written += write_figures(report, figures, name) if figures else []
        written += write_tables(report, tables, name) if tables else []
    return written


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
        files.put(folder / f"{name}-{figure.name}.{kind}", data, "a figure")
        for figure in drawn
        for kind, data in _pictures(figure).items()
    ]  # fmt: skip


def write_tables(report: Report, folder: Path, name: str) -> list[Path]:
    """Write each table of a report as CSV and as LaTeX (booktabs); arguments and errors as `write_figures`."""
    written = []
    for number, table in enumerate(tables_of(report), 1):
        path = folder / f"{name}-table-{number}-{slug(table.caption)}"
        written.append(files.put(path.with_name(f"{path.name}.csv"), csv_of(table).encode(), "a table"))
        written.append(files.put(path.with_name(f"{path.name}.tex"), latex_of(table).encode(), "a table"))
    return written


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
    tables: list[TextTable] = []
    for block in blocks_of(report):
        tables += [block] if isinstance(block, blocks.TextTable) else []
        tables += block.tables if isinstance(block, blocks.Figure) else []
    return list(dict.fromkeys(tables))


def _pictures(picture: Drawn) -> dict[str, bytes]:
    """Return a drawing, wide, in each format."""
    with canvas.drawing(), canvas.painted(light()):
        sheet = picture.draw(narrow=False)
        return {kind: sheet.picture(kind, DOTS) for kind in FIGURES}

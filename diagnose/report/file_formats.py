"""A table as CSV and as LaTeX, a drawing of a page as an SVG file."""

from __future__ import annotations

import csv
import io
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.formatting import RAISED, TIMES_TEN, as_cell, visible

if TYPE_CHECKING:
    from diagnose.report.blocks import TextTable

MOST_NAME = 48  # letters of a caption that a file is named after
_COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{6});")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\N{MINUS SIGN}": "$-$", "±": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$", "→": r"$\rightarrow$", "\N{EN DASH}": "--", "\N{EM DASH}": "---",
    "\N{NO-BREAK SPACE}": "~", "≤": r"$\leq$", "≥": r"$\geq$",
    "<": r"\textless{}", ">": r"\textgreater{}", "…": r"\ldots{}",
    **{raised: f"$^{{{chr(letter)}}}$" for letter, raised in RAISED.items()},
}  # fmt: skip
_LOWERED = {ord(raised): letter for letter, raised in RAISED.items()}
_POWER = re.compile(f"{TIMES_TEN}([{''.join(RAISED.values())}]+)")


def slug(caption: str) -> str:
    """Return a caption as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", caption.lower()).strip("-")[:MOST_NAME].rstrip("-") or "untitled"


def csv_of(table: TextTable) -> str:
    """Return a table as CSV; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(text) for text in row] for row in (table.head, *table.rows))
    return out.getvalue()


def _cell(text: str) -> str:
    """Return a cell with plain minus and spaces, so that programs read its figure."""
    plain = visible(text).replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    return as_cell(_POWER.sub(lambda power: f"e{power.group(1).translate(_LOWERED)}", plain))


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


def standalone(drawing: str) -> str:
    """Return a page's drawing (wide and narrow, with the page's variables) as an SVG file: wide, in light colours."""
    wide = drawing.partition("</svg>")[0] + "</svg>"
    for name, colour in light().items():
        wide = wide.replace(f"var(--{name})", colour)
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" font-family="sans-serif" '
    return wide.replace("<svg ", f"<svg {names}", 1).replace("max-width", "background:white;max-width", 1)


@cache
def light() -> dict[str, str]:
    """Return the colours of the light page, which its style sheet gives first."""
    style = (Path(__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")
    colours: dict[str, str] = {}
    for name, colour in _COLOUR.findall(style):
        colours.setdefault(name, colour)
    return colours

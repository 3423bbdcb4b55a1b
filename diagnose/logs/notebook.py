"""What the cells of a Jupyter notebook printed: text, progress bars, and tables that are shown as HTML."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.logs.source import of_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_PAGE = 1 << 25  # characters of a page that has to be held
MOST_CELL = 400  # characters of a table's cell
ROW = re.compile(r"<tr\b[^>]*>(.*?)(?=</tr|<tr\b|$)", re.IGNORECASE | re.DOTALL)
CELL = re.compile(r"<t[hd]\b[^>]*>(.*?)(?=</t[hd]|<t[hd]\b|$)", re.IGNORECASE | re.DOTALL)
TAG = re.compile(r"<[^<>]{0,400}>")


def printed(cells: list[Any]) -> Iterator[tuple[str, bool]]:
    """Yield (line, whether it is a state of a progress bar) of the outputs of a notebook's cells, in their order.

    Args:
        cells: as the notebook's file has them; what is no cell is passed over.
    """
    for cell in cells:
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        for output in outputs if isinstance(outputs, list) else []:
            if isinstance(output, dict):
                yield from of_text(_shown(output))


def _shown(output: dict[str, Any]) -> str:
    """Return the text of an output; the rows of an HTML table are lines with bars between their cells."""
    data = output.get("data")
    if not isinstance(data, dict):
        return _joined(output.get("text"))
    page = _joined(data.get("text/html"))
    return "\n".join(_rows(page)) if "<tr" in page.lower() else _joined(data.get("text/plain"))


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""


def page_lines(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield the rows of the tables of an HTML page as lines with bars between their cells.

    Raises:
        DiagnoseError: the page is too large to be held.
    """
    page = ""
    for text in texts:
        page += text
        if len(page) > MOST_PAGE:
            raise DiagnoseError("the page is too large to be a table of a log; export the numbers as CSV")
    for row in _rows(page):
        yield row, False


def _rows(page: str) -> Iterator[str]:
    for row in ROW.finditer(page):
        cells = [html.unescape(TAG.sub("", cell[:MOST_CELL])).strip() for cell in CELL.findall(row.group(1))]
        yield "| " + " | ".join(" ".join(cell.split()) for cell in cells) + " |"

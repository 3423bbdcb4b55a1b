"""A report as one self-contained page, through a template that escapes everything."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose import files, formatting
from diagnose.report.blocks import terms_in
from diagnose.report.glossary_notes import GUIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from diagnose.report.blocks import Inline, Report, Span, TextTable
    from diagnose.report.figures import Drawn

SPANS = {
    "": "{}",
    "foreign": "<bdi>{}</bdi>",
    "strong": "<strong><bdi>{}</bdi></strong>",
    "code": "<code><bdi>{}</bdi></code>",
    "term": '<a class="term" href="#word-{1}">{0}</a>',
    "key": '<span class="key" style="--paint: var(--{1})">{0}</span>',
    "cost": '<span class="cost-{1}">{0}</span>',
}


def page_of(report: Report, others: Sequence[tuple[str, str]] = (), *, frames: bool = False, beside: str = "") -> str:
    """Return a report's page.

    Args:
        report: of any subject.
        others: addresses of pages beside it, with what each shows.
        frames: whether it may show other pages of its folder within itself.
        beside: address that its drawings lie at as PNG and PDF, up to their names; "" where they do not.
    """
    linked = set(terms_in(report))
    words = [(key, *GUIDE[key]) for key in GUIDE if key in linked]
    return str(_template().render(report=report, others=others, guide=words, frames=frames, beside=beside))


def write(page: str, target: Path) -> Path:
    """Write a page whole or not at all, and return where it lies. Raises DiagnoseError where it cannot be written."""
    return files.put(target, page.encode("utf-8", "replace"), "the page")


def framed(report: Report) -> str:
    """Return a report's page in a frame, for a notebook."""
    from html import escape

    page, title = escape(page_of(report), quote=True), escape(report.title, quote=True)
    return f'<iframe srcdoc="{page}" title="{title}" style="width:100%;height:46em;border:0"></iframe>'


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    jinja = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_visible,
    )  # fmt: skip
    jinja.filters.update(inline=_inline, drawing=_drawing, files=_files, pictures=_pictures)
    jinja.globals.update(plain=formatting.plain)
    return jinja.get_template("report.html.j2")


def _visible(value: Any) -> Any:
    """Make foreign text visible: everything that the template writes comes through here."""
    from markupsafe import Markup

    return formatting.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _drawing(drawn: Drawn) -> Markup:
    """Return our own drawing, the one thing that is not escaped: canvas.py lets no foreign markup into it."""
    from markupsafe import Markup

    return Markup(drawn.svg)  # noqa: S704


def _files(table: TextTable | Markup, name: str) -> list[tuple[str, str, str]]:
    """Return what a table or a drawing can be saved as: the format, the file's name, an address that holds it."""
    from diagnose.report.file_formats import csv_of, latex_of, slug, standalone

    if isinstance(table, str):
        return [("SVG", f"{slug(name)}.svg", address("image/svg+xml", standalone(str(table))))]
    forms = (("CSV", "csv", "text/csv", csv_of(table)), ("LaTeX", "tex", "text/x-tex", latex_of(table)))
    return [(form, f"{slug(name)}.{end}", address(kind, text)) for form, end, kind, text in forms]


def _pictures(name: str, beside: str) -> list[tuple[str, str, str]]:
    """Return where a drawing lies in other formats, as `_files` returns what a page holds itself."""
    addresses = ((kind, f"{beside}-{name}.{kind}") for kind in ("png", "pdf") if beside)
    return [(kind.upper(), f"{name}.{kind}", url) for kind, url in addresses]


def address(kind: str, text: str) -> str:
    """Return an address that holds a text itself."""
    from base64 import b64encode

    return f"data:{kind};base64,{b64encode(text.encode('utf-8', 'replace')).decode()}"


def _inline(inline: Inline) -> Markup:
    """Return running text as HTML."""
    from markupsafe import Markup, escape

    if isinstance(inline, str):
        return Markup("<bdi>%s</bdi>") % escape(_visible(inline))
    return Markup("").join(map(_span, inline))


def _span(span: Span) -> Markup:
    from markupsafe import Markup, escape

    return Markup(SPANS[span.style]).format(escape(_visible(span.text)), span.of)  # noqa: S704

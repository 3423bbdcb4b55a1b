"""A report as Markdown, for a pull request: the verdict first, tables as GitHub writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diagnose.formatting import visible
from diagnose.report import blocks
from diagnose.report.blocks import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from diagnose.report.blocks import Bars, Inline, Report, ReportBlock, Span

_ACTS = re.compile(r"([\\`*_\[\]<>|#!~&$])")
_BREAKS = re.compile(r"[ \t\n\v\f\r]+")
_WRAPS = {"strong": "**{}**", "code": "{}"}


def text_of(report: Report, *, everything: bool = False) -> str:
    """Return a report as Markdown: its short form, or (everything) the long one."""
    out = [f"**{escaped(report.verdict)}**"]
    if report.headlines:
        out.append(" · ".join(_headline(headline) for headline in report.headlines))
    out += _written(report.lead, everything=everything)
    for section in report.sections:
        parts = _written(section.blocks, everything=everything)
        if parts and section.heading and (everything or section.detail == "always"):
            parts = [f"### {escaped(section.heading)}", *parts]
        out += parts
    if everything and report.limits:
        out += ["### What this does not show", _list(report.limits)]
    return "\n\n".join(dict.fromkeys(out))  # a table that stands for a figure is not said again among the numbers


def escaped(text: str) -> str:
    """Return foreign text on one line that neither ends a table's cell nor is read as Markdown or HTML."""
    return _ACTS.sub(r"\\\1", visible(_BREAKS.sub(" ", text)))


def _headline(headline: blocks.Headline) -> str:
    note = f" {escaped(headline.note)}" if headline.note else ""
    return f"{escaped(headline.name)} **{escaped(headline.figure)}**{note}"


def _written(some: tuple[ReportBlock, ...], *, everything: bool) -> list[str]:
    out = []
    for block in shown(some, everything=everything):
        if isinstance(block, blocks.Fold):
            inside = _written(block.blocks, everything=everything)
            out.append("\n\n".join([f"<details><summary>{escaped(block.summary)}</summary>", *inside, "</details>"]))
        elif write := WRITTEN.get(type(block)):
            out += write(block)
    return out


def _inline(inline: Inline) -> str:
    return escaped(inline) if isinstance(inline, str) else "".join(map(_span, inline))


def _span(span: Span) -> str:
    if span.style == "code":
        return _code(span.text)
    return _WRAPS.get(span.style, "{}").format(escaped(span.text))


def _code(text: str) -> str:
    """Return text as code: between more backticks than it holds in a row."""
    code = visible(" ".join(text.split()))
    ticks = "`" * (1 + max(map(len, re.findall("`+", code)), default=0))
    return f"{ticks} {code} {ticks}" if "`" in code else f"`{code}`"


def _list(items: Iterable[Inline], sign: str = "-") -> str:
    return "\n".join(f"{sign} {_inline(item)}" for item in items)


def _paragraph(block: blocks.Paragraph) -> list[str]:
    head = [f"{'> ' if block.style == 'alert' else ''}{_inline(block.text)}"] if block.text else []
    return [*head, *([_list(block.items, "1." if block.numbered else "-")] if block.items else [])]


def _heading(block: blocks.Heading) -> list[str]:
    return [f"#### {_inline(block.text)}"]


def _pairs(block: blocks.NamedRows) -> list[str]:
    return ["\n".join(f"- **{_inline(name)}**: {_inline(inline)}" for name, inline in block.rows)]


def _listing(block: blocks.CodeText) -> list[str]:
    listing = visible(block.text)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", listing)), default=0))
    return [f"{fence}\n{listing}\n{fence}"]


def _table(block: blocks.TextTable) -> list[str]:
    return [f"{escaped(block.caption)}:", _grid(block.head, block.rows, block.words)]


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], words: frozenset[int]) -> str:
    lines = [head, *rows]
    out = [f"| {' | '.join(escaped(cell) for cell in line)} |" for line in lines]
    rule = "".join(" --- |" if place in words else " ---: |" for place in range(len(head)))
    return "\n".join([out[0], f"|{rule}", *out[1:]])


def _figure(block: blocks.Figure) -> list[str]:
    if block.tables:
        return [part for table in block.tables for part in _table(table)]
    if block.bars:
        return [part for bars in block.bars for part in _bars(bars)]
    return [escaped(block.drawn.sentence)] if block.drawn else []


def _bars(bars: Bars) -> list[str]:
    noted = any(row.note for row in bars.rows)
    rows = tuple((row.name, row.figure, *([row.note] if noted else [])) for row in bars.rows)
    grid = _grid(("", "", *([""] if noted else [])), rows, frozenset({0, 2}))
    return [f"{escaped(bars.caption)}:", grid] if bars.caption else [grid]


def _samples(block: blocks.Samples) -> list[str]:
    heads = (" ".join(part for part in (sample.name, sample.note) if part) for sample in block.samples)
    texts = (f"{sample.prompt}{''.join(sample.text)}" for sample in block.samples)
    return [_list(f"{head}: {text}" for head, text in zip(heads, texts, strict=True))]


def _finding(block: blocks.RuleFinding) -> list[str]:
    return [
        f"- **{escaped(block.severity)}** {_code(block.rule)}: {escaped(block.what)} To mend it: {escaped(block.fix)}"
    ]


def _costly(block: blocks.CostlyText) -> list[str]:
    return [_list([f"{block.title}: {''.join(text for text, _ in block.pieces)}"])]


# Rules at a glance are for eyes alone; tables say the same.
WRITTEN: dict[type[ReportBlock], Callable[..., list[str]]] = {
    blocks.Paragraph: _paragraph, blocks.Heading: _heading, blocks.NamedRows: _pairs, blocks.CodeText: _listing,
    blocks.TextTable: _table, blocks.Figure: _figure, blocks.Samples: _samples, blocks.RuleFinding: _finding,
    blocks.CostlyText: _costly,
}  # fmt: skip

"""A report as rows for the terminal: at most 100 columns, plain where colour is not wanted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from diagnose.formatting import cut, visible
from diagnose.report import blocks
from diagnose.report.blocks import plain_text, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from diagnose.report.blocks import Bars, Inline, Report, ReportBlock
    from diagnose.report.figures import Bar

WIDEST = 100
NARROWEST_BAR = 12  # columns; below that the figures stand alone
LONGEST_NAME = 24  # characters of a bar's name
STYLES = {"ink": "bold", "quiet": "dim"} | dict(
    zip((f"arm-{i}" for i in range(6)), ("blue", "red", "green", "magenta", "yellow", "cyan"), strict=True)
)
UNICODE, ASCII = "█├─◆┤│░┼", "=[-o]|.+"  # full, ends and line of an interval, estimate, zero, shade, crossing
SEVERITIES = {"error": "bold red", "warning": "bold yellow", "note": "bold"}
PARAGRAPHS = {"": "", "note": "dim", "setup": "dim", "alert": "yellow"}


def rows(report: Report, *, everything: bool = False) -> RenderableType:
    """Return a report as rows.

    Args:
        report: of any subject.
        everything: the long form, with all that a page holds but its drawings; else the verdict and what matters.
    """
    parts: list[RenderableType] = [Narrow(report.verdict, "bold")]
    gap = [] if report.compact and not everything else [Text()]
    lead = _rows(report.lead, everything=everything)
    parts += [*gap, *lead] if lead else []
    for section in report.sections:
        lines = _rows(section.blocks, everything=everything)
        if lines and section.heading and (everything or section.detail == "always"):
            lines = [Narrow(section.heading, "bold"), *lines]
        parts += [*gap, *lines] if lines else []
    if report.more and not everything:
        parts += [*gap, Narrow(report.more, "dim")]
    if everything and report.limits:
        parts += [Text(), Narrow("What this does not show", "bold"), *(Narrow(limit, "", 2) for limit in report.limits)]
    return Group(*parts)


def _rows(some: tuple[ReportBlock, ...], *, everything: bool) -> list[RenderableType]:
    out: list[RenderableType] = []
    for block in shown(some, everything=everything):
        if isinstance(block, blocks.Fold):
            out += [Text(), Narrow(block.summary, "bold"), *_rows(block.blocks, everything=everything)]
        else:
            draw = DRAWN.get(type(block))
            out += draw(block) if draw else []
    return out[1:] if out and isinstance(out[0], Text) and not out[0].plain else out


class Narrow:
    """Text that is wrapped at 100 columns, however wide the console is; all its lines are indented alike."""

    def __init__(self, inline: Inline | Text, style: str = "", indent: int = 0) -> None:
        text = inline if isinstance(inline, Text) else Text(visible(plain_text(inline)), style=style)
        self.text = Padding(text, (0, 0, 0, indent), expand=False)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self.text, options.update(width=min(options.max_width, WIDEST)))


def _paragraph(block: blocks.Paragraph) -> list[RenderableType]:
    if block.style == "line":
        return [Text(visible(plain_text(block.text)), no_wrap=True, overflow="ellipsis")]
    style = PARAGRAPHS[block.style]
    head: list[RenderableType] = [Narrow(block.text, style)] if block.text else []
    return [*head, *(Narrow(item, style, 2) for item in block.items)]


def _heading(block: blocks.Heading) -> list[RenderableType]:
    return [Text(), Narrow(block.text, "bold")]


def _pairs(block: blocks.NamedRows) -> list[RenderableType]:
    return [Narrow(f"{plain_text(name)}: {plain_text(inline)}", "", 2) for name, inline in block.rows]


def _listing(block: blocks.CodeText) -> list[RenderableType]:
    return [Text(f"  {line}", no_wrap=True, overflow="ellipsis") for line in visible(block.text).splitlines()]


def _table(block: blocks.TextTable) -> list[RenderableType]:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(block.head):
        table.add_column(Text(visible(name), style="dim"), justify="left" if place in block.words else "right")
    for row in block.rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    return [Text(), Narrow(block.caption, "dim"), _Within(table)]


class _Within:
    """What is no wider than 100 columns."""

    def __init__(self, what: RenderableType) -> None:
        self.what = what

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self.what, options.update(width=min(options.max_width, WIDEST)))


def _figure(block: blocks.Figure) -> list[RenderableType]:
    if not block.bars:
        return [Narrow(block.drawn.sentence, "dim")] if block.drawn else []
    out: list[RenderableType] = []
    for bars in block.bars:
        out += [*([Text()] if out else []), *([Narrow(bars.caption, "dim")] if bars.caption else []), BarRows(bars)]
    return out


def _samples(block: blocks.Samples) -> list[RenderableType]:
    out: list[RenderableType] = []
    for sample in block.samples:
        head = " ".join(part for part in (sample.name, sample.note) if part)
        out += [Narrow(head, STYLES[sample.paint]), Narrow(f"{sample.prompt}{''.join(sample.text)}", "", 2)]
    return out


def _finding(block: blocks.RuleFinding) -> list[RenderableType]:
    head = Text.assemble((block.severity, SEVERITIES[block.severity]), " ", (visible(block.rule), "bold"))
    return [Narrow(head), Narrow(block.what, "", 2), Narrow(f"To mend it: {block.fix}", "dim", 2)]


def _costly(block: blocks.CostlyText) -> list[RenderableType]:
    return [Narrow(block.title, "dim"), Narrow("".join(text for text, _ in block.pieces), "", 2)]


# Rules at a glance are for eyes alone; tables say the same.
DRAWN: dict[type[ReportBlock], Callable[..., list[RenderableType]]] = {
    blocks.Paragraph: _paragraph, blocks.Heading: _heading, blocks.NamedRows: _pairs, blocks.CodeText: _listing,
    blocks.TextTable: _table, blocks.Figure: _figure, blocks.Samples: _samples, blocks.RuleFinding: _finding,
    blocks.CostlyText: _costly,
}  # fmt: skip


class BarRows:
    """Rows with bars, as wide as the console allows."""

    def __init__(self, bars: Bars) -> None:
        self.rows, self.noise = bars.rows, bars.noise

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        names = min(max((len(visible(row.name)) for row in self.rows), default=0), LONGEST_NAME)
        figures = max((len(row.figure) for row in self.rows), default=0)
        notes = max((len(visible(row.note)) for row in self.rows), default=0)
        room = width - 2 - names - 2 - 2 - figures - (2 + notes if notes else 0)
        if room < NARROWEST_BAR and notes:
            room, notes = room + notes + 2, 0
        for row in self.rows:
            line = Text("  ", no_wrap=True, overflow="ellipsis")
            line.append(cut(visible(row.name), names).ljust(names), style=STYLES[row.paint])
            if room >= NARROWEST_BAR:
                line.append("  ").append_text(self._bar(row, room, ASCII if options.ascii_only else UNICODE))
            line.append("  ").append(row.figure.rjust(figures), style="bold")
            if notes:
                line.append(f"  {visible(row.note)}", style="dim")
            yield line

    def _bar(self, row: Bar, room: int, signs: str) -> Text:
        full, left, line, middle, right, zero, shade, crossing = tuple(signs)
        cells, styles = [" "] * room, [""] * room

        def put(low: float, high: float, sign: str, style: str) -> None:
            for cell in range(self._cell(low, room), self._cell(high, room) + 1):
                cells[cell], styles[cell] = sign, style

        if self.noise:
            put(*self.noise, shade, "dim")
        put(0, 0, zero, "dim")
        if row.value is not None:
            near = row.value if row.low is None or row.high is None else min((row.low, row.high), key=abs)
            if near * row.value > 0 and self._cell(near, room) != self._cell(0, room):
                after = 1 if near > 0 else -1
                first, last = sorted((self._cell(0, room) + after, self._cell(near, room)))
                cells[first : last + 1] = full * (last + 1 - first)
                styles[first : last + 1] = [STYLES[row.paint]] * (last + 1 - first)
            if row.low is not None and row.high is not None:
                put(row.low, row.high, line, "bold")
                if row.low < 0 < row.high:
                    put(0, 0, crossing, "bold")
                put(row.low, row.low, left, "bold")
                put(row.high, row.high, right, "bold")
            put(row.value, row.value, middle, "bold")
        return Text.assemble(*zip(cells, styles, strict=True))

    def _cell(self, value: float, room: int) -> int:
        ends = [x for row in self.rows for x in (row.value, row.low, row.high) if x is not None and math.isfinite(x)]
        ends += [0.0, *(self.noise or ())]
        span = max(ends) - min(ends) or 1.0
        return max(0, min(room - 1, round((value - min(ends)) / span * (room - 1))))

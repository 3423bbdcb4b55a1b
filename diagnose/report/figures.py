"""Figures of a page, as SVG: a forest plot of effects and curves with direct labels.

Each is drawn twice, wide for a desk and paper, narrow for a phone, where a scaled-down figure could not be
read; the page's style sheet shows one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from diagnose.formatting import cut, plain, quantity
from diagnose.report import kept_drawings
from diagnose.report.canvas import PAINT, Align, Sheet
from diagnose.report.tracks import NARROW, WIDE, Layout, reach, tick_digits, tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Bar:
    """A row: a name, a bar from zero with the interval of its end, a figure and a remark.

    A drawing has room for a line `under` the name, and for `points`, one for each seed.
    """

    name: str
    figure: str
    note: str
    value: float | None
    low: float | None
    high: float | None
    paint: str
    under: str = ""
    points: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """A curve.

    Attributes:
        x: where it was read; y: what was read there.
        paint: its colour; `dashed` and `strong` its kind; `broken` marks an end that was not meant.
        low: lower end of the interval at each x (empty for none); high: upper end.
        dots: whether each value is marked and has its interval as an upright line; else intervals are a band.
        joined: whether values are joined.
        name: as a small panel writes it at the end.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    paint: str
    strong: bool = True
    dashed: bool = False
    broken: bool = False
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    dots: bool = False
    joined: bool = True
    name: str = ""


@dataclass(frozen=True)
class Label:
    """What is written at the end of a curve (x, y): its name in its colour and lines of small print below."""

    x: float
    y: float
    name: str
    paint: str
    small: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """Curves that share axes.

    Attributes:
        y_name: the y axis' name with its unit, written above it.
        title: stands above both.
        top: where the y axis is cut off; None for everything.
        start: where the x axis begins.
        x_name: the x axis' name, where it is the panel's own.
        ticks: places on the x axis with their words, up to `end`; empty for round figures.
    """

    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    y_name: str
    title: str = ""
    top: float | None = None
    start: float = 0.0
    x_name: str = ""
    ticks: tuple[tuple[float, str], ...] = ()
    end: float = 0.0

    @property
    def clipped(self) -> bool:
        """Whether part of a curve lies above the frame."""
        return self.top is not None and any(y > self.top for line in self.lines for y in line.y)


@dataclass(frozen=True)
class Drawn:
    """A drawing of a page, made when its SVG is asked for.

    Attributes:
        name: which no other drawing of the page has.
        draw: draws it, wide or (narrow=True) for a phone.
        sentence: says what it shows, for those who do not see it.
        clipped: whether a steep beginning lies above its frame.
    """

    name: str
    draw: Callable[..., Sheet]
    sentence: str
    clipped: bool = False

    @property
    def remark(self) -> str:
        """What a caption has to say of a beginning that is cut off."""
        return " The first, steep part lies above the frame." if self.clipped else ""

    @property
    def svg(self) -> str:
        """The drawing as inline SVG, wide and narrow."""
        return kept_drawings.svg(self.draw, self.name, self.sentence)


MOST_LETTERS = (44, 30)  # of ticks beside each other in a small panel, wide and narrow, each as long as the longest
FOREST = Layout(left=250, right=680, step=(58, 82), above=(0, 40), head=52, foot=56)


def forest(rows: Sequence[Bar], *, zero: str, unit: str, noise: tuple[float, float] | None, narrow: bool) -> Sheet:
    """Draw differences between arms as a forest plot, the noise of equal arms as a band behind.

    Args:
        rows: from top to bottom.
        zero: what the line at zero stands for.
        unit: the axis' name, its unit in it.
        noise: where 95 % of the differences between equal arms fall; None where it is not known.
        narrow: whether for a phone: words and figures above each track instead of beside it.
    """
    across = tracks(len(rows), FOREST, reach(_ends(rows, noise)), unit, narrow=narrow)
    within = (across.left, across.right)
    _at(across.sheet, across.at(0), 20, zero, within=within, bold=True)
    if noise:
        width = max(map(abs, noise))
        words = f"grey: equal arms, ±{f'{width:.3f}' if width >= 0.001 else quantity(width)}"
        _at(across.sheet, across.at(0), 38, words, within=within, paint="quiet")
    for place, row in enumerate(rows):
        track = across.ground(place, zero=True)
        if noise:
            across.axes.fill_between(noise, *track, color=PAINT["band"], linewidth=0, zorder=0.5)
        _effect(across.axes, row, (track[0] + track[1]) / 2 - 3)
        label, under = cut(row.name, 20 if narrow else 28), cut(row.under, 24 if narrow else 36)
        across.words(place, label, under, row.figure, note=row.note, paint=row.paint)
    return across.sheet


LADDER = Layout(left=250, right=740, step=(32, 46), above=(0, 22), head=8)


def ladder(rows: Sequence[Bar], *, unit: str, narrow: bool) -> Sheet:
    """Draw losses of different kinds below each other, as points with their intervals on a common axis.

    Args:
        rows: from top to bottom.
        unit: the axis' name, its unit in it.
        narrow: whether for a phone.
    """
    within = reach([x for row in rows for x in (row.value, row.low, row.high) if x is not None])
    across = tracks(len(rows), LADDER, within, unit, narrow=narrow, say=plain)
    for place, row in enumerate(rows):
        track = across.ground(place, zero=False)
        _effect(across.axes, row, (track[0] + track[1]) / 2)
        across.words(place, cut(row.name, 30), "", row.figure, paint=row.paint)
    return across.sheet


def _ends(rows: Sequence[Bar], noise: tuple[float, float] | None) -> list[float]:
    ends = [x for row in rows for x in (row.value, row.low, row.high, *row.points)]
    return [0.0, *(noise or ()), *(x for x in ends if x is not None and math.isfinite(x))]


def _at(
    sheet: Sheet,
    x: float,
    y: float,
    words: str,
    *,
    within: tuple[float, float],
    bold: bool = False,
    paint: str = "ink",
) -> None:
    """Write centred on x, or aligned to an edge that the words would otherwise cross."""
    reach = 4.2 * len(words)
    align: Align = "left" if x - reach < within[0] else "right" if x + reach > within[1] else "center"
    place = x if align == "center" else within[0] if align == "left" else within[1]
    sheet.text(place, y, words, bold=bold, align=align, paint=paint, size=13 if bold else 12)


def _effect(axes: Axes, row: Bar, y: float) -> None:
    colour = PAINT[row.paint]
    for point in row.points:
        axes.plot([point], [y + 10], "o", color=colour, markersize=5, alpha=0.7, markeredgewidth=0)
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [y, y], color=colour, linewidth=3)
    if row.value is not None:
        axes.plot(
            [row.value],
            [y],
            "D",
            color=colour,
            markersize=9,
            markeredgewidth=1.5,
            markeredgecolor=PAINT["paper"],
        )


def strip(title: str, x_name: str, y_name: str, lines: Sequence[Line], ticks: tuple[tuple[float, str], ...]) -> Panel:
    """Return a small panel of losses along something, its lines named at their ends where there are several."""
    named = [line for line in lines if line.name and line.x]
    labels = [Label(line.x[-1], line.y[-1], line.name, line.paint) for line in named] if len(named) > 1 else []
    end = max(x for x, _ in ticks) + (0.5 if any(line.joined for line in named) else 0.02)
    return Panel(tuple(lines), tuple(labels), y_name, title, x_name=x_name, ticks=ticks, end=end)


def curves(panels: Sequence[Panel], *, x_name: str = "", narrow: bool, small: bool = False) -> Sheet:
    """Draw panels of curves, side by side or (narrow) one below the other.

    Args:
        panels: one or two, or (small) as many as there are, two beside each other.
        x_name: the x axis' name with its unit, of panels that have none of their own.
        narrow: whether for a phone.
        small: whether panels are low, and labels short.
    """
    width, across = (NARROW, 1) if narrow else (WIDE, 2 if small else len(panels))
    margin = 92 if small else 102 if narrow else 168 if len(panels) == 1 else 120
    left, head, foot, plot = 40, 46, 64 if small else 52, 230 if small else 320 if narrow else 380
    each = (width - left * across - margin * across) / across
    sheet = Sheet.new(width, -(-len(panels) // across) * (head + plot + foot))
    for place, panel in enumerate(panels):
        x0 = left + place % across * (left + each + margin)
        y0 = head + place // across * (head + plot + foot)
        axes = sheet.axes(x0, y0, each, plot, lines="y")
        _draw_lines(axes, panel, narrow=narrow)
        sheet.text(x0 - left, y0 - 29, panel.title, bold=True)
        sheet.text(x0 - left, y0 - 12, panel.y_name, paint="quiet", size=12)
        align: Align = "center" if small else "right"
        end = x0 + each / 2 if small else x0 + each
        sheet.text(end, y0 + plot + 38, panel.x_name or x_name, paint="quiet", size=12, align=align)
        label_ends(sheet, panel.labels, (x0, y0, each, plot), axes, narrow=narrow or small)
    return sheet


def _limits(panel: Panel) -> tuple[float, float]:
    every = (y for line in panel.lines for y in (*line.y, *line.low, *line.high))
    values = [y for y in every if y is not None and math.isfinite(y)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    high = high if panel.top is None else min(high, panel.top)
    room = (high - low or 0.1) * 0.05
    return low - room, high + room


def _draw_lines(axes: Axes, panel: Panel, *, narrow: bool) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_ylim(*_limits(panel))
    end = max((x for line in panel.lines for x in line.x), default=1.0)
    axes.set_xlim(panel.start, panel.end or panel.start + ((end - panel.start) * 1.01 or 1))
    if panel.ticks:
        crowded = len(panel.ticks) * max(len(words) for _, words in panel.ticks) > MOST_LETTERS[narrow]
        some = panel.ticks[:: 2 if crowded else 1]
        axes.set_xticks([x for x, _ in some], [words for _, words in some])
    for axis in (axes.yaxis,) if panel.ticks else (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5 if panel.ticks else 6, steps=[1, 2, 2.5, 5, 10]))
        digits = tick_digits([float(tick) for tick in axis.get_majorticklocs()])
        axis.set_major_formatter(FuncFormatter(lambda value, _, digits=digits: plain(value, digits)))
    for line in sorted(panel.lines, key=lambda line: line.strong):
        _draw_line(axes, line)


def _draw_line(axes: Axes, line: Line) -> None:
    colour, dashes = PAINT[line.paint], (0, (4, 2.5)) if line.dashed else "solid" if line.joined else "none"
    if line.dots:
        for x, low, high in zip(line.x, line.low, line.high, strict=False):
            if low is not None and high is not None:
                axes.plot([x, x], [low, high], color=colour, linewidth=1.5, alpha=0.55)
    elif line.low:
        axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.14, linewidth=0)  # type: ignore[arg-type]
    thin = line.dashed or line.dots
    thick, alpha = (1.0, 0.4) if not line.strong else (1.6, 1.0) if thin else (2.4, 1.0)
    axes.plot(
        line.x, line.y, color=colour, linewidth=thick, alpha=alpha, linestyle=dashes, markersize=5,
        marker="o" if line.dots or len(line.x) == 1 else "", markeredgewidth=0 if not line.strong else 1,
    )  # fmt: skip
    if line.broken:
        axes.plot(line.x[-1:], line.y[-1:], "x", color=colour, markersize=9, markeredgewidth=2)


def label_ends(
    sheet: Sheet, named: Sequence[Label], box: tuple[float, float, float, float], axes: Axes, *, narrow: bool
) -> None:
    """Write each curve's name right of the plot, moved apart where they would touch, with a thread from its end."""
    from matplotlib.lines import Line2D

    left, top, width, height = box
    (low, high), edge, (first, last) = axes.get_ylim(), left + width, axes.get_xlim()
    labels = sorted(named, key=lambda label: -label.y)
    wanted = [top + (high - label.y) / (high - low) * height for label in labels]
    heights = [18.0 + 15 * len(label.small) for label in labels]
    tops = spread([y - 9 for y in wanted], heights, (top - 6, top + height + 6))

    def thread(x: tuple[float, float], y: tuple[float, float], label: Label, style: Literal["-", ":"]) -> None:
        xs, ys = [place / sheet.width for place in x], [1 - place / sheet.height for place in y]
        sheet.figure.add_artist(Line2D(xs, ys, color=PAINT[label.paint], linewidth=1, linestyle=style))

    for label, y, place in zip(labels, wanted, tops, strict=True):
        if top - 1 <= y <= top + height + 1:
            end = left + (label.x - first) / (last - first) * width + 4
            if end < edge - 8:
                thread((end, edge + 3), (y, y), label, ":")
            thread((edge + 3, edge + 12), (y, place + 9), label, "-")
        sheet.text(edge + 15, place + 9, cut(label.name, 10 if narrow else 18), paint=label.paint, bold=True)
        for number, words in enumerate(label.small):
            sheet.text(edge + 15, place + 9 + 15 * (number + 1), words, paint="quiet", size=11)


def spread(wanted: Sequence[float], heights: Sequence[float], room: tuple[float, float]) -> list[float]:
    """Return tops of labels, in order, near where they are wanted, none overlapping (pool adjacent violators).

    Args:
        wanted: where each would best begin, from the top down.
        heights: how tall each is.
        room: first and last place; where the labels do not fit, they run over the last.
    """
    blocks: list[list[float]] = []  # start, height, number of labels
    for want, tall in zip(wanted, heights, strict=True):
        blocks.append([want, tall, 1])
        while len(blocks) > 1 and blocks[-2][0] + blocks[-2][1] > blocks[-1][0]:
            start, height, count = blocks.pop()
            before = blocks[-1]
            weight = before[2] + count
            before[0] = (before[0] * before[2] + (start - before[1]) * count) / weight
            before[1], before[2] = before[1] + height, weight
    total, cursor, tops = sum(heights), room[0], []
    sizes = iter(heights)
    left = total
    for start, height, count in blocks:
        begin = max(cursor, min(start, room[1] - left))
        left, cursor = left - height, begin + height
        for _ in range(int(count)):
            tops.append(begin)
            begin += next(sizes)
    return tops

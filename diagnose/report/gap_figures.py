"""Figures of a gap's page, as SVG: the waterfall, strips of losses along something, arms as stacked terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.formatting import cut, plain
from diagnose.report.canvas import PAINT, Sheet
from diagnose.report.figures import Label, label_ends
from diagnose.report.tracks import NARROW, WIDE, Layout, reach, tick_digits, tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from diagnose.report.tracks import Tracks

BAR = 8  # half the height of a bar, in points
DASHES = (0, (2, 2))
MOST_LETTERS = (44, 30)  # of ticks beside each other in a strip, wide and narrow, each as long as the longest


@dataclass(frozen=True)
class WaterfallRow:
    """A row of the waterfall: words at the left, figures at the right, and from where to where it leads.

    Attributes:
        label, under, figure: what it is, what was changed, how much that is.
        start, end: the loss before and after; the same for one of the two reported losses.
        low, high: where the interval of `end` lies; None for none.
        paint: the colour of its group.
    """

    label: str
    under: str
    figure: str
    start: float
    end: float
    low: float | None = None
    high: float | None = None
    paint: str = "ink"


WATERFALL = Layout(left=345, right=765, step=(52, 70), above=(0, 42), head=10)


def waterfall(rows: Sequence[WaterfallRow], unit: str, *, narrow: bool) -> Sheet:
    """Draw the way from one loss to the other, a row a term, from top to bottom."""
    ends = [x for row in rows for x in (row.start, row.end, row.low, row.high) if x is not None]
    found = tracks(len(rows), WATERFALL, reach(ends, 0.07), unit, narrow=narrow, say=plain)
    for place, row in enumerate(rows):
        track = found.ground(place, zero=False)
        middle = (track[0] + track[1]) / 2
        _fall(found.axes, row, middle)
        if place + 1 < len(rows):
            end = track[1] if narrow else middle + found.step - BAR  # on a phone words lie between the tracks
            found.axes.plot([row.end, row.end], [middle, end], color=PAINT["quiet"], linewidth=1, linestyle=DASHES)
        found.words(place, cut(row.label, 27 if narrow else 36), cut(row.under, 54), row.figure, paint=row.paint)
    return found.sheet


def _fall(axes: Axes, row: WaterfallRow, y: float) -> None:
    if row.start == row.end:
        mark = "D" if row.paint == "ink" else "o"
        axes.plot([row.end], [y], mark, color=PAINT[row.paint], markersize=9 if mark == "D" else 6)
    else:
        sides = sorted((row.start, row.end))
        axes.fill_between(sides, y - BAR, y + BAR, color=PAINT[row.paint], linewidth=0, alpha=0.8)
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [y, y], color=PAINT["ink"], linewidth=2, zorder=3)


@dataclass(frozen=True)
class LossSeries:
    """Losses along something, with intervals.

    `line` holds the ends (x, y) of a fitted trend, `points` (x, y) what the losses are means of.
    """

    name: str
    paint: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    line: tuple[tuple[float, float], tuple[float, float]] | None = None
    points: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class LossStrip:
    """Series that share axes; `ticks` are places on the x axis with their words."""

    title: str
    x_name: str
    series: tuple[LossSeries, ...]
    ticks: tuple[tuple[float, str], ...]
    joined: bool = True


def strips(panels: Sequence[LossStrip], unit: str, *, narrow: bool) -> Sheet:
    """Draw panels of losses with intervals, two beside each other or (narrow) one below the other."""
    width, across = (NARROW, 1) if narrow else (WIDE, 2)
    left, margin, head, plot, foot = 40, 92, 48, 230, 64
    each = (width - (left + margin) * across) / across
    down = -(-len(panels) // across)
    sheet = Sheet.new(width, down * (head + plot + foot))
    for place, panel in enumerate(panels):
        x0 = left + place % across * (left + each + margin)
        y0 = head + place // across * (head + plot + foot)
        axes = sheet.axes(x0, y0, each, plot, lines="y")
        crowded = len(panel.ticks) * max(len(words) for _, words in panel.ticks) > MOST_LETTERS[narrow]
        _draw_strip(axes, panel, every=2 if crowded else 1)
        sheet.text(x0 - left, y0 - 30, panel.title, bold=True)
        sheet.text(x0 - left, y0 - 13, unit, paint="quiet", size=12)
        sheet.text(x0 + each / 2, y0 + plot + 38, panel.x_name, paint="quiet", size=12, align="center")
        labels = [Label(s.x[-1], s.y[-1], s.name, s.paint) for s in panel.series if len(panel.series) > 1 and s.x]
        label_ends(sheet, labels, (x0, y0, each, plot), axes, narrow=True)
    return sheet


def _draw_strip(axes: Axes, panel: LossStrip, every: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    values = [v for s in panel.series for v in (*s.y, *s.low, *s.high, *(y for _, y in s.points)) if v is not None]
    room = (max(values) - min(values) or 0.1) * 0.06
    axes.set_ylim(min(values) - room, max(values) + room)
    axes.set_xlim(0, max(x for x, _ in panel.ticks) + (0.5 if panel.joined else 0.02))
    shown = panel.ticks[::every]
    axes.set_xticks([x for x, _ in shown], [words for _, words in shown])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    digits = tick_digits([float(tick) for tick in axes.get_yticks()])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value, digits)))
    for series in panel.series:
        colour = PAINT[series.paint]
        for x, low, high in zip(series.x, series.low, series.high, strict=True):
            if low is not None and high is not None:
                axes.plot([x, x], [low, high], color=colour, linewidth=1.5, alpha=0.55)
        for x, y in series.points:
            axes.plot([x], [y], "o", color=colour, markersize=5, alpha=0.35, markeredgewidth=0)
        axes.plot(series.x, series.y, "o", color=colour, markersize=5)
        if panel.joined:
            axes.plot(series.x, series.y, color=colour, linewidth=1.5)
        if series.line:
            (x0, y0), (x1, y1) = series.line
            axes.plot([x0, x1], [y0, y1], color=colour, linewidth=1.5, linestyle=(0, (5, 3)))


@dataclass(frozen=True)
class Piece:
    """A term in an arm's stack."""

    name: str
    value: float
    paint: str


@dataclass(frozen=True)
class Stack:
    """An arm: its terms, which sum to its gap, and the gap's interval."""

    label: str
    under: str
    figure: str
    pieces: tuple[Piece, ...]
    gap: float
    low: float | None
    high: float | None


STACKED = Layout(left=200, right=740, step=(72, 96), above=(0, 42), head=22)


def stacked(rows: Sequence[Stack], unit: str, *, narrow: bool) -> Sheet:
    """Draw each arm's terms as a stack to either side of zero, and the gap that they sum to as a diamond."""
    ends = [sum(p.value for p in row.pieces if p.value * side > 0) for row in rows for side in (1, -1)]
    ends += [0.0, *(x for row in rows for x in (row.gap, row.low, row.high) if x is not None)]
    found = tracks(len(rows), STACKED, reach(ends), unit, narrow=narrow)
    for place, row in enumerate(rows):
        track = found.ground(place, zero=True)
        _stack(found, row, (track[0] + track[1]) / 2)
        label, under = cut(row.label, 20 if narrow else 22), cut(row.under, 36 if narrow else 28)
        found.words(place, label, under, row.figure)
    return found.sheet


def _stack(found: Tracks, row: Stack, y: float) -> None:
    """Draw an arm's pieces outwards from zero, each named above where there is room for its name."""
    axes, reached = found.axes, {1: 0.0, -1: 0.0}
    for piece in row.pieces:
        side = 1 if piece.value > 0 else -1
        start, end = reached[side], reached[side] + piece.value
        reached[side] = end
        axes.fill_between(sorted((start, end)), y - 10, y + 6, color=PAINT[piece.paint], linewidth=0, alpha=0.8)
        axes.vlines([end], y - 10, y + 6, color=PAINT["paper"], linewidth=1.5)
        if abs(found.at(end) - found.at(start)) > 8 * len(piece.name):
            middle = found.at((start + end) / 2)
            found.sheet.text(middle, found.head + y - 19, piece.name, paint=piece.paint, size=11, align="center")
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [y + 17, y + 17], color=PAINT["ink"], linewidth=2, zorder=3)
    axes.plot(
        [row.gap], [y + 17], "D", color=PAINT["ink"], markersize=8, markeredgewidth=1.5,
        markeredgecolor=PAINT["paper"], zorder=4,
    )  # fmt: skip

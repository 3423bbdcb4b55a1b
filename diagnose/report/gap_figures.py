"""Figures of a gap's page, as SVG: the waterfall, and arms as stacked terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.formatting import cut, plain
from diagnose.report.canvas import PAINT, Sheet
from diagnose.report.tracks import Layout, reach, tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from diagnose.report.tracks import Tracks

BAR = 8  # half the height of a bar, in points
DASHES = (0, (2, 2))


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
    across = tracks(len(rows), WATERFALL, reach(ends, 0.07), unit, narrow=narrow, say=plain)
    for place, row in enumerate(rows):
        track = across.ground(place, zero=False)
        middle = (track[0] + track[1]) / 2
        _fall(across.axes, row, middle)
        if place + 1 < len(rows):
            end = track[1] if narrow else middle + across.step - BAR  # on a phone words lie between the tracks
            across.axes.plot([row.end, row.end], [middle, end], color=PAINT["quiet"], linewidth=1, linestyle=DASHES)
        across.words(place, cut(row.label, 27 if narrow else 36), cut(row.under, 54), row.figure, paint=row.paint)
    return across.sheet


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
    across = tracks(len(rows), STACKED, reach(ends), unit, narrow=narrow)
    for place, row in enumerate(rows):
        track = across.ground(place, zero=True)
        _stack(across, row, (track[0] + track[1]) / 2)
        label, under = cut(row.label, 20 if narrow else 22), cut(row.under, 36 if narrow else 28)
        across.words(place, label, under, row.figure)
    return across.sheet


def _stack(across: Tracks, row: Stack, y: float) -> None:
    """Draw an arm's pieces outwards from zero, each named above where there is room for its name."""
    axes, reached = across.axes, {1: 0.0, -1: 0.0}
    for piece in row.pieces:
        side = 1 if piece.value > 0 else -1
        start, end = reached[side], reached[side] + piece.value
        reached[side] = end
        axes.fill_between(sorted((start, end)), y - 10, y + 6, color=PAINT[piece.paint], linewidth=0, alpha=0.8)
        axes.vlines([end], y - 10, y + 6, color=PAINT["paper"], linewidth=1.5)
        if abs(across.at(end) - across.at(start)) > 8 * len(piece.name):
            middle = across.at((start + end) / 2)
            across.sheet.text(middle, across.head + y - 19, piece.name, paint=piece.paint, size=11, align="center")
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [y + 17, y + 17], color=PAINT["ink"], linewidth=2, zorder=3)
    axes.plot(
        [row.gap], [y + 17], "D", color=PAINT["ink"], markersize=8, markeredgewidth=1.5,
        markeredgecolor=PAINT["paper"], zorder=4,
    )  # fmt: skip

"""Rows of a figure as tracks that share an axis: words at the left, figures at the right; on a phone above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.formatting import signed
from diagnose.report.canvas import PAINT, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

WIDE, NARROW = 900, 358
FOOT = 48  # points below the tracks: the axis' figures and its name


@dataclass(frozen=True)
class Layout:
    """Where tracks lie on a sheet, in points.

    Attributes:
        left, right: the tracks' ends on a wide sheet; on a narrow one they take its width.
        step: the height of a row, wide and narrow.
        above: the part of a row above its track, wide and narrow: on a phone words lie there.
        head, foot: above and below all rows.
    """

    left: float
    right: float
    step: tuple[float, float]
    above: tuple[float, float]
    head: float
    foot: float = FOOT


@dataclass(frozen=True)
class Tracks:
    """A sheet with its rows laid out; y in `axes` counts points from the first row down."""

    sheet: Sheet
    axes: Axes
    ticks: list[float]
    left: float
    right: float
    head: float
    step: float
    above: float
    narrow: bool

    def at(self, x: float) -> float:
        """Return where a value lies across the sheet."""
        low, high = self.axes.get_xlim()
        return self.left + (x - low) / (high - low) * (self.right - self.left)

    def ground(self, place: int, *, zero: bool) -> tuple[float, float]:
        """Draw the faint lines of a row, and (zero) a strong one at zero; return where its track begins and ends."""
        track = (place * self.step + self.above, (place + 1) * self.step)
        self.axes.vlines(self.ticks, *track, color=PAINT["rule"], linewidth=1, zorder=0)
        if zero:
            self.axes.vlines([0], *track, color=PAINT["ink"], linewidth=1.25, zorder=1)
        return track

    def words(self, place: int, label: str, under: str, figure: str, *, note: str = "", paint: str = "ink") -> None:
        """Write a row's name with a line below it at the left, its figure (and a note below that) at the right."""
        top = self.head + place * self.step
        middle = top + self.step / 2
        first, second = (top + 11, top + 29) if self.narrow else (middle - 9 if under else middle, middle + 9)
        beside = first if self.narrow else middle - 9 if note else middle
        self.sheet.text(0, first, label, paint=paint, size=14, bold=True)
        self.sheet.text(0, second, under, paint="quiet", size=12)
        self.sheet.text(self.sheet.width, beside, figure, size=14, bold=True, align="right")
        self.sheet.text(self.sheet.width, second, note, paint="quiet", size=12, align="right")


def tracks(
    count: int,
    layout: Layout,
    within: tuple[float, float],
    unit: str,
    *,
    narrow: bool,
    say: Callable[[float, int], str] = signed,
) -> Tracks:
    """Return a sheet with room for rows along a common axis.

    Args:
        count: rows.
        layout: where they lie.
        within: from where to where the axis goes.
        unit: the axis' name, its unit in it.
        narrow: whether for a phone.
        say: how the axis' figures are written: `words.signed` for differences, `words.plain` for losses.
    """
    step, above = layout.step[narrow], layout.above[narrow]
    width = NARROW if narrow else WIDE
    left, right = (8, width - 8) if narrow else (layout.left, layout.right)
    sheet = Sheet.new(width, layout.head + step * count + layout.foot)
    axes = sheet.axes(left, layout.head, right - left, step * count, lines="x")
    axes.set_xlim(*within)
    axes.set_ylim(step * count, 0)
    axes.set_yticks([])
    axes.grid(visible=False)
    ticks = place_ticks(axes, 4 if narrow else 6, say)
    sheet.text((left + right) / 2, sheet.height - 10, unit, paint="quiet", size=12, align="center")
    return Tracks(sheet, axes, ticks, left, right, layout.head, step, above, narrow)


def reach(ends: Sequence[float], room: float = 0.06) -> tuple[float, float]:
    """Return from where to where an axis goes, with some room beyond what lies on it."""
    beyond = (max(ends) - min(ends) or 0.01) * room
    return min(ends) - beyond, max(ends) + beyond


def place_ticks(axes: Axes, most: int, say: Callable[[float, int], str]) -> list[float]:
    """Put round figures along the x axis, at most about so many; return those that lie within it."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))
    ticks = [float(tick) for tick in axes.get_xticks()]
    digits = tick_digits(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: say(value, digits)))
    low, high = axes.get_xlim()
    return [tick for tick in ticks if low <= tick <= high]


def tick_digits(ticks: Sequence[float]) -> int:
    """Return how many decimals tell ticks apart."""
    step = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
    return next((digits for digits in range(9) if abs(round(step, digits) - step) < step * 1e-6), 9)

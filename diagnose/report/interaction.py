"""The picture of interactions: the arms' losses by level of one axis, a line for each level of another."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from diagnose.formatting import plain, visible
from diagnose.report.canvas import ARMS
from diagnose.report.figures import Drawn, Line, Panel, curves, strip

if TYPE_CHECKING:
    from diagnose.records.ablations import AblationRecord, AxisRecord

MOST_PANELS = 6  # of pairs of axes that are drawn


def interaction_figure(summary: AblationRecord) -> Drawn | None:
    """Return the panels, one for each two axes; None where there is one axis."""
    varied = [axis for axis in summary.axes if len(axis.levels) > 1]
    panels = [drawn_panel for pair in combinations(varied, 2) if (drawn_panel := _panel(summary, *pair)) is not None]
    if not panels:
        return None
    draw = partial(curves, panels[:MOST_PANELS], small=True)
    description = "; ".join(f"{panel.title}: {_said(panel)}" for panel in panels[:MOST_PANELS])
    return Drawn("interaction", draw, f"Mean loss in bits per byte by level. {description}.")


def _panel(summary: AblationRecord, first: AxisRecord, other: AxisRecord) -> Panel | None:
    """Return the losses of one axis' levels for each level of the other; the one with more levels goes across."""
    across, lines = (other, first) if len(other.levels) > len(first.levels) else (first, other)
    drawn = [line for place, level in enumerate(lines.levels) for line in _lines(summary, across, lines, level, place)]
    if not drawn:
        return None
    ticks = tuple((k + 0.5, visible(level)) for k, level in enumerate(across.levels))
    title = f"{visible(across.name)}, a line for each {visible(lines.name)}"
    return strip(title, visible(across.name), "validation loss, bits per byte", drawn, ticks)


def _lines(summary: AblationRecord, across: AxisRecord, lines: AxisRecord, level: str, place: int) -> list[Line]:
    """Return the means over the arms that have both levels, and each seed's; nothing where no arm has."""
    x, y, points = [], [], []
    for k, at in enumerate(across.levels):
        some = [
            arm for arm in summary.arms
            if (arm.levels.get(across.name), arm.levels.get(lines.name)) == (at, level) and None not in arm.per_seed
        ]  # fmt: skip
        if some:
            each = np.mean([[float(value or 0) for value in arm.per_seed] for arm in some], axis=0)
            x.append(k + 0.5)
            y.append(float(each.mean()))
            points += [(k + 0.5, float(value)) for value in each]
    paint = f"arm-{place}" if place < ARMS else "quiet"
    seeds = Line(tuple(at for at, _ in points), tuple(loss for _, loss in points), paint, strong=False, dots=True,
                 joined=False)  # fmt: skip
    return [Line(tuple(x), tuple(y), paint, dots=True, name=visible(level)), seeds] if x else []


def _said(panel: Panel) -> str:
    names = [words for _, words in panel.ticks]
    return ", ".join(
        f"{line.name}: " + " ".join(f"{names[int(x)]} {plain(y)}" for x, y in zip(line.x, line.y, strict=True))
        for line in panel.lines
        if line.name
    )

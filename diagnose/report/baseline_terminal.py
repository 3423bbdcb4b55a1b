"""Yardsticks and the runs among them for the terminal: rows with bars, at most 100 columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from diagnose.baselines.peers import PUBLISHED
from diagnose.formatting import counted, estimate, listed, plain, visible
from diagnose.report.terminal import Bar, Bars, Narrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from diagnose.baselines.peers import PeerRun
    from diagnose.baselines.placement import Yardstick
    from diagnose.baselines.power_law import Law

TIMES = {2.0: "twice", 4.0: "four times"}
MOST_RUNS = 12  # the best of more


def scale_rows(scale: Sequence[Yardstick], runs: Sequence[PeerRun], laws: Sequence[Law], scored: str) -> RenderableType:
    """Return what needs least, all yardsticks with the best runs among them, what more would give, published figures.

    Args:
        scale: yardsticks, the worst first.
        runs: finished runs that were scored on the same documents, the worst first.
        laws: what more text, parameters and steps would give.
        scored: what these are, as "3,110 validation documents".
    """
    best = scale[-1]
    said = f"{best.name} needs least for the {scored}: {plain(best.bits_per_byte)}"
    if runs:
        more = runs[-1].bits_per_byte - best.bits_per_byte
        side = "more" if more > 0 else "less"
        said += f"; the best of {counted(len(runs), 'run')} needs {plain(abs(more), 2)} {side}"
    bars = [
        Bar(y.name, estimate(y.bits_per_byte, y.low, y.high), "", y.bits_per_byte, y.low, y.high, "ink") for y in scale
    ]
    bars += [_run(one) for one in runs[-MOST_RUNS:]]
    parts: list[RenderableType] = [Narrow(Text(f"{said}.", style="bold")), Text()]
    parts.append(Narrow(Text("Bits per byte, given the training text; left is better", style="dim")))
    parts.append(Bars(sorted(bars, key=lambda bar: -(bar.value or 0.0))))
    if len(runs) > MOST_RUNS:
        left = f"{counted(len(runs) - MOST_RUNS, 'run')} that need more are not shown; --json has all."
        parts.append(Narrow(Text(left, style="dim")))
    parts += [Text(), Narrow(Text("What more would give, bits per byte", style="dim"))]
    parts += [Narrow(Text(law_sentence(one)), 2) for one in laws]
    parts += [Text(), Narrow(Text("For orientation, of another text and not to be compared with:", style="dim"))]
    figures = (f"{one.name}: {plain(one.bits_per_byte, 2)}, {one.text} ({one.source})" for one in PUBLISHED)
    parts += [Narrow(Text(line, style="dim"), 2) for line in figures]
    return Group(*parts)


def law_sentence(one: Law) -> str:
    """Return what more of something would give, or why nothing is said of it."""
    if one.refused:
        return f"More {one.of}: nothing is said, for {one.refused}."
    said = [f"{plain(row.bits_per_byte)} ({plain(row.low)} to {plain(row.high)})" for row in one.forecasts]
    more = listed([f"{figure} with {TIMES[row.factor]}" for figure, row in zip(said, one.forecasts, strict=True)])
    return f"More {one.of}: {visible(one.learner)} needs {plain(one.bits_per_byte[-1])} now, {more} as much."


def _run(one: PeerRun) -> Bar:
    name = visible(Path(one.run).name.split("-", 2)[-1])
    note = f"run, {visible(one.model)}, {counted(one.steps, 'step')}"
    figure = estimate(one.bits_per_byte, one.low, one.high)
    return Bar(name, figure, note, one.bits_per_byte, one.low, one.high, "arm-0")

"""Curves of an arm averaged over its seeds, and what can be read off them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from diagnose.report.summary import AblationReport, LoggedReading, RunSummary

MOST_POINTS = 400  # of one curve that are drawn
LAST_PART = 0.2  # of the text: where it is asked whether a curve still falls


@dataclass(frozen=True)
class MeanCurve:
    """An arm's mean curve: bits per byte after each amount of training text, over finished runs."""

    text: tuple[float, ...]
    bits: tuple[float, ...]

    @property
    def last(self) -> float | None:
        """Where it ends, in bits per byte."""
        return self.bits[-1] if self.bits else None

    def at(self, text: np.ndarray) -> np.ndarray:
        """Return bits per byte after other amounts of text, between readings along a straight line."""
        return np.asarray(np.interp(text, self.text, self.bits))

    def still_falling(self) -> float | None:
        """Return by how many bits per byte it fell over the last fifth, None where it is too short."""
        if len(self.text) < 3:
            return None
        return float(self.at(np.array([self.text[-1] * (1 - LAST_PART)]))[0]) - self.bits[-1]


def known(readings: tuple[LoggedReading, ...]) -> tuple[LoggedReading, ...]:
    """Return the readings that can be given in bits per byte."""
    return tuple(r for r in readings if r.bits is not None and math.isfinite(r.bits))


def thin(readings: tuple[LoggedReading, ...]) -> tuple[LoggedReading, ...]:
    """Return at most some hundred readings, evenly chosen, the last among them: more than a figure can show."""
    every = -(-len(readings) // MOST_POINTS)
    return readings[::-1][:: max(every, 1)][::-1]


def course(runs: tuple[RunSummary, ...], split: str) -> MeanCurve:
    """Return the mean over finished runs, at the readings that all of them have."""
    curves = [{r.step: r for r in thin(known(run.select("probe", split)))} for run in runs if run.finished]
    curves = [curve for curve in curves if curve]
    if not curves:
        return MeanCurve((), ())
    steps = sorted(set.intersection(*(set(curve) for curve in curves)))
    mean = [float(np.mean([curve[step].bits for curve in curves])) for step in steps]
    text = [float(np.mean([curve[step].text for curve in curves])) for step in steps]
    return MeanCurve(tuple(text), tuple(mean))


def courses(report: AblationReport) -> dict[str, MeanCurve]:
    """Return the mean validation curve of each arm that has one."""
    by_level = {arm.level: course(report.arm(arm.level), "val") for arm in report.summary.arms}
    return {level: line for level, line in by_level.items() if line.text}


def leader(lines: dict[str, MeanCurve]) -> tuple[str, float] | None:
    """Return the arm that ends lowest, and from how much text on it stays lowest (0: from the start)."""
    if len(lines) < 2:
        return None
    level = min(lines, key=lambda name: lines[name].bits[-1])
    start = max(line.text[0] for line in lines.values())
    end = min(line.text[-1] for line in lines.values())
    grid = np.unique([x for line in lines.values() for x in line.text if start <= x <= end])
    if not len(grid):
        return None
    rest = np.min([line.at(grid) for name, line in lines.items() if name != level], axis=0)
    above = np.flatnonzero(lines[level].at(grid) > rest)
    if not len(above):
        return level, 0.0
    return (level, float(grid[above[-1] + 1])) if above[-1] + 1 < len(grid) else (level, float(grid[-1]))

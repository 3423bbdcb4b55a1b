"""The sentences and the table of a run's place among yardsticks of its text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from diagnose.baselines.placement import CHECKS, MARGIN, Standing, standing
from diagnose.formatting import between, estimate, plain, share, visible
from diagnose.report import figures, run_sentences
from diagnose.report.blocks import TextTable
from diagnose.report.figures import Drawn, ForestRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.baselines.placement import Yardstick
    from diagnose.report.summary import RunReport

DIGITS = 2


def losses(run: RunReport) -> list[tuple[str, float]]:
    """Return the losses of a run that yardsticks can judge, with what they are called: bits per byte."""
    named = (("final", "The loss on the whole scored text"), ("reported", "The reported validation loss"))
    found = ((name, run_sentences.last(run, kind, "val")) for kind, name in named)
    return [(name, reading.bits) for name, reading in found if reading is not None and reading.bits is not None]


def place(run: RunReport) -> Standing | None:
    """Return where a run's loss on the scored text lies; None where it has none, or no yardsticks."""
    found = losses(run)
    return standing(found[0][1], run.scale) if found else None


def title(where: Standing) -> str:
    """Return where a loss lies, as the title of its section."""
    if where.below is None:
        return "It needs fewer bits than every yardstick of its text"
    if where.above is None:
        return "It needs more bits than bytes at random"
    return f"It lies between {_called(where.above)} and {_called(where.below)}"


def sentence(where: Standing) -> str:
    """Return "0.31 better than gzip, 0.12 worse than bzip2; ...", in bits per byte."""
    sides = ((where.above, "better"), (where.below, "worse"))
    parts = [
        f"{plain(abs(where.bits_per_byte - one.bits_per_byte), DIGITS)} {word} than {_called(one)}"
        for one, word in sides
        if one is not None
    ]
    rest = f"{plain(where.bits_per_byte, DIGITS)} bits per byte: {', '.join(parts)}"
    if where.below is None or where.below == where.best:
        return f"{rest}."
    return f"{rest}. The best yardstick, {_called(where.best)}, needs {plain(where.best.bits_per_byte, DIGITS)}."


def _called(one: Yardstick) -> str:
    """Return a yardstick's name as it reads in a sentence."""
    return visible(one.name).replace(", order", " of order")


def alarm(run: RunReport) -> tuple[str, list[str]] | None:
    """Return that a loss is too good to be true, and what would tell why; None where none is."""
    for name, bits in losses(run):
        found = standing(bits, run.scale)
        if found is not None and found.implausible:
            best = f"{visible(found.best.name)}, the best yardstick of it, needs {plain(found.best.bits_per_byte)}"
            known = f"the largest gain of a network that we know of leaves {share(MARGIN)}"
            said = f"{name} is {plain(bits)} bits per byte; {best}. That is {share(found.ratio)} of the best; {known}."
            return said, list(CHECKS)
    return None


def figure(run: RunReport) -> Drawn | None:
    """Return yardsticks and the run on one axis, the worst at the top; None where there is nothing to draw."""
    final = run_sentences.last(run, "final", "val")
    if final is None or final.bits is None:
        return None
    return ladder(run.scale, [("this run", final.bits, final.bits_low, final.bits_high)])


def ladder(scale: Iterable[Yardstick], runs: Iterable[tuple[str, float, float | None, float | None]]) -> Drawn | None:
    """Return yardsticks and runs (name, bits per byte, its interval) on one axis, the worst at the top.

    Bytes at random are left out: they need so much that the others could not be told apart.
    """
    found = [(one.name, one.bits_per_byte, one.low, one.high, "quiet") for one in scale if _learned(one)]
    if not found:
        return None
    found += [(*run, "arm-0") for run in runs]
    rows = [
        ForestRow(visible(name), "", estimate(bits, low, high), "", bits, low, high, (), paint)
        for name, bits, low, high, paint in sorted(found, key=lambda row: -row[1])
    ]
    said = "; ".join(f"{row.label} {row.figure}" for row in rows)
    draw = partial(figures.ladder, rows, unit="bits per byte of the scored text; left is better")
    return Drawn("ladder", draw, f"Bits per byte, the worst first: {said}.")


def _learned(one: Yardstick) -> bool:
    return one.family != "uniform"


def table(run: RunReport) -> TextTable:
    """Return the yardsticks and the run among them, the worst first."""
    found = [(one.bits_per_byte, visible(one.name), between(one.low, one.high)) for one in run.scale]
    final = run_sentences.last(run, "final", "val")
    if final is not None and final.bits is not None:
        found.append((final.bits, "this run", between(final.bits_low, final.bits_high)))
    rows = [(name, plain(bits), ends) for bits, name, ends in sorted(found, key=lambda row: -row[0])]
    part = ", measured on a part of it" if run.sampled else ""
    caption = f"What the scored text costs given the training text{part}; 95 % intervals over documents"
    return TextTable(caption, ("yardstick", "bits per byte", "interval"), tuple(rows))


def record(run: RunReport) -> dict[str, Any] | None:
    """Return a run's place as JSON values."""
    where = place(run)
    return None if where is None else where.record() | {"sampled": run.sampled}

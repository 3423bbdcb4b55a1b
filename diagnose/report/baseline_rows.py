"""The sentences and the table of a run's place among yardsticks of its text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from diagnose.baselines.placement import CHECKS, MARGIN, Standing, standing
from diagnose.formatting import between, estimate, plain, share, visible
from diagnose.report import figures, run_sentences
from diagnose.report.blocks import Figure, TextTable, marked
from diagnose.report.figures import Bar, Drawn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diagnose.baselines.placement import Yardstick
    from diagnose.report.summary import RunReport

DIGITS = 2


def losses(run: RunReport) -> list[tuple[str, float]]:
    """Return the losses of a run that yardsticks can judge, with what they are called: bits per byte."""
    named = (("final", "The loss on the scored text"), ("reported", "The reported validation loss"))
    readings = ((name, run_sentences.last(run, kind, "val")) for kind, name in named)
    return [(name, reading.bits) for name, reading in readings if reading is not None and reading.bits is not None]


def place(run: RunReport) -> Standing | None:
    """Return where a run's loss on the scored text lies; None where it has none, or no yardsticks."""
    known = losses(run)
    return standing(known[0][1], run.scale) if known else None


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
        f"{plain(abs(where.bits_per_byte - row.bits_per_byte), DIGITS)} {word} than {_called(row)}"
        for row, word in sides
        if row is not None
    ]
    rest = f"{plain(where.bits_per_byte, DIGITS)} bits per byte: {', '.join(parts)}"
    if where.below is None or where.below == where.best:
        return f"{rest}."
    return f"{rest}. The best yardstick, {_called(where.best)}, needs {plain(where.best.bits_per_byte, DIGITS)}."


def _called(baseline: Yardstick) -> str:
    """Return a yardstick's name as it reads in a sentence."""
    return visible(baseline.name).replace(", order", " of order")


def alarm(run: RunReport) -> tuple[str, list[str]] | None:
    """Return that a loss is too good to be true, and what would tell why; None where none is."""
    for name, bits in losses(run):
        placed = standing(bits, run.scale)
        if placed is not None and placed.implausible:
            best = f"{visible(placed.best.name)}, the best yardstick of it, needs {plain(placed.best.bits_per_byte)}"
            known = f"the largest gain of a network that we know of leaves {share(MARGIN)}"
            warning = (
                f"{name} is {plain(bits)} bits per byte; {best}. That is {share(placed.ratio)} of the best; {known}."
            )
            return warning, list(CHECKS)
    return None


def this_run(run: RunReport) -> list[Bar]:
    """Return a run's row among yardsticks; none where it was not scored."""
    final = run_sentences.last(run, "final", "val")
    if final is None or final.bits is None:
        return []
    ends = (final.bits, final.bits_low, final.bits_high)
    return [Bar("this run", estimate(*ends), "", *ends, "arm-0")]


def among(scale: Iterable[Yardstick], runs: Iterable[Bar]) -> list[Bar]:
    """Return yardsticks with runs among them, the worst first."""
    rows = [
        Bar(
            baseline.name,
            estimate(baseline.bits_per_byte, baseline.low, baseline.high),
            "",
            baseline.bits_per_byte,
            baseline.low,
            baseline.high,
            "quiet",
        )
        for baseline in scale
    ]
    return sorted([*rows, *runs], key=lambda row: -(row.value or 0.0))


def ladder(scale: Sequence[Yardstick], runs: Sequence[Bar]) -> Figure | None:
    """Return yardsticks and runs on one axis, the worst at the top; None where there is nothing to draw.

    Bytes at random are left out: they need so much that the others could not be told apart.
    """
    learned = [baseline for baseline in scale if baseline.family != "uniform"]
    if not learned:
        return None
    rows = among(learned, runs)
    described = "; ".join(f"{row.name} {row.figure}" for row in rows)
    draw = partial(figures.ladder, rows, unit="bits per byte of the scored text; left is better")
    caption = "Each on the scored text, given the same training text; lines: 95 % [interval|intervals] over documents."
    return Figure(Drawn("ladder", draw, f"Bits per byte, the worst first: {described}."), marked(caption))


def table(rows: Iterable[Bar], *, sampled: bool = False) -> TextTable:
    """Return yardsticks and runs among them; `sampled` says that the yardsticks read only a part of the text."""
    lines = tuple((row.name, plain(row.value), between(row.low, row.high), row.note) for row in rows)
    part = ", measured on a part of it" if sampled else ""
    caption = f"What the scored text costs given the training text{part}; 95 % intervals over documents"
    noted = 4 if any(line[3] for line in lines) else 3
    head = ("yardstick", "bits per byte", "interval", "what it is")
    return TextTable(caption, head[:noted], tuple(line[:noted] for line in lines), frozenset({0, 3}))


def record(run: RunReport) -> dict[str, Any] | None:
    """Return a run's place as JSON values."""
    where = place(run)
    return None if where is None else where.record() | {"sampled": run.sampled}

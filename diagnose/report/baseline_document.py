"""What there is to say of a scale of baselines: what each needs, runs among them, and what more would give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.baselines.peers import PUBLISHED
from diagnose.formatting import counted, estimate, listed, plain
from diagnose.report.baseline_rows import among, ladder, table
from diagnose.report.blocks import Bars, Figure, Fold, Headline, Paragraph, Report, Section, marked
from diagnose.report.figures import Bar
from diagnose.report.parts import command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.baselines.peers import PeerRun
    from diagnose.baselines.placement import Yardstick
    from diagnose.baselines.power_law import Law
    from diagnose.report.blocks import ReportBlock

TIMES = {2.0: "twice", 4.0: "four times"}
MOST_RUNS = 12  # the best of more
LIMITS = (
    "What the best possible model would need: nobody knows it. A network that needs clearly less than every baseline "
    "is either good or has seen the text: diagnose audit asks which.",
    "Whether it holds for other text: every figure is of this one, but for the published ones.",
)


@dataclass(frozen=True)
class BaselineScale:
    """What predicts a text without a network, and the runs that were scored on it.

    Attributes:
        text: what the text is called.
        scale: yardsticks, the worst first.
        runs: finished runs that were scored on the same documents, the worst first.
        laws: what more text, parameters and steps would give.
        scored: which documents, as "3,110 validation documents".
        call: the command that was typed.
    """

    text: str
    scale: tuple[Yardstick, ...]
    runs: tuple[PeerRun, ...]
    laws: tuple[Law, ...]
    scored: str
    call: str = ""


def report_of(found: BaselineScale) -> Report:
    """Return what needs least, yardsticks with the best runs among them, what more would give, published figures."""
    best, runs = found.scale[-1], found.runs[-MOST_RUNS:]
    said = f"{best.name} needs least for the {found.scored}: {plain(best.bits_per_byte)}"
    tiles = [Headline(best.name, estimate(best.bits_per_byte, best.low, best.high), "bits per byte", "quiet")]
    if runs:
        most = runs[-1]
        more = most.bits_per_byte - best.bits_per_byte
        said += f"; the best of {counted(len(found.runs), 'run')} needs {plain(abs(more), 2)} "
        said += "more" if more > 0 else "less"
        tiles.append(Headline(_name(most), estimate(most.bits_per_byte, most.low, most.high), "bits per byte", "arm-0"))
    published = tuple(f"{one.name}: {plain(one.bits_per_byte, 2)}, {one.text} ({one.source})" for one in PUBLISHED)
    sections = (
        Section("scale", f"{best.name} needs least", "What each needs", tuple(_scale(found))),
        Section("more", "What more would give, bits per byte", "What more would give",
                (Paragraph(items=tuple(map(law_sentence, found.laws)), detail="always"),), "always"),
        Section("published", "For orientation, of another text and not to be compared with", "Of other texts",
                (Paragraph(items=published, detail="always"),), "always"),
        Section("how", "How this was obtained", "How this was obtained", (Paragraph(HOW), *command(found.call))),
    )  # fmt: skip
    return Report(f"Baselines of {found.text}", ("baseline scale", found.text, found.scored), f"{said}.", tuple(tiles),
                  sections, limits=LIMITS)  # fmt: skip


HOW = marked(
    "Each [yardstick|baseline] reads the training text once and pays for every byte of the scored documents, ends "
    "included, in [bits-per-byte|bits per byte]. What more text would give is a power law through growing parts of "
    "the text; more parameters and steps, one through finished runs that differ in nothing else."
)


def _scale(found: BaselineScale) -> Iterable[ReportBlock]:
    runs = [_bar(one) for one in found.runs[-MOST_RUNS:]]
    rows = among(found.scale, runs)
    bars = (Bars("Bits per byte, given the training text; left is better", tuple(rows)),)
    figure = ladder(found.scale, runs) or Figure(None)
    yield replace(figure, bars=bars, tables=(table(rows),), detail="always")
    if len(found.runs) > MOST_RUNS:
        left = f"{counted(len(found.runs) - MOST_RUNS, 'run')} that need more are not shown; --json has all."
        yield Paragraph(left, "note", detail="always")
    yield Fold("The same in numbers", (table(rows),))


def law_sentence(one: Law) -> str:
    """Return what more of something would give, or why nothing is said of it."""
    if one.refused:
        return f"More {one.of}: nothing is said, for {one.refused}."
    said = [f"{plain(row.bits_per_byte)} ({plain(row.low)} to {plain(row.high)})" for row in one.forecasts]
    more = listed([f"{figure} with {TIMES[row.factor]}" for figure, row in zip(said, one.forecasts, strict=True)])
    return f"More {one.of}: {one.learner} needs {plain(one.bits_per_byte[-1])} now, {more} as much."


def _bar(one: PeerRun) -> Bar:
    note = f"run, {one.model}, {counted(one.steps, 'step')}"
    figure = estimate(one.bits_per_byte, one.low, one.high)
    return Bar(_name(one), figure, note, one.bits_per_byte, one.low, one.high, "arm-0")


def _name(one: PeerRun) -> str:
    return Path(one.run).name.split("-", 2)[-1]

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


def report_of(scale: BaselineScale) -> Report:
    """Return what needs least, yardsticks with the best runs among them, what more would give, published figures."""
    best, runs = scale.scale[-1], scale.runs[-MOST_RUNS:]
    sentence = f"{best.name} needs least for the {scale.scored}: {plain(best.bits_per_byte)}"
    tiles = [Headline(best.name, estimate(best.bits_per_byte, best.low, best.high), "bits per byte", "quiet")]
    if runs:
        most = runs[-1]
        more = most.bits_per_byte - best.bits_per_byte
        sentence += f"; the best of {counted(len(scale.runs), 'run')} needs {plain(abs(more), 2)} "
        sentence += "more" if more > 0 else "less"
        tiles.append(Headline(_name(most), estimate(most.bits_per_byte, most.low, most.high), "bits per byte", "arm-0"))
    published = tuple(
        f"{result.name}: {plain(result.bits_per_byte, 2)}, {result.text} ({result.source})" for result in PUBLISHED
    )
    sections = (
        Section("scale", f"{best.name} needs least", "What each needs", tuple(_scale(scale))),
        Section("more", "What more would give, bits per byte", "What more would give",
                (Paragraph(items=tuple(map(law_sentence, scale.laws)), detail="always"),), "always"),
        Section("published", "For orientation, of another text and not to be compared with", "Of other texts",
                (Paragraph(items=published, detail="always"),), "always"),
        Section("how", "How this was obtained", "How this was obtained", (Paragraph(HOW), *command(scale.call))),
    )  # fmt: skip
    identity = ("baseline scale", scale.text, scale.scored)
    return Report(f"Baselines of {scale.text}", identity, f"{sentence}.", tuple(tiles), sections, limits=LIMITS)


HOW = marked(
    "Each [yardstick|baseline] reads the training text once and pays for every byte of the scored documents, ends "
    "included, in [bits-per-byte|bits per byte]. What more text would give is a power law through growing parts of "
    "the text; more parameters and steps, one through finished runs that differ in nothing else."
)


def _scale(scale: BaselineScale) -> Iterable[ReportBlock]:
    runs = [_bar(run) for run in scale.runs[-MOST_RUNS:]]
    rows = among(scale.scale, runs)
    bars = (Bars("Bits per byte, given the training text; left is better", tuple(rows)),)
    figure = ladder(scale.scale, runs) or Figure(None)
    yield replace(figure, bars=bars, tables=(table(rows),), detail="always")
    if len(scale.runs) > MOST_RUNS:
        left = f"{counted(len(scale.runs) - MOST_RUNS, 'run')} that need more are not shown; --json has all."
        yield Paragraph(left, "note", detail="always")
    yield Fold("The same in numbers", (table(rows),))


def law_sentence(law: Law) -> str:
    """Return what more of something would give, or why nothing is said of it."""
    if law.refused:
        return f"More {law.of}: nothing is said, for {law.refused}."
    forecasts = [f"{plain(row.bits_per_byte)} ({plain(row.low)} to {plain(row.high)})" for row in law.forecasts]
    more = listed([f"{figure} with {TIMES[row.factor]}" for figure, row in zip(forecasts, law.forecasts, strict=True)])
    return f"More {law.of}: {law.learner} needs {plain(law.bits_per_byte[-1])} now, {more} as much."


def _bar(run: PeerRun) -> Bar:
    note = f"run, {run.model}, {counted(run.steps, 'step')}"
    figure = estimate(run.bits_per_byte, run.low, run.high)
    return Bar(_name(run), figure, note, run.bits_per_byte, run.low, run.high, "arm-0")


def _name(run: PeerRun) -> str:
    return Path(run.run).name.split("-", 2)[-1]

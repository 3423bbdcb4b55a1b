"""What a bare log tells, for the terminal: the verdict and what matters in fifteen lines, all of it where asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from diagnose.formatting import chance, cut, estimate, listed, plain, visible
from diagnose.logs.digits_of import Digits
from diagnose.report.terminal import Bar, Bars, Narrow

if TYPE_CHECKING:
    from rich.console import RenderableType

    from diagnose.records.log_report import LogCause, LogExperiment, LogFinding, LogPair, LogReport

MOST_ROWS, ALL_ROWS = 4, 8
MOST_FOUND = 2
ALIKE = 2.0  # times: scales of the two losses between which their scatter is compared
ASIDE = {"error": "bold red", "warning": "yellow", "note": ""}
AXES = {"step": "step", "epoch": "epoch", "place": "line"}
TAKEN = {
    "evaluated": "both read alike, in evaluation mode", "interval": "training: mean since the last print",
    "epoch": "training: mean over the epoch", "batch": "training: one batch", "smooth": "training: decaying mean",
}  # fmt: skip


def log_rows(report: LogReport, *, everything: bool = False) -> RenderableType:
    """Return the record of a log as rows, at most 100 columns wide.

    Args:
        report: the record.
        everything: all of it; else the verdict and what matters.
    """
    verdict = Narrow(Text(visible(report.verdict), style="bold"))
    if not everything:
        return Group(verdict, _source_line(report, 1), Bars(_bars(report, MOST_ROWS)), *_short(report))
    parts: list[RenderableType] = [verdict, Text(), _source_line(report, 2), Bars(_bars(report, ALL_ROWS)), Text()]
    parts += [Narrow(Text(visible(line), style="dim")) for line in _numbers(report)]
    parts += [Narrow(_finding(one)) for one in report.findings]
    parts += _causes("Possible", report.possible) + _causes("Excluded", report.ruled_out)
    return Group(*parts, *_next(report.next))


def _short(report: LogReport) -> list[RenderableType]:
    """Return findings, causes by name and the next step, a line or two each."""
    said = [one for one in report.findings if one.rule not in ("log/validation-below-training", "log/overfitting")]
    out: list[RenderableType] = [_line(_finding(one)) for one in said[:MOST_FOUND]]
    if len(said) > MOST_FOUND:
        out.append(_line(Text(f"and {len(said) - MOST_FOUND} more findings")))
    elif not said and report.notes and not report.runs:
        out.append(_line(Text(visible(report.notes[0]), style="dim")))
    if report.possible:
        causes = f"Possible causes: {', '.join(one.id for one in report.possible)}"
        excluded = f"; excluded: {', '.join(one.id for one in report.ruled_out)}" if report.ruled_out else ""
        out.append(Narrow(Text(f"{causes}{excluded}.")))
    out.append(Narrow(Text(f"What would tell: {visible(report.next.what)}.")))
    return [*out, Text("More: --all (numbers, causes and why, the experiment), --page (a picture)", style="dim")]


def _line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _finding(one: LogFinding) -> Text:
    return Text(visible(f"{one.severity} {one.rule}: {one.what}. To mend: {one.fix}."), style=ASIDE[one.severity])


def _source_line(report: LogReport, most: int) -> Text | Narrow:
    """Return where the losses come from; in one line where most is one."""
    source, points = report.source, report.points
    tool = f", {source.tool}" if source.tool else ""
    names = f"{cut(source.train, 32)!r} and {cut(source.val, 32)!r}"
    taken = f"; {TAKEN[source.train_is]}" if source.train_is else ""
    files = listed([cut(name, 60 if most > 1 else 30) for name in source.files[:2]])
    files += " and more" if len(source.files) > 2 else ""
    count = f"{points.pairs:,} pairs of {points.train:,} training and {points.val:,} validation values"
    text = Text(visible(f"{files} ({source.format}{tool}): {names}, {count}{taken}"), style="dim")
    return _line(text) if most == 1 else Narrow(text)


def digits(report: LogReport) -> Digits:
    """Return the digits that a report's losses carry."""
    shown = [report.curves[key] for key in ("train", "val") if key in report.curves]
    return Digits.of([value for curve in shown for value in curve.value[:100]])


def _bars(report: LogReport, most: int) -> list[Bar]:
    """Return the gap at some prints, or at the end of each run; both losses stand beside as the remark."""
    carried = digits(report)
    if len(report.runs) > 1:
        return [_bar(run.name, run.last, carried, report) for run in report.runs[-2 * most :]]
    axis, shown = AXES[report.source.axis], report.points.shown
    every = max(1, -(-(len(shown) - 1) // (most - 1))) if most > 1 else 1
    rows = [
        _bar(f"{axis} {plain(one.at, _places(one.at))}", one, carried, report) for one in [*shown[:-1:every], shown[-1]]
    ]
    gap = report.gap
    if gap and most == ALL_ROWS:
        figure = estimate(gap.value, gap.low, gap.high, difference=True)
        name = "mean, second half" if gap.late_used else "mean"
        rows.append(Bar(name, figure, "validation minus training", gap.value, gap.low, gap.high, "ink"))
    return rows


def _places(at: float) -> int:
    return 0 if at == int(at) else 2


def _bar(name: str, one: LogPair, carried: Digits, report: LogReport) -> Bar:
    note = f"training {carried.loss(one.train)}, validation {carried.loss(one.val)}"
    gap = one.val - one.train if report.gap else None
    paint = "arm-0" if gap is not None and gap < 0 else "arm-1"
    return Bar(visible(cut(name, 24)), "" if gap is None else carried.gap(gap), note, gap, None, None, paint)


def numbers(report: LogReport) -> list[str]:
    """Return the sentences on intervals, scatter and plausibility, and the notes."""
    return _numbers(report)


def _numbers(report: LogReport) -> list[str]:
    out = [*_interval(report), *_scatter(report), *_against(report)]
    for other in report.others:
        first, last = (one.val - one.train for one in (other.first, other.last))
        carried = digits(report)
        out.append(
            f"Also in the log: {other.name}, {other.pairs} pairs, validation below in {other.below}, above in "
            f"{other.above}; {carried.gap(first)} at first, {carried.gap(last)} at the end."
        )
    return [*out, *report.notes]


def _interval(report: LogReport) -> list[str]:
    gap, out = report.gap, []
    if gap and gap.low is not None:
        alike = f"The interval allows for neighbouring prints that correlate at {plain(gap.alike, 2)}"
        worth = f"; {gap.prints} prints are worth {plain(gap.effective, 0)}."
        out.append(alike + (", assumed: so few prints cannot show it." if gap.alike_assumed else worth))
    if gap and not gap.sign.assumed_independent and gap.sign.stretches:
        out.append(
            f"One sign in {gap.sign.agree} of {gap.sign.stretches} independent stretches: p = {chance(gap.sign.p)}."
        )
    return out


def _scatter(report: LogReport) -> list[str]:
    noise, carried = report.noise, digits(report)
    if noise.train is None or noise.val is None:
        return []
    smooth = "; training's values share what they average" if noise.train_smoothed else ""
    out = [
        f"Values scatter about their course by {carried.size(noise.train)} (training) and {carried.size(noise.val)} "
        f"(validation){smooth}."
    ]
    last = report.points.shown[-1]
    scales = last.val / last.train if last.train and last.val / last.train > 0 else 0.0
    ratio = noise.train / noise.val if noise.val else 1.0
    if 1 / ALIKE < scales < ALIKE and noise.train and not 1 / 3 < ratio < 3:
        which = "training" if ratio < 1 else "validation"
        out.append(f"The quieter of the two, {which}, may be averaged over more.")
    return out


def _against(report: LogReport) -> list[str]:
    found = report.plausibility
    if not found:
        return []
    most = "At most " if found.at_most else ""
    scale = listed([f"{y.name} {plain(y.bits_per_byte, 2)}" for y in found.yardsticks])
    beside = f"; {scale} on the same text" if scale else ""
    guessed = bool(found.tokens) and found.tokens_from != "given"
    tokens = f", taking tokens to be {found.tokens}s ({found.tokens_from})" if guessed else ""
    return [f"{most}{plain(found.bits_per_byte, 2)} bits per byte of {found.corpus}{tokens}{beside}."]


def _causes(title: str, found: tuple[LogCause, ...]) -> list[RenderableType]:
    if not found:
        return []
    out: list[RenderableType] = [Text(), Text(title, style="bold")]
    for one in found:
        line = Text(f"  {one.id:<13}{one.why}.")
        if title == "Possible":
            line.append(f" Looks like: {one.looks}.", style="dim")
        out.append(Narrow(line))
    return out


def _next(found: LogExperiment) -> list[RenderableType]:
    out: list[RenderableType] = [Text(), Text("What would tell", style="bold")]
    out += [
        Narrow(Text(f"  {visible(found.what)}.")),
        Narrow(Text(f"  {found.outcome[:1].upper()}{found.outcome[1:]}.")),
    ]
    if found.command:
        out.append(Text(f"  {visible(found.command)}", no_wrap=True, overflow="ellipsis"))
    return out

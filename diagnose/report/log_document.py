"""What there is to say of a bare log: both curves and the gap, what was found, what is possible and what would tell."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.formatting import chance, counted, cut, estimate, listed, plain
from diagnose.logs.digits_of import Digits, LogDigits, times
from diagnose.report import figures
from diagnose.report.blocks import (
    Bars,
    CodeText,
    Figure,
    Headline,
    NamedRows,
    Paragraph,
    Report,
    RuleFinding,
    Section,
    TextTable,
    marked,
)
from diagnose.report.figures import Bar, Drawn, Label, Line, Panel
from diagnose.report.parts import sentence

if TYPE_CHECKING:
    from diagnose.records.log_report import LogCurve, LogPair, LogReport, LogRun
    from diagnose.report.blocks import Inline, ReportBlock

SIDES = (("train", "training", "arm-1"), ("val", "validation", "arm-0"))
SETTLED = 0.15  # share of the run after which the y axis of a steep curve begins
STEEP = 3.0  # times as high as all that follows: a beginning that is cut off
MOST_ROWS, ALL_ROWS = 4, 8
MOST_FOUND = 2
ALIKE = 2.0  # times: scales of the two losses between which their scatter is compared
AXES = {"step": "step", "epoch": "epoch", "place": "line"}
IN_VERDICT = ("log/validation-below-training", "log/overfitting")  # findings that the verdict says already
TAKEN = {
    "evaluated": "both in evaluation mode", "interval": "training: mean since the last print",
    "epoch": "training: mean over the epoch", "batch": "training: one batch", "smooth": "training: decaying mean",
    "run": "training: mean of all steps",
}  # fmt: skip
LIMITS = (
    "How either loss was taken: a log holds two numbers and not in which mode, on which data, averaged over what. The "
    "experiment above tells; diagnose loss-gap measures every part.",
    "Whether the losses are good. For text, --data holds them against compressors.",
)


def name_of(log: LogReport) -> str:
    """Return what a log is called: its first file's name."""
    return Path(log.source.files[0]).resolve().name


def report_of(log: LogReport) -> Report:
    """Return what there is to say of a log; the short form takes at most fifteen lines."""
    name, source = name_of(log), log.source
    tool = f" of {source.tool}" if source.tool else ""
    broken = tuple(
        RuleFinding(finding.severity, finding.rule, f"{finding.what}.", f"{finding.fix}.", detail="full")
        for finding in log.findings
    )
    sections = [
        Section("curves", _curves_title(log), "Curves", _curves(log)),
        *(
            [Section("findings", f"What was found{_of_run(log).replace(' of ', ' in ', 1)}", "Findings", broken)]
            if broken
            else []
        ),
        Section("next", "What would tell", "What would tell", _next(log)),
        Section("causes", "What is possible, and what is excluded", "What is possible", (_causes(log),)),
        Section("numbers", "Numbers", "Numbers", (*_tables(log), *_numbers(log))),
    ]
    return Report(
        title=f"Log {name}",
        identity=(f"log {cut(name, 60)}", f"{source.format}{tool}", counted(log.points.pairs, "pair")),
        verdict=log.verdict, headlines=_headlines(log), sections=tuple(sections), limits=LIMITS, compact=True,
        more="More: --all (numbers, causes and why, the experiment), --page (a picture)",
    )  # fmt: skip


def _headlines(log: LogReport) -> tuple[Headline, ...]:
    carried, last = digits(log), log.points.shown[-1]
    where = f"{AXES[log.source.axis]} {_at(last.at)}{_of_run(log)}"
    mean = "" if last.printed is None else f", a local mean; printed: {carried.train.loss(last.printed)}"
    out = [
        Headline("training", carried.train.loss(last.train), f"{where}{mean}", "arm-1"),
        Headline("validation", carried.val.loss(last.val), where, "arm-0"),
    ]
    if log.gap:
        ratio = log.gap.ratio
        note = f"validation is {times(ratio)} training" if ratio is not None and abs(ratio - 1) > 0.22 else ""
        out.append(Headline("validation minus training", carried.gap.gap(log.gap.last), note))
    return tuple(out)


def _of_run(log: LogReport) -> str:
    """Return whose a part of the report is, where the log holds several runs."""
    return f" of {cut(log.run, 40)}" if log.run else ""


def _curves_title(log: LogReport) -> str:
    if not log.run:
        return "The two losses along the run"
    return f"The two losses along {cut(log.run, 40)}, one of {counted(len(log.runs), 'run')}"


def _curves(log: LogReport) -> tuple[ReportBlock, ...]:
    """Return the drawing; in short forms where the losses come from and the gap at some prints, and what was found."""
    source = log.source
    drawn = _drawn(log)
    taken = f" As the log's tool takes it: {TAKEN[source.train_is]}." if source.train_is else ""
    above = drawn.remark if drawn else ""
    caption = marked(f"Solid: validation, {{}}; dashed: training, {{}}.{taken}{above}", source.val, source.train)
    return (
        Paragraph(_source(log, 1), "note", detail="brief"),
        Figure(None, bars=(Bars("", tuple(_bars(log, MOST_ROWS))),), tables=(_ends(log),), detail="brief"),
        Figure(drawn, caption, (Bars(_source(log, 2), tuple(_bars(log, ALL_ROWS))),)),
        *_short(log),
    )


def _short(log: LogReport) -> list[ReportBlock]:
    """Return findings, causes by name and the next step, a line or two each."""
    others = [item for item in log.findings if item.rule not in IN_VERDICT]
    lines: list[Inline] = [
        marked(f"**{item.severity}** {{}}: {{}}. To mend: {{}}.", item.rule, item.what, item.fix) for item in others
    ]
    out: list[ReportBlock] = [Paragraph(line, "line", detail="brief") for line in lines[:MOST_FOUND]]
    if len(others) > MOST_FOUND:
        out.append(Paragraph(f"and {len(others) - MOST_FOUND} more findings", detail="brief"))
    elif not others and log.notes and not log.runs:
        out.append(Paragraph(log.notes[0], "line", detail="brief"))
    if log.possible:
        causes = f"Possible causes: {', '.join(item.id for item in log.possible)}"
        excluded = f"; excluded: {', '.join(item.id for item in log.ruled_out)}" if log.ruled_out else ""
        out.append(Paragraph(f"{causes}{excluded}.", detail="brief"))
    return [*out, Paragraph(f"What would tell: {log.next.what}.", detail="brief")]


def _source(log: LogReport, most: int) -> str:
    """Return where the losses come from; shorter where it has to fit a line."""
    source, points = log.source, log.points
    tool = f", {source.tool}" if source.tool else ""
    names = f"{cut(source.train, 32)!r} and {cut(source.val, 32)!r}"
    taken = f"; {TAKEN[source.train_is]}" if source.train_is else ""
    files = listed([cut(name, 60 if most > 1 else 30) for name in source.files[:2]])
    files += " and more" if len(source.files) > 2 else ""
    count = f"{counted(points.pairs, 'pair')} of {points.train:,} training and {points.val:,} validation values"
    display = f"; shown: {source.shown}" if source.shown else ""
    return f"{files} ({source.format}{tool}): {names}, {count}{taken}{display}"


def digits(log: LogReport) -> LogDigits:
    """Return the digits that a log's losses carry."""
    if log.points.decimals is not None:
        return LogDigits(*map(Digits, log.points.decimals))
    curves = [log.curves[key].value[:100] if key in log.curves else () for key in ("train", "val")]
    return LogDigits.of(*map(Digits.of, curves))


def _at(at: float) -> str:
    return plain(at, 0 if at == int(at) else 2)


def _bars(log: LogReport, most: int) -> list[Bar]:
    """Return the gap at some prints, or at the end of each run; both losses stand beside as the remark."""
    carried = digits(log)
    if len(log.runs) > 1:
        return [_bar(run.name, run.last, carried, log) for run in log.runs[-2 * most :]]
    axis, prints = AXES[log.source.axis], log.points.shown
    every = max(1, -(-(len(prints) - 1) // (most - 1))) if most > 1 else 1
    rows = [_bar(f"{axis} {_at(pair.at)}", pair, carried, log) for pair in [*prints[:-1:every], prints[-1]]]
    gap = log.gap
    if gap and most == ALL_ROWS:
        figure = estimate(gap.value, gap.low, gap.high, difference=True)
        name = "mean, second half" if gap.late_used else "mean"
        rows.append(Bar(name, figure, "validation minus training", gap.value, gap.low, gap.high, "ink"))
    return rows


def _bar(name: str, pair: LogPair, carried: LogDigits, log: LogReport) -> Bar:
    note = f"training {_training(pair, carried)}, validation {carried.val.loss(pair.val)}"
    gap = pair.val - pair.train if log.gap else None
    paint = "arm-0" if gap is not None and gap < 0 else "arm-1"
    return Bar(cut(name, 24), "" if gap is None else carried.gap.gap(gap), note, gap, None, None, paint)


def _drawn(log: LogReport) -> Drawn | None:
    """Return both losses drawn, and the gap where both are in one unit."""
    carried = digits(log)
    curves = [
        (curve, name, paint, getattr(carried, key))
        for key, name, paint in SIDES
        if (curve := log.curves.get(key)) is not None and curve.at
    ]  # fmt: skip
    if not curves:
        return None
    lines = [Line(curve.at, curve.value, paint, dashed=name == "training") for curve, name, paint, _ in curves]
    labels = [
        Label(curve.at[-1], curve.value[-1], name, paint, (values.loss(curve.value[-1]),))
        for curve, name, paint, values in curves
    ]
    start = min(line.x[0] for line in lines)
    end = max(line.x[-1] for line in lines)
    begin = start if start > (end - start) else 0.0
    unit = log.source.unit or "loss, in two units"
    panels = [Panel(tuple(lines), tuple(labels), unit, "Both losses", _top(log), begin), *_gap_panel(log, begin)]
    axis = AXES[log.source.axis]
    draw = partial(figures.curves, panels, x_name="line of the log" if axis == "line" else axis)
    description = f"Both losses against the {axis}, and their difference. {log.verdict}"
    return Drawn("curves", draw, description, any(panel.clipped for panel in panels))


def _gap_panel(log: LogReport, begin: float) -> list[Panel]:
    curve, end = log.curves.get("gap"), log.points.shown[-1]
    if not log.gap or curve is None or not curve.at:
        return []
    zero = Line((begin, curve.at[-1]), (0.0, 0.0), "quiet", strong=True, dashed=True)
    label = Label(curve.at[-1], curve.value[-1], "gap", "ink", (digits(log).gap.gap(end.val - end.train),))
    line = Line(curve.at, curve.value, "ink")
    return [Panel((zero, line), (label,), "validation minus training", "The gap", None, begin)]


def _top(log: LogReport) -> float | None:
    """Return where the y axis is cut off: above all that follows a steep beginning, None where there is none."""
    later = [value for curve in _both(log) for value in curve.value[math.ceil(SETTLED * len(curve.value)) :]]
    every = [value for curve in _both(log) for value in curve.value]
    if len(later) < 8 or max(every) <= STEEP * max(later) or max(later) <= 0:
        return None
    return max(later) * 1.05


def _both(log: LogReport) -> list[LogCurve]:
    return [log.curves[key] for key, _, _ in SIDES if key in log.curves]


def _next(log: LogReport) -> tuple[ReportBlock, ...]:
    paragraphs = (Paragraph(sentence(log.next.what)), Paragraph(sentence(log.next.outcome)))
    return (*paragraphs, CodeText(log.next.command)) if log.next.command else paragraphs


def _causes(log: LogReport) -> ReportBlock:
    if not log.possible:
        return Paragraph("The two losses are not in one unit, so nothing is said of causes.")
    rows = [(cause.id, marked("Possible: {}. Looks like: {}.", cause.why, cause.looks)) for cause in log.possible]
    rows += [(cause.id, marked("Excluded: {}.", cause.why)) for cause in log.ruled_out]
    return NamedRows(tuple(rows), long=True)


def _tables(log: LogReport) -> list[TextTable]:
    out = [_prints(log)]
    out += [_runs(log, "Every run of the log, at its end", "run", log.runs)] if log.runs else []
    return out + ([_runs(log, "Other losses of the log", "losses", log.others)] if log.others else [])


def _ends(log: LogReport) -> TextTable:
    """Return what stands for the bars in Markdown: runs where there are several, else prints."""
    several = len(log.runs) > 1
    return _runs(log, "Every run of the log, at its end", "run", log.runs) if several else _prints(log)


def _prints(log: LogReport) -> TextTable:
    carried, axis = digits(log), AXES[log.source.axis]
    rows = tuple(_row(_at(pair.at), pair, carried) for pair in log.points.shown)
    training = "training, local mean" if log.points.averaged else "training"
    return TextTable("Both losses at some prints", (axis, training, "validation", "difference"), rows)


def _runs(log: LogReport, caption: str, first: str, some: tuple[LogRun, ...]) -> TextTable:
    carried = digits(log)
    rows = tuple((*_row(run.name, run.last, carried), f"{run.below} of {run.pairs}") for run in some)
    return TextTable(caption, (first, "training", "validation", "difference", "below in"), rows)


def _training(pair: LogPair, carried: LogDigits) -> str:
    """Return the training loss that is compared; beside a local mean stands what the log has there."""
    printed = "" if pair.printed is None else f" (printed {carried.train.loss(pair.printed)})"
    return f"{carried.train.loss(pair.train)}{printed}"


def _row(name: str, pair: LogPair, carried: LogDigits) -> tuple[str, ...]:
    return name, _training(pair, carried), carried.val.loss(pair.val), carried.gap.gap(pair.val - pair.train)


def _numbers(log: LogReport) -> list[ReportBlock]:
    """Return the sentences on intervals, scatter, plausibility and other losses, and the notes."""
    out = [*_interval(log), *_scatter(log), *_against(log)]
    for other in log.others:
        first, last = (pair.val - pair.train for pair in (other.first, other.last))
        carried = digits(log).gap
        out.append(
            f"Also in the log: {other.name}, {other.pairs} pairs, validation below in {other.below}, above in "
            f"{other.above}; {carried.gap(first)} at first, {carried.gap(last)} at the end."
        )
    out += log.notes
    return [Paragraph(items=tuple(out))] if out else []


def _interval(log: LogReport) -> list[str]:
    gap, out = log.gap, []
    if gap and gap.low is not None:
        alike = f"The interval allows for neighbouring prints that correlate at {plain(gap.alike, 2)}"
        worth = f"; {gap.prints} prints are worth {plain(gap.effective, 0)}."
        out.append(alike + (", assumed: so few prints cannot show it." if gap.alike_assumed else worth))
    if gap and not gap.sign.assumed_independent and gap.sign.stretches:
        out.append(
            f"One sign in {gap.sign.agree} of {gap.sign.stretches} independent stretches: p = {chance(gap.sign.p)}."
        )
    return out


def _scatter(log: LogReport) -> list[str]:
    noise, carried = log.noise, digits(log)
    if noise.train is None or noise.val is None:
        return []
    smooth = "; training's values share what they average" if noise.train_smoothed else ""
    out = [
        f"Printed values scatter about their course by {carried.train.size(noise.train)} (training) and "
        f"{carried.val.size(noise.val)} (validation){smooth}."
    ]
    last = log.points.shown[-1]
    scales = last.val / last.train if last.train and last.val / last.train > 0 else 0.0
    ratio = noise.train / noise.val if noise.val else 1.0
    if 1 / ALIKE < scales < ALIKE and noise.train and not 1 / 3 < ratio < 3:
        which = "training" if ratio < 1 else "validation"
        out.append(f"The quieter of the two, {which}, may be averaged over more.")
    return out


def _against(log: LogReport) -> list[str]:
    held_against = log.plausibility
    if not held_against:
        return []
    most = "At most " if held_against.at_most else ""
    scale = listed([f"{y.name} {plain(y.bits_per_byte, 2)}" for y in held_against.yardsticks])
    beside = f"; {scale} on the same text" if scale else ""
    guessed = bool(held_against.tokens) and held_against.tokens_from != "given"
    tokens = f", taking tokens to be {held_against.tokens}s ({held_against.tokens_from})" if guessed else ""
    return [f"{most}{plain(held_against.bits_per_byte, 2)} bits per byte of {held_against.corpus}{tokens}{beside}."]

"""What the figures of a page show: records turned into rows, lines and labels, and the colour of each arm."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from diagnose.formatting import cut, estimate, plain, visible
from diagnose.report import figures
from diagnose.report.ablation_sentences import note_of, row_words
from diagnose.report.canvas import ARMS
from diagnose.report.figures import Bar, Drawn, Label, Line, Panel
from diagnose.report.interaction import interaction_figure
from diagnose.report.means import course, known, thin

if TYPE_CHECKING:
    from diagnose.records.ablations import AblationRecord, EffectRecord
    from diagnose.report.summary import AblationReport, LoggedReading, RunReport, RunSummary

MOST_PAIRS = 5  # arms whose training curves are drawn too
MOST_PAIR_ROWS = 15  # of two arms each that are drawn; of more the table speaks
SETTLED = 0.15  # share of the text after which the y axis of curves begins: before it all of them fall steeply


def paints(summary: AblationRecord) -> dict[str, str]:
    """Return each arm's colour: ink for the control, then six colours, grey for further arms."""
    others = [arm.level for arm in summary.arms if arm.level != summary.control]
    paint_of = {level: f"arm-{place}" if place < ARMS else "quiet" for place, level in enumerate(others)}
    return paint_of | {summary.control: "ink"}


def effect_rows(summary: AblationRecord) -> list[Bar]:
    """Return the rows of the forest plot."""
    colour = paints(summary) if len(summary.axes) == 1 else {}
    return [_row(effect, row_words(effect, summary), colour) for effect in summary.effects]


def pair_rows(summary: AblationRecord) -> list[Bar]:
    """Return the rows of the picture of every two arms."""
    colour = paints(summary)
    return [_row(pair, (visible(pair.level), f"against {visible(pair.against)}"), colour) for pair in summary.pairs]


def _row(effect: EffectRecord, words: tuple[str, str], colour: dict[str, str]) -> Bar:
    return Bar(
        name=words[0],
        under=words[1],
        figure=estimate(effect.value, effect.low, effect.high, difference=True),
        note=note_of(effect),
        value=effect.value,
        low=effect.low,
        high=effect.high,
        points=tuple(point for point in effect.per_seed if point is not None and math.isfinite(point)),
        paint=colour.get(effect.level, "ink"),
    )


def ablation_figures(report: AblationReport) -> dict[str, Drawn]:
    """Return an ablation's figures: "forest", "pairs", "interaction", "curves", where there is something to draw."""
    summary = report.summary
    pictures: dict[str, Drawn] = {}
    rows = effect_rows(summary)
    if rows:
        pictures["forest"] = _forest("forest", rows, summary, f"{cut(visible(summary.control), 24)} (control)")
    if 0 < len(summary.pairs) <= MOST_PAIR_ROWS:
        pictures["pairs"] = _forest("pairs", pair_rows(summary), summary, "no difference")
    drawn = interaction_figure(summary)
    if drawn:
        pictures["interaction"] = drawn
    panel = _arm_panel(report)
    if panel.lines:
        scale, unit = _text_unit(panel)
        ends = "; ".join(f"{label.name}: {', '.join(label.small)}" for label in panel.labels)
        draw = partial(figures.curves, [_scaled(panel, scale)], x_name=f"text trained on, {unit}")
        sentence = f"Loss in bits per byte against text trained on. At the end, {ends}."
        pictures["curves"] = Drawn("curves", draw, sentence, panel.clipped)
    return pictures


def _forest(name: str, rows: list[Bar], summary: AblationRecord, zero: str) -> Drawn:
    noise = (summary.noise.low, summary.noise.high) if summary.noise else None
    unit = "difference of the loss, bits per byte (left is better)"
    draw = partial(figures.forest, rows, zero=zero, unit=unit, noise=noise)
    description = "; ".join(f"{row.name} {row.under} {row.figure}, {row.note}" for row in rows)
    return Drawn(name, draw, f"Differences of the validation loss in bits per byte: {description}.")


def _arm_panel(report: AblationReport) -> Panel:
    colour, lines, labels = paints(report.summary), [], []
    few = len(report.summary.arms) <= MOST_PAIRS
    for arm in report.summary.arms:
        runs = report.arm(arm.level)
        for run in runs:
            lines += _seed_lines(run, colour[arm.level])
        train, val = course(runs, "train"), course(runs, "val")
        splits = (train, val) if few else (val,)
        lines += [Line(c.text, c.bits, colour[arm.level], dashed=c is train) for c in splits if c.text]
        if val.text:
            small = (
                f"validation {plain(val.last)}",
                *([f"training {plain(train.last)}"] if train.text else []),
            )
            name = visible(arm.level)
            labels.append(Label(val.text[-1], val.bits[-1], name, colour[arm.level], small if few else small[:1]))
    for run in report.runs:
        if run.level not in colour and (lost := _seed_lines(run, "quiet")):
            lines += lost
            labels.append(Label(lost[0].x[-1], lost[0].y[-1], visible(run.level), "quiet", ("did not finish",)))
    return Panel(tuple(lines), tuple(labels), "loss, bits per byte", top=_top(lines))


def _seed_lines(run: RunSummary, colour: str) -> list[Line]:
    readings = thin(known(run.select("probe", "val")))
    if not readings:
        return []
    text, bits = tuple(r.text for r in readings), tuple(float(r.bits or 0) for r in readings)
    return [Line(text, bits, colour, strong=False, broken=run.status.state == "failed")]


def _text_unit(*panels: Panel) -> tuple[float, str]:
    most = max((x for panel in panels for line in panel.lines for x in line.x), default=0)
    return next(
        ((scale, unit) for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if most >= scale),
        (1, "bytes"),
    )


def _scaled(panel: Panel, scale: float) -> Panel:
    lines = tuple(replace(line, x=tuple(x / scale for x in line.x)) for line in panel.lines)
    labels = tuple(replace(label, x=label.x / scale) for label in panel.labels)
    return replace(panel, lines=lines, labels=labels)


def _top(lines: list[Line]) -> float | None:
    """Return where the y axis may be cut: above every strong curve but its steep first part."""
    late = [
        y
        for line in lines
        if line.strong
        for x, y in zip(line.x, line.y, strict=True)
        if x >= SETTLED * line.x[-1] and math.isfinite(y)
    ]
    return max(late, default=None)


def run_figure(report: RunReport) -> Drawn | None:
    """Return a run's curves, as reported and matched, both in nats per token; None where it left none."""
    panels = [panel for panel in (_reported_panel(report), _matched_panel(report)) if panel.lines]
    if not panels:
        return None
    scale, unit = _text_unit(*panels)
    ends = "; ".join(
        f"{panel.title}, {panel.y_name}: " + ", ".join(f"{label.name} {label.small[0]}" for label in panel.labels)
        for panel in panels
    )
    draw = partial(figures.curves, [_scaled(panel, scale) for panel in panels], x_name=f"text trained on, {unit}")
    sentence = f"Loss against text trained on. At the end: {ends}."
    return Drawn("curves", draw, sentence, any(panel.clipped for panel in panels))


SPLITS = (("train", "training", "arm-1"), ("val", "validation", "arm-0"))


def _reported_panel(report: RunReport) -> Panel:
    lines, labels = [], []
    for split, name, paint in SPLITS:
        readings = thin(tuple(r for r in report.run.select("reported", split) if math.isfinite(r.loss)))
        if readings:
            text, loss = tuple(r.text for r in readings), tuple(r.loss for r in readings)
            lines.append(Line(text, loss, paint, dashed=split == "train"))
            labels.append(Label(text[-1], loss[-1], name, paint, (plain(loss[-1]),)))
    return Panel(tuple(lines), tuple(labels), "loss, nats per token", "As reported while training", _top(lines))


def _matched_panel(report: RunReport) -> Panel:
    lines, labels = [], []
    for split, name, paint in (SPLITS[0], ("val", report.scored, SPLITS[1][2])):
        readings = thin(known(report.run.select("probe", split)))
        if readings:
            lines.append(_banded(readings, paint, dashed=split == "train"))
            end = readings[-1]
            small = (plain(end.loss), f"{plain(end.bits)} bits/byte")
            labels.append(Label(end.text, end.loss, name, paint, small))
    return Panel(tuple(lines), tuple(labels), "loss, nats per token", "Matched", _top(lines))


def _banded(readings: tuple[LoggedReading, ...], paint: str, *, dashed: bool) -> Line:
    bounded = all(r.low is not None and r.high is not None for r in readings)
    return Line(
        tuple(r.text for r in readings),
        tuple(r.loss for r in readings),
        paint,
        dashed=dashed,
        low=tuple(r.low or 0.0 for r in readings) if bounded else (),
        high=tuple(r.high or 0.0 for r in readings) if bounded else (),
    )

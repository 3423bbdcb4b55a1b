"""A log's page: the two curves, the gap below them, what is possible and what would tell."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.formatting import counted, cut, plain, visible
from diagnose.logs.digits_of import Digits, times
from diagnose.report import figures
from diagnose.report.figures import Label, Line, Panel
from diagnose.report.log_terminal import AXES, TAKEN, digits, numbers
from diagnose.report.page import Headline, finish
from diagnose.report.plots import Drawn
from diagnose.report.tables import TextTable

if TYPE_CHECKING:
    from diagnose.records.log_report import LogCurve, LogPair, LogReport

SIDES = (("train", "training", "arm-1"), ("val", "validation", "arm-0"))
SETTLED = 0.15  # share of the run after which the y axis of a steep curve begins
STEEP = 3.0  # times as high as all that follows: a beginning that is cut off
LIMITS = (
    "How either loss was taken: a log holds two numbers and not in which mode, on which data, averaged over what. The "
    "experiment above tells; diagnose loss-gap measures every part.",
    "Whether the losses are good. For text, --data holds them against compressors.",
)


def render_log(report: LogReport, out: Path) -> Path:
    """Render the page of a log.

    Args:
        report: its record.
        out: the folder for the page, which is named after the log; or a path that ends in ".html".

    Returns:
        Where the page lies.

    Raises:
        DiagnoseError: it cannot be written.
    """
    name = Path(report.source.files[0]).resolve().name
    target = out if out.suffix == ".html" else out / f"log-{_plain_name(name)}.html"
    return finish("log.html.j2", log_parts(report, name), target)


def _plain_name(name: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return cut(kept, 80).rstrip("\N{HORIZONTAL ELLIPSIS}.") or "log"


def log_parts(report: LogReport, name: str) -> dict[str, Any]:
    """Return what the template shows."""
    source, points = report.source, report.points
    tool = f" of {source.tool}" if source.tool else ""
    return {
        "report": report,
        "title": f"Log {visible(name)}",
        "identity": [f"log {visible(cut(name, 60))}", f"{source.format}{tool}", counted(points.pairs, "pair")],
        "verdict": visible(report.verdict),
        "headlines": _headlines(report),
        "figures": _figures(report),
        "curves_title": _curves_title(report),
        "taken": TAKEN.get(source.train_is or "", ""),
        "numbers": [visible(one) for one in numbers(report)],
        "tables": _tables(report),
        "limits": list(LIMITS),
        "used": [],
    }


def _headlines(report: LogReport) -> list[Headline]:
    carried, last = digits(report), report.points.shown[-1]
    where = f"{AXES[report.source.axis]} {plain(last.at, 0 if last.at == int(last.at) else 2)}"
    out = [
        Headline("training", carried.loss(last.train), where, "arm-1"),
        Headline("validation", carried.loss(last.val), where, "arm-0"),
    ]
    if report.gap:
        ratio = report.gap.ratio
        note = f"validation is {times(ratio)} training" if ratio is not None and abs(ratio - 1) > 0.22 else ""
        out.append(Headline("validation minus training", carried.gap(report.gap.last), note))
    return out


def _curves_title(report: LogReport) -> str:
    count = len(report.runs)
    return "The two losses along the run" if count < 2 else f"The two losses along one of the {count} runs"


def _figures(report: LogReport) -> dict[str, Drawn]:
    """Return "curves": both losses, and the gap where both are in one unit."""
    carried = digits(report)
    lines = [
        Line(curve.at, curve.value, paint, dashed=key == "train")
        for key, _, paint in SIDES
        if (curve := report.curves.get(key)) is not None and curve.at
    ]
    if not lines:
        return {}
    labels = [
        Label(curve.at[-1], curve.value[-1], name, paint, (carried.loss(curve.value[-1]),))
        for key, name, paint in SIDES
        if (curve := report.curves.get(key)) is not None and curve.at
    ]
    start = min(line.x[0] for line in lines)
    end = max(line.x[-1] for line in lines)
    begin = start if start > (end - start) else 0.0
    unit = report.source.unit or "loss, in two units"
    panels = [Panel(tuple(lines), tuple(labels), unit, "Both losses", _top(report), begin)]
    panels += _gap_panel(report, carried, begin)
    axis = AXES[report.source.axis]
    draw = partial(figures.curves, panels, x_name="line of the log" if axis == "line" else axis)
    sentence = f"Both losses against the {axis}, and their difference. {report.verdict}"
    return {"curves": Drawn(figures.both(draw, "curves", visible(sentence)), any(panel.clipped for panel in panels))}


def _gap_panel(report: LogReport, carried: Digits, begin: float) -> list[Panel]:
    pairs = report.points.shown
    curve = report.curves.get("gap")
    if not report.gap or curve is None or not curve.at:
        return []
    end = pairs[-1]
    zero = Line((begin, curve.at[-1]), (0.0, 0.0), "quiet", strong=True, dashed=True)
    line = Line(curve.at, curve.value, "ink")
    label = Label(curve.at[-1], curve.value[-1], "gap", "ink", (carried.gap(end.val - end.train),))
    return [Panel((zero, line), (label,), "validation minus training", "The gap", None, begin)]


def _top(report: LogReport) -> float | None:
    """Return where the y axis is cut off: above all that follows a steep beginning, None where there is none."""
    later = [value for curve in _both(report) for value in curve.value[math.ceil(SETTLED * len(curve.value)) :]]
    every = [value for curve in _both(report) for value in curve.value]
    if len(later) < 8 or max(every) <= STEEP * max(later) or max(later) <= 0:
        return None
    return max(later) * 1.05


def _both(report: LogReport) -> list[LogCurve]:
    return [report.curves[key] for key, _, _ in SIDES if key in report.curves]


def _tables(report: LogReport) -> list[TextTable]:
    carried, axis = digits(report), AXES[report.source.axis]
    rows = tuple(_row(plain(one.at, 0 if one.at == int(one.at) else 2), one, carried) for one in report.points.shown)
    out = [TextTable("Both losses at some prints", (axis, "training", "validation", "difference"), rows)]
    for caption, found in (
        ("Every run of the log, at its end", report.runs),
        ("Other losses of the log", report.others),
    ):
        if found:
            lines = tuple((*_row(one.name, one.last, carried), f"{one.below} of {one.pairs}") for one in found)
            head = ("run" if found is report.runs else "losses", "training", "validation", "difference", "below in")
            out.append(TextTable(caption, head, lines))
    return out


def _row(name: str, one: LogPair, carried: Digits) -> tuple[str, ...]:
    return visible(name), carried.loss(one.train), carried.loss(one.val), carried.gap(one.val - one.train)

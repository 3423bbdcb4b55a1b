"""The verdict and its rows with bars, for the terminal: at most 100 columns, plain where colour is not wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from diagnose.formatting import cut, estimate, plain, visible
from diagnose.report import ablation_sentences, baseline_rows, run_sentences
from diagnose.report import note_rows as notes
from diagnose.report.plots import effect_rows, paints
from diagnose.report.summary import parse_summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from diagnose.records.summaries import Summary
    from diagnose.report.figures import ForestRow
    from diagnose.report.summary import RunReport

WIDEST = 100
NARROWEST_BAR = 12  # columns; below that the figures stand alone
MOST_SENTENCES = 3  # of a note; the page has them all
STYLES = {"ink": "bold", "quiet": "dim"} | dict(
    zip((f"arm-{i}" for i in range(6)), ("blue", "red", "green", "magenta", "yellow", "cyan"), strict=True)
)
UNICODE, ASCII = "█├─◆┤│░┼", "=[-o]|.+"  # full, ends and line of an interval, estimate, zero, shade, crossing


@dataclass(frozen=True)
class Bar:
    """A row: a name, a bar from zero with the interval of its end, a figure and a remark."""

    name: str
    figure: str
    note: str
    value: float | None
    low: float | None
    high: float | None
    paint: str


class Bars:
    """Rows whose bars share one scale, as wide as the console allows.

    Args:
        rows: from top to bottom.
        noise: where equal arms fall, shaded; None for nothing.
    """

    def __init__(self, rows: Sequence[Bar], noise: tuple[float, float] | None = None) -> None:
        self.rows, self.noise = rows, noise

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        names = min(max((len(row.name) for row in self.rows), default=0), 24)
        figures = max((len(row.figure) for row in self.rows), default=0)
        notes = max((len(row.note) for row in self.rows), default=0)
        room = width - 2 - names - 2 - 2 - figures - (2 + notes if notes else 0)
        if room < NARROWEST_BAR and notes:
            room, notes = room + notes + 2, 0
        for row in self.rows:
            line = Text("  ", no_wrap=True, overflow="ellipsis")
            line.append(cut(row.name, names).ljust(names), style=STYLES[row.paint])
            if room >= NARROWEST_BAR:
                line.append("  ").append_text(self._bar(row, room, ASCII if options.ascii_only else UNICODE))
            line.append("  ").append(row.figure.rjust(figures), style="bold")
            if notes:
                line.append(f"  {row.note}", style="dim")
            yield line

    def _bar(self, row: Bar, room: int, signs: str) -> Text:
        full, left, line, middle, right, zero, shade, crossing = tuple(signs)
        cells, styles = [" "] * room, [""] * room

        def put(low: float, high: float, sign: str, style: str) -> None:
            for cell in range(self._cell(low, room), self._cell(high, room) + 1):
                cells[cell], styles[cell] = sign, style

        if self.noise:
            put(*self.noise, shade, "dim")
        put(0, 0, zero, "dim")
        if row.value is not None:
            near = row.value if row.low is None or row.high is None else min((row.low, row.high), key=abs)
            if near * row.value > 0 and self._cell(near, room) != self._cell(0, room):
                after = 1 if near > 0 else -1
                first, last = sorted((self._cell(0, room) + after, self._cell(near, room)))
                cells[first : last + 1] = full * (last + 1 - first)
                styles[first : last + 1] = [STYLES[row.paint]] * (last + 1 - first)
            if row.low is not None and row.high is not None:
                put(row.low, row.high, line, "bold")
                if row.low < 0 < row.high:
                    put(0, 0, crossing, "bold")
                put(row.low, row.low, left, "bold")
                put(row.high, row.high, right, "bold")
            put(row.value, row.value, middle, "bold")
        return Text.assemble(*zip(cells, styles, strict=True))

    def _cell(self, value: float, room: int) -> int:
        ends = [x for row in self.rows for x in (row.value, row.low, row.high) if x is not None and math.isfinite(x)]
        ends += [0.0, *(self.noise or ())]
        span = max(ends) - min(ends) or 1.0
        return max(0, min(room - 1, round((value - min(ends)) / span * (room - 1))))


class Narrow:
    """Text that is wrapped at 100 columns, however wide the console is; all its lines are indented alike."""

    def __init__(self, text: Text, indent: int = 0) -> None:
        self.text = Padding(text, (0, 0, 0, indent), expand=False)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self.text, options.update(width=min(options.max_width, WIDEST)))


def ablation_rows(summary: dict[str, Any], page: Path | None = None) -> RenderableType:
    """Return an ablation's verdict, its effects and its arms as rows with bars.

    Args:
        summary: what `summary.json` holds.
        page: where its page lies, said last.

    Raises:
        DiagnoseError: the summary is of a newer format or a value in it is of the wrong kind.
    """
    found = parse_summary(summary)
    colour = paints(found)
    control = visible(found.control)
    noise = (found.noise.low, found.noise.high) if found.noise else None
    effects = [
        _effect_bar(row, several=len({effect.against for effect in found.effects}) > 1) for row in effect_rows(found)
    ]
    arms = [
        Bar(
            visible(arm.level) + (" (control)" if arm.level == found.control else ""),
            estimate(arm.bits_per_byte.value, arm.bits_per_byte.low, arm.bits_per_byte.high),
            "",
            arm.bits_per_byte.value,
            None,
            None,
            colour[arm.level],
        )
        for arm in found.arms
    ]
    said = f"; shaded: equal arms, ±{plain(max(map(abs, noise)))}" if noise else ""
    parts: list[RenderableType] = [Narrow(Text(visible(found.verdict), style="bold")), Text()]
    parts += [
        Narrow(Text(f"Effects against {control}, bits per byte; left is better{said}", style="dim")),
        Bars(effects, noise),
        Text(),
    ]
    parts += [Narrow(Text("Validation loss, bits per byte", style="dim")), Bars(arms)]
    parts += _notes(found)
    parts += [
        Narrow(Text(f"Did not finish: {sentence}", style="yellow")) for sentence in ablation_sentences.failures(found)
    ]
    return Group(*parts, *_page_line(page))


def _notes(found: Summary) -> list[RenderableType]:
    """Return what the axis asks for beside its effects: each note's title and what it says first."""
    lines: list[RenderableType] = []
    for note in notes.sections(found.notes):
        lines += [Text(), Narrow(Text(note.title, style="dim"))]
        lines += [Narrow(Text(sentence), 2) for sentence in note.sentences[:MOST_SENTENCES]]
    return lines


def _effect_bar(row: ForestRow, *, several: bool) -> Bar:
    name = f"{row.label} {row.under}" if several else row.label
    return Bar(name, row.figure, row.note, row.value, row.low, row.high, row.paint)


def run_rows(report: RunReport, page: Path | None = None) -> RenderableType:
    """Return a run's verdict and its last losses as rows with bars (nats per token).

    Args:
        report: as `summary.read_run` returns it.
        page: where its page lies, said last.
    """
    named = (
        ("training, as reported", "reported", "train", "arm-1"),
        ("validation, as reported", "reported", "val", "arm-0"),
        ("training, alike", "probe", "train", "arm-1"),
        (f"{report.scored}, alike", "probe", "val", "arm-0"),
        ("whole reserve" if report.scored == "reserve" else "whole validation text", "final", "val", "ink"),
    )
    rows = []
    for name, kind, split, paint in named:
        reading = run_sentences.last(report, kind, split)
        if reading is not None:
            note = f"{plain(reading.bits)} bits per byte" if kind != "reported" and reading.bits is not None else ""
            figure = estimate(reading.loss, reading.low, reading.high)
            rows.append(Bar(name, figure, note, reading.loss, reading.low, reading.high, paint))
    parts: list[RenderableType] = [Narrow(Text(run_sentences.run_verdict(report), style="bold")), Text()]
    parts += [Narrow(Text("Loss, nats per token", style="dim")), Bars(rows), *_place(report)]
    return Group(*parts, *_page_line(page))


def _place(report: RunReport) -> list[RenderableType]:
    """Return where the run's loss lies among yardsticks of its text, and whether it can be believed."""
    where, alarm = baseline_rows.place(report), baseline_rows.alarm(report)
    lines: list[RenderableType] = []
    if where is not None:
        lines += [Text(), Narrow(Text(baseline_rows.sentence(where)))]
    if alarm is not None:
        lines += [Narrow(Text(f"Too good to be true: {alarm[0]} Check first: {alarm[1][0]}.", style="yellow"))]
    return lines


def _page_line(page: Path | None) -> list[RenderableType]:
    return [] if page is None else [Text(), Text(f"Page: {page}", no_wrap=True, overflow="ignore")]

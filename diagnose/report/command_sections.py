"""What a page of scores says more where a command was run for them: runs that failed, curves, what was run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from diagnose.formatting import counted, cut, decimals, duration, listed, plain, visible
from diagnose.report import figures
from diagnose.report.blocks import CodeText, Figure, Fold, Paragraph, Section, TextTable, marked
from diagnose.report.figures import Drawn, Label, Line, Panel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diagnose.records.command_records import CarriedOut, FailedCommand, ScoreCurve
    from diagnose.records.score_records import ScoreComparison
    from diagnose.report.blocks import Inline, ReportBlock

MOST_FAILED = 4  # runs whose last lines are shown
MOST_LINES = 6  # of each, in the terminal
MOST_FILES = 8
SETTLED = 0.15  # share of a curve after which the y axis begins


def failed_section(carried: CarriedOut) -> list[Section]:
    """Return the runs that gave no result, with the last lines of what they printed."""
    if not carried.failed:
        return []
    total = len(carried.failed) + len(carried.runs)
    verb = "run gave" if len(carried.failed) == 1 else "runs gave"
    head = f"{len(carried.failed)} {verb} no result"
    rows = tuple(
        (visible(failed.level), str(failed.seed), visible(failed.why), visible(failed.run or ""))
        for failed in carried.failed
    )
    table = TextTable(
        f"Runs that gave no result, of {total}", ("arm", "seed", "why", "folder"), rows, frozenset({0, 2, 3})
    )
    last_lines = [block for failed in _some(carried.failed) for block in _last_lines(failed)]
    return [Section("failed", head, "Failed runs", (table, *last_lines), detail="always")]


def _some(failed: Iterable[FailedCommand]) -> list[FailedCommand]:
    """Return runs whose output is shown, one for each way to end."""
    by_end: dict[str, FailedCommand] = {}
    for command in failed:
        by_end.setdefault(command.output[-1] if command.output else command.why, command)
    return list(by_end.values())[:MOST_FAILED]


def _last_lines(failed: FailedCommand) -> list[ReportBlock]:
    head = f"{visible(failed.level)}, seed {failed.seed}: {visible(failed.why)}"
    if not failed.output:
        return [Paragraph(f"{head}. It printed nothing.", detail="always")]
    short, whole = "\n".join(failed.output[-MOST_LINES:]), "\n".join(failed.output)
    return [
        Paragraph(marked("{}. Its last lines (`{}`):", head, visible(failed.file)), detail="always"),
        CodeText(short, "Output", detail="brief"),
        CodeText(whole, "Output"),
    ]


def curves_section(comparison: ScoreComparison, colours: Mapping[str, str]) -> list[Section]:
    """Return the course of the score in each run, where logs have it."""
    curves = comparison.carried.curves if comparison.carried else ()
    if not curves:
        return []
    panel = _panel(curves, comparison, colours)
    draw = partial(figures.curves, [panel], x_name=curves[0].unit)
    name = visible(curves[0].name)
    description = f"{name} by {curves[0].unit}: a thin line for each run, a thick one for the mean of each arm."
    drawn = Drawn("score-curves", draw, description, panel.clipped)
    figure = Figure(drawn, f"Thin lines: single runs. Thick lines: the mean of each arm.{drawn.remark}")
    return [Section("curves", f"{name} in the course of training", "Curves", (figure,))]


def _panel(curves: tuple[ScoreCurve, ...], comparison: ScoreComparison, colours: Mapping[str, str]) -> Panel:
    lines, labels = [], []
    last = [curve.y[-1] for curve in curves]
    digits = decimals((max(last) - min(last)) / 4)
    for arm in comparison.arms:
        of_arm = [curve for curve in curves if curve.level == arm.level]
        if not of_arm:
            continue
        colour = colours[arm.level]
        lines += [Line(curve.x, curve.y, colour, strong=False) for curve in of_arm]
        mean = _mean(of_arm)
        if len(of_arm) > 1 and mean is not None:
            lines.append(Line(mean[0], mean[1], colour))
        x, y = mean or (of_arm[0].x, of_arm[0].y)
        labels.append(Label(x[-1], y[-1], visible(arm.level), colour, (plain(y[-1], digits),)))
    start = min(line.x[0] for line in lines)
    return Panel(tuple(lines), tuple(labels), cut(visible(curves[0].name), 40), top=_top(lines), start=start)


def _mean(of_arm: list[ScoreCurve]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Return the mean of an arm's curves; None where they were read at different places."""
    if any(curve.x != of_arm[0].x for curve in of_arm):
        return None
    return of_arm[0].x, tuple(sum(values) / len(of_arm) for values in zip(*(c.y for c in of_arm), strict=True))


def _top(lines: list[Line]) -> float | None:
    """Return where the y axis is cut off, so that a steep beginning does not press all else flat."""
    span = max(line.x[-1] for line in lines)
    late = [y for line in lines for x, y in zip(line.x, line.y, strict=True) if x >= span * SETTLED]
    every = [y for line in lines for y in line.y]
    low, high = min(late), max(late)
    room = (high - low) * 0.25
    return high + room if max(every) > high + 2 * (high - low) and high > low else None


def rows(carried: CarriedOut) -> Iterable[tuple[Inline, Inline]]:
    """Yield what was run, what was read, and what a run is known by."""
    yield "Runs", _runs(carried)
    yield "Result", _read(carried)
    yield "Seeds", f"{carried.seeds} of each arm, from 0 on, given as {{seed}}."
    if carried.timeout:
        yield "Time limit", f"{duration(carried.timeout)} for each run."
    names = [visible(name) for name in carried.files[:MOST_FILES]]
    more = [f"{len(carried.files) - MOST_FILES} more"] if len(carried.files) > MOST_FILES else []
    known = f", and these files: {listed([*names, *more])}" if names else ""
    yield "Known by", f"A finished run is used again while it has the same command{known}."
    yield (
        "Left behind",
        marked("`{}`: the table of results, the record; the runs lie beside it.", visible(carried.folder)),
    )


def _runs(carried: CarriedOut) -> str:
    reused = sum(run.reused for run in carried.runs)
    seconds = sum(run.seconds for run in carried.runs)
    again = f", {reused} of which were there already" if reused else ""
    count = counted(len(carried.runs), "run")
    return f"{count} that ended with exit code 0 and left a result{again}; {duration(seconds)} in all."


def _read(carried: CarriedOut) -> Inline:
    if not carried.read:
        return "Reported by the command itself, an example at a time (report_scores)."
    return marked("Read from " + listed(["`{}`"] * len(carried.read)) + ".", *map(visible, carried.read))


def command_blocks(carried: CarriedOut) -> Iterable[ReportBlock]:
    """Yield the command with its placeholders, and how long runs took."""
    yield CodeText(carried.template, "What was run")
    if len(carried.runs) <= 200:
        took = tuple(
            (visible(run.level), str(run.seed), plain(run.seconds, 1), "yes" if run.reused else "no", visible(run.run))
            for run in carried.runs
        )  # fmt: skip
        head = ("arm", "seed", "seconds", "used again", "folder")
        yield Fold("Every run", (TextTable("Runs", head, took, frozenset({0, 3, 4})),))

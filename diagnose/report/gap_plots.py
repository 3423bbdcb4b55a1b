"""What the figures of a gap's page show: records turned into rows and series."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from diagnose.formatting import counted, estimate, plain, share, visible
from diagnose.report.figures import Drawn, Line, Panel, curves, strip
from diagnose.report.gap_figures import Piece, Stack, WaterfallRow, stacked, waterfall
from diagnose.report.gap_sentences import PAINTS, changed, parts, reported_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.records.arm_ledgers import ArmLedgers
    from diagnose.records.ledgers import LedgerRecord, LossRow
    from diagnose.records.ledgers import StripRecord as Measured

TEXTS = {"training": "arm-1", "validation": "arm-0", "reserve": "arm-0"}
SMALLEST = 0.005  # of the widest stack: a thinner piece is not drawn


def waterfall_figure(ledger: LedgerRecord) -> Drawn:
    """Return the way from one loss to the other."""
    rows = falls(ledger)
    description = "; ".join(f"{row.label} {row.figure}" for row in rows)
    return Drawn("waterfall", partial(waterfall, rows, _unit(ledger)), f"From one loss to the other: {description}.")


def where_figure(ledger: LedgerRecord) -> Drawn | None:
    """Return losses by place in the text; None where they were not measured."""
    panels = where_strips(ledger)
    if not panels:
        return None
    description = "; ".join(f"{panel.title}: {_said(panel)}" for panel in panels)
    return Drawn("where", partial(curves, panels, small=True), f"Loss in nats per token by place. {description}.")


def _unit(ledger: LedgerRecord) -> str:
    """Return the name of an axis of losses."""
    return "loss" if ledger.unit == "loss" else f"loss, {ledger.unit}"


def _said(panel: Panel) -> str:
    named = (line for line in panel.lines if line.name)
    return ", ".join(f"{line.name} from {plain(line.y[0])} to {plain(line.y[-1])}" for line in named)


def falls(ledger: LedgerRecord) -> list[WaterfallRow]:
    """Return the waterfall's rows: the reported training loss, the terms, the reported validation loss."""
    train, val = ledger.reported.train, ledger.reported.val
    words, taken = reported_words(ledger), ledger.reported.taken
    rows = [WaterfallRow(f"training, {taken[0]}", words[0], plain(train), train, train)]
    here = train
    for part in parts(ledger):
        paint, name = PAINTS[part.group], part.name if part.name != "data" else "unseen + leak"
        if all(term.value is None for term in part.terms):
            rows.append(WaterfallRow(name, "not to be had here", "\N{EN DASH}", here, here, paint=paint))
            continue
        low, high = (None if end is None else here + end for end in (part.low, part.high))
        figure = estimate(part.value, part.low, part.high, difference=True)
        rows.append(WaterfallRow(name, changed(ledger, part), figure, here, here + part.value, low, high, paint))
        here += part.value
    return [*rows, WaterfallRow(f"validation, {taken[1]}", words[1], plain(val), val, val)]


def where_strips(ledger: LedgerRecord) -> list[Panel]:
    """Return the panels by position, length, place in the corpus and place in the epoch."""
    where, unit = ledger.where, _unit(ledger)
    if where is None:
        return []
    classes = [row for measured in where.positions for row in measured.rows]
    firsts = sorted({row.first for row in classes})
    ticks = tuple((k + 0.5, _range(next(r for r in classes if r.first == first))) for k, first in enumerate(firsts))
    at = {first: k + 0.5 for k, first in enumerate(firsts)}
    positions = [_dots(s.text, s.rows, [at[row.first] for row in s.rows]) for s in where.positions]
    lengths = [_dots(where.scored, where.lengths, [k + 0.5 for k in range(len(where.lengths))])]
    length_ticks = tuple((k + 0.5, _range(row)) for k, row in enumerate(where.lengths))
    places = [line for measured in where.places if measured.rows for line in _along(measured.text, measured)]
    percent = tuple((k / 4, f"{25 * k} %") for k in range(5))
    length = f"tokens of a document of the {where.scored} text"
    # where the run is shorter than an epoch, the last panel is over what it saw of it
    part, steps = min(1.0, where.epoch.epochs), counted(where.epoch.steps, "step")
    what, read = ("epoch", steps) if part == 1 else ("run", f"{share(part)} of an epoch, {steps}")
    time, steps_line = f"share of the {what} before it ({read})", _along("training", where.epoch, part)
    return [
        strip("By tokens seen before it", "tokens of its row that a prediction sees", unit, positions, ticks),
        strip("By the document's length", length, unit, lengths, length_ticks),
        strip("By the document's place in the corpus", "share of the corpus before it", unit, places, percent),
        strip("By the step's place in its epoch", time, unit, steps_line, percent),
    ]


def _range(row: LossRow) -> str:
    return str(row.first) if row.first == row.last else f"{row.first}\N{EN DASH}{row.last}"


def _dots(text: str, rows: Sequence[LossRow], x: Sequence[float], *, joined: bool = True) -> Line:
    loss, low, high = (tuple(getattr(row, name) for row in rows) for name in ("loss", "low", "high"))
    return Line(tuple(x), loss, TEXTS[text], low=low, high=high, dots=True, joined=joined, name=text)


def _along(text: str, measured: Measured, part: float = 1.0) -> list[Line]:
    """Return losses by the share of the way, and their trend, drawn through the middle of the points."""
    x, y = [row.at / part for row in measured.rows], [row.loss for row in measured.rows]
    dots = _dots(text, measured.rows, x, joined=False)
    if measured.trend is None:
        return [dots]
    slope, mean = measured.trend.value / (max(x) - min(x)), sum(y) / len(y)
    ends = tuple(mean + slope * (at - sum(x) / len(x)) for at in (min(x), max(x)))
    return [dots, Line((min(x), max(x)), ends, dots.paint, dashed=True)]


def arm_figure(ledgers: ArmLedgers) -> Drawn:
    """Return what each arm's gap is made of."""
    widest = max(sum(abs(term.value or 0.0) for term in arm.terms) for arm in ledgers.arms) or 1.0
    rows = [
        Stack(
            visible(arm.level), f"mean of {counted(len(arm.runs), 'seed')}",
            estimate(arm.gap.value, arm.gap.low, arm.gap.high, difference=True),
            tuple(
                Piece(term.id, term.value, PAINTS[term.group])
                for term in arm.terms if term.value and abs(term.value) > SMALLEST * widest
            ),
            arm.gap.value or 0.0, arm.gap.low, arm.gap.high,
        )
        for arm in ledgers.arms
    ]  # fmt: skip
    description = "; ".join(
        f"{row.label}: gap {row.figure}, of which " + ", ".join(f"{p.name} {plain(p.value)}" for p in row.pieces)
        for row in rows
    )
    draw = partial(stacked, rows, "validation minus training, nats per token")
    return Drawn("stacked", draw, f"What each arm's gap is made of: {description}.")

"""A ledger's page: its parts from `gap.json` and what the run left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diagnose import formatting
from diagnose.records.ledgers import ArmLedgers, LedgerRecord
from diagnose.records.summaries import parse
from diagnose.report import baseline_rows, gap_sentences, gap_tables, sides_sentences
from diagnose.report.gap_plots import arm_figures, gap_figures
from diagnose.report.glossary_notes import TERMS
from diagnose.report.plots import run_figures

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.records.ledgers import Document, Value
    from diagnose.report.summary import RunReport

HEAT = 45  # per cent of colour at most, so that ink stays legible on it
COSTS = (0.5, 1.5, 3.0, 6.0)  # nats: the edges of a piece's classes of colour
CALL = "diagnose.explain_gap(model, train=Side(batches, objective, ...), val=Side(batches, objective, ...))"
SIDES_WORDS = ("interval", "gap", "measured-alike")
GAP_WORDS = ("bits-per-byte", "nats-per-token", "interval", "gap", "measured-alike", "as-reported", "overlap")


@dataclass(frozen=True)
class Cell:
    """A field of the matrix of readings: its figure and how strongly it is coloured, in per cent."""

    figure: str
    heat: int


@dataclass(frozen=True)
class Coloured:
    """A document: what it is, and its text as (words, class of cost) pieces; an empty piece is its end."""

    title: str
    pieces: tuple[tuple[str, int], ...]
    rest: int


def parse_gap(found: dict[str, Any], path: Path) -> LedgerRecord | ArmLedgers:
    """Return the checked form of `gap.json`.

    Raises:
        DiagnoseError: a value is missing or of the wrong kind; the line names the file and the key.
    """
    return parse(ArmLedgers, found, path) if "arms" in found else parse(LedgerRecord, found, path)


def gap_parts(ledger: LedgerRecord, report: RunReport) -> dict[str, Any]:
    """Return what the template of a run's ledger shows."""
    out = _parts(ledger)
    return out | {
        "figures": out["figures"] | run_figures(report),
        "environment": report.environment,
        "place": baseline_rows.place(report),
        "folder": f"runs/{report.run.name}",
        "used": [*GAP_WORDS, *TERMS],
    }


def sides_parts(ledger: LedgerRecord) -> dict[str, Any]:
    """Return what the template of the ledger of somebody's model and loop shows."""
    shown = [term.id for term in ledger.terms if gap_sentences.is_shown(term)]
    call = f"diagnose loss-gap {ledger.run} --model {ledger.model}" if ledger.run else CALL
    return _parts(ledger) | {
        "call": call,
        "fits": sides_sentences.fit_sentences(ledger),
        "used": [*SIDES_WORDS, *shown],
    }


def _parts(ledger: LedgerRecord) -> dict[str, Any]:
    return {
        "ledger": ledger,
        "shown": [term.id for term in ledger.terms if gap_sentences.is_shown(term)],
        "verdict": formatting.visible(ledger.verdict),
        "figures": gap_figures(ledger),
        "matrix": matrix(ledger),
        "worst": [coloured(doc) for doc in (ledger.where.documents.get("worst", ()) if ledger.where else ())],
        "best": [coloured(doc) for doc in (ledger.where.documents.get("best", ()) if ledger.where else ())],
        "costs": COSTS,
        "tables": [
            gap_tables.terms(ledger),
            gap_tables.groups(ledger),
            gap_tables.losses(ledger),
            *gap_tables.others(ledger),
            *gap_tables.against(ledger),
        ],
        "places": gap_tables.places(ledger),
        "conditions": gap_tables.conditions(ledger),
        "how": gap_tables.how(ledger),
        "limits": gap_sentences.limits(ledger),
    }


def arm_parts(found: ArmLedgers) -> dict[str, Any]:
    """Return what the template of an ablation's ledgers shows."""
    shown = gap_sentences.arm_terms(found)
    return {
        "shown": shown,
        "found": found,
        "verdict": formatting.visible(found.verdict),
        "figures": arm_figures(found),
        "tables": [gap_tables.arms(found)],
        "limits": [
            "How another seed's gap would divide, but for the intervals: with few seeds they are wide.",
            "Why an arm's part differs: an axis changes more than its name says; the ablation's page lists what.",
        ],
        "used": ["nats-per-token", "interval", "gap", "arm", "seed", *shown],
    }


def matrix(ledger: LedgerRecord) -> dict[str, Any]:
    """Return the matrix of readings: a row for training mode off and on, a column a text."""
    texts = list(dict.fromkeys(read.text for read in ledger.readings))
    values = [read.value for read in ledger.readings if read.value is not None]
    low, high = min(values), max(values)
    rows = []
    for on in dict.fromkeys(read.on for read in ledger.readings):
        some = {read.text: read for read in ledger.readings if read.on == on}
        name = f"{gap_sentences.training_mode(ledger)} {'on' if on else 'off'}"
        rows.append((name, [_cell(some[text], low, high) for text in texts]))
    what = "data" if ledger.kind == "sides" else "text"
    return {"head": [f"{text} {what}" for text in texts], "rows": rows}


def _cell(read: Value, low: float, high: float) -> Cell:
    part = ((read.value or 0.0) - low) / (high - low) if high > low else 0.0
    return Cell(formatting.estimate(read.value, read.low, read.high), round(HEAT * part))


def coloured(document: Document) -> Coloured:
    """Return a document with neighbouring pieces of a class joined."""
    out: list[tuple[str, int]] = []
    for text, nats in document.pieces:
        shown, cost = formatting.visible(text), sum(nats >= edge for edge in COSTS)
        if out and out[-1][1] == cost and text and out[-1][0]:
            out[-1] = (out[-1][0] + shown, cost)
        else:
            out.append((shown, cost))
    title = (
        f"{formatting.plain(document.loss, 2)} nats per token, document {formatting.plain(document.document + 1, 0)}"
    )
    return Coloured(title, tuple(out), max(0, document.targets - len(document.pieces)))

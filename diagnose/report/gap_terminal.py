"""The verdict and the ledger for the terminal: groups and terms as rows with bars, at most 100 columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from diagnose.baselines.placement import Standing
from diagnose.formatting import estimate, plain, signed
from diagnose.gap import verdict
from diagnose.gap.sources.run_record import UNIT
from diagnose.report import baseline_rows
from diagnose.report.gap_sentences import PAINTS
from diagnose.report.terminal import Bar, Bars, Narrow

if TYPE_CHECKING:
    from rich.console import RenderableType

NAMES = {
    "lag": "lag: weights moved",
    "recency": "recency: which batches",
    "mode": "mode: dropout off",
    "objective": "objective: plain",
    "precision": "precision",
    "reduction": "reduction: averaging",
    "collation": "collation: cutting",
    "batching": "batching: composition",
    "weights": "weights: which are read",
    "unseen": "unseen text",
    "leak": "leak: seen text",
    "draw": "draw: the one batch",
    "residual": "residual: unexplained",
}
TOGETHER = {"timing": "timing: when taken", "data": "data: which text"}  # groups that lead their terms
LONGEST_MODE = 24  # characters
NOTHING = 1e-6  # of a loss: a part of the residual as small is not shown
MOST_OFF = 2.0  # times the largest group: a term that is larger is given in figures alone


def gap_rows(record: dict[str, Any]) -> RenderableType:
    """Return a ledger's verdict, its terms as rows with bars, both losses measured alike, and what to change."""
    if "arms" in record:
        return _arm_rows(record)
    reported = record["reported"]
    parts: list[RenderableType] = [Narrow(Text(record["verdict"], style="bold")), Text()]
    ends = f"From training {plain(reported['train'])} to validation {plain(reported['val'])}"
    head = f"{ends} as reported, {reported['unit']}"
    parts += [Narrow(Text(head, style="dim")), Bars(_bars(record)), Text(), Narrow(Text(_alike(record), style="dim"))]
    parts += [Narrow(Text(line)) for line in _findings(record)]
    parts += _against(record["against"]) if "against" in record else []
    parts += [Narrow(Text(line, style="dim")) for line in _remarks(record)]
    return Group(*parts)


def _bars(record: dict[str, Any]) -> list[Bar]:
    """Return a row for each term that is not exactly nothing, with its parts below."""
    rows: list[Bar] = []
    reach = MOST_OFF * max((abs(g["value"]) for g in record["groups"]), default=0.0)
    for group in record["groups"]:
        some = (t for t in record["terms"] if t["group"] == group["id"])
        terms = [t for t in some if verdict.is_shown(t["id"], t["value"], t["low"], t["high"])]
        together = group["id"] in TOGETHER and verdict.leads([t["value"] for t in terms])
        if together:
            rows.append(_bar(TOGETHER[group["id"]], group, PAINTS[group["id"]], ""))
        for term in terms:
            drawn = not together or abs(term["value"] or 0) < reach
            rows += _term_bars(term, _name(record, term["id"]), "  " if together else "", drawn=drawn)
    total = {"value": record["gap"], "low": None, "high": None}
    return [*rows, _bar("gap as reported", total, "ink", "their sum")]


def _name(record: dict[str, Any], term: str) -> str:
    """Return what a term is called, with what training mode switches on, and data for text where there is none."""
    if term == "mode":
        mode = verdict.mode_name(verdict.live_kinds(record))
        return f"mode: {mode if len(mode) <= LONGEST_MODE else 'training mode'} off"
    return NAMES[term].replace("text", "data") if record.get("kind") == "sides" else NAMES[term]


def _term_bars(term: dict[str, Any], name: str, indent: str, *, drawn: bool) -> list[Bar]:
    """Return a term and its parts; without bars where terms that cancel would leave no room for the others."""
    paint = PAINTS[term["group"]]
    parts = term["parts"] if len(term["parts"]) > 1 else []
    if term["id"] == "residual":
        parts = [part for part in parts if abs(part["value"]) > NOTHING]
    rows = [_bar(indent + name, term, paint, _note(term))]
    rows += [_bar(f"{indent}  {part['id']}", part, paint, "") for part in parts]
    return rows if drawn else [replace(row, value=None, low=None, high=None) for row in rows]


def _bar(name: str, row: dict[str, Any], paint: str, note: str) -> Bar:
    if row["value"] is None:
        return Bar(name, "\N{EN DASH}", note, None, None, None, paint)
    figure = estimate(row["value"], row["low"], row["high"], difference=True)
    return Bar(name, figure, note, row["value"], row["low"], row["high"], paint)


def _note(term: dict[str, Any]) -> str:
    if term["value"] is None:
        return "not to be had"
    if term["id"] == "residual" and not term["parts"]:
        return "training not checked" if "not checked" in term["basis"] else "training replayed"
    return "exact" if term["basis"].startswith("exact") else ""


def _alike(record: dict[str, Any]) -> str:
    off, on = record["matched"], record["matched_on"]
    out = f"Measured alike: training {plain(off['train'])}, validation {plain(off['val'])}"
    if record["conditions"]["kinds"]:
        out += f"; with training mode on for both: {plain(on['train'])} and {plain(on['val'])}"
    return out + "."


def _findings(record: dict[str, Any]) -> list[str]:
    return [f"{found['severity']}: {found['what']}: {found['fix']}." for found in record["findings"]]


def _remarks(record: dict[str, Any]) -> list[str]:
    sharper = record["budget"]["sharpens"]
    more = [f"A larger --budget would sharpen {', '.join(sharper)}."] if sharper else []
    return [*record["notes"], *_place(record), *more]


def _place(record: dict[str, Any]) -> list[str]:
    found = record.get("scale")
    if found is None:
        return []
    where = Standing.of(found)
    alarm = f" Too good to be true; check first: {found['checks'][0]}." if where.implausible else ""
    return [f"How good that is: {baseline_rows.sentence(where)}{alarm}"]


def _against(against: dict[str, Any]) -> list[RenderableType]:
    """Return what differs from another run, term by term."""
    rows = [row for row in against["terms"] if row["before"] or row["after"]]
    lines = [f"Against {against['run']}:", f"  {'term':<12}{'before':>10}{'after':>10}{'difference':>13}"]
    for row in [*rows, {"id": "gap", **against["gap"]}]:
        figures = f"{signed(row['before']):>10}{signed(row['after']):>10}{signed(row['difference']):>13}"
        lines.append(f"  {row['id']:<12}{figures}")
    return [Text(), *(Text(line, style="" if place else "bold") for place, line in enumerate(lines))]


def _arm_rows(record: dict[str, Any]) -> RenderableType:
    """Return an ablation's verdict, and for each arm its terms with intervals over seeds."""
    parts: list[RenderableType] = [Narrow(Text(record["verdict"], style="bold"))]
    for arm in record["arms"]:
        rows = [t for t in arm["terms"] if t["value"] and abs(t["value"]) > 1e-6]
        bars = [_bar(NAMES[t["id"]], t, PAINTS[t["group"]], "") for t in rows]
        bars.append(_bar("gap as reported", arm["gap"], "ink", "their sum"))
        seeds = len(arm["runs"])
        title = f"{arm['level']}, mean of {seeds} seeds, {UNIT}" if seeds > 1 else f"{arm['level']}, {UNIT}"
        parts += [Text(), Narrow(Text(title, style="dim")), Bars(bars)]
    return Group(*parts)


def markdown(record: dict[str, Any]) -> str:
    """Return verdict and ledger for a pull request."""
    if "arms" in record:
        return _arm_markdown(record)
    lines = [f"**{record['verdict']}**", "", f"| term | {record['reported']['unit']} | basis |", "| --- | ---: | --- |"]
    for term in record["terms"]:
        value = "not to be had"
        if term["value"] is not None:
            value = estimate(term["value"], term["low"], term["high"], difference=True)
        lines.append(f"| {term['id']} | {value} | {term['basis']} |")
    lines.append(f"| **gap** | **{signed(record['gap'])}** | as reported |")
    return "\n".join(lines)


def _arm_markdown(record: dict[str, Any]) -> str:
    arms = record["arms"]
    lines = [f"**{record['verdict']}**", "", f"| term, {UNIT} | {' | '.join(arm['level'] for arm in arms)} |"]
    lines.append("| --- |" + " ---: |" * len(arms))
    rows = [[term["id"], *(arm["terms"][k] for arm in arms)] for k, term in enumerate(arms[0]["terms"])]
    rows.append(["**gap**", *(arm["gap"] for arm in arms)])
    for name, *cells in rows:
        said = (estimate(cell["value"], cell["low"], cell["high"], difference=True) for cell in cells)
        lines.append(f"| {name} | {' | '.join(said)} |")
    return "\n".join(lines)

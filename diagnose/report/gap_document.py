"""What there is to say of a loss gap: of a run, or of a user's model and loop."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.baselines.placement import CHECKS
from diagnose.formatting import counted, duration, estimate, listed, plain, signed, visible
from diagnose.gap import gap_causes
from diagnose.gap.term_kinds import KIND
from diagnose.report import baseline_rows, gap_sentences, gap_tables, sides_sentences
from diagnose.report.blocks import (
    Bars,
    CostlyText,
    Figure,
    Fold,
    Heading,
    Headline,
    NamedRows,
    Paragraph,
    Report,
    RuleFinding,
    Section,
    Span,
    TextTable,
    marked,
)
from diagnose.report.figures import Bar
from diagnose.report.gap_plots import waterfall_figure, where_figure
from diagnose.report.gap_sentences import PAINTS
from diagnose.report.parts import RESERVE, command, corpus_rows, identity, sentence
from diagnose.report.plots import run_figure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.records.ledgers import Document, LedgerRecord, Read, ReportedRecord, TermRecord, Value
    from diagnose.records.schema import FindingRecord
    from diagnose.report.blocks import Inline, ReportBlock
    from diagnose.report.summary import RunReport

HEAT = 45  # per cent of colour at most, so that ink stays legible on it
COSTS = (0.5, 1.5, 3.0, 6.0)  # nats: the edges of a piece's classes of colour
CALL = "diagnose.explain_gap(model, train=Side(batches, objective, ...), val=Side(batches, objective, ...))"
TOGETHER = {"timing": "timing: when taken", "data": "data: which {read}"}  # groups that lead their terms
LONGEST_MODE = 24  # characters
NOTHING = 1e-6  # of a loss: a part as small is not shown
MOST_OFF = 2.0  # times the largest group: a term that is larger is given in figures alone
COLOURS = "<arm-0:when it was taken>, <arm-1:how>, <arm-2:of which {read}>, <arm-3:chance>, <arm-4:unexplained>"


def report_of(ledger: LedgerRecord, run: RunReport | None = None) -> Report:
    """Return what there is to say of a ledger; `run` is the run that it is of, None for a user's model and loop."""
    name = run.run.name if run else Path(ledger.run).name or visible(ledger.reported.named)
    sections = [
        Section("ledger", gap_sentences.ledger_title(ledger), "The gap, part by part", (_walk(ledger),)),
        *_fixes(ledger.findings),
        Section("matched", gap_sentences.matched_title(ledger), "Matched", tuple(_matched(ledger, run))),
        *_where(ledger),
        *_documents(ledger),
        Section("numbers", "Numbers", "Numbers", tuple(_numbers(ledger))),
        Section("how", "How this was obtained", "How this was obtained", (*_how(ledger, run), *_remarks(ledger, run))),
    ]
    return Report(
        title=f"Loss gap of {name}" if name else "Loss gap",
        identity=identity(run) if run else ("loss gap", *([name] if name else [])),
        verdict=ledger.verdict, headlines=_headlines(ledger), sections=tuple(sections),
        lead=tuple(
            Paragraph(marked("**{}** {}", f"{finding.what}.", sentence(finding.fix)), "alert")
            for finding in ledger.findings if finding.severity == "error"
        ),
        headnote=_headnote(ledger), limits=tuple(gap_sentences.limits(ledger)),
    )  # fmt: skip


def _headlines(ledger: LedgerRecord) -> tuple[Headline, ...]:
    same, reported = ledger.matched, ledger.reported
    names = [
        f"reported {name}" if given else f"{name}, as read now"
        for name, given in zip(("training", "validation"), reported.given, strict=True)
    ]
    return (
        Headline(names[0], plain(reported.train), "", "arm-1"),
        Headline(names[1], plain(reported.val), "", "arm-0"),
        Headline(f"gap, {reported.taken[2]}", signed(ledger.gap), ""),
        Headline("gap, matched", estimate(same.gap, same.low, same.high, difference=True), ""),
    )


def _headnote(ledger: LedgerRecord) -> Inline:
    if ledger.kind == "run":
        return marked(
            "[nats-per-token|Nats per token]. [matched|Matched]: both losses under the same conditions, on rows as "
            "validation's batches hold them; "
            "± gives a 95 % [interval] over documents."
        )
    return marked(
        "[matched|Matched]: both losses in evaluation mode with validation's objective; ± gives a 95 % "
        f"[interval] over {_units(ledger)}."
    )


def _units(ledger: LedgerRecord) -> str:
    """Return what intervals are over."""
    if ledger.kind == "run":
        return "documents"
    return "batches" if ledger.conditions.unit == "batch" else f"{ledger.conditions.unit}s"


def _walk(ledger: LedgerRecord) -> Figure:
    """Return the way from one loss to the other."""
    caption = marked(
        "Read from top to bottom: each row changes one condition and keeps it. Bars: what the change does to the loss; "
        "thin lines: 95 % [interval|intervals] (none where the number is exact). Colour: "
        f"{COLOURS.format(read=_read(ledger))}. {terms_named(t.id for t in ledger.terms if gap_sentences.is_shown(t))}"
    )
    bars = (Bars(f"{_way(ledger.reported)}, {ledger.unit}", tuple(_bars(ledger))),)
    return Figure(waterfall_figure(ledger), caption, bars, (gap_tables.terms(ledger),), detail="always")


def _read(ledger: LedgerRecord) -> str:
    """Return what losses are of: text, or samples of anything."""
    return "samples" if ledger.of_loop else "text"


def _way(reported: ReportedRecord) -> str:
    """Return from which loss to which a ledger leads, and how each was taken."""
    train, val, both = plain(reported.train), plain(reported.val), reported.taken
    if both[0] == both[1]:
        return f"From training {train} to validation {val} {both[2]}"
    return f"From training {train} {both[0]} to validation {val} {both[1]}"


def terms_named(ids: Iterable[str]) -> str:
    """Return terms by their ids, as words that the glossary explains."""
    return f"The terms, one by one: {', '.join(f'[{term}]' for term in ids)}."


def _bars(ledger: LedgerRecord) -> list[Bar]:
    """Return a row for each term that is not exactly nothing, with its parts below."""
    rows: list[Bar] = []
    reach = MOST_OFF * max((abs(group.value or 0.0) for group in ledger.groups), default=0.0)
    for group in ledger.groups:
        terms = [term for term in ledger.terms if term.group == group.id and gap_sentences.is_shown(term)]
        together = group.id in TOGETHER and gap_causes.leads([term.value for term in terms])
        if together:
            rows.append(bar(TOGETHER[group.id].format(read=_read(ledger)), group, PAINTS[group.id], ""))
        for term in terms:
            drawn = not together or abs(term.value or 0.0) < reach
            rows += _term_bars(term, _name(ledger, term.id), "  " if together else "", drawn=drawn)
    last = f"gap {ledger.reported.taken[2]}"
    return [*rows, Bar(last, signed(ledger.gap), "their sum", ledger.gap, None, None, "ink")]


def _name(ledger: LedgerRecord, term: str) -> str:
    """Return what a term is called, with what training mode switches on, and data for text where there is none."""
    if term == "mode":
        kinds = gap_causes.live_kinds(ledger)
        mode = gap_causes.mode_name(kinds)
        if len(mode) > LONGEST_MODE:
            return "mode: training mode off"
        return f"mode: {mode} {'off' if gap_causes.mode_suffix(kinds, on=False) == 'off' else 'to eval'}"
    return sides_sentences.label(term) if ledger.kind == "sides" else KIND[term].label


def _term_bars(term: TermRecord, name: str, indent: str, *, drawn: bool) -> list[Bar]:
    """Return a term and its parts; without bars where terms that cancel would leave no room for the others."""
    paint = PAINTS[term.group]
    parts = term.parts if len(term.parts) > 1 else ()
    if term.id == "residual":
        parts = tuple(part for part in parts if abs(part.value or 0.0) > NOTHING)
    rows = [bar(indent + name, term, paint, _note(term))]
    rows += [bar(f"{indent}  {part.id}", part, paint, "") for part in parts]
    return rows if drawn else [replace(row, value=None, low=None, high=None) for row in rows]


def bar(name: str, row: Value, paint: str, note: str) -> Bar:
    """Return the bar of a value with its interval; a dash where there is none."""
    if row.value is None:
        return Bar(name, "\N{EN DASH}", note, None, None, None, paint)
    return Bar(name, estimate(row.value, row.low, row.high, difference=True), note, row.value, row.low, row.high, paint)


def _note(term: TermRecord) -> str:
    if term.value is None:
        return "not to be had"
    if term.id == "residual" and not term.parts:
        return "training not checked" if "not checked" in term.basis else "training replayed"
    return "exact" if term.basis.startswith("exact") else ""


def _fixes(findings: tuple[FindingRecord, ...]) -> list[Section]:
    items = tuple(
        RuleFinding(finding.severity, finding.rule, f"{finding.what}.", f"{finding.fix}.", detail="always")
        for finding in findings
    )
    return [Section("fixes", "What to do", "What to do", items)] if findings else []


def _matched(ledger: LedgerRecord, run: RunReport | None) -> Iterable[ReportBlock]:
    """Yield both losses under the same conditions, and how much of the one's data the other has seen."""
    off, on = ledger.matched, ledger.matched_on
    text = f"Matched: training {plain(off.train)}, validation {plain(off.val)}"
    if ledger.conditions.kinds:
        text += f"; with training mode on for both: {plain(on.train)} and {plain(on.val)}"
    yield Paragraph(f"{text}.", "note", detail="brief")
    yield _matrix(ledger)
    drawn = run_figure(run) if run else None
    if run and drawn:
        reserve = RESERVE if run.scored == "reserve" else ""
        yield Figure(drawn, marked(
            "Both losses while training. Solid: validation; dashed: training. Left, [as-reported|as reported]; right, "
            "[matched|matched by document]: on fixed samples of documents, each read on its own, so that their last "
            f"values are not those above.{reserve}"
            f"{drawn.remark}"
        ))  # fmt: skip
    yield Paragraph(gap_sentences.overlap_sentence(ledger))
    fits = tuple(sides_sentences.fit_sentences(ledger))
    if fits:
        yield Heading("Arithmetic that fits")
        yield Paragraph(items=fits)
        more = any(len(some) > 1 for some in ledger.arithmetic.values())
        several = " Several fit: the figures cannot tell them apart." if more else ""
        yield Paragraph(
            "A factor is named only if the reported loss lies within the interval of what is read times the factor, "
            f"and not within that of what is read as it is.{several}", "note",
        )  # fmt: skip


def _matrix(ledger: LedgerRecord) -> TextTable:
    """Return the readings: a row for training mode off and on, a column a text, darker where the loss is higher."""
    texts = list(dict.fromkeys(read.text for read in ledger.readings))
    values = [read.value for read in ledger.readings if read.value is not None]
    low, high = min(values), max(values)
    rows, heat = [], []
    for on in dict.fromkeys(read.on for read in ledger.readings):
        some = {read.text: read for read in ledger.readings if read.on == on}
        name = gap_causes.in_mode(ledger.conditions.kinds, on=on)
        rows.append((name, *(estimate(some[t].value, some[t].low, some[t].high) for t in texts)))
        heat.append(tuple(_heat(some[t], low, high) for t in texts))
    ours = ledger.kind == "run"
    unit = f", {ledger.unit}" if ours else ""
    caption = f"The final weights' loss on each {'text' if ours else 'side'}, all else alike; darker is higher{unit}"
    head = ("", *(f"{text} {'text' if ours else 'data'}" for text in texts))
    return TextTable(caption, head, tuple(rows), heat=tuple(heat))


def _heat(read: Read, low: float, high: float) -> int:
    return round(HEAT * ((read.value or 0.0) - low) / (high - low)) if high > low else 0


def _where(ledger: LedgerRecord) -> list[Section]:
    where, drawn = ledger.where, where_figure(ledger)
    if where is None or drawn is None:
        return []
    caption = marked(
        "The final weights' loss with {} off; upright lines: 95 % [interval|intervals] over documents (over steps in "
        "the last panel). Dashed: a straight trend through the blocks.",
        gap_sentences.training_mode(ledger),
    )
    called = {"reserve": "the reserve"}
    sentences = [
        gap_sentences.trend_sentence(place, called.get(place.text, f"{place.text} text"), "the corpus")
        for place in where.places
    ]
    sentences.append(gap_sentences.trend_sentence(where.epoch, "the batches of training steps", "the epoch"))
    if where.epoch.epochs <= 1:
        sentences[-1] += " There was no more than one epoch, so later steps are also the more recent ones."
    note = (
        "Trends are least squares over blocks of neighbouring documents, or over steps; their intervals allow for "
        "neighbours being alike. One set of weights reads everything, so a trend is one of the text or of what was "
        "trained on last, never of learning."
    )
    blocks = (Figure(drawn, caption), Paragraph(items=tuple(sentences)), Paragraph(note, "note"))
    return [Section("where", gap_sentences.where_title(ledger), "Where in the text", blocks)]


def _documents(ledger: LedgerRecord) -> list[Section]:
    """Return the documents with the highest and the lowest loss, coloured by what each piece cost."""
    documents = ledger.where.documents if ledger.where else {}
    if not ledger.where or not documents.get("worst"):
        return []
    between = (f"{a} to {b}" for a, b in pairwise(COSTS))
    edges = (f"under {COSTS[0]}", *between, f"{COSTS[3]} and more")
    keys = [part for cost, edge in enumerate(edges) for part in (Span(edge, "cost", str(cost)), Span(" "))]
    note = (
        Span("What each piece cost, in nats: "), *keys[:-1],
        Span(". ¶ stands for the document's end. Very short documents are left out."),
    )  # fmt: skip
    text = " text" if ledger.where.scored == "validation" else ""
    title = f"The documents of the {ledger.where.scored}{text} with the highest and the lowest loss"
    blocks: list[ReportBlock] = [Paragraph(note, "note")]
    for name, key in (("Highest", "worst"), ("Lowest", "best")):
        blocks += [Heading(name), *map(_coloured, documents.get(key, ()))]
    return [Section("documents", title, "Best and worst documents", tuple(blocks))]


def _coloured(document: Document) -> CostlyText:
    """Return a document with neighbouring pieces of a class joined."""
    out: list[tuple[str, int]] = []
    for text, nats in document.pieces:
        cost = sum(nats >= edge for edge in COSTS)
        if out and out[-1][1] == cost and text and out[-1][0]:
            out[-1] = (out[-1][0] + text, cost)
        else:
            out.append((text, cost))
    title = f"{plain(document.loss, 2)} nats per token, document {plain(document.document + 1, 0)}"
    return CostlyText(title, tuple(out), max(0, document.targets - len(document.pieces)))


def _numbers(ledger: LedgerRecord) -> Iterable[ReportBlock]:
    yield from (gap_tables.terms(ledger), gap_tables.groups(ledger), gap_tables.losses(ledger))
    yield from (*gap_tables.others(ledger), *gap_tables.against(ledger))
    places = gap_tables.places(ledger)
    if places:
        yield Fold("The numbers behind the strips", tuple(places))
    what = "this run" if ledger.kind == "run" else "these weights and batches"
    size = ledger.bytes_per_token
    nothing = [f"[{term.id}]" for term in ledger.terms if not gap_sentences.is_shown(term)]
    yield Paragraph(marked(
        f"Intervals are over {_units(ledger)}, with masks drawn anew; terms without one are exact for {what}."
        + (gap_tables.OVER_ORDERS if gap_tables.over_orders(ledger) else "")
        + (f" Bits per byte are nats per token over ln 2 and {plain(size, 2)} bytes a token." if size else "")
        + (f" Exactly nothing here: {listed(nothing)}." if nothing else "")
    ), "note")  # fmt: skip


def _how(ledger: LedgerRecord, run: RunReport | None) -> Iterable[ReportBlock]:
    yield gap_tables.conditions(ledger)
    yield gap_tables.how(ledger)
    yield NamedRows(tuple(_sources(ledger, run) if run else _read_of_sides(ledger)))
    if run:
        yield from command(f"diagnose loss-gap runs/{run.run.name}")
    else:
        named_loop = f"diagnose loss-gap {ledger.run} --model {ledger.model}"
        yield from command(named_loop if ledger.run else CALL, "call")


def _sources(ledger: LedgerRecord, run: RunReport) -> Iterable[tuple[Inline, Inline]]:
    environment, place = run.environment, baseline_rows.place(run)
    yield from corpus_rows(environment.corpus, environment.split, environment.overlap)
    if place:
        yield "How good that is", baseline_rows.sentence(place)
    if ledger.conditions.unseen_text:
        yield "Unseen text", sentence(ledger.conditions.unseen_text)
    limit = duration(ledger.budget.seconds)
    yield "Read", f"Validation text: {ledger.conditions.validation_text}. Limit: {limit}."
    if ledger.verified:
        off = ledger.verified.differing
        came = f"{counted(off, 'loss', 'losses')} differ." if off else "every loss came out bit for bit."
        yield "Replay", f"The last {counted(ledger.verified.steps, 'step')} were trained once more: {came}"


def _read_of_sides(ledger: LedgerRecord) -> Iterable[tuple[Inline, Inline]]:
    conditions, passes = ledger.conditions, ledger.passes
    took = duration(ledger.budget.took)
    read = f"Training: {conditions.training_text}. Validation: {conditions.validation_text}. In {took}."
    yield "Read", read
    if passes:
        training, validation = counted(passes.training, "time"), counted(passes.validation, "time")
        mean = f"What was read ran {plain(passes.mean, 1)} times through the model on average"
        yield "Passes", f"{mean}: training batches {training}, validation batches {validation}."
    if conditions.unseen_text:
        yield "Unseen data", sentence(conditions.unseen_text)


def _remarks(ledger: LedgerRecord, run: RunReport | None) -> Iterable[ReportBlock]:
    """Yield what short forms say last; the page says it among its limits and sources."""
    place = baseline_rows.place(run) if run else None
    remarks = list(ledger.notes)
    if place:
        alarm = f" Too good to be true; check first: {CHECKS[0]}." if place.implausible else ""
        remarks.append(f"How good that is: {baseline_rows.sentence(place)}{alarm}")
    if ledger.budget.sharpens:
        option = "budget=" if ledger.kind == "sides" else "--budget"
        remarks.append(f"A larger {option} would sharpen {', '.join(ledger.budget.sharpens)}.")
    yield from (Paragraph(remark, "note", detail="brief") for remark in remarks)

"""What there is to say of an ablation, or of runs that are compared: effects, curves, samples, what else changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.formatting import counted, duration, estimate, plain, visible
from diagnose.report import ablation_limits, ablation_sentences, gap_sentences, note_rows, tables
from diagnose.report.blocks import (
    Bars,
    Figure,
    Fold,
    Heading,
    Headline,
    NamedRows,
    Paragraph,
    Report,
    Samples,
    Section,
    Span,
    marked,
)
from diagnose.report.figures import Bar
from diagnose.report.gap_plots import arm_figure
from diagnose.report.parts import UNIT, command, corpus_rows, environment, named, recipe, sample, sample_note, sentence
from diagnose.report.plots import MOST_PAIRS, ablation_figures, effect_rows, paints

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.records.ablations import AblationRecord
    from diagnose.records.arm_ledgers import ArmLedgers
    from diagnose.report.blocks import Inline, ReportBlock, Sample
    from diagnose.report.figures import Drawn
    from diagnose.report.summary import AblationReport

MOST_HEADLINES = 4
MOST_SENTENCES = 3  # of a note that short forms show
NUMBERS_NOTE = marked(
    "p is the [p-value] corrected by Holm's method. [resolved|Resolved] means that the interval leaves zero out. “p "
    "(larger than …)” is that of the [equivalence] test, corrected likewise. What would resolve an effect would do so "
    "four times in five, were the effect as large as it seems. “Matched” columns: the last readings of the curves, "
    "means over seeds; the interval of their [gap] is over documents alone."
)
PAIRS_CAPTION = marked(
    "The validation loss of the first [arm] minus that of the second; [interval|intervals] hold together over all "
    "pairs and so are wider than those of the [effect|effects] above."
)


def report_of(report: AblationReport, gaps: ArmLedgers | None = None) -> Report:
    """Return what there is to say of an ablation; `gaps` are its arms' ledgers, None where none were taken."""
    summary, drawn = report.summary, ablation_figures(report)
    sections = [
        Section("effects", ablation_sentences.forest_title(summary), "Effects", tuple(_effects(report, drawn))),
        *_pairs(summary, drawn.get("pairs")),
        *_interaction(summary, drawn.get("interaction")),
        Section("curves", ablation_sentences.curves_title(report), "Learning curves",
                tuple(_curves(summary, drawn.get("curves")))),
        *_notes(summary),
        *_gaps(gaps),
        *_samples(report),
        Section("changed", "", "What else changed", tuple(_changed(summary))),
        Section("numbers", "Numbers", "Numbers", tuple(_numbers(report))),
        Section("how", "How this was obtained", "How this was obtained", tuple(_how(summary))),
    ]  # fmt: skip
    return Report(
        title=f"What {ablation_sentences.called(summary)} changes" if summary.planned else "Runs compared",
        identity=named(summary.kind, summary.name, summary.corpus, summary.created), verdict=summary.verdict,
        headlines=_headlines(report), sections=tuple(sections), lead=tuple(_lead(summary)),
        headnote=_headnote(summary), limits=tuple(ablation_limits.limits(report)),
    )  # fmt: skip


def _lead(summary: AblationRecord) -> Iterable[ReportBlock]:
    """Yield what was changed and what was held equal, and what took no part."""
    yield Paragraph(_setup(summary), "setup")
    if summary.failed:
        warning = f"**{counted(len(summary.failed), 'run')} did not finish.** What is said here rests on the others. "
        lost = tuple(ablation_sentences.failures(summary))
        yield Paragraph(marked(warning + ablation_sentences.left_out(summary)), "alert", lost, detail="always")
    if summary.single:
        warning = "Effects are given without intervals: a single run of each arm cannot tell a difference from chance."
        yield Paragraph(marked(f"**One seed.** {warning}"), "alert")


def _setup(summary: AblationRecord) -> Inline:
    if not summary.planned:
        return (
            f"Compared: finished runs that were not planned together. {ablation_sentences.differs_title(summary)}. "
            f"{ablation_sentences.pairing(summary)}"
        )
    axes = [part for axis in summary.axes for part in (axis.what or axis.name, ", ".join(axis.levels))]
    held_equal = ablation_sentences.held(summary)
    equal = "Held equal: {}." if held_equal else "The axis sets what each run trains on, so nothing is held equal."
    changed = "; ".join(["{} ({})"] * len(summary.axes))
    seeds = counted(len(summary.seeds), "seed")
    return marked(f"Changed: {changed}. {equal} {seeds} an [arm].", *axes, held_equal)


def _headlines(report: AblationReport) -> tuple[Headline, ...]:
    summary, colour = report.summary, paints(report.summary)
    chosen = [arm for arm in summary.arms if arm.bits_per_byte.value is not None]
    if len(chosen) > MOST_HEADLINES:
        order = sorted(chosen, key=lambda arm: arm.bits_per_byte.value or 0)
        ends = {order[0].level, order[-1].level, summary.control}
        chosen = [arm for arm in order if arm.level in ends]
    return tuple(
        Headline(arm.level, estimate(arm.bits_per_byte.value, arm.bits_per_byte.low, arm.bits_per_byte.high),
                 "control" if arm.level == summary.control else "", colour[arm.level])
        for arm in chosen
    )  # fmt: skip


def _headnote(summary: AblationRecord) -> Inline:
    ends = "" if summary.single else " ± gives 95 % [interval|intervals] over seeds and documents."
    return marked(
        f"Validation loss of each arm, [bits-per-byte|bits per byte]; lower is better.{ends} Colour stands for the arm "
        "on the whole page."
    )


def _effects(report: AblationReport, drawn: dict[str, Drawn]) -> Iterable[ReportBlock]:
    summary = report.summary
    marks = (
        "Diamonds: the difference of the one [seed] there is; it has no interval." if summary.single
        else "Diamonds and bars: the estimate and its 95 % [interval]. Dots: single [seed|seeds]."
    )  # fmt: skip
    equal = " Grey band: how far equal arms differ by chance ([noise-band|noise of equal arms])."
    band = equal if summary.noise else ""
    caption = marked(
        f"Each [effect] is the validation loss of the arm minus that of the [control]. {marks}{band}"
    )  # fmt: skip
    both = (tables.effects(summary), tables.arms(report))
    yield Figure(drawn.get("forest"), caption, _bars(summary), both, detail="always")
    equivalence = ablation_sentences.equivalence_sentence(summary)
    if equivalence:
        more = "{} [equivalence|Equivalence] is another question than whether an effect is resolved."
        yield Paragraph(marked(more, equivalence), "note")
    told = [effect for effect in summary.effects if effect.sentence]
    if told and (len(told) > 3 or not all(effect.resolved for effect in told)):
        yield Paragraph(items=tuple(effect.sentence for effect in told))


def _bars(summary: AblationRecord) -> tuple[Bars, ...]:
    """Return the effects, and the loss of each arm."""
    noise = (summary.noise.low, summary.noise.high) if summary.noise else None
    several = len({effect.against for effect in summary.effects}) > 1
    shade = f"; shaded: equal arms, ±{plain(max(map(abs, noise)))}" if noise else ""
    caption = f"Effects against {summary.control}, bits per byte; left is better{shade}"
    rows = effect_rows(summary)
    if several:
        rows = [replace(row, name=f"{row.name} {row.under}") for row in rows]
    effects = Bars(caption, tuple(rows), noise)
    colour = paints(summary)
    arms = tuple(
        Bar(visible(arm.level) + (" (control)" if arm.level == summary.control else ""),
            estimate(arm.bits_per_byte.value, arm.bits_per_byte.low, arm.bits_per_byte.high), "",
            arm.bits_per_byte.value, None, None, colour[arm.level])
        for arm in summary.arms
    )  # fmt: skip
    return effects, Bars("Validation loss, bits per byte", arms)


def _pairs(summary: AblationRecord, drawn: Drawn | None) -> list[Section]:
    figure = Figure(drawn, PAIRS_CAPTION)
    return [Section("pairs", ablation_sentences.pairs_title(summary), "Every two arms", (figure,))] if drawn else []


def _interaction(summary: AblationRecord, drawn: Drawn | None) -> list[Section]:
    if drawn is None:
        return []
    over = " (over the levels of the further axes)" if len(summary.axes) > 2 else ""
    caption = marked(
        f"Mean loss of the [arm|arms] by level of one axis, a line for each level of the other{over}; dots: single "
        "[seed|seeds]. Parallel lines: the effects add up. Lines that are not: an [interaction], whose size and "
        "interval stand among the effects above."
    )
    title = ablation_sentences.interaction_title(summary)
    return [Section("interaction", title, "Interactions", (Figure(drawn, caption),))]


def _curves(summary: AblationRecord, drawn: Drawn | None) -> Iterable[ReportBlock]:
    if drawn is None:
        return
    both = "Solid: validation; dashed: training; both" if len(summary.arms) <= MOST_PAIRS else "Validation,"
    lost = "; a cross ends a run that failed" if summary.failed else ""
    yield Figure(drawn, marked(
        f"{both} [matched|matched] on a fixed sample of documents, mean over seeds. Thin: validation of "
        f"single [seed|seeds]{lost}.{drawn.remark} The figures at the top are of each run's "
        "[canonical-reading|final reading] and may differ a little."
    ))  # fmt: skip


def _notes(summary: AblationRecord) -> Iterable[Section]:
    """Yield what the axis asks for beside its effects."""
    for note in note_rows.sections(summary.notes):
        short = Paragraph(items=note.sentences[:MOST_SENTENCES], detail="brief")
        blocks = (short, Paragraph(items=note.sentences), note.table)
        yield Section(note.name, note.title, note.title, blocks, "always")


def _gaps(gaps: ArmLedgers | None) -> list[Section]:
    if gaps is None:
        return []
    terms = ", ".join(f"[{term}]" for term in gap_sentences.arm_terms(gaps))
    caption = marked(
        "What each [arm|arm's] [gap] between reported training and reported validation loss is made of, mean over "
        "[seed|seeds]: what raises validation above training to the right, what lowers it to the left. Diamond: the "
        f"gap as reported; line: its 95 % [interval] over seeds. The terms, one by one: {terms}."
    )
    figure = Figure(arm_figure(gaps), caption)
    return [Section("gaps", gap_sentences.arms_title(gaps), "Each arm's loss gap", (figure,))]


def _samples(report: AblationReport) -> list[Section]:
    """Return samples side by side, a row for each seed; those of the first seed lead."""
    rows: dict[int, list[Sample]] = {}
    colour = paints(report.summary)
    for arm in report.summary.arms:
        runs = [run for run in report.arm(arm.level) if run.samples]
        for place, run in enumerate(runs):
            rows.setdefault(place, []).append(
                sample(arm.level, run.samples[-1], seed=run.seed, paint=colour[arm.level], unfinished=not run.finished)
            )
    if not rows:
        return []
    first, *more = [Samples(tuple(row)) for _, row in sorted(rows.items())]
    others = [Fold("The other seeds' samples", tuple(more))] if more else []
    blocks = (first, *others, sample_note([first]))
    return [Section("samples", "What each arm writes after the same prompt", "Samples", blocks)]


def _changed(summary: AblationRecord) -> Iterable[ReportBlock]:
    if not summary.planned:
        yield Heading(ablation_sentences.differs_title(summary), 2)
        if summary.differs:
            yield tables.differs(summary)
    yield Heading(ablation_sentences.changed_title(summary), 2)
    traps = [sentence(axis.trap.rstrip(".")) for axis in summary.axes if axis.trap]
    if summary.changed:
        yield Paragraph(marked(f"An effect is of the whole change, these included.{' {}' * len(traps)}", *traps))
        yield tables.changed(summary)
    else:
        yield from map(Paragraph, traps)


def _numbers(report: AblationReport) -> Iterable[ReportBlock]:
    summary = report.summary
    yield from (tables.arms(report), tables.effects(summary), tables.seeds(summary))
    pairs = tables.pairs(summary)
    if pairs:
        yield pairs
    yield Paragraph(NUMBERS_NOTE, "note")


def _how(summary: AblationRecord) -> Iterable[ReportBlock]:
    yield NamedRows(tuple(_sources(summary)))
    yield from command(summary.command)
    tuning, spread = tables.tuning(summary), tables.spread(summary)
    if tuning:
        yield Heading("Each arm has a learning rate of its own")
        yield tuning
    yield Fold("What each arm's recipe comes to", (tables.derived(summary),))
    if spread:
        yield Fold("What the intervals are made of", (spread,))
    yield environment(summary.environment)
    yield from recipe(summary.recipe, "Recipe of the control arm")
    runs = tuple((Span(run, "code"),) for arm in summary.arms for run in arm.runs)
    yield Fold("The runs", (Paragraph(items=runs),))


def _sources(summary: AblationRecord) -> Iterable[tuple[Inline, Inline]]:
    held_equal, planned = ablation_sentences.held(summary), summary.planned
    equal = "Nothing was held equal on purpose; what the recipes share is equal."
    if planned:
        equal = sentence(held_equal) if held_equal else "Nothing: the axis sets what each run trains on."
    chance = "the axis does" if planned else "their recipes do"
    yield "Held equal", f"{equal} Arms with the same seed share all chance that {chance} not touch."
    yield from corpus_rows(summary.corpus, summary.split, summary.overlap)
    seen = ablation_sentences.seen(summary)
    if seen:
        yield "Text trained on", seen
    yield UNIT
    paired = "" if planned else " where arms share seeds"
    yield "Intervals", (
        "Not to be had: with one seed the chance between runs cannot be estimated." if summary.single
        else f"95 %. Differences are paired by seed and by document{paired}; seeds and documents are crossed random "
        "effects (Satterthwaite's degrees of freedom), simultaneous over the comparisons with the control. p-values "
        "are corrected by Holm's method."
    )  # fmt: skip
    seeds = f"\N{MULTIPLICATION SIGN} {counted(len(summary.seeds), 'seed')} " if planned else ""
    took = "" if summary.seconds is None else f", {duration(summary.seconds)} in all"
    listed = ", ".join(map(str, summary.seeds))
    yield "Runs", f"{counted(len(summary.arms), 'arm')} {seeds}(seeds {listed}){took}."

"""What there is to say of a run: its losses, how good they are, what it writes, how it was obtained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import counted, duration, estimate, plain
from diagnose.report import baseline_rows, run_sentences, sample_sentences, tables
from diagnose.report.blocks import Bars, Figure, Fold, Headline, NamedRows, Paragraph, Report, Samples, Section, marked
from diagnose.report.figures import Bar
from diagnose.report.parts import (
    RESERVE,
    UNIT,
    command,
    corpus_rows,
    environment,
    identity,
    recipe,
    sample,
    sample_note,
)
from diagnose.report.plots import run_figure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.report.blocks import ReportBlock
    from diagnose.report.summary import RunReport

EARLIER = 6  # samples before the last
INTERVALS = (
    "Intervals",
    marked(
        "95 %, over documents, for this run's weights; they say nothing about other seeds. The interval of the "
        "matched [gap] adds those of the two losses as squares, for they were read on different documents."
    ),
)


def report_of(run: RunReport) -> Report:
    """Return what there is to say of a run."""
    sections = [
        Section("curves", run_sentences.run_title(run), "Learning curves", tuple(_curves(run))),
        *_scale(run),
        *_samples(run),
        Section("numbers", "Numbers", "Numbers", (tables.losses(run), tables.run_derived(run))),
        Section("how", "How this was obtained", "How this was obtained", tuple(_how(run))),
    ]
    return Report(
        title=f"Run {run.run.name}", identity=identity(run), verdict=run_sentences.run_verdict(run),
        headlines=tuple(_headlines(run)), sections=tuple(sections), lead=tuple(_alarms(run)),
        limits=tuple(run_sentences.run_limits(run)),
    )  # fmt: skip


def _alarms(run: RunReport) -> Iterable[ReportBlock]:
    """Yield that the run did not finish, and that its loss cannot be believed."""
    if not run.run.finished:
        why = run.run.status.why
        end = ":** {}." if why else ".**"
        sentence = marked(f"**This run did not finish{end} What it recorded until then is shown.", why.rstrip("."))
        yield Paragraph(sentence, "alert")
    alarm = baseline_rows.alarm(run)
    if alarm is not None:
        words = marked("**This loss is too good to be true.** {} What would tell why, the likeliest first:", alarm[0])
        yield Paragraph(words, "alert", tuple(alarm[1]), numbered=True)
        yield Paragraph(f"Too good to be true: {alarm[0]} Check first: {alarm[1][0]}.", "alert", detail="brief")


def _headlines(run: RunReport) -> Iterable[Headline]:
    final = run_sentences.last(run, "final", "val")
    if final is not None and final.bits is not None:
        figure = estimate(final.bits, final.bits_low, final.bits_high)
        yield Headline(run_sentences.final_name(run, "unseen reserve"), figure, "bits per byte")
    for split, name, paint in (("train", "reported training", "arm-1"), ("val", "reported validation", "arm-0")):
        reading = run_sentences.last(run, "reported", split)
        if reading is not None:
            yield Headline(name, plain(reading.loss), "nats per token", paint)
    same = run_sentences.matched(run)
    if same is not None:
        yield Headline("gap, matched by document", str(same), "nats per token")


def _curves(run: RunReport) -> Iterable[ReportBlock]:
    drawn = run_figure(run)
    reserve = RESERVE if run.scored == "reserve" else ""
    caption = marked(
        "Solid: validation; dashed: training. [as-reported|As reported]: what the run logged, each loss under its own "
        "conditions, in [nats-per-token|nats per token]. [matched|Matched by document]: both on fixed samples of "
        "documents, each read on its own with dropout off, with 95 % [interval|intervals] over documents as bands."
        f"{reserve}{drawn.remark if drawn else ''}"
    )
    bars = (Bars("Loss, nats per token", tuple(_bars(run))),)
    yield Figure(drawn, caption, bars, (tables.losses(run),), detail="always")
    disagree = run_sentences.units_disagree(run)
    if disagree:
        yield Paragraph(disagree)


def _bars(run: RunReport) -> Iterable[Bar]:
    """Yield the last losses."""
    named = (
        ("training, as reported", "reported", "train", "arm-1"),
        ("validation, as reported", "reported", "val", "arm-0"),
        ("training, matched by document", "probe", "train", "arm-1"),
        (f"{run.scored}, matched by document", "probe", "val", "arm-0"),
        (run_sentences.final_name(run), "final", "val", "ink"),
    )
    for name, kind, split, paint in named:
        reading = run_sentences.last(run, kind, split)
        if reading is not None:
            note = f"{plain(reading.bits)} bits per byte" if kind != "reported" and reading.bits is not None else ""
            figure = estimate(reading.loss, reading.low, reading.high)
            yield Bar(name, figure, note, reading.loss, reading.low, reading.high, paint)


def _scale(run: RunReport) -> list[Section]:
    place = baseline_rows.place(run)
    if place is None:
        return []
    placed, part = baseline_rows.sentence(place), run_sentences.read_in_part(run)
    which = "the same documents" if part is None else f"all scored documents (the run: for {part[0]:,} of {part[1]:,})"
    words = marked(
        "{} [yardstick|Yardsticks] are compressors and counts of characters that read the same training text once and "
        f"pay for {which}, ends included.", placed,
    )  # fmt: skip
    blocks: list[ReportBlock] = [Paragraph(words), Paragraph(placed, detail="brief")]
    rows = baseline_rows.this_run(run)
    figure = baseline_rows.ladder(run.scale, rows) if rows else None
    table = baseline_rows.table(baseline_rows.among(run.scale, rows), sampled=run.sampled)
    blocks += [figure, Fold("The same in numbers", (table,))] if figure else [table]
    return [Section("scale", baseline_rows.title(place), "How good that is", tuple(blocks))]


def _samples(run: RunReport) -> list[Section]:
    written = run.run.samples
    if not written:
        return []
    row = Samples((sample("", written[-1]),))
    blocks: list[ReportBlock] = [row]
    verbatim, promise = sample_sentences.verbatim(run), sample_sentences.promise(run)
    blocks += [Paragraph(verbatim)] if verbatim else []
    blocks += [Paragraph(marked(promise))] if promise else []
    earlier = tuple(sample("", sample_text) for sample_text in written[:-1])[-EARLIER:]
    blocks += [Fold("Earlier samples", (Samples(earlier),))] if earlier else []
    return [Section("samples", "What it writes", "Samples", (*blocks, sample_note([row])))]


def _how(run: RunReport) -> Iterable[ReportBlock]:
    recorded = run.environment
    took = "" if run.seconds is None else f", {duration(run.seconds)}"
    rows = [*corpus_rows(recorded.corpus, recorded.split, recorded.overlap), UNIT, INTERVALS]
    yield NamedRows((*rows, ("Training", f"{counted(run.steps, 'step')}{took}.")))
    yield from command(f"diagnose train --recipe runs/{run.run.name}/recipe.toml")
    yield environment(recorded)
    yield from recipe(run.recipe)

"""What there is to say of scores from anybody's table: effects in the score's unit, each arm, how it was obtained."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from diagnose.formatting import counted, cut, day, half, listed, plain, quantity, signed, visible
from diagnose.report import command_sections, figures, score_tables
from diagnose.report.blocks import (
    Bars,
    Figure,
    Fold,
    Headline,
    NamedRows,
    Paragraph,
    Report,
    Section,
    marked,
)
from diagnose.report.canvas import ARMS
from diagnose.report.figures import Bar, Drawn
from diagnose.report.parts import command, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diagnose.records.score_records import ScoreComparison, ScoreEffect, ScoreMetric
    from diagnose.report.blocks import Inline, ReportBlock

MOST_HEADLINES = 4
MOST_ROWS = 24  # effects of a picture; of more the table speaks
MOST_FILES = 3
KINDS = {
    "binary": "0 or 1 (right or wrong)", "counts": "whole numbers", "bounded": "between 0 and 1", "numbers": "numbers",
}  # fmt: skip


def report_of(comparison: ScoreComparison) -> Report:
    """Return what there is to say of a comparison of scores."""
    failed = command_sections.failed_section(comparison.carried) if comparison.carried else []
    sections = [
        *(_effects(comparison, metric, place) for place, metric in enumerate(comparison.metrics)),
        *failed,
        *command_sections.curves_section(comparison, _paints(comparison)),
        *_pairs(comparison),
        Section("numbers", "Numbers", "Numbers", tuple(_numbers(comparison))),
        Section("how", "How this was obtained", "How this was obtained", tuple(_how(comparison))),
    ]
    lone = comparison.metrics[0]
    return Report(
        title=f"What {_called(comparison)} changes", identity=_identity(comparison), verdict=comparison.verdict,
        headlines=_headlines(comparison, lone), sections=tuple(sections), lead=tuple(_lead(comparison)),
        headnote=_headnote(comparison, lone), limits=tuple(_limits(comparison)),
    )  # fmt: skip


def name_of_page(comparison: ScoreComparison) -> str:
    """Return what the page is called: as the folder of what was run, or after the table's first file."""
    first = comparison.source[0] if comparison.source else "scores"
    return f"{'' if comparison.carried else 'compare-'}{first.rstrip('/').replace(chr(92), '/').rsplit('/', 1)[-1]}"


def _against(comparison: ScoreComparison) -> str:
    """Return what a table of effects is of."""
    return f"Effects against {visible(comparison.control) if len(comparison.axes) == 1 else 'the control'}"


def _identity(comparison: ScoreComparison) -> tuple[str, ...]:
    files = ", ".join(cut(name, 40) for name in comparison.source[:MOST_FILES]) or "a table"
    more = f" and {len(comparison.source) - MOST_FILES} more" if len(comparison.source) > MOST_FILES else ""
    what = (
        f"ablation {comparison.source[0].rpartition('/')[2]}" if comparison.carried else f"comparison of {files}{more}"
    )
    count = counted(comparison.design.runs, "run") if comparison.carried else counted(comparison.design.rows, "row")
    parts = (what, count, day(comparison.created))
    return tuple(part for part in parts if part)


def _called(comparison: ScoreComparison) -> str:
    return listed([visible(axis.name) for axis in comparison.axes])


def _lead(comparison: ScoreComparison) -> Iterable[ReportBlock]:
    before = "What was run" if comparison.carried else "Found in the table"
    yield Paragraph(f"{before}: {score_tables.design_words(comparison)}", "setup")
    if comparison.design.over == "nothing":
        warning = "**One run an arm.** A single number of each arm cannot tell a difference from chance."
        yield Paragraph(marked(warning), "alert")
    elif comparison.design.over == "examples":
        warning = (
            "**One run an arm.** Intervals are for other examples of this kind and these very models. How far another "
            "training with another [seed] would lie is not in the table, so nothing here is [resolved]."
        )
        yield Paragraph(marked(warning), "alert")
    for note in comparison.notes:
        yield Paragraph(note, "alert", detail="always")


def _paints(comparison: ScoreComparison) -> dict[str, str]:
    others = [arm.level for arm in comparison.arms if arm.level != comparison.control]
    paint = {level: f"arm-{place}" if place < ARMS else "quiet" for place, level in enumerate(others)}
    return paint | {comparison.control: "ink"}


def _headlines(comparison: ScoreComparison, metric: ScoreMetric) -> tuple[Headline, ...]:
    colour = _paints(comparison)
    chosen = list(comparison.arms)
    if len(chosen) > MOST_HEADLINES:
        order = sorted(chosen, key=lambda arm: arm.score(metric.name).value or 0.0)
        ends = {order[0].level, order[-1].level, comparison.control}
        chosen = [arm for arm in order if arm.level in ends]
    return tuple(
        Headline(visible(arm.level), score_tables.score(arm.score(metric.name)),
                 "control" if arm.level == comparison.control and len(comparison.axes) == 1 else "", colour[arm.level])
        for arm in chosen
    )  # fmt: skip


def _headnote(comparison: ScoreComparison, metric: ScoreMetric) -> Inline:
    some = (
        f" The best, the worst and the control of {len(comparison.arms)}."
        if len(comparison.arms) > MOST_HEADLINES
        else ""
    )
    over = (
        comparison.design.over.replace("examples", "clusters of examples")
        if comparison.design.clusters
        else comparison.design.over
    )
    ends = "" if over == "nothing" else f" ± gives 95 % [interval|intervals] over {over}."
    sharper = " Differences are sharper than these, for examples are paired." if _is_sharper(comparison, metric) else ""
    return marked(f"Mean {{}} of each [arm]{_direction(metric)}.{ends}{sharper}{some}", metric.name)


def _is_sharper(comparison: ScoreComparison, metric: ScoreMetric) -> bool:
    """Say whether every difference is known better than the scores that it is of."""
    effects = [half(effect.low, effect.high) for effect in comparison.effects if effect.metric == metric.name]
    levels = [half(arm.score(metric.name).low, arm.score(metric.name).high) for arm in comparison.arms]
    known = None not in effects and None not in levels and comparison.design.layout == "crossed"
    return known and max(width or 0.0 for width in effects) < min(width or 0.0 for width in levels)


def _direction(metric: ScoreMetric) -> str:
    return f"; {metric.better} is better" if metric.better else ""


def _of(comparison: ScoreComparison, metric: ScoreMetric) -> list[ScoreEffect]:
    return [effect for effect in comparison.effects if effect.metric == metric.name]


def _effects(comparison: ScoreComparison, metric: ScoreMetric, place: int) -> Section:
    name = "effects" if place == 0 else f"effects-{place + 1}"
    some = _of(comparison, metric)
    rows = _rows(comparison, some)
    drawn = _forest(f"forest-{place + 1}", rows, comparison, metric) if len(rows) <= MOST_ROWS else None
    caption = _caption(comparison, metric)
    tables = (score_tables.effects_table(comparison, some, f"{_against(comparison)}, {visible(metric.name)}"),)
    figure = Figure(drawn, caption, _bars(comparison, metric, rows), tables, detail="always")
    link = "Effects" if len(comparison.metrics) == 1 else visible(metric.name)
    return Section(name, _title(comparison, metric, some), link, (figure,), detail="always" if place else "full")


def _title(comparison: ScoreComparison, metric: ScoreMetric, effects: Sequence[ScoreEffect]) -> str:
    """Return what the picture of a score's effects shows, as a sentence."""
    name, known = visible(metric.name), [effect for effect in effects if effect.low is not None]
    seeds = comparison.design.over.startswith("seeds")
    if not known:
        return f"{name}: what differs here may be chance"
    apart = [effect for effect in known if effect.excludes_zero]
    if not apart:
        if len(known) == 1:
            return f"{name}: the interval of the difference includes zero"
        return f"{name}: every interval includes zero"
    most = max(apart, key=lambda effect: abs(effect.value or 0.0))
    size = signed(most.value, score_tables.digits_of_effect(most))
    who = cut(score_tables.name_of_effect(most, comparison), 40)
    word = "resolved" if seeds else "beyond chance between examples"
    if len(known) == 1:
        return f"{name}: {who} differs by {size}, {word}"
    verb = "is" if len(apart) == 1 else "are"
    return f"{name}: {len(apart)} of {len(known)} differences {verb} {word}; the largest is of {who}, {size}"


def _rows(comparison: ScoreComparison, effects: Sequence[ScoreEffect]) -> list[Bar]:
    colour = _paints(comparison) if len(comparison.axes) == 1 else {}
    return [
        Bar(
            name=score_tables.name_of_effect(effect, comparison), under=score_tables.under_effect(effect, comparison),
            figure=score_tables.difference(effect), note=score_tables.remark(effect), value=effect.value,
            low=effect.low, high=effect.high, paint=colour.get(effect.level, "ink"),
            points=tuple(point for point in effect.per_seed if point is not None and math.isfinite(point)),
        )
        for effect in effects
    ]  # fmt: skip


def _forest(name: str, rows: list[Bar], comparison: ScoreComparison, metric: ScoreMetric) -> Drawn:
    noise = (metric.noise.low, metric.noise.high) if metric.noise else None
    side = {"lower": " (left is better)", "higher": " (right is better)", "": ""}[metric.better]
    zero = f"{cut(visible(comparison.control), 24)} (control)" if len(comparison.axes) == 1 else "no difference"
    unit = f"difference in {cut(visible(metric.name), 40)}{side}"
    draw = partial(figures.forest, rows, zero=zero, unit=unit, noise=noise)
    description = "; ".join(f"{f'{row.name} {row.under}'.rstrip()} {row.figure}, {row.note}" for row in rows)
    return Drawn(name, draw, f"Differences in {visible(metric.name)}: {description}.")


def _caption(comparison: ScoreComparison, metric: ScoreMetric) -> Inline:
    over = comparison.design.over
    caption = "Each [effect] is the mean {} of the arm minus that of the [control]."
    if over == "nothing":
        return marked(f"{caption} Diamonds: the difference of the one run there is; it has no interval.", metric.name)
    caption += f" Diamonds and bars: the estimate and its 95 % [interval] over {over}."
    if any(effect.per_seed for effect in _of(comparison, metric)):
        caption += " Dots: single [seed|seeds]."
    if metric.noise:
        shared = " whose seeds differ; these share theirs, and lie closer" if comparison.design.seeds_paired else ""
        caption += f" Grey band: [noise-band|noise of equal arms]{shared}."
    return marked(caption, metric.name)


def _bars(comparison: ScoreComparison, metric: ScoreMetric, rows: list[Bar]) -> tuple[Bars, ...]:
    noise = (metric.noise.low, metric.noise.high) if metric.noise else None
    side = {"lower": "; left is better", "higher": "; right is better", "": ""}[metric.better]
    shade = f"; shaded: equal arms, ±{quantity(noise[1])}" if noise else ""
    effects = Bars(f"Effects on {visible(metric.name)}{side}{shade}", tuple(rows[:MOST_ROWS]), noise)
    colour = _paints(comparison)
    lone_control = comparison.control if len(comparison.axes) == 1 else None
    arms = tuple(
        Bar(visible(arm.level) + (" (control)" if arm.level == lone_control else ""),
            score_tables.score(arm.score(metric.name)), "", arm.score(metric.name).value, None, None,
            colour[arm.level])
        for arm in comparison.arms
    )  # fmt: skip
    return (effects, Bars(f"Mean {visible(metric.name)}", arms)) if len(arms) <= MOST_ROWS else (effects,)


def _pairs(comparison: ScoreComparison) -> list[Section]:
    if not comparison.pairs:
        return []
    known = [pair for pair in comparison.pairs if pair.low is not None]
    apart = sum(pair.excludes_zero for pair in known)
    title = f"{apart} of {counted(len(known), 'pair')} of arms are told apart" if known else "No pair has an interval"
    caption = "Every two arms: the first minus the second; intervals hold together over all pairs"
    table = score_tables.effects_table(comparison, comparison.pairs, caption, pairs=True)
    return [Section("pairs", title, "Every two arms", (table,))]


def _numbers(comparison: ScoreComparison) -> Iterable[ReportBlock]:
    yield score_tables.scores_table(comparison)
    yield score_tables.effects_table(comparison, comparison.effects, _against(comparison))
    yield from score_tables.seeds_tables(comparison)
    explanation = "p is the [p-value] corrected by Holm's method over all differences"
    explanation += " of all scores." if len(comparison.metrics) > 1 else "."
    if comparison.design.over.startswith("seeds"):
        explanation += (
            " [resolved|Resolved] means that the interval leaves zero out. What would resolve an effect would do so "
            "four times in five, were the effect as large as it seems."
        )
    yield Paragraph(marked(explanation), "note")


def _how(comparison: ScoreComparison) -> Iterable[ReportBlock]:
    if comparison.carried:
        yield from command_sections.command_blocks(comparison.carried)
    yield NamedRows(tuple(_sources(comparison)))
    yield from command(comparison.command)
    made_of = score_tables.made_of_table(comparison)
    if made_of:
        yield Fold("What the intervals are made of", (made_of,))
    yield Fold("Software", (NamedRows((("diagnose", comparison.version),)),))


def _sources(comparison: ScoreComparison) -> Iterable[tuple[Inline, Inline]]:
    design = comparison.design
    if comparison.carried:
        yield from command_sections.rows(comparison.carried)
    elif comparison.source:
        yield (
            "Table",
            marked(
                listed(["{}"] * len(comparison.source)) + f", {plain(design.rows, 0)} rows used.", *comparison.source
            ),
        )
    how = "" if comparison.carried else " It was found from the table."
    yield "Design", f"{sentence(score_tables.design_words(comparison).rstrip('.'))}{how}"
    columns = [("arms", listed(list(design.arm_columns))), ("seeds", design.seed_column),
               ("examples", design.example_column), ("clusters", design.cluster_column)]  # fmt: skip
    if not comparison.carried:
        yield "Columns", "; ".join(f"{what}: {visible(name)}" for what, name in columns if name) + "."
    for metric in comparison.metrics:
        told = {"option": "as the command says", "name": "as its name says", "": ""}[metric.told_by]
        side = f"{metric.better} is better, {told}" if metric.better else "which side is better is not known"
        yield visible(metric.name), f"Values are {KINDS[metric.kind]}; {side}."
    yield "Intervals", _intervals(comparison)


def _intervals(comparison: ScoreComparison) -> str:
    design = comparison.design
    unit = "clusters of examples" if design.clusters else "examples"
    if design.over == "nothing":
        return "Not to be had: with one run an arm and no examples the chance between runs cannot be estimated."
    if design.over == "examples":
        how = f"95 %, a t over the differences of {unit}, for these very models on other examples of the kind"
    elif design.layout == "crossed":
        how = (
            f"95 %. Seeds and {unit} are crossed random effects (Satterthwaite's degrees of freedom), and an interval "
            "is never narrower than a t over the seeds' means"
        )
    else:
        how = "95 %, a t over the runs' means" + (
            "" if design.seeds_paired else " (Welch, with cautious degrees of freedom)"
        )
    made_up = design.layout == "crossed" and any(metric.kind == "binary" for metric in comparison.metrics)
    more = (
        " Of scores that are 0 or 1, two made-up examples, one for either arm, keep intervals from vanishing where "
        "hardly any example differs (Bonett and Price 2012)."
        if made_up
        else ""
    )
    count = len(comparison.effects)
    together = f" All {count} hold together (Sidak); p-values are Holm's." if count > 1 else ""
    return f"{how}.{more}{together}"


def _limits(comparison: ScoreComparison) -> Iterable[str]:
    design = comparison.design
    if not design.over.startswith("seeds"):
        yield "Whether another training of either arm would differ: each was run once."
    if design.layout == "runs":
        known = "each run gave one number" if comparison.carried else "a row is a run"
        yield f"Whether it holds for other examples: {known}, and what it was scored on is not known."
    if design.layout == "crossed":
        yield "Whether it holds for examples of another kind than these."
    if design.over.startswith("seeds") and not all(effect.excludes_zero for effect in comparison.effects):
        yield (
            "That what is not resolved has no effect: these runs cannot tell; the interval says how large it may "
            "still be."
        )
    if design.left_out:
        yield f"What {counted(design.left_out, 'example')} would have shown that not every run was scored on."
    if not all(metric.better for metric in comparison.metrics):
        yield "Which side is better, where neither the score's name nor an option says it."
    if comparison.carried:
        yield (
            "What else changes with what was varied: the command alone knows that (steps, tokens, parameters, time), "
            "and whether the arms compare fairly."
        )
        return
    yield (
        "What else differs between the arms: the table names them and no more. Runs that were left out of it, because "
        "they failed or looked bad, are not seen; nor is who chose what to compare after seeing the scores."
    )

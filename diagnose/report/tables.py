"""The tables of a page, as plain rows of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from diagnose.ablation.effects import is_tiny
from diagnose.formatting import (
    DASH,
    about_seeds,
    between,
    chance,
    decimals,
    estimate,
    half,
    plain,
    quantity,
    shows_unit,
    signed,
    visible,
)
from diagnose.report.ablation_sentences import name_of, under
from diagnose.report.blocks import TextTable
from diagnose.report.means import course, known
from diagnose.report.run_sentences import final_name, last, matched, reported

if TYPE_CHECKING:
    from diagnose.records.ablations import AblationRecord, ArmRecord, EffectRecord
    from diagnose.report.summary import AblationReport, LoggedReading, RunReport, RunSummary

Cell = str


def arms(report: AblationReport) -> TextTable:
    """Return each arm's loss: bits per byte with its interval, nats per token, both splits alike."""
    rows = []
    for arm in report.summary.arms:
        mine = arm.bits_per_byte
        train, val = (course(report.arm(arm.level), split).last for split in ("train", "val"))
        rows.append(
            (
                visible(arm.level) + (" (control)" if arm.level == report.summary.control else ""),
                plain(mine.value, decimals(half(mine.low, mine.high))),
                between(mine.low, mine.high),
                plain(arm.nats_per_token),
                plain(train),
                plain(val),
                _gap(report.arm(arm.level)),
                str(len([run for run in report.arm(arm.level) if run.finished])),
            ),
        )
    reserve = report.summary.split.scored_text == "reserve"
    text = "reserve, which no arm has seen" if reserve else "validation text"
    head = (
        "arm",
        "bits per byte",
        "95 % interval",
        "nats per token",
        "training, matched",
        "reserve, matched" if reserve else "validation, matched",
        "gap, matched",
        "runs",
    )
    return TextTable(
        f"Loss of each arm on the whole {text}, and both losses under the same conditions (by document), bits per byte",
        head,
        tuple(rows),
    )


def _gap(runs: tuple[RunSummary, ...]) -> str:
    """Return validation minus training matched, averaged over runs, with its interval."""
    pairs = [
        tuple(known(run.select("probe", split))[-1:] for split in ("train", "val")) for run in runs if run.finished
    ]
    ends = [(train[0], val[0]) for train, val in pairs if train and val]
    if not ends:
        return DASH
    gap = sum((val.bits or 0) - (train.bits or 0) for train, val in ends) / len(ends)
    widths = [half(reading.bits_low, reading.bits_high) for pair in ends for reading in pair]
    known_widths = [width for width in widths if width is not None]
    if len(known_widths) < len(widths):
        return signed(gap)
    # All runs read the same documents, so their chance does not average out: the mean of the runs' variances.
    width = math.sqrt(sum(width**2 for width in known_widths) / len(ends))
    return estimate(gap, gap - width, gap + width, difference=True)


def effects(summary: AblationRecord) -> TextTable:
    """Return each effect with its interval, its corrected p-value and what would resolve it."""
    caption = "Effects against the control, bits per byte; below zero is better"
    return _effects(caption, summary.effects, [f"{name_of(e, summary)} {under(e, summary)}" for e in summary.effects])


def pairs(summary: AblationRecord) -> TextTable | None:
    """Return the difference of every two arms; None where that was not asked for."""
    if not summary.pairs:
        return None
    caption = "Every two arms, bits per byte; below zero the first is better; intervals hold together over all pairs"
    names = [f"{visible(effect.level)} against {visible(effect.against)}" for effect in summary.pairs]
    return _effects(caption, summary.pairs, names)


def _effects(caption: str, some: tuple[EffectRecord, ...], names: list[str]) -> TextTable:
    rows = tuple(
        (
            name,
            signed(effect.value, decimals(half(effect.low, effect.high))),
            between(effect.low, effect.high, difference=True),
            chance(effect.p),
            DASH if effect.low is None else "yes" if effect.resolved else "no",
            chance(effect.p_equivalent),
            what_resolves(effect),
        )
        for name, effect in zip(names, some, strict=True)
    )
    margin = next((effect.margin for effect in some if effect.margin), None)
    larger = f"p (larger than {quantity(margin)})" if margin else "p (larger than the margin)"
    head = ("effect", "bits per byte", "95 % interval", "p (Holm)", "resolved", larger, "what would resolve it")
    return TextTable(caption, head, rows, frozenset({0, 4, 6}))


def what_resolves(effect: EffectRecord, text: str = "text") -> str:
    """Return what would resolve an effect four times in five, were it as large as it seems; `text` can be more."""
    if effect.resolved or effect.low is None:
        return DASH
    if is_tiny(effect):
        if effect.margin is None:
            return "its size is chance"
        seeds = effect.seeds_for_margin
        return f"one of {quantity(effect.margin)}: {f'{about_seeds(seeds)} seeds' if seeds else f'more {text}'}"
    if effect.seeds_needed:
        return f"{about_seeds(effect.seeds_needed)} seeds"
    if not effect.value:
        return "nothing: no difference at all"
    return f"{effect.text_needed:,.2g} times the {text}" if effect.text_needed else f"much more {text}"


def seeds(summary: AblationRecord) -> TextTable:
    """Return the values of each seed: losses of the arms, then the effects."""
    names = tuple(f"seed {seed}" for seed in summary.seeds)
    rows = [(visible(arm.level), *_by_seed(arm, summary)) for arm in summary.arms]
    for effect in summary.effects:
        which = summary.seeds if effect.paired is None else effect.paired
        values = dict(zip(which, effect.per_seed, strict=True)) if len(which) == len(effect.per_seed) else {}
        differences = (signed(values.get(seed), 4) for seed in summary.seeds)
        rows.append((f"{name_of(effect, summary)} {under(effect, summary)}", *differences))
    return TextTable("Each seed's loss and effects, bits per byte", ("arm or effect", *names), tuple(rows))


def spread(summary: AblationRecord) -> TextTable | None:
    """Return what each interval is made of: standard deviations of the effect, and degrees of freedom."""
    rows = tuple(
        (
            f"{name_of(effect, summary)} {under(effect, summary)}",
            plain(effect.sd_seeds, 4),
            plain(effect.sd_documents, 4),
            plain(effect.sd_rest, 4),
            plain(effect.documents, 0),
            plain(effect.df, 1),
        )
        for effect in summary.effects
        if effect.sd_seeds is not None or effect.sd_documents is not None
    )
    head = ("effect", "between seeds", "between documents", "rest", "documents", "degrees of freedom")
    return TextTable("Standard deviations of each effect, bits per byte", head, rows) if rows else None


def _by_seed(arm: ArmRecord, summary: AblationRecord) -> tuple[str, ...]:
    lost = {failure.seed for failure in summary.failed if failure.level == arm.level}
    seeds = arm.seeds or tuple(seed for seed in summary.seeds if seed not in lost)  # 0.1 wrote none
    value_of_seed = dict(zip(seeds, arm.per_seed, strict=False))
    return tuple(
        "failed" if seed in lost and seed not in value_of_seed else plain(value_of_seed.get(seed), 4)
        for seed in summary.seeds
    )


def changed(summary: AblationRecord) -> TextTable:
    """Return what else differs between the arms, in figures and as a multiple of the control."""
    levels = [arm.level for arm in summary.arms]
    rows = []
    for change in summary.changed:
        base = change.per_arm.get(summary.control)
        cells = (
            quantity(change.per_arm.get(level), change.unit)
            + _times(change.per_arm.get(level), base, level == summary.control)
            for level in levels
        )
        unit = "" if not change.unit or shows_unit(change.unit) else f", {visible(change.unit)}"
        rows.append((visible(change.what) + unit, *cells))
    head = (
        "what",
        *(visible(level) + (" (control)" if level == summary.control else "") for level in levels),
    )
    return TextTable("What else differs between the arms, and how many times the control's it is", head, tuple(rows))


def differs(summary: AblationRecord) -> TextTable:
    """Return the settings that the recipes of compared runs differ in."""
    levels = [arm.level for arm in summary.arms]
    rows = tuple((row.what, *(visible(str(row.per_arm.get(level, ""))) for level in levels)) for row in summary.differs)
    head = ("setting", *(visible(level) for level in levels))
    return TextTable("What the recipes differ in", head, rows, frozenset(range(len(head))))


def _times(value: Any, base: Any, is_control: bool) -> str:
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in (value, base))
    if is_control or not numbers or not base or not value:
        return ""
    ratio = value / base
    digits = 4 if abs(ratio) < 0.1 else 2 if abs(ratio) < 10 else 1 if abs(ratio) < 100 else 0
    return f" (\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}{plain(ratio, digits)})"


def derived(summary: AblationRecord) -> TextTable:
    """Return all that each arm's recipe derives, equal or not."""
    columns = [dict(arm.derived) for arm in summary.arms]
    keys = [key for key in columns[0] if key not in _IF_ANY or any(column[key] is not None for column in columns)]
    rows = tuple((_said(key), *(_derived(key, column[key]) for column in columns)) for key in keys)
    return TextTable("What each arm's recipe comes to", ("what", *(visible(arm.level) for arm in summary.arms)), rows)


_UNITS = {
    "text": "bytes",
    "text_per_step": "bytes",
    "share_of_training_text": "share",
    "truncated_share": "share",
    "flops": "FLOP",
    "flops_per_step": "FLOP",
    "learned_from": "bytes",
}
_IF_ANY = {"learned_from"}  # rows that are left out where they would be empty
_SAID = {
    "text": "text trained on",
    "truncated_share": "text cut off",
    "share_of_training_text": "share of the training text",
    "flops": "compute",
    "flops_per_step": "compute per step",
    "learned_from": "text that the vocabulary was learned from, a sample",
}


def tuning(summary: AblationRecord) -> TextTable | None:
    """Return the learning rates that were tried for each arm; None where none were."""
    if not summary.tuning:
        return None
    rows = tuple(
        (
            visible(arm.level),
            quantity(trial.learning_rate),
            plain(trial.bits_per_byte) if trial.bits_per_byte is not None else "diverged",
            "chosen" if trial.learning_rate == arm.learning_rate else "",
        )
        for arm in summary.tuning
        for trial in arm.trials
    )
    first = summary.tuning[0]
    caption = (
        f"Learning rates tried, {first.steps:,} steps each on {first.documents:,} training documents, read on "
        f"{first.scored_documents:,} others of them"
    )
    return TextTable(caption, ("arm", "learning rate", "bits per byte", ""), rows, frozenset({0, 3}))


def _said(key: str) -> str:
    return _SAID.get(key, visible(key).replace("_", " "))


def _derived(key: str, value: object) -> str:
    return quantity(value, _UNITS.get(key, ""))


def losses(run: RunReport) -> TextTable:
    """Return a run's last losses: as reported, matched, and of the text read last."""
    named = (
        ("training, as reported", last(run, "reported", "train")),
        ("validation, as reported", last(run, "reported", "val")),
        ("training, matched by document", last(run, "probe", "train")),
        (f"{run.scored}, matched by document", last(run, "probe", "val")),
        (final_name(run), last(run, "final", "val")),
    )
    rows = [_loss_row(name, reading) for name, reading in named if reading is not None]
    gap, same = reported(run), matched(run)
    if gap is not None:
        rows.append(("gap, as reported", signed(gap), DASH, DASH, DASH))
    if same is not None:  # in bits per byte the two texts' bytes a token would be part of it
        rows.append(("gap, matched by document", str(same), DASH, DASH, DASH))
    head = ("loss", "nats per token", "bits per byte", "documents", "after step")
    return TextTable(
        "The run's last losses, with 95 % intervals; what was reported of a batch or a mean of batches has none",
        head,
        tuple(rows),
    )


def _loss_row(name: str, reading: LoggedReading) -> tuple[Cell, ...]:
    alike_unit = reading.kind != "reported"
    return (
        name,
        estimate(reading.loss, reading.low, reading.high),
        estimate(reading.bits, reading.bits_low, reading.bits_high) if alike_unit else DASH,
        plain(reading.documents, 0) if reading.documents else DASH,
        plain(reading.step, 0),
    )


def run_derived(run: RunReport) -> TextTable:
    """Return all that a run's recipe derives."""
    values = [(key, value) for key, value in run.environment.derived if key not in _IF_ANY or value is not None]
    rows = tuple((_said(key), _derived(key, value)) for key, value in values)
    return TextTable("What the recipe comes to", ("what", "value"), rows)

"""The tables of a page of scores, and the words of a row: scores, effects, seeds, what intervals are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import (
    DASH,
    NARROW,
    TINY,
    chance,
    counted,
    decimals,
    half,
    plain,
    quantity,
    signed,
    telling_decimals,
    visible,
)
from diagnose.report.ablation_sentences import unresolved
from diagnose.report.blocks import TextTable
from diagnose.report.tables import what_resolves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diagnose.records.score_records import ScoreComparison, ScoredArm, ScoreEffect, ScoreLevel

DECIMALS = 4  # of an effect without an interval
MOST_SEEDS = 12  # columns of the table of seeds


def score(level: ScoreLevel) -> str:
    """Return an arm's mean score with its interval."""
    if level.low is None or level.high is None:
        return quantity(level.value)
    return _with_interval(level.value, level.low, level.high, _digits_of_level(level), plain)


def difference(effect: ScoreEffect) -> str:
    """Return an effect with its interval."""
    digits = digits_of_effect(effect)
    if effect.value is None or effect.low is None or effect.high is None:
        return signed(effect.value, digits)
    return _with_interval(effect.value, effect.low, effect.high, digits, signed)


def _with_interval(value: float, low: float, high: float, digits: int, show: Callable[[float, int], str]) -> str:
    width, middle = (high - low) / 2, (low + high) / 2
    if round(middle, digits) == round(value, digits) or abs(middle - value) < width / 20:
        return f"{show(value, digits)}{NARROW}±{NARROW}{plain(width, digits)}"
    return f"{show(value, digits)} {_ends(low, high, digits, show)}"


def _digits_of_level(level: ScoreLevel) -> int:
    return decimals(half(level.low, level.high), level.value)


def digits_of_effect(effect: ScoreEffect) -> int:
    """Return the decimals that an effect is shown with."""
    if effect.value is None:
        return DECIMALS
    if effect.low is None or effect.high is None:
        return decimals(abs(effect.value) / 10, effect.value) if 0 < abs(effect.value) < TINY else DECIMALS
    return telling_decimals(effect.value, effect.low, effect.high)


def _ends(low: float | None, high: float | None, digits: int, show: Callable[[float, int], str]) -> str:
    if low is None or high is None:
        return DASH
    return f"({show(low, digits)} to {show(high, digits)})".replace(" ", NARROW)


def name_of_effect(effect: ScoreEffect, comparison: ScoreComparison) -> str:
    """Return what an effect is called: its level, after its factor where there are several."""
    return visible(effect.level) if len(comparison.axes) == 1 else f"{visible(effect.axis)}: {visible(effect.level)}"


def under_effect(effect: ScoreEffect, comparison: ScoreComparison) -> str:
    """Return what an effect is against: of an interaction the sum of both effects, "" where all have one control."""
    if len(comparison.axes) == 1:
        return ""
    known = {axis.name for axis in comparison.axes}
    return f"against {visible(effect.against)}" if effect.axis in known else "beyond the sum of both"


def full_name(effect: ScoreEffect, comparison: ScoreComparison) -> str:
    """Return what an effect is called with what it is against, where that is not one control for all."""
    return f"{name_of_effect(effect, comparison)} {under_effect(effect, comparison)}".rstrip()


def remark(effect: ScoreEffect) -> str:
    """Return in a few words how sure an effect is, and what would resolve it."""
    if effect.low is None or effect.high is None:
        return "one run: no interval" if effect.seeds == 1 else "no interval"
    small = f"; not above {quantity(effect.margin)}" if effect.equivalent and effect.margin else ""
    if effect.over == "examples":
        return ("these models differ" if effect.excludes_zero else "not told apart") + small
    if effect.resolved:
        return ("resolved" if effect.p is None else f"resolved, p {_equals(effect.p)}") + small
    if small:
        return f"not resolved{small}"
    return unresolved(effect, "examples")


def _equals(p: float) -> str:
    text = chance(p)
    return text if text.startswith("<") else f"= {text}"


def scores_table(comparison: ScoreComparison) -> TextTable:
    """Return each arm's mean scores with their intervals."""
    head = ["arm", "runs"]
    for metric in comparison.metrics:
        head += [visible(metric.name), "95 % interval"]
    rows = []
    for arm in comparison.arms:
        cells = [visible(arm.level) + (" (control)" if arm.level == comparison.control else ""), str(len(arm.seeds))]
        for arm_score in arm.scores:
            digits = _digits_of_level(arm_score)
            cells += [quantity(arm_score.value) if arm_score.low is None else plain(arm_score.value, digits)]
            cells += [_ends(arm_score.low, arm_score.high, digits, plain)]
        rows.append(tuple(cells))
    return TextTable("Mean score of each arm", tuple(head), tuple(rows))


def effects_table(
    comparison: ScoreComparison, some: Sequence[ScoreEffect], caption: str, *, pairs: bool = False
) -> TextTable:
    """Return effects with their intervals, corrected p-values and what would resolve them."""
    lone = len({effect.metric for effect in some}) == 1
    margin = next((effect.margin for effect in some if effect.margin), None)
    head = ["effect", *([] if lone else ["score"]), "difference", "95 % interval", "p (Holm)"]
    head += ["resolved" if comparison.design.over.startswith("seeds") else "these models differ"]
    seeds = comparison.design.over.startswith("seeds")
    head += [
        *([f"p (larger than {quantity(margin)})"] if margin else []),
        *(["what would resolve it"] if seeds else []),
    ]
    rows = []
    for effect in some:
        digits = digits_of_effect(effect)
        cells = [
            f"{visible(effect.level)} against {visible(effect.against)}" if pairs else full_name(effect, comparison)
        ]
        cells += [] if lone else [visible(effect.metric)]
        cells += [signed(effect.value, digits), _ends(effect.low, effect.high, digits, signed), chance(effect.p)]
        cells += [DASH if effect.low is None else "yes" if effect.excludes_zero else "no"]
        cells += [chance(effect.p_equivalent)] if margin else []
        rows.append((*cells, what_resolves(effect, "examples")) if seeds else tuple(cells))
    words = ({0, len(head) - 1} if seeds else {0}) | ({1} if not lone else set())
    return TextTable(caption, tuple(head), tuple(rows), frozenset(words))


def seeds_tables(comparison: ScoreComparison) -> list[TextTable]:
    """Return the mean score of each seed of each arm, a table for each score; none where there is one run an arm."""
    if all(len(arm.seeds) < 2 for arm in comparison.arms):
        return []
    seeds = list(dict.fromkeys(seed for arm in comparison.arms for seed in arm.seeds))
    some_seeds, word = seeds[:MOST_SEEDS], "seed" if comparison.design.seed_column else "run"
    more = f" (the first {MOST_SEEDS} of {len(seeds)} {word}s)" if len(seeds) > MOST_SEEDS else ""
    return [
        TextTable(
            f"{visible(metric.name)} of each {word}{more}",
            ("arm", *(f"{word} {visible(seed)}" for seed in some_seeds)),
            tuple(
                (visible(arm.level), *_by_seed(arm, metric.name, some_seeds, _digits_of_seeds(comparison, metric.name)))
                for arm in comparison.arms
            ),
        )
        for metric in comparison.metrics
    ]  # fmt: skip


def _by_seed(arm: ScoredArm, metric: str, seeds: Sequence[str], digits: int) -> list[str]:
    value_of_seed = dict(zip(arm.seeds, arm.score(metric).per_seed, strict=True))
    return [plain(value_of_seed.get(seed), digits) for seed in seeds]


def _digits_of_seeds(comparison: ScoreComparison, metric: str) -> int:
    """Return decimals that show a seed's score: one more than its effects have."""
    return 1 + max((digits_of_effect(effect) for effect in comparison.effects if effect.metric == metric), default=3)


def made_of_table(comparison: ScoreComparison) -> TextTable | None:
    """Return what each interval is made of: standard deviations of the effect, and degrees of freedom."""
    rows = tuple(
        (
            full_name(effect, comparison), visible(effect.metric),
            quantity(effect.sd_seeds), quantity(effect.sd_documents), quantity(effect.sd_rest), plain(effect.df, 1),
            ", ".join(effect.paired_seeds) or "not by seed",
        )
        for effect in comparison.effects
        if effect.df is not None
    )  # fmt: skip
    unit = "clusters" if comparison.design.clusters else "examples"
    head = ("effect", "score", "between seeds", f"between {unit}", "rest", "degrees of freedom", "paired by seeds")
    return TextTable("Standard deviations of each effect", head, rows, frozenset({0, 1, 6})) if rows else None


def design_words(comparison: ScoreComparison) -> str:
    """Return what the table was found to be, as a sentence or two."""
    design = comparison.design
    word = "seed" if design.seed_column else "run"
    counts = sorted({len(arm.seeds) for arm in comparison.arms})
    seeds = counted(counts[0], word) if len(counts) == 1 else f"{counts[0]} to {counts[-1]} {word}s"
    amount = f"{counted(len(comparison.arms), 'arm')} with {seeds} each"
    paired = "paired by seed" if design.seeds_paired else "not paired by seed"
    paired = "" if counts[-1] == 1 else f", {paired}"
    if design.layout == "runs":
        return (
            f"{amount}{paired}; each run gave one number."
            if comparison.carried
            else f"{amount}{paired}; a row is a run."
        )
    if design.layout == "nested":
        return f"{amount}{paired}; each seed was scored on examples of its own ({design.examples:,} in all)."
    groups = f" in {counted(design.clusters, 'cluster')} ({visible(design.cluster_column)})" if design.clusters else ""
    return f"{amount}{paired}, all scored on the same {counted(design.examples, 'example')}{groups}."

"""The sentences that a comparison of scores comes to. "Resolved" is said of training alone, where seeds were drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.ablation.conclusion import FEW, of_few
from diagnose.ablation.effects import excluded, is_tiny, level_name
from diagnose.formatting import (
    PLAIN_DECIMALS,
    about_seeds,
    counted,
    listed,
    plain,
    quantity,
    signed,
    telling_decimals,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.ablation.effects import Contrast
    from diagnose.ablation.results.score_design import ScoreDesign
    from diagnose.records.score_records import ScoredArm, ScoreEffect, ScoreMetric

MOST_SAID = 3  # effects that the verdict names of one score
MOST_SCORES = 3  # scores that it speaks of
LOST = 0.1  # share of the examples left out that the verdict mentions


def side(value: float, metric: ScoreMetric) -> str:
    """Return "better" or "worse", or where that is not known "higher" or "lower"."""
    if not metric.better:
        return "lower" if value < 0 else "higher"
    return "better" if (value < 0) == (metric.better == "lower") else "worse"


def size_of(effect: ScoreEffect) -> str:
    """Return how large an effect is, with half the width of its interval, without a sign."""
    if effect.low is None:
        return quantity(abs(effect.value))
    half, digits = _half(effect)
    return f"{plain(abs(effect.value), digits)} ± {plain(half, digits)}"


def _half(effect: ScoreEffect) -> tuple[float, int]:
    """Return half the width of an effect's interval, and the decimals of both."""
    if effect.low is None or effect.high is None:
        return 0.0, PLAIN_DECIMALS
    return (effect.high - effect.low) / 2, telling_decimals(effect.value, effect.low, effect.high)


def sentence_of(contrast: Contrast, effect: ScoreEffect, metric: ScoreMetric, *, several: bool) -> str:
    """Return what one effect is and how sure that is.

    Args:
        contrast: what was compared.
        effect: its record.
        metric: the score.
        several: whether there are several factors.
    """
    who = f"{contrast.axis} {contrast.level}" if several else level_name(contrast.axis, contrast.level)
    than = "the two effects add up to" if contrast.scale > 1 else contrast.against
    if effect.low is None:
        return f"{metric.name}: {who} against {than} {signed(effect.value, 4)}, without an interval."
    if effect.excludes_zero:
        sentence = f"{metric.name}: {who} is {size_of(effect)} {side(effect.value, metric)} than {than}"
        return f"{sentence}{'' if effect.resolved else ' for these very models'}{_small(effect)}."
    half, digits = _half(effect)
    sentence = f"{metric.name}: {who} against {than} {signed(effect.value, digits)} ± {plain(half, digits)}"
    what = "not resolved" if effect.over.startswith("seeds") else "not told apart on such examples"
    return f"{sentence}, {what}{_small(effect) or _remedy(effect)}."


def _small(effect: ScoreEffect) -> str:
    return f"; an effect larger than {effect.margin:g} is excluded" if effect.equivalent else ""


def _remedy(effect: ScoreEffect) -> str:
    if not effect.over.startswith("seeds") or effect.value == 0:
        return ""
    if is_tiny(effect):
        return f"; {', and '.join(excluded([effect], 'examples'))}"
    if effect.seeds_needed:
        return f"; {about_seeds(effect.seeds_needed)} seeds would resolve it"
    return "; only more examples would resolve it"


def verdict_of(
    design: ScoreDesign, metrics: Sequence[ScoreMetric], arms: Sequence[ScoredArm], effects: Sequence[ScoreEffect]
) -> str:
    """Return what came out in two to four sentences.

    Args:
        design: of the table.
        metrics: its scores.
        arms: the control first.
        effects: against the control.
    """
    if design.over == "nothing":
        return _without_intervals(metrics[0], arms)
    by_metric = [(metric, [e for e in effects if e.metric == metric.name]) for metric in metrics]
    sentences = [_of_metric(design, metric, some, lone=len(metrics) == 1) for metric, some in by_metric[:MOST_SCORES]]
    if len(metrics) > MOST_SCORES:
        sentences.append(f"{counted(len(metrics) - MOST_SCORES, 'more score')} below.")
    return " ".join([*_before(design, any(effect.resolved for effect in effects)), *sentences, *_after(design)])


def _before(design: ScoreDesign, resolved: bool) -> list[str]:
    if design.over == "examples":
        return [f"For these very models, on {counted(design.examples, 'example')}:"]
    few = [of_few(resolved)] if design.fewest_seeds <= FEW else []
    return [*few, f"{_held(design)}:"]


def _held(design: ScoreDesign) -> str:
    """Return what was drawn, in words."""
    counts = sorted({len(seeds) for seeds in design.arms.values()})
    name = "seed" if design.named_seeds else "run"
    seeds = counted(counts[0], name) if len(counts) == 1 else f"{counts[0]} to {counts[-1]} {name}s"
    if design.layout == "crossed":
        return f"Over {seeds} an arm and {counted(design.examples, 'example')}"
    return f"Over {seeds} an arm{', each on examples of its own' if design.layout == 'nested' else ''}"


def _after(design: ScoreDesign) -> list[str]:
    lost = design.left_out / (design.left_out + design.examples) if design.left_out else 0.0
    out = [f"{counted(design.left_out, 'example')} not scored in every run took no part."] if lost >= LOST else []
    if design.over == "examples":
        out.append("Each arm was run once: whether another training would differ is not known.")
    return out


def _without_intervals(metric: ScoreMetric, arms: Sequence[ScoredArm]) -> str:
    values = [(arm.level, arm.score(metric.name).value) for arm in arms]
    order = sorted(values, key=lambda arm: arm[1], reverse=metric.better == "higher")
    figures = [f"{level} {quantity(value)}" for level, value in order[: MOST_SAID + 1]]
    more = [f"{len(order) - len(figures)} more"] if len(order) > len(figures) else []
    return (
        f"One run an arm gives no interval over seeds: {metric.name} is {listed([*figures, *more])}, and whether any "
        "difference is more than chance is not known. Run three seeds or more."
    )


def _of_metric(design: ScoreDesign, metric: ScoreMetric, effects: Sequence[ScoreEffect], *, lone: bool) -> str:
    """Say of one score which effects exclude zero, and what is to be said of the others."""
    unknown = [effect for effect in effects if effect.low is None]
    known = [effect for effect in effects if effect.low is not None]
    apart = sorted((e for e in known if e.excludes_zero), key=lambda e: -abs(e.value))
    sentences = [_apart(design, metric, apart)] if apart else []
    if not apart and known:
        sentences.append(_none_apart(design, metric, known, lone=lone))
    elif known:
        sentences += _open(design, [e for e in known if not e.excludes_zero])
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        where = "" if known else f"in {metric.name}, "
        sentences.append(
            f"{where}{_names(design, unknown)} {verb} without an interval: all seeds give the same difference."
        )
    return " ".join(sentences)


def _apart(design: ScoreDesign, metric: ScoreMetric, apart: Sequence[ScoreEffect]) -> str:
    first = [f"{_name(design, e)} is {size_of(e)} {side(e.value, metric)}" for e in apart[:1]]
    rest = [f"{_name(design, e)} {size_of(e)} {side(e.value, metric)}" for e in apart[1:MOST_SAID]]
    more = [f"{len(apart) - MOST_SAID} more less so"] if len(apart) > MOST_SAID else []
    than = f" than {design.control}" if len(design.factors) == 1 else " than the control"
    return f"in {metric.name}, {listed([*first, *rest, *more])}{than}."


def _none_apart(design: ScoreDesign, metric: ScoreMetric, known: Sequence[ScoreEffect], *, lone: bool) -> str:
    if len(known) == 1:
        (effect,) = known
        half, digits = _half(effect)
        head = f"in {metric.name}, {_name(design, effect)} is not told from {effect.against}"
        head += f" ({signed(effect.value, digits)} ± {plain(half, digits)})."
    else:
        head = f"in {metric.name}, no arm is told from {design.control}."
    return " ".join([head, *(_open(design, known, named=len(known) > 1) if lone or len(known) == 1 else [])])


def _open(design: ScoreDesign, effects: Sequence[ScoreEffect], *, named: bool = True) -> list[str]:
    """Say of effects that are not resolved which are shown to be small, and what would resolve the others."""
    small = [e for e in effects if e.equivalent]
    rest = [e for e in effects if not e.equivalent]
    out = []
    if small:
        out.append(f"{_names(design, small)}: no effect larger than {small[0].margin:g}.")
    if not design.over.startswith("seeds"):
        return [*out, f"{_names(design, rest)}: not told apart on such examples."] if rest and named else out
    tiny = [e for e in rest if is_tiny(e)]
    large = [e for e in rest if e not in tiny]
    if large:
        out.append(_unresolved(design, large, _would([e.seeds_needed for e in large if e.value]), named=named))
    if tiny:
        out.append(_unresolved(design, tiny, ", and ".join(excluded(tiny, "examples")), named=named))
    return out


def _unresolved(design: ScoreDesign, effects: Sequence[ScoreEffect], known: str, *, named: bool) -> str:
    return f"{_names(design, effects)}: not resolved; {known}." if named else f"Not resolved; {known}."


def _would(needed: Sequence[int | None]) -> str:
    """Return what would resolve effects, given the seeds that each needs (None where no number would do)."""
    known = sorted(seeds for seeds in needed if seeds)
    if not needed:
        return "the scores are the very same"
    if not known:
        return "only more examples would"
    seeds_text = (
        f"about {known[0]} to {known[-1]} seeds would" if known[0] < known[-1] else f"about {known[-1]} seeds would"
    )
    others = len(needed) - len(known)
    return f"{seeds_text}, but of {others} only more examples" if others else seeds_text


def _name(design: ScoreDesign, effect: ScoreEffect) -> str:
    if len(design.factors) == 1:
        return level_name(effect.axis, effect.level)
    if effect.axis not in {factor.name for factor in design.factors}:
        return f"the interaction {effect.level}"
    return f"{effect.axis} {effect.level}"


def _names(design: ScoreDesign, effects: Sequence[ScoreEffect]) -> str:
    return listed([_name(design, e) for e in effects]) if len(effects) <= MOST_SAID else f"{len(effects)} others"

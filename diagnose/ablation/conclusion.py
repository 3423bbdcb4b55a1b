"""The sentence that an ablation comes to, by rules in one place."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from diagnose.ablation.effects import excluded, is_tiny, level_name
from diagnose.formatting import about_seeds, decimals, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.records.ablations import ArmRecord, EffectRecord, Failure

MOST_SAID = 4  # effects that the sentence names
FEW = 2  # seeds an arm, which resolve only what is large


def verdict(
    axes: Sequence[str],
    arms: Sequence[ArmRecord],
    effects: Sequence[EffectRecord],
    held: str,
    failed: Sequence[Failure] = (),
) -> str:
    """Return at most three sentences: which level is best by how much, what is not resolved, and what diverged.

    Args:
        axes: their names.
        arms: records with `level` and `bits_per_byte`, the control first.
        effects: records against the control.
        held: what the arms share, in words, for instance "After the same 1.0 MB of text".
        failed: runs that diverged, with `level` and `seed`.
    """
    return " ".join([_compared(axes, arms, effects, held), *_lost(failed)])


def _lost(failed: Sequence[Failure]) -> list[str]:
    """Say which arms diverged with how many seeds: that they did is a result."""
    counts = Counter(failure.level for failure in failed)
    clauses = [f"{level} diverged with {count} {'seed' if count == 1 else 'seeds'}" for level, count in counts.items()]
    return [f"{listed(clauses)}."] if clauses else []


def _compared(axes: Sequence[str], arms: Sequence[ArmRecord], effects: Sequence[EffectRecord], held: str) -> str:
    control = arms[0].level
    if not effects:
        return f"No level of {' x '.join(axes)} but {control} finished, so there is nothing to compare."
    if all(effect.low is None for effect in effects):
        return f"{held}, {_ranking(arms)}. One seed gives no interval: run three or more before believing it."
    single = [effect.level for effect in effects if effect.low is None]
    sentence = _of_known(axes, control, [effect for effect in effects if effect.low is not None], held)
    if min(effect.seeds or FEW + 1 for effect in effects if effect.low is not None) <= FEW:
        sentence = f"{of_few(any(effect.resolved for effect in effects))} {sentence}"
    return f"{sentence} {listed(single)}: one seed, so no interval." if single else sentence


def of_few(resolved: bool) -> str:
    """Say what two seeds an arm are worth, given whether they resolve anything here."""
    return f"Two seeds an arm {'resolve only large effects' if resolved else 'decide next to nothing'}."


def _of_known(axes: Sequence[str], control: str, effects: Sequence[EffectRecord], held: str) -> str:
    """Say which effects that have an interval are resolved, and what would resolve the others."""
    axis = " x ".join(axes)
    resolved = [effect for effect in effects if effect.resolved]
    if len(axes) > 1:
        return f"{held}, {_of_several(resolved, len(effects))}"
    if not resolved:
        return f"{held}, no level of {axis} differs from {control} beyond doubt. {_open(effects)}".rstrip()
    order = sorted(resolved, key=lambda e: e.value)
    sides = [
        _side([e for e in order if e.value < 0], "better"),
        _side([e for e in order if e.value > 0], "worse"),
    ]
    text = f"{held}, {' and '.join(filter(None, sides))} than {control}."
    rest = [e for e in effects if not e.resolved]
    return f"{text} {_open(rest)}" if rest else text


def _of_several(resolved: Sequence[EffectRecord], count: int) -> str:
    """Name the largest effects of several axes and their interactions."""
    if not resolved:
        return f"none of {count} effects and interactions is beyond doubt."
    order = sorted(resolved, key=lambda e: -abs(e.value))[:MOST_SAID]
    sizes = [f"{e.axis} {e.level} is {_size(e)} {'better' if e.value < 0 else 'worse'}" for e in order]
    named = "" if len(order) == len(resolved) else ", the largest"
    head = f"{len(resolved)} of {count} effects and interactions are beyond doubt{named}"
    return f"{head}: {'; '.join(sizes)} (bits per byte)."


def _side(effects: Sequence[EffectRecord], word: str) -> str:
    """Name the levels on one side of the control: "bpe is 0.42 ± 0.01 and word 0.31 ± 0.02 bits per byte better"."""
    if not effects:
        return ""
    first, *rest = effects if len(effects) <= MOST_SAID else effects[: MOST_SAID - 1]
    sizes = [
        f"{level_name(first.axis, first.level)} is {_size(first)}",
        *(f"{e.level} {_size(e)}" for e in rest),
    ]
    more = [f"{len(effects) - MOST_SAID + 1} more less so"] if len(effects) > MOST_SAID else []
    return f"{' and '.join([*sizes, *more])} bits per byte {word}"


def _ranking(arms: Sequence[ArmRecord]) -> str:
    order = sorted(arms, key=lambda arm: arm.bits_per_byte.value)
    return ", ".join(f"{arm.level} reaches {arm.bits_per_byte.value:.3f}" for arm in order) + " bits per byte"


def _size(effect: EffectRecord) -> str:
    digits = decimals(effect.half)
    return f"{abs(effect.value):.{digits}f} ± {effect.half:.{digits}f}"


def _open(effects: Sequence[EffectRecord]) -> str:
    """Say of unresolved effects which are shown to be small, and what would resolve the others."""
    small = [effect for effect in effects if effect.equivalent]
    sentences = []
    if small:
        names = _names(small)
        sentences.append(f"{names}: no effect larger than {small[0].margin:g}.")
    rest = [effect for effect in effects if not effect.equivalent]
    tiny = [effect for effect in rest if is_tiny(effect)]
    large = [effect for effect in rest if effect not in tiny]
    if large:
        seeds = [effect.seeds_needed or 0 for effect in large]
        remedy = f"{about_seeds(max(seeds))} seeds would" if all(seeds) else "only more validation text would"
        if not any(effect.value for effect in large):
            remedy = "the same bits are spent on every document"
        sentences.append(f"{_names(large)}: not resolved; {remedy}.")
    if tiny:
        sentences.append(f"{_names(tiny)}: {'; '.join(excluded(tiny))}.")
    return " ".join(sentences)


def _names(effects: Sequence[EffectRecord]) -> str:
    """Name the levels of some effects, or say how many there are."""
    named = [level_name(effect.axis, effect.level) for effect in effects]
    return listed(named) if len(effects) <= MOST_SAID else f"{len(effects)} others"

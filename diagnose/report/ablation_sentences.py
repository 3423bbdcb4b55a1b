"""The sentences of an ablation's page that its data decide: titles of figures, what failed, what cannot be said.

The verdict comes ready from `summary.json`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from diagnose.ablation.effects import is_tiny
from diagnose.formatting import (
    about_seeds,
    chance,
    cut,
    decimals,
    half,
    listed,
    plain,
    quantity,
    share,
    shows_unit,
    signed,
    size,
    visible,
)
from diagnose.report.means import courses, leader

if TYPE_CHECKING:
    from diagnose.records.ablations import AblationRecord, EffectRecord, Estimate
    from diagnose.report.summary import AblationReport

MOST_NAMED = 4  # arms in a sentence
STILL_FALLING = 0.005  # bits per byte over the last fifth of the text: more is said to be still falling


def name_of(effect: EffectRecord, summary: AblationRecord) -> str:
    """Return what an effect is called: its level, after its axis where there are several."""
    level = visible(effect.level)
    return level if len(summary.axes) == 1 else f"{visible(effect.axis)}: {level}"


def is_interaction(effect: EffectRecord, summary: AblationRecord) -> bool:
    """Say whether an effect is of two axes together."""
    return effect.axis not in {axis.name for axis in summary.axes}


def interaction_title(summary: AblationRecord) -> str:
    """Return whether the effects of several axes add up, as a sentence."""
    some = [effect for effect in summary.effects if is_interaction(effect, summary)]
    resolved = sorted((e for e in some if e.resolved), key=lambda effect: -abs(effect.value or 0))
    if not some or all(effect.low is None for effect in some):
        return "Whether the effects add up cannot be told from one seed"
    if not resolved:
        return "No interaction is resolved: the effects may simply add up"
    most = resolved[0]
    first, _, other = visible(most.axis).partition(" x ")
    size_of_it = signed(most.value, decimals(half(most.low, most.high)))
    return f"What {first} does depends on {other}: together {size_of_it} bits per byte beyond the sum"


def under(effect: EffectRecord, summary: AblationRecord) -> str:
    """Return what an effect is against; of an interaction, the sum of both effects."""
    return "beyond the sum of both" if is_interaction(effect, summary) else f"against {visible(effect.against)}"


def row_words(effect: EffectRecord, summary: AblationRecord) -> tuple[str, str]:
    """Return what a row of the forest plot is called, and what stands below: what it is against, of which axis."""
    if len(summary.axes) == 1:
        return visible(effect.level), f"against {visible(effect.against)}"
    axis = visible(effect.axis)
    return visible(effect.level), axis if is_interaction(
        effect, summary
    ) else f"{axis}, against {visible(effect.against)}"


def pairing(summary: AblationRecord) -> str:
    """Return how arms that were not planned together are paired, as a sentence; "" for an ablation."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for effect in summary.effects:
        if effect.paired is not None:
            groups.setdefault(effect.paired, []).append(name_of(effect, summary))
    facts = []
    for seeds, names in groups.items():
        who = listed(names) if len(names) <= MOST_NAMED else f"{len(names)} arms"
        how = f"by {_seeds(seeds)} and by document" if seeds else "by document alone, for they share too few seeds"
        facts.append(f"{who} with the control {how}")
    return f"Paired are {'; '.join(facts)}." if facts else ""


def _seeds(seeds: tuple[int, ...]) -> str:
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {listed([str(seed) for seed in seeds])}"


def left_out(summary: AblationRecord) -> str:
    """Say which seeds take no part, for an arm did not finish with them; "" where all do."""
    if not summary.left_out:
        return ""
    verb = "is" if len(summary.left_out) == 1 else "are"
    left = _seeds(summary.left_out)
    return f"{left[0].upper()}{left[1:]} {verb} left out of all arms, for effects are paired by seed."


def equivalence_sentence(summary: AblationRecord) -> str:
    """Return what the equivalence tests show, as a sentence; "" where none was made."""
    tested = [effect for effect in summary.effects if effect.p_equivalent is not None]
    if not tested:
        return ""
    margin = quantity(tested[0].margin)
    names = [name_of(effect, summary) for effect in tested if effect.equivalent]
    if not names:
        return (
            f"No effect is shown to be smaller than {margin} bits per byte, the margin of --margin (two one-sided "
            "tests, Holm)."
        )
    return f"An effect larger than {margin} bits per byte is excluded for {listed(names)} (two one-sided tests, Holm)."


def pairs_title(summary: AblationRecord) -> str:
    """Return how many of all pairs of arms are told apart, as a sentence."""
    known = [pair for pair in summary.pairs if pair.low is not None]
    apart = sum(pair.resolved for pair in known)
    if not known:
        return "Every two arms: one seed cannot tell them apart"
    if apart in {0, len(known)}:
        return "Every two arms differ beyond doubt" if apart else "No two arms are told apart"
    return f"{apart} of {len(known)} pairs of arms differ beyond doubt"


def differs_title(summary: AblationRecord) -> str:
    """Return what the recipes of compared runs differ in, as a sentence."""
    names = [visible(row.what) for row in summary.differs]
    if not names:
        return "The runs share one recipe and differ in their seeds alone"
    named = listed(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more settings"
    return f"The recipes differ in {named}"


def note_of(effect: EffectRecord, *, p: bool = True) -> str:
    """Return whether an effect is resolved, in a few words, and what would resolve it."""
    if effect.low is None or effect.high is None:
        return "one seed: no interval"
    small = f"; not above {quantity(effect.margin)}" if effect.equivalent and effect.margin else ""
    if effect.resolved:
        return (f"resolved, p {_equals(effect.p)}" if p and effect.p is not None else "resolved") + small
    if small:
        return f"not resolved{small}"
    return unresolved(effect, "text")


def unresolved(effect: EffectRecord, text: str) -> str:
    """Return in a few words what is known of an effect that is not resolved; `text` is what more can be taken of."""
    if is_tiny(effect):
        return f"not resolved; not above {quantity(max(abs(effect.low or 0.0), abs(effect.high or 0.0)))}"
    if effect.seeds_needed:
        return f"not resolved; {about_seeds(effect.seeds_needed)} seeds"
    return f"not resolved; more {text}" if effect.text_needed else "not resolved"


def _equals(p: float | None) -> str:
    text = chance(p)
    return text if text.startswith("<") else f"= {text}"


def forest_title(summary: AblationRecord) -> str:
    """Return what the picture of the effects shows, as a sentence."""
    effects = [effect for effect in summary.effects if effect.value is not None]
    if not effects:
        return "No arm could be compared with the control"
    if all(effect.low is None for effect in effects):
        return "One seed an arm: what differs here may be chance"
    resolved = [effect for effect in effects if effect.resolved]
    if not resolved:
        return (
            "No difference is resolved: every interval includes zero"
            if len(effects) > 1
            else ("The difference is not resolved: its interval includes zero")
        )
    if len(effects) > 3 or len(summary.axes) > 1:
        most = max(resolved, key=lambda effect: abs(effect.value or 0))
        size_of_it = signed(most.value, decimals(half(most.low, most.high)))
        verb = "is" if len(resolved) == 1 else "are"
        most_said = f"the largest is of {cut(name_of(most, summary), 40)}: {size_of_it} bits per byte"
        return f"{len(resolved)} of {len(effects)} effects {verb} resolved; {most_said}"
    clauses = [_lowers(resolved[0], summary)]
    for before, effect in pairwise(resolved):
        same = (before.value or 0) * (effect.value or 0) > 0
        clauses.append(
            _lowers(effect, summary).replace(" lowers the loss", "").replace(" raises the loss", "")
            if same
            else _lowers(effect, summary)
        )
    rest = [name_of(effect, summary) for effect in effects if not effect.resolved]
    tail = f"; {listed(rest)} {'is' if len(rest) == 1 else 'are'} not resolved" if rest else ""
    return listed(clauses) + " bits per byte" + tail


def _lowers(effect: EffectRecord, summary: AblationRecord) -> str:
    value = effect.value or 0.0
    digits = decimals(half(effect.low, effect.high))
    verb = "lowers" if value < 0 else "raises"
    return f"{cut(name_of(effect, summary), 24)} {verb} the loss by {plain(abs(value), digits)}"


def _ends(fell: dict[str, float | None]) -> str:
    """Return which arms still fall at the end, given by how much each fell over its last part."""
    falling = [level for level, amount in fell.items() if amount is not None and amount > STILL_FALLING]
    if None in fell.values():
        return "the curves are too short to say whether any has levelled off"
    if len(falling) == len(fell):
        return "no arm has levelled off"
    if not falling:
        return "all arms have levelled off"
    return (
        f"{listed([visible(level) for level in falling])} still {'falls' if len(falling) == 1 else 'fall'} at the end"
    )


def curves_title(report: AblationReport) -> str:
    """Return what the learning curves show, as a sentence."""
    lines = courses(report)
    ahead = leader(lines)
    if not lines:
        return "No run left a curve"
    tail = _ends({level: line.still_falling() for level, line in lines.items()})
    if ahead is None:
        return tail[0].upper() + tail[1:]
    return f"{_ahead(*ahead, report.summary)}, and {tail}"


def _ahead(level: str, since: float, summary: AblationRecord) -> str:
    """Return which arms lie lowest; those that the intervals do not tell apart are named together."""
    if summary.single:
        return "With one seed an arm the order of the curves may be chance"
    rest = [arm.level for arm in summary.arms if arm.level != level]
    tied = [other for other in rest if not told_apart(level, other, summary)]
    if len(tied) == len(rest):
        return (
            f"The curves of {visible(level)} and {visible(rest[0])} are not told apart"
            if len(rest) == 1
            else (f"{visible(level)} ends lowest, but not told apart from the others")
        )
    if tied:
        return f"{listed([visible(name) for name in (level, *tied)])} end lowest, not told apart"
    return f"{visible(level)} is lowest " + ("at every reading" if not since else f"from {size(since)} of text on")


def told_apart(one: str, other: str, summary: AblationRecord) -> bool:
    """Return whether two arms differ by more than chance.

    Against the control that is what its effect says, and of two other arms what the comparison of all pairs said.
    Where none is stored, they are told apart where the intervals of their effects do not touch, and arms of several
    axes where those of their losses do not: both ask for more than a test of the two.
    """
    effects = {effect.level: effect for effect in summary.effects}
    if len(summary.axes) == 1 and summary.control in {one, other}:
        effect = effects.get(other if one == summary.control else one)
        return effect is not None and effect.resolved
    if summary.apart is not None:
        return (one, other) in summary.apart or (other, one) in summary.apart
    losses = {arm.level: arm.bits_per_byte for arm in summary.arms}
    compared = effects if len(summary.axes) == 1 else losses
    return apart(compared.get(one), compared.get(other))


def apart(effect: EffectRecord | Estimate | None, other: EffectRecord | Estimate | None) -> bool:
    """Return whether two intervals are known and do not touch."""
    if effect is None or other is None or None in (effect.low, effect.high, other.low, other.high):
        return False
    return (effect.high or 0) < (other.low or 0) or (other.high or 0) < (effect.low or 0)


def called(summary: AblationRecord) -> str:
    """Return what the axes are called in a sentence: "the tokenizer", "optimizer.lr"."""
    return listed([f"the {visible(axis.name)}" if axis.name.isalpha() else visible(axis.name) for axis in summary.axes])


def changed_title(summary: AblationRecord) -> str:
    """Return what changed along with the axes, as a sentence."""
    names = [visible(change.what) for change in summary.changed]
    axes = called(summary)
    if not names:
        return f"Nothing else that was recorded differs with {axes}"
    named = listed(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    return f"{named[0].upper()}{named[1:]} changed along with {axes}"


_HELD = {
    "text": "the text trained on",
    "steps": "the number of steps",
    "tokens": "the number of tokens trained on",
    "epochs": "the number of passes over the training text",
    "flops": "the number of operations",
    "seconds": "the time of training",
    "nothing": "",
}


def held(summary: AblationRecord) -> str:
    """Return what is held equal between arms, and how much of it; "" where nothing is."""
    hold = summary.hold
    what = _HELD.get(hold.what, visible(hold.what))
    if not what or hold.amount is None:
        return what
    plain = (hold.unit or "").partition(" of ")[0].partition(" trained")[0]  # `what` says of what
    unit = "" if not plain or shows_unit(hold.unit) else f" {visible(plain)}"
    return f"{what} ({quantity(hold.amount, hold.unit)}{unit})"


def seen(summary: AblationRecord) -> str:
    """Return how much text each run trained on: one figure where all arms saw the same, else one for each arm."""
    each = {arm.level: (arm.derived.text, arm.derived.share_of_training_text) for arm in summary.arms}
    amounts = [amount for amount, _ in each.values() if amount is not None]
    same = len(amounts) < len(each) or max(amounts) - min(amounts) <= 0.01 * max(amounts)
    if same and summary.seen and summary.seen.bytes is not None:
        return f"Each run trained on {_amount(summary.seen.bytes, summary.seen.share)}."
    told = [f"{visible(level)} {_amount(amount, part)}" for level, (amount, part) in each.items() if amount is not None]
    return f"The arms trained on different amounts: {'; '.join(told)}." if told else ""


def _amount(amount: float, part: float | None) -> str:
    return size(amount) + ("" if part is None else f", {share(part)} of the training text")


def failures(summary: AblationRecord) -> list[str]:
    """Return a sentence for each run that did not finish."""
    return [
        f"{visible(lost.level)}{'' if lost.seed is None else f', seed {lost.seed}'}: "
        f"{visible(lost.why).rstrip('.') or 'it did not finish'}."
        for lost in summary.failed
    ]

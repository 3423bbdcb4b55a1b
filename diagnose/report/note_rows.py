"""What an ablation's page says beside its effects, where its axis asks for it: sentences and tables of the notes.

Where in the documents an effect lies, each rule of the learning rate at its best factor, the gradient noise scale,
and units of a ReLU that never answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.formatting import DASH, between, decimals, half, plain, signed, visible
from diagnose.report.blocks import TextTable

if TYPE_CHECKING:
    from diagnose.records.notes import Band, Best, Divided, EffectPart, Notes, Positions, Scale, Units


@dataclass(frozen=True)
class Note:
    """A section of the page: its heading, its sentences and its table."""

    name: str
    title: str
    sentences: tuple[str, ...]
    table: TextTable


def sections(notes: Notes) -> list[Note]:
    """Return the sections that an ablation's notes come to."""
    made = (
        _best(notes.best_factors),
        _noise(notes.noise_scale),
        _positions(notes.positions),
        _units(notes.dead_units),
    )
    return [note for note in made if note is not None]


def _positions(found: Positions | None) -> Note | None:
    if found is None:
        return None
    arms = [visible(arm) for arm in found.bands[0].per_arm]
    rows = tuple(
        (_span(band), plain(band.tokens, 0), *(plain(value) for value in band.per_arm.values())) for band in found.bands
    )
    table = TextTable("Loss by position in the document, nats per token, mean over seeds",
                  ("tokens before", "tokens", *arms), rows)  # fmt: skip
    return Note("positions", _position_title(found), tuple(_divided(part, found) for part in found.parts), table)


def _span(band: Band) -> str:
    return str(band.begin) if band.end == band.begin + 1 else f"{band.begin} to {band.end - 1}"


def _position_title(found: Positions) -> str:
    """Name where the effects lie, where that is beyond doubt for each of them."""
    sides = {
        "near" if part.near.resolved and abs(part.near.value) >= abs(part.far.value)
        else "far" if part.far.resolved and abs(part.far.value) > abs(part.near.value)
        else "open"
        for part in found.parts
    }  # fmt: skip
    edges = {part.edge for part in found.parts}
    where = f"the first {edges.pop()} tokens of a document" if len(edges) == 1 else "what every arm sees whole"
    if sides == {"near"}:
        return f"Most of the effect lies on {where}"
    return f"Most of the effect lies beyond {where}" if sides == {"far"} else "Loss by position in the document"


def _divided(part: Divided, found: Positions) -> str:
    """Say how much of an effect lies before the position and after it."""
    near, far = part.near.said(), part.far.said()
    head = f"{visible(part.level)} against {visible(part.against)}: {near} bits per byte come from "
    if not found.contexts:
        return f"{head}the first {part.edge} tokens of each document, {far} from the rest."
    doubt = "" if part.far.resolved else ", which is not resolved"
    return (
        f"{head}tokens with fewer than {part.edge} before them, where both arms see the whole document so far, so "
        f"that no long-range use shows; {far} from those further on, where alone it can{doubt}."
    )


def _units(found: tuple[Units, ...]) -> Note | None:
    if not found:
        return None
    rows = tuple(
        (visible(one.level), _share(one.share), f"{_share(one.low)} to {_share(one.high)}",
         ", ".join(map(_share, one.layers)), plain(one.units, 0))
        for one in found
    )  # fmt: skip
    said = " and ".join(f"{_share(one.share)} of the units of {visible(one.level)}" for one in found)
    sentence = f"{said} are zero at each of {plain(found[0].tokens, 0)} tokens of validation text, dropout off."
    head = ("arm", "dead units", "over seeds", "layer by layer", "units")
    table = TextTable("Units of ReLU layers that never answer", head, rows, frozenset({0, 3}))
    return Note("units", "Units of a ReLU that never answer", (sentence,), table)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _noise(found: tuple[Scale, ...]) -> Note | None:
    if not found:
        return None
    rows = tuple(
        (visible(one.level), plain(one.batch, 0), _tokens(one.scale), _range(one),
         _tokens(one.two_sizes), _SIDES[one.side])
        for one in found
    )  # fmt: skip
    head = ("arm", "tokens a step", "noise scale", "over seeds", "by two batch sizes", "the step is")
    table = TextTable("Gradient noise scale, about the critical batch size, in tokens", head, rows, frozenset({0, 5}))
    sides = {one.side for one in found}
    title = (
        f"Every arm trains {_SIDES[found[0].side]} the critical batch size" if len(sides) == 1
        else "Arms lie on different sides of the critical batch size"
    )  # fmt: skip
    told = found[:1] if len(sides) == 1 else found  # on one side all say the same: the control's stands for them
    return Note("noise-scale", title, tuple(map(_rule, told)), table)


def _range(one: Scale) -> str:
    return DASH if one.low is None or one.high is None else f"{plain(one.low, 0)} to {plain(one.high, 0)}"


_SIDES = {"below": "below", "near": "near", "above": "above"}
_WORTH = {
    "below": "where twice the batch is worth nearly two steps",
    "near": "where twice the batch is worth more than one step and less than two",
    "above": "where a larger batch is worth little more than a smaller one",
}


def _tokens(value: float | None) -> str:
    return "not to be seen" if value is None else plain(value, 0)


def _rule(one: Scale) -> str:
    """Say on which side an arm is, and which rule that favours."""
    scale = "more than can be measured here" if one.scale is None else f"about {plain(one.scale, 0)} tokens"
    head = (
        f"{visible(one.level)}: a step of {plain(one.batch, 0)} tokens is {_SIDES[one.side]} the critical batch size, "
        f"{scale}, {_WORTH[one.side]}."
    )
    if one.predicted is None or one.rules is None or one.reference is None:
        return head
    ratios = ", ".join(f"{name} {_times(value)}" for name, value in one.rules.items())
    return (
        f"{head} From {plain(one.reference, 0)} tokens a step down to these, theory for Adam (McCandlish et al. 2018, "
        f"exponent 1/2) makes the best rate {_times(one.predicted)}; the rules make it {ratios}: this favours "
        f"{one.nearest}. The rate at the reference is another network's, so the constant may be off all the same."
    )


def _times(value: float) -> str:
    digits = 2 if value >= 0.1 else 3 if value >= 0.01 else 4
    return f"\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}{value:.{digits}f}"


def _best(found: tuple[Best, ...]) -> Note | None:
    if not found:
        return None
    factors = list(found[0].tried)
    rows = tuple(
        (
            visible(one.level),
            *(plain(one.tried.get(factor)) + (" (best)" if factor == one.factor else "") for factor in factors),
            "control" if one.effect is None else _with_digits(one.effect),
        )
        for one in found
    )
    table = TextTable(
        "Bits per byte by multiple of the learning rate, mean over seeds; the last column compares each at its best",
        ("level", *factors, "against the control, both at their best"), rows,
    )  # fmt: skip
    others = [one for one in found if one.effect is not None]
    doubt = [visible(one.level) for one in others if one.effect is not None and not one.effect.resolved]
    control = visible(found[0].level)
    said = [
        f"Each at the factor that suits it best, {visible(one.level)} ({one.factor}) is "
        f"{one.effect.said()} bits per byte against {control} ({found[0].factor})."
        for one in others if one.effect is not None
    ]  # fmt: skip
    said += [
        f"For {visible(one.level)} the best is the {_end(one)} that was tried, so a better one may lie beyond."
        for one in found if _end(one)
    ]  # fmt: skip
    note = "Intervals hold together over every pair of factors that could have been chosen."
    title = (
        f"With the best of {len(factors)} constants for each, no rule differs from {control} beyond doubt"
        if len(doubt) == len(others) else f"With the best of {len(factors)} constants for each, rules still differ"
    )  # fmt: skip
    return Note("best-factors", title, (*said, note), table)


def _end(one: Best) -> str:
    """Say at which end of what was tried a level's best factor lies."""
    order = sorted(one.tried, key=lambda factor: float(factor.removeprefix("x")))
    return {order[0]: "lowest", order[-1]: "highest"}.get(one.factor, "")


def _with_digits(effect: EffectPart) -> str:
    low_high = between(effect.low, effect.high, difference=True)
    return f"{signed(effect.value, decimals(half(effect.low, effect.high)))} ({low_high})"

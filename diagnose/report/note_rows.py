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


def _positions(positions: Positions | None) -> Note | None:
    if positions is None:
        return None
    arms = [visible(arm) for arm in positions.bands[0].per_arm]
    rows = tuple(
        (_span(band), plain(band.tokens, 0), *(plain(value) for value in band.per_arm.values()))
        for band in positions.bands
    )
    table = TextTable("Loss by position in the document, nats per token, mean over seeds",
                  ("tokens before", "tokens", *arms), rows)  # fmt: skip
    return Note(
        "positions", _position_title(positions), tuple(_divided(part, positions) for part in positions.parts), table
    )


def _span(band: Band) -> str:
    return str(band.begin) if band.end == band.begin + 1 else f"{band.begin} to {band.end - 1}"


def _position_title(positions: Positions) -> str:
    """Name where the effects lie, where that is beyond doubt for each of them."""
    sides = {
        "near" if part.near.resolved and abs(part.near.value) >= abs(part.far.value)
        else "far" if part.far.resolved and abs(part.far.value) > abs(part.near.value)
        else "open"
        for part in positions.parts
    }  # fmt: skip
    edges = {part.edge for part in positions.parts}
    where = f"the first {edges.pop()} tokens of a document" if len(edges) == 1 else "what every arm sees whole"
    if sides == {"near"}:
        return f"Most of the effect lies on {where}"
    return f"Most of the effect lies beyond {where}" if sides == {"far"} else "Loss by position in the document"


def _divided(part: Divided, parts: Positions) -> str:
    """Say how much of an effect lies before the position and after it."""
    near, far = part.near.said(), part.far.said()
    head = f"{visible(part.level)} against {visible(part.against)}: {near} bits per byte come from "
    if not parts.contexts:
        return f"{head}the first {part.edge} tokens of each document, {far} from the rest."
    doubt = "" if part.far.resolved else ", which is not resolved"
    return (
        f"{head}tokens with fewer than {part.edge} before them, where both arms see the whole document so far, so "
        f"that no long-range use shows; {far} from those further on, where alone it can{doubt}."
    )


def _units(arms: tuple[Units, ...]) -> Note | None:
    if not arms:
        return None
    rows = tuple(
        (visible(arm.level), _share(arm.share), f"{_share(arm.low)} to {_share(arm.high)}",
         ", ".join(map(_share, arm.layers)), plain(arm.units, 0))
        for arm in arms
    )  # fmt: skip
    shares = " and ".join(f"{_share(arm.share)} of the units of {visible(arm.level)}" for arm in arms)
    sentence = f"{shares} are zero at each of {plain(arms[0].tokens, 0)} tokens of validation text, dropout off."
    head = ("arm", "dead units", "over seeds", "layer by layer", "units")
    table = TextTable("Units of ReLU layers that never answer", head, rows, frozenset({0, 3}))
    return Note("units", "Units of a ReLU that never answer", (sentence,), table)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _noise(scales: tuple[Scale, ...]) -> Note | None:
    if not scales:
        return None
    rows = tuple(
        (visible(scale.level), plain(scale.batch, 0), _tokens(scale.scale), _range(scale),
         _tokens(scale.two_sizes), _SIDES[scale.side])
        for scale in scales
    )  # fmt: skip
    head = ("arm", "tokens a step", "noise scale", "over seeds", "by two batch sizes", "the step is")
    table = TextTable("Gradient noise scale, about the critical batch size, in tokens", head, rows, frozenset({0, 5}))
    sides = {scale.side for scale in scales}
    title = (
        f"Every arm trains {_SIDES[scales[0].side]} the critical batch size" if len(sides) == 1
        else "Arms lie on different sides of the critical batch size"
    )  # fmt: skip
    told = scales[:1] if len(sides) == 1 else scales  # on one side all say the same: the control's stands for them
    return Note("noise-scale", title, tuple(map(_rule, told)), table)


def _range(scale: Scale) -> str:
    return DASH if scale.low is None or scale.high is None else f"{plain(scale.low, 0)} to {plain(scale.high, 0)}"


_SIDES = {"below": "below", "near": "near", "above": "above"}
_WORTH = {
    "below": "where twice the batch is worth nearly two steps",
    "near": "where twice the batch is worth more than one step and less than two",
    "above": "where a larger batch is worth little more than a smaller one",
}


def _tokens(value: float | None) -> str:
    return "not to be seen" if value is None else plain(value, 0)


def _rule(noise: Scale) -> str:
    """Say on which side an arm is, and which rule that favours."""
    scale = "more than can be measured here" if noise.scale is None else f"about {plain(noise.scale, 0)} tokens"
    head = (
        f"{visible(noise.level)}: a step of {plain(noise.batch, 0)} tokens is {_SIDES[noise.side]} the critical batch "
        f"size, {scale}, {_WORTH[noise.side]}."
    )
    if noise.predicted is None or noise.rules is None or noise.reference is None:
        return head
    ratios = ", ".join(f"{name} {_times(value)}" for name, value in noise.rules.items())
    return (
        f"{head} From {plain(noise.reference, 0)} tokens a step down to these, theory for Adam (McCandlish et al. "
        f"2018, exponent 1/2) makes the best rate {_times(noise.predicted)}; the rules make it {ratios}: this favours "
        f"{noise.nearest}. The rate at the reference is another network's, so the constant may be off all the same."
    )


def _times(value: float) -> str:
    digits = 2 if value >= 0.1 else 3 if value >= 0.01 else 4
    return f"\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}{value:.{digits}f}"


def _best(arms: tuple[Best, ...]) -> Note | None:
    if not arms:
        return None
    factors = list(arms[0].tried)
    rows = tuple(
        (
            visible(arm.level),
            *(plain(arm.tried.get(factor)) + (" (best)" if factor == arm.factor else "") for factor in factors),
            "control" if arm.effect is None else _with_digits(arm.effect),
        )
        for arm in arms
    )
    table = TextTable(
        "Bits per byte by multiple of the learning rate, mean over seeds; the last column compares each at its best",
        ("level", *factors, "against the control, both at their best"), rows,
    )  # fmt: skip
    others = [arm for arm in arms if arm.effect is not None]
    doubt = [visible(arm.level) for arm in others if arm.effect is not None and not arm.effect.resolved]
    control = visible(arms[0].level)
    sentences = [
        f"Each at the factor that suits it best, {visible(arm.level)} ({arm.factor}) is "
        f"{arm.effect.said()} bits per byte against {control} ({arms[0].factor})."
        for arm in others if arm.effect is not None
    ]  # fmt: skip
    sentences += [
        f"For {visible(arm.level)} the best is the {_end(arm)} that was tried, so a better one may lie beyond."
        for arm in arms if _end(arm)
    ]  # fmt: skip
    note = "Intervals hold together over every pair of factors that could have been chosen."
    title = (
        f"With the best of {len(factors)} constants for each, no rule differs from {control} beyond doubt"
        if len(doubt) == len(others) else f"With the best of {len(factors)} constants for each, rules still differ"
    )  # fmt: skip
    return Note("best-factors", title, (*sentences, note), table)


def _end(arm: Best) -> str:
    """Say at which end of what was tried a level's best factor lies."""
    order = sorted(arm.tried, key=lambda factor: float(factor.removeprefix("x")))
    return {order[0]: "lowest", order[-1]: "highest"}.get(arm.factor, "")


def _with_digits(effect: EffectPart) -> str:
    low_high = between(effect.low, effect.high, difference=True)
    return f"{signed(effect.value, decimals(half(effect.low, effect.high)))} ({low_high})"

"""The sentence that an ablation comes to, by rules in one place."""

from __future__ import annotations

from typing import Any

from diagnose.stats.digits import decimals


def verdict(axis: str, arms: list[dict[str, Any]], effects: list[dict[str, Any]], held: str) -> str:
    """Return at most two sentences: which level is best by how much, and what is not resolved.

    Args:
        axis: its name.
        arms: records with `level` and `bits_per_byte`, the control first.
        effects: records against the control.
        held: what the arms share, in words, for instance "After the same 1.0 MB of text".
    """
    control = arms[0]["level"]
    if not effects:
        return f"No level of {axis} but {control} finished, so there is nothing to compare."
    if any(effect["low"] is None for effect in effects):
        return f"{held}, {_ranking(arms)}. One seed gives no interval: run three or more before believing it."
    resolved = [effect for effect in effects if effect["resolved"]]
    if not resolved:
        return f"{held}, no level of {axis} differs from {control} beyond doubt. {_open(effects)}"
    order = sorted(resolved, key=lambda e: float(e["value"]))
    sides = [
        _side([e for e in order if e["value"] < 0], "better"),
        _side([e for e in order if e["value"] > 0], "worse"),
    ]
    text = f"{held}, {' and '.join(filter(None, sides))} than {control}."
    rest = [e for e in effects if not e["resolved"]]
    return f"{text} {_open(rest)}" if rest else text


def _side(effects: list[dict[str, Any]], word: str) -> str:
    """Name the levels on one side of the control: "bpe is 0.42 ± 0.01 and word 0.31 ± 0.02 bits per byte better"."""
    if not effects:
        return ""
    first, *rest = effects
    sizes = [f"{first['level']} is {_size(first)}", *(f"{e['level']} {_size(e)}" for e in rest)]
    return f"{' and '.join(sizes)} bits per byte {word}"


def _ranking(arms: list[dict[str, Any]]) -> str:
    order = sorted(arms, key=lambda arm: float(arm["bits_per_byte"]["value"]))
    return ", ".join(f"{arm['level']} reaches {arm['bits_per_byte']['value']:.3f}" for arm in order) + " bits per byte"


def _size(effect: dict[str, Any]) -> str:
    half = (effect["high"] - effect["low"]) / 2
    digits = decimals(half)
    return f"{abs(effect['value']):.{digits}f} ± {half:.{digits}f}"


def _open(effects: list[dict[str, Any]]) -> str:
    """Say of unresolved effects what would resolve them."""
    names = " and ".join(effect["level"] for effect in effects)
    seeds = [effect["seeds_needed"] for effect in effects]
    if all(seeds):
        return f"{names}: not resolved; about {max(seeds)} seeds would."
    return f"{names}: not resolved; only more validation text would."

"""On which side of the critical batch size each arm trains, and what that says of a rule for the learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from diagnose.records.notes import Scale, ScaleAt
from diagnose.runs.session import read_noise
from diagnose.training.noise_scale import NoiseScale, average

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from diagnose.ablation.design import Arm, Design

NEAR = 2.0  # times the critical batch size, or its inverse: between them neither side is clear
ADAM = 0.5  # exponent of McCandlish et al.'s rule for Adam; 1 is that for plain gradient descent


def noise_note(plan: Design, runs: Mapping[str, tuple[Path, ...]]) -> tuple[Scale, ...]:
    """Return each arm's gradient noise scale in tokens beside its step's; arms without one are left out."""
    out = []
    for arm in plan.arms:
        noise_of_runs = {path: read_noise(path) for path in runs[arm.level]}
        if all(noise_of_runs.values()):
            out.append(_note(plan, arm, list(noise_of_runs.values())))
    return tuple(out)


def _note(plan: Design, arm: Arm, probes: list[list[dict[str, Any]]]) -> Scale:
    recipe, derived = arm.first.recipe, arm.first.derived
    a_row = derived.tokens_per_step / (recipe.batches.size * recipe.batches.accumulate)
    scales = [_tokens(average([_of(probe, "parts") for probe in seed]), a_row) for seed in probes]
    whole = _tokens(average([_of(probe, "parts") for seed in probes for probe in seed]), a_row)
    other = _tokens(average([_of(probe, "two_sizes") for seed in probes for probe in seed]), a_row)
    known = [scale for scale in scales if scale is not None]
    places = range(min(map(len, probes)))
    batch = float(derived.tokens_per_step)
    more: dict[str, Any] = {}
    if any("optimizer.lr_rule" in axis.keys for axis in plan.axes) and whole is not None:
        reference = float(max(probe.first.recipe.optimizer.lr_reference_tokens for probe in plan.arms))
        more = {"reference": reference, **rules(batch, reference, whole)}
    whole_range = (min(known), max(known)) if len(known) == len(scales) else (None, None)
    course = tuple(
        ScaleAt(step=probes[0][k]["step"], scale=_tokens(average([_of(seed[k], "parts") for seed in probes]), a_row))
        for k in places
    )
    return Scale(
        level=arm.level, batch=batch, scale=whole, two_sizes=other, low=whole_range[0], high=whole_range[1],
        course=course, side=side(batch, whole), **more,
    )  # fmt: skip


def _of(probe: Mapping[str, Any], name: str) -> NoiseScale:
    return NoiseScale(**probe[name])


def _tokens(scale: NoiseScale, a_row: float) -> float | None:
    return None if scale.rows is None or scale.rows <= 0 else scale.rows * a_row


def side(batch: float, scale: float | None) -> str:
    """Say where a batch lies: "below" the critical size (noise rules), "above" it (signal rules) or "near".

    A gradient of which only noise can be seen has a scale that is larger than could be measured.
    """
    if scale is None or batch * NEAR < scale:
        return "below"
    return "above" if batch > NEAR * scale else "near"


def rules(batch: float, reference: float, scale: float) -> dict[str, Any]:
    """Return what theory and each rule make of a learning rate that is known at another batch size.

    McCandlish et al. 2018: the best rate goes with (1 + scale / batch) ^ -a, with a = 1 for plain gradient descent and
    between 0.5 and 1 for Adam, of which 0.5 is taken: far below the scale that is the square root rule, far above it
    a fixed rate.

    Args:
        batch: tokens of a step.
        reference: tokens of a step at which the rate is known.
        scale: the gradient noise scale in tokens.
    """
    predicted = ((1 + scale / reference) / (1 + scale / batch)) ** ADAM
    ratios = {"fixed": 1.0, "linear": batch / reference, "sqrt": math.sqrt(batch / reference)}
    nearest = min(ratios, key=lambda rule: abs(math.log(ratios[rule] / predicted)))
    return {"predicted": predicted, "rules": ratios, "nearest": nearest}

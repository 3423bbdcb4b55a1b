"""The scores of arms -> effects against the control, by what the design allows: seeds, examples, both, or neither.

Shapes: S seeds of an arm, M examples or clusters of them (one column where a row is a run).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from diagnose import stats
from diagnose.ablation.effects import Contrast, contrasts_of, records
from diagnose.records.ablations import Noise
from diagnose.records.score_records import ScoreEffect
from diagnose.stats.proportions import DIFFERENCE, LEVEL, design_effect, estimated_by, with_made_up, within_bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from diagnose.ablation.results.score_design import ScoreDesign
    from diagnose.stats import Effect, Interval

SHARED = 2  # seeds that arms must share to be paired by them, and half of the largest arm's


@dataclass(frozen=True)
class Scored:
    """One score of all arms.

    Attributes:
        metric: its name.
        binary: whether its values are 0 and 1.
        cells: (S, M) of each arm.
    """

    metric: str
    binary: bool
    cells: dict[str, NDArray[np.float64]]


def contrasts(design: ScoreDesign) -> list[Contrast]:
    """Return what is compared with the control: levels of a factor, of several factors their interactions too."""
    if len(design.factors) > 1:
        return contrasts_of(design.factors, design.levels)
    first, *rest = design.arms
    return [Contrast(design.factors[0].name, arm, first, ((arm, first),)) for arm in rest]


def all_pairs_of(design: ScoreDesign) -> list[Contrast]:
    """Return every two arms."""
    name = " x ".join(factor.name for factor in design.factors)
    return [Contrast(name, b, a, ((b, a),)) for a, b in combinations(design.arms, 2)]


def effects_of(
    design: ScoreDesign,
    scored: Sequence[Scored],
    wanted: Sequence[Contrast],
    margins: Mapping[str, float],
    say: Callable[[Contrast, ScoreEffect], str],
) -> list[ScoreEffect]:
    """Return all effects of all scores; intervals and p-values hold together over all of them.

    Args:
        design: of the table.
        scored: its scores.
        wanted: what is compared.
        margins: of the test whether an effect is no larger, by score, in its unit; no test where a score has none.
        say: makes the sentence of an effect.
    """
    count = len(scored) * len(wanted)
    effects = [
        (scored_metric.metric, contrast, effect_of(design, scored_metric, contrast, count))
        for scored_metric in scored
        for contrast in wanted
    ]
    sizes = [margins.get(metric) for metric, _, _ in effects]
    rows = records([(contrast, effect) for _, contrast, effect in effects], sizes, say=lambda *_: "")
    out = []
    for row, (metric, contrast, effect) in zip(rows, effects, strict=True):
        known = ScoreEffect(
            **row.model_dump(exclude={"resolved"}), metric=metric,
            over=design.over if effect.low is not None else "nothing", excludes_zero=effect.resolved,
            resolved=effect.resolved and design.over.startswith("seeds"),
            paired_seeds=tuple(shared_seeds(design, contrast)),
        )  # fmt: skip
        out.append(known.model_copy(update={"sentence": say(contrast, known)}))
    return out


def factors_of(contrast: Contrast) -> dict[str, float]:
    """Return what each arm counts in a contrast: 1 and -1 in a difference of two."""
    out: dict[str, float] = {}
    for plus, minus in contrast.pairs:
        for arm, sign in ((plus, 1.0), (minus, -1.0)):
            out[arm] = out.get(arm, 0.0) + sign * contrast.scale / len(contrast.pairs)
    return out


def shared_seeds(design: ScoreDesign, contrast: Contrast) -> list[str]:
    """Return the seeds that all arms of a contrast share, where they are paired by them.

    Pairing leaves the other seeds out, so it is done where at least half of the largest arm's seeds are shared. Arms
    that share seeds and are not paired are compared as if they did not: if sharing makes them alike, that is cautious.
    """
    if not design.named_seeds or design.fewest_seeds < SHARED:
        return []
    seeds = [design.arms[arm] for arm in factors_of(contrast)]
    both = [seed for seed in seeds[0] if all(seed in others for others in seeds[1:])]
    return both if len(both) >= max(SHARED, max(map(len, seeds)) / 2) else []


def effect_of(design: ScoreDesign, scored: Scored, contrast: Contrast, comparisons: int) -> Effect:
    """Return one effect of one score."""
    factors, both = factors_of(contrast), shared_seeds(design, contrast)
    parts = {arm: scored.cells[arm] for arm in factors}
    if both:
        at = {arm: [design.arms[arm].index(seed) for seed in both] for arm in factors}
        parts = {arm: cells[at[arm]] for arm, cells in parts.items()}
    effect = _effect(design, factors, parts, design.weights_M, comparisons, paired=bool(both))
    if not scored.binary or design.layout != "crossed" or effect.low is None:
        return effect
    weight = design_effect(list(parts.values()), design.weights_M)
    arms = {
        arm: with_made_up(cells, DIFFERENCE if factors[arm] > 0 else DIFFERENCE[::-1], weight)
        for arm, cells in parts.items()
    }
    weights_M = with_made_up(design.weights_M, (1.0, 1.0), weight)
    steady = _effect(design, factors, arms, weights_M, comparisons, paired=bool(both))
    return estimated_by(effect, steady)


def _effect(
    design: ScoreDesign,
    factors: Mapping[str, float],
    parts: Mapping[str, NDArray[np.float64]],
    weights_M: NDArray[np.float64],
    comparisons: int,
    *,
    paired: bool,
) -> Effect:
    """Return the effect that the design allows, given the cells that take part."""
    crossed = design.layout == "crossed"
    if not paired and design.over in {"seeds and examples", "seeds"}:
        apart = [(factors[arm], cells) for arm, cells in parts.items()]
        if crossed:
            return stats.unpaired_contrast(apart, weights_M, comparisons=comparisons)
        return stats.unpaired_runs([(f, cells[:, 0]) for f, cells in apart], comparisons=comparisons)
    plus, minus = (
        np.asarray(sum(abs(f) * parts[arm] for arm, f in factors.items() if (f > 0) == side)) for side in (True, False)
    )
    if design.over == "examples":
        return stats.example_effect(plus[0], minus[0], weights_M, comparisons=comparisons)
    if crossed:
        return stats.paired_effect(plus, minus, weights_M, comparisons=comparisons)
    return stats.paired_runs(plus[:, 0], minus[:, 0], comparisons=comparisons)


def level_of(design: ScoreDesign, scored: Scored, arm: str) -> Interval:
    """Return an arm's mean score with its interval."""
    cells, weights_M = scored.cells[arm], design.weights_M
    plain = _level(design, cells, weights_M)
    if not scored.binary or design.layout != "crossed" or plain.low is None:
        return plain
    weight = design_effect([cells], weights_M)
    made_up = with_made_up(cells, LEVEL, weight), with_made_up(weights_M, (1.0,) * len(LEVEL), weight)
    return within_bounds(plain, _level(design, *made_up))


def _level(design: ScoreDesign, cells: NDArray[np.float64], weights_M: NDArray[np.float64]) -> Interval:
    if design.over == "examples":
        return stats.example_level(cells[0], weights_M)
    if design.layout == "crossed":
        return stats.arm_level(cells, weights_M)
    return stats.runs_level(cells[:, 0])


def per_seed(design: ScoreDesign, scored: Scored, arm: str) -> list[float]:
    """Return the mean score of each of an arm's seeds."""
    return [float(v) for v in scored.cells[arm].sum(1) / design.weights_M.sum()]


def noise_of(design: ScoreDesign, scored: Scored) -> Noise | None:
    """Return the band in which the difference of two equal arms would fall; None where no seeds were drawn."""
    if not design.over.startswith("seeds"):
        return None
    half = stats.noise_band(scored.cells, design.weights_M)
    return Noise(low=-half, high=half) if half else None

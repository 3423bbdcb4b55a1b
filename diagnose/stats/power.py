"""How many seeds or documents would settle a question, if the variances are what they seem.

Power is exact up to a quadrature: the mean is normal and apart from the variance between seeds, which is
scaled chi-squared; the documents' variance, of many degrees of freedom, is taken as known. A plan made from
two or three seeds inherits their uncertainty: read "about".

Axes: S seeds, N documents. Unit: bits per byte; standard deviations as in `effects.Effect`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.stats.crossed import each, satterthwaite, t_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.stats.paired import Effect

POINTS = 400  # of the quadrature; 4,000 move power by less than 0.0001
POWER = 0.8


@dataclass(frozen=True)
class _Plan:
    """Deviations and sizes of an ablation that may be yet to come; documents may be infinite."""

    sd_seeds: float
    sd_documents: float
    sd_rest: float
    seeds: int
    documents: float
    effective: float  # effective documents for each document
    confidence: float  # of the one interval

    def power(self, value: float) -> float:
        """Return how often the interval would exclude zero on the side of `value`."""
        from scipy.special import gammaincinv, ndtr

        rest = self.sd_rest**2 / (self.seeds * self.documents)
        text = self.sd_documents**2 / self.documents + rest
        seeds_part, df = self.sd_seeds**2 / self.seeds, self.seeds - 1
        by_seed_P = (
            (seeds_part + rest) * 2 * gammaincinv(df / 2, (np.arange(POINTS) + 0.5) / POINTS) / df
        )  # chi-squared
        df_text = max(self.documents * self.effective - 1, 1.0)
        half_P = satterthwaite(by_seed_P, text, rest, df_seeds=df, df_text=df_text).half_width(self.confidence)
        sd = math.sqrt(seeds_part + text)
        if sd == 0:
            return float(value != 0)
        return float(ndtr((abs(value) - half_P) / sd).mean())


def power(
    value: float,
    sd_seeds: float,
    sd_documents: float,
    sd_rest: float,
    *,
    seeds: int,
    documents: float,
    comparisons: int = 1,
    confidence: float = 0.95,
) -> float:
    """Return how often S seeds on N documents would resolve an effect of `value`, on its own side of zero.

    Raises:
        DiagnoseError: fewer than two seeds or documents.
    """
    if seeds < 2 or documents < 2:
        raise DiagnoseError(f"an interval needs two seeds and two documents, not {seeds} and {documents}")
    each_confidence = each(confidence, comparisons)
    return _Plan(sd_seeds, sd_documents, sd_rest, seeds, documents, 1.0, each_confidence).power(value)


def seeds_needed(effect: Effect, *, size: float | None = None, power: float = POWER) -> int | None:
    """Return how many seeds would resolve the effect, were its value and deviations the true ones.

    Args:
        effect: as seen; its confidence and number of comparisons hold for the plan as well.
        size: of an effect with these deviations that is to be resolved; None for the effect's own value.
        power: how often such an ablation would come out resolved.

    Returns:
        The smallest number that does (S itself if the effect is resolved, else more than S), or None where no
        number would: documents rule and only more validation text helps (`documents_needed`), the effect is
        zero, or its deviations are unknown.
    """
    plan, value = _plan(effect), effect.value if size is None else size
    if plan is None or value == 0:
        return None
    if effect.resolved and size is None:
        return effect.seeds
    if _power_of_endless_seeds(plan, value) <= power + 1e-6:  # at the limit itself no number is enough
        return None

    def enough(seeds: int) -> bool:
        return replace(plan, seeds=seeds).power(value) >= power

    return _first(enough, effect.seeds + 1)


def documents_needed(effect: Effect, *, seeds: int | None = None, power: float = POWER) -> float | None:
    """Return by what factor more validation text would resolve the effect with its seeds (or with `seeds`).

    Returns:
        The factor, 1.0 if the effect is resolved or no more text is needed, or None where no amount would do:
        seeds rule (`seeds_needed`), the effect is zero, or its deviations are unknown.
    """
    plan = _plan(effect)
    if plan is None or effect.value == 0:
        return None
    plan = replace(plan, seeds=seeds or effect.seeds)

    def enough(factor: float) -> bool:
        return replace(plan, documents=plan.documents * factor).power(effect.value) >= power

    if (effect.resolved and seeds is None) or enough(1.0):
        return 1.0
    if not enough(1e12):
        return None
    low, high = 0.0, math.log(1e12)
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(math.exp(middle)) else (middle, high)
    return math.exp(high)


def smallest_resolvable(
    sd_seeds: float,
    sd_documents: float,
    sd_rest: float,
    *,
    seeds: int,
    documents: int,
    comparisons: int = 1,
    confidence: float = 0.95,
    power: float = POWER,
) -> float | None:
    """Return the smallest effect that S seeds on N documents would resolve as often as `power`; for planning.

    Returns:
        Bits per byte, or None for one seed or one document, which resolve nothing.
    """
    from scipy.optimize import brentq

    if seeds < 2 or documents < 2:
        return None
    plan = _Plan(sd_seeds, sd_documents, sd_rest, seeds, documents, 1.0, each(confidence, comparisons))
    scale = math.sqrt(sd_seeds**2 / seeds + sd_documents**2 / documents + sd_rest**2 / (seeds * documents))
    if scale == 0:
        return 0.0
    high = 1.0
    while plan.power(high * scale) < power:
        high *= 2
    return float(scale * brentq(lambda x: plan.power(x * scale) - power, 0.0, high, xtol=1e-6))


def _plan(effect: Effect) -> _Plan | None:
    if effect.sd_seeds is None or effect.sd_documents is None or effect.sd_rest is None:
        return None
    return _Plan(
        effect.sd_seeds,
        effect.sd_documents,
        effect.sd_rest,
        effect.seeds,
        effect.documents,
        effect.effective_documents / effect.documents,
        each(effect.confidence, effect.comparisons),
    )


def _power_of_endless_seeds(plan: _Plan, value: float) -> float:
    from scipy.special import ndtr

    sd = plan.sd_documents / math.sqrt(plan.documents)
    if sd == 0:
        return 1.0
    quantile = t_quantile(plan.confidence, max(plan.documents * plan.effective - 1, 1.0))
    return float(ndtr(abs(value) / sd - quantile))


def _first(enough: Callable[[int], bool], start: int) -> int:
    """Return the smallest number from `start` on that is enough, if from some number on all are."""
    step = 1
    while not enough(start + step - 1):
        step *= 2
    low, high = start + step // 2 - 1, start + step - 1  # low is not enough, or below the start
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high

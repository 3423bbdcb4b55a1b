"""What an ablation says: paired effects in bits per byte, their intervals, and what "no effect" may mean.

Axes: S seeds, N documents. Unit: bits per byte throughout; below zero is better than the control.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.stats.crossed import Spread, analyse, each, t_quantile
from diagnose.stats.ratios import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The difference of an arm from its control, and how far it may be trusted.

    Attributes:
        value: bits per byte of the arm minus the control's, all bytes of all documents, averaged over seeds.
        low, high: interval that holds together with those of the other comparisons; None for one seed or
        document. p: two-sided p-value for no effect, not corrected for other comparisons (see `holm`); None
        likewise. df: Satterthwaite's degrees of freedom: near S - 1 where seeds rule, large where documents
        do. sd_seeds: standard deviation of the effect between seeds; sd_documents: between documents of
        average size;
            sd_rest: of what a seed does to one document beyond both. None where there is no interval.
        seeds, documents: S and N.
        per_seed: the effect of each seed.
        effective_documents: number of equally long documents that would tell as much, N for equal bytes.
        confidence, comparisons: what the interval was made for.
        own_seeds: squared standard error over seeds and its degrees of freedom, where the arms share none.
    """

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    df: float | None = None
    sd_seeds: float | None = None
    sd_documents: float | None = None
    sd_rest: float | None = None
    seeds: int
    documents: int
    per_seed: tuple[float, ...]
    effective_documents: float
    confidence: float = 0.95
    comparisons: int = 1
    own_seeds: tuple[float, float] | None = None

    @property
    def resolved(self) -> bool:
        """Whether the interval excludes zero; an effect without an interval never does."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def within(
        self, spread: Spread, *, sd_seeds: float | None, sd_documents: float | None, sd_rest: float | None
    ) -> Effect:
        """Return the effect with the interval that a spread of its value gives, and its standard deviations."""
        half = float(spread.half_width(each(self.confidence, self.comparisons)))
        return replace(
            self, low=self.value - half, high=self.value + half, p=spread.p_value(self.value), df=float(spread.df),
            sd_seeds=sd_seeds, sd_documents=sd_documents, sd_rest=sd_rest,
        )  # fmt: skip

    def spread(self) -> Spread | None:
        """Return the variance of `value`, or None where one seed or one document leaves it unknown."""
        if self.sd_seeds is None or self.sd_documents is None or self.sd_rest is None:
            return None
        per_seed_S, cells = np.array(self.per_seed), self.seeds * self.documents
        whole = self.sd_seeds**2 / self.seeds + self.sd_documents**2 / self.documents + self.sd_rest**2 / cells
        by_seed, df = self.own_seeds or (per_seed_S.var(ddof=1) / self.seeds, self.seeds - 1)
        return Spread(whole, self.df, by_seed, df)


def paired_effect(
    bits_arm_SN: ArrayLike,
    bits_control_SN: ArrayLike,
    bytes_N: ArrayLike,
    *,
    comparisons: int = 1,
    confidence: float = 0.95,
) -> Effect:
    """Return the effect of an arm against its control, paired by seed (rows) and document (columns).

    Documents weigh by their bytes, so the value is the difference of the arms' bits per byte exactly. The
    interval is for other seeds and other text of the same kind: crossed random effects (`crossed.analyse`),
    each component with its own t (`crossed.Spread.half_width`).

    Args:
        bits_arm_SN: bits that each seed of the arm spent on each document.
        bits_control_SN: the control's, same seeds and documents in the same order.
        bytes_N: UTF-8 bytes of the documents.
        comparisons: how many arms are compared with this control; their intervals hold together.
        confidence: of all these intervals together.

    Raises:
        DiagnoseError: shapes differ, a reading is missing (NaN or infinite), or bytes are not positive in
        sum.
    """
    arm_SN, size_N = checked(bits_arm_SN, bytes_N, "the arm")
    control_SN, _ = checked(bits_control_SN, bytes_N, "the control")
    if arm_SN.shape != control_SN.shape:
        seeds = f"{arm_SN.shape[0]} and {control_SN.shape[0]}"
        raise DiagnoseError(f"the arm and the control are paired by seed, but have {seeds} seeds")
    difference_SN = arm_SN - control_SN
    effect = without_interval(difference_SN, size_N, confidence, comparisons)
    if not has_interval(difference_SN, size_N):
        return effect
    parts = analyse(difference_SN, size_N)
    return replace(effect, value=float(parts.value), per_seed=tuple(parts.per_seed.tolist())).within(
        parts.spread(),
        sd_seeds=float(np.sqrt(max(float(parts.by_seed - parts.rest), 0.0) * effect.seeds)),
        sd_documents=float(np.sqrt(max(float(parts.by_document - parts.rest), 0.0) * effect.documents)),
        sd_rest=float(np.sqrt(parts.rest * effect.seeds * effect.documents)),
    )


def without_interval(
    difference_SN: NDArray[np.float64],
    size_N: NDArray[np.float64],
    confidence: float,
    comparisons: int,
    *,
    seeds: int | None = None,
) -> Effect:
    """Return an effect whose spread is unknown; `seeds` where the rows are no seeds that the arms share."""
    per_seed_S = difference_SN.sum(1) / size_N.sum()
    return Effect(
        value=float(per_seed_S.mean()), seeds=seeds or len(per_seed_S), documents=len(size_N),
        per_seed=() if seeds else tuple(per_seed_S.tolist()),
        effective_documents=float(size_N.sum() ** 2 / (size_N**2).sum()),
        confidence=confidence, comparisons=comparisons,
    )  # fmt: skip


def arm_level(bits_SN: ArrayLike, bytes_N: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return an arm's own bits per byte, for other seeds and other text of the same kind, by the same model.

    Levels are far less certain than effects, whose documents are paired: two arms whose intervals overlap may
    well differ beyond doubt. One seed or one document: the value alone.

    Args:
        bits_SN: bits that each seed spent on each document.
        bytes_N: UTF-8 bytes of the documents.
        confidence: of the interval.

    Raises:
        DiagnoseError: a reading is missing (NaN or infinite), or bytes are not positive in sum.
    """
    bits, size_N = checked(bits_SN, bytes_N, "the arm")
    if not has_interval(bits, size_N):
        return Interval(float(bits.sum() / (len(bits) * size_N.sum())), None, None, None, None)
    parts = analyse(bits, size_N)
    spread = parts.spread()
    half, se = float(spread.half_width(confidence)), float(np.sqrt(spread.whole))
    return Interval.around(float(parts.value), half, se, float(spread.df))


def noise_band(
    bits_by_arm: Mapping[str, ArrayLike] | Sequence[ArrayLike],
    bytes_N: ArrayLike,
    *,
    seeds: int | None = None,
    confidence: float = 0.95,
) -> float | None:
    """Return the half width of the band in which two arms of equal recipe and other seeds would differ.

    Equal recipes have no effect on any document, so only the variance between an arm's own seeds counts; it
    is pooled over the arms, S - 1 degrees of freedom each, and the band is t sqrt(2 variance / S) on the sum
    of these. Seeds that share streams between arms make a paired effect sharper than this band.

    Args:
        bits_by_arm: bits_SN of each arm, on the same documents; arms may have different numbers of seeds.
        bytes_N: UTF-8 bytes of the documents.
        seeds: S of the two imagined arms; as many as the arm that has fewest.
        confidence: share of such differences that fall within the band.

    Returns:
        Bits per byte, or None where no arm has two seeds.

    Raises:
        DiagnoseError: a reading is missing, or bytes are not positive in sum.
    """
    arms = list(bits_by_arm.values()) if hasattr(bits_by_arm, "values") else list(bits_by_arm)
    arms_checked = [checked(arm, bytes_N, f"arm {i + 1}") for i, arm in enumerate(arms)]
    levels = [bits.sum(1) / size_N.sum() for bits, size_N in arms_checked]
    df = sum(len(level_S) - 1 for level_S in levels)
    if df == 0:
        return None
    pooled = sum(float(((level_S - level_S.mean()) ** 2).sum()) for level_S in levels) / df
    count = seeds or min(len(level_S) for level_S in levels)
    return float(t_quantile(confidence, df) * np.sqrt(2 * pooled / count))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number (Holm 1979); None is kept and not counted."""
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        adjusted[i] = highest
    return adjusted


def equivalence(effect: Effect, margin: float) -> float | None:
    """Return the p-value of "the effect exceeds `margin` bits per byte"; small supports "no effect".

    Two one-sided tests (Schuirmann 1987): p <= 0.05 exactly where the two-sided 90 % interval lies within the
    margin. Only then may "no effect larger than the margin" be said; "not resolved" alone never says so. Not
    corrected for other comparisons. None without an interval.

    Raises:
        DiagnoseError: the margin is not positive.
    """
    if not margin > 0:
        raise DiagnoseError(f"the margin of an equivalence test must be above 0 bits per byte, not {margin}")
    spread = effect.spread()
    if spread is None:
        return None
    room = margin - abs(effect.value)
    one_sided = spread.p_value(room) / 2
    return one_sided if room > 0 else 1 - one_sided


def checked(bits_SN: ArrayLike, bytes_N: ArrayLike, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as floats, or say what is wrong with them."""
    bits, size_N = np.asarray(bits_SN, dtype=np.float64), np.asarray(bytes_N, dtype=np.float64)
    if bits.ndim != 2 or size_N.shape != bits.shape[1:] or not bits.size:
        shapes = f"{bits.shape} bits and {size_N.shape} bytes"
        raise DiagnoseError(f"{name} needs bits by seed and document and bytes by document, not {shapes}")
    missing = ~np.isfinite(bits)
    if missing.any():
        seed = int(missing.any(1).argmax())
        count = f"{int(missing[seed].sum())} of {bits.shape[1]} documents"
        raise DiagnoseError(
            f"{name} has no finite loss for seed {seed + 1} on {count}: leave that seed out of both arms"
        )
    if not (np.isfinite(size_N).all() and (size_N >= 0).all() and size_N.sum() > 0):
        raise DiagnoseError("the bytes of the documents must be finite, not negative and above 0 in sum")
    return bits, size_N


def has_interval(bits_SN: NDArray[np.float64], size_N: NDArray[np.float64]) -> bool:
    """Tell whether there are two seeds and two documents that have bytes: a spread over one is unknown."""
    return bits_SN.shape[0] > 1 and int((size_N > 0).sum()) > 1

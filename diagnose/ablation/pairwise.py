"""Any two arms against each other: by seed and document where they share seeds, else by document alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from diagnose import stats
from diagnose.ablation.effects import MARGIN, Contrast, Scores, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.records.ablations import EffectRecord


@dataclass(frozen=True)
class ArmCost:
    """What an arm spent, and with which seeds, in the order of its rows."""

    scores: Scores
    seeds: tuple[int, ...]

    def of(self, seeds: Sequence[int]) -> np.ndarray:
        """Return the bits of some seeds by document."""
        return self.scores.bits_SN[[self.seeds.index(seed) for seed in seeds]]


def against_first(arms: Mapping[str, ArmCost], axis: str, margin: float = MARGIN) -> list[EffectRecord]:
    """Return every other arm's effect against the first; intervals hold together over these."""
    first, *rest = arms
    return differences(arms, [(level, first) for level in rest], axis, margin)


def all_pairs(arms: Mapping[str, ArmCost], axis: str, margin: float = MARGIN) -> list[EffectRecord]:
    """Return the difference of every two arms; intervals hold together over all pairs, and so are wider."""
    return differences(arms, [(b, a) for a, b in combinations(arms, 2)], axis, margin)


def told_apart(arms: Mapping[str, ArmCost]) -> tuple[tuple[str, str], ...]:
    """Return which two arms differ by more than chance; intervals hold together over all pairs."""
    couples = list(combinations(arms, 2))
    return tuple(
        (a, b) for a, b in couples if _effect(arms[b], arms[a], _both(arms[a], arms[b]), len(couples)).resolved
    )


def differences(
    arms: Mapping[str, ArmCost], couples: Sequence[tuple[str, str]], axis: str, margin: float
) -> list[EffectRecord]:
    """Return the difference of some pairs of arms, in bits per byte, as `effects.compare` gives them.

    Args:
        arms: by level; all on the same documents.
        couples: level and what it is compared with.
        axis: what the arms differ in, in a word.
        margin: in bits per byte, of the test whether an effect is no larger.

    Returns:
        Effects with `paired`, the seeds that both arms share; empty where pairs are of documents alone.
    """
    pairs = []
    for level, other in couples:
        both = _both(arms[level], arms[other])
        contrast = Contrast(axis, level, other, ((level, other),))
        pairs.append((contrast, both, _effect(arms[level], arms[other], both, len(couples))))
    rows = records([(contrast, effect) for contrast, _, effect in pairs], margin)
    return [row.model_copy(update={"paired": tuple(both)}) for row, (_, both, _) in zip(rows, pairs, strict=True)]


def _both(first: ArmCost, other: ArmCost) -> list[int]:
    return stats.shared(np.array(first.seeds), np.array(other.seeds))


def _effect(first: ArmCost, other: ArmCost, both: list[int], comparisons: int) -> stats.Effect:
    size = first.scores.bytes_N
    if both:
        return stats.paired_effect(first.of(both), other.of(both), size, comparisons=comparisons)
    return stats.unpaired_effect(first.scores.bits_SN, other.scores.bits_SN, size, comparisons=comparisons)


def with_seeds(scores: Mapping[str, Scores], seeds: Sequence[int]) -> dict[str, ArmCost]:
    """Return the arms of an ablation, which share all seeds."""
    return {level: ArmCost(scores_of_arm, tuple(seeds)) for level, scores_of_arm in scores.items()}

"""Runs -> effects in bits per byte, paired by seed and by document.

Shapes: S seeds, N documents that every run scored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial, reduce
from itertools import combinations, product
from typing import TYPE_CHECKING, Protocol

import numpy as np

from diagnose import stats
from diagnose.errors import DiagnoseError
from diagnose.formatting import about_seeds, decimals, signed
from diagnose.records.ablations import ArmRecord, EffectRecord, Estimate, Noise
from diagnose.runs import run_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from diagnose.ablation.axes import Axis
    from diagnose.records.run_records import Derived

MARGIN = 0.01  # bits per byte, of "no effect larger than": half a percent of a loss of two
LEVEL = 0.05  # of a test
MOST_TIMES = 10  # as many seeds or as much text: an effect that wants more lies within its standard error


def checked_margin(margin: float) -> float:
    """Return the margin of an equivalence test. Raises DiagnoseError where it is not above 0."""
    if not 0 < margin < math.inf:
        raise DiagnoseError(f"--margin {margin:g}: bits per byte above 0, for instance {MARGIN:g}")
    return margin


@dataclass(frozen=True)
class Scores:
    """What each seed of an arm spent on each document.

    Attributes:
        runs: the arm's run directories, by seed.
        bits_SN: bits.
        tokens_S: targets of each run.
        bytes_N: UTF-8 bytes of the documents, the same for all arms.
    """

    runs: tuple[Path, ...]
    bits_SN: NDArray[np.float64]
    tokens_S: NDArray[np.int64]
    bytes_N: NDArray[np.int64]

    @property
    def bits_per_byte_S(self) -> NDArray[np.float64]:
        """Bits per byte of each seed."""
        return np.asarray(self.bits_SN.sum(1) / self.bytes_N.sum())

    @property
    def nats_per_token(self) -> float:
        """Mean over seeds; not comparable between tokenizers."""
        return float((self.bits_SN.sum(1) * math.log(2) / self.tokens_S).mean())


def score(runs: Mapping[str, tuple[Path, ...]]) -> dict[str, Scores]:
    """Read what the runs of each arm spent on the documents that all of them scored.

    Raises:
        DiagnoseError: the arms have no validation document in common.
    """
    tables = {level: [run_tables.read_table(p, "validation") for p in paths] for level, paths in runs.items()}
    documents = reduce(np.intersect1d, [t.document.to_numpy() for some in tables.values() for t in some])
    if not len(documents):
        raise DiagnoseError("the arms have no validation document in common; there is nothing to compare")
    return {level: _scores(runs[level], some, documents) for level, some in tables.items()}


def _scores(runs: tuple[Path, ...], tables: list[pd.DataFrame], documents: NDArray[np.int64]) -> Scores:
    rows = [table.set_index("document").loc[documents] for table in tables]
    return Scores(
        runs,
        np.stack([row.nats.to_numpy() / math.log(2) for row in rows]),
        np.array([int(row.tokens.sum()) for row in rows]),
        rows[0]["bytes"].to_numpy(),
    )


@dataclass(frozen=True)
class Contrast:
    """What is subtracted from what: of pairs of arms the second from the first, averaged over pairs, times `scale`.

    Attributes:
        axis: its name; of an interaction both, with " x " between.
        level, against: of the axis; of an interaction a level of each, likewise.
        pairs: of arms that differ in the axis alone. An interaction is the arm of both levels minus that of the one,
            less that of the other minus that of neither: two pairs, and so twice their mean.
        scale: 1, of an interaction 2.
    """

    axis: str
    level: str
    against: str
    pairs: tuple[tuple[str, str], ...]
    scale: int = 1


def compare(
    axes: Sequence[Axis],
    arms: Mapping[str, Mapping[str, str]],
    scores: Mapping[str, Scores],
    margin: float = MARGIN,
) -> list[EffectRecord]:
    """Return the effect of every other level of each axis against its control, in bits per byte; below zero is better.

    With several axes these are main effects, averaged over the levels of the others, and the interactions of every
    two. Intervals hold together over all of them; `p` is Holm's; `seeds_needed` is None where the effect is resolved
    or where only more validation text would resolve it.

    Args:
        axes: what was varied.
        arms: each arm's levels by axis.
        scores: by arm.
        margin: in bits per byte, of the test whether an effect is no larger.
    """
    contrasts = contrasts_of(axes, arms)
    by_contrast = [(c, _effect(c, scores, len(contrasts))) for c in contrasts]
    return records(by_contrast, margin, several=len(axes) > 1)


class Factor(Protocol):
    """What is varied: its name, its levels, and the control among them."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def levels(self) -> Iterable[str]:
        """Its levels, the control first."""

    @property
    def control(self) -> str:
        """The level that the others are compared with."""


def contrasts_of(axes: Sequence[Factor], arms: Mapping[str, Mapping[str, str]]) -> list[Contrast]:
    """Return what is compared: every other level of each axis with its control, and every two axes' interactions.

    Args:
        axes: what was varied.
        arms: each arm's levels by axis.
    """
    return [c for c in (*_main(axes, arms), *_interactions(axes, arms)) if c.pairs]


def records(
    compared: Sequence[tuple[Contrast, stats.Effect]],
    margin: float | Sequence[float | None] | None,
    *,
    several: bool = False,
    say: Callable[[Contrast, EffectRecord], str] | None = None,
) -> list[EffectRecord]:
    """Return effects whose intervals hold together as records, p-values and equivalence tests after Holm.

    Args:
        compared: contrasts, and what came out of each.
        margin: of the test whether an effect is no larger, in bits per byte (or the score's unit), of all or of each;
            None for no test.
        several: whether there are several axes, which sentences then name.
        say: makes the sentence of an effect; None for that of an ablation, in bits per byte.
    """
    margins = [margin] * len(compared) if margin is None or isinstance(margin, float | int) else margin
    adjusted = stats.holm([effect.p for _, effect in compared])
    tested = zip(compared, margins, strict=True)
    alike = stats.holm([None if size is None else stats.equivalence(effect, size) for (_, effect), size in tested])
    told = say or partial(_sentence, several=several)
    return [
        _record(contrast, effect, p, (size, same), told)
        for (contrast, effect), p, size, same in zip(compared, adjusted, margins, alike, strict=True)
    ]


def _main(axes: Sequence[Factor], arms: Mapping[str, Mapping[str, str]]) -> Iterator[Contrast]:
    """Yield each level's effect; arms are paired with the one that has the control's level instead."""
    named = {tuple(levels.values()): arm for arm, levels in arms.items()}
    for place, axis in enumerate(axes):
        for level in list(axis.levels)[1:]:
            at_level = [levels for levels in named if levels[place] == level]
            others = [(*levels[:place], axis.control, *levels[place + 1 :]) for levels in at_level]
            both = zip(at_level, others, strict=True)
            pairs = tuple((named[given], named[other]) for given, other in both if other in named)
            yield Contrast(axis.name, level, axis.control, pairs)


def _interactions(axes: Sequence[Factor], arms: Mapping[str, Mapping[str, str]]) -> Iterator[Contrast]:
    """Yield by how much a level of one axis changes the effect of a level of another."""
    named = {tuple(levels.values()): arm for arm, levels in arms.items()}
    for (i, axis_i), (j, other) in combinations(enumerate(axes), 2):
        for a, b in product(list(axis_i.levels)[1:], list(other.levels)[1:]):
            pairs: list[tuple[str, str]] = []
            for levels in named:
                square = [_with(levels, {i: p, j: q}) for p in (a, axis_i.control) for q in (b, other.control)]
                if levels == square[0] and all(corner in named for corner in square):
                    both, first, second, neither = (named[corner] for corner in square)
                    pairs += [(both, first), (neither, second)]
            name, level = f"{axis_i.name} x {other.name}", f"{a} x {b}"
            yield Contrast(name, level, f"{axis_i.control} x {other.control}", tuple(pairs), 2)


def _with(levels: tuple[str, ...], others: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(others.get(place, level) for place, level in enumerate(levels))


def _effect(contrast: Contrast, scores: Mapping[str, Scores], comparisons: int) -> stats.Effect:
    plus_SN, minus_SN = (
        contrast.scale * np.mean([scores[arm].bits_SN for arm in side], 0) for side in zip(*contrast.pairs, strict=True)
    )
    return stats.paired_effect(plus_SN, minus_SN, next(iter(scores.values())).bytes_N, comparisons=comparisons)


def _record(
    contrast: Contrast,
    effect: stats.Effect,
    p: float | None,
    alike: tuple[float | None, float | None],
    say: Callable[[Contrast, EffectRecord], str],
) -> EffectRecord:
    margin, p_alike = alike
    seeds = None if effect.resolved else stats.seeds_needed(effect)
    tells = None if effect.resolved or margin is None else stats.seeds_needed(effect, size=margin)
    text = None if effect.resolved or seeds else stats.documents_needed(effect)
    out = EffectRecord(
        axis=contrast.axis, level=contrast.level, against=contrast.against, value=effect.value, low=effect.low,
        high=effect.high, p=p, resolved=effect.resolved, seeds_needed=seeds, text_needed=text, seeds_for_margin=tells,
        margin=margin, p_equivalent=p_alike, equivalent=p_alike is not None and p_alike <= LEVEL,
        per_seed=effect.per_seed, seeds=effect.seeds, documents=effect.documents, df=effect.df,
        sd_seeds=effect.sd_seeds, sd_documents=effect.sd_documents, sd_rest=effect.sd_rest,
    )  # fmt: skip
    return out.model_copy(update={"sentence": say(contrast, out)})


def _sentence(contrast: Contrast, effect: EffectRecord, *, several: bool) -> str:
    """Say in words what the effect is and how sure that is."""
    known = effect.half
    digits = decimals(known)
    half = "" if known is None else f" ± {known:.{digits}f}"
    sentence = _compared(contrast, f"{abs(effect.value):.{digits}f}{half}", effect.value, several=several)
    if known is not None and not effect.resolved:
        sentence = _undecided(contrast, f"{signed(effect.value, digits)}{half}", several=several)
    small = f"; an effect larger than {effect.margin:g} is excluded" if effect.equivalent else ""
    if known is None:
        why = "with one seed" if effect.seeds == 1 else "with one document"
        return f"{sentence}, {why}, which gives no interval."
    if effect.resolved:
        return f"{sentence}{small}."
    return f"{sentence}, not resolved{small or f'; {_remedy(effect)}'}."


def _remedy(effect: EffectRecord) -> str:
    """Say what would resolve an effect; of one too small to matter, what is excluded and how many seeds tell more."""
    if effect.value == 0:
        return "the two spend the same bits on every document"
    if is_tiny(effect):
        return ", and ".join(excluded([effect]))
    if effect.seeds_needed:
        return f"{about_seeds(effect.seeds_needed)} seeds would resolve it"
    more = f" (about {effect.text_needed:.2g} times as much)" if (effect.text_needed or 0) > 1 else ""
    return f"only more validation text would resolve it{more}"


def is_tiny(effect: EffectRecord) -> bool:
    """Say whether an effect is too small to plan for: below the margin, or of a size that is chance."""
    times = (effect.seeds_needed or 0) / (effect.seeds or 1), effect.text_needed or 0
    return 0 < abs(effect.value) < (effect.margin or 0.0) or max(times) > MOST_TIMES


def excluded(effects: Sequence[EffectRecord], text: str = "validation text") -> list[str]:
    """Say of tiny effects which size is excluded, and what would tell one of the margin's size, where there is one."""
    beyond = max(abs(end) for effect in effects for end in (effect.low, effect.high) if end is not None)
    clauses = [f"effects beyond {beyond:.2g} are excluded"]
    if effects[0].margin is not None:
        seeds = [effect.seeds_for_margin or 0 for effect in effects]
        more = f"{about_seeds(max(seeds))} seeds" if all(seeds) else f"only more {text}"
        clauses.append(f"{more} would tell one of {effects[0].margin:g}")
    return clauses


def _compared(contrast: Contrast, size: str, value: float, *, several: bool) -> str:
    better = "better" if value < 0 else "worse"
    if contrast.scale > 1:
        return f"{contrast.axis}: {contrast.level} is {size} bits per byte {better} than the two effects add up to"
    over = ", averaged over the other axes" if several else ""
    return f"{_named(contrast, several=several)} is {size} bits per byte {better} than {contrast.against}{over}"


def _undecided(contrast: Contrast, size: str, *, several: bool) -> str:
    """Say what was seen of an effect that is not told from zero, without a side."""
    if contrast.scale > 1:
        return f"{contrast.axis}: {contrast.level} {size} bits per byte beyond the sum of both effects"
    over = ", averaged over the other axes" if several else ""
    return f"{_named(contrast, several=several)} against {contrast.against}: {size} bits per byte{over}"


def _named(contrast: Contrast, *, several: bool) -> str:
    return f"{contrast.axis} {contrast.level}" if several else level_name(contrast.axis, contrast.level)


def level_name(axis: str, level: str) -> str:
    """Return a level as a sentence names it: after its axis, where it is no name by itself (0.2, true)."""
    bare = level.lower() in {"true", "false", "none", "auto"} or not any(c.isalpha() for c in level.replace("e", ""))
    return f"{axis} {level}" if bare else level


def noise(scores: Mapping[str, Scores]) -> Noise | None:
    """Return the band in which the difference of two equal arms would fall; None with one seed."""
    bytes_N = next(iter(scores.values())).bytes_N
    half = stats.noise_band({level: s.bits_SN for level, s in scores.items()}, bytes_N)
    return None if half is None else Noise(low=-half, high=half)


def arm_record(
    level: str, levels: Mapping[str, str], scores: Scores, derived: Derived, seeds: tuple[int, ...]
) -> ArmRecord:
    """Return an arm: its runs, its own bits per byte with its interval and per seed, and how long its runs took.

    Args:
        level: its name.
        levels: its level on each axis.
        scores: of its runs.
        derived: what its recipe comes to.
        seeds: of its runs.
    """
    interval = stats.arm_level(scores.bits_SN, scores.bytes_N)
    return ArmRecord(
        level=level, levels=dict(levels), runs=tuple(path.name for path in scores.runs),
        bits_per_byte=Estimate(value=interval.value, low=interval.low, high=interval.high), seeds=seeds,
        per_seed=tuple(float(v) for v in scores.bits_per_byte_S), nats_per_token=scores.nats_per_token, derived=derived,
        seconds=tuple(float(run_tables.read_table(path, "steps").iloc[-1].seconds) for path in scores.runs),
    )  # fmt: skip

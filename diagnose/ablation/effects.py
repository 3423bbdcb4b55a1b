"""Runs -> effects in bits per byte, paired by seed and by document.

Shapes: S seeds, N documents that every run scored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import stats, store
from diagnose.errors import DiagnoseError
from diagnose.stats.digits import decimals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray


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
    tables = {level: [store.read_table(p, "validation") for p in paths] for level, paths in runs.items()}
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


def compare(axis: str, control: str, scores: Mapping[str, Scores]) -> list[dict[str, Any]]:
    """Return the effect of every other level against the control, in bits per byte; below zero is better.

    Intervals hold together over all comparisons; `p` is Holm's; `seeds_needed` is None where the effect is resolved
    or where only more validation text would resolve it.
    """
    others = [level for level in scores if level != control]
    base = scores[control]
    found = [
        stats.paired_effect(scores[level].bits_SN, base.bits_SN, base.bytes_N, comparisons=len(others))
        for level in others
    ]
    adjusted = stats.holm([effect.p for effect in found])
    return [_record(axis, level, control, effect, p) for level, effect, p in zip(others, found, adjusted, strict=True)]


def _record(axis: str, level: str, control: str, effect: stats.Effect, p: float | None) -> dict[str, Any]:
    return {
        "axis": axis, "level": level, "against": control, "value": effect.value, "low": effect.low,
        "high": effect.high, "p": p, "resolved": effect.resolved,
        "seeds_needed": None if effect.resolved else stats.seeds_needed(effect), "per_seed": list(effect.per_seed),
        "seeds": effect.seeds, "documents": effect.documents, "df": effect.df, "sd_seeds": effect.sd_seeds,
        "sd_documents": effect.sd_documents, "sd_rest": effect.sd_rest, "sentence": _sentence(level, control, effect),
    }  # fmt: skip


def _sentence(level: str, control: str, effect: stats.Effect) -> str:
    """Say in words what the effect is and how sure that is."""
    half_width = None if effect.low is None or effect.high is None else (effect.high - effect.low) / 2
    digits = decimals(half_width)
    size = f"{abs(effect.value):.{digits}f}"
    better = "better" if effect.value < 0 else "worse"
    if half_width is None:
        return f"{level} is {size} bits per byte {better} than {control} with one seed, which gives no interval."
    half = f"{half_width:.{digits}f}"
    if effect.resolved:
        return f"{level} is {size} ± {half} bits per byte {better} than {control}."
    needed = stats.seeds_needed(effect)
    remedy = f"about {needed} seeds would resolve it" if needed else "only more validation text would resolve it"
    if effect.value == 0:
        remedy = "the two spend the same bits on every document"
    return f"{level} against {control}: {size} ± {half} bits per byte {better}, not resolved; {remedy}."


def noise(scores: Mapping[str, Scores]) -> dict[str, float] | None:
    """Return the band in which the difference of two equal arms would fall; None with one seed."""
    bytes_N = next(iter(scores.values())).bytes_N
    half = stats.noise_band({level: s.bits_SN for level, s in scores.items()}, bytes_N)
    return None if half is None else {"low": -half, "high": half}


def arm_records(scores: Mapping[str, Scores]) -> dict[str, dict[str, Any]]:
    """Return each arm's own bits per byte with its interval, and per seed."""
    out = {}
    for level, one in scores.items():
        interval = stats.arm_level(one.bits_SN, one.bytes_N)
        out[level] = {
            "bits_per_byte": {"value": interval.value, "low": interval.low, "high": interval.high},
            "per_seed": [float(v) for v in one.bits_per_byte_S],
            "nats_per_token": one.nats_per_token,
        }
    return out

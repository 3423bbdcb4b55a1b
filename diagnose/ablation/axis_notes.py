"""What certain axes need said beside their effects: where in documents these lie, dead units, each rule's best rate.

Shapes: S seeds, N documents that every run scored.
"""

from __future__ import annotations

import math
from functools import reduce
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import stats
from diagnose.ablation.batch_noise import noise_note
from diagnose.data.tokenizer import fingerprint
from diagnose.records.notes import Band, Best, Divided, EffectPart, Notes, Positions, Units
from diagnose.runs import run_tables, store
from diagnose.training.positions import EDGES, edge_within

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from diagnose.ablation.design import Design
    from diagnose.ablation.effects import Scores

    Runs = Mapping[str, tuple[Path, ...]]

FIRST = 16  # tokens of a document that are called its first


def notes(plan: Design, runs: Runs, scores: Mapping[str, Scores]) -> Notes:
    """Return the notes of an ablation; one that cannot be had is empty."""
    return Notes(
        positions=_positions(plan, runs),
        dead_units=_dead_units(runs),
        noise_scale=noise_note(plan, runs),
        best_factors=_best_factors(plan, scores),
    )


def _positions(plan: Design, runs: Runs) -> Positions | None:
    """Return losses by position in the document, and each effect divided at a position.

    The position is the shorter context where the two arms differ in it: before it both see the whole document so far.
    Tokens of other tokenizers stand for other text, so that their positions are not compared; arms that train on other
    text learn others too.
    """
    recipes = [arm.first.recipe for arm in plan.arms]
    whole = all((path / "places.parquet").exists() for paths in runs.values() for path in paths)
    if not whole or len({fingerprint(arm.first.text.tokenizer) for arm in plan.arms}) > 1:
        return None
    tables = {level: [run_tables.read_table(path, "places") for path in paths] for level, paths in runs.items()}
    documents = reduce(np.intersect1d, [t.document.unique() for some in tables.values() for t in some])
    tables = {level: [t[t.document.isin(documents)] for t in some] for level, some in tables.items()}
    contexts = {recipe.batches.context for recipe in recipes}
    sizes = run_tables.read_table(next(iter(runs.values()))[0], "validation").set_index("document").loc[documents]
    return Positions(
        contexts=len(contexts) > 1,
        bands=_bands(tables),
        parts=_parts(plan, tables, documents, sizes["bytes"].to_numpy()) if len(plan.axes) == 1 else (),
    )


def _bands(tables: Mapping[str, list[pd.DataFrame]]) -> tuple[Band, ...]:
    """Return nats per token of each arm, mean over seeds, in bands that double."""
    powers = [int(edge) for edge in EDGES if edge == 0 or (edge & (edge - 1)) == 0]
    first = next(iter(tables.values()))[0]
    last = int(first.place.max())
    bands = []
    for low, high in pairwise(powers):
        if low > last:
            break
        inside = {
            level: [t[(t.place >= low) & (t.place < high)][["nats", "tokens"]].sum() for t in some]
            for level, some in tables.items()
        }
        tokens = int(next(iter(inside.values()))[0].tokens)
        per_arm = {level: float(np.mean([s.nats / s.tokens for s in some])) for level, some in inside.items()}
        bands.append(Band(begin=low, end=high, tokens=tokens, per_arm=per_arm))
    return tuple(bands)


def _parts(
    plan: Design, tables: Mapping[str, list[pd.DataFrame]], documents: NDArray[Any], bytes_N: NDArray[Any]
) -> tuple[Divided, ...]:
    """Return each effect as what tokens before the edge and from it on contribute, in bits per byte of all text."""
    control = plan.control
    contexts = {arm.level: arm.first.recipe.batches.context for arm in plan.arms}
    others = [level for level in contexts if level != control]
    out = []
    for level in others:
        differ = contexts[level] != contexts[control]
        edge = edge_within(min(contexts[level], contexts[control])) if differ else FIRST
        parts = []
        for before in (True, False):
            arm_SN, control_SN = (
                np.stack([_bits(t, documents, edge, before=before) for t in tables[side]]) for side in (level, control)
            )
            parts.append(_part(stats.paired_effect(arm_SN, control_SN, bytes_N, comparisons=2 * len(others))))
        out.append(Divided(level=level, against=control, edge=edge, near=parts[0], far=parts[1]))
    return tuple(out)


def _part(effect: stats.Effect) -> EffectPart:
    return EffectPart(value=effect.value, low=effect.low, high=effect.high, resolved=effect.resolved)


def _bits(table: pd.DataFrame, documents: NDArray[Any], edge: int, *, before: bool) -> NDArray[np.float64]:
    """Return the bits that each document spends before the edge, or from it on."""
    some = table[(table.place < edge) == before]
    sums = some.groupby("document").nats.sum().reindex(documents, fill_value=0.0)
    return np.asarray(sums.to_numpy() / math.log(2))


def _dead_units(runs: Runs) -> tuple[Units, ...]:
    """Return the share of units that never answer, for arms that have units that may not."""
    out = []
    for level, paths in runs.items():
        units_of_runs = [store.read_json(path / "units.json") for path in paths if (path / "units.json").exists()]
        if units_of_runs:
            shares = [float(units["share"]) for units in units_of_runs]
            layers = [
                float(np.mean(layer)) for layer in zip(*(units["layers"] for units in units_of_runs), strict=True)
            ]
            out.append(Units(
                level=level, share=float(np.mean(shares)), low=min(shares), high=max(shares),
                units=int(units_of_runs[0]["units"]), tokens=int(units_of_runs[0]["tokens"]), layers=tuple(layers),
            ))  # fmt: skip
    return tuple(out)


def _best_factors(plan: Design, scores: Mapping[str, Scores]) -> tuple[Best, ...]:
    """Compare the levels of an axis, each at the multiple of the learning rate that suits it best.

    The best of several is chosen by the very losses that are compared, so the intervals hold together over every
    choice that could have been made.
    """
    if len(plan.axes) != 2 or plan.axes[1].name != "lr-factor":
        return ()
    axis, factors = plan.axes
    named = {tuple(arm.levels.values()): arm.level for arm in plan.arms}
    best: dict[str, Best] = {}
    for level in axis.levels:
        known = {
            f: float(scores[named[level, f]].bits_per_byte_S.mean()) for f in factors.levels if (level, f) in named
        }
        if known:
            chosen = min(known, key=lambda f: known[f])
            best[level] = Best(level=level, factor=chosen, bits_per_byte=known[chosen], tried=known)
    if axis.control not in best:
        return ()
    comparisons = (len(best) - 1) * len(list(product(factors.levels, repeat=2)))
    for level in [one for one in best if one != axis.control]:
        arm, control = (scores[named[one, best[one].factor]] for one in (level, axis.control))
        effect = stats.paired_effect(arm.bits_SN, control.bits_SN, arm.bytes_N, comparisons=comparisons)
        best[level] = best[level].model_copy(update={"effect": _part(effect)})
    return tuple(best.values())

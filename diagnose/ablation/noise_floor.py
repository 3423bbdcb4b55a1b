"""What planned seeds can resolve, before anything is trained: from how far runs at hand of one recipe lie apart."""

from __future__ import annotations

import math
from contextlib import suppress
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from diagnose.ablation import effects
from diagnose.ablation.comparison import ComparedRun, learned, opened, settings_of
from diagnose.errors import DiagnoseError
from diagnose.formatting import counted, listed, plain
from diagnose.records.forecasts import Resolvable
from diagnose.runs import store
from diagnose.stats import smallest_resolvable
from diagnose.stats.crossed import analyse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.ablation.design import Design

ALSO = (2, 3, 5, 10)  # numbers of seeds that a plan gives beside its own
MOST_NAMED = 6  # runs, and settings
ALIKE = 2  # settings in which runs at hand may differ from a plan and still stand for it


def floor(design: Design, runs: Path) -> Resolvable | None:
    """Return what the planned seeds can resolve, from the noise floor of finished runs of the same text.

    Two arms whose seeds have nothing in common differ by sqrt(2) times the deviation between seeds. An effect that also
    differs from document to document takes more; arms that share streams, where the axis changes little, take less.

    Args:
        design: what is planned.
        runs: where finished runs lie.

    Returns:
        None where no two finished runs share a recipe and the planned text.
    """
    chosen = _nearest(design, _groups(design, runs))
    if not chosen:
        return None
    scores = effects.score({"": tuple(run.path for run in chosen)})[""]
    parts = analyse(scores.bits_SN, scores.bytes_N.astype(np.float64))
    seeds, documents = scores.bits_SN.shape
    between = math.sqrt(2 * max(float(parts.by_seed - parts.rest), 0.0) * seeds)
    rest = math.sqrt(2 * float(parts.rest) * seeds * documents)

    def resolvable(count: int) -> float | None:
        return smallest_resolvable(
            between, 0.0, rest, seeds=count, documents=documents, comparisons=comparisons(design)
        )

    return Resolvable(
        bits_per_byte=resolvable(len(design.seeds)),
        by_seeds={str(count): resolvable(count) for count in ALSO},
        comparisons=comparisons(design),
        documents=documents,
        sd_seeds=between / math.sqrt(2),
        runs=tuple(run.path.name for run in chosen),
        differ=tuple(_differ(design, chosen[0])),
    )


def comparisons(design: Design) -> int:
    """Return how many effects will have intervals that hold together: of levels, and of every two axes."""
    others = [len(axis.levels) - 1 for axis in design.axes]
    return sum(others) + sum(a * b for a, b in combinations(others, 2))


def _groups(design: Design, runs: Path) -> list[list[ComparedRun]]:
    """Return finished runs of the planned text, those of one recipe together, one for each seed, two or more."""
    text = design.arms[0].first.text
    groups: dict[str, dict[int, ComparedRun]] = {}
    for path in store.entries(runs):
        with suppress(DiagnoseError):  # not finished, damaged or of another format: no help for a plan
            environment = store.environment(path)
            if (environment.corpus.fingerprint, environment.split.fingerprint) == (
                text.corpus.fingerprint,
                text.split.fingerprint,
            ):
                run = opened(path, environment)
                groups.setdefault(repr(sorted(learned(run).items())), {})[run.seed] = run
    return [list(group.values()) for group in groups.values() if len(group) > 1]


def _nearest(design: Design, groups: Sequence[list[ComparedRun]]) -> list[ComparedRun]:
    """Return the runs whose recipe is nearest to the planned control's; of those the most seeds."""
    return min(groups, key=lambda group: (len(_differ(design, group[0])), -len(group)), default=[])


def _differ(design: Design, first: ComparedRun) -> list[str]:
    """Return the settings in which a run differs from the planned control."""
    setup = design.arms[0].first
    planned = ComparedRun(
        first.path,
        setup.recipe,
        settings_of(setup.recipe),
        first.environment.model_copy(update={"derived": setup.derived}),
    )
    mine, wanted = learned(first), learned(planned)
    return sorted(key for key in mine.keys() | wanted.keys() if mine.get(key) != wanted.get(key))


def sentences(noise: Resolvable | None, seeds: int) -> list[str]:
    """Return what planned seeds can resolve in words, and what that rests on."""
    if noise is None:
        return [
            f"What {counted(seeds, 'seed')} can resolve is not known yet: no two finished runs of one recipe read this "
            "text. --axis seed measures it."
        ]
    from_runs = listed(noise.runs) if len(noise.runs) <= MOST_NAMED else f"{len(noise.runs)} runs"
    differ = noise.differ if len(noise.differ) <= MOST_NAMED else [*noise.differ[:MOST_NAMED], "more"]
    rough = "; a rough guess" if len(noise.differ) > ALIKE else ""
    unlike = f"which differ from the planned control in {listed(differ)}{rough}" if differ else "the planned control's"
    others = ", ".join(f"{plain(v, 4)} with {n}" for n, v in noise.by_seeds.items() if v and int(n) != seeds)
    of_runs = (
        "One seed resolves nothing"
        if noise.bits_per_byte is None
        else f"{counted(seeds, 'seed')} would resolve {plain(noise.bits_per_byte, 4)} bits per byte four times in "
        "five, as far as chance between seeds goes"
    )
    return [
        f"{of_runs} ({others}).",
        f"From how far seeds lie apart in {from_runs}, {unlike}. An effect that differs between documents takes more; "
        "arms that stay alike, for they share a seed's streams, take less.",
    ]

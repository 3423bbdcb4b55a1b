"""Runs of a sweep -> a table: a row a run, its settings that vary, its seed, its last scores."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores
from diagnose.ablation.results.score_names import better_side
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import counted, cut, listed, visible
from diagnose.logs.names import meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = re.compile(r"(?:^|[._/-])(?:random_?)?seed$", re.IGNORECASE)
SEEDED = re.compile(r"(?:^|(?<=[-_/,. ]))seed[-_=:]?(\d{1,9})(?=$|[-_/,. ])", re.IGNORECASE)
NUMBERED = re.compile(r"[-_/. ](?:s|run|trial|rep)?[-_]?(\d{1,9})$", re.IGNORECASE)  # may as well be a size
SETTING = re.compile(  # in "lr=3e-4_weight_decay=0.1" and "model=vit-b_seed=0" a name is behind a number, or one word
    r"(?:^|[-_,;/ ])([A-Za-z][\w.]*)="
    r"((?:[-+]?[\d.]+(?:e[-+]?\d+)?|true|false|none)(?=[-_][a-z][\w.]*=)"
    r"|[^,;/ =]+?(?=$|[,;/ ]|[-_][a-z][a-z\d.]*=))",
    re.IGNORECASE,
)
USUAL_SEEDS = frozenset((42, 1337, 3407))
MOST_NAMED = 12
RUN, ARM = "run", "arm"
NAMES_SPLIT = "What each run is and which seed it has was read from the runs' names."


@dataclass(frozen=True)
class SweepRun:
    """A run: what it is called, its settings by name, its scores by name."""

    name: str
    settings: dict[str, str] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)


def table_of(runs: Sequence[SweepRun], wanted: Sequence[str], notes: Sequence[str] = ()) -> ImportedScores:
    """Return runs as a table.

    Arms are the settings that vary and are no seed; where no settings are known they are read from the runs' names, as
    "lr=0.1,seed=2" or "relu-seed2", and else each run is an arm.

    Args:
        runs: two or more.
        wanted: names of scores; empty for the one that is most likely meant.
        notes: what a reader must know of how they were read.

    Raises:
        DiagnoseError: fewer than two runs, or no score that all of them have.
    """
    import pandas as pd

    if len(runs) < 2:
        raise DiagnoseError(f"a comparison takes two runs, and {counted(len(runs), 'run')} was found")
    scores = _scores(runs, wanted)
    settings = _settings(runs)
    if not any(run.settings for run in runs):
        notes = [*notes, NAMES_SPLIT]
    varied = _varied(settings)
    seeds = [name for name in varied if SEED.search(name)]
    arms = tuple(name for name in varied if name not in seeds) or ((RUN,) if not seeds else ())
    if not arms:
        raise DiagnoseError(f"the runs differ in {seeds[0]} alone: there is one arm, and a comparison takes two")
    rows = [
        {RUN: run.name, **{name: of_run[name] for name in varied}, **{name: run.scores[name] for name in scores}}
        for run, of_run in zip(runs, settings, strict=True)
    ]
    lost = [run.name for run in runs if not all(math.isfinite(run.scores[name]) for name in scores)]
    if lost:
        raise DiagnoseError(f"{listed([cut(visible(name), 40) for name in lost[:4]])}: the last value is not finite")
    return ImportedScores(pd.DataFrame(rows), arms, scores, seeds[0] if seeds else None, notes=tuple(notes))


def _scores(runs: Sequence[SweepRun], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the scores, which every run must have.

    Raises:
        DiagnoseError: a run lacks one, or none is asked for and none is surely meant.
    """
    shared = [name for name in runs[0].scores if all(name in run.scores for run in runs)]
    for name in wanted:
        without = [run.name for run in runs if name not in run.scores]
        if without and len(without) == len(runs):
            known = sorted({name for run in runs for name in run.scores})
            raise DiagnoseError(f"--score {visible(name)}: no run has it{nearest(name, known[:MOST_NAMED])}")
        if without:
            who = listed([cut(visible(lacking), 40) for lacking in without[:3]]) + (
                " and others" if len(without) > 3 else ""
            )
            raise DiagnoseError(f"--score {visible(name)}: {who} has no value of it; move unfinished runs elsewhere")
    if wanted:
        return tuple(wanted)
    held_out = [name for name in shared if meaning(name).held_out and better_side(name)]
    if len(held_out) == 1:
        return (held_out[0],)
    losses = [name for name in held_out if meaning(name).kind]
    if len(losses) == 1:
        return (losses[0],)
    names_shared = listed([visible(name) for name in shared[:MOST_NAMED]]) or "none in common"
    raise DiagnoseError(f"name a score with --score: the runs have {names_shared}")


def _settings(runs: Sequence[SweepRun]) -> list[dict[str, str]]:
    """Return the settings of each run, of all the same names; those that a name holds where there are no others."""
    told = arms_and_seeds([run.name for run in runs], numbered=True)
    by_run = [
        run.settings or dict(SETTING.findall(run.name)) or {ARM: arm, **({"seed": seed} if seed else {})}
        for run, (arm, seed) in zip(runs, told, strict=True)
    ]
    names = list(dict.fromkeys(name for of_run in by_run for name in of_run))
    return [{name: of_run.get(name, "-") for name in names} for of_run in by_run]


def _varied(settings: Sequence[dict[str, str]]) -> list[str]:
    """Return the settings that differ, without those that only name a run, as a path that every run has its own of."""
    by_setting = {name: [of_run[name] for of_run in settings] for name in settings[0]}
    varied = [name for name, values in by_setting.items() if len(set(values)) > 1]
    names = [
        name for name in varied if len(set(by_setting[name])) == len(settings) and not _are_numbers(by_setting[name])
    ]
    others = [name for name in varied if name not in names]
    return others if any(not SEED.search(name) for name in others) else varied


def _are_numbers(values: Sequence[str]) -> bool:
    try:
        return all(math.isfinite(float(value)) for value in values)
    except ValueError:
        return False


def arms_and_seeds(names: Sequence[str], *, numbered: bool = False) -> list[tuple[str, str]]:
    """Return what each run's name says of its arm, and of its seed ("" where it says none).

    Args:
        names: of runs, each once.
        numbered: whether bare numbers at the end ("relu-2") are taken for seeds, if they count from 0 or 1 in every arm
            alike, or one is a seed that everybody takes (42): those of "vit-16" and "vit-32" are sizes.
    """
    told = [_cut(name, SEEDED) for name in names]
    if any(seed for _, seed in told) or not numbered:
        return told
    cuts = [_cut(name, NUMBERED) for name in names]
    counted_up: dict[str, list[int]] = {}
    for arm, number in cuts:
        counted_up.setdefault(arm, []).append(int(number) if number else -1)
    first, *others = (sorted(numbers) for numbers in counted_up.values())
    alike = bool(others) and all(numbers == first for numbers in others)
    usual = first in _counts(len(first)) or USUAL_SEEDS.intersection(first)
    return cuts if alike and len(first) > 1 and usual else told


def _counts(many: int) -> list[list[int]]:
    return [list(range(many)), list(range(1, many + 1))]


def named_apart(models: Sequence[tuple[str, str]]) -> list[str]:
    """Return what models are called, given their names and folders: with the folder where a name occurs twice."""
    names = [name for name, _ in models]
    return [f"{folder}/{name}" if names.count(name) > 1 else name for name, folder in models]


def _cut(name: str, pattern: re.Pattern[str]) -> tuple[str, str]:
    match = pattern.search(name)
    if match is None:
        return name, ""
    rest = f"{name[: match.start()]}{name[match.end() :]}"
    return re.sub(r"[-_/,. ]{2,}", "-", rest).strip("-_/,. ") or name, match.group(1)

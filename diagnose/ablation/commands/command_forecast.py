"""The plan of an ablation of a command, before anything is run: commands, time, and what the seeds can resolve."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from diagnose.ablation.commands.command_template import FOLDER, shown_command
from diagnose.ablation.noise_floor import ALSO
from diagnose.engines.resources import submission_rows
from diagnose.engines.selection import ONE_BY_ONE
from diagnose.formatting import counted, duration, listed, quantity, visible
from diagnose.records.forecasts import ArmLevels, CommandForecast, PlannedCommand, ResolvableScore
from diagnose.runs import command_store, score_file
from diagnose.stats import smallest_resolvable
from diagnose.stats.crossed import analyse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from diagnose.ablation.commands.command_plan import CommandPlan, FoundRun, RunScores
    from diagnose.engines.command_job import CommandJob
    from diagnose.engines.selection import Place

MOST_SHOWN = 8  # commands
MOST_NAMED = 6  # files


def describe(plan: CommandPlan, place: Place = ONE_BY_ONE) -> CommandForecast:
    """Return what would be run, how long that takes, and what so many seeds can resolve.

    The last two come from finished runs of the same command, where there are some.

    Args:
        plan: what is planned.
        place: where, and how many runs at once.
    """
    states = [(job, plan.there(job)[0]) for job in plan.jobs]
    there = [(job, run) for job, run in states if run]
    ends = [command_store.ended(run.path) for _, run in there]
    seconds = [end.seconds for end in ends if end is not None]
    pending = len(states) - len(there)
    jobs = place.at_once(pending)
    forecast = CommandForecast(
        axis=plan.name,
        control=plan.arms[0].name,
        arms=tuple(ArmLevels(level=arm.name, levels=arm.levels) for arm in plan.arms),
        seeds=plan.seeds,
        runs=tuple(
            PlannedCommand(
                level=job.label, seed=job.seed, command=shown_command(job.args),
                run=run.path.name if run else None, stale=run is None and plan.is_stale(job),
            )
            for job, run in states
        ),
        jobs=jobs,
        timeout=plan.timeout,
        files=tuple(plan.known_files),
        takes_folder=FOLDER in plan.template.names,
        seconds=fmean(seconds) * math.ceil(pending / jobs) if seconds else None,
        resolvable=_resolvable(plan, there),
    )  # fmt: skip
    return forecast.model_copy(update=place.shown(plan.jobs))


def _resolvable(plan: CommandPlan, there: list[tuple[CommandJob, FoundRun]]) -> ResolvableScore | None:
    """Return the smallest effect that seeds would resolve, from how far seeds of an arm lie apart that are there.

    Where examples are scored, so far as chance between seeds and examples of single arms goes: an effect that differs
    from example to example takes more.
    """
    by_arm: dict[str, list[RunScores]] = {}
    for job, run in there:
        by_arm.setdefault(job.label, []).append(run.scores)
    groups = [scores for scores in by_arm.values() if len(scores) > 1]
    if not groups:
        return None
    metric = groups[0][0].metrics[0]
    by_example = all(run_scores.by_example for scores in groups for run_scores in scores)
    parts = [_parts(scores, metric, by_example=by_example) for scores in groups]
    seed, rest, examples = (fmean(column) for column in zip(*parts, strict=True))
    counts = sorted({plan.seeds, *ALSO})
    scores = {
        str(count): smallest_resolvable(
            math.sqrt(2 * seed), 0.0, math.sqrt(2 * rest), seeds=count, documents=int(examples),
            comparisons=plan.comparisons,
        )
        for count in counts
    }  # fmt: skip
    return ResolvableScore(
        metric=metric, smallest=scores[str(plan.seeds)], by_seeds=scores, comparisons=plan.comparisons,
        runs=sum(map(len, groups)), arms=len(groups),
    )  # fmt: skip


def _parts(runs: list[RunScores], metric: str, *, by_example: bool) -> tuple[float, float, float]:
    """Return the variances between seeds and of the rest of one arm, and its number of examples."""
    if by_example:
        tables = [run.table.set_index(score_file.EXAMPLE)[metric] for run in runs]
        common = sorted(set.intersection(*(set(table.index) for table in tables)))
        if len(common) > 1:
            scores_SN = np.array([table.loc[common].to_numpy() for table in tables], dtype=np.float64)
            parts = analyse(scores_SN, np.ones(len(common)))
            seeds, examples = scores_SN.shape
            return max(float(parts.by_seed - parts.rest), 0.0) * seeds, float(parts.rest) * seeds * examples, examples
    means = [float(run.table[metric].mean()) for run in runs]
    return float(np.var(means, ddof=1)), 0.0, 2


def plan_rows(plan: CommandForecast) -> RenderableType:
    """Return the plan for a terminal."""
    from rich.console import Group
    from rich.text import Text

    runs = plan.runs
    pending = [run for run in runs if not run.run]
    at_once = f", {plan.jobs} at once" if plan.jobs > 1 else ""
    size = f"{counted(len(plan.arms), 'arm')} x {counted(plan.seeds, 'seed')} = {counted(len(runs), 'run')}"
    head = f"{visible(plan.axis)}: {size}{at_once}"
    if len(pending) < len(runs):
        head += f"; {len(runs) - len(pending)} of them are finished and will be used again"
    if plan.seconds:
        head += f"; about {duration(plan.seconds)}"
    lines = [head, *_stale(runs, plan.files), ""]
    lines += [run.command for run in pending[:MOST_SHOWN]]
    lines += [f"... and {len(pending) - MOST_SHOWN} more (--json lists all)"] if len(pending) > MOST_SHOWN else []
    lines += ["", *submission_rows(plan.model_dump()), *_known_by(plan.files), *_sentences(plan)]
    return Group(*(Text(line) for line in lines))


def _stale(runs: Sequence[PlannedCommand], files: Sequence[str]) -> list[str]:
    stale = sum(run.stale for run in runs)
    if not stale:
        return []
    verb = "is" if stale == 1 else "are"
    return [
        f"{counted(stale, 'finished run')} of the same commands {verb} not used again, for a file has changed since "
        f"({_listed(files)}); --code says which files count"
    ]


def _listed(names: Sequence[str]) -> str:
    first = [visible(name) for name in names[:MOST_NAMED]]
    return listed([*first, f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else first)


def _known_by(names: Sequence[str]) -> list[str]:
    if not names:
        return ["A finished run is used again where its command is the same; no file is named in it."]
    return [f"A finished run is used again while its command and these files stay the same: {_listed(names)}."]


def _sentences(plan: CommandForecast) -> list[str]:
    """Say what the seeds can resolve, and what a reader must know first."""
    out = []
    if not plan.takes_folder:
        out.append("The command does not take {dir}: what one run writes, another at the same time may overwrite.")
    resolvable, seeds = plan.resolvable, counted(plan.seeds, "seed")
    if resolvable is None:
        return [*out, f"What {seeds} can resolve is not known yet: no arm has two finished runs of this command."]
    others = ", ".join(
        f"{quantity(value)} with {count}" for count, value in resolvable.by_seeds.items()
        if value and int(count) != plan.seeds
    )  # fmt: skip
    of_each = (
        "One seed resolves nothing"
        if resolvable.smallest is None
        else f"{seeds} would resolve a difference of {quantity(resolvable.smallest)} in "
        f"{visible(resolvable.metric)} four times in five"
    )
    return [
        *out,
        f"{of_each} ({others}).",
        f"From how far seeds lie apart in {counted(resolvable.runs, 'finished run')} of "
        f"{counted(resolvable.arms, 'arm')}; arms that stay alike under one seed take less, "
        "effects that differ between examples more.",
    ]

"""The plan of an ablation, before anything is trained."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.ablation import lr_tuning, noise_floor
from diagnose.ablation.ablate import estimate_seconds
from diagnose.ablation.changed import changed
from diagnose.engines.job import Job
from diagnose.engines.resources import submission_rows
from diagnose.engines.selection import ONE_BY_ONE
from diagnose.records.forecasts import AblationForecast, HeldEqual, PlannedArm, TriedRates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from diagnose.ablation.design import Arm, Design
    from diagnose.engines.selection import Place


def describe(design: Design, place: Place = ONE_BY_ONE, runs: Path = Path("runs")) -> AblationForecast:
    """Return arms x seeds and what each derives, with a time estimated from a few measured steps of each arm.

    Of runs that other machines' devices carry out no time is known.

    Args:
        design: what is planned.
        place: where, and how many runs at once, among which the time is divided; learning rates are tried one after
            another.
        runs: where finished runs lie, from whose noise floor it is told what the planned seeds can resolve.
    """
    arms, trials = [], []
    for arm in design.arms:
        seconds = estimate_seconds(arm.first)
        derived = arm.first.derived.model_dump()
        arms.append(PlannedArm(level=arm.level, levels=dict(arm.levels), seconds_per_run=seconds, **derived))
        trials += [_trials(arm, seconds)] if design.tunes else []
    pairs = product(design.seeds, design.arms)
    planned = [Job.of(arm.level, seed, arm.setups[seed], (), runs, resume=False) for seed, arm in pairs]
    jobs = place.at_once(len(planned))
    forecast = AblationForecast(
        axis=design.name,
        control=design.control,
        seeds=len(design.seeds),
        hold=None if design.hold is None else HeldEqual(what=design.hold[0], amount=design.hold[1]),
        arms=tuple(arms),
        changed=tuple(changed(design)),
        tuning=tuple(trials),
        jobs=jobs,
        resolvable=noise_floor.floor(design, runs),
        seconds=_seconds(arms, trials, len(design.seeds), jobs),
    )
    return forecast.model_copy(update=place.shown(planned))


def _seconds(arms: list[PlannedArm], trials: list[TriedRates], seeds: int, jobs: int) -> float | None:
    """Return the time of all runs, of which so many are trained at once; the longest is the least that it takes."""
    each = [arm.seconds_per_run for arm in arms if arm.seconds_per_run is not None]
    if len(each) < len(arms):
        return None
    trained = max(sum(each) * seeds / min(jobs, seeds * len(each)), *each)
    return float(trained + sum(trial.seconds or 0.0 for trial in trials))


def _trials(arm: Arm, seconds_per_run: float | None) -> TriedRates:
    """Return which learning rates will be tried for an arm, how long, and on how much of the training text."""
    base = lr_tuning.trial(arm.first)
    rates = [lr_tuning.rate(base, factor) for factor in lr_tuning.FIRST]
    sizes = lr_tuning.size(base)
    share = len(rates) * sizes["steps"] / arm.first.derived.steps
    seconds = None if seconds_per_run is None else share * seconds_per_run
    return TriedRates(level=arm.level, learning_rates=tuple(rates), seconds=seconds, **sizes)


def plan_rows(plan: AblationForecast) -> RenderableType:
    """Return the plan for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    arms = plan.arms
    table = Table("", *(arm.level for arm in arms), box=None, pad_edge=False)
    rows = {
        "vocabulary": "vocabulary",
        "parameters": "parameters",
        "steps": "steps",
        "tokens a step": "tokens_per_step",
        "bytes of text a step": "text_per_step",
        "seconds a run, estimated": "seconds_per_run",
    }
    for words, key in rows.items():
        values = (getattr(arm, key) for arm in arms)
        table.add_row(words, *("" if value is None else f"{value:,.0f}" for value in values))
    shares = (arm.share_of_training_text for arm in arms)
    table.add_row("share of the training text", *("" if share is None else f"{share:.1%}" for share in shares))
    runs = len(arms) * plan.seeds
    equal = "nothing is held equal" if plan.hold is None else f"{plan.hold.what} is held equal"
    took = "" if plan.seconds is None else f"; about {plan.seconds / 60:.1f} minutes of training"
    at_once = f", {plan.jobs} at once" if plan.jobs > 1 else ", an arm's seeds stacked" if plan.stack else ""
    size = f"{len(arms)} arms x {plan.seeds} seeds = {runs} runs{at_once}"
    head = f"{plan.axis}: {size}, {equal}{took}"
    resolves = map(Text, noise_floor.sentences(plan.resolvable, plan.seeds))
    where = map(Text, submission_rows(plan.model_dump()))
    return Group(Text(head), Text(""), table, *_tuning_rows(plan.tuning), Text(""), *where, *resolves)


def _tuning_rows(tuned: Sequence[TriedRates]) -> list[RenderableType]:
    """Say which learning rates are tried first."""
    from rich.text import Text

    if not tuned:
        return []
    rows = [
        f"{trial.level}: {', '.join(f'{lr:g}' for lr in trial.learning_rates)}, {trial.steps:,} steps each on "
        f"{trial.documents:,} training documents, read on {trial.scored_documents:,} others of them"
        for trial in tuned
    ]
    head = f"Learning rates tried first, and further ones (at most {lr_tuning.MOST}) while the best is at an end:"
    return [Text(""), Text(head), *map(Text, rows)]

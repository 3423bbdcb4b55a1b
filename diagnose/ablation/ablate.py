"""Carry an ablation out and leave its record."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose import files
from diagnose.ablation import axes, effects, lr_tuning
from diagnose.ablation.axis_notes import notes
from diagnose.ablation.changed import changed, leaks
from diagnose.ablation.conclusion import verdict
from diagnose.ablation.design import HOLDS, Design, design
from diagnose.ablation.pairwise import all_pairs, told_apart, with_seeds
from diagnose.baselines import run_baselines
from diagnose.engines.job import Job
from diagnose.engines.selection import Place
from diagnose.engines.work import Ended
from diagnose.errors import FINDING, DiagnoseError, own_words
from diagnose.records.ablations import AblationRecord, AxisRecord, Failure, Hold, TextSeenRecord
from diagnose.records.schema import FORMAT
from diagnose.runs import run_tables, runner, store
from diagnose.training import device, trainer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.config.recipe import Recipe
    from diagnose.runs.watched import Watch
    from diagnose.training.preparation import Setup

MEASURED_STEPS = 3  # of each arm, for the time that a plan estimates


@dataclass
class Outcome:
    """Runs of each arm by seed, which of them were found finished, and which failed."""

    runs: dict[str, dict[int, Path]] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """What is asked of the effects: the margin of the equivalence test, and whether every two arms are compared."""

    margin: float = effects.MARGIN
    pairs: bool = False


@own_words
def ablate(
    axis: str | Sequence[str],
    *,
    levels: str | Sequence[str] | None = None,
    seeds: int = 3,
    recipe: str | Path | Recipe = "quick",
    overrides: Mapping[str, Any] | None = None,
    hold: str | None = None,
    runs: Path | str = "runs",
    resume: bool = False,
    untuned: bool = False,
    full: bool = False,
    place: Place | None = None,
    factors: str | None = None,
    match: str | None = None,
    pairs: bool = False,
    margin: float = effects.MARGIN,
    watch: Watch | None = None,
    command: str | None = None,
) -> Path:
    """Train every level of an axis with every seed and record what the axis did.

    Args:
        axis: a named axis (`diagnose.ablation.axes.NAMED`) or `table.key=value1,value2`; of several, every
            combination of levels is trained.
        levels: levels of the only axis to keep, also as one string with commas; the first is the control.
        seeds: how many paired seeds; they count from the recipe's own.
        recipe: a recipe, the name of one that ships, or a TOML file.
        overrides: values by `table.key`, for all arms.
        hold: what all arms share: text, steps, tokens, epochs, flops or seconds.
        runs: folder for runs and record.
        resume: go on with unfinished runs of the same recipes; finished ones are always reused.
        untuned: compare networks at the recipe's one learning rate.
        full: train more than 64 arms.
        factors: comma-separated multiples of the learning rate, beside an axis of it.
        match: what networks that are compared have equal: "parameters" or "flops".
        place: where and how many at once; one after another in this process where None.
        pairs: compare every two arms as well.
        margin: bits per byte: effects are tested for being no larger.
        watch: called after each step of each run.
        command: what the page gives as the command that repeats it.

    Returns:
        The ablation's directory, with `ablation.toml`, `effects.parquet` and `summary.json`.

    Raises:
        DiagnoseError: a mistake (nothing is written), an interruption, or no pair of runs that finished.
    """
    named, place, told = [axis] if isinstance(axis, str) else list(axis), place or Place(), watch or (lambda _: None)
    place.check(seeds)
    asked = Asked(effects.checked_margin(margin), pairs=pairs)
    with place.devices():
        plan = design(
            axes.find_all(named, levels, factors), recipe, overrides or {}, seeds, hold, untuned=untuned, full=full,
            threads=place.threads, match=match,
        )  # fmt: skip
    plan = _tuned(plan, told)
    done = _carry_out(plan, Path(runs), list(overrides or {}), place, resume=resume, watch=told)
    given = " ".join(f"--axis {name}" for name in named)
    return record(plan, done, Path(runs), command or f"diagnose ablate {given} --seeds {seeds}", asked)


def _tuned(plan: Design, watch: Watch) -> Design:
    """Give each network its own learning rate; every sweep is set up before the first is trained."""
    if not plan.tunes:
        return plan
    for arm in plan.arms:
        lr_tuning.trial(arm.first)
    return plan.tuned({arm.level: lr_tuning.sweep(arm.level, arm.first, watch) for arm in plan.arms})


def _carry_out(
    plan: Design, runs: Path, given: Sequence[str], place: Place, *, resume: bool, watch: Watch
) -> Outcome:  # fmt: skip
    """Train seed by seed, so that whatever is finished early is paired; what is finished already is reused."""
    out = Outcome({arm.level: {} for arm in plan.arms})
    pending, setups = [], {}
    for seed, arm in product(plan.seeds, plan.arms):
        setup = arm.setups[seed]
        job, path = (
            Job.of(arm.level, seed, setup, given, runs, resume=resume),
            runner.newest_finished(runs, setup.digest),
        )
        if path is None:
            pending.append(job)
            setups[setup.digest] = setup
        else:
            watch(job.progress("reused"))
            run_baselines.keep(path, setup.text)
            _note(out, Ended(job, path.name, finished=True, reused=True))
    if pending:
        engine = place.open(setups, [arm.first for arm in plan.arms])
        with closing(engine.carry_out(pending, watch)) as results:
            for ended in results:
                _note(out, ended)
                if ended.finished:
                    run_baselines.keep(ended.path, setups[ended.job.digest].text)
    order: dict[tuple[str, int | None], int] = {
        (arm.level, seed): k for k, (seed, arm) in enumerate(product(plan.seeds, plan.arms))
    }
    out.failed.sort(key=lambda failure: order[failure.level, failure.seed])
    return out


def _note(out: Outcome, ended: Ended) -> None:
    """Note how a run ended; one that diverged or whose process died is reported, anything else ends the ablation."""
    job = ended.job
    if not ended.is_result:
        raise ended.error()
    if not ended.finished:
        out.failed.append(Failure(run=ended.run, level=job.label, seed=job.place, why=ended.why))
        return
    out.runs[job.label][job.place] = ended.path
    if ended.reused:
        out.reused.append(ended.run)


def record(plan: Design, done: Outcome, runs: Path, command: str, asked: Asked = Asked()) -> Path:
    """Write the ablation's directory from its finished runs.

    Raises:
        DiagnoseError: the control or every other level has no finished run.
    """
    arms = [arm for arm in plan.arms if done.runs[arm.level]]
    complete = [seed for seed in plan.seeds if all(seed in done.runs[arm.level] for arm in arms)]
    if len(arms) < 2 or arms[0] is not plan.arms[0] or not complete:
        why = "; ".join(f"{f.level} seed {f.seed}: {f.why}" for f in done.failed)
        told = f"too few runs finished to compare anything with {plan.control}: {why}"
        raise DiagnoseError(told, exit_code=FINDING)
    plan = replace(plan, arms=tuple(arms))
    complete_runs = {arm.level: tuple(done.runs[arm.level][seed] for seed in complete) for arm in arms}
    summary = _summary(plan, complete_runs, done, complete, command, asked or Asked())
    names = [path.name for paths in complete_runs.values() for path in paths]
    digest = blake2b("\n".join(names).encode(), digest_size=8).hexdigest()
    write = partial(fill, summary=summary, toml=_toml(plan, complete_runs, complete))
    return store.create_ablation(runs, plan.name, digest, write)


def fill(folder: Path, name: str, summary: AblationRecord, toml: str) -> None:
    """Write the record of an ablation or a comparison into a folder that will have a name.

    Args:
        folder: where its files are written.
        name: of the folder in the end; the record takes it.
        summary: all that there is to say.
        toml: what is compared, so that it can be told from a run and repeated.
    """
    import pandas as pd

    now = datetime.now().astimezone().isoformat(timespec="seconds")
    table = pd.DataFrame([row.model_dump(exclude={"per_seed", "paired"}) for row in summary.effects])
    files.write_whole(folder / "effects.parquet", lambda file: table.to_parquet(file, index=False))
    store.write_record(folder / "summary.json", summary.model_copy(update={"name": name, "created": now}))
    store.write_text(folder / "ablation.toml", toml)


def _summary(
    plan: Design,
    complete_runs: dict[str, tuple[Path, ...]],
    done: Outcome,
    seeds: list[int],
    command: str,
    asked: Asked,
) -> AblationRecord:
    scores = effects.score(complete_runs)
    compared = effects.compare(plan.axes, {arm.level: arm.levels for arm in plan.arms}, scores, asked.margin)
    environments = {level: store.environment(paths[0]) for level, paths in complete_runs.items()}
    environment = environments[plan.control]
    arms = tuple(
        effects.arm_record(arm.level, arm.levels, scores[arm.level], arm.first.derived, tuple(seeds))
        for arm in plan.arms
    )
    seen = float(run_tables.read_table(complete_runs[plan.control][0], "steps").iloc[-1].text_bytes)
    unit, amount = plan.hold or ("nothing", 0.0)
    seeded = with_seeds(scores, seeds)
    return AblationRecord(
        axes=tuple(
            AxisRecord(name=axis.name, levels=tuple(axis.levels), control=axis.control, what=axis.what, trap=axis.trap)
            for axis in plan.axes
        ),
        hold=Hold(what=unit, amount=amount, unit=HOLDS.get(unit, "")),
        corpus=environment.corpus,
        split=environment.split,
        overlap=environment.overlap,
        seeds=tuple(seeds),
        seen=TextSeenRecord(bytes=seen, share=seen / arms[0].derived.training_text),
        arms=arms,
        effects=tuple(compared),
        pairs=tuple(all_pairs(seeded, plan.name, asked.margin)) if asked.pairs else (),
        apart=told_apart(seeded),
        left_out=tuple(seed for seed in plan.seeds if seed not in seeds),
        noise=effects.noise(scores),
        notes=notes(plan, complete_runs, scores),
        changed=(*changed(plan), *leaks({level: recorded.overlap for level, recorded in environments.items()})),
        untuned=plan.untuned,
        tuning=tuple(sweep.record(level) for level, sweep in plan.sweeps.items()),
        failed=tuple(done.failed),
        reused=tuple(done.reused),
        verdict=verdict([axis.name for axis in plan.axes], arms, compared, _held_in_words(plan, seen), done.failed),
        seconds=sum(sum(arm.seconds) for arm in arms),
        command=command,
        environment=environment,
        recipe=next(iter(plan.arms)).first.recipe.to_toml(),
    )


def _held_in_words(plan: Design, seen: float) -> str:
    budget = _budget_in_words(plan, seen)
    if plan.untuned:
        return f"{budget} and at one learning rate for all, untuned"
    ends = "; ".join(
        f"{level}'s is the {sweep.end} that was tried" for level, sweep in plan.sweeps.items() if sweep.end
    )
    rates = ", each at a learning rate of its own" if plan.sweeps else ""
    return budget + rates + (f" ({ends})" if ends else "")


def _budget_in_words(plan: Design, seen: float) -> str:
    if plan.hold is None:
        return "With budgets as the axis sets them"
    unit, amount = plan.hold
    if unit == "text":
        return f"After the same {in_bytes(seen)} of text"
    if unit == "epochs":
        return f"After the same {amount:.3g} epochs"
    words = {"steps": "steps", "tokens": "tokens", "flops": "operations", "seconds": "seconds of training"}
    return f"After the same {amount:,.0f} {words[unit]}"


def in_bytes(amount: float) -> str:
    """Return an amount of text in words, to three digits."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if amount >= size:
            return f"{amount / size:.3g} {unit}"
    return f"{amount:.0f} bytes"


def _toml(plan: Design, complete_runs: dict[str, tuple[Path, ...]], seeds: list[int]) -> str:
    import tomli_w

    unit, amount = plan.hold or ("nothing", 0.0)
    varied = [
        {"name": axis.name, "control": axis.control, "levels": {k: dict(v) for k, v in axis.levels.items()}}
        for axis in plan.axes
    ]
    record = {
        "format": FORMAT,
        "seeds": seeds,
        "hold": {"what": unit, "amount": amount},
        "axes": varied,
        "widths": {arm.level: arm.width for arm in plan.arms if arm.width is not None},
        "learning_rates": {level: sweep.rate for level, sweep in plan.sweeps.items()},
        "arms": {level: [path.name for path in paths] for level, paths in complete_runs.items()},
    }
    return tomli_w.dumps({key: value for key, value in record.items() if value})


def estimate_seconds(setup: Setup) -> float | None:
    """Time a few steps of a run and return what the whole would take; the budget where that is in seconds.

    None where the run's device is another machine's.
    """
    steps = setup.course.steps
    if steps is None:
        return setup.recipe.budget.amount()
    if not device.is_here(setup.recipe.run.device):
        return None
    with device.random_kept(setup.prepare()):
        net = setup.network()
        optimizer = trainer.make_optimizer(net, setup.recipe.optimizer)
        took = []
        for number in range(MEASURED_STEPS):
            begun = time.perf_counter()
            net.train()
            trainer.backward(net, trainer.step_parts(setup.course, number), setup.recipe, number)
            optimizer.step()
            optimizer.zero_grad()
            took.append(time.perf_counter() - begun)
    return min(took) * steps

"""Carry an ablation of a command out, and compare what its runs came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from diagnose.ablation.commands.command_template import FOLDER
from diagnose.ablation.commands.result_reading import (
    LOG,
    Readout,
    curve_of,
    held_out_loss,
    metric_names,
    output_tail,
)
from diagnose.ablation.results.score_comparison import compare_table, margins_of
from diagnose.ablation.results.score_table import ScoreColumns
from diagnose.engines.selection import ONE_BY_ONE
from diagnose.errors import FINDING, DiagnoseError
from diagnose.formatting import as_cell, counted, cut, listed, visible
from diagnose.records.command_records import CarriedOut, CarriedRun, FailedCommand, ScoreCurve
from diagnose.runs import command_store, score_file, store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from diagnose.ablation.commands.command_plan import CommandPlan, RunScores
    from diagnose.ablation.results.score_comparison import Margin
    from diagnose.engines.command_job import CommandJob
    from diagnose.engines.selection import Place
    from diagnose.engines.work import Ended
    from diagnose.records.score_records import ScoreComparison
    from diagnose.runs.watched import Watch

GIVE_UP = 3  # runs that failed, and none that did not: no further one is started
TAIL = 12  # lines of a failed run's output that are shown
MOST_CURVE = 60  # points of a curve


@dataclass(frozen=True)
class CommandResult:
    """A run with its result."""

    job: CommandJob
    path: Path
    scores: RunScores
    reused: bool


@dataclass
class CommandOutcome:
    """What runs came to; `unread`: how many ended well and left no result where it was looked for."""

    finished: list[CommandResult] = field(default_factory=list)
    failed: list[FailedCommand] = field(default_factory=list)
    unread: int = 0

    def note(self, plan: CommandPlan, ended: Ended, watch: Watch) -> None:
        """Take in how a run ended; it is finished if its command ended with 0 and its result is there.

        Raises:
            DiagnoseError: nothing could be started at all.
        """
        job: CommandJob = ended.job  # type: ignore[assignment]
        if not ended.run and not ended.died:
            raise ended.error()
        why = ended.why
        if not why:
            try:
                self.finished.append(CommandResult(job, ended.path, plan.scores_of(ended.path), ended.reused))
            except DiagnoseError as error:
                why = str(error)
                self.unread += not error.diverged
        if ended.finished:  # of others the engine has told
            watch(replace(job.progress("ended"), doing="failed" if why else "finished"))
        if why:
            self.failed.append(_failure(job, ended, why))

    @property
    def is_hopeless(self) -> bool:
        """Whether several runs failed and none did not, or one that ended well left no result where that is sought."""
        return not self.finished and (self.unread > 0 or len(self.failed) >= GIVE_UP)


def _failure(job: CommandJob, ended: Ended, why: str) -> FailedCommand:
    file = str(ended.path / command_store.OUTPUT) if ended.run else ""
    tail = output_tail(ended.path, TAIL) if ended.run else ()
    end = command_store.ended(ended.path) if ended.run else None
    return FailedCommand(
        run=ended.run, level=job.label, seed=job.seed, why=why, output=tail, file=file, code=end.code if end else None
    )  # fmt: skip


def ablate_command(
    plan: CommandPlan,
    *,
    place: Place = ONE_BY_ONE,
    pairs: bool = False,
    margin: Margin = None,
    watch: Watch | None = None,
    command: str = "",
) -> ScoreComparison:
    """Run a command for every arm and seed and compare the results.

    Args:
        plan: what is run.
        place: where, and how many at once.
        pairs: compare every two arms as well.
        margin: in the score's unit, of several scores by name: effects are tested for being no larger.
        watch: told of each run.
        command: what repeats it.

    Returns:
        The comparison; its `carried` says how it came about, and its folder lies beside the runs.

    Raises:
        DiagnoseError: an interruption (finished runs stay finished), or too few runs gave a result.
    """
    _check_margin(margin, metric_names(plan.readouts))
    done = _carry_out(plan, place, watch or (lambda _: None))
    finished, left_out = _taking_part(plan, done)
    table, columns = _table(plan, finished)
    notes = _notes(plan, done, left_out, several=place.engine != "local" or (place.jobs or 1) > 1)
    comparison = compare_table(
        table, columns, higher=plan.higher, pairs=pairs, margin=margin, command=command, notes=notes,
    )  # fmt: skip
    return _recorded(plan, comparison, _carried(plan, done, finished, left_out), table)


def _check_margin(margin: Margin, scores: Sequence[str]) -> None:
    """Refuse a margin before anything is run; which scores a command reports itself is not known by then."""
    if scores or not isinstance(margin, Mapping):
        margins_of(margin, scores or ["score"])


def _carry_out(plan: CommandPlan, place: Place, watch: Watch) -> CommandOutcome:
    done, pending = CommandOutcome(), []
    for planned in plan.jobs:  # so that the first that is told of is one of all
        watch(planned.progress("waiting"))
    for planned in plan.jobs:
        recorded, job = plan.there(planned)
        if recorded is None:
            pending.append(job)
        else:
            watch(replace(job.progress("waiting"), doing="reused"))
            done.finished.append(CommandResult(job, recorded.path, recorded.scores, reused=True))
    if not done.finished:
        _refuse_unread(plan, pending)
    if pending:
        engine = place.open_for_commands(lambda: done.is_hopeless)
        with closing(engine.carry_out(pending, watch)) as ends:
            for ended in ends:
                done.note(plan, ended, watch)
    order = {(job.label, job.seed): place for place, job in enumerate(plan.jobs)}
    done.finished.sort(key=lambda started: order[started.job.label, started.job.seed])
    done.failed.sort(key=lambda started: order[started.level, started.seed or 0])
    return done


def _refuse_unread(plan: CommandPlan, pending: Sequence[CommandJob]) -> None:
    """Refuse to run again what ended well, only because the result is looked for elsewhere than it lies.

    Raises:
        DiagnoseError: runs ended well, and none of them holds the result.
    """
    unread = [plan.runs / name for job in pending for name in job.passed_over]
    for path in unread[:1]:
        try:
            plan.scores_of(path)
        except DiagnoseError as error:
            if error.diverged:
                return
            count = counted(len(unread), "run")
            raise DiagnoseError(
                f"{count} of these commands ended well before and hold no result as it is looked "
                f"for; the first: {error} ({path}). Mend "
                "what is read, or remove their folders to run them again"
            ) from None


def _taking_part(plan: CommandPlan, done: CommandOutcome) -> tuple[list[CommandResult], list[str]]:
    """Return the runs that can be compared, and arms that cannot: of which too few runs finished.

    Raises:
        DiagnoseError: the control is such an arm, or all others are.
    """
    counts = Counter(result.job.label for result in done.finished)
    fewest = min(2, max(counts.values(), default=1))
    left_out = [arm.name for arm in plan.arms if counts[arm.name] < fewest]
    taking_part = [result for result in done.finished if result.job.label not in left_out]
    control = plan.arms[0].name
    if control in left_out or len(plan.arms) - len(left_out) < 2:
        raise DiagnoseError(_too_few(plan, done), exit_code=FINDING)
    names = {result.scores.metrics for result in taking_part}
    if len(names) > 1:
        raise DiagnoseError(f"runs report different scores: {listed([', '.join(result) for result in sorted(names)])}")
    if len({result.scores.by_example for result in taking_part}) > 1:
        raise DiagnoseError("some runs report scores of examples, and others one number: report the same in all")
    return taking_part, left_out


def _too_few(plan: CommandPlan, done: CommandOutcome) -> str:
    first = done.failed[0]
    printed = cut(first.output[-1], 200) if first.output else ""
    last = f"{': ' if first.code else '; it printed last: '}{printed}" if printed else ""
    where = f" (all of its output: {visible(first.file)})" if first.file else ""
    total, failed = len(plan.jobs), len(done.failed)
    never = total - failed - len(done.finished)
    more = f", {never} {'was' if never == 1 else 'were'} not started" if never else ""
    head = f"{failed} of {counted(total, 'run')} failed{more}, too many for a comparison"
    return f"{head}; {visible(first.level)} seed {first.seed}: {first.why}{last}{where}"


def _table(plan: CommandPlan, results: Sequence[CommandResult]) -> tuple[pd.DataFrame, ScoreColumns]:
    """Return all results as one table."""
    import pandas as pd

    levels = {arm.name: arm.levels for arm in plan.arms}
    tables = [result.scores.table.assign(**levels[result.job.label], seed=result.job.seed) for result in results]
    names = tuple(axis.name for axis in plan.axes)
    table = pd.concat(tables, ignore_index=True)
    metrics = results[0].scores.metrics
    keys = [key for key in (score_file.EXAMPLE, score_file.CLUSTER) if key in table.columns]
    columns = ScoreColumns(
        names, metrics, "seed", *(key if key in keys else None for key in (score_file.EXAMPLE, score_file.CLUSTER))
    )  # fmt: skip
    return table[[*names, "seed", *keys, *metrics]], columns


def _notes(plan: CommandPlan, done: CommandOutcome, left_out: Sequence[str], *, several: bool) -> list[str]:
    """Return what must be known of how the results came about, as sentences."""
    notes = []
    if done.failed:
        verb = "takes" if len(done.failed) == 1 else "take"
        notes.append(
            f"{len(done.failed)} of {counted(len(plan.jobs), 'run')} gave no result and {verb} no part. If runs fail "
            "because their arm is a bad one, that arm looks better here than it is."
        )
    if left_out:
        notes.append(f"Left out, for too few runs finished: {listed([visible(name) for name in left_out])}.")
    best = [visible(name.key) for name in plan.readouts if name.pick != "last"]
    if best:
        notes.append(
            f"{listed(best)}: the best value in the course of each run, picked by the very scores that are compared; "
            "it flatters all arms, and one that scatters more than others the most."
        )
    if several and FOLDER not in plan.template.names:
        notes.append("The command does not take {dir}: what one run writes, another at the same time may overwrite.")
    same = _same_results(done)
    return [*notes, same] if same else notes


def _same_results(done: CommandOutcome) -> str:
    """Say that seeds of an arm all came to the very same, which is a seed that is not used."""
    by_arm: dict[str, list[float]] = {}
    for result in done.finished:
        by_arm.setdefault(result.job.label, []).append(float(result.scores.table[result.scores.metrics[0]].sum()))
    several = [values for values in by_arm.values() if len(values) > 1]
    if several and all(len(set(values)) == 1 for values in several):
        return "All seeds of each arm gave the very same scores: does the command use its seed?"
    return ""


def _carried(
    plan: CommandPlan, done: CommandOutcome, results: Sequence[CommandResult], left_out: Sequence[str]
) -> CarriedOut:  # fmt: skip
    ends = {result.path: command_store.ended(result.path) for result in results}
    runs = tuple(
        CarriedRun(
            level=result.job.label, seed=result.job.seed, run=result.path.name, reused=result.reused,
            seconds=ends[result.path].seconds if ends[result.path] else 0.0,  # type: ignore[union-attr]
        )
        for result in results
    )  # fmt: skip
    return CarriedOut(
        template=plan.template.text, read=tuple(result.given for result in plan.readouts), seeds=plan.seeds, runs=runs,
        failed=tuple(done.failed), left_out=tuple(left_out), timeout=plan.timeout, files=plan.known_files,
        curves=tuple(_curves(plan, results)),
    )  # fmt: skip


def _curves(plan: CommandPlan, results: Sequence[CommandResult]) -> list[ScoreCurve]:
    """Return a score in the course of each run: the first one that is read, else what the output has of it."""
    metric = results[0].scores.metrics[0]
    asked = [*plan.readouts[:1], Readout("", LOG, metric), Readout("", LOG, held_out_loss(results[0].path))]
    for readout in asked:
        curves = [curve_of(run.path, readout, MOST_CURVE) for run in results]
        known = [curve for curve in curves if curve is not None]
        if len(known) == len(results) and len({unit for _, _, unit in known}) == 1:
            return [
                ScoreCurve(level=run.job.label, seed=run.job.seed, name=readout.key, x=tuple(x), y=tuple(y), unit=unit)
                for run, (x, y, unit) in zip(results, known, strict=True)
            ]
    return []


def _recorded(
    plan: CommandPlan, comparison: ScoreComparison, carried: CarriedOut, table: pd.DataFrame
) -> ScoreComparison:  # fmt: skip
    """Leave the record and the table in a folder beside the runs."""
    whole: list[ScoreComparison] = []

    def fill(folder: Path, name: str) -> None:
        carried_in = carried.model_copy(update={"folder": str(plan.runs / name)})
        whole.append(comparison.model_copy(update={"carried": carried_in, "source": (str(plan.runs / name),)}))
        store.write_record(folder / command_store.COMPARISON, whole[-1])
        if score_file.EXAMPLE in table.columns:
            table.to_parquet(folder / command_store.EXAMPLES_TABLE)
        else:
            arms = {name: table[name].astype(str).map(as_cell) for name in comparison.design.arm_columns}
            table.assign(**arms).to_csv(folder / command_store.RUNS_TABLE, index=False)

    names = "\n".join(run.run for run in carried.runs)
    store.create_ablation(plan.runs, plan.name, blake2b(names.encode(), digest_size=8).hexdigest(), fill)
    return whole[-1]

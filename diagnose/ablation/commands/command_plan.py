"""What is to be run: the command of every arm and seed, which of them are there already, what seeds can resolve."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import version
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.ablation.commands.command_axes import arms_of
from diagnose.ablation.commands.command_files import CommandFiles
from diagnose.ablation.commands.command_template import FOLDER, check_program
from diagnose.ablation.commands.result_reading import metric_names, value_of
from diagnose.engines.command_job import DIR, CommandJob
from diagnose.errors import DiagnoseError
from diagnose.formatting import visible
from diagnose.records.command_records import CommandRun
from diagnose.runs import command_store, score_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from diagnose.ablation.commands.command_axes import CommandArm, CommandAxis
    from diagnose.ablation.commands.command_template import CommandTemplate
    from diagnose.ablation.commands.result_reading import Readout

MOST_SEEDS = 1000


@dataclass(frozen=True)
class RunScores:
    """The result of a run: a row, or a row an example; and what its scores are called."""

    table: pd.DataFrame
    metrics: tuple[str, ...]

    @property
    def by_example(self) -> bool:
        """Whether a row is an example."""
        return score_file.EXAMPLE in self.table.columns


@dataclass(frozen=True)
class FoundRun:
    """A finished run that is there already, and its result."""

    path: Path
    scores: RunScores


@dataclass(frozen=True)
class CommandPlan:
    """An ablation of a command.

    Attributes:
        template: the command.
        axes: what is varied.
        arms: every combination, the control first.
        seeds: how many; they count from `first`.
        readouts: what is read as the result; empty for what the command reports itself.
        runs: where folders of runs are made.
        resume: whether interrupted runs go on in their folders.
        timeout: seconds that a run may take.
        code: files that a run is known by, in place of those that the command names and the code beside them.
        higher: whether higher is better; None to go by names.
        first: the first seed.
    """

    template: CommandTemplate
    axes: tuple[CommandAxis, ...]
    arms: tuple[CommandArm, ...]
    seeds: int
    readouts: tuple[Readout, ...] = ()
    runs: Path = Path("runs")
    resume: bool = False
    timeout: float | None = None
    code: tuple[str, ...] = ()
    higher: bool | None = None
    first: int = 0
    _files: CommandFiles = field(default_factory=CommandFiles)

    @classmethod
    def of(
        cls, template: CommandTemplate, axes: Sequence[CommandAxis], seeds: int, readouts: Sequence[Readout] = (),
        *, full: bool = False, **more: Any,
    ) -> CommandPlan:  # fmt: skip
        """Return a plan that makes sense.

        Raises:
            DiagnoseError: it makes none; one line says why, before anything is run.
        """
        if not 1 <= seeds <= MOST_SEEDS:
            raise DiagnoseError(f"--seeds {seeds}: give 1 to {MOST_SEEDS}, three or more for useful intervals")
        arms = arms_of(axes, full=full)
        template.check([hole for axis in axes for hole in axis.holes])
        names = metric_names(readouts)
        shared = next((axis.name for axis in axes if axis.name in names), None)
        if shared is not None:
            raise DiagnoseError(f"{shared} is both varied and read as the result; call the axis otherwise")
        if any(not readout.is_log for readout in readouts) and FOLDER not in template.names:
            raise DiagnoseError(
                "--run holds no {dir}, the folder of each run, so the command cannot write there what --read looks for"
            )
        plan = cls(template, tuple(axes), tuple(arms), seeds, tuple(readouts), **more)
        plan._check_commands()
        return plan

    def _check_commands(self) -> None:
        """Refuse arms whose program is not there, or which are the same command."""
        known: dict[tuple[str, ...], str] = {}
        for arm in self.arms:
            args = self.template.filled(arm.values, 0)
            check_program(args)
            if args in known:
                raise DiagnoseError(f"the arms {visible(known[args])} and {visible(arm.name)} are the same command")
            known[args] = arm.name

    @property
    def name(self) -> str:
        """What is varied, in words."""
        return " x ".join(axis.name for axis in self.axes)

    @cached_property
    def jobs(self) -> list[CommandJob]:
        """Every run, seed by seed, so that whatever is finished early is paired."""
        seeds = range(self.first, self.first + self.seeds)
        return [self._job(arm, seed) for seed, arm in product(seeds, self.arms)]

    @property
    def known_files(self) -> tuple[str, ...]:
        """The files that runs are known by, those that the command names first."""
        return tuple(dict.fromkeys(name for job in self.jobs for name in job.known_by))

    def _job(self, arm: CommandArm, seed: int) -> CommandJob:
        args = self.template.filled(arm.values, seed)
        asked = self._files.of_paths(self.code)
        named = self._files.of(args)
        digest = blake2b("\0\0".join(args).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
        command = tuple(arg.replace(DIR, "{dir}") for arg in args)
        run = CommandRun(
            args=command, digest=digest, files={**named, **asked}, level=arm.name,
            levels=arm.levels, seed=seed, cwd=str(Path.cwd()), version=version("diagnose-training"),
            created=datetime.now().astimezone().isoformat(timespec="seconds"),
        )  # fmt: skip
        return CommandJob(
            arm.name, seed, args, run.model_dump(mode="json"), str(self.runs), self.resume, self.timeout,
            known_by=asked if self.code else named,
        )  # fmt: skip

    def scores_of(self, run: Path) -> RunScores:
        """Return what a run came to.

        Raises:
            DiagnoseError: it left no result, or none that is a finite number; one line says so.
        """
        import pandas as pd

        if self.readouts:
            names = metric_names(self.readouts)
            row = {
                name: value_of(run, readout, self.higher) for name, readout in zip(names, self.readouts, strict=True)
            }  # fmt: skip
            return RunScores(pd.DataFrame([row]), tuple(names))
        scores = score_file.read_scores(run / command_store.SCORES)
        if scores is None:
            raise DiagnoseError(
                "it reported no scores: give --read FILE:KEY, or call diagnose.report_scores in the script"
            )
        table, metrics = scores
        for name in metrics:
            bad = int((~table[name].abs().lt(math.inf)).sum())
            if bad:
                raise DiagnoseError(f"{bad:,} of {len(table):,} scores of {name} are NaN or infinite", diverged=True)
        return RunScores(table, tuple(metrics))

    def there(self, job: CommandJob) -> tuple[FoundRun | None, CommandJob]:
        """Return a finished run that holds a result, and the job that passes over those without one."""
        passed: list[str] = []
        while True:
            job = CommandJob.of_record({**job.record(), "passed_over": passed})
            path = job.finished()
            if path is None:
                return None, job
            try:
                return FoundRun(path, self.scores_of(path)), job
            except DiagnoseError:
                passed.append(path.name)

    @property
    def comparisons(self) -> int:
        """How many effects will hold together."""
        others = [len(axis.levels) - 1 for axis in self.axes]
        return (sum(others) + sum(a * b for a, b in combinations(others, 2))) * max(1, len(self.readouts))

    def is_stale(self, job: CommandJob) -> bool:
        """Say whether the same command ended well, but with other files."""
        return any(
            command_store.ended_well(path) and not command_store.is_same(path, job.known_by)
            for path in command_store.of_digest(self.runs, job.digest)
        )

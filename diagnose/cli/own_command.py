"""`diagnose ablate --run`: an ablation of somebody's own command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from diagnose.cli.options import RUNS, command, print_json, show, show_outcome
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.ablation.commands.command_plan import CommandPlan
    from diagnose.records.score_records import ScoreComparison


@dataclass(frozen=True)
class OwnCommand:
    """What the options that go with `--run` say, as they were given."""

    run: str | None
    read: list[str]
    axis_file: Path | None
    timeout: str | None
    code: list[str]
    higher: bool | None

    def check_absent(self) -> None:
        """Refuse options that say how a command is run, where none is given.

        Raises:
            DiagnoseError: one line names the first of them.
        """
        given = {
            "--read": bool(self.read), "--axis-file": self.axis_file is not None, "--timeout": self.timeout is not None,
            "--code": bool(self.code), "--higher-is-better": self.higher is not None,
        }  # fmt: skip
        name = next((name for name, is_given in given.items() if is_given), None)
        if name is not None:
            raise DiagnoseError(f"{name} is of a command of your own: give it with --run")

    def check_alone(self, ours: Sequence[str]) -> None:
        """Refuse options that are of our own trainer, given with a command.

        Raises:
            DiagnoseError: one line names the first of them.
        """
        if "--engine" in ours or "--address" in ours:
            raise DiagnoseError("--engine: with --run commands are run on this machine (--jobs says how many at once)")
        if ours:
            raise DiagnoseError(f"{ours[0]} is of diagnose's own trainer; with --run the command says what is trained")

    def plan(self, axes: Sequence[str], seeds: int, *, resume: bool, full: bool) -> CommandPlan:
        """Return what is to be run.

        Raises:
            DiagnoseError: the options make no sense; nothing is run then.
        """
        from diagnose.ablation.commands import command_axes, command_plan, command_template, result_reading

        varied = [command_axes.axis_of(text) for text in axes]
        if self.axis_file is not None:
            varied.append(command_axes.axis_of_file(self.axis_file))
        return command_plan.CommandPlan.of(
            command_template.CommandTemplate.of(self.run or ""), varied, seeds,
            [result_reading.readout_of(text) for text in self.read], full=full, runs=RUNS, resume=resume,
            timeout=command_plan.seconds_of(self.timeout), code=tuple(self.code), higher=self.higher,
        )  # fmt: skip


@dataclass(frozen=True)
class AskedOutcome:
    """What is asked of an outcome: what is compared, where the page goes, and how it is printed."""

    out: Path
    pairs: bool
    margin: float | None
    opens: bool
    markdown: bool
    as_json: bool

    def show(self, found: ScoreComparison) -> None:
        """Print what came out and leave its page."""
        from diagnose.report import page, score_document

        report = score_document.report_of(found)
        where = page.render_alone(report, self.out, score_document.name_of_page(found))
        folder = found.carried.folder if found.carried else ""
        record = {"ablation": folder, **found.model_dump(mode="json"), "page": str(where)}
        show_outcome(record, report, where, as_json=self.as_json, markdown=self.markdown, opens=self.opens)


def carry_out(
    own: OwnCommand, axes: Sequence[str], seeds: int, jobs: int | None, outcome: AskedOutcome, *, dry_run: bool,
    resume: bool, full: bool,
) -> None:  # fmt: skip
    """Run the command for every arm and seed and show what came out; or (dry) show what would be run."""
    from diagnose.ablation.commands.command_ablation import ablate_command
    from diagnose.ablation.commands.command_forecast import describe, plan_rows
    from diagnose.cli.board import watching
    from diagnose.engines.selection import Place
    from diagnose.runs import store

    Place(jobs=jobs).check()
    plan = own.plan(axes, seeds, resume=resume, full=full)
    if dry_run:
        described = describe(plan, jobs or 1)
        print_json(described) if outcome.as_json else show(plan_rows(described))
        return
    store.check_writable(outcome.out)
    store.check_writable(RUNS)
    with watching(plan.name) as watch:
        found = ablate_command(
            plan, jobs=jobs or 1, pairs=outcome.pairs, margin=outcome.margin, watch=watch, command=command()
        )
    outcome.show(found)
    if found.carried and found.carried.failed:
        raise typer.Exit(1)

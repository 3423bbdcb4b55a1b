"""`diagnose ablate --run`: an ablation of somebody's own command."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003  (typer reads annotations as it runs)
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from diagnose.cli.options import RECIPE, RUNS, SETTINGS, HigherOption, Output, Setting, command
from diagnose.cli.outcome import print_json, show, show_outcome
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.ablation.commands.command_plan import CommandPlan
    from diagnose.ablation.results.score_comparison import Margin
    from diagnose.engines.selection import Place


@dataclass(frozen=True)
class OwnCommand:
    """A command in place of our trainer, and what its runs come to."""

    HEADING: ClassVar[str] = "Your own command"
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="COMMAND",
            help="What to run in place of our trainer; {seed}, {dir} and each axis' {name} are filled in.",
        ),
    ] = None
    read: Annotated[
        list[str],
        typer.Option(
            "--read",
            metavar="FILE:KEY",
            help="The result: {dir}/metrics.json:val_loss, a column of a CSV, log:NAME; may be repeated. Without it "
            "the script calls diagnose.report_scores.",
        ),
    ] = field(default_factory=list)
    axis_file: Annotated[
        Path | None, typer.Option("--axis-file", metavar="TOML", help="Arms that differ in several values.")
    ] = None
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="Time limit of each run, as 30m or 2h.")
    ] = None
    code: Annotated[
        list[str],
        typer.Option(
            "--code",
            metavar="PATH",
            help="Files whose change makes finished runs stale, in place of those that the command names and the "
            "Python files beside them; may be repeated.",
        ),
    ] = field(default_factory=list)
    higher: HigherOption = None

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

    def plan(self, axes: Sequence[str], seeds: int, first: str | None, *, resume: bool, full: bool) -> CommandPlan:
        """Return what is to be run.

        Args:
            axes: as they were typed.
            seeds: how many.
            first: the first of them, as it was typed.
            resume: whether interrupted runs go on in their folders.
            full: whether more than 64 arms are meant.

        Raises:
            DiagnoseError: the options make no sense; nothing is run then.
        """
        from diagnose.ablation.commands import command_axes, command_plan, command_template, result_reading
        from diagnose.engines.resources import seconds_of

        varied = [command_axes.axis_of(text) for text in axes]
        if self.axis_file is not None:
            varied.append(command_axes.axis_of_file(self.axis_file))
        return command_plan.CommandPlan.of(
            command_template.CommandTemplate.of(self.run or ""), varied, seeds,
            [result_reading.readout_of(text) for text in self.read], full=full, runs=RUNS, resume=resume,
            timeout=seconds_of(self.timeout, "--timeout"), code=tuple(self.code), higher=self.higher,
            first=first_seed(first),
        )  # fmt: skip


def first_seed(given: str | None) -> int:
    """Return the first seed; 0 where none is given.

    Raises:
        DiagnoseError: it is no whole number from 0.
    """
    if given is not None and not (given.isascii() and given.isdigit() and len(given) < 10):
        raise DiagnoseError(f"--seed {given}: give a whole number from 0; --seeds says how many follow")
    return int(given or 0)


def refuse_ours(setting: Setting, others: dict[str, object]) -> None:
    """Refuse options that are of our own trainer, given with a command; what the environment says is passed over.

    Args:
        setting: what our trainer would train.
        others: further options with what was given, by name.

    Raises:
        DiagnoseError: one line names the first of them.
    """
    given: dict[str, object] = {
        "--recipe": setting.recipe not in (Setting().recipe, os.environ.get(RECIPE)),
        "--set": setting.settings and not os.environ.get(SETTINGS), "--data": setting.data, "--lr": setting.lr,
        "--batch-size": setting.batch_size, "--device": setting.device, **others,
    }  # fmt: skip
    name = next((name for name, value in given.items() if value), None)
    if name is not None:
        raise DiagnoseError(f"{name} is of diagnose's own trainer; with --run the command says what is trained")


def show_plan(plan: CommandPlan, place: Place, output: Output) -> None:
    """Show what would be run."""
    from diagnose.ablation.commands.command_forecast import describe, plan_rows

    described = describe(plan, place)
    print_json(described.model_dump()) if output.as_json else show(plan_rows(described))


def carry_out(
    plan: CommandPlan, place: Place, out: Path, output: Output, *, pairs: bool, margin: Margin
) -> None:  # fmt: skip
    """Run the command for every arm and seed, and show what came out."""
    from diagnose.ablation.commands.command_ablation import ablate_command
    from diagnose.cli.board import watching
    from diagnose.report import page, score_document
    from diagnose.runs import store

    store.check_writable(page.folder_of(out))
    store.check_writable(RUNS)
    with watching(plan.name, quiet=output.quiet) as watch:
        comparison = ablate_command(plan, place=place, pairs=pairs, margin=margin, watch=watch, command=command())
    report = score_document.report_of(comparison)
    where = page.render_alone(report, out, score_document.name_of_page(comparison))
    folder = comparison.carried.folder if comparison.carried else ""
    record = {"ablation": folder, **comparison.model_dump(mode="json"), "page": str(where)}
    show_outcome(record, report, where, output)
    if comparison.carried and comparison.carried.failed:
        raise typer.Exit(1)

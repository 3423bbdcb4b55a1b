"""Commands that train: ablate, train."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  (typer reads annotations as it runs)
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from diagnose.cli.options import (
    REPORTS,
    RUNS,
    TRAIN,
    FolderOption,
    MarginOption,
    Output,
    PairsOption,
    Setting,
    TrackerOption,
    bits_of,
    command,
    margin_of,
    subcommand,
)
from diagnose.cli.outcome import check_tracker, live_in, print_json, show, show_outcome, warn
from diagnose.cli.own_command import OwnCommand, carry_out, refuse_ours, show_plan
from diagnose.cli.where_options import Placement  # noqa: TC001  (typer reads annotations as it runs)
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from diagnose.engines.selection import Place
    from diagnose.integrations.trackers import Tracking

ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on with the newest unfinished run of the same recipe.")
]

AxisOption = Annotated[
    list[str],
    typer.Option(
        "--axis",
        metavar="AXIS",
        help="What to vary: a named axis, or table.key=value1,value2; several make a factorial.",
    ),
]
LevelsOption = Annotated[
    str | None,
    typer.Option("--levels", metavar="A,B", help="Levels to keep, comma-separated; the first is the control."),
]
SeedsOption = Annotated[
    int, typer.Option("--seeds", metavar="N", help="Paired seeds per level; three or more give useful intervals.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Print the plan and an estimate of the time; train nothing.")
]


@dataclass(frozen=True)
class Fairness:
    """What arms have equal, and how their learning rates are chosen."""

    HEADING: ClassVar[str] = "What arms have equal"
    hold: Annotated[
        str | None,
        typer.Option(
            "--hold",
            metavar="WHAT",
            help="What all arms share: text (default), steps, tokens, epochs, flops or seconds.",
        ),
    ] = None
    match: Annotated[
        str | None,
        typer.Option("--match", metavar="WHAT", help="What networks have equal: parameters (default) or flops."),
    ] = None
    untuned: Annotated[
        bool, typer.Option("--untuned", help="Compare networks at one learning rate, which may suit one of them.")
    ] = False
    factors: Annotated[
        str | None,
        typer.Option(
            "--lr-factors", metavar="A,B", help="Multiples of the learning rate to try each level with, as 0.25,1,4."
        ),
    ] = None

    @property
    def given(self) -> dict[str, object]:
        """What was given, by option."""
        return {
            "--hold": self.hold, "--match": self.match, "--untuned": self.untuned, "--lr-factors": self.factors,
        }  # fmt: skip


@subcommand(
    "diagnose ablate --axis tokenizer --levels char,bpe --seeds 3\n"
    "diagnose ablate --axis optimizer.lr=3e-4,1e-3,3e-3 --data notes.txt --jobs 2\n"
    "diagnose ablate --axis lr=1e-4,3e-4 --run 'python train.py --lr {lr} --seed {seed} --out {dir}' --read "
    "'{dir}/metrics.json:val_loss'",
    panel=TRAIN,
)
def ablate(
    fairness: Fairness,
    setting: Setting,
    own: OwnCommand,
    placement: Placement,
    output: Output,
    axis: AxisOption = [],  # noqa: B006  (typer copies it)
    levels: LevelsOption = None,
    seeds: SeedsOption = 3,
    pairs: PairsOption = False,
    margin: MarginOption = None,
    full: Annotated[bool, typer.Option("--full", help="Train more than 64 arms.")] = False,
    resume: ResumeOption = False,
    dry_run: DryRunOption = False,
    out: FolderOption = REPORTS,
    tracker: TrackerOption = None,
) -> None:
    """Change one thing, hold the rest, and say what the change did.

    Trains every level of an axis with every seed, compares them in bits per byte of the same validation documents,
    and renders a page. Finished runs are reused, so more seeds or levels extend an ablation.
    """
    if own.run is not None:
        refuse_ours(setting, {"--levels": levels, "--report-to": tracker, "--stack": placement.stack, **fairness.given})
        place = placement.place
        place.check()
        planned_runs = own.plan(axis, seeds, setting.seed, resume=resume, full=full)
        if dry_run:
            show_plan(planned_runs, place, output)
        else:
            carry_out(planned_runs, place, out, output, pairs=pairs, margin=margin_of(margin))
        return
    own.check_absent()
    if not axis:
        raise DiagnoseError("say what is varied: --axis NAME (`diagnose axes` lists them), or --axis table.key=a,b")
    check_tracker(tracker)
    if dry_run:
        _show_plan_of_ours(axis, levels, seeds, setting, fairness, placement.place, output, full=full)
        return
    with placement.place.begun() as place:
        from diagnose.ablation import ablate as ablation
        from diagnose.cli.board import watching
        from diagnose.report import page
        from diagnose.runs import store
        from diagnose.runs.watched import all_of

        store.check_writable(page.folder_of(out))
        title = " x ".join(axis)
        with live_in(tracker, title) as tracked:
            if tracker and place.engine != "local":
                warn(f"{tracker} is told of each run when it has ended; of runs on this machine while they train")
            with watching(title, quiet=output.quiet) as display:
                folder = ablation.ablate(
                    axis, levels=levels, seeds=seeds, recipe=setting.recipe, overrides=setting.overrides,
                    hold=fairness.hold, runs=RUNS, resume=resume, untuned=fairness.untuned, full=full, place=place,
                    factors=fairness.factors, match=fairness.match, pairs=pairs, margin=bits_of(margin),
                    watch=all_of(display, tracked.watch), command=command(),
                )  # fmt: skip
            finish_ablation(folder, out, output, tracked)


def _show_plan_of_ours(
    axis: list[str], levels: str | None, seeds: int, setting: Setting, fairness: Fairness, place: Place, output: Output,
    *, full: bool,
) -> None:  # fmt: skip
    """Show what our trainer would train."""
    from diagnose.ablation import axes, design, plan

    place.check(seeds)
    with place.devices():
        planned = design.design(
            axes.find_all(axis, levels, fairness.factors), setting.recipe, setting.overrides, seeds, fairness.hold,
            untuned=fairness.untuned, full=full, threads=place.threads, match=fairness.match,
        )  # fmt: skip
    described = plan.describe(planned, place, RUNS)
    print_json(described.model_dump()) if output.as_json else show(plan.plan_rows(described))


def finish_ablation(folder: Path, out: Path, output: Output, tracked: Tracking | None = None) -> None:
    """Render the page of an ablation or comparison, and print its outcome."""
    from diagnose.report import page
    from diagnose.runs import store

    report = page.own_report(folder)
    where = page.render_own(folder, out, report)
    summary = store.ablation(folder)
    record = {"ablation": str(folder), "page": str(where), "hold": summary.hold.what}
    keys = {
        "arms", "effects", "pairs", "notes", "changed", "differs", "tuning", "untuned", "verdict", "failed",
        "left_out",
    }  # fmt: skip
    record |= summary.model_dump(mode="json", include=keys)
    if tracked is not None:
        tracked.finish(folder, where, report.verdict)
    show_outcome(record, report, where, output)
    if summary.failed:
        raise typer.Exit(1)


@subcommand(
    "diagnose train --recipe quick --set tokenizer.kind=char --data notes.txt\n"
    "diagnose train --recipe first-user --lr 3e-4 --batch-size 32 --resume\n"
    "diagnose train --recipe mine.toml --set model.dropout=0.2 --open",
    panel=TRAIN,
)
def train(setting: Setting, output: Output, resume: ResumeOption = False, tracker: TrackerOption = None) -> None:
    """Train one network and leave a run directory in runs/.

    It can be stopped at any moment; --resume goes on to the very weights that it would have had. On several GPUs:
    torchrun --nproc-per-node 8 -m diagnose train ...
    """
    from diagnose.engines.cards import cards
    from diagnose.runs import runner
    from diagnose.training import processes

    check_tracker(tracker)
    on_cpu = setting.overrides.get("run.device") == "cpu"
    with processes.joined(lambda: [] if on_cpu else cards("cuda")) as group:
        overrides = setting.overrides | processes.settings(setting.overrides)
        if group.follows:
            runner.follow(setting.recipe, overrides)
        else:
            _train(setting.recipe, overrides, output, tracker, resume=resume)


def _train(recipe: str, overrides: dict[str, Any], output: Output, tracker: str | None, *, resume: bool) -> None:
    """Train, render the page and print the outcome."""
    from diagnose import api
    from diagnose.cli.progress import watching
    from diagnose.runs import runner
    from diagnose.runs.watched import all_of

    with live_in(tracker) as tracked:
        with watching(quiet=output.quiet) as display:
            watch = all_of(display, tracked.watch)
            path = api.train(recipe, overrides, runs=RUNS, resume=resume, watch=watch)
        from diagnose.report import baseline_rows, page, run_document, sample_sentences
        from diagnose.report.summary import read_run

        run_page = read_run(path)
        report = run_document.report_of(run_page)
        where = page.render_own(path, REPORTS, report) if output.opens or tracker or not output.as_json else None
        tracked.finish(path, where, report.verdict)
    more = {"scale": baseline_rows.record(run_page), "verbatim": sample_sentences.record(run_page)}
    show_outcome(runner.summary(path) | more, report, where, output)

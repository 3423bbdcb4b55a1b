"""Commands that train: ablate, train."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads annotations as it runs)
from typing import Annotated

import typer

from diagnose.cli.options import (  # fmt: skip
    REPORTS,
    RUNS,
    DataOption,
    JsonOption,
    MarkdownOption,
    OpenOption,
    PairsOption,
    RecipeOption,
    ResumeOption,
    SetOption,
    app,
    command,
    overrides,
    print_json,
    show,
    show_outcome,
)
from diagnose.cli.own_command import AskedOutcome, OwnCommand, carry_out
from diagnose.errors import DiagnoseError

MARGIN = 0.01  # bits per byte
DEFAULT = "quick"  # recipe

EXAMPLES = """Examples:

diagnose ablate --axis tokenizer --levels char,bpe --seeds 3 --set budget.text=500000

diagnose ablate --axis lr=1e-4,3e-4 --seeds 5 --jobs 2 --run 'python train.py --lr {lr} --seed {seed} --out {dir}'
--read '{dir}/metrics.json:val_loss'"""


@app.command(epilog=EXAMPLES)
def ablate(
    axis: Annotated[
        list[str],
        typer.Option(
            "--axis", help="What to vary: a named axis, or table.key=value1,value2; several make a factorial."
        ),
    ] = [],  # noqa: B006  (typer copies it)
    levels: Annotated[
        str | None, typer.Option("--levels", help="Levels to keep, comma-separated; the first is the control.")
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", help="Paired seeds per level; three or more give useful intervals.")
    ] = 3,
    recipe: RecipeOption = DEFAULT,
    settings: SetOption = [],  # noqa: B006  (typer copies it)
    data: DataOption = None,
    hold: Annotated[
        str | None,
        typer.Option("--hold", help="What all arms share: text (default), steps, tokens, epochs, flops or seconds."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the page.")] = REPORTS,
    resume: ResumeOption = False,
    untuned: Annotated[
        bool, typer.Option("--untuned", help="Compare networks at one learning rate, which may suit one of them.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Train more than 64 arms.")] = False,
    match: Annotated[
        str | None, typer.Option("--match", help="What networks have equal: parameters (default) or flops.")
    ] = None,
    factors: Annotated[
        str | None,
        typer.Option("--lr-factors", help="Multiples of the learning rate to try each level with, as 0.25,1,4."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="COMMAND",
            help="Your own command in place of our trainer; {seed}, {dir} and each axis' {name} are filled in.",
        ),
    ] = None,
    read: Annotated[
        list[str],
        typer.Option(
            "--read", metavar="FILE:KEY",
            help="With --run, the result: {dir}/metrics.json:val_loss, a CSV's column, log:NAME; may be repeated.",
        ),
    ] = [],  # noqa: B006
    axis_file: Annotated[
        Path | None, typer.Option("--axis-file", metavar="TOML", help="With --run: arms that differ in several values.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="With --run: time limit of each run, as 30m or 2h.")
    ] = None,
    code: Annotated[
        list[str],
        typer.Option(
            "--code", metavar="PATH",
            help="With --run: files whose change makes finished runs stale; else those that the command names and the "
            "Python files beside them.",
        ),
    ] = [],  # noqa: B006
    higher: Annotated[
        bool | None,
        typer.Option(
            "--higher-is-better/--lower-is-better", help="With --run: which side is better; else the score's name."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", help="Runs trained at once, in processes that share this machine's threads (default 1)."
        ),
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="Where: local, or ray, an existing Ray cluster.")] = "local",
    address: Annotated[
        str | None, typer.Option("--address", help="Of the Ray cluster: host:port, ray://host:port or auto.")
    ] = None,
    pairs: PairsOption = False,
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin", metavar="SIZE",
            help="Say where an effect is shown to be no larger: in bits per byte (0.01), of --run in the score's unit.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and an estimate of the time; train nothing.")
    ] = False,
    opens: OpenOption = False,
    markdown: MarkdownOption = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Change one thing, hold the rest, and say what the change did.

    Trains every level of an axis with every seed, compares them in bits per byte of the same validation documents,
    and renders a page. Finished runs are reused, so more seeds or levels extend an ablation.
    """
    own = OwnCommand(run, read, axis_file, timeout, code, higher)
    if own.run is not None:
        ours = {
            "--levels": levels, "--recipe": recipe != DEFAULT, "--set": settings, "--data": data, "--hold": hold,
            "--untuned": untuned, "--match": match, "--lr-factors": factors, "--address": address,
            "--engine": engine != "local",
        }  # fmt: skip
        own.check_alone([option for option, given in ours.items() if given])
        carry_out(own, axis, seeds, jobs, AskedOutcome(out, pairs, margin, opens, markdown, as_json), dry_run=dry_run,
                  resume=resume, full=full)  # fmt: skip
        return
    own.check_absent()
    if not axis:
        raise DiagnoseError("say what is varied: --axis NAME (`diagnose axes` lists them), or --axis table.key=a,b")
    bits = MARGIN if margin is None else margin
    from diagnose.ablation import ablate as ablation
    from diagnose.cli.board import watching
    from diagnose.engines.selection import Place
    from diagnose.runs import store

    given, place = overrides(settings, data), Place(engine, jobs, address)
    if dry_run:
        from diagnose.ablation import axes, design, plan

        place.check()
        planned = design.design(
            axes.find_all(axis, levels, factors), recipe, given, seeds, hold, untuned=untuned, full=full,
            threads=place.threads, match=match,
        )  # fmt: skip
        described = plan.describe(planned, jobs or 1, RUNS)
        print_json(described) if as_json else show(plan.plan_rows(described))
        return
    store.check_writable(out)
    with watching(" x ".join(axis)) as watch:
        folder = ablation.ablate(
            axis, levels=levels, seeds=seeds, recipe=recipe, overrides=given, hold=hold, runs=RUNS, resume=resume,
            untuned=untuned, full=full, place=place, factors=factors, match=match, pairs=pairs, margin=bits,
            watch=watch, command=command(),
        )  # fmt: skip
    finish_ablation(folder, out, opens=opens, markdown=markdown, as_json=as_json)


def finish_ablation(folder: Path, out: Path, *, opens: bool, markdown: bool, as_json: bool) -> None:
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
    show_outcome(record, report, where, as_json=as_json, markdown=markdown, opens=opens)
    if summary.failed:
        raise typer.Exit(1)


@app.command(epilog="Example: diagnose train --recipe quick --set tokenizer.kind=char --data notes.txt")
def train(
    recipe: RecipeOption = "quick",
    settings: SetOption = [],  # noqa: B006  (typer copies it)
    data: DataOption = None,
    resume: ResumeOption = False,
    opens: OpenOption = False,
    markdown: MarkdownOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train one network and leave a run directory in runs/.

    It can be stopped at any moment; --resume goes on to the very weights that it would have had.
    """
    from diagnose import api
    from diagnose.cli.progress import watching
    from diagnose.runs import runner

    given = overrides(settings, data)
    with watching() as watch:
        path = api.train(recipe, given, runs=RUNS, resume=resume, watch=watch)
    from diagnose.report import baseline_rows, page, run_document, sample_sentences
    from diagnose.report.summary import read_run

    found = read_run(path)
    report = run_document.report_of(found)
    where = page.render_own(path, REPORTS, report) if opens or not as_json else None
    more = {"scale": baseline_rows.record(found), "verbatim": sample_sentences.record(found)}
    show_outcome(runner.summary(path) | more, report, where, as_json=as_json, markdown=markdown, opens=opens)

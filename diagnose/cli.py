"""One thin function per command: parse, call one function, render.

Results go to standard output, everything else to standard error. Heavy imports happen inside the commands.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich.markdown alone would take a third of the time that help may take
    pretty_exceptions_enable=False,
    help="Which part of my set-up makes these numbers? Controlled ablations and diagnostics for language models.",
)

RUNS = Path("runs")
REPORTS = Path("reports")

RecipeOption = Annotated[str, typer.Option("--recipe", help="A recipe's name (`diagnose recipes`) or a TOML file.")]
SetOption = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="A recipe key, table.key=value; may be repeated.")
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="FILE", help="Text to train on: a UTF-8 file, .jsonl, a folder; also .gz, .zst."),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on with the newest unfinished run of the same recipe.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
PairsOption = Annotated[bool, typer.Option("--pairs", help="Compare every two arms too, not only with the control.")]
MarginOption = Annotated[
    float,
    typer.Option("--margin", metavar="BITS", help="Say where an effect is shown to be no larger, in bits per byte."),
]


def _overrides(pairs: list[str], data: str | None) -> dict[str, Any]:
    from diagnose.recipe import parse_settings

    out = parse_settings(pairs)
    if data is not None:
        out |= {"data.corpus": "file", "data.path": str(Path(data).absolute())}
    return out


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps({"format": 1, **value}, ensure_ascii=False, allow_nan=False))


def _show(what: RenderableType) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal or console.width > 100:
        console = Console(width=100)
    console.print(what)


def _command() -> str:
    return shlex.join(["diagnose", *sys.argv[1:]])


@app.command(epilog="Example: diagnose ablate --axis tokenizer --levels char,bpe --seeds 3 --set budget.text=500000")
def ablate(
    axis: Annotated[
        list[str],
        typer.Option(
            "--axis", help="What to vary: a named axis, or table.key=value1,value2; several make a factorial."
        ),
    ],
    levels: Annotated[
        str | None, typer.Option("--levels", help="Levels to keep, comma-separated; the first is the control.")
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", help="Paired seeds per level; three or more give useful intervals.")
    ] = 3,
    recipe: RecipeOption = "quick",
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
    margin: MarginOption = 0.01,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and an estimate of the time; train nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Change one thing, hold the rest, and say what the change did.

    Trains every level of an axis with every seed, compares them in bits per byte of the same validation documents,
    and renders a page. Finished runs are reused, so more seeds or levels extend an ablation.
    """
    from diagnose import store
    from diagnose.ablation import ablate as ablation
    from diagnose.board import watching
    from diagnose.engines.choice import Place

    given, place = _overrides(settings, data), Place(engine, jobs, address)
    if dry_run:
        from diagnose.ablation import axes, design, plan

        place.check()
        planned = design.design(
            axes.find_all(axis, levels, factors), recipe, given, seeds, hold, untuned=untuned, full=full,
            threads=place.threads, match=match,
        )  # fmt: skip
        described = plan.describe(planned, jobs or 1, RUNS)
        _print_json(described) if as_json else _show(plan.plan_rows(described))
        return
    store.check_writable(out)
    with watching(" x ".join(axis)) as watch:
        folder = ablation.ablate(
            axis, levels=levels, seeds=seeds, recipe=recipe, overrides=given, hold=hold, runs=RUNS, resume=resume,
            untuned=untuned, full=full, place=place, factors=factors, match=match, pairs=pairs, margin=margin,
            watch=watch, command=_command(),
        )  # fmt: skip
    _finish_ablation(folder, out, as_json=as_json)


def _finish_ablation(folder: Path, out: Path, *, as_json: bool) -> None:
    from diagnose import store
    from diagnose.report import page, terminal

    where = page.render_ablation(folder, out)
    summary = store.read_json(folder / "summary.json")
    if as_json:
        keys = (
            "arms", "effects", "pairs", "notes", "changed", "differs", "tuning", "untuned", "verdict", "failed",
            "left_out",
        )  # fmt: skip
        _print_json(
            {"ablation": str(folder), "page": str(where), "hold": summary["hold"]["what"]}
            | {k: summary[k] for k in keys if k in summary}
        )
    else:
        _show(terminal.ablation_rows(summary))
        print(where)
    if summary["failed"]:
        raise typer.Exit(1)


@app.command(epilog="Example: diagnose compare runs/NAME runs/OTHER --pairs")
def compare(
    runs: Annotated[list[str], typer.Argument(help="Finished runs, or ablations for all of theirs; the first leads.")],
    pairs: PairsOption = False,
    margin: MarginOption = 0.01,
    out: Annotated[Path, typer.Option("--out", help="Folder for the page.")] = REPORTS,
    as_json: JsonOption = False,
) -> None:
    """Compare finished runs that were not planned together.

    Finds what their recipes differ in; runs of one recipe are seeds of one arm. They must have been scored on the same
    documents.
    """
    from diagnose import store
    from diagnose.ablation.comparing import compare as comparison

    store.check_writable(out)
    _finish_ablation(comparison(runs, pairs=pairs, margin=margin, command=_command()), out, as_json=as_json)


@app.command(epilog="Example: diagnose train --recipe quick --set tokenizer.kind=char --data notes.txt")
def train(
    recipe: RecipeOption = "quick",
    settings: SetOption = [],  # noqa: B006  (typer copies it)
    data: DataOption = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train one network and leave a run directory in runs/.

    It can be stopped at any moment; --resume goes on to the very weights that it would have had.
    """
    from diagnose import runner
    from diagnose.progress import watching

    given = _overrides(settings, data)
    with watching() as watch:
        path = runner.train(recipe, given, runs=RUNS, resume=resume, watch=watch)
    summary = runner.summary(path)
    if as_json:
        _print_json(summary)
    else:
        from diagnose.report import page, terminal
        from diagnose.report.summary import read_run

        _show(terminal.run_rows(read_run(path)))
        print(page.render_run(path, REPORTS))


@app.command(epilog="Example: diagnose runs --prune")
def runs(
    as_json: JsonOption = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Drop checkpoints of runs that nothing needs, and stale caches; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """List the runs in runs/ with their state and disk use."""
    from diagnose import inventory

    if prune:
        found = inventory.prunable(RUNS)
        print(inventory.prune_sentence(found), file=sys.stderr)
        if found and (yes or typer.confirm("Remove them?", err=True)):
            inventory.prune(found)
        return
    listed = inventory.listing(RUNS)
    _print_json({"runs": listed}) if as_json else _show(inventory.rows(listed))


@app.command(epilog='Example: diagnose sample runs/latest --prompt "In the beginning"')
def sample(
    run: Annotated[str, typer.Argument(help="A run's directory, or runs/latest.")],
    prompt: Annotated[str, typer.Option("--prompt", help="Text to go on from; may be empty.")] = "",
    count: Annotated[int, typer.Option("--count", min=1, help="How many samples.")] = 1,
    most_bytes: Annotated[
        int, typer.Option("--bytes", min=1, help="Stop after so many bytes without an end mark.")
    ] = 400,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0.0, help="1 as the network has learned it, 0 the likeliest.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Print text from a run's checkpoint."""
    from diagnose import inventory

    texts = inventory.samples(run, prompt, count, most_bytes=most_bytes, temperature=temperature, seed=seed)
    if as_json:
        _print_json({"run": run, "prompt": prompt, "samples": texts})
    else:
        print("\n\n".join(texts))


@app.command(epilog="Example: diagnose report runs/latest; diagnose report --index")
def report(
    what: Annotated[list[str] | None, typer.Argument(help="Run or ablation directories, or runs/latest.")] = None,
    index: Annotated[
        bool, typer.Option("--index", help="Write index.html, which lists the folder's pages with their verdicts.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder for the page.")] = REPORTS,
    as_json: JsonOption = False,
) -> None:
    """Render pages again, from what is stored alone."""
    from diagnose import store
    from diagnose.errors import DiagnoseError
    from diagnose.report import page
    from diagnose.report.index import render_index

    if not what and not index:
        raise DiagnoseError("name a run or an ablation, for instance runs/latest, or give --index")
    folders = [store.find(name) for name in what or []]
    pages = [str(path) for folder in folders for path in page.render(folder, out)]
    listed = str(render_index(out)) if index else None
    if as_json:
        _print_json({"pages": pages, "index": listed})
    else:
        print("\n".join([*pages, *([listed] if listed else [])]))


@app.command(epilog="Example: diagnose recipes; diagnose train --recipe first-user")
def recipes(as_json: JsonOption = False) -> None:
    """List the recipes that ship, with what each is for."""
    from diagnose.recipe import Recipe, shipped

    found = {name: Recipe.load(name) for name in shipped()}
    if as_json:
        rows = [{"name": n, "about": r.about, "assumptions": list(r.assumptions)} for n, r in found.items()]
        _print_json({"recipes": rows})
        return
    from rich.table import Table

    table = Table("recipe", "what it is for", box=None, pad_edge=False)
    for name, one in found.items():
        assumed = (
            f"\n[dim]assumed, for its source does not say: {', '.join(one.assumptions)}[/]" if one.assumptions else ""
        )
        table.add_row(name, one.about + assumed)
    _show(table)


@app.command(name="axes", epilog="Example: diagnose axes tokenizer")
def list_axes(
    name: Annotated[str | None, typer.Argument(help="One axis.")] = None, as_json: JsonOption = False
) -> None:
    """List the axes, with the trap in reading each."""
    from diagnose.ablation.axes import NAMED, find

    found = [find(name)] if name else list(NAMED.values())
    if as_json:
        _print_json(
            {"axes": [{"name": a.name, "levels": list(a.levels), "what": a.what, "trap": a.trap} for a in found]}
        )
        return
    from rich.table import Table

    table = Table("axis", "levels", "what it varies, and its trap", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.name, ", ".join(one.levels), f"{one.what}\n[dim]{one.trap}[/]")
    _show(table)


@app.command(name="loss-gap", epilog="Example: diagnose loss-gap runs/latest --verify")
def loss_gap(
    run: Annotated[str, typer.Argument(help="A run's directory, or runs/latest.")],
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="SECONDS", help="Time to take, or text to read as 500000tokens."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Train the last logging interval again and compare it with the log.")
    ] = False,
    against: Annotated[
        str | None, typer.Option("--against", metavar="RUN", help="Another run: what changed, term by term.")
    ] = None,
    fail_over: Annotated[
        list[str],
        typer.Option("--fail-over", metavar="TERM=NATS", help="Exit 1 where a term, a group or the gap is larger."),
    ] = [],  # noqa: B006  (typer copies it)
    data: Annotated[str | None, typer.Option("--data", metavar="FILE", help="The run's text, if it was moved.")] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="FILE.py:build", help="The network of a loop of yours (GapRecorder)."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Folder for the page, or its path.")] = REPORTS,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print verdict and ledger for a pull request.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Account for the gap between the training and the validation loss that a run reports.

    Walks from one to the other, changes one condition at a time, and says what each change does to the loss.
    """
    from diagnose import store
    from diagnose.explain import recorded
    from diagnose.explain.kept import is_record
    from diagnose.gap import ledger, thresholds
    from diagnose.report import gap_terminal, page

    limits, folder = thresholds.parse(fail_over), store.find(run)
    store.check_writable(page.folder_of(out))
    if is_record(folder):
        recorded.refuse(verify=verify, against=against, data=data)
        gap = recorded.loss_gap(folder, model, budget=budget)
    else:
        gap = ledger.loss_gap(folder, budget=budget, verify=verify, against=against, data=data)
    found = ledger.keep(folder, gap)
    found["page"] = str(page.render_gap(folder, out, found))
    page.refresh(folder, out)
    if as_json:
        _print_json(found)
    elif markdown:
        print(gap_terminal.markdown(found))
    else:
        _show(gap_terminal.gap_rows(found))
        print(found["page"])
    thresholds.refuse(found, limits)

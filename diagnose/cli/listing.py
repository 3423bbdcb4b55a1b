"""Commands that show what there is: runs, samples, pages, recipes, axes."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  (typer reads annotations as it runs)
from typing import Annotated

import typer

from diagnose.cli.options import LIST, REPORTS, RUNS, JsonOption, ModelOption, Output, TrackerOption, subcommand
from diagnose.cli.outcome import check_tracker, open_page, print_json, report_to, show, show_report


@subcommand("diagnose runs\ndiagnose runs --json\ndiagnose runs --prune", panel=LIST)
def runs(
    as_json: JsonOption = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Drop checkpoints of runs that nothing needs, and stale caches; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """List the runs in runs/ with their state and disk use."""
    from diagnose.runs import inventory

    if prune:
        unfinished = inventory.prunable(RUNS)
        print(inventory.prune_sentence(unfinished), file=sys.stderr)
        if unfinished and (yes or typer.confirm("Remove them?", err=True)):
            inventory.prune(unfinished)
        return
    listed = inventory.listing(RUNS)
    print_json({"runs": [row.model_dump() for row in listed]}) if as_json else show(inventory.rows(listed))


@subcommand(
    'diagnose sample runs/latest --prompt "In the beginning"\n'
    "diagnose sample runs/NAME --count 5 --temperature 0.8\n"
    "diagnose sample runs/latest --bytes 1000 --seed 3 --json",
    panel=LIST,
)
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
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print text from a run's checkpoint."""
    from diagnose.runs import inventory

    texts = inventory.samples(
        run, prompt, count, most_bytes=most_bytes, temperature=temperature, seed=seed, model=model
    )
    if as_json:
        print_json({"run": run, "prompt": prompt, "samples": texts})
    else:
        print("\n\n".join(texts))


@subcommand(
    "diagnose report runs/latest --open\n"
    "diagnose report runs/NAME --figures paper --tables paper\n"
    "diagnose report --index",
    panel=LIST,
)
def report(
    output: Output,
    what: Annotated[list[str] | None, typer.Argument(help="Run or ablation directories, or runs/latest.")] = None,
    index: Annotated[
        bool, typer.Option("--index", help="Write index.html, which lists the folder's pages with their verdicts.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the pages.")] = REPORTS,
    everything: Annotated[bool, typer.Option("--all", help="Print all that the pages say, too.")] = False,
    figures: Annotated[
        Path | None,
        typer.Option(
            "--figures", metavar="DIR", help="Write each figure there as SVG, PNG and PDF; pages link to them."
        ),
    ] = None,
    tables: Annotated[
        Path | None, typer.Option("--tables", metavar="DIR", help="Write each table there as CSV and LaTeX (booktabs).")
    ] = None,
    tracker: TrackerOption = None,
) -> None:
    """Render pages again, from what is stored alone."""
    from diagnose.errors import DiagnoseError
    from diagnose.report import exports, page
    from diagnose.report.index import render_index
    from diagnose.runs import store

    if not what and not index:
        raise DiagnoseError("name a run or an ablation, for instance runs/latest, or give --index")
    check_tracker(tracker)
    folders = [store.find(name) for name in what or []]
    drawn = [str(path) for folder in folders for path in exports.write(folder, figures, tables)]
    rendered = [page.render(folder, out, figures) for folder in folders]
    pages = [str(path) for some in rendered for path in some]
    listed = str(render_index(out)) if index else None
    for folder, some in zip(folders, rendered, strict=True) if tracker else []:
        report_to(tracker, folder, some[0], next(document for _, document in page.reports_of(folder)))
    if output.opens:
        open_page(listed or pages[0])
    if output.as_json:
        print_json({"pages": pages, "index": listed} | ({"exports": drawn} if figures or tables else {}))
    elif output.markdown or everything:
        for document in (document for folder in folders for _, document in page.reports_of(folder)):
            show_report(document, markdown=output.markdown, everything=everything)
            print()
    else:
        print("\n".join([*pages, *([listed] if listed else []), *drawn]))


@subcommand("diagnose recipes\ndiagnose recipes --json\ndiagnose train --recipe first-user", panel=LIST)
def recipes(as_json: JsonOption = False) -> None:
    """List the recipes that ship, with what each is for."""
    from diagnose.config.recipe import Recipe, shipped

    loaded = {name: Recipe.load(name) for name in shipped()}
    if as_json:
        rows = [{"name": n, "about": r.about, "assumptions": list(r.assumptions)} for n, r in loaded.items()]
        print_json({"recipes": rows})
        return
    from rich.table import Table

    table = Table("recipe", "what it is for", box=None, pad_edge=False)
    for name, recipe in loaded.items():
        assumed = (
            f"\n[dim]assumed, for its source does not say: {', '.join(recipe.assumptions)}[/]"
            if recipe.assumptions
            else ""
        )
        table.add_row(name, recipe.about + assumed)
    show(table)


@subcommand("diagnose axes\ndiagnose axes tokenizer\ndiagnose axes --json", panel=LIST, name="axes")
def list_axes(
    name: Annotated[str | None, typer.Argument(help="One axis.")] = None, as_json: JsonOption = False
) -> None:
    """List the axes, with the trap in reading each."""
    from diagnose.ablation.axes import NAMED, find

    axes = [find(name)] if name else list(NAMED.values())
    if as_json:
        print_json({"axes": [{"name": a.name, "levels": list(a.levels), "what": a.what, "trap": a.trap} for a in axes]})
        return
    from rich.table import Table

    table = Table("axis", "levels", "what it varies, and its trap", box=None, pad_edge=False)
    for axis in axes:
        table.add_row(axis.name, ", ".join(axis.levels), f"{axis.what}\n[dim]{axis.trap}[/]")
    show(table)

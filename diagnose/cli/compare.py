"""The command that compares results that are there: finished runs of ours, or anybody's table of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diagnose.cli.options import (
    REPORTS,
    JsonOption,
    MarkdownOption,
    OpenOption,
    PairsOption,
    app,
    command,
    show_outcome,
)
from diagnose.cli.training import finish_ablation

EXAMPLES = """Examples:

diagnose compare runs/NAME runs/OTHER --pairs

diagnose compare results.csv --arm model --seed seed --score val_loss

diagnose compare samples.parquet --arm model --seed seed --example id --cluster passage --score accuracy"""
MARGIN = 0.01  # bits per byte, of runs of ours


@app.command(epilog=EXAMPLES)
def compare(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT...",
            help="Finished runs, or ablations for all of theirs, the first leads; or a table (CSV, Parquet, JSON "
            "lines), or a folder that another tool left.",
        ),
    ],
    arm: Annotated[
        list[str],
        typer.Option("--arm", metavar="COLUMN", help="Of a table: what is compared; several make a factorial."),
    ] = [],  # noqa: B006  (typer copies it)
    score: Annotated[
        list[str], typer.Option("--score", metavar="COLUMN", help="The score; may be repeated.")
    ] = [],  # noqa: B006
    scores: Annotated[
        str | None, typer.Option("--scores", metavar="A,B", help="Several scores, comma-separated.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option("--seed", metavar="COLUMN", help="What tells the runs of an arm apart.")
    ] = None,
    example: Annotated[
        str | None, typer.Option("--example", metavar="COLUMN", help="What was scored, where a row is an example.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="COLUMN", help="Groups of examples that belong together.")
    ] = None,
    higher: Annotated[
        bool | None,
        typer.Option(
            "--higher-is-better/--lower-is-better", help="Which side of the scores is better; else their names."
        ),
    ] = None,
    levels: Annotated[
        str | None, typer.Option("--levels", metavar="A,B", help="Arms of a table to keep; the first is the control.")
    ] = None,
    pairs: PairsOption = False,
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin", metavar="SIZE",
            help="Say where an effect is shown to be no larger: in bits per byte of runs (0.01), in the score's unit "
            "of a table.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the page.")] = REPORTS,
    opens: OpenOption = False,
    markdown: MarkdownOption = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Compare results that are there: finished runs, or a table of scores from any tool.

    Of runs it finds what their recipes differ in; runs of one recipe are seeds of one arm, scored on the same
    documents. Of a table it finds the design: seeds shared or not, examples scored by every run or by one,
    clusters, what is missing. Intervals are over what was drawn: seeds, examples, or both.
    """
    from diagnose.ablation.results.score_sources import Wanted, is_results
    from diagnose.runs import store

    wanted = Wanted(tuple(arm), (*score, *_split(scores)), seed, example, cluster)
    store.check_writable(out)
    if not is_results(what, wanted):
        from diagnose.ablation.comparison import compare as comparison

        bits = MARGIN if margin is None else margin
        folder = comparison(what, pairs=pairs, margin=bits, command=command())
        finish_ablation(folder, out, opens=opens, markdown=markdown, as_json=as_json)
        return
    from diagnose.ablation.results.score_sources import compared
    from diagnose.report import page, score_document

    found = compared(
        [Path(one) for one in what], wanted, higher=higher, levels=_split(levels) or None, pairs=pairs, margin=margin,
        command=command(),
    )  # fmt: skip
    report = score_document.report_of(found)
    where = page.render_alone(report, out, score_document.name_of_page(found))
    record = {**found.model_dump(mode="json"), "page": str(where)}
    show_outcome(record, report, where, as_json=as_json, markdown=markdown, opens=opens)


def _split(given: str | None) -> list[str]:
    """Return the parts of a list with commas, none empty."""
    return [part.strip() for part in (given or "").split(",") if part.strip()]

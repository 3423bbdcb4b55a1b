"""The command that compares results that are there: finished runs of ours, or anybody's table of scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from diagnose.cli.options import (
    REPORTS,
    TRAIN,
    FolderOption,
    HigherOption,
    MarginOption,
    Output,
    PairsOption,
    bits_of,
    command,
    margin_of,
    subcommand,
)
from diagnose.cli.outcome import show_outcome
from diagnose.cli.training import finish_ablation

if TYPE_CHECKING:
    from diagnose.ablation.results.score_sources import Wanted


@dataclass(frozen=True)
class Table:
    """What the columns of a table of scores are."""

    HEADING: ClassVar[str] = "Of a table of scores"
    arm: Annotated[
        list[str],
        typer.Option("--arm", metavar="COLUMN", help="What is compared; several make a factorial."),
    ] = field(default_factory=list)
    score: Annotated[list[str], typer.Option("--score", metavar="COLUMN", help="The score; may be repeated.")] = field(
        default_factory=list
    )
    scores: Annotated[str | None, typer.Option("--scores", metavar="A,B", help="Several scores, comma-separated.")] = (
        None
    )
    seed: Annotated[
        str | None, typer.Option("--seed", metavar="COLUMN", help="What tells the runs of an arm apart.")
    ] = None
    example: Annotated[
        str | None, typer.Option("--example", metavar="COLUMN", help="What was scored, where a row is an example.")
    ] = None
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="COLUMN", help="Groups of examples that belong together.")
    ] = None
    higher: HigherOption = None
    levels: Annotated[
        str | None, typer.Option("--levels", metavar="A,B", help="Arms of a table to keep; the first is the control.")
    ] = None

    where: Annotated[
        list[str],
        typer.Option("--where", metavar="COLUMN=VALUE", help="Rows to keep; epoch=last keeps the last of each run."),
    ] = field(default_factory=list)
    melt: Annotated[
        str | None,
        typer.Option(
            "--melt", metavar="NAME=A,B",
            help="Columns that are an arm or a seed each (seed*): their names become NAME, what they hold --score.",
        ),
    ] = None  # fmt: skip

    @property
    def wanted(self) -> Wanted:
        """The columns, as tables are read."""
        from diagnose.ablation.results.score_sources import Wanted

        scores = (*self.score, *_split(self.scores))
        return Wanted(tuple(self.arm), scores, self.seed, self.example, self.cluster)


@subcommand(
    "diagnose compare runs/NAME runs/OTHER --pairs\n"
    "diagnose compare results.csv --arm model --seed seed --score val_loss\n"
    "diagnose compare samples.parquet --arm model --seed seed --example id --cluster passage --score accuracy",
    panel=TRAIN,
)
def compare(
    table: Table,
    output: Output,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT...",
            help="Finished runs, or ablations for all of theirs, the first leads; or a table (CSV, Parquet, JSON "
            "lines), or a folder that another tool left.",
        ),
    ],
    pairs: PairsOption = False,
    margin: MarginOption = None,
    out: FolderOption = REPORTS,
) -> None:
    """Compare finished runs, or a table of scores from any tool.

    Of runs it finds what their recipes differ in; runs of one recipe are seeds of one arm, scored on the same
    documents. Of a table it finds the design: seeds shared or not, examples scored by every run or by one,
    clusters, what is missing. Intervals are over what was drawn: seeds, examples, or both.
    """
    from diagnose.ablation.results.chosen_rows import chosen_rows
    from diagnose.ablation.results.score_sources import compared, is_results
    from diagnose.report import page, score_document
    from diagnose.runs import store

    store.check_writable(page.folder_of(out))
    if not is_results(what, table.wanted):
        from diagnose.ablation.comparison import compare as comparison

        folder = comparison(what, pairs=pairs, margin=bits_of(margin), command=command())
        finish_ablation(folder, out, output)
        return
    chosen = chosen_rows(table.where, table.melt, _split(table.levels))
    result = compared(
        [Path(path) for path in what], table.wanted, higher=table.higher, levels=_split(table.levels) or None,
        pairs=pairs, margin=margin_of(margin), command=command(), rows=chosen,
    )  # fmt: skip
    report = score_document.report_of(result)
    where = page.render_alone(report, out, score_document.name_of_page(result))
    record = {**result.model_dump(mode="json"), "page": str(where)}
    show_outcome(record, report, where, output)


def _split(given: str | None) -> list[str]:
    """Return the parts of a list with commas, none empty."""
    return [part.strip() for part in (given or "").split(",") if part.strip()]

"""The command that says what good looks like: yardstick."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.options import (
    REPORTS,
    RUNS,
    TRAIN,
    DataOption,
    FolderOption,
    Output,
    SetOption,
    command,
    overrides,
    subcommand,
)
from diagnose.cli.outcome import show_outcome


@subcommand(
    "diagnose yardstick --data notes.txt\n"
    "diagnose yardstick --data notes.txt --split tail --page --open\n"
    "diagnose yardstick --set data.documents=paragraph --data notes.txt --json",
    panel=TRAIN,
)
def yardstick(
    output: Output,
    data: DataOption = None,
    split: Annotated[str | None, typer.Option("--split", help="How text is divided: documents, tail, windows.")] = None,
    settings: SetOption = [],  # noqa: B006  (typer copies it)
    page: Annotated[bool, typer.Option("--page", help="Write a page with the scale, too.")] = False,
    out: FolderOption = REPORTS,
) -> None:
    """Say what n-grams and compressors need for the same text.

    In bits per byte: they learn the training text and are scored on the validation text.

    The documents are those that a run with the same [data] settings is scored on; finished runs in runs/ that were
    stand among them. Says what more text, parameters or steps would give, where that can be said. Computed once and
    kept in the cache.
    """
    import sys
    from dataclasses import asdict

    from diagnose.baselines import growth, peers, scoring
    from diagnose.config.recipe import Recipe
    from diagnose.data import corpus
    from diagnose.data import split as splits
    from diagnose.data.cache import cache_folder
    from diagnose.report.baseline_document import BaselineScale, report_of
    from diagnose.report.page import render_alone

    given = overrides(settings, data) | ({"data.split": split} if split else {})
    recipe = Recipe.load("quick", given)
    text = corpus.load(recipe.data, cache_folder())
    parts = splits.split(text, recipe.data)

    def watch(name: str) -> None:
        if not output.quiet:
            print(f"computing {name}", file=sys.stderr)

    baselines = scoring.yardsticks(text, parts, cache_folder(), watch=watch)
    runs = peers.runs_on(RUNS, text, parts)
    scored = f"{len(parts.scored):,} {parts.scored_text} documents"
    laws = growth.laws(text, parts, runs, cache_folder(), watch)
    name = text.title or text.name
    report = report_of(BaselineScale(name, tuple(baselines), tuple(runs), tuple(laws), scored, command()))
    where = render_alone(report, out, f"yardstick-{name}") if page or output.opens else None
    size = text.size(parts.scored)
    rows = {"runs": [asdict(peer) for peer in runs], "published": [asdict(peer) for peer in peers.PUBLISHED]}
    more = {"laws": [law.record() for law in laws]} | ({"page": str(where)} if where else {})
    record = {"bytes": size, "yardsticks": scoring.records(baselines), **rows, **more}
    show_outcome(record, report, where, output)

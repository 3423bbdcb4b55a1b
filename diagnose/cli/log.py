"""The command that reads a bare log: log."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads annotations as it runs)
from typing import Annotated

import typer

from diagnose.cli.options import EXPLAIN, REPORTS, FolderOption, Output, subcommand
from diagnose.cli.outcome import show_outcome


@subcommand(
    "diagnose log train.log\n"
    "diagnose log lightning_logs/version_0 --page --open\n"
    "diagnose log history.csv --columns train=loss,val=val_loss,epoch=epoch",
    panel=EXPLAIN,
)
def log(
    output: Output,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="A log, its parts, or a run each; a folder of TensorBoard's files."),
    ],
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="ROLE=NAME,...",
            help="Names of train, val, step, epoch and seconds in a table, or the numbers of their columns.",
        ),
    ] = None,
    fmt: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="text, csv, jsonl, json or tensorboard.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FILE", help="The text that was trained on, or akjv: is the loss plausible?"),
    ] = None,
    tokens: Annotated[
        str | None, typer.Option("--tokens", metavar="KIND", help="Its tokens: word, char, bpe or a tokenizer.json.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="KIND", help="How text was divided: documents, tail or windows.")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="NAME", help="Which run of a folder, where it holds several.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print all of it: numbers, every cause with its reason, the experiment.")
    ] = False,
    page: Annotated[bool, typer.Option("--page", help="Write a page with both curves and the gap, too.")] = False,
    out: FolderOption = REPORTS,
) -> None:
    """Say what a log can and cannot tell of its gap.

    Reads the output of any loop, nanoGPT, nanochat, llm.c, Hugging Face, Lightning, Keras, TensorBoard, W&B exports and
    tables. Exits 1 where something is found.
    """
    from diagnose.errors import FINDING
    from diagnose.logs.judge import judge
    from diagnose.report import log_document
    from diagnose.report import page as pages

    judgement = judge(files, fmt=fmt, columns=columns, data=data, tokens=tokens, split=split, run=run)
    written = pages.render_log(judgement, out) if page or output.opens else None
    record = judgement.model_dump(mode="json") | ({"page": str(written)} if written else {})
    report = log_document.report_of(judgement)
    show_outcome(record, report, written, output, everything=everything)
    if judgement.findings:
        raise typer.Exit(FINDING)

"""The command that accounts for a gap: loss-gap."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads annotations as it runs)
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from diagnose.records.ledgers import ArmLedgers, LedgerRecord

from diagnose.cli.options import REPORTS, JsonOption, MarkdownOption, OpenOption, app, show_outcome, warn


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
        typer.Option("--model", metavar="FILE.py:build", help="The code of the network, where it is yours."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Folder for the page, or its path.")] = REPORTS,
    opens: OpenOption = False,
    markdown: MarkdownOption = False,
    as_json: JsonOption = False,
) -> None:
    """Account for the gap between the training and the validation loss that a run reports.

    Walks from one to the other, changes one condition at a time, and says what each change does to the loss.
    """
    from diagnose.gap import thresholds
    from diagnose.gap.recorder import recorded
    from diagnose.gap.recorder.recording import is_record
    from diagnose.gap.run import run_gap
    from diagnose.report import page
    from diagnose.report.links import GAP
    from diagnose.runs import store

    limits, folder = thresholds.parse(fail_over), store.find(run)
    store.check_writable(page.folder_of(out))
    gap: LedgerRecord | ArmLedgers
    if is_record(folder):
        recorded.refuse(verify=verify, against=against, data=data)
        gap = recorded.loss_gap(folder, model, budget=budget)
    else:
        gap = run_gap.loss_gap(folder, budget=budget, verify=verify, against=against, data=data, model=model)
    found = run_gap.keep(folder, gap)
    if found is not gap:
        warn(found.notes[-1])
    report = page.gap_report(folder, found)
    where = page.put(report, folder, out, GAP)
    found = found.model_copy(update={"page": str(where)})
    page.refresh(folder, out)
    show_outcome(found.model_dump(mode="json"), report, where, as_json=as_json, markdown=markdown, opens=opens)
    thresholds.refuse(found, limits)

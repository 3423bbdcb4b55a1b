"""The command that accounts for a gap: loss-gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from diagnose.records.arm_ledgers import ArmLedgers
    from diagnose.records.ledgers import LedgerRecord

from diagnose.cli.options import EXPLAIN, REPORTS, FolderOption, ModelOption, MovedOption, Output, subcommand
from diagnose.cli.outcome import show_outcome, warn


@subcommand(
    "diagnose loss-gap runs/latest --verify\n"
    "diagnose loss-gap runs/NAME --against runs/OTHER\n"
    "diagnose loss-gap runs/latest --fail-over leak=0.01 --json",
    panel=EXPLAIN,
    name="loss-gap",
)
def loss_gap(
    output: Output,
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
    data: MovedOption = None,
    model: ModelOption = None,
    out: FolderOption = REPORTS,
) -> None:
    """Account for the gap between training and validation loss.

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
    ledger = run_gap.keep(folder, gap)
    if ledger is not gap:
        warn(ledger.notes[-1])
    report = page.gap_report(folder, ledger)
    where = page.put(report, folder, out, GAP)
    ledger = ledger.model_copy(update={"page": str(where)})
    page.refresh(folder, out)
    show_outcome(ledger.model_dump(mode="json"), report, where, output)
    thresholds.refuse(ledger, limits)

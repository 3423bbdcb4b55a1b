"""The command that asks whether a run's metric and set-up are sound: audit."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.options import EXPLAIN, REPORTS, FolderOption, ModelOption, MovedOption, Output, subcommand
from diagnose.cli.outcome import show_outcome, warn


@subcommand(
    "diagnose audit runs/latest\n"
    "diagnose audit runs/latest --json\n"
    "diagnose audit runs/NAME --data moved/notes.txt --markdown",
    panel=EXPLAIN,
)
def audit(
    output: Output,
    run: Annotated[str, typer.Argument(help="A run's directory, or runs/latest.")],
    data: MovedOption = None,
    model: ModelOption = None,
    out: FolderOption = REPORTS,
) -> None:
    """Ask whether a run's metric is sound, and its set-up.

    Exits with 0 where no rule is broken, 1 with findings, 2 after a mistake, 3 where rules could not be judged.
    """
    from diagnose.audit.run_audit import audit_run, keep
    from diagnose.report import page
    from diagnose.report.links import AUDIT
    from diagnose.runs import store

    folder = store.find(run)
    store.check_writable(page.folder_of(out))
    judged = audit_run(folder, data=data, model=model)
    recorded = keep(folder, judged)
    if recorded is not judged:
        warn(recorded.notes[-1])
    report = page.audit_report(folder, recorded)
    where = page.put(report, folder, out, AUDIT)
    recorded = recorded.model_copy(update={"page": str(where)})
    page.refresh(folder, out)
    show_outcome(recorded.model_dump(mode="json"), report, where, output)
    if recorded.exit_code:
        raise typer.Exit(recorded.exit_code)

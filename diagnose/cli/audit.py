"""The command that asks whether a run's metric and set-up are sound: audit."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads annotations as it runs)
from typing import Annotated

import typer

from diagnose.cli.options import REPORTS, JsonOption, MarkdownOption, OpenOption, app, show_outcome, warn


@app.command(epilog="Example: diagnose audit runs/latest")
def audit(
    run: Annotated[str, typer.Argument(help="A run's directory, or runs/latest.")],
    data: Annotated[str | None, typer.Option("--data", metavar="FILE", help="The run's text, if it was moved.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="FILE.py:build",
            help="The code of the run's network where it is not installed; it is run only if you name it.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Folder for the page, or its path.")] = REPORTS,
    opens: OpenOption = False,
    markdown: MarkdownOption = False,
    as_json: JsonOption = False,
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
    found = keep(folder, judged)
    if found is not judged:
        warn(found.notes[-1])
    report = page.audit_report(folder, found)
    where = page.put(report, folder, out, AUDIT)
    found = found.model_copy(update={"page": str(where)})
    page.refresh(folder, out)
    show_outcome(found.model_dump(mode="json"), report, where, as_json=as_json, markdown=markdown, opens=opens)
    if found.exit_code:
        raise typer.Exit(found.exit_code)

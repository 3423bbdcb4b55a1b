"""The command that looks something up in the field guide: explain."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.options import JsonOption, app, print_json, show


@app.command(
    epilog="Example: diagnose explain dropout; diagnose explain gap/leaking-split; diagnose explain axis/context"
)
def explain(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[TERM|RULE]", help="A term, cause, word, axis or rule; all are listed without."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a term, a cause, an axis or a finding means, how large it is, and what to do."""
    from diagnose.glossary import catalogue
    from diagnose.report import glossary_terminal

    if name is None:
        found = list(catalogue.entries().values())
        if as_json:
            print_json({"entries": [{"id": e.id, "kind": e.kind, "title": e.title, "about": e.short} for e in found]})
        else:
            show(glossary_terminal.listing(found))
        return
    entry = catalogue.find(name)
    print_json(glossary_terminal.record(entry)) if as_json else show(glossary_terminal.page(entry))

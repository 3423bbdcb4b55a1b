"""The command that looks something up in the field guide: explain."""

from __future__ import annotations

from typing import Annotated

import typer

from diagnose.cli.options import EXPLAIN, JsonOption, subcommand
from diagnose.cli.outcome import print_json, show


@subcommand(
    "diagnose explain dropout\ndiagnose explain gap/leaking-split\ndiagnose explain axis/context", panel=EXPLAIN
)
def explain(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[TERM|RULE]", help="A term, cause, word, axis or rule; all are listed without."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a term, an axis or a finding means, and what to do."""
    from diagnose.glossary import catalogue
    from diagnose.report import glossary_terminal

    if name is None:
        entries = list(catalogue.entries().values())
        if as_json:
            print_json({"entries": [{"id": e.id, "kind": e.kind, "title": e.title, "about": e.short} for e in entries]})
        else:
            show(glossary_terminal.listing(entries))
        return
    entry = catalogue.find(name)
    print_json(glossary_terminal.record(entry)) if as_json else show(glossary_terminal.page(entry))

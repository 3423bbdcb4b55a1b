"""The field guide in the terminal: an entry with its sections, or the list of all, at most 100 columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from diagnose.formatting import cut
from diagnose.glossary.entries import AXIS, CAUSE, KINDS, RULE, TERM, WORD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from diagnose.glossary.entries import GlossaryEntry

HEADS = {
    TERM: "Terms of the ledger",
    CAUSE: "Causes",
    WORD: "Words",
    AXIS: "Axes of an ablation",
    RULE: "Rules of findings",
}
KIND = {TERM: "a term of the ledger", CAUSE: "a cause", WORD: "a word", AXIS: "an axis", RULE: "a rule"}
MOST = 66  # characters of what an entry is, in the list
_LINK = re.compile(r"\[([^\]]+)\]\((?P<target>[^)\s]+)\)")
_SENTENCE = re.compile(r"(?<=[.:;])\s|,\s(?=which |that )")


def page(entry: GlossaryEntry) -> RenderableType:
    """Return an entry as the terminal shows it."""
    part = f", part of {entry.part_of}" if entry.part_of else ""
    parts: list[RenderableType] = [Text.assemble((entry.title, "bold"), (f"  {KIND[entry.kind]}{part}", "dim")), Text()]
    parts.append(_said(entry.about))
    for heading, text in entry.sections:
        parts += [Text(), Text(heading, style="bold"), Padding(_said(text), (0, 0, 0, 2))]
    if entry.see:
        parts += [Text(), Text(f"See also: {', '.join(entry.see)}", style="dim")]
    return Group(*parts)


def _said(text: str) -> Markdown:
    """Return Markdown for the terminal: links as their words, or with the address where it leads out."""
    return Markdown(_LINK.sub(_plain, text), code_theme="bw", hyperlinks=False)


def _plain(link: re.Match[str]) -> str:
    words, target = link.group(1), link["target"]
    return f"{words} ({target})" if target.startswith("http") else words


def listing(entries: Iterable[GlossaryEntry]) -> RenderableType:
    """Return what there is, a line each, by kind."""
    some = list(entries)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, min_width=max((len(entry.id) for entry in some), default=0) + 2)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for kind in KINDS:
        of_kind = [entry for entry in some if entry.kind == kind]
        if of_kind:
            table.add_row(Text(HEADS[kind], style="bold"), "")
        for entry in of_kind:
            table.add_row(f"  {entry.id}", Text(_first(entry), style="dim"))
    return Group(table, Text(), Text("diagnose explain NAME tells more.", style="dim"))


def _first(entry: GlossaryEntry) -> str:
    """Return the beginning of what an entry is."""
    words = entry.title if entry.kind == CAUSE else _LINK.sub(r"\1", entry.short)
    for opening in ("A finding: ", "A rule of the audit: ", "An axis: it varies "):
        words = words.removeprefix(opening)
    first = _SENTENCE.split(words.replace("`", ""))[0].rstrip(".:;")
    return cut(first, MOST)


def record(entry: GlossaryEntry) -> dict[str, Any]:
    """Return an entry as programs read it."""
    return {
        "id": entry.id, "kind": entry.kind, "title": entry.title, "about": entry.short,
        "sections": [{"title": heading, "text": text} for heading, text in entry.sections],
        "part_of": entry.part_of or None, "rules": list(entry.rules), "see": list(entry.see),
    }  # fmt: skip

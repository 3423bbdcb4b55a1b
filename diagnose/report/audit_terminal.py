"""An audit for the terminal and for a pull request: the verdict, findings, what was checked and what was not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from diagnose.formatting import plain, visible
from diagnose.report.terminal import Narrow

if TYPE_CHECKING:
    from rich.console import RenderableType

STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold"}
MOST = 3  # numbers of a rule that was kept


def audit_rows(record: dict[str, Any]) -> RenderableType:
    """Return verdict, findings, rules that were kept, and rules that were not judged."""
    parts: list[RenderableType] = [Narrow(Text(record["verdict"], style="bold"))]
    for found in record["findings"]:
        head = Text.assemble((found["severity"], STYLES[found["severity"]]), " ", (found["rule"], "bold"))
        parts += [Text(), Narrow(head), Narrow(Text(sentence(found["what"])), 2)]
        parts.append(Narrow(Text(f"To mend it: {found['fix']}.", style="dim"), 2))
    if record["checked"]:
        parts += [Text(), Text("Checked", style="bold")]
        rows = [f"{row['rule']}: {row['asks']}{_numbers(row['measured'])}" for row in record["checked"]]
        parts += [Narrow(Text(row), 2) for row in rows]
    for applies, title in ((True, "Could not be judged"), (False, "Not judged: does not apply")):
        some = [row for row in record["skipped"] if row["applies"] is applies]
        if some:
            parts += [Text(), Text(title, style="bold")]
            parts += [Narrow(Text(f"{row['rule']}: {row['why']}", style="dim"), 2) for row in some]
    return Group(*parts)


def sentence(text: str) -> str:
    """Return a clause as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def numbers(measured: dict[str, Any], most: int | None) -> str:
    """Return what was measured as "positions 12, largest 0.004"; so many of its numbers at most."""
    some = [(k, v) for k, v in measured.items() if isinstance(v, (int, float)) and not isinstance(v, bool)][:most]
    return ", ".join(f"{visible(name).replace('_', ' ')} {_figure(value)}" for name, value in some)


def _numbers(measured: dict[str, Any]) -> str:
    said = numbers(measured, MOST)
    return f" ({said})" if said else ""


def _figure(value: float) -> str:
    if isinstance(value, int) or value == 0:
        return plain(value, 0)
    return "under 0.0001" if 0 < abs(value) < 1e-4 else plain(value, 4)


def markdown(record: dict[str, Any]) -> str:
    """Return the audit as Markdown; foreign text cannot leave its cell."""
    lines = [f"**{_cell(record['verdict'])}**", ""]
    if record["findings"]:
        lines += ["| rule | severity | what | to mend it |", "| --- | --- | --- | --- |"]
        for found in record["findings"]:
            cells = (f"`{found['rule']}`", found["severity"], _cell(found["what"]), _cell(found["fix"]))
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    if record["checked"]:
        lines += ["Checked:", ""]
        lines += [f"- `{row['rule']}`: {_cell(row['asks'] + _numbers(row['measured']))}" for row in record["checked"]]
        lines.append("")
    for applies, title in ((True, "Could not be judged:"), (False, "Does not apply:")):
        some = [row for row in record["skipped"] if row["applies"] is applies]
        if some:
            lines += [title, "", *(f"- `{row['rule']}`: {_cell(row['why'])}" for row in some), ""]
    return "\n".join(lines).rstrip()


def _cell(text: str) -> str:
    """Return text that neither ends a table's cell nor is read as Markdown or HTML."""
    out = visible(" ".join(text.split()))
    for character in "\\`*_[]<>|#!":
        out = out.replace(character, f"\\{character}")
    return out

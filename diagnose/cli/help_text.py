"""How `--help` looks: options and commands under headings, and examples one to a line.

Plain text throughout: Rich's own help costs as much time again as all the rest of `--help`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterable

ORDER = {"Arguments": 0, "Options": 1, "Output": 3}  # headings that stand first and last; all others between


class GroupedCommand(TyperCommand):
    """A command whose help lists its options by `rich_help_panel`, and its epilog a line at a time."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then the options under their headings."""
        documented = [
            (parameter, record) for parameter in self.get_params(ctx) if (record := parameter.get_help_record(ctx))
        ]
        titled = [(_heading(parameter), record) for parameter, record in documented]
        _write_groups(titled, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  (the caller's signature)
        """Write the examples, each on a line of its own that can be copied."""
        if self.epilog:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.epilog.splitlines()))


class GroupedCommands(TyperGroup):
    """The application, whose help lists commands by `rich_help_panel`."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under their headings."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        width = formatter.width - 6 - max(len(name) for name, _ in commands)
        rows = [
            (str(getattr(command, "rich_help_panel", None) or "Commands"), (name, command.get_short_help_str(width)))
            for name, command in commands
            if command is not None and not command.hidden
        ]
        _write_groups(rows, formatter)


def _heading(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return str(getattr(parameter, "rich_help_panel", None) or "Options")


def _write_groups(rows: Iterable[tuple[str, tuple[str, str]]], formatter: Any) -> None:
    groups: dict[str, list[tuple[str, str]]] = {}
    for heading, row in rows:
        groups.setdefault(heading, []).append(row)
    for heading in sorted(groups, key=lambda name: ORDER.get(name, 2)):
        with formatter.section(heading):
            formatter.write_dl(groups[heading])

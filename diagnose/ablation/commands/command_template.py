"""A command with placeholders: split into arguments, which are filled and never given to a shell.

A placeholder is `{name}`. What stands in braces and is no name, as JSON, stays; so does `${name}`, which is the
command's own (Hydra, OmegaConf); `{{name}}` gives `{name}`.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.engines.command_job import DIR
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import cut, listed, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAME = r"[A-Za-z_][\w.-]*"
HOLE = re.compile(rf"\{{\{{({NAME})\}}\}}|(?<!\$)\{{({NAME})\}}")
SEED, FOLDER = "seed", "dir"
SHELL = ("|", "||", "&&", ";", "&", ">", ">>", "<", "2>&1", "2>")

Value = str | tuple[str, ...]  # of a placeholder: one argument, or several in the place of one


@dataclass(frozen=True)
class CommandTemplate:
    """A command in parts, as it was given.

    Attributes:
        text: as typed.
        parts: its arguments, with placeholders.
    """

    text: str
    parts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> CommandTemplate:
        """Split a command into arguments as a shell would, without anything else that a shell does.

        Raises:
            DiagnoseError: a quotation is not closed, or nothing is left.
        """
        try:
            parts = tuple(shlex.split(text.replace("\\\n", " ")))
        except ValueError as error:
            raise DiagnoseError(f"--run: {str(error).lower()} in {cut(visible(text), 80)}") from None
        if not parts:
            raise DiagnoseError("--run is empty: give the command that trains, as 'python train.py --seed {seed}'")
        template = cls(text, parts)
        template._check_shell()
        return template

    def _check_shell(self) -> None:
        sign = next((part for part in self.parts if part in SHELL), None)
        if sign is not None:
            raise DiagnoseError(
                f"--run holds {sign!r}, which only a shell understands, and none is used: put the line into a script, "
                "or give sh -c '...'"
            )

    @property
    def names(self) -> list[str]:
        """The placeholders, each once."""
        holes = (match.group(2) for part in self.parts for match in HOLE.finditer(part))
        return list(dict.fromkeys(name for name in holes if name))

    def check(self, known: Sequence[str]) -> None:
        """Refuse a command that does not take what varies, or takes what is not there.

        Args:
            known: placeholders of the axes.

        Raises:
            DiagnoseError: one line says what is missing.
        """
        for name in self.names:
            if name not in (*known, SEED, FOLDER):
                near = nearest(name, [*known, SEED, FOLDER])
                raise DiagnoseError(
                    f"--run: {{{name}}} is no axis{near}; braces that are the command's own are doubled: {{{{{name}}}}}"
                )
        if SEED not in self.names:
            raise DiagnoseError(
                "--run holds no {seed}: without it every run of an arm is the same, or draws a seed that nobody knows"
            )
        unused = [name for name in known if name not in self.names]
        if unused:
            holes = listed([f"{{{name}}}" for name in unused])
            raise DiagnoseError(f"--run holds no {holes}, so that axis would change nothing")

    def filled(self, values: Mapping[str, Value], seed: int) -> tuple[str, ...]:
        """Return the arguments of one run; `DIR` stands for its folder, which is not made yet.

        Raises:
            DiagnoseError: several values are to stand within one argument.
        """
        told: dict[str, Value] = {**values, SEED: str(seed), FOLDER: DIR}
        return tuple(arg for part in self.parts for arg in _arguments(part, told))


def _arguments(part: str, told: Mapping[str, Value]) -> Iterator[str]:
    alone = HOLE.fullmatch(part)
    if alone and alone.group(2) and not isinstance(told[alone.group(2)], str):
        yield from told[alone.group(2)]
        return
    yield HOLE.sub(lambda match: _text(match, told, part), part)


def _text(match: re.Match[str], told: Mapping[str, Value], part: str) -> str:
    if match.group(1):
        return f"{{{match.group(1)}}}"
    value = told[match.group(2)]
    if not isinstance(value, str):
        raise DiagnoseError(
            f"--run: {match.group()} stands for several arguments in an arm, so it must be one by itself, and not part "
            f"of {cut(visible(part), 60)!r}"
        )
    return value


def shown_command(args: Sequence[str]) -> str:
    """Return arguments as a shell would take them, in one line that a terminal can show."""
    mark = "diagnose-dir"  # needs no quotation marks
    told = shlex.join(arg.replace(DIR, mark) for arg in args).replace(mark, "{dir}")
    return visible(told).replace("\n", " ")


def check_program(args: Sequence[str]) -> None:
    """Refuse a command whose program is not there, before anything is run.

    Raises:
        DiagnoseError: nothing of this name is found, or it cannot be executed.
    """
    program = args[0]
    if shutil.which(program) is None:
        there = Path(program).is_file()
        why = "is a file that cannot be executed" if there else "is no program that is found here"
        hint = f": try python {program}" if there and program.endswith(".py") else ""
        raise DiagnoseError(f"--run: {cut(visible(program), 80)!r} {why}{hint}")

"""What a command is varied in: `--axis name=a,b`, and arms that differ in several values, from a TOML file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from diagnose.ablation.commands.command_template import FOLDER, NAME, SEED, Value
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import counted, cut, listed, visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RESERVED = (SEED, FOLDER, "example", "cluster")
MOST_ARMS = 64
MOST_LEVEL = 4096  # characters
ACTING = re.compile(r"[\t\n]")


@dataclass(frozen=True)
class CommandAxis:
    """What is varied: each level's values of placeholders; the first level is the control."""

    name: str
    levels: dict[str, dict[str, Value]]

    @property
    def holes(self) -> list[str]:
        """The placeholders that it fills."""
        return list(next(iter(self.levels.values())))


@dataclass(frozen=True)
class CommandArm:
    """One combination of levels: its name, its level of each axis, and what its placeholders stand for."""

    name: str
    levels: dict[str, str]
    values: dict[str, Value]


def axis_of(text: str) -> CommandAxis:
    """Return what `name=a,b` varies; each level is one argument, or part of one.

    Raises:
        DiagnoseError: it is no such thing.
    """
    name, sign, rest = text.partition("=")
    name = name.strip()
    if not sign or not rest.strip():
        raise DiagnoseError(f"--axis {cut(visible(text), 60)}: with --run an axis is name=level,level")
    _check_name(name, "--axis")
    levels = [level.strip() for level in rest.split(",")]
    return CommandAxis(name, {level: {name: level} for level in _checked(levels, f"--axis {name}")})


def _check_name(name: str, where: str) -> None:
    if name in RESERVED:
        raise DiagnoseError(f"{where}: {{{name}}} is filled by diagnose itself; call the axis otherwise")
    if not re.fullmatch(NAME, name):
        raise DiagnoseError(f"{where}: {cut(visible(name), 60)!r} cannot be a placeholder: letters, digits, _ . and -")


def _checked(levels: Sequence[str], where: str) -> Sequence[str]:
    """Refuse levels that are empty, come twice, or hold what no line shows."""
    for level in levels:
        if not level:
            raise DiagnoseError(f"{where}: a level is empty; an arm without a flag is written in a file (--axis-file)")
        if visible(level) != level or ACTING.search(level) or len(level) > MOST_LEVEL:
            raise DiagnoseError(
                f"{where}: {cut(visible(level), 60)!r} is too long, or holds characters that are not shown"
            )
    words = [" ".join(level.split()) for level in levels]
    twice = next((word for word in words if words.count(word) > 1), None)
    if twice is not None:
        raise DiagnoseError(f"{where}: the level {cut(visible(twice), 60)} comes twice")
    if len(levels) < 2:
        raise DiagnoseError(f"{where}: one level leaves nothing to compare")
    return levels


def axis_of_file(path: Path) -> CommandAxis:
    """Return the arms of a TOML file: a table for each, which says what placeholders stand for.

        [baseline]
        width = 256
        flags = []

        [wide]
        width = 512
        flags = ["--dropout", "0.2"]

    A text or number is one argument, as it is written; a list is as many arguments as it has, in the place of a
    placeholder that stands by itself.

    Raises:
        DiagnoseError: it cannot be read, or is no such file.
    """
    where = f"--axis-file {visible(str(path))}"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except OSError as error:
        raise DiagnoseError(f"{where} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # of decoding too
        raise DiagnoseError(f"{where} is no TOML: {cut(visible(' '.join(str(error).split())), 120)}") from None
    loose = [name for name, table in tables.items() if not isinstance(table, dict)]
    if loose or not tables:
        stray = f"; {cut(visible(loose[0]), 40)!r} stands in none" if loose else ""
        raise DiagnoseError(f"{where}: an arm is a table, [name] with a value for each placeholder{stray}")
    _checked(list(tables), where)
    levels = {arm: _values(table, f"{where}, [{visible(arm)}]") for arm, table in tables.items()}
    _check_alike(levels, where)
    return CommandAxis(_name_of(path), levels)


def _name_of(path: Path) -> str:
    name = re.sub(r"[^\w.-]", "-", path.name.partition(".")[0])
    return name if re.fullmatch(NAME, name) and name not in RESERVED else "arm"


def _values(table: dict[str, Any], where: str) -> dict[str, Value]:
    out: dict[str, Value] = {}
    for name, value in table.items():
        _check_name(name, where)
        if isinstance(value, list):
            out[name] = tuple(_argument(argument, f"{where}, {name}") for argument in value)
        else:
            out[name] = _argument(value, f"{where}, {name}")
    return out


def _argument(value: object, where: str) -> str:
    """Return what TOML holds as an argument."""
    if isinstance(value, bool):
        raise DiagnoseError(f'{where}: write true or false as the text that the command takes, as "true" or "True"')
    if not isinstance(value, str | int):
        raise DiagnoseError(f"{where}: a text, a number or a list of them is wanted")
    text = str(value)
    if "\0" in text or len(text) > MOST_LEVEL:
        raise DiagnoseError(f"{where}: no argument can hold this")
    return text


def _check_alike(levels: dict[str, dict[str, Value]], where: str) -> None:
    """Refuse arms that fill different placeholders, or the same ones with the same."""
    first, *others = levels.items()
    for arm, values in others:
        lacking = sorted(first[1].keys() ^ values.keys())
        if lacking:
            near = nearest(lacking[0], first[1].keys() & values.keys()) if first[1].keys() & values.keys() else ""
            raise DiagnoseError(f"{where}: [{visible(first[0])}] and [{visible(arm)}] must give the same names, and "
                                f"{lacking[0]} is in one alone{near if 'did you' in near else ''}")  # fmt: skip
    rows = list(levels.items())
    for place, (arm, values) in enumerate(rows):
        same = next((other for other, told in rows[:place] if told == values), None)
        if same is not None:
            raise DiagnoseError(f"{where}: [{visible(same)}] and [{visible(arm)}] are the same arm")


def arms_of(axes: Sequence[CommandAxis], *, full: bool) -> list[CommandArm]:
    """Return every combination of levels, the controls' first.

    Raises:
        DiagnoseError: axes share a name or a placeholder, or there are too many arms.
    """
    if not axes:
        raise DiagnoseError("--run: say what is varied, with --axis name=level,level or --axis-file arms.toml")
    holes = [hole for axis in axes for hole in axis.holes]
    names = [axis.name for axis in axes]
    twice = next((name for name in (*names, *holes) if names.count(name) > 1 or holes.count(name) > 1), None)
    if twice is not None:
        raise DiagnoseError(f"{twice} is varied twice: an axis has a name and placeholders of its own")
    arms = [
        CommandArm(
            ", ".join(levels),
            dict(zip(names, levels, strict=True)),
            {k: v for axis, level in zip(axes, levels, strict=True) for k, v in axis.levels[level].items()},
        )
        for levels in product(*(axis.levels for axis in axes))
    ]
    if len(arms) > MOST_ARMS and not full:
        size = listed([counted(len(axis.levels), "level") for axis in axes])
        raise DiagnoseError(f"{size} make {len(arms)} arms; give --full to run more than {MOST_ARMS}")
    return arms

"""Settings as people write them, not checked yet: TOML files, the recipes that ship, `--set table.key=value`."""

from __future__ import annotations

import os.path
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 80  # characters of a wrong value that its error shows


def read_tables(source: str | Path) -> dict[str, Any]:
    """Return a recipe's tables as they stand in its file (a name that ships, or a path).

    Raises:
        DiagnoseError: there is none, or it is not TOML.
    """
    if isinstance(source, Path) and len(source.parts) > 1:
        return _parse(source)
    names, path = shipped(), Path(source)
    if str(source) in names:
        return tomllib.loads(files("diagnose.config.recipes").joinpath(f"{source}.toml").read_text(encoding="utf-8"))
    there = os.path.isfile(path)  # noqa: PTH113 - pathlib's raises on names that no file can have
    if there or isinstance(source, Path) or path.suffix == ".toml" or len(path.parts) > 1:
        return _parse(path)
    raise DiagnoseError(f"no recipe {shown(source)}{nearest(source, names)} (or give the path of a .toml file)")


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DiagnoseError(f"no recipe file {path}") from None
    except OSError as error:
        raise DiagnoseError(f"recipe {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # TOML's, Unicode's, and those of numbers and nesting without end
        raise DiagnoseError(f"recipe {path} is not valid TOML: {error}") from None


def shipped() -> list[str]:
    """Return the names of the recipes that ship."""
    return sorted(
        p.name.removesuffix(".toml") for p in files("diagnose.config.recipes").iterdir() if p.name.endswith(".toml")
    )


def parse_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """Turn `--set table.key=value` texts into values by key; a value is read as TOML, or else as text.

    The path of a TOML file stands for all of its tables' keys; a key that is set by itself overrules a file's.

    Raises:
        DiagnoseError: every pair that is no setting, and keys that are set twice.
    """
    out: dict[str, Any] = {}
    files: dict[str, Any] = {}
    errors = []
    for pair in pairs:
        key, sign, value = pair.partition("=")
        key = key.strip()
        place, given = out, ({key: _toml_value(value.strip())} if sign else {})
        if not sign and pair.endswith(".toml"):
            place, given = (
                files,
                {f"{table}.{name}": rest for table, keys in _tables(Path(pair)).items() for name, rest in keys.items()},
            )
        elif not sign or "." not in key:
            errors.append(f"{shown(pair)} is no setting; write table.key=value, for instance batches.size=32")
            continue
        errors += [f"{setting} is set twice" for setting in given if setting in place]
        place.update(given)
    if errors:
        raise DiagnoseError("; ".join(errors))
    return files | out


def _tables(path: Path) -> dict[str, dict[str, Any]]:
    """Return the tables of a file of settings; a key outside of a table is a mistake."""
    parsed = _parse(path)
    if loose := [key for key, value in parsed.items() if not isinstance(value, dict)]:
        raise DiagnoseError(f"{path}: {loose[0]} stands in no table; write it under [table], for instance [optimizer]")
    return parsed


def _toml_value(text: str) -> Any:
    """Read a value as TOML, or as Python writes what TOML does not know (True, .1, 1.); all else is text."""
    if text in ("True", "False"):
        return text == "True"
    if re.fullmatch(r"[+-]?(\d+\.|\.\d+)([eE][+-]?\d+)?", text):
        return float(text)
    try:
        read = tomllib.loads(f"x = {text}")
    except (ValueError, RecursionError):
        return text
    return read["x"] if len(read) == 1 else text


def shown(value: object) -> str:
    """Return a value as Python writes it, on one line and not without end."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more than 4,300 digits
        return "a number without end"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."

"""JSON that other tools left, read with bounds: an object, lines of objects, numbers by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.logs import source
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_OBJECT = 256 << 20  # bytes of a file that is read as one object
MOST_LINE = 64 << 20  # characters of a line
MOST_DEPTH = 6


def object_of(path: Path) -> dict[str, Any]:
    """Return the object that a file holds, empty where it holds something else.

    Raises:
        DiagnoseError: it cannot be read, is too large, or is no JSON.
    """
    try:
        if path.stat().st_size > MOST_OBJECT:
            raise DiagnoseError(f"{shown(path)} is larger than {MOST_OBJECT >> 20} MiB")
        content = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise DiagnoseError(f"{shown(path)} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise DiagnoseError(f"{shown(path)} is no whole JSON") from None
    return content if isinstance(content, dict) else {}


def objects_in(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines. Raises DiagnoseError where it cannot be read, or a line is no JSON."""
    with source.opened(path) as file:
        for place, (line, _) in enumerate(source.lines(file, path, MOST_LINE)):
            if not line.strip():
                continue
            try:
                content = json.loads(line)
            except (ValueError, RecursionError):
                raise DiagnoseError(f"{shown(path)}, line {place + 1}, is no whole JSON") from None
            if isinstance(content, dict):
                yield content


def numbers_in(content: Any, before: str = "", depth: int = 0) -> dict[str, float]:
    """Return the numbers of an object by name; those of inner objects with a slash between."""
    out: dict[str, float] = {}
    if not isinstance(content, dict) or depth > MOST_DEPTH:
        return out
    for key, value in content.items():
        name = f"{before}{key}"
        if isinstance(value, bool | int | float):
            out[name] = float(value)
        elif isinstance(value, dict):
            out |= numbers_in(value, f"{name}/", depth + 1)
    return out

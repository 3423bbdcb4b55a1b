"""Drawings as SVG, from the cache where the same was drawn before: drawing takes two fifths of a page's time."""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from functools import cache, partial
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose import formatting
from diagnose.data.cache import cache_folder, digest, entry
from diagnose.errors import DiagnoseError
from diagnose.report.canvas import PAINT, drawing

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.report.canvas import Sheet

FILE = "drawing.svg.z"


def svg(draw: Callable[..., Sheet], name: str, sentence: str) -> str:
    """Return a figure drawn wide and narrow (`draw(narrow=...)`), one after the other, as SVG.

    Args:
        draw: kept where it is a `functools.partial` whose arguments are JSON values and dataclasses of such.
        name: which no other drawing of the page has.
        sentence: says what it shows, for those who do not see it.
    """

    def write(folder: Path) -> None:
        (folder / FILE).write_bytes(zlib.compress(_drawn(draw, name, sentence).encode("utf-8", "surrogatepass")))

    told = _told(draw)
    if told is None:
        return _drawn(draw, name, sentence)
    key = digest("drawing", _drawn_by(), list(PAINT.values()), told, name, sentence)
    try:
        kept = entry(cache_folder(), "drawings", key, write) / FILE
        return zlib.decompress(kept.read_bytes()).decode("utf-8", "surrogatepass")
    except (DiagnoseError, OSError):  # a cache that cannot be written, or that somebody empties, costs time alone
        return _drawn(draw, name, sentence)


def _drawn(draw: Callable[..., Sheet], name: str, sentence: str) -> str:
    with drawing():
        return "\n".join(
            draw(narrow=narrow).svg(f"{name}-{'narrow' if narrow else 'wide'}", sentence) for narrow in (False, True)
        )


def _told(draw: Callable[..., Sheet]) -> str | None:
    """Return all that is drawn, to the last digit; None where that cannot be told, as of an array."""
    if not isinstance(draw, partial):
        return None
    try:
        return json.dumps((draw.func.__module__, draw.func.__qualname__, draw.args, draw.keywords), default=_fields)
    except (TypeError, ValueError):
        return None


def _fields(given: Any) -> list[Any]:
    """Return what a dataclass holds. Raises TypeError for anything else."""
    return [type(given).__qualname__, {field.name: getattr(given, field.name) for field in fields(given)}]


@cache
def _drawn_by() -> str:
    """Return what stands for the code that draws."""
    whole = blake2b(version("matplotlib").encode(), digest_size=8)
    for file in (*sorted(Path(__file__).parent.glob("*.py")), Path(formatting.__file__)):
        whole.update(file.read_bytes())
    return whole.hexdigest()

"""Drawings as SVG, from the cache where the same was drawn before: drawing takes two fifths of a page's time."""

from __future__ import annotations

import zlib
from functools import cache, partial
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

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
        draw: a part of a function, whose arguments say all that is drawn.
        name: which no other drawing of the page has.
        sentence: says what it shows, for those who do not see it.
    """
    made = list[str]()

    def write(folder: Path) -> None:
        made.append(_drawn(draw, name, sentence))
        (folder / FILE).write_bytes(zlib.compress(made[0].encode("utf-8", "surrogatepass")))

    told = _told(draw)
    if told is None:
        return _drawn(draw, name, sentence)
    try:
        key = digest("drawing", _drawn_by(), list(PAINT.values()), told, name, sentence)
        folder = entry(cache_folder(), "drawings", key, write)
        return made[0] if made else zlib.decompress((folder / FILE).read_bytes()).decode("utf-8", "surrogatepass")
    except (DiagnoseError, OSError):  # a cache that cannot be written, or that somebody empties, costs time alone
        return made[0] if made else _drawn(draw, name, sentence)


def _drawn(draw: Callable[..., Sheet], name: str, sentence: str) -> str:
    with drawing():
        return "\n".join(
            draw(narrow=narrow).svg(f"{name}-{'narrow' if narrow else 'wide'}", sentence) for narrow in (False, True)
        )


def _told(draw: Callable[..., Sheet]) -> str | None:
    """Return all that is drawn, in words; None where they do not tell."""
    if not isinstance(draw, partial):
        return None
    told = repr((draw.func.__module__, draw.func.__qualname__, draw.args, draw.keywords))
    return None if " at 0x" in told else told  # an object without words of its own


@cache
def _drawn_by() -> str:
    """Return what stands for the code that draws."""
    whole = blake2b(version("matplotlib").encode(), digest_size=8)
    for file in (*sorted(Path(__file__).parent.glob("*.py")), Path(formatting.__file__)):
        whole.update(file.read_bytes())
    return whole.hexdigest()

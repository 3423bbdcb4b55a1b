"""How much a compressed file may hold: one that swells beyond all text is refused before it fills memory or disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.formatting import size, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FACTOR = 200  # times its size on the disk; text is seldom beyond 20, a log that repeats itself beyond 100
ALWAYS = 1 << 30  # bytes that any file may hold


def bounded(pieces: Iterable[bytes], path: Path) -> Iterator[bytes]:
    """Yield a file's decompressed pieces.

    Raises:
        DiagnoseError: they are more than `ALWAYS` bytes and more than `FACTOR` times the file's own size.
    """
    most, held = max(ALWAYS, FACTOR * path.stat().st_size), 0
    for piece in pieces:
        held += len(piece)
        if held > most:
            raise DiagnoseError(
                f"{visible(str(path))} holds more than {size(most)}, over {FACTOR} times its size: that is no text; "
                "decompress it yourself if it is"
            )
        yield piece

"""Files of a run's folder, which may be a stranger's: no read and no write leaves the folder through a link.

A file is written under a name that nobody can guess, made for this write alone, and renamed into its place; so a link
that lies there is replaced and never followed. A file is read only where it really lies inside its run's folder, and
only up to a stated size.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

MOST_TEXT = 256 << 20  # bytes of a JSON or text file
STRAY_SECONDS = 600.0  # after which a half-written file is one that a killed process left
PARTS = ".part"


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all, never through a link.

    Raises:
        OSError: it cannot be written; nothing is left of it then.
    """
    _clear_strays(path)
    number, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=PARTS, dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            write(file)
            file.flush()
            os.fchmod(number, _mode())
            os.fsync(number)
        os.replace(name, path)  # noqa: PTH105 - a Path would be made for it
    finally:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108


def put(path: Path, data: bytes, what: str) -> Path:
    """Write a file for the user, whole or not at all, and return where it lies; its folder is made where it is missing.

    Raises:
        DiagnoseError: it cannot be written; `what` names it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda file: file.write(data))
    except OSError as error:
        raise DiagnoseError(f"{what} cannot be written to {path}: {error.strerror or error}") from None
    return path


def _mode() -> int:
    """Return the permissions that a new file has by the user's mask."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _clear_strays(path: Path) -> None:
    """Remove what killed processes left of earlier writes of this file."""
    with suppress(OSError):
        for stray in path.parent.glob(f".{path.name[:100]}.*{PARTS}"):
            with suppress(OSError):
                if time.time() - stray.lstat().st_mtime > STRAY_SECONDS:
                    stray.unlink()


def inside(file: Path, folder: Path | None = None) -> Path:
    """Return a file of a run's folder, where it really lies inside that folder.

    Args:
        file: what is to be read.
        folder: of the run; the file's own by default.

    Raises:
        DiagnoseError: it is a link to somewhere else.
    """
    root = (folder or file.parent).resolve()
    if not file.resolve().is_relative_to(root):
        raise DiagnoseError(f"{file} is a link out of {root}, which is not followed; put the file itself there")
    return file


def text(file: Path) -> str:
    """Read a text file of a run's folder.

    Raises:
        DiagnoseError: it is a link out of the folder, or larger than any that is written here.
        OSError, ValueError: it cannot be read.
    """
    size = inside(file).stat().st_size
    if size > MOST_TEXT:
        raise DiagnoseError(f"{file} has {size / 1e6:,.0f} MB, more than any that is written here; it is not read")
    return file.read_text(encoding="utf-8")


def parsed(source: str) -> Any:
    """Parse JSON; NaN and infinities, which others may write, become None.

    Raises:
        ValueError: it is none, or nests so deeply that no record of ours can be meant.
    """
    try:
        return json.loads(source, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("it nests too deeply") from None

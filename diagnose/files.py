"""Files and folders that appear whole or not at all, in places that may be a stranger's.

What is written is made under a name that nobody can guess, held by a lock while it is filled, and renamed into its
place; so a link that lies there is replaced and never followed. The system drops the lock of a process that dies: what
nobody holds is a leftover, and the next process that writes in the folder removes it. A file is read only where it
really lies inside its run's folder, and only up to a stated size.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed, which is as good as a lock
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

MOST_TEXT = 256 << 20  # bytes of a JSON or text file
STRAY_SECONDS = 600.0  # after which a half-written file is a leftover where the file system has no locks
MOST_DIGITS = 20  # of a whole number: no count and no hash is longer
PARTS = ".diagnose-part"  # nobody else calls a file so: what is left of one may be removed
_cleared: set[str] = set()  # folders in which this process has looked for leftovers


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, synced: bool = True) -> None:
    """Write a file whole or not at all, never through a link.

    `synced`: wait until it is on the disk, so that a machine that loses its power has it, too.

    Raises:
        OSError: it cannot be written, which names it; nothing is left of it then.
    """
    try:
        _write_whole(path, write, synced=synced)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def _write_whole(path: Path, write: Callable[[BinaryIO], object], *, synced: bool) -> None:
    clear_once(path.parent)
    descriptor, name = _begun_file(path)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:  # closing it lets the lock be, and tells what was put off
            write(file)
            file.flush()
            os.fchmod(descriptor, 0o666 & ~_mask())
            if synced:
                os.fsync(descriptor)
        os.replace(name, path)  # noqa: PTH105 - a Path would be made for it
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise
    finally:
        with suppress(OSError):
            os.close(descriptor)


def _begun_file(path: Path) -> tuple[int, str]:
    """Make a file beside its place and hold it; another process may just have taken it for a leftover."""
    while True:
        number, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=PARTS, dir=path.parent)
        if _hold(number):
            return number, name
        os.close(number)


@contextmanager
def begun_folder(parent: Path) -> Iterator[Path]:
    """Make a folder that is filled and then renamed into its place; if it is not, nothing is left of it.

    Raises:
        OSError: it cannot be made.
    """
    clear_once(parent)
    part, number = _held_folder(parent)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(number)


def _held_folder(parent: Path) -> tuple[Path, int]:
    while True:
        part = parent / f".{secrets.token_hex(8)}{PARTS}"
        part.mkdir()
        with suppress(FileNotFoundError):  # another process has just taken it for a leftover
            number = os.open(part, os.O_RDONLY)
            if _hold(number):
                return part, number
            os.close(number)


def _hold(number: int) -> bool:
    """Lock what is open; False where somebody has removed it meanwhile."""
    with suppress(OSError):  # a file system without locks
        fcntl.flock(number, fcntl.LOCK_EX) if fcntl else None
    return os.fstat(number).st_nlink > 0


def hold_file(path: Path) -> int | None:
    """Lock a file and return its descriptor; None where another process holds it.

    The lock lasts as long as any process has the descriptor open, so what inherits it holds it too.

    Raises:
        OSError: the file cannot be made, or is a link.
    """
    number = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB) if fcntl else None
    except BlockingIOError:
        os.close(number)
        return None
    except OSError:  # a file system without locks
        pass
    return number


def clear_once(folder: Path) -> None:
    """Clear a folder's leftovers, when this process first writes there."""
    place = os.path.abspath(folder)  # noqa: PTH100 - many are asked for
    if place not in _cleared:
        _cleared.add(place)
        clear_leftovers(folder)


def clear_leftovers(folder: Path) -> None:
    """Remove what killed processes left half-written in a folder; what cannot be removed stays."""
    with suppress(OSError), os.scandir(folder) as entries:
        for item in [Path(item.path) for item in entries if item.name.startswith(".") and item.name.endswith(PARTS)]:
            with suppress(OSError):
                _remove_unheld(item)


def _remove_unheld(path: Path) -> None:
    if stat.S_ISLNK(path.lstat().st_mode):
        path.unlink()
        return
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _is_leftover(number):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    finally:
        os.close(number)


def _is_leftover(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB) if fcntl else None
    except BlockingIOError:
        return False
    except OSError:
        return time.time() - os.fstat(number).st_mtime > STRAY_SECONDS
    return True


def overwrite(path: Path, data: bytes) -> None:
    """Write over a small file where there is no room for another: in its place, in one write, and no shorter.

    Raises:
        OSError: it cannot be written, or is a link.
    """
    number = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.write(number, data.ljust(os.fstat(number).st_size))
    finally:
        os.close(number)


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


def _mask() -> int:
    """Return which permissions the user keeps from new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def inside(file: Path, folder: Path | None = None) -> Path:
    """Return a file of a run's folder, where it really lies inside that folder and can be read to its end.

    Args:
        file: what is to be read, a file or a folder; it may be missing.
        folder: of the run; the file's own by default.

    Raises:
        DiagnoseError: it is a link to somewhere else, or a pipe or a device, which whoever reads it waits for.
    """
    if folder is not None or file.is_symlink():
        root = (folder or file.parent).resolve()
        if not file.resolve().is_relative_to(root):
            raise DiagnoseError(f"{file} is a link out of {root}, which is not followed; put the file itself there")
    with suppress(FileNotFoundError, NotADirectoryError):
        kind = file.stat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise DiagnoseError(f"{file} is a pipe or a device and no file; it is not read")
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
        ValueError: it is none, or nests so deeply or holds so large a whole number that no record of ours can be meant.
    """
    try:
        return json.loads(source, parse_constant=lambda _: None, parse_float=_finite, parse_int=_bounded)
    except RecursionError:
        raise ValueError("it nests too deeply") from None


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _bounded(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"it holds a whole number of {len(digits)} digits")
    return int(digits)


def every_digit() -> dict[str, Any]:
    """Return what has pandas read numbers of a CSV file to their last digit: before 3.1 it does so only when told."""
    import pandas as pd

    told = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)
    return {"float_precision": "round_trip"} if told else {}

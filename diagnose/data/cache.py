"""The cache: folders that appear whole or not at all, and that anyone may delete at any time.

An entry is written in a temporary folder beside its place and renamed into it. A writer that is killed leaves
a temporary folder that nobody reads; of two that write the same entry the first wins, and both read the
winner's.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Callable

UNUSED_DAYS = 30.0
RECORD = "entry.json"  # the files of an entry and their sizes; its time of change is the entry's last use


@dataclass(frozen=True)
class CacheEntry:
    """Something in the cache.

    Attributes:
        path: its folder.
        size: of all its files, in bytes.
        last_use: seconds since 1970.
    """

    path: Path
    size: int
    last_use: float


def cache_folder() -> Path:
    """Return the folder for what can be made again, and make it.

    $DIAGNOSE_CACHE, else $XDG_CACHE_HOME/diagnose, else ~/.cache/diagnose.

    Raises:
        DiagnoseError: nothing can be written there.
    """
    own, shared = os.environ.get("DIAGNOSE_CACHE"), os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(own).expanduser() if own else (Path(shared) if shared else Path.home() / ".cache") / "diagnose"
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError) as error:
        where = own or shared or "~/.cache"
        why = getattr(error, "strerror", None) or str(error)
        raise DiagnoseError(
            f"the cache folder {where} cannot be written: {why}; set DIAGNOSE_CACHE to another"
        ) from None
    return folder


def digest(*parts: object) -> str:
    """Return 16 hex digits that stand for a sequence of JSON values."""
    return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=8).hexdigest()


def entry(cache: Path, kind: str, key: str, write: Callable[[Path], None]) -> Path:
    """Return the folder of an entry, and let `write` fill it where it is missing or damaged.

    Args:
        cache: from `cache_folder`.
        kind: which sort of thing it is, for instance "corpora".
        key: what it was made from; another key is another entry.
        write: puts the entry's files into the folder it is given.

    Raises:
        DiagnoseError: the cache is full or cannot be written.
    """
    folder = cache / kind / key
    if _is_whole(folder):
        with contextlib.suppress(OSError):  # a cache that others own may be read without being marked as used
            os.utime(folder / RECORD)
        return folder
    try:
        _make(folder, write)
    except OSError as error:
        why = error.strerror or str(error)
        raise DiagnoseError(
            f"the cache {cache} cannot be written: {why}; set DIAGNOSE_CACHE to another folder"
        ) from error
    return folder


def _make(folder: Path, write: Callable[[Path], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        write(temporary)
        sizes = {file.name: file.stat().st_size for file in sorted(temporary.iterdir())}
        (temporary / RECORD).write_text(json.dumps(sizes), encoding="utf-8")
        _put(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put(temporary: Path, folder: Path) -> None:
    """Rename into place; what stands there is kept if it is whole (another writer's), else replaced."""
    try:
        temporary.rename(folder)
    except OSError:
        if _is_whole(folder):
            return
        aside = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent)) / "damaged"
        with contextlib.suppress(OSError):
            folder.rename(aside)
        shutil.rmtree(aside.parent, ignore_errors=True)
        temporary.rename(folder)


def _is_whole(folder: Path) -> bool:
    try:
        sizes = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def stale(cache: Path, days: float = UNUSED_DAYS) -> list[CacheEntry]:
    """List what was not used for that many days, killed writers' leftovers included; nothing is deleted."""
    oldest = time.time() - days * 86_400
    found = [_measure(folder) for folder in sorted(cache.glob("*/*")) if folder.is_dir()]
    return [item for item in found if item.last_use < oldest]


def _measure(folder: Path) -> CacheEntry:
    stats = [file.stat() for file in folder.rglob("*") if file.is_file()]
    last = max([folder.stat().st_mtime, *(stat.st_mtime for stat in stats)])
    return CacheEntry(folder, sum(stat.st_size for stat in stats), last)

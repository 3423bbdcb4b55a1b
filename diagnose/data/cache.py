"""The cache: folders that appear whole or not at all, and that anyone may delete at any time.

An entry is written in a temporary folder beside its place, brought to the disk, and renamed into it. What a killed
writer leaves goes with the next entry that is written; of two that write the same entry the first wins, and both read
the winner's. Every entry keeps a checksum of each of its files, which is compared when a process first opens it: what
was cut short, zeroed or flipped is made again. The folder is the user's alone; within one that others may write to, a
folder of the user's own is taken.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import time
import zlib
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose import files
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Callable

UNUSED_DAYS = 30.0
RECORD = "entry.json"  # the files of an entry, their sizes and checksums; its time of change is the entry's last use
CHUNK = 1 << 20
_seen: set[tuple[object, ...]] = set()  # entries that this process has found whole, by the state of their files


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
    chosen, shared = os.environ.get("DIAGNOSE_CACHE"), os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (
            Path(chosen).expanduser() if chosen else (Path(shared) if shared else Path.home() / ".cache") / "diagnose"
        )
        folder = folder.absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = _of_the_user(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError) as error:
        where = chosen or shared or "~/.cache"
        why = getattr(error, "strerror", None) or str(error)
        raise DiagnoseError(
            f"the cache folder {where} cannot be written: {why}; set DIAGNOSE_CACHE to another"
        ) from None
    return folder


def _of_the_user(folder: Path) -> Path:
    """Return a folder that nobody else can write to: this one, or one of the user's own in it.

    Raises:
        DiagnoseError: somebody else has made that one.
    """
    if _is_private(folder):
        return folder
    private = folder / f"user-{os.getuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.is_symlink() or not _is_private(private):
        raise DiagnoseError(
            f"{private} is not yours alone, so what it holds cannot be trusted; set DIAGNOSE_CACHE to another"
        )
    return private


def _is_private(folder: Path) -> bool:
    if not hasattr(os, "getuid"):
        return True
    state = folder.stat()
    return state.st_uid == os.getuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


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
    files.clear_once(folder.parent)
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
    with files.begun_folder(folder.parent) as temporary:
        write(temporary)
        sums = {file.name: _checksum(file, keep=True) for file in sorted(temporary.iterdir())}
        (temporary / RECORD).write_text(json.dumps(sums), encoding="utf-8")
        _checksum(temporary / RECORD, keep=True)
        _put(temporary, folder)


def _put(temporary: Path, folder: Path) -> None:
    """Rename into place; what stands there is kept if it is whole (another writer's), else replaced."""
    try:
        temporary.rename(folder)
    except OSError:
        if _is_whole(folder):
            return
        if not folder.exists():
            raise
        with files.begun_folder(folder.parent) as aside:
            folder.rename(aside / "damaged")
            temporary.rename(folder)


def _checksum(file: Path, *, keep: bool = False) -> list[int]:
    """Return a file's size and CRC-32; with `keep` have it on the disk before its folder gets its name."""
    size, checksum = 0, 0
    with file.open("rb") as opened:
        if keep:
            os.fsync(opened.fileno())
        while data := opened.read(CHUNK):
            size, checksum = size + len(data), zlib.crc32(data, checksum)
    return [size, checksum]


def _is_whole(folder: Path) -> bool:
    """Say whether an entry's files are what was written; those that are as this process last saw them are not read."""
    try:
        sums = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if {*sums, RECORD} != set(os.listdir(folder)):  # noqa: PTH208
            return False
        states = [(folder / name).stat() for name in sums]
        seen = (str(folder), *((s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in states))
        if seen in _seen:
            return True
        whole = all(_checksum(folder / name) == checksum for name, checksum in sums.items())
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return False
    if whole:
        _seen.add(seen)
    return whole


def stale(cache: Path, days: float = UNUSED_DAYS) -> list[CacheEntry]:
    """List what was not used for that many days, killed writers' leftovers included; nothing is deleted."""
    oldest = time.time() - days * 86_400
    entries = [_measure(folder) for folder in sorted(cache.glob("*/*")) if folder.is_dir()]
    return [item for item in entries if item.last_use < oldest]


def _measure(folder: Path) -> CacheEntry:
    states = [file.stat() for file in folder.rglob("*") if file.is_file()]
    last = max([folder.stat().st_mtime, *(state.st_mtime for state in states)])
    return CacheEntry(folder, sum(state.st_size for state in states), last)

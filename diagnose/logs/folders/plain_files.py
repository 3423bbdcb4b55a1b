"""A folder's plain files, and what a tracker finds among them; no symbolic link inside is followed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.logs.table import Records

MOST_DEPTH = 12  # folders within folders
MOST_NAME = 200  # characters of a run's name
MOST_ENTRIES = 100_000  # of a folder and all in it


@dataclass(frozen=True)
class FolderRun:
    """A run that a folder holds.

    Attributes:
        name: what it is called, as `--run` names it.
        tracker: whose files they are.
        root: the folder, or the file, that belongs to it.
        parts: its files with what the names in each begin with, where they are read by their content.
        fill: gives its values to records, where a tracker has a format of its own.
        also: other names of it, as the tracker's identifier.
    """

    name: str
    tracker: str
    root: Path
    parts: tuple[tuple[Path, str], ...] = ()
    fill: Callable[[Records], None] | None = None
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", " ".join(self.name.split())[:MOST_NAME] or "run")
        object.__setattr__(self, "also", tuple(" ".join(name.split())[:MOST_NAME] for name in self.also))

    @property
    def format(self) -> str:
        """What its log is said to be of: "wandb" for W&B."""
        return self.tracker.lower().replace("&", "and")


def owns_nothing(_: Path) -> bool:
    """Say of no file that it is the tracker's own."""
    return False


@dataclass(frozen=True)
class Tracker:
    """A kind of folder that is read.

    Attributes:
        name: as its users call it.
        rank: trackers of a lower rank go first, and what lies within their runs' folders belongs to them.
        find: the runs among the files of a listing.
        owns: whether a file that is given alone is the tracker's.
    """

    name: str
    rank: int
    find: Callable[[Listing], list[FolderRun]]
    owns: Callable[[Path], bool] = owns_nothing


@dataclass
class Listing:
    """The plain files of a folder and of the folders in it, sorted; of a file that is given alone, that file.

    Attributes:
        top: what was given.
        files: paths of plain files.
        links: symbolic links that were left.
        cut: whether there were more entries than are looked at.
    """

    top: Path
    files: list[Path] = field(default_factory=list)
    links: int = 0
    cut: bool = False

    def __post_init__(self) -> None:
        if not self.top.is_dir():
            self.files = [self.top]
            return
        try:
            self._walk()
        except OSError as error:
            raise DiagnoseError(f"{shown(self.top)} cannot be listed: {error.strerror or error}") from None

    def _walk(self) -> None:
        waiting, seen = [(self.top, 0)], 0
        while waiting:
            folder, depth = waiting.pop()
            for entry in _entries(folder, must=depth == 0):
                seen += 1
                if seen > MOST_ENTRIES:
                    self.cut = True
                    waiting.clear()
                    break
                if entry.is_symlink():
                    self.links += 1
                elif entry.is_file(follow_symlinks=False):
                    self.files.append(Path(entry.path))
                elif entry.is_dir(follow_symlinks=False):
                    self.cut = self.cut or depth >= MOST_DEPTH
                    if depth < MOST_DEPTH:
                        waiting.append((Path(entry.path), depth + 1))
        self.files.sort()

    def named(self, *patterns: str) -> list[Path]:
        """Return the files whose names are of one of the patterns."""
        return [file for file in self.files if any(fnmatchcase(file.name, pattern) for pattern in patterns)]

    def given_or_named(self, *patterns: str) -> list[Path]:
        """Return the one file that was given, or those of a folder whose names are of one of the patterns."""
        return self.files if self.files == [self.top] else self.named(*patterns)

    def title(self, path: Path) -> str:
        """Return what a run in a folder is called: its path from the top, or the top's own name."""
        inner = path.relative_to(self.top).as_posix() if path != self.top and path.is_relative_to(self.top) else "."
        return inner if inner != "." else (self.top.resolve().name or "run")


def _entries(folder: Path, *, must: bool) -> list[os.DirEntry[str]]:
    """Return what a folder holds; one that may not be listed holds nothing, but for the one that was given."""
    try:
        with os.scandir(folder) as entries:
            return [entry for entry, _ in zip(entries, range(MOST_ENTRIES + 1), strict=False)]
    except OSError:
        if must:
            raise
        return []


def file_head(path: Path, most: int = 16) -> bytes:
    """Return a plain file's first bytes, nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(most) if file.seekable() else b""
    except OSError:
        return b""


def short_text(path: Path, most: int = 1 << 16) -> str:
    """Return the start of a small text file, nothing where it cannot be read."""
    return file_head(path, most).decode("utf-8", "replace")

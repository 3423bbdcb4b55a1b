"""TensorBoard's log folders: each that holds event files is a run; one for each side is of the run above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker
from diagnose.logs.names import meaning

if TYPE_CHECKING:
    from pathlib import Path

NAME = "TensorBoard"
MOST_FILES = 256  # event files of a run


def find(listing: Listing) -> list[FolderRun]:
    """Return the runs of a log folder."""
    if listing.files == [listing.top]:
        return []
    folders: dict[Path, list[Path]] = {}
    for file in listing.named("*tfevents*"):
        folders.setdefault(file.parent, []).append(file)
    owners = _owners(folders, listing.top)
    runs: dict[Path, list[Path]] = {}
    for folder, files in sorted(folders.items()):
        runs.setdefault(owners[folder], []).extend(files)
    return [
        FolderRun(listing.title(root), NAME, root, tuple((file, _before(file, root)) for file in files[:MOST_FILES]))
        for root, files in sorted(runs.items())
    ]


def _owners(folders: dict[Path, list[Path]], top: Path) -> dict[Path, Path]:
    """Return the run that each folder is of: the one above, where folders beside each other are of different sides."""
    sides: dict[Path, set[str]] = {}
    for folder in folders:
        if folder != top and (side := meaning(folder.name).side):
            sides.setdefault(folder.parent, set()).add(side)
    split = {parent for parent, some in sides.items() if len(some) > 1 or parent in folders}
    return {
        folder: folder.parent if folder.parent in split and meaning(folder.name).side and folder != top else folder
        for folder in folders
    }


def _before(file: Path, root: Path) -> str:
    inner = file.parent.relative_to(root).as_posix()
    return "" if inner == "." else f"{inner}/"


TRACKER = Tracker(NAME, 90, find)

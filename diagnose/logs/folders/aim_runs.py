"""Aim's repository .aim, read from a copy by Aim's own library (the extra `trackers`), without its server."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from diagnose.errors import DiagnoseError
from diagnose.formatting import visible
from diagnose.logs.folders.database import columns_of, is_database, read_only
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker
from diagnose.logs.names import meaning
from diagnose.logs.source import shown
from diagnose.logs.table import Records

NAME = "Aim"
FOLDER = ".aim"
CHUNKS = ("meta", "chunks")
MOST_COPIED = 1 << 28  # bytes of a repository
NO_NAME = "Run: "  # what Aim calls a run begins so, where nobody named it


def find(listing: Listing) -> list[FolderRun]:
    """Return the runs of each repository."""
    chunks: dict[Path, set[str]] = {}
    for file in listing.files:
        for folder in file.parents:
            if folder.parts[-3:-1] == CHUNKS and folder.parent.parent.parent.name == FOLDER:
                chunks.setdefault(folder.parent.parent.parent, set()).add(folder.name)
    return [run for base, some in sorted(chunks.items()) for run in _runs(listing, base, some)]


def _runs(listing: Listing, base: Path, hashes: set[str]) -> list[FolderRun]:
    files = [file for file in listing.files if file.is_relative_to(base)]
    names = _names(base / "run_metadata.sqlite")
    order = [key for key in names if key in hashes] + sorted(hashes - names.keys())
    return [_run(base, files, key, names.get(key, "")) for key in order]


def _names(path: Path) -> dict[str, str]:
    """Return the names of runs by their hashes, in the order in which they were made."""
    if path.is_symlink() or not is_database(path):
        return {}
    with read_only(path) as base:
        if not columns_of(base, "run") >= {"hash", "name"}:
            return {}
        return {str(key): str(name or "") for key, name in base.execute("SELECT hash, name FROM run LIMIT 4096")}


def _run(base: Path, files: list[Path], key: str, name: str) -> FolderRun:
    def fill(records: Records) -> None:
        with tempfile.TemporaryDirectory() as folder:
            _copied(base, files, Path(folder) / FOLDER)
            _read(folder, key, records, base)

    title = key if not name or name.startswith(NO_NAME) else name
    return FolderRun(title, NAME, base, fill=fill, also=(key,) if title != key else ())


def _copied(base: Path, files: list[Path], to: Path) -> None:
    """Copy a repository, which Aim's library would write to, without its index, which holds finished runs alone."""
    if sum(file.stat().st_size for file in files) > MOST_COPIED:
        raise DiagnoseError(f"{shown(base)} is larger than {MOST_COPIED >> 20} MiB: export the run's metrics as CSV")
    for file in files:
        if file.is_relative_to(base / "meta" / "index"):
            continue
        new = to / file.relative_to(base)
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, new)
    for inner in ("locks", "seqs/chunks", "meta/chunks"):
        (to / inner).mkdir(parents=True, exist_ok=True)


def _library() -> Any:
    try:
        return importlib.import_module("aim")
    except ImportError:
        raise DiagnoseError(
            "Aim's folder is read by Aim's own library, which is not installed: "
            "pip install 'diagnose-training[trackers]'"
        ) from None


def _read(folder: str, key: str, records: Records, base: Path) -> None:
    aim = _library()
    try:
        run = aim.Repo(folder).get_run(key)
        for metric in run.metrics() if run is not None else ():
            _metric(metric, Records(records.log, records.columns))
    except Exception as error:  # noqa: BLE001  (a damaged repository fails in as many ways as its library has)
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DiagnoseError(f"{shown(base)} cannot be read by Aim's library: {visible(first)[:200]}") from None


def _metric(metric: Any, records: Records) -> None:
    context = [str(value) for value in metric.context.to_dict().values()]
    name = "/".join([*context, str(metric.name)])
    if not meaning(name).kind and name not in records.columns.values():
        return
    steps, (values, epochs, *_) = metric.data.items_list() if hasattr(metric, "data") else ((), ((), ()))
    for step, value, epoch in zip(steps, values, epochs, strict=False):
        records.add({"step": step, "epoch": epoch, name: value})


TRACKER = Tracker(NAME, 30, find)

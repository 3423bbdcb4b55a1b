"""Trackers' folders as they lie: which runs a folder holds, and the log of one of them.

A tracker is one file of this package whose name ends in `_runs` and that holds a `TRACKER`; nothing else names it.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.formatting import counted, cut, listed, visible
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker
from diagnose.logs.names import meaning
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from diagnose.logs.series import Log

MOST_RUNS = 4096  # of a folder
MOST_READ = 24  # runs that are read to say which hold both losses
MOST_LISTED = 8
SUFFIX = "_runs"


@cache
def trackers() -> tuple[Tracker, ...]:
    """Return the trackers whose folders are read, those first that know a folder best."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name.endswith(SUFFIX)]
    known: list[Tracker] = [import_module(f"{__name__}.{name}").TRACKER for name in names]
    return tuple(sorted(known, key=lambda tracker: (tracker.rank, tracker.name)))


def is_tracked(path: Path) -> bool:
    """Say whether a file is a tracker's own, and no log that is read by its content."""
    return any(tracker.owns(path) for tracker in trackers())


def runs_in(path: Path) -> list[FolderRun]:
    """Return the runs of a folder, or of a tracker's one file, in the order of their names.

    Raises:
        DiagnoseError: it holds none, or it cannot be listed.
    """
    listing = Listing(path)
    runs: list[FolderRun] = []
    for tracker in trackers():
        roots = [run.root for run in runs if run.tracker != tracker.name]
        more = tracker.find(listing)
        runs += [run for run in more if not any(run.root.is_relative_to(root) for root in roots)]
    if not runs:
        raise DiagnoseError(_nothing(path, listing))
    return runs[:MOST_RUNS]


def _nothing(path: Path, listing: Listing) -> str:
    links = counted(listing.links, "symbolic link")
    more = f"; {links} in it {'is' if listing.links == 1 else 'are'} not followed" if listing.links else ""
    cut_off = "; it holds more files than are looked at: name an inner folder" if listing.cut else ""
    known = listed([tracker.name for tracker in trackers()], "or")
    return f"the folder {shown(path)} holds no log of {known}{more}{cut_off}"


def chosen(path: Path, name: str | None, load: Callable[[FolderRun], Log]) -> Log:
    """Return the log of the run that is meant: the one named, or the only one that holds both losses.

    Args:
        path: the folder.
        name: as `--run` gives it; None where none is named.
        load: reads a run.

    Raises:
        DiagnoseError: no run is named so, or several would do and none is named.
    """
    runs = runs_in(path)
    if name is not None:
        return load(_named(runs, name, path))
    if len(runs) == 1:
        return load(runs[0])
    logs = [(run, _or_error(run, load)) for run in runs[:MOST_READ]]
    whole = [(run, log) for run, log in logs if not isinstance(log, str) and _both(log)]
    if len(whole) == 1 and len(runs) <= MOST_READ:
        run, log = whole[0]
        log.notes.append(
            f"Of {counted(len(runs), 'run')} in the folder, {_quoted(run)} alone holds both losses; it is read."
        )
        return log
    raise DiagnoseError(_ask(path, runs, {run.name: log for run, log in logs}))


def _or_error(run: FolderRun, load: Callable[[FolderRun], Log]) -> Log | str:
    try:
        return load(run)
    except DiagnoseError as error:
        return str(error)


def _both(log: Log) -> bool:
    losses = [(meaning(name), series.count) for name, series in log.series.items()]
    held_out = {m.held_out for m, count in losses if m.kind and count}
    return held_out == {True, False}


def _quoted(run: FolderRun) -> str:
    return repr(cut(visible(run.name), 60))


def _named(runs: list[FolderRun], name: str, path: Path) -> FolderRun:
    """Return the run of that name, identifier or end of a path.

    A part of a name, or how an identifier begins, does where it is of one run alone.
    """
    for fits in (
        [run for run in runs if name == run.name],
        [run for run in runs if name in run.also or run.name.endswith(f"/{name}")],
        [run for run in runs if name in run.name or any(other.startswith(name) for other in run.also)],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            fitting = listed([_with_id(run) for run in fits[:MOST_LISTED]])
            raise DiagnoseError(f"--run {visible(name)}: {counted(len(fits), 'run')} in {shown(path)} fit: {fitting}")
    raise DiagnoseError(f"--run {visible(name)}: {shown(path)} holds no such run; it holds {_names(runs)}")


def _with_id(run: FolderRun) -> str:
    return _quoted(run) + (f" (--run {visible(run.also[0])})" if run.also else "")


def _names(runs: list[FolderRun]) -> str:
    shown_runs = [_quoted(run) for run in runs[:MOST_LISTED]]
    return listed([*shown_runs, *([f"{len(runs) - MOST_LISTED} more"] if len(runs) > MOST_LISTED else [])])


def _ask(path: Path, runs: list[FolderRun], logs: dict[str, Log | str]) -> str:
    """Return what is said where several runs would do."""
    told = []
    for run in runs[:MOST_LISTED]:
        log = logs.get(run.name)
        holds = "not readable" if isinstance(log, str) else "" if log is None else _holds(log)
        told.append(f"{_quoted(run)}{f' ({holds})' if holds else ''}")
    more = [f"{len(runs) - MOST_LISTED} more"] if len(runs) > MOST_LISTED else []
    example = visible(runs[-1].name)
    return f"{shown(path)} holds {counted(len(runs), 'run')}: {listed([*told, *more])}; name one, as --run {example}"


def _holds(log: Log) -> str:
    losses = {name: meaning(name) for name, series in log.series.items() if series.count}
    counts = [
        max((log.series[name].count for name, m in losses.items() if m.kind and m.held_out is side), default=0)
        for side in (False, True)
    ]
    return f"{counts[0]:,} training and {counts[1]:,} validation values" if any(counts) else "no loss"

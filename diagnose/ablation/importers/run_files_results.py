"""Folders with a file a run, by no tool in particular: JSON of settings and scores, or a CSV of a course; Ray Tune."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from diagnose.ablation.importers.hydra_results import scores_of
from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.ablation.importers.json_files import numbers_in, object_of, objects_in
from diagnose.ablation.importers.sweeps import SEED, SweepRun, arms_and_seeds, table_of
from diagnose.ablation.results.table_files import names_of
from diagnose.ablation.results.table_hints import TIMES
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.logs.folders.plain_files import Listing

NAME = "a JSON or CSV file a run (Ray Tune's and others')"
SETTINGS = (
    "config",
    "args",
    "params",
    "hparams",
    "hyperparameters",
    "settings",
    "cfg",
)  # of a run, by what they lie in
MOST_RUNS = 2000
RAY = ("result.json", "progress.csv")  # of a trial, beside its params.json


def owns(listing: Listing) -> bool:
    """Say whether a folder holds files of two runs or more."""
    return not listing.top.is_file() and len(_runs(listing)) > 1


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return a row for each run, of settings that lie in its file, or else of its path's parts.

    Raises:
        DiagnoseError: fewer than two runs, or no score that all have.
    """
    found = [(listing, run) for listing in listings for run in _runs(listing)]
    top = os.path.commonpath([listing.top.resolve() for listing in listings])
    runs = [
        SweepRun(os.path.relpath(listing.top.resolve() / run.name, top), run.settings, _pointed(run.scores, wanted))
        for listing, run in found
    ]
    return table_of(_named_by_folder(runs) if len(listings) > 1 else runs, wanted)


def _pointed(scores: dict[str, float], wanted: Sequence[str]) -> dict[str, float]:
    """Return scores with those that are asked for with points ("metrics.loss") under that name."""
    inner = {name: scores[name.replace(".", "/")] for name in wanted if name.replace(".", "/") in scores}
    return {**scores, **inner}


def _named_by_folder(runs: Sequence[SweepRun]) -> list[SweepRun]:
    """Return runs of several folders with the folder as the arm, and their seed where the settings say one."""
    told = arms_and_seeds([run.name for run in runs], numbered=True)
    out = []
    for run, (arm, seed) in zip(runs, told, strict=True):
        known = next((value for name, value in run.settings.items() if SEED.search(name)), seed)
        where = run.name.rpartition("/")[0] if not seed else arm
        out.append(SweepRun(run.name, {"run": where, **({"seed": known} if known else {})}, run.scores))
    return out


def _runs(listing: Listing) -> list[SweepRun]:
    trials = [
        file.parent for file in listing.named("params.json") if any((file.parent / name).is_file() for name in RAY)
    ]
    if trials:
        return [_of_trial(folder, folder.relative_to(listing.top).as_posix()) for folder in trials[:MOST_RUNS]]
    for kind, read in ((".json", _of_json), (".csv", _of_csv)):
        files = _of_one_name([file for file in listing.files if file.suffix.lower() == kind])[:MOST_RUNS]
        name = {file: file.relative_to(listing.top).with_suffix("").as_posix() for file in files}
        if len({file.name for file in files}) == 1:
            name = {file: short.rpartition("/")[0] for file, short in name.items()}
        runs = [run for file in files if (run := read(file, name[file])) is not None]
        if len(runs) > 1:
            return runs
    return []


def _of_one_name(files: Sequence[Path]) -> list[Path]:
    """Return the files of the name that most folders have, or all where each has a name of its own."""
    counts = Counter(file.name for file in files)
    held = {name: number for name, number in counts.items() if number > 1 and name.rpartition(".")[0] not in SETTINGS}
    most = max(held, key=lambda name: held[name], default=None)
    return [file for file in files if most is None or file.name == most]


def _of_trial(folder: Path, name: str) -> SweepRun:
    scores: dict[str, float] = {}
    if (folder / RAY[0]).is_file():
        for record in objects_in(folder / RAY[0]):
            scores |= numbers_in({key: value for key, value in record.items() if key != "config"})
    else:
        scores = scores_of([folder / RAY[1]])
    return SweepRun(name, _flat(object_of(folder / "params.json")), scores)


def _of_json(path: Path, name: str) -> SweepRun | None:
    try:
        content = object_of(path)
        inner = next((key for key in SETTINGS if isinstance(content.get(key), dict)), None)
        beside = next(
            (path.with_name(f"{key}.json") for key in SETTINGS if path.with_name(f"{key}.json").is_file()), None
        )
        settings = _flat(content[inner]) if inner else _flat(object_of(beside)) if beside and beside != path else {}
    except DiagnoseError:
        return None
    scores = numbers_in({key: value for key, value in content.items() if key != inner})
    if not settings:
        settings = {key: value for key, value in _flat(content).items() if SEED.search(key) or not _is_number(value)}
    return SweepRun(name, settings if any(map(SEED.search, settings)) else {}, scores) if scores else None


def _of_csv(path: Path, name: str) -> SweepRun | None:
    """Return a run by the last numbers of a CSV with a column of epochs or steps, None of any other table."""
    try:
        if not TIMES & {column.lower() for column in names_of(path)}:
            return None
    except DiagnoseError:
        return None
    scores = scores_of([path])
    return SweepRun(name, {}, scores) if scores else None


def _flat(content: dict[str, Any], before: str = "") -> dict[str, str]:
    """Return settings by name, those of inner objects with points between."""
    out: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{before}{key}.")
        elif isinstance(value, str | int | float | bool):
            out[f"{before}{key}"] = str(value)
    return out


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


IMPORTER = Importer(NAME, 95, owns, load)

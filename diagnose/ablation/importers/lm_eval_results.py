"""lm-evaluation-harness with --log_samples: samples_TASK_DATE.jsonl beside results_DATE.json, a folder a model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.ablation.importers.json_files import object_of, objects_in
from diagnose.ablation.importers.sweeps import arms_and_seeds, named_apart
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import counted, listed, visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from diagnose.logs.folders.plain_files import Listing

NAME = "lm-evaluation-harness"
SAMPLES = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.:-]+)\.jsonl")
RESULTS = re.compile(r"results_\d{4}-\d\d-\d\dT[\d.:-]+\.json")
FIRST = ("acc", "exact_match", "acc_norm", "f1", "pass@1", "mc2", "em", "bleu")  # what is shown unless asked
OTHER_KEYS = frozenset({
    "doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash",
    "target_hash",
})  # fmt: skip


@dataclass(frozen=True)
class _Samples:
    """A file of samples: of which model's folder, task and evaluation."""

    path: Path
    task: str
    date: str


def owns(listing: Listing) -> bool:
    """Say whether a folder holds samples, or at least results."""
    return any(SAMPLES.fullmatch(file.name) or RESULTS.fullmatch(file.name) for file in listing.files)


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return a row for each example of each model; of a model that was evaluated twice the last evaluation.

    Raises:
        DiagnoseError: there are no samples, a file is damaged, or no score is of all examples.
    """
    import pandas as pd

    newest, older = _newest(listings)
    if not newest:
        raise DiagnoseError(_without_samples(listings))
    models = {folder: _model(folder) for folder in dict.fromkeys(samples.path.parent for samples in newest)}
    names = named_apart([(name, folder.parent.name) for folder, (name, _) in models.items()])
    told = dict(zip(models, arms_and_seeds(names), strict=True))
    rows: list[dict[str, Any]] = []
    higher: dict[str, bool] = {}
    for samples in newest:
        arm, run = told[samples.path.parent]
        rows += _rows(samples, {"model": arm, "seed": run})
        sides = models[samples.path.parent][1].get(samples.task) or {}
        higher |= {str(name): bool(side) for name, side in sides.items()}
    rows, scores = _with_scores(rows, wanted)
    for score in scores:
        higher.setdefault(score, higher.get(score.partition(",")[0], True))
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    notes = []
    if older:
        notes.append(f"{counted(older, 'older file')} of samples left out: the last evaluation of each model is taken.")
    if len(tasks) > 1:
        notes.append(f"Examples of {len(tasks)} tasks are taken together, each counts once: {listed(tasks[:6])}.")
    table = pd.DataFrame(rows, columns=["model", "seed", "task", "example", *scores])
    known = {score: higher[score] for score in scores}
    seed = "seed" if table.groupby("model").seed.nunique().max() > 1 else None
    return ImportedScores(table, ("model",), scores, seed, "example", None, known, tuple(notes))


def _without_samples(listings: Sequence[Listing]) -> str:
    """Return how the samples are had, by the tool that left the results."""
    results = next(file for listing in listings for file in listing.files if RESULTS.fullmatch(file.name))
    if "config_general" in object_of(results):
        return "results of lighteval without samples: evaluate with --save-details, and give its details as a table"
    return f"results of {NAME} without samples: evaluate with --log_samples"


def _newest(listings: Sequence[Listing]) -> tuple[list[_Samples], int]:
    """Return the newest samples of each task of each folder, and how many older files there are."""
    newest: dict[tuple[Path, str], _Samples] = {}
    count = 0
    for listing in listings:
        for file in listing.files:
            match = SAMPLES.fullmatch(file.name)
            if match:
                samples = _Samples(file, match["task"], match["date"])
                before = newest.get((file.parent, samples.task), samples)
                newest[file.parent, samples.task] = max(before, samples, key=lambda each: each.date)
                count += 1
    return list(newest.values()), count - len(newest)


def _model(folder: Path) -> tuple[str, dict[str, Any]]:
    """Return a folder's model, and by task which of its metrics are better higher."""
    results = sorted(folder.glob("results_*.json"))
    settings = object_of(results[-1]) if results else {}
    sides = settings.get("higher_is_better")
    name = settings.get("model_name") or folder.name.replace("__", "/")
    return str(name), sides if isinstance(sides, dict) else {}


def _rows(samples: _Samples, run: dict[str, str]) -> list[dict[str, Any]]:
    """Return a row an example: its scores by name, with the filter's behind where a task has several."""
    by_example: dict[str, dict[str, Any]] = {}
    for record in objects_in(samples.path):
        example = f"{samples.task}/{record.get('doc_id')}"
        row = by_example.setdefault(example, {**run, "task": samples.task, "example": example})
        names = record.get("metrics")
        told = names if isinstance(names, list) else [key for key in record if key not in OTHER_KEYS]
        sign = str(record.get("filter", "none"))
        for name in told:
            value = record.get(name)
            if isinstance(value, bool | int | float):
                row[str(name) if sign == "none" else f"{name},{sign}"] = float(value)
    return list(by_example.values())


def _with_scores(rows: list[dict[str, Any]], wanted: tuple[str, ...]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the rows that have the scores, and which these are: those asked for, or the first that is known.

    Raises:
        DiagnoseError: no example has the score.
    """
    names = list(dict.fromkeys(key for row in rows for key in row if key not in {"model", "seed", "task", "example"}))
    chosen = wanted or tuple(name for known in FIRST for name in names if name.partition(",")[0] == known)[:1]
    for name in chosen:
        if name not in names:
            raise DiagnoseError(f"--score {visible(name)}: no example has it{nearest(name, names)}")
    if not chosen:
        raise DiagnoseError(f"name a score with --score: the examples have {listed(names) or 'none'}")
    return [row for row in rows if all(name in row for name in chosen)], chosen


IMPORTER = Importer(NAME, 10, owns, load)

"""inspect_ai's logs: .eval archives and .json files, a log for each task and model; a sample's epochs are averaged."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

import zstandard

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.ablation.importers.json_files import MOST_OBJECT, object_of
from diagnose.ablation.importers.sweeps import arms_and_seeds, named_apart
from diagnose.data.swelling import FACTOR
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import counted, listed, size, visible
from diagnose.logs.folders.plain_files import file_head
from diagnose.logs.source import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from diagnose.logs.folders.plain_files import Listing

NAME = "inspect_ai"
GRADES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0, "true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
ZSTANDARD = 93  # a way of packing
NAME_LENGTH = 26  # where a local header gives the lengths of the name and of what follows it
DAMAGED = (
    zipfile.BadZipFile, zlib.error, zstandard.ZstdError, struct.error, EOFError, NotImplementedError, RuntimeError,
    KeyError, ValueError, OSError,
)  # fmt: skip
HEAD = 4096
Logs = dict[tuple[str, str, str], list[dict[str, Any]]]  # by model, folder and task


def is_file_of(path: Path) -> bool:
    """Say whether a file is a log of inspect_ai's."""
    if path.suffix == ".json":
        return b'"eval"' in file_head(path, HEAD)
    return path.suffix == ".eval" and file_head(path, 4) == b"PK\x03\x04"


def _logs(listing: Listing) -> list[Path]:
    """Return the logs among the files of a listing."""
    return [file for file in listing.files if is_file_of(file)]


def owns(listing: Listing) -> bool:
    """Say whether a folder holds logs, or a file is one."""
    return bool(_logs(listing))


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return a row for each sample of each log; of a model and task in one folder the last log is taken.

    Raises:
        DiagnoseError: a log is damaged, or no score is of all samples.
    """
    import pandas as pd

    logs, left, older = _logs_of(listings)
    rows, repeated = _rows(logs)
    scores = _scores(rows, wanted)
    notes = []
    if left:
        verb = "is" if left == 1 else "are"
        notes.append(f"{counted(left, 'log')} that did not end in success {verb} left out.")
    if older:
        notes.append(f"{counted(older, 'older log')} of the same model and task left out.")
    if repeated:
        notes.append("Each sample's epochs are averaged: they are repeated answers of one model, not trainings.")
    table = pd.DataFrame(rows, columns=["model", "seed", "task", "sample", *scores]).dropna(subset=list(scores))
    seed = "seed" if table.groupby("model").seed.nunique().max() > 1 else None
    return ImportedScores(table, ("model",), scores, seed, "sample", None, dict.fromkeys(scores, True), tuple(notes))


def _logs_of(listings: Sequence[Listing]) -> tuple[Logs, int, int]:
    """Return the samples of each model, folder and task; how many logs failed, and how many are older.

    Raises:
        DiagnoseError: a log is damaged, or none ended in success.
    """
    logs: Logs = {}
    left = older = 0
    for path in (path for listing in listings for path in _logs(listing)):  # by name, which begins with the time
        header, samples = _read(path)
        if header.get("status", "success") != "success":
            left += 1
            continue
        told = header.get("eval") or {}
        key = (str(told.get("model")), path.resolve().parent.name, str(told.get("task")))
        older += key in logs
        logs[key] = samples
    if not logs:
        raise DiagnoseError(f"none of {counted(left, 'log')} of inspect_ai ended in success")
    return logs, left, older


def _rows(logs: Logs) -> tuple[list[dict[str, Any]], bool]:
    """Return a row a sample with the means of its scores over epochs, and whether there are several epochs."""
    rows, repeated = [], False
    models = list(dict.fromkeys((model, folder) for model, folder, _ in logs))
    told = dict(zip(models, arms_and_seeds(named_apart(models)), strict=True))
    for (model, folder, task), samples in logs.items():
        arm, seed = told[model, folder]
        answers: dict[str, dict[str, list[float]]] = {}
        for sample in samples:
            answers_of_sample = answers.setdefault(str(sample.get("id")), {})
            for name, value in _values(sample.get("scores")):
                answers_of_sample.setdefault(name, []).append(value)
        for key, scores in answers.items():
            repeated = repeated or any(len(values) > 1 for values in scores.values())
            means = {name: sum(values) / len(values) for name, values in scores.items()}
            rows.append({"model": arm, "seed": seed, "task": task, "sample": f"{task}/{key}", **means})
    return rows, repeated


def _values(scores: Any) -> Iterator[tuple[str, float]]:
    """Yield the scores of a sample as numbers; grades are 1, 0.5 and 0."""
    for scorer, score in (scores or {}).items():
        value = score.get("value") if isinstance(score, dict) else score
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for inner, part in parts:
            name = f"{scorer}/{inner}" if inner else str(scorer)
            if isinstance(part, bool | int | float):
                yield name, float(part)
            elif isinstance(part, str) and part in GRADES:
                yield name, GRADES[part]


def _scores(rows: list[dict[str, Any]], wanted: tuple[str, ...]) -> tuple[str, ...]:
    names = list(dict.fromkeys(key for row in rows for key in row if key not in {"model", "seed", "task", "sample"}))
    for name in wanted:
        if name not in names:
            raise DiagnoseError(f"--score {visible(name)}: no sample has it{nearest(name, names)}")
    if wanted or len(names) == 1:
        return wanted or tuple(names)
    raise DiagnoseError(f"name a score with --score: the samples have {listed(names) or 'none'}")


def _read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a log's header and its samples. Raises DiagnoseError where it is damaged."""
    if path.suffix == ".json":
        whole = object_of(path)
        samples = whole.get("samples")
        return whole, samples if isinstance(samples, list) else []
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            head = "header.json" if "header.json" in names else "_journal/start.json"
            if "summaries.json" in names:
                header, samples = _entries(archive, path, [head, "summaries.json"])
                return header, samples
            inside = sorted(name for name in names if name.startswith("samples/") and name.endswith(".json"))
            header, *samples = _entries(archive, path, [head, *inside])
            return header, samples
    except DAMAGED as error:
        raise DiagnoseError(f"{shown(path)} is damaged: {error}") from None


def _entries(archive: zipfile.ZipFile, path: Path, names: Sequence[str]) -> Iterator[Any]:
    """Yield what entries hold, all of which together may not be far larger than the archive.

    Raises:
        ValueError: they are, or one is no JSON; others of `DAMAGED` where the archive is damaged.
    """
    left = most = max(MOST_OBJECT, FACTOR * path.stat().st_size)
    for name in names:
        data = _unpacked(archive, name, left + 1)
        left -= len(data)
        if left < 0:
            raise ValueError(f"its entries hold more than {size(most)}")
        yield json.loads(data)


def _unpacked(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return an entry; inspect_ai packs by Zstandard, which `zipfile` knows from Python 3.14 on alone."""
    info = archive.getinfo(name)
    with _packed(archive, info) if info.compress_type == ZSTANDARD else archive.open(info) as file:
        return file.read(most)


def _packed(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """Open an entry that is packed by Zstandard, behind its local header (APPNOTE.TXT, 4.3.7)."""
    raw = cast("IO[bytes]", archive.fp)
    raw.seek(info.header_offset + NAME_LENGTH)
    lengths = struct.unpack("<HH", raw.read(4))
    raw.seek(info.header_offset + NAME_LENGTH + 4 + sum(lengths))
    packed = io.BytesIO(raw.read(info.compress_size))
    return cast("IO[bytes]", zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(packed))


IMPORTER = Importer(NAME, 15, owns, load, is_file_of)

"""W&B's own transaction log, as `wandb/offline-run-*/run-*.wandb` holds it: records of Protocol Buffers in blocks.

Of a record only the history's items are looked at, and the run's name.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from diagnose.logs.events import fields
from diagnose.logs.folders.framing import framed_run, messages, texts_of
from diagnose.logs.folders.plain_files import FolderRun, Listing, Tracker, file_head
from diagnose.logs.series import Log

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.table import Records

NAME = "W&B"
IDENT = b":W&B"
HEADER = IDENT + b"\xe1\xbe\x00"  # a magic number and the version
MOST_ITEMS = 4096  # of a record
MOST_NAME, MOST_PARTS = 200, 8  # characters of a name; parts that it may have
MOST_VALUE = 64  # characters of a number
HISTORY, SUMMARY, CONFIG, RUN, EXIT = 2, 3, 5, 17, 18  # of Record
EXIT_CODE = 1  # of RunExitRecord
ITEM, STEP, STEP_NUMBER = 1, 2, 1  # of HistoryRecord, of HistoryStep
KEY, NESTED, VALUE = 1, 2, 16  # of HistoryItem
RUN_ID, RUN_CONFIG, RUN_NAME = 1, 4, 8  # of RunRecord
VALUE_KEY = b"\x82\x01"  # what an item's value begins with
NOT_FINITE = (b'"NaN"', b'"Infinity"', b'"-Infinity"', b"NaN", b"Infinity")


def find(listing: Listing) -> list[FolderRun]:
    """Return a run for each transaction log."""
    return [_run(listing, file) for file in transaction_logs(listing)]


def transaction_logs(listing: Listing) -> list[Path]:
    """Return the transaction logs of a folder, or the one that was given."""
    return [file for file in listing.given_or_named("*.wandb") if owns(file)]


def owns(path: Path) -> bool:
    """Say whether a file is a transaction log."""
    return file_head(path, 4) == IDENT


def _run(listing: Listing, path: Path) -> FolderRun:
    def fill(records: Records) -> None:
        for number, message in messages(path, records.log, HEADER):
            if number == HISTORY:
                records.add(_history(message))

    return framed_run(listing, path, _called(path), NAME, fill)


def _called(path: Path) -> tuple[str, str]:
    """Return a run's name and its identifier."""
    name, run = texts_of(path, HEADER, RUN, (RUN_NAME, RUN_ID))
    return name, run


@dataclass
class WandbSummary:
    """A run's name, its settings as text, the last number of each name, and whether it ended with 0."""

    name: str
    settings: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    finished: bool = False


def summary_of(path: Path) -> WandbSummary:
    """Return what a transaction log says of a run as a whole."""
    name, run = _called(path)
    out = WandbSummary(name or run or path.parent.name)
    for number, message in messages(path, Log("wandb"), HEADER):
        _sum_up(out, number, message)
    return out


def _sum_up(out: WandbSummary, number: int, value: bytes) -> None:
    if number in (HISTORY, SUMMARY):
        out.numbers.update({name: last for name, last in _history(value).items() if not name.startswith("_")})
    elif number == CONFIG:
        out.settings.update(_settings(value))
    elif number == RUN:
        for part, _, inner in fields(value):
            out.settings.update(_settings(inner) if part == RUN_CONFIG and isinstance(inner, bytes) else {})
    elif number == EXIT:
        out.finished = not any(code for part, _, code in fields(value) if part == EXIT_CODE)


def _settings(data: bytes) -> dict[str, str]:
    """Return a configuration's settings, those of tables within it with a dot."""
    out: dict[str, str] = {}
    for number, _, item in fields(data):
        if number == ITEM and isinstance(item, bytes) and len(out) < MOST_ITEMS:
            parts = [(n, v) for n, _, v in fields(item) if isinstance(v, bytes)]
            name = ".".join(v[:MOST_NAME].decode("utf-8", "replace") for n, v in parts if n in (KEY, NESTED))
            text = next((v for n, v in parts if n == VALUE), b"")
            if not name.startswith("_"):
                with suppress(ValueError, RecursionError):
                    out.update(_flat(name, json.loads(text)))
    return out


def _flat(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {key: text for part, inner in value.items() for key, text in _flat(f"{name}.{part}", inner).items()}
    return {name: value if isinstance(value, str) else json.dumps(value)}


def _history(data: bytes) -> dict[str, Any]:
    """Return a history record's numbers by name."""
    out: dict[str, Any] = {}
    for number, _, value in fields(data):
        if number == ITEM and isinstance(value, bytes) and len(out) < MOST_ITEMS:
            name, measured = _item(value)
            if measured is not None:
                out[name] = measured
        elif number == STEP and isinstance(value, bytes):
            steps = [v for n, _, v in fields(value) if n == STEP_NUMBER and isinstance(v, int)]
            out.setdefault("_step", steps[-1] if steps else 0)
    if [name for name in out if name.endswith("global_step")]:
        out.pop("_step", None)  # counts calls of log() alone
    return out


def _item(data: bytes) -> tuple[str, float | None]:
    """Return an item's name, its parts joined by slashes, and its number, None where it is something else."""
    end = data.find(VALUE_KEY)
    name = _before_value(data[:end]) if end > 0 else ""
    if name and len(data) > end + 2 and len(data) - end - 3 == data[end + 2] < MOST_VALUE:
        return name, _number(data[end + 3 :])
    names: list[bytes] = []
    text = b""
    for number, _, value in fields(data):
        if not isinstance(value, bytes):
            continue
        if number == VALUE:
            text = value
        elif number in (KEY, NESTED):
            names.append(value[:MOST_NAME])
    return (_joined(tuple(names[:MOST_PARTS])), _number(text)) if names else ("", None)


@lru_cache(maxsize=4096)
def _before_value(data: bytes) -> str:
    """Return the name that stands before an item's value, "" where anything else does."""
    parts = [value for number, _, value in fields(data) if number in (KEY, NESTED) and isinstance(value, bytes)]
    whole = sum(2 + len(part) for part in parts) == len(data) and len(data) < MOST_NAME and len(parts) <= MOST_PARTS
    return _joined(tuple(parts)) if whole else ""


@lru_cache(maxsize=4096)
def _joined(names: tuple[bytes, ...]) -> str:
    return "/".join(name.decode("utf-8", "replace") for name in names)


def _number(text: bytes) -> float | None:
    """Return a JSON value as a number, None where it is something else."""
    if len(text) > MOST_VALUE or not (text[:1] in b"-0123456789" or text in NOT_FINITE):
        return None
    try:
        return float(text.strip(b'"'))
    except ValueError:
        return None


TRACKER = Tracker(NAME, 30, find, owns)

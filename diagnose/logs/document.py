"""JSON documents: Hugging Face's `trainer_state.json`, Keras's History, and lists of records.

Arrays of records are read one record at a time, so that a document of gigabytes needs a mebibyte.
"""

from __future__ import annotations

import json
import math
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.formatting import counted
from diagnose.logs.long_document import read_lists
from diagnose.logs.messages import MOST_LOOKED, message_field, messages
from diagnose.logs.names import meaning, side_alone
from diagnose.logs.notebook import printed
from diagnose.logs.series import Log
from diagnose.logs.table import Records, flat
from diagnose.logs.table_fields import number
from diagnose.logs.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diagnose.logs.kept_columns import Columns

MOST_WHOLE = 1 << 25  # characters of a document that has to be held
MOST_DEEP = 4  # levels of an object that are looked into
MOST_OPENED = 64  # objects of a list that are looked into
SCALAR = ("wall time", "step", "value")
MOST_RECORD = 1 << 20  # characters of one record
HISTORY = re.compile(r'"log_history"\s{0,16}:\s{0,16}\[')
SETTING = re.compile(
    r'"(train_batch_size|max_steps|num_train_epochs|logging_steps|eval_steps|global_step)"\s{0,4}:\s{0,4}([0-9.]{1,24})'
)
FACTS = {
    "train_batch_size": "batch_size", "max_steps": "steps", "num_train_epochs": "epochs",
    "logging_steps": "logging_steps", "eval_steps": "eval_steps", "global_step": "last_step",
}  # fmt: skip
OF_PYTHON = re.compile(r"\s*\[\s*\{\s*'")  # what Python shows of a list of dictionaries
PYTHON_WORD = re.compile(r"(?<=[:\[,\s])(?:None|True|False|nan|inf)\b")
JSON_WORDS = {"None": "null", "True": "true", "False": "false", "nan": "NaN", "inf": "Infinity"}
EVALUATIONS = ("eval_runtime", "eval_samples_per_second", "eval_steps_per_second")
SUMMARIES = ("train_runtime", "train_samples_per_second", "train_steps_per_second")
HOLDS_NONE = (
    "this JSON holds no log: wanted are trainer_state.json, a History ({name: [values]}), records or a notebook"
)


def read_document(texts: Iterable[str], columns: Columns) -> Log:
    """Read a JSON document. Raises DiagnoseError where it is no JSON, or of no shape that holds a log."""
    pieces = iter(texts)
    head = ""
    for piece in pieces:
        head += piece
        if len(head) > MOST_RECORD or HISTORY.search(head):
            break
    start = HISTORY.search(head)
    if start:
        return _trainer_state(head[: start.start()], chain([head[start.end() :]], pieces), columns)
    if head.lstrip().startswith("["):
        first, _ = _first(head.lstrip()[1:].lstrip())
        field = message_field([first])
        if field:
            document = _whole(head, pieces)
            if isinstance(document, list):
                return read_text(messages(document, field), columns)
            head = document if isinstance(document, str) else head
        log = Log("json")
        records = _Rows(log, columns)
        rest = chain([head.lstrip()[1:]], pieces)
        _array(map(_as_json, rest) if OF_PYTHON.match(head) else rest, records)
        return log
    if _first(head.lstrip())[1].startswith("{"):  # a loop that prints each record over several lines
        log = Log("json")
        _array(chain([head.lstrip()], pieces), Records(log, columns))
        return log
    return _history(head, pieces, columns)


def _first(text: str) -> tuple[Any, str]:
    """Return the first value of a text that begins with JSON, and what follows it; None and "" where it does not."""
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None, ""
    return value, text[end:].lstrip()


def _trainer_state(before: str, pieces: Iterator[str], columns: Columns) -> Log:
    """Read the log of Hugging Face's Trainer; the last record, a summary of the run, gives facts."""
    log = Log("trainer_state", "Hugging Face")
    records = Records(log, columns, lambda record: _summary(record, log))
    after = _array(pieces, records)
    for name, value in SETTING.findall(before[-(1 << 16) :] + after):
        setting = number(value)
        if setting is not None:
            log.facts[FACTS[name]] = setting
    return log


def _summary(record: dict[str, Any], log: Log) -> bool:
    """Take the settings that a record states; return whether it is the summary of the run."""
    for name in (*EVALUATIONS, *SUMMARIES):
        value = number(record.get(name))
        if value is not None and math.isfinite(value):
            log.facts[name] = value
    if record.keys().isdisjoint(SUMMARIES):
        return False
    mean = number(record.get("train_loss"))
    if mean is not None and math.isfinite(mean):
        log.facts["run_mean"] = mean
    return True


def _array(pieces: Iterator[str], records: Records) -> str:
    """Read the records of an array whose bracket is open; return what follows the array, or nothing."""
    decoder, unread = json.JSONDecoder(), ""
    done = False
    while not done:
        piece = next(pieces, None)
        done = piece is None
        unread += piece or ""
        at = 0
        while True:
            at = _next(unread, at)
            if at < len(unread) and unread[at] == "]":
                return unread[at + 1 :] + "".join(part for part, _ in zip(pieces, range(4), strict=False))
            try:
                record, at = decoder.raw_decode(unread, at)
            except (ValueError, RecursionError):
                break
            records.add(record)
        unread = unread[at:]
        if len(unread) > MOST_RECORD:
            raise DiagnoseError("the document holds a record that is no JSON or larger than a mebibyte")
    if unread.strip():
        records.log.bad += 1
        records.log.notes.append(
            "the document breaks off, or holds something that is no JSON; what came before is read"
        )
    return ""


class _Rows(Records):
    """Records, or lists whose first one holds the names of the others' values."""

    names: list[str] | None = None

    def add(self, record: Any) -> None:
        if not isinstance(record, list):
            super().add(record)
        elif self.names is not None:
            super().add(dict(zip(self.names, record, strict=False)))
        elif all(isinstance(name, str) for name in record):
            self.names = record
        else:
            super().add(record)


def _as_json(piece: str) -> str:
    """Return a piece of what Python shows of a list of dictionaries as JSON has it."""
    return PYTHON_WORD.sub(lambda word: JSON_WORDS[word.group()], piece.replace("'", '"'))


_GAP = re.compile(r"[\s,]*")


def _next(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _history(head: str, pieces: Iterator[str], columns: Columns) -> Log:
    """Read a document that has to be held: Keras's `history.history`, a table by columns as of pandas, a notebook."""
    document = _whole(head, pieces)
    if isinstance(document, str):
        parts = (document[at : at + MOST_RECORD] for at in range(0, len(document), MOST_RECORD))
        return _long(chain(parts, pieces), columns)
    if not isinstance(document, dict):
        raise DiagnoseError(HOLDS_NONE)
    if isinstance(document.get("columns"), list) and isinstance(document.get("data"), list):
        return _listing(
            [
                dict(zip(map(str, document["columns"]), row, strict=False))
                for row in document["data"]
                if isinstance(row, list)
            ],
            columns,
        )
    if isinstance(document.get("history"), dict):
        document = document["history"]
    if "nbformat" in document and isinstance(document.get("cells"), list):
        return _of_notebook(document["cells"], columns)
    records = _records_of(document) or _of_scalars(document)
    field = message_field(records[:MOST_LOOKED])
    if field:
        return read_text(messages(records, field), columns)
    return _listing(records, columns) if records else _by_columns(document, columns)


def _of_notebook(cells: list[Any], columns: Columns) -> Log:
    """Read what a notebook's cells printed. Raises DiagnoseError where they printed no loss."""
    log = read_text(printed(cells), columns)
    if log.series or log.tuples or log.runs:
        return log
    code = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    run = sum(bool(cell.get("outputs")) for cell in code)
    raise DiagnoseError(
        f"it is a notebook, and what its cells printed holds no loss ({run} of {counted(len(code), 'cell')} with code "
        "have outputs): run it, save it with its outputs, and give it again, or give what was printed"
    )


def _whole(head: str, pieces: Iterator[str]) -> Any:
    """Return a document that is held as a whole; of one that is too large the text that was read of it.

    Raises:
        DiagnoseError: it is no JSON.
    """
    whole = head
    for piece in pieces:
        whole += piece
        if len(whole) > MOST_WHOLE:
            return whole
    try:
        return json.loads(whole)
    except (ValueError, RecursionError) as error:
        raise DiagnoseError(f"it looks like JSON and is none: {str(error)[:80]}") from None


def _long(pieces: Iterator[str], columns: Columns) -> Log:
    """Read a document too large to be held.

    Raises:
        DiagnoseError: no list of numbers or records in it holds a loss.
    """
    log = Log("history")
    read_lists(pieces, Records(log, columns), columns, _array)
    if not log.series:
        raise DiagnoseError(
            "the JSON document is too large to be held, and no list in it has the name of a loss; a record a line "
            "(.jsonl) can be streamed"
        )
    return log


def _records_of(document: dict[str, Any]) -> list[Any]:
    """Return the records that an object holds, in a list or under the number of each epoch; none of any other."""
    if document and all(key.isdecimal() and isinstance(value, dict) for key, value in document.items()):
        return [{"epoch": float(key), **value} for key, value in document.items()]
    sided = {key: v for key, v in document.items() if side_alone(key) and isinstance(v, list)}
    if len(sided) > 1:
        return [{"split": key, **row} for key, rows in sided.items() for row in rows if isinstance(row, dict)]
    inner = next((v for v in document.values() if isinstance(v, list) and v and isinstance(v[0], dict)), None)
    listed = _of_catboost(document, inner) if inner is not None else []
    return listed if listed and _has_loss(listed[0]) else _deeper(document, MOST_DEEP) or listed


def _has_loss(record: Any) -> bool:
    return isinstance(record, dict) and any(meaning(name).kind for name in flat(record))


def _deeper(branch: dict[str, Any], levels: int) -> list[Any]:
    """Return the records with a loss that stand in a list further within an object, none where there are none."""
    for value in branch.values():
        if isinstance(value, list) and value and _has_loss(value[0]):
            return value
        for inner in value[:MOST_OPENED] if isinstance(value, list) else [value]:
            records = _deeper(inner, levels - 1) if isinstance(inner, dict) and levels > 0 else []
            if records:
                return records
    return []


def _of_scalars(document: dict[str, Any]) -> list[Any]:
    """Return the records of TensorBoard's scalars as JSON: [wall time, step, value] for each name."""
    table = {name: points for name, points in document.items() if isinstance(points, list) and points}
    if not table or not all(
        isinstance(point, list) and len(point) == len(SCALAR) for points in table.values() for point in points
    ):
        return []
    return [
        {"step": step, "wall_time": wall, name: value} for name, points in table.items() for wall, step, value in points
    ]


def _by_columns(document: dict[str, Any], columns: Columns) -> Log:
    """Read an object that has a list for each name, or one value for each: what a run ended with.

    Raises:
        DiagnoseError: it has neither.
    """
    lists = {k: _listed(v) for k, v in flat(document).items()} | {k: _listed(v) for k, v in document.items()}
    table = {key: values for key, values in lists.items() if values}
    if not table:
        return _ended_with(document, columns)
    log = Log("history", "Keras" if "val_loss" in table and "loss" in table else "")
    records = Records(log, columns)
    at = "iteration" if any("/" in name for name in table) else "epoch"  # boosting keeps a history for each set
    for i in range(max(map(len, table.values()))):
        records.add({at: float(i), **{k: v[i] for k, v in table.items() if i < len(v)}})
    return log


def _ended_with(document: dict[str, Any], columns: Columns) -> Log:
    """Read the values that a run ended with; Hugging Face's `train_loss` there is a mean over the run, and goes."""
    last = {k: v for k, v in flat(document).items() if (k != "train_loss" or document.keys().isdisjoint(SUMMARIES))}
    if not any(meaning(name).kind and number(value) is not None for name, value in last.items()):
        raise DiagnoseError(HOLDS_NONE)
    return _listing([last], columns)


def _of_catboost(document: dict[str, Any], records: list[Any]) -> list[Any]:
    """Return the records of `catboost_training.json`, whose values have their names apart; any others as they are."""
    meta = document.get("meta")
    if not isinstance(meta, dict) or "learn_metrics" not in meta:
        return records
    names = {
        side: [metric.get("name") for metric in meta.get(f"{key}_metrics") or [] if isinstance(metric, dict)]
        for key in ("learn", "test")
        for side in meta.get(f"{key}_sets") or []
        if isinstance(side, str)
    }
    return [_catboost_record(record, names) for record in records if isinstance(record, dict)]


def _catboost_record(record: dict[str, Any], names: dict[str, list[Any]]) -> dict[str, Any]:
    out = {"iteration": record.get("iteration")}
    for side, metrics in names.items():
        values = record.get(side)
        if isinstance(values, list):
            out |= {f"{side}/{name}": value for name, value in zip(metrics, values, strict=False)}
    return out


def _listing(listed: list[Any], columns: Columns) -> Log:
    """Read records that stand in a list within an object."""
    log = Log("json")
    records = Records(log, columns)
    for record in listed:
        records.add(record)
    return log


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    return value if isinstance(value, list) and value and all(number(v) is not None for v in value[:8]) else []

"""Logs whose lines are wrapped in JSON, as loggers of services and containers do: a field of text says all."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from diagnose.logs.names import meaning
from diagnose.logs.source import of_text
from diagnose.logs.table import flat, read_jsonl
from diagnose.logs.table_fields import json_of, number
from diagnose.logs.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diagnose.logs.kept_columns import Columns
    from diagnose.logs.series import Log

FIELDS = ("message", "msg", "log", "text", "textPayload", "event", "line", "body", "data")
MOST_LOOKED = 1000  # records that are looked at for what says their losses


def read_records(lines: Iterable[str], columns: Columns) -> Log:
    """Read an object a line: the losses are its fields, or stand in a message that it wraps."""
    source = iter(lines)
    first = list(itertools.islice(source, MOST_LOOKED))
    field = message_field(map(_object, first))
    whole = itertools.chain(first, source)
    return read_text(messages(map(_object, whole), field), columns) if field else read_jsonl(whole, columns)


def message_field(records: Iterable[Any]) -> str:
    """Return the field that holds the messages, "" where records hold losses themselves or no messages."""
    field = ""
    for record in records:
        if not isinstance(record, dict):
            return ""
        if any(meaning(name).kind and number(value) is not None for name, value in flat(record).items()):
            return ""
        field = field or next((name for name in FIELDS if isinstance(record.get(name), str)), "")
    return field


def _object(line: str) -> dict[str, Any]:
    record = json_of(line)
    return record if isinstance(record, dict) else {}


def messages(records: Iterable[dict[str, Any]], field: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines of the messages in a field of records, as `source.lines` does."""
    for record in records:
        message = record.get(field)
        if isinstance(message, str):
            yield from of_text(message)

"""JSON documents too large to be held: an object whose lists, of numbers or of records, are read piece by piece."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from diagnose.logs.names import meaning
from diagnose.logs.series import EPOCH, ITERATION, PLACE, VALUE, bare_points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from diagnose.logs.kept_columns import Columns
    from diagnose.logs.table import Records

MOST_KEY = 1024  # characters in which the name of a list, and what follows it, stand
TOKEN = re.compile(r'"((?:[^"\\]|\\.){0,400})"\s{0,64}(?::\s{0,64}(\[\s{0,64}(?=[^\s])|\{))?|[{}]')
PLAIN = re.compile(r"[-+.\deE,\snaifNIty]*")
HOLDER = "history"  # a name that lists may stand under, and no part of theirs


def read_lists(
    pieces: Iterator[str], records: Records, columns: Columns, array: Callable[[Iterator[str], Records], str]
) -> None:
    """Add the losses of an object of lists to the log of `records`.

    Args:
        pieces: the document's text.
        records: what takes lists of records.
        columns: names that `--columns` gives.
        array: reads the records of a list that is open, and returns what follows it.
    """
    text, at, path = "", 0, list[str]()
    for piece in pieces:
        text, at = text[at:] + piece, 0
        while (token := TOKEN.search(text, at)) and token.end() < len(text) - MOST_KEY:
            text, at = _token(token, text, path, pieces, records, columns, array)
    while token := TOKEN.search(text, at):
        text, at = _token(token, text, path, pieces, records, columns, array)


def _token(
    token: re.Match[str], text: str, path: list[str], pieces: Iterator[str], records: Records, columns: Columns,
    array: Callable[[Iterator[str], Records], str],
) -> tuple[str, int]:  # fmt: skip
    """Take a name with what it opens, or a brace; return the text that is held then, and where to go on."""
    name, opens = token.group(1), (token.group(2) or "")[:1]
    at = token.end()
    if opens == "{":
        path.append(name)
    elif token.group() == "}" and path:
        path.pop()
    elif opens == "[" and text[at : at + 1] == "{":
        return array(chain([text[at:]], pieces), records), 0
    elif opens == "[" and text[at : at + 1] not in ('"', "["):
        full = "/".join([*(part for part in path if part != HOLDER), name])
        keep = bool(meaning(full).kind) or full in columns.values()
        return _numbers(full if keep else "", chain([text[at:]], pieces), records)
    return text, at


def _numbers(name: str, pieces: Iterator[str], records: Records) -> tuple[str, int]:
    """Add the numbers of a list under a name ("" for one that is passed over); return what follows it."""
    log, count, rest = records.log, 0, ""
    column = ITERATION if "/" in name else EPOCH
    for piece in pieces:
        inside, closed, after = (rest + piece).partition("]")
        whole, _, rest = (inside, "", "") if closed else inside.rpartition(",")
        values = _values(whole) if name else np.zeros(0)
        if len(values):
            points = bare_points(len(values), count)
            points[:, column] = points[:, PLACE] - 1
            points[:, VALUE] = values
            log.add_many(name, points)
        count += len(values)
        if closed:
            log.rows = max(log.rows, count)
            return after, 0
    return "", 0


def _values(text: str) -> NDArray[np.float64]:
    """Return numbers with commas between them; nothing where they are more than that."""
    if not text.strip() or not PLAIN.fullmatch(text):
        return np.zeros(0)
    try:
        return np.array([float(value) for value in text.replace("null", "nan").split(",")])
    except ValueError:
        return np.zeros(0)

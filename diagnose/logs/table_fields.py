"""A line as a record, and a field of a table or a record as a number."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MOST_NUMBER = 64  # characters
SCATTER = re.compile(r"\s{0,3}(?:\u00b1|\+/?-)\s{0,3}[\d.eE+-]{1,24}$")  # behind a mean
REMARK = re.compile(r"\s\([^()]{1,24}\)$")  # "3,000 (best val)"
THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3}){1,4}")
COMMAS = re.compile(r"[-+]?\d{1,40}(?:,\d{1,40}){1,6}(?:\.\d{1,40})?(?:[eE][-+]?\d{1,4})?")


def json_of(text: str) -> Any:
    """Return what a text is as JSON, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def number(value: Any) -> float | None:
    """Return a field as a number, None where it is none (empty, a word, true)."""
    if type(value) is float:
        return value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or value is None or (isinstance(value, str) and not 0 < len(value) <= MOST_NUMBER):
        return None
    try:
        return float(value)
    except ValueError:
        return _of_text(value) if isinstance(value, str) else None
    except OverflowError:
        return math.inf
    except TypeError:
        return None


def _of_text(text: str) -> float | None:
    """Return a number in Markdown's bold, with another minus sign, an arrow behind it, in brackets or with commas."""
    text = SCATTER.sub("", text.strip(" *`").replace("\N{MINUS SIGN}", "-"))
    text = text.rstrip(" \u25b2\u25bc\u2191\u2193")  # up or down
    text = text[1:-1] if text[0:1] == "[" and text[-1:] == "]" else text  # a list of one, as DeepXDE prints
    try:
        return float(text)
    except ValueError:
        return _with_commas(text)


def _with_commas(text: str) -> float | None:
    """Return a number with a decimal comma, or with commas between thousands."""
    if "," not in text or not COMMAS.fullmatch(text):
        return None
    plain = text.replace(",", "") if "." in text or text.count(",") > 1 else text.replace(",", ".")
    return float(plain)


def place_number(value: Any) -> float | None:
    """Return a field that counts steps or epochs: commas part thousands there, but for those of "0,5"."""
    if isinstance(value, str) and value[-1:] == ")":
        value = REMARK.sub("", value)
    if isinstance(value, str) and "," in value and THOUSANDS.fullmatch(value.strip()):
        return float(value.replace(",", ""))
    return number(value)

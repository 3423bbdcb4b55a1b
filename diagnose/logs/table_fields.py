"""A field of a table or a record as a number."""

from __future__ import annotations

import math
import re
from typing import Any

MOST_NUMBER = 64  # characters
COMMAS = re.compile(r"[-+]?\d{1,40}(?:,\d{1,40}){1,6}(?:\.\d{1,40})?(?:[eE][-+]?\d{1,4})?")


def number(value: Any) -> float | None:
    """Return a field as a number, None where it is none (empty, a word, true)."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        if not value or len(value) > MOST_NUMBER:
            return None
        try:
            return float(value)
        except ValueError:
            pass
        value = value.strip().replace("\N{MINUS SIGN}", "-")
        value = value.rstrip(" \u25b2\u25bc\u2191\u2193")  # up or down
        value = value[1:-1] if value[0:1] == "[" and value[-1:] == "]" else value  # a list of one, as DeepXDE prints
    try:
        return float(value)
    except ValueError:
        return _with_commas(value)
    except OverflowError:
        return math.inf
    except TypeError:
        return None


def _with_commas(text: Any) -> float | None:
    """Return a number with a decimal comma, or with commas between thousands."""
    if not isinstance(text, str) or "," not in text or not COMMAS.fullmatch(text):
        return None
    plain = text.replace(",", "") if "." in text or text.count(",") > 1 else text.replace(",", ".")
    return float(plain)

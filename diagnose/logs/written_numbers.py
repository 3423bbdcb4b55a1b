"""Numbers as programs show them: within "tensor(...)", with decimal commas, with the exponents of Julia and Fortran."""

from __future__ import annotations

import math
import re

from diagnose.logs.line_plans import has_any
from diagnose.logs.names import counter

EXPONENT = re.compile(  # of Julia's single precision, 2.5f0, and of Fortran's double, 0.25D+01
    r"(?<=\d)(?:f(?=-?\d{1,2}(?![A-Za-z0-9_.]))|D(?=[-+]\d{2,3}(?![A-Za-z0-9_.])))"
)
WRAPPERS = ("tensor(", "Tensor(", "float16(", "float32(", "float64(", "Array(", "array(")
WRAPPED = re.compile(  # a number as torch, numpy, JAX and TensorFlow show it
    r"(?:\b[A-Za-z]{1,8}\.)?\b(?:tensor|Tensor|b?float16|float32|float64|(?:Device)?[Aa]rray)\(\s{0,4}\[?\s{0,4}"
    r"([-+]?(?:\d[\d.]{0,40}(?:[eE][-+]?\d{1,4})?|nan|inf))\s{0,4}\]?(?:,[^()]{0,120}(?:\(\)[^()]{0,120})?)?\)"
)
DECIMAL_COMMA = re.compile(r"(?<![\d,.])(\d+),(\d{1,2}|\d{4,})(?!\d|,\d)")  # three digits may be thousands
LESS_THAN_ONE = re.compile(r"[-+]?0,")  # where a comma parts no thousands
BELOW_ONE = re.compile(r"(?<![\d,.])0,\d{3}(?!\d|,\d)")  # such a number
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")  # or a number with three decimals
DECIMAL_POINT = re.compile(r"\d\.\d")
COMMA = re.compile(r"\d,\d")
OF_THOUSAND = re.compile(r"\d{3}(?!\d)")
COUNTED = re.compile(r"([^\W\d_]{1,20})\W{1,3}[1-9]\d{0,2}(?:\.\d{3}){1,4}(?![\w.]|,\d)")  # "Schritt 1.000"

FEWEST_DIGITS = 2  # behind the point, of a number that is told again
TOTAL = re.compile(r"(?<=\d)\s?(?:/|of|von|de|di|van)\s?[1-9]\d{0,2}(?:\.\d{3}){1,4}(?![\w.]|,\d)")  # "1000 von 6.000"


def to_float(text: str) -> float:
    """Return a number as text has it; too large a one is infinite, and "0,764" holds no thousands."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(text.replace(",", "." if LESS_THAN_ONE.match(text) else ""))
    except (ValueError, OverflowError):
        return math.inf


def alike(first: float, second: float) -> bool:
    """Say whether two numbers are one, told with more and with fewer digits."""
    few = min(len(repr(number).partition(".")[2]) for number in (first, second))
    return few >= FEWEST_DIGITS and abs(first - second) <= 0.5001 * 10.0**-few


def unwrapped(line: str) -> str:
    """Return a line with bare numbers where "tensor(0.5)" and the like stood, as long as it was."""
    return WRAPPED.sub(_bare, line) if "(" in line and has_any(WRAPPERS, line) else line


def of_julia(line: str) -> str:
    """Return a line with e in place of f and D in numbers as 2.5f0 and 0.25D+01, which is as long."""
    return EXPONENT.sub("e", line) if "f" in line or "D" in line else line


def parts_of_julia(line: str) -> tuple[slice, ...]:
    """Return what stands before, between and behind the letters that `of_julia` replaces."""
    return _between([letter.start() for letter in EXPONENT.finditer(line)], line)


def has_decimal_comma(line: str, key: str) -> bool:
    """Say whether a line's numbers have decimal commas; `key` is the line with its digits masked."""
    return "," in line and not DECIMAL_POINT.search(line) and DECIMAL_COMMA.search(key) is not None


def without_points(line: str) -> str:
    """Return text with its counters as 1000 in place of 1.000, where its other numbers have commas and no points."""
    first = DECIMAL_POINT.search(line)
    if not first or not OF_THOUSAND.match(line, first.start() + 2) or not COMMA.search(line):
        return line
    whole = COUNTED.sub(
        lambda match: match.group().replace(".", "") if counter(match.group(1)) else match.group(), line
    )
    whole = TOTAL.sub(lambda match: match.group().replace(".", ""), whole)
    return line if DECIMAL_POINT.search(whole) else whole


def with_points(line: str) -> str:
    """Return a line with decimal points in place of commas."""
    return DECIMAL_COMMA.sub(r"\1.\2", line)


def parts_at_commas(line: str) -> tuple[slice, ...]:
    """Return what stands before, between and behind the commas that `with_points` replaces."""
    return _between([number.end(1) for number in DECIMAL_COMMA.finditer(line)], line)


def _between(signs: list[int], line: str) -> tuple[slice, ...]:
    """Return the parts of a line that signs at these places part."""
    return tuple(slice(a, b) for a, b in zip([0, *(at + 1 for at in signs)], [*signs, len(line)], strict=True))


def _bare(wrapped: re.Match[str]) -> str:
    """Return a number that was wrapped as "tensor(0.5, device='cuda:0')", with colons in place of the rest."""
    start, end = (wrapped.start(1) - wrapped.start(), wrapped.end() - wrapped.end(1))
    return ":" * start + wrapped.group(1) + ":" * end

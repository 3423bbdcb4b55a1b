"""Numbers and foreign text as a reader should meet them: signs, digits that intervals support, nothing hidden.

Every number on a page or in the terminal goes through here, so that a quantity reads the same everywhere.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

FEWEST_DECIMALS = 2  # decimals of a loss that has an interval, however wide
PLAIN_DECIMALS = 3  # decimals of a loss that has no interval
MOST_DECIMALS = 6  # more are written with a power of ten
MOST_QUANTITY = 9  # decimals of a recorded value, as of a learning rate
TINY, WIDE = 1e-4, 100  # sizes below which six decimals may hide a score, and half widths that need no decimals
DASH = "\N{EN DASH}"  # a cell without a value
MOST_SEEDS = 1000  # beyond these a plan says no more than that
MINUS = "\N{MINUS SIGN}"
TIMES_TEN = "\N{MULTIPLICATION SIGN}10"
RAISED = {ord(letter): raised for letter, raised in zip("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}  # of an exponent
NARROW = "\N{NO-BREAK SPACE}"  # between a number and what belongs to it, so that no line ends there
ROUNDING = 1e-6  # of a value: what an interval is wide by rounding alone
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SECONDS_A_MINUTE, SECONDS_AN_HOUR = 60, 3600

# What would act on the page instead of being read: controls (but tab and line feed), direction marks,
# separators, invisible fillers, tags, and halves of surrogate pairs (which no file can hold).
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]",
)

_FORMULA = re.compile(r"^'*[=+\-@\t\r]")  # a cell that begins so is carried out by spreadsheets
_FIGURE = re.compile(r"^[+-]?[\d.,]+(?:e[+-]?\d+)?%?(?: ± [\d.,]+(?:e[+-]?\d+)?)?$")


def decimals(half_width: float | None, size: float | None = None) -> int:
    """Return how many decimals an uncertainty supports: two of its digits below 3.55, else one (as PDG rounds).

    Losses keep two decimals at least and six at most. Without an uncertainty (None, not finite, zero) three are shown.

    Args:
        half_width: of the interval.
        size: how large a score is that may be of any unit: a tiny one gets more than six decimals, a wide one none.
    """
    if half_width is None or not math.isfinite(half_width) or half_width <= 0:
        return PLAIN_DECIMALS
    exponent = math.floor(math.log10(half_width))
    significant = 1 if half_width / 10**exponent < 3.55 else 0
    if size is not None and (abs(size) < TINY or half_width >= WIDE):
        return max(significant - exponent, 0)
    return min(max(significant - exponent, FEWEST_DECIMALS), MOST_DECIMALS)


def telling_decimals(value: float, low: float, high: float) -> int:
    """Return decimals of an estimate and its half width that agree with which side of zero its interval lies.

    They are those of `decimals`, and one or two more where "0.05 ± 0.05" would leave open what the interval tells.
    """
    half_width = (high - low) / 2
    fewest = decimals(half_width, max(abs(low), abs(high)))
    for digits in range(fewest, fewest + 3):
        size, reach = round(abs(value), digits), round(half_width, digits)
        if (size > reach) == (low > 0 or high < 0) and (size != reach or low <= 0 <= high):
            return digits
    return fewest


def visible(text: str) -> str:
    """Return foreign text with every character that acts instead of being read shown as its code point.

    A right-to-left override so neither turns the page round nor goes unnoticed, an escape sequence does not reach
    the terminal, and half a surrogate pair does not keep the page from being written.
    """
    return _HIDDEN.sub(lambda found: f"\u27e8U+{ord(found.group()):04X}\u27e9", text.replace("\r\n", "\n"))


def as_cell(text: str) -> str:
    """Return a text as a cell of a CSV, which no spreadsheet takes for a formula: with an apostrophe where it might."""
    return f"'{text}" if _FORMULA.match(text) and not _FIGURE.match(text) else text


def of_cell(cell: str) -> str:
    """Return the text that `as_cell` made a cell of."""
    return cell[1:] if cell.startswith("'") and as_cell(cell[1:]) == cell else cell


def is_unicode(stream: TextIO | None) -> bool:
    """Say whether a stream takes every letter; one that does not state its encoding, as in memory, does."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")


def cut(text: str, most: int) -> str:
    """Return at most `most` characters of a text; what is cut off shows as an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def plain(value: float | None, digits: int = PLAIN_DECIMALS) -> str:
    """Return a number with thousands separated and a true minus sign; a dash where there is none.

    One of more than six decimals is written with a power of ten.
    """
    if value is None or not math.isfinite(value):
        return DASH
    return _with_power(value, digits) if digits > MOST_DECIMALS else _fixed(value, digits)


def _fixed(value: float, digits: int) -> str:
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def _with_power(value: float, digits: int) -> str:
    """Return a tiny number with its power of ten, and the digits that so many decimals would show of it."""
    exponent = math.floor(math.log10(abs(value))) if value else -math.inf
    if digits + exponent < 0:
        return "0"
    mantissa, power = f"{abs(value):.{digits + int(exponent)}e}".split("e")
    return f"{MINUS if value < 0 else ''}{mantissa}{TIMES_TEN}{str(int(power)).translate(RAISED)}"


def signed(value: float | None, digits: int = PLAIN_DECIMALS) -> str:
    """Return a difference with its sign, whichever it is; what rounds to nothing has none."""
    text = plain(value, digits)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.,") else text


def half(low: float | None, high: float | None) -> float | None:
    """Return half the width of an interval, or None where it is not known."""
    return None if low is None or high is None else abs(high - low) / 2


def carried(value: float, low: float | None, high: float | None) -> int:
    """Return how many decimals a value is said with in a sentence: three, or as many as its interval supports."""
    width = half(low, high)
    if low is None or high is None or width is None or width < ROUNDING * abs(value):
        return PLAIN_DECIMALS
    return min(PLAIN_DECIMALS, telling_decimals(value, low, high))


def estimate(value: float | None, low: float | None, high: float | None, *, difference: bool = False) -> str:
    """Return "1.853 ± 0.012", "1.853 (1.84 to 1.87)" where the interval is lopsided, "1.853" where it is rounding.

    Args:
        value: the estimate, in any unit.
        low: lower end of its interval, or None where there is none.
        high: upper end.
        difference: whether a sign is shown always.
    """
    show = signed if difference else plain
    width = half(low, high)
    if value is None or low is None or high is None or width is None or width < ROUNDING * abs(value):
        return show(value)
    digits = decimals(width)
    middle = (low + high) / 2
    if round(middle, digits) == round(value, digits) or abs(middle - value) < width / 20:
        return f"{show(value, digits)}{NARROW}±{NARROW}{plain(width, digits)}"
    return f"{show(value, digits)} {between(low, high, difference=difference)}"


def between(low: float | None, high: float | None, *, difference: bool = False) -> str:
    """Return "(0.015 to 0.027)" with the digits that the interval supports, or a dash where it is none or rounding."""
    show = signed if difference else plain
    width = half(low, high)
    if low is None or high is None or width is None or width < ROUNDING * abs(high):
        return DASH
    digits = decimals(width)
    return f"({show(low, digits)} to {show(high, digits)})".replace(" ", NARROW)


def chance(p: float | None) -> str:
    """Return a p-value as "0.013", "< 0.001" or a dash."""
    if p is None or not math.isfinite(p):
        return DASH
    return f"<{NARROW}0.001" if p < 0.001 else f"{p:.3f}"


def share(fraction: float | None) -> str:
    """Return a fraction as a percentage of two digits or so ("64 %", "2.2 %")."""
    if fraction is None or not math.isfinite(fraction):
        return DASH
    percent = 100 * fraction
    if 0 < abs(percent) < 0.1:
        return f"under{NARROW}0.1{NARROW}%"
    return f"{plain(percent, 0 if abs(percent) >= 10 or percent == round(percent) else 1)}{NARROW}%"


def size(count: float | None) -> str:
    """Return a number of bytes as "812 bytes", "3.9 MB" (powers of ten)."""
    if count is None or not math.isfinite(count):
        return DASH
    if abs(count) < 1000:
        return f"{plain(count, 0)}{NARROW}bytes"
    return prefixed(count, "B")


def prefixed(value: float, unit: str) -> str:
    """Return a large quantity with its decimal prefix and three digits ("3.90 MB", "41.2 TFLOP")."""
    scale, prefix = next(
        (
            (10**power, sign)
            for power, sign in ((15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k"))
            if abs(value) >= 10**power
        ),
        (1, ""),
    )
    digits = 0 if abs(value / scale) >= 100 else 1 if abs(value / scale) >= 10 else 2
    return f"{plain(value / scale, digits)}{NARROW}{prefix}{unit}"


def duration(seconds: float | None) -> str:
    """Return "41 s", "4 min 12 s" or "2 h 46 min"."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    if seconds < SECONDS_A_MINUTE:
        return f"{plain(seconds, 0 if seconds >= 10 else 1)}{NARROW}s"
    if seconds < SECONDS_AN_HOUR:
        return f"{int(seconds // 60)}{NARROW}min {int(seconds % 60)}{NARROW}s"
    return f"{plain(seconds // 3600, 0)}{NARROW}h {int(seconds % 3600 // 60)}{NARROW}min"


def day(stamp: str) -> str:
    """Return an ISO time as "22 Nov 2026", or nothing where it is none."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    return f"{moment.day}{NARROW}{MONTHS[moment.month - 1]}{NARROW}{moment.year}"


def quantity(value: object, unit: str = "") -> str:
    """Return a recorded value (a number with its unit, a text, a truth value) as it stands in a table."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return visible(str(value))
    return _measured(float(value), visible(unit))


_IN_UNIT: dict[str, Callable[[float], str]] = {
    "bytes": size,
    "B": size,
    "share": share,
    "s": duration,
    "seconds": duration,
    "FLOP": lambda value: prefixed(value, "FLOP"),
}


_LARGE = ((1e18, "quintillion"), (1e15, "quadrillion"), (1e12, "trillion"), (1e9, "billion"))


def shows_unit(unit: str) -> bool:
    """Return whether `quantity` writes the unit after the number; where not, the row's name has to say it."""
    return unit in _IN_UNIT


def _measured(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return DASH
    if unit in _IN_UNIT:
        return _IN_UNIT[unit](value)
    if abs(value) >= 1e9:
        scale, name = next((s, n) for s, n in _LARGE if abs(value) >= s)
        return f"{plain(value / scale, 1)}{NARROW}{name}"
    if value == round(value):
        return plain(value, 0)
    digits = max(2 - math.floor(math.log10(abs(value))), 0)
    if digits > MOST_QUANTITY:
        return _with_power(value, digits)
    text = _fixed(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def listed(items: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def counted(number: int, one: str, many: str = "") -> str:
    """Return "1 run", "3 runs", "27,992 verses"."""
    return f"{number:,}{NARROW}{one if number == 1 else many or one + 's'}"


def about_seeds(count: int) -> str:
    """Return how many seeds a plan wants: "about 12", or that nobody would train as many."""
    return f"about {count}" if count <= MOST_SEEDS else f"over {plain(MOST_SEEDS, 0)}"

"""Whether "2,600" is 2.6 or 2600: the convention of a log is one, and other numbers of it tell which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.logs.headings import ABOVE
from diagnose.logs.series import VALUE
from diagnose.logs.written_numbers import LESS_THAN_ONE, THOUSANDS

if TYPE_CHECKING:
    from diagnose.logs.series import Log

THOUSAND = 1000.0


class Commas:
    """What the numbers of a log say of its commas, while it is read.

    Attributes:
        decimal: whether some comma is a decimal one.
        thousands: whether some comma parts thousands.
        unclear: names of losses with a value that may be either, each with such a value.
    """

    def __init__(self) -> None:
        self.decimal = self.thousands = False
        self.unclear: dict[str, str] = {}

    def see(self, name: str, text: str) -> None:
        """Take the value of a loss that has a comma."""
        if LESS_THAN_ONE.match(text):
            self.decimal = True
        elif THOUSANDS.fullmatch(text):
            self.unclear.setdefault(name, text)
        else:
            self.thousands = True

    def settle(self, log: Log) -> None:
        """Put decimal commas right, which were read as thousands; tell a log of values that may be either."""
        for name, text in self.unclear.items():
            series = log.series.get(name)
            if series is None:
                continue
            if self.decimal:
                series.divide(THOUSAND)
            elif not self.thousands and not _counts_on(np.abs(series.table()[:, VALUE])):
                log.unclear[name.lstrip(ABOVE)] = text


def _counts_on(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    """Say whether whole values below a thousand stand beside those above it."""
    return bool(((values >= 1) & (values < THOUSAND) & (values % 1 == 0)).any())

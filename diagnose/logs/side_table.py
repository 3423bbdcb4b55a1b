"""A table with a column for each side and a row for each measure, as AllenNLP prints it."""

from __future__ import annotations

import re

from diagnose.logs.names import meaning
from diagnose.logs.table_fields import number

MOST_LINE = 600  # characters
SIDES_ABOVE = re.compile(
    r"\b(train(?:ing)?|val(?:idation)?)\s{0,8}\|\s{0,8}(train(?:ing)?|val(?:idation)?)\s{0,8}$", re.IGNORECASE
)
BOTH_SIDES = re.compile(r"([\w/-]{1,60})\s{0,40}\|\s{0,20}(\S{1,30})\s{0,20}\|\s{0,20}(\S{1,30})\s{0,8}$")


class SideTable:
    """Reads such a table line by line.

    Attributes:
        columns: the side of each column, once a header was read.
    """

    def __init__(self) -> None:
        self.columns: tuple[str, ...] = ()

    def row(self, line: str) -> dict[str, float] | None:
        """Return a row's losses by name, none of a header; None where the line is no part of such a table."""
        ends = line.rstrip()[-1:].lower()
        if "|" not in line or len(line) > MOST_LINE or not (self.columns or ends in ("n", "g")):
            return None
        header = SIDES_ABOVE.search(line) if ends in ("n", "g") else None
        if header:
            self.columns = tuple("train" if side.lower().startswith("t") else "val" for side in header.groups())
            return {}
        row = BOTH_SIDES.search(line) if self.columns else None
        if row is None or not meaning(row.group(1)).kind:
            return None
        read = {
            f"{side}/{row.group(1)}": number(text) for side, text in zip(self.columns, row.groups()[1:], strict=True)
        }
        return {name: value for name, value in read.items() if value is not None}

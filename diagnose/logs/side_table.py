"""A table with a column for each side and a row for each measure, as AllenNLP prints it."""

from __future__ import annotations

import re

from diagnose.logs.names import meaning
from diagnose.logs.table_fields import number

MOST_LINE = 600  # characters
SIDES_ABOVE = re.compile(
    r"\b(train(?:ing)?|val(?:idation)?)\s{0,8}\|\s{0,8}(train(?:ing)?|val(?:idation)?)\s{0,8}$", re.IGNORECASE
)
MEASURE = re.compile(r"[\w/-]{1,60}")


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
        before, *cells = line.rsplit("|", 2) if self.columns else ("",)
        name = before.split()[-1] if len(cells) == len(self.columns) > 0 and before.strip() else ""
        if not MEASURE.fullmatch(name) or not meaning(name).kind:
            return None
        read = {f"{side}/{name}": number(text) for side, text in zip(self.columns, cells, strict=True)}
        return {name: value for name, value in read.items() if value is not None}

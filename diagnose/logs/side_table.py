"""A table with a column for each side and a row for each measure, as AllenNLP prints it."""

from __future__ import annotations

import re

from diagnose.logs.names import SIDES, meaning, side_of, words
from diagnose.logs.table_fields import number

MOST_LINE = 600  # characters
MOST_COLUMNS = 4
ENDS = ("n", "g", "l", "t", "v")  # letters that words for sides end in
CELLS = re.compile(r"\s{0,200}\|\s{0,200}|\s{2,200}")
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
        if len(line) > MOST_LINE or not (self.columns or ends in ENDS):
            return None
        cells = [cell for cell in CELLS.split(line.strip(" |")) if cell]
        sides = _sides(cells) if ends in ENDS else ()
        if sides:
            self.columns = sides
            return {}
        if len(cells) <= len(self.columns) or not self.columns:
            return None
        named, values = cells[: -len(self.columns)], cells[-len(self.columns) :]
        name = named[-1].split()[-1].rstrip(":")
        if not MEASURE.fullmatch(name) or not meaning(name).kind or meaning(name).side:
            return None
        read = {f"{side}/{name}": number(text) for side, text in zip(self.columns, values, strict=True)}
        return {name: value for name, value in read.items() if value is not None}


def _sides(cells: list[str]) -> tuple[str, ...]:
    """Return the sides that the last cells of a header are; nothing where these are not training and another one."""
    sides: list[str] = []
    for cell in cells[: -MOST_COLUMNS - 1 : -1]:
        cell_words = words(cell.split()[-1] if not sides else cell)
        if len(cell_words) != 1 or cell_words[0] not in SIDES:
            break
        sides.insert(0, side_of(cell_words))
    return tuple(sides) if len(set(sides)) == len(sides) > 1 and "train" in sides else ()

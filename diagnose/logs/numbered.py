"""Tables whose columns `--columns` names by number: "train=2,val=3,step=1" of "100 2.5 2.2", with a header or none."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.logs.table import SEPARATORS, read_csv
from diagnose.logs.table_fields import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from diagnose.logs.kept_columns import Columns
    from diagnose.logs.series import Log

FEWEST = 2  # numbers of a row
MOST_LOOKED = 1000  # lines before the first row


def by_number(columns: Columns) -> bool:
    """Say whether columns are given by number."""
    return bool(columns) and all(name.isdecimal() for name in columns.values())


def read_numbered(lines: Iterable[str], columns: Columns) -> Log:
    """Read a table by the numbers of its columns, the first of which is 1.

    Raises:
        DiagnoseError: there is no row of numbers, or it has fewer columns.
    """
    source = iter(lines)
    looked = list(itertools.islice(source, MOST_LOOKED))
    row, sign = next(((line, sign) for line in looked if (sign := _sign(line)) is not None), ("", ""))
    if not row:
        raise DiagnoseError("--columns names columns by number, and the file has no rows of numbers")
    width = len(_cells(row, sign))
    whole = itertools.chain(looked, source)
    if _cells(looked[0], sign) == [str(k) for k in range(width)]:  # as pandas calls columns without names
        return read_csv(_tabbed(whole, sign), columns)
    for role, name in columns.items():
        if not 1 <= int(name) <= width:
            raise DiagnoseError(f"--columns {role}={name}: the rows have {width} columns, the first of which is 1")
    header = "\t".join(str(k) for k in range(1, width + 1))
    return read_csv(itertools.chain([header], _tabbed(whole, sign)), {role: str(int(n)) for role, n in columns.items()})


def _cells(line: str, sign: str) -> list[str]:
    return [cell.strip() for cell in line.split(sign or None)]


def _sign(line: str) -> str | None:
    """Return what parts the cells of a row of numbers, "" for blanks, None where a line is no such row."""
    signs: tuple[str, ...] = (*SEPARATORS[::-1], "")
    for sign in signs:
        cells = _cells(line, sign)
        numbers = sum(number(cell) is not None for cell in cells)
        if numbers >= FEWEST and 2 * numbers > len(cells):
            return sign
    return None


def _tabbed(lines: Iterable[str], sign: str) -> Iterator[str]:
    return ("\t".join(_cells(line, sign)) for line in lines)

"""Many rows of a table at once, by columns: what `Keep.row` says of each of them, at a tenth of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.logs.digits_of import decimals
from diagnose.logs.kept_columns import TOLD
from diagnose.logs.names import meaning
from diagnose.logs.series import NAN, PLACE, POSITIONS, STEP, VALUE, Log, bare_points
from diagnose.logs.table_fields import MOST_NUMBER, number, place_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from diagnose.logs.kept_columns import Keep


def add_rows(keep: Keep, records: list[list[str]], log: Log) -> bool:
    """Add the rows of a table to a log; return whether that was possible.

    It is not where fields name values, or where two columns are of one name.
    """
    if keep.titles:
        return False
    numbers = {key: _numbers(_column(records, key)) for key in keep.values}
    if not numbers:
        return True
    sides = _sides(keep, records)
    series = [
        (name if not side else f"{side}/{name}", key, there & of)
        for key, (_, there) in numbers.items()
        for name in [keep.values[key]]
        for side, of in ({"": np.True_} if meaning(name).side else sides).items()
    ]
    series = [(name, key, there) for name, key, there in series if there.any()]
    if len({name for name, *_ in series}) < len(series):
        return False
    points = _placed(keep, records, np.logical_or.reduce([there for _, there in numbers.values()]), log)
    for name, key, there in sorted(series, key=lambda entry: int(entry[2].argmax())):
        points[:, VALUE] = numbers[key][0]
        told = max(map(decimals, _column(records[:TOLD], key)))
        log.add_many(name, points[there], told)
    return True


def _column(records: list[list[str]], key: int) -> list[str]:
    return [fields[key] if key < len(fields) else "" for fields in records]


def _placed(keep: Keep, records: list[list[str]], rows: NDArray[np.bool_], log: Log) -> NDArray[np.float64]:
    """Return where each row stands, (rows, 8), without a value; count the rows that hold one."""
    points = bare_points(len(rows), log.rows)
    points[:, PLACE] = log.rows + np.cumsum(rows)
    log.rows += int(rows.sum())
    for role, key in keep.where.items():
        points[:, STEP + POSITIONS.index(role)] = _numbers(_column(records, key), place_number)[0]
    return points


def _sides(keep: Keep, records: list[list[str]]) -> dict[str, NDArray[np.bool_]]:
    """Return which rows are of which side ("" for none), as their fields name it."""
    sides = np.full(len(records), "", object)
    for key in reversed(keep.sides):
        column = _column(records, key)
        named = {text: keep.side(text) for text in set(column)}
        column_sides = np.array([named[text] for text in column], object)
        sides = np.where(column_sides != "", column_sides, sides)
    return {side: sides == side for side in dict.fromkeys(sides.tolist())}


def _numbers(
    column: Sequence[str], number: Callable[[str], float | None] = number
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers of a column, NaN for what is none, and where there are numbers."""
    try:
        if max(map(len, column)) <= MOST_NUMBER:
            return np.array([float(field) for field in column]), np.ones(len(column), bool)
    except ValueError:
        pass
    numbers = [number(field) for field in column]
    there = np.array([value is not None for value in numbers])
    return np.array([NAN if value is None else value for value in numbers]), there

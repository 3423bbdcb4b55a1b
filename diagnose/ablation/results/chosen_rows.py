"""Which rows of a table count (--where COLUMN=VALUE), and columns that become rows first (--melt NAME=A,B)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from diagnose.ablation.results import table_files
from diagnose.ablation.results.score_table import MISSING, MissingScoresError, as_text_and_numbers, label_of, of_levels
from diagnose.ablation.results.telling_columns import missing_hint, spread_of
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import counted, cut, listed, visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from diagnose.ablation.results.score_table import ScoreColumns

LAST = "last"  # the value that keeps each run's last row
MOST_VALUES = 6  # that an error lists


@dataclass(frozen=True)
class ChosenRows:
    """What is done to a table before it is compared.

    Attributes:
        where: columns and the value that rows must have; "last" for the largest number of each run.
        melt: columns, or patterns with "*", whose names become values of one column; the score is what they hold.
        melted: the name of that column; "" where nothing is melted.
        levels: arms that are kept; empty for all.
    """

    where: tuple[tuple[str, str], ...] = ()
    melt: tuple[str, ...] = ()
    melted: str = ""
    levels: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that rows are chosen by."""
        return tuple(name for name, _ in self.where)

    def of_file(self, asked: ScoreColumns, names: Sequence[str]) -> ScoreColumns:
        """Return what is read of a table with these columns, given what is asked of it once it is melted.

        Raises:
            DiagnoseError: a column or a pattern is of no column.
        """
        for name in self.columns:
            if name not in names:
                raise DiagnoseError(f"--where {visible(name)}: the table has no such column{nearest(name, names)}")
        if not self.melted:
            return asked
        seed, example = (None if name == self.melted else name for name in (asked.seed, asked.example))
        arms = tuple(name for name in asked.arms if name != self.melted)
        found = [self._matches(pattern, names, {*arms, seed, example, asked.cluster}) for pattern in self.melt]
        return replace(
            asked,
            arms=arms,
            seed=seed,
            example=example,
            scores=tuple(dict.fromkeys(name for some in found for name in some)),
        )

    def _matches(self, pattern: str, names: Sequence[str], keys: set[str | None]) -> list[str]:
        found = [name for name in names if name == pattern] or [
            name for name in names if name not in keys and "*" in pattern and fnmatchcase(name, pattern)
        ]
        if not found:
            raise DiagnoseError(f"--melt {visible(pattern)}: the table has no such column{nearest(pattern, names)}")
        return found

    def applied(
        self, table: pd.DataFrame, asked: ScoreColumns, melting: Sequence[str]
    ) -> tuple[pd.DataFrame, list[str]]:
        """Return the rows that count, and what was done, as sentences.

        Args:
            table: as its file holds it.
            asked: which column is what, once it is melted.
            melting: the columns that are melted.

        Raises:
            DiagnoseError: no row has a value.
        """
        whole, notes = len(table), list[str]()
        for name, value in self.where:
            if value != LAST:
                table = _with_value(table, name, value)
        if self.melted:
            table, notes = _melted(table, self.melted, asked.scores[0], melting)
        for name, value in self.where:
            if value == LAST:
                table = _last(table, name, [key for key in asked.keys if key in table.columns and key != name])
        table = of_levels(table, asked, self.levels).reset_index(drop=True)
        if self.where:
            kept = listed([f"{visible(name)} is {visible(value)}" for name, value in self.where])
            notes = [f"Of {counted(whole, 'row')} only those are compared whose {kept}.", *notes]
        return table, notes


ALL = ChosenRows()


def chosen_rows(where: Sequence[str], melt: str | None, levels: Sequence[str] = ()) -> ChosenRows:
    """Return what options say, as "dataset=cifar" and "seed=seed0,seed1".

    Raises:
        DiagnoseError: a name or a value is missing.
    """
    pairs = []
    for given in where:
        name, sign, value = given.partition("=")
        if not (name and sign and value.strip()):
            raise DiagnoseError(f"--where {visible(given)}: COLUMN=VALUE keeps the rows with that value")
        pairs.append((name.strip(), " ".join(value.split())))
    name, _, columns = (melt or "").partition("=")
    melted = tuple(part.strip() for part in columns.split(",") if part.strip())
    if melt is not None and not (name.strip() and melted):
        raise DiagnoseError(f"--melt {visible(melt)}: NAME=A,B makes the columns A and B values of one column NAME")
    return ChosenRows(tuple(pairs), melted, name.strip(), tuple(levels))


def _with_value(table: pd.DataFrame, name: str, value: str) -> pd.DataFrame:
    words = table[name].astype(object).map(label_of)
    kept = words.str.lower().eq(value.lower()) | words.map(_number).eq(_number(value))
    if not kept.any():
        known = list(dict.fromkeys(words))
        more = [f"{len(known) - MOST_VALUES} more"] if len(known) > MOST_VALUES else []
        has = listed([*(cut(visible(word), 40) for word in known[:MOST_VALUES]), *more])
        raise DiagnoseError(f"--where {visible(name)}={visible(value)}: no row has that value; it has {has}")
    return table[kept.to_numpy()].reset_index(drop=True)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")


def _last(table: pd.DataFrame, name: str, keys: Sequence[str]) -> pd.DataFrame:
    """Return each run's row with the largest number in a column."""
    numbers = table[name].astype(object).map(label_of).map(_number)
    if numbers.isna().any():
        word = str(table[name].iloc[int(numbers.isna().to_numpy().argmax())])
        raise DiagnoseError(f"--where {visible(name)}=last: {cut(visible(word), 40)} is no number")
    if not keys:
        return table[numbers.eq(numbers.max()).to_numpy()].reset_index(drop=True)
    groups = numbers.groupby([table[key].astype(str) for key in keys]).transform("max")
    return table[numbers.eq(groups).to_numpy()].reset_index(drop=True)


def _melted(table: pd.DataFrame, name: str, score: str, melting: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    spread = spread_of(score, list(table.columns))  # of a mean of what is melted
    kept = [column for column in table.columns if column not in (*melting, name, score, spread)]
    rows = table.melt(id_vars=kept, value_vars=list(melting), var_name=name, value_name=score)
    empty = rows[score].isna() | rows[score].astype(str).str.strip().str.lower().isin(MISSING)
    notes = [f"{len(melting)} columns are values of {visible(name)}, and what they hold is {visible(score)}."]
    if empty.any():
        notes.append(
            f"{counted(int(empty.sum()), 'empty cell')} of them {'is' if empty.sum() == 1 else 'are'} no rows."
        )
    return rows[~empty].reset_index(drop=True), notes


def read_rows(path: Path, asked: ScoreColumns, rows: ChosenRows) -> tuple[pd.DataFrame, list[str]]:
    """Return the wanted columns and rows of a file, keys as text, and what was done to it, as sentences.

    Raises:
        DiagnoseError: the file cannot be read, lacks a column, or a score is missing.
    """
    names = table_files.names_of(path) if rows.where or rows.melted else []
    inside = rows.of_file(asked, names)

    def check(known: Sequence[str], where: str) -> None:
        replace(inside, scores=()).check(known, where) if rows.melted else inside.check(known, where)

    keys = tuple(dict.fromkeys((*inside.keys, *(name for name in rows.columns if name not in inside.scores))))
    table = table_files.columns_of(path, keys, inside.scores, check).to_pandas(ignore_metadata=True)
    table, notes = rows.applied(table, asked, inside.scores)
    try:
        return as_text_and_numbers(table, asked), notes
    except MissingScoresError as error:
        raise DiagnoseError(f"{error}{missing_hint(whole_rows(path, asked, rows), asked)}") from None


def whole_rows(path: Path, asked: ScoreColumns, rows: ChosenRows) -> pd.DataFrame:
    """Return the rows of a file that count with all columns that hold single values."""
    names = table_files.names_of(path)
    table = table_files.whole(path).to_pandas(ignore_metadata=True)
    return rows.applied(table, asked, rows.of_file(asked, names).scores)[0]

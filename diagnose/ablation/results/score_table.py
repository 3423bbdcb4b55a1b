"""A table of scores from a file or a DataFrame: the columns that were asked for, as keys and finite numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.ablation.results import table_files
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import counted, cut, listed, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

MOST_NAMED = 12  # columns that an error lists
MISSING = ("", "na", "n/a", "nan", "null", "none", "#n/a", "-")
MOST_SCORE = 1e100  # larger ones count as infinite
FILE = "file"  # the column that tells several files apart


@dataclass(frozen=True)
class ScoreColumns:
    """Which column of a table is what.

    Attributes:
        arms: what is compared; several make a factorial.
        scores: numbers, one or several.
        seed: tells the runs of an arm apart; None where the table has none.
        example: what was scored; None where a row is a run.
        cluster: groups of examples that belong together, as questions on one passage.
    """

    arms: tuple[str, ...]
    scores: tuple[str, ...]
    seed: str | None = None
    example: str | None = None
    cluster: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """All columns that say what a row is, not what was scored."""
        return (*self.arms, *(key for key in (self.seed, self.example, self.cluster) if key is not None))

    def check(self, known: Iterable[object], where: str) -> None:
        """Refuse columns that the table lacks, or that are asked for twice.

        Raises:
            DiagnoseError: one line that names the nearest column.
        """
        names = [str(name) for name in known]
        for option, columns in self._asked():
            for name in columns:
                if name not in names:
                    near = nearest(name, names[:MOST_NAMED] if len(names) > MOST_NAMED else names)
                    near = nearest(name, names) if "did you mean" in nearest(name, names) else near
                    raise DiagnoseError(f"{option} {name}: {where} has no such column{near}")
        twice = [name for name in (*self.keys, *self.scores) if (*self.keys, *self.scores).count(name) > 1]
        if twice:
            raise DiagnoseError(f"the column {twice[0]} is asked for twice")

    def _asked(self) -> list[tuple[str, tuple[str, ...]]]:
        single = (("--seed", self.seed), ("--example", self.example), ("--cluster", self.cluster))
        return [
            ("--arm", self.arms),
            ("--score", self.scores),
            *((option, (name,)) for option, name in single if name is not None),
        ]


def read_table(path: Path, asked: ScoreColumns) -> pd.DataFrame:
    """Return the wanted columns of a CSV, Parquet or JSON file, keys as text.

    Raises:
        DiagnoseError: the file cannot be read, or lacks a column.
    """
    table = table_files.columns_of(path, asked.keys, asked.scores, asked.check)
    return as_text_and_numbers(table.to_pandas(ignore_metadata=True), asked)  # columns that were an index stay columns


def as_text_and_numbers(table: pd.DataFrame, asked: ScoreColumns) -> pd.DataFrame:
    """Return a table whose keys are text and whose scores are finite floats.

    Raises:
        DiagnoseError: it has no rows, lacks a column, a key is missing, or a score is no finite number.
    """
    import pandas as pd

    asked.check(table.columns, "the table")
    if not len(table):
        raise DiagnoseError("the table has no rows")
    keys = {name: _text(table[name], name) for name in asked.keys}
    scores = {name: _numbers(table[name], name) for name in asked.scores}
    out = pd.DataFrame({**keys, **scores})
    _refuse_missing(out, asked)
    return out


def _text(column: pd.Series, name: str) -> pd.Series:
    """Return a key column as categories of text; whole numbers are written without a decimal point."""
    import pandas as pd

    try:
        codes, values = pd.factorize(column)
    except TypeError:
        raise DiagnoseError(f"the column {name} holds lists or structures") from None
    if (codes < 0).any():
        first = f"the first is row {int((codes < 0).argmax()) + 1:,}"
        raise DiagnoseError(f"{counted(int((codes < 0).sum()), 'row')} of the table {_has(codes)} no {name}; {first}")
    words = [_label(value) for value in values]
    if "" in words:
        row = int((np.array(words, dtype=object)[codes] == "").argmax())
        raise DiagnoseError(f"row {row + 1:,} of the table has no {name}")
    if len(set(words)) < len(words):  # 1 and 1.0, or blanks around a name
        return pd.Series(pd.Categorical(np.array(words, dtype=object)[codes], categories=list(dict.fromkeys(words))))
    return pd.Series(pd.Categorical.from_codes(codes, categories=words))


def _has(codes: np.ndarray) -> str:
    return "has" if int((codes < 0).sum()) == 1 else "have"


def _label(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def _numbers(column: pd.Series, name: str) -> np.ndarray:
    """Return a score column as floats, NaN where it holds nothing."""
    import pandas as pd

    try:
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.array([_number(value) for value in _without_percent(column)], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DiagnoseError(f"--score {name}: {cut(visible(str(error)), 80)} is no number") from None


def _without_percent(column: pd.Series) -> list[Any]:
    """Return the values of a column in which each has a percent sign, or none, without it."""
    words = [value.strip() if isinstance(value, str) else value for value in column]
    told = [word for word in words if isinstance(word, str) and word.lower() not in MISSING]
    if told and all(word.endswith("%") for word in told):
        return [word.removesuffix("%").rstrip() if isinstance(word, str) else word for word in words]
    return words


def _number(value: Any) -> float:
    if value is None or (isinstance(value, str) and value.strip().lower() in MISSING):
        return np.nan
    if isinstance(value, str):
        word = value.strip().lower()
        if word in {"true", "false"}:
            return float(word == "true")
        try:
            return float(word)
        except ValueError:
            raise ValueError(repr(value)) from None
    return float(value)


def _refuse_missing(table: pd.DataFrame, asked: ScoreColumns) -> None:
    for name in asked.scores:
        bad = ~(np.abs(table[name].to_numpy()) <= MOST_SCORE)
        if bad.any():
            row = int(bad.argmax())
            where = where_is(table, asked.keys, row)
            count = f"{int(bad.sum()):,} of {counted(len(bad), 'score')} of {name}"
            verb = "is" if int(bad.sum()) == 1 else "are"
            raise DiagnoseError(
                f"{count} {verb} missing or not finite, the first {where}; a run that diverged is a result: leave it "
                "out of all arms, and say so"
            )


def where_is(table: pd.DataFrame, keys: Sequence[str], row: int) -> str:
    """Return which row it is, by its keys."""
    said = [f"{key} {cut(visible(str(table[key].iloc[row])), 40)}" for key in keys]
    return f"at {listed(said)}"


def joined(tables: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return several tables as one; a column `file` says where each row is from."""
    import pandas as pd

    return pd.concat([table.assign(**{FILE: name}) for name, table in tables], ignore_index=True)

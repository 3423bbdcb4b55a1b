"""A table of scores from a file or a DataFrame: the columns that were asked for, as keys and finite numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.ablation.results import table_files, table_hints
from diagnose.errors import DiagnoseError
from diagnose.formatting import counted, cut, listed, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

MISSING = ("", "na", "n/a", "nan", "null", "none", "#n/a", "-")
MOST_SCORE = 1e100  # larger ones count as infinite
FILE = "file"  # the column that tells several files apart


class MissingScoresError(DiagnoseError):
    """Some rows have no score, or none that is finite."""


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
                    hint = table_hints.of_column(option, name, names)
                    raise DiagnoseError(f"{option} {name}: {where} has no such column{hint}")
        if table_hints.are_seeds(self.scores):
            listed_scores = listed(list(self.scores[: table_hints.MOST_SHOWN]))
            raise DiagnoseError(
                f"{listed_scores} look like a column a seed, not several scores: "
                f"{table_hints.to_melt_seeds(self.scores, names)}"
            )
        alone = len(self.scores) == 1 and not self.seed and not self.example
        if alone and (pivot := table_hints.of_pivot(names, self.scores[0])):
            raise DiagnoseError(pivot)
        names = [name for name in names if name in {*self.keys, *self.scores}]
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise DiagnoseError(f"{where} has several columns {double}")
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

    if not isinstance(table, pd.DataFrame):
        how = ": give table.to_pandas()" if hasattr(table, "to_pandas") else ": give pandas.DataFrame(...) of it"
        raise DiagnoseError(f"the table is no pandas DataFrame but {type(table).__name__}{how}")
    inside = [name for name in table.index.names if name in asked.keys and table.columns.nlevels == 1]
    if inside:
        raise DiagnoseError(f"{listed(inside)} lie in the table's index: give table.reset_index()")
    asked.check(table.columns, "the table")
    table = table.set_axis([str(name) for name in table.columns], axis=1)
    if not len(table):
        raise DiagnoseError("the table has no rows")
    keys = {name: _text(table[name], name) for name in asked.keys}
    scores = {name: _numbers(table[name], name) for name in asked.scores}
    out = pd.DataFrame({**keys, **scores})
    _refuse_missing(out, asked)
    _refuse_summaries(out, asked)
    return out


def of_levels(table: pd.DataFrame, asked: ScoreColumns, levels: Sequence[str] | None) -> pd.DataFrame:
    """Return the rows of the arms that are kept, so that what others lack is no matter; all where one is not there."""
    if not levels or len(asked.arms) != 1 or asked.arms[0] not in table.columns:
        return table
    words = table[asked.arms[0]].map(label_of).astype(str)
    return table[words.isin(levels).to_numpy()] if set(levels) <= set(words) else table


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
    words = [label_of(value) for value in values]
    if "" in words:
        row = int((np.array(words, dtype=object)[codes] == "").argmax())
        raise DiagnoseError(f"row {row + 1:,} of the table has no {name}")
    if len(set(words)) < len(words):  # 1 and 1.0, or blanks around a name
        return pd.Series(pd.Categorical(np.array(words, dtype=object)[codes], categories=list(dict.fromkeys(words))))
    return pd.Series(pd.Categorical.from_codes(codes, categories=words))


def _has(codes: np.ndarray) -> str:
    return "has" if int((codes < 0).sum()) == 1 else "have"


def label_of(value: object) -> str:
    """Return a key as text; whole numbers are written without a decimal point."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def _numbers(column: pd.Series, name: str) -> np.ndarray:
    """Return a score column as floats, NaN where it holds nothing."""
    import pandas as pd

    if pd.api.types.is_complex_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise DiagnoseError(f"--score {name}: its values are {column.dtype}, no plain numbers")
    try:
        if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
            return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.array([_number(value) for value in _without_percent(column)], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DiagnoseError(
            f"--score {name}: {cut(visible(str(error)), 80)} is no number{_hint(error, name)}"
        ) from None


def _hint(error: Exception, name: str) -> str:
    return table_hints.of_score(str(error).strip("'\""), name)


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
    if isinstance(value, np.ndarray):  # one of a single number is a number to older versions of numpy
        raise ValueError(repr(value))  # noqa: TRY004  (as of other values that are no numbers)
    try:
        return float(value)
    except TypeError:
        raise ValueError(repr(value)) from None


def _refuse_missing(table: pd.DataFrame, asked: ScoreColumns) -> None:
    for name in asked.scores:
        bad = ~(np.abs(table[name].to_numpy()) <= MOST_SCORE)
        if bad.any():
            row = int(bad.argmax())
            where = where_is(table, asked.keys, row)
            count = f"{int(bad.sum()):,} of {counted(len(bad), 'score')} of {name}"
            verb = "is" if int(bad.sum()) == 1 else "are"
            raise MissingScoresError(
                f"{count} {verb} missing or not finite, the first {where}; a run that diverged is a result: leave it "
                "out of all arms, and say so"
            )


def _refuse_summaries(table: pd.DataFrame, asked: ScoreColumns) -> None:
    """Refuse rows that are a mean or deviation over the others."""
    seeds, examples = (list(table[name].cat.categories) if name else [] for name in (asked.seed, asked.example))
    of_seeds = next((value for value in seeds if value.lower() in table_hints.SUMMARIES), None)
    for name, summary in ((asked.seed, of_seeds), (asked.example, table_hints.summary_of(examples))):
        if summary is not None:
            raise DiagnoseError(f"the table has rows of {name} {summary}, a summary of other rows: leave them out")


def failure_codes(table: pd.DataFrame, asked: ScoreColumns) -> list[str]:
    """Say where one whole number below 0 stands among fractions that are not, as -1 for a run that failed."""
    out = []
    for name in asked.scores:
        score = table[name].to_numpy()
        below, others = score < 0, score[score >= 0]
        codes = np.unique(score[below])
        if len(codes) == 1 and codes[0] == round(codes[0]) and len(others) > below.sum() and (others % 1).any():
            where = where_is(table, asked.keys, int(below.argmax()))
            more = f" and {int(below.sum()) - 1:,} more" if below.sum() > 1 else ""
            out.append(
                f"{name} is {codes[0]:.0f} {where}{more}, and nowhere else below 0: if that marks a run that failed, "
                "leave it out of all arms."
            )
    return out


def where_is(table: pd.DataFrame, keys: Sequence[str], row: int) -> str:
    """Return which row it is, by its keys."""
    parts = [f"{key} {cut(visible(str(table[key].iloc[row])), 40)}" for key in keys]
    return f"at {listed(parts)}"


def joined(tables: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Return several tables as one; a column `file` says where each row is from."""
    import pandas as pd

    return pd.concat([table.assign(**{FILE: name}) for name, table in tables], ignore_index=True)

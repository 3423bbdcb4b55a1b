"""Columns that were not named and yet tell rows apart: settings, data sets, epochs. What to type is said with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from diagnose.ablation.results.score_table import MISSING, label_of
from diagnose.ablation.results.table_hints import IS_SEED, NAMED_SEED, RUN_LIKE, TIMES, of_pivot
from diagnose.errors import DiagnoseError
from diagnose.formatting import cut, listed, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from diagnose.ablation.results.score_table import ScoreColumns

MOST_VALUES, MOST_COLUMNS = 3, 4  # that a line names
MOST_ROWS = 200_000  # of a table that is looked through
MOSTLY = 0.9  # share of the rows that have a score, of which a value is kept where no row without it has that value
SHARED = 0.5  # share of the values that several arms have, from which a column is crossed with the arms
OF_MEAN = re.compile(r"(.*?)([-_. /]?)(mean|avg|average)([-_. /]?)(.*)", re.IGNORECASE)
SPREADS = ("std", "sd", "stdev", "sem", "stderr", "var", "err", "se")
SCORED = frozenset((
    "dataset", "datasets", "data_set", "task", "tasks", "task_name", "env", "env_id", "environment", "game",
    "benchmark", "metric", "metric_name", "domain", "language", "lang", "problem", "instance",
))  # columns of what was scored, whose values are no runs  # fmt: skip
OF_PLACES = frozenset((
    "host", "hostname", "node", "machine", "server", "worker", "user", "author", "gpu", "gpu_type", "gpu type",
    "gpu_name", "device", "state", "status", "notes", "note", "comment", "comments", "tags", "tag", "git", "commit",
    "git_commit", "sha", "date", "day", "created", "started", "job", "job_id",
))  # columns of where, when and by whom a run was made, which may differ between runs of one setting  # fmt: skip
OF_TUNERS = re.compile(r"((?:params?|config|hparams)[._/])", re.IGNORECASE)


def telling(table: pd.DataFrame, keys: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return few columns that tell rows with the same keys apart, all of them or as many as such columns do.

    Args:
        table: all columns of it.
        keys: columns whose values several rows share.
        known: further columns that are not looked at, as scores.
    """
    if len(table) > MOST_ROWS:
        return []
    left = [name for name in table.columns if name not in (*keys, *known) and _is_setting(name, table[name])]
    chosen: list[str] = []
    distinct = _distinct(table, keys)
    while left and distinct < len(table):
        counts = {name: _distinct(table, [*keys, *chosen, name]) for name in left}
        best = max(left, key=lambda name: (_rank(name, table[name], keys), counts[name], -table[name].nunique()))
        if counts[best] == distinct:
            left.remove(best)
            continue
        chosen, distinct = [*chosen, best], counts[best]
        left.remove(best)
    return chosen


def _rank(name: str, column: pd.Series, keys: Sequence[str]) -> int:
    if _is_time(name) or name.lower() in SCORED or (_is_seed(name) and not any(map(_is_seed, keys))):
        return 2
    return int(len(set(column.astype(str).value_counts())) == 1)


def _distinct(table: pd.DataFrame, names: Sequence[str]) -> int:
    return len(table[list(names)].astype(str).drop_duplicates())


def _is_setting(name: str, column: pd.Series) -> bool:
    """Tell whether a column's values recur, as those of settings do and measurements do not."""
    import pandas as pd

    values = column.astype(str)
    count, rows = int(values.nunique()), len(values)
    if _is_time(name):
        return count > 1
    if pd.api.types.is_float_dtype(column) and not (column.dropna() % 1 == 0).all():
        return 1 < count <= max(rows // 8, 3)
    return 1 < count <= rows / 2


def of_repeats(table: pd.DataFrame, asked: ScoreColumns) -> str:
    """Return what is said behind the refusal of several rows of a run, "" where no column tells them apart."""
    chosen = telling(table, asked.keys, asked.scores)
    return f"; these rows differ in {_with_values(table, chosen)}: {_remedy(table, chosen, asked)}" if chosen else ""


def _with_values(table: pd.DataFrame, chosen: Sequence[str]) -> str:
    parts = []
    for name in chosen[:MOST_COLUMNS]:
        values = list(dict.fromkeys(label_of(value) for value in table[name].dropna()))
        more = [f"{len(values) - MOST_VALUES} more"] if len(values) > MOST_VALUES else []
        parts.append(f"{visible(name)} ({listed([*(cut(visible(word), 30) for word in values[:MOST_VALUES]), *more])})")
    return listed([*parts, *([f"{len(chosen) - MOST_COLUMNS} more"] if len(chosen) > MOST_COLUMNS else [])])


def _remedy(table: pd.DataFrame, chosen: Sequence[str], asked: ScoreColumns) -> str:
    """Return the options that make a row a run."""
    parts = [f"--where {_quoted(f'{name}=last')} keeps each run's last row" for name in chosen if _is_time(name)]
    seeds = [name for name in chosen if _is_seed(name)]
    if seeds and asked.seed is None:
        parts.append(f"--seed {_quoted(seeds[0])} names the runs")
    others = [name for name in chosen if not _is_time(name) and (name not in seeds or asked.seed is not None)]
    if others:
        values = _widest(table, others[:MOST_COLUMNS], asked.arms)
        where = " ".join(f"--where {_quoted(f'{name}={value}')}" for name, value in values.items() if value)
        ways = [f"{where} compares within one", f"--arm {_quoted(others[0])} makes it a factor"]
        if asked.example is None and len(others) == 1:
            ways.append(f"--example {_quoted(others[0])} takes it for what was scored (data sets, tasks, questions)")
        parts.append(listed(ways, "or"))
    return "; ".join(parts)


def _widest(table: pd.DataFrame, names: Sequence[str], arms: Sequence[str]) -> dict[str, str]:
    """Return the values of some columns that most arms have."""
    known = table[[*names, *arms]].dropna(subset=list(names)).drop_duplicates()
    count = known.groupby(list(names), sort=False, observed=True).size()
    if not len(count):
        return {name: label_of(table[name].dropna().iloc[0]) for name in names}
    best = count.idxmax()
    return {name: label_of(value) for name, value in zip(names, best if len(names) > 1 else [best], strict=True)}


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(visible(word))


def _is_time(name: str) -> bool:
    return name.strip("_").lower() in TIMES


def _is_seed(name: str) -> bool:
    return bool(IS_SEED.fullmatch(name) or name.strip("_").lower() in RUN_LIKE or NAMED_SEED.fullmatch(name))


def refuse_crossed(table: pd.DataFrame, asked: ScoreColumns) -> list[str]:
    """Refuse rows that would be taken for runs though columns say that they are of other settings or epochs.

    Args:
        table: all columns of it.
        asked: which column is what, without a seed or an example.

    Returns:
        Sentences on columns that differ within an arm, where these are not shared by arms.

    Raises:
        DiagnoseError: arms share the values of such columns; the line says what to type.
    """
    chosen = telling(table, asked.arms, asked.scores)
    others = [
        name for name in chosen if _is_time(name) or (not _is_seed(name) and _is_planned(table, name, asked.arms))
    ]
    settings = [name for name in others if name.lower() not in OF_PLACES]
    told = [name for name in chosen if name in settings or _is_seed(name)]
    spread = next((beside for score in asked.scores if (beside := spread_of(score, list(table.columns)))), None)
    several = _distinct(table, asked.arms) < len(table)
    if spread and several and of_pivot(list(table.columns)):
        raise DiagnoseError(
            f"{visible(asked.scores[0])} is a mean over runs, as {visible(spread)} beside it says"
            f"{_of_splits(list(table.columns))}"
        )
    if settings and (
        _shared(table, settings, asked.arms) >= SHARED
        or any(_is_time(name) or name.lower() in SCORED for name in settings)
    ):
        mean = f"; {visible(asked.scores[0])} is a mean, as {visible(spread)} beside it says" if spread else ""
        raise DiagnoseError(
            f"rows of an arm are no runs of one setting: they differ in {_with_values(table, told)}{mean}: "
            f"{_remedy(table, told, asked)}{_if_runs(table, told)}"
        )
    if spread and several:
        raise DiagnoseError(
            f"{visible(asked.scores[0])} is a mean over runs, as {visible(spread)} beside it says, and an arm has "
            f"several of them: name what they are means of (--example, --where COLUMN=VALUE), or give each run's own"
        )
    varied = [*others, *(name for name in _of_tuners(table, asked) if name not in others)]
    if not varied or not several:
        return []
    return [
        f"Rows of an arm differ in {_with_values(table, varied)}: they are taken for runs of one setting, and how far "
        "these lie apart for what seeds do."
    ]


def _is_planned(table: pd.DataFrame, name: str, arms: Sequence[str]) -> bool:
    """Tell whether a column is no measurement: words, or numbers of which every arm has the same."""
    import pandas as pd

    column = table[name]
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return not name.startswith("Unnamed")
    counts = pd.crosstab(column.astype(str), [table[arm].astype(str) for arm in arms])
    return bool((counts.eq(counts.iloc[:, 0], axis=0)).all(axis=None)) and not name.startswith("Unnamed")


def _if_runs(table: pd.DataFrame, chosen: Sequence[str]) -> str:
    import pandas as pd

    if len(chosen) != 1 or _is_time(chosen[0]) or not pd.api.types.is_integer_dtype(table[chosen[0]]):
        return ""
    return f"; if it numbers the runs, --seed {_quoted(chosen[0])}"


def _shared(table: pd.DataFrame, names: Sequence[str], arms: Sequence[str]) -> float:
    """Return the share of the values of some columns that more than one arm has."""
    import pandas as pd

    values, codes = (pd.factorize(table[list(some)].astype(str).agg("\0".join, axis=1))[0] for some in (names, arms))
    pairs = pd.DataFrame({"value": values, "arm": codes}).drop_duplicates()
    return float((pairs.groupby("value").arm.size() > 1).mean())


def _of_tuners(table: pd.DataFrame, asked: ScoreColumns) -> list[str]:
    """Return further settings of a search that vary within an arm: columns that begin as an arm's ("params_lr")."""
    begins = {match[1] for arm in asked.arms if (match := OF_TUNERS.match(arm))}
    names = [name for name in table.columns if name not in asked.arms and not _is_seed(name)]
    mine = [name for name in names if any(name.startswith(begin) for begin in begins)]
    return [name for name in mine if _distinct(table, [*asked.arms, name]) > _distinct(table, asked.arms)]


def spread_of(score: str, names: Sequence[str]) -> str | None:
    """Return the column that holds the deviation of which a score is the mean, None where there is none."""
    told, lower = OF_MEAN.fullmatch(score), {name.lower(): name for name in names}
    guesses = [f"{told[1]}{told[2]}{spread}{told[4]}{told[5]}" for spread in SPREADS] if told else []
    guesses += [f"{score}{sign}{spread}" for spread in SPREADS for sign in "_-. /"]
    guesses += [f"{spread}{sign}{score}" for spread in SPREADS for sign in "_-. /"]
    return next((lower[guess.lower()] for guess in guesses if guess.lower() in lower), None)


def notes_on_means(names: Sequence[str], asked: ScoreColumns) -> list[str]:
    """Say of scores that are means over runs, as a deviation beside them tells, that runs are not in the table."""
    out = []
    for score in asked.scores:
        spread = spread_of(score, names) if score in names else None
        if spread is not None:
            out.append(
                f"{visible(score)} is a mean over runs, as {visible(spread)} beside it says: how far runs lie apart is "
                f"not in these rows{_of_splits(names)}."
            )
    return out


def _of_splits(names: Sequence[str]) -> str:
    pivot = of_pivot(names)
    return f"; {pivot}" if pivot else ""


def missing_hint(table: pd.DataFrame, asked: ScoreColumns) -> str:
    """Return what is said behind the refusal of missing scores: what keeps the rows that have them."""
    import pandas as pd

    bad = table[list(asked.scores)].apply(pd.to_numeric, errors="coerce").isna().any(axis=1)
    if not bad.any() or bad.all() or len(table) > MOST_ROWS:
        return ""
    for name in table.columns:
        good = table[name][~bad].astype(str).value_counts()
        first, count = good.index[0], int(good.iloc[0])
        free = name not in (*asked.keys, *asked.scores) and first.strip().lower() not in MISSING
        if free and count >= MOSTLY * (~bad).sum() and first not in set(table[name][bad].astype(str)):
            return f"; --where {_quoted(f'{name}={label_of(first)}')} keeps rows that have it"
    if not asked.arms:
        return ""
    without = [arm for arm, rows in bad.groupby(table[asked.arms[0]].astype(str), sort=False) if rows.all()]
    whole = [arm for arm in dict.fromkeys(table[asked.arms[0]].astype(str)) if arm not in without]
    if len(asked.arms) == 1 and without and not bad[table[asked.arms[0]].astype(str).isin(whole)].any():
        keep = f": --levels {_quoted(','.join(whole))}" if len(whole) > 1 else ""
        verb = "has" if len(without) == 1 else "have"
        return f"; {listed([cut(visible(arm), 40) for arm in without])} {verb} none{keep}"
    return of_repeats(table, asked).replace("; these", "; the table's") if asked.seed or asked.example else ""

"""Where scores come from: table files and other tools' folders -> one table and what its columns are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.ablation.importers import ImportedScores, imported, knows
from diagnose.ablation.importers.sweeps import NAMES_SPLIT, arms_and_seeds, named_apart
from diagnose.ablation.results.chosen_rows import ALL, ChosenRows, read_rows, whole_rows
from diagnose.ablation.results.own_scores import beside, own_table
from diagnose.ablation.results.score_comparison import compare_table
from diagnose.ablation.results.score_table import FILE, ScoreColumns, joined
from diagnose.ablation.results.table_files import names_of
from diagnose.ablation.results.table_hints import (
    A_ROW_EACH,
    CHART,
    IS_SEED,
    OF_CHART,
    has_several_headings,
    melting,
    of_pivot,
    of_seeds_as_arms,
    unnamed,
)
from diagnose.errors import DiagnoseError, nearest, nearest_file
from diagnose.formatting import cut, listed, visible
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from diagnose.ablation.results.score_comparison import Margin
    from diagnose.records.score_records import ScoreComparison

OURS = ("status.json", "ablation.toml", store.RECORD, "latest")
MOST_NAMED = 20  # columns that an error lists
FILES = (".csv", ".tsv", ".txt", ".md", ".gz", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".eval", ".db")
SEED = "seed"  # the column that seeds of names are put into


@dataclass(frozen=True)
class Wanted:
    """What the command names: columns, each None or empty where it does not."""

    arms: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    seed: str | None = None
    example: str | None = None
    cluster: str | None = None

    @property
    def anything(self) -> bool:
        """Whether a column is named."""
        return bool(self.arms or self.scores or self.seed or self.example or self.cluster)


def is_results(names: Sequence[str], wanted: Wanted) -> bool:
    """Tell whether anybody's results are meant, alone or beside runs of ours, and not runs of ours alone.

    Raises:
        DiagnoseError: runs of ours and another tool's folder are, or columns of what has none.
    """
    _refuse_missing(names)
    foreign = [name for name in names if _is_foreign(Path(name))]
    gone = next((name for name in names if foreign and "/" in name and not Path(name).exists()), None)
    if gone is not None:
        raise DiagnoseError(f"{visible(gone)} does not exist{nearest_file(Path(gone))}")
    folder = next((name for name in foreign if _needs_importer(Path(name))), None)
    if folder is not None and len(foreign) < len(names):
        other = next(name for name in names if name not in foreign)
        raise DiagnoseError(
            f"{visible(folder)} is another tool's and {visible(other)} is a run of ours: runs of ours are compared "
            "with each other or with a table (CSV, Parquet, JSON lines)"
        )
    if wanted.anything and not foreign:
        missing = next((name for name in names if not Path(name).exists()), None)
        why = "does not exist" if missing else "is a run or ablation of ours, whose columns are known"
        raise DiagnoseError(f"{visible(missing or names[0])} {why}; --arm, --score and the like are of a table")
    return bool(foreign)


def _refuse_missing(names: Sequence[str]) -> None:
    """Refuse a file that is not there; what has no ending may be the name of a run in `runs/`.

    Raises:
        DiagnoseError: one line names it, and files beside it that it may be.
    """
    path = next((Path(name) for name in names if Path(name).suffix in FILES and not Path(name).exists()), None)
    if path is None:
        return
    folder = path.parent
    beside = [file.name for file in folder.iterdir() if file.suffix in FILES] if folder.is_dir() else []
    where = "this folder" if folder == Path() else visible(str(folder))
    if not folder.is_dir():
        hint = f"; there is no folder {where}"
    else:
        hint = nearest(path.name, beside) if beside else f"; {where} holds no table"
    raise DiagnoseError(f"there is no file {visible(str(path))}{hint}")


def _is_foreign(path: Path) -> bool:
    if path.is_file():
        return path.name != "latest"
    return path.is_dir() and not any((path / name).exists() for name in OURS)


def compared(
    paths: Sequence[Path],
    wanted: Wanted,
    *,
    higher: bool | None,
    levels: Sequence[str] | None,
    pairs: bool,
    margin: Margin,
    command: str,
    rows: ChosenRows = ALL,
) -> ScoreComparison:
    """Compare the arms of tables and folders, taken together.

    Args:
        paths: files or folders.
        wanted: which column is what.
        higher: whether higher is better; None to go by names and by what a tool's files say.
        levels: arms to keep, the control first.
        pairs: compare every two arms as well.
        margin: in the score's unit, of several scores by name.
        command: what repeats it.
        rows: which rows count, and which columns become rows.

    Raises:
        DiagnoseError: nothing can be read, or no comparison made.
    """
    foreign = [path for path in paths if _is_foreign(path)]
    read = _of_tools if any(map(_needs_importer, foreign)) else _of_tables
    wanted = _with_melted(wanted, rows)
    with store.as_written(paths[0], "it cannot be read as scores"):
        table = read(paths, wanted, rows)
    if wanted.arms and len(foreign) == len(paths):
        table = _with_seeds_of_names(table)
    asked = ScoreColumns(table.arms, table.scores, table.seed, table.example, table.cluster)
    return compare_table(
        table.table, asked, higher=table.higher if higher is None else higher, levels=levels, pairs=pairs,
        margin=margin, source=[str(path) for path in paths], command=command, notes=table.notes,
        columns=partial(names_of, foreign[0]) if read is _of_tables else None,
        whole=partial(_whole, foreign, asked, rows) if read is _of_tables else None,
    )  # fmt: skip


def _needs_importer(path: Path) -> bool:
    return path.is_dir() or knows(path)


def _with_melted(wanted: Wanted, rows: ChosenRows) -> Wanted:
    """Return what the command names with the column that melted columns become: the arm where nothing says otherwise.

    Raises:
        DiagnoseError: it names no score, or several, for what they hold.
    """
    if not rows.melted:
        return wanted
    if len(wanted.scores) != 1:
        raise DiagnoseError(f"--melt {visible(rows.melted)}: say what these columns hold with one --score NAME")
    if rows.melted in (*wanted.arms, wanted.seed, wanted.example):
        return wanted
    if wanted.seed is None and wanted.arms:
        return replace(wanted, seed=rows.melted)
    return replace(wanted, arms=(*wanted.arms, rows.melted))


def _whole(files: Sequence[Path], asked: ScoreColumns, rows: ChosenRows) -> pd.DataFrame:
    """Return all columns of files as one table, the file's name in one of its own where that is asked for."""
    names = named_apart([(path.stem, path.parent.name) for path in files])
    tables = [(name, whole_rows(path, _inside(asked), rows)) for name, path in zip(names, files, strict=True)]
    return joined(tables) if len(tables) > 1 else tables[0][1]


def _inside(asked: ScoreColumns) -> ScoreColumns:
    """Return what is asked of each of several files, which hold no column that tells them apart."""
    arms = tuple(name for name in asked.arms if name != FILE)
    return replace(asked, arms=arms, seed=None if asked.seed == FILE else asked.seed)


def _of_tables(paths: Sequence[Path], wanted: Wanted, rows: ChosenRows) -> ImportedScores:
    """Return tables and runs of ours as one table; of several tables without --arm each file is an arm."""
    files, ours = [path for path in paths if _is_foreign(path)], [str(path) for path in paths if not _is_foreign(path)]
    by_file = len(paths) > 1 and not wanted.arms
    if not (wanted.scores and (wanted.arms or by_file)):
        raise DiagnoseError(_ask(files[0].name, names_of(files[0]), wanted))
    asked = ScoreColumns(wanted.arms, wanted.scores, wanted.seed, wanted.example, wanted.cluster)
    seeds = next((arm for arm in wanted.arms if IS_SEED.fullmatch(arm)), None)
    if seeds is not None and wanted.example is None and seeds in names_of(files[0]):
        raise DiagnoseError(of_seeds_as_arms(seeds, names_of(files[0]), wanted.scores))
    names = named_apart([(path.stem, path.parent.name) for path in files])
    inside = _inside(asked) if len(files) > 1 else asked
    read = [read_rows(path, inside, rows) for path in files]
    tables = [(name, table) for name, (table, _) in zip(names, read, strict=True)]
    arms = (FILE,) if by_file else wanted.arms
    table = joined(tables) if by_file or len(tables) > 1 else tables[0][1]
    seeded = len(tables) > 1 and not by_file and asked.seed is None and _are_seeds(names)
    if seeded:
        asked = replace(asked, seed=FILE)
    if ours:
        table = beside(
            table, own_table(ours, replace(asked, arms=arms)), asked.example, own_first=ours[0] == str(paths[0])
        )
    notes = list(dict.fromkeys(note for _, said in read for note in said))
    notes += ["Each file is taken for a seed, by its name."] if seeded else []
    if not (asked.seed or asked.example):
        known = (*asked.arms, *asked.scores, *rows.columns, *rows.melt)
        notes += unnamed(names_of(files[0]), known)
    return ImportedScores(table, arms, wanted.scores, asked.seed, wanted.example, wanted.cluster, notes=tuple(notes))


def _are_seeds(names: Sequence[str]) -> bool:
    """Tell whether files' names say a seed each and nothing else ("results_seed0")."""
    told = arms_and_seeds(names)
    return all(seed for _, seed in told) and len({arm for arm, _ in told}) == 1


def _with_seeds_of_names(scores: ImportedScores) -> ImportedScores:
    """Return scores of runs whose arms are names ("relu_s1") with arm and seed in columns of their own."""
    table, (name, *others) = scores.table, scores.arms
    if others or scores.seed or scores.example or SEED in table.columns or table[name].duplicated().any():
        return scores
    told = arms_and_seeds([str(name_of_arm) for name_of_arm in table[name]], numbered=True)
    if not all(seed for _, seed in told) or not 1 < len({arm for arm, _ in told}) < len(told):
        return scores
    parted = table.assign(**{name: [arm for arm, _ in told], SEED: [seed for _, seed in told]})
    return replace(scores, table=parted, seed=SEED, notes=(*scores.notes, NAMES_SPLIT))


def _ask(table: str, names: Sequence[str], wanted: Wanted) -> str:
    """Return what is said where a table's columns are not named."""
    if any(name.endswith(CHART) for name in names):
        return f"{visible(table)}: {OF_CHART}"
    missing = [option for option, given in (("--arm", wanted.arms), ("--score", wanted.scores)) if not given]
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    choices = listed([*(cut(visible(name), 40) for name in names[:MOST_NAMED]), *more])
    pivot = of_pivot(names) or _if_arms(names, wanted)
    return f"name columns of {visible(table)} with {listed(missing)}: it has {choices}{'; ' * bool(pivot)}{pivot}"


def _if_arms(names: Sequence[str], wanted: Wanted) -> str:
    """Return what to type where columns are an arm each; "" where an arm is named, or there are too few columns."""
    keys = (wanted.seed, wanted.example, wanted.cluster)
    arms = wanted.scores if len(wanted.scores) > 1 else [name for name in names[1:] if name not in keys][:2]
    if has_several_headings(names):
        return f"its columns have several headings; {A_ROW_EACH}"
    if wanted.arms or len(arms) < 2:
        return ""
    return (
        f"if columns are an arm each, {melting('arm', ','.join(arms))} makes them rows; if they are data sets, "
        "--melt NAME=A,B --example NAME does"
    )


def _of_tools(paths: Sequence[Path], wanted: Wanted, rows: ChosenRows) -> ImportedScores:
    """Return what other tools left as one table, with the columns that the command names instead of the tool's."""
    if len(paths) > 1 and not all(_needs_importer(path) for path in paths):
        raise DiagnoseError("tables and other tools' folders cannot be compared with each other")
    scores = imported(paths, () if rows.melted else wanted.scores)
    if not (wanted.arms or scores.arms) or not (wanted.scores or scores.scores):
        raise DiagnoseError(_ask(paths[0].name, [str(name) for name in scores.table.columns], wanted))
    asked = ScoreColumns(wanted.arms or scores.arms, wanted.scores or scores.scores, wanted.seed or scores.seed)
    names = [str(name) for name in scores.table.columns]
    table, notes = rows.applied(scores.table, asked, rows.of_file(asked, names).scores)
    return replace(
        scores, table=table, notes=(*scores.notes, *notes), arms=asked.arms, scores=asked.scores, seed=asked.seed,
        example=wanted.example or scores.example, cluster=wanted.cluster or scores.cluster,
    )  # fmt: skip

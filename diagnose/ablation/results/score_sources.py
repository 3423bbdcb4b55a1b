"""Where scores come from: table files and other tools' folders -> one table and what its columns are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.ablation.importers import ImportedScores, imported, knows
from diagnose.ablation.importers.sweeps import NAMES_SPLIT, arms_and_seeds, named_apart
from diagnose.ablation.results.own_scores import beside, own_table
from diagnose.ablation.results.score_comparison import compare_table
from diagnose.ablation.results.score_table import FILE, ScoreColumns, joined, read_table
from diagnose.ablation.results.table_files import names_of
from diagnose.ablation.results.table_hints import IS_SEED, of_pivot, of_seeds_as_arms, unnamed
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import cut, listed, visible
from diagnose.runs import store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.ablation.results.score_comparison import Margin
    from diagnose.records.score_records import ScoreComparison

OURS = ("status.json", "ablation.toml", store.RECORD, "latest")
MOST_NAMED = 20  # columns that an error lists
FILES = (".csv", ".tsv", ".txt", ".md", ".gz", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".eval", ".db")
SEED = "seed"  # the column that seeds of names are put into
CHART = "__MIN"  # what ends columns of a chart that W&B exports, beside each run's own


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

    Raises:
        DiagnoseError: nothing can be read, or no comparison made.
    """
    foreign = [path for path in paths if _is_foreign(path)]
    read = _of_tools if any(map(_needs_importer, foreign)) else _of_tables
    with store.as_written(paths[0], "it cannot be read as scores"):
        table = read(paths, wanted)
    if wanted.arms and len(foreign) == len(paths):
        table = _with_seeds_of_names(table)
    asked = ScoreColumns(table.arms, table.scores, table.seed, table.example, table.cluster)
    return compare_table(
        table.table, asked, higher=table.higher if higher is None else higher, levels=levels, pairs=pairs,
        margin=margin, source=[str(path) for path in paths], command=command, notes=table.notes,
        columns=partial(names_of, foreign[0]) if read is _of_tables else None,
    )  # fmt: skip


def _needs_importer(path: Path) -> bool:
    return path.is_dir() or knows(path)


def _of_tables(paths: Sequence[Path], wanted: Wanted) -> ImportedScores:
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
    tables = [(name, read_table(path, asked)) for name, path in zip(names, files, strict=True)]
    arms = (FILE,) if by_file else wanted.arms
    table = joined(tables) if by_file or len(tables) > 1 else tables[0][1]
    if ours:
        table = beside(
            table, own_table(ours, replace(asked, arms=arms)), asked.example, own_first=ours[0] == str(paths[0])
        )
    notes = [] if asked.seed or asked.example else unnamed(names_of(files[0]), (*asked.arms, *asked.scores))
    return ImportedScores(table, arms, wanted.scores, wanted.seed, wanted.example, wanted.cluster, notes=tuple(notes))


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
        return (
            f"{visible(table)} is a chart's export of W&B, a column a run: export the table of runs instead, which has "
            "their settings and last scores"
        )
    missing = [option for option, given in (("--arm", wanted.arms), ("--score", wanted.scores)) if not given]
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    choices = listed([*(cut(visible(name), 40) for name in names[:MOST_NAMED]), *more])
    pivot = of_pivot(names)
    return f"name columns of {visible(table)} with {listed(missing)}: it has {choices}{'; ' * bool(pivot)}{pivot}"


def _of_tools(paths: Sequence[Path], wanted: Wanted) -> ImportedScores:
    """Return what other tools left as one table, with the columns that the command names instead of the tool's."""
    if len(paths) > 1 and not all(_needs_importer(path) for path in paths):
        raise DiagnoseError("tables and other tools' folders cannot be compared with each other")
    scores = imported(paths, wanted.scores)
    if not (wanted.arms or scores.arms) or not (wanted.scores or scores.scores):
        raise DiagnoseError(_ask(paths[0].name, [str(name) for name in scores.table.columns], wanted))
    return replace(
        scores, arms=wanted.arms or scores.arms, scores=wanted.scores or scores.scores, seed=wanted.seed or scores.seed,
        example=wanted.example or scores.example, cluster=wanted.cluster or scores.cluster,
    )  # fmt: skip

"""Folders that `diagnose ablate --run` left: the table of its runs' scores, whose columns its record names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.ablation.importers.imported_scores import ImportedScores, Importer
from diagnose.data.swelling import parquet
from diagnose.errors import DiagnoseError
from diagnose.files import every_digit
from diagnose.formatting import listed, of_cell
from diagnose.logs.source import shown
from diagnose.runs import command_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from diagnose.logs.folders.plain_files import Listing
    from diagnose.records.score_records import DesignRecord

NAME = "diagnose ablate --run"


def owns(listing: Listing) -> bool:
    """Say whether a folder is such an ablation's."""
    return (listing.top / command_store.COMPARISON).is_file()


def load(listings: Sequence[Listing], wanted: tuple[str, ...]) -> ImportedScores:
    """Return the tables of ablations as one; a run that several of them hold counts once.

    Raises:
        DiagnoseError: a folder is damaged, or they vary or score different things.
    """
    import pandas as pd

    records = [command_store.comparison(item.top) for item in listings]
    first = records[0]
    design, metrics = first.design, tuple(item.name for item in first.metrics)
    for item, record in zip(listings, records, strict=True):
        columns = _columns(record.design)
        scores = [metric.name for metric in record.metrics if metric.name in metrics]
        if columns != _columns(design) or not scores:
            theirs = listed([name for name in (*columns, *(metric.name for metric in record.metrics)) if name])
            raise DiagnoseError(f"{shown(item.top)} has {theirs}, which is not what {shown(listings[0].top)} has")
        metrics = tuple(scores)
    tables = [_table(item.top, design) for item in listings]
    keys = [name for name in _columns(design) if name]
    table = pd.concat(tables, ignore_index=True)[[*keys, *metrics]].drop_duplicates(ignore_index=True)
    higher = {item.name: item.better == "higher" for item in first.metrics if item.told_by == "option"}
    return ImportedScores(
        table, design.arm_columns, wanted or metrics, design.seed_column or None, design.example_column or None,
        design.cluster_column or None, higher,
    )  # fmt: skip


def _columns(design: DesignRecord) -> tuple[str, ...]:
    return (*design.arm_columns, design.seed_column, design.example_column, design.cluster_column)


def _table(folder: Path, design: DesignRecord) -> pd.DataFrame:
    """Return a folder's table, its levels as they were typed. Raises DiagnoseError where it is missing or damaged."""
    import pandas as pd

    file = next((path for path in map(folder.joinpath, command_store.TABLES) if path.is_file()), None)
    if file is None:
        raise DiagnoseError(f"{shown(folder)} holds no {listed(list(command_store.TABLES), 'or')}: it is damaged")
    try:
        if file.suffix == ".parquet":
            return parquet(file).to_pandas()
        levels = dict.fromkeys(design.arm_columns, str)
        table = pd.read_csv(file, dtype=levels, keep_default_na=False, **every_digit())
        return table.assign(**{name: table[name].map(of_cell) for name in design.arm_columns})
    except (OSError, ValueError) as error:
        raise DiagnoseError(f"{shown(file)} cannot be read as a table: {str(error).splitlines()[0]}") from None


IMPORTER = Importer(NAME, 0, owns, load)

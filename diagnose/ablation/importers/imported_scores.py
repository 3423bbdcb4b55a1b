"""What a tool's folder gives: one table of scores and what its columns are; and what a tool is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from diagnose.logs.folders.plain_files import Listing


def is_no_file(_: Path) -> bool:
    """Say of no single file that it is the tool's."""
    return False


@dataclass(frozen=True)
class ImportedScores:
    """A table of scores.

    Attributes:
        table: a row a run, or a row an example of a run.
        arms, scores, seed, example, cluster: its columns, as `ScoreColumns` has them.
        higher: whether higher is better, by score, where the tool's files say so.
        notes: what a reader must know of how it was read, as sentences.
    """

    table: pd.DataFrame
    arms: tuple[str, ...]
    scores: tuple[str, ...]
    seed: str | None = None
    example: str | None = None
    cluster: str | None = None
    higher: dict[str, bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Importer:
    """A tool whose results are read.

    Attributes:
        name: as its users call it.
        rank: tools of a lower rank are asked first.
        owns: whether the files of a listing are the tool's.
        load: reads them, given the names of the scores that are wanted (empty for those that the tool would show).
        is_file_of: whether a single file is the tool's.
    """

    name: str
    rank: int
    owns: Callable[[Listing], bool]
    load: Callable[[Sequence[Listing], tuple[str, ...]], ImportedScores]
    is_file_of: Callable[[Path], bool] = is_no_file

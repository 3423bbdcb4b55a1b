"""Finished runs of ours as rows of a table of scores, beside what anybody else scored on the same documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.ablation import comparison
from diagnose.errors import DiagnoseError, nearest
from diagnose.formatting import listed
from diagnose.runs import run_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from diagnose.ablation.results.score_table import ScoreColumns

SCORES = ("nats", "bits", "bits_per_byte", "nats_per_token")  # of a document: of all of it, or a mean


def own_table(names: Sequence[str], columns: ScoreColumns) -> pd.DataFrame:
    """Return a row for each validation document of each run, in columns that are called as the other table's are.

    Runs of one recipe are an arm. A document's key is its number in the corpus, from 0, as `validation.parquet` has it.

    Args:
        names: runs, or ablations for all of theirs.
        columns: of the table that they are to stand beside.

    Raises:
        DiagnoseError: the table has no column that tells examples apart, or scores that runs of ours do not have.
    """
    import pandas as pd

    if columns.example is None or len(columns.arms) != 1:
        missing = "--example" if columns.example is None else "a single --arm"
        raise DiagnoseError(
            f"runs of ours are compared with a table document by document: name its columns with {missing}; an "
            "example's key is the document's number in the corpus"
        )
    for score in columns.scores:
        if score not in SCORES:
            raise DiagnoseError(
                f"--score {score}: runs of ours have no such score of a document{nearest(score, SCORES)}"
            )
    parts = [
        _rows(run, arm, columns) for arm, runs in comparison.arms_of(comparison.runs_of(names)).items() for run in runs
    ]
    return pd.concat(parts, ignore_index=True)


def _rows(run: comparison.ComparedRun, arm: str, columns: ScoreColumns) -> pd.DataFrame:
    read = run_tables.read_table(run.path, "validation")
    scores = {
        "nats": read.nats, "bits": read.nats / np.log(2), "bits_per_byte": read.nats / np.log(2) / read.bytes,
        "nats_per_token": read.nats / read.tokens,
    }  # fmt: skip
    keys = {columns.arms[0]: arm, columns.seed: str(run.seed), columns.example: read.document.astype(str)}
    keys |= {} if columns.cluster is None else {columns.cluster: read.document.astype(str)}
    table = read[[]].assign(**{name: value for name, value in keys.items() if name is not None})
    return table.assign(**{score: scores[score] for score in columns.scores})


def beside(table: pd.DataFrame, own_scores: pd.DataFrame, example: str | None, *, own_first: bool) -> pd.DataFrame:
    """Return a table and runs of ours as one; the first arm of what comes first is the control.

    Raises:
        DiagnoseError: they score no document in common.
    """
    import pandas as pd

    theirs, ours = set(table[example].astype(str)), set(own_scores[example])
    if not theirs & ours:
        raise DiagnoseError(
            f"--example {example}: the table has none of the {len(ours):,} documents that the runs were scored on "
            f"({listed(sorted(ours, key=int)[:3])}, ...); an example's key is the document's number in the corpus"
        )
    table = table.astype({name: object for name in table.columns if name in own_scores.columns})
    parts = [own_scores, table] if own_first else [table, own_scores]
    return pd.concat(parts, ignore_index=True)

"""Scores that a user's script reports of itself, an example at a time: written where `diagnose ablate --run` says.

Each call leaves one file, so that several processes of one run (data parallel) need not know of each other; of an
example that is reported twice the last report counts.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose import files
from diagnose.data.swelling import parquet
from diagnose.errors import DiagnoseError, own_words
from diagnose.formatting import cut, visible

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

VARIABLE = "DIAGNOSE_SCORES"  # names the folder
EXAMPLE, CLUSTER = "example", "cluster"


@own_words
def report_scores(
    scores: Any, examples: Any = None, *, clusters: Any = None, name: str = "loss"
) -> Path | None:  # fmt: skip
    """Report the scores of a trained model from within a script that `diagnose ablate --run` starts.

        from diagnose import report_scores

        report_scores(losses, examples=ids)                                # one score of each validation example
        report_scores({"loss": losses, "accuracy": right}, examples=ids)   # several
        report_scores(0.486, name="val_loss")                              # one number of the whole run

    With a score of each example, arms are compared on the same examples under the same seeds, which is far sharper than
    comparing their means. It may be called once for each batch; of an example that comes twice the last call counts.
    Outside of such a run it does nothing, so the script runs as it did before.

    Args:
        scores: (N,) numbers, an array or tensor; or several by name; or one number.
        examples: (N,) what was scored: numbers or names that mean the same in every run. The place in a shuffled list
            does not.
        clusters: (N,) groups of examples that belong together.
        name: of the score, where there is one. "loss", "accuracy" and the like also say which side is better.

    Returns:
        The file; None outside of such a run.

    Raises:
        DiagnoseError: sizes differ, a number is missing, or several scores come without examples.

    >>> report_scores([0.2, 0.4], examples=["a", "b"]) is None
    True
    """
    table = _table(scores, examples, clusters, name)
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = Path(folder) / f"{time.time_ns()}-{os.getpid()}.parquet"
        files.write_whole(path, lambda file: pq.write_table(pa.table(table), file))
    except OSError as error:
        raise DiagnoseError(f"scores cannot be written to {folder}: {error.strerror or error}") from None
    return path


def read_scores(folder: Path) -> tuple[pd.DataFrame, list[str]] | None:
    """Return what a run reported, the last report of each example, and its scores' names; None where it did not.

    Raises:
        DiagnoseError: a file is damaged, or files hold different scores.
    """
    import pandas as pd

    newest_last = sorted([*folder.glob("*.parquet"), *folder.glob("*.csv")], key=_when)
    if not newest_last:
        return None
    tables = [_read(path) for path in newest_last]
    columns = [str(name) for name in tables[0].columns]
    if any([str(name) for name in table.columns] != columns for table in tables):
        raise DiagnoseError(f"{folder}: calls of report_scores do not agree in what they report")
    keys = [name for name in columns if name in (EXAMPLE, CLUSTER)]
    whole = pd.concat(tables, ignore_index=True)
    whole = whole.drop_duplicates(EXAMPLE, keep="last") if EXAMPLE in keys else whole.tail(1)
    return whole.reset_index(drop=True), [name for name in columns if name not in keys]


def _when(path: Path) -> tuple[int, str]:
    """Return when a file was reported: as its name says, or of one by another hand as the system does."""
    first = path.name.partition("-")[0]
    return (int(first) if first.isdigit() else path.stat().st_mtime_ns), path.name


def _read(path: Path) -> pd.DataFrame:
    """Return one report: ours, or a CSV that a script wrote itself."""
    import pandas as pd
    import pyarrow as pa

    try:
        if path.suffix == ".parquet":
            return parquet(files.inside(path)).to_pandas()
        table = pd.read_csv(
            files.inside(path), dtype={EXAMPLE: str, CLUSTER: str}, keep_default_na=False, **files.every_digit()
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = cut(visible(" ".join(str(error).split())), 120)
        raise DiagnoseError(f"{visible(path.name)} cannot be read as scores: {reason}") from None
    keys = {EXAMPLE, CLUSTER} & set(table.columns)
    scores = {str(name): _numbers(str(name), table[name]) for name in table.columns if name not in keys}
    if not len(table) or not scores or (EXAMPLE not in keys and len(table) > 1):
        raise DiagnoseError(f"{visible(path.name)} is no table of scores: a column called {EXAMPLE}, and the scores")
    return table.assign(**scores)


def _table(scores: Any, examples: Any, clusters: Any, name: str) -> dict[str, Any]:
    """Return columns of equal length."""
    by_name = scores if isinstance(scores, Mapping) else {name: scores}
    columns = {str(key): _numbers(str(key), value) for key, value in by_name.items()}
    sizes = {len(column) for column in columns.values()}
    if len(sizes) != 1:
        raise DiagnoseError(f"report_scores: scores of {len(columns)} names have different lengths: {sorted(sizes)}")
    (size,) = sizes
    if examples is None and (size != 1 or clusters is not None):
        raise DiagnoseError(
            f"report_scores: {size:,} scores without examples: name them (examples=ids), for the scores of two runs "
            "are matched by them"
        )
    keys = [(EXAMPLE, examples), (CLUSTER, clusters)]
    told = {key: _names(key, value, size) for key, value in keys if value is not None}
    return {**told, **columns}


def _numbers(name: str, values: Any) -> NDArray[np.float64]:
    if name in (EXAMPLE, CLUSTER):
        raise DiagnoseError(f"report_scores: a score cannot be called {name!r}")
    try:
        column = np.asarray(_on_cpu(values), dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise DiagnoseError(f"scores: {name} holds what is no number: {cut(visible(str(error)), 80)}") from None
    if not len(column):
        raise DiagnoseError(f"report_scores: {name} is empty")
    return column


def _names(what: str, values: Any, size: int) -> list[str]:
    """Return examples or clusters as text; whole numbers without a decimal point."""
    column = np.asarray(_on_cpu(values)).reshape(-1)
    if len(column) != size:
        raise DiagnoseError(f"report_scores: {len(column):,} {what}s for {size:,} scores")
    names = [str(value) for value in column.tolist()]
    if what == EXAMPLE and len(set(names)) < size:
        twice = Counter(names).most_common(1)[0][0]
        raise DiagnoseError(f"report_scores: the example {cut(visible(twice), 40)} comes twice in one call")
    return names


def _on_cpu(values: Any) -> Any:
    """Return a tensor of any library as numpy reads it."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        return values.float().numpy() if values.is_floating_point() else values.numpy()
    return list(values) if hasattr(values, "__iter__") and not hasattr(values, "__array__") else values

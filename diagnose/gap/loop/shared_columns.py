"""Rows of a table that are of one person, place or day: columns of numbers that come together, on both sides.

Two columns come together where each value of one stands beside one value of the other alone. Numbers that do so over
several rows are what is known of something that has several rows, and a split by rows puts it on both sides.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gap.loop.sample_parts import named_tensors
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.gap.loop.sample_parts import SampleLayout

MOST_ROWS, MOST_COLUMNS = 1 << 14, 256
FEWEST_SETS = 10  # of values: fewer are classes, not persons
ROWS_A_SET = (1.5, 64.0)  # on average: what every row has of its own tells nothing, nor what very many have (an hour)
SHARED = 0.05  # of validation's rows: so many must be of what training knows


def told(train: Any, val: Any, found: SampleLayout) -> str:
    """Say that validation's rows share a set of columns with training's; "" where they do not, or are no table."""
    train_NC, val_MC = (_table(batches, found) for batches in (train, val))
    if train_NC is None or val_MC is None or train_NC.shape[1] != val_MC.shape[1]:
        return ""
    columns = _together(train_NC)
    if len(columns) < 2:
        return ""
    sets = {row.tobytes() for row in np.ascontiguousarray(train_NC[:, columns])}
    share = float(np.mean([row.tobytes() in sets for row in np.ascontiguousarray(val_MC[:, columns])]))
    if share < SHARED:
        return ""
    return (
        f"{share:.0%} of validation's rows have {len(columns)} of their {train_NC.shape[1]} columns in common with "
        f"rows of training, bit for bit: columns that come in {len(sets):,} sets, each with several rows of training, "
        "as what is known of a person, a place or a day does; groups= tells whether training has seen them"
    )


def _table(batches: Any, found: SampleLayout) -> NDArray[np.float64] | None:
    """Return the rows of numbers that identify samples (rows, columns); None where these are anything else."""
    if len(found.keys) != 1:
        return None
    parts: list[NDArray[np.float64]] = []
    for _, batch in walk(batches)[0]:
        rows = dict(named_tensors(batch)).get(found.keys[0])
        if rows is None or rows.dim() != 2 or not rows.is_floating_point() or rows.shape[1] > MOST_COLUMNS:
            return None
        parts.append(rows.detach().cpu().double().numpy())
        if len(parts[0][0]) != len(parts[-1][0]):
            return None
        if sum(map(len, parts)) >= MOST_ROWS:
            break
    return np.concatenate(parts)[:MOST_ROWS] if parts else None


def _together(table_NC: NDArray[np.float64]) -> list[int]:
    """Return the columns of the largest set that come together, in several rows each; none where all are apart."""
    alike: defaultdict[bytes, list[int]] = defaultdict(list)
    for column, values in enumerate(table_NC.T):
        _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        if len(first) >= FEWEST_SETS and ROWS_A_SET[0] <= len(values) / len(first) <= ROWS_A_SET[1]:
            alike[first[inverse].astype(np.int64).tobytes()].append(column)
    return max(alike.values(), key=len, default=[])

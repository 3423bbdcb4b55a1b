"""Several files: parts of one run, or runs of their own, which are told apart by where they begin."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.logs.pairs import all_pairs

if TYPE_CHECKING:
    from diagnose.logs.kept_columns import Columns
    from diagnose.logs.pairs import Pairs
    from diagnose.logs.series import Log


def runs_of_files(logs: list[Log], columns: Columns) -> list[list[Pairs]]:
    """Return the runs of each file, where each has both losses and none goes on from the one before; else nothing."""
    if len(logs) < 2:
        return []
    try:
        runs = [all_pairs(log, columns) for log in logs]
    except DiagnoseError:
        return []
    parts = [_goes_on(before[-1], after[0]) for before, after in itertools.pairwise(runs)]
    return [] if any(parts) else runs


def _goes_on(before: Pairs, after: Pairs) -> bool:
    """Say whether a run may be the next part of another: its losses have the same names, and it begins further on."""
    if (before.train.name, before.val.name, before.axis) != (after.train.name, after.val.name, after.axis):
        return False
    return after.axis == "place" or bool(after.at_N[0] > before.at_N[0])


def unplaced(logs: list[Log], run: Pairs) -> list[str]:
    """Note that nothing says whether files are parts of one run."""
    if len(logs) < 2 or run.axis != "place":
        return []
    return ["the files do not say where in a run their values stand: they are read as parts of one"]

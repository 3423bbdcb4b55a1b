"""Runs beside each other: a table with a column for each fold's or run's losses, as "train_loss_fold0, ..."."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.formatting import cut, listed, visible
from diagnose.logs.names import meaning

if TYPE_CHECKING:
    from diagnose.logs.series import Log, LogSeries

RUNS = frozenset(("fold", "seed", "run", "trial", "repeat", "split"))
MOST_NAMED = 4


def run_of(name: str) -> str:
    """Return the run that a loss's name holds ("fold 0" of "val_loss_fold0"), "" where it holds none."""
    return next((f"{a} {b}" for a, b in itertools.pairwise(meaning(name).stem) if a in RUNS and b.isdigit()), "")


def side_by_side(
    first: tuple[LogSeries, LogSeries], others: list[tuple[LogSeries, LogSeries]]
) -> list[tuple[LogSeries, LogSeries]]:
    """Return the losses of each run, where pairs differ in the run alone that their names hold; else nothing."""
    every = [(train, val) for train, val in (first, *others) if run_of(train.name) == run_of(val.name) != ""]
    by_run = {run_of(train.name): (train, val) for train, val in reversed(every)}
    alike = {tuple(part for part in meaning(train.name).stem if not part.isdigit()) for train, _ in every}
    if len(by_run) < 2 or len(alike) > 1 or run_of(first[0].name) not in by_run:
        return []
    return [by_run[run] for run in sorted(by_run, key=lambda run: (run.split()[0], int(run.split()[1])))]


def title_of(name: str) -> str:
    """Return the run that a loss's name in a W&B export begins with ("brisk-river-7 - val/loss"), "" for any other."""
    run, dash, _ = name.rpartition(" - ")
    return run if dash and meaning(name).kind and not meaning(run).side else ""


def of_each_run(log: Log) -> list[Log]:
    """Return a log for each run of a W&B export of several that has both losses; none where it is no such export.

    Raises:
        DiagnoseError: some runs have a training loss, others a validation loss, and none has both.
    """
    runs: dict[str, dict[str, LogSeries]] = {}
    for name, series in log.series.items():
        if run := title_of(name):
            runs.setdefault(run, {})[name] = series
    sides = {run: {meaning(name).held_out for name in some} for run, some in runs.items()}
    both = [replace(log, series=some) for run, some in runs.items() if len(sides[run]) == 2]
    if len(runs) > 1 and not both and len(set.union(*sides.values())) == 2:
        have = [f"{cut(visible(run), 40)} ({'validation' if True in of else 'training'})" for run, of in sides.items()]
        raise DiagnoseError(
            f"no run has both losses: {listed(have[:MOST_NAMED])}; of two runs' losses nothing can be said of a gap: "
            "export both of one run"
        )
    return both if len(runs) > 1 else []

"""Runs beside each other: a table with a column for each fold's losses, as "train_loss_fold0, val_loss_fold0, ..."."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from diagnose.logs.names import meaning

if TYPE_CHECKING:
    from diagnose.logs.series import LogSeries

RUNS = frozenset(("fold", "seed", "run", "trial", "repeat", "split"))


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

"""What a watcher of runs is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

TOLD = ("step", "kind", "split", "loss")  # of a reading, to another process


@dataclass(frozen=True)
class Progress:
    """What a watcher is told: after each step, and when something else takes time.

    Of a command of somebody's, `step` counts seconds and `steps` is 0.

    Attributes:
        readings: rows of the run's `readings.parquet` that are new; of a run that goes on, first those it has.
    """

    run: str
    label: str
    seed: int
    step: int
    steps: int | None
    loss: float
    tokens_per_second: float
    seconds_left: float | None
    doing: str = "training"
    readings: Sequence[Mapping[str, Any]] = ()

    def numbers(self) -> dict[str, Any]:
        """Return all but the readings, as JSON values."""
        return {column.name: getattr(self, column.name) for column in fields(self) if column.name != "readings"}

    def message(self) -> dict[str, Any]:
        """Return what is told to another process, as JSON values: of each reading what it is and its loss."""
        return {**self.numbers(), "readings": [{key: row[key] for key in TOLD} for row in self.readings]}


Watch = Callable[[Progress], None]


def all_of(*watches: Watch) -> Watch:
    """Return a watcher that passes on what it is told to each of these."""

    def watch(state: Progress) -> None:
        for watched in watches:
            watched(state)

    return watch

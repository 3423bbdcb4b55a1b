"""What a watcher of runs is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """What a watcher is told: after each step, and when something else takes time.

    Of a command of somebody's, `step` counts seconds and `steps` is 0.
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


Watch = Callable[[Progress], None]

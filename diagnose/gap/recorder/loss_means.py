"""Means of all of a loop's losses so far: of its epoch, of the run, and decaying ones as progress bars show them."""

from __future__ import annotations

from typing import Any

from diagnose.gap.recorder.recording import numbers
from diagnose.gap.reported import DECAYS

TOGETHER = 1024  # losses that are fetched from their device at once


class LossMeans:
    """Plain means of the epoch and of the run so far, and for several decays one in which later losses count more.

    Loops begin a decaying mean in three ways: as if there were no losses before, with the first loss, and with 0.
    """

    def __init__(self) -> None:
        self.decaying = dict.fromkeys(DECAYS, 0.0)
        self.sums, self.counts = {"epoch": 0.0, "run": 0.0}, {"epoch": 0, "run": 0}
        self.first, self.last_two = 0.0, list[Any]()
        self.waiting: list[Any] = []

    def add(self, loss: Any, *, begins: bool = False) -> None:
        """Add a step's loss: a number, or a tensor of one. `begins`: it is an epoch's first."""
        if begins:
            self._take()
            self.sums["epoch"], self.counts["epoch"] = 0.0, 0
        self.waiting.append(loss)
        self.last_two = [*self.last_two[-1:], loss]
        if len(self.waiting) >= TOGETHER:
            self._take()

    def _take(self) -> None:
        losses, self.waiting = numbers(self.waiting), []
        if losses and not self.counts["run"]:
            self.first = losses[0]
        for name in self.sums:
            self.sums[name] += sum(losses)
            self.counts[name] += len(losses)
        for decay, value in self.decaying.items():
            new = value
            for loss in losses:
                new = decay * new + (1 - decay) * loss
            self.decaying[decay] = new

    def so_far(self) -> dict[str, float]:
        """Return each mean by its name in a record: "epoch", "run", "smoothed 0.9 from the first loss" and others.

        And the loss of the last step, "last", and of the one before it, "before".
        """
        self._take()
        out = {name: total / max(1, self.counts[name]) for name, total in self.sums.items()}
        out |= dict(zip(("last", "before"), reversed(numbers(self.last_two)), strict=False))
        steps = self.counts["run"]
        for decay, value in self.decaying.items() if steps else ():
            before = decay**steps  # what is left of where it began
            out[f"smoothed {decay}"] = value / (1 - before)
            out[f"smoothed {decay} from the first loss"] = value + before * self.first
            out[f"smoothed {decay} from 0"] = value
        return out

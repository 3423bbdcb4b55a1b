"""Decaying means of all of a loop's losses, as progress bars show them."""

from __future__ import annotations

from typing import Any

from diagnose.gap.recorder.recording import numbers
from diagnose.gap.reported import DECAYS

TOGETHER = 1024  # losses that are fetched from their device at once


class SmoothedLosses:
    """For each of several decays, the mean of all losses so far, the later the more.

    Loops begin in three ways: as if there were no losses before, with the first loss, and with 0.
    """

    def __init__(self) -> None:
        self.values = dict.fromkeys(DECAYS, 0.0)
        self.steps, self.first = 0, 0.0
        self.waiting: list[Any] = []

    def add(self, loss: Any) -> None:
        """Add a step's loss: a number, or a tensor of one."""
        self.waiting.append(loss)
        if len(self.waiting) >= TOGETHER:
            self._take()

    def _take(self) -> None:
        losses, self.waiting = numbers(self.waiting), []
        if losses and not self.steps:
            self.first = losses[0]
        self.steps += len(losses)
        for decay, value in self.values.items():
            new = value
            for loss in losses:
                new = decay * new + (1 - decay) * loss
            self.values[decay] = new

    def means(self) -> dict[str, float]:
        """Return each mean by its name in a record: "smoothed 0.9", "smoothed 0.9 from the first loss"."""
        self._take()
        out: dict[str, float] = {}
        for decay, value in self.values.items() if self.steps else ():
            before = decay**self.steps  # what is left of where it began
            out[f"smoothed {decay}"] = value / (1 - before)
            out[f"smoothed {decay} from the first loss"] = value + before * self.first
            out[f"smoothed {decay} from 0"] = value
        return out

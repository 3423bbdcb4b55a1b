"""Decaying means of all of a loop's losses, as progress bars show them."""

from __future__ import annotations

from typing import Any

from diagnose.gap.recorder.recording import numbers
from diagnose.gap.reported import DECAYS

TOGETHER = 1024  # losses that are fetched from their device at once


class SmoothedLosses:
    """For each of several decays, the mean of all losses so far, the later the more, as if there were none before."""

    def __init__(self) -> None:
        self.values = dict.fromkeys(DECAYS, 0.0)
        self.steps = 0
        self.waiting: list[Any] = []

    def add(self, loss: Any) -> None:
        """Add a step's loss: a number, or a tensor of one."""
        self.waiting.append(loss)
        if len(self.waiting) >= TOGETHER:
            self._take()

    def _take(self) -> None:
        losses, self.waiting = numbers(self.waiting), []
        self.steps += len(losses)
        for decay, value in self.values.items():
            new = value
            for loss in losses:
                new = decay * new + (1 - decay) * loss
            self.values[decay] = new

    def means(self) -> dict[str, float]:
        """Return each mean by its name in a record: "smoothed 0.9"."""
        self._take()
        return {f"smoothed {d}": v / (1 - d**self.steps) for d, v in self.values.items()} if self.steps else {}

"""How long the steps of a block took."""

from __future__ import annotations

import itertools
import math
import time
from typing import TYPE_CHECKING

from diagnose.training.device import recorded

if TYPE_CHECKING:
    import torch
    from torch import nn


class StepClock:
    """Times steps, whose durations are known once what they gave has been fetched.

    On a CUDA device that is by events between them, on the device's own clock: nobody waits for it. Elsewhere it is by
    the host's; a block is one step there, and several would share their time equally.
    """

    def __init__(self, network: nn.Module) -> None:
        self.begun, self.ended, self.steps = math.nan, math.nan, 0
        self._where = next(network.parameters()).device
        self.on_cuda = self._where.type == "cuda"
        self.events: list[torch.cuda.Event] = []

    def start(self) -> None:
        """Begin to count, with the first step."""
        if not self.steps:
            self.begun = time.perf_counter()
            self.events = [self._recorded()] if self.on_cuda else []

    def mark(self) -> None:
        """Note that what was queued since the last mark is a step."""
        self.ended, self.steps = time.perf_counter(), self.steps + 1
        if self.on_cuda:
            self.events.append(self._recorded())

    def seconds(self) -> list[float]:
        """Return how long each step took."""
        if self.on_cuda:
            return [one.elapsed_time(other) / 1000 for one, other in itertools.pairwise(self.events)]
        return [(self.ended - self.begun) / self.steps] * self.steps

    def _recorded(self) -> torch.cuda.Event:
        return recorded(self._where, timed=True)

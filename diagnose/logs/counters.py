"""Counters of a log: which of those that a line names are training's, and what they run to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnose.logs.series import MOST_PLACE, NAN
from diagnose.logs.written_numbers import to_float

if TYPE_CHECKING:
    from diagnose.logs.line_words import Shape, Slot


class Counters:
    """Keeps where training is.

    Attributes:
        at: the positions that were named last, of training.
        totals: what training's counters run to.
        facts: settings of the log, to which totals are added.
        elsewhere: whether the last line's counter was of other batches than training's.
    """

    def __init__(self, facts: dict[str, float]) -> None:
        self.facts = facts
        self.at: dict[str, float] = {}
        self.totals: dict[str, float] = {}
        self.elsewhere = False

    def named(self, shape: Shape, numbers: list[str], above: str, *, lone: bool = False) -> dict[str, float]:
        """Return the positions that a line names; what they run to is a setting.

        Args:
            shape: of the line.
            numbers: that it holds.
            above: the side of the heading above, "" where there is none.
            lone: whether the line holds no loss.
        """
        positions: dict[str, float] = {}
        self.elsewhere = False
        for k, slot in shape.positions:
            value, name = to_float(numbers[k]), slot.name
            if not 0 <= value <= MOST_PLACE or (name != "epoch" and value != value // 1):
                continue
            if slot.over >= 0 or shape.apart:
                total = to_float(numbers[slot.over]) if slot.over >= 0 else NAN
                below = above in ("val", "test") and "epoch" not in positions
                if not self._counts(shape, slot, value, total, lone=lone, below=below):
                    continue
            if name not in positions:
                positions[name] = value
        return positions

    def passed(self, positions: dict[str, float], *names: str) -> bool:
        """Say whether one of the positions that a line names lies beyond where training was."""
        return any(positions.get(name, 0.0) > self.at.get(name, math.inf) for name in names)

    def _counts(self, shape: Shape, slot: Slot, value: float, total: float, *, lone: bool, below: bool) -> bool:
        """Say whether a counter that runs to a total, or on a line apart from training's, is of training's batches."""
        known, ratio = total == total, slot.what == "ratio"  # noqa: PLR0124
        if ratio and (value > total or total < 2 or (lone and not slot.first)):
            return False
        if slot.name == "epoch":
            if ratio:
                self.runs_to("batch", total)
                return False
        elif shape.held_out and self._foreign(slot, total):
            return False
        elif (shape.named or below) and (self._other_total(slot, total) or self._behind(slot, value)):
            self.elsewhere = True
            return False
        if known and not shape.apart:
            self.runs_to(slot.name, total)
        return True

    def _foreign(self, slot: Slot, total: float) -> bool:
        """Say whether a validation's counter is of its own batches, not of training's."""
        if slot.name == "batch" or slot.what == "ratio":
            return True
        return self._other_total(slot, total)

    def _behind(self, slot: Slot, value: float) -> bool:
        """Say whether a counter of batches stands where training has been in this epoch: it is of other batches."""
        return slot.name == "batch" and value < self.at.get("batch", -math.inf)

    def _other_total(self, slot: Slot, total: float) -> bool:
        """Say whether a counter runs to another number than training's of that name."""
        known = self.totals.get(slot.name, NAN)
        return total == total and known == known and total != known  # noqa: PLR0124

    def runs_to(self, name: str, total: float) -> None:
        """Take what training's counter of that name runs to."""
        self.totals[name] = total
        if name == "epoch":
            self.facts["epochs"] = total
        elif "epochs" in self.facts:
            self.facts["batches_per_epoch"] = total
        else:
            self.facts["steps"] = total

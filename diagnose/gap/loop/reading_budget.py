"""How much may be read for a ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.guard import is_sharded
from diagnose.gap.recorder import ranks

if TYPE_CHECKING:
    from torch import nn

IN_STEP = 64  # batches of a side that each process reads where the model is sharded over all


@dataclass(frozen=True)
class ReadingBudget:
    """How much may be read: seconds, or batches of each side."""

    seconds: float
    batches: int | None = None

    @classmethod
    def of(cls, given: float | str) -> ReadingBudget:
        """Parse seconds, or "100 batches".

        Raises:
            DiagnoseError: it is neither, or not above 0.
        """
        text = str(given).strip()
        number = text.removesuffix("batches").strip()
        try:
            value = float(number)
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf"):
            raise DiagnoseError(f"budget is {given!r}; give seconds (20) or '100 batches'")
        return cls(float("inf"), max(1, int(value))) if number != text else cls(value)

    def in_step(self, model: nn.Module) -> ReadingBudget:
        """Return the budget in batches where processes must make the same passes: their model is sharded."""
        if self.batches is not None or not (ranks.several() and any(map(is_sharded, model.modules()))):
            return self
        return ReadingBudget(float("inf"), IN_STEP)

"""How much text the ledger reads: a limit in seconds becomes token positions, from the run's own speed.

The speed is the one that the run recorded, so the same run and the same limit read the same text wherever and however
often the ledger is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from diagnose.gap.run.run import FinishedRun

LEAST_SECONDS = 20.0
SHARE_OF_TRAINING = 0.03
FORWARD = 2.5  # positions read in the time of one trained on; 4.3 were measured without dropout, less with
KEPT_BACK = 0.55  # of the limit is planned with: starting, opening the run, the page and slower moments take the rest
ENOUGH = 1 << 16  # positions of a text under one condition: 400 verses give +-0.005 on dropout's term
ENOUGH_VALIDATION = 1 << 19  # of validation text, which is better read whole: then `draw` is exact


@dataclass(frozen=True)
class RunBudget:
    """A limit.

    Attributes:
        seconds: that the ledger should take.
        positions: token positions that may be read, each counted as often as it is read.
        given: whether the user asked for it; the default stops where more text would sharpen little.
    """

    seconds: float
    positions: float
    given: bool

    def share(self, part: float, passes: int, enough: int = ENOUGH) -> int:
        """Return how many positions of a text may be read when it is read `passes` times over."""
        positions = self.positions * part / max(passes, 1)
        return int(positions if self.given else min(positions, enough))

    def less(self, positions: float) -> RunBudget:
        """Return what is left after some were read; a tenth is left always."""
        return replace(self, positions=max(self.positions - positions, self.positions / 10))


def allow(finished: FinishedRun, limit: float | str | None = None) -> RunBudget:
    """Return the budget of a ledger.

    Args:
        finished: the run; its own speed turns seconds into positions.
        limit: seconds; or text as "500000 tokens"; None for the larger of 20 s and 3 % of the run's training time.

    Raises:
        DiagnoseError: no positive number of either.
    """
    pace = FORWARD * len(finished.logged) * finished.positions / max(finished.seconds, 1e-3)
    if limit is None:
        seconds = max(LEAST_SECONDS, SHARE_OF_TRAINING * finished.seconds)
        return RunBudget(seconds, KEPT_BACK * seconds * pace, given=False)
    amount, tokens = _amount(limit)
    positions = amount if tokens else KEPT_BACK * amount * pace
    return RunBudget(amount / pace if tokens else amount, positions, given=True)


def _amount(limit: float | str) -> tuple[float, bool]:
    text = str(limit).strip().lower().replace("_", "").replace(",", "")
    number = text.removesuffix("tokens").removesuffix("token").removesuffix("seconds").removesuffix("s").strip()
    try:
        amount = float(number)
    except ValueError:
        amount = 0.0
    if not 0 < amount < float("inf"):
        raise DiagnoseError(f"a budget is seconds or tokens above zero, for instance 30 or 500000tokens, not '{limit}'")
    return amount, text.endswith(("tokens", "token"))

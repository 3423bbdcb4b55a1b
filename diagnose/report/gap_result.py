"""What `explain_gap` returns: the ledger of a gap with its page, its table and its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.records.ledgers import LedgerRecord
from diagnose.report.results import ShownResult

if TYPE_CHECKING:
    import pandas as pd

    from diagnose.report.blocks import Report


@dataclass(frozen=True)
class MatchedLosses:
    """Both losses under the same condition, their difference, and its 95 % interval (None where there is none)."""

    train: float
    val: float
    gap: float
    low: float | None
    high: float | None


class Gap(ShownResult[LedgerRecord]):
    """A ledger: from the reported training loss to the reported validation loss, one condition at a time.

    `print(gap)` shows verdict and terms, a notebook its page.

    Examples:
        >>> import torch
        >>> from diagnose import Side, explain_gap
        >>> batches = [torch.randn(16, 8) for _ in range(4)]
        >>> model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Dropout(0.5))
        >>> side = Side(batches, lambda model, batch: (model(batch) - batch).square().mean(1))
        >>> gap = explain_gap(model, side, side)
        >>> gap.matched.gap, gap.terms.id[2], gap.findings[0]["rule"]
        (0.0, 'mode', 'gap/leaking-split')
    """

    PAGE = "gap.html"

    @property
    def report(self) -> Report:
        """What there is to say of it, to be rendered."""
        from diagnose.report.gap_document import report_of

        return report_of(self.found)

    @property
    def gap(self) -> float:
        """Reported validation minus reported training loss."""
        return self.found.gap

    @property
    def matched(self) -> MatchedLosses:
        """Both losses in evaluation mode with validation's objective."""
        return MatchedLosses(**dict(self.found.matched))

    @property
    def matched_on(self) -> MatchedLosses:
        """The same in training mode."""
        return MatchedLosses(**dict(self.found.matched_on))

    @property
    def terms(self) -> pd.DataFrame:
        """The terms: id, value and share of all (None where it cannot be had), low, high, basis, how."""
        from diagnose.report.sentence_table import SentenceTable

        rows = self.found.terms
        total = sum(abs(row.value or 0.0) for row in rows) or 1.0
        names = ("id", "value", "low", "high", "basis", "how")
        table = SentenceTable([{name: getattr(row, name) for name in names} for row in rows])
        table.insert(4, "share", [None if row.value is None else abs(row.value) / total for row in rows])
        return table

    def __repr__(self) -> str:
        return f"Gap({self.gap:+.4f}: {self.verdict})"

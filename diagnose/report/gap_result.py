"""What `explain_gap` returns: the ledger of a gap with its page, its table and its words."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 100


@dataclass(frozen=True)
class MatchedLosses:
    """Both losses under the same condition, their difference, and its 95 % interval (None where there is none)."""

    train: float
    val: float
    gap: float
    low: float | None
    high: float | None


class Gap:
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

    Attributes:
        record: everything, as plain data: the object that `diagnose loss-gap --json` prints.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        self.record = found

    @property
    def gap(self) -> float:
        """Reported validation minus reported training loss."""
        return float(self.record["gap"])

    @property
    def verdict(self) -> str:
        """What makes the gap, and what it is with both losses measured alike."""
        return str(self.record["verdict"])

    @property
    def matched(self) -> MatchedLosses:
        """Both losses in evaluation mode with validation's objective."""
        return MatchedLosses(**self.record["matched"])

    @property
    def matched_on(self) -> MatchedLosses:
        """The same in training mode."""
        return MatchedLosses(**self.record["matched_on"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What rules found: `rule`, `severity`, `what`, `fix`, `measured`."""
        return list(self.record["findings"])

    @property
    def terms(self) -> pd.DataFrame:
        """The terms: id, value (None where it cannot be had), low, high, share of all, basis, how."""
        import pandas as pd

        rows = self.record["terms"]
        total = sum(abs(row["value"] or 0.0) for row in rows) or 1.0
        names = ("id", "value", "low", "high", "basis", "how")
        table = pd.DataFrame([{name: row[name] for name in names} for row in rows])
        table.insert(4, "share", [abs(row["value"] or 0.0) / total for row in rows])
        return table

    def to_html(self, path: str | Path = "gap.html") -> Path:
        """Write the page, one self-contained file, and return where it lies.

        Raises:
            DiagnoseError: it cannot be written.
        """
        from diagnose.report.page import render_sides

        return render_sides(self.record, Path(path))

    def to_markdown(self) -> str:
        """Return verdict and terms as a table for a pull request."""
        from diagnose.report.gap_terminal import markdown

        return markdown(self.record)

    def __rich__(self) -> Any:
        from diagnose.report.gap_terminal import gap_rows

        return gap_rows(self.record)

    def __str__(self) -> str:
        from rich.console import Console

        out = StringIO()
        Console(file=out, width=WIDTH, force_terminal=sys.stdout.isatty()).print(self.__rich__())
        return out.getvalue().rstrip()

    def __repr__(self) -> str:
        return f"Gap({self.gap:+.4f}: {self.verdict})"

    def _repr_html_(self) -> str:
        from html import escape

        from diagnose.report.page import sides_page

        page = escape(sides_page(self.record), quote=True)
        return f'<iframe srcdoc="{page}" title="Loss gap" style="width:100%;height:46em;border:0"></iframe>'

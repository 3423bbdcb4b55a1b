"""What `explain_gap`, `audit_metric`, `compare_scores` and `load` return: it is printed, and is a page."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from diagnose.records.ablations import AblationRecord
    from diagnose.records.audits import AuditRecord
    from diagnose.records.ledgers import LedgerRecord
    from diagnose.records.run_records import Status
    from diagnose.records.score_records import ScoreComparison
    from diagnose.report.blocks import Report

WIDTH = 100


Found = TypeVar("Found", bound="LedgerRecord | AuditRecord | ScoreComparison | AblationRecord | Status")


class ShownResult(Generic[Found]):
    """A record with its words: `print(result)` shows them, a notebook its page.

    Attributes:
        found: the record that it is of.
        PAGE: the name of its page where none is given.
    """

    PAGE = "page.html"

    def __init__(self, record: Found) -> None:
        self.found = record

    @property
    def record(self) -> dict[str, Any]:
        """Everything, as plain data, in the form that the command prints with `--json`."""
        return self.found.model_dump(mode="json")

    @property
    def report(self) -> Report:
        """What there is to say of it, to be rendered."""
        raise NotImplementedError

    @property
    def verdict(self) -> str:
        """The outcome in a sentence or two."""
        return self.report.verdict

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What rules found: `rule`, `severity`, `what`, `fix`, `measured`."""
        return list(self.record.get("findings", ()))

    def to_html(self, path: str | Path = "") -> Path:
        """Write the page, one self-contained file, and return where it lies.

        Raises:
            DiagnoseError: it cannot be written.
        """
        from diagnose.report import html

        return html.write(html.page_of(self.report), Path(path or self.PAGE))

    def to_markdown(self) -> str:
        """Return the verdict and what matters for a pull request."""
        from diagnose.report.markdown import text_of

        return text_of(self.report)

    def __rich__(self) -> Any:
        from diagnose.report.console import rows

        return rows(self.report)

    def __str__(self) -> str:
        from rich.console import Console

        out = StringIO()
        Console(file=out, width=WIDTH, force_terminal=sys.stdout.isatty()).print(self.__rich__())
        return out.getvalue().rstrip()

    def _repr_html_(self) -> str:
        from diagnose.report import html

        return html.framed(self.report)

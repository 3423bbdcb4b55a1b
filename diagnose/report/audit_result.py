"""What `audit_metric` returns: an audit with its page, its findings and its words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diagnose.report.results import ShownResult

if TYPE_CHECKING:
    from diagnose.report.blocks import Report


class Audited(ShownResult):
    """What an audit found: `print(audited)` shows it, a notebook its page.

    Attributes:
        record: everything, as plain data, in the form that `diagnose audit --json` prints.
    """

    PAGE = "audit.html"

    @property
    def report(self) -> Report:
        """What there is to say of it, to be rendered."""
        from diagnose.records.audits import parse_audit
        from diagnose.report.audit_document import report_of

        return report_of(parse_audit(self.record, Path("audit.json")))

    @property
    def checked(self) -> list[str]:
        """The rules that were judged and are kept."""
        return [row["rule"] for row in self.record["checked"]]

    @property
    def skipped(self) -> dict[str, str]:
        """The rules that were not judged, with the reason."""
        return {row["rule"]: row["why"] for row in self.record["skipped"]}

    def __repr__(self) -> str:
        return f"Audited({self.verdict})"

"""What `audit_metric` returns: an audit with its page, its findings and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.records.audits import AuditRecord
from diagnose.report.results import ShownResult

if TYPE_CHECKING:
    from diagnose.report.blocks import Report


class Audited(ShownResult[AuditRecord]):
    """What an audit found: `print(audited)` shows it, a notebook its page."""

    PAGE = "audit.html"

    @property
    def report(self) -> Report:
        """What there is to say of it, to be rendered."""
        from diagnose.report.audit_document import report_of

        return report_of(self.found)

    @property
    def checked(self) -> list[str]:
        """The rules that were judged and are kept."""
        return [row.rule for row in self.found.checked]

    @property
    def skipped(self) -> dict[str, str]:
        """The rules that were not judged, with the reason."""
        return {row.rule: row.why for row in self.found.skipped}

    def __repr__(self) -> str:
        return f"Audited({self.verdict})"

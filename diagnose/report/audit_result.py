"""What `audit_metric` returns: an audit with its page, its findings and its words."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path
from typing import Any

WIDTH = 100


class Audited:
    """What an audit found: `print(audited)` shows it, a notebook its page.

    Attributes:
        record: everything, as plain data, in the form that `diagnose audit --json` prints.
    """

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    @property
    def verdict(self) -> str:
        """The outcome in a sentence or two."""
        return str(self.record["verdict"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Breaches: `rule`, `severity`, `what`, `fix`, `measured`."""
        return list(self.record["findings"])

    @property
    def checked(self) -> list[str]:
        """The rules that were judged and are kept."""
        return [row["rule"] for row in self.record["checked"]]

    @property
    def skipped(self) -> dict[str, str]:
        """The rules that were not judged, with the reason."""
        return {row["rule"]: row["why"] for row in self.record["skipped"]}

    def to_html(self, path: str | Path = "audit.html") -> Path:
        """Write the page, one self-contained file, and return where it lies.

        Raises:
            DiagnoseError: it cannot be written.
        """
        from diagnose.report.page import render_own_audit

        return render_own_audit(self.record, Path(path))

    def to_markdown(self) -> str:
        """Return verdict, findings and rules for a pull request."""
        from diagnose.report.audit_terminal import markdown

        return markdown(self.record)

    def __rich__(self) -> Any:
        from diagnose.report.audit_terminal import audit_rows

        return audit_rows(self.record)

    def __str__(self) -> str:
        from rich.console import Console

        out = StringIO()
        Console(file=out, width=WIDTH, force_terminal=sys.stdout.isatty()).print(self.__rich__())
        return out.getvalue().rstrip()

    def __repr__(self) -> str:
        return f"Audited({self.verdict})"

    def _repr_html_(self) -> str:
        from html import escape

        from diagnose.report.page import audit_page

        page = escape(audit_page(self.record), quote=True)
        return f'<iframe srcdoc="{page}" title="Audit" style="width:100%;height:46em;border:0"></iframe>'

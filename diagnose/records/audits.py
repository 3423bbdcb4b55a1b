"""The shape of `audit.json`, what `diagnose audit` leaves beside a run, checked as it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from diagnose.records.summaries import FindingRecord, Schema, parse

if TYPE_CHECKING:
    from pathlib import Path


class CheckedRule(Schema):
    """A rule that was judged and is kept."""

    rule: str
    asks: str
    measured: dict[str, Any] = Field(default_factory=dict)


class Skipped(Schema):
    """A rule that was not judged; `applies`: it might be broken all the same."""

    rule: str
    why: str
    applies: bool


class AuditRecord(Schema):
    """The audit of a run, or of a user's model and sides."""

    kind: Literal["run", "sides"]
    run: str = ""
    seconds: float | None = None
    verdict: str
    findings: tuple[FindingRecord, ...]
    checked: tuple[CheckedRule, ...]
    skipped: tuple[Skipped, ...]


def parse_audit(found: dict[str, Any], path: Path) -> AuditRecord:
    """Return the checked form of `audit.json`.

    Raises:
        DiagnoseError: a value is missing or of the wrong kind; the line names the file and the key.
    """
    return parse(AuditRecord, found, path)

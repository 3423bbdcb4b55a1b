"""The shape of `audit.json`, what `diagnose audit` leaves beside a run and `audit_metric` returns."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from diagnose.records.schema import FORMAT, FindingRecord, Schema


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
    """The audit of a run, or of a user's model and sides, of whose validation side `batches` were read."""

    format: int = FORMAT
    kind: Literal["run", "sides"]
    run: str = ""
    page: str | None = None
    batches: int | None = None
    seconds: float | None = None
    verdict: str
    exit_code: int = 0
    findings: tuple[FindingRecord, ...]
    checked: tuple[CheckedRule, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()

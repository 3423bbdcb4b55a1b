"""A finding of a log, in the form that all of the toolkit's have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from diagnose.records.log_report import LogFinding

if TYPE_CHECKING:
    from diagnose.records.schema import Severity


def finding(rule: str, severity: Severity, what: str, fix: str, **measured: float) -> LogFinding:
    """Return a finding; of what was measured the numbers that are finite."""
    known = {name: float(value) for name, value in measured.items() if math.isfinite(value)}
    return LogFinding(rule=f"log/{rule}", severity=severity, what=what, fix=fix, measured=known)

"""An audit's page: the verdict, all rules at a glance, findings with what would mend them, and what was not judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from diagnose.audit.rules import METRIC, NETWORK, RULES, SEVERITIES, TEXT
from diagnose.formatting import counted, plain, visible
from diagnose.records.summaries import Schema, parse
from diagnose.report.audit_terminal import numbers, sentence
from diagnose.report.tables import TextTable

if TYPE_CHECKING:
    from pathlib import Path

# A rule's state: how it is called, its sign, and its colour.
STATES = {
    "error": ("broken: the number is wrong", "✗", "arm-1"),
    "warning": ("broken: the number may mislead", "!", "arm-1"),
    "note": ("to be known", "i", "arm-0"),
    "kept": ("kept", "✓", "arm-2"),
    "open": ("could not be judged", "?", "quiet"),
    "idle": ("does not apply", "\N{EN DASH}", "quiet"),
}
CALL = "diagnose.audit_metric(model, train=Side(batches, objective), val=Side(batches, objective), ...)"
LIMITS = (
    "Whether the loss is good: the audit asks whether it means what it says. diagnose yardstick says what other ways "
    "to predict the text need.",
    "Mistakes that no rule asks for, and rules that were not judged.",
)


class Broken(Schema):
    """A finding, as stored."""

    rule: str
    severity: Literal["error", "warning", "note"]
    what: str
    fix: str
    measured: dict[str, Any] = Field(default_factory=dict)


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
    """What `audit.json` holds: the audit of a run, or of somebody's own model and sides."""

    kind: Literal["run", "sides"]
    run: str = ""
    seconds: float | None = None
    verdict: str
    findings: tuple[Broken, ...]
    checked: tuple[CheckedRule, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Mark:
    """A rule at a glance."""

    rule: str
    state: str
    said: str
    sign: str
    paint: str


def parse_audit(found: dict[str, Any], path: Path) -> AuditRecord:
    """Return the checked form of `audit.json`.

    Raises:
        DiagnoseError: a value is missing or of the wrong kind; the line names the file and the key.
    """
    return parse(AuditRecord, found, path)


def audit_parts(audit: AuditRecord) -> dict[str, Any]:
    """Return what the template shows."""
    rules = glance(audit)
    shown = {mark.state for _, row in rules for mark in row}
    return {
        "audit": audit,
        "verdict": visible(audit.verdict),
        "figures": {},
        "glance": rules,
        "states": [STATES[state] for state in STATES if state in shown],
        "title_of_rules": title(audit),
        "findings_shown": [(found, numbers(found.measured, None), _why(found.rule)) for found in audit.findings],
        "tables": _tables(audit),
        "call": CALL,
        "limits": list(LIMITS),
        "used": ["overlap", "canonical-reading"],
        "sentence": sentence,
    }


def title(audit: AuditRecord) -> str:
    """Return how many rules were judged, as the title of their picture."""
    judged = len(audit.checked) + len({found.rule for found in audit.findings})
    open_ = sum(row.applies for row in audit.skipped)
    broken = f"{plain(len(audit.findings), 0)} broken or to be known" if audit.findings else "all of them kept"
    said = f"{counted(judged, 'rule')} judged, {broken}"
    return f"{said}, {counted(open_, 'rule')} left open" if open_ else said


def glance(audit: AuditRecord) -> list[tuple[str, list[Mark]]]:
    """Return every rule's state, by what it is about and in the order of the table of rules."""
    state = {row.rule: "open" if row.applies else "idle" for row in audit.skipped}
    state |= {row.rule: "kept" for row in audit.checked}
    for found in sorted(audit.findings, key=lambda one: -SEVERITIES.index(one.severity)):
        state[found.rule] = found.severity
    order = [*(rule for rule in RULES if rule in state), *(rule for rule in state if rule not in RULES)]
    rows = []
    for about in (METRIC, TEXT, NETWORK):
        mine = [rule for rule in order if (RULES[rule].about if rule in RULES else METRIC) == about]
        rows.append((about, [Mark(visible(rule), state[rule], *STATES[state[rule]]) for rule in mine]))
    return [row for row in rows if row[1]]


def _why(rule: str) -> str:
    return RULES[rule].why if rule in RULES else ""


def _tables(audit: AuditRecord) -> list[TextTable]:
    kept = TextTable(
        "Rules that were judged and are kept", ("rule", "what holds", "measured"),
        tuple((visible(row.rule), visible(row.asks), numbers(row.measured, None)) for row in audit.checked),
        frozenset({0, 1, 2}),
    )  # fmt: skip
    found = [kept] if audit.checked else []
    for applies, caption in ((True, "Rules that could not be judged"), (False, "Rules that do not apply")):
        rows = tuple((visible(row.rule), sentence(visible(row.why))) for row in audit.skipped if row.applies is applies)
        if rows:
            found.append(TextTable(caption, ("rule", "why"), rows, frozenset({0, 1})))
    return found

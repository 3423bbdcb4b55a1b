"""What an audit asks and what it has found: rules, those that were checked, those that were not and why, findings."""

from __future__ import annotations

import math
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import diagnose.audit.rules as package
from diagnose.formatting import counted, listed, visible
from diagnose.records.audits import AuditRecord, CheckedRule, Skipped
from diagnose.records.schema import FindingRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from diagnose.records.schema import Severity

SEVERITIES = ("error", "warning", "note")  # the number is wrong; it may mislead; it should be known
ABOUT = METRIC, TEXT, NETWORK = "the metric", "the data", "the network"
CLEAN, FINDINGS, UNJUDGED = 0, 1, 3  # exit codes; a user's mistake is 2
NO_MATTER, OPEN = "does not apply", "could not be judged"


@dataclass(frozen=True)
class Rule:
    """A rule of the audit.

    Attributes:
        id: stable, in kebab case.
        about: the metric, the data or the network.
        place: among the rules about the same, in rising order.
        severity: one of `SEVERITIES`.
        asks: what holds where the rule is kept: "future tokens cannot be seen".
        fix: what would mend a breach.
        why: what it is and what it does to the number, in a few sentences.
        asks_samples, fix_samples: the same of data that is no text; "" where the words fit any.
        of: what it can be asked of: "all", "text" alone, or "runs" of ours alone.
        not_of_runs: why a run of ours gives no occasion for it.
        reported_so: what is said of a run that breaks it in how it reports its validation loss.
    """

    id: str
    about: str
    place: int
    severity: Severity
    asks: str
    fix: str
    why: str
    asks_samples: str = ""
    fix_samples: str = ""
    of: Literal["all", "text", "runs"] = "all"
    not_of_runs: str = ""
    reported_so: str = ""

    def asked(self, *, text: bool) -> str:
        """Return what holds where it is kept, in the words of the data."""
        return self.asks if text else self.asks_samples or self.asks

    def mended(self, *, text: bool) -> str:
        """Return what would mend a breach, in the words of the data."""
        return self.fix if text else self.fix_samples or self.fix


@cache
def _files() -> list[ModuleType]:
    """Return the files, by the place of their first rules."""
    files = [import_module(f"{package.__name__}.{module.name}") for module in pkgutil.iter_modules(package.__path__)]
    return sorted(files, key=lambda file: _order(file.RULES[0]))


def _order(rule: Rule) -> tuple[int, int]:
    return ABOUT.index(rule.about), rule.place


@cache
def known() -> dict[str, Rule]:
    """Return every rule by its id, in their order."""
    return {rule.id: rule for rule in sorted((rule for file in _files() for rule in file.RULES), key=_order)}


def judges(name: str) -> Iterator[Callable[..., None]]:
    """Return the functions of this name, `judge_sides` or `judge_run`, of the files that have one."""
    return (getattr(file, name) for file in _files() if hasattr(file, name))


@dataclass
class Audit:
    """An audit in progress. Every rule ends in exactly one of three places.

    Attributes:
        checked: rules that were kept, with what was measured.
        skipped: rules that were not judged: (why, whether it matters).
        findings: breaches.
        text: whether what is audited is text; of other data the rules speak of samples.
    """

    checked: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, tuple[str, bool]] = field(default_factory=dict)
    findings: list[FindingRecord] = field(default_factory=list)
    text: bool = True

    def keeps(self, rule: str, **measured: Any) -> None:
        """Note that a rule was checked and is kept; a finding of the same rule stands, and numbers are joined."""
        assert rule in known(), rule
        if rule not in self.broken:
            self.skipped.pop(rule, None)
            self.checked[rule] = self.checked.get(rule, {}) | _plain(measured)

    def breaks(
        self, rule: str, what: str, *, fix: str | None = None, severity: Severity | None = None, **found: Any
    ) -> None:
        """Note a breach; the first finding of a rule stands."""
        known_rule = known()[rule]
        if rule in self.broken:
            return
        mended = fix or known_rule.mended(text=self.text)
        self.checked.pop(rule, None)
        self.skipped.pop(rule, None)
        self.findings.append(
            FindingRecord(
                rule=rule, severity=severity or known_rule.severity, what=visible(what), fix=mended,
                measured=_plain(found),
            )
        )  # fmt: skip

    def skips(self, rule: str, why: str, *, matters: bool = True) -> None:
        """Note that a rule was not judged.

        Args:
            rule: its id.
            why: the reason, in a clause.
            matters: whether it might have been broken all the same; False where it does not apply.
        """
        assert rule in known(), rule
        if rule not in self.broken and rule not in self.checked and rule not in self.skipped:
            self.skipped[rule] = (visible(why), matters)

    @property
    def broken(self) -> set[str]:
        """The rules that have findings."""
        return {finding.rule for finding in self.findings}

    def ends(self, why: str, *, matters: bool = False) -> None:
        """Note all rules that nothing was said of; see `skips`."""
        for rule in known():
            self.skips(rule, why, matters=matters)

    @property
    def serious(self) -> list[FindingRecord]:
        """Findings that are more than notes."""
        return [finding for finding in self.findings if finding.severity != "note"]

    @property
    def open(self) -> list[str]:
        """Rules of severity error that could not be judged though they might be broken."""
        return [r for r, (_, matters) in self.skipped.items() if matters and known()[r].severity == "error"]

    @property
    def exit_code(self) -> int:
        """0: no finding; 1: findings; 3: none, but a rule of severity error could not be judged."""
        return FINDINGS if self.serious else UNJUDGED if self.open else CLEAN

    def verdict(self) -> str:
        """Return the outcome in a sentence or two."""
        judged = f"{len(self.checked) + len(self.broken)} of {len(known())} rules were judged"
        if self.serious:
            first, *rest = sorted(self.serious, key=lambda finding: SEVERITIES.index(finding.severity))
            also = f" Also found: {listed([finding.rule for finding in rest])}." if rest else ""
            return f"{first.what[0].upper()}{first.what[1:].rstrip('.')}.{also} {judged}."
        if self.open:
            some = counted(len(self.open), "rule")
            none = "No error or warning" if self.findings else "No finding"
            return f"{none}, but {some} could not be judged: {listed(self.open)}. {judged}."
        notes = [finding.rule for finding in self.findings]
        noted = f"{'a note' if len(notes) == 1 else 'notes'}: {listed(notes)}"
        passed = f"no error or warning, but {noted}" if notes else "no finding"
        return f"PASS: {passed}. {judged}; the others do not apply or were not needed."

    def record(
        self, kind: Literal["run", "sides"], seconds: float, *, run: str = "", batches: int | None = None
    ) -> AuditRecord:
        """Return the audit, rules in their order, the gravest findings first."""
        rules = known()
        order = list(rules)
        return AuditRecord(
            kind=kind,
            run=run,
            batches=batches,
            seconds=seconds,
            verdict=self.verdict(),
            exit_code=self.exit_code,
            checked=tuple(
                CheckedRule(rule=rule, asks=rules[rule].asked(text=self.text), measured=self.checked[rule])
                for rule in sorted(self.checked, key=order.index)
            ),
            skipped=tuple(
                Skipped(rule=rule, why=why, applies=matters)
                for rule, (why, matters) in sorted(self.skipped.items(), key=lambda pair: order.index(pair[0]))
            ),
            findings=tuple(sorted(self.findings, key=lambda finding: SEVERITIES.index(finding.severity))),
        )


def _plain(measured: dict[str, Any]) -> dict[str, Any]:
    """Return numbers and words as JSON holds them; what is not finite becomes None."""
    return {name: _value(value) for name, value in measured.items()}


def _value(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    if isinstance(value, int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None


def differ(a: float, b: float, tolerance: float) -> bool:
    """Say whether two losses differ by more than the tolerance, a share of the larger (of 0.1 at least)."""
    return not abs(a - b) <= tolerance * max(abs(a), abs(b), 0.1)

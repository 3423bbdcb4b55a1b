"""What there is to say of an audit: all rules at a glance, findings with what would mend them, what was not judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.audit.findings import METRIC, NETWORK, SEVERITIES, TEXT, known
from diagnose.formatting import counted, duration, plain
from diagnose.report.blocks import (
    CodeText,
    Glance,
    Heading,
    Headline,
    Mark,
    Paragraph,
    Report,
    RuleFinding,
    Section,
    Span,
    TextTable,
    marked,
)
from diagnose.report.parts import identity, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.records.audits import AuditRecord
    from diagnose.report.blocks import ReportBlock
    from diagnose.report.summary import RunReport

# A rule's state: how it is called, its sign, and its colour.
STATES = {
    "error": ("broken: the number is wrong", "✗", "arm-1"),
    "warning": ("broken: the number may mislead", "!", "arm-1"),
    "note": ("to be known", "i", "arm-0"),
    "kept": ("kept", "✓", "arm-2"),
    "open": ("could not be judged", "?", "quiet"),
    "idle": ("does not apply", "\N{EN DASH}", "quiet"),
}
MOST = 3  # numbers of a rule that is kept, in short forms
CALL = "diagnose.audit_metric(model, train=Side(batches, objective), val=Side(batches, objective), ...)"
HOW = {
    "run": "From the run's text, tokenizer, rows and last checkpoint, and its [canonical-reading|canonical reading], "
    "which was taken once more.",
    "sides": "From the model and the batches that were given; nothing of either was changed.",
}
GOOD = "Whether the loss is good: the audit asks whether it means what it says."
YARDSTICK = " diagnose yardstick says what other ways to predict the text need."
UNASKED = "Mistakes that no rule asks for, and rules that were not judged."


def report_of(audit: AuditRecord, run: RunReport | None = None) -> Report:
    """Return what there is to say of an audit; `run` is the run that was audited, None for a user's own model."""
    broken = tuple(
        RuleFinding(
            finding.severity, finding.rule, sentence(finding.what), f"{finding.fix}.", numbers(finding.measured),
            _why(finding.rule), detail="always",
        )
        for finding in audit.findings
    )  # fmt: skip
    sections = [
        Section("rules", title(audit), "All rules", (_glance(audit),)),
        *([Section("findings", "What was found, and what would mend it", "Findings", broken)] if broken else []),
        Section("judged", "What was judged and what not", "What was judged and what not", tuple(_tables(audit))),
        Section("how", "How this was obtained", "How this was obtained", _how(audit, run)),
    ]
    return Report(
        title=f"Audit of {run.run.name}" if run else "Audit",
        identity=identity(run) if run else ("audit",),
        verdict=audit.verdict, headlines=_headlines(audit), sections=tuple(sections),
        limits=(GOOD + (YARDSTICK if run else ""), UNASKED),
    )  # fmt: skip


def _headlines(audit: AuditRecord) -> tuple[Headline, ...]:
    left = sum(row.applies for row in audit.skipped)
    tiles = [("findings", len(audit.findings), "arm-1"), ("rules kept", len(audit.checked), "arm-2")]
    tiles += [("could not be judged", left, "ink"), ("do not apply", len(audit.skipped) - left, "ink")]
    return tuple(Headline(name, plain(n, 0), "", paint) for name, n, paint in tiles)


def title(audit: AuditRecord) -> str:
    """Return how many rules were judged, as the title of their picture."""
    judged = len(audit.checked) + len({finding.rule for finding in audit.findings})
    left = sum(row.applies for row in audit.skipped)
    broken = f"{plain(len(audit.findings), 0)} broken or to be known" if audit.findings else "all of them kept"
    counts = f"{counted(judged, 'rule')} judged, {broken}"
    return f"{counts}, {counted(left, 'rule')} left open" if left else counts


def _glance(audit: AuditRecord) -> Glance:
    """Return every rule's state, by what it is about and in the order of the table of rules."""
    state = {row.rule: "open" if row.applies else "idle" for row in audit.skipped}
    state |= {row.rule: "kept" for row in audit.checked}
    for finding in sorted(audit.findings, key=lambda item: -SEVERITIES.index(item.severity)):
        state[finding.rule] = finding.severity
    rules = known()
    order = [*(rule for rule in rules if rule in state), *(rule for rule in state if rule not in rules)]
    groups = []
    for about in (METRIC, TEXT, NETWORK):
        mine = [rule for rule in order if (rules[rule].about if rule in rules else METRIC) == about]
        if mine:
            marks = tuple(Mark(rule, state[rule], *STATES[state[rule]]) for rule in mine)
            groups.append((about[0].upper() + about[1:], marks))
    keys = [STATES[item] for item in STATES if item in state.values()]
    caption = [part for words, sign, paint in keys for part in (Span(sign, "key", paint), Span(f" {words}; "))]
    rest = marked("Rules of [overlap] compare the data themselves; most others change what the network is given and "
                  "look at what it answers.")  # fmt: skip
    return Glance(tuple(groups), (*caption[:-1], Span(f" {keys[-1][0]}. "), *rest) if keys else rest)


def _why(rule: str) -> str:
    return known()[rule].why if rule in known() else ""


def _tables(audit: AuditRecord) -> Iterable[ReportBlock]:
    """Yield the rules that are kept, those that could not be judged and those that do not apply."""
    judged = tuple((row.rule, row.asks, numbers(row.measured)) for row in audit.checked)
    if judged:
        short = ((row, numbers(row.measured, MOST)) for row in audit.checked)
        yield from _listed(
            "Checked", (f"{row.rule}: {row.asks}{f' ({measured})' if measured else ''}" for row, measured in short)
        )
        head = ("rule", "what holds", "measured")
        yield TextTable("Rules that were judged and are kept", head, judged, frozenset({0, 1, 2}))
    for applies, name, caption in (
        (True, "Could not be judged", "Rules that could not be judged"),
        (False, "Not judged: does not apply", "Rules that do not apply"),
    ):
        some = [row for row in audit.skipped if row.applies is applies]
        if some:
            rules: dict[str, list[str]] = {}
            for row in some:
                rules.setdefault(row.why, []).append(row.rule)
            yield from _listed(name, (f"{', '.join(which)}: {why}" for why, which in rules.items()))
            rows = tuple((", ".join(which), sentence(why)) for why, which in rules.items())
            yield TextTable(caption, ("rules", "why"), rows, frozenset({0, 1}))


def _listed(name: str, items: Iterable[str]) -> tuple[ReportBlock, ...]:
    """Return rules as short forms list them."""
    return Heading(name, detail="brief"), Paragraph(items=tuple(items), detail="brief")


def _how(audit: AuditRecord, run: RunReport | None) -> tuple[ReportBlock, ...]:
    took = "" if audit.seconds is None else f" It took {duration(audit.seconds)}."
    return (
        Paragraph(marked(f"{HOW[audit.kind]}{took} `diagnose explain RULE` says more of each rule.")),
        Heading(f"The {'command' if run else 'call'} that repeats it"),
        CodeText(f"diagnose audit runs/{run.run.name}" if run else CALL),
    )


def numbers(measured: dict[str, Any], most: int | None = None) -> str:
    """Return what was measured as "positions 12, largest 0.004"; so many of its numbers at most."""
    some = [(k, v) for k, v in measured.items() if isinstance(v, (int, float)) and not isinstance(v, bool)][:most]
    return ", ".join(f"{name.replace('_', ' ')} {_figure(value)}" for name, value in some)


def _figure(value: float) -> str:
    if isinstance(value, int) or value == 0:
        return plain(value, 0)
    return "under 0.0001" if 0 < abs(value) < 1e-4 else plain(value, 4)

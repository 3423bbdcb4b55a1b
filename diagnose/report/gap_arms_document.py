"""What there is to say of the loss gaps of an ablation's arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import visible
from diagnose.gap.term_kinds import KIND
from diagnose.report import gap_sentences, gap_tables
from diagnose.report.blocks import Bars, Figure, Paragraph, Report, Section, marked
from diagnose.report.gap_document import NOTHING, bar, terms_named
from diagnose.report.gap_plots import arm_figure
from diagnose.report.gap_sentences import PAINTS
from diagnose.report.parts import command, named

if TYPE_CHECKING:
    from diagnose.records.ablations import AblationRecord
    from diagnose.records.arm_ledgers import ArmLedgers

ARM_LIMITS = (
    "How another seed's gap would divide, but for the intervals: with few seeds they are wide.",
    "Why an arm's part differs: an axis changes more than its name says; the ablation's page lists what.",
)


def arms_report(ledgers: ArmLedgers, summary: AblationRecord) -> Report:
    """Return what there is to say of the ledgers of an ablation's arms."""
    terms = gap_sentences.arm_terms(ledgers)
    caption = marked(
        "Each [arm|arm's] [gap] as its terms, [nats-per-token|nats per token], mean over [seed|seeds]: what raises "
        "validation above training to the right, what lowers it to the left. Diamond: the gap as reported, which they "
        f"sum to; line: its 95 % [interval] over seeds. {terms_named(terms)}"
    )
    table = gap_tables.arms(ledgers)
    figure = Figure(arm_figure(ledgers), caption, _arm_bars(ledgers), (table,), detail="always")
    how = Paragraph(
        "A ledger for each run, as its own page explains; means over the runs of an arm, with t intervals over seeds."
    )
    sections = (
        Section("parts", gap_sentences.arms_title(ledgers), "What each gap is made of", (figure,)),
        Section("numbers", "Numbers", "Numbers", (table,)),
        Section("how", "How this was obtained", "How this was obtained",
                (how, *command(f"diagnose loss-gap runs/{summary.name}"))),
    )  # fmt: skip
    return Report(
        f"Loss gap of {summary.name}", named("gaps of ablation", summary.name, summary.corpus, summary.created),
        ledgers.verdict, sections=sections, limits=ARM_LIMITS,
    )  # fmt: skip


def _arm_bars(ledgers: ArmLedgers) -> tuple[Bars, ...]:
    """Return each arm's terms, with intervals over seeds."""
    out = []
    for arm in ledgers.arms:
        rows = [
            bar(KIND[term.id].label, term, PAINTS[term.group], "")
            for term in arm.terms if term.value and abs(term.value) > NOTHING
        ]  # fmt: skip
        rows.append(bar("gap as reported", arm.gap, "ink", "their sum"))
        seeds = f", mean of {len(arm.runs)} seeds" if len(arm.runs) > 1 else ""
        out.append(Bars(f"{visible(arm.level)}{seeds}, nats per token", tuple(rows)))
    return tuple(out)

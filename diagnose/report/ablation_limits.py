"""What an ablation's data cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import listed, plain, share, visible
from diagnose.report.ablation_sentences import STILL_FALLING, name_of, seen
from diagnose.report.means import courses
from diagnose.report.run_sentences import of_a_part

if TYPE_CHECKING:
    from diagnose.records.ablations import AblationRecord
    from diagnose.report.summary import AblationReport


def limits(report: AblationReport) -> list[str]:
    """Return what an ablation's data cannot say, each as a sentence or two."""
    summary = report.summary
    sentences = [*_chance_limits(summary), *_budget_limits(report)]
    if summary.changed:
        named = listed([visible(change.what) for change in summary.changed])
        sentences.append(
            f"Which part of an effect is due to the axis itself and which to what changed along with it ({named}).",
        )
    sentences += _text_limits(summary)
    sentences.append(
        "Whether other sizes of network, other settings or another learning rate for each arm "
        "would rank the arms alike.",
    )
    sentences.append("Which arm writes better: one sample of each is shown, and none was judged.")
    return sentences


def _chance_limits(summary: AblationRecord) -> list[str]:
    sentences = []
    if summary.single:
        sentences.append(
            "Whether any difference here is more than chance: each arm was trained once, "
            "so how far two equal arms lie apart is not known.",
        )
    elif summary.effects and not all(effect.resolved for effect in summary.effects):
        names = [name_of(effect, summary) for effect in summary.effects if not effect.resolved]
        sentences.append(
            f"That {listed(names)} {'has' if len(names) == 1 else 'have'} no effect. Not resolved means that these "
            "runs cannot tell; the interval says how large an effect may still be.",
        )
    if summary.failed:
        sentences.append("What the runs that did not finish would have come to; the means are over the runs that did.")
    if not summary.planned:
        sentences.append(
            "What any one setting did: the runs were not planned together, and an effect is of all that their recipes "
            "differ in. Who chose which runs to compare after seeing their losses has no valid p-values."
        )
    return sentences


def _budget_limits(report: AblationReport) -> list[str]:
    falling = {
        level: fall for level, line in courses(report).items() if (fall := line.still_falling() or 0) > STILL_FALLING
    }
    if not falling:
        return []
    most = max(falling.values())
    text = seen(report.summary)
    return [
        "What longer training would give: over the last fifth of the text the loss still fell "
        f"by up to {plain(most)} bits per byte. {text}".strip(),
    ]


def _text_limits(summary: AblationRecord) -> list[str]:
    title = visible(summary.corpus.title or summary.corpus.name) or "one text"
    sentences = [f"Whether it holds for other text: all runs read {title}."]
    read, scored = (
        max((effect.documents or 0 for effect in summary.effects), default=0),
        summary.split.scored_documents or 0,
    )
    if 0 < read < scored:
        sentences.append(of_a_part("effects", read, scored, summary.split.scored_text))
    overlap = summary.overlap
    if overlap and overlap.val_documents and (overlap.exact or overlap.near):
        varies = any("scored" in change.what for change in summary.changed)
        shared = "" if varies else " All arms share this."
        part = share(((overlap.exact or 0) + (overlap.near or 0)) / overlap.val_documents)
        sentences.append(
            f"How much lower the losses are because {part} of the documents that they are read on "
            f"also occur in the training text, word for word or nearly.{shared}",
        )
    return sentences

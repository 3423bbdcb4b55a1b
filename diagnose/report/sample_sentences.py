"""The sentences beside a run's samples: what they share with the training text, and what the loss promises of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from diagnose.formatting import counted, plain
from diagnose.report import run_sentences

if TYPE_CHECKING:
    from diagnose.report.summary import RunReport


def verbatim(run: RunReport) -> str | None:
    """Return how long a stretch of the last sample stands in the training text; None where nobody looked."""
    last = run.run.samples[-1] if run.run.samples else None
    if last is None or last.verbatim is None or last.unseen is None:
        return None
    size, unseen = len(last.verbatim), last.unseen
    where = "the part of the training text that was searched" if run.sampled else "the training text"
    sentence = (
        f"Its longest stretch that {where} holds word for word has {counted(size, 'character')}; in "
        f"{counted(unseen.excerpts, 'unseen document')} cut to the same length such a stretch has "
        f"{plain(unseen.median, 0)} at the median and {plain(unseen.most, 0)} at most."
    )
    if size > unseen.most:
        return f"{sentence} So it writes from memory, more than texts that only share turns of phrase."
    return sentence


def promise(run: RunReport) -> str | None:
    """Return what the loss says of the network's certainty, which its samples have to live up to, as a template."""
    final = run_sentences.last(run, "final", "val")
    if final is None:
        return None
    unsure = plain(math.exp(min(final.loss, 50.0)), 1)
    return (
        f"By its loss of {plain(final.loss)} nats per token the network is as unsure of each token of the scored text "
        f"as between {unsure} equally likely ones (its [perplexity]). What it writes should read as surely: one that "
        "garbles its own text and is nearly certain of another has seen that text."
    )


def record(run: RunReport) -> dict[str, Any] | None:
    """Return what the last sample shares with the training text as JSON values."""
    last = run.run.samples[-1] if run.run.samples else None
    if last is None or last.verbatim is None or last.unseen is None:
        return None
    return {"characters": len(last.verbatim), "text": last.verbatim, "unseen": last.unseen.model_dump()}

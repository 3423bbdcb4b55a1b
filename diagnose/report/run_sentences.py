"""The sentences of a run's page: its verdict, its gap as reported and matched, what it cannot say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from diagnose.formatting import counted, estimate, half, plain, share

if TYPE_CHECKING:
    from diagnose.report.summary import LoggedReading, RunReport


@dataclass(frozen=True)
class RunGap:
    """Validation minus training loss, and half of its 95 % interval (None where it is not known)."""

    value: float
    width: float | None = None

    @property
    def open(self) -> bool:
        """Whether its interval holds zero."""
        return self.width is not None and abs(self.value) <= self.width

    def __str__(self) -> str:
        low, high = (None, None) if self.width is None else (self.value - self.width, self.value + self.width)
        return estimate(self.value, low, high, difference=True)


def matched(run: RunReport, unit: Literal["bits", "nats"] = "nats") -> RunGap | None:
    """Return the matched gap, in nats per token as the run reports, or in bits per byte.

    From the last readings of both splits under the same conditions. The two samples hold different documents,
    so their half-widths add as squares; the interval is over documents, for this run alone.
    """
    train, val = last(run, "probe", "train"), last(run, "probe", "val")
    if train is None or val is None:
        return None
    ends = [(r.bits, r.bits_low, r.bits_high) if unit == "bits" else (r.loss, r.low, r.high) for r in (train, val)]
    (a, *_), (b, *_) = ends
    if a is None or b is None:
        return None
    widths = [half(low, high) for _, low, high in ends]
    width = math.hypot(*(w for w in widths if w is not None)) if None not in widths else None
    return RunGap(b - a, width)


def reported(run: RunReport) -> float | None:
    """Return the last reported validation loss minus the last reported training loss, in nats per token."""
    train, val = last(run, "reported", "train"), last(run, "reported", "val")
    return None if train is None or val is None else val.loss - train.loss


def last(run: RunReport, kind: str, split: str) -> LoggedReading | None:
    """Return the last reading of a kind and a split that is a number."""
    readings = [reading for reading in run.run.select(kind, split) if math.isfinite(reading.loss)]
    return readings[-1] if readings else None


def read_in_part(run: RunReport) -> tuple[int, int] | None:
    """Return how many of how many scored documents the final reading read; None where it read all of them."""
    final, scored = last(run, "final", "val"), run.environment.split.scored_documents
    return None if final is None or scored is None or final.documents >= scored else (final.documents, scored)


def of_a_part(what: str, read: int, scored: int, text: str) -> str:
    """Say of how many documents a loss or the effects are, where not all that are scored were read at the end."""
    return (
        f"The {what} on all {scored:,} {text} documents: the final reading took {read:,} of them, drawn at random, "
        "because all would have cost more than a few percent of the training. report.final=whole reads them all."
    )


def final_name(run: RunReport, reserve: str = "whole reserve") -> str:
    """Return what the text of the final reading is called; `reserve` is what the whole reserve is."""
    part = read_in_part(run)
    if part is not None:
        return f"{run.scored}, {share(part[0] / part[1])} of it"
    return reserve if run.scored == "reserve" else "whole validation text"


def run_verdict(run: RunReport) -> str:
    """Return at most 40 words: the final loss, and which way the gap lies as reported and matched."""
    final = last(run, "final", "val") or last(run, "probe", "val")
    parts = []
    if not run.run.finished:
        parts.append(f"This run {ended(run)}.")
    if final and final.bits is not None:
        text, part = "Unseen text" if run.scored == "reserve" else "Validation", read_in_part(run)
        text += "" if part is None else f" ({share(part[0] / part[1])} of it read)"
        parts.append(f"{text} ends at {estimate(final.bits, final.bits_low, final.bits_high)} bits per byte.")
    gap, same = reported(run), matched(run)
    if gap is not None:
        text = "under the same conditions unseen text lies" if run.scored == "reserve" else "under the same conditions"
        measured = "" if same is None else f"; {text} {_apart(same)}"
        what = "validation" if run.scored == "reserve" else "it"
        parts.append(f"As reported, {what} lies {plain(abs(gap))} nats per token {_side(gap)} training{measured}.")
    return " ".join(parts) or "This run left no reading."


def _side(gap: float) -> str:
    return "below" if gap < 0 else "above"


def _apart(gap: RunGap) -> str:
    if gap.open:
        return f"the two cannot be told apart ({gap})"
    return f"{str(RunGap(abs(gap.value), gap.width)).lstrip('+')} {_side(gap.value)}"


def units_disagree(run: RunReport) -> str:
    """Return why the gap has another sign in bits per byte than in nats per token, or "" where it has not."""
    bits, nats = matched(run, "bits"), matched(run)
    train, val = last(run, "probe", "train"), last(run, "probe", "val")
    if bits is None or nats is None or train is None or val is None or bits.value * nats.value >= 0:
        return ""
    more = (val.bits or 0) / val.loss / ((train.bits or 1) / train.loss) - 1
    return (
        f"In bits per byte the same gap is {bits}, because the validation text takes {share(abs(more))} "
        f"{'more' if more > 0 else 'fewer'} tokens per byte than the training text."
    )


def ended(run: RunReport) -> str:
    """Return how a run that did not finish ended, and after how many steps."""
    state = {"failed": "failed", "interrupted": "was interrupted", "running": "is unfinished"}.get(run.run.status.state)
    return f"{state or 'did not finish'} after {counted(run.steps, 'step')}"


def run_limits(run: RunReport) -> list[str]:
    """Return what one run's data cannot say."""
    sentences = ["How far another seed would end from this one: one run has no interval over seeds."]
    if reported(run) is not None:
        sentences.append(
            "Which conditions make the difference between the two reported losses. "
            "They differ in more than the text: dropout may be on for one alone, "
            "the weights move while training losses are averaged, and a validation batch is small.",
        )
    part = run.environment.derived.share_of_training_text
    if part is not None and part < 1:
        sentences.append(f"What longer training would give: this run saw {share(part)} of the training text.")
    read = read_in_part(run)
    if read is not None:
        sentences.append(of_a_part("loss", *read, run.scored))
    sentences.append("Whether the network writes well: the samples are shown as they came, and none was judged.")
    return sentences


def run_title(run: RunReport) -> str:
    """Return what a run's curves show, as a sentence."""
    gap, same = reported(run), matched(run)
    if gap is None or same is None:
        return "How the loss fell"
    as_reported = f"As reported, validation ends {_side(gap)} training"
    if same.open:
        return f"{as_reported}; under the same conditions the two cannot be told apart"
    if (same.value < 0) == (gap < 0):
        return f"{as_reported}; under the same conditions it does so too"
    return f"{as_reported}; under the same conditions {_side(same.value)} it"

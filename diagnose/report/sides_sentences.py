"""The sentences of the page of a user's model and loop: what a row changes, what was read, what cannot be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import counted, listed, plain, signed
from diagnose.gap.term_kinds import KIND

if TYPE_CHECKING:
    from diagnose.records.ledgers import FitRecord, LedgerRecord, TermRecord

FOLLOWS = {
    "interval": "mean over the last {steps}",
    "last": "the last step's loss",
    "epoch": "mean over the last {steps}",
}


LEADS = {
    "data": "The data",
    "unseen": "Data other than training's",
    "collation": "How batches are made",
}
LABELS = {"collation": "collation: preparation"}


def label(term: str) -> str:
    """Return what a term's row is called in the picture of the walk."""
    return LABELS.get(term, KIND[term].label.replace("text", "data"))


def changed(ledger: LedgerRecord, term: TermRecord) -> str:
    """Return what a term changes, in plain words, shorter than a line."""
    train, val = ledger.conditions.train, ledger.conditions.val
    if term.id == "residual":
        return " · ".join(f"{part.id} {signed(part.value)}" for part in term.parts if part.value) or "nothing is left"
    if term.id == "objective" and term.parts:
        return " · ".join(f"{part.id} {signed(part.value, 2)}" for part in term.parts)
    if term.id == "reduction" and train.mean_by == val.mean_by:
        return "batches of unequal sizes weigh alike"
    return KIND[term.id].change.format(train=train, val=val)


def reported_words(ledger: LedgerRecord) -> tuple[str, str]:
    """Return what the two losses are of."""
    reports, given = ledger.conditions.reports, ledger.reported.given
    train = FOLLOWS.get(reports.train, "as given" if given[0] else "all that was read")
    batches = counted(reports.val_batches, "batch", "batches")
    return train.format(steps=counted(reports.interval, "step")), f"{batches}, {'as given' if given[1] else 'read now'}"


def overlap_sentence(ledger: LedgerRecord) -> str:
    """Return how much of the validation data training has seen."""
    overlap = ledger.overlap
    if overlap is None:
        return f"Whether validation data occur in training could not be told: {ledger.conditions.unseen_text}."
    sentence = f"Of {plain(overlap.val_documents, 0)} validation samples, {plain(overlap.exact, 0)} "
    sentence += "were found in what was read of training" if not overlap.whole else "occur in training"
    sentence += " bit for bit" if ledger.conditions.by_value else ""
    near = f" and {plain(overlap.near, 0)} nearly so (most of their spans of tokens do)" if overlap.near else ""
    return f"{sentence}{near}."


def fit_sentences(ledger: LedgerRecord) -> list[str]:
    """Return which arithmetic would turn a loss that is read into the one that was reported."""
    return [_fit(side, fit) for side, fits in ledger.arithmetic.items() for fit in fits]


def _fit(side: str, fit: FitRecord) -> str:
    span = "" if fit.low == fit.high else f" ({plain(fit.low)} to {plain(fit.high)})"
    return (
        f"{side.capitalize()}: what is read, {fit.factor}, would be {plain(fit.value)}{span}; {plain(fit.reported)} "
        "was reported."
    )


def limits(ledger: LedgerRecord) -> list[str]:
    """Return what the ledger of two sides cannot say."""
    over = "batches (or samples, where batches are few)"
    out = [f"How another seed's gap would divide: intervals are over {over} and masks, for these weights alone."]
    lag, recency, draw = (ledger.term(name) for name in ("lag", "recency", "draw"))
    if lag.value is None:
        terms = "lag and recency" if recency.value is None else "lag"
        out.append(
            f"When each loss was taken: {terms} cannot be told from the weights alone; GapRecorder keeps the steps."
        )
    if draw.value is None:
        out.append("The luck of the batches that were reported on: which they were was not given (reported_on).")
    if (ledger.term("leak").value or 0.0) != 0.0:
        out.append("What the leak would be with the same samples unseen: it compares samples with other samples.")
    if ledger.conditions.orders and ledger.conditions.orders != "all":
        out.append("Each condition's part over all orders: with so many, two opposite orders were read and averaged.")
    if ledger.budget.sharpens:
        out.append(f"{listed(list(ledger.budget.sharpens)).capitalize()} more closely: a larger budget reads more.")
    return out + [note[0].upper() + note[1:] + "." for note in ledger.notes if note]

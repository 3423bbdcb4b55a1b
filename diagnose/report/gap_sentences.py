"""The sentences of a gap's page: what its pictures show, what its terms change, what the ledger cannot say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from diagnose.formatting import counted, estimate, listed, plain, share, signed
from diagnose.gap import gap_causes
from diagnose.gap.gap_causes import leads, mode_name
from diagnose.gap.term import REPLAYED
from diagnose.gap.term_kinds import KINDS
from diagnose.records.ledgers import VerifiedRecord
from diagnose.report import sides_sentences

if TYPE_CHECKING:
    from diagnose.records.arm_ledgers import ArmLedgers
    from diagnose.records.ledgers import LedgerRecord, SideRecord, StripRecord, TermRecord, TrendRecord

LEADS = {"timing": "When each loss was taken", "data": "The text itself"} | {
    kind.id: kind.lead for kind in KINDS if kind.lead
}
PADDING = {"ignore": "not counted", "target": "predicted", "denominator": "counted in the mean"}
PAINTS = {"timing": "arm-0", "conditions": "arm-1", "data": "arm-2", "chance": "arm-3", "unexplained": "arm-4"}


@dataclass(frozen=True)
class WalkRow:
    """A row of the walk from one loss to the other: a term, or a group whose terms only make sense together.

    Attributes:
        name: the term's or the group's id.
        terms: which it holds.
        value: their sum; low, high: its interval.
    """

    name: str
    group: str
    terms: tuple[TermRecord, ...]
    value: float
    low: float | None
    high: float | None


def parts(ledger: LedgerRecord) -> list[WalkRow]:
    """Return the walk's rows in order: timing as one, unseen and leak as one where there is a leak."""
    out: list[WalkRow] = []
    for group, some in groupby(ledger.terms, key=lambda term: term.group):
        members = tuple(some)
        if group == "timing" or (group == "data" and leads([term.value for term in members])):
            span = next(candidate for candidate in ledger.groups if candidate.id == group)
            out.append(WalkRow(group, group, members, span.value or 0.0, span.low, span.high))
        else:
            out += [WalkRow(t.id, group, (t,), t.value or 0.0, t.low, t.high) for t in members if is_shown(t)]
    return out


def training_mode(ledger: LedgerRecord) -> str:
    """Return what training mode switches on, in a word."""
    return mode_name(ledger.conditions.kinds)


def ledger_title(ledger: LedgerRecord) -> str:
    """Return what makes most of the gap, as a sentence; only a part that is told from zero."""
    every = parts(ledger)
    told = [p for p in every if p.low is None or p.high is None or not p.low <= 0 <= p.high]
    if every and not any(p.value for p in told) and any(p.value for p in every):
        return "No part of the gap is resolved"
    values = {part.name: part.value for part in told}
    total = math.fsum(abs(part.value) for part in every)
    if not values:
        return "Nothing lies between the two losses"
    name, value = max(values.items(), key=lambda item: abs(item[1]))
    if not total:
        return "Nothing lies between the two losses"
    lead = training_mode(ledger).capitalize() if name == "mode" else _leads(ledger)[name]
    if name == "residual" and any(len(fits) == 1 for fits in ledger.arithmetic.values()):
        lead = "How a reported loss was averaged or scaled"
    largest = "largest" if abs(value) >= max(abs(part.value) for part in every) else "largest resolved"
    are, work, make = ("are", "work", "make") if name == "mode" and " and " in lead else ("is", "works", "makes")
    if value * ledger.gap < 0:
        return f"{lead} {are} the {largest} part, and {work} against the gap"
    if abs(value) > total / 2:
        return f"{lead} {make} up most of the gap"
    of = "part" if "resolved" in largest else "of the gap's parts"
    return f"{lead} {are} the {largest} {of}"


def _leads(ledger: LedgerRecord) -> dict[str, str]:
    return LEADS | sides_sentences.LEADS if ledger.kind == "sides" else LEADS


def changed(ledger: LedgerRecord, part: WalkRow) -> str:
    """Return what a row changes, in plain words, shorter than a line."""
    if len(part.terms) > 1:
        return " · ".join(f"{term.id} {signed(term.value, 2)}" for term in part.terms)
    term = part.terms[0]
    if term.id == "mode" and len(term.parts) > 1:
        return " · ".join(f"{part.id} {signed(part.value, 2)}" for part in term.parts)
    train, val = ledger.conditions.train, ledger.conditions.val
    if term.id == "mode":
        return gap_causes.in_mode(ledger.conditions.kinds, on=not train.on)
    if ledger.kind == "sides":
        return sides_sentences.changed(ledger, term)
    return {
        "objective": "what is minimised → plain cross-entropy",
        "precision": f"{train.precision} → {val.precision}",
        "reduction": averaging(train, val),
        "collation": f"cut as training's → as validation's ({val.loader})",
        "unseen": "text it has not trained on",
        "leak": "validation text that it has seen",
        "draw": "the one batch that was shown",
        "residual": replaying(ledger, term),
    }[term.id]


def averaging(train: SideRecord, val: SideRecord) -> str:
    """Return what differs in how two losses are averaged over targets: padding, what means are of, or both."""
    padding, mean = train.padding != val.padding, mean_words(train) != mean_words(val)
    if padding and mean:
        return "how padding counts, and what means are taken of"
    if padding:
        return f"padding {PADDING[train.padding]} → {PADDING[val.padding]}"
    if mean:
        return f"mean {mean_words(train)} → {mean_words(val)}"
    return "each step's mean counts alike → every target does"


def mean_words(side: SideRecord) -> str:
    """Return what a mean is taken of."""
    return "over all targets" if side.mean_by in {"all", "step"} else f"of the means of each {side.mean_by}"


def replaying(ledger: LedgerRecord, term: TermRecord) -> str:
    """Return whether reading again, and training again where that was asked for, gave what was logged."""
    verified = ledger.verified or VerifiedRecord(largest=0.0, differing=0, steps=0)
    off = max(abs(term.value or 0.0), verified.largest)
    if "not checked" in term.basis:
        return "training not checked" if off <= REPLAYED else "read again, and not the same"
    if off > REPLAYED:
        return "replayed, and not the same"
    return f"replayed, the same to within {REPLAYED:.4f}" if verified.differing else "replayed, and the same"


def is_shown(term: TermRecord) -> bool:
    """Say whether a term is more than an exact nothing."""
    return gap_causes.is_shown(term.id, term.value, term.low, term.high)


def reported_words(ledger: LedgerRecord) -> tuple[str, str]:
    """Return what the two reported losses are of."""
    if ledger.kind == "sides":
        return sides_sentences.reported_words(ledger)
    reports = ledger.conditions.reports
    train = {
        "last": "the last step's batch",
        "interval": "mean over the last interval",
        "ema": "decaying mean over steps",
        "epoch": "mean over the epoch",
    }[reports.train]
    batches = counted(reports.val_batches, "mini-batch", "mini-batches")
    val = "the whole validation text" if reports.val == "full" else f"{batches} of validation text"
    return train, val


def matched_title(ledger: LedgerRecord) -> str:
    """Return how the two losses lie where both are matched."""
    gap, low, high = ledger.matched.gap, ledger.matched.low, ledger.matched.high
    figure = estimate(gap, low, high, difference=True)
    if low is not None and high is not None and low <= 0 <= high:
        return f"Under the same conditions, the two cannot be told apart ({figure})"
    return f"Under the same conditions, validation lies {'above' if gap > 0 else 'below'} training ({figure})"


def trend_sentence(strip: StripRecord, what: str, along: str) -> str:
    """Return what a strip's trend says."""
    slope: TrendRecord | None = strip.trend
    if slope is None:
        return f"Too few units to say whether the loss on {what} changes along {along}."
    figure = estimate(slope.value, slope.low, slope.high, difference=True)
    if slope.low <= 0 <= slope.high:
        edge = max(abs(slope.low), abs(slope.high))
        return (
            f"No trend of the loss on {what} along {along} is resolved ({figure}; none larger than {plain(edge, 2)})."
        )
    way = "rises" if slope.value > 0 else "falls"
    return f"The loss on {what} {way} by {figure[1:]} along {along}."


def where_title(ledger: LedgerRecord) -> str:
    """Return whether the loss depends on the place in the corpus, as a sentence."""
    places = ledger.where.places if ledger.where else ()
    resolved = [p for p in places if p.trend and (p.trend.low > 0 or p.trend.high < 0)]
    if not places or all(p.trend is None for p in places):
        return "Where in the text the loss lies"
    if not resolved:
        return "The loss does not measurably change along the corpus"
    ways = {"rises" if p.trend and p.trend.value > 0 else "falls" for p in resolved}
    texts = listed([p.text for p in resolved])
    return f"Along the corpus, the loss on {texts} text {listed(sorted(ways), 'or')}"


def overlap_sentence(ledger: LedgerRecord) -> str:
    """Return how much of the validation text training has seen."""
    overlap = ledger.overlap
    if ledger.kind == "sides" or overlap is None:
        return sides_sentences.overlap_sentence(ledger)
    out = (
        f"Of {plain(overlap.val_documents, 0)} validation documents that were read, {plain(overlap.exact, 0)} occur in "
        f"the training text and {plain(overlap.near, 0)} nearly so; {share(overlap.window_share)} of their passages of "
        "32 bytes do."
    )
    leak = ledger.term("leak")
    if leak.value and leak.beside and leak.beside.value is not None:
        beside = estimate(leak.beside.value, leak.beside.low, leak.beside.high, difference=True)
        low, high = leak.beside.low, leak.beside.high
        alike = low is not None and high is not None and low <= 0 <= high
        difficulty = "no difference in difficulty is resolved" if alike else "part of leak is their difficulty"
        out += (
            f" Leak compares different documents. By bigrams that have seen neither, {difficulty}: the seen ones are "
            f"{beside} nats per token harder."
        )
    return out


def limits(ledger: LedgerRecord) -> list[str]:
    """Return what a ledger cannot say."""
    if ledger.kind == "sides":
        return sides_sentences.limits(ledger)
    out = [
        "How another seed's gap would divide: intervals are over documents and masks, for these weights alone.",
        "Lag and recency share what training last did to its latest batches; their sum, timing, is what to go by.",
    ]
    if ledger.verified is None:
        out.append("Whether training gives what was logged: it was not replayed; --verify does.")
    if (ledger.term("leak").value or 0.0) != 0.0:
        out.append("What the leak would be with the same documents unseen: it compares documents with other documents.")
    if ledger.budget.sharpens:
        some = listed(list(ledger.budget.sharpens)).capitalize()
        out.append(f"{some} more closely than the intervals: not all text was read; a larger --budget narrows them.")
    return out + [note[0].upper() + note[1:] + "." for note in ledger.notes if note]


def arms_title(ledgers: ArmLedgers) -> str:
    """Return which part differs most between arms, as a sentence."""
    spreads = {
        term.id: max(values) - min(values)
        for k, term in enumerate(ledgers.arms[0].terms)
        for values in [[arm.terms[k].value or 0.0 for arm in ledgers.arms]]
    }
    name = max(spreads, key=lambda key: spreads[key])
    return f"Between arms, {name} differs most: by {plain(spreads[name])} nats per token"


def arm_terms(ledgers: ArmLedgers) -> list[str]:
    """Return the ids of the terms that are something in any arm."""
    return [term.id for k, term in enumerate(ledgers.arms[0].terms) if any(arm.terms[k].value for arm in ledgers.arms)]

"""What the ledger says in words, and what to change: rules on its record, each with an id.

The verdict names what makes the reported gap, says what it is with both losses under the same conditions, and where
validation text was seen in training, what the loss is on text that was not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.formatting import listed, plain, signed
from diagnose.gap.term import GROUPS, KINDS
from diagnose.records.schema import FindingRecord, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diagnose.records.ledgers import LedgerRecord, TermRecord

MOST_WORDS = 60
NOTHING = 0.003  # nats: a part of this size is not worth a word
BESIDE = 1 / 3  # of the largest cause: what is as large is named with it
LARGE_SHARE = 0.2  # of the sum of absolute parts
SEEN = 0.5  # share of validation documents that occur in training: no validation text any more
ALL_SEEN = 0.95
OURS = {"text": "text", "document": "document", "documents": "documents", "cut": "cut"}
FOREIGN = {"text": "data", "document": "sample", "documents": "samples", "cut": "made"}
REPLAYED = 1e-4  # nats: what replaying may differ by through other threads or another machine
DROPOUTS = {"attention", "residual", "embedding", "layers", "dropout", "dropout between layers", "attention dropout"}
NAMED = {"batch norm": "batch norm", "other": "something of the network's own"}  # other kinds of training mode


@dataclass(frozen=True)
class Cause:
    """A part of the gap that the verdict may name, with its interval; `exact` where it has none because it is exact."""

    id: str
    value: float
    words: str
    low: float | None = None
    high: float | None = None
    exact: bool = False

    @property
    def resolved(self) -> bool:
        """Whether it is told from zero: a part that is not is no cause."""
        if self.low is None or self.high is None:
            return self.exact
        return not self.low <= 0 <= self.high


def _spread(record: LedgerRecord, name: str) -> tuple[float | None, float | None]:
    """Return a group's interval: its own, or of its terms as if these were independent."""
    group = record.group(name)
    if group.low is not None:
        return group.low, group.high
    some = [term for key in GROUPS[name] if (term := record.term(key)).value]
    halves = [(term.high - term.low) / 2 for term in some if term.low is not None and term.high is not None]
    if not some or len(halves) < len(some):
        return None, None
    value, half = group.value or 0.0, math.hypot(*halves)
    return value - half, value + half


def all_causes(record: LedgerRecord) -> list[Cause]:
    """Return the parts of the gap that can be named, the largest first; they sum to the gap."""
    groups = (("timing", _timing_words(record)), ("data", _data_words(record)))
    found = [
        Cause(name, _sum(record, name), words, *_spread(record, name), exact=name == "timing") for name, words in groups
    ]
    for name, words in _term_words(record).items():
        if (term := _term(record, name)) is not None:
            exact = name in EXACT or term.basis.startswith("exact")
            found.append(Cause(name, term.value or 0.0, words, term.low, term.high, exact))
    return sorted(found, key=lambda cause: -abs(cause.value))


def _sum(record: LedgerRecord, group: str) -> float:
    return record.group(group).value or 0.0


def _term(record: LedgerRecord, name: str) -> TermRecord | None:
    """Return a term; None in a record of a version that did not have it."""
    return next((term for term in record.terms if term.id == name), None)


def _term_words(record: LedgerRecord) -> dict[str, str]:
    named = {"mode": _mode_words(record), "objective": _objective_words(record)}
    named |= {kind.id: kind.cause for kind in KINDS if kind.cause}
    named |= {"collation": _collation_words(record)} if record.of_loop else {}
    easier = "easier" if record.value("draw") < 0 else "harder"
    whole = "all validation data" if record.of_loop else "the whole validation text"
    named["draw"] = f"the reported validation batch is {easier} than {whole}"
    return named | {"residual": _residual_words(record)}


EXACT = ("draw", "residual")  # without an interval they are arithmetic
RESOLVES = {
    "data": "more data", "timing": "a record of more steps", "draw": "more validation batches",
    "residual": "the batches that it was reported on",
}  # fmt: skip


def mode_name(kinds: Sequence[str]) -> str:
    """Return what training mode switches on, in a word."""
    if not kinds:
        return "training mode"
    dropout = ["dropout"] if any(kind in DROPOUTS for kind in kinds) else []
    return listed([*dropout, *(NAMED.get(kind, f"what {kind} does") for kind in kinds if kind not in DROPOUTS)])


def is_shown(name: str, value: float | None, low: float | None, high: float | None) -> bool:
    """Say whether a term is more than an exact nothing."""
    return value != 0.0 or low != high or name == "residual"


def leads(values: Sequence[float | None]) -> bool:
    """Say whether a group's terms only make sense together: where more than one of them is something."""
    return len([value for value in values if value]) > 1


def replayed(record: LedgerRecord) -> float:
    """Return by how much replaying differs from what was logged, in nats: at the end, or at a step trained again."""
    residual = 0.0 if record.of_loop else abs(record.value("residual"))
    return max(residual, _largest(record))


def _largest(record: LedgerRecord) -> float:
    return record.verified.largest if record.verified else 0.0


def _mode_words(record: LedgerRecord) -> str:
    kinds = live_kinds(record)
    several = len(kinds) > 1 and any(kind not in DROPOUTS for kind in kinds)
    return f"{mode_name(kinds)} {'are' if several else 'is'} on for one and off for the other"


def live_kinds(record: LedgerRecord) -> list[str]:
    """Return the kinds of training mode that do something: a batch norm that is frozen does not."""
    kinds = list(record.conditions.kinds)
    still = {part.id for part in record.term("mode").parts if not part.value and part.low == part.high}
    return [kind for kind in kinds if kind not in still] or kinds


def _collation_words(record: LedgerRecord) -> str:
    train, val = record.conditions.train.plain, record.conditions.val.plain
    if val and not train:
        return "validation's batches are not its plain data"
    return "the batches of the two are not their plain data" if val else "training's batches are not its plain data"


def _residual_words(record: LedgerRecord) -> str:
    if record.of_loop:
        parts = {part.id: part.value or 0.0 for part in record.term("residual").parts}
        side = "training" if abs(parts["training"]) >= abs(parts["validation"]) else "validation"
        fits = record.arithmetic.get(side, ())
        if len(fits) == 1:
            return f"the reported {side} loss is what is read, {fits[0].factor.partition(':')[0]}"
        return f"the reported {side} loss is not what these weights give on these batches"
    return "reading the same again gives another number than was logged"


def _objective_words(record: LedgerRecord) -> str:
    train, val = record.conditions.train, record.conditions.val
    if record.of_loop:
        below = record.value("objective") < 0
        held = [part.id for part in record.term("objective").parts if (part.value or 0.0) < 0]
        if below and held:
            return f"training's loss includes {' and '.join(held)}"
        return "the objectives of the two sides differ"
    said = ["label smoothing"] if train.label_smoothing != val.label_smoothing else []
    said += ["weight decay"] if train.weight_decay_in_loss != val.weight_decay_in_loss else []
    return f"training's loss includes {' and '.join(said) or 'more'} and validation's does not"


def _timing_words(record: LedgerRecord) -> str:
    kind, value = record.conditions.reports.train, _sum(record, "timing")
    if kind == "last":
        return f"the one training batch that was shown was {'harder' if value < 0 else 'easier'} than usual"
    if abs(record.value("lag")) >= abs(record.value("recency")) and record.value("lag") < 0:
        return "the training loss is a mean over steps in which the network still improved"
    return f"the training loss averages batches that were {'harder' if value < 0 else 'easier'} than earlier ones"


def _data_words(record: LedgerRecord) -> str:
    text, overlap = _text(record), record.overlap
    if "train" in record.conditions.redrawn:
        harder = "harder" if _sum(record, "data") >= 0 else "easier"
        return f"validation's data is {harder} than training's batches, which are drawn anew each pass"
    if _sum(record, "data") >= 0:
        if _mostly_seen(record) or overlap is None:
            return f"its {text} is harder"
        return f"training has not seen the validation {text}"
    seen = ", and training has seen it" if _mostly_seen(record) else ""
    return f"validation's {text} is easier than training's{seen}"


def _text(record: LedgerRecord) -> str:
    return (FOREIGN if record.of_loop else OURS)["text"]


def _mostly_seen(record: LedgerRecord) -> bool:
    overlap = record.overlap
    return overlap is not None and overlap.exact + overlap.near >= SEEN * overlap.val_documents


def sentence(record: LedgerRecord) -> str:
    """Return the verdict: what makes the gap, what it is under the same conditions, and whether the text was seen."""
    rest = _matched(record) + _seen(record)
    shapes = ((2, True, True), (2, False, True), (1, False, True), (1, False, False))
    said = [f"{_why(record, causes=causes, other=other, more=more)} {rest}" for causes, other, more in shapes]
    return next((text for text in said if len(text.split()) <= MOST_WORDS), said[-1])


def _why(record: LedgerRecord, *, causes: int, other: bool, more: bool) -> str:
    """Name the largest resolved causes on the gap's side, a large one on the other side, and what is not resolved."""
    gap, found = record.gap, all_causes(record)
    large = [c for c in found if abs(c.value) > NOTHING]
    if abs(gap) <= NOTHING or not any(c.value * gap > 0 for c in large):
        return f"The two reported losses agree to within {plain(max(abs(gap), 0.001))}."
    side = "below" if gap < 0 else "above"
    same = [c for c in large if c.resolved and c.value * gap > 0]
    against = [c for c in large if c.resolved and c.value * gap < 0]
    open_ = _unresolved(large, gap)
    out = f"Validation lies {plain(abs(gap))} {side} training"
    least = BESIDE * abs((same or large)[0].value)
    told = other and against and abs(against[0].value) >= least
    though = f", though {against[0].words} ({signed(against[0].value)})" if told else ""
    if not same:
        no_cause = f". What {'lowers' if gap < 0 else 'raises'} it is not" if though else ", and no cause of that is"
        return f"{out}{though}{no_cause} resolved{f': {open_}' if open_ and more else ''}."
    named = [c for c in same[:causes] if abs(c.value) >= least]
    out += " because " + " and ".join(f"{c.words} ({signed(c.value)})" for c in named)
    left = next((c for c in large if not c.resolved), None)
    rest = left is not None and abs(left.value) >= BESIDE * max(abs(gap), abs(same[0].value))
    return f"{out}{though}. Not resolved: {open_}." if rest and more else f"{out}{though}."


def _unresolved(large: Sequence[Cause], gap: float) -> str:
    """Say which part is not told from zero, how much it is, and what would resolve it."""
    some = [c for c in large if not c.resolved]
    if not some:
        return ""
    first = next((c for c in some if c.value * gap > 0), some[0])
    low, high = first.low, first.high
    half = f" ± {plain((high - low) / 2)}" if low is not None and high is not None else ", no interval"
    return f"{first.id} ({signed(first.value)}{half}); {RESOLVES.get(first.id, 'more batches')} would resolve it"


def _matched(record: LedgerRecord) -> str:
    gap, low, high = record.matched.gap, record.matched.low, record.matched.high
    side = "above" if gap > 0 else "below"
    if low is not None and high is not None and low <= 0 <= high:
        half = (high - low) / 2
        return f"Under the same conditions the two do not differ measurably ({signed(gap)} ± {plain(half)})"
    return f"Under the same conditions it is {plain(abs(gap))} {side}"


def _seen(record: LedgerRecord) -> str:
    overlap = record.overlap
    if overlap is None or not _mostly_seen(record):
        return "."
    part = (overlap.exact + overlap.near) / overlap.val_documents
    text = _text(record)
    what = f"this {text}" if part > ALL_SEEN else f"{part:.0%} of this {text}"
    if record.unseen is None:
        return f"; but training has seen {what}, so it is no validation loss."
    loss = plain(record.unseen.loss, 2)
    spelled = record.unseen.spelled_share or 0.0
    on = f", {spelled:.0%} of it on words without a token" if spelled >= BESIDE else ""
    return f"; but training has seen {what}: on unseen {text} the loss is {loss}{on}."


@dataclass(frozen=True)
class FindingRule:
    """A finding: when it holds, what it says and what to change.

    Attributes:
        measured: returns the figures that it stands on, None where it does not hold.
        settings: the recipe's keys that change it, said of our own runs.
    """

    id: str
    severity: Severity
    what: str
    fix: str
    measured: Callable[[LedgerRecord], dict[str, float] | None]
    settings: str = ""


def _large(name: str) -> Callable[[LedgerRecord], dict[str, float] | None]:
    """Hold where a term is a large part of the gap and its interval excludes zero."""

    def measured(record: LedgerRecord) -> dict[str, float] | None:
        term = _term(record, name)
        if term is None:
            return None
        total = math.fsum(abs(cause.value) for cause in all_causes(record)) or 1.0
        value, low, high = term.value, term.low, term.high
        if value is None or abs(value) < max(LARGE_SHARE * total, NOTHING):
            return None
        if low is not None and high is not None and low <= 0 <= high:
            return None
        return {name: value, "share": abs(value) / total}

    return measured


def _leaks(record: LedgerRecord) -> dict[str, float] | None:
    overlap = record.overlap
    if overlap is None or not _mostly_seen(record):
        return None
    out: dict[str, float] = {"seen_documents": overlap.exact + overlap.near, "val_documents": overlap.val_documents}
    return out | ({"unseen_loss": record.unseen.loss} if record.unseen else {})


def _duplicates(record: LedgerRecord) -> dict[str, float] | None:
    overlap = record.overlap
    if overlap is None or _mostly_seen(record) or overlap.exact + overlap.near < 0.01 * overlap.val_documents:
        return None
    return {"exact": overlap.exact, "near": overlap.near, "val_documents": overlap.val_documents}


def _averaging(record: LedgerRecord) -> dict[str, float] | None:
    averaged = record.conditions.reports.train != "last"
    return _large("lag")(record) if averaged and record.value("lag") < 0 else None


def _one_batch(record: LedgerRecord) -> dict[str, float] | None:
    timing, value = record.group("timing"), _sum(record, "timing")
    if record.conditions.reports.train != "last" or timing.share < LARGE_SHARE:
        return None
    low, high = _spread(record, "timing")
    if low is not None and high is not None and low <= 0 <= high:
        return None
    return {"timing": value, "share": timing.share} if abs(value) > NOTHING else None


def _memorised(record: LedgerRecord) -> dict[str, float] | None:
    mode, beside = record.value("mode"), record.term("mode").beside
    if beside is None or beside.value is None or beside.low is None or beside.high is None:
        return None
    if mode * beside.value >= 0 or beside.low <= 0 <= beside.high:
        return None
    return {"mode": mode, "mode_on_unseen_text": beside.value}


def _overfits(record: LedgerRecord) -> dict[str, float] | None:
    unseen = record.term("unseen")
    if unseen.value is None or unseen.low is None or unseen.high is None or unseen.low <= 0 or _mostly_seen(record):
        return None
    return {"unseen": unseen.value, "low": unseen.low, "high": unseen.high}


def _unfaithful(record: LedgerRecord) -> dict[str, float] | None:
    if replayed(record) <= REPLAYED:
        return None
    return {"residual": abs(record.value("residual")), "largest_step": _largest(record)}


def _eval_forgotten(record: LedgerRecord) -> dict[str, float] | None:
    if not record.conditions.val.on:
        return None
    off, on = record.matched.val, record.matched_on.val
    return {"val_on": on, "val_off": off} if abs(on - off) > NOTHING else None


def _trains_with(record: LedgerRecord) -> dict[str, float] | None:
    return _large("mode")(record) if record.conditions.train.on else None


def _not_these(record: LedgerRecord) -> dict[str, float] | None:
    """Hold where a part of the residual is beyond its interval and larger than all that luck of masks explains."""
    if not record.of_loop:
        return None
    out = {}
    if sum(len(fits) for fits in record.arithmetic.values()) == 1:
        return None  # said by gap/arithmetic
    for part in record.term("residual").parts:
        value, low, high = part.value or 0.0, part.low, part.high
        if abs(value) > NOTHING and not (low is not None and high is not None and low <= 0 <= high):
            out[part.id] = value
    return out if out and _large("residual")(record) else None


def _arithmetic(record: LedgerRecord) -> dict[str, float] | None:
    return {fit.factor: fit.value for fits in record.arithmetic.values() for fit in fits} or None


def _random(record: LedgerRecord) -> dict[str, float] | None:
    """Hold where a loss is random with nothing of training mode on."""
    return {f"{side}_random": 1.0 for side in record.conditions.random} or None


def _redrawn(record: LedgerRecord) -> dict[str, float] | None:
    return {f"{side}_redrawn": 1.0 for side in record.conditions.redrawn} or None


RULES = (
    FindingRule("gap/unfaithful", "error", "Replaying the run does not give what it logged",
         "the record contradicts itself: trust no term; train again, and check threads and device", _unfaithful),
    FindingRule("gap/leaking-split", "error",
         "Training has seen most of the validation {text}: this is not a validation loss",
         "split by {document} before cutting samples", _leaks, "data.split=documents"),
    FindingRule("gap/eval-forgotten", "warning", "The validation loss is taken in training mode",
         "call model.eval() before validation and model.train() after it", _eval_forgotten, "report.val_dropout=false"),
    FindingRule("gap/arithmetic", "warning", "A reported loss is what is read times a factor that set-ups go wrong by",
         "look for the factor in how the loss is summed, divided and logged", _arithmetic),
    FindingRule("gap/random", "warning", "A loss is random in evaluation mode: noise that model.eval() misses",
         "switch it off by self.training; audit_metric says whether it is dropout and what it costs", _random),
    FindingRule("gap/redrawn", "note", "A loader yields other samples each pass: {text} and their drawing are together",
         "give plain=, the same data without augmentation or sampling", _redrawn),
    FindingRule("gap/duplicates", "warning", "Some validation {documents} occur in the training {text}",
         "remove duplicates before splitting", _duplicates),
    FindingRule("gap/residual", "note", "A reported loss is not what these weights give on these batches",
         "give the batches that it was taken on (reported_on), or record the steps (GapRecorder)", _not_these),
    FindingRule("gap/mode", "note", "Training's loss is taken with {mode} on and validation's with it off",
         "compare both in evaluation mode: read a fixed sample of training {text} as validation is read", _trains_with),
    FindingRule("gap/memorised", "note", "{Mode} raises the loss on training {text} and lowers it on unseen {text}",
         "the network has memorised: judge {mode} by unseen {text}", _memorised),
    FindingRule("gap/averaging", "note", "The training loss is a mean over steps in which the network still improved",
         "report the loss of the weights that validation reads", _averaging, "report.train=last"),
    FindingRule("gap/one-batch", "note", "The reported training loss is that of one batch, and its luck shows",
         "report a mean over the interval", _one_batch, "report.train=interval"),
    FindingRule("gap/draw", "note", "The reported validation batch differs from the whole validation {text}",
         "read more of it", _large("draw"), "report.val=full, or a larger report.val_batches"),
    FindingRule("gap/objective", "note", "{More}'s loss holds more than {less}'s",
         "log the plain loss of both sides beside what is minimised", _large("objective")),
    *(FindingRule(f"gap/{kind.id}", "note", kind.cause[0].upper() + kind.cause[1:], kind.fix, _large(kind.id),
                  kind.settings) for kind in KINDS if kind.fix),
    FindingRule("gap/collation", "note", "Validation {documents} are {cut} otherwise than training's",
         "have both {cut} alike", _large("collation"), "report.val_loader=training"),
    FindingRule("gap/unseen", "note", "The network does better on training {text} than on unseen {text}",
         "more {text}, fewer epochs, more regularisation, or nothing while the loss on unseen {text} falls", _overfits),
)  # fmt: skip


def findings(record: LedgerRecord) -> list[FindingRecord]:
    """Return what holds of a record, the gravest first."""
    out = []
    for rule in RULES:
        measured = rule.measured(record)
        if measured is not None:
            settings = f" ({rule.settings})" if rule.settings and not record.of_loop else ""
            what, fix = _in_words(rule.what, record), _in_words(rule.fix, record) + settings
            out.append(FindingRecord(rule=rule.id, severity=rule.severity, what=what, fix=fix, measured=measured))
    return out


def _in_words(said: str, record: LedgerRecord) -> str:
    """Return a rule's sentence with what training mode switches on, and in the words of text or of data."""
    mode = mode_name(live_kinds(record))
    words = FOREIGN if record.of_loop else OURS
    more, less = ("Training", "validation") if record.value("objective") <= 0 else ("Validation", "training")
    return said.format(mode=mode, Mode=mode[0].upper() + mode[1:], More=more, less=less, **words)

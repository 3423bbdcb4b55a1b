"""The parts of a gap that its verdict may name, in words, with what each stands on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.formatting import listed
from diagnose.gap.reported import SWAPPED, by_arithmetic
from diagnose.gap.term import DROPOUTS, REPLAYED, SIDES
from diagnose.gap.term_kinds import GROUPS, KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.records.ledgers import LedgerRecord, TermRecord

NOTHING = 0.003  # nats: a part of this size is not worth a word,
NEXT_TO_NOTHING = 0.01  # or of this share of the larger loss, where that is less
BESIDE = 1 / 3  # of the largest cause: what is as large is named with it
LITTLE = 0.1  # of the largest kind of training mode: what is smaller is not named with it
SEEN = 0.5  # share of validation documents that occur in training: no validation text any more
ALL_SEEN = 0.95
FEW = 0.01  # of them: fewer are not worth a word
REPEATED = 0.02  # of them: so many must repeat an earlier one to be worth a word
BY_GROUP = "split by group, so that all samples of one (a patient, a speaker, a document) are on one side"
OURS = {"text": "text", "document": "document", "documents": "documents", "cut": "cut"}
FOREIGN = {"text": "data", "document": "sample", "documents": "samples", "cut": "prepared"}
MASKED = 0.02  # share of losses: by more must the two sides' masked ones differ to be a cause
OTHER_LOSS = 0.2  # of lag: what a recorded step, read again with its own weights, may differ by
UNEVEN = "batches of unequal sizes weigh alike in a mean of batch means"
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


def nothing(record: LedgerRecord) -> float:
    """Return which size of a part is not worth a word: of losses near 0 (small squares) a share of the loss."""
    return min(NOTHING, NEXT_TO_NOTHING * loss_size(record) or NOTHING)


def loss_size(record: LedgerRecord) -> float:
    """Return how large the larger of the two losses is."""
    return max(abs(record.reported.train), abs(record.reported.val))


def spread(record: LedgerRecord, name: str) -> tuple[float | None, float | None]:
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
    timing = Cause(
        "timing", group_sum(record, "timing"), _timing_words(record), *spread(record, "timing"), exact=True
    )  # fmt: skip
    causes = [timing, *_data_causes(record)]
    for name, words in _term_words(record).items():
        if (term := term_of(record, name)) is not None:
            exact = name in EXACT or term.basis.startswith("exact")
            causes.append(Cause(name, term.value or 0.0, words, term.low, term.high, exact))
    return sorted(causes, key=lambda cause: -abs(cause.value))


def group_sum(record: LedgerRecord, group: str) -> float:
    """Return what the terms of a group come to, 0 where nothing is known of it."""
    return record.group(group).value or 0.0


def term_of(record: LedgerRecord, name: str) -> TermRecord | None:
    """Return a term; None in a record of a version that did not have it."""
    return next((term for term in record.terms if term.id == name), None)


def _term_words(record: LedgerRecord) -> dict[str, str]:
    named = {"mode": _mode_words(record), "objective": _objective_words(record)}
    named |= {kind.id: kind.cause for kind in KINDS if kind.cause}
    named |= {"collation": _collation_words(record)} if record.of_loop else {}
    if averaged_alike(record):
        named["reduction"] = UNEVEN
    easier = "easier" if record.value("draw") < 0 else "harder"
    whole = "all validation data" if record.of_loop else "the whole validation text"
    named["draw"] = f"the reported validation batch is {easier} than {whole}"
    return named | {"residual": _residual_words(record)}


def averaged_alike(record: LedgerRecord) -> bool:
    """Say whether both losses are the same average, so that all it does is to batches of unequal sizes."""
    return record.of_loop and record.conditions.train.mean_by == record.conditions.val.mean_by


EXACT = ("draw", "residual")  # without an interval they are arithmetic
RESOLVES = {
    **dict.fromkeys(("data", "unseen", "leak"), "more data"), "timing": "a mean over more steps",
    "draw": "more validation batches", "residual": "the batches that it was reported on",
}  # fmt: skip


def mode_name(kinds: Sequence[str]) -> str:
    """Return what training mode switches on, in a word."""
    if not kinds:
        return "training mode"
    dropout = ["dropout"] if any(kind in DROPOUTS for kind in kinds) else []
    return listed([*dropout, *(NAMED.get(kind, kind) for kind in kinds if kind not in DROPOUTS)])


def mode_suffix(kinds: Sequence[str], *, on: bool) -> str:
    """Return whether kinds are on: dropout is on or off, a batch norm does one thing in each mode."""
    if all(kind in DROPOUTS for kind in kinds):
        return "on" if on else "off"
    return "in training mode" if on else "in evaluation mode"


def in_mode(kinds: Sequence[str], *, on: bool) -> str:
    """Return what training mode switches on, and whether it is on."""
    return f"{mode_name(kinds)} {mode_suffix(kinds, on=on)}"


def is_shown(name: str, value: float | None, low: float | None, high: float | None) -> bool:
    """Say whether a term is more than an exact nothing."""
    return value != 0.0 or low != high or name == "residual"


def leads(values: Sequence[float | None]) -> bool:
    """Say whether a group's terms only make sense together: where more than one of them is something."""
    return len([value for value in values if value]) > 1


def replayed(record: LedgerRecord) -> float:
    """Return by how much replaying differs from what was logged, in nats: at the end, or at a step trained again."""
    residual = 0.0 if record.of_loop else abs(record.value("residual"))
    return max(residual, largest_difference(record))


def largest_difference(record: LedgerRecord) -> float:
    """Return by how much steps that were trained once more differ from the log at most, 0 where none were."""
    return record.verified.largest if record.verified else 0.0


def of_other_losses(record: LedgerRecord) -> bool:
    """Say whether a loop recorded other losses than its objective gives with their own weights, so that this is lag."""
    return record.of_loop and largest_difference(record) > max(OTHER_LOSS * abs(record.value("lag")), REPLAYED)


def _mode_words(record: LedgerRecord) -> str:
    kinds = live_kinds(record)
    several = len(kinds) > 1 and any(kind not in DROPOUTS for kind in kinds)
    on, off = (mode_suffix(kinds, on=on) for on in (True, False))
    return f"{mode_name(kinds)} {'are' if several else 'is'} {on} for one and {off} for the other"


def live_kinds(record: LedgerRecord) -> list[str]:
    """Return the kinds of training mode that do something: a batch norm that is frozen does not.

    Where some are told from nothing, these are all that are named, without those that are little beside the largest,
    and with those that may make much of what all do together.
    """
    kinds, parts = list(record.conditions.kinds), record.term("mode").parts
    still = {part.id for part in parts if not part.value and part.low == part.high}
    told = [part for part in parts if part.value and not (part.low or 0.0) <= 0 <= (part.high or 0.0)]
    least = LITTLE * max((abs(part.value or 0.0) for part in told), default=0.0)
    named = {part.id for part in told if abs(part.value or 0.0) >= least}
    much = BESIDE * abs(record.term("mode").value or 0.0)
    named |= {part.id for part in parts if named and part.value and abs(part.value) >= max(much, least)}
    return [kind for kind in kinds if (kind in named if named else kind not in still)] or kinds


def _collation_words(record: LedgerRecord) -> str:
    if record.conditions.cut:
        return record.conditions.cut
    train, val = record.conditions.train.plain, record.conditions.val.plain
    if val and not train:
        return "validation's batches are not its plain data"
    return "the batches of the two are not their plain data" if val else "training's batches are not its plain data"


def _residual_words(record: LedgerRecord) -> str:
    if not record.of_loop:
        return "reading the same again gives another number than was logged"
    parts = {part.id: part.value or 0.0 for part in record.term("residual").parts}
    side = "training" if abs(parts["training"]) >= abs(parts["validation"]) else "validation"
    if any(SWAPPED in fit.factor for fits in record.arithmetic.values() for fit in fits):
        return "the two reported losses may be swapped, for each is what the other side gives"
    named = {name: fits[0].factor.partition(":")[0] for name, fits in record.arithmetic.items() if len(fits) == 1}
    if len(named) > 1:
        return (
            f"both reported losses are what is read, training's {named['training']}, validation's {named['validation']}"
        )
    if side in named:
        return f"the reported {side} loss is {by_arithmetic(named[side])}"
    if side == "validation" and "val" in record.conditions.may_be_on:
        return "validation's loss is as in training mode, within the luck of its masks, and not as in evaluation mode"
    return f"the reported {side} loss is not what these weights give on these batches"


def _objective_words(record: LedgerRecord) -> str:
    train, val = record.conditions.train, record.conditions.val
    if record.of_loop:
        below = record.value("objective") < 0
        included = [part.id for part in record.term("objective").parts if (part.value or 0.0) < 0]
        if below and included:
            return f"training's loss includes {' and '.join(included)}"
        how = ", and ".join([*record.conditions.losses[:1], *drawn_on_one_side(record)])
        return f"the objectives of the two sides differ{f': {how}' if how else ''}"
    included = ["label smoothing"] if train.label_smoothing != val.label_smoothing else []
    included += ["weight decay"] if train.weight_decay_in_loss != val.weight_decay_in_loss else []
    return f"training's loss includes {' and '.join(included) or 'more'} and validation's does not"


def drawn_on_one_side(record: LedgerRecord) -> list[str]:
    """Say that one side's objective alone draws at random, as mixup does, which is part of what the two differ in."""
    drawn = [side for name, side in zip(("train", "val"), SIDES, strict=True) if name in record.conditions.random]
    return [f"{drawn[0]}'s draws at random (mixed samples, noise)"] if len(drawn) == 1 else []


def _timing_words(record: LedgerRecord) -> str:
    last, value = record.conditions.reports.train == "last", group_sum(record, "timing")
    if of_other_losses(record):
        return "the recorded training losses are not what the objective gives with their own weights"
    if abs(record.value("lag")) >= abs(record.value("recency")):
        return _lag_words(last=last, better=record.value("lag") < 0)
    if last:
        return f"the one training batch that was shown was {'harder' if value < 0 else 'easier'} than usual"
    recency = record.term("recency")
    if recency.low is not None and recency.high is not None and recency.low <= 0 <= recency.high:
        return "the logged training loss is of its own steps alone: of their batches, with the weights of then"
    how = "harder" if value < 0 else "easier"
    averages = f"the training loss averages batches that were {how} than earlier ones"
    return f"the last steps' batches are {how} than earlier ones" if data_moved(record) else averages


def _lag_words(*, last: bool, better: bool) -> str:
    """Say what the weights did since the training loss was taken."""
    if last:
        did = "improved" if better else "got worse"
        return f"the network has {did} on the training batch that was shown since its loss was taken"
    if better:
        return "the training loss is a mean over steps in which the network still improved"
    return "the final weights do worse on the logged training batches than the weights that these were logged with"


def data_moved(record: LedgerRecord) -> bool:
    """Say whether validation costs what the last steps' batches do and both cost clearly otherwise than earlier ones.

    So it is where training's data change as it goes on (rollouts of a policy, a curriculum), and no generalisation gap.
    """
    some = [record.term(name) for name in ("recency", "unseen")]
    halves = [(t.high - t.low) / 2 for t in some if t.low is not None and t.high is not None]
    if not record.of_loop or record.conditions.reports.train == "last" or len(halves) < len(some):
        return False
    off, (recency, unseen) = math.hypot(*halves), (term.value or 0.0 for term in some)
    opposite = recency * unseen < 0 and min(abs(recency), abs(unseen)) > off
    return opposite and abs(recency + unseen) <= off


def _data_causes(record: LedgerRecord) -> list[Cause]:
    """Return what the data make of the gap: where some of validation's were found in training, in two parts."""
    unseen, leak, part = record.term("unseen"), record.term("leak"), partly_seen(record)
    if not leak.value or not part or _made_otherwise(record):
        return [Cause("data", group_sum(record, "data"), _data_words(record), *spread(record, "data"))]
    rest = _easier_words(record) if (unseen.value or 0.0) < 0 else _unseen_words(record)
    return [
        Cause("unseen", unseen.value or 0.0, rest, unseen.low, unseen.high),
        Cause("leak", leak.value, part, leak.low, leak.high),
    ]


def partly_seen(record: LedgerRecord) -> str:
    """Say that some of validation's data are in training, too; empty where they are few, or most of them."""
    if seen_share(record) < FEW or mostly_seen(record):
        return ""
    documents = (FOREIGN if record.of_loop else OURS)["documents"]
    return f"{seen_share(record):.0%} of validation's {documents} are in training, too"


def _data_words(record: LedgerRecord) -> str:
    if made := _made_otherwise(record):
        return made
    if data_moved(record):
        cost = "more" if group_sum(record, "data") > 0 else "less"
        return f"validation costs {cost} than earlier training batches, as the last steps' do"
    if group_sum(record, "data") >= 0:
        not_looked_for = mostly_seen(record) or record.overlap is None
        return f"its {said_text(record)} is harder for this network" if not_looked_for else _unseen_words(record)
    return _easier_words(record) + (", and training has seen it" if mostly_seen(record) else "")


def _made_otherwise(record: LedgerRecord) -> str:
    """Say how batches are made otherwise on one side, which hides what else data differ in; "" where they are not."""
    above = group_sum(record, "data") >= 0
    if _masked_explains(record):
        masked = record.conditions.masked
        more = "more" if masked["val"] > masked["train"] else "fewer"
        return f"{more} of validation's losses are masked to 0, and these count"
    if record.conditions.unlike:
        cost = "more" if above else "less"
        first, *others = record.conditions.unlike
        return (f"validation's {said_text(record)} costs {cost} than training's, and its batches differ, too: "
                f"{first.partition(': ')[0]}{', and more' if others else ''}")  # fmt: skip
    if "train" in record.conditions.redrawn and not record.conditions.drawn_alike:
        cost = "less" if above else "more"
        return f"training's samples, drawn or augmented anew each pass, cost {cost} than validation's"
    return ""


def _easier_words(record: LedgerRecord) -> str:
    return f"validation's {said_text(record)} is easier than training's"


def _unseen_words(record: LedgerRecord) -> str:
    return f"the network does better on training {said_text(record)} than on {other_data(record)}"


def other_data(record: LedgerRecord) -> str:
    """Return what validation's data are called that were not found among training's."""
    return "other data" if record.conditions.by_value else f"unseen {said_text(record)}"


def _masked_explains(record: LedgerRecord) -> bool:
    """Say whether the difference in losses that are masked to 0 makes at least half of the data term, with its sign."""
    masked = record.conditions.masked
    if not masked or abs(masked["val"] - masked["train"]) <= MASKED or masked["train"] >= 1:
        return False
    made = record.matched.train * ((1 - masked["val"]) / (1 - masked["train"]) - 1)
    value = group_sum(record, "data")
    return made * value > 0 and abs(made) >= abs(value) / 2


def said_text(record: LedgerRecord) -> str:
    """Return what the data are called: text of a run of ours, data of a user's."""
    return (FOREIGN if record.of_loop else OURS)["text"]


def seen_share(record: LedgerRecord) -> float:
    """Return the share of validation's data that training holds, too; 0 where that was not looked for."""
    overlap = record.overlap
    return (overlap.exact + overlap.near) / max(1, overlap.val_documents) if overlap is not None else 0.0


def mostly_seen(record: LedgerRecord) -> bool:
    """Say whether training has seen so much of validation's data that its loss is no validation loss."""
    return seen_share(record) >= SEEN

"""All that is read for the ledger of two sides, while their model is in custody."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.explain import conditions, modes, seen
from diagnose.explain.custody import custody
from diagnose.explain.reading import Condition, Subject, Text, read, walk
from diagnose.explain.timing import replay
from diagnose.gap.modes import OTHER
from diagnose.gap.reading import only
from diagnose.stats import Reading

if TYPE_CHECKING:
    from torch import nn

    from diagnose.explain.conditions import Plan, Sides
    from diagnose.explain.recorder import Record
    from diagnose.explain.seen import Seen
    from diagnose.explain.side import Side
    from diagnose.explain.timing import Replayed

TRAIN_SHARE, VAL_SHARE, SEEN_SHARE = 0.5, 0.3, 0.2  # of the budget
OTHERS = 1 << 60  # added to the numbers of validation's samples: they are not training's
FEWEST_UNSEEN = 20


@dataclass(frozen=True)
class Budget:
    """How much may be read: seconds, or batches of each side."""

    seconds: float
    batches: int | None = None

    @classmethod
    def of(cls, given: float | str) -> Budget:
        """Parse seconds, or "100 batches".

        Raises:
            DiagnoseError: it is neither, or not above 0.
        """
        text = str(given).strip()
        number = text.removesuffix("batches").strip()
        try:
            value = float(number)
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf"):
            raise DiagnoseError(f"budget is {given!r}; give seconds (20) or '100 batches'")
        return cls(float("inf"), max(1, int(value))) if number != text else cls(value)


@dataclass(frozen=True)
class Measured:
    """What was read.

    Attributes:
        sides: the two conditions; plan: which readings divide their effect.
        train: the training batches under all of the plan's conditions, plain ones included.
        val: the validation batches (its plain ones where it has any) under validation's conditions.
        val_own: the validation batches as they are, where `val` is of plain ones; else the same.
        shown: the training and the validation batches that were reported on; None where not given.
        overlap: what validation's samples share with training's; None where that cannot be told (`why` says why).
        overlap_whole: whether all training batches were looked through.
        unseen: validation's unseen samples, by condition; None where there are too few.
        replayed: the recorded training steps, read again; None without a record.
        texts: all that was read, for the count of passes.
        seconds: that it took.
    """

    sides: Sides
    plan: Plan
    train: Text
    val: Text
    val_own: Text
    shown: tuple[Text | None, Text | None]
    overlap: Seen | None
    overlap_whole: bool
    unseen: dict[Condition, Reading] | None
    why: str
    replayed: Replayed | None
    texts: tuple[Text, ...]
    seconds: float

    @property
    def all_unseen(self) -> bool:
        """Whether no validation sample occurs in training."""
        found = self.overlap
        return found is not None and self.overlap_whole and len(found.unseen) == len(found.ids)

    @property
    def passes(self) -> float:
        """How often what was read ran through the model, on average."""
        return sum(t.passes * t.batches for t in self.texts) / sum(t.batches for t in self.texts)


def measure(model: nn.Module, train: Side, val: Side, budget: Budget, record: Record | None = None) -> Measured:
    """Read both sides under the conditions that divide their gap; the model comes back exactly as it was.

    Raises:
        DiagnoseError: a side or the model cannot be read.
    """
    begun = time.monotonic()
    loaders = [getattr(side, name) for side in (train, val) for name in ("batches", "reported_on", "plain")]
    with custody(model, loaders) as kept:
        subject = Subject(model, (train.objective, val.objective), kept)
        kinds = _kinds(subject, train)
        subject.kinds = frozenset(kinds)
        found = conditions.sides(train, val, kinds)
        plan = conditions.plan(found)
        read_train = _training(subject, train, plan, budget)
        wanted = list(dict.fromkeys([found.val, found.alike(on=False), found.alike(on=True)]))
        read_val, own = _validation(subject, val, wanted, found.val, budget)
        _refuse_mixed(read_train[-1], read_val)
        shown = tuple(_shown(subject, side, one) for side, one in ((train, found.train), (val, found.val)))
        replayed = None if record is None else replay(subject, record, train, found.train)
        overlap, whole, why = _overlap(train, val, read_train[0], read_val, budget)
    joined = replace(read_train[0], readings={k: v for text in read_train for k, v in text.readings.items()})
    unseen, said = _unseen(read_val, overlap, whole, why)
    texts = [*read_train, read_val, *([own] if own is not read_val else []), *(t for t in shown if t)]
    return Measured(
        found, plan, joined, read_val, own, (shown[0], shown[1]), overlap, whole, unseen, said, replayed,
        tuple(texts), time.monotonic() - begun,
    )  # fmt: skip


def _kinds(subject: Subject, train: Side) -> list[str]:
    """Return what training mode switches on, by trying on the first batch what modules' classes do not tell."""
    some, _ = walk(train.batches)
    first = next(some, None)
    if first is None:
        raise DiagnoseError("the training side yields no batch; give what yields its batches each time it is iterated")
    losses = []
    for on in (frozenset[str](), frozenset({OTHER})):
        precise = None if train.autocast is None else False  # rounding would make other kernels look like other losses
        condition = Condition(on, 0, precise, "mean")
        losses.append(subject.run(first[1], condition, 0, f"batch {first[0] + 1} of the training side").nats)
    other = modes.differs(*losses)
    return sorted(modes.known_kinds(subject.model) | ({OTHER} if other else set()))


def _training(subject: Subject, side: Side, plan: Plan, budget: Budget) -> list[Text]:
    """Return the training batches' readings, and those of its plain batches, renumbered where they do not match."""
    parts = [(side.batches, [c for c in plan.conditions if not c.plain], "the training side")]
    if side.plain is not None:
        parts.append((side.plain, [c for c in plan.conditions if c.plain], "the training side's plain batches"))
    seconds = TRAIN_SHARE * budget.seconds / len(parts)
    out = [read(subject, side, some, asked, name=name, seconds=seconds, most=budget.batches)
           for some, asked, name in parts if asked]  # fmt: skip
    if len(out) > 1 and (out[0].samples, out[0].batches) != (out[1].samples, out[1].batches):
        out[1] = _renumbered(out[1], OTHERS << 1)
    return out


def _validation(
    subject: Subject, side: Side, wanted: list[Condition], own: Condition, budget: Budget
) -> tuple[Text, Text]:
    seconds = VAL_SHARE * budget.seconds
    name, data = "the validation side", side.batches if side.plain is None else side.plain
    found = read(subject, side, data, wanted, name=name, seconds=seconds, most=budget.batches, stream="validation")
    found = _renumbered(found, OTHERS)
    if side.plain is None:
        return found, found
    as_is = read(
        subject, side, side.batches, [own], name=name, seconds=seconds, most=budget.batches, stream="validation"
    )
    same = (found.samples, found.batches) == (as_is.samples, as_is.batches)
    return found, _renumbered(as_is, OTHERS if same else OTHERS + (OTHERS << 1))


def _renumbered(text: Text, shift: int) -> Text:
    """Return a text whose numbered samples are told apart from others; named groups keep their names."""

    def moved(reading: Reading) -> Reading:
        ids = np.where(reading.documents < 0, reading.documents, reading.documents + shift)
        return Reading.of(reading.nats, reading.weights, ids)

    return replace(text, readings={condition: moved(reading) for condition, reading in text.readings.items()})


def _shown(subject: Subject, side: Side, own: Condition) -> Text | None:
    if side.reported_on is None:
        return None
    name = f"the {('training', 'validation')[own.objective]} side's reported_on"
    found = read(subject, side, side.reported_on, [own], name=name, seconds=float("inf"), stream="reported")
    return _renumbered(found, OTHERS << 1)


def _refuse_mixed(train: Text, val: Text) -> None:
    if train.scalar != val.scalar:
        kinds = {True: "a scalar", False: "the loss of each element"}
        raise DiagnoseError(
            f"the training side's objective returns {kinds[train.scalar]} and the validation side's "
            f"{kinds[val.scalar]}; both must be of one kind"
        )


def _overlap(train: Side, val: Side, read_train: Text, read_val: Text, budget: Budget) -> tuple[Seen | None, bool, str]:
    """Return what validation shares with training, whether all training batches were looked through, and why not."""
    if train.groups is not None and val.groups is not None:
        ids = [next(iter(text.readings.values())).documents for text in (read_train, read_val)]
        why = "" if read_train.complete else "not all training groups were read"
        return seen.by_group(*ids), read_train.complete, why
    data = [side.batches if side.plain is None else side.plain for side in (train, val)]
    known = seen.known(data[0], SEEN_SHARE * budget.seconds)
    if not known.wholes:
        return None, False, known.why
    found = seen.seen(data[1], known, read_val.batches)
    return replace(found, ids=found.ids + OTHERS), known.complete, known.why


def _unseen(val: Text, overlap: Seen | None, whole: bool, why: str) -> tuple[dict[Condition, Reading] | None, str]:
    """Return the readings of unseen samples, and what they are or why there are none."""
    if overlap is None or not whole:
        return None, why
    number = len(overlap.unseen)
    if number == len(overlap.ids):
        return dict(val.readings), f"none of {number:,} validation {val.unit}s occurs in training"
    if val.unit == "batch":
        return None, "the objective gives one number a batch, so its seen samples cannot be told from the others"
    if val.unit == "group" and overlap.ids[0] >= 0:
        return None, "only one side has groups, so its seen samples cannot be told from the others"
    some = {condition: only(reading, overlap.unseen) for condition, reading in val.readings.items()}
    out = {condition: reading for condition, reading in some.items() if reading is not None}
    if number < FEWEST_UNSEEN or len(out) < len(some):
        return None, f"{number or 'none'} of {len(overlap.ids):,} validation samples {_are(number)} unseen, too few"
    return out, f"{number:,} of {len(overlap.ids):,} validation {val.unit}s, which do not occur in training"


def _are(number: int) -> str:
    return "is" if number in (0, 1) else "are"

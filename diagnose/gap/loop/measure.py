"""All that is read for the ledger of two sides, while their model is guarded."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diagnose.gap.loop import noticed, sample_identity, setting
from diagnose.gap.loop.averaged import as_reported
from diagnose.gap.loop.batching import order_luck
from diagnose.gap.loop.cut_rows import uncut
from diagnose.gap.loop.guard import guarded
from diagnose.gap.loop.loss_calls import differ
from diagnose.gap.loop.order import order_tells
from diagnose.gap.loop.other_means import in_any_order
from diagnose.gap.loop.other_objective import with_other_objective
from diagnose.gap.loop.other_precision import with_other_precision
from diagnose.gap.loop.reached import other_modules
from diagnose.gap.loop.reading_setup import GivenSides, ReadingSetup, given_sides, reading_setup
from diagnose.gap.loop.readings import Subject
from diagnose.gap.loop.redrawn import DRAWN_ANEW, drawn_alike
from diagnose.gap.loop.shared import SharedSamples
from diagnose.gap.loop.side_readings import (
    SAME_EACH_TIME,
    VAL_SHARE,
    distinct_samples,
    over_masks,
    read_reported,
    read_training,
    read_validation,
)
from diagnose.gap.loop.unseen import unseen_readings
from diagnose.gap.loop.walking import drawn_apart
from diagnose.gap.measurements import Measurements
from diagnose.gap.recorder import ranks
from diagnose.gap.recorder.timing import replay

if TYPE_CHECKING:
    from torch import nn

    from diagnose.gap.conditions import ReadingPlan, SideConditions
    from diagnose.gap.loop.reading_budget import ReadingBudget
    from diagnose.gap.measurements import BatchReadings, Replayed
    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.side import Side

SEEN_SHARE = 0.2  # of the budget
APART = "they are built otherwise, so that what the two objectives differ in is not told from the data"


@dataclass(frozen=True)
class _Read:
    """What one process reads, before it is joined with others': nothing in it is bound to the process."""

    sides: SideConditions
    plan: ReadingPlan
    train: tuple[BatchReadings, ...]
    val: tuple[BatchReadings, ...]
    shown: tuple[BatchReadings | None, BatchReadings | None]
    replayed: Replayed | None
    known: sample_identity.Known | None
    random: frozenset[int]
    masked: frozenset[int]
    notes: tuple[str, ...]
    redrawn: frozenset[int]
    shuffled: frozenset[int]
    as_taken: frozenset[int]
    may_be: frozenset[int]
    in_training_alone: bool
    losses: tuple[str, ...]
    fixed: bool
    order: float

    @property
    def unsteady(self) -> frozenset[int]:
        """The sides whose loss is another each time it is read."""
        return self.random | self.redrawn | (self.shuffled & {1})


def measure(
    model: nn.Module, train: Side, val: Side, budget: ReadingBudget, record: Recording | None = None
) -> Measurements:
    """Read both sides under the conditions that divide their gap; the model comes back exactly as it was.

    Raises:
        DiagnoseError: a side or the model cannot be read.
    """
    begun = time.monotonic()
    loaders = [getattr(side, name) for side in (train, val) for name in ("batches", "reported_on", "plain")]
    model = ranks.unwrapped(model)
    budget = budget.in_step(model)
    own = tuple(None if side.model is None else ranks.unwrapped(side.model) for side in (train, val))
    reached = {k: v for side in (train, val) for k, v in other_modules(side.objective, model).items()}
    others = {id(m): m for m in (*own, *reached.values()) if m is not None and m is not model}
    with guarded(model, loaders, list(others.values())) as guard, drawn_apart(val.batches, train.batches):
        given = given_sides(train, val, model)
        guard.restore()  # what reading cut rows wrote
        objectives = given.train.objective, given.val.objective
        reached = {k: v for k, v in reached.items() if all(v is not m for m in own)}

        def read_all() -> tuple[Subject, _Read]:
            goes_on = train.reported is not None or val.reported is not None
            subject = Subject(model, objectives, guard, own=(own[0], own[1]), reached=reached, skips=goes_on)
            return subject, _joined(ranks.together(lambda: _read(subject, given, budget, record)))

        subject, readings = read_all()
        *sides, averaged = as_reported(
            (given.train, given.val), (readings.sides.train, readings.sides.val),
            (readings.train[0], readings.val[-1]),
            readings.unsteady | {k for k in range(2) if given.luck[k]} | ({0} if record is not None else set()),
        )  # fmt: skip
        if averaged and not ranks.several():  # each may report its own
            given = replace(given, train=sides[0], val=sides[1], notes=(*given.notes, *averaged))
            subject, readings = read_all()
        measured = _compared(subject, readings, given)
    return replace(measured, seconds=time.monotonic() - begun)


def _compared(subject: Subject, readings: _Read, given: GivenSides) -> Measurements:
    """Compare the samples of both sides, and return all that was read."""
    train, val, sides = given.train, given.val, readings.sides
    both = readings.train[0], readings.val[0]
    shared = SharedSamples(subject, uncut(val), readings.known, both, sides.val.objective)
    overlap, whole, why = shared.overlap()
    same = _is_one(train, val, readings) or shared.same_as(uncut(train))
    unlike = (
        *noticed.unlike(train, val, (readings.train[0], readings.val[-1]), subject.selectors.values()),
        *shared.relabelled(overlap),
        *([APART] if subject.apart else []), *order_tells(subject, (train, val), sides),
    )  # fmt: skip
    repeats = [] if given.sampler else noticed.repeats(train, "training")
    repeated = [*repeats, *_repeated(val, readings, shared, given.luck[1])]
    readings = replace(readings, train=_beside(readings.train, readings.val), val=_beside(readings.val, readings.train))
    under_all = {condition: reading for text in readings.train for condition, reading in text.readings.items()}
    known = readings.known
    by_value = known is not None and (known.alike or known.layout.by_value)
    repeated += [shared.how_compared(uncut(train))] if by_value and overlap is not None else []
    unseen, unseen_why = unseen_readings(readings.val[0], overlap, whole, why, by_value=by_value)
    return Measurements(
        sides=sides, plan=readings.plan,
        train=replace(readings.train[0], readings=under_all), val=readings.val[0], val_own=readings.val[-1],
        shown=readings.shown, texts=(*readings.train, *readings.val, *(text for text in readings.shown if text)),
        overlap=overlap, overlap_whole=whole, unseen=unseen, why=unseen_why, by_value=by_value,
        replayed=readings.replayed, seconds=0.0, notes=(*given.notes, *readings.notes, *repeated), unlike=unlike,
        random=readings.random, masked=readings.masked, redrawn=readings.redrawn, shuffled=readings.shuffled,
        fixed=readings.fixed, order=readings.order, luck=given.luck, cut=given.cut, losses=readings.losses,
        as_taken=readings.as_taken, may_be=readings.may_be,
        in_training_alone=readings.in_training_alone, same_samples=same, same_data=same and sides.mixed,
        drawn_alike=drawn_alike(train.batches, val.batches) if len(readings.redrawn) > 1 else "",
    )  # fmt: skip


def _is_one(train: Side, val: Side, found: _Read) -> bool:
    """Say whether both sides are the very same batches under one objective, and the same each time."""
    return train.batches is val.batches and train.objective is val.objective and not found.redrawn


def _repeated(val: Side, found: _Read, shared: SharedSamples, luck: float) -> list[str]:
    """Say that validation's samples are repeated: by its sampler, or else in its data; drawn anew they may well be."""
    by_sampler = noticed.repeats(val, "validation")
    if by_sampler or 1 in found.redrawn or luck:
        return by_sampler
    return shared.repeated(found.val[-1].readings[found.sides.val])


def _beside(texts: tuple[BatchReadings, ...], others: tuple[BatchReadings, ...]) -> tuple[BatchReadings, ...]:
    """Return what was read with the number of the other side's batches, where all of them were read."""
    number = others[-1].batches if others[-1].complete else 0
    return tuple(replace(text, beside=number) for text in texts)


def _read(subject: Subject, given: GivenSides, budget: ReadingBudget, record: Recording | None) -> _Read:
    """Read all that this process has."""
    setup = reading_setup(subject, given.train, given.val, given.luck)
    train, val, sides, layout = setup.train, setup.val, setup.sides, setup.layout
    distinct = distinct_samples(subject, layout, 0)
    read_train = read_training(subject, train, setup.plan, budget, layout, setup.batching, distinct)
    wanted = list(dict.fromkeys([sides.end, sides.val, sides.matched(on=False), sides.matched(on=True)]))
    if record is None:  # which has the very masks of its steps
        read_train[0] = over_masks(subject, train, read_train[0], sides.train, layout)
    read_val = [*read_validation(subject, val, wanted, (sides.val, sides.end), budget, layout)]
    seconds = VAL_SHARE * budget.seconds
    for tried in (with_other_precision, with_other_objective):
        read_train[0] = tried(subject, train, read_train[0], sides.train, "the training side", seconds)
        read_val[-1] = tried(subject, val, read_val[-1], sides.val, "the validation side", seconds)
    reported_on = (read_reported(subject, train, sides.train), read_reported(subject, val, sides.val))
    replayed = None if record is None else replay(subject, record, train, sides.train, distinct)
    known = _known(subject, setup, budget) if train.groups is None or val.groups is None else None
    losses = read_train[0].readings[sides.train].mean, read_val[-1].readings[sides.val].mean
    noticed_once = noticed.once_read(subject, (train, val), losses, (read_train[0], read_val[-1]))
    for number in setup.shuffled:
        texts = (read_train, read_val)[number]
        texts[:] = [replace(text, likely=in_any_order(text.likely)) for text in texts]
    fixed = 0 not in setup.shuffled | setup.redrawn | subject.random and set(sides.train.on) <= SAME_EACH_TIME
    order = order_luck(subject, train, read_train[0], sides) if 0 in setup.shuffled else 1.0
    return _Read(
        sides=sides, plan=setup.plan, train=tuple(read_train), val=tuple(read_val), shown=reported_on,
        replayed=replayed, known=known,
        random=frozenset(subject.random), masked=frozenset(subject.masked), notes=(*setup.notes, *noticed_once),
        redrawn=setup.redrawn, shuffled=setup.shuffled if order else setup.shuffled - {0},
        as_taken=setup.as_taken, may_be=setup.may_be,
        in_training_alone=bool(subject.structural) and not subject.needing.isdisjoint({1, sides.val.objective}),
        fixed=fixed, order=order,
        losses=(*setting.differences(subject, read_train[0], sides), *differ(subject.calls)),
    )  # fmt: skip


def _known(subject: Subject, setup: ReadingSetup, budget: ReadingBudget) -> sample_identity.Known:
    """Look at which samples training has, so that validation's can be looked up among them."""
    known = sample_identity.known(
        uncut(setup.train), SEEN_SHARE * budget.seconds, budget.batches, val=uncut(setup.val),
        chosen=lambda batch: subject.rows(batch, setup.sides.train.objective),
    )  # fmt: skip
    return replace(known, complete=False, why=DRAWN_ANEW) if 0 in setup.redrawn and known.complete else known


def _joined(every: list[_Read]) -> _Read:
    """Return what all processes read, as one."""
    first = every[0]
    if len(every) == 1:
        return first

    def reported_on(side: int) -> BatchReadings | None:
        some = [text for process in every if (text := process.shown[side]) is not None]
        return ranks.joined(some) if some else None

    known = [process.known for process in every if process.known is not None]
    replayed = [process.replayed for process in every if process.replayed is not None]
    return replace(
        first,
        train=tuple(ranks.joined(some) for some in zip(*(process.train for process in every), strict=True)),
        val=tuple(ranks.joined(some) for some in zip(*(process.val for process in every), strict=True)),
        shown=(reported_on(0), reported_on(1)),
        replayed=ranks.replayed(replayed) if replayed else None,
        known=ranks.known(known) if known else None,
    )

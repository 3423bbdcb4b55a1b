"""All that is read for the ledger of two sides, while their model is guarded."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gap import conditions
from diagnose.gap.intervals import ENOUGH
from diagnose.gap.loop import noticed, sample_identity, sample_parts, setting
from diagnose.gap.loop.apart import each_its_own
from diagnose.gap.loop.averaged import as_reported
from diagnose.gap.loop.batching import batching_of, order_luck
from diagnose.gap.loop.cut_rows import as_is, cut_alike, cut_notes, uncut
from diagnose.gap.loop.guard import guarded
from diagnose.gap.loop.habits import notice_habits
from diagnose.gap.loop.loss_calls import LossCalls, differ
from diagnose.gap.loop.mode_by_loss import ModeTold, mode_of
from diagnose.gap.loop.order import order_tells
from diagnose.gap.loop.other_means import in_any_order
from diagnose.gap.loop.other_objective import with_other_objective
from diagnose.gap.loop.other_precision import with_other_precision
from diagnose.gap.loop.reached import other_modules
from diagnose.gap.loop.readings import Subject, read
from diagnose.gap.loop.redrawn import DRAWN_ANEW, is_redrawn, is_shuffled, sampler_of, transformed, unweighted
from diagnose.gap.loop.resampled import draw_luck, luck_notes
from diagnose.gap.loop.second_model import with_second_model
from diagnose.gap.loop.shared import OTHERS, SharedSamples
from diagnose.gap.loop.unseen import unseen_readings
from diagnose.gap.loop.walking import walk
from diagnose.gap.measurements import Measurements
from diagnose.gap.recorder import ranks
from diagnose.gap.recorder.timing import replay
from diagnose.gap.term import SIDES
from diagnose.stats import Reading
from diagnose.stats.crossed import t_quantile

if TYPE_CHECKING:
    from torch import nn

    from diagnose.gap.conditions import Condition, ReadingPlan, SideConditions
    from diagnose.gap.loop.batching import SideBatching
    from diagnose.gap.loop.reading_budget import ReadingBudget
    from diagnose.gap.loop.sample_parts import SampleLayout
    from diagnose.gap.measurements import BatchReadings, Replayed
    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.side import Side

TRAIN_SHARE, VAL_SHARE, SEEN_SHARE = 0.5, 0.3, 0.2  # of the budget
APART = "they are built otherwise, so that what the two objectives differ in is not told from the data"
SAME_EACH_TIME = {"batch norm"}  # kinds of training mode that draw nothing
MASKS = 64  # batches with masks of their own that are read where there are fewer than `ENOUGH`: their luck is skewed
REPEATS = 8  # readings of a reported batch whose loss is random in evaluation mode


@dataclass(frozen=True)
class _Read:
    """What one process reads, before it is joined with others'."""

    sides: SideConditions
    plan: ReadingPlan
    train: tuple[BatchReadings, ...]
    val: tuple[BatchReadings, ...]
    shown: tuple[BatchReadings | None, BatchReadings | None]
    replayed: Replayed | None
    known: sample_identity.Known | None
    random: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()
    redrawn: frozenset[int] = frozenset()
    masked: frozenset[int] = frozenset()
    as_taken: frozenset[int] = frozenset()
    shuffled: frozenset[int] = frozenset()
    losses: tuple[str, ...] = ()
    may_be: frozenset[int] = frozenset()
    fixed: bool = False
    order: float = 0.0

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
    models = tuple(None if side.model is None else ranks.unwrapped(side.model) for side in (train, val))
    reached = {k: v for side in (train, val) for k, v in other_modules(side.objective, model).items()}
    others = {id(m): m for m in (*models, *reached.values()) if m is not None and m is not model}
    with guarded(model, loaders, list(others.values())) as guard:
        drawn = unweighted(train.batches)
        sampler = "" if drawn is None else type(sampler_of(train.batches)).__name__
        given = train.plain is not None
        luck = (2.0 if drawn is not None else draw_luck(train.batches), draw_luck(val.batches))
        both_drawn = drawn, None if val.plain is not None else unweighted(val.batches)
        train, val = _with_plain(train, val, drawn), val if both_drawn[1] is None else replace(val, plain=both_drawn[1])
        train, val, cut = cut_alike(train, val)
        taken = cut_notes((train, val)) if given or cut else setting.plain_notes(train, sampler)
        taken += [setting.sampler_note("validation", type(sampler_of(val.batches)).__name__)] if both_drawn[1] else []
        taken += luck_notes((train, val), (0.0 if taken else luck[0], luck[1]))
        reached = {k: v for k, v in reached.items() if all(v is not m for m in models)}
        objectives = train.objective, val.objective

        def read_all() -> tuple[Subject, _Read]:
            subject = Subject(model, objectives, guard, own=(models[0], models[1]), reached=reached)
            return subject, _joined(ranks.together(lambda: _read(subject, train, val, budget, record, luck)))

        subject, readings = read_all()
        *sides, averaged = as_reported(
            (train, val), (readings.sides.train, readings.sides.val), (readings.train[0], readings.val[-1]),
            readings.unsteady | {k for k in range(2) if luck[k]} | ({0} if record is not None else set()),
        )  # fmt: skip
        if averaged and not ranks.several():  # each may report its own
            (train, val), taken = sides, [*taken, *averaged]
            subject, readings = read_all()
        both = readings.train[0], readings.val[0]
        shared = SharedSamples(subject, uncut(val), readings.known, both, readings.sides.val.objective)
        overlap, whole, why = shared.overlap()
        same = _is_one(train, val, readings) or shared.same_as(uncut(train))
        unlike = (
            *noticed.unlike(train, val, (readings.train[0], readings.val[-1])), *shared.relabelled(overlap),
            *([APART] if subject.apart else []), *order_tells(subject, (train, val), readings.sides),
        )  # fmt: skip
        repeats = [] if sampler else noticed.repeats(train, "training")
        repeated = [*repeats, *_repeated(val, readings, shared, luck[1])]
        known = readings.known
        by_value = known is not None and (known.alike or known.layout.by_value)
        repeated += [shared.how_compared(uncut(train))] if by_value and overlap is not None else []
    readings = replace(readings, train=_beside(readings.train, readings.val), val=_beside(readings.val, readings.train))
    under_all = {condition: reading for text in readings.train for condition, reading in text.readings.items()}
    unseen, unseen_why = unseen_readings(readings.val[0], overlap, whole, why, by_value=by_value)
    texts = (*readings.train, *readings.val, *(text for text in readings.shown if text))
    return Measurements(
        readings.sides, readings.plan, replace(readings.train[0], readings=under_all), readings.val[0],
        readings.val[-1], readings.shown, overlap, whole, unseen, unseen_why, readings.replayed, texts,
        time.monotonic() - begun, readings.random, (*taken, *readings.notes, *repeated), readings.redrawn, unlike,
        readings.masked, readings.as_taken, readings.shuffled, luck, by_value,
        readings.losses, same and readings.sides.mixed, readings.may_be, same, readings.fixed, readings.order, cut,
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


def _with_plain(train: Side, val: Side, drawn: Any | None) -> Side:
    """Return training's side with its data without a repeating sampler, or as validation's transform makes them."""
    if train.plain is not None:
        return train
    return replace(train, plain=transformed(train.batches, val.batches) if drawn is None else drawn)


def _read(
    subject: Subject, train: Side, val: Side, budget: ReadingBudget, record: Recording | None, luck: tuple[float, float]
) -> _Read:
    """Read all that this process has; `luck` is that of each side's sampler."""
    redrawn = frozenset(k for k, side in enumerate((train, val)) if as_is(side) and is_redrawn(side.batches))
    shuffled = frozenset(k for k, side in enumerate((train, val)) if is_shuffled(side.batches))
    train, val, switched = notice_habits(subject, train, val)
    train, val, own_only = each_its_own(subject, train, val)
    train, val, second = with_second_model(subject, train, val)
    kinds, notes = setting.kinds_of(subject, train)
    setting.need_training_too(subject, val)
    notes += [*switched, *own_only, *([second] if second else []), *setting.redrawn_notes(redrawn)]
    subject.kinds = frozenset(kinds)
    sides = conditions.sides(train, val, kinds, bound=bool(second))
    notes += setting.weigh_losses(
        subject, [(train, sides.train, "training"), (val, replace(sides.val, plain=False), "validation")]
    )
    anew = redrawn | {k for k in range(2) if luck[k]}
    train, val, told, may_be, mode_notes = _as_taken(subject, train, val, sides, anew)
    notes += mode_notes
    sides = conditions.sides(train, val, kinds, bound=bool(second))
    same = sample_parts.layout((b for _, b in walk(train.batches)[0]), next((b for _, b in walk(val.batches)[0]), None))
    for side, condition, name in ((train, sides.train, "training"), (val, sides.val, "validation")):
        _try(subject, side, condition, name)
    batching = batching_of(subject, train, val, sides)
    sides = conditions.sides(train, val, kinds, batching=bool(batching.sources), mixed=batching.mixed,
                             scalar=batching.scalar, bound=bool(second))  # fmt: skip
    plan = conditions.plan(sides)
    notes += [*batching.notes, *setting.notes_of(subject)]
    distinct = _distinct(subject, same, 0)
    read_train = _training(subject, train, plan, budget, same, batching, distinct)
    wanted = list(dict.fromkeys([sides.end, sides.val, sides.matched(on=False), sides.matched(on=True)]))
    if record is None:  # which has the very masks of its steps
        read_train[0] = _drawn_again(subject, train, read_train[0], sides.train, same)
    read_val = [*_validation(subject, val, wanted, (sides.val, sides.end), budget, same)]
    seconds = VAL_SHARE * budget.seconds
    for tried in (with_other_precision, with_other_objective):
        read_train[0] = tried(subject, train, read_train[0], sides.train, "the training side", seconds)
        read_val[-1] = tried(subject, val, read_val[-1], sides.val, "the validation side", seconds)
    reported_on = (_shown(subject, train, sides.train), _shown(subject, val, sides.val))
    replayed = None if record is None else replay(subject, record, train, sides.train, distinct)
    known = _known(subject, train, val, sides, budget) if train.groups is None or val.groups is None else None
    if known is not None and 0 in redrawn and known.complete:
        known = replace(known, complete=False, why=DRAWN_ANEW)
    losses = read_train[0].readings[sides.train].mean, read_val[-1].readings[sides.val].mean
    notes += noticed.once_read(subject, (train, val), losses, (read_train[0], read_val[-1]))
    for number in shuffled:
        texts = (read_train, read_val)[number]
        texts[:] = [replace(text, likely=in_any_order(text.likely)) for text in texts]
    fixed = 0 not in shuffled | redrawn | subject.random and set(sides.train.on) <= SAME_EACH_TIME
    order = order_luck(subject, train, read_train[0], sides) if 0 in shuffled else 1.0
    if not order:
        shuffled -= {0}
    return _Read(
        sides, plan, tuple(read_train), tuple(read_val), reported_on, replayed, known, frozenset(subject.random),
        tuple(notes), redrawn, frozenset(subject.masked), told, shuffled,
        (*setting.differences(subject, read_train[0], sides), *differ(subject.calls)), may_be, fixed, order,
    )  # fmt: skip


def _known(
    subject: Subject, train: Side, val: Side, sides: SideConditions, budget: ReadingBudget
) -> sample_identity.Known:
    """Look at which samples training has, so that validation's can be looked up among them."""
    return sample_identity.known(
        uncut(train), SEEN_SHARE * budget.seconds, budget.batches, val=uncut(val),
        chosen=lambda batch: subject.rows(batch, sides.train.objective),
    )  # fmt: skip


def _as_taken(
    subject: Subject, train: Side, val: Side, sides: SideConditions, redrawn: frozenset[int]
) -> tuple[Side, Side, frozenset[int], frozenset[int], list[str]]:
    """Return the sides in the modes that their losses were really taken in, which these are or may be, and notes."""
    both = sides.train, replace(sides.val, plain=False)
    every = [
        ModeTold(side) if k in redrawn else mode_of(subject, side, condition, sides.kinds, SIDES[k])
        for k, (side, condition) in enumerate(zip((train, val), both, strict=True))
    ]
    told = frozenset(k for k, side in enumerate((train, val)) if side.mode != every[k].side.mode)
    may_be = frozenset(k for k, mode in enumerate(every) if mode.open)
    return every[0].side, every[1].side, told, may_be, [mode.note for mode in every if mode.note]


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


def _distinct(subject: Subject, same: SampleLayout, side: int) -> sample_identity.DistinctSamples:
    return sample_identity.DistinctSamples(same, lambda batch: subject.rows(batch, side))


def _try(subject: Subject, side: Side, own: Condition, name: str) -> None:
    """Refuse a side whose loss does not depend on the model."""
    number, batch = setting.first_batch(side, name)
    where = f"batch {number + 1} of the {name} side"
    with LossCalls() as subject.calls[own.objective]:
        subject.refuse_constant(batch, own, where)
    subject.select(batch, own, where, int(name == "validation"))
    setting.notice_randomness(subject, batch, own, where)
    if setting.is_masked(subject, batch, own, where):
        subject.masked.add(own.objective)


def _training(
    subject: Subject,
    side: Side,
    plan: ReadingPlan,
    budget: ReadingBudget,
    same: SampleLayout,
    batching: SideBatching,
    distinct: sample_identity.DistinctSamples,
) -> list[BatchReadings]:
    """Return the training batches' readings, and those of its plain batches, renumbered where they do not match."""
    table = {(False, False): (side.batches, "the training side"),
             (True, False): (side.plain, "the training side's plain batches"),
             **{(plain, True): (some, "the training side, batched as validation is")
                for plain, some in batching.sources.items()}}  # fmt: skip
    parts = [(some, asked, name) for (plain, anew), (some, name) in table.items()
             if (asked := [c for c in plan.conditions if (c.plain, c.batching) == (plain, anew)])]  # fmt: skip
    seconds = TRAIN_SHARE * budget.seconds / len(parts)
    out = [read(subject, side, some, asked, name=name, seconds=seconds, most=budget.batches,
                distinct=_distinct(subject, same, 0) if k else distinct, owner=0)
           for k, (some, asked, name) in enumerate(parts) if asked]  # fmt: skip
    first = out[0]
    for k, (_, asked, _) in enumerate(parts):
        alike = (first.samples, first.batches) == (out[k].samples, out[k].batches) or not asked[0].plain
        out[k] = out[k] if alike else _renumbered(out[k], OTHERS << 1)
    return out


def _validation(
    subject: Subject,
    side: Side,
    wanted: list[Condition],
    own: tuple[Condition, Condition],
    budget: ReadingBudget,
    same: SampleLayout,
) -> tuple[BatchReadings, ...]:
    """Return the validation batches' readings: of its plain ones, and as they are, where it has plain ones."""
    seconds = VAL_SHARE * budget.seconds
    name, data = "the validation side", side.batches if side.plain is None else side.plain
    keys: dict[str, Any] = {
        "name": name, "seconds": seconds, "most": budget.batches, "stream": "validation",
        "distinct": _distinct(subject, same, own[0].objective), "owner": 1 if own[0].objective else None,
    }  # fmt: skip
    readings = _renumbered(read(subject, side, data, wanted, **keys), OTHERS)
    if side.plain is None:
        return (readings,)
    keys["distinct"] = _distinct(subject, same, own[0].objective)
    as_is = read(subject, side, side.batches, list(dict.fromkeys(own)), **keys)
    alike = (readings.samples, readings.batches) == (as_is.samples, as_is.batches)
    return readings, _renumbered(as_is, OTHERS if alike else OTHERS + (OTHERS << 1))


def _renumbered(text: BatchReadings, shift: int) -> BatchReadings:
    """Return a text whose numbered samples are told apart from others; named groups keep their names."""

    def moved(reading: Reading) -> Reading:
        ids = np.where(reading.documents < 0, reading.documents, reading.documents + shift)
        return Reading.of(reading.nats, reading.weights, ids)

    return replace(text, readings={condition: moved(reading) for condition, reading in text.readings.items()})


def _shown(subject: Subject, side: Side, own: Condition) -> BatchReadings | None:
    if side.reported_on is None:
        return None
    name = f"the {('training', 'validation')[own.objective]} side's reported_on"
    random = own.objective in subject.random or (not own.objective and 0 in subject.random)
    streams = ["reported", *(f"reported {k}" for k in range(1, REPEATS if random else 1))]
    some = [read(subject, side, side.reported_on, [own], name=name, seconds=float("inf"), stream=s) for s in streams]
    readings = _renumbered(some[0], OTHERS << 1)
    return readings if len(some) == 1 else _averaged(readings, some, own)


def _drawn_again(
    subject: Subject, side: Side, found: BatchReadings, own: Condition, same: SampleLayout
) -> BatchReadings:
    """Return training's readings over several draws of masks, where batches are too few to tell the luck of these."""
    if not found.complete or found.batches >= ENOUGH or set(own.on) <= SAME_EACH_TIME or side.reported_on is not None:
        return found
    again = [
        read(subject, side, side.batches, list(found.readings), name="the training side", seconds=float("inf"),
             distinct=_distinct(subject, same, 0), owner=0, stream=f"masks {k}")
        for k in range(1, max(REPEATS, MASKS // found.batches))
    ]  # fmt: skip
    return _averaged(found, [found, *again], own)


def _averaged(found: BatchReadings, every: list[BatchReadings], own: Condition) -> BatchReadings:
    """Return what was read several times with other random numbers as one, and how far one reading lies off."""
    mean = {
        condition: Reading.of(
            sum(text.readings[condition].nats for text in every) / len(every), reading.weights, reading.documents
        )
        for condition, reading in found.readings.items()
    }
    means = np.array([text.readings[own].mean for text in every])
    half = float(t_quantile(0.95, len(means) - 1) * means.std(ddof=1) * (1 + 1 / len(means)) ** 0.5)
    return replace(found, readings=mean, luck=half, draws=len(every))

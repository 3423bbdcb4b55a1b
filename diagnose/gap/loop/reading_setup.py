"""How two sides are read: what they were given for, in which modes, and under which conditions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.gap import conditions
from diagnose.gap.loop import sample_parts, setting
from diagnose.gap.loop.apart import each_its_own
from diagnose.gap.loop.batching import batching_of
from diagnose.gap.loop.cut_rows import as_is, cut_alike, cut_notes
from diagnose.gap.loop.habits import notice_habits
from diagnose.gap.loop.loss_calls import LossCalls
from diagnose.gap.loop.mode_by_loss import ModeTold, mode_of
from diagnose.gap.loop.redrawn import is_redrawn, is_shuffled, plain_batches, sampler_of, unweighted
from diagnose.gap.loop.resampled import draw_luck, luck_notes
from diagnose.gap.loop.second_model import with_second_model
from diagnose.gap.loop.walking import walk
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from torch import nn

    from diagnose.gap.conditions import Condition, ReadingPlan, SideConditions
    from diagnose.gap.loop.batching import SideBatching
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.loop.sample_parts import SampleLayout
    from diagnose.gap.side import Side


LOOKED = 4  # batches of a side on which it is seen which losses are taken


@dataclass(frozen=True)
class GivenSides:
    """The two sides as they are read.

    Attributes:
        train, val: each with plain data, where a sampler repeats its samples or rows were cut to the same length.
        luck: of training's and of validation's sampler, as `draw_luck`.
        sampler: the name of training's sampler that repeats samples; "" without one.
        notes: what a reader should know of it.
        cut: how long rows are on either side, where one side's were cut to the other's.
    """

    train: Side
    val: Side
    luck: tuple[float, float]
    sampler: str
    notes: tuple[str, ...]
    cut: str


def given_sides(train: Side, val: Side, model: nn.Module) -> GivenSides:
    """Give each side plain data where its loader has a sampler that repeats, or cuts its rows otherwise."""
    drawn = unweighted(train.batches)
    sampler = "" if drawn is None else type(sampler_of(train.batches)).__name__
    plain_given = train.plain is not None
    luck = (2.0 if drawn is not None else draw_luck(train.batches), draw_luck(val.batches))
    val_drawn = None if val.plain is not None else unweighted(val.batches)
    train = replace(train, plain=plain_batches(train, val))
    val = val if val_drawn is None else replace(val, plain=val_drawn)
    train, val, cut = cut_alike(train, val, model)
    notes = cut_notes((train, val)) if plain_given or cut else setting.plain_notes(train, sampler)
    if val_drawn is not None:
        notes += [setting.sampler_note("validation", type(sampler_of(val.batches)).__name__)]
    notes += luck_notes((train, val), (0.0 if notes else luck[0], luck[1]))
    return GivenSides(train, val, luck, sampler, tuple(notes), cut)


@dataclass(frozen=True)
class ReadingSetup:
    """Under which conditions two sides are read.

    Attributes:
        train, val: the sides in the modes in which their losses were taken.
        sides: the two conditions; plan: which readings divide their effect.
        batching: how training's batches are put together as validation's are.
        layout: where the samples are in a batch.
        redrawn, shuffled: the sides whose loaders yield other samples each time, or put them into other batches.
        as_taken: the sides whose mode was told by their reported loss; may_be: those whose mode that leaves open.
        notes: what a reader should know of it.
    """

    train: Side
    val: Side
    sides: SideConditions
    plan: ReadingPlan
    batching: SideBatching
    layout: SampleLayout
    redrawn: frozenset[int]
    shuffled: frozenset[int]
    as_taken: frozenset[int]
    may_be: frozenset[int]
    notes: tuple[str, ...]


def reading_setup(subject: Subject, train: Side, val: Side, luck: tuple[float, float]) -> ReadingSetup:
    """Find out how the losses of two sides were taken; `luck` is that of each side's sampler.

    Raises:
        DiagnoseError: a side or the model cannot be read.
    """
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
    notes += [*batching.notes, *setting.notes_of(subject)]
    return ReadingSetup(
        train, val, sides, conditions.plan(sides), batching, same, redrawn, shuffled, told, may_be, tuple(notes)
    )


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


def _see_more(subject: Subject, side: Side, own: Condition, name: str) -> None:
    """Run an objective on further batches, for losses that it takes by turns."""
    for number, batch in islice(walk(side.batches)[0], 1, LOOKED):
        with suppress(DiagnoseError):
            subject.run(batch, own, number, f"batch {number + 1} of the {name} side")


def _try(subject: Subject, side: Side, own: Condition, name: str) -> None:
    """Refuse a side whose loss does not depend on the model."""
    number, batch = setting.first_batch(side, name)
    where = f"batch {number + 1} of the {name} side"
    with LossCalls() as subject.calls[own.objective]:
        subject.refuse_constant(batch, own, where)
        _see_more(subject, side, own, name)
    subject.select(batch, own, where, int(name == "validation"))
    setting.notice_randomness(subject, batch, own, where)
    if setting.is_masked(subject, batch, own, where):
        subject.masked.add(own.objective)

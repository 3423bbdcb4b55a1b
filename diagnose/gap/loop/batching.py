"""How the two sides are batched, where a loss depends on the other samples of its batch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.errors import DiagnoseError
from diagnose.gap.loop import modes
from diagnose.gap.loop.elements import samples_of
from diagnose.gap.loop.mode_kinds import NORMS
from diagnose.gap.loop.rebatched import RebatchedBatches, rebatched, rows_of, sizes_of
from diagnose.gap.loop.recollated import RecollatedBatches, can_recollate, collated_apart
from diagnose.gap.loop.setting import DEPENDS, first_batch, mean_loss
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from diagnose.gap.conditions import Condition, SideConditions
    from diagnose.gap.loop.elements import Elements
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side

EXACT = 1e-5  # of a loss: what sums in another order differ by
FAILS = (DiagnoseError, RuntimeError, TypeError, KeyError, IndexError)  # on rows cut out of a batch
UNTRIED = (
    "whether a sample's loss depends on the others of its batch could not be tried, because an objective fails on half "
    "a batch; the two sides' batches have different sizes, and what that does is a part of unseen"
)
FEW = 4  # batches on which it is tried whether a loss depends on its batch


@dataclass(frozen=True)
class SideBatching:
    """How the two sides are batched.

    Attributes:
        sources: training's batches in validation's sizes, and its plain ones (True) so; empty where it changes nothing.
        mixed: whether a loss depends on the other samples of its batch.
        scalar: whether training's and validation's objective give one number a batch.
        notes: what could not be done.
    """

    sources: dict[bool, RebatchedBatches] = field(default_factory=dict)
    mixed: bool = False
    scalar: tuple[bool, bool] = (False, False)
    notes: tuple[str, ...] = ()


def batching_of(subject: Subject, train: Side, val: Side, sides: SideConditions) -> SideBatching:
    """Return how sides are batched, and training's batches in validation's sizes where the loss depends on these."""
    number, batch = first_batch(val, "validation")
    where = f"batch {number + 1} of the validation side"
    condition = replace(sides.val, plain=False)
    scalar = _is_scalar(subject, train, sides.train), subject.run(batch, condition, 0, where).scalar
    both = ((train, "training"), (val, "validation"))
    depends = [_depends(subject, side, condition, name) for side, name in both]
    mixed = any(depends)
    padded = not mixed and any(_depends_on_padding(subject, side, condition, name) for side, name in both)
    mixed = mixed or padded
    if not mixed and None not in depends and val.reduction != "sum":
        return SideBatching(scalar=scalar)
    sizes = [sizes_of(side.batches) for side in (train, val)]
    if not mixed and val.reduction != "sum":
        other = all(sizes) and not _alike(*sizes, exact=False)
        return SideBatching(scalar=scalar, notes=(UNTRIED,) if other else ())
    if not all(sizes) or _alike(*sizes, exact=not mixed):
        return SideBatching(mixed=mixed, scalar=scalar)
    some = {False: train.batches} | ({True: train.plain} if train.plain is not None else {})
    sources = {plain: _in_sizes(batches, sizes[1], padded=padded) for plain, batches in some.items()}
    if any(batches is None for batches in sources.values()):
        why = (
            "training's samples could not be batched as validation's are, and the loss depends on the batch: what that "
        )
        return SideBatching(mixed=mixed, scalar=scalar, notes=(f"{why}does is in unseen",))
    return SideBatching({k: batches for k, batches in sources.items() if batches is not None}, mixed, scalar)


def order_luck(subject: Subject, train: Side, text: BatchReadings, sides: SideConditions) -> float:
    """Return how much of its variance the mean of training's batches owes to which samples share one; 1: not known.

    It owes all to it where a loss is of its whole batch (a correlation), and something where a mean of means weighs
    samples by who is with them: a last batch is smaller, targets that do not count are not as many in each.
    """
    halved = not text.scalar or _is_mean_of_halves(subject, train, sides.train)
    if sides.mixed or not halved:
        return 1.0
    of_means = sides.train.reduction != "weighted" and (text.scalar or sides.train.reduction == "batch")
    if not of_means or (not text.samples % text.batches and text.counted == 1):
        return 0.0
    return _last_alone(train, text) if text.counted == 1 else 1.0


def _last_alone(train: Side, text: BatchReadings) -> float:
    """Return the share for batches of one size but the last: its few samples weigh as much as a full batch's.

    Of N samples in B batches of n, the last of k: the mean of means lies (1/B - k/N) of the last batch's mean off that
    of all samples, whose variance is n/k that of a full batch's, so B n/k times that of the mean; twice, for two draws.
    """
    number, size = text.batches, getattr(train.batches, "batch_size", None)
    if not isinstance(size, int) or not text.complete or number < FEW:
        return 1.0
    last = text.samples - (number - 1) * size
    if not 0 < last < size:
        return 1.0
    return min(1.0, 2 * (1 / number - last / text.samples) ** 2 * number * size / last)


def _is_mean_of_halves(subject: Subject, side: Side, own: Condition) -> bool:
    """Say whether a number for training's first batch is the mean of those for its halves; also where not known."""
    number, batch = first_batch(side, "training")
    where, size = f"batch {number + 1} of the training side", samples_of(batch)
    half = size // 2
    if size < 2 or own.on or subject.random:
        return True
    try:
        halves = rows_of(batch, 0, half), rows_of(batch, half, size)
        whole, *parts = (mean_loss(subject.run(some, own, 0, where)) for some in (batch, *halves))
    except FAILS:
        return True
    mean = float(np.average(parts, weights=(half, size - half)))
    return abs(whole - mean) <= EXACT * max(abs(mean), 1e-2)


def _is_scalar(subject: Subject, train: Side, own: Condition) -> bool:
    number, batch = first_batch(train, "training")
    return subject.run(batch, own, 0, f"batch {number + 1} of the training side").scalar


def _in_sizes(batches: Any, sizes: list[int], *, padded: bool) -> RebatchedBatches | None:
    """Return batches in other sizes: collated again where padding matters and the samples can be had one by one."""
    return RecollatedBatches(batches, sizes) if padded and can_recollate(batches) else rebatched(batches, sizes)


def _alike(first: list[int], second: list[int], *, exact: bool) -> bool:
    """Say whether batches are of the same sizes: all but the last, or (for sums) on average."""
    if exact:
        return abs(float(np.mean(first)) - float(np.mean(second))) < DEPENDS
    return float(np.median(first)) == float(np.median(second))


def _depends(subject: Subject, side: Side, own: Condition, name: str) -> bool | None:
    """Say whether a sample's loss depends on the other samples of its batch, in one of the first that are not at 0.

    None where its objective fails on halves of the first.
    """
    for number, batch in islice(walk(side.batches)[0], FEW):
        try:
            depends = _depends_in(subject, batch, own, f"batch {number + 1} of the {name} side")
        except FAILS:
            return None
        if depends is not None:
            return depends
    return False


def _depends_on_padding(subject: Subject, side: Side, own: Condition, name: str) -> bool:
    """Say whether a sample's loss depends on how far its batch is padded: on the longest of its samples."""
    if subject.random:
        return False
    try:
        for whole, parts in islice(collated_apart(side.batches), FEW):
            losses, *halves = (subject.run(batch, own, 0, f"a batch of the {name} side") for batch in (whole, *parts))
            if losses.scalar:  # a mean over what counts depends on it in any case
                return False
            counts = [part.weights.sum() for part in halves]
            means = [mean_loss(part) for part in halves]
            if _differ(mean_loss(losses), float(np.average(means, weights=counts))):
                return True
    except Exception:  # noqa: BLE001 - a user's dataset that is indexed otherwise: nothing can be told
        return False
    return False


def _depends_in(subject: Subject, batch: Any, own: Condition, where: str) -> bool | None:
    """Say so of a batch, by reading its halves; None where a loss is at 0, so that it cannot be told."""
    size = samples_of(batch)
    if size < 2 or subject.random:
        return False
    norms = {modes.kind(module) for module in subject.of(own).modules() if isinstance(module, NORMS)}
    quiet = replace(own, on=own.on & norms)
    half = size // 2
    halves = rows_of(batch, 0, half), rows_of(batch, half, size)
    if any(part is batch for part in halves):  # of a kind that cannot be cut
        return False
    whole, *parts = (subject.run(some, quiet, 0, where) for some in (batch, *halves))
    if not whole.scalar and whole.size != size:  # of a step's several parts, whose rows lie one behind the other
        return False
    depends = _otherwise(whole, parts, size, selected=bool(subject.selectors.get(own.objective)))
    return depends if depends or all(part.nats.any() for part in (whole, *parts)) else None


def _otherwise(whole: Elements, parts: Sequence[Elements], size: int, *, selected: bool) -> bool:
    """Say whether a batch costs otherwise than its two halves."""
    if whole.scalar:
        half = size // 2
        mean = sum(mean_loss(part) * count for part, count in zip(parts, (half, size - half), strict=True)) / size
        return _differ(mean_loss(whole), mean)
    together = np.concatenate([_by_sample(part) for part in parts])
    if len(together) != len(whole.nats):
        return not selected
    return bool(np.any(np.abs(together - _by_sample(whole)) > DEPENDS * np.maximum(1e-2, np.abs(whole.nats).max())))


def _by_sample(found: Elements) -> NDArray[np.float64]:
    """Return losses with each sample's together: in a packed sequence they lie by time."""
    return found.nats[np.argsort(found.samples, kind="stable")]


def _differ(one: float, two: float) -> bool:
    return abs(one - two) > DEPENDS * max(abs(one), abs(two), 1e-2)

"""What is found out on first batches before sides are read: kinds of training mode, randomness, how batched."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.data import DataLoader, Dataset, IterableDataset

from diagnose.errors import DiagnoseError
from diagnose.gap.conditions import Condition
from diagnose.gap.loop import modes
from diagnose.gap.loop.class_weights import ClassWeights
from diagnose.gap.loop.elements import lacks_targets, tensors
from diagnose.gap.loop.finite import holds_not_finite
from diagnose.gap.loop.redrawn import whole_of
from diagnose.gap.loop.walking import walk
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from diagnose.gap.conditions import SideConditions
    from diagnose.gap.loop.elements import Elements
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side

DEPENDS = 1e-4  # of a loss: what other kernels for batches of other sizes may differ by
NEARER = 5.0  # times: so much nearer must a frozen batch norm come to the reported loss
LOOKED = 8  # batches that this is looked at on
MASKED = 0.02  # of losses: so many must be 0
TRIED = 3  # passes in which what acts at random is looked for
NAMED = 3  # kinds of modules that a note names
WEIGHED = 64  # batches on which losses with and without class weights are compared with the reported one
UNTOLD = (
    "the objective calls a Keras model without training=, so that its {layers} is off in either mode, whatever train() "
    "and eval() say: where fit() took the loss give model(x, training=model.training)"
)


def first_batch(side: Side, name: str) -> tuple[int, Any]:
    """Return a side's first batch, of which targets count where any of the first few has such.

    Raises:
        DiagnoseError: there is none.
    """
    some, _ = walk(side.batches)
    first = next(some, None)
    if first is not None and _tells_nothing(first[1]):
        first = next((pair for pair in islice(some, LOOKED) if not _tells_nothing(pair[1])), first)
    if first is None:
        raise DiagnoseError(f"the {name} side yields no batch; give what yields its batches each time it is iterated")
    by_number = isinstance(side.batches, Dataset) and not isinstance(side.batches, IterableDataset)
    if by_number and any(not tensor.dim() for tensor in tensors(first[1])):
        raise DiagnoseError(
            f"the {name} side is a dataset, whose items are samples: give DataLoader(dataset, batch_size)"
        )
    return first


def _tells_nothing(batch: Any) -> bool:
    return lacks_targets(batch) or holds_not_finite(tensors(batch))


def kinds_of(subject: Subject, train: Side) -> tuple[list[str], list[str]]:
    """Return what training mode switches on, by trying on the first batch what modules' classes do not tell, and notes.

    Where the training objective can be run in training mode alone (an auxiliary head), that is noted in the subject.
    """
    number, batch = first_batch(train, "training")
    precise = None if train.autocast is None else False  # rounding would make other kernels look like other losses
    models = [subject.model, *(model for model in subject.own if model is not None)]
    known = set[str]().union(*(modes.known_kinds(model) for model in models))
    unknown = sorted({kind for model in models for kind in modes.unknown_kinds(model)})
    weights = 0 if train.model is None else 1

    def loss(on: frozenset[str], seed: int = 0) -> NDArray[np.float64]:
        where = f"batch {number + 1} of the training side"
        return subject.run(batch, Condition(on, 0, precise, "mean", weights=weights), seed, where).nats

    def live(*some: str) -> bool:
        """Say whether these kinds change the loss: what acts at random may not in every pass."""
        return any(modes.differs(loss(frozenset(), seed), loss(frozenset(some), seed)) for seed in range(TRIED))

    if not subject.model.training:
        subject.frozen = modes.frozen_norms(subject.model)
    _need_training(subject, loss, unknown)
    unknown = [kind for kind in unknown if kind not in subject.structural]
    if unknown:
        unknown = ([kind for kind in unknown if live(kind)] or unknown) if live(*unknown) else []
    kinds = sorted({*known, *unknown})
    untold = next((layers for model in models if (layers := modes.keras_layers(model))), "")
    if untold and not live(*kinds):
        return [], [UNTOLD.format(layers=untold)]
    return kinds, _frozen_by_loss(subject, train, kinds)


def _need_training(subject: Subject, loss: Any, unknown: Sequence[str]) -> None:
    """Find the kinds that the training objective needs in training mode."""
    try:
        loss(frozenset())
    except DiagnoseError:
        for some in (*(frozenset({kind}) for kind in unknown), frozenset(unknown)):
            try:
                loss(some)
            except DiagnoseError:
                continue
            subject.structural = some
            return
        raise


def need_training_too(subject: Subject, val: Side) -> None:
    """Find out whether validation's own objective needs the kinds in training mode that training's needs."""
    if not subject.structural or subject.objectives[0] == subject.objectives[1]:
        return
    number, batch = first_batch(val, "validation")
    for on in (frozenset[str](), subject.structural):
        try:
            subject.run(batch, Condition(on, 1, val.autocast, "mean"), 0, f"batch {number + 1} of the validation side")
        except DiagnoseError:
            continue
        subject.needing = frozenset({0, 1}) if on else subject.needing
        return


def _frozen_by_loss(subject: Subject, train: Side, kinds: list[str]) -> list[str]:
    """Take batch norms as frozen where that gives the reported loss.

    All of a model that comes in evaluation mode; of one that comes in training mode those whose weights are frozen,
    which its loop may put into evaluation mode in each epoch.
    """
    ready = subject.model.training
    live = {id(m) for m in modes.norms(subject.model) if not ready or m.training} - subject.frozen
    live &= modes.frozen_norms(subject.model) if ready else live
    if train.reported is None or not live or train.mode == "eval":
        return []
    some = train.batches if train.reported_on is None else train.reported_on
    losses = {}
    for name, frozen in (("live", subject.frozen), ("frozen", subject.frozen | live)):
        subject.frozen = frozenset(frozen)
        losses[name] = _mean_of_first(subject, some, Condition(frozenset(kinds), 0, train.autocast, "mean"), "training")
    off = {name: abs(value - train.reported) for name, value in losses.items()}
    if off["live"] > NEARER * off["frozen"]:
        which = "its batch norms without gradients" if ready else "its batch norms"
        return [f"the model came in {'training' if ready else 'evaluation'} mode; {which} are taken as frozen: that "
                "gives the reported loss"]  # fmt: skip
    subject.frozen = subject.frozen - live
    return []


def weigh_losses(subject: Subject, sides: Sequence[tuple[Side, Condition, str]]) -> list[str]:
    """Take class weights, and ignored targets, of losses that are not averaged as what these count.

    Class weights are so taken where that gives the reported loss; ignored targets unless the reported loss says that
    their zeros are averaged too, or the other side gives weights of its own, so that these zeros are meant. Returns
    notes: which was done, or that it cannot be told.
    """
    first = [_first_weights(subject, *side) for side in sides]
    out = []
    for number, (side, condition, name) in enumerate(sides):
        meant = any(explicit for k, (explicit, _) in enumerate(first) if k != number)
        out += _weigh(subject, side, condition, name, first[number][1], meant=meant)
    return out


def _first_weights(subject: Subject, side: Side, own: Condition, name: str) -> tuple[bool, ClassWeights]:
    """Return whether an objective gives weights of its own, and which weights and ignored targets torch sees."""
    place, batch = first_batch(side, name)
    with ClassWeights() as seen:
        losses = subject.run(batch, own, 0, f"batch {place + 1} of the {name} side")
    return bool((losses.weights != 1).any()), seen


def _weigh(subject: Subject, side: Side, own: Condition, name: str, seen: ClassWeights, *, meant: bool) -> list[str]:
    """Decide for a side; `meant` says that zeros of ignored targets count where nothing was reported."""
    some = side.batches if side.reported_on is None else side.reported_on
    if not seen.calls and not (seen.called and _ignores(subject, some, own, name)):
        return []
    if meant and not seen.classes and side.reported is None:
        return []
    number, plain = own.objective, side.reported
    weighed = plain
    if side.reported is not None:
        plain = _mean_of_first(subject, some, own, name, WEIGHED)
        subject.weighed.add(number)
        weighed = _mean_of_first(subject, some, own, name, WEIGHED)
        subject.weighed.discard(number)
    return _weighed(subject, number, name, side.reported, (plain, weighed), classes=seen.classes)


def _ignores(subject: Subject, batches: Any, own: Condition, name: str) -> bool:
    """Say whether the objective ignores targets in a batch after the first."""
    for place, (number, batch) in enumerate(walk(batches)[0]):
        if place >= LOOKED:
            break
        with ClassWeights() as seen:
            subject.run(batch, own, number, f"batch {number + 1} of the {name} side")
        if seen.calls:
            return True
    return False


def _weighed(
    subject: Subject, number: int, name: str, reported: float | None, means: Any, *, classes: bool
) -> list[str]:
    """Decide what an objective's losses count by the reported loss, where there is one."""
    counted = weights_count(reported, means, classes=classes)
    if not classes:
        if not counted:
            subject.zeros.add(number)
            return [f"the {name} side's zeros of ignored targets (ignore_index) count, as the reported loss says"]
        subject.weighed.add(number)
        return [f"the {name} side ignores targets without averaging (ignore_index, reduction='none'): they count 0"]
    what = f"the {name} side's objective weighs classes without averaging (reduction='none')"
    if counted:
        subject.weighed.add(number)
        return [f"{what}; its weights are taken as what each loss counts, which gives the reported loss"]
    if counted is False:
        return []
    return [f"{what}: torch's mean divides by the weights' sum, which these losses lack; where that mean is what the "
            "loop takes, return {'loss': losses without weight=, 'weights': weight[target]}"]  # fmt: skip


def weights_count(reported: float | None, means: Any, *, classes: bool) -> bool | None:
    """Say whether class weights, or the zeros of ignored targets, say what a loss counts; None where it is not told.

    Args:
        reported: the loss as the loop took it; None where it is not known.
        means: the mean of the losses as they are, and as the weights say.
        classes: whether classes are weighed; of ignored targets alone, a zero counts only where the loop says so.
    """
    off = [float("inf")] * 2 if reported is None else [abs(mean - reported) for mean in means]
    if not classes:
        return not off[0] * NEARER < off[1]
    return True if off[0] > NEARER * off[1] else False if off[1] > NEARER * off[0] else None


def _mean_of_first(subject: Subject, batches: Any, own: Condition, name: str, most: int = LOOKED) -> float:
    losses = []
    for place, (number, batch) in enumerate(walk(batches)[0]):
        if place >= most:
            break
        losses.append(mean_loss(subject.run(batch, own, number, f"batch {number + 1} of the {name} side")))
    return float(np.mean(losses))


def mean_loss(found: Elements) -> float:
    """Return the mean of a batch's losses over what counts."""
    total = found.weights.sum()
    return float((found.nats * found.weights).sum() / total) if total else 0.0


def notice_randomness(subject: Subject, batch: Any, own: Condition, where: str) -> None:
    """Note a side whose loss is random with nothing of training mode on."""
    off = replace(own, on=frozenset())
    try:
        first, second = (subject.run(batch, off, seed, where).nats for seed in (1, 2))
    except DiagnoseError:
        return
    if modes.differs(first, second):
        subject.random |= {own.objective} if subject.objectives[0] is not subject.objectives[1] else {0, 1}


def is_masked(subject: Subject, batch: Any, own: Condition, where: str) -> bool:
    """Say whether many losses are 0 whatever the weights are, though they count: a mask that was multiplied in."""
    losses = subject.run(batch, replace(own, on=frozenset()), 0, where)
    silent = (losses.nats == 0) & (losses.weights > 0)
    if silent.mean() < MASKED or bool(silent.all()) or own.objective in subject.random:
        return False
    return np.array_equal(silent, subject.silent_elsewhere(batch, replace(own, on=frozenset()), where))


def notes_of(subject: Subject) -> list[str]:
    """Return what a reader should know of randomness and of other models."""
    out = []
    if subject.structural:
        some = sorted(subject.structural)
        names = ", ".join(some[:NAMED]) + (f" and {len(some) - NAMED} more" if len(some) > NAMED else "")
        both = subject.objectives[0] == subject.objectives[1] or 1 in subject.needing
        which = "both losses" if both else "it"
        out.append("the training objective cannot be run in evaluation mode (detectors have losses in training mode "
                   f"alone): for {which} these were kept in training mode: {names}")  # fmt: skip
    if 1 in subject.random:
        where = "in training mode, which it needs" if subject.structural else "even in evaluation mode"
        out.append(f"a loss is random {where}: dropout or noise that model.eval() does not reach")
    elif subject.random:
        out.append("the training side's objective draws at random (mixed samples, noise, timesteps): what was read of "
                   "it is a draw")  # fmt: skip
    if subject.reached:
        names = ", ".join(subject.reached)
        out.append(
            f"the objectives reach other modules ({names}), read as they are; Side(model=...) names a loss's own"
        )
    return out


def redrawn_notes(redrawn: frozenset[int]) -> list[str]:
    """Say which loaders yield other samples each pass."""
    return [
        f"the {name} side's loader yields other samples each pass (augmentation, random draws): what was read is a draw"
        for k, name in enumerate(("training", "validation")) if k in redrawn
    ]  # fmt: skip


def plain_notes(train: Side, sampler: str) -> list[str]:
    """Say what was taken as plain data where none was given: without a sampler that repeats, or as validation's are."""
    out: list[str] = []
    if sampler:
        out.append(sampler_note("training", sampler))
    if isinstance(train.plain, DataLoader) and _same_but_collation(train.batches, train.plain):
        out.append("training's dataset with validation's collate_fn was taken as plain=: collation is what training's "
                   "own collate_fn does")  # fmt: skip
    if isinstance(train.plain, DataLoader) and _same_but_transform(train.batches, train.plain):
        out.append("training's dataset with validation's transform was taken as plain=: collation is what training's "
                   "own transform does")  # fmt: skip
    return out


def sampler_note(name: str, sampler: str) -> str:
    """Say what was taken as a side's plain data where its sampler repeats samples."""
    return (f"{name}'s loader draws by a {sampler}, which repeats samples; those that it can draw, each once and in "
            "order, were taken as plain=: collation is what the sampler does; what was read of it is a draw"
            )  # fmt: skip


def _same_but_collation(batches: Any, plain: DataLoader[Any]) -> bool:
    """Say whether a plain loader is of the very dataset, made into batches by another function."""
    dataset = getattr(batches, "dataset", None)
    return plain.dataset is dataset and plain.collate_fn is not getattr(batches, "collate_fn", plain.collate_fn)


def _same_but_transform(batches: Any, plain: DataLoader[Any]) -> bool:
    """Say whether a plain loader is of a copy of the loader's dataset."""
    dataset = getattr(batches, "dataset", None)
    own, other = whole_of(dataset), whole_of(plain.dataset)
    return other is not own and type(other) is type(own) and vars(other).keys() == vars(own).keys()


def differences(subject: Subject, text: BatchReadings, sides: SideConditions) -> list[str]:
    """Say in what the objectives were seen to differ: sums for means, and zeros that one side alone counts."""
    out = summed(text, sides)
    if len(subject.zeros) == 1 and subject.objectives[0] is not subject.objectives[1]:
        out.append(f"zeros of ignored targets (ignore_index) count in {SIDES[min(subject.zeros)]}'s mean")
    return out


def summed(text: BatchReadings, sides: SideConditions) -> list[str]:
    """Say that one objective is a sum over a batch's samples where the other is their mean: on every batch."""
    both = [text.means.get(sides.condition(changed), []) for changed in (frozenset[str](), frozenset({"objective"}))]
    if (
        not text.scalar
        or text.others.get(sides.train)  # the objective names itself what it holds
        or "objective" not in sides.factors
        or len(both[0]) != len(both[1])
        or not all(both[0] + both[1])
    ):
        return []
    for k, name in ((1, "validation"), (0, "training")):
        ratios = np.divide(both[k], both[1 - k])
        if (np.abs(ratios - ratios.round()) <= DEPENDS * ratios).all() and ratios.min() > 1 + DEPENDS:
            if ratios.min() < text.samples / text.batches and np.ptp(ratios) <= DEPENDS:  # fewer than samples
                return [f"{name}'s is {ratios.mean():,.0f} times the other's on every batch"]
            return [f"{name}'s is the other's times a whole number on every batch (at most {ratios.max():,.0f}): a sum "
                    "over samples instead of their mean"]  # fmt: skip
    return []

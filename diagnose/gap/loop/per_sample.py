"""Objectives that return the sum over a batch's samples, of losses that were reported per sample.

So `train_loss / len(loader.dataset)` prints them (pytorch/examples' vae and mnist): read as sums, all terms would be of
batches, and the reported loss a residual.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import torch

from diagnose.gap.loop.elements import own_copy, samples_of
from diagnose.gap.loop.gradients import tried
from diagnose.gap.loop.guard import guarded
from diagnose.gap.loop.rebatched import rows_of
from diagnose.gap.loop.walking import first_of
from diagnose.gap.recorder import ranks
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from diagnose.gap.recorder.recording import RecordedStep, Recording
    from diagnose.gap.side import Objective, Side

FEWEST = 8  # samples of a batch: of fewer, a sum and a sample's share lie too near each other
ADDED = (0.8, 1.25)  # a batch's loss over those of its halves: 1 of a sum, nearly so where it draws; 0.5 of a mean
NOTE = (
    "the {} objective returns the sum over a batch's samples, and the reported loss is one per sample: it was divided "
    "by their number, and batches count by their samples"
)


def per_sample(
    model: nn.Module, sides: tuple[Side, Side], record: Recording | None
) -> tuple[tuple[Side, Side], Recording | None, list[str]]:
    """Return sides and what was recorded in losses per sample where these were reported so, and what was done.

    Of processes that share a training nothing is changed: each would have to find the same.
    """
    if ranks.several():
        return sides, record, []
    train, val = sides
    one = train.objective is val.objective
    of_train = _is_reported_so(model, [train, val] if one else [train])
    of_val = of_train if one else _is_reported_so(model, [val])
    if record is not None and of_train and not record.samples:
        return sides, record, []  # of how many samples each recorded loss is is not known
    if of_train:
        train = _side(train, shared_out(train.objective))
    if of_val:
        val = _side(val, train.objective if one else shared_out(val.objective))
    if record is not None:
        record = _recorded(record, train=of_train and _holds_sums(record, train.reported), val=of_val)
    return (train, val), record, [NOTE.format(name) for name, so in zip(SIDES, (of_train, of_val), strict=True) if so]


def shared_out(objective: Objective) -> Objective:
    """Return an objective whose scalars are divided by their batch's samples."""

    @wraps(objective)
    def of_a_sample(model: nn.Module, batch: Any) -> Any:
        returned = objective(model, batch)
        return returned / samples_of(batch)

    return of_a_sample


def _side(side: Side, objective: Objective) -> Side:
    return replace(side, objective=objective, reduction="weighted" if side.reduction == "mean" else side.reduction)


def _is_reported_so(model: nn.Module, sides: list[Side]) -> bool:
    """Say whether an objective's values add up over samples, and each reported loss is nearer to a sample's share."""
    asked = [side for side in sides if side.reported is not None]
    return bool(asked) and all(_is_share(side.model or model, side) for side in asked)


def _is_share(model: nn.Module, side: Side) -> bool:
    with guarded(model, [side.batches]):
        model.eval()
        batch = first_of(side.batches)
        count = 0 if batch is None else samples_of(batch)
        if count < FEWEST or (whole := _scalar(model, side, lambda: batch)) is None:
            return False
        times = whole / (side.reported or math.inf)
        if times <= 0 or abs(math.log(times / count)) >= abs(math.log(times)):
            return False
        halves = (0, count // 2), (count // 2, count)
        parts = [_scalar(model, side, partial(rows_of, batch, *ends)) for ends in halves]
    added = sum(part or 0.0 for part in parts)
    return None not in parts and added > 0 and ADDED[0] < whole / added < ADDED[1]


def _scalar(model: nn.Module, side: Side, batch: Callable[[], Any]) -> float | None:
    """Return an objective's value of a batch; None where it is no scalar, or fails, which is said when it is read."""
    returned = tried(lambda: side.objective(model, own_copy(batch())), lambda: None)
    return float(returned.detach()) if isinstance(returned, torch.Tensor) and returned.dim() == 0 else None


def _holds_sums(record: Recording, reported: float | None) -> bool:
    """Say whether recorded training losses are sums, too: a loop may have given the recorder each sample's share."""
    each = record.train / (reported or math.inf)
    return each > 0 and abs(math.log(each * len(record.losses) / record.samples)) < abs(math.log(each))


def _recorded(record: Recording, *, train: bool, val: bool) -> Recording:
    """Return a record whose losses of these sides are per sample, each counting by its samples."""
    if train:
        window = [_shared(step) for step in record.window]
        mean = record.samples / len(record.losses)
        record = replace(
            record, window=window, earlier=[_shared(step) for step in record.earlier],
            losses=[step.loss for step in window], weights=[step.weight for step in window],
            means={name: value / mean for name, value in record.means.items()},
        )  # fmt: skip
    return replace(record, validation=[_shared(step) for step in record.validation]) if val else record


def _shared(step: RecordedStep) -> RecordedStep:
    count = samples_of(step.batch)
    return step if step.loss is None or not count else replace(step, loss=float(step.loss) / count, weight=count)

"""A model that an objective reads instead of the one that it is handed: an average or a copy in its closure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.gap.conditions import Condition
from diagnose.gap.loop import modes
from diagnose.gap.loop.setting import first_batch
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    import torch
    from torch import nn

    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.side import Side


def with_second_model(subject: Subject, train: Side, val: Side) -> tuple[Side, Side, str]:
    """Return the sides with the model that one's objective reads in the handed one's place, and a note of it.

    Told by changing weights: the loss does not move with the model's, and moves with those of one other module alone.
    Such an objective cannot be read with the model, so that what it differs in is together with `weights`. A module
    that stands in training mode is left as it is, for the loss may have been taken so.
    """
    if subject.objectives[0] == subject.objectives[1]:
        return train, val, ""
    if (half := _of_other_type(subject, train, val)) is not None:
        return train, val, (
            f"the {SIDES[half]} side's model holds its weights in another type, which its objective is written for: "
            "weights is what both differ in"
        )  # fmt: skip
    if not subject.reached:
        return train, val, ""
    sides = [train, val]
    names = [_read_instead(subject, side, number) for number, side in enumerate(sides)]
    number = next((k for k, other in enumerate(names) if other is not None), None)
    if number is None or None not in names:
        return train, val, ""
    name = names[number] or ""
    model = subject.reached.pop(name)
    sides[number] = replace(sides[number], model=model)
    subject.own = (sides[0].model, sides[1].model)
    return sides[0], sides[1], (
        f"the {SIDES[number]} side's objective reads another module ({name}) than the model: weights is what both "
        "differ in; Side(model=...) and an objective that reads its first argument tell them apart"
    )  # fmt: skip


def _of_other_type(subject: Subject, train: Side, val: Side) -> int | None:
    """Return the side with a model of its own whose weights are of another type than the model's (a half copy)."""
    dtype = _type_of(subject.model)
    return next((k for k, side in enumerate((train, val)) if side.model and _type_of(side.model) != dtype), None)


def _type_of(model: nn.Module) -> torch.dtype | None:
    return next((weight.dtype for weight in model.parameters() if weight.is_floating_point()), None)


def _read_instead(subject: Subject, side: Side, number: int) -> str | None:
    """Return the name of the one module that a side's loss is of, if that is not the model."""
    if side.model is not None:
        return None
    condition = Condition(frozenset(), number, side.autocast, "mean")
    try:
        _, batch = first_batch(side, SIDES[number])
        before = subject.run(batch, condition, 0, "its first batch").nats
    except DiagnoseError:
        return None
    if subject.moves(subject.model, before, batch, condition):
        return None
    movers = {n: m for n, m in subject.reached.items() if subject.moves(m, before, batch, condition)}
    if len(movers) != 1:
        return None
    ((name, model),) = movers.items()
    return None if _trains(model) else name


def _trains(model: nn.Module) -> bool:
    return model.training and bool(modes.known_kinds(model))

"""Sides whose batches are built otherwise, so that validation's objective cannot be run on training's batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError
from diagnose.gap.conditions import Condition
from diagnose.gap.loop.setting import first_batch

if TYPE_CHECKING:
    from torch import nn

    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.side import Objective, Side


class EachItsOwn:
    """Both objectives as one: training's for batches that are built as training's, else validation's."""

    def __init__(self, train: Objective, val: Objective, batch: Any) -> None:
        self.train, self.val, self.built = train, val, _built(batch)
        self.__qualname__ = f"{_name(train)} and {_name(val)}"

    def __call__(self, model: nn.Module, batch: Any) -> Any:
        """Return the loss of a batch by the objective that it is built for."""
        return (self.train if _built(batch) == self.built else self.val)(model, batch)


def each_its_own(subject: Subject, train: Side, val: Side) -> tuple[Side, Side, list[str]]:
    """Return the sides with both objectives as one where validation's cannot be run on training's batches, and a note.

    What the two objectives differ in is then not told from data, which is said.
    """
    if train.objective == val.objective:
        return train, val, []
    batches = [first_batch(side, name)[1] for side, name in ((train, "training"), (val, "validation"))]
    alike = _built(batches[0]) == _built(batches[1])
    if alike or _runs(subject, batches[0], val) or not _runs(subject, batches[1], val):
        return train, val, []
    both = EachItsOwn(train.objective, val.objective, batches[0])
    subject.objectives, subject.apart = (both, both), True
    notes = ["validation's objective cannot be run on training's batches, which are built otherwise: each side's own "
             "is run, and what the two differ in is not told from data"]  # fmt: skip
    plain = None if train.plain is None else first_batch(replace(train, batches=train.plain), "training")[1]
    if plain is not None and _built(plain) != both.built:  # training's objective cannot be run on them
        notes.append("plain= was left out: its batches are built otherwise than training's")
        train = replace(train, plain=None)
    return replace(train, objective=both), replace(val, objective=both), notes


def _runs(subject: Subject, batch: Any, val: Side) -> bool:
    """Say whether validation's objective runs on a batch."""
    try:
        subject.run(batch, Condition(frozenset(), 1, val.autocast, "mean", weights=2 if val.model else 0), 0, "a batch")
    except DiagnoseError:
        return False
    return True


def _built(batch: Any) -> tuple[Any, ...]:
    """Return how a batch is built: its type, and what it holds."""
    names = batch.keys() if isinstance(batch, Mapping) or callable(getattr(batch, "keys", None)) else ()
    length = len(batch) if isinstance(batch, (tuple, list)) else 0
    return type(batch), tuple(sorted(map(str, names))), length


def _name(objective: Any) -> str:
    return str(getattr(objective, "__qualname__", type(objective).__name__))

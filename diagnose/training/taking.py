"""A step in two halves, so that those of several runs can be taken together: what it asks for, and what it gives."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from torch import nn

    from diagnose.config.recipe import Recipe
    from diagnose.training.batches import Batch
    from diagnose.training.step_clock import StepClock


class GradientRequest(NamedTuple):
    """Whose gradients a step asks for.

    Attributes:
        network: in training mode; the gradients are left at its parameters.
        batches: by accumulated part.
        recipe: says how losses are averaged.
        step: counted from 0.
    """

    network: nn.Module
    batches: list[Batch]
    recipe: Recipe
    step: int


class Taken(NamedTuple):
    """What a step gave, still on its device."""

    rate: float
    loss: Tensor
    norm: Tensor
    tokens: Tensor
    text_bytes: Tensor


Taking = Generator[GradientRequest, Tensor, Taken]  # a step, which is sent its loss once the gradients are there


class Mates(Protocol):
    """Runs whose steps are taken together; see `stack`."""

    def take(self, step: Taking, clock: StepClock) -> Taken:
        """Take a step of one of them, and have its clock count it."""


def finish(step: Taking, loss: Tensor) -> Taken:
    """Take a step to its end from its loss on."""
    try:
        step.send(loss)
    except StopIteration as done:
        taken: Taken = done.value
        return taken
    raise AssertionError

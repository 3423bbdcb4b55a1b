"""Passes of a batch through a user's model for an audit: as the loop takes its loss, in the mode that it really has.

Unlike the ledger's readings, these call `model.eval()` as the loop does, so that a module which it does not reach
stays in training mode, and keep the state that a model carries from batch to batch until it is told to forget it.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from diagnose.audit.training_checks import no_dropout
from diagnose.errors import DiagnoseError
from diagnose.gap.loop import guard
from diagnose.gap.loop.class_weights import ClassWeights
from diagnose.gap.loop.elements import Elements, elements, own_copy
from diagnose.gap.loop.gradients import with_gradients
from diagnose.gap.loop.modes import cast
from diagnose.gap.loop.setting import WEIGHED, weights_count
from diagnose.gap.side import order_hint
from diagnose.training.registry import told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from diagnose.gap.side import Side

ALIKE = 1e-4  # of a loss: what other kernels for other shapes may differ by
ALIKE_HALF = 2e-2  # the same under autocast to 16 bits


class CannotRunError(Exception):
    """A batch that the audit has changed cannot be run; the reason in a clause."""


@dataclass
class SidePasses:
    """A model guarded and the side whose loss is taken.

    Attributes:
        model: its own, guarded.
        kept: the guard.
        side: whose objective; name: for errors.
        quiet: whether torch's dropout functions are switched off, once they are known to be on.
        weighed: whether class weights and ignored targets say what each loss counts, as in the ledger.
    """

    model: nn.Module
    kept: guard.StateGuard
    side: Side
    name: str
    quiet: bool = False
    weighed: bool = False

    def __post_init__(self) -> None:
        self.device = next((p.device for p in self.model.parameters()), torch.device("cpu"))
        self._held = [(module, _own(module)) for module in self.model.modules()]

    @property
    def half(self) -> bool:
        """Whether losses are taken in 16 bits."""
        cast = self.side.autocast
        parts = any(p.dtype in (torch.float16, torch.bfloat16) for p in self.model.parameters())
        return parts or cast is True or cast in (torch.float16, torch.bfloat16)

    @property
    def tolerance(self) -> float:
        """What two losses of the same may differ by, as a share."""
        return ALIKE_HALF if self.half else ALIKE

    def forget(self) -> None:
        """Have buffers and plain attributes as they were when the model was handed over."""
        self.kept.settle()
        for module, attributes in self._held:
            for key in set(_own(module)) - attributes.keys():
                del vars(module)[key]
            vars(module).update(attributes)

    def set_mode(self, mode: str | None = None) -> None:
        """Put the model into the mode of the loop."""
        self.model.train() if (mode or self.side.mode) == "train" else self.model.eval()

    def losses(self, batch: Any, *, seed: int = 0, forget: bool = True, probe: bool = False) -> Elements:
        """Return a batch's losses.

        Args:
            batch: the side's, or a changed one.
            seed: of all random states.
            forget: whether the model forgets what it carries first.
            probe: whether the batch was changed, so that a failure is no mistake of the user's.

        Raises:
            DiagnoseError: the objective fails on a batch of its own or returns no loss.
            CannotRunError: it fails on a changed one.
        """
        if forget:
            self.forget()
        where = f"the objective of the {self.name} side"
        try:
            with torch.no_grad():
                return elements(self._counted(batch, seed), batch, where, self.model)
        except DiagnoseError as error:
            if probe:
                raise CannotRunError(str(error)) from None
            raise

    def _counted(self, batch: Any, seed: int) -> Any:
        if not self.weighed:
            return self.loss(batch, seed)
        with ClassWeights() as seen:
            returned = self.loss(batch, seed)
        return seen.weighed(returned)

    def weigh(self, batches: Sequence[Any], *, meant: bool) -> None:
        """Find out whether class weights and ignored targets say what each loss counts: as the ledger does.

        Args:
            batches: of the side.
            meant: whether the other side says itself what each loss counts: then zeros count where nothing is reported.
        """
        with ClassWeights() as seen, torch.no_grad():
            plain = [mean_of(self.losses(batch)) for batch in batches[:WEIGHED]]
        if not seen.calls or (meant and not seen.classes and self.side.reported is None):
            return
        self.weighed = True
        counted = [mean_of(self.losses(batch)) for batch in batches[:WEIGHED]]
        means = float(np.mean(plain)), float(np.mean(counted))
        self.weighed = bool(weights_count(self.side.reported, means, classes=seen.classes))

    def refuse_steps(self, batch: Any) -> Elements:
        """Return a batch's losses.

        Raises:
            DiagnoseError: the objective changes the weights.
        """
        losses = self.losses(batch)
        changed = self.kept.changed_weight()
        if changed is not None:
            raise DiagnoseError(f"the objective of the {self.name} side changes the weights that it reads ({changed}); "
                                "it must only compute a loss: no step. The model has been put back")  # fmt: skip
        return losses

    def loss(self, batch: Any, seed: int = 0) -> Any:
        """Return what the objective returns, with a gradient where there is one; errors as one line."""
        guard.seed(seed)
        with cast(self.device, self.side.autocast), no_dropout() if self.quiet else nullcontext():
            try:
                return with_gradients(
                    lambda: self.side.objective(self.model, own_copy(batch)), partial(guard.seed, seed)
                )
            except DiagnoseError:
                raise
            except Exception as error:
                hint = order_hint(self.side.objective, error)
                raise DiagnoseError(f"the objective of the {self.name} side fails: {hint}{told(error)}") from error

    def mean(self, batch: Any) -> Tensor:
        """Return the mean loss of a batch with its gradient, as the loop would step on it."""
        returned = self.loss(batch)
        table = dict(returned) if hasattr(returned, "keys") else {"loss": returned}
        loss = table["loss"].float()
        weights = table.get("weights")
        mean: Tensor = loss.mean() if weights is None else (loss * weights).sum() / weights.sum().clamp(min=1e-9)
        return mean

    def call(self, function: Callable[[], Any], what: str) -> Any:
        """Call the model otherwise than by its objective, under the side's autocast and without gradients.

        Raises:
            CannotRunError: it fails.
        """
        self.forget()
        guard.seed(0)
        with torch.no_grad(), cast(self.device, self.side.autocast), no_dropout() if self.quiet else nullcontext():
            try:
                return function()
            except Exception as error:
                raise CannotRunError(f"{what} fails: {told(error)}") from error


def _own(module: nn.Module) -> dict[str, Any]:
    """Return a module's plain attributes: what is no table of torch's."""
    skip = {*guard.TABLES, "training"}
    return {k: v for k, v in vars(module).items() if k not in skip and not k.startswith("_backward")}


def mean_of(found: Elements) -> float:
    """Return the mean of a batch's losses, by their weights."""
    total = found.weights.sum()
    return float((found.nats * found.weights).sum() / total) if total else float("nan")


def by_sample(found: Elements) -> Any:
    """Return each sample's summed loss (B)."""
    return np.bincount(found.samples, found.nats * (found.weights > 0), minlength=found.size)

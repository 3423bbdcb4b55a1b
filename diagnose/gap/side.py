"""A side of a gap: the batches that one of the two losses is of, and how that loss is taken."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import torch
from torch import nn

from diagnose.errors import DiagnoseError, built_in_own_words, nearest

Objective = Callable[[nn.Module, Any], Any]
REDUCTIONS = {
    "mean": "over all elements",
    "batch": "of the means of each batch",
    "sample": "of the means of each sample",
    "weighted": "of the means of each batch, weighted by its samples",
    "sum": "of the sums of each batch",
}
MODES = ("train", "eval")
HALF = (torch.float16, torch.bfloat16)
MODEL_NAMES = {"model", "net", "network", "module", "nn", "m"}
MISTAKEN = ("object is not callable", "cannot unpack non-iterable", "must be Tensor, not")  # of wrong arguments


@built_in_own_words
@dataclass(frozen=True, eq=False)
class Side:
    """What one of the two losses is of, and how it is taken.

        train = Side(train_loader, objective=train_loss, reported=0.486)

    >>> import torch
    >>> Side([torch.zeros(4, 2)], lambda model, batch: model(batch).square(), reduction="batch").reduction
    'batch'

    Attributes:
        batches: any re-iterable of batches: a DataLoader, a list, an object with `__iter__`. Not a generator, which can
            be read once only.
        objective: `objective(model, batch)` returns the loss of each element (a tensor whose first dimension is the
            batch's; `reduction` says what becomes of it), or a scalar as the loop computes it. It may return a
            dictionary: "loss" is what is minimised, "weights" (of the loss's shape) says what each element counts, 0
            for padding, and every other entry is shown by its name, for instance an auxiliary loss that "loss"
            includes. It runs without gradients, and must only compute: an objective that changes the model is refused.
        reported: the loss as it was reported, a number; None where the loss as it is read now is meant.
        reported_on: the very batches that the reported loss was taken on, where these were not all of `batches`.
        plain: the same data without augmentation, noise or packing.
        mode: "train" or "eval", what the model really was in when the loss was taken; by default "train" for the
            training side and "eval" for the validation side.
        autocast: a dtype to run the objective under, False to switch autocast off; None for what the objective does.
        reduction: how the losses of elements become the reported one: "mean" (over all elements), "batch" (mean of the
            means of each batch), "sample" (mean of the means of each sample), "weighted" (mean of the means of each
            batch, weighted by its samples, as Hugging Face's Trainer evaluates), "sum" (mean of the sums of each
            batch). Scalars are averaged over batches, alike or ("weighted") by their samples.
        model: the model that this side's loss is of, where it is another one than `explain_gap`'s: an averaged (EMA),
            quantised or distilled copy. What it does is the term `weights`.
        groups: `groups(batch)` returns an identity (a number or a string) for each sample or each element: the
            document, the patient, the speaker that it is of. Intervals resample groups, and a validation group that
            occurs in training counts as seen. By default each sample is one.

    Raises:
        DiagnoseError: something is of the wrong kind.
    """

    batches: Iterable[Any]
    objective: Objective
    reported: float | None = field(default=None, kw_only=True)
    reported_on: Iterable[Any] | None = field(default=None, kw_only=True)
    plain: Iterable[Any] | None = field(default=None, kw_only=True)
    mode: str | None = field(default=None, kw_only=True)
    autocast: torch.dtype | bool | None = field(default=None, kw_only=True)
    reduction: str = field(default="mean", kw_only=True)
    groups: Callable[[Any], Any] | None = field(default=None, kw_only=True)
    model: nn.Module | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("batches", "reported_on", "plain"):
            _check_batches(name, getattr(self, name), optional=name != "batches")
        if not callable(self.objective):
            raise DiagnoseError(f"objective is {_kind(self.objective)}; give a function objective(model, batch)")
        _check_is_no_criterion(self.objective)
        _check_reported(self.reported)
        if self.mode is not None and self.mode not in MODES:
            raise DiagnoseError(f"mode is {self.mode!r}; give 'train' or 'eval', what the model was in")
        if self.reduction not in REDUCTIONS:
            raise DiagnoseError(f"there is no reduction {self.reduction!r}{nearest(str(self.reduction), REDUCTIONS)}")
        if not (self.autocast is None or isinstance(self.autocast, bool) or self.autocast in (*HALF, torch.float32)):
            raise DiagnoseError(f"autocast is {self.autocast!r}; give a dtype such as torch.bfloat16, False or None")
        if self.groups is not None and not callable(self.groups):
            raise DiagnoseError(
                f"groups is {_kind(self.groups)}; give a function groups(batch) -> identities, as lambda batch: "
                "batch[2] where the dataset yields each sample's beside it: TensorDataset(x, y, patient)"
            )
        if self.model is not None:
            check_model(self.model)


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _check_batches(name: str, given: Any, *, optional: bool) -> None:
    if given is None and optional:
        return
    if isinstance(given, Iterator):
        raise DiagnoseError(f"{name} is {_kind(given)}, which can be read once only; give a list or a DataLoader")
    if _is_pair(given):
        raise DiagnoseError(f"{name} is a pair of tensors, one batch; give [(x, y)] or a DataLoader")
    iterable = isinstance(given, Iterable) or hasattr(given, "__getitem__")
    if isinstance(given, (str, bytes, torch.Tensor, dict)) or not iterable:
        raise DiagnoseError(f"{name} is {_kind(given)}; give what yields batches again and again: a DataLoader, a list")


def _is_pair(given: Any) -> bool:
    """Say whether inputs and targets were given where batches of them are wanted."""
    two = isinstance(given, (tuple, list)) and len(given) == 2 and all(isinstance(t, torch.Tensor) for t in given)
    return two and (given[0].dtype, given[0].dim()) != (given[1].dtype, given[1].dim())


def _check_reported(given: Any) -> None:
    if given is None:
        return
    if isinstance(given, bool) or not isinstance(given, Real):
        hint = "loss.item()" if isinstance(given, torch.Tensor) else "for instance 0.486"
        raise DiagnoseError(f"reported is {_kind(given)}; give a number, {hint}")
    if not math.isfinite(given):
        raise DiagnoseError(f"reported is {given}; a loss that is not finite has no parts")


def _check_is_no_criterion(given: Any) -> None:
    """Refuse a loss of torch's own, which takes predictions and targets: an objective makes these of a batch."""
    function = getattr(given, "__module__", "") == "torch.nn.functional"
    if not function and not type(given).__module__.startswith("torch.nn.modules.loss"):
        return
    name = f"F.{given.__name__}" if function else f"nn.{type(given).__name__}"
    call = f"{name}(model(batch[0]), batch[1], reduction='none')" if function else (
        f"{name}(reduction='none')(model(batch[0]), batch[1])"
    )  # fmt: skip
    raise DiagnoseError(
        f"objective is {name}, which takes predictions and targets; objectives are called (model, batch) and return "
        f"losses: give lambda model, batch: {call}, with its options if it has any"
    )


def order_hint(function: Any, error: BaseException) -> str:
    """Return how an objective that failed is called, as the start of a clause; "" where it takes what it is given so.

    Its parameters tell, or an error that comes of a batch that is called and a model that is taken apart.
    """
    try:
        given = inspect.signature(function)
        given.bind(None, None)
        names = [name.strip("_").lower() for name in given.parameters][:2]
        turned = len(names) == 2 and names[0] not in MODEL_NAMES and names[1] in MODEL_NAMES
        mistaken = names[0] not in MODEL_NAMES and any(part in str(error) for part in MISTAKEN)
    except TypeError:
        turned = mistaken = True
    except ValueError:  # a function of C has no signature
        turned = mistaken = False
    if not turned and not mistaken:
        return ""
    return "objectives are called (model, batch), as lambda model, batch: criterion(model(batch[0]), batch[1]); "


def check_model(model: Any) -> None:
    """Refuse what is no model, or one that has no values.

    Raises:
        DiagnoseError: it is none.
    """
    if not isinstance(model, nn.Module):
        raise DiagnoseError(f"model is {_kind(model)}; give a torch.nn.Module")
    tensors = [*model.parameters(), *model.buffers()]
    if any(isinstance(tensor, nn.UninitializedParameter) for tensor in tensors):
        raise DiagnoseError("the model's weights have no shape yet; run a batch through it first")
    if any(tensor.is_meta for tensor in tensors):
        raise DiagnoseError("the model's weights are on the device 'meta', so they have no values; load them first")

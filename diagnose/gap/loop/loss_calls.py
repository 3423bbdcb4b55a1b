"""In which of torch's losses, and in which of their settings, the objectives of the two sides differ."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NUMBERS = {  # settings that are numbers, by the loss that has them
    F.cross_entropy: ("label_smoothing",),
    F.smooth_l1_loss: ("beta",),
    F.huber_loss: ("delta",),
    F.triplet_margin_loss: ("margin", "p"),
    F.margin_ranking_loss: ("margin",),
    F.hinge_embedding_loss: ("margin",),
    F.cosine_embedding_loss: ("margin",),
}
OTHERS = (
    F.nll_loss, F.binary_cross_entropy, F.binary_cross_entropy_with_logits, F.mse_loss, F.l1_loss, F.kl_div,
    F.poisson_nll_loss, F.gaussian_nll_loss, F.ctc_loss,
)  # fmt: skip
EVERY: tuple[Any, ...] = (*NUMBERS, *OTHERS)
LOSSES = {function: inspect.signature(function) for function in EVERY}
WEIGHTS = {"weight": "weights by class", "pos_weight": "a weight of positive targets"}
BY_CLASS = {F.cross_entropy, F.nll_loss}


def arguments(function: Any, args: Sequence[Any], kwargs: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the arguments of one of torch's losses by name, defaults too; None of any other function."""
    if function not in LOSSES:
        return None
    given = LOSSES[function].bind(*args, **(kwargs or {}))
    given.apply_defaults()
    return given.arguments


class LossCalls(TorchFunctionMode):
    """Sees which of torch's losses are taken while it is entered, and how.

    Attributes:
        taken: the settings of each loss, as last taken, by its name: of all batches that are looked at.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, dict[str, Any]] = {}

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Note a loss's settings; the loss is as it was."""
        if (given := arguments(func, args, kwargs)) is not None:
            self.taken[func.__name__] = _joined(self.taken.get(func.__name__, {}), _settings(func, given))
        return func(*args, **(kwargs or {}))


def _settings(function: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a loss is set to; targets that it leaves out count only where the batch has them."""
    out = {name: given[name] for name in NUMBERS.get(function, ())}
    out |= {name: given[name] for name in WEIGHTS if isinstance(given.get(name), Tensor)}
    if function in BY_CLASS and given["target"].dtype == torch.int64:
        ignored = given["ignore_index"]
        out["targets"] = {int(target) for target in given["target"].unique()}
        out["ignored"] = ignored if ignored in out["targets"] else None
    return out


def _joined(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return what a loss is set to over several batches; a number that changes between them (annealed) is NaN."""
    changed = {name: math.nan for name, one in now.items() if isinstance(one, float) and before.get(name, one) != one}
    targets = before.get("targets", set()) | now.get("targets", set())
    known = {"targets": targets} if "targets" in now else {}
    return now | changed | known | ({"ignored": before["ignored"]} if before.get("ignored") is not None else {})


def differ(calls: Mapping[int, LossCalls]) -> tuple[str, ...]:
    """Return in what the losses of the two sides differ, in words; none where they are several, alike or not seen."""
    if len(calls) < 2:
        return ()
    train, val = calls[0], calls[1]
    if len(train.taken) != 1 or len(val.taken) != 1:
        return ()
    ((of_train, first),), ((of_val, second),) = train.taken.items(), val.taken.items()
    if of_train != of_val:
        return (f"training takes {of_train} and validation {of_val}",)
    numbers = [name for name in first if isinstance(first[name], float) and abs(first[name] - second[name]) > 0]
    differences = [f"{name} is {first[name]:g} in training and {second[name]:g} in validation" for name in numbers]
    differences += [words for name in WEIGHTS if (words := _weights(name, first.get(name), second.get(name)))]
    return (*differences, *_ignored(first, second))


def _weights(name: str, first: Tensor | None, second: Tensor | None) -> str:
    if first is not None and second is not None:
        same = first.shape == second.shape and torch.equal(first.detach().cpu(), second.detach().cpu())
        return "" if same else f"{WEIGHTS[name]} ({name}=) are others in validation"
    if first is None and second is None:
        return ""
    side = "training" if second is None else "validation"
    return f"{side}'s loss alone has {WEIGHTS[name]} ({name}=)"


def _ignored(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Say that one side leaves out targets that the other side counts."""
    sides = (("training", first, "validation", second), ("validation", second, "training", first))
    return [
        f"{name} leaves out targets of {settings['ignored']} (ignore_index={settings['ignored']}), which {other} counts"
        for name, settings, other, its in sides
        if settings.get("ignored") is not None and its["ignored"] is None and settings["ignored"] in its["targets"]
    ]

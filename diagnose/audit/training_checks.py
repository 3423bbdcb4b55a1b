"""Checks that train a network for a moment: whether gradients reach its weights, whether it can learn a few samples.

The network's weights are changed; who calls puts them back.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from diagnose.audit.rules.cannot_overfit import ENOUGH, has_fallen
from diagnose.errors import DiagnoseError
from diagnose.gap.loop.rebatched import changed
from diagnose.training.eager_optimizer import EagerAdam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STEPS, RATES = 120, (3e-3, 1e-2)
FEWEST = 8  # steps at each rate, however large the network is
CPU_RATE, CARD_RATE = 1e10, 1e13  # operations a second that a budget counts on, of any machine
TIMES_FORWARD = 3  # a step's operations over those of its loss
FREE_STEPS, FREE_RATE, FREE_START = 200, 0.1, 0.01  # of outputs that are free
DROPS = {
    F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout, torch.dropout,
    torch.dropout_, torch.alpha_dropout, torch.feature_dropout, torch.native_dropout,
}  # fmt: skip


class _NoDropout(TorchFunctionMode):
    """Within, torch's dropout functions pass on what they are given, also where they are told to drop."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in DROPS:
            return args[0] if args else (kwargs or {})["input"]
        if func is F.scaled_dot_product_attention and len(args) <= 4:
            kwargs = {**(kwargs or {}), "dropout_p": 0.0}
        return func(*args, **(kwargs or {}))


@contextmanager
def no_dropout() -> Iterator[None]:
    """Switch every dropout of torch off, whatever mode its module is in."""
    with _NoDropout():
        yield


def unreached(model: nn.Module, loss: Callable[[int], Tensor], batches: int) -> tuple[list[str], list[str]] | None:
    """Return the names of trainable weights that no gradient reaches, and of frozen ones; None without a gradient.

    A bias that cancels in the loss (before a batch norm, in a difference of two scores) has a gradient, which is 0: it
    counts as reached where its module's weight is.

    Args:
        model: its gradients are left as they come.
        loss: of a batch's number.
        batches: how many to look at: experts and rare branches may need several.
    """
    named = dict(model.named_parameters())
    trained = {name: p for name, p in named.items() if p.requires_grad}
    reached: set[str] = set()
    touched: set[str] = set()
    for number in range(batches):
        for p in trained.values():
            p.grad = None
        value = loss(number)
        if not value.requires_grad:
            return None
        value.backward()  # type: ignore[no-untyped-call]
        touched |= {name for name, p in trained.items() if p.grad is not None}
        reached |= {name for name, p in trained.items() if p.grad is not None and bool((p.grad != 0).any())}
    reached |= {name for name in touched if name.endswith("bias") and f"{name.removesuffix('bias')}weight" in reached}
    return [name for name in trained if name not in reached], [name for name in named if name not in trained]


def affordable(loss: Callable[[], Tensor], device: str, seconds: float) -> int:
    """Return how many steps at each rate a budget is good for: by their arithmetic, so as many on a busy machine."""
    counter = FlopCounterMode(display=False)
    try:
        with counter:
            loss()
    except Exception:  # noqa: BLE001 - a model that cannot be counted (compiled, sharded) fails, if at all, in training
        return STEPS
    each = TIMES_FORWARD * counter.get_total_flops() * len(RATES)
    allowed = seconds * (CPU_RATE if device == "cpu" else CARD_RATE)
    return STEPS if each * STEPS <= allowed else max(FEWEST, int(allowed / each))


def overfit(model: nn.Module, loss: Callable[[], Tensor], steps: int = STEPS) -> tuple[float, float, int, bool]:
    """Train on one batch until its loss has fallen clearly, or that many steps at each rate are taken.

    Returns:
        The loss at the start, the lowest, the steps taken, and whether these were fewer than tell that it cannot.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    initial = [p.detach().clone() for p in trained]
    first = loss()
    start = lowest = float(first.detach())
    taken = 0
    if not first.requires_grad:
        return start, lowest, 0, False
    for rate in RATES:
        with torch.no_grad():
            for p, value in zip(trained, initial, strict=True):
                p.copy_(value)
        optimizer = EagerAdam(trained, rate)
        for _ in range(steps):
            value = loss()
            lowest = min(lowest, float(value.detach()))
            if lowest < ENOUGH * start or not bool(torch.isfinite(value)):
                break
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            taken += 1
        if lowest < ENOUGH * start:
            break
    return start, lowest, taken, steps < STEPS


def least(model: nn.Module, loss: Callable[[], Tensor]) -> float:
    """Return the lowest loss that the model's outputs could give, were they free: a floor that no network gets below.

    So label smoothing has one, and a loss with a constant part. Of a table of outputs all are freed but single numbers,
    which are losses. 0 where the model returns no tensors, where its loss refuses free ones (probabilities), or where
    free outputs hardly lower the loss either: that is no floor but an objective that cannot be learned.
    """
    free, place = list[Tensor](), 0
    draw = torch.Generator().manual_seed(0)

    def free_one(given: Tensor) -> Tensor:
        nonlocal place
        if not given.dim() or not given.is_floating_point():
            return given
        if place == len(free):
            begun = FREE_START * torch.randn(given.shape, generator=draw)
            free.append(begun.to(given).requires_grad_())
        place += 1
        return free[place - 1]

    handle = model.register_forward_hook(lambda _, __, given: changed(given, free_one))
    try:
        value = loss()
        start = lowest = float(value.detach())
        if not free or not value.requires_grad:
            return 0.0
        optimizer = EagerAdam(free, FREE_RATE)
        for _ in range(FREE_STEPS):
            place = 0
            value = loss()
            lowest = min(lowest, float(value.detach()))
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return max(0.0, lowest) if has_fallen(start, lowest) and math.isfinite(lowest) else 0.0
    except (DiagnoseError, RuntimeError):  # outputs that cannot be free: probabilities, which BCELoss checks
        return 0.0
    finally:
        handle.remove()

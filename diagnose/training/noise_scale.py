"""The gradient noise scale: how many rows a batch needs before its gradient is more signal than noise.

McCandlish et al. 2018 ("An Empirical Model of Large-Batch Training"): the scale is tr(C) / |G|^2, where G is the
gradient of the whole training text and C the covariance of a single row's gradient around it; it is about the critical
batch size, below which twice the batch is worth nearly two steps. Both of the paper's estimators are here: from the
variance between parts of a batch, and from the squared gradients of two batch sizes.

What they give is unbiased for `noise` = tr(C) and `signal` = |G|^2; their quotient is not, so averages over steps
and seeds are taken before dividing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from diagnose import random as seeding
from diagnose.training import chunked_loss, network
from diagnose.training.batches import step_batches
from diagnose.training.device import autocast
from diagnose.training.evaluation import unchanged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from diagnose.training.batches import Batch
    from diagnose.training.trainer import TrainingPlan

MOST_PARTS = 16  # of a batch, whose gradients are taken apart


@dataclass(frozen=True)
class NoiseScale:
    """An estimate.

    Attributes:
        signal: squared norm of the true gradient; an estimate of it may come out below zero.
        noise: trace of the covariance of a row's gradient.
    """

    signal: float
    noise: float

    @property
    def rows(self) -> float | None:
        """The noise scale in rows; None where the noise leaves no signal to be seen."""
        return self.noise / self.signal if self.signal > 0 else None


def from_parts(squares: Sequence[float], square_of_mean: float, rows: int) -> NoiseScale:
    """Estimate from the variance between equal parts of a batch.

    Args:
        squares: squared norm of each part's mean gradient.
        square_of_mean: squared norm of the mean of these gradients.
        rows: of a part.
    """
    count = len(squares)
    between = (sum(squares) / count - square_of_mean) * count / (count - 1)
    return NoiseScale(signal=square_of_mean - between / count, noise=rows * between)


def from_two_sizes(small: float, small_rows: int, big: float, big_rows: int) -> NoiseScale:
    """Estimate from the squared norms of the gradients of a small and a large batch (appendix A.1).

    Args:
        small: squared norm, averaged over as many small batches as there are.
        small_rows: their size.
        big: likewise of large ones.
        big_rows: their size.
    """
    signal = (big_rows * big - small_rows * small) / (big_rows - small_rows)
    return NoiseScale(signal=signal, noise=(small - big) / (1 / small_rows - 1 / big_rows))


def average(found: Sequence[NoiseScale]) -> NoiseScale:
    """Return the mean signal and the mean noise of several estimates."""
    return NoiseScale(sum(f.signal for f in found) / len(found), sum(f.noise for f in found) / len(found))


def measure(net: nn.Module, course: TrainingPlan, step: int) -> dict[str, Any] | None:
    """Estimate the noise scale at a network's weights, on the batches of the two steps to come.

    Gradients are of the loss as it is trained, dropout included. The first batch is taken apart; the second, which is
    independent of it, is the large batch of the second estimator. Network and random states are left as they were.

    Returns:
        The step, and by estimator its signal and noise; None where a batch is a single row.
    """
    whole, other = (step_batches(course.layout, number, 1)[0] for number in (step, step + 1))
    parts = min(MOST_PARTS, len(whole.inputs_BT))
    if parts < 2:
        return None
    rows = len(whole.inputs_BT) // parts
    with unchanged(net, training=True), network.eager(net):
        squares, total = [], None
        for number in range(parts):
            torch.manual_seed(seeding.key(course.recipe.run.seed, "noise scale", step, number))
            gradient = list(_gradient(net, whole, slice(number * rows, (number + 1) * rows), course))
            squares.append(_square(gradient))
            total = gradient if total is None else [a + b for a, b in zip(total, gradient, strict=True)]
        big = _square(list(_gradient(net, other, slice(None), course)))
    assert total is not None
    apart = from_parts(squares, _square(total) / parts**2, rows)
    two = from_two_sizes(sum(squares) / parts, rows, big, len(other.inputs_BT))
    return {"step": step, "parts": vars(apart), "two_sizes": vars(two)}


def _gradient(net: nn.Module, batch: Batch, some: slice, course: TrainingPlan) -> Iterator[Tensor]:
    """Yield the gradient of the mean loss of some rows of a batch, parameter by parameter."""
    device = next(net.parameters()).device
    here = batch.to(device)
    counted_BT = here.counted_BT[some]
    segments_BT = None if here.segments_BT is None else here.segments_BT[some]
    with autocast(device, course.recipe.run.precision):
        loss, _ = chunked_loss.objective(
            net, here.inputs_BT[some], here.targets_BT[some], counted_BT / counted_BT.sum(), segments_BT,
            label_smoothing=course.recipe.loss.label_smoothing,
        )  # fmt: skip
    loss.backward()  # type: ignore[no-untyped-call]
    for parameter in net.parameters():
        if parameter.grad is not None:
            yield parameter.grad
            parameter.grad = None


def _square(gradient: list[Tensor]) -> float:
    return float(sum(part.double().square().sum() for part in gradient))

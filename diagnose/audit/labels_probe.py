"""Do inputs tell anything of labels at all: asked of training's own samples, by fits that are not the network's.

A network that has learned its training set by heart, where nothing was there to be learned, looks as one whose
validation labels were exchanged. What tells them apart: where labels belong to inputs a plain fit to one half of
training's samples tells something of the other half's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from diagnose.gap.loop.sample_parts import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

FEWEST, MOST = 64, 4096  # samples
WIDEST = 4096  # numbers of a sample's inputs
NEAREST = 5  # neighbours
CLEAR = 3.0  # standard errors above the best constant guess
RIDGE = 0.1  # of the mean square of the inputs


def tells(batches: Sequence[Any], labels_of: Callable[[Any], Tensor | None]) -> bool | None:
    """Say whether a linear fit, or nearest neighbours, tell the labels of samples that they were not given.

    Args:
        batches: pairs (inputs, labels).
        labels_of: returns a batch's labels.

    Returns:
        None where inputs or labels are of a kind that this is not asked of, or too few.
    """
    some = [(_inputs(batch), labels_of(batch)) for batch in batches]
    if not some or any(x is None or y is None or y.dim() != 1 or y.is_floating_point() for x, y in some):
        return None
    if len({x.shape[1] for x, _ in some if x is not None}) != 1:
        return None
    x, y = (torch.cat([pair[k] for pair in some])[:MOST].cpu() for k in (0, 1))  # type: ignore[misc]
    if len(x) < FEWEST or x.shape[1] > WIDEST:
        return None
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    x, y = _standardised(x.double()[order]), torch.unique(y[order], return_inverse=True)[1]
    half = len(x) // 2
    first, second = (x[:half], y[:half]), (x[half:], y[half:])
    return any(_beats(guess(first, second[0]), second[1], first[1]) for guess in (_linear, _neighbours))


def _inputs(batch: Any) -> Tensor | None:
    """Return a batch's inputs as rows of numbers: tokens as how often each occurs; None of any other kind."""
    inputs = batch[0] if isinstance(batch, (tuple, list)) else None
    if not isinstance(inputs, torch.Tensor) or inputs.is_nested or inputs.dim() < 2:
        return None
    if inputs.is_floating_point():
        return inputs.detach().flatten(1)
    if inputs.dtype not in INTEGERS or inputs.dim() != 2:
        return None
    ids = inputs.detach().clamp(0, WIDEST - 1)
    return torch.zeros(len(ids), WIDEST).scatter_add_(1, ids.cpu(), torch.ones(ids.shape))


def _standardised(x: Tensor) -> Tensor:
    return (x - x.mean(0)) / x.std(0).clamp(min=1e-6)


def _linear(known: tuple[Tensor, Tensor], asked: Tensor) -> Tensor:
    """Return the classes by ridge regression on all of them (solved among samples where these are the fewer)."""
    x, y = known
    wanted = torch.nn.functional.one_hot(y, int(y.max()) + 1).double()
    wanted, shares = wanted - wanted.mean(0), wanted.mean(0)
    kernel = x @ x.T + RIDGE * x.shape[1] * torch.eye(len(x), dtype=x.dtype)
    guess: Tensor = (asked @ (x.T @ torch.linalg.solve(kernel, wanted)) + shares).argmax(1)
    return guess


def _neighbours(known: tuple[Tensor, Tensor], asked: Tensor) -> Tensor:
    near = torch.cdist(asked, known[0]).topk(min(NEAREST, len(known[0])), largest=False).indices
    labels: Tensor = known[1][near].mode(1).values
    return labels


def _beats(guess: Tensor, labels: Tensor, given: Tensor) -> bool:
    """Say whether guesses are right more often than the commonest of the labels that were given."""
    commonest: Tensor = given.mode().values
    constant = float((labels == commonest).double().mean())
    right = float((guess == labels).double().mean())
    spread = (max(constant * (1 - constant), 1e-6) / len(labels)) ** 0.5
    return bool(right > constant + CLEAR * spread)

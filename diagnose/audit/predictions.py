"""Checks of a network's predictions that need nothing but a function from tokens to numbers.

Shapes: B rows, T positions, V vocabulary, C cuts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

TOLERANCE = 1e-4  # of the largest number: a thousand times the rounding of float32
COARSE = 0.05  # under autocast to 16 bits
MOST_CUTS = 16
NONE = -100  # a target that is not scored
SHIFTS = (1, 0, 2, -1)


def cuts_of(length: int) -> list[int]:
    """Return places from which on tokens are changed: the first ones, the last ones, and some between."""
    near = {1, 2, 3, length // 2, length // 2 + 1, length - 2, length - 1}
    spread = range(1, length, max(1, length // (MOST_CUTS - len(near))))
    return sorted({cut for cut in (*near, *spread) if 0 < cut < length})


def first_leak(
    answer: Callable[[Tensor], Tensor], inputs_BT: Tensor, others: int, tolerance: float = TOLERANCE
) -> tuple[tuple[int, int] | None, float]:
    """Change all tokens from a cut on and see whether an answer before it moves.

    Args:
        answer: from tokens (B, T) to numbers (B, T, ...), row by row.
        inputs_BT: real text.
        others: ids below this one are valid tokens.
        tolerance: of the largest number.

    Returns:
        (position, cut) of the first leak (None where there is none), and by how much answers moved at most.
    """
    before = answer(inputs_BT).float()
    limit = tolerance * max(float(before.abs().max()), 1e-6)
    leak, most = None, 0.0
    for cut in cuts_of(inputs_BT.shape[1]):
        changed = inputs_BT.clone()
        changed[:, cut:] = (changed[:, cut:] + 1 + torch.arange(changed.shape[1] - cut).to(changed)) % others
        after = answer(changed).float()
        moved_BT = (after[:, :cut] - before[:, :cut]).abs().flatten(2).amax(2) if after.dim() > 2 else (
            after[:, :cut] - before[:, :cut]
        ).abs()  # fmt: skip
        most = max(most, float(moved_BT.max()))
        places = (moved_BT > limit).any(0).nonzero().flatten().tolist()
        if places and (leak is None or places[-1] - cut > leak[0] - leak[1]):
            leak = (places[-1], cut)
    return leak, most


def shifted(inputs_BT: Tensor, shift: int) -> Tensor:
    """Return the token `shift` places on at each place, `NONE` where there is none."""
    out = torch.full_like(inputs_BT, NONE)
    length = inputs_BT.shape[1]
    if shift >= 0:
        out[:, : length - shift] = inputs_BT[:, shift:]
    else:
        out[:, -shift:] = inputs_BT[:, :shift]
    return out


def nats(scores_BTV: Tensor, targets_BT: Tensor, how: str = "logits") -> Tensor:
    """Return each target's loss (B, T), float64, 0 where it is `NONE`.

    Args:
        scores_BTV: what the network returns.
        targets_BT: ids.
        how: what the scores are: "logits", "log-probabilities" or "probabilities" (as they stand, not normalised).
    """
    scores = scores_BTV.double()
    logs = {"logits": lambda: scores.log_softmax(-1), "log-probabilities": lambda: scores, "probabilities": scores.log}
    picked = logs[how]().gather(-1, targets_BT.clamp(min=0)[..., None])[..., 0]
    return (-picked).masked_fill(targets_BT == NONE, 0)


def is_distribution(scores_BTV: Tensor) -> bool:
    """Say whether scores are probabilities already: none below 0, and all sums 1."""
    total = scores_BTV.float().sum(-1)
    return bool((scores_BTV >= 0).all() and (total - 1).abs().max() < 1e-2)


def total_probability(loss_of: Callable[[Tensor], Tensor], targets_BT: Tensor, vocabulary: int) -> Tensor:
    """Return the sum over all tokens of exp(-loss) at each place (B, T), float64.

    Args:
        loss_of: from targets (B, T) to the loss of each, the inputs as they are.
        targets_BT: gives the shape.
        vocabulary: V.
    """
    total = torch.zeros(targets_BT.shape, dtype=torch.float64)
    for token in range(vocabulary):
        total += torch.exp(-loss_of(torch.full_like(targets_BT, token)).double().cpu())
    return total

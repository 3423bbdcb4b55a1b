"""A training step's loss as one function for a compiler: features, output layer and cross-entropy.

Compiled as a whole it writes the logits once, in the dtype of the products, and their gradient once; taken apart, as
`chunked_loss` does where nothing is compiled, they are written in float32 and read several times. With kernels of our
own for the output layer (`linear_cross_entropy`) they are never written.

Shapes: B rows, T positions, N = B x T targets, D width, V vocabulary. Losses are in nats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from diagnose.training import chunked_loss
from diagnose.training.linear_cross_entropy import linear_cross_entropy

if TYPE_CHECKING:
    from torch import Tensor, nn


def training_loss(
    network: nn.Module,
    tokens_BT: Tensor,
    targets_BT: Tensor,
    weights_BT: Tensor,
    segments_BT: Tensor | None,
    label_smoothing: float,
    *,
    without_logits: bool = False,
) -> Tensor:
    """Return what training minimises (scalar, with a gradient): the loss of `chunked_loss.objective`.

    Args:
        network: in training mode.
        tokens_BT: int64.
        targets_BT: int64, the token after each.
        weights_BT: what each target counts; where 0, neither an infinite loss nor broken features do any harm.
        segments_BT: see the network's contract.
        label_smoothing: share of a target's weight that is spread over the vocabulary.
        without_logits: take output layer and loss by `linear_cross_entropy`; see `can_do_without_logits`.
    """
    targets_N, weights_N = targets_BT.reshape(-1), weights_BT.reshape(-1)
    void_N = weights_N == 0
    parts = chunked_loss.split(network)
    if parts is None:
        logits_NV = network(tokens_BT, segments_BT).flatten(0, 1).masked_fill(void_N[:, None], 0)
        return (weights_N * nats(logits_NV, targets_N, label_smoothing)).sum()
    features, head = parts
    x_ND = features(tokens_BT, segments_BT).flatten(0, 1).masked_fill(void_N[:, None], 0)
    if without_logits:
        products = chunked_loss.product_dtype(x_ND.device.type, head.weight)
        nats_N = linear_cross_entropy(x_ND.to(products), head.weight.to(products), targets_N, label_smoothing)
    else:
        nats_N = nats(head(x_ND), targets_N, label_smoothing)
    return (weights_N * nats_N).sum()


def nats(logits_NV: Tensor, targets_N: Tensor, smoothing: float) -> Tensor:
    """Return smoothed cross-entropies (N), taken in float32 at least."""
    exact_NV = logits_NV.to(torch.promote_types(logits_NV.dtype, torch.float32))
    return F.cross_entropy(exact_NV, targets_N, reduction="none", label_smoothing=smoothing)


def can_do_without_logits(network: nn.Module, precision: str) -> bool:
    """Say whether `linear_cross_entropy` can take the output layer: in bf16, of a network that offers one, no bias."""
    parts = chunked_loss.split(network)
    return precision == "bf16" and parts is not None and parts[1].bias is None

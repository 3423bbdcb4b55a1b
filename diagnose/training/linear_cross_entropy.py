"""An output layer and its cross-entropy on a CUDA device, without writing the logits: two operations of torch.

What they compute is `cross_entropy(x @ weight.T)`; how, is in `linear_kernels`. To a compiler each is one opaque
operation with fixed shapes. The backward passes make each tile of logits again, which costs two more products of the
output layer in place of reading and writing logits and their gradient.

Shapes: N targets, D width, V vocabulary. Losses are in nats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from types import ModuleType

TILE_D = 64  # of the width, which the product of a tile goes through
WIDEST = 512  # columns of a gradient that one program's registers hold; of wider ones tiles are made again


class _Tiles(NamedTuple):
    """How a kernel is cut into programs.

    Such that none puts registers into memory on an H100, as its compiler for sm_90 says (`tests/training`).

    Attributes:
        targets, vocabulary: of a tile of logits.
        warps, stages: of a program.
    """

    targets: int
    vocabulary: int
    warps: int
    stages: int


FORWARD, BACKWARD = _Tiles(128, 128, 8, 3), _Tiles(64, 64, 8, 2)


def linear_cross_entropy(x_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, smoothing: float) -> Tensor:
    """Return each target's smoothed cross-entropy (N, float32), with gradients for x and weight.

    Args:
        x_ND: features, in the dtype of products.
        weight_VD: of the output layer, in the same dtype.
        targets_N: int64.
        smoothing: share of a target's weight that is spread over the vocabulary.
    """
    nats_N: Tensor = torch.ops.diagnose.linear_cross_entropy(x_ND, weight_VD, targets_N, smoothing)[0]
    return nats_N


def _kernels() -> ModuleType:
    from diagnose.training import linear_kernels  # triton: with builds of torch for cards alone

    return linear_kernels


def constants(tiles: _Tiles, width: int | None = None) -> dict[str, int]:
    """Return what a kernel is compiled for; `width` is the features', for kernels that make a gradient."""
    out = {} if width is None else {"TILE_O": columns(width)}
    return {"TILE_N": tiles.targets, "TILE_V": tiles.vocabulary, "TILE_D": TILE_D, **out,
            "num_warps": tiles.warps, "num_stages": tiles.stages}  # fmt: skip


def columns(width: int) -> int:
    """Return how many columns of a gradient a program makes: a power of 2."""
    return min(WIDEST, max(16, 1 << (width - 1).bit_length()))


def _programs(length: int, tile: int) -> int:
    return -(-length // tile)


@torch.library.custom_op("diagnose::linear_cross_entropy", mutates_args=())
def _losses(x_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Return smoothed cross-entropies and the logarithms of the normalisers (both N, float32)."""
    x_ND, weight_VD = x_ND.contiguous(), weight_VD.contiguous()
    nats_N, normalisers_N = (torch.empty(len(x_ND), device=x_ND.device) for _ in range(2))
    _kernels().losses[(_programs(len(x_ND), FORWARD.targets),)](
        x_ND, weight_VD, targets_N, nats_N, normalisers_N, smoothing, len(x_ND), *weight_VD.shape, **constants(FORWARD)
    )
    return nats_N, normalisers_N


@torch.library.custom_op("diagnose::linear_cross_entropy_backward", mutates_args=())
def _gradients(
    x_ND: Tensor, weight_VD: Tensor, targets_N: Tensor, normalisers_N: Tensor, upstream_N: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Return the gradients for x and weight of the sum of cross-entropies, each times its upstream gradient."""
    x_ND, weight_VD, upstream_N = x_ND.contiguous(), weight_VD.contiguous(), upstream_N.contiguous()
    of_x_ND, of_weight_VD = torch.empty_like(x_ND), torch.empty_like(weight_VD)
    width = x_ND.shape[1]
    given = (x_ND, weight_VD, targets_N, normalisers_N, upstream_N)
    sizes, tiles = (smoothing, len(x_ND), *weight_VD.shape), constants(BACKWARD, width)
    parts = _programs(width, columns(width))
    kernels = _kernels()
    kernels.gradient_of_features[(_programs(len(x_ND), BACKWARD.targets), parts)](*given, of_x_ND, *sizes, **tiles)
    kernels.gradient_of_weight[(_programs(len(weight_VD), BACKWARD.vocabulary), parts)](
        *given, of_weight_VD, *sizes, **tiles
    )
    return of_x_ND, of_weight_VD


@_losses.register_fake
def _(x_ND: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    made = x_ND.new_empty(len(x_ND), dtype=torch.float32)
    return made, torch.empty_like(made)


@_gradients.register_fake
def _(x_ND: Tensor, weight_VD: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return torch.empty_like(x_ND), torch.empty_like(weight_VD)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.smoothing = inputs[3]
    ctx.mark_non_differentiable(output[1])
    ctx.save_for_backward(*inputs[:3], output[1])


def _backward(ctx: Any, upstream_N: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    of_x_ND, of_weight_VD = torch.ops.diagnose.linear_cross_entropy_backward(
        *ctx.saved_tensors, upstream_N, ctx.smoothing
    )
    return of_x_ND, of_weight_VD, None, None


_losses.register_autograd(_backward, setup_context=_keep)

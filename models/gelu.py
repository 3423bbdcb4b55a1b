"""GELU, exact (Hendrycks & Gimpel 2016): on a CPU in one pass over memory where the loops of native/ are in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from . import native

if TYPE_CHECKING:
    from torch import Tensor


class GELU(nn.GELU):
    """x times the probability that a standard normal variable is below x."""

    def forward(self, x: Tensor) -> Tensor:
        """Return GELU of x (any shape)."""
        if native.loops(x) is None:
            return super().forward(x)
        found: Tensor = _InOnePass.apply(x)  # type: ignore[no-untyped-call]
        return found


class _InOnePass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.library = native.loops(x)
        ctx.save_for_backward(x)
        return native.gelu(ctx.library, x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy: Tensor) -> Tensor:
        return native.gelu_backward(ctx.library, ctx.saved_tensors[0], dy.contiguous())

"""Causal attention: torch's fused kernels, and for attention dropout on a CPU one of our own.

Torch's fused kernel for a CPU knows no dropout: with `dropout_p` it falls back to a path of 3 times the time.
Ours works through tiles that stay in the processor's cache and computes the weights again for the gradient,
as flash attention does (Dao 2022).

Shapes: B rows, H heads, T positions, D width of a head, R query positions of a tile, K = key positions of a
    tile.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from .dropout import LEVELS, Dropout, levels, masked, mix, seeded, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

TILE = 1 << 18  # weights of a tile: 1 MiB, what a core's second cache holds
QUERIES = 64  # query positions of a tile; keys after its last query are not computed


def attend(
    q_BHTD: Tensor,
    k_BHTD: Tensor,
    v_BHTD: Tensor,
    segments_BT: Tensor | None,
    dropout: Dropout,
    word: int | None,
) -> Tensor:
    """Return softmax(q k' / sqrt(D)) v over the positions up to each one's own, within its segment.

    Args:
        q_BHTD: queries.
        k_BHTD: keys.
        v_BHTD: values.
        segments_BT: positions attend within their own segment; None for one segment a row.
        dropout: of the attention weights.
        word: what the network drew for this forward pass.
    """
    device = q_BHTD.device
    if device.type == "cpu":  # in bf16 torch's kernel for a CPU takes 2.6 times as long
        q_BHTD, k_BHTD, v_BHTD = (x.float() if x.dtype != torch.float64 else x for x in (q_BHTD, k_BHTD, v_BHTD))
    with torch.autocast("cpu", enabled=False) if device.type == "cpu" else nullcontext():
        if not dropout.active:
            return _fused(q_BHTD, k_BHTD, v_BHTD, segments_BT, 0.0)
        if torch.compiler.is_compiling():
            return _fused(q_BHTD, k_BHTD, v_BHTD, segments_BT, dropout.p)
        if device.type == "cuda":
            with seeded(device, dropout.seed(word)):
                return _fused(q_BHTD, k_BHTD, v_BHTD, segments_BT, dropout.p)
        y_BHTD: Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
            q_BHTD, k_BHTD, v_BHTD, segments_BT, dropout.seed(word), dropout.p
        )
        return y_BHTD


def _fused(q_BHTD: Tensor, k_BHTD: Tensor, v_BHTD: Tensor, segments_BT: Tensor | None, p: float) -> Tensor:
    if segments_BT is None:
        return F.scaled_dot_product_attention(q_BHTD, k_BHTD, v_BHTD, dropout_p=p, is_causal=True)
    seen_BTT = _seen(segments_BT, segments_BT, 0)
    return F.scaled_dot_product_attention(q_BHTD, k_BHTD, v_BHTD, attn_mask=seen_BTT[:, None], dropout_p=p)


def _seen(queries_BR: Tensor, keys_BK: Tensor, first: int) -> Tensor:
    """Say which keys each query sees; the queries begin at position `first`."""
    place_K = torch.arange(keys_BK.shape[1], device=keys_BK.device)
    place_R = torch.arange(first, first + queries_BR.shape[1], device=keys_BK.device)
    return (queries_BR[:, :, None] == keys_BK[:, None, :]) & (place_K <= place_R[:, None])


class _Attention(torch.autograd.Function):
    """Attention with dropout of its weights, tile by tile."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, segments_BT: Tensor | None, seed: int, p: float) -> Tensor:
        ctx.seed, ctx.dropped, ctx.segments = seed, levels(p), segments_BT
        ctx.save_for_backward(q, k, v)
        y_BHTD = torch.empty_like(v, memory_format=torch.contiguous_format)
        for number, (rows, first, last) in enumerate(_tiles(q.shape)):
            weights, word = _weights(ctx, q, k, rows, first, last, number)
            dropped = masked(weights, word, ctx.dropped)
            y_BHTD[rows, :, first:last] = (dropped @ v[rows, :, :last]).mul_(_scale(ctx))
        return y_BHTD

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v = ctx.saved_tensors
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for number, (rows, first, last) in enumerate(_tiles(q.shape)):
            weights, word = _weights(ctx, q, k, rows, first, last, number)
            dy_here = dy[rows, :, first:last] * _scale(ctx)
            dv[rows, :, :last] += masked(weights, word, ctx.dropped).mT @ dy_here
            dweights = masked(dy_here @ v[rows, :, :last].mT, word, ctx.dropped)
            dscores = torch._softmax_backward_data(dweights, weights, -1, weights.dtype)  # noqa: SLF001 - nameless
            dscores.mul_(1 / math.sqrt(q.shape[-1]))
            dq[rows, :, first:last] = dscores @ k[rows, :, :last]
            dk[rows, :, :last] += dscores.mT @ q[rows, :, first:last]
        return dq, dk, dv, None, None, None


def _scale(ctx: Any) -> float:
    return LEVELS / float(LEVELS - ctx.dropped)


def _tiles(shape: torch.Size) -> Iterator[tuple[slice, int, int]]:
    """Yield tiles as (rows, first query, end of the queries)."""
    rows_in_all, heads, length, _ = shape
    for first in range(0, length, QUERIES):
        last = min(first + QUERIES, length)
        rows = max(1, TILE // (heads * (last - first) * last))
        for begin in range(0, rows_in_all, rows):
            yield slice(begin, min(begin + rows, rows_in_all)), first, last


def _weights(ctx: Any, q: Tensor, k: Tensor, rows: slice, first: int, last: int, number: int) -> tuple[Tensor, Tensor]:
    """Return a tile's attention weights before dropout and the words of its mask, both (B, H, R, K)."""
    scores = (q[rows, :, first:last] * (1 / math.sqrt(q.shape[-1]))) @ k[rows, :, :last].mT
    if ctx.segments is None:
        hidden = torch.full((last - first, last), -math.inf, dtype=q.dtype).triu_(first + 1)
        scores.add_(hidden)
    else:
        seen = _seen(ctx.segments[rows, first:last], ctx.segments[rows, :last], first)
        scores.masked_fill_(~seen[:, None], -math.inf)
    weights = torch.softmax(scores, -1)
    word = words(weights.numel(), mix(ctx.seed, number), q.device).to(weights.dtype)
    return weights, word.view(weights.shape)

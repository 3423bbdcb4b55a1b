"""Causal attention: in C in a CPU's cache (native/), else torch's fused kernels, or tiles where these know no dropout.

Ours takes half the time of torch's kernel for a CPU, which knows no dropout: with `dropout_p` that falls back to a path
of 3 times its time. Where it was not built, dropped weights are computed by torch's operations in tiles that
stay in the processor's cache, without keys that no query of a tile may see.

Shapes: B rows, H heads, T positions, D width of a head, N = B x H, R query positions of a tile, K its key positions.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from . import native
from .dropout import LEVELS, Dropout, levels, masked, mix, seeded, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor
    from torch.nn.attention.flex_attention import BlockMask

TILE = 1 << 18  # weights of a tile: 1 MiB, of which several fit a processor's caches
QUERIES = 64  # query positions of a tile; keys after its last query are not computed


def document_mask(segments_BT: Tensor | None, *, in_blocks: bool = False) -> Tensor | BlockMask | None:
    """Say which positions each one sees, once for all layers; None where attention needs no such mask.

    Args:
        segments_BT: of the rows.
        in_blocks: whether a graph that is being compiled is to leave it to attention's kernel; see `flex`.

    Returns:
        Of each pair of positions (B, 1, T, T), or of blocks of them.
    """
    if segments_BT is None or (segments_BT.device.type == "cpu" and not torch.compiler.is_compiling()):
        return None
    if in_blocks and torch.compiler.is_compiling():
        from .flex import document_blocks  # loads torch's compiler

        return document_blocks(segments_BT)
    return _seen(segments_BT, segments_BT, 0)[:, None]


def attend(
    qkv_BT3HD: Tensor, segments_BT: Tensor | None, dropout: Dropout, word: int | None,
    mask: Tensor | BlockMask | None = None,
) -> Tensor:  # fmt: skip
    """Return softmax(q k' / sqrt(D)) v over the positions up to each one's own, within its segment (B, T, H, D).

    On a CPU it is computed in float32 at least: in bfloat16 torch's kernel takes 2.6 times as long there. What is
    returned is in float32 at least, or, computed in the cache, of the dtype that was given.

    Args:
        qkv_BT3HD: queries, keys and values.
        segments_BT: positions attend within their own segment; None for one segment a row.
        dropout: of the attention weights.
        word: what the network drew for this forward pass.
        mask: of the segments, where it is at hand; see `document_mask`.
    """
    if mask is not None and not isinstance(mask, torch.Tensor):
        from . import flex

        return flex.attend(qkv_BT3HD, mask)
    device, p = qkv_BT3HD.device, dropout.p if dropout.active else 0.0
    on_cpu, on_cuda, compiling = device.type == "cpu", device.type == "cuda", torch.compiler.is_compiling()
    in_cache = native.loops(qkv_BT3HD) is not None
    with torch.autocast("cpu", enabled=False) if on_cpu else nullcontext():
        if in_cache or (p > 0 and not on_cuda and not compiling):
            kind: type[torch.autograd.Function] = _InCache if in_cache else _Attention
            seed = dropout.seed(word) if p > 0 else 0
            y_BTHD: Tensor = kind.apply(qkv_BT3HD, segments_BT, seed, p)  # type: ignore[no-untyped-call]
            return y_BTHD
        exact = qkv_BT3HD.to(torch.promote_types(qkv_BT3HD.dtype, torch.float32)) if on_cpu else qkv_BT3HD
        with seeded(device, dropout.seed(word)) if on_cuda and p > 0 and not compiling else nullcontext():
            if segments_BT is not None and mask is None:
                mask = _seen(segments_BT, segments_BT, 0)[:, None]
            return _fused(exact, mask, p)


class Memory:
    """Keys and values of the positions that one layer has read."""

    def __init__(self) -> None:
        self.kv_2BHKD: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.kv_2BHKD is None else self.kv_2BHKD.shape[3]

    def attend(self, qkv_BT3HD: Tensor) -> Tensor:
        """Take in further positions and return what `attend` gives for them, without dropout (B, T, H, D)."""
        on_cpu = qkv_BT3HD.device.type == "cpu"
        with torch.autocast("cpu", enabled=False) if on_cpu else nullcontext():
            exact = qkv_BT3HD.to(torch.promote_types(qkv_BT3HD.dtype, torch.float32)) if on_cpu else qkv_BT3HD
            q_BHTD, kv_2BHTD = exact[:, :, 0].transpose(1, 2), exact[:, :, 1:].permute(2, 0, 3, 1, 4)
            read, new = len(self), q_BHTD.shape[2]
            self.kv_2BHKD = kv_2BHTD if self.kv_2BHKD is None else torch.cat([self.kv_2BHKD, kv_2BHTD], 3)
            seen_TK = None if new == 1 else _no_later(read, new, q_BHTD.device)
            k_BHKD, v_BHKD = self.kv_2BHKD
            return F.scaled_dot_product_attention(q_BHTD, k_BHKD, v_BHKD, attn_mask=seen_TK).transpose(1, 2)


def _fused(qkv_BT3HD: Tensor, mask_B1TT: Tensor | None, p: float) -> Tensor:
    q_BHTD, k_BHTD, v_BHTD = qkv_BT3HD.permute(2, 0, 3, 1, 4)
    if mask_B1TT is None:
        y_BHTD = F.scaled_dot_product_attention(q_BHTD, k_BHTD, v_BHTD, dropout_p=p, is_causal=True)
    else:
        y_BHTD = F.scaled_dot_product_attention(q_BHTD, k_BHTD, v_BHTD, attn_mask=mask_B1TT, dropout_p=p)
    return y_BHTD.transpose(1, 2)


def _no_later(read: int, new: int, device: torch.device) -> Tensor:
    """Say which of all positions are none later than each of the new ones (T, K)."""
    place_K = torch.arange(read + new, device=device)
    return place_K <= place_K[read:, None]


def _seen(queries_NR: Tensor, keys_NK: Tensor, first: int) -> Tensor:
    """Say which keys each query sees (N, R, K); the queries begin at position `first`."""
    place_K = torch.arange(keys_NK.shape[1], device=keys_NK.device)
    place_R = torch.arange(first, first + queries_NR.shape[1], device=keys_NK.device)
    return (queries_NR[:, :, None] == keys_NK[:, None, :]) & (place_K <= place_R[:, None])


class _Attention(torch.autograd.Function):
    """Attention with dropout of its weights, tile by tile.

    What is kept for the gradient is each tile's weights, negative where they were dropped: one tensor holds the
    weights (its absolute value), the mask (its sign) and what was multiplied with the values (its positive part).
    """

    @staticmethod
    def forward(ctx: Any, qkv_BT3HD: Tensor, segments_BT: Tensor | None, seed: int, p: float) -> Tensor:
        rows, length, _, heads, width = qkv_BT3HD.shape
        dtype = torch.promote_types(qkv_BT3HD.dtype, torch.float32)
        qkv_3NTD = qkv_BT3HD.permute(2, 0, 3, 1, 4).to(dtype, memory_format=torch.contiguous_format).flatten(1, 2)
        segments_NT = None if segments_BT is None else segments_BT.repeat_interleave(heads, 0)
        q_NTD, k_NTD, v_NTD = qkv_3NTD
        y_NTD, dropped = torch.empty_like(q_NTD), levels(p)
        kept = []
        for number, (some, first, last) in enumerate(_tiles(len(q_NTD), length)):
            segments = None if segments_NT is None else segments_NT[some, :last]
            q_NRD, k_NKD = q_NTD[some, first:last], k_NTD[some, :last]
            signed_NRK, kept_NRK = _weights(q_NRD, k_NKD, segments, first, mix(seed, number), LEVELS - dropped)
            y_NTD[some, first:last] = kept_NRK @ v_NTD[some, :last]
            kept.append(signed_NRK)
        ctx.scale, ctx.dtype = LEVELS / (LEVELS - dropped), qkv_BT3HD.dtype
        ctx.save_for_backward(qkv_3NTD, *kept)
        return y_NTD.mul_(ctx.scale).view(rows, heads, length, width).transpose(1, 2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy_BTHD: Tensor) -> tuple[Tensor, None, None, None]:
        qkv_3NTD, *kept = ctx.saved_tensors
        rows, length, heads, width = dy_BTHD.shape
        dy_NTD = (dy_BTHD.to(qkv_3NTD.dtype) * ctx.scale).transpose(1, 2).reshape(rows * heads, length, width)
        gradient_3NTD = torch.zeros_like(qkv_3NTD)
        for signed_NRK, (some, first, last) in zip(kept, _tiles(rows * heads, length), strict=True):
            _tile_backward(signed_NRK, qkv_3NTD[:, some], dy_NTD[some, first:last], gradient_3NTD[:, some])
        gradient_3NTD[:2] /= math.sqrt(width)
        gradient_BT3HD = gradient_3NTD.view(3, rows, heads, length, width).permute(1, 3, 0, 2, 4)
        return gradient_BT3HD.to(ctx.dtype, memory_format=torch.contiguous_format), None, None, None


class _InCache(torch.autograd.Function):
    """The same in the processor's cache (native/loops.c), without keeping the weights."""

    @staticmethod
    def forward(ctx: Any, qkv_BT3HD: Tensor, segments_BT: Tensor | None, seed: int, p: float) -> Tensor:
        ctx.library = native.loops(qkv_BT3HD)
        ctx.masks = native.Masks(seed, LEVELS - levels(p), QUERIES, TILE)
        ctx.segments_BT = None if segments_BT is None else segments_BT.contiguous()
        y_BTHD, sums_NT2 = native.attend(ctx.library, qkv_BT3HD, ctx.segments_BT, ctx.masks)
        ctx.save_for_backward(qkv_BT3HD, sums_NT2)
        return y_BTHD

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dy_BTHD: Tensor) -> tuple[Tensor, None, None, None]:
        qkv_BT3HD, sums_NT2 = ctx.saved_tensors
        found = native.attend_backward(ctx.library, qkv_BT3HD, ctx.segments_BT, ctx.masks, sums_NT2, dy_BTHD)
        return found, None, None, None


def _tiles(rows: int, length: int) -> Iterator[tuple[slice, int, int]]:
    """Yield tiles as (some of the N rows, first query, end of the queries)."""
    for first in range(0, length, QUERIES):
        last = min(first + QUERIES, length)
        size = max(1, TILE // ((last - first) * last))
        for begin in range(0, rows, size):
            yield slice(begin, min(begin + size, rows)), first, last


def _weights(
    q_NRD: Tensor, k_NKD: Tensor, segments_NK: Tensor | None, first: int, seed: int, stay: int
) -> tuple[Tensor, Tensor]:
    """Return a tile's attention weights (N, R, K), negative where they are dropped, and the same with 0 there.

    The tile's queries begin at position `first` and its keys end with the last of them; words below `stay` stay.
    """
    scale = 1 / math.sqrt(q_NRD.shape[2])
    seen_NRK = None if segments_NK is None else _seen(segments_NK[:, first:], segments_NK, first)
    scores_NRK = q_NRD @ k_NKD.mT
    hidden_RK = torch.full_like(scores_NRK[0], -math.inf).triu_(first + 1)
    scores_NRK.mul_(scale).add_(hidden_RK)
    if seen_NRK is not None:
        scores_NRK.masked_fill_(~seen_NRK, -math.inf)
    signed_NRK = torch.softmax(scores_NRK, -1)
    word = words(signed_NRK.numel(), seed, signed_NRK.device)
    signed_NRK.sub_(masked(signed_NRK, word, stay), alpha=2)
    return signed_NRK, signed_NRK.relu()


def _tile_backward(signed_NRK: Tensor, qkv_3NTD: Tensor, dy_NRD: Tensor, gradient_3NTD: Tensor) -> None:
    """Add a tile's part to the gradients of queries, keys and values."""
    last = signed_NRK.shape[2]
    first = last - signed_NRK.shape[1]
    q_NRD, k_NKD, v_NKD = qkv_3NTD[0, :, first:last], qkv_3NTD[1, :, :last], qkv_3NTD[2, :, :last]
    dscores_NRK = dy_NRD @ v_NKD.mT  # of the kept weights, up to here
    dweights_NRK = torch.ops.aten.threshold_backward(dscores_NRK, signed_NRK, 0.0)
    dscores_NRK = torch.ops.aten._softmax_backward_data(dweights_NRK, signed_NRK.abs(), -1, signed_NRK.dtype)  # noqa: SLF001
    gradient_3NTD[2, :, :last] += signed_NRK.relu().mT @ dy_NRD
    gradient_3NTD[0, :, first:last] = dscores_NRK @ k_NKD
    gradient_3NTD[1, :, :last] += dscores_NRK.mT @ q_NRD

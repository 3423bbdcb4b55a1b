"""Kernels in Triton for `linear_cross_entropy`: an output layer and its loss, tile by tile, on a CUDA device.

A tile of logits (some targets, some of the vocabulary) is a product that lives in registers alone. The forward pass
keeps the logarithm of each target's normaliser; each of the two backward passes makes the tiles again from it. Every
sum is taken by one program in one order, so results repeat bit for bit. After Wijmans et al. 2024 (Cut Your Losses in
Large-Vocabulary Language Models), whose backward pass adds in any order.

Shapes: N targets, D width, V vocabulary, O columns of a gradient that a program makes. Matrices lie row by row.
"""

import triton
from triton import language as tl


@triton.jit
def tile_of(matrix, rows, columns, height, width):
    """Return addresses of a matrix's entries, and whether they are within it."""
    within = (rows < height)[:, None] & (columns < width)[None, :]
    return matrix + rows.to(tl.int64)[:, None] * width + columns[None, :], within


@triton.jit
def logits_of(x_ND, weight_VD, rows, columns, N, V, D, LOGITS: tl.constexpr, TILE_D: tl.constexpr):
    """Return the logits of some targets for some of the vocabulary; 0 outside both."""
    logits = tl.zeros(LOGITS, dtype=tl.float32)
    for begin in range(0, D, TILE_D):
        inner = begin + tl.arange(0, TILE_D)
        x, in_x = tile_of(x_ND, rows, inner, N, D)
        weight, in_weight = tile_of(weight_VD, columns, inner, V, D)
        logits = tl.dot(tl.load(x, in_x, other=0.0), tl.trans(tl.load(weight, in_weight, other=0.0)), logits)
    return logits


@triton.jit
def losses(
    x_ND, weight_VD, targets_N, nats_N, normalisers_N, smoothing, N, V, D,
    TILE_N: tl.constexpr, TILE_V: tl.constexpr, TILE_D: tl.constexpr,
):  # fmt: skip
    """Write smoothed cross-entropies and the logarithms of the normalisers of TILE_N targets."""
    rows = tl.program_id(0) * TILE_N + tl.arange(0, TILE_N)
    targets = tl.load(targets_N + rows, rows < N, other=-1)
    largest = tl.full((TILE_N,), -float("inf"), tl.float32)
    exponentials, hits, sums = tl.zeros_like(largest), tl.zeros_like(largest), tl.zeros_like(largest)
    for begin in range(0, V, TILE_V):
        columns = begin + tl.arange(0, TILE_V)
        logits = logits_of(x_ND, weight_VD, rows, columns, N, V, D, (TILE_N, TILE_V), TILE_D)
        hits += tl.sum(tl.where(columns[None, :] == targets[:, None], logits, 0.0), 1)
        sums += tl.sum(logits, 1)
        logits = tl.where((columns < V)[None, :], logits, -float("inf"))
        before, largest = largest, tl.maximum(largest, tl.max(logits, 1))
        exponentials = exponentials * tl.exp(before - largest) + tl.sum(tl.exp(logits - largest[:, None]), 1)
    normalisers = largest + tl.log(exponentials)
    tl.store(nats_N + rows, normalisers - (1 - smoothing) * hits - smoothing * sums / V, rows < N)
    tl.store(normalisers_N + rows, normalisers, rows < N)


@triton.jit
def gradient_of_logits(logits, normalisers, targets, columns, smoothing, V):
    """Return the gradient of each target's cross-entropy for its logits; 0 outside the vocabulary."""
    gradient = tl.exp(logits - normalisers[:, None]) - smoothing / V
    gradient -= tl.where(columns[None, :] == targets[:, None], 1 - smoothing, 0.0)
    return tl.where((columns < V)[None, :], gradient, 0.0)


@triton.jit
def gradient_of_features(
    x_ND, weight_VD, targets_N, normalisers_N, upstream_N, gradient_ND, smoothing, N, V, D,
    TILE_N: tl.constexpr, TILE_V: tl.constexpr, TILE_D: tl.constexpr, TILE_O: tl.constexpr,
):  # fmt: skip
    """Write TILE_O columns of the gradient of TILE_N targets' features."""
    rows = tl.program_id(0) * TILE_N + tl.arange(0, TILE_N)
    out = tl.program_id(1) * TILE_O + tl.arange(0, TILE_O)
    targets = tl.load(targets_N + rows, rows < N, other=-1)
    normalisers = tl.load(normalisers_N + rows, rows < N, other=0.0)
    gradient = tl.zeros((TILE_N, TILE_O), dtype=tl.float32)
    for begin in range(0, V, TILE_V):
        columns = begin + tl.arange(0, TILE_V)
        logits = logits_of(x_ND, weight_VD, rows, columns, N, V, D, (TILE_N, TILE_V), TILE_D)
        of_logits = gradient_of_logits(logits, normalisers, targets, columns, smoothing, V)
        place, within = tile_of(weight_VD, columns, out, V, D)
        weight = tl.load(place, within, other=0.0)
        gradient = tl.dot(of_logits.to(weight.dtype), weight, gradient)
    gradient *= tl.load(upstream_N + rows, rows < N, other=0.0)[:, None]
    place, within = tile_of(gradient_ND, rows, out, N, D)
    tl.store(place, gradient.to(gradient_ND.dtype.element_ty), within)


@triton.jit
def gradient_of_weight(
    x_ND, weight_VD, targets_N, normalisers_N, upstream_N, gradient_VD, smoothing, N, V, D,
    TILE_N: tl.constexpr, TILE_V: tl.constexpr, TILE_D: tl.constexpr, TILE_O: tl.constexpr,
):  # fmt: skip
    """Write TILE_O columns of the gradient of TILE_V rows of the weight."""
    columns = tl.program_id(0) * TILE_V + tl.arange(0, TILE_V)
    out = tl.program_id(1) * TILE_O + tl.arange(0, TILE_O)
    gradient = tl.zeros((TILE_V, TILE_O), dtype=tl.float32)
    for begin in range(0, N, TILE_N):
        rows = begin + tl.arange(0, TILE_N)
        targets = tl.load(targets_N + rows, rows < N, other=-1)
        normalisers = tl.load(normalisers_N + rows, rows < N, other=0.0)
        logits = logits_of(x_ND, weight_VD, rows, columns, N, V, D, (TILE_N, TILE_V), TILE_D)
        of_logits = gradient_of_logits(logits, normalisers, targets, columns, smoothing, V)
        of_logits *= tl.load(upstream_N + rows, rows < N, other=0.0)[:, None]
        place, within = tile_of(x_ND, rows, out, N, D)
        x = tl.load(place, within, other=0.0)
        gradient = tl.dot(tl.trans(of_logits.to(x.dtype)), x, gradient)
    place, within = tile_of(gradient_VD, columns, out, V, D)
    tl.store(place, gradient.to(gradient_VD.dtype.element_ty), within)

"""Cross-entropy from a network's features, without the logits of all tokens at once.

The logits of a batch are the largest tensor of a small network's step. Here they exist for a chunk of rows at
a time, and their gradient is taken in the forward pass, while they are at hand (as in Liger, Hsu et al. 2024,
and Wijmans et al. 2024): same values, a quarter to a sixteenth of the memory.
`torch.nn.functional.linear_cross_entropy` (torch 2.13) does the same but gives either a gradient at this cost
or the loss per token, and we need both.

Shapes: N targets, D width, V vocabulary, B rows, T positions, C targets of a chunk. Losses are in nats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from diagnose.training.device import fused_loops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK_CPU = 1024  # targets of a chunk; 512 to 2048 are equally fast
CHUNK_BYTES = 1 << 29  # of float32 logits of a chunk on other devices, where few large kernels are better


def chunked(
    x_ND: Tensor,
    weight_VD: Tensor,
    bias_V: Tensor | None,
    targets_N: Tensor,
    weights_N: Tensor,
    label_smoothing: float = 0.0,
    chunk: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the weighted sum of smoothed cross-entropies, and each target's plain cross-entropy.

    Smoothed: (1 - s) * -log p(target) + s * mean over the vocabulary of -log p (Szegedy et al. 2016). Under
    autocast the products are taken in its dtype and everything else in float32.

    Args:
        x_ND: features.
        weight_VD: of the output layer.
        bias_V: of the output layer.
        targets_N: int64.
        weights_N: what each target counts; where 0, neither an infinite loss nor broken features do any harm.
        label_smoothing: s.
        chunk: targets at a time; None for what is quick on the device.

    Returns:
        The loss (scalar, in nats, with a gradient for x, weight and bias) and nats_N (no gradient).
    """
    size = chunk or _chunk_size(x_ND, len(weight_VD))
    wanted = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x_ND, weight_VD, bias_V))
    result: tuple[Tensor, Tensor] = _Chunked.apply(  # type: ignore[no-untyped-call]
        x_ND, weight_VD, bias_V, targets_N, weights_N, label_smoothing, size, wanted
    )
    return result


def _chunk_size(x_ND: Tensor, vocabulary: int) -> int:
    return CHUNK_CPU if x_ND.device.type == "cpu" else max(CHUNK_CPU, CHUNK_BYTES // (4 * vocabulary))


class _Chunked(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        targets_N: Tensor,
        weights_N: Tensor,
        smoothing: float,
        size: int,
        wanted: bool,
    ) -> tuple[Tensor, Tensor]:
        layer = _Layer(weight_VD, bias_V, product_dtype(x_ND.device.type, weight_VD))
        with torch.autocast(x_ND.device.type, enabled=False):
            gradients = _Gradients(x_ND, layer) if wanted else None
            nats_N = torch.empty(len(x_ND), dtype=layer.exact, device=x_ND.device)
            loss = torch.zeros((), dtype=layer.exact, device=x_ND.device)
            for rows in _slices(len(x_ND), size):
                weights_C = weights_N[rows].to(layer.exact)
                logits_CV = layer.logits(x_ND[rows])
                nats_N[rows], smoothed_C, gradient_CV = _losses(logits_CV, targets_N[rows], smoothing, wanted)
                loss += torch.where(weights_C == 0, 0, weights_C * smoothed_C).sum()
                if gradients is not None:
                    gradients.add(rows, x_ND[rows], _void(gradient_CV, weights_C), weights_C)
        ctx.mark_non_differentiable(nats_N)
        if gradients is not None:
            ctx.save_for_backward(gradients.x_ND, gradients.weight_VD, gradients.bias_V)
        return loss, nats_N

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        scaled = [None if g is None else g * upstream.to(g.dtype) for g in ctx.saved_tensors]
        return (*scaled, None, None, None, None, None)


def product_dtype(device: str, weight_VD: Tensor) -> torch.dtype:
    """Return the dtype of products with a weight: autocast's where it is on."""
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight_VD.dtype


def _slices(count: int, size: int) -> Iterator[slice]:
    return (slice(begin, min(begin + size, count)) for begin in range(0, count, size))


class _Layer:
    """The output layer, its matrix in the dtype of products and all else in at least float32."""

    def __init__(self, weight_VD: Tensor, bias_V: Tensor | None, products: torch.dtype) -> None:
        self.products, self.exact = products, torch.promote_types(weight_VD.dtype, torch.float32)
        self.weight_VD = weight_VD.detach().to(products)
        self.bias_V = None if bias_V is None else bias_V.detach().to(self.exact)

    def logits(self, x_CD: Tensor) -> Tensor:
        logits_CV = x_CD.to(self.products) @ self.weight_VD.T
        return logits_CV if self.bias_V is None else logits_CV.to(self.exact).add_(self.bias_V)


def _losses(logits_CV: Tensor, targets_C: Tensor, smoothing: float, gradient: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return plain and smoothed cross-entropies, and the smoothed ones' gradient for the logits, which may lie in them.

    What stands for the gradient is of no use where it is not wanted.
    """
    loops = fused_loops()
    fused = loops.losses(logits_CV, targets_C, smoothing, gradient=gradient) if loops else None
    if fused is not None:
        return *fused, logits_CV
    logits_CV = logits_CV.to(torch.promote_types(logits_CV.dtype, torch.float32))
    p_CV = torch.softmax(logits_CV, 1)
    # The largest probability is 1 over the sum of exp(logit - largest logit): so it gives the logarithm of the
    # normaliser without another pass of exponentials, which cost as much as the softmax.
    normaliser_C = logits_CV.amax(1) - p_CV.amax(1).log()
    nats_C = smoothed_C = normaliser_C - logits_CV.gather(1, targets_C[:, None])[:, 0]
    if smoothing:
        smoothed_C = (1 - smoothing) * nats_C + smoothing * (normaliser_C - logits_CV.mean(1))
        p_CV -= smoothing / p_CV.shape[1]
    place_C1 = targets_C[:, None]  # one a row: `scatter_add_` would add on a CUDA device in an order of its own
    p_CV.scatter_(1, place_C1, p_CV.gather(1, place_C1) + (smoothing - 1))
    return nats_C, smoothed_C, p_CV


def _void(values_CX: Tensor, weights_C: Tensor) -> Tensor:
    """Put 0 into rows of weight 0, in place: as factors they would not do, for 0 x NaN is NaN."""
    void_C = weights_C == 0
    if values_CX.device.type == "cpu" and not bool(void_C.any()):  # asking a GPU would be to wait for it
        return values_CX
    return values_CX.masked_fill_(void_C[:, None], 0)


class _Gradients:
    """What the loss's gradient for x, the weight and the bias adds up to, chunk by chunk.

    Weights multiply the narrow factor of each product instead of all the logits' gradients.
    """

    def __init__(self, x_ND: Tensor, layer: _Layer) -> None:
        self.layer = layer
        self.x_ND = torch.empty_like(x_ND)
        self.weight_VD = torch.zeros_like(layer.weight_VD, dtype=layer.exact)
        self.bias_V = None if layer.bias_V is None else torch.zeros_like(layer.bias_V)

    def add(self, rows: slice, x_CD: Tensor, logits_CV: Tensor, weights_C: Tensor) -> None:
        if self.bias_V is not None:
            self.bias_V += weights_C @ logits_CV
        products = self.layer.products
        logits_CV = logits_CV.to(products)
        self.x_ND[rows] = (logits_CV @ self.layer.weight_VD) * weights_C[:, None]
        weighted_CD = _void(x_CD * weights_C[:, None], weights_C).to(products)
        if products == self.layer.exact:
            self.weight_VD.addmm_(logits_CV.T, weighted_CD)
        else:
            self.weight_VD += logits_CV.T @ weighted_CD


class _FromLogits(torch.autograd.Function):
    """The same for a network that offers its logits alone."""

    @staticmethod
    def forward(
        ctx: Any, logits_NV: Tensor, targets_N: Tensor, weights_N: Tensor, smoothing: float, size: int
    ) -> tuple[Tensor, Tensor]:
        exact = torch.promote_types(logits_NV.dtype, torch.float32)
        nats_N = torch.empty(len(logits_NV), dtype=exact, device=logits_NV.device)
        loss = torch.zeros((), dtype=exact, device=logits_NV.device)
        gradient_NV = torch.empty_like(logits_NV) if ctx.needs_input_grad[0] else None
        for rows in _slices(len(logits_NV), size):
            weights_C, wanted = weights_N[rows].to(exact), gradient_NV is not None
            own_CV = logits_NV[rows].to(exact, copy=wanted)  # the network's logits stay as they are
            nats_N[rows], smoothed_C, gradient_CV = _losses(own_CV, targets_N[rows], smoothing, wanted)
            loss += torch.where(weights_C == 0, 0, weights_C * smoothed_C).sum()
            if gradient_NV is not None:
                gradient_NV[rows] = _void(gradient_CV, weights_C) * weights_C[:, None]
        ctx.mark_non_differentiable(nats_N)
        ctx.save_for_backward(gradient_NV)
        return loss, nats_N

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        (gradient_NV,) = ctx.saved_tensors
        return gradient_NV * upstream.to(gradient_NV.dtype), None, None, None, None


def split(network: nn.Module) -> tuple[Callable[[Tensor, Tensor | None], Tensor], nn.Linear] | None:
    """Return a network's features and its output layer where it offers both, else None.

    It offers them by a method (or compiled function) `features(tokens_BT, segments_BT)` and a plain linear
    `head`.
    """
    features, head = getattr(network, "features", None), getattr(network, "head", None)
    if type(head) is nn.Linear and callable(features) and not isinstance(features, nn.Module):
        return features, head
    return None


def objective(
    network: nn.Module,
    tokens_BT: Tensor,
    targets_BT: Tensor,
    weights_BT: Tensor,
    segments_BT: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return what training minimises, and each target's plain cross-entropy.

    Args:
        network: in the mode that it should be read in.
        tokens_BT: int64.
        targets_BT: int64, the token after each.
        weights_BT: what each target counts.
        segments_BT: see the network's contract.
        label_smoothing: share of a target's weight that is spread over the vocabulary.

    Returns:
        The weighted sum of smoothed cross-entropies (scalar) and nats_BT (no gradient).
    """
    targets_N, weights_N = targets_BT.reshape(-1), weights_BT.reshape(-1)
    parts = split(network)
    if parts is not None:
        features, head = parts
        x_ND = features(tokens_BT, segments_BT).flatten(0, 1)
        loss, nats_N = chunked(x_ND, head.weight, head.bias, targets_N, weights_N, label_smoothing)
    else:
        logits_NV = network(tokens_BT, segments_BT).flatten(0, 1)
        size = _chunk_size(logits_NV, logits_NV.shape[1])
        loss, nats_N = _FromLogits.apply(  # type: ignore[no-untyped-call]
            logits_NV, targets_N, weights_N, label_smoothing, size
        )
    return loss, nats_N.view(targets_BT.shape)


def token_nats(
    network: nn.Module,
    tokens_BT: Tensor,
    targets_BT: Tensor,
    segments_BT: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return each target's cross-entropy (B, T), smoothed where asked, without gradients; see `objective`."""
    with torch.no_grad():
        parts = split(network)
        x_NX = (network if parts is None else parts[0])(tokens_BT, segments_BT).flatten(0, 1)
        if parts is None:
            vocabulary = x_NX.shape[1]
        else:
            vocabulary, head = len(parts[1].weight), parts[1]
            layer = _Layer(head.weight, head.bias, product_dtype(x_NX.device.type, head.weight))
        targets_N, chunks = targets_BT.reshape(-1), []
        with torch.autocast(x_NX.device.type, enabled=False):
            for rows in _slices(len(x_NX), _chunk_size(x_NX, vocabulary)):
                logits_CV = x_NX[rows] if parts is None else layer.logits(x_NX[rows])
                chunks.append(_losses(logits_CV, targets_N[rows], label_smoothing, gradient=False)[1])
        return torch.cat(chunks).view(targets_BT.shape)

"""A transformer decoder as GPT-2 has it: pre-norm, learned positions, one matrix for input and output.

Architecture: Radford et al. 2019; initialisation as there (normal, 0.02; projections into the residual stream
divided by sqrt(2 x layers)).

Shapes: B rows, T positions, D width, H heads, V vocabulary.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from .attention import Memory, attend, document_mask
from .dropout import Dropout, any_active, draw
from .gelu import GELU
from .segments import places

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.nn.attention.flex_attention import BlockMask

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "gelu": GELU,
    "gelu_tanh": partial(nn.GELU, approximate="tanh"),
    "relu": nn.ReLU,
}
STANDARD_DEVIATION = 0.02
LEAST_HEAD = 16  # width of a head: torch compiles `flex_attention` for no narrower one (2.13, "NYI")


def build(
    vocab_size: int,
    context: int,
    *,
    layers: int = 4,
    heads: int = 4,
    width: int = 128,
    activation: str = "gelu",
    bias: bool = True,
    dropout: float = 0.1,
    dropout_attention: float | None = None,
    dropout_residual: float | None = None,
    dropout_embedding: float | None = None,
    tied: bool = True,
) -> GPT:
    """Build a GPT.

    Args:
        vocab_size: tokens of the vocabulary.
        context: longest row.
        layers: blocks of attention and feed-forward network.
        heads: of attention; divides the width.
        width: of the residual stream; the feed-forward network is 4 times as wide.
        activation: "gelu" (exact), "gelu_tanh" (GPT-2's approximation) or "relu".
        bias: whether linear layers and norms have one.
        dropout: probability for all kinds that have none of their own.
        dropout_attention: of attention weights.
        dropout_residual: of what a block adds to the residual stream.
        dropout_embedding: of the embedded tokens.
        tied: whether the output matrix is the embedding.

    Raises:
        ValueError: settings that make no network.
    """
    _validate(vocab_size, context, layers, heads, width, activation)
    own = (dropout_embedding, dropout_attention, dropout_residual)
    rates = [dropout if p is None else p for p in own]
    return GPT(
        (vocab_size, context, layers, heads, width),
        ACTIVATIONS[activation],
        bias,
        (rates[0], rates[1], rates[2]),
        tied,
    )


def _validate(vocab_size: int, context: int, layers: int, heads: int, width: int, activation: str) -> None:
    sizes = {"vocab_size": vocab_size, "context": context, "layers": layers, "heads": heads, "width": width}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; it must be at least 1")
    if width % heads:
        raise ValueError(f"width {width} cannot be divided among {heads} heads")
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation '{activation}' is unknown; known are {', '.join(ACTIVATIONS)}")


class Shared(NamedTuple):
    """What all layers of a forward pass share.

    Attributes:
        segments_BT: of the rows; None for one segment each.
        mask: which positions each one sees, where attention takes it so; see `document_mask`.
        word: what the network drew for its dropout.
    """

    segments_BT: Tensor | None
    mask: Tensor | BlockMask | None
    word: int | None


class Attention(nn.Module):
    """Causal self-attention of several heads."""

    def __init__(self, width: int, heads: int, bias: bool, drop: Dropout) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)
        self.drop = drop

    def forward(self, x_BTD: Tensor, shared: Shared, memory: Memory | None = None) -> Tensor:
        """Mix positions up to each one's own, within segments, or with those in memory."""
        rows, length, width = x_BTD.shape
        qkv_BT3HD = self.qkv(x_BTD).view(rows, length, 3, self.heads, width // self.heads)
        if memory is not None:
            y_BTHD = memory.attend(qkv_BT3HD)
        else:
            y_BTHD = attend(qkv_BT3HD, shared.segments_BT, self.drop, shared.word, shared.mask)
        projected: Tensor = self.out(y_BTHD.reshape(rows, length, width))
        return projected


class Block(nn.Module):
    """Attention, then a feed-forward network; each reads the normed residual stream and adds to it."""

    def __init__(
        self, width: int, heads: int, activation: Callable[[], nn.Module], bias: bool, drops: list[Dropout]
    ) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width, bias=bias)
        self.attention = Attention(width, heads, bias, drops[0])
        self.drop_attention = drops[1]
        self.norm_feed = nn.LayerNorm(width, bias=bias)
        self.widen = nn.Linear(width, 4 * width, bias=bias)
        self.activation = activation()
        self.narrow = nn.Linear(4 * width, width, bias=bias)
        self.drop_feed = drops[2]

    def forward(self, x_BTD: Tensor, shared: Shared, memory: Memory | None = None) -> Tensor:
        """Return the residual stream after the block."""
        mixed_BTD = self.attention(self.norm_attention(x_BTD), shared, memory)
        x_BTD = x_BTD + self.drop_attention(mixed_BTD, shared.word)
        fed_BTD = self.narrow(self.activation(self.widen(self.norm_feed(x_BTD))))
        out: Tensor = x_BTD + self.drop_feed(fed_BTD, shared.word)
        return out


class GPT(nn.Module):
    """The network; see `build` for its settings.

    `forward(tokens_BT, segments_BT)` is `head(features(tokens_BT, segments_BT))`.

    Attributes:
        masks_in_blocks: whether a graph compiled for a card leaves document masks to attention's kernel, where no
            attention weights are dropped and heads are wide enough; see `flex`.
    """

    def __init__(
        self,
        sizes: tuple[int, int, int, int, int],
        activation: Callable[[], nn.Module],
        bias: bool,
        rates: tuple[float, float, float],
        tied: bool,
    ) -> None:
        """Take (vocabulary, context, layers, heads, width) and (embedding, attention, residual) dropout."""
        super().__init__()
        vocab_size, self.context, layers, heads, width = sizes
        embedding, attention, residual = rates
        self.embedding = nn.Embedding(vocab_size, width)
        self.position = nn.Embedding(self.context, width)
        self.drop = Dropout(embedding, "embedding", 0)
        kinds = ((attention, "attention"), (residual, "residual"), (residual, "residual"))
        self.blocks = nn.ModuleList(
            Block(
                width,
                heads,
                activation,
                bias,
                [Dropout(p, kind, 1 + 3 * i + j) for j, (p, kind) in enumerate(kinds)],
            )
            for i in range(layers)
        )
        self.norm = nn.LayerNorm(width, bias=bias)
        self.head = nn.Linear(width, vocab_size, bias=False)
        self.masks_in_blocks = False
        self._initialise()
        if tied:
            self.head.weight = self.embedding.weight

    def _initialise(self) -> None:
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                into_residual = name.endswith((".attention.out", ".narrow"))
                scale = 1 / math.sqrt(2 * len(self.blocks)) if into_residual else 1.0
                nn.init.normal_(module.weight, 0.0, STANDARD_DEVIATION * scale)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def features(self, tokens_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        """Return what the head reads, (B, T, D).

        Args:
            tokens_BT: int64.
            segments_BT: int64, non-decreasing along a row: positions attend within their segment and are
                counted from its start.

        Raises:
            ValueError: rows longer than the context.
        """
        length = tokens_BT.shape[1]
        if length > self.context:
            raise ValueError(f"a row of {length} tokens is longer than the context of {self.context}")
        word = None if torch.compiler.is_compiling() or not any_active(self) else draw()
        place = torch.arange(length, device=tokens_BT.device) if segments_BT is None else places(segments_BT)
        x_BTD = self.drop(self.embedding(tokens_BT) + self.position(place), word)
        first: Block = self.blocks[0]  # type: ignore[assignment]
        wide = self.embedding.embedding_dim >= LEAST_HEAD * first.attention.heads
        in_blocks = self.masks_in_blocks and wide and not first.attention.drop.active
        shared = Shared(segments_BT, document_mask(segments_BT, in_blocks=in_blocks), word)
        for block in self.blocks:
            x_BTD = block(x_BTD, shared)
        normed: Tensor = self.norm(x_BTD)
        return normed

    def forward(self, tokens_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        """Return logits (B, T, V) of each next token; see `features`."""
        logits_BTV: Tensor = self.head(self.features(tokens_BT, segments_BT))
        return logits_BTV

    def read_on(self, tokens_BT: Tensor, memory: list[Memory] | None = None) -> tuple[Tensor, list[Memory]]:
        """Return logits (B, T, V) of tokens that follow others, and the memory of all of them; without dropout.

        Args:
            tokens_BT: int64.
            memory: of the tokens before, as this returned it (it is changed); None for none.

        Raises:
            ValueError: more tokens in all than the context.
        """
        memory = [Memory() for _ in self.blocks] if memory is None else memory
        read, new = len(memory[0]), tokens_BT.shape[1]
        if read + new > self.context:
            raise ValueError(f"{read + new} tokens are more than the context of {self.context}")
        place = torch.arange(read, read + new, device=tokens_BT.device)
        x_BTD, alone = self.embedding(tokens_BT) + self.position(place), Shared(None, None, None)
        for block, own in zip(self.blocks, memory, strict=True):
            x_BTD = block(x_BTD, alone, own)
        logits_BTV: Tensor = self.head(self.norm(x_BTD))
        return logits_BTV, memory

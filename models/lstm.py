"""A long short-term memory network (Hochreiter & Schmidhuber 1997) on torch's own `nn.LSTM`.

Dropout stands where Zaremba et al. (2014) put it: on the embedded tokens and on what each layer passes up, never on
the recurrence. Input and output share a matrix unless told otherwise (Press & Wolf 2017).

Shapes: B rows, T positions, D width, V vocabulary, S segments, L positions of the longest segment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from .dropout import Dropout, any_active, draw
from .segments import places, starts

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDING_RANGE = 0.1  # of the uniform initial embedding (Merity et al. 2018)


def build(
    vocab_size: int,
    context: int,
    *,
    layers: int = 2,
    width: int = 256,
    dropout: float = 0.1,
    dropout_embedding: float | None = None,
    dropout_layers: float | None = None,
    tied: bool = True,
    bias: bool = True,
) -> LSTM:
    """Build an LSTM.

    Args:
        vocab_size: tokens of the vocabulary.
        context: longest row; the network itself has no limit.
        layers: one LSTM each.
        width: of the embedding and of every layer.
        dropout: probability for all kinds that have none of their own.
        dropout_embedding: of the embedded tokens.
        dropout_layers: of what each layer passes up.
        tied: whether the output matrix is the embedding.
        bias: whether gates have one.

    Raises:
        ValueError: settings that make no network.
    """
    for name, size in {"vocab_size": vocab_size, "context": context, "layers": layers, "width": width}.items():
        if size < 1:
            raise ValueError(f"{name} is {size}; it must be at least 1")
    own = [dropout if p is None else p for p in (dropout_embedding, dropout_layers)]
    return LSTM(vocab_size, width, [own[0]] + [own[1]] * layers, tied=tied, bias=bias)


class LSTM(nn.Module):
    """The network; see `build` for its settings.

    `forward(tokens_BT, segments_BT)` is `head(features(tokens_BT, segments_BT))`.
    """

    def __init__(self, vocab_size: int, width: int, rates: list[float], *, tied: bool, bias: bool) -> None:
        """Take the dropout of the embedding and of each layer in `rates`; there are as many layers as those."""
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.drop = Dropout(rates[0], "embedding", 0)
        self.layers = nn.ModuleList(nn.LSTM(width, width, batch_first=True, bias=bias) for _ in rates[1:])
        self.drops = nn.ModuleList(Dropout(p, "layers", 1 + i) for i, p in enumerate(rates[1:]))
        self.head = nn.Linear(width, vocab_size, bias=False)
        nn.init.uniform_(self.embedding.weight, -EMBEDDING_RANGE, EMBEDDING_RANGE)
        nn.init.uniform_(self.head.weight, -EMBEDDING_RANGE, EMBEDDING_RANGE)
        if tied:
            self.head.weight = self.embedding.weight

    def features(self, tokens_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        """Return what the head reads, (B, T, D).

        Args:
            tokens_BT: int64.
            segments_BT: int64, non-decreasing along a row: the state is zero at the start of each.
        """
        word = None if torch.compiler.is_compiling() or not any_active(self) else draw()
        x_BTD = self.drop(self.embedding(tokens_BT), word)
        unpacked = None if segments_BT is None else _unpacked(segments_BT)
        for layer, drop in zip(self.layers, self.drops, strict=True):
            x_BTD = drop(_run(layer, x_BTD, unpacked), word)
        return x_BTD

    def forward(self, tokens_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        """Return logits (B, T, V) of each next token; see `features`."""
        logits_BTV: Tensor = self.head(self.features(tokens_BT, segments_BT))
        return logits_BTV


def _unpacked(segments_BT: Tensor) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """Return where each token goes when every segment gets a row of its own.

    Returns:
        Row and place of each token, both (B x T), and the shape (S, L).
    """
    row_N = starts(segments_BT).flatten().cumsum(0) - 1
    place_N = places(segments_BT).flatten()
    return row_N, place_N, (int(row_N[-1]) + 1, int(place_N.max()) + 1)


def _run(layer: nn.Module, x_BTD: Tensor, unpacked: tuple[Tensor, Tensor, tuple[int, int]] | None) -> Tensor:
    """Run a layer from a zero state at the start of each row, or of each segment.

    A segment's padding lies behind its end, where it cannot change what comes before it.
    """
    if unpacked is None:
        whole_BTD: Tensor = layer(x_BTD)[0]
        return whole_BTD
    row_N, place_N, shape = unpacked
    x_SLD = x_BTD.new_zeros(*shape, x_BTD.shape[2]).index_put((row_N, place_N), x_BTD.flatten(0, 1))
    y_SLD: Tensor = layer(x_SLD)[0]
    return y_SLD[row_N, place_N].view(x_BTD.shape)

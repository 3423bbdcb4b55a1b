"""A long short-term memory network (Hochreiter & Schmidhuber 1997) on torch's own `nn.LSTM`.

Dropout stands where Zaremba et al. (2014) put it: on the embedded tokens and on what each layer passes up,
never on the recurrence. Input and output share a matrix unless told otherwise (Press & Wolf 2017).

Shapes: B rows, T positions, D width, V vocabulary, S segments, L positions of the longest, N tokens of the
batch, M tokens of a bucket.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from .dropout import Dropout, any_active, draw
from .segments import places, starts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor

    State = tuple[Tensor, Tensor]  # of a layer: its output and its cell

EXACT = ("cpu", "cuda")  # devices on which recurrent layers compute in their weights' dtype
SHORT = 16  # segments up to this length share a bucket
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
    sizes = {"vocab_size": vocab_size, "context": context, "layers": layers, "width": width}
    for name, size in sizes.items():
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
        x_BTD: Tensor = self.drop(self.embedding(tokens_BT), word)
        buckets = None if segments_BT is None else _buckets(segments_BT)
        for layer, drop in zip(self.layers, self.drops, strict=True):
            x_BTD = drop(_run(layer, x_BTD, buckets), word)
        return x_BTD

    def forward(self, tokens_BT: Tensor, segments_BT: Tensor | None = None) -> Tensor:
        """Return logits (B, T, V) of each next token; see `features`."""
        logits_BTV: Tensor = self.head(self.features(tokens_BT, segments_BT))
        return logits_BTV

    def read_on(self, tokens_BT: Tensor, memory: list[State] | None = None) -> tuple[Tensor, list[State]]:
        """Return logits (B, T, V) of tokens that follow others, and each layer's state after them; without dropout.

        Args:
            tokens_BT: int64.
            memory: after the tokens before, as this returned it; None for none.
        """
        x_BTD, after = self.embedding(tokens_BT), []
        before: Sequence[State | None] = memory or [None] * len(self.layers)
        for layer, state in zip(self.layers, before, strict=True):
            with _exactly(x_BTD):
                x_BTD, left = layer(_as_weights(x_BTD, layer), state)
            after.append(left)
        logits_BTV: Tensor = self.head(x_BTD)
        return logits_BTV, after


class _Bucket(NamedTuple):
    """Segments of similar length, each of which gets a row of its own.

    Attributes:
        token_M: which tokens of the batch, counted along its rows.
        row_M: the row that each goes to.
        place_M: the place in it.
        shape: rows and length, (S, L).
    """

    token_M: Tensor
    row_M: Tensor
    place_M: Tensor
    shape: tuple[int, int]


def _buckets(segments_BT: Tensor) -> list[_Bucket]:
    """Sort the tokens of all segments into buckets; within one, no segment is shorter than half the longest."""
    segment_N = starts(segments_BT).flatten().cumsum(0) - 1
    place_N = places(segments_BT).flatten()
    length_N = segment_N.bincount()[segment_N]
    longest, buckets = int(length_N.max()), []
    while longest > 0:
        shorter = longest // 2 if longest > SHORT else 0
        token_M = ((length_N > shorter) & (length_N <= longest)).nonzero()[:, 0]
        if len(token_M):
            rows, row_M = segment_N[token_M].unique(return_inverse=True)  # type: ignore[no-untyped-call]
            buckets.append(_Bucket(token_M, row_M, place_N[token_M], (len(rows), longest)))
        longest = shorter
    return buckets


def _run(layer: nn.Module, x_BTD: Tensor, buckets: list[_Bucket] | None) -> Tensor:
    """Run a layer from a zero state at the start of each row, or of each segment.

    A segment's padding lies behind its end, where it cannot change what comes before it. Autocast is left: in bfloat16
    torch's LSTM takes 8 times as long on a CPU, and on a CUDA device autocast would make it float16, whatever dtype was
    asked for, in which gradients vanish.
    """
    with _exactly(x_BTD):
        x_BTD = _as_weights(x_BTD, layer)
        if buckets is None:
            whole_BTD: Tensor = layer(x_BTD)[0]
            return whole_BTD
        x_ND = x_BTD.flatten(0, 1)
        parts = [_run_bucket(layer, x_ND, bucket) for bucket in buckets]
        y_ND = torch.empty_like(x_ND, dtype=parts[0].dtype)
        tokens_N = torch.cat([bucket.token_M for bucket in buckets])
        return y_ND.index_copy(0, tokens_N, torch.cat(parts)).view(x_BTD.shape)


def _exactly(x_BTD: Tensor) -> AbstractContextManager[object]:
    return torch.autocast(x_BTD.device.type, enabled=False) if x_BTD.device.type in EXACT else nullcontext()


def _as_weights(x_BTD: Tensor, layer: nn.Module) -> Tensor:
    """Give values the dtype of a layer's weights where autocast is left."""
    return x_BTD.to(next(layer.parameters()).dtype) if x_BTD.device.type in EXACT else x_BTD


def _run_bucket(layer: nn.Module, x_ND: Tensor, bucket: _Bucket) -> Tensor:
    where = (bucket.row_M, bucket.place_M)
    x_SLD = x_ND.new_zeros(*bucket.shape, x_ND.shape[1]).index_put(where, x_ND[bucket.token_M])
    y_SLD: Tensor = layer(x_SLD)[0]
    return y_SLD[where]

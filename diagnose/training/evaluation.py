"""A reading: the loss of a network on some text under a fully stated condition, kept as sums.

Two losses that look alike may differ in dropout, in what is averaged over what, in precision, in which text. A
`Reading` keeps the sums per batch, row and document, so that every mean that a condition can ask for is computed
from one pass, and so that intervals can treat documents as the units.

The *canonical reading* is what runs are compared by: each document alone after a start mark, a longer one in windows
of the run's context with a stride of half of it, so that every byte is scored exactly once whatever the loader.

Shapes: B rows, T positions, R rows of a whole reading, N documents. Losses are in nats.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.errors import FINDING, DiagnoseError
from diagnose.training import chunked_loss
from diagnose.training.device import autocast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from diagnose.data.stream import Stream
    from diagnose.training.batches import Batch
    from diagnose.training.positions import Places

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

READ_TOKENS = 16_384  # tokens of a forward pass of the canonical reading
READ_TOKENS_CPU = 1_024  # there small passes are as fast, and less of them is padding


@dataclass(frozen=True)
class EvalCondition:
    """Everything that decides what a mean loss means, besides the weights and the text.

    Attributes:
        training: dropout and the like on.
        precision: "fp32" or "bf16" (autocast).
        label_smoothing: share of the target's weight spread over the vocabulary.
        penalty: half the squared norm of the weights times the loss's weight decay, in nats.
        padding: "ignore" (not counted), "target" (predicted like a token), "denominator" (zero, but in the mean).
        mean: over "token"s, of "sequence" means, or of "batch" means.
    """

    training: bool = False
    precision: str = "fp32"
    label_smoothing: float = 0.0
    penalty: float = 0.0
    padding: str = "ignore"
    mean: str = "token"


@dataclass(frozen=True)
class Evaluation:
    """Sums of one pass over some text.

    Attributes:
        condition: what the loss means.
        batch_R, nats_R, targets_R, padding_nats_R, padding_R: per row: its batch, the nats and number of real
            targets, the nats and number of padding targets.
        document_N, document_nats_N, tokens_N, bytes_N: per document that has a target in the text.
    """

    condition: EvalCondition
    batch_R: Ints
    nats_R: Floats
    targets_R: Ints
    padding_nats_R: Floats
    padding_R: Ints
    document_N: Ints
    document_nats_N: Floats
    tokens_N: Ints
    bytes_N: Ints

    @property
    def loss(self) -> float:
        """The mean that the condition asks for, in nats per token."""
        nats_R = self.nats_R + (self.padding_nats_R if self.condition.padding == "target" else 0.0)
        places_R = self.targets_R + (self.padding_R if self.condition.padding != "ignore" else 0)
        if self.condition.mean == "sequence":
            mean = float(np.mean(nats_R / places_R))
        elif self.condition.mean == "batch":
            sums = np.bincount(self.batch_R, nats_R) / np.bincount(self.batch_R, places_R)
            mean = float(np.mean(sums))
        else:
            mean = float(nats_R.sum() / places_R.sum())
        return mean + self.condition.penalty


def read(
    network: nn.Module, batches: Iterable[Batch], condition: EvalCondition, bytes_V: Tensor, mask_key: int = 0
) -> Evaluation:
    """Read the loss of a network on some batches.

    Args:
        network: left exactly as it was, its `training` flags and the random state included.
        batches: at least one.
        condition: how.
        bytes_V: UTF-8 bytes of each token.
        mask_key: names the dropout masks that are drawn where `condition.training`.
    """
    device = next(network.parameters()).device
    parts: list[tuple[Tensor, ...]] = []
    with torch.no_grad(), unchanged(network, training=condition.training):
        for number, batch in enumerate(batches):
            torch.manual_seed(seeding.key(mask_key, "masks", number))
            here = batch.to(device)
            with autocast(device, condition.precision):
                nats_BT = chunked_loss.token_nats(
                    network, here.inputs_BT, here.targets_BT, here.segments_BT, condition.label_smoothing
                )
            parts.append((torch.full((len(nats_BT),), number), *_sums(here, nats_BT, bytes_V.to(device))))
    batch_R, nats_R, targets_R, padding_nats_R, padding_R = (_joined(parts, k) for k in range(5))
    document_N, document_nats_N, tokens_N, bytes_N = _by_document(parts)
    return Evaluation(
        condition, batch_R, nats_R, targets_R, padding_nats_R, padding_R, document_N, document_nats_N, tokens_N, bytes_N
    )


def _joined(parts: list[tuple[Tensor, ...]], place: int) -> Any:
    return np.concatenate([part[place].cpu().numpy() for part in parts])


def _sums(batch: Batch, nats_BT: Tensor, bytes_V: Tensor) -> tuple[Tensor, ...]:
    nats_BT = nats_BT.double() if nats_BT.device.type != "mps" else nats_BT.float()
    counted_BT = batch.counted_BT
    real_BT = nats_BT.masked_fill(~counted_BT, 0)
    padding_BT = nats_BT.masked_fill(counted_BT, 0)
    documents, where = torch.unique(batch.documents_BT[counted_BT], return_inverse=True)
    zero = torch.zeros(len(documents), dtype=nats_BT.dtype, device=nats_BT.device)
    nats = zero.index_add(0, where, nats_BT[counted_BT])
    tokens = zero.index_add(0, where, torch.ones_like(where, dtype=zero.dtype))
    sizes = zero.index_add(0, where, bytes_V[batch.targets_BT[counted_BT]].to(zero.dtype))
    rows = (real_BT.sum(1), counted_BT.sum(1), padding_BT.sum(1), (~counted_BT).sum(1))
    return (*rows, documents, nats, tokens, sizes)


def _by_document(parts: list[tuple[Tensor, ...]]) -> tuple[Ints, Floats, Ints, Ints]:
    """Add up what several batches hold of the same document."""
    documents, nats, tokens, sizes = (_joined(parts, k) for k in range(5, 9))
    unique, where = np.unique(documents, return_inverse=True)
    nats_N, tokens_N, bytes_N = (np.bincount(where, values) for values in (nats, tokens, sizes))
    return unique, nats_N.astype(np.float64), tokens_N.round().astype(np.int64), bytes_N.round().astype(np.int64)


@contextmanager
def unchanged(network: nn.Module, *, training: bool) -> Iterator[None]:
    """Put a network into a mode for a while.

    Flags, random states and what training mode writes into buffers (batch norm's averages) come back as they were,
    whatever happens. Readings use `no_grad` and not `inference_mode`: a mask that a network makes once and keeps must
    serve training too.
    """
    flags = [(module, module.training) for module in network.modules()]
    kept = [(buffer, buffer.clone()) for buffer in network.buffers()] if training else []
    devices = sorted({p.device.index or 0 for p in network.parameters() if p.device.type == "cuda"})
    with torch.random.fork_rng(devices):
        try:
            network.train(training)
            yield
        finally:
            for module, flag in flags:
                module.training = flag
            with torch.no_grad():
                for buffer, value in kept:
                    buffer.copy_(value)


@dataclass(frozen=True)
class Canonical:
    """The canonical reading: per document its nats (end mark included), its targets and its UTF-8 bytes."""

    document_N: Ints
    nats_N: Floats
    tokens_N: Ints
    bytes_N: Ints

    @property
    def bits_per_byte(self) -> float:
        """All nats over ln 2 times all bytes."""
        return float(self.nats_N.sum() / np.log(2) / self.bytes_N.sum())

    @property
    def nats_per_token(self) -> float:
        """All nats over all targets, the end marks included."""
        return float(self.nats_N.sum() / self.tokens_N.sum())

    def of(self, documents_N: Ints) -> Canonical:
        """Return the reading of some of its documents."""
        some = np.isin(self.document_N, documents_N)
        return Canonical(self.document_N[some], self.nats_N[some], self.tokens_N[some], self.bytes_N[some])


def canonical(
    network: nn.Module, stream: Stream, documents_N: Ints, bytes_N: Ints, context: int, precision: str = "fp32",
    bytes_V: Tensor | None = None, places: Places | None = None,
) -> Canonical:  # fmt: skip
    """Score every byte of some documents exactly once, each document alone, dropout off.

    Args:
        network: left exactly as it was.
        stream: tokens of the corpus.
        documents_N: which documents.
        bytes_N: their UTF-8 bytes.
        context: longest row that the network takes.
        precision: "fp32" or "bf16".
        bytes_V: UTF-8 bytes of each token; None where a tokenizer's tokens have none of their own.
        places: takes in the losses by place in the document.

    Raises:
        DiagnoseError: a document's targets or bytes were not scored exactly once (our bug, never to be passed over).
    """
    nats_N = np.zeros(len(documents_N))
    scored_N = np.zeros(len(documents_N), dtype=np.int64)
    size_V = torch.zeros(0, dtype=torch.int64) if bytes_V is None else bytes_V.cpu()
    text_N = np.zeros(len(documents_N), dtype=np.int64)
    for some, nats_BT, targets_BT, scored_BT in _scored(network, stream, documents_N, context, precision):
        np.add.at(nats_N, some[:, 0], nats_BT.masked_fill(~scored_BT, 0).sum(1).numpy())
        np.add.at(scored_N, some[:, 0], scored_BT.sum(1).numpy())
        if places is not None:
            number_B = documents_N[some[:, 0]]
            places.add(number_B, some[:, 1] - stream.starts[number_B], nats_BT.numpy(), scored_BT.numpy())
        if bytes_V is not None:
            np.add.at(text_N, some[:, 0], size_V[targets_BT].masked_fill(~scored_BT, 0).sum(1).numpy())
    targets_N = np.asarray(stream.starts[documents_N + 1] - stream.starts[documents_N])
    if not np.array_equal(scored_N, targets_N) or (bytes_V is not None and not np.array_equal(text_N, bytes_N)):
        raise DiagnoseError("the canonical reading did not score every byte exactly once", exit_code=FINDING)
    return Canonical(np.asarray(documents_N), nats_N, scored_N, np.asarray(bytes_N))


def canonical_tokens(
    network: nn.Module, stream: Stream, document: int, context: int, precision: str = "fp32"
) -> tuple[Ints, Floats]:
    """Return a document's targets in order, the mark that ends it last, and each one's nats; see `canonical`."""
    first = int(stream.starts[document])
    count = int(stream.starts[document + 1]) - first
    nats_T = np.zeros(count)
    for some, nats_BT, _, scored_BT in _scored(network, stream, np.array([document]), context, precision):
        for span, nats, scored in zip(some, nats_BT.numpy(), scored_BT.numpy(), strict=True):
            nats_T[span[1] - first + np.flatnonzero(scored)] = nats[scored]
    return np.asarray(stream.tokens[first + 1 : first + 1 + count], dtype=np.int64), nats_T


def _scored(
    network: nn.Module, stream: Stream, documents_N: Ints, context: int, precision: str
) -> Iterator[tuple[Ints, Tensor, Tensor, Tensor]]:
    """Yield windows, the nats and ids of their targets (B, T), and which of these the window scores."""
    device = next(network.parameters()).device
    most = READ_TOKENS_CPU if device.type == "cpu" else READ_TOKENS
    with torch.no_grad(), unchanged(network, training=False):
        for some in _chunks(_spans(stream.starts, documents_N, context), most):
            inputs_BT, targets_BT, scored_BT = _rows(stream.tokens, some)
            with autocast(device, precision):
                nats_BT = chunked_loss.token_nats(network, inputs_BT.to(device), targets_BT.to(device), None)
            yield some, nats_BT.cpu().double(), targets_BT, scored_BT


def positions(stream: Stream, documents_N: Ints, context: int) -> Ints:
    """Return how many positions a canonical reading of each document passes forward, those that overlap included."""
    length_N = np.asarray(stream.starts[documents_N + 1]) - np.asarray(stream.starts[documents_N])
    return np.where(length_N > context, (1 + _more(length_N, context)) * context, length_N)


def _more(length_N: Ints, context: int) -> Ints:
    """Return how many windows each document takes beside its first."""
    return np.asarray(np.maximum(0, -(-(length_N - context) // _stride(context))))


def _stride(context: int) -> int:
    return max(1, context // 2)


def _spans(starts: Ints, documents_N: Ints, context: int) -> Ints:
    """Return windows as rows (number, first input, inputs, first scored), longest first."""
    begin_N, end_N = np.asarray(starts[documents_N]), np.asarray(starts[documents_N + 1])
    length_N = end_N - begin_N
    stride, more_N = _stride(context), _more(length_N, context)
    number = np.repeat(np.arange(len(documents_N)), 1 + more_N)
    turn = np.arange(len(number)) - np.repeat(np.cumsum(1 + more_N) - 1 - more_N, 1 + more_N)
    scored = np.where(turn == 0, 0, context + (turn - 1) * stride)
    first = np.minimum(turn * stride, np.maximum(0, length_N[number] - context))
    size = np.minimum(context, length_N[number] - first)
    spans = np.stack([number, begin_N[number] + first, size, scored - first], 1)
    return spans[np.argsort(-size, kind="stable")]


def _chunks(spans: Ints, most: int) -> Iterator[Ints]:
    """Divide windows into groups of similar length that hold so many tokens at most, or are one window."""
    at = 0
    while at < len(spans):
        count = max(1, most // int(spans[at, 2]))
        yield spans[at : at + count]
        at += count


def _rows(tokens: NDArray[np.signedinteger], spans: Ints) -> tuple[Tensor, Tensor, Tensor]:
    """Gather windows; what lies behind a window's end is seen by nothing that is scored."""
    place = np.arange(int(spans[0, 2]))
    inside_BT = place < spans[:, 2:3]
    source_BT = spans[:, 1:2] + place * inside_BT
    inputs_BT = torch.from_numpy(tokens[source_BT].astype(np.int64))
    targets_BT = torch.from_numpy(tokens[source_BT + 1].astype(np.int64))
    return inputs_BT, targets_BT, torch.from_numpy(inside_BT & (place >= spans[:, 3:4]))

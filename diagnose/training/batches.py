"""What step k sees: a pure function of the recipe and k.

A `Plan` lays the chosen documents out as rows. Rows are numbered through all epochs, so that a batch may span two;
row g of the run is found from g alone, by keyed permutations, and never from what was drawn before.

Where rows lie is found on the host, for a block of rows at once: an accelerator would be waited for at each turn of a
permutation. What is left to it are a dozen operations a batch that gather tokens, and none of them is waited for.

Shapes: B rows of a batch, T positions of a row, N documents of the plan, L rows of a block.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from diagnose import random as seeding
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.config.recipe import Recipe
    from diagnose.data.split import Split
    from diagnose.data.stream import Stream

RESIDENT_BYTES = 4 << 30  # a token stream up to this size is kept on the accelerator
BLOCK = 4096  # rows whose places are found at once


@dataclass(frozen=True)
class Batch:
    """Rows of tokens and what is to be predicted at each position.

    Attributes:
        inputs_BT: token ids, int64.
        targets_BT: the next token's id; the padding mark where there is none.
        counted_BT: False where the target is padding.
        documents_BT: the corpus's number of the document that the target belongs to.
        segments_BT: which document of the row a position belongs to, non-decreasing; None where all may be seen.
    """

    inputs_BT: Tensor
    targets_BT: Tensor
    counted_BT: Tensor
    documents_BT: Tensor
    segments_BT: Tensor | None

    def divided(self, among: int) -> list[Batch]:
        """Return its rows in shares of the same size, in order."""
        rows = len(self.inputs_BT) // among
        return [self.part(slice(k * rows, (k + 1) * rows)) for k in range(among)]

    def part(self, some: slice) -> Batch:
        """Return some of its rows."""
        segments = None if self.segments_BT is None else self.segments_BT[some]
        return Batch(
            self.inputs_BT[some], self.targets_BT[some], self.counted_BT[some], self.documents_BT[some], segments
        )

    def to(self, device: torch.device) -> Batch:
        """Return the batch on another device; a CUDA device is not waited for."""
        segments = None if self.segments_BT is None else moved(self.segments_BT, device)
        return Batch(
            moved(self.inputs_BT, device),
            moved(self.targets_BT, device),
            moved(self.counted_BT, device),
            moved(self.documents_BT, device),
            segments,
        )


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Documents laid out as rows.

    Attributes:
        tokens: the stream of the whole corpus.
        first_N: where each document's start mark lies in the stream.
        length_N: targets of each document: its tokens and the mark that ends it.
        documents_N: the corpus's numbers of the documents.
        samples: for a split of single windows: (offset into the permuted samples, how many), else None.
    """

    tokens: Tensor
    first_N: Tensor
    length_N: Tensor
    documents_N: Tensor
    loader: str
    context: int
    size: int
    order: str
    masked: bool
    seed: int
    stream: str
    split_seed: int
    pad: int
    samples: tuple[int, int] | None = None

    @cached_property
    def targets(self) -> int:
        """Targets of all documents once."""
        return int(self.length_N.sum())

    @property
    def rows(self) -> int:
        """Rows of one epoch."""
        if self.loader == "padded":
            return len(self.length_N)
        if self.loader == "packed":
            return self.targets // self.context
        return self.samples[1] if self.samples else self.windows

    @property
    def windows(self) -> int:
        """Token positions that a full window can start at."""
        return max(0, self.targets - self.context + 1)


def plan(recipe: Recipe, stream: Stream, split: Split, side: str, pad: int, device: torch.device) -> BatchPlan:
    """Lay out one side of the split as the recipe's loader does.

    Args:
        recipe: its tables `data`, `batches`, `report` and `run`.
        stream: tokens of the whole corpus.
        split: which documents are whose.
        side: "train" or "val".
        pad: the padding mark's id.
        device: where batches are wanted.

    Raises:
        DiagnoseError: the text does not fill one batch.
    """
    table = recipe.batches
    chosen = torch.from_numpy(split.train if side == "train" else split.val)
    starts = torch.from_numpy(stream.starts)
    tokens = torch.from_numpy(stream.tokens)
    if device.type != "cpu" and tokens.nbytes <= RESIDENT_BYTES:
        chosen, starts, tokens = chosen.to(device), starts.to(device), tokens.to(device)
    loader = table.loader
    if side == "val" and recipe.report.val_loader != "training":
        loader = recipe.report.val_loader
    out = BatchPlan(
        tokens=tokens, first_N=starts[chosen], length_N=starts[chosen + 1] - starts[chosen], documents_N=chosen,
        loader=loader, context=table.context, size=table.size, order=table.order,
        masked=table.mask == "document" and loader != "padded", seed=recipe.run.seed,
        stream="order" if side == "train" else "validation order", split_seed=recipe.data.split_seed, pad=pad,
    )  # fmt: skip
    if recipe.data.split == "windows":
        kept = max(1, round(recipe.data.val_fraction * out.windows))
        out = replace(out, samples=(0, kept) if side == "val" else (kept, out.windows - kept))
    return _checked(out, table.size * (table.accumulate if side == "train" else 1), side)


def _checked(out: BatchPlan, rows: int, side: str) -> BatchPlan:
    if side == "train" and out.rows < rows:
        raise DiagnoseError(
            f"the training text fills {out.rows} rows of {out.context} tokens and a step takes {rows}: "
            "lower batches.size, batches.accumulate or batches.context, or give more text"
        )
    if side == "val" and out.rows < 1:
        raise DiagnoseError(
            f"the validation text of {out.targets} tokens does not fill one row of {out.context}: "
            "lower batches.context, raise data.val_fraction or give more text"
        )
    return out


def step_batches(layout: BatchPlan, step: int, accumulate: int, processes: int = 1) -> list[Batch]:
    """Return the batches of a training step (counted from 0): of each accumulated part one for each process."""
    first = step * accumulate * layout.size
    whole = [rows(layout, first + part * layout.size, layout.size) for part in range(accumulate)]
    return whole if processes == 1 else [share for part in whole for share in part.divided(processes)]


def rows(layout: BatchPlan, first: int, count: int) -> Batch:
    """Return `count` rows of the run from row `first` on, in the plan's order."""
    end, total = first + count, layout.rows
    if layout.loader != "packed" or layout.order != "shuffled":
        return _lay_out(layout, 0, _places(layout, first, end))
    epochs = range(first // total, (end - 1) // total + 1)  # each lays the documents end to end in another order
    bounds = [(max(first, e * total), min(end, (e + 1) * total)) for e in epochs]
    parts = [_lay_out(layout, e, _places(layout, *some)) for e, some in zip(epochs, bounds, strict=True)]
    return parts[0] if len(parts) == 1 else _joined(parts)


def whole(layout: BatchPlan, size: int | None = None) -> Iterator[Batch]:
    """Yield every row of the plan once, in the text's order; the last rows of packed text are padded."""
    straight = replace(layout, order="sequential")
    total = layout.rows + (layout.loader == "packed" and layout.targets % layout.context > 0)
    step = size or layout.size
    for first in range(0, total, step):
        place_B = torch.arange(first, min(first + step, total), device=layout.tokens.device)
        if straight.samples is not None:
            place_B = moved(_window(straight, place_B.cpu()), layout.tokens.device)
        yield _lay_out(straight, 0, place_B, full=min(first + step, total) <= layout.rows)


def steps_per_epoch(layout: BatchPlan, accumulate: int) -> float:
    """Return how many steps see every row once."""
    return layout.rows / (layout.size * accumulate)


def truncated_targets(layout: BatchPlan) -> int:
    """Return the targets of an epoch that no row shows: the ends of documents longer than a padded row."""
    if layout.loader != "padded":
        return 0
    return int((layout.length_N - layout.context).clamp(min=0).sum())


def _joined(parts: list[Batch]) -> Batch:
    segments = None
    if parts[0].segments_BT is not None:
        segments = torch.cat([p.segments_BT for p in parts if p.segments_BT is not None])
    return Batch(
        torch.cat([p.inputs_BT for p in parts]),
        torch.cat([p.targets_BT for p in parts]),
        torch.cat([p.counted_BT for p in parts]),
        torch.cat([p.documents_BT for p in parts]),
        segments,
    )


def moved(values: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device; from the host to a CUDA device by way of pinned memory, which needs no wait."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def _places(layout: BatchPlan, first: int, end: int) -> Tensor:
    """Return where rows lie that are numbered through all epochs: their places in the layout, on its device."""
    parts, total = [], layout.rows
    while first < end:
        epoch, number = divmod(first, total)
        block, begin = divmod(number, BLOCK)
        part = _block(layout, epoch, block)[begin : begin + end - first]
        parts.append(part)
        first += len(part)
    return parts[0] if len(parts) == 1 else torch.cat(parts)


@lru_cache(maxsize=16)
def _block(layout: BatchPlan, epoch: int, block: int) -> Tensor:
    """Return the places of a block of an epoch's rows."""
    total = layout.rows
    place_L = torch.arange(block * BLOCK, min((block + 1) * BLOCK, total))
    if layout.order == "random":
        place_L = seeding.uniform_index(place_L + epoch * total, total, seeding.key(layout.seed, layout.stream))
    elif layout.order == "shuffled" and layout.loader != "packed":
        place_L = seeding.permute(place_L, total, seeding.key(layout.seed, layout.stream, epoch))
    return moved(_window(layout, place_L), layout.tokens.device)


def _window(layout: BatchPlan, place_L: Tensor) -> Tensor:
    """Return which windows the samples at some places are, where the split divided single windows."""
    if layout.samples is None or layout.loader != "windows":
        return place_L
    split_key = seeding.key(layout.split_seed, "windows")
    return seeding.permute(place_L + layout.samples[0], layout.windows, split_key)


def _lay_out(layout: BatchPlan, epoch: int, place_B: Tensor, *, full: bool = True) -> Batch:
    """Gather rows by their place in the layout; `full` where each is known to be filled by text."""
    if layout.loader == "padded":
        return _padded(layout, place_B)
    if layout.loader == "packed":
        return _flat(layout, place_B * layout.context, _laid(layout, epoch), full=full)
    return _flat(layout, place_B, _laid(_in_text_order(layout), 0), full=full)


@lru_cache(maxsize=8)
def _in_text_order(layout: BatchPlan) -> BatchPlan:
    """Return the plan in the text's own order (windows are shuffled one by one, not their documents)."""
    return replace(layout, order="sequential")


class _Laid(NamedTuple):
    """Documents laid end to end in an order.

    Attributes:
        ends_N: where each ends (targets, cumulative).
        shift_N: what leads from a place in the row of documents to its place in the stream.
        documents_N: the corpus's numbers.
    """

    ends_N: Tensor
    shift_N: Tensor
    documents_N: Tensor


@lru_cache(maxsize=8)
def _laid(layout: BatchPlan, epoch: int) -> _Laid:
    """Lay documents end to end in an epoch's order."""
    order_N = torch.arange(len(layout.length_N))
    if layout.order == "shuffled":
        order_N = seeding.permute(order_N, len(order_N), seeding.key(layout.seed, layout.stream, epoch))
    order_N = moved(order_N, layout.length_N.device)
    length_N = layout.length_N[order_N]
    ends_N = length_N.cumsum(0)
    return _Laid(ends_N, layout.first_N[order_N] - ends_N + length_N, layout.documents_N[order_N])


@lru_cache(maxsize=8)
def _positions(context: int, device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):  # kept for later, which may be a training step
        return torch.arange(context, device=device)


def _flat(layout: BatchPlan, start_B: Tensor, laid: _Laid, *, full: bool) -> Batch:
    """Cut rows out of the documents laid end to end in an order."""
    place_BT = start_B[:, None] + _positions(layout.context, start_B.device)
    counted_BT = torch.ones_like(place_BT, dtype=torch.bool) if full else place_BT < layout.targets
    place_BT = place_BT if full else place_BT.clamp(max=layout.targets - 1)
    at_BT = torch.searchsorted(laid.ends_N, place_BT, right=True)
    source_BT = place_BT + laid.shift_N[at_BT]
    inputs_BT = layout.tokens[source_BT].long()
    targets_BT = layout.tokens[source_BT + 1].long()
    if not full:
        inputs_BT = inputs_BT.masked_fill(~counted_BT, layout.pad)
        targets_BT = targets_BT.masked_fill(~counted_BT, layout.pad)
    segments_BT = at_BT - at_BT[:, :1] if layout.masked else None
    return Batch(inputs_BT, targets_BT, counted_BT, laid.documents_N[at_BT], segments_BT)


def _padded(layout: BatchPlan, place_B: Tensor) -> Batch:
    """Give each document a row of its own; what is longer than the row is cut off."""
    within_T = _positions(layout.context, place_B.device)
    counted_BT = within_T < layout.length_N[place_B][:, None]
    source_BT = layout.first_N[place_B][:, None] + within_T * counted_BT
    padding_BT = ~counted_BT
    inputs_BT = layout.tokens[source_BT].long().masked_fill(padding_BT, layout.pad)
    targets_BT = layout.tokens[source_BT + 1].long().masked_fill(padding_BT, layout.pad)
    documents_BT = layout.documents_N[place_B][:, None].expand(-1, layout.context)
    return Batch(inputs_BT, targets_BT, counted_BT, documents_BT, None)

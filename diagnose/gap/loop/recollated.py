"""Training's samples collated anew in validation's sizes, where a batch is padded to the longest of its samples.

What a collator pads cannot be joined from ready batches: the samples of the dataset are collated again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, default_collate

from diagnose.gap.loop.rebatched import RebatchedBatches
from diagnose.gap.loop.redrawn import alike, is_indexed
from diagnose.gap.loop.sample_parts import named_tensors
from diagnose.gap.loop.walking import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST = 64  # samples of a batch that is collated in two ways


class RecollatedBatches(RebatchedBatches):
    """A loader's samples in its order, collated in other sizes."""

    def __init__(self, loader: DataLoader[Any], sizes: Sequence[int]) -> None:
        super().__init__(_numbers(loader), sizes)
        self.loader = loader

    def _taken(self, held: list[tuple[int, Any, int, int]], size: int, made: int) -> Any:
        return _collated(self.loader, super()._taken(held, size, made).tolist())


def can_recollate(batches: Any) -> bool:
    """Say whether a loader's samples can be had one by one and are collated by a function of its own."""
    batched = isinstance(batches, DataLoader) and batches.batch_sampler is not None
    return batched and batches.collate_fn is not default_collate and is_indexed(batches.dataset)


def collated_apart(batches: Any) -> Iterator[tuple[Any, list[Any]]]:
    """Yield batches of a loader with their two halves, each collated by itself, where that pads them otherwise."""
    if not can_recollate(batches):
        return
    for _, numbers in walk(_numbers(batches))[0]:
        some = numbers.tolist()[:MOST]
        half = len(some) // 2
        if not half:
            return
        whole, *parts = (_collated(batches, subset) for subset in (some, some[:half], some[half:]))
        if not alike(list(named_tensors(whole)), list(named_tensors(_collated(batches, some)))):
            return  # drawn anew each time: another loss does not come of the padding
        if any(_widths(whole) != _widths(part) for part in parts):
            yield whole, parts


def _numbers(loader: DataLoader[Any]) -> DataLoader[Any]:
    """Return a loader of the numbers of a loader's samples, which come in the same order."""
    count: Any = range(len(loader.dataset))  # type: ignore[arg-type]
    keys = {"collate_fn": torch.tensor, "generator": loader.generator}
    return DataLoader(count, batch_sampler=loader.batch_sampler, **keys)


def _collated(loader: DataLoader[Any], numbers: Sequence[int]) -> Any:
    return loader.collate_fn([loader.dataset[k] for k in numbers])


def _widths(batch: Any) -> list[tuple[int, ...]]:
    return [tuple(tensor.shape[1:]) for _, tensor in named_tensors(batch)]

"""The order in which a side's batches are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

from diagnose import random as seeding
from diagnose.errors import DiagnoseError
from diagnose.gap.loop import guard

GOLDEN = 0.6180339887498949
APART = 1 << 21  # added to the numbers of walks that are to draw what others do not
_apart: ContextVar[frozenset[int]] = ContextVar("apart", default=frozenset())  # loaders (ids) of such walks


@contextmanager
def drawn_apart(batches: Any, others: Any) -> Iterator[None]:
    """Have a side's batches drawn in other random states than the other side's, so that the two are independent.

    One loader that is given for both sides is the same in both.
    """
    own = frozenset() if base_of(batches) is base_of(others) else frozenset({id(base_of(batches))})
    token = _apart.set(own)
    try:
        yield
    finally:
        _apart.reset(token)


def base_of(batches: Any) -> Any:
    """Return the loader behind what may stand around it: one that is given for both sides makes up the same samples."""
    while hasattr(batches, "base_dataloader"):
        batches = batches.base_dataloader
    return batches


def walk(batches: Any, number: int = 0) -> tuple[Iterator[tuple[int, Any]], int | None]:
    """Return batches with their numbers, and how many there are (None where that is not known); within `guarded` alone.

    What can be indexed, or is a loader in its dataset's order (which may be sorted by class), is taken in an order that
    is spread evenly wherever one stops; another loader from its beginning, with its random states set, so that a
    shuffling one gives the same order each time it is walked with the same number.
    """
    number += APART * (id(base_of(batches)) in _apart.get())
    guard.seed(seeding.key(number, "loader"))
    for generator in guard.generators([batches]):
        generator.manual_seed(number)
    count = _count(batches)
    if isinstance(batches, (list, tuple)) and count:
        return ((k, _again(k, batches[k])) for k in _spread(count)), count
    if count and is_in_order(batches):
        return ((k, _again(k, batch)) for k, batch in zip(_spread(count), _spread_out(batches), strict=True)), count
    return ((k, _again(k, batch)) for k, batch in enumerate(batches)), count


def _spread(count: int) -> list[int]:
    """Return the numbers below a count in an order of which every beginning is spread evenly."""
    stride = next(k for k in range(max(1, round(GOLDEN * count)), count + 2) if np.gcd(k, count) == 1)
    return [k * stride % count for k in range(count)]


def is_in_order(batches: Any) -> bool:
    """Say whether a loader of torch's own yields a dataset from its beginning to its end."""
    return (
        type(batches) is DataLoader
        and type(batches.batch_sampler) is BatchSampler
        and type(batches.batch_sampler.sampler) is SequentialSampler
        and not batches.persistent_workers
    )


@dataclass(frozen=True)
class SpreadNumbers:
    """The numbers of the samples of a loader's batches, the batches in an order that is spread."""

    count: int
    size: int
    samples: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[list[int]]:
        for k in _spread(self.count):
            yield list(range(k * self.size, min(self.samples, (k + 1) * self.size)))


def _spread_out(loader: DataLoader[Any]) -> DataLoader[Any]:
    """Return a loader of the same batches in an order that is spread, read by as many workers."""
    own: Any = loader.batch_sampler
    numbers: Any = SpreadNumbers(len(loader), own.batch_size, len(own.sampler))
    return DataLoader(
        loader.dataset, batch_sampler=numbers, num_workers=loader.num_workers, collate_fn=loader.collate_fn,
        timeout=loader.timeout, worker_init_fn=loader.worker_init_fn, generator=loader.generator,
        multiprocessing_context=loader.multiprocessing_context, prefetch_factor=loader.prefetch_factor,
    )  # fmt: skip


def first_of(batches: Any, number: int = 0) -> Any:
    """Return the first batch of such a walk, None where there is none; within `guarded` alone."""
    return next((batch for _, batch in walk(batches, number)[0]), None)


def _again(number: int, batch: Any) -> Any:
    """Return a batch that can be read again.

    Raises:
        DiagnoseError: it is a generator.
    """
    if isinstance(batch, Iterator):
        raise DiagnoseError(f"batch {number + 1} is a {type(batch).__name__}, which can be read once only; batches are "
                            "tensors, lists, dictionaries")  # fmt: skip
    return batch


def _count(batches: Any) -> int | None:
    """Return how many batches there are; None where that is not known, as of a stream."""
    try:
        return len(batches)
    except (TypeError, NotImplementedError):
        return None


def held_by(batches: Any) -> int:
    """Return how many samples a loader's dataset has, whatever its sampler takes of them; 0 where that is not known."""
    try:
        return len(batches.dataset)
    except (AttributeError, TypeError, NotImplementedError):
        return 0

"""Loaders that yield other samples each time they are walked: augmentation, random draws, weighted sampling."""

from __future__ import annotations

import copy
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    Subset,
    WeightedRandomSampler,
    default_collate,
)
from torch.utils.data import Dataset as TorchDataset

from diagnose.gap.loop import guard
from diagnose.gap.loop.sample_identity import hashes
from diagnose.gap.loop.sample_parts import Key, SampleLayout, layout, named_tensors
from diagnose.gap.loop.walking import base_of, first_of, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from diagnose.gap.side import Side

DRAWN_ANEW = "training's samples are drawn anew each pass, so that validation's cannot be looked up among all"
LOOKED = 64  # batches that are walked twice
TRANSFORMS = ("transform", "target_transform", "transforms")
ITEMS = 8  # samples of a dataset that are read twice to see whether reading them is random
COLLATED = 4  # samples that a batch is made of to see whether making it is random
REPEATED = 0.05  # of what a sampler draws: by so many repeats it is no padding of the last batch
IDLE = 3  # walks of a sampler that bring no new sample: then it is known what it can draw
MOST_DRAWN = 1 << 20  # samples of one walk, and of all
SAME = 0.9  # of the samples of a pass must recur in another


def unweighted(batches: Any) -> Any | None:
    """Return a loader of the samples that a weighted or repeating sampler can draw, each once; None where it has none.

    To be used within `guarded` alone, for a sampler of the user's own is walked.
    """
    if callable(getattr(batches, "of", None)):  # lists of a loader's batches, as accumulation has them
        inner = unweighted(batches.base_dataloader)
        return None if inner is None else batches.of(inner)
    if not isinstance(batches, DataLoader) or batches.batch_sampler is None or not is_indexed(batches.dataset):
        return None
    drawn: list[int] = _drawn(batches)
    dataset: Any = batches.dataset
    if not drawn:
        return None
    some = dataset if len(drawn) == len(dataset) else Subset(dataset, drawn)
    size = batches.batch_size or len(next(iter(batches.batch_sampler)))
    return DataLoader(some, size, shuffle=False, collate_fn=batches.collate_fn)


def sampler_of(batches: Any) -> Any:
    """Return what draws a loader's samples: its sampler, or the batch sampler in its place."""
    loader = batches.base_dataloader if callable(getattr(batches, "of", None)) else batches
    batched = loader.batch_sampler
    if loader.batch_size is not None:
        return loader.sampler
    return batched.sampler if type(batched) is BatchSampler else batched


def _drawn(batches: DataLoader[Any]) -> list[int]:
    """Return the numbers of the samples that a sampler which repeats some can draw; none where it repeats none.

    A sampler that holds a share of a dataset draws no others, so that validation's samples stay out.
    """
    sampler = sampler_of(batches)
    every = list(range(len(batches.dataset)))  # type: ignore[arg-type]
    if isinstance(sampler, WeightedRandomSampler):
        return [k for k, weight in enumerate(sampler.weights.tolist()[: len(every)]) if weight > 0]
    if isinstance(sampler, RandomSampler):
        return every if sampler.replacement else []
    if type(sampler) is SequentialSampler:
        return []
    first = numbers_of(batches)
    if len(first) - len(set(first)) <= REPEATED * len(first):
        return []
    return sorted(_reached(batches, set(first)))


def _reached(batches: DataLoader[Any], numbers: set[int]) -> set[int]:
    """Return the numbers that a sampler draws over many walks, until several bring nothing new."""
    idle = drawn = 0
    while idle < IDLE and drawn < MOST_DRAWN:
        some = numbers_of(batches)
        idle = 0 if set(some) - numbers else idle + 1
        drawn += max(1, len(some))
        numbers |= set(some)
    return numbers


def numbers_of(batches: DataLoader[Any]) -> list[int]:
    """Return the numbers of the samples that one walk of a sampler draws; none where they are no numbers."""
    try:
        some = list(islice(iter(sampler_of(batches)), MOST_DRAWN))
        return [int(k) for drawn in some for k in (drawn if isinstance(drawn, (list, tuple)) else [drawn])]
    except (TypeError, ValueError):
        return []


def plain_batches(train: Side, val: Side) -> Any | None:
    """Return training's data without a sampler that repeats, or as validation's transform makes them.

    They are those that the user gave, where there are any; None where training's own are the only ones. To be used
    within `guarded` alone.
    """
    if train.plain is not None:
        return train.plain
    drawn = unweighted(train.batches)
    return transformed(train.batches, val.batches) if drawn is None else drawn


def transformed(batches: Any, val: Any) -> Any | None:
    """Return a loader of the same data as validation makes its samples and batches; None where it is the same.

    Datasets of pictures keep what they do to each sample as `transform` (torchvision also as `transforms`), loaders
    what they do to a batch as `collate_fn`. To be used within `guarded` alone, for the datasets are read.
    """
    if not all(isinstance(side, DataLoader) and side.batch_size is not None for side in (batches, val)):
        return None
    if is_indexed(batches.dataset) and _collation_changes(batches):
        loader = DataLoader(batches.dataset, batches.batch_size, shuffle=False, collate_fn=val.collate_fn)
        return loader if _collates_alike(batches, loader) else None
    dataset, other = whole_of(batches.dataset), whole_of(val.dataset)
    names = [name for name in TRANSFORMS if hasattr(dataset, name) and hasattr(other, name)]
    changes = any(getattr(dataset, name) is not getattr(other, name) for name in names)
    if type(dataset) is not type(other) or not changes or not is_indexed(dataset) or not _item_changes(dataset):
        return None
    plain = copy.copy(dataset)
    for name in names:
        setattr(plain, name, getattr(other, name))
    if _item_changes(plain):
        return None
    whole = parts_anew(batches.dataset, plain)
    return DataLoader(whole, batches.batch_size, shuffle=False, collate_fn=batches.collate_fn)


def whole_of(dataset: Any) -> Any:
    """Return the dataset that parts of parts of it are taken from, as `random_split` does."""
    while type(dataset) is Subset:
        dataset = dataset.dataset
    return dataset


def parts_anew(dataset: Any, base: Any) -> Any:
    """Return the same part of another dataset."""
    if type(dataset) is not Subset:
        return base
    return Subset(parts_anew(dataset.dataset, base), dataset.indices)


def drawn_alike(train: Any, val: Any) -> str:
    """Return what makes both sides' samples anew each pass: one dataset object, one transform; "" where none does.

    To be used within `guarded` alone.
    """
    loaders = [base_of(side) for side in (train, val)]
    if loaders[0] is loaders[1] or not all(
        isinstance(loader, DataLoader) and _is_table(loader.dataset) for loader in loaders
    ):
        return ""
    dataset, other = (whole_of(loader.dataset) for loader in loaders)
    if not _item_changes(loaders[1].dataset):
        return ""
    if dataset is other:
        return "one dataset object"
    some = [(getattr(dataset, name, None), getattr(other, name, None)) for name in TRANSFORMS]
    return "one transform" if any(own is its and own is not None for own, its in some) else ""


def is_redrawn(batches: Any) -> bool:
    """Say whether another walk yields other samples; to be used within `guarded` alone."""
    if isinstance(batches, (list, tuple)) or batches is None:
        return False
    if isinstance(batches, DataLoader) and _is_table(batches.dataset):
        return _item_changes(batches.dataset) or _collation_changes(batches)
    identity = layout(batch for _, batch in islice(walk(batches)[0], 4))
    if identity.why:
        return False
    first, whole = _samples(batches, identity, 0)
    if not whole:
        return False
    second, _ = _samples(batches, identity, 1)
    return bool(first) and len(first & second) < SAME * len(first)


def draws_others(batches: Any) -> bool:
    """Say whether another walk draws other samples of a dataset; to be used within `guarded` alone."""
    if not isinstance(batches, DataLoader) or not _is_table(batches.dataset):
        return False
    drawn = []
    for number in range(2):
        walk(batches, number)
        drawn.append(sorted(numbers_of(batches)))
    return drawn[0] != drawn[1]


def is_shuffled(batches: Any) -> bool:
    """Say whether another walk begins with another batch; to be used within `guarded` alone."""
    if isinstance(batches, (list, tuple)):
        return False
    return not alike(*(list(named_tensors(first_of(batches, number))) for number in range(2)))


def alike(one: list[tuple[Key, Tensor]], other: list[tuple[Key, Tensor]]) -> bool:
    """Say whether batches hold the same values; a NaN is one."""
    return len(one) == len(other) and all(_same(a, b) for (_, a), (_, b) in zip(one, other, strict=True))


def _same(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape or torch.equal(one, other):
        return one.shape == other.shape
    return one.is_floating_point() and torch.equal(one.nan_to_num(), other.nan_to_num())


def _is_table(dataset: Any) -> bool:
    """Say whether a dataset holds the same samples in every pass, but for what it does to each: in whatever order."""
    return isinstance(dataset, (TorchDataset, list, tuple)) and is_indexed(dataset)


def is_indexed(dataset: Any) -> bool:
    """Say whether a dataset's samples can be had by their numbers."""
    return hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and len(dataset) > 0


def _item_changes(dataset: Any) -> bool:
    """Say whether some of a dataset's first samples are others each time: one that is flipped now and then may not."""
    return _changes(lambda: [dataset[k] for k in range(min(ITEMS, len(dataset)))])


def writes_into_samples(batches: Any) -> bool:
    """Say whether a dataset changes its own samples as they are read, as a transform does that writes in place."""
    if not isinstance(batches, DataLoader) or not _is_table(batches.dataset):
        return False
    dataset: Any = batches.dataset
    try:
        return any(_is_written(dataset, k) for k in range(min(COLLATED, len(dataset))))
    except Exception:  # noqa: BLE001 - a user's dataset that is indexed otherwise: nothing can be told
        return False


def _is_written(dataset: Any, number: int) -> bool:
    """Say whether reading a sample again writes other values into what was handed out before.

    One that writes the same each time (a first token, a limit, ignored targets) changes nothing.
    """
    first = list(named_tensors(dataset[number]))
    before = [(key, tensor.clone()) for key, tensor in first]
    again = dataset[number]
    del again
    return not alike(first, before)


def _collation_changes(loader: Any) -> bool:
    """Say whether the same samples become another batch each time: noise, masks or a mixture drawn per batch."""
    if loader.batch_size is None or loader.collate_fn is default_collate:
        return False
    return _changes(lambda: _first_batch(loader)) and not _item_changes(loader.dataset)


def _first_batch(loader: Any) -> Any:
    return loader.collate_fn([loader.dataset[k] for k in range(min(COLLATED, loader.batch_size, len(loader.dataset)))])


def _collates_alike(own: Any, plain: Any) -> bool:
    """Say whether another loader makes batches of the same kind of the same samples, and always the same ones."""
    try:
        both = [[(k, t.dtype, t.dim()) for k, t in named_tensors(_first_batch(loader))] for loader in (own, plain)]
    except Exception:  # noqa: BLE001 - validation's function may not take training's samples
        return False
    return both[0] == both[1] and not _changes(lambda: _first_batch(plain))


def _changes(draw: Callable[[], Any]) -> bool:
    """Say whether what is drawn differs between two seeds."""
    try:
        items = []
        for seed in (1, 2):
            guard.seed(seed)
            items.append([(key, tensor.clone()) for key, tensor in named_tensors(draw())])
    except Exception:  # noqa: BLE001 - a user's dataset that is indexed otherwise: nothing can be told
        return False
    return len(items[0]) == len(items[1]) and not alike(*items)


def _samples(batches: Any, found: SampleLayout, number: int) -> tuple[set[int], bool]:
    """Return the samples of a walk, and whether that was all of them."""
    out: set[int] = set()
    place = -1
    for place, (_, batch) in enumerate(walk(batches, number)[0]):
        if place >= LOOKED:
            return out, False
        samples = hashes(batch, found, spans=False)
        out.update(samples.wholes if samples else ())
    return out, place >= 0

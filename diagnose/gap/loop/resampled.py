"""Loaders whose sampler alone draws other samples each time they are walked: with replacement, or leaving some out."""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader, RandomSampler, SequentialSampler

from diagnose import random as seeding
from diagnose.gap.loop import guard
from diagnose.gap.loop.redrawn import MOST_DRAWN, is_indexed, sampler_of

if TYPE_CHECKING:
    from diagnose.gap.side import Side

TWICE = 2.0  # two draws that are independent: a reported loss, and what is read


def draw_luck(batches: Any) -> float:
    """Return how many times the variance of the mean of what is read a reported mean of another walk may lie off.

    0 where each walk draws the same samples, 2 where samples repeat. Of a walk that leaves the share f of its samples
    out, without repeats, the mean varies by f times as much (Cochran, Sampling Techniques, 2.5), and there are two. To
    be used within `guarded` alone, for the sampler is walked.
    """
    if not isinstance(batches, DataLoader) or batches.batch_sampler is None or not is_indexed(batches.dataset):
        return 0.0
    if not batches.drop_last and _draws_all(sampler_of(batches)):
        return 0.0
    first, second = (_drawn(batches, number) for number in range(2))
    if first == second or not first:
        return 0.0
    if len(first) < first.total():
        return TWICE
    return TWICE * (1 - (first & second).total() / first.total())


def _draws_all(sampler: Any) -> bool:
    """Say whether a sampler of torch's draws each sample once, whatever the order."""
    if isinstance(sampler, RandomSampler):
        return not sampler.replacement and sampler.num_samples == len(sampler.data_source)
    return type(sampler) is SequentialSampler


def _drawn(batches: DataLoader[Any], number: int) -> Counter[int]:
    """Return how often a walk draws which sample; nothing where it draws no numbers."""
    guard.seed(seeding.key(number, "sampler"))
    for generator in guard.generators([batches]):
        generator.manual_seed(number)
    try:
        every = chain.from_iterable(batches.batch_sampler or ())
        return Counter(int(k) for k in islice(every, MOST_DRAWN))
    except (TypeError, ValueError):
        return Counter()


def luck_notes(sides: tuple[Side, Side], luck: tuple[float, float]) -> list[str]:
    """Say which reported losses are of another draw than what was read."""
    both = zip(("training", "validation"), sides, luck, strict=True)
    return [
        f"the {name} side's sampler draws other samples each pass: what was read is another draw than what was reported"
        for name, side, times in both if times and side.reported is not None and side.reported_on is None
    ]  # fmt: skip

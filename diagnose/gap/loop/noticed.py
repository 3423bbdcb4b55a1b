"""What is noticed of the two sides' batches once they are read: what they differ in, zeros, repeated samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.data import DataLoader, DistributedSampler, RandomSampler, SequentialSampler

from diagnose.gap.factor_fits import fits, slack
from diagnose.gap.loop import guard
from diagnose.gap.loop.inputs import group_names
from diagnose.gap.loop.other_precision import NEAR
from diagnose.gap.loop.redrawn import is_indexed, numbers_of, sampler_of, writes_into_samples
from diagnose.gap.recorder import ranks
from diagnose.gap.side import HALF
from diagnose.stats import Interval

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from torch import nn

    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.loop.sample_identity import Known
    from diagnose.gap.loop.sample_parts import Key
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side


NAMED = 3  # buffers
BIT_FOR_BIT = (
    "samples were compared bit for bit: changed copies (augmented, cropped, noisy) are not told; groups= tells them"
)
PICTURES = (
    "pictures were compared bit for bit and by thumbnails: copies that were mirrored, saved again or made noisy are "
    "told, cropped or shifted ones are not; groups= tells them"
)
PICTURES_ALIKE = (
    "many of training's pictures are nearly the same as another one of training (copies, frames of a film): whether "
    "validation holds such copies is not told; groups= tells them"
)
ALIKE = (
    "training's rows are like one another at the same places: copies of which some values were changed (before the "
    "split) are not told from other rows; groups= tells them"
)


def how_compared(known: Known | None) -> str:
    """Return what is to be said of how samples were looked up that are no text."""
    if known is not None and known.alike:
        return ALIKE
    pictures = () if known is None else known.pictures
    if any(near.is_crowded for near in pictures):
        return PICTURES_ALIKE
    return PICTURES if any(near.telling for near in pictures) else BIT_FOR_BIT


def unlike(
    train: Side, val: Side, texts: tuple[BatchReadings, BatchReadings], selectors: Collection[Key | None] = ()
) -> tuple[str, ...]:
    """Return in what validation's batches differ from training's; with plain ones most of that is `collation`.

    `selectors` are masks and indices that say which rows losses are of: other ones on each side by design.
    """
    names = ("training", "validation")
    differences = [_zeros(name, text) for name, text in zip(names, texts, strict=True)]
    differences += [f"{name}'s dataset changes its own samples each time they are read (a transform that writes in "
                    "place): have it change a copy" for name, side in zip(names, (train, val), strict=True)
                    if writes_into_samples(side.batches)]  # fmt: skip
    made = train.plain is not None or val.plain is not None
    known = {*group_names((train, val)), *filter(None, selectors)}
    some = () if made else texts[0].inputs.unlike(texts[1].inputs, known)
    return (*filter(None, differences), *some)


def once_read(
    subject: Subject, both: tuple[Side, Side], losses: tuple[float, float], texts: tuple[BatchReadings, BatchReadings]
) -> list[str]:
    """Return what is to be said of the model and of batches once they are read: training's and validation's."""
    notes = _half_weights(subject.model, list(zip(both, losses, texts, strict=True)))
    if subject.kept.stateful:
        notes.append("what the model writes into its attributes as it runs was put back before each batch "
                     f"({', '.join(sorted(subject.kept.stateful))})")  # fmt: skip
    if subject.written:
        notes.append(f"in evaluation mode the model writes into its buffers ({_some(subject.written)}): the loop goes "
                     "on from what validation wrote; here they were put back before each batch")  # fmt: skip
    notes += [f"{count} batch{'' if count == 1 else 'es'} of {name} without any target that counts: no number, left out"
              for name, count in subject.empty.items() if count]  # fmt: skip
    notes += [f"{count} batch{'' if count == 1 else 'es'} of {name} without a loss, for they hold NaN or infinity: "
              "left out, as the loop must have done" for name, count in subject.skipped.items() if count]  # fmt: skip
    return notes


def _some(names: set[str]) -> str:
    """Name the first few."""
    first = sorted(names)[:NAMED]
    return ", ".join(first) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _half_weights(model: nn.Module, sides: Sequence[tuple[Side, float, BatchReadings]]) -> list[str]:
    """Say that a model of 16 bits does not give what its weights of 32 bits gave, where a reported loss is near.

    Args:
        model: as it was handed over.
        sides: each with the loss that was read, and what it was read of.
    """
    half = next((p.dtype for p in model.parameters() if p.dtype in HALF), None)
    if half is None or not any(_is_near(*side) for side in sides):
        return []
    return [f"the model's weights are in {str(half).removeprefix('torch.')}: a loss that was taken while they were in "
            "float32 cannot be read again (hand over the model as it was, its copy as Side(model=...))"]  # fmt: skip


def _is_near(side: Side, read: float, text: BatchReadings) -> bool:
    """Say whether a reported loss is another by no more than 16 bits cost, and no arithmetic explains it."""
    if side.reported is None:
        return False
    apart = abs(side.reported - read)
    if not slack(side.reported) < apart <= NEAR * abs(read):
        return False
    return not fits(side.reported, Interval(read, None, None, None, None), text, same=True)


def _zeros(name: str, text: BatchReadings) -> str:
    """Say that batches without a target that counts cost 0 and are averaged in; "" where there is none."""
    means = np.array(next(iter(text.means.values())))
    if not text.zeros or not means.any():
        return ""
    have = "has" if text.zeros == 1 else "have"
    some = f"{text.zeros:,} of {name}'s {text.batches:,} batches {have} no target that counts"
    return f"{some}, and their loss of 0 is averaged in (the others' mean is {means[means != 0].mean():.4f})"


def repeats(side: Side, name: str) -> list[str]:
    """Say that a loader's sampler repeats samples so that each process has as many; to be used within `guarded` alone.

    All processes take part.
    """
    every = ranks.together(lambda: _drawn(side.batches))
    drawn = [number for some in every for number in some]
    # repeats that are no process's share
    own_repeats = len(every) < 2 or any(len(some) > len(set(some)) for some in every)
    count = _added(side.batches) or (0 if own_repeats else len(drawn) - len(set(drawn)))
    if not count:
        return []
    number = len(side.batches.dataset)  # type: ignore[attr-defined]
    return [f"{name}'s sampler repeats {count:,} of {number:,} samples, as one does that gives each process as "
            "many (DistributedSampler, even_batches): in a mean over all that it yields they count twice"]  # fmt: skip


def _drawn(batches: Any) -> list[int]:
    """Return the numbers of the samples that a loader's sampler draws; none where it is known to repeat none."""
    if not isinstance(batches, DataLoader) or batches.batch_sampler is None or not is_indexed(batches.dataset):
        return []
    if isinstance(sampler_of(batches), (RandomSampler, SequentialSampler)):
        return []
    guard.seed(0)  # all processes draw alike
    return numbers_of(batches)


def _added(batches: Any) -> int:
    """Return how many samples a `DistributedSampler` adds for all processes, where this one reads its share alone."""
    sampler = getattr(batches, "sampler", None)
    if not isinstance(sampler, DistributedSampler) or sampler.drop_last:
        return 0
    return int(sampler.total_size) - len(sampler.dataset)  # type: ignore[arg-type]

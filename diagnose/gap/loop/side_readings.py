"""What is read of each side: its batches under the conditions that are wanted, and those that were reported on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gap.intervals import ENOUGH
from diagnose.gap.loop import sample_identity
from diagnose.gap.loop.readings import Subject, read
from diagnose.gap.loop.shared import OTHERS
from diagnose.stats import Reading
from diagnose.stats.crossed import t_quantile

if TYPE_CHECKING:
    from diagnose.gap.conditions import Condition, ReadingPlan
    from diagnose.gap.loop.batching import SideBatching
    from diagnose.gap.loop.reading_budget import ReadingBudget
    from diagnose.gap.loop.sample_parts import SampleLayout
    from diagnose.gap.measurements import BatchReadings
    from diagnose.gap.side import Side

TRAIN_SHARE, VAL_SHARE = 0.5, 0.3  # of the budget
SAME_EACH_TIME = {"batch norm"}  # kinds of training mode that draw nothing
MASKS = 64  # batches with masks of their own that are read where there are fewer than `ENOUGH`: their luck is skewed
REPEATS = 8  # readings of a reported batch whose loss is random in evaluation mode


def distinct_samples(subject: Subject, same: SampleLayout, side: int) -> sample_identity.DistinctSamples:
    """Return what tells the samples of a side's batches apart, empty yet."""
    return sample_identity.DistinctSamples(same, lambda batch: subject.rows(batch, side))


def read_training(
    subject: Subject,
    side: Side,
    plan: ReadingPlan,
    budget: ReadingBudget,
    same: SampleLayout,
    batching: SideBatching,
    distinct: sample_identity.DistinctSamples,
) -> list[BatchReadings]:
    """Return the training batches' readings, and those of its plain batches, renumbered where they do not match."""
    table = {(False, False): (side.batches, "the training side"),
             (True, False): (side.plain, "the training side's plain batches"),
             **{(plain, True): (some, "the training side, batched as validation is")
                for plain, some in batching.sources.items()}}  # fmt: skip
    parts = [(some, asked, name) for (plain, anew), (some, name) in table.items()
             if (asked := [c for c in plan.conditions if (c.plain, c.batching) == (plain, anew)])]  # fmt: skip
    seconds = TRAIN_SHARE * budget.seconds / len(parts)
    out = [read(subject, side, some, asked, name=name, seconds=seconds, most=budget.batches,
                distinct=distinct_samples(subject, same, 0) if k else distinct, owner=0)
           for k, (some, asked, name) in enumerate(parts) if asked]  # fmt: skip
    first = out[0]
    for k, (_, asked, _) in enumerate(parts):
        alike = (first.samples, first.batches) == (out[k].samples, out[k].batches) or not asked[0].plain
        out[k] = out[k] if alike else _renumbered(out[k], OTHERS << 1)
    return out


def read_validation(
    subject: Subject,
    side: Side,
    wanted: list[Condition],
    own: tuple[Condition, Condition],
    budget: ReadingBudget,
    same: SampleLayout,
) -> tuple[BatchReadings, ...]:
    """Return the validation batches' readings: of its plain ones, and as they are, where it has plain ones."""
    seconds = VAL_SHARE * budget.seconds
    name, data = "the validation side", side.batches if side.plain is None else side.plain
    keys: dict[str, Any] = {
        "name": name, "seconds": seconds, "most": budget.batches, "stream": "validation",
        "distinct": distinct_samples(subject, same, own[0].objective), "owner": 1 if own[0].objective else None,
    }  # fmt: skip
    readings = _renumbered(read(subject, side, data, wanted, **keys), OTHERS)
    if side.plain is None:
        return (readings,)
    keys["distinct"] = distinct_samples(subject, same, own[0].objective)
    as_is = read(subject, side, side.batches, list(dict.fromkeys(own)), **keys)
    alike = (readings.samples, readings.batches) == (as_is.samples, as_is.batches)
    return readings, _renumbered(as_is, OTHERS if alike else OTHERS + (OTHERS << 1))


def _renumbered(text: BatchReadings, shift: int) -> BatchReadings:
    """Return a text whose numbered samples are told apart from others; named groups keep their names."""

    def moved(reading: Reading) -> Reading:
        ids = np.where(reading.documents < 0, reading.documents, reading.documents + shift)
        return Reading.of(reading.nats, reading.weights, ids)

    return replace(text, readings={condition: moved(reading) for condition, reading in text.readings.items()})


def read_reported(subject: Subject, side: Side, own: Condition) -> BatchReadings | None:
    """Return what is read of the batches that a side's loss was reported on; None where they were not given."""
    if side.reported_on is None:
        return None
    name = f"the {('training', 'validation')[own.objective]} side's reported_on"
    random = own.objective in subject.random or (not own.objective and 0 in subject.random)
    streams = ["reported", *(f"reported {k}" for k in range(1, REPEATS if random else 1))]
    some = [read(subject, side, side.reported_on, [own], name=name, seconds=float("inf"), stream=s) for s in streams]
    readings = _renumbered(some[0], OTHERS << 1)
    return readings if len(some) == 1 else _averaged(readings, some, own)


def over_masks(subject: Subject, side: Side, found: BatchReadings, own: Condition, same: SampleLayout) -> BatchReadings:
    """Return training's readings over several draws of masks, where batches are too few to tell the luck of these."""
    if not found.complete or found.batches >= ENOUGH or set(own.on) <= SAME_EACH_TIME or side.reported_on is not None:
        return found
    again = [
        read(subject, side, side.batches, list(found.readings), name="the training side", seconds=float("inf"),
             distinct=distinct_samples(subject, same, 0), owner=0, stream=f"masks {k}")
        for k in range(1, max(REPEATS, MASKS // found.batches))
    ]  # fmt: skip
    return _averaged(found, [found, *again], own)


def _averaged(found: BatchReadings, every: list[BatchReadings], own: Condition) -> BatchReadings:
    """Return what was read several times with other random numbers as one, and how far one reading lies off."""
    mean = {
        condition: Reading.of(
            sum(text.readings[condition].nats for text in every) / len(every), reading.weights, reading.documents
        )
        for condition, reading in found.readings.items()
    }
    means = np.array([text.readings[own].mean for text in every])
    half = float(t_quantile(0.95, len(means) - 1) * means.std(ddof=1) * (1 + 1 / len(means)) ** 0.5)
    return replace(found, readings=mean, luck=half, draws=len(every))

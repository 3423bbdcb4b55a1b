"""What validation's samples share: with training's, by values or groups, and with one another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.formatting import plain
from diagnose.gap.gap_causes import REPEATED
from diagnose.gap.loop import noticed, sample_identity, shared_columns
from diagnose.gap.recorder import ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.data.overlap import SeenDocuments
    from diagnose.gap.loop.readings import Subject
    from diagnose.gap.measurements import BatchReadings
    from diagnose.stats import Reading

OTHERS = 1 << 60  # added to the numbers of validation's samples: they are not training's
ROWS = "there are fewer losses than rows, so that rows are no samples (nodes of graphs; groups= says which are one)"
RELABELLED = 0.05  # of the samples that both sides have: so many must have other labels to be worth a word


@dataclass(frozen=True)
class SharedSamples:
    """Looks validation's samples up among training's and among themselves.

    Attributes:
        subject: says which rows of a batch are samples.
        batches: validation's, as samples are recognised by.
        known: what training's hold; None where groups say whose samples are.
        texts: what was read of training and of validation.
        objective: validation's.
        times: how often each of validation's samples occurs, once they were looked up.
    """

    subject: Subject
    batches: Any
    known: sample_identity.Known | None
    texts: tuple[BatchReadings, BatchReadings]
    objective: int
    times: Counter[int] = field(default_factory=Counter)

    def overlap(self) -> tuple[SeenDocuments | None, bool, str]:
        """Return what validation shares with training, whether all training batches were looked through, why not."""
        train, val = self.texts
        if self.known is None:
            ids = [_groups(text) for text in self.texts]
            why = "" if train.complete else "not all training groups were read"
            return sample_identity.by_group(*ids), train.complete, why
        if not self.known.wholes:
            return None, False, self.known.why
        look = partial(sample_identity.seen, self.batches, self.known, val.batches, self._chosen, self.times)
        shared = _distinct_only(ranks.seen(ranks.together(look)), val)
        if not len(shared.documents):
            return None, False, "the batches of the two sides hold different tensors"
        if val.unit == "batch" and not val.scalar and val.count < len(shared.documents):
            return None, False, ROWS
        return shared.moved(OTHERS), self.known.complete, self.known.why

    def _chosen(self, batch: Any) -> NDArray[np.int64] | None:
        return self.subject.rows(batch, self.objective)

    def how_compared(self, training: Any) -> str:
        """Return what is to be said of how samples that are no text were looked up among training's batches."""
        assert self.known is not None
        columns = "" if ranks.several() else shared_columns.told(training, self.batches, self.known.layout)
        return columns or noticed.how_compared(self.known)

    def relabelled(self, overlap: SeenDocuments | None) -> tuple[str, ...]:
        """Say that training has validation's samples under other labels, where it has them so."""
        known = self.known
        if known is None or overlap is None or not known.labels or not bool(overlap.exact.any()):
            return ()
        count = partial(sample_identity.relabelled, self.batches, known, self.texts[1].batches, self._chosen)
        other, every = (sum(some) for some in zip(*ranks.together(count), strict=True))
        if other < RELABELLED * every:
            return ()
        return (f"{other:,} of the {every:,} validation samples that training has too are labelled otherwise there",)

    def same_as(self, training: Any) -> bool:
        """Say whether training's batches hold the same samples, each as often, in all that batches hold of them."""
        if self.known is None or not self.known.wholes.issuperset(self.times) or not self.times:
            return False
        if ranks.several() or not all(text.complete for text in self.texts):
            return False
        layout = self.known.layout
        first, second = (sample_identity.all_rows_of(batches, layout) for batches in (training, self.batches))
        return first is not None and first == second

    def repeated(self, reading: Reading) -> list[str]:
        """Say that validation's samples repeat one another, and what its loss is with each counted once.

        Args:
            reading: of validation's batches as they are.
        """
        every = self.times.total()
        again = every - len(self.times)
        if ranks.several() or again <= REPEATED * every:  # processes are given shares of equal size
            return []
        most = max(self.times.values())
        once = _each_once(reading) if self.texts[1].unit == "sample" else None
        told = "" if once is None else f": {plain(reading.mean)}, and {plain(once)} with each once"
        return [f"{again:,} of validation's {every:,} samples repeat{'s' * (again == 1)} an earlier one, bit for bit "
                f"(one occurs {most:,} times); its loss counts each as often as it occurs{told}"]  # fmt: skip


def _groups(text: BatchReadings) -> NDArray[np.int64]:
    """Return the groups that what was read is of."""
    return np.array(sorted(text.groups)) if text.groups else next(iter(text.readings.values())).documents


def _each_once(reading: Reading) -> float | None:
    """Return the mean of samples that weigh alike, each counted once; None where they weigh otherwise."""
    times = reading.weights / reading.weights.min() if reading.weights.min() > 0 else np.zeros(1)
    alike = bool(np.allclose(times, times.round(), rtol=1e-6)) and times.max() > 1
    return float((reading.nats / reading.weights).mean()) if alike else None


def _distinct_only(found: SeenDocuments, val: BatchReadings) -> SeenDocuments:
    """Return the samples that were read as one each: those that occur once more are left out."""
    if val.unit != "sample":
        return found
    return found.among(next(iter(val.readings.values())).documents - OTHERS)

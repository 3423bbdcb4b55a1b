"""Are classes numbered alike on both sides: which class a model predicts most often for the samples of each label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.audit.row_outputs import outputs_of
from diagnose.audit.side_passes import CannotRunError
from diagnose.formatting import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from diagnose.audit.side_passes import SidePasses

FEWEST = 5  # samples of a label
CLEARLY = 0.6  # of a label's samples must be predicted as one other class
OFTEN, SELDOM = 0.2, 0.02  # of the samples with such a label: so many on the side that is wrong, at most on the other
NAMED = 4  # labels


@dataclass(frozen=True)
class Moved:
    """Labels that are predicted as other classes: (label, class), and the share of their samples that is."""

    pairs: tuple[tuple[int, int], ...]
    share: float

    def __str__(self) -> str:
        some = [f"{label} as {other}" for label, other in self.pairs[:NAMED]]
        left = len(self.pairs) - NAMED
        return listed([*some, f"{left} more"] if left > 0 else some)


def moved(
    both: Sequence[tuple[SidePasses, Sequence[Any]]], labels_of: Callable[[Any], Tensor | None]
) -> tuple[int, Moved] | None:
    """Return which side's labels are predicted as other classes, where the other side's are predicted as themselves.

    None where that is not so, or where the model gives no score for each class.
    """
    try:
        counts = [_counts(passes, batches, labels_of) for passes, batches in both]
    except CannotRunError:
        return None
    if any(table is None for table in counts):
        return None
    shares, mappings = zip(*(_elsewhere(table) for table in counts if table is not None), strict=True)
    wrong = int(np.argmax(shares))
    if shares[wrong] < OFTEN or shares[1 - wrong] > SELDOM or not _are_known(counts[1 - wrong], mappings[wrong]):
        return None
    return wrong, mappings[wrong]


def _are_known(table: NDArray[np.int64] | None, some: Moved) -> bool:
    """Say whether these labels are predicted as themselves: a weak model takes one class for another on both sides."""
    labels = np.array([label for label, _ in some.pairs])
    return table is not None and bool((table[labels, labels] >= CLEARLY * np.maximum(table[labels].sum(1), 1)).all())


def _counts(
    passes: SidePasses, batches: Sequence[Any], labels_of: Callable[[Any], Tensor | None]
) -> NDArray[np.int64] | None:
    """Return how often which class is predicted for which label (labels, classes)."""
    table: NDArray[np.int64] | None = None
    for batch in batches:
        labels, outputs = labels_of(batch), outputs_of(passes, batch)
        scores = outputs[-1] if outputs else None
        if labels is None or scores is None or labels.dim() != 1 or labels.is_floating_point() or scores.dim() != 2:
            return None
        classes = scores.shape[1]
        if len(scores) != len(labels) or classes < 3 or int(labels.max()) >= classes:
            return None
        table = np.zeros((classes, classes), np.int64) if table is None else table
        known = labels >= 0
        np.add.at(table, (labels[known].cpu().numpy(), scores.argmax(1)[known].cpu().numpy()), 1)
    return table


def _elsewhere(table: NDArray[np.int64]) -> tuple[float, Moved]:
    """Return the share of samples whose label is mostly predicted as one other class, and these labels."""
    each, top = table.sum(1), table.argmax(1)
    labels = np.arange(len(table))
    wrong = (each >= FEWEST) & (top != labels) & (table[labels, top] >= CLEARLY * each)
    pairs = tuple((int(label), int(top[label])) for label in labels[wrong])
    number = each[wrong].sum()
    share = float(table[labels, top][wrong].sum() / number) if number else 0.0
    return float(number / max(1, each.sum())), Moved(pairs, share)

"""Do a side's labels belong to its inputs: its loss with its own labels, and with those of other samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from torch import Tensor

from diagnose.audit.class_mapping import Moved, moved
from diagnose.audit.labels_probe import tells
from diagnose.audit.side_batches import some_rows
from diagnose.audit.side_passes import CannotRunError, SidePasses, mean_of
from diagnose.gap.loop.elements import samples_of, with_parts, with_values
from diagnose.gap.loop.ragged import is_ragged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from diagnose.audit.audited_sides import AuditedSides

NAMES = ("labels", "label", "targets", "target", "y")  # of a table's labels
CHANGED = 0.3  # of the samples must have another label for the comparison to say anything
PARTS = (32, 16, 8)  # samples whose labels are exchanged together: as many as leave enough such parts
FEWEST, MOST = 8, 16  # parts of a side, least and most


class NotRead(NamedTuple):
    """Why labels cannot be compared, and whether they might be wrong all the same."""

    why: str
    matters: bool = True


def losses_of(sides: AuditedSides) -> dict[str, NDArray[np.float64]] | NotRead:
    """Return each side's losses with its own labels and with those of other samples, or why they cannot be had."""
    if sides.train is None:
        return NotRead("give train=, the training side")
    some = sides.train_batches
    if any(labels_of(batch) is None for batch in (*sides.batches, *some)):
        return NotRead("batches are no pairs (inputs, labels)", matters=False)
    try:
        learned, told = _told(sides.train_passes, some), _told(sides.passes, sides.batches)
    except CannotRunError as why:
        return NotRead(f"other labels cannot be read: {why}")
    if learned is None or told is None:
        wanted = f"{FEWEST * PARTS[-1]} samples, in batches of {PARTS[-1]} or more, whose labels differ"
        return NotRead(f"it takes {wanted}")
    return {"training": learned, "validation": told}


def elsewhere(sides: AuditedSides) -> tuple[int, Moved] | None:
    """Return the side whose labels are predicted as other classes, and these; None where neither's are."""
    return moved([(sides.train_passes, sides.train_batches), (sides.passes, sides.batches)], labels_of)


def by_heart(sides: AuditedSides) -> bool:
    """Say whether training's inputs tell nothing of its labels, but to the network that has learned them."""
    return tells(sides.train_batches, labels_of) is False


def _told(passes: SidePasses, batches: Sequence[Any]) -> NDArray[np.float64] | None:
    """Return the loss of each part with its own labels and with another's (2, parts); None where these are too few.

    A part's other labels are those of the part half of all away, for batches may lie in the order of classes.
    """
    parts = _parts(batches)
    if len(parts) < FEWEST:
        return None
    others = [labels_of(parts[(k + len(parts) // 2) % len(parts)]) for k in range(len(parts))]
    if np.mean([_differing(labels_of(part), other) for part, other in zip(parts, others, strict=True)]) < CHANGED:
        return None
    own_losses = [mean_of(passes.losses(part, probe=True)) for part in parts]
    given = [_with(part, labels) for part, labels in zip(parts, others, strict=True)]
    wrong = [mean_of(passes.losses(part, probe=True)) for part in given]
    return np.array([own_losses, wrong])


def _parts(batches: Sequence[Any]) -> list[Any]:
    """Return parts of batches, spread over all: as large ones as make enough."""
    for size in PARTS:
        cuts = [(batch, first) for batch in batches for first in range(0, samples_of(batch) - size + 1, size)]
        if len(cuts) >= MOST or size == PARTS[-1]:
            break
    some = cuts[:: -(-len(cuts) // MOST)] if cuts else []
    return [some_rows(batch, list(range(first, first + size))) for batch, first in some]


def labels_of(batch: Any) -> Tensor | None:
    """Return the labels of a batch that is a pair (inputs, labels) or a table that names them; None of any other."""
    key = _named(batch)
    label = None if key is None else batch[key]
    if not isinstance(label, Tensor) or not label.dim() or len(label) != samples_of(batch):
        return None
    return label if label.dim() == 1 or label.is_floating_point() else None  # rows of whole numbers are tokens


def _named(batch: Any) -> Any:
    if isinstance(batch, (tuple, list)):
        return 1 if len(batch) == 2 and (isinstance(batch[0], Tensor) or is_ragged(batch[0])) else None
    return next((name for name in NAMES if name in batch), None) if hasattr(batch, "keys") else None


def _differing(one: Any, other: Any) -> float:
    """Return the share of samples whose label is another."""
    return float((one != other).flatten(1).any(1).float().mean() if one.dim() > 1 else (one != other).float().mean())


def _with(batch: Any, labels: Any) -> Any:
    """Return a batch with other labels."""
    if isinstance(batch, (tuple, list)):
        return with_parts(batch, [batch[0], labels])
    return with_values(batch, {**batch, _named(batch): labels})

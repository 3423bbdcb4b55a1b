"""Do a side's labels belong to its inputs: its loss with its own labels, and with those of other samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from diagnose.audit.class_mapping import Moved, moved
from diagnose.audit.labels_probe import tells
from diagnose.audit.side_batches import some_rows
from diagnose.audit.side_passes import CannotRunError, SidePasses, mean_of
from diagnose.formatting import plain
from diagnose.gap.loop.elements import samples_of
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from diagnose.audit.findings import Audit
    from diagnose.gap.side import Side

RULE = "labels-unrelated"
NAMES = ("labels", "label", "targets", "target", "y")  # of a table's labels
CHANGED = 0.3  # of the samples must have another label for the comparison to say anything
PARTS = (32, 16, 8)  # samples whose labels are exchanged together: as many as leave enough such parts
FEWEST, MOST = 8, 16  # parts of a side, least and most
LUCK = 2.0  # standard errors
BY_HEART = (
    "neither a linear fit nor nearest neighbours tell labels of training that they were not given, so that the network "
    "may have learned these by heart: whether validation's belong cannot be judged by it"
)
LESS = 0.3  # of what labels tell on the other side: so much they surely do not tell on this one


def judge(audit: Audit, passes: SidePasses, val: Sequence[Any], train: Side | None, some: Sequence[Any]) -> None:
    """Judge `labels-unrelated`.

    Args:
        audit: takes the outcome.
        passes: validation's.
        val: its batches.
        train: the training side.
        some: its first batches.
    """
    if train is None:
        audit.skips(RULE, "give train=, the training side")
        return
    if any(labels_of(batch) is None for batch in (*val, *some)):
        audit.skips(RULE, "batches are no pairs (inputs, labels)", matters=False)
        return
    train_passes = replace(passes, side=train, name="training")
    try:
        learned, told = _told(train_passes, some), _told(passes, val)
    except CannotRunError as why:
        audit.skips(RULE, f"other labels cannot be read: {why}")
        return
    if learned is None or told is None:
        audit.skips(
            RULE, f"it takes {FEWEST * PARTS[-1]} samples, in batches of {PARTS[-1]} or more, whose labels differ"
        )
        return
    sides = {"training": learned, "validation": told}
    if all(gain <= LUCK * error for gain, error in map(_gain, sides.values())):
        audit.skips(RULE, "the model has learned nothing of either side's labels", matters=False)
        return
    elsewhere = moved([(train_passes, some), (passes, val)], labels_of)
    by_heart = elsewhere is None and tells(some, labels_of) is False
    _compare(audit, sides, elsewhere, by_heart=by_heart)


def _compare(
    audit: Audit, sides: dict[str, NDArray[np.float64]], elsewhere: tuple[int, Moved] | None, *, by_heart: bool
) -> None:
    """Compare what labels tell on the two sides: where they tell the more, and where they may tell nothing.

    Args:
        audit: takes the outcome.
        sides: training's and validation's losses, as `_told` returns them.
        elsewhere: the side whose labels are predicted as other classes, and these.
        by_heart: whether training's inputs tell nothing of its labels, but to the network that has learned them.
    """
    more, less = sorted(sides, key=lambda name: -_gain(sides[name])[0])
    (gain, _), (mine, error) = _gain(sides[more]), _gain(sides[less])
    means = {name: losses.mean(1) for name, losses in sides.items()}
    measured: dict[str, Any] = {
        f"{name}_{what}": float(means[name][k]) for name in sides for k, what in enumerate(("own", "others"))
    }
    if elsewhere is not None:
        side, other = SIDES[elsewhere[0]], SIDES[1 - elsewhere[0]]
        mapping = str(elsewhere[1])
        what = (f"{side.capitalize()}'s classes are numbered otherwise than {other}'s: the model predicts its label "
                f"{mapping}, in {elsewhere[1].share:.0%} of these samples")  # fmt: skip
        audit.breaks(RULE, what, side=side, mapping=mapping, **measured)
    elif mine < LUCK * error and mine + LUCK * error < LESS * gain:
        if less == SIDES[1] and by_heart:
            audit.skips(RULE, BY_HEART)
            return
        (own_loss, wrong), (fit, unfit) = means[less], means[more]
        what = (f"{less.capitalize()} costs {own_loss:.4f} with its own labels and {wrong:.4f} with those of other "
                f"samples, {more} {fit:.4f} and {unfit:.4f}: what was learned is not seen to hold for {less}'s "
                "labels")  # fmt: skip
        audit.breaks(RULE, what, **measured)
    else:
        audit.keeps(RULE, **measured)


def lead(measured: Mapping[str, Any]) -> str:
    """Return what a verdict says first, where labels are seen to tell nothing on one side."""
    if "mapping" in measured:
        return (f"Check {measured['side']}'s labels first: its classes are numbered otherwise, for the model predicts "
                f"its label {measured['mapping']}")  # fmt: skip
    less, more = sorted(SIDES, key=lambda side: measured[f"{side}_others"] - measured[f"{side}_own"])
    (own_loss, others), (fit, unfit) = (
        [plain(float(measured[f"{side}_{what}"])) for what in ("own", "others")] for side in (less, more)
    )
    return (f"Check {less}'s labels first: with its own it costs {own_loss}, with those of other samples {others} "
            f"({more} {fit} and {unfit})")  # fmt: skip


def _gain(losses: NDArray[np.float64]) -> tuple[float, float]:
    """Return how much less a sample costs with its own label, and the standard error of that."""
    less = losses[1] - losses[0]
    return float(less.mean()), float(less.std(ddof=1) / len(less) ** 0.5)


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
        return 1 if len(batch) == 2 and isinstance(batch[0], Tensor) else None
    return next((name for name in NAMES if name in batch), None) if hasattr(batch, "keys") else None


def _differing(one: Any, other: Any) -> float:
    """Return the share of samples whose label is another."""
    return float((one != other).flatten(1).any(1).float().mean() if one.dim() > 1 else (one != other).float().mean())


def _with(batch: Any, labels: Any) -> Any:
    """Return a batch with other labels."""
    if isinstance(batch, (tuple, list)):
        return type(batch)([batch[0], labels])
    return type(batch)({**batch, _named(batch): labels})

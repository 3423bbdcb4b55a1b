"""Do labels belong to their inputs, on both sides?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diagnose.audit.findings import TEXT, Audit, Rule
from diagnose.formatting import plain
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from diagnose.audit.audited_sides import AuditedSides
    from diagnose.audit.class_mapping import Moved

    Losses = Mapping[str, NDArray[Any]]  # of each side, its parts' with their own labels and with others (2, parts)

LUCK = 2.0  # standard errors
LESS = 0.3  # of what labels tell on the other side: so much they surely do not tell on this one
BY_HEART = (
    "neither a linear fit nor nearest neighbours tell labels of training that they were not given, so that the network "
    "may have learned these by heart: whether validation's belong cannot be judged by it"
)

RULES = (Rule(
    "labels-unrelated", TEXT, 70, "warning",
    "labels belong to their inputs, on both sides",
    "look at a few samples with their labels: is their order that of the inputs, is the mapping of classes the "
    "same on both sides, are inputs prepared alike? If all is well, the model has only learned training by heart",
    "Labels that were shuffled, moved by a row or mapped to other class numbers on one side alone look like "
    "overfitting: training's loss falls and validation's does not. The audit reads both sides with the labels of "
    "other samples, too: where that costs one side no more than its own labels, and the other side much more, "
    "nothing shows that what was learned holds for that side.",
    not_of_runs="the targets of text are its own tokens",
),)  # fmt: skip


def judge_sides(audit: Audit, sides: AuditedSides) -> None:
    """Judge by what each side's batches cost with their own labels, and with those of other samples."""
    from diagnose.audit import labels

    losses = labels.losses_of(sides)
    if isinstance(losses, labels.NotRead):
        audit.skips("labels-unrelated", losses.why, matters=losses.matters)
    elif all(gain <= LUCK * error for gain, error in map(_gain, losses.values())):
        why = "the model has learned nothing of either side's labels"
        audit.skips("labels-unrelated", why, matters=False)
    else:
        elsewhere = labels.elsewhere(sides)
        _compare(audit, losses, elsewhere, by_heart=elsewhere is None and labels.by_heart(sides))


def _compare(audit: Audit, losses: Losses, elsewhere: tuple[int, Moved] | None, *, by_heart: bool) -> None:
    """Compare what labels tell on the two sides: where they tell the more, and where they may tell nothing.

    Args:
        audit: takes the outcome.
        losses: training's and validation's, as `labels.losses_of` returns them.
        elsewhere: the side whose labels are predicted as other classes, and these.
        by_heart: whether training's inputs tell nothing of its labels, but to the network that has learned them.
    """
    more, less = sorted(losses, key=lambda name: -_gain(losses[name])[0])
    (gain, _), (mine, error) = _gain(losses[more]), _gain(losses[less])
    means = {name: of_side.mean(1) for name, of_side in losses.items()}
    measured: dict[str, Any] = {
        f"{name}_{what}": float(means[name][k]) for name in losses for k, what in enumerate(("own", "others"))
    }
    if elsewhere is not None:
        side, other = SIDES[elsewhere[0]], SIDES[1 - elsewhere[0]]
        mapping = str(elsewhere[1])
        what = (f"{side.capitalize()}'s classes are numbered otherwise than {other}'s: the model predicts its label "
                f"{mapping}, in {elsewhere[1].share:.0%} of these samples")  # fmt: skip
        audit.breaks("labels-unrelated", what, side=side, mapping=mapping, **measured)
    elif mine < LUCK * error and mine + LUCK * error < LESS * gain:
        if less == SIDES[1] and by_heart:
            audit.skips("labels-unrelated", BY_HEART)
            return
        (own_loss, wrong), (fit, unfit) = means[less], means[more]
        what = (f"{less.capitalize()} costs {own_loss:.4f} with its own labels and {wrong:.4f} with those of other "
                f"samples, {more} {fit:.4f} and {unfit:.4f}: what was learned is not seen to hold for {less}'s "
                "labels")  # fmt: skip
        audit.breaks("labels-unrelated", what, **measured)
    else:
        audit.keeps("labels-unrelated", **measured)


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


def _gain(losses: NDArray[Any]) -> tuple[float, float]:
    """Return how much less a sample costs with its own label, and the standard error of that."""
    less = losses[1] - losses[0]
    return float(less.mean()), float(less.std(ddof=1) / len(less) ** 0.5)

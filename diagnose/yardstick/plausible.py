"""Whether a loss is too good to be true, and what would tell why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.yardstick.scale import Yardstick

# Of the best yardstick. The largest gain of a network over PPMd on the same text that we know of is 0.58: 0.99 bits per
# byte (Transformer-XL, 277 million parameters; Dai et al. 2019) where PPMd, variant J, takes 1.71 (Mahoney), both of
# enwik8, 100 MB. Less text leaves a network less to gain.
MARGIN = 0.58
CHECKS = (
    "does training hold the validation text: a split after cutting, overlapping windows, duplicates "
    "(diagnose audit; the run's overlap)",
    "is it bits per byte at all: nats per word are about four times as many as per byte, "
    "and means over padding are lower still",
    "is every byte paid for: unknown words, text cut off, document ends",
    "does the network see what it predicts: a mask that leaks, targets that are not shifted",
    "was the loss taken on training batches by mistake",
)


@dataclass(frozen=True)
class Implausible:
    """A loss that lies clearly below every yardstick.

    Attributes:
        bits_per_byte: the loss.
        best: the best yardstick.
        ratio: of the two.
        checks: what would tell why, the likeliest first.
    """

    bits_per_byte: float
    best: Yardstick
    ratio: float
    checks: tuple[str, ...] = CHECKS


def plausible(bits_per_byte: float, scale: Sequence[Yardstick]) -> Implausible | None:
    """Return why a loss cannot be believed as it stands; None where it can.

    Args:
        bits_per_byte: of a network that was trained on the same text as the yardsticks, and nothing else.
        scale: yardsticks of the same text.
    """
    compared = [one for one in scale if one.family != "uniform"]
    if not compared:
        return None
    best = min(compared, key=lambda one: one.bits_per_byte)
    ratio = bits_per_byte / best.bits_per_byte
    return Implausible(bits_per_byte, best, ratio) if ratio < MARGIN else None


@dataclass(frozen=True)
class Standing:
    """Where a loss lies on the scale.

    Attributes:
        above: the nearest yardstick that is worse; None where none is.
        below: the nearest that is better; None where none is.
    """

    above: Yardstick | None
    below: Yardstick | None


def standing(bits_per_byte: float, scale: Sequence[Yardstick]) -> Standing:
    """Return the yardsticks that a loss lies between."""
    worse = [one for one in scale if one.bits_per_byte >= bits_per_byte]
    better = [one for one in scale if one.bits_per_byte < bits_per_byte]
    return Standing(
        min(worse, key=lambda one: one.bits_per_byte, default=None),
        max(better, key=lambda one: one.bits_per_byte, default=None),
    )

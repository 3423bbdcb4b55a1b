"""Is a loss too good: clearly below every yardstick for its text?

By how much do networks that train on a text alone lie below the best compressor of the same text? On 100 MB of
Wikipedia (enwik8) the best transformers of their years reach 0.99 bits per byte (Dai et al. 2019) where PPMd needs 1.71
(Mahoney, "About the Test Data"): 0.58 of it. Less text leaves less to be learned, so that on what a yardstick reads
whole (16 MiB) a network below 0.6 of the best is implausible. Where the yardsticks read only a sample, the network has
learned from more than they did, and the margin is 0.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.yardstick.scale import Yardstick

MARGIN, MARGIN_SAMPLED = 0.6, 0.4
JUDGING = ("characters", "words", "compressor")  # runs may leak themselves, and say nothing of what is plausible
CHECKS = (
    "the split leaks: windows of one document on both sides, or validation documents copied into training "
    "(loss-gap gives `leak`; split documents before cutting them)",
    "the unit: nats or bits per token taken for bits per byte, or divided by the wrong count",
    "part of the text is not paid for: unknown tokens that swallow words, skipped tokens, padding in the mean",
    "the future is visible: a mask that lets a token see what it is to predict, or targets that are not shifted by one",
    "the loss is of training text, not of validation",
    "the weights were trained before, on text that may hold this one",
    "the validation text repeats itself or is unlike the training text",
)


@dataclass(frozen=True)
class Implausible:
    """A loss that is clearly below every yardstick.

    Attributes:
        best: the yardstick with the lowest bits per byte.
        ratio: the loss over the best yardstick; margin: below which it is called implausible.
        checks: what would tell why, the likeliest first.
    """

    best: Yardstick
    ratio: float
    margin: float
    checks: list[str]


def plausible(bits_per_byte: float, scale: Sequence[Yardstick]) -> Implausible | None:
    """Return why a loss cannot be believed as it stands, or None where it can.

    Raises:
        DiagnoseError: the loss is no number above zero, or there is no n-gram or compressor to compare it with.
    """
    judging = [one for one in scale if one.family in JUDGING]
    if not (math.isfinite(bits_per_byte) and bits_per_byte >= 0):
        raise DiagnoseError(f"a loss of {bits_per_byte} bits per byte cannot be judged; give a number, 0 or above")
    if not judging:
        raise DiagnoseError("no n-gram or compressor to compare with; ask for one, for instance ppmd-8")
    best = min(judging, key=lambda one: one.bits_per_byte)
    margin = MARGIN_SAMPLED if any(one.sampled for one in judging) else MARGIN
    ratio = bits_per_byte / best.bits_per_byte
    return Implausible(best, ratio, margin, list(CHECKS)) if ratio < margin else None

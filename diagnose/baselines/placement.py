"""Where a loss lies among yardsticks of its text, and whether it is too good to be true."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of the best yardstick. The largest gain of a network over PPMd on the same text that we know of is 0.58: 0.99 bits per
# byte (Transformer-XL, 277 million parameters; Dai et al. 2019) where PPMd, variant J, takes 1.71 (Mahoney), both of
# enwik8, 100 MB. Less text leaves a network less to gain.
MARGIN = 0.58
SMALLEST = 1e-3  # bits per byte that a ratio is taken to
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
class Yardstick:
    """One way to predict the scored text, and what it spends.

    Attributes:
        name: of it.
        family: "uniform", "characters", "words" or "compressor".
        bits_per_byte: what it spends.
        low, high: 95 % interval over documents or blocks of them; None where it cannot be had.
        seconds: that computing it took, learning included.
    """

    name: str
    family: str
    bits_per_byte: float
    low: float | None = None
    high: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Standing:
    """Where a loss lies among yardsticks, in bits per byte.

    Attributes:
        bits_per_byte: the loss.
        above: the nearest yardstick that is worse; None where none is.
        below: the nearest that is better; None where none is.
        best: the best of all.
        ratio: the loss as a share of the best.
        implausible: whether it is clearly below every yardstick, so that it cannot be believed as it stands.
    """

    bits_per_byte: float
    above: Yardstick | None
    below: Yardstick | None
    best: Yardstick
    ratio: float
    implausible: bool

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """Return what `record` gave."""
        above, below = (None if record[key] is None else Yardstick(**record[key]) for key in ("above", "below"))
        best = Yardstick(**record["best"])
        return cls(record["bits_per_byte"], above, below, best, record["ratio"], record["implausible"])

    def record(self) -> dict[str, Any]:
        """Return it as JSON values; the checks that would tell why stand there where it is implausible."""
        return asdict(self) | {"checks": list(CHECKS) if self.implausible else []}


def standing(bits_per_byte: float, scale: Sequence[Yardstick]) -> Standing | None:
    """Return where a loss lies; None where no yardstick has learned anything from the text.

    Args:
        bits_per_byte: of a network that was trained on the same text as the yardsticks, and nothing else.
        scale: yardsticks of the same text, in any order.
    """
    learned = [row for row in scale if row.family != "uniform"]
    if not learned:
        return None
    best = min(learned, key=lambda row: row.bits_per_byte)
    worse = [row for row in scale if row.bits_per_byte >= bits_per_byte]
    better = [row for row in scale if row.bits_per_byte < bits_per_byte]
    ratio = bits_per_byte / max(best.bits_per_byte, SMALLEST)  # a text of equal lines costs nothing
    return Standing(
        bits_per_byte,
        min(worse, key=lambda row: row.bits_per_byte, default=None),
        max(better, key=lambda row: row.bits_per_byte, default=None),
        best, ratio, ratio < MARGIN,
    )  # fmt: skip

"""Where a loss lies on the scale, as a sentence: between which yardsticks, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.yardstick.scale import Yardstick

CALLED = {"uniform": "bytes at random", "gzip": "gzip", "bzip2": "bzip2", "xz": "xz", "zstd": "zstd"}


def called(name: str) -> str:
    """Return what a yardstick is called in a sentence."""
    kind, _, order = name.partition("-")
    words = {"ppmd": f"PPMd of order {order}", "char": f"character {order}-grams", "word": f"word {order}-grams"}
    return CALLED.get(name) or words.get(kind, name)


def place(bits_per_byte: float, scale: Sequence[Yardstick]) -> str:
    """Return "0.31 better than PPMd of order 8 and 0.12 worse than xz", in bits per byte; "" for an empty scale."""
    worse = min((y for y in scale if y.bits_per_byte >= bits_per_byte), key=lambda y: y.bits_per_byte, default=None)
    better = max((y for y in scale if y.bits_per_byte < bits_per_byte), key=lambda y: y.bits_per_byte, default=None)
    parts = []
    if worse:
        parts.append(f"{worse.bits_per_byte - bits_per_byte:.2f} better than {called(worse.name)}")
    if better:
        parts.append(f"{bits_per_byte - better.bits_per_byte:.2f} worse than {called(better.name)}")
    return " and ".join(parts)

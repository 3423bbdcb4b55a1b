"""The readings of validation's samples that were not found among training's, and what they are in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnose.data.overlap import SeenDocuments
    from diagnose.gap.conditions import Condition
    from diagnose.gap.measurements import BatchReadings
    from diagnose.stats import Reading

FEWEST_UNSEEN = 20
PART = 0.1  # of a sample's spans: where so many occur in training, parts of it do


def unseen_readings(
    val: BatchReadings, overlap: SeenDocuments | None, whole: bool, why: str, *, by_value: bool = False
) -> tuple[dict[Condition, Reading] | None, str]:
    """Return the readings of unseen samples, and what they are or why there are none."""
    if overlap is None or not whole:
        return None, why
    number, what = len(overlap.unseen), "groups" if overlap.documents[0] < 0 else "samples"
    if number == len(overlap.documents):
        how = " bit for bit" if by_value else ""
        return dict(val.readings), f"none of {number:,} validation {what} occurs in training{how}{_parts(overlap)}"
    if val.unit == "batch":
        return None, "the objective gives one number a batch, so its seen samples cannot be told from the others"
    if val.unit == "group" and overlap.documents[0] >= 0:
        return None, "only one side has groups, so its seen samples cannot be told from the others"
    some = {condition: reading.only(overlap.unseen) for condition, reading in val.readings.items()}
    out = {condition: reading for condition, reading in some.items() if reading is not None}
    if number < FEWEST_UNSEEN or len(out) < len(some):
        return (
            None,
            f"{number or 'none'} of {len(overlap.documents):,} validation {what} {_are(number)} unseen, too few",
        )
    which = f"{number:,} of {len(overlap.documents):,} validation {what}, which do not occur in training"
    return out, f"{which}{_parts(overlap)}"


def _are(number: int) -> str:
    return "is" if number in (0, 1) else "are"


def _parts(overlap: SeenDocuments) -> str:
    """Say of how many samples that do not occur in training parts do: less than half of their spans."""
    parts = int((~overlap.exact & ~overlap.near & (overlap.share >= PART)).sum())
    return f" as a whole (parts of {parts:,} do)" if parts else ""

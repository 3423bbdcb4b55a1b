"""Rows of tokens that are longer on one side: read cut to the other side's length, so that cutting has its own term."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from diagnose.gap.loop.gradients import with_gradients
from diagnose.gap.loop.rebatched import changed
from diagnose.gap.loop.sample_parts import INTEGERS, named_tensors
from diagnose.gap.loop.walking import walk
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from diagnose.gap.side import Side

LOOKED = 16  # batches whose rows are looked at
FEWEST = 4  # tokens of a row


class CutRows:
    """A side's batches with their rows cut to their first tokens.

    Args:
        batches: whose rows all have one length.
        whole: that length; length: that they are cut to.
    """

    def __init__(self, batches: Any, whole: int, length: int) -> None:
        self.base_dataloader, self.whole, self.length = batches, whole, length

    def __iter__(self) -> Iterator[Any]:
        for batch in self.base_dataloader:
            yield changed(batch, self._cut)

    def _cut(self, found: Tensor) -> Tensor:
        rows = found.dim() > 1 and found.shape[1] == self.whole
        return found[:, : self.length].contiguous() if rows else found  # for a `view` in the objective


def cut_alike(train: Side, val: Side, model: nn.Module) -> tuple[Side, Side, str]:
    """Return the sides, the one of longer rows with such as are cut to the other's as its plain data, and what was cut.

    Where either side's rows have several lengths, plain data were given, or the objective fails on cut rows (flat
    targets), nothing is cut. To be used within `guarded` alone, for the loaders are walked and the objective is run.
    """
    sides = [train, val]
    lengths = [0 if side.plain is not None else _length(side.batches) for side in sides]
    if lengths[0] == lengths[1] or min(lengths) < FEWEST:
        return train, val, ""
    long = int(lengths[1] > lengths[0])
    cut = CutRows(sides[long].batches, lengths[long], lengths[1 - long])
    if _length(cut) != cut.length or not _is_read(sides[long], cut, model):  # of a kind that cannot be taken apart
        return train, val, ""
    sides[long] = replace(sides[long], plain=cut)
    return sides[0], sides[1], f"rows hold {lengths[0]} tokens in training and {lengths[1]} in validation"


def _is_read(side: Side, cut: CutRows, model: nn.Module) -> bool:
    """Say whether a side's objective takes batches of cut rows."""
    _, batch = next(walk(cut)[0])
    try:
        with_gradients(lambda: side.objective(side.model or model, batch), lambda: None)
    except Exception:  # noqa: BLE001 - a user's objective, of batches that it was not written for
        return False
    return True


def cut_notes(sides: tuple[Side, Side]) -> list[str]:
    """Say which side's rows were read cut, too."""
    return [
        f"{name}'s rows were read cut to their first {side.plain.length} tokens, too: collation is what that does"
        for name, side in zip(SIDES, sides, strict=True) if isinstance(side.plain, CutRows)
    ]  # fmt: skip


def uncut(side: Side) -> Any:
    """Return the batches that samples are recognised by: as they are before augmentation or packing, not cut."""
    return side.batches if as_is(side) else side.plain


def as_is(side: Side) -> bool:
    """Say whether a side has no plain data but its own, cut."""
    return side.plain is None or isinstance(side.plain, CutRows)


def _length(batches: Any) -> int:
    """Return the length that all rows of tokens of the first batches have; 0 where there are none, or several."""
    lengths = set[int]()
    for _, batch in islice(walk(batches)[0], LOOKED):
        lengths |= {rows.shape[1] for _, rows in named_tensors(batch) if rows.dim() == 2 and rows.dtype in INTEGERS}
    return lengths.pop() if len(lengths) == 1 else 0

"""How the targets of rows of tokens stand to their inputs: by how many places they are shifted, and which are left out.

Labels that were shifted before a model shifts them itself, and an end of text that is masked as padding is, are no
generalisation gap; they show in the batches themselves, where one side's are made otherwise than the other's.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import torch

from diagnose.gap.loop.numbers_seen import called

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from diagnose.gap.loop.sample_parts import Key

SHIFTS = (0, 1, 2)  # places by which targets may lie before their inputs
SAME = 0.95  # of targets that count: so many must be the inputs, shifted
CLEAR = 0.5  # of them at most may be so by any other shift, as in rows of one token
FEWEST = 256  # targets of each side
OFTEN = 0.1  # of validation's rows: so many must hold a target that training's never are
WANTED = 16  # of training's rows that would hold it, were its targets as validation's
MOST_PAIRS = 6
SPOKEN = {0: "as it stands", 1: "shifted by one place", 2: "shifted by two places"}


class TargetsSeen:
    """Rows of integers of one shape in a batch, as batches are read: each may be the targets of another."""

    def __init__(self) -> None:
        self.equal: dict[tuple[Key, Key], dict[int, list[int]]] = {}
        self.holds: dict[Key, dict[int, int]] = {}
        self.rows: dict[Key, int] = {}

    def add(self, rows: Mapping[Key, tuple[Tensor, Tensor]]) -> None:
        """Add the rows (B, T) of a batch, each with which of its places count."""
        for key, (ids_BT, counted_BT) in rows.items():
            self.rows[key] = self.rows.get(key, 0) + len(ids_BT)
            _count_rows(self.holds.setdefault(key, {}), ids_BT, counted_BT)
        for first, second in list(combinations(rows, 2))[:MOST_PAIRS]:
            (ids_BT, _), (targets_BT, counted_BT) = rows[first], rows[second]
            if ids_BT.shape == targets_BT.shape:
                table = self.equal.setdefault((first, second), {k: [0, 0] for k in SHIFTS})
                _count_shifts(table, ids_BT, targets_BT, counted_BT)

    def unlike(self, val: TargetsSeen) -> list[str]:
        """Return in what validation's targets are made otherwise than these of training."""
        shared = [pair for pair in self.equal if pair in val.equal]
        out = [difference for pair in shared if (difference := _shifted(pair, self.equal[pair], val.equal[pair]))]
        return out[:1] or [difference for pair in shared if (difference := self._never(pair, val))][:1]

    def _never(self, pair: tuple[Key, Key], val: TargetsSeen) -> str:
        """Say that one id is a target in validation and, though training's inputs hold it, never in training."""
        inputs, targets = pair
        number, whole = self.rows[targets], val.rows[targets]
        for value, count in sorted(val.holds[targets].items(), key=lambda item: -item[1]):
            often = count / whole
            if often < OFTEN or often * number < WANTED:
                return ""
            if value not in self.holds[targets] and self.holds[inputs].get(value, 0) >= WANTED:
                share = self.holds[inputs][value] / number
                return (f"{called(targets)} never holds {value} in training, where {share:.0%} of rows of "
                        f"{'.'.join(inputs)!r} do, and does in {often:.0%} of validation's rows: it may be masked as "
                        "padding on one side alone")  # fmt: skip
        return ""


def _count_shifts(table: dict[int, list[int]], ids_BT: Tensor, targets_BT: Tensor, counted_BT: Tensor) -> None:
    """Add how many targets are the inputs by each shift, of how many."""
    width = ids_BT.shape[1]
    for k in SHIFTS:
        if k < width:
            counted = counted_BT[:, : width - k]
            table[k][0] += int(((ids_BT[:, k:] == targets_BT[:, : width - k]) & counted).sum())
            table[k][1] += int(counted.sum())


def _count_rows(counts: dict[int, int], ids_BT: Tensor, counted_BT: Tensor) -> None:
    """Add in how many rows each id occurs where it counts."""
    row_N = torch.arange(len(ids_BT), device=ids_BT.device)[:, None].expand_as(ids_BT)[counted_BT]
    pairs = torch.unique(torch.stack([row_N, ids_BT[counted_BT].to(row_N.dtype)]), dim=1)
    for value, count in zip(*(part.tolist() for part in torch.unique(pairs[1], return_counts=True)), strict=True):
        counts[int(value)] = counts.get(int(value), 0) + count


def _shifted(pair: tuple[Key, Key], train: dict[int, list[int]], val: dict[int, list[int]]) -> str:
    """Say that targets are the inputs by another shift on the two sides; "" where they are not."""
    train_shift, val_shift = _shift_of(train), _shift_of(val)
    if train_shift is None or val_shift is None or train_shift == val_shift:
        return ""
    of = repr(".".join(pair[0])) if pair[0] else "the batch"
    return (f"{called(pair[1])} is {of} {SPOKEN[train_shift]} in training and {SPOKEN[val_shift]} in validation: "
            "what shifts targets itself must be given both alike")  # fmt: skip


def _shift_of(table: dict[int, list[int]]) -> int | None:
    """Return by how many places targets lie before their inputs; None where no one shift, or several, may be it."""
    if min(of for _, of in table.values()) < FEWEST:
        return None
    shares = sorted(((same / of, k) for k, (same, of) in table.items()), reverse=True)
    return shares[0][1] if shares[0][0] >= SAME and shares[1][0] <= CLEAR else None

"""How the rows of tokens of two sides differ: how long they are, which targets are left out, and which ids are new.

Rows that are packed on one side alone, prompts that are masked on one side alone and ids of another tokenizer are no
generalisation gap; they show in the batches themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose.gap.loop.numbers_seen import called
from diagnose.gap.loop.sample_parts import INTEGERS, Key, named_tensors
from diagnose.gap.loop.targets_seen import TargetsSeen
from diagnose.gap.term import SIDES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

IGNORED = -100  # torch's `ignore_index`, which leaves a target out
PRESENT = "attention_mask"  # names what says which tokens of a row are no padding
FEWEST = 32  # rows of each side
LONGER = 2.0  # times: so much longer must the middle row be
LEFT_OUT = 0.15  # of targets: by so much more must one side leave out
NEW = 0.1  # of validation's ids: so many more than luck explains must be ids that training never has
LUCK = 3.0  # standard deviations
MOST_IDS = 1 << 18


class RowsSeen:
    """Rows of integers, as batches are read."""

    def __init__(self) -> None:
        self.lengths: dict[Key, list[NDArray[np.int64]]] = {}
        self.targets: dict[Key, list[int]] = {}
        self.ids: dict[Key, dict[int, int]] = {}
        self.padded: dict[Key, bool | None] = {}  # whether a mask says that some is padding; None: there is no mask
        self.pairs = TargetsSeen()

    def add(self, part: Any) -> None:
        """Add a batch, or a part of one."""
        table = dict(named_tensors(part))
        masked_rows: dict[Key, tuple[Tensor, Tensor]] = {}
        for key, rows in table.items():
            if rows.dim() != 2 or rows.dtype not in INTEGERS or not rows.numel() or PRESENT in key:
                continue
            present = table.get((*key[:-1], PRESENT))
            same = present is not None and present.shape == rows.shape
            inside = present != 0 if present is not None and same else torch.ones_like(rows) > 0
            self.padded[key] = (bool(self.padded.get(key)) or not bool(inside.all())) if same else None
            self._row(key, rows.detach(), inside)
            masked_rows[key] = rows.detach(), inside & (rows != IGNORED)
        self.pairs.add(masked_rows)

    def _row(self, key: Key, rows_BT: Tensor, present_BT: Tensor) -> None:
        counted = rows_BT != IGNORED
        inside = counted.flip(1).cumsum(1).flip(1).bool() & present_BT  # what follows a row's last target is padding
        total = self.targets.setdefault(key, [0, 0])
        total[0] += int((inside & ~counted).sum())
        total[1] += int(inside.sum())
        self.lengths.setdefault(key, []).append(inside.sum(1).cpu().numpy())
        ids = self.ids.setdefault(key, {})
        if len(ids) <= MOST_IDS:
            count_ids(ids, rows_BT[counted & present_BT])

    def unlike(self, val: RowsSeen) -> list[str]:
        """Return in what validation's rows differ from these of training; each kind of difference once.

        Where one side alone has a mask that says what is padding, its rows and the other's are not of the same.
        """
        unmasked = {key: difference for key in self.padded if (difference := self._unmasked(key, val))}
        both = [key for key in self.lengths if key in val.lengths and key not in unmasked]
        kinds = (
            list(unmasked.items()),
            [(key, _left_out(self.targets[key], val.targets[key])) for key in both],
            [(key, _longer(self.lengths[key], val.lengths[key])) for key in both],
            [(key, new_ids(self.ids[key], val.ids[key])) for key in both],
        )
        first = [next(((key, difference) for key, difference in some if difference), None) for some in kinds]
        of = [f"{called(key)} {difference}" for key, difference in filter(None, first)]
        return self.pairs.unlike(val.pairs) + of

    def _unmasked(self, key: Key, val: RowsSeen) -> str:
        """Say that a mask of padding is there on one side alone; "" where it is not, or masks nothing."""
        padded = self.padded[key], val.padded.get(key, False)
        if None not in padded or not any(padded):
            return ""
        sides = SIDES if padded[1] is None else SIDES[::-1]
        return f"comes with an {PRESENT} in {sides[0]} alone: in {sides[1]} padding is read as if it were tokens"


def count_ids(counts: dict[int, int], values: Tensor) -> None:
    """Add how often each value occurs."""
    for value, count in zip(*(part.tolist() for part in torch.unique(values, return_counts=True)), strict=True):
        counts[int(value)] = counts.get(int(value), 0) + count


def new_ids(train: dict[int, int], val: dict[int, int]) -> str:
    """Say that validation has ids that training never has, by more than luck; "" where it has not.

    By luck the share of what was not seen is about that of what was seen once (Good and Turing).
    """
    number, whole = sum(train.values()), sum(val.values())
    if min(number, whole) < FEWEST or len(train) > MOST_IDS:
        return ""
    new = sum(count for value, count in val.items() if value not in train) / whole
    luck = sum(1 for count in train.values() if count == 1) / number
    if new < NEW + luck + LUCK * (luck / min(number, whole)) ** 0.5:
        return ""
    return f"holds values that training never has: {new:.0%} of those in validation"


def _left_out(train: list[int], val: list[int]) -> str:
    """Say that one side leaves out more of its targets; "" where it does not."""
    if min(train[1], val[1]) < FEWEST:
        return ""
    shares = [left / of for left, of in (train, val)]
    if abs(shares[0] - shares[1]) < LEFT_OUT:
        return ""
    return f"leaves out {shares[0]:.0%} of targets in training and {shares[1]:.0%} in validation ({IGNORED})"


def _longer(train: list[NDArray[np.int64]], val: list[NDArray[np.int64]]) -> str:
    """Say that rows of one side are much longer; "" where they are not."""
    both = [np.concatenate(some) for some in (train, val)]
    if min(map(len, both)) < FEWEST:
        return ""
    (low, middle, high), (vlow, vmiddle, vhigh) = (np.percentile(some, (25, 50, 75)) for some in both)
    apart = high < vlow or vhigh < low
    if not apart or max(middle, vmiddle) < LONGER * max(1, min(middle, vmiddle)):
        return ""
    return f"holds rows of {middle:g} tokens in training and of {vmiddle:g} in validation (the middle row)"

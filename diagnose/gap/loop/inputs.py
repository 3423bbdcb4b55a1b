"""What a side's batches hold beside the loss: the scale of their numbers, and which labels occur.

Validation that was not normalised as training was, or that holds classes which training never had, is no generalisation
gap; it shows in the batches themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gap.loop.numbers_seen import SAMPLES, NumbersSeen, called
from diagnose.gap.loop.rows_seen import RowsSeen, count_ids, new_ids
from diagnose.gap.loop.sample_parts import INTEGERS, Key, named_tensors, parts_of
from diagnose.gap.loop.walking import first_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from torch import Tensor

    from diagnose.gap.side import Side

CLASSES = 1024  # labels at most; of more it is no label
OFTEN = 4  # times: so often must a label occur on average
NEW = 0.1  # of validation's samples: so many must have a label that training never has
SHIFTED = 0.15  # of the samples would have to change their label for both sides to have the same shares


class InputsSeen:
    """Numbers and labels of batches, as they are read."""

    def __init__(self) -> None:
        self.numbers = NumbersSeen()
        self.labels: dict[Key, dict[int, int]] = {}
        self.shapes: dict[Key, set[tuple[int, ...]]] = {}  # of a sample
        self.rows = RowsSeen()

    def add(self, batch: Any) -> None:
        """Add a batch."""
        for part in parts_of(batch):
            self._add(part)
            self.rows.add(part)

    def _add(self, part: Any) -> None:
        for key, tensor in named_tensors(part):
            flat = tensor.detach().reshape(-1)
            if tensor.is_floating_point() and tensor.dim() == 1 and _is_whole(flat):
                self._label(self.labels.setdefault(key, {}), flat)
            elif tensor.is_floating_point() and not tensor.is_sparse and tensor.dim():
                self.numbers.add(key, tensor)
                self.shapes.setdefault(key, set()).add(tuple(tensor.shape[1:]))
            elif tensor.dtype in INTEGERS and tensor.dim() == 1:
                self._label(self.labels.setdefault(key, {}), flat)

    def _label(self, counts: dict[int, int], flat: Tensor) -> None:
        if len(counts) <= CLASSES:
            count_ids(counts, flat)

    def unlike(self, val: InputsSeen, names: Collection[Key] = ()) -> list[str]:
        """Return in what validation's batches differ from these of training; `names` are tensors that name groups."""
        out = self.numbers.unlike(val.numbers)
        labels = [key for key in self.labels if key in val.labels and key not in names]
        other = {key: val.shapes.get(key, shapes) for key, shapes in self.shapes.items()}
        out += [f"{called(key)} holds samples of shape {_shape(shapes)} in training and {_shape(other[key])} in "
                "validation"
                for key, shapes in self.shapes.items() if _of_one_other_shape(shapes, other[key])]  # fmt: skip
        out += self.rows.unlike(val.rows)
        return out + [difference for key in labels if (difference := _labels(key, self.labels[key], val.labels[key]))]


def group_names(sides: Sequence[Side]) -> set[Key]:
    """Return the tensors of batches that say which group a sample is of: `groups` returns their values."""
    out = set[Key]()
    for side in sides:
        batch = first_of(side.batches)
        if side.groups is not None and batch is not None:
            given = np.ravel(np.asarray(_plain(side.groups(batch)))).tolist()
            out |= {key for key, tensor in named_tensors(batch) if tensor.dim() == 1 and tensor.tolist() == given}
    return out


def _plain(given: Any) -> Any:
    return given.detach().cpu() if hasattr(given, "detach") else given


def _of_one_other_shape(train: set[tuple[int, ...]], val: set[tuple[int, ...]]) -> bool:
    """Say whether samples have one shape on each side, and not the same one."""
    return len(train) == len(val) == 1 and train != val


def _shape(shapes: set[tuple[int, ...]]) -> str:
    return " x ".join(map(str, next(iter(shapes)))) or "()"


def _labels(key: Key, train: dict[int, int], val: dict[int, int]) -> str:
    """Say that validation has labels that training never has, or has them in other shares; "" where it has not."""
    number, whole = sum(train.values()), sum(val.values())
    if min(number, whole) < SAMPLES or max(len(train), len(val)) > CLASSES:
        return ""
    if len(train) * OFTEN > number:
        return f"{called(key)} {difference}" if (difference := new_ids(train, val)) else ""
    new = sum(count for value, count in val.items() if value not in train)
    if new >= NEW * whole:
        return f"{new / whole:.0%} of {called(key)} in validation are values that training never has"
    return _shares(key, {k: n / number for k, n in train.items()}, {k: n / whole for k, n in val.items()},
                   1 / number + 1 / whole)  # fmt: skip


def _shares(key: Key, train: dict[int, float], val: dict[int, float], spread: float) -> str:
    """Say that labels occur in other shares, by more than luck; "" where they do not."""
    every = sorted({*train, *val})
    off = {k: val.get(k, 0.0) - train.get(k, 0.0) for k in every}
    luck = sum(((train.get(k, 0.0) + val.get(k, 0.0)) / 2 * spread) ** 0.5 for k in every) / 2
    if sum(map(abs, off.values())) / 2 < SHIFTED + 2 * luck:
        return ""
    most = max(every, key=lambda k: abs(off[k]))
    return (f"{called(key)} holds its values in other shares: of the batches that were read {most} is "
            f"{train.get(most, 0.0):.0%} in training and {val.get(most, 0.0):.0%} in validation")  # fmt: skip


def _is_whole(flat: Tensor) -> bool:
    """Say whether floating-point numbers are labels: whole, and none of them large."""
    return bool(((flat == flat.round()) & (flat.abs() < CLASSES)).all())

"""Where the numbers of two sides' batches lie, and how wide: whether validation was scaled as training was.

Shapes: N samples of a batch, F columns (all other dimensions, some of them where there are many).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.formatting import listed, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from diagnose.gap.loop.sample_parts import Key

    Batches = Sequence[NDArray[np.float32]]

VALUES = 512  # of a tensor that are kept of a batch
COLUMNS = 64  # of them at most; of a tensor (N, F) with no more, each column is judged, too
FEWEST = 256  # values that a side must have shown; of fewer, `FURTHER` must they lie apart
SAMPLES = 32  # values or samples at least
FURTHER = 2.0  # times
OTHER = 2.0  # times: so much wider must the middle half of the numbers be
MOVED = 0.25  # of the middle half's width: so far must its middle lie off
LUCK = 6.0  # standard errors: so far must the means lie apart
BATCHES = 5  # of each side: with fewer the sample is the unit of luck, not the batch
NAMED = 3  # columns that are named


class NumbersSeen:
    """Numbers of tensors, as batches are read."""

    def __init__(self) -> None:
        self.batches: dict[Key, list[NDArray[np.float32]]] = {}
        self._tables: set[Key] = set()  # (N, F) of few columns

    def add(self, key: Key, found: Tensor) -> None:
        """Add a tensor of a batch (N, ...)."""
        if not found.numel():
            return
        rows_NF = found.detach().reshape(len(found), -1)
        if found.dim() == 2 and 1 < rows_NF.shape[1] <= COLUMNS:
            self._tables.add(key)
        some_NF = rows_NF[:, :: -(-rows_NF.shape[1] // COLUMNS)]
        every = max(1, some_NF.numel() // VALUES)
        self.batches.setdefault(key, []).append(some_NF[::every].float().cpu().numpy())

    def unlike(self, val: NumbersSeen) -> list[str]:
        """Return in what validation's numbers differ from these of training."""
        out = []
        for key in self.batches:
            if key not in val.batches:
                continue
            difference = _unlike(self.batches[key], val.batches[key])
            if difference:
                out.append(f"{called(key)} {difference}")
            elif key in self._tables & val._tables:
                out += _columns(key, self.batches[key], val.batches[key])
        return out


def called(key: Key) -> str:
    """Return what an entry of a batch is called."""
    return f"entry {'.'.join(key)!r} of the batch" if key else "the batch"


def _columns(key: Key, train: Batches, val: Batches) -> list[str]:
    """Return which columns of a table lie otherwise."""
    if (
        len({some.shape[1] for some in (*train, *val)}) != 1
        or min(sum(map(len, side)) for side in (train, val)) < FEWEST
    ):
        return []
    each = [_unlike(*([some[:, [k]] for some in side] for side in (train, val))) for k in range(train[0].shape[1])]
    unlike = {k: difference for k, difference in enumerate(each) if difference}
    if not unlike:
        return []
    first = min(unlike)
    if len(unlike) == 1:
        return [f"column {first} of {called(key)} {unlike[first]}"]
    names = [str(k) for k in unlike][:NAMED] + ([f"{len(unlike) - NAMED} more"] if len(unlike) > NAMED else [])
    return [f"columns {listed(names)} of {called(key)} lie otherwise: column {first} {unlike[first]}"]


def _unlike(train: Batches, val: Batches) -> str:
    """Say that numbers lie otherwise on the two sides; "" where they do not."""
    both = [np.concatenate([some.ravel() for some in side]) for side in (train, val)]
    if min(map(len, both)) < SAMPLES or not all(np.isfinite(some).all() for some in both):
        return ""
    if all(bool(((some == 0) | (some == 1)).all()) for some in both):
        return _ones(train, val)
    least = 1.0 if min(map(len, both)) >= FEWEST else FURTHER
    (low, middle, high), (vlow, vmiddle, vhigh) = (np.percentile(some, (25, 50, 75)) for some in both)
    wide, vwide = high - low, vhigh - vlow
    if min(wide, vwide) <= 0:
        return ""
    scaled = max(wide / vwide, vwide / wide) >= least * OTHER
    off = abs(vmiddle - middle) / max(wide, vwide)
    if 2 * abs(both[1].mean() - both[0].mean()) < abs(vmiddle - middle):  # of a mask, half 0 and half 1, it jumps
        off = 0.0
    if not scaled and off < least and not (off >= MOVED and _beyond_luck(train, val)):
        return ""
    how = "is on another scale" if scaled else "lies elsewhere"
    return (f"{how}: half of its values lie in {plain(low)} to {plain(high)} in training and in {plain(vlow)} to "
            f"{plain(vhigh)} in validation")  # fmt: skip


def _ones(train: Batches, val: Batches) -> str:
    """Say that 0 and 1 (several labels a sample, a mask) hold 1 much more often on one side; "" where they do not."""
    share, vshare = (float(np.concatenate([some.ravel() for some in side]).mean()) for side in (train, val))
    few = min(share, vshare, 1 - share, 1 - vshare)
    often = max(share, vshare) >= OTHER * min(share, vshare) if few in (share, vshare) else False
    if not often or not _beyond_luck(train, val):
        return ""
    return f"is 1 in {share:.1%} of its places in training and in {vshare:.1%} in validation"


def _beyond_luck(train: Batches, val: Batches) -> bool:
    """Say whether the means of two sides differ by more than their luck: by batches, by samples where these are few."""
    few = min(len(train), len(val)) < BATCHES
    units = [np.concatenate([b.mean(1) for b in side]) if few else np.array([b.mean() for b in side])
             for side in (train, val)]  # fmt: skip
    if min(map(len, units)) < (SAMPLES if few else BATCHES):
        return False
    error = sum(some.var(ddof=1) / len(some) for some in units) ** 0.5
    return bool(abs(units[1].mean() - units[0].mean()) > LUCK * error)

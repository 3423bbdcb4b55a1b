"""What else loops report of the same losses: other averages, the last batch's, a decaying mean, a mean by length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose.gap.factor_fits import LARGEST_EXPONENT
from diagnose.gap.loop.elements import weighed
from diagnose.gap.loop.sample_parts import named_tensors
from diagnose.gap.reported import DECAYS
from diagnose.gap.side import REDUCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.gap.loop.elements import Elements


FIRST = (1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100)  # batches that limits name
OF_ORDER = ("without the last batch", "the last batch's", "the first batch's", "over the first ", "a decaying mean")


def in_any_order(likely: Mapping[str, float]) -> dict[str, float]:
    """Return means but for those that another shuffle would make another value of: which batch was the last."""
    return {name: value for name, value in likely.items() if not name.startswith(OF_ORDER)}


class OtherMeans:
    """Sums as batches are read, in whatever order."""

    def __init__(self) -> None:
        self.sums: dict[str, list[float]] = {name: [0.0, 0.0] for name in REDUCTIONS if name != "sum"}
        self.lengths: dict[str, list[float]] = {}
        self.batches: dict[int, tuple[float, float, int]] = {}  # sum of losses, what counts, samples
        self.parts: dict[str, list[tuple[float, int]]] = {}  # by name, what batches' losses have beside them: samples

    def add(self, number: int, found: Elements, batch: Any) -> None:
        """Add a batch's losses."""
        for name, total in self.sums.items():
            if name == "sample" and not found.known:
                continue
            counts = weighed(found, name)
            total[0] += float((found.nats * counts).sum())
            total[1] += float(counts.sum())
        summed, counted = float((found.nats * found.weights).sum()), float(found.weights.sum())
        self.batches[number] = (summed, counted, found.size)
        for name, value in found.others.items():
            self.parts.setdefault(name, []).append((value, found.size))
        if found.known and len(found.nats) == found.size:
            self._by_length(found, batch)

    def _by_length(self, found: Elements, batch: Any) -> None:
        for key, given in named_tensors(batch):
            whole = given.dim() == 1 and len(given) == found.size and given.dtype in (torch.int32, torch.int64)
            if whole and int(given.min()) > 0:
                lengths = given.detach().cpu().double().numpy()
                name = ".".join(key) or "the batch"
                total = self.lengths.setdefault(name, [0.0, 0.0])
                total[0] += float((found.nats / lengths).sum())
                total[1] += found.size

    def means(self, held: int = 0) -> dict[str, float]:
        """Return each that there is, by what it is; `held` is how many samples the loader's dataset has."""
        out = {
            f"as the mean {REDUCTIONS[name]} (reduction={name!r})": total[0] / total[1]
            for name, total in self.sums.items() if total[1] > 0
        }  # fmt: skip
        out |= self._by_samples(held)
        out |= {f"each sample's divided by entry {name!r} of the batch": a / b for name, (a, b) in self.lengths.items()}
        out |= self._parts()
        rows = [self.batches[number] for number in sorted(self.batches)]
        each = np.array([total / counted if counted else 0.0 for total, counted, _ in rows])
        out |= self._totals(each) | _with_zeros(rows, each)
        if len(each) > 1:
            out |= _without_last(rows, each)
            out["the last batch's alone"] = float(each[-1])
            out |= _first_alone(rows)
            out[f"the last batch's, divided by the {len(each):,} batches"] = float(each[-1] / len(each))
            if (each >= 0).all():
                out["as the mean of each batch's square root (an RMSE a batch)"] = float(np.sqrt(each).mean())
            if each.max() < LARGEST_EXPONENT:
                out["as the mean of each batch's perplexity (exp of its mean)"] = float(np.exp(each).mean())
            for decay in DECAYS:
                out[f"a decaying mean over batches ({decay})"] = _decaying(each, decay)
        return out

    def _parts(self) -> dict[str, float]:
        """Return each part that the objective named beside the loss, alone and left out, over batches and samples."""
        out: dict[str, float] = {}
        total = self.sums["weighted"]
        if not total[1]:
            return out
        each = [whole / counted for whole, counted, _ in self.batches.values() if counted]
        losses = {"": float(np.mean(each)), ", by samples": total[0] / total[1]}
        for name, some in self.parts.items():
            values, sizes = (np.array(column, float) for column in zip(*some, strict=True))
            parts = {"": float(values.mean()), ", by samples": float((values * sizes).sum() / sizes.sum())}
            for how in [""] if len(set(sizes)) == 1 else parts:
                out[f"its part {name!r} alone{how}"] = parts[how]
                out[f"without its part {name!r}{how}"] = losses[how] - parts[how]
        return out

    def _totals(self, each: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
        """Return sums that were never divided: over all elements, over all samples, over unequal batches' means."""
        out, sizes = {}, self._sizes()
        read = sum(sizes)
        total, count = self.sums["mean"]
        if count > len(each):
            out[f"summed over all {count:,.0f} elements: not divided by their number"] = total
        total, weight = self.sums["weighted"]
        if weight and read > len(each) and read != count:
            out[f"summed over all {read:,} samples: not divided by their number"] = total / weight * read
        if len(set(sizes)) > 1:
            out[f"summed over the means of the {len(each):,} batches: not divided by their number"] = float(each.sum())
        return out

    def _sizes(self) -> list[int]:
        return [size for *_, size in self.batches.values()]

    def _by_samples(self, held: int) -> dict[str, float]:
        """Return sums over samples that are divided by another number than that of the samples."""
        sizes = self._sizes()
        read, full = sum(sizes), max(sizes, default=0) * len(sizes)
        total, count = self.sums["weighted"]
        value = total / count if count else 0.0
        out = {}
        summed = sum(total * size for total, _, size in self.batches.values())
        if read > len(sizes):
            out["each batch's sum, weighed by its samples (a meter that is given sums for means)"] = summed / read
        if held > read:
            out[f"divided by all {held:,} samples of the loader's dataset, of which {read:,} were read"] = (
                value * read / held
            )
        each = sum(total / counted for total, counted, _ in self.batches.values() if counted)
        if len(set(sizes)) > 1 and read:
            out[f"the sum of the {len(sizes):,} batches' means, divided by the {read:,} samples"] = each / read
            out[f"each batch's mean times {max(sizes):,}, divided by the {read:,} samples"] = each * max(sizes) / read
        if full > read:
            out[f"divided by {full:,}, as if each batch had its full size, instead of {read:,} samples"] = (
                value * read / full
            )
        return out


def _with_zeros(rows: list[tuple[float, float, int]], each: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    """Return means in which a batch of which nothing counts is a 0, where there is one."""
    empty = sum(not counted for _, counted, _ in rows)
    sizes = np.array([size for *_, size in rows])
    if not empty or not sizes.sum():
        return {}
    some = "the batch" if empty == 1 else f"each of the {empty:,} batches"
    name = f"with a loss of 0 for {some} of which nothing counts"
    whole, means = float((each * sizes).sum() / sizes.sum()), float(each.mean())
    return {name: means} if np.isclose(whole, means) else {name: means, f"{name}, by samples": whole}


def _first_alone(rows: list[tuple[float, float, int]]) -> dict[str, float]:
    """Return the mean of the first few batches alone, at most half of all: of a limit, or of a loop that stopped."""
    out = {}
    for k in (number for number in FIRST if 2 * number <= len(rows)):
        total, counted = sum(row[0] for row in rows[:k]), sum(row[1] for row in rows[:k])
        if counted:
            out["the first batch's alone" if k == 1 else f"over the first {k} batches alone"] = total / counted
    return out


def _without_last(
    rows: list[tuple[float, float, int]], each: np.ndarray[Any, np.dtype[np.float64]]
) -> dict[str, float]:
    """Return means of all batches but a last one that is smaller than the others, as `drop_last` leaves it out."""
    sizes, counted = [size for *_, size in rows], sum(weight for _, weight, _ in rows[:-1])
    if sizes[-1] >= min(sizes[:-1]) or not counted:
        return {}
    left = "without the last batch, which is smaller than the others (drop_last)"
    whole, means = sum(total for total, *_ in rows[:-1]) / counted, float(each[:-1].mean())
    return (
        {left: whole} if np.isclose(whole, means) else {f"{left}, over all elements": whole, f"{left}, of means": means}
    )


def _decaying(each: np.ndarray[Any, np.dtype[np.float64]], decay: float) -> float:
    value = float(each[0])
    for loss in each[1:]:
        value = decay * value + (1 - decay) * float(loss)
    return value

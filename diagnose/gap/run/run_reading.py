"""Readings for the ledger: one pass over some text gives the loss under every condition that is asked for.

A mean loss is a sum over targets of weight times nats; which weights is what `Way` states. Sums are kept per document,
so that `stats.combination` can give any difference of readings its interval.

Shapes: B rows, T positions, N documents of a batch. Losses are in nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from diagnose.gap.loop.mode_kinds import switched
from diagnose.stats import Reading
from diagnose.training import chunked_loss
from diagnose.training.device import autocast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from diagnose.gap.conditions import Condition
    from diagnose.training.batches import Batch


@dataclass(frozen=True)
class Way:
    """How nats of targets become a mean.

    Attributes:
        padding: "ignore" (not counted), "target" (predicted like a token), "denominator" (zero, but in the mean).
        level: what is averaged first, each then counting alike: "all" (nothing), "step", "part" of a step, "row".
    """

    padding: str = "ignore"
    level: str = "all"


@dataclass(frozen=True)
class RunObjective:
    """What a loss of ours holds.

    Attributes:
        smoothing: share of label smoothing.
        penalty: the weight decay in the loss, in nats.
        marked: whether the nats of marked targets alone are summed, and still divided by all: their part of the mean.
    """

    smoothing: float = 0.0
    penalty: float = 0.0
    marked: bool = False


def forward_pass(condition: Condition) -> tuple[frozenset[str], str]:
    """Return what a forward pass depends on: objectives and reductions come from the same losses per target."""
    return condition.on, condition.precision


@dataclass(frozen=True)
class StepGroup:
    """What one step or one report reads: its parts, the seed of each part's dropout masks, its weight, its marks.

    `marks` holds for each part which targets are marked (B, T); empty where none are.
    """

    parts: tuple[Batch, ...]
    seeds: tuple[int, ...]
    weight: float = 1.0
    marks: tuple[Tensor, ...] = ()

    @property
    def positions(self) -> int:
        """Token positions of all parts."""
        return sum(part.inputs_BT.numel() for part in self.parts)


def read(network: nn.Module, groups: Iterable[StepGroup], conditions: Sequence[Condition]) -> dict[Condition, Reading]:
    """Read a network's loss on the same batches under several conditions; documents are the units.

    Args:
        network: left exactly as it was, flags, buffers and random states included.
        groups: batches with their masks; at least one. Every condition is read with the same masks.
        conditions: those that share a `forward_pass` share it.
    """
    device = next(network.parameters()).device
    keeper = torch.device("cpu")  # keeps the books: some devices have no float64
    sums: dict[Condition, list[tuple[NDArray[Any], ...]]] = {condition: [] for condition in conditions}
    for group in groups:
        cpu_parts = [part.to(keeper) for part in group.parts]
        counts = [_counts(part, cpu_parts) for part in cpu_parts]
        for number, (part, seed) in enumerate(zip(cpu_parts, group.seeds, strict=True)):
            here = group.parts[number].to(device)
            documents, place_BT = part.documents_BT.unique(return_inverse=True)  # type: ignore[no-untyped-call]
            for run in dict.fromkeys(map(forward_pass, conditions)):
                some = [condition for condition in conditions if forward_pass(condition) == run]
                nats_of = nats(network, here, some[0], seed, {condition.objective.smoothing for condition in some})
                for condition in some:
                    weights_BT = _weights(part, condition.reduction, counts[number])
                    pair = _weighted(part, nats_of[condition.objective.smoothing], weights_BT, condition.reduction)
                    if condition.objective.marked:
                        pair = (pair[0] * (group.marks[number] if group.marks else 0.0), pair[1])
                    rows = [_per_document(x * group.weight, place_BT, len(documents)) for x in pair]
                    sums[condition].append((documents.numpy(), *rows))
    return {condition: _joined(parts, condition.objective.penalty) for condition, parts in sums.items()}


def _joined(parts: list[tuple[NDArray[Any], ...]], penalty: float) -> Reading:
    documents, nats, weights = (np.concatenate(some) for some in zip(*parts, strict=True))
    return Reading.of(nats + penalty * weights, weights, documents)


def nats(
    network: nn.Module, batch: Batch, condition: Condition, seed: int, smoothings: set[float]
) -> dict[float, Tensor]:
    """Return each target's nats (B, T) for each share of label smoothing, from one forward pass.

    Args:
        network: left exactly as it was.
        batch: on the network's device.
        condition: which kinds of training mode are on, and the precision.
        seed: of the dropout masks.
        smoothings: shares of label smoothing.
    """
    device = batch.inputs_BT.device
    with torch.inference_mode(), switched(network, condition.on), autocast(device, condition.precision):
        torch.manual_seed(seed)
        frozen = _answered(network, batch) if len(smoothings) > 1 else network
        ends = (batch.inputs_BT, batch.targets_BT, batch.segments_BT)
        return {share: chunked_loss.token_nats(frozen, *ends, share).cpu() for share in smoothings}


def _answered(network: nn.Module, batch: Batch) -> nn.Module:
    """Return a stand-in that has run on the batch already and says the same again."""
    parts = chunked_loss.split(network)
    if parts is None:
        logits_BTV = network(batch.inputs_BT, batch.segments_BT)
        return cast("nn.Module", lambda *_: logits_BTV)
    x_BTD = parts[0](batch.inputs_BT, batch.segments_BT)
    return cast("nn.Module", SimpleNamespace(features=lambda *_: x_BTD, head=parts[1]))


def _counts(part: Batch, parts: Sequence[Batch]) -> dict[tuple[str, bool], Tensor]:
    """Return how many targets each level holds, with padding counted (True) or not."""
    out: dict[tuple[str, bool], Tensor] = {("all", False): torch.tensor(1.0), ("all", True): torch.tensor(1.0)}
    for padded in (False, True):
        sizes = [_places(p, counted=padded).sum() for p in parts]
        out["step", padded] = torch.stack(sizes).sum()
        out["part", padded] = _places(part, counted=padded).sum()
        out["row", padded] = _places(part, counted=padded).sum(1, keepdim=True)
    return out


def _places(batch: Batch, *, counted: bool) -> Tensor:
    return torch.ones_like(batch.counted_BT) if counted else batch.counted_BT


def _weights(batch: Batch, way: Way, counts: dict[tuple[str, bool], Tensor]) -> Tensor:
    """Return what each position counts in the mean (B, T), padding's included where it is counted."""
    padded = way.padding != "ignore"
    size = counts[way.level, padded].clamp(min=1)
    return _places(batch, counted=padded).double() / size


def _weighted(batch: Batch, nats_BT: Tensor, weights_BT: Tensor, way: Way) -> tuple[Tensor, Tensor]:
    silent = ~batch.counted_BT if way.padding != "target" else torch.zeros_like(batch.counted_BT)
    return nats_BT.double().masked_fill(silent, 0) * weights_BT, weights_BT


def _per_document(values_BT: Tensor, place_BT: Tensor, count: int) -> NDArray[np.float64]:
    zero_N = torch.zeros(count, dtype=torch.float64)
    return zero_N.index_add(0, place_BT.flatten(), values_BT.flatten()).numpy()


def together(first: Reading | None, second: Reading | None) -> Reading | None:
    """Return two readings of the same way as one."""
    if first is None or second is None:
        return first or second
    return Reading.of(
        np.concatenate([first.nats, second.nats]),
        np.concatenate([first.weights, second.weights]),
        np.concatenate([first.documents, second.documents]),
    )


def scaled(reading: Reading, factors: dict[int, float]) -> Reading:
    """Return a reading in which each document counts so many times; one without a factor does not count."""
    factor_N = np.array([factors.get(int(document), 0.0) for document in reading.documents])
    return Reading(reading.documents, reading.nats * factor_N, reading.weights * factor_N)


def in_units(reading: Reading, size: int) -> Reading:
    """Return a reading by named groups of documents: blocks of adjacent ones, where neighbours are alike."""
    return Reading.of(reading.nats, reading.weights, -1 - reading.documents // size)

"""Several processes of one training: each reads its own share of the batches, and all get the ledger of all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from diagnose.errors import DiagnoseError
from diagnose.gap.side import REDUCTIONS
from diagnose.stats import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diagnose.data.overlap import SeenDocuments
    from diagnose.gap.loop.sample_identity import Known
    from diagnose.gap.measurements import BatchReadings, Replayed

RANK = 1 << 50  # added, times the rank, to the numbers of a process's samples
REDUCED = tuple(f"(reduction={name!r})" for name in REDUCTIONS)  # ends what an average is called
EQUAL = 1e-9  # of the value: what is the same but for the order of sums
Found = TypeVar("Found")


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model inside of `DistributedDataParallel`: reading needs no exchange of gradients or buffers."""
    return model.module if isinstance(model, DistributedDataParallel) else model


def several() -> bool:
    """Say whether there are several processes."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def together(find: Callable[[], Found]) -> list[Found]:
    """Return what each process finds, in the order of their ranks; an error of one is an error of all.

    Raises:
        DiagnoseError: of the first process that failed.
    """
    if not several():
        return [find()]
    outcome: Any = None
    try:
        outcome = (find(), None)
    except DiagnoseError as error:
        outcome = (None, str(error))
    every: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(every, outcome)
    failed = next(((rank, error) for rank, (_, error) in enumerate(every) if error is not None), None)
    if failed is not None:
        raise DiagnoseError(f"rank {failed[0]}: {failed[1]}")
    return [value for value, _ in every]


def of_first(value: Found) -> Found:
    """Return the value of the first process: what it logs is what is shown."""
    if not several():
        return value
    values: list[Any] = [value]
    dist.broadcast_object_list(values, 0)
    first: Found = values[0]
    return first


def mean_of_ranks(value: float | None) -> float | None:
    """Return the mean over processes of what each has recorded; None where one has none."""
    if not several():
        return value
    every: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(every, value)
    return None if None in every else sum(every) / len(every)


def joined(texts: Sequence[BatchReadings]) -> BatchReadings:
    """Return what all processes read as one text; samples of different processes are told apart."""
    if len(texts) == 1:
        return texts[0]
    first = texts[0]
    batches, count = sum(t.batches for t in texts), sum(t.count for t in texts)
    return replace(
        first,
        readings={c: _reading([t.readings[c] for t in texts]) for c in first.readings},
        others={
            c: {n: _mean([(t.others[c][n], t.batches) for t in texts]) for n in o} for c, o in first.others.items()
        },
        means={c: [value for t in texts for value in t.means[c]] for c in first.means},
        batches=batches,
        samples=sum(t.samples for t in texts),
        count=count,
        counted=_mean([(t.counted, t.count) for t in texts]),
        silent=_mean([(t.silent, t.count) for t in texts]),
        complete=all(t.complete for t in texts),
        likely=_of_each(texts),
        groups=frozenset().union(*(t.groups for t in texts)),
    )


def _of_each(texts: Sequence[BatchReadings]) -> dict[str, float]:
    """Return the averages of each process's batches alone, which it logs where the processes' losses are not joined."""
    out: dict[str, float] = {}
    for rank, text in enumerate(texts):
        averages: dict[float, str] = {}
        for name, value in text.likely.items():
            if name.endswith(REDUCED) and not any(abs(value - other) <= EQUAL * abs(other) for other in averages):
                averages[value] = name
        out |= {f"{name}, of the batches of process {rank} alone": value for value, name in averages.items()}
    return out


def _mean(rows: Sequence[tuple[float, float]]) -> float:
    return sum(value * weight for value, weight in rows) / sum(weight for _, weight in rows)


def _reading(some: Sequence[Reading]) -> Reading:
    ids = [np.where(r.documents < 0, r.documents, r.documents + rank * RANK) for rank, r in enumerate(some)]
    return Reading.of(
        np.concatenate([r.nats for r in some]), np.concatenate([r.weights for r in some]), np.concatenate(ids)
    )


def known(some: Sequence[Known]) -> Known:
    """Return what the training samples of all processes hold."""
    wholes = frozenset().union(*(part.wholes for part in some))
    spans = tuple(np.unique(np.concatenate(text)) for text in zip(*(part.spans for part in some), strict=False))
    why = next((part.why for part in some if part.why), "")
    labels: dict[int, bytes | None] = {}
    for part in some:
        labels |= {k: v if labels.get(k, v) == v else None for k, v in part.labels.items()}
    complete = all(part.complete for part in some)
    near, pictures = (tuple(item for part in some for item in getattr(part, name)) for name in ("near", "pictures"))
    aligned = tuple(np.unique(np.concatenate(text)) for text in zip(*(part.aligned for part in some), strict=False))
    return replace(
        some[0], wholes=wholes, spans=spans, complete=complete, why=why, labels=labels, near=near, aligned=aligned,
        pictures=pictures,
    )  # fmt: skip


def seen(some: Sequence[SeenDocuments]) -> SeenDocuments:
    """Return what the validation samples of all processes share with training."""
    ids = np.concatenate([part.documents + rank * RANK for rank, part in enumerate(some)])
    exact, near, share = (np.concatenate([getattr(part, name) for part in some]) for name in ("exact", "near", "share"))
    return replace(some[0], documents=ids, exact=exact, near=near, share=share)


def replayed(some: Sequence[Replayed]) -> Replayed:
    """Return the recorded steps of all processes, whose reported loss is the mean over them."""
    if len(some) == 1:
        return some[0]
    halves = [part.half for part in some if part.half is not None]
    first = [abs(part.first) for part in some if part.first is not None]
    return replace(
        some[0],
        value=sum(part.value for part in some) / len(some),
        logged=sum(part.logged for part in some) / len(some),
        half=max(halves) if halves else None,
        reading=_reading([part.reading for part in some]),
        masked=all(part.masked for part in some),
        first=max(first) if first else None,
    )

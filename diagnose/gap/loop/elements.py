"""What an objective returned for a batch, checked: the loss of each element, what it counts, and whose it is.

Shapes: E elements of a batch (a scalar loss is one), B samples.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from diagnose.errors import DiagnoseError
from diagnose.formatting import visible
from diagnose.gap.intervals import SAMPLES
from diagnose.gap.loop.finite import holds_not_finite, why_not_finite
from diagnose.gap.loop.ragged import flat_values, is_ragged, owners, ragged_rows, ragged_size
from diagnose.gap.side import HALF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from torch import nn

IGNORED = -100  # torch's `ignore_index`: a target that does not count
NOT_FINITE = "returns NaN or infinity"


@dataclass(frozen=True)
class Elements:
    """The losses of a batch.

    Attributes:
        nats: (E) the loss of each element, float64.
        weights: (E) what each counts.
        samples: (E) which sample of the batch each is of; all 0 where that is not known.
        known: whether samples are known.
        size: B, how many samples the batch has; 1 where that is not known.
        scalar: whether the objective gave one number for the batch.
        others: what else it returned, by name: the mean.
        skipped: whether it holds NaN or infinity, and so its losses: a loop that goes on has left it out.
    """

    nats: NDArray[np.float64]
    weights: NDArray[np.float64]
    samples: NDArray[np.int64]
    known: bool
    size: int
    scalar: bool
    others: dict[str, float]
    skipped: bool = False


def versions(batch: Any) -> list[int]:
    """Return how often each tensor of a batch was written into."""
    return [-1 if tensor.is_inference() else tensor._version for tensor in tensors(batch)]  # noqa: SLF001


def own_copy(batch: Any) -> Any:
    """Return a copy of a batch for an objective that may write into it; itself where it cannot be copied."""
    try:
        return copy.deepcopy(batch)
    except Exception:  # noqa: BLE001 - a tensor inside a graph, what holds an open file, or a class that says why
        return batch


def tensors(batch: Any) -> Iterator[Tensor]:
    """Yield the tensors of a batch, however it nests lists, tuples, dictionaries and named attributes."""
    if isinstance(batch, Tensor):
        yield from ragged_rows(batch) if batch.is_nested else (batch,)
    elif is_table(batch):
        for value in batch.values():
            yield from tensors(value)
    elif isinstance(batch, Sequence) and not isinstance(batch, (str, bytes)):
        for value in batch:
            yield from tensors(value)
    elif attributes := attributes_of(batch):
        yield from tensors(attributes)
    elif callable(getattr(batch, "to_dict", None)):
        yield from tensors(batch.to_dict())


def is_table(batch: Any) -> bool:
    """Say whether a batch has values by name, as a dictionary has; of a pandas column `values` is no method."""
    methods = (getattr(batch, name, None) for name in ("items", "values"))
    return isinstance(batch, Mapping) or all(callable(method) for method in methods)


def attributes_of(batch: Any) -> dict[str, Any]:
    """Return what a batch that is an object holds by name: a dataclass's fields, or public attributes with tensors."""
    if isinstance(batch, (type, torch.nn.Module)):
        return {}
    if hasattr(batch, "__dataclass_fields__"):
        held = [name for name in batch.__dataclass_fields__ if hasattr(batch, name)]  # others its construction takes
        return {name: getattr(batch, name) for name in held}
    if callable(getattr(batch, "to_dict", None)):
        return {}
    slots = {name: getattr(batch, name) for name in getattr(type(batch), "__slots__", ()) if hasattr(batch, name)}
    table = slots | getattr(batch, "__dict__", {})
    return {name: value for name, value in table.items() if not name.startswith("_") and _holds_tensors(value)}


def _holds_tensors(value: Any) -> bool:
    """Say whether a value is a tensor or directly holds one: what an object refers to otherwise is not the batch."""
    if hasattr(value, "__dataclass_fields__"):
        return any(map(_holds_tensors, attributes_of(value).values()))
    some = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else (value,)
    return any(
        isinstance(part, Tensor) or (isinstance(part, np.ndarray) and part.dtype.kind in "iufb") for part in some
    )


def with_attributes(batch: Any, values: Mapping[str, Any]) -> Any:
    """Return an object like a batch, with other values of these attributes.

    Raises:
        TypeError: a dataclass whose construction takes what it does not hold, or an object that cannot be copied.
    """
    if hasattr(batch, "__dataclass_fields__"):
        try:
            return replace(batch, **values)
        except ValueError as error:
            raise TypeError(str(error)) from None
    try:
        made = copy.copy(batch)
    except Exception as error:  # noqa: BLE001 - a class of one's own may refuse it in any way
        raise TypeError(str(error)) from None
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def with_values(batch: Mapping[Any, Any], values: dict[Any, Any]) -> Any:
    """Return a table like a batch, with other values."""
    if type(batch) is dict:
        return values
    try:
        return type(batch)(values)  # type: ignore[call-arg]
    except TypeError:  # a class of one's own, made of other things
        made: Any = copy.copy(batch)
        for name, value in values.items():
            made[name] = value
        return made


def with_parts(batch: Sequence[Any], parts: Iterable[Any]) -> Any:
    """Return a list or tuple like a batch, with other parts."""
    if hasattr(batch, "_fields"):
        return type(batch)(*parts)
    held = list(parts)
    try:
        return type(batch)(held)  # type: ignore[call-arg]
    except TypeError:  # a class of one's own, made of other things
        if isinstance(batch, tuple):
            return tuple(held)
        made: Any = copy.copy(batch)
        made[:] = held
        return made


def size_of(batch: Any) -> int | None:
    """Return how many samples a batch has: the first dimension of its first tensor that has one, or of its texts."""
    if count := ragged_size(batch):
        return count
    size = next((int(tensor.shape[0]) for tensor in tensors(batch) if tensor.dim()), None)
    return next((len(some) for some in texts(batch)), None) if size is None else size


def texts(batch: Any) -> list[Sequence[str]]:
    """Return the lists of strings of a batch that holds nothing else, one string a sample."""
    if isinstance(batch, Mapping):
        return texts(list(batch.values()))
    if not isinstance(batch, (list, tuple)) or not batch:
        return []
    if all(isinstance(part, str) for part in batch):
        return [batch]
    lists = [texts(part) for part in batch]
    return [some for each in lists for some in each] if all(lists) else []


def graphs_of(batch: Any) -> int | None:
    """Return how many graphs a batch of torch_geometric joins; None for any other batch."""
    count = getattr(batch, "num_graphs", None)
    return count if isinstance(count, int) and callable(getattr(batch, "to_data_list", None)) else None


def listed_of(batch: Any) -> int | None:
    """Return how many samples a batch of lists has, one entry a sample; None for any other batch.

    So detectors take them (pictures, and a table of targets for each), and so are samples of unequal shapes held
    (clouds of points, clips, with a tensor of labels).
    """
    if not isinstance(batch, (list, tuple)) or not any(isinstance(part, (list, tuple)) for part in batch):
        return None
    if ragged_size(batch):
        return None
    lengths = {_length(part) for part in batch}
    if len(lengths) != 1 or not (size := lengths.pop()):
        return None
    lists = [part for part in batch if isinstance(part, (list, tuple))]
    tables = len(lists) == len(batch) and any(all(isinstance(entry, Mapping) for entry in part) for part in lists)
    return size if tables or any(_unequal(part, size) for part in lists) else None


def _length(part: Any) -> int:
    if isinstance(part, Tensor):
        return int(part.shape[0]) if part.dim() else 0
    return len(part) if isinstance(part, (list, tuple)) else 0


def _unequal(part: Sequence[Any], size: int) -> bool:
    """Say whether a list holds a tensor a sample: not each has as many rows as there are samples, as views have."""
    tensors_alone = all(isinstance(entry, Tensor) and entry.dim() for entry in part)
    return tensors_alone and any(entry.shape[0] != size for entry in part) and len({entry.dim() for entry in part}) == 1


def samples_of(batch: Any) -> int:
    """Return how many samples a batch has, a graph being one; 0 where that is not known."""
    return graphs_of(batch) or listed_of(batch) or size_of(batch) or 0


def elements(returned: Any, batch: Any, where: str, model: nn.Module | None = None, *, skips: bool = False) -> Elements:
    """Check what an objective returned for a batch; where a loss is no number, its model's weights are looked at.

    With `skips` a loss that is none because of what its batch holds does not count.

    Raises:
        DiagnoseError: it is no loss; `where` says whose.
    """
    table = dict(returned) if isinstance(returned, Mapping) else {"loss": returned}
    if _of_losses(table):
        table["loss"] = torch.stack([value.float() for value in table.values()]).sum()
    if "loss" not in table:
        names = ", ".join(map(str, table)) or "nothing"
        raise DiagnoseError(f"{where} returns a dictionary without 'loss' (it holds {names})")
    given = table.pop("loss")
    given = flat_values(given) if is_ragged(given) else given
    skipped = skips and isinstance(given, Tensor) and _is_of_bad_batch(given, batch, model)
    empty = skipped or is_empty(given, batch)
    loss = _checked(torch.zeros_like(given) if empty else given, where)
    _refuse_not_finite(loss, batch, where, model)
    _refuse_logits(loss, batch, where)
    weights = _weights(table.pop("weights", None), loss, where) * (not empty)
    others = {visible(str(name)): _mean(value, weights) for name, value in table.items()}
    size = int(loss.shape[0]) if loss.dim() > 1 else samples_of(batch) or None
    size = size_of(batch) if loss.dim() == 1 and size != loss.numel() else size
    samples, known = _samples(loss, size)
    whose = owners(batch, loss.numel()) if loss.dim() == 1 and loss.numel() != size else None
    if whose is not None:
        samples, known, size = whose.numpy(), True, size_of(batch)
    return Elements(
        loss.double().cpu().flatten().numpy(), weights.numpy(), samples, known, size or 1, loss.dim() == 0,
        {name: value for name, value in others.items() if value is not None}, skipped,
    )  # fmt: skip


def is_empty(loss: Any, batch: Any) -> bool:
    """Say whether a loss is no number because nothing in its batch counts: no sample, or all targets ignored."""
    return isinstance(loss, Tensor) and not loss.dim() and bool(torch.isnan(loss)) and lacks_targets(batch)


def _is_of_bad_batch(loss: Tensor, batch: Any, model: nn.Module | None) -> bool:
    """Say whether a loss is no number because of its batch alone."""
    return not bool(torch.isfinite(loss).all()) and holds_not_finite(tensors(batch)) and not why_not_finite(model, [])


def lacks_targets(batch: Any) -> bool:
    """Say whether all targets of a batch are ignored, or it has no sample at all."""
    return size_of(batch) == 0 or any(
        tensor.dtype == torch.int64 and tensor.numel() > 0 and not tensor.is_sparse and not tensor.is_meta
        and bool((tensor == IGNORED).all())
        for tensor in tensors(batch)
    )  # fmt: skip


def _of_losses(table: Mapping[str, Any]) -> bool:
    """Say whether a table holds losses by name and nothing else, as detectors return them: their sum is minimised."""
    named = "loss" not in table and bool(table) and all("loss" in str(name).lower() for name in table)
    return named and all(isinstance(value, Tensor) and value.numel() == 1 for value in table.values())


def _refuse_logits(loss: Tensor, batch: Any, where: str) -> None:
    """Refuse a score a class for each sample, of which some are below 0, where the batch has a class for each."""
    if loss.dim() != 2 or not bool((loss < 0).any()):
        return
    for labels in tensors(batch):
        classes = labels.dtype == torch.int64 and labels.dim() == 1 and len(labels) == len(loss)
        if classes and bool(((labels >= 0) & (labels < loss.shape[1])).all()):
            shape = tuple(loss.shape)
            raise DiagnoseError(f"{where} returns {shape}, partly negative, for {len(labels)} labels: these look like "
                                "logits; return the loss, as cross_entropy(logits, y) is")  # fmt: skip


def _checked(loss: Any, where: str) -> Tensor:
    if not isinstance(loss, Tensor):
        raise DiagnoseError(f"{where} returns {type(loss).__name__}; it must return a tensor: losses, or their mean")
    if not loss.numel():
        raise DiagnoseError(f"{where} returns an empty tensor of shape {tuple(loss.shape)}; give a loss an element")
    if loss.dtype in HALF:
        name = str(loss.dtype).removeprefix("torch.")
        raise DiagnoseError(f"{where} returns losses in {name}, which holds 3 digits; compute them from logits.float()")
    if not loss.dtype.is_floating_point:
        raise DiagnoseError(f"{where} returns a tensor of {loss.dtype}, which holds no loss; give a floating one")
    detached: Tensor = loss.detach()
    return detached


def _refuse_not_finite(loss: Tensor, batch: Any, where: str, model: nn.Module | None) -> None:
    bad = int((~torch.isfinite(loss)).sum())
    if bad:
        why = why_not_finite(model, tensors(batch))
        raise DiagnoseError(f"{where} {NOT_FINITE} ({bad} of {loss.numel():,} losses){why}")


def _weights(given: Any, loss: Tensor, where: str) -> Tensor:
    """Return what each element counts (E), float64."""
    if given is None:
        return torch.ones(loss.numel(), dtype=torch.float64)
    if not isinstance(given, Tensor) or given.shape != loss.shape:
        shape = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise DiagnoseError(f"{where} returns weights of shape {shape} for losses of shape {tuple(loss.shape)}")
    weights = given.detach().double().cpu().flatten()
    if not bool(torch.isfinite(weights).all() and (weights >= 0).all()):
        raise DiagnoseError(f"{where} returns weights that are negative or not finite")
    return weights


def _mean(value: Any, weights: Tensor) -> float | None:
    """Return the mean of what an objective returned beside its loss; None where that is no number."""
    if isinstance(value, (int, float)):
        return float(value)
    if not isinstance(value, Tensor) or not value.numel() or value.dtype.is_complex:
        return None
    flat = value.detach().double().cpu().flatten()
    return float((flat * weights).sum() / weights.sum()) if len(flat) == len(weights) else float(flat.mean())


def _samples(loss: Tensor, size: int | None) -> tuple[NDArray[np.int64], bool]:
    """Return which sample each element is of: by the first dimension, or by runs of equal length in a flat one."""
    count = loss.numel()
    if loss.dim() == 0 or not size or count % size or size >= SAMPLES:
        return np.zeros(count, np.int64), False
    return np.repeat(np.arange(size, dtype=np.int64), count // size), True


def of_rows(found: Elements, rows: NDArray[np.int64] | None) -> Elements:
    """Return losses as of these rows of the batch, one each; as they are where there are not as many."""
    if rows is None or len(rows) != len(found.nats) or int(rows.max(initial=0)) >= SAMPLES:
        return found
    return replace(found, samples=rows, known=True, size=len(rows))


def weighed(found: Elements, reduction: str) -> NDArray[np.float64]:
    """Return what each element counts in the loss of all batches (E); see `Side.reduction`."""
    if reduction == "mean":
        return found.weights
    if reduction == "sample":
        sums = np.bincount(found.samples, found.weights)[found.samples]
        return np.divide(found.weights, sums, out=np.zeros_like(sums), where=sums > 0)
    total = found.weights.sum()
    share = found.weights / total if total else found.weights
    return share * found.size if reduction == "weighted" else share


def sums(found: Elements, reduction: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (E) losses and (E) weights whose sums' ratio over all batches is the loss."""
    weights = weighed(found, reduction)
    return (found.nats * (found.weights if reduction == "sum" else weights)), weights

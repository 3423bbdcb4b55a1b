"""Batches as files hold them: their structure as JSON, their tensors by number; nothing is ever pickled."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import attributes_of, with_attributes, with_parts, with_values
from diagnose.gap.loop.elements import tensors as tensors_of
from diagnose.gap.loop.ragged import ragged_rows

RAGGED: dict[str, Callable[[list[Tensor]], Any]] = {
    "packed": lambda parts: PackedSequence(*parts),
    "jagged": lambda rows: torch.nested.as_nested_tensor(rows, layout=torch.jagged),
    "nested": torch.nested.as_nested_tensor,
}


class NamedBatch(dict[str, Any]):
    """A table whose values are attributes, too, as a tokenizer's batches and graphs have them."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(name)
        return self[name]


def pack(batch: Any, tensors: list[Tensor]) -> dict[str, Any]:  # noqa: PLR0911 - a way for each kind
    """Return a batch's structure and append its tensors, detached copies in main memory.

    Raises:
        DiagnoseError: it holds something that is neither tensor, number, string nor a collection of these.
    """
    if isinstance(batch, Tensor):
        packed = _pack_tensor(batch.detach().cpu(), tensors)
        return {"differentiated": packed} if batch.requires_grad else packed
    if batch is None or isinstance(batch, (bool, int, float, str)):
        return {"value": batch}
    if isinstance(batch, PackedSequence):
        return {"packed": [pack(value, tensors) for value in batch]}
    if _is_named(batch):
        return {"table": [[str(key), pack(batch[key], tensors)] for key in _names(batch)]}
    if isinstance(batch, Sequence) and not isinstance(batch, bytes):
        kind = "tuple" if isinstance(batch, tuple) else "list"
        some = [pack(value, tensors) for value in batch]
        names = getattr(batch, "_fields", None)
        return {kind: some} if names is None else {"named": [list(pair) for pair in zip(names, some, strict=True)]}
    if isinstance(batch, np.ndarray) and batch.dtype.kind in "iufb":
        tensors.append(torch.from_numpy(batch.copy()))
        return {"array": len(tensors) - 1}
    if callable(getattr(batch, "tolist", None)):  # a column of names, or a number of numpy's
        return pack(batch.tolist(), tensors)
    if attributes := attributes_of(batch):
        return {"object": [[name, pack(value, tensors)] for name, value in attributes.items()]}
    raise DiagnoseError(
        f"a batch holds a {type(batch).__name__}, which cannot be kept: give recorder.step the tensors that the "
        "objective takes, as (batch.src, batch.trg), or ids of batches and fetch=function(id)"
    )


def _pack_tensor(tensor: Tensor, tensors: list[Tensor]) -> dict[str, Any]:
    """Append a tensor; of a sparse one (a graph's adjacency matrix) what it holds: files take dense ones alone."""
    if tensor.is_nested:
        kind = "jagged" if tensor.layout == torch.jagged else "nested"
        return {kind: [_pack_tensor(row.contiguous(), tensors) for row in ragged_rows(tensor)]}
    if tensor.layout == torch.strided:
        tensors.append(tensor)
        return {"tensor": len(tensors) - 1}
    coo = tensor if tensor.layout == torch.sparse_coo else tensor.to_sparse_coo()  # type: ignore[no-untyped-call]
    tensors += [coo._indices(), coo._values()]  # noqa: SLF001 - indices() refuses one that is not coalesced
    rows = tensor.layout == torch.sparse_csr
    return {"sparse": [len(tensors) - 2, len(tensors) - 1, list(coo.shape), coo.is_coalesced(), rows]}


def _unpack_sparse(content: Sequence[Any], tensors: Mapping[str, Tensor]) -> Tensor:
    indices, values, shape, coalesced, rows = content
    coo = torch.sparse_coo_tensor(
        tensors[str(indices)], tensors[str(values)], tuple(shape), is_coalesced=bool(coalesced)
    )
    return coo.to_sparse_csr() if rows else coo


def unpack(structure: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Any:  # noqa: PLR0911 - a way for each kind
    """Return the batch of a structure; tables come back as `NamedBatch`, named tuples as such of another class.

    Of other objects come their attributes alone, and columns of names as lists.
    """
    ((kind, content),) = structure.items()
    if kind == "tensor":
        return tensors[str(content)]
    if kind == "differentiated":
        return unpack(content, tensors).requires_grad_()
    if kind == "array":
        return tensors[str(content)].numpy()
    if kind == "sparse":
        return _unpack_sparse(content, tensors)
    if kind in RAGGED:
        return RAGGED[kind]([unpack(value, tensors) for value in content])
    if kind == "value":
        return content
    if kind == "table":
        return NamedBatch({key: unpack(value, tensors) for key, value in content})
    if kind == "object":
        return SimpleNamespace(**{key: unpack(value, tensors) for key, value in content})
    if kind == "named":
        return namedtuple("Batch", [name for name, _ in content])(*(unpack(value, tensors) for _, value in content))  # noqa: PYI024
    some = [unpack(value, tensors) for value in content]
    return tuple(some) if kind == "tuple" else some


def copied(batch: Any) -> Any:
    """Return a batch whose tensors are copies where they lie, so that nobody writes into them later."""
    if isinstance(batch, Tensor):
        kept = batch.detach().clone()
        return kept.requires_grad_() if batch.requires_grad else kept  # an objective may differentiate by it
    if _is_named(batch) and callable(getattr(batch, "clone", None)):
        return batch.clone()
    if isinstance(batch, Mapping):
        return with_values(batch, {key: copied(value) for key, value in batch.items()})
    if isinstance(batch, Sequence) and not isinstance(batch, (str, bytes)):
        return with_parts(batch, (copied(value) for value in batch))
    if attributes := attributes_of(batch):
        with suppress(TypeError):  # its construction takes what it does not hold
            return with_attributes(batch, {name: copied(value) for name, value in attributes.items()})
    return batch


def _is_named(batch: Any) -> bool:
    """Say so of a batch that may have names and no such methods, as a graph has."""
    named = hasattr(batch, "keys") and hasattr(batch, "__getitem__") and callable(getattr(batch, "values", len))
    return isinstance(batch, Mapping) or named


def _names(batch: Any) -> list[Any]:
    """Return the names of a table's values; iterating over a graph yields more than these."""
    return list(batch.keys() if callable(batch.keys) else batch.keys)


def nbytes(batch: Any) -> int:
    """Return the memory of a batch's tensors."""
    return sum(map(_tensor_bytes, tensors_of(batch)))


def _tensor_bytes(tensor: Tensor) -> int:
    if tensor.layout == torch.strided:
        return tensor.numel() * tensor.element_size()
    coo = tensor if tensor.layout == torch.sparse_coo else tensor.to_sparse_coo()  # type: ignore[no-untyped-call]
    return _tensor_bytes(coo._indices()) + _tensor_bytes(coo._values())  # noqa: SLF001

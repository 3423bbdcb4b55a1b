"""Batches as files hold them: their structure as JSON, their tensors by number; nothing is ever pickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from diagnose.errors import DiagnoseError


def pack(batch: Any, tensors: list[Tensor]) -> dict[str, Any]:
    """Return a batch's structure and append its tensors, detached copies in main memory.

    Raises:
        DiagnoseError: it holds something that is neither tensor, number, string nor a collection of these.
    """
    if isinstance(batch, Tensor):
        return _pack_tensor(batch.detach().cpu(), tensors)
    if batch is None or isinstance(batch, (bool, int, float, str)):
        return {"value": batch}
    if isinstance(batch, Mapping) or (hasattr(batch, "keys") and hasattr(batch, "__getitem__")):
        return {"table": [[str(key), pack(batch[key], tensors)] for key in batch]}
    if isinstance(batch, Sequence) and not isinstance(batch, bytes):
        kind = "tuple" if isinstance(batch, tuple) else "list"
        return {kind: [pack(value, tensors) for value in batch]}
    raise DiagnoseError(
        f"a batch holds a {type(batch).__name__}, which cannot be kept; give ids of batches and fetch=function(id)"
    )


def _pack_tensor(tensor: Tensor, tensors: list[Tensor]) -> dict[str, Any]:
    """Append a tensor; of a sparse one (a graph's adjacency matrix) what it holds: files take dense ones alone."""
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


def unpack(structure: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    """Return the batch of a structure; tables come back as dictionaries."""
    ((kind, content),) = structure.items()
    if kind == "tensor":
        return tensors[str(content)]
    if kind == "sparse":
        return _unpack_sparse(content, tensors)
    if kind == "value":
        return content
    if kind == "table":
        return {key: unpack(value, tensors) for key, value in content}
    some = [unpack(value, tensors) for value in content]
    return tuple(some) if kind == "tuple" else some


def copied(batch: Any) -> Any:
    """Return a batch whose tensors are copies where they lie, so that nobody writes into them later."""
    if isinstance(batch, Tensor):
        return batch.detach().clone()
    if isinstance(batch, Mapping) or (hasattr(batch, "keys") and hasattr(batch, "__getitem__")):
        return {key: copied(batch[key]) for key in batch}
    if isinstance(batch, Sequence) and not isinstance(batch, (str, bytes)):
        some = [copied(value) for value in batch]
        return tuple(some) if isinstance(batch, tuple) else some
    return batch


def nbytes(batch: Any) -> int:
    """Return the memory of a batch's tensors."""
    if isinstance(batch, Tensor) and batch.layout != torch.strided:
        coo = batch if batch.layout == torch.sparse_coo else batch.to_sparse_coo()  # type: ignore[no-untyped-call]
        return nbytes([coo._indices(), coo._values()])  # noqa: SLF001
    if isinstance(batch, Tensor):
        return batch.numel() * batch.element_size()
    if hasattr(batch, "values"):
        return sum(nbytes(value) for value in batch.values())
    if isinstance(batch, Sequence) and not isinstance(batch, (str, bytes)):
        return sum(nbytes(value) for value in batch)
    return 0

"""Batches as files hold them: their structure as JSON, their tensors by number; nothing is ever pickled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from torch import Tensor

from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import attributes_of, with_attributes


def pack(batch: Any, tensors: list[Tensor]) -> dict[str, Any]:
    """Return a batch's structure and append its tensors, detached copies in main memory.

    Raises:
        DiagnoseError: it holds something that is neither tensor, number, string nor a collection of these.
    """
    if isinstance(batch, Tensor):
        tensors.append(batch.detach().cpu())
        return {"tensor": len(tensors) - 1}
    if batch is None or isinstance(batch, (bool, int, float, str)):
        return {"value": batch}
    if isinstance(batch, Mapping) or (hasattr(batch, "keys") and hasattr(batch, "__getitem__")):
        return {"table": [[str(key), pack(batch[key], tensors)] for key in batch]}
    if isinstance(batch, Sequence) and not isinstance(batch, bytes):
        kind = "tuple" if isinstance(batch, tuple) else "list"
        return {kind: [pack(value, tensors) for value in batch]}
    if attributes := attributes_of(batch):
        return {"object": [[name, pack(value, tensors)] for name, value in attributes.items()]}
    raise DiagnoseError(
        f"a batch holds a {type(batch).__name__}, which cannot be kept: give recorder.step the tensors that the "
        "objective takes, as (batch.src, batch.trg), or ids of batches and fetch=function(id)"
    )


def unpack(structure: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Any:
    """Return the batch of a structure; tables come back as dictionaries, objects as their attributes alone."""
    ((kind, content),) = structure.items()
    if kind == "tensor":
        return tensors[str(content)]
    if kind == "value":
        return content
    if kind == "table":
        return {key: unpack(value, tensors) for key, value in content}
    if kind == "object":
        return SimpleNamespace(**{key: unpack(value, tensors) for key, value in content})
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
    if attributes := attributes_of(batch):
        return with_attributes(batch, {name: copied(value) for name, value in attributes.items()})
    return batch


def nbytes(batch: Any) -> int:
    """Return the memory of a batch's tensors."""
    if isinstance(batch, Tensor):
        return batch.numel() * batch.element_size()
    if hasattr(batch, "values"):
        return sum(nbytes(value) for value in batch.values())
    if isinstance(batch, Sequence) and not isinstance(batch, (str, bytes)):
        return sum(nbytes(value) for value in batch)
    return sum(map(nbytes, attributes_of(batch).values()))

"""Checkpoints of a run: tensors as safetensors beside the state that they belong to, swapped in whole."""

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from diagnose import files
from diagnose.errors import DiagnoseError
from diagnose.records.schema import FORMAT
from diagnose.runs.store import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

Tensors = dict[str, "Tensor"]
TYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint64": "U64",
    "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}  # torch's names of them, and safetensors'  # fmt: skip


def write_checkpoint(folder: Path, tensors: dict[str, Tensors], state: dict[str, Any], *, synced: bool = True) -> None:
    """Swap a checkpoint in: one safetensors file per name in `tensors`, and `state.json`; see `files.write_whole`."""
    settle_checkpoint(folder)
    old = folder.with_name(folder.name + ".old")
    with files.begun_folder(folder.parent) as part:
        text = json.dumps({"format": FORMAT, **state}, allow_nan=False)  # indented, it would be put together by Python
        files.write_whole(part / "state.json", lambda file: file.write(text.encode()), synced=synced)
        for name, values in tensors.items():
            files.write_whole(part / f"{name}.safetensors", partial(_write_tensors, tensors=values), synced=synced)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def settle_checkpoint(folder: Path) -> None:
    """Remove the checkpoint before, where a process was killed before it could; it counts only where it is the last."""
    if folder.exists():
        shutil.rmtree(folder.with_name(folder.name + ".old"), ignore_errors=True)


def _write_tensors(file: BinaryIO, tensors: Tensors) -> None:
    """Write tensors as safetensors does, whose own function hides why and where a write failed and copies them all.

    Eight bytes of the header's length, the header in JSON (type, shape and place of each tensor), the tensors.
    """
    import torch

    header, end = {}, 0
    for name, value in tensors.items():
        begin, end = end, end + value.numel() * value.element_size()
        kind = TYPES[str(value.dtype).removeprefix("torch.")]
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [begin, end]}
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)
    file.write(len(told).to_bytes(8, "little") + told)
    for value in tensors.values():
        file.write(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)


def read_checkpoint(folder: Path) -> tuple[dict[str, Tensors], dict[str, Any]] | None:
    """Read the checkpoint, or the one before where a kill came between the two renames; None if there is none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    place = folder if folder.exists() else folder.with_name(folder.name + ".old")
    if not place.exists():
        return None
    state = read_json(files.inside(place, folder.parent) / "state.json")
    try:
        return {f.stem: load_file(files.inside(f)) for f in sorted(place.glob("*.safetensors"))}, state
    except (OSError, ValueError, SafetensorError) as error:
        raise DiagnoseError(f"checkpoint {place} is damaged ({error}); train the run anew") from None


def drop_checkpoints(path: Path) -> None:
    """Remove what only resuming, sampling and replaying need; records stay."""
    for folder in ("checkpoint", "checkpoint.old", "interval", "interval.old"):
        shutil.rmtree(path / folder, ignore_errors=True)


def clear_leftovers(path: Path) -> None:
    """Remove what killed processes left half-written in a run's folder."""
    files.clear_leftovers(path)
    for folder in ("checkpoint", "interval"):
        settle_checkpoint(path / folder)

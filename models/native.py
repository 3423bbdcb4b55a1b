"""Fused loops for a CPU (`native.c`), built by the machine's own C compiler; whoever has none computes with torch.

Torch's operations each go over memory once; a dropped attention weight takes twenty of them. Here it is one pass. Masks
are the same bit for bit, other values to float32's rounding. Nothing is built or used before `use` is called.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

SOURCE = Path(__file__).with_name("native.c")
FLAGS = (
    "-std=c11", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
    "-fno-strict-aliasing", "-fopenmp", "-shared", "-fPIC",
)  # fmt: skip
FLOATS = (torch.float32, torch.bfloat16)
PATIENCE = 120.0  # seconds for the compiler, which takes one

_in_use: list[ctypes.CDLL] = []  # none or one


def use(folder: Path | None) -> bool:
    """Build the loops, once per machine, and use them from now on; None goes back to torch.

    Args:
        folder: where the built library is kept.

    Returns:
        Whether they are in use: not without Linux, a C compiler with OpenMP and a place to write.
    """
    library = None if folder is None or not sys.platform.startswith("linux") else _library(folder)
    _in_use[:] = [] if library is None else [library]
    return in_use()


def in_use() -> bool:
    """Say whether the loops are in use."""
    return bool(_in_use)


def loops(values: Tensor, *others: Tensor) -> ctypes.CDLL | None:
    """Return the library where it is in use and can work on these: dense, on a CPU, values of a dtype in `FLOATS`."""
    fitting = all(t.device.type == "cpu" and t.is_contiguous() for t in (values, *others))
    return _in_use[0] if _in_use and fitting and values.dtype in FLOATS else None


def _library(folder: Path) -> ctypes.CDLL | None:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    target = folder / f"native-{_key(compiler)}.so"
    try:
        if not target.exists():
            _build(compiler, target)
        library = ctypes.CDLL(str(target))
    except (OSError, subprocess.SubprocessError):
        return None
    for function in ("drop", "to_heads", "from_heads", "attend", "attend_backward", "losses"):
        getattr(library, function).restype = None
    return library


def _key(compiler: str) -> str:
    """Name what a built library depends on: another processor may not know its instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
    except OSError:
        processor = [platform.processor()]
    parts = (SOURCE.read_text(encoding="utf-8"), compiler, *FLAGS, platform.machine(), *processor)
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def _build(compiler: str, target: Path) -> None:
    """Compile beside the target and rename, so that nobody loads half a library."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        command = [compiler, *FLAGS, "-o", str(part), str(SOURCE), "-lm"]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)  # noqa: S603 - the machine's own
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _at(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def _half(tensor: Tensor) -> ctypes.c_int32:
    return ctypes.c_int32(tensor.dtype == torch.bfloat16)


def drop(library: ctypes.CDLL, x: Tensor, seed: int, dropped: int, scale: float) -> Tensor:
    """Return x (of a dtype in `FLOATS`) where its word is not among the lowest `dropped`, times `scale`, else 0."""
    out = torch.empty_like(x)
    library.drop(
        _at(x), _at(out), _half(x), ctypes.c_int64(x.numel()), ctypes.c_uint64(seed), ctypes.c_int32(dropped),
        ctypes.c_float(scale), ctypes.c_int32(torch.get_num_threads()),
    )  # fmt: skip
    return out


def to_heads(library: ctypes.CDLL, qkv_BT3HD: Tensor) -> Tensor:
    """Return queries, keys and values by head (3, B x H, T, D), in float32."""
    rows, length, _, heads, width = qkv_BT3HD.shape
    out_3NTD = torch.empty(3, rows * heads, length, width)
    library.to_heads(
        _at(qkv_BT3HD), _at(out_3NTD), _half(qkv_BT3HD), ctypes.c_int64(rows), ctypes.c_int64(length),
        ctypes.c_int64(heads), ctypes.c_int64(width), ctypes.c_int32(torch.get_num_threads()),
    )  # fmt: skip
    return out_3NTD


def from_heads(library: ctypes.CDLL, gradient_3NTD: Tensor, heads: int, dtype: torch.dtype, scale: float) -> Tensor:
    """Return a gradient in the order that `to_heads` was given, those of queries and keys times `scale`."""
    _, groups, length, width = gradient_3NTD.shape
    out_BT3HD = torch.empty(groups // heads, length, 3, heads, width, dtype=dtype)
    library.from_heads(
        _at(gradient_3NTD), _at(out_BT3HD), _half(out_BT3HD), ctypes.c_int64(groups // heads), ctypes.c_int64(length),
        ctypes.c_int64(heads), ctypes.c_int64(width), ctypes.c_float(scale), ctypes.c_int32(torch.get_num_threads()),
    )  # fmt: skip
    return out_BT3HD


def attend(
    library: ctypes.CDLL, scores_NRK: Tensor, seen_NRK: Tensor | None, first: int, scale: float, seed: int, stay: int
) -> Tensor:
    """Turn products of queries and keys into attention weights, in place, negative where they are dropped.

    Args:
        library: from `loops`.
        scores_NRK: float32.
        seen_NRK: which keys a query may see of those up to its own; None for all.
        first: position of the first query; the keys begin at 0.
        scale: of the products.
        seed: of the masks.
        stay: words below it stay.

    Returns:
        The weights with 0 where they are dropped.
    """
    kept_NRK = torch.empty_like(scores_NRK)
    rows, queries, keys = scores_NRK.shape
    library.attend(
        _at(scores_NRK), _at(kept_NRK), _at(seen_NRK), ctypes.c_int64(rows * queries), ctypes.c_int64(queries),
        ctypes.c_int64(keys), ctypes.c_int64(first), ctypes.c_float(scale), ctypes.c_uint64(seed),
        ctypes.c_int32(stay), ctypes.c_int32(torch.get_num_threads()),
    )  # fmt: skip
    return kept_NRK


def attend_backward(library: ctypes.CDLL, signed_NRK: Tensor, gradient_NRK: Tensor) -> Tensor:
    """Turn the gradient of the kept weights into that of the scaled scores, in place; return the kept weights."""
    kept_NRK = torch.empty_like(signed_NRK)
    rows, queries, keys = signed_NRK.shape
    library.attend_backward(
        _at(signed_NRK), _at(gradient_NRK), _at(kept_NRK), ctypes.c_int64(rows * queries), ctypes.c_int64(keys),
        ctypes.c_int32(torch.get_num_threads()),
    )  # fmt: skip
    return kept_NRK


def losses(
    library: ctypes.CDLL, logits_CV: Tensor, targets_C: Tensor, smoothing: float, *, gradient: bool
) -> tuple[Tensor, Tensor]:
    """Return each row's cross-entropy, plain and smoothed (float32, nats).

    Args:
        library: from `loops`.
        logits_CV: float32 or bfloat16; where `gradient`, each row's gradient of its smoothed loss takes their place.
        targets_C: int64, each below V.
        smoothing: share of the target's weight that is spread over the vocabulary.
        gradient: whether it is wanted; the logits stay as they are where it is not.
    """
    rows, vocabulary = logits_CV.shape
    nats_C, smoothed_C = torch.empty(rows), torch.empty(rows)
    library.losses(
        _at(logits_CV), _half(logits_CV), _at(targets_C), ctypes.c_int64(rows),
        ctypes.c_int64(vocabulary), ctypes.c_float(smoothing), _at(nats_C), _at(smoothed_C),
        ctypes.c_int32(gradient), ctypes.c_int32(torch.get_num_threads()),
    )  # fmt: skip
    return nats_C, smoothed_C

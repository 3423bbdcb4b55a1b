"""Fused loops for a CPU (`native.c`), built by the machine's own C compiler; whoever has none computes with torch.

Torch's operations each go over memory once; a dropped attention weight takes twenty of them. Here it is one pass. Masks
are the same bit for bit, other values to float32's rounding. Nothing is built or used before `use` is called.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
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
BLOCK = 32  # floats that native.c computes at once at most: rows of its matrices are filled up to a multiple
LEVELS = 1 << 16  # of a mask's 16-bit words
OWN = (torch.Tensor, torch.nn.Parameter)  # others, such as those without data, have no memory to work on
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
    if torch.compiler.is_compiling():
        return None
    fitting = all(t.device.type == "cpu" and t.is_contiguous() and type(t) in OWN for t in (values, *others))
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
    for function in ("drop", "gelu", "gelu_backward", "losses"):
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


def gelu(library: ctypes.CDLL, x: Tensor) -> Tensor:
    """Return GELU, exact, of x (of a dtype in `FLOATS`)."""
    out = torch.empty_like(x)
    count, threads = ctypes.c_int64(x.numel()), ctypes.c_int32(torch.get_num_threads())
    library.gelu(_at(x), _at(out), _half(x), count, threads)
    return out


def gelu_backward(library: ctypes.CDLL, x: Tensor, dy: Tensor) -> Tensor:
    """Return the gradient of what GELU was given, from that and the gradient of what it returned."""
    out = torch.empty_like(x)
    count, threads = ctypes.c_int64(x.numel()), ctypes.c_int32(torch.get_num_threads())
    library.gelu_backward(_at(x), _at(dy), _at(out), _half(x), count, threads)
    return out


def drop(library: ctypes.CDLL, x: Tensor, seed: int, dropped: int, scale: float) -> Tensor:
    """Return x (of a dtype in `FLOATS`) where its word is not among the lowest `dropped`, times `scale`, else 0."""
    out = torch.empty_like(x)
    library.drop(
        _at(x), _at(out), _half(x), ctypes.c_int64(x.numel()), ctypes.c_uint64(seed), ctypes.c_int32(dropped),
        ctypes.c_float(scale), ctypes.c_int32(torch.get_num_threads()),
    )  # fmt: skip
    return out


class _Task(ctypes.Structure):
    """`struct task` of native.c."""

    _fields_ = (
        ("segments", ctypes.c_void_p), ("rows", ctypes.c_int64), ("length", ctypes.c_int64), ("heads", ctypes.c_int64),
        ("width", ctypes.c_int64), ("queries", ctypes.c_int64), ("tile", ctypes.c_int64),
        ("long_stride", ctypes.c_int64), ("wide_stride", ctypes.c_int64), ("seed", ctypes.c_uint64),
        ("half", ctypes.c_int32), ("stay", ctypes.c_int32), ("threads", ctypes.c_int32), ("scale", ctypes.c_float),
        ("kept_scale", ctypes.c_float),
    )  # fmt: skip


@dataclass(frozen=True)
class Masks:
    """Which attention weights are dropped.

    Attributes:
        seed: of all masks of a call.
        stay: words below it stay, of 65536.
        queries: positions of a tile of queries.
        weights: of a tile; together they decide where the words of a mask begin.
    """

    seed: int
    stay: int
    queries: int
    weights: int


def _task(qkv_BT3HD: Tensor, segments_BT: Tensor | None, masks: Masks) -> _Task:
    rows, length, _, heads, width = qkv_BT3HD.shape
    return _Task(
        _at(segments_BT), rows, length, heads, width, masks.queries, masks.weights, -(-length // BLOCK) * BLOCK,
        -(-width // BLOCK) * BLOCK, masks.seed, qkv_BT3HD.dtype == torch.bfloat16, masks.stay, torch.get_num_threads(),
        1 / math.sqrt(width), LEVELS / masks.stay,
    )  # fmt: skip


def attend(library: ctypes.CDLL, qkv_BT3HD: Tensor, segments_BT: Tensor | None, masks: Masks) -> tuple[Tensor, Tensor]:
    """Return causal attention (B, T, H, D), and what its gradient wants of it.

    Args:
        library: from `loops`.
        qkv_BT3HD: queries, keys and values; float32 or bfloat16, and so is what is returned. Sums are in float32.
        segments_BT: int64; positions attend within their own segment. None for one segment a row.
        masks: which weights are dropped.

    Raises:
        MemoryError: there is none for a few matrices of one head.
    """
    rows, length, _, heads, width = qkv_BT3HD.shape
    y_BTHD = torch.empty(rows, length, heads, width, dtype=qkv_BT3HD.dtype)
    sums_NT2 = torch.empty(rows * heads, length, 2)
    task = _task(qkv_BT3HD, segments_BT, masks)
    if library.attend(ctypes.byref(task), _at(qkv_BT3HD), _at(y_BTHD), _at(sums_NT2)):
        raise MemoryError
    return y_BTHD, sums_NT2


def attend_backward(
    library: ctypes.CDLL,
    qkv_BT3HD: Tensor,
    segments_BT: Tensor | None,
    masks: Masks,
    sums_NT2: Tensor,
    dy_BTHD: Tensor,
) -> Tensor:
    """Return the gradient of queries, keys and values; see `attend`, which returned `sums_NT2`."""
    gradient_BT3HD = torch.empty_like(qkv_BT3HD)
    task = _task(qkv_BT3HD, segments_BT, masks)
    dy_BTHD = dy_BTHD.to(qkv_BT3HD.dtype).contiguous()
    pointers = (_at(qkv_BT3HD), _at(dy_BTHD), _at(sums_NT2), _at(gradient_BT3HD))
    if library.attend_backward(ctypes.byref(task), *pointers):
        raise MemoryError
    return gradient_BT3HD


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

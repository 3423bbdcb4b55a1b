"""Fused loops for a CPU (`loops.c`), built once at installation; without them torch computes.

Torch's operations each go over memory once; a dropped attention weight takes twenty of them. Here it is one pass. Masks
are the same bit for bit, other values to float32's rounding. Nothing is used before `use` is called. Nothing is
compiled here, and only what the installation put into this folder is loaded: a library per instruction set (setup.py).
"""

from __future__ import annotations

import ctypes
import math
import os
from dataclasses import dataclass
from hashlib import blake2b
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = Path(__file__).parent  # where setup.py's libraries lie
VARIANTS = {"AVX512": ("avx512", "avx2", "baseline"), "AVX2": ("avx2", "baseline")}  # best first; by torch's names
FLOATS = (torch.float32, torch.bfloat16)
BLOCK = 32  # floats that loops.c computes at once at most: rows of its matrices are filled up to a multiple
LEVELS = 1 << 16  # of a mask's 16-bit words
OWN = (torch.Tensor, torch.nn.Parameter)  # others, such as those without data, have no memory to work on

_at, _int, _long, _float = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64, ctypes.c_float
SIGNATURES = {  # of loops.c; what a function returns is 0, or 1 where there was no memory, or nothing
    "drop": (None, _at, _at, _int, _long, ctypes.c_uint64, _int, _float, _int),
    "gelu": (None, _at, _at, _int, _long, _int),
    "gelu_backward": (None, _at, _at, _at, _int, _long, _int),
    "attend": (_int, _at, _at, _at, _at),
    "attend_backward": (_int, _at, _at, _at, _at, _at),
    "losses": (_int, _at, _int, _at, _long, _long, _float, _at, _at, _int, _int),
}

_in_use: list[ctypes.CDLL] = []  # none or one


def use(*, wanted: bool = True) -> bool:
    """Use the loops from now on, or go back to torch.

    Returns:
        Whether they are in use: not where none were built, and not with DIAGNOSE_NATIVE=0 in the environment.
    """
    library = _best() if wanted and os.environ.get("DIAGNOSE_NATIVE") != "0" else None
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


def _best() -> ctypes.CDLL | None:
    """Load the best library that was built and that this processor can run."""
    for variant in VARIANTS.get(torch.backends.cpu.get_cpu_capability(), ("baseline",)):
        for path in (FOLDER / f"loops_{variant}{suffix}" for suffix in EXTENSION_SUFFIXES):
            library = _loaded(path) if path.exists() else None
            if library is not None:
                return library
    return None


def _loaded(path: Path) -> ctypes.CDLL | None:
    """Load a library; None where it cannot be loaded, or was built from another loops.c than the one beside it."""
    source = FOLDER / "loops.c"
    try:
        library = ctypes.CDLL(str(path))
        built_from = bytes((ctypes.c_char * 16).in_dll(library, "built_from"))
        if source.exists() and built_from.decode() != blake2b(source.read_bytes(), digest_size=8).hexdigest():
            return None
    except (OSError, ValueError):  # damaged, for another machine, or without OpenMP's library; no such symbol
        return None
    for name, (returned, *taken) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = returned, taken
    return library


def gelu(library: ctypes.CDLL, x: Tensor) -> Tensor:
    """Return GELU, exact, of x (of a dtype in `FLOATS`)."""
    out = torch.empty_like(x)
    library.gelu(x.data_ptr(), out.data_ptr(), _half(x), x.numel(), torch.get_num_threads())
    return out


def gelu_backward(library: ctypes.CDLL, x: Tensor, dy: Tensor) -> Tensor:
    """Return the gradient of what GELU was given, from that and the gradient of what it returned."""
    out = torch.empty_like(x)
    pointers = (x.data_ptr(), dy.data_ptr(), out.data_ptr())
    library.gelu_backward(*pointers, _half(x), x.numel(), torch.get_num_threads())
    return out


def drop(library: ctypes.CDLL, x: Tensor, seed: int, dropped: int, scale: float) -> Tensor:
    """Return x (of a dtype in `FLOATS`) where its word is not among the lowest `dropped`, times `scale`, else 0."""
    out = torch.empty_like(x)
    threads = torch.get_num_threads()
    library.drop(x.data_ptr(), out.data_ptr(), _half(x), x.numel(), seed, dropped, scale, threads)
    return out


def _half(tensor: Tensor) -> bool:
    return tensor.dtype == torch.bfloat16


class _Task(ctypes.Structure):
    """`struct task` of loops.c."""

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
    segments = None if segments_BT is None else segments_BT.data_ptr()
    return _Task(
        segments, rows, length, heads, width, masks.queries, masks.weights, -(-length // BLOCK) * BLOCK,
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
    if library.attend(ctypes.byref(task), qkv_BT3HD.data_ptr(), y_BTHD.data_ptr(), sums_NT2.data_ptr()):
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
    pointers = [tensor.data_ptr() for tensor in (qkv_BT3HD, dy_BTHD, sums_NT2, gradient_BT3HD)]
    if library.attend_backward(ctypes.byref(task), *pointers):
        raise MemoryError
    return gradient_BT3HD


def losses(logits_CV: Tensor, targets_C: Tensor, smoothing: float, *, gradient: bool) -> tuple[Tensor, Tensor] | None:
    """Return each row's cross-entropy, plain and smoothed (float32, nats); None where the loops cannot compute it.

    Args:
        logits_CV: float32 or bfloat16; where `gradient`, each row's gradient of its smoothed loss takes their place.
        targets_C: int64, each below V.
        smoothing: share of the target's weight that is spread over the vocabulary.
        gradient: whether it is wanted; the logits stay as they are where it is not.

    Raises:
        MemoryError: there is none for a row.
    """
    library = loops(logits_CV, targets_C)
    if library is None:
        return None
    rows, vocabulary = logits_CV.shape
    nats_C, smoothed_C = torch.empty(rows), torch.empty(rows)
    if library.losses(
        logits_CV.data_ptr(), _half(logits_CV), targets_C.data_ptr(), rows, vocabulary, smoothing, nats_C.data_ptr(),
        smoothed_C.data_ptr(), gradient, torch.get_num_threads(),
    ):  # fmt: skip
        raise MemoryError
    return nats_C, smoothed_C

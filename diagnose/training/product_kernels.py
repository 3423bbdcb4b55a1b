"""Matrix products as kernels that torch's compiler writes, so that what follows a product is computed within it.

A library's product (cuBLAS) writes its result, which the next kernel reads; one of the compiler's adds the bias, takes
ReLU or its gradient, and writes once. Which of the two is faster depends on the card and on the sizes.
"""

from __future__ import annotations

import math
import sys
from importlib import import_module
from typing import Any

from diagnose.errors import DiagnoseError

SELECTION, ADD = "torch._inductor.select_algorithm", "add_preprocessing_fn"
TILE = {"BLOCK_M": 128, "BLOCK_N": 128, "BLOCK_K": 64, "num_stages": 3}  # 96 KiB of shared memory: any card has it
SMALLEST = 64  # rows and columns of a tile, below which a product reads its factors too often
PROGRAMS = 128  # tiles of a result, at least, so that most of a large card works on it


def options(*, deterministic: bool) -> dict[str, Any]:
    """Return settings for `torch.compile`: it times its kernels and the library's, or takes what `in_fixed_order` says.

    Args:
        deterministic: whether the run is to repeat bit for bit, so that nothing may be chosen by timing.
    """
    return {
        "max_autotune_gemm": True,
        "max_autotune_gemm_backends": "ATEN,TRITON",
        "benchmark_epilogue_fusion": not deterministic,
    }


def order_is_fixed() -> bool:
    """Say whether the compiler chooses among kernels by `in_fixed_order`; a compiler that is not loaded does not."""
    selection: Any = sys.modules.get(SELECTION)
    return hasattr(selection, ADD) and in_fixed_order in selection.get_algorithm_selector_cache().preprocessing_fns


def fix_order(*, wanted: bool) -> None:
    """Have the compiler choose among kernels by `in_fixed_order` where it may time none, or by itself again.

    Raises:
        DiagnoseError: a torch whose compiler cannot be told.
    """
    selection: Any = import_module(SELECTION)
    if not hasattr(selection, ADD):
        raise DiagnoseError("run.compile = 'fused' needs torch 2.9 or newer; 'on' compiles with the one here")
    if wanted:
        selection.add_preprocessing_fn(in_fixed_order)
    else:
        selection.get_algorithm_selector_cache().preprocessing_fns.remove(in_fixed_order)


def in_fixed_order(choices: list[Any]) -> list[Any]:
    """Return the kernels that the compiler may take for a product, the one to take first.

    Its own whose programs are many, nearest `TILE` first; the library's where there is none, for results as small as
    gradients of small weights, whose sums over all tokens the library divides among programs.
    """
    own = sorted((choice for choice in choices if _programs(choice) >= PROGRAMS), key=_distance)
    library = [choice for choice in choices if type(choice).__name__ == "ExternKernelCaller"]
    return own or library or choices


def _sizes(choice: Any) -> dict[str, float]:
    """Return the sizes of a kernel's tiles; {} where it has none."""
    parts = dict(part.split("=") for part in getattr(choice, "description", "").split(", ") if "=" in part)
    return {name: float(parts[name]) for name in TILE} if TILE.keys() <= parts.keys() else {}


def _programs(choice: Any) -> int:
    """Return into how many tiles a kernel divides the result; 0 where it has none, or small ones."""
    sizes = _sizes(choice)
    if not sizes or min(sizes["BLOCK_M"], sizes["BLOCK_N"]) < SMALLEST:
        return 0
    rows, columns = (int(size) for size in choice.layout.size[-2:])
    return math.ceil(rows / sizes["BLOCK_M"]) * math.ceil(columns / sizes["BLOCK_N"])


def _distance(choice: Any) -> float:
    return sum(abs(size / TILE[name] - 1) for name, size in _sizes(choice).items())

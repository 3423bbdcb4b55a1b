"""Switches of torch that hold for a whole process; each run sets them, whatever ran in the process before.

On a CUDA device a run that is to repeat bit for bit needs them all: some kernels add in an order that differs each
time, some are chosen by timing, and cuDNN's attention is taken for one dropout and not for another, so that arms of an
ablation would differ in their kernels.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch

from diagnose.errors import DiagnoseError
from diagnose.training import product_kernels

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPILER = "torch._inductor.config"
COMPILERS = ("torch._dynamo", "torch._inductor", "torch._functorch")  # whose errors are of compiling
WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
FIXED = (":4096:8", ":16:8")  # workspaces with which cuBLAS promises the same sums each time


@dataclass(frozen=True)
class Switches:
    """How torch computes on a CUDA device in this process.

    Attributes:
        deterministic: operations refuse to run where they have no deterministic kernel.
        filled: whether such a mode writes into all memory that it allocates, which costs time.
        workspace: of cuBLAS.
        cudnn_tf32, cudnn_deterministic, cudnn_benchmark: of cuDNN's recurrent layers and convolutions; the first is a
            pair of precisions where somebody set the two apart, which newer versions of torch allow.
        cudnn_attention: whether cuDNN's attention may be chosen.
        compiler: whether torch's compiler chooses nothing by timing.
        order: whether it looks at kernels for matrix products in an order that we fix.
    """

    deterministic: bool
    filled: bool
    workspace: str | None
    cudnn_tf32: bool | tuple[str, str]
    cudnn_deterministic: bool
    cudnn_benchmark: bool
    cudnn_attention: bool
    compiler: bool
    order: bool


_as_found: list[Switches] = []  # none or one: what they were before a run on a CUDA device changed them
_within = [0]  # how many of `restored` hold


def use_card(*, deterministic: bool, compiler: str) -> None:
    """Set the switches for a run on a CUDA device; fp32 is fp32 there, not TF32.

    Args:
        deterministic: whether it is to repeat bit for bit.
        compiler: `run.compile` of a resolved recipe.
    """
    if not _as_found:
        _as_found.append(_now())
    wanted = _for_card(_as_found[0], deterministic=deterministic)
    wanted = replace(wanted, order=deterministic and compiler == "fused")
    _set(wanted, compiled=compiler != "off")


def leave_card() -> None:
    """Put the switches back as they were before the first run on a CUDA device."""
    if _as_found:
        _set(_as_found.pop(), compiled=False)


@contextmanager
def restored() -> Iterator[None]:
    """Put the switches back when done, whatever happens: a caller's own code comes after a run, or after a stack."""
    _within[0] += 1
    try:
        yield
    finally:
        _within[0] -= 1
        if not _within[0]:
            leave_card()


def check_products(device: torch.device) -> None:
    """Refuse a process that has multiplied matrices on a card before `use_card` fixed the workspace of cuBLAS.

    Torch looks at the workspace once, at the first product of a process.

    Raises:
        DiagnoseError: such products came first, as they do in a notebook.
    """
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return
    try:
        torch.mm(*torch.ones(2, 8, 8, device=device))
    except RuntimeError as error:
        if WORKSPACE not in str(error):
            raise
        leave_card()
        raise DiagnoseError(
            f"no run repeats bit for bit in this process, which multiplied matrices on the card before {WORKSPACE} was "
            f"set: set {WORKSPACE}={FIXED[0]} before Python starts, or give run.deterministic=false"
        ) from None


@contextmanager
def explained() -> Iterator[None]:
    """Say in a line what to do where an operation has no deterministic kernel, or where a step cannot be compiled.

    Raises:
        DiagnoseError: one of the two.
    """
    try:
        yield
    except RuntimeError as error:
        told = (str(error).strip().splitlines() or [""])[0][:160]
        if type(error).__module__.startswith(COMPILERS):
            raise DiagnoseError(
                f"a step cannot be compiled here ({told}): --set run.compile=off takes it as it is written"
            ) from None
        if "deterministic" not in told:
            raise
        raise DiagnoseError(
            f"the network cannot be trained so that it repeats bit for bit ({told}): "
            "--set run.deterministic=false gives that up, and with it exact resuming and --verify"
        ) from None


def _for_card(found: Switches, *, deterministic: bool) -> Switches:
    plain = replace(found, cudnn_tf32=False, cudnn_attention=False)
    if not deterministic:
        return plain
    workspace = found.workspace if found.workspace in FIXED else FIXED[0]
    return replace(plain, deterministic=True, filled=False, workspace=workspace, cudnn_deterministic=True,
                   cudnn_benchmark=False, compiler=True)  # fmt: skip


def _compiler(*, wanted: bool = False) -> Any:
    """Return the compiler's settings where they are loaded, for loading them takes a second."""
    return import_module(COMPILER) if wanted else sys.modules.get(COMPILER)


def _now() -> Switches:
    cudnn, compiler = torch.backends.cudnn, _compiler()
    return Switches(
        deterministic=torch.are_deterministic_algorithms_enabled(),
        filled=bool(torch.utils.deterministic.fill_uninitialized_memory),  # type: ignore[attr-defined]
        workspace=os.environ.get(WORKSPACE),
        cudnn_tf32=_cudnn_tf32(),
        cudnn_deterministic=cudnn.deterministic,
        cudnn_benchmark=cudnn.benchmark,
        cudnn_attention=torch.backends.cuda.cudnn_sdp_enabled(),  # type: ignore[no-untyped-call]
        compiler=bool(getattr(compiler, "deterministic", False)),
        order=product_kernels.order_is_fixed(),
    )


def _cudnn_tf32() -> bool | tuple[str, str]:
    cudnn: Any = torch.backends.cudnn
    try:
        return bool(cudnn.allow_tf32)
    except RuntimeError:  # the two were set apart
        return cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision


def _set(wanted: Switches, *, compiled: bool) -> None:
    torch.use_deterministic_algorithms(wanted.deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = wanted.filled  # type: ignore[attr-defined]
    if wanted.workspace is None:
        os.environ.pop(WORKSPACE, None)
    else:
        os.environ[WORKSPACE] = wanted.workspace  # read when the process first multiplies matrices on a card
    cudnn: Any = torch.backends.cudnn
    if isinstance(wanted.cudnn_tf32, tuple):
        cudnn.conv.fp32_precision, cudnn.rnn.fp32_precision = wanted.cudnn_tf32
    else:
        cudnn.allow_tf32 = wanted.cudnn_tf32
    cudnn.deterministic, cudnn.benchmark = wanted.cudnn_deterministic, wanted.cudnn_benchmark
    torch.backends.cuda.enable_cudnn_sdp(wanted.cudnn_attention)
    compiler = _compiler(wanted=compiled)
    if hasattr(compiler, "deterministic"):  # torch 2.9 and newer
        compiler.deterministic = wanted.compiler
    if wanted.order != product_kernels.order_is_fixed():
        product_kernels.fix_order(wanted=wanted.order)

"""Where and how exactly a run is computed: device, precision, threads, compiling, memory allocation."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
import sysconfig
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch

from diagnose.errors import DiagnoseError
from diagnose.training import switches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from torch import Tensor

    from diagnose.config.recipe import Recipe

THREADS = torch.get_num_threads()  # of this machine: what `auto` means, whatever runs of this process set since
COMPILE_PAYS_AFTER = 5e13  # operations of a run on a CPU: some 8 minutes; compiling costs 20 to 40 s and gains a fifth
ONEDNN_PAYS_AFTER = 2e10  # operations of a step: for small products oneDNN is slower than MKL, for large ones faster
LOOPS = "diagnose.loops"  # group of the entry point that offers fused loops
DRIVER = Path("/proc/driver/nvidia/version")
FIRST_WITH_BF16 = (8, 0)  # compute capability: Ampere
OUT_OF_MEMORY: type[Exception] = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)  # torch 2.4 has one
ELSEWHERE: ContextVar[str] = ContextVar("what `auto` means where runs are set up for other machines", default="")
STATE = 4 * 4  # bytes a parameter: itself, its gradient and two moments of Adam, in fp32
SECOND = 4  # bytes a parameter more of a second network, which writes samples beside the training
SENT = 4  # bytes a parameter more where processes add up gradients of whole networks, which are copied into one row
FITS = 0.8  # of a card's memory that these may take; the rest is left to activations and the allocator
FP32_ERROR = 1e-5  # of the largest entry of a product; bf16 is off by some 1e-3


def resolve(recipe: Recipe, flops: float, parameters: int = 0) -> Recipe:
    """Decide what `auto` means here; the answers are stored with the run.

    Args:
        recipe: whose table `run` may say `auto`.
        flops: operations of the whole run; decides whether compiling is worth its time.
        parameters: of the network; decide whether several processes each hold it whole.

    Raises:
        DiagnoseError: a device that this machine has not, or a way to compile that this device has not.
    """
    device = find(recipe.run.device)
    precision = recipe.run.precision
    if precision == "auto":
        precision = "bf16" if _has_bf16(device) else "fp32"
    threads = recipe.run.threads or THREADS
    shard = recipe.run.shard
    if shard == "auto":
        shard = "off" if _fits_whole(recipe, device, parameters) else "on"
    compiled = recipe.run.compile
    if compiled == "auto":
        divided = shard == "on" and recipe.run.processes > 1
        compiled = "on" if not divided and _compiling_pays(recipe, device, flops) else "off"
    if compiled == "fused" and (device.type, precision) != ("cuda", "bf16"):
        raise DiagnoseError(
            f"run.compile = 'fused' is for CUDA devices and run.precision = 'bf16', not for {device.type} and "
            f"{precision}; 'auto' compiles where it pays"
        )
    told = {"device": str(device), "precision": precision, "threads": threads, "compile": compiled, "shard": shard}
    return recipe.with_values({f"run.{key}": value for key, value in told.items()})


def _fits_whole(recipe: Recipe, device: torch.device, parameters: int) -> bool:
    """Say whether each of several processes can hold weights, gradients and moments; another machine's are taken to."""
    if recipe.run.processes == 1 or device.type != "cuda" or _is_elsewhere(device):
        return True
    each = state_bytes(recipe, device) + SENT
    return each * parameters <= FITS * torch.cuda.get_device_properties(device).total_memory


def state_bytes(recipe: Recipe, device: torch.device) -> int:
    """Return how many bytes a parameter takes on a device while a run trains, beside activations."""
    return STATE + (SECOND if samples_beside(recipe, device) else 0)


def samples_beside(recipe: Recipe, device: torch.device) -> bool:
    """Say whether a run, of a network that is not divided, writes its samples beside the training."""
    return device.type == "cuda" and recipe.report.sample


@contextmanager
def of_other_machines(auto: str) -> Iterator[None]:
    """Set runs up for machines that have CUDA devices, on one that may have none; nothing is put on a device.

    Args:
        auto: the device that "auto" means there.
    """
    before = ELSEWHERE.set(auto)
    try:
        yield
    finally:
        ELSEWHERE.reset(before)


def _is_elsewhere(device: torch.device) -> bool:
    return bool(ELSEWHERE.get()) and device.type == "cuda"


def _has_bf16(device: torch.device) -> bool:
    """Say whether a CUDA device multiplies in bfloat16; torch also counts those on which that is emulated, slowly."""
    if device.type != "cuda" or _is_elsewhere(device):
        return device.type == "cuda"  # another machine's is taken to be Ampere or newer
    return bool(torch.version.hip) or torch.cuda.get_device_capability(device) >= FIRST_WITH_BF16


def find(name: str) -> torch.device:
    """Return the device of that name; "auto" takes CUDA, else MPS, else the CPU.

    Raises:
        DiagnoseError: no such device, or not on this machine.
    """
    if name == "auto":
        mps = torch.backends.mps.is_available()
        name = ELSEWHERE.get() or ("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DiagnoseError(f"run.device = '{name}' is no device; give auto, cpu, cuda, cuda:1 or mps") from None
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if (device.index or 0) >= count.get(device.type, 0) and not _is_elsewhere(device):
        raise DiagnoseError(
            f"run.device = '{name}': this machine has none that torch can use; 'auto' takes what is there"
        )
    return device


def is_here(name: str) -> bool:
    """Say whether this machine has a device of that name."""
    try:
        find(name)
    except DiagnoseError:
        return False
    return True


def card_versions(device: torch.device) -> dict[str, str]:
    """Return the versions that a run on a CUDA device depends on besides its packages; none elsewhere."""
    if device.type != "cuda":
        return {}
    found = {"cuda": torch.version.cuda, "hip": torch.version.hip, "cudnn": torch.backends.cudnn.version()}  # type: ignore[no-untyped-call]
    return {name: str(value) for name, value in (found | {"driver": _driver()}).items() if value}


def _driver() -> str | None:
    """Return the version of NVIDIA's driver, where Linux tells it."""
    try:
        told = re.search(r"\b\d+\.\d+(\.\d+)*\b", DRIVER.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return told[0] if told else None


def card_name(device: torch.device) -> str:
    """Return the name of a CUDA device, its compute capability and its memory."""
    major, minor = torch.cuda.get_device_capability(device)
    memory = torch.cuda.get_device_properties(device).total_memory
    return f"{torch.cuda.get_device_name(device)} ({major}.{minor}, {memory / 1e9:.0f} GB)"


def _compiling_pays(recipe: Recipe, device: torch.device, flops: float) -> bool:
    """Compiling needs a C++ compiler; on a CPU it is a loss with dropout (measured: 0.89) or fused loops (0.93)."""
    if device.type == "cuda":
        return flops > 400 * COMPILE_PAYS_AFTER and compiles_for_cards()
    if sys.platform == "win32" or not any(map(shutil.which, ("g++", "c++", "clang++"))):
        return False
    dropouts = [v for k, v in recipe.model.settings().items() if k.startswith("dropout") and isinstance(v, float)]
    return device.type == "cpu" and not any(dropouts) and flops > COMPILE_PAYS_AFTER and not _use_fused_loops()


def compiles_for_cards() -> bool:
    """Say whether there is what the compiler needs for a CUDA device: triton, and a C compiler with Python's headers.

    Triton builds what launches its kernels with that compiler, by the name in CC, or gcc or clang.
    """
    compiler = any(map(shutil.which, (os.environ.get("CC", "gcc"), "gcc", "clang")))
    headers = Path(sysconfig.get_paths()["include"], "Python.h").exists()
    return sys.platform != "win32" and compiler and headers and find_spec("triton") is not None


def prepare(recipe: Recipe, flops_per_step: float) -> torch.device:
    """Set this process up as a resolved recipe says and return its device; the CPU where that is another machine's.

    The same recipe always comes to the same settings, so that a run resumes bit for bit.
    """
    device = find(recipe.run.device)
    if _is_elsewhere(device):
        return torch.device("cpu")
    if recipe.run.threads:
        torch.set_num_threads(recipe.run.threads)
    _keep_freed_pages()
    _use_fused_loops()
    fast = device.type == "cpu" and flops_per_step > ONEDNN_PAYS_AFTER and _onednn_is_fp32()
    torch.set_float32_matmul_precision("medium" if fast else "highest")
    if device.type == "cuda":
        switches.use_card(deterministic=recipe.run.deterministic, compiler=recipe.run.compile)
        if recipe.run.deterministic:
            switches.check_products(device)
    else:
        switches.leave_card()
    return device


def random_kept(device: torch.device) -> AbstractContextManager[None]:
    """Return a context after which the random states of the CPU and of this device are as they were."""
    if device.type != "cuda":
        return torch.random.fork_rng([])
    return torch.random.fork_rng([torch.cuda.current_device() if device.index is None else device.index])


class FusedLoops(Protocol):
    """What the toolkit asks of compiled loops, which the networks use too; ours are `models/native`."""

    def use(self, *, wanted: bool = True) -> bool:
        """Use them from now on, or go back to torch; say whether they are in use."""

    def in_use(self) -> bool:
        """Say whether they are in use."""

    def losses(
        self, logits_CV: Tensor, targets_C: Tensor, smoothing: float, *, gradient: bool
    ) -> tuple[Tensor, Tensor] | None:
        """Return plain and smoothed cross-entropies, the gradient in the logits' place; None where torch should."""


@lru_cache(maxsize=1)
def fused_loops() -> FusedLoops | None:
    """Return the loops that are installed with this package, or None.

    They are found as networks are, by an entry point, so that the toolkit imports none of `models`. Other packages'
    entry points are not looked at: what computes every run is not to be changed by whatever lies on the path.
    """
    try:
        offered = metadata.distribution("diagnose-training").entry_points.select(group=LOOPS)
        loops: FusedLoops | None = next((point.load() for point in offered), None)
    except (metadata.PackageNotFoundError, ImportError):
        return None
    return loops


def _use_fused_loops() -> bool:
    loops = fused_loops()
    return loops is not None and loops.use()


@lru_cache(maxsize=1)
def _onednn_is_fp32() -> bool:
    """Say whether oneDNN's products, which "medium" allows, are true fp32 here; on some processors they are bf16.

    "medium" is left set. What was set before is not asked for: torch refuses to say where its newer names were used.
    """
    draw = torch.Generator().manual_seed(0)
    a, b = (torch.randn(512, 512, generator=draw) for _ in range(2))
    exact = a.double() @ b.double()
    torch.set_float32_matmul_precision("medium")
    error = float(((a @ b).double() - exact).abs().max() / exact.abs().max())
    return error < FP32_ERROR


def _keep_freed_pages() -> None:
    """Keep glibc from giving pages back between steps: 144,000 page faults a step before, none after."""
    if not sys.platform.startswith("linux") or "jemalloc" in os.environ.get("LD_PRELOAD", ""):
        return
    trim_threshold, mmap_threshold = -1, -3
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, 1 << 30)
    except (OSError, AttributeError):  # another C library: slower, not wrong
        return


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context that a forward pass runs in: "bf16" casts matrix products, "fp32" nothing."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def casts_left_alone() -> Iterator[None]:
    """Let autocast end in this thread without ending the casts of weights that others use.

    Torch keeps them for all threads at once, until autocast ends in any: a weight that a step uses twice would then be
    cast twice, and its gradient be rounded otherwise.
    """
    torch.autocast_increment_nesting()
    try:
        yield
    finally:
        torch.autocast_decrement_nesting()


def recorded(where: torch.device, *, timed: bool = False) -> torch.cuda.Event:
    """Return an event behind what was queued on a CUDA device, which need not be the process's current one."""
    event = torch.cuda.Event(enable_timing=timed)  # type: ignore[no-untyped-call]
    event.record(torch.cuda.current_stream(where))
    return event

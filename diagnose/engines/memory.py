"""Whether several runs at once fit into this machine's memory, asked before the first of them starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from diagnose.errors import DiagnoseError
from diagnose.training import chunked_loss, device, network
from diagnose.training.fused_loss import can_do_without_logits
from diagnose.training.preparation import counted_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diagnose.config.recipe import Recipe
    from diagnose.training.preparation import Setup

PROCESS = 420 << 20  # bytes of a process that has imported torch and pandas and read the text
CONTEXT = 600 << 20  # bytes of a process's own on a CUDA device; assumed, not measured on a card
SLACK = 1.5  # temporaries of a step, beside what is kept for the backward pass
STACKED = 4 * 5  # bytes of a stack's logit: itself, in fp32, without void targets, as log-probability, its gradient
CHUNK = 2048 * 4 * 3  # bytes of the loss's logits per token of the vocabulary, which are never held all at once


def needed(setup: Setup) -> int:
    """Estimate the memory of a run's networks, optimizer and one step, in bytes; the process comes on top.

    What the backward pass keeps is found by running the network on tensors without data; a network that cannot be
    run so is taken to keep 24 numbers per parameter matrix's row and token.
    """
    recipe, where, vocabulary = setup.recipe, torch.device(setup.recipe.run.device), setup.text.vocabulary
    context = recipe.batches.context
    per_row = counted_once("kept", recipe, vocabulary, lambda: _kept(_built(recipe, vocabulary), context, vocabulary))
    kept = SLACK * recipe.batches.size * per_row
    state = device.state_bytes(recipe, where) * setup.derived.parameters
    return int(state + kept + _logits(recipe, vocabulary))


def _built(recipe: Recipe, vocabulary: int) -> torch.nn.Module:
    """Return a recipe's network without data."""
    nowhere = torch.device("meta")
    with nowhere:
        settings = recipe.model.settings()
        return network.build(recipe.model.name, settings, vocabulary, recipe.batches.context, 0, nowhere)


def _logits(recipe: Recipe, vocabulary: int) -> int:
    """Return the bytes that logits and their gradient take at once: of a chunk, or of a part where that is compiled."""
    if recipe.run.device == "cpu":
        return CHUNK * vocabulary
    if recipe.run.compile == "fused" and can_do_without_logits(_built(recipe, vocabulary), recipe.run.precision):
        return 0
    logits = vocabulary * recipe.batches.size * recipe.batches.context
    if recipe.run.compiles and network.fits_fused(logits):
        return 2 * (2 if recipe.run.precision == "bf16" else 4) * logits
    return 3 * min(4 * logits, chunked_loss.CHUNK_BYTES)


def _kept(net: torch.nn.Module, context: int, vocabulary: int) -> int:
    """Return the bytes that a row's forward pass keeps for its backward pass, weights and logits left out."""
    own = {p.untyped_storage()._cdata for p in net.parameters()}  # noqa: SLF001 - tensors without data share pointer 0
    seen: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:  # noqa: SLF001
            seen[storage._cdata] = storage.nbytes()  # noqa: SLF001
        return tensor

    tokens_BT = torch.zeros(1, context, dtype=torch.int64, device="meta")
    try:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            kept = net.eval()(tokens_BT, None)
    except Exception:  # noqa: BLE001 - a user's network need not run without data
        widths = sum(p.shape[0] for p in net.parameters() if p.dim() >= 2 and p.shape[0] != vocabulary)
        return 24 * widths * context
    del kept  # until here, so that no storage is freed and its number given to another
    return sum(seen.values())


def available() -> int:
    """Return the bytes that processes can still take: what the system has free, and what this container may use."""
    found = [_free(), *_container()]
    return min(found)


def _free() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").split("\n")
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 1 << 62


def _container() -> Iterable[int]:
    """Yield what a control group leaves, where it sets a limit."""
    root = Path("/sys/fs/cgroup")
    old = "memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"
    for most, used in (("memory.max", "memory.current"), old):
        try:
            limit, taken = ((root / name).read_text(encoding="ascii").strip() for name in (most, used))
            if limit != "max":
                yield int(limit) - int(taken)
        except (OSError, ValueError):
            continue


def too_large(setup: Setup, count: int) -> str:
    """Say that so many runs do not fit as one stacked network, which writes all their logits; "" where they do."""
    table, where = setup.recipe.batches, torch.device(setup.recipe.run.device)
    logits = STACKED * count * table.size * table.context * setup.text.vocabulary
    wanted = count * needed(setup) + logits
    free = torch.cuda.mem_get_info(where)[0] if where.type == "cuda" else available()
    return f"{count} at once take about {wanted / 1e9:.1f} GB and {free / 1e9:.1f} GB are free" if wanted > free else ""


def refuse_too_many(jobs: int, setups: Iterable[Setup], gpus: Sequence[str] = ()) -> None:
    """Refuse more runs at once than memory holds.

    Args:
        jobs: how many at once.
        setups: one of each arm.
        gpus: those that runs are shared out among.

    Raises:
        DiagnoseError: with how many would fit.
    """
    sizes = [(needed(setup), setup.recipe.run.device) for setup in setups]
    largest = max(size for size, _ in sizes)
    where = torch.device(sizes[0][1])
    on_card = where.type == "cuda"
    _refuse(jobs, PROCESS + (0 if on_card else largest), [available()], "memory")
    if on_card:
        own, last = range(len(gpus)) if gpus else [where.index or 0], torch.cuda.device_count() - 1
        rooms = [torch.cuda.mem_get_info(min(k, last))[0] for k in own]  # slices that are not seen are as the first
        _refuse(jobs, CONTEXT + largest, rooms, "memory of the CUDA devices" if len(rooms) > 1 else "the CUDA device")


def _refuse(jobs: int, each: int, rooms: Sequence[int], what: str) -> None:
    """Refuse more jobs than fit where they are dealt out in turn.

    Args:
        jobs: how many.
        each: bytes that one takes.
        rooms: bytes that are free in each place.
        what: is free there.
    """
    fit = at_once(each, rooms)
    if jobs > max(1, fit):
        raise DiagnoseError(
            f"--jobs {jobs}: so many runs at once take about {jobs * each / 1e9:.1f} GB and {sum(rooms) / 1e9:.1f} GB "
            f"of {what} are free; --jobs {max(1, fit)} would fit"
        )


def at_once(each: int, rooms: Sequence[int]) -> int:
    """Return how many jobs of a size fit at once where place k takes jobs k, k + n, k + 2 n and so on of n places."""
    full = [free // each for free in rooms]
    return min(k + len(rooms) * most for k, most in enumerate(full))

"""Several processes that train one network together, as torchrun starts them; the one place that knows of ranks.

Each process takes its share of the rows of every batch, and gradients are added up, so that all hold the same weights
after each step. The first process reports, reads and saves; the others take the steps along and wait for it meanwhile.
Which rows a share holds, and its dropout masks, hang on the recipe alone (`run.processes`): a single process that goes
through all shares takes the same steps.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch

from diagnose.errors import FINDING, DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

GONE = "another process of this run has ended; the run goes on from its last checkpoint with --resume"
NOT_BEGUN = "another process ended before the run began"
PATIENCE = timedelta(hours=12)  # for the first process, which may read a long text between two steps


@dataclass(frozen=True)
class Group:
    """Which process of how many this is."""

    rank: int = 0
    count: int = 1

    @property
    def follows(self) -> bool:
        """Whether another process reports."""
        return self.rank > 0


ALONE = Group()
_group = [ALONE]


def group() -> Group:
    """Return the group that this process trains with."""
    return _group[0]


def started() -> Group:
    """Return what torchrun says of this process; `ALONE` where it did not start several."""
    names = ("RANK", "WORLD_SIZE")
    if not all(os.environ.get(name, "").isdigit() for name in (*names, "MASTER_PORT")):
        return ALONE
    found = Group(*(int(os.environ[name]) for name in names))
    return found if found.count > 1 else ALONE


@contextmanager
def joined(cards_here: Callable[[], Sequence[str]]) -> Iterator[Group]:
    """Train with the other processes that torchrun started; where it started none, alone.

    Args:
        cards_here: gives the names of CUDA devices, one for each process of this machine; none for a CPU.

    Raises:
        DiagnoseError: fewer cards than processes; or the processes do not find each other.
    """
    found = started()
    if found is ALONE:
        yield ALONE
        return
    import torch.distributed as dist

    cards = cards_here()
    if cards:
        _keep_to_one(cards)
    with explained("the processes of this run do not find each other"):
        dist.init_process_group("cpu:gloo,cuda:nccl" if cards else "gloo", timeout=PATIENCE)
    _group[0] = found
    try:
        yield found
    finally:
        _group[0] = ALONE


def _keep_to_one(cards: Sequence[str]) -> None:
    """Let this process see one CUDA device, before CUDA is asked for any."""
    own = int(os.environ.get("LOCAL_RANK", "0"))
    if own >= len(cards):
        raise DiagnoseError(
            f"this machine shows {len(cards)} CUDA devices to process {own + 1} of it: start as many processes, "
            "or give --device cpu"
        )
    os.environ["CUDA_VISIBLE_DEVICES"] = cards[own]
    if torch.cuda.device_count() > 1:  # without NVML the cards were counted by CUDA, which reads the variable once
        torch.cuda.set_device(own)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Say in a line that another process is gone, which shows as an error of a library."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise gone(what, error) from None


def gone(what: str, error: Exception) -> DiagnoseError:
    """Return the line that says so."""
    told = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return DiagnoseError(f"{what} ({told[:160]})", exit_code=FINDING)


def settings(given: Mapping[str, Any]) -> dict[str, int]:
    """Return what a recipe has to say for this process's group, by `table.key`.

    Fewer processes than a recipe has shares take them in turn.

    Raises:
        DiagnoseError: a recipe of fewer shares was asked for.
    """
    count = group().count
    if count == 1:
        return {}
    asked = given.get("run.processes", count)
    if asked < count and given.get("run.shard") != "on":
        raise DiagnoseError(
            f"run.processes = {asked}, and torchrun started {count}, of which some would have nothing to do: "
            "start fewer, or give run.shard=on, where they hold a part of the network"
        )
    return {"run.processes": asked}


def own_shares(count: int, *, as_many: bool = False) -> list[int | None]:
    """Return this process's shares of a step, counted through its parts.

    Args:
        count: of all processes.
        as_many: whether each process goes through as many; then None stands for one that counts nothing.
    """
    own: list[int | None] = [*range(group().rank, count, group().count)]
    missing = -(-count // group().count) - len(own) if as_many else 0
    return own + [None] * missing


@contextmanager
def first_before_others() -> Iterator[None]:
    """Have the other processes wait until the first has done something, such as to fill the cache that all use."""
    if group().follows:
        of_the_first(None, NOT_BEGUN)
    yield
    if not group().follows:
        of_the_first(None, NOT_BEGUN)


def add_up(tensors: Sequence[Tensor]) -> None:
    """Give each process the sums over all processes, in place; those of a dtype are sent together."""
    if group() is ALONE:
        return
    with explained(GONE):
        for dtype in sorted({t.dtype for t in tensors}, key=str):
            own = [t for t in tensors if t.dtype == dtype]
            flat = torch.cat([t.reshape(-1) for t in own])
            torch.distributed.all_reduce(flat)
            for tensor, part in zip(own, flat.split([t.numel() for t in own]), strict=True):  # type: ignore[no-untyped-call]
                tensor.copy_(part.view_as(tensor))


def of_the_first(value: Any, otherwise: str = GONE) -> Any:
    """Return what the first process gives, to all of them; `otherwise` is said where one is gone."""
    if group() is ALONE:
        return value
    told = [value]
    with explained(otherwise):
        torch.distributed.broadcast_object_list(told, src=0)
    return told[0]

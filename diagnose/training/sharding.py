"""One network divided among the processes that train it: each holds a share of weights, gradients and moments.

That is torch's FSDP2 (`fully_shard`): a block's weights are put together while it computes, and its gradients are added
up and divided again behind it. Numbers are those of whole networks in each process, up to the order of sums. What is
saved and read is put together again, in the first process.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from diagnose.errors import DiagnoseError
from diagnose.training import chunked_loss, processes
from diagnose.training.network import LOSS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


class ShardedLoss(nn.Module):
    """A network's training loss; the module whose forward pass puts together what no block holds."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *given: Any) -> Tensor:
        """Return the loss of `chunked_loss.objective`."""
        return chunked_loss.objective(self.network, *given)[0]


def refuse(network: nn.Module, device: torch.device) -> None:
    """Refuse what cannot be divided.

    Raises:
        DiagnoseError: an old torch, another kind of device, recurrent layers, or parameters of a shape that FSDP2
            does not take.
    """
    why = ""
    if not hasattr(getattr(_fsdp(), "FSDPModule", None), "set_force_sum_reduction_for_comms"):
        why = f"torch {torch.__version__} has no FSDP2 that adds gradients up; 2.13 has"
    elif device.type not in ("cpu", "cuda"):
        why = f"not on {device}, only on a CPU or CUDA devices"
    elif any(isinstance(module, nn.RNNBase) for module in network.modules()):
        why = f"{type(network).__name__} has recurrent layers of torch, which keep hold of whole weights"
    elif scalars := [name for name, p in network.named_parameters() if not p.dim()]:
        why = f"the parameter {scalars[0]} is a single number without a dimension; give it shape (1,)"
    elif strided := [name for name, p in network.named_parameters() if not p.is_contiguous()]:
        why = f"the parameter {strided[0]} does not lie in memory in one piece; make it contiguous"
    if why:
        raise DiagnoseError(f"the network cannot be divided among processes ({why}): run.shard=off keeps it whole")


def _fsdp() -> Any:
    import torch.distributed.fsdp as found

    return found


def divide(network: nn.Module, device: torch.device) -> None:
    """Divide a network among the group's processes; its parameters are shares on `device` from then on.

    Args:
        network: the same in all processes, whole, on the CPU, so that never more than a block of it is on a device.
        device: this process's; parameters' shares and buffers go there.
    """
    from torch.distributed.device_mesh import init_device_mesh

    if device.type == "cuda":  # else the mesh chooses a device by LOCAL_RANK, and each process sees its own alone
        torch.cuda.set_device(torch.cuda.current_device() if device.index is None else device.index)
    with processes.explained(processes.NOT_BEGUN):
        mesh = init_device_mesh(device.type, (processes.group().count,))
    loss = ShardedLoss(network)
    for module in (*_blocks(network), loss):
        _as_sums(_fsdp().fully_shard(module, mesh=mesh))
    network.__dict__[LOSS] = loss


def _blocks(network: nn.Module) -> list[nn.Module]:
    """Return the members of a network's lists of modules that share no parameter with anything else."""
    uses = Counter(id(p) for _, p in network.named_parameters(remove_duplicate=False))
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    inner = {id(module) for one in lists for module in one.modules() if module is not one}
    members = dict.fromkeys(block for one in lists if id(one) not in inner for block in one)
    return [block for block in members if _owns_all(block, uses)]


def _owns_all(block: nn.Module, uses: Counter[int]) -> bool:
    own = Counter(id(p) for _, p in block.named_parameters(remove_duplicate=False))
    return bool(own) and all(uses[key] == count for key, count in own.items())


def _as_sums(module: Any) -> None:
    """Have gradients added up, where FSDP takes their mean: losses are weighted by what the whole step counts."""
    module.set_gradient_divide_factor(1.0)
    module.set_force_sum_reduction_for_comms(enable=True)  # gloo knows no other, and the others multiply by 1


def is_divided(network: nn.Module) -> bool:
    """Say whether a network's weights are divided among processes."""
    return isinstance(network.__dict__.get(LOSS), ShardedLoss)


@contextmanager
def explained(divided: bool) -> Iterator[None]:
    """Say in a line that another process is gone, where a divided network computes; other errors are as they are."""
    try:
        yield
    except RuntimeError as error:
        if not divided or not _is_of_the_group(error):
            raise
        raise processes.gone(processes.GONE, error) from None


def _is_of_the_group(error: RuntimeError) -> bool:
    kinds: Any = getattr(torch.distributed, "DistError", ())
    return isinstance(error, kinds) or any(name in str(error).lower() for name in ("gloo", "nccl"))


def whole(value: Tensor) -> Tensor:
    """Return a tensor whole, where processes hold shares of it; then all of them must ask."""
    put_together: Any = getattr(value, "full_tensor", None)
    if put_together is None:
        return value
    found: Tensor = put_together()
    return found


def decay(network: nn.Module, amount: float) -> Tensor:
    """Add weight decay that stands in the loss to the gradients of a share, and return the share's part of that loss.

    The sum of these over processes is `trainer.penalty`.
    """
    squares = []
    for p in network.parameters():
        if p.requires_grad:
            own = _own(p.detach())
            p.grad = torch.zeros_like(p) if p.grad is None else p.grad
            _own(p.grad).add_(own, alpha=amount)
            squares.append(own.square().sum())
    return 0.5 * amount * torch.stack(squares).sum()


def _own(value: Any) -> Any:
    """Return a process's share of a tensor, in the tensor's own memory."""
    return value.to_local() if hasattr(value, "to_local") else value


def spread_weights(network: nn.Module) -> None:
    """Give all processes the first one's weights and buffers; the network is whole and on the CPU."""
    for value in (*network.parameters(), *network.buffers()):
        _take_the_first_s(value.detach())


def _take_the_first_s(value: Tensor) -> None:
    """Write the first process's tensor into this one's, byte by byte: whatever its type, gloo need not know it."""
    if not value.numel():
        return
    row = value.contiguous().reshape(-1)
    with processes.explained(processes.NOT_BEGUN):
        torch.distributed.broadcast(row.view(torch.uint8), src=0)
    if row.data_ptr() != value.data_ptr():
        value.copy_(row.view_as(value))


def spread_moments(optimizer: torch.optim.Optimizer, moments: dict[str, Tensor]) -> None:
    """Give each process its share of an optimizer's state.

    Args:
        optimizer: of a divided network, without a state.
        moments: whole, by number of the parameter and name ("3.exp_avg"); the other processes give none.
    """
    sizes = processes.of_the_first({name: (value.shape, value.dtype) for name, value in moments.items()})
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, (shape, dtype) in sizes.items():
        value = moments[name] if moments else torch.empty(shape, dtype=dtype)
        _take_the_first_s(value)
        index, _, key = name.partition(".")
        like = parameters[int(index)]
        state.setdefault(int(index), {})[key] = _share_of(value, like) if value.shape == like.shape else value.clone()
    if state:
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _share_of(value: Tensor, like: Tensor) -> Tensor:
    """Return this process's share of a whole tensor, divided as a parameter is."""
    share = torch.zeros_like(like, requires_grad=False)
    parts, rank = value.chunk(processes.group().count), processes.group().rank
    if rank < len(parts):
        _own(share).copy_(parts[rank])
    return share


def gather_weights(network: nn.Module, into: nn.Module | None) -> None:
    """Put weights and buffers together, in all processes at once; the first has them written `into` a whole network."""
    targets = {} if into is None else into.state_dict()
    with torch.no_grad(), processes.explained(processes.GONE):
        for name, value in network.state_dict().items():
            found = whole(value)
            if targets:
                targets[name].copy_(found)


def gather_moments(tensors: dict[str, Tensor], *, kept: bool) -> dict[str, Tensor]:
    """Put an optimizer's state together, in all processes at once, and return it on the host where it is kept."""
    with torch.no_grad(), processes.explained(processes.GONE) if tensors else nullcontext():
        put_together = ((name, whole(value)) for name, value in tensors.items())
        return {name: value.cpu() for name, value in put_together if kept}

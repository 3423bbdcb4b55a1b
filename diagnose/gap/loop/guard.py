"""The guard of a user's model: it comes back exactly as it was, whatever is read through it and whatever goes wrong.

Kept are weights and buffers (a copy in main memory, and which tensors they are), gradients, `training` and
`requires_grad` flags, hooks, which modules there are, all random states, autocast and gradient mode.
"""

from __future__ import annotations

import random
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from diagnose import random as seeding
from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from torch import Tensor, nn

LEAST_NUDGE = 0.1  # that weights of 0 are moved by
TABLES = (
    "_parameters", "_buffers", "_modules", "_forward_hooks", "_forward_pre_hooks", "_backward_hooks",
    "_backward_pre_hooks", "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs",
    "_forward_hooks_always_called", "_non_persistent_buffers_set",
)  # fmt: skip
SMALL = 1 << 16  # elements of a buffer that is compared after each pass; a larger one is trusted to count its writes
FEW_VALUES = 16  # of a parameter that are looked at after each pass
LARGE = 1 << 24  # elements of an attribute of which no copy is held
TORCH = ("_backward", "_is_full", "_load_state", "_state_dict", "_non_persistent", "_compiled", "_is_hf", "_forward")
SEEDS = "seed_generator_state"  # ends the names of the random states that a Keras model holds
HOLDERS = ("generator", "sampler", "batch_sampler", "base_dataloader", "dataset")  # where loaders keep generators


def local(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that this process holds, where it is sharded over several."""
    part: Tensor = getattr(tensor, "_local_tensor", tensor)
    return part


def reshard(modules: Iterable[nn.Module]) -> None:
    """Have the modules that `fully_shard` has wrapped hold their sharded parameters, as between steps."""
    for module in modules:
        if is_sharded(module):
            module.reshard()  # type: ignore[operator]


def is_sharded(module: nn.Module) -> bool:
    """Say whether `fully_shard` has wrapped a module."""
    return callable(getattr(module, "reshard", None)) and callable(getattr(module, "unshard", None))


@dataclass(frozen=True)
class GuardedTensor:
    """A tensor of the model: what it is called, the object, its memory, and a copy of its values."""

    name: str
    tensor: Tensor
    data: Tensor
    copy: Tensor

    @classmethod
    def of(cls, name: str, tensor: Tensor, device: torch.device | str) -> GuardedTensor:
        """Return a tensor as it is now, its copy on a device."""
        tensor = local(tensor)
        return cls(name, tensor, tensor.data, tensor.detach().to(device, copy=True))

    def changed(self) -> bool:
        """Say whether its values differ from the copy's, bit for bit but for NaN."""
        if self.tensor.shape != self.copy.shape or self.tensor.dtype != self.copy.dtype:
            return True
        now = self.tensor.detach().to(self.copy.device)
        return not torch.equal(now, self.copy) and not torch.equal(now.nan_to_num(), self.copy.nan_to_num())

    def moved(self) -> bool:
        """Say whether it lies elsewhere, or some of its values differ from the copy's: a look at a few."""
        if self.tensor.data_ptr() != self.data.data_ptr():
            return True
        every = slice(None, None, max(1, self.copy.numel() // FEW_VALUES))
        return not torch.equal(self.tensor.detach().flatten()[every].to(self.copy.device), self.copy.flatten()[every])

    def restore(self) -> bool:
        """Put memory and values back; return whether the values had changed."""
        if self.tensor.data_ptr() != self.data.data_ptr() or self.tensor.shape != self.data.shape:
            self.tensor.data = self.data
        changed = self.changed()
        if changed:
            with torch.no_grad():
                self.tensor.copy_(self.copy)
        return changed


class GuardedAttributes:
    """A module's plain attributes, where some models keep a state from batch to batch."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.held = {key: (value, _copied(value)) for key, value in _plain(module).items()}

    def restore(self) -> list[str]:
        """Put them back; return the names of those that had changed."""
        live, now = vars(self.module), _plain(self.module)
        new = [key for key in now if key not in self.held and isinstance(now[key], STATEFUL)]
        changed = [
            key for key, (value, copy) in self.held.items() if live.get(key, self) is not value or _other(value, copy)
        ]
        for key in new:
            del live[key]
        for key in changed:
            value, copy = self.held[key]
            _refill(value, copy)
            live[key] = value
        return [*new, *changed]


NOT_PLAIN = frozenset({*TABLES, "training"})  # made once: a pass looks at every module of a model
STATEFUL = (torch.Tensor, list, dict, set, deque, tuple, int, float)


def _plain(module: nn.Module) -> dict[str, Any]:
    """Return what is no table of torch's, no module and no function."""
    return {
        key: value for key, value in vars(module).items()
        if key not in NOT_PLAIN and (value is None or isinstance(value, STATEFUL)) and not key.startswith(TORCH)
    }  # fmt: skip


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone() if value.numel() <= LARGE else None
    return value.copy() if isinstance(value, (list, dict, set, deque)) else value


def _other(value: Any, copy: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return copy is not None and (value.shape != copy.shape or not torch.equal(value.detach(), copy))
    if isinstance(value, (list, deque)):
        return len(value) != len(copy) or any(a is not b for a, b in zip(value, copy, strict=True))
    if isinstance(value, dict):
        return list(value) != list(copy) or any(value[key] is not copy[key] for key in copy)
    return isinstance(value, set) and value != copy


def _refill(value: Any, copy: Any) -> None:
    if isinstance(value, torch.Tensor) and copy is not None:
        with torch.no_grad():
            value.data = copy.clone() if value.shape != copy.shape else value.data.copy_(copy)
    elif isinstance(value, (list, deque)):
        value.clear()
        value.extend(copy)
    elif isinstance(value, (dict, set)):
        value.clear()
        value.update(copy)


class StateGuard:
    """The state of a model when it was handed over."""

    def __init__(self, model: nn.Module, others: Sequence[StateGuard] = ()) -> None:
        self.others = others
        self.modules = list(model.modules())
        reshard(self.modules)
        self.flags = [module.training for module in self.modules]
        self.tables = [{t: vars(m)[t].copy() for t in TABLES if t in vars(m)} for m in self.modules]
        self.weights = [GuardedTensor.of(name, p, "cpu") for name, p in model.named_parameters()]
        self.written = [
            (weight, weight.tensor._version)  # noqa: SLF001
            for (_, p), weight in zip(model.named_parameters(), self.weights, strict=True)
            if not p.requires_grad
        ]  # fmt: skip
        self.buffers = [GuardedTensor.of(name, b, b.device) for name, b in model.named_buffers()]
        self.grads = [
            (p, p.grad, None if p.grad is None else GuardedTensor.of(n, p.grad, "cpu"))
            for n, p in model.named_parameters()
        ]
        self.wants = [(p, p.requires_grad) for p in model.parameters()]
        self.attributes = [GuardedAttributes(module) for module in self.modules]
        self.stateful: set[str] = set()

    def settle(self) -> set[str]:
        """Put buffers back that a pass has written, so that one pass does not reach into the next; return their names.

        By their values: batch norm writes its running statistics without raising their version.
        """
        written = set[str]().union(*(other.settle() for other in self.others))
        for module, tables in zip(self.modules, self.tables, strict=True):
            live = vars(module)["_buffers"]
            for key, original in tables["_buffers"].items():
                if key in live and live[key] is not original:
                    written |= self._called(original, live[key])
                    live[key] = original
        written |= {buffer.name for buffer in self.buffers if buffer.restore()}
        self._settle_parameters()
        for attributes in self.attributes:
            self.stateful |= {f"{type(attributes.module).__name__}.{key}" for key in attributes.restore()}
        return written

    def _called(self, own: Tensor | None, now: Tensor | None) -> set[str]:
        """Return the name of a buffer in whose place another tensor was put; none where that holds the same."""
        if own is None or (now is not None and own.shape == now.shape and torch.equal(own, now)):
            return set()
        return {buffer.name for buffer in self.buffers if buffer.tensor is local(own)}

    def _settle_parameters(self) -> None:
        """Put parameters without gradients back that a pass has written: moving averages (MoCo's keys, Keras), seeds.

        Some write past the count of writes, through `data`: where one was moved so, all are put back.
        """
        moved = any(weight.moved() for weight, _ in self.written)
        for place, (weight, version) in enumerate(self.written):
            if moved or weight.tensor._version != version:  # noqa: SLF001
                weight.restore()
                self.written[place] = weight, weight.tensor._version  # noqa: SLF001

    def reseed(self, number: int) -> None:
        """Set the random states that a Keras model holds as parameters; `settle` puts them back."""
        for weight, _ in self.written:
            if weight.name.endswith(SEEDS):
                with torch.no_grad():
                    weight.tensor.copy_(torch.tensor([number & 0x7FFFFFFF, 0]).to(weight.tensor))

    def trespass(self) -> str | None:
        """Return the name of what an objective has changed though it should only compute; None where nothing is."""
        inner = next((name for other in self.others if (name := other.trespass()) is not None), None)
        if inner is not None:
            return inner
        reshard(self.modules)
        for module, tables in zip(self.modules, self.tables, strict=True):
            if any(list(vars(module)[t]) != list(tables[t]) for t in ("_parameters", "_buffers", "_modules")):
                return f"the parts of {type(module).__name__}"
        changed = self.changed_weight()
        return changed if changed is not None else next((n for p, g, n in self._grads_changed()), None)

    def changed_weight(self) -> str | None:
        """Return the name of a weight that is no longer as it was; None where all are."""
        return next((weight.name for weight in self.weights if weight.changed()), None)

    def _grads_changed(self) -> Iterator[tuple[Tensor, Tensor | None, str]]:
        for parameter, grad, copy in self.grads:
            if parameter.grad is not grad or (copy is not None and copy.changed()):
                yield parameter, grad, "its gradients"

    def restore(self) -> None:
        """Put everything back."""
        for other in self.others:
            other.restore()
        reshard(self.modules)
        for module, flag, tables in zip(self.modules, self.flags, self.tables, strict=True):
            module.training = flag
            for name, table in tables.items():
                live = vars(module)[name]
                if list(live) != list(table) or any(live[k] is not table[k] for k in _keys(table)):
                    live.clear()
                    live.update(table)
        for saved in (*self.weights, *self.buffers):
            saved.restore()
        for attributes in self.attributes:
            attributes.restore()
        for parameter, grad, copy in self.grads:
            parameter.grad = grad
            if copy is not None:
                copy.restore()
        for parameter, wanted in self.wants:
            parameter.requires_grad_(wanted)


def _keys(table: Any) -> Iterable[str]:
    return table.keys() if hasattr(table, "keys") else ()


@contextmanager
def guarded(model: nn.Module, loaders: Iterable[Any] = (), others: Sequence[nn.Module] = ()) -> Iterator[StateGuard]:
    """Have a model guarded: it, others, the loaders' generators and all random states come back as they were.

    Raises:
        DiagnoseError: what was run changed weights, gradients or the model's parts; they have been put back.
    """
    guard, change = StateGuard(model, [StateGuard(other) for other in others]), None
    with random_states(loaders), _modes():
        try:
            yield guard
            change = guard.trespass()
        finally:
            guard.restore()
    if change is not None:
        raise DiagnoseError(
            f"an objective changes the model ({change}); it must only compute a loss: no step, no backward. The model "
            "has been put back"
        )


@contextmanager
def _modes() -> Iterator[None]:
    """Put autocast, gradient mode, the default dtype and whether transformers may take their fast path back."""
    kinds = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    cast = [(kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in kinds]
    grad, dtype, fast = torch.is_grad_enabled(), torch.get_default_dtype(), torch.backends.mha.get_fastpath_enabled()
    try:
        yield
    finally:
        for kind, enabled, kind_dtype in cast:
            torch.set_autocast_enabled(kind, enabled)
            torch.set_autocast_dtype(kind, kind_dtype)
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)


@contextmanager
def random_states(loaders: Iterable[Any]) -> Iterator[None]:
    """Put every random state back: Python's, numpy's, torch's on all devices, and the loaders' own generators."""
    loader_states = [(generator, generator.get_state()) for generator in generators(loaders)]
    cuda = torch.cuda.get_rng_state_all() if _cuda_in_use() else None
    mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    state = states()
    try:
        yield
    finally:
        put(state)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        if mps is not None:
            torch.mps.set_rng_state(mps)
        for generator, loader_state in loader_states:
            generator.set_state(loader_state)


@lru_cache
def _accelerated() -> bool:
    """Say whether there is a device whose random states are to be set too."""
    return torch.cuda.is_available() or torch.backends.mps.is_available() or torch.xpu.is_available()


def _cuda_in_use() -> bool:
    return torch.cuda.is_available() and bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def states() -> tuple[Any, Any, Any]:
    """Return Python's, numpy's and torch's random states on the CPU."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - the user's own


def put(state: tuple[Any, Any, Any]) -> None:
    """Put them back."""
    random.setstate(state[0])
    np.random.set_state(state[1])  # noqa: NPY002 - the user's own
    torch.set_rng_state(state[2])


def generators(loaders: Iterable[Any]) -> list[torch.Generator]:
    """Return the generators that loaders, their samplers and those samplers' samplers hold."""
    known: dict[int, Any] = {}
    todo = [loader for loader in loaders if loader is not None]
    while todo:
        part = todo.pop()
        if id(part) not in known:
            known[id(part)] = part
            todo += [getattr(part, name) for name in HOLDERS if getattr(part, name, None) is not None]
    return [part for part in known.values() if isinstance(part, torch.Generator)]


def seed(number: int) -> None:
    """Set every random state from a number; to be used within `guarded` alone."""
    if _accelerated():
        torch.manual_seed(number)
    else:  # the same state; `torch.manual_seed` notes a call stack for each absent device, 4 ms a call
        torch.default_generator.manual_seed(number)
    random.seed(number)
    np.random.seed(number & 0xFFFFFFFF)  # noqa: NPY002 - an objective may draw from it


def nudge(weights: Iterable[torch.Tensor], size: float, keep: float = 1.0) -> None:
    """Move weights by random amounts: by draws of their own, for those of seed 0 may be what the weights began as.

    Args:
        weights: that are moved.
        size: by how much, of their mean absolute value.
        keep: what they are multiplied by then.
    """
    with torch.no_grad():
        for number, weight in enumerate(weights):
            draw = torch.Generator(weight.device).manual_seed(seeding.key(0, "nudge", number))
            noise = torch.randn(weight.shape, generator=draw, device=weight.device, dtype=torch.float32)
            weight.add_(noise.to(weight.dtype) * size * (weight.abs().mean() + LEAST_NUDGE)).mul_(keep)

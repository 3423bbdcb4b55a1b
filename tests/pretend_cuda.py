"""A CUDA device that is pretended: tensors hold their data on the CPU and say that they lie on `cuda:0`.

It shows which operations a step takes, where the host would wait for the device, and whether a tensor of the host is
mixed with the device's. It cannot show a card's kernels, its memory, its speed, its rounding, or what its compiler
does.

C++ still sees tensors of a CPU, for a build of torch without CUDA has no device of that type. So whatever C++ decides
by the device is decided here: autocast, dropout and attention take the ways that they take on a card.
"""
# ruff: noqa: ARG004 - the signatures of autograd functions are torch's

import threading
import time
import traceback
from collections import Counter
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pretend_determinism
import pytest
import torch
from torch._functorch.pyfunctorch import temporarily_pop_interpreter_stack
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils import _foreach_utils
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

CUDA = torch.device("cuda", 0)
SCALAR = {"_local_scalar_dense", "is_nonzero", "equal"}  # give the host a number
SIZED = {"nonzero", "_unique2", "unique_dim", "unique_consecutive", "bincount", "masked_select", "repeat_interleave"}
INDEXED = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index", "_unsafe_index_put"}
FREE = {
    "view", "_unsafe_view", "expand", "permute", "transpose", "t", "slice", "select", "unsqueeze", "squeeze", "detach",
    "alias", "as_strided", "split", "unbind", "reshape", "_reshape_alias", "unfold", "diagonal", "split_with_sizes",
    "lift_fresh", "empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided", "is_same_size", "set_",
}  # launch no kernel  # fmt: skip
PLAIN_AUTOCAST, PLAIN_ATTENTION, PLAIN_DROPOUT = torch.autocast, F.scaled_dot_product_attention, F.dropout
PLAIN_GROUPS = _foreach_utils._group_tensors_by_device_and_dtype


class DeviceMismatchError(RuntimeError):
    """Tensors of the host and of the device in one operation."""


class WaitError(RuntimeError):
    """The host would wait for the device."""


class _Here(threading.local):
    refuses, stacks, stream = False, False, None


class Card:
    """What the pretended device was asked for.

    Attributes:
        ops: how often each operation was launched.
        waits: for what the host would have waited, and at which line of ours.
        first: what a process decides once; see `pretend_determinism`.
        here: of each thread: whether a wait is an error (`refuses`), whether networks run stacked (`stacks`; for
            `torch.vmap`, when C++ makes tensors for the device that it sees), and the queue that it fills (`stream`).
    """

    def __init__(self):
        self.ops, self.waits, self.first, self.here = Counter(), Counter(), {}, _Here()

    def reset(self):
        self.ops.clear()
        self.waits.clear()

    def wait(self, what):
        where = _line()
        self.waits[what, where] += 1
        if self.here.refuses:
            raise WaitError(f"{what} at {where}")

    @contextmanager
    def never_waited_for(self):
        """Make every wait of this thread an error."""
        self.here.refuses = True
        try:
            yield
        finally:
            self.here.refuses = False


CARD = Card()


def _line():
    for frame in reversed(traceback.extract_stack()):
        path = Path(frame.filename)
        if {"diagnose", "models"} & set(path.parts) and "site-packages" not in path.parts and "tests" not in path.parts:
            return f"{path.name}:{frame.lineno}"
    return "?"


class OnCard(torch.Tensor):
    """A tensor of the pretended device."""

    @staticmethod
    def __new__(cls, held):
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype
        )
        made.held = held
        return made

    def __repr__(self):
        return f"OnCard({self.held})"

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in ANSWERS:
            return ANSWERS[func](*args, **kwargs)
        if getattr(func, "__name__", "") in ("numpy", "__array__"):
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu()")
        return super().__torch_function__(func, types, args, kwargs)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


class _ToHost(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        CARD.wait("copy to the host")
        return x.held.clone()

    @staticmethod
    def backward(ctx, gradient):
        return OnCard(gradient)


class _ToCard(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, queued):
        if not queued:
            CARD.wait("copy from unpinned memory")
        return OnCard(x.detach().clone())

    @staticmethod
    def backward(ctx, gradient):
        return gradient.held, None


def _listed(values):
    CARD.wait("tolist")
    return values.held.tolist()


def _moved(x, *args, non_blocking=False, copy=False, memory_format=None, device=None, dtype=None):
    """Do what `Tensor.to` does."""
    for value in args:
        if isinstance(value, torch.dtype):
            dtype = value
        elif isinstance(value, torch.Tensor):
            device, dtype = value.device, value.dtype
        elif isinstance(value, (str, torch.device)):
            device = torch.device(value)
    there = isinstance(x, OnCard)
    target = there if device is None else torch.device(device).type == "cuda"
    pinned = getattr(x, "pinned", False)
    if copy or memory_format is not None or dtype not in (None, x.dtype):
        more = {} if memory_format is None else {"memory_format": memory_format}
        with torch._C.DisableTorchFunctionSubclass():
            x = torch.Tensor.to(x, dtype=dtype or x.dtype, copy=copy, **more)
    if there == target:
        return x
    return _ToCard.apply(x, pinned and non_blocking) if target else _ToHost.apply(x)


def _pinned(x):
    copied = x.clone()
    copied.pinned = True
    return copied


PLACES = {
    torch.Tensor.device.__get__: lambda _: CUDA,
    torch.Tensor.is_cuda.__get__: lambda _: True,
    torch.Tensor.is_cpu.__get__: lambda _: False,
    torch.Tensor.get_device: lambda _: 0,
}
ANSWERS = PLACES | {
    torch.Tensor.tolist: _listed,
    torch.Tensor.cpu: _ToHost.apply,
    torch.Tensor.cuda: lambda x: x,
    torch.Tensor.to: _moved,
}


def _unstacked(x):
    """Return the tensor beneath `torch.vmap`."""
    while isinstance(x, torch.Tensor) and torch._C._functorch.is_batchedtensor(x):
        x = torch._C._functorch.get_unwrapped(x)
    return x


def _stacking(vmap):
    """Return `torch.vmap`, which tells the pretended device when it is at work."""

    def wrapped(func, *given, **more):
        def call(*args):
            CARD.here.stacks = True
            try:
                return vmap(func, *given, **more)(*args)
            finally:
                CARD.here.stacks = False

        return call

    return wrapped


def _held(value):
    return value.held if isinstance(value, OnCard) else value


def _run(func, args, kwargs):
    """Carry an operation out on what the tensors hold."""
    name = func._schema.name.split("::")[-1]
    tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
    here = [t for t in tensors if not isinstance(t, OnCard)]
    device = kwargs.get("device")
    wanted = device is not None and torch.device(device).type == "cuda"
    there = len(here) < len(tensors)
    wanted = wanted or (CARD.here.stacks and not tensors and device is not None)
    if name == "_to_copy" and device is not None:
        return _copied(func, args[0], kwargs, wanted=wanted)
    if name == "copy_" and here and there and not _is_queued(here[0], args, kwargs):
        CARD.wait("copy to the host" if not isinstance(args[0], OnCard) else "copy from unpinned memory")
    elif there and name != "copy_":
        _refuse_mixture(name, args, here)
        _note_waits(name, args)
    if there:
        pretend_determinism.refuse(func, args, kwargs, CARD.first)
    values, more = tree_map(_held, args), tree_map(_held, kwargs)
    out = func(*values, **(more | {"device": torch.device("cpu")} if wanted else more))
    if (there or wanted) and name not in FREE | SCALAR:
        CARD.ops[name] += 1
    if name.endswith("_") and not name.endswith("__") and isinstance(args[0], torch.Tensor):
        return args[0]
    if isinstance(kwargs.get("out"), torch.Tensor):
        return kwargs["out"]
    return tree_map(lambda t: OnCard(t) if type(t) is torch.Tensor else t, out) if there or wanted else out


def _is_queued(host, args, kwargs):
    return getattr(host, "pinned", False) and bool(kwargs.get("non_blocking") or True in args[2:])


def _copied(func, source, kwargs, *, wanted):
    """Copy to a device; what says "to the CPU" of the card's own is autograd in C++, which takes it for one."""
    out = func(_held(source), **{key: value for key, value in kwargs.items() if key != "device"})
    if wanted and not isinstance(source, OnCard):
        CARD.wait("copy from unpinned memory")
    if wanted or isinstance(source, OnCard):
        CARD.ops["_to_copy"] += 1
        return OnCard(out)
    return out


def _refuse_mixture(name, args, here):
    mixed = [t for t in here if t.dim() > 0]
    if mixed and not (name in INDEXED and isinstance(args[0], OnCard)):
        raise DeviceMismatchError(f"{name} of tensors on cuda:0 and of {tuple(mixed[0].shape)} on the CPU at {_line()}")


def _note_waits(name, args):
    if name in SCALAR | SIZED:
        CARD.wait(name)
    if name in INDEXED:
        flags = [t for t in args[1] or [] if isinstance(t, torch.Tensor) and t.dtype in (torch.bool, torch.uint8)]
        filled = name.startswith("index_put") and args[2].numel() == 1
        if flags and not filled:
            CARD.wait("boolean index")


class _Moves(TorchFunctionMode):
    """Catches what leads from the host to the device before any tensor of it is seen."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if CARD.here.stacks and func in PLACES and isinstance(_unstacked(args[0]), OnCard):
            return PLACES[func](args[0])
        if func is torch.Tensor.to and not isinstance(_unstacked(args[0]), OnCard):
            return _moved(*args, **kwargs)
        if func is torch.Tensor.pin_memory:
            return _pinned(args[0])
        device = kwargs.get("device")
        if func in (torch.tensor, torch.as_tensor) and device is not None and torch.device(device).type == "cuda":
            return _moved(func(*args, **{key: value for key, value in kwargs.items() if key != "device"}), "cuda")
        return func(*args, **kwargs)


class _Dispatch(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


class _Autocast:
    """Autocast of the device, done by the CPU's."""

    def __init__(self, device_type, dtype=None, enabled=True, **_):
        self.kind, self.dtype, self.enabled = device_type, dtype, enabled
        self.inner = PLAIN_AUTOCAST("cpu", dtype=dtype, enabled=enabled)

    def __enter__(self):
        self.before = torch.is_autocast_enabled("cuda"), torch.get_autocast_dtype("cuda")
        if self.kind == "cuda":
            torch.set_autocast_enabled("cuda", self.enabled)
            if self.dtype is not None:
                torch.set_autocast_dtype("cuda", self.dtype)
        self.inner.__enter__()

    def __exit__(self, *error):
        self.inner.__exit__(*error)
        torch.set_autocast_enabled("cuda", self.before[0])
        torch.set_autocast_dtype("cuda", self.before[1])


def _seeing(run):
    """Let a thread see the pretended device, too: torch's modes are each thread's own."""

    def wrapped(thread):
        with _Moves(), _Dispatch():
            run(thread)

    return wrapped


GENERATOR = torch.Generator()


@contextmanager
def _card_s_generator():
    """Have C++ draw from the device's generator, where it takes the device for the CPU."""
    before = torch.default_generator.get_state()
    torch.default_generator.set_state(GENERATOR.get_state())
    try:
        yield
    finally:
        GENERATOR.set_state(torch.default_generator.get_state())
        torch.default_generator.set_state(before)


def _exactly():
    return PLAIN_AUTOCAST("cpu", enabled=False)


class _Attention(torch.autograd.Function):
    """One fused operation forwards and one backwards, as on a card."""

    @staticmethod
    def forward(ctx, q, k, v, mask, p, causal):
        leaves = [t.held.detach().float().requires_grad_() for t in (q, k, v)]
        more = {"attn_mask": _held(mask), "dropout_p": p, "is_causal": causal}
        draws = _card_s_generator() if p > 0 else nullcontext()
        with torch.enable_grad(), torch._C._DisableTorchDispatch(), _exactly(), draws:
            y = PLAIN_ATTENTION(*leaves, **more)
        ctx.leaves, ctx.y, ctx.dtype = leaves, y, q.dtype
        CARD.ops["attention"] += 1
        return OnCard(y.detach().to(q.dtype).transpose(1, 2).contiguous().transpose(1, 2))

    @staticmethod
    def backward(ctx, gradient):
        with torch.enable_grad(), torch._C._DisableTorchDispatch(), _exactly():
            found = torch.autograd.grad(ctx.y, ctx.leaves, _held(gradient).float())
        CARD.ops["attention_backward"] += 1
        return *(OnCard(x.to(ctx.dtype)) for x in found), None, None, None


def _attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False):
    if _unstacked(query) is not query:
        return _stacked_attention([query, key, value, attn_mask], dropout_p, is_causal)
    if not isinstance(query, OnCard):
        return PLAIN_ATTENTION(query, key, value, attn_mask=attn_mask, dropout_p=dropout_p, is_causal=is_causal)
    if attn_mask is not None and not isinstance(attn_mask, OnCard):
        raise DeviceMismatchError("attention on cuda:0 with a mask on the CPU")
    return _Attention.apply(query, key, value, attn_mask, dropout_p, is_causal)


def _stacked_attention(given, p, causal):
    """Take a stack's networks for more rows, as the card's kernels do under `torch.vmap`; each is given for all."""
    level = torch._C._functorch.maybe_get_level(given[0])
    whole = [None if t is None else torch._C._functorch._unwrap_batched(t, level) for t in given]
    rows = [None if t is None else t[0].movedim(t[1], 0).flatten(0, 1) for t in whole]
    size = whole[0][0].shape[whole[0][1]]
    with temporarily_pop_interpreter_stack():
        y = _Attention.apply(*rows, p, causal).unflatten(0, (size, -1))
    return torch._C._functorch._add_batch_dim(y, 0, level)


def _dropout(x, p=0.5, training=True, inplace=False):
    if not (isinstance(x, OnCard) and p > 0 and training):
        return PLAIN_DROPOUT(x, p, training, inplace)
    with _card_s_generator():
        return torch.native_dropout(x, p, True)[0]


class Event:
    """A moment in the device's queue, which is always empty."""

    def __init__(self, enable_timing=False):
        self.timed, self.at = enable_timing, None

    def record(self, stream=None):
        self.stream, self.at = stream or CARD.here.stream, time.perf_counter()

    def synchronize(self):
        assert self.at is not None, "an event that was never recorded"

    def elapsed_time(self, end):
        assert self.timed, "an event without a time"
        assert end.timed
        return 1000 * (end.at - self.at)


class Stream:
    """A queue of the device, which waits for what was recorded in another."""

    def __init__(self, device=None):
        self.device, self.waited = torch.device(device or CUDA), []

    def wait_event(self, event):
        event.synchronize()
        self.waited.append(event)


@contextmanager
def _filling(stream):
    before, CARD.here.stream = CARD.here.stream, stream
    try:
        yield
    finally:
        CARD.here.stream = before


CALLS = {
    "Event": Event, "Stream": Stream, "stream": _filling,
    "current_stream": lambda device=None: CARD.here.stream or Stream(device),
    "_lazy_init": lambda: None, "is_available": lambda: True, "is_initialized": lambda: True, "device_count": lambda: 1,
    "current_device": lambda: 0, "is_bf16_supported": lambda *_, **__: True,
    "get_device_name": lambda *_: "Pretended", "get_device_capability": lambda *_: (9, 0),
    "synchronize": lambda *_: None, "set_sync_debug_mode": lambda _: None, "reset_peak_memory_stats": lambda *_: None,
    "is_current_stream_capturing": lambda: False, "memory_allocated": lambda *_: 1 << 30,
    "max_memory_allocated": lambda *_: 3 << 30,
    "mem_get_info": lambda *_: (1 << 36, 1 << 36),
    "get_device_properties": lambda _: SimpleNamespace(total_memory=8e10, gcnArchName="pretended"),
    "default_generators": (GENERATOR,),
    "manual_seed_all": GENERATOR.manual_seed, "manual_seed": GENERATOR.manual_seed,
    "get_rng_state": lambda *_: GENERATOR.get_state(), "set_rng_state": lambda state, *_: GENERATOR.set_state(state),
}  # of torch.cuda  # fmt: skip


def _grouped(tensors, with_indices=False):
    """Group tensors by device, as C++ would if it knew the device."""
    found = PLAIN_GROUPS(tensors, with_indices)
    on_card = any(isinstance(t, OnCard) for t in tree_leaves(tensors))
    return {(CUDA if on_card else device, dtype): rest for (device, dtype), rest in found.items()}


@contextmanager
def pretended():
    """Pretend a CUDA device for a while; not where there is one, which tests marked `cuda` use."""
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    kinds = _foreach_utils._get_foreach_kernels_supported_devices()
    with pytest.MonkeyPatch.context() as patch:
        for name, call in CALLS.items():
            patch.setattr(torch.cuda, name, call)
        patch.setattr(threading.Thread, "run", _seeing(threading.Thread.run))
        patch.setattr(torch, "autocast", _Autocast)
        patch.setattr(torch, "inference_mode", lambda mode=True: torch.no_grad() if mode else nullcontext())
        patch.setattr(torch.func, "vmap", _stacking(torch.func.vmap))
        patch.setattr(F, "scaled_dot_product_attention", _attention)
        patch.setattr(F, "dropout", _dropout)
        patch.setattr(_foreach_utils, "_foreach_supported_types", [torch.Tensor, torch.nn.Parameter, OnCard])
        patch.setattr(_foreach_utils, "_get_foreach_kernels_supported_devices", lambda: [*kinds, "cpu"])
        for module in ("torch.nn.utils.clip_grad", "torch.optim.optimizer"):
            patch.setattr(import_module(module), "_group_tensors_by_device_and_dtype", _grouped)
        before = torch.__future__.get_swap_module_params_on_conversion()
        torch.__future__.set_swap_module_params_on_conversion(True)
        CARD.reset()
        CARD.first.clear()
        try:
            with _Moves(), _Dispatch():
                yield CARD
        finally:
            torch.__future__.set_swap_module_params_on_conversion(before)
            left = [name for name, call in CALLS.items() if getattr(torch.cuda, name) is not call]
            assert not left, f"undo what was patched over {left} before the device goes"

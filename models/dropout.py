"""Dropout whose masks are a pure function of one number, so that a step can be replayed.

A network draws one number from torch's global generator per forward pass (`draw`); each dropout module turns
it and its own stream number into a mask. So `torch.manual_seed` decides every mask, a second forward pass has
other masks, and switching one module off leaves the masks of the others as they were.

On a CPU the masks are a hash of each element's place (MurmurHash3's finaliser, Appleby 2011), computed by a dozen
vectorised integer operations: torch's own generator takes 3 times as long. On CUDA torch's dropout is fused already;
there the module seeds torch's generator for the length of its call.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F

from . import native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

KINDS = ("attention", "residual", "embedding", "layers")
LEVELS = 1 << 16  # of a mask's 16-bit words
BLOCK = 1 << 17  # words are hashed two at a time, and so many pairs at once: half a MiB
_64 = (1 << 64) - 1


class Dropout(nn.Module):
    """Zero elements with probability p and divide the rest by the probability of staying (Srivastava 2014).

    On a CPU p is rounded to a multiple of 1/65536, and the division uses the rounded value, so that the
    expectation is exact.

    Attributes:
        p: probability of being zeroed, in [0, 1).
        kind: what it is applied to, one of `KINDS`.
        stream: tells the modules of one network apart.
    """

    def __init__(self, p: float, kind: str, stream: int) -> None:
        """Take p, the kind and the stream number; a wrong p or kind raises ValueError."""
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout of {p} is outside [0, 1)")
        if kind not in KINDS:
            raise ValueError(f"dropout of kind '{kind}'; known are {', '.join(KINDS)}")
        self.p = p
        self.kind = kind
        self.stream = stream

    @property
    def active(self) -> bool:
        """Whether a forward pass now would drop anything."""
        return self.training and self.p > 0

    def seed(self, word: int | None) -> int:
        """Return the seed of this module's mask in the forward pass that drew `word`; None draws one here."""
        return mix(draw() if word is None else word, self.stream)

    def forward(self, x: Tensor, word: int | None = None) -> Tensor:
        """Drop elements of x (any shape); `word` is what the network drew for this forward pass."""
        if not self.active:
            return x
        if torch.compiler.is_compiling():
            return F.dropout(x, self.p)
        if x.device.type == "cuda":
            with seeded(x.device, self.seed(word)):
                return F.dropout(x, self.p)
        dropped: Tensor = _Dropped.apply(x, self.seed(word), self.p)  # type: ignore[no-untyped-call]
        return dropped

    def extra_repr(self) -> str:
        """Show the settings in the network's printed form."""
        return f"p={self.p}, kind={self.kind}, stream={self.stream}"


def any_active(network: nn.Module) -> bool:
    """Say whether any dropout of a network would drop anything now."""
    return any(module.active for module in network.modules() if isinstance(module, Dropout))


def draw() -> int:
    """Return 63 random bits from torch's global generator."""
    return int(torch.empty((), dtype=torch.int64).random_())


def mix(word: int, stream: int) -> int:
    """Return 64 bits that depend on both numbers (SplitMix64's finaliser, Steele 2014)."""
    z = (word + (stream + 1) * 0x9E3779B97F4A7C15) & _64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _64
    return z ^ (z >> 31)


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Seed a CUDA device's generator for a while and put its state back afterwards."""
    index = torch.cuda.current_device() if device.index is None else device.index
    generator = torch.cuda.default_generators[index]
    state = generator.get_state()
    generator.manual_seed(seed >> 1)
    try:
        yield
    finally:
        generator.set_state(state)


def levels(p: float) -> int:
    """Return how many of the 65536 words are dropped; at least one word stays."""
    return min(round(p * LEVELS), LEVELS - 1)


def words(count: int, seed: int, device: torch.device) -> Tensor:
    """Return `count` hashed words, uniform over int16: a pure function of seed and place.

    Blocks that stay in the processor's cache each hash an arithmetic progression of their own; the seed decides its
    start and its (odd) step.

    Args:
        count: how many.
        seed: 64 bits.
        device: where; the words are the same on every device.
    """
    hashed = torch.empty((count + 1) // 2, dtype=torch.int32, device=device)
    places = _places(device)
    for number, h in enumerate(hashed.split(BLOCK)):  # type: ignore[no-untyped-call]
        own = mix(seed, number)
        start = torch.tensor(_int32(own), dtype=torch.int32, device=device)
        torch.add(start, places[: len(h)], alpha=_int32(own >> 32 | 1), out=h)
        h.bitwise_xor_(_shifted(h, 16)).mul_(-2048144789)
        h.bitwise_xor_(_shifted(h, 13)).mul_(-1028477387)
        h.bitwise_xor_(_shifted(h, 16))
    return hashed.view(torch.int16)[:count]


@cache
def _places(device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):  # kept for later, which may be a training step
        return torch.arange(BLOCK, dtype=torch.int32, device=device)


def _shifted(h: Tensor, by: int) -> Tensor:
    """Shift right as unsigned numbers are: torch's own shift repeats the sign."""
    return (h >> by).bitwise_and_((1 << (32 - by)) - 1)


def _int32(value: int) -> int:
    """Read the low 32 bits as a signed number."""
    return ((value + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def masked(x: Tensor, word: Tensor, dropped: int) -> Tensor:
    """Return x where a word is not among the lowest `dropped` of its 65536 values, and 0 there; unscaled.

    `threshold_backward` is the one vectorised operation that selects by comparing; `where` and a product with
    booleans take 8 to 30 times as long on a CPU.

    Args:
        x: float32 or float64.
        word: from `words`, as many as x has elements.
        dropped: from `levels`.
    """
    kept: Tensor = torch.ops.aten.threshold_backward(
        x, word.to(x.dtype).view(x.shape), float(dropped - LEVELS // 2 - 1)
    )
    return kept


class _Dropped(torch.autograd.Function):
    """What is kept for the gradient is the words, two bytes an element; in one fused pass they are hashed again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, seed: int, p: float) -> Tensor:
        ctx.seed, ctx.dropped = seed, levels(p)
        if (out := _fused(x, seed, ctx.dropped)) is not None:
            return out
        word = words(x.numel(), seed, x.device)
        ctx.save_for_backward(word)
        return _scaled(x, word, ctx.dropped)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        if (out := _fused(gradient, ctx.seed, ctx.dropped)) is not None:
            return out, None, None
        word = ctx.saved_tensors[0] if ctx.saved_tensors else words(gradient.numel(), ctx.seed, gradient.device)
        return _scaled(gradient, word, ctx.dropped), None, None


def _fused(x: Tensor, seed: int, dropped: int) -> Tensor | None:
    library = native.loops(x)
    return None if library is None else native.drop(library, x, seed, dropped, LEVELS / (LEVELS - dropped))


def _scaled(x: Tensor, word: Tensor, dropped: int) -> Tensor:
    exact = x.to(torch.promote_types(x.dtype, torch.float32))
    return masked(exact, word, dropped).mul_(LEVELS / (LEVELS - dropped)).to(x.dtype)

"""A network under test: built from its own random stream, measured, and refused where it cannot be measured.

A network is a callable `build(vocab_size, context, **settings)` whose module maps `tokens_BT` (int64) and
`segments_BT` (int64 or None) to `logits_BTV`; `loading` finds it by its name.

Shapes: B rows, T positions, V vocabulary, C cuts.
"""

from __future__ import annotations

import inspect
import itertools
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from diagnose import random as seeding
from diagnose.errors import DiagnoseError, nearest
from diagnose.training import chunked_loss, product_kernels
from diagnose.training.fused_loss import can_do_without_logits, training_loss
from diagnose.training.registry import (
    builder_settings,
    check_signature,
    find,
    fingerprint,
    of_another_kind,
    told,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor, nn

    from diagnose.config.recipe import RunConfig

__all__ = [
    "Flops", "build", "builder_settings", "check", "compile_in_place", "compiled_loss", "count_flops", "eager", "find",
    "fingerprint", "fits_fused", "flops", "flops_per_token", "fuses_loss", "parameters", "remembers",
]  # fmt: skip

LOSS = "compiled_loss"  # the name under which a network keeps its compiled training loss


def build(
    name: str, settings: Mapping[str, Any], vocab_size: int, context: int, seed: int, device: torch.device
) -> nn.Module:
    """Build a network; its weights are drawn on the CPU, from the stream "initialisation" of the seed.

    Args:
        name: see `find`.
        settings: for the builder; those that it does not take are an error.
        vocab_size: tokens of the vocabulary.
        context: longest row.
        seed: the run's.
        device: where the network goes.

    Raises:
        DiagnoseError: the builder refuses the settings, fails, or builds something else.
    """
    builder = find(name)
    check_signature(name, builder)
    unknown = builder_settings(builder, settings)[1]
    if unknown:
        known = builder_settings(builder, dict.fromkeys(inspect.signature(builder).parameters))[0]
        hints = [f"model.{key}: the network '{name}' takes no such key{nearest(key, known)}" for key in unknown]
        raise DiagnoseError("; ".join(hints))
    with torch.random.fork_rng(devices=[]):  # the CPU's generator alone is seeded, so no other needs to be kept
        torch.default_generator.manual_seed(seeding.key(seed, "initialisation"))
        try:
            network = builder(vocab_size=vocab_size, context=context, **settings)
        except DiagnoseError:
            raise
        except Exception as error:  # noqa: BLE001 - a user's builder may raise anything
            said = str(error) if isinstance(error, ValueError) and ":" not in name else told(error)
            said = of_another_kind(builder, settings) or said
            raise DiagnoseError(f"model '{name}' cannot be built: {said}") from None
    if not isinstance(network, torch.nn.Module):
        raise DiagnoseError(f"model '{name}' built a {type(network).__name__}, not a torch.nn.Module")
    return network.to(device)


FUSED_BYTES = 4 << 30  # of a part's logits in bfloat16, up to which the loss is compiled with the network


def compile_in_place(network: nn.Module, logits: int, run: RunConfig | None = None) -> None:
    """Have torch compile what training calls, which the network keeps beside its own methods.

    On a CUDA device that is the whole loss of a part, in one graph for its one shape, where its logits are not too
    many; what reads the network runs it as it is written. Elsewhere it is the features where a network offers them,
    else the network, for readings too. A network with torch's recurrent layers stays as it is: the compiler stops at
    each of them.

    Args:
        network: on its device.
        logits: of a part of a step: its targets times the vocabulary.
        run: resolved; says whether matrix products and the loss are the compiler's kernels and ours, too.
    """
    if any(isinstance(module, torch.nn.RNNBase) for module in network.modules()):
        return
    fused = run if run is not None and run.compile == "fused" else None
    without = fused is not None and can_do_without_logits(network, fused.precision)
    if without or fuses_loss(network, logits):
        options = None if fused is None else product_kernels.options(deterministic=fused.deterministic)
        if fused is not None and hasattr(network, "masks_in_blocks"):
            network.masks_in_blocks = True  # type: ignore[assignment]
        loss = partial(training_loss, network, without_logits=without)
        network.__dict__[LOSS] = torch.compile(loss, dynamic=False, options=options)
        return
    parts = chunked_loss.split(network)
    if parts is None:
        network.compile()
    else:
        network.__dict__["features"] = torch.compile(parts[0])  # beside the method, which it hides


def fuses_loss(network: nn.Module, logits: int) -> bool:
    """Say whether the compiler is given the whole loss."""
    return next(network.parameters()).device.type == "cuda" and fits_fused(logits)


def fits_fused(logits: int) -> bool:
    """Say whether a part's logits are few enough to be written whole."""
    return 2 * logits <= FUSED_BYTES


def compiled_loss(network: nn.Module) -> Callable[..., Tensor] | None:
    """Return the compiled training loss, where the network keeps one; see `fused_loss.training_loss`."""
    return network.__dict__.get(LOSS)


@contextmanager
def eager(network: nn.Module) -> Iterator[None]:
    """Run a network as it is written for a while, for batches of other shapes than were compiled and for hooks."""
    kept = {name: network.__dict__.pop(name) for name in ("features", LOSS) if name in network.__dict__}
    compiled, network._compiled_call_impl = network._compiled_call_impl, None  # noqa: SLF001
    try:
        yield
    finally:
        network._compiled_call_impl = compiled  # noqa: SLF001
        network.__dict__.update(kept)


def remembers(network: nn.Module) -> bool:
    """Say whether a network offers to go on from tokens that it has read.

    It offers it by a method `read_on(tokens_BT, memory)` that returns logits_BTV and the memory for what follows; the
    first memory is None.
    """
    return callable(getattr(network, "read_on", None))


def parameters(network: nn.Module) -> int:
    """Return how many numbers training can change; a matrix that is used twice counts once."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


class Flops(NamedTuple):
    """Floating-point operations of one forward and backward pass.

    Attributes:
        amount: multiplications and additions, matrix products alone.
        how: "counted" operation by operation, or "estimated" as 6 x parameters x tokens (Kaplan et al. 2020).
    """

    amount: float
    how: str


def count_flops(network: nn.Module, rows: int, context: int, vocab_size: int) -> Flops:
    """Return the operations of a forward and backward pass over (rows, context) tokens.

    Nothing is computed: the network runs on tensors without data. Causal attention is counted as if it
    computed all pairs of positions.
    """
    try:
        return Flops(rows * _count(network, context, vocab_size), "counted")
    except Exception:  # noqa: BLE001 - a user's network need not run without data
        return Flops(6.0 * parameters(network) * rows * context, "estimated")


def flops(network: nn.Module, rows: int, context: int, vocab_size: int) -> float:
    """Return the amount of `count_flops`."""
    return count_flops(network, rows, context, vocab_size).amount


def flops_per_token(network: nn.Module, context: int, vocab_size: int) -> float:
    """Return the operations of a forward and backward pass per token of a full row."""
    return flops(network, 1, context, vocab_size) / context


def _count(network: nn.Module, context: int, vocab_size: int) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    state = {name: p.detach().to("meta").requires_grad_(p.requires_grad) for name, p in network.named_parameters()}
    state |= {name: b.to("meta") for name, b in network.named_buffers()}
    tokens_BT = torch.zeros(1, context, dtype=torch.int64, device="meta")
    with _evaluating(network), FlopCounterMode(display=False) as counter:
        logits_BTV = torch.func.functional_call(network, state, (tokens_BT, None))
        if logits_BTV.shape != (1, context, vocab_size):
            raise ValueError("not logits")
        logits_BTV.sum().backward()
    if not counter.get_total_flops():
        raise ValueError("nothing was counted")
    return float(counter.get_total_flops())


CHECKED = 32  # positions of the short sequence that is cut everywhere
CHECK_TOKENS = 4096  # tokens in all that the cuts of a full row may cost
CHECK_LOGITS = 1 << 22  # logits of one forward pass
TOLERANCE = 1e-5  # of the largest logit: a hundred times the rounding of float32


def check(network: nn.Module, vocab_size: int, context: int, *, segments: bool = False) -> None:
    """Refuse a network that cannot be measured; it is left exactly as it was, and so are the random states.

    A short row is cut at every place and a full row at many: with all tokens from the cut on changed, nothing
    before it may change. Parameters that are constant, as zero-initialised projections are, get other values
    meanwhile, for a leak behind a zero would not show.

    Args:
        network: on its device.
        vocab_size: tokens of the vocabulary.
        context: longest row.
        segments: whether segments are to be kept apart too.

    Raises:
        DiagnoseError: the network raises, or returns something else than finite logits (B, T, V); has nothing
            to train; answers at random in evaluation mode; mixes rows; lets the future through (naming the
            first offending position, counted from 0); or lets one segment see another.
    """
    if not parameters(network):
        raise _refusal(network, "has no parameters that need gradients")
    device = next(network.parameters()).device
    own = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=own), _evaluating(network), torch.no_grad():
        draw = torch.Generator().manual_seed(seeding.key(0, "check"))
        rows_BT = torch.randint(vocab_size, (2, context), generator=draw).to(device)
        _check_parts(network, rows_BT, _logits(network, rows_BT, None, vocab_size))
        with _woken(network, draw):
            short = min(context, CHECKED)
            _check_cuts(network, rows_BT[0, :short], list(range(1, short)), vocab_size)
            _check_cuts(network, rows_BT[0], _some_cuts(context), vocab_size)
            if segments:
                _check_segments(network, rows_BT[0], vocab_size)


def _refusal(network: nn.Module, what: str) -> DiagnoseError:
    return DiagnoseError(f"the network {type(network).__name__} {what}")


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    flags = [(module, module.training) for module in network.modules()]
    try:
        network.eval()
        yield
    finally:
        for module, flag in flags:
            module.training = flag


@contextmanager
def _woken(network: nn.Module, draw: torch.Generator) -> Iterator[None]:
    """Give parameters that are constant a small spread for a while."""
    constant = [p for p in network.parameters() if p.numel() and bool((p == p.flatten()[0]).all())]
    kept = [p.clone() for p in constant]
    try:
        for p in constant:
            p.add_(0.02 * torch.randn(p.shape, generator=draw).to(p))
        yield
    finally:
        for p, value in zip(constant, kept, strict=True):
            p.copy_(value)


def _logits(network: nn.Module, tokens_BT: Tensor, segments_BT: Tensor | None, vocab_size: int) -> Tensor:
    """Run a network and see that it returns finite logits of the right shape."""
    shape = (*tokens_BT.shape, vocab_size)
    try:
        logits = network(tokens_BT, segments_BT)
    except Exception as error:  # noqa: BLE001 - a user's network may raise anything
        raise _refusal(network, f"fails on tokens of shape {tuple(tokens_BT.shape)}: {told(error)}") from None
    if not isinstance(logits, torch.Tensor):
        raise _refusal(network, f"returns a {type(logits).__name__}; logits of shape {shape} are wanted")
    if logits.shape != shape:
        raise _refusal(network, f"returns shape {tuple(logits.shape)}; logits of shape {shape} are wanted")
    if not logits.is_floating_point():
        raise _refusal(network, f"returns {logits.dtype}; logits are floating-point numbers")
    if not bool(logits.sum(dtype=torch.float32).isfinite()):  # one pass; `isfinite` of all takes four
        raise _refusal(network, "returns NaN or infinite logits before any training")
    checked: Tensor = logits
    return checked


def _check_parts(network: nn.Module, rows_BT: Tensor, logits_BTV: Tensor) -> None:
    """See that a network gives the same answer twice, and that its features and head make up its logits."""
    limit = TOLERANCE * float(logits_BTV.abs().max())
    again_BTV = _logits(network, rows_BT, None, logits_BTV.shape[2])
    if float((again_BTV - logits_BTV).abs().max()) > limit:
        what = "answers the same tokens differently in evaluation mode (a dropout that is always on?)"
        raise _refusal(network, what)
    if remembers(network):
        _check_memory(network, rows_BT, logits_BTV)
    parts = chunked_loss.split(network)
    if parts is None:
        return
    try:
        parted_BTV = parts[1](parts[0](rows_BT, None))
        same = float((parted_BTV - logits_BTV).abs().max()) <= limit
    except Exception as error:  # noqa: BLE001 - a user's network may raise anything
        raise _refusal(network, f"has `features` and `head` that fail together: {told(error)}") from None
    if not same:
        raise _refusal(network, "has `features` and `head`, but does not return head(features(tokens, segments))")


def _check_memory(network: Any, rows_BT: Tensor, logits_BTV: Tensor) -> None:
    """See that reading a row in two parts and a last token gives what reading it at once does."""
    cuts, memory, parts = sorted({0, rows_BT.shape[1] // 2, rows_BT.shape[1] - 1, rows_BT.shape[1]}), None, []
    try:
        for begin, end in itertools.pairwise(cuts):
            some_BTV, memory = network.read_on(rows_BT[:, begin:end], memory)
            parts.append(some_BTV)
        furthest = float((torch.cat(parts, 1) - logits_BTV).abs().max())
    except Exception as error:  # noqa: BLE001 - a user's network may raise anything
        raise _refusal(network, f"has a `read_on` that fails: {told(error)}") from None
    if furthest > 100 * TOLERANCE * float(logits_BTV.abs().max()):
        raise _refusal(network, "has a `read_on` that gives other logits than reading all tokens at once")


def _some_cuts(length: int) -> list[int]:
    """Return cuts of a full row: evenly spread, and those where leaks that depend on the length begin."""
    count = max(8, CHECK_TOKENS // length)
    spread = range(1, length, max(1, length // count))
    near = {length * k // 4 + d for k in (1, 2, 3) for d in (-1, 0, 1, 2)} | {1, 2, length - 2, length - 1}
    return sorted({cut for cut in (*spread, *near) if 0 < cut < length})


def _check_cuts(network: nn.Module, tokens_T: Tensor, cuts: list[int], vocab_size: int) -> None:
    """Change all tokens from each cut on; what a network says before it must stay."""
    size = max(1, CHECK_LOGITS // (len(tokens_T) * vocab_size))
    seen: list[tuple[int, int]] = []
    for begin in range(0, len(cuts), size):
        cuts_C = torch.tensor(cuts[begin : begin + size], device=tokens_T.device)
        place_T = torch.arange(len(tokens_T), device=tokens_T.device)
        changed_CT = place_T >= cuts_C[:, None]
        moved_CT = _moved_by(network, tokens_T, changed_CT, vocab_size, None)
        leaks = (moved_CT & ~changed_CT).nonzero().tolist()
        seen += [(place, -cuts[begin + row]) for row, place in leaks]
    if seen:
        place, cut = min(seen)
        where = f"its output at position {place} changes with tokens from position {-cut} on"
        raise _refusal(network, f"lets the future through: {where} (counted from 0, rows of {len(tokens_T)})")


def _moved_by(
    network: nn.Module, tokens_T: Tensor, changed_CT: Tensor, vocab_size: int, segments_T: Tensor | None
) -> Tensor:
    """Say which outputs change when some tokens of a row do (bool, C, T)."""
    rows_BT = torch.cat([tokens_T[None], torch.where(changed_CT, (tokens_T + 1) % vocab_size, tokens_T)])
    segments_BT = None if segments_T is None else segments_T.expand_as(rows_BT)
    logits_BTV = _logits(network, rows_BT, segments_BT, vocab_size)
    alone_TV = _logits(network, rows_BT[:1], None if segments_BT is None else segments_BT[:1], vocab_size)[0]
    limit = TOLERANCE * float(logits_BTV.abs().max())
    noise = float((alone_TV - logits_BTV[0]).abs().max())
    if noise > 100 * limit:
        raise _refusal(network, "answers a row differently with other rows beside it in the batch")
    return logits_BTV[1:].sub_(logits_BTV[0]).abs_().amax(2) > max(limit, 16 * noise)


def _check_segments(network: nn.Module, tokens_T: Tensor, vocab_size: int) -> None:
    """Divide a row in two at some places and change the first part; the second must stay."""
    place_T = torch.arange(len(tokens_T), device=tokens_T.device)
    for border in sorted({1, len(tokens_T) // 2, len(tokens_T) - 1} - {0, len(tokens_T)}):
        first_T = place_T < border
        moved_CT = _moved_by(network, tokens_T, first_T[None], vocab_size, (~first_T).long())
        wrong = (moved_CT[0] & ~first_T).nonzero().flatten().tolist()
        if wrong:
            why = f"position {wrong[0]} changes with the segment that ends at position {border - 1}"
            raise _refusal(network, f"lets a segment see another ({why}), which batches.mask = 'document' forbids")

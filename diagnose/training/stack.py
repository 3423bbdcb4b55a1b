"""Runs that differ in their seed alone, trained as one stacked network: one forward and backward pass for all.

Each run keeps its own trainer, which goes on in a thread. Only one of these threads runs at a time, so that what torch
keeps for a whole process (random states, switches) is never two runs' at once. They meet for each step, which the last
that comes takes for all; weights, optimizer, clipping, readings and checkpoints stay each run's own.

A run that ends, however it does, leaves its place in the stack to be computed along with its last weights: what a sum
is rounded to may hang on how many networks there are, and so the others' steps stay what they would have been.

Shapes: N networks, B rows, T positions, M = N x B x T targets, V vocabulary.
"""

from __future__ import annotations

import math
import threading
import warnings
from contextlib import contextmanager
from textwrap import shorten
from typing import TYPE_CHECKING

import torch
from torch import nn

from diagnose.training import device, switches, trainer
from diagnose.training.batches import moved
from diagnose.training.fused_loss import nats
from diagnose.training.registry import told
from diagnose.training.taking import GradientRequest, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from diagnose.training.batches import Batch
    from diagnose.training.preparation import Setup
    from diagnose.training.step_clock import StepClock
    from diagnose.training.taking import Taken, Taking

APART = {"fp32": 1e-3, "bf16": 0.05}  # share by which a first step may differ from one that is taken singly
TOLD = 160  # letters of an error of torch's
HEARD = 0.5  # seconds after which a signal is heard that the system gave to another thread


class Networks:
    """Networks of one shape whose weights are copied into one stacked network before each step."""

    def __init__(self, networks: Mapping[int, nn.Module], count: int) -> None:
        """Take networks by their place among `count`; a place that has none is computed as the first is."""
        self.own = {place: dict(net.named_parameters()) for place, net in networks.items()}
        self.places, first = range(count), networks[min(networks)]
        alike = [networks.get(place, first) for place in self.places]
        self.weights_N, self.buffers_N = torch.func.stack_module_state(alike)
        copies = {name: value_N.detach().unbind() for name, value_N in self.weights_N.items()}
        self._copies = [copies[name][place] for place, own in self.own.items() for name in own]
        self._sources = [value.detach() for own in self.own.values() for value in own.values()]

    def accumulate(self, brought: Mapping[int, GradientRequest]) -> Tensor:
        """Give each network that is brought the gradients of its step, and return all losses (N); see `trainer`."""
        torch._foreach_copy_(self._copies, self._sources)  # one kernel for many, as optimizers use it
        one = next(iter(brought.values()))
        where = next(iter(self.weights_N.values())).device
        total_N = torch.zeros(len(self.places), device=where)
        weights = {place: trainer.weights(some.batches, some.recipe.loss) for place, some in brought.items()}
        for part in range(len(one.batches)):
            given = {
                place: (some.batches[part].to(where), moved(weights[place][part], where))
                for place, some in brought.items()
            }
            with device.autocast(where, one.recipe.run.precision), _plain():
                losses_N = self._losses(one, given, decay=one.recipe.loss.weight_decay if part == 0 else 0.0)
                losses_N.sum().backward()  # type: ignore[no-untyped-call]
            total_N += losses_N.detach()
        self._hand_out(brought)
        return total_N

    def _losses(self, one: GradientRequest, given: Mapping[int, tuple[Batch, Tensor]], *, decay: float) -> Tensor:
        """Return what a part of a step minimises (N); the sum's gradient is each network's own."""
        filled = [given.get(place) or next(iter(given.values())) for place in self.places]
        batches = [batch for batch, _ in filled]
        segments = [batch.segments_BT for batch in batches if batch.segments_BT is not None]
        rows_NBT = [torch.stack(parts) for parts in ([batch.inputs_BT for batch in batches], segments) if parts]

        def logits(weights: dict[str, Tensor], buffers: dict[str, Tensor], *rows_BT: Tensor) -> Tensor:
            found: Tensor = torch.func.functional_call(one.network, (weights, buffers), (*rows_BT, None)[:2])
            return found

        stacked = torch.func.vmap(logits, randomness="error")
        logits_MV = stacked(self.weights_N, self.buffers_N, *rows_NBT).flatten(0, 2)
        weights_M = torch.stack([weights_BT for _, weights_BT in filled]).flatten()
        targets_M = torch.stack([batch.targets_BT for batch in batches]).flatten()
        logits_MV = logits_MV.masked_fill((weights_M == 0)[:, None], 0)
        nats_M = nats(logits_MV, targets_M, one.recipe.loss.label_smoothing)
        losses_N = (weights_M * nats_M).view(len(self.places), -1).sum(1)
        return losses_N + self._penalty(decay) if decay else losses_N

    def _penalty(self, decay: float) -> Tensor:
        """Return `trainer.penalty` of each network (N)."""
        trained = [value_N for value_N in self.weights_N.values() if value_N.requires_grad]
        return 0.5 * decay * torch.stack([value_N.square().flatten(1).sum(1) for value_N in trained]).sum(0)

    def _hand_out(self, brought: Mapping[int, GradientRequest]) -> None:
        """Let each network's gradients be its part of the stack's."""
        for name, value_N in self.weights_N.items():
            if value_N.grad is not None:
                parts, value_N.grad = value_N.grad.unbind(), None
                for place in brought:
                    self.own[place][name].grad = parts[place]


@contextmanager
def _plain() -> Iterator[None]:
    """Compute by torch alone, as `vmap` can; it warns where it takes networks one by one, as attention of a CPU."""
    loops = device.fused_loops()
    used = loops is not None and loops.in_use()
    try:
        if loops is not None and used:
            loops.use(wanted=False)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="There is a performance drop")
            yield
    finally:
        if loops is not None and used:
            loops.use()


class SeedStack:
    """Threads that take turns, each with a run, and meet for the steps of the stacked network.

    Attributes:
        seeds: of all its networks, in order; also of those that are not trained any more.
    """

    def __init__(self, seeds: Sequence[int], stops: Callable[[], bool] = lambda: False) -> None:
        """Take the seeds, and what says whether all are to stop after their step."""
        self.seeds, self._stops = tuple(seeds), stops
        self._turn, self._met = threading.Condition(), 0
        self._present: set[int] = set()
        self._brought: dict[int, tuple[Taking, StepClock]] = {}
        self._taken: dict[int, Taken] = {}
        self._networks: Networks | None = None
        self._failure: BaseException | None = None
        self._stopping = False
        self._errors: list[BaseException] = []

    def carry_out(self, works: Mapping[int, Callable[[Member], None]]) -> None:
        """Carry out each work, by its place, and wait for all.

        Raises:
            BaseException: what the first of them raised.
        """
        self._present = set(works)
        threads = [threading.Thread(target=self._enter, args=given, daemon=True) for given in works.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                try:
                    thread.join(HEARD)
                except KeyboardInterrupt:  # a second Ctrl-C asks for the same: torch's threads cannot be left alone
                    self._stopping = True
        if self._errors:
            raise self._errors[0]

    def _enter(self, place: int, work: Callable[[Member], None]) -> None:
        with self._turn:
            try:
                work(Member(self, place))
            except BaseException as error:  # noqa: BLE001 - raised again by `carry_out`
                self._errors.append(error)
            finally:
                self._present.discard(place)
                self._go_on_if_all_are_here()

    def stops(self) -> bool:
        """Say whether all are to stop after their step."""
        return self._stopping or self._stops() or bool(self._errors)

    def take(self, place: int, step: Taking, clock: StepClock) -> Taken:
        """Wait until all have come; the last one takes the steps.

        Raises:
            BaseException: what a step raised, to each of them.
        """
        before, self._brought[place] = self._met, (step, clock)
        self._go_on_if_all_are_here()
        self._turn.wait_for(lambda: self._met > before)
        if self._failure is not None:
            raise self._failure
        return self._taken[place]

    def _go_on_if_all_are_here(self) -> None:
        if not self._present or self._brought.keys() != self._present:
            return
        try:
            self._taken = self._steps(self._brought)
        except BaseException as error:  # noqa: BLE001 - raised by each of those that wait
            self._failure = error
        self._brought, self._met = {}, self._met + 1
        self._turn.notify_all()

    def _steps(self, brought: Mapping[int, tuple[Taking, StepClock]]) -> dict[int, Taken]:
        """Take a step of each; every clock counts all of them, and nothing that a run does in between."""
        for _, clock in brought.values():
            clock.start()
        with switches.explained():
            asked = {place: next(step) for place, (step, _) in brought.items()}
            if self._networks is None:
                self._networks = Networks({place: some.network for place, some in asked.items()}, len(self.seeds))
            losses = self._networks.accumulate(asked).unbind()
        taken = {place: finish(step, losses[place]) for place, (step, _) in brought.items()}
        for _, clock in brought.values():
            clock.mark()
        return taken


class Member:
    """A run's place in a stack; see `Mates`."""

    def __init__(self, stack: SeedStack, place: int) -> None:
        self._stack, self._place = stack, place

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the stack's networks."""
        return self._stack.seeds

    def take(self, step: Taking, clock: StepClock) -> Taken:
        """Take a step when all others have come to one."""
        return self._stack.take(self._place, step, clock)

    def stops(self) -> bool:
        """Say whether the run is to stop after its step."""
        return self._stack.stops()


def why_not(setups: Sequence[Setup]) -> str:
    """Say why runs that differ in their seed alone cannot be trained as one stacked network; "" where they can.

    Each takes its first step singly and in the stack, and both have to come to the same.
    """
    one = setups[0]
    where = one.prepare()
    with device.random_kept(where):
        networks = [setup.network() for setup in setups]
        why = _known(one, networks)
        if why:
            return why
        try:
            return _first_step(setups, networks)
        except Exception as error:  # noqa: BLE001 - a user's network may raise anything
            return f"its steps cannot be stacked: {shorten(told(error), TOLD, placeholder=' ...')}"


def _known(one: Setup, networks: Sequence[nn.Module]) -> str:
    modules = list(networks[0].modules())
    if one.recipe.run.compile == "on":
        return "its steps are compiled (--set run.compile=off)"
    if one.course.steps is None:
        return "its budget is in seconds, which networks of a stack would share"
    if any("Dropout" in type(module).__name__ and getattr(module, "p", 0) > 0 for module in modules):
        return "it has dropout, whose masks each network draws by itself (--set model.dropout=0 does without)"
    if any(isinstance(module, nn.RNNBase) for module in modules):
        return "torch does not stack its recurrent layers"
    return ""


def _first_step(setups: Sequence[Setup], networks: Sequence[nn.Module]) -> str:
    """Take the first step of each network by itself and of their stack, and say what is not the same."""
    asked = {}
    for place, (setup, net) in enumerate(zip(setups, networks, strict=True)):
        net.train()
        asked[place] = GradientRequest(net, trainer.step_parts(setup.course, 0), setup.recipe, 0)
    buffers = [(value, value.clone()) for net in networks for value in net.buffers()]
    singly = [(trainer.backward(*one), _taken_norm(one.network)) for one in asked.values()]
    if any(not torch.equal(*pair) for pair in buffers):
        return "it counts or averages in buffers while it trains"
    losses = Networks(dict(enumerate(networks)), len(networks)).accumulate(asked).tolist()
    stacked = [(loss, _taken_norm(net)) for loss, net in zip(losses, networks, strict=True)]
    pairs = [(a, b) for one, other in zip(singly, stacked, strict=True) for a, b in zip(one, other, strict=True)]
    apart = max(abs(a - b) / abs(a) if a != b else 0.0 for a, b in pairs)
    if apart <= APART[setups[0].recipe.run.precision]:
        return ""
    return f"its first step comes out otherwise in a stack (off by a share of {apart:.1g})"


def _taken_norm(net: nn.Module) -> float:
    """Return the norm of a network's gradient, and take it away."""
    trained = [p for p in net.parameters() if p.grad is not None]
    norm = float(nn.utils.clip_grad_norm_(trained, math.inf))
    net.zero_grad(set_to_none=True)
    return norm

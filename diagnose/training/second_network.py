"""A second network on a CUDA device, which takes the weights of one that is trained and is read beside its training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from diagnose.training import device
from diagnose.training.device import casts_left_alone, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from diagnose.training.preparation import Setup


class SecondNetwork:
    """Shares nothing with the training: no weights, mode, compiled function, random state, casts or queue."""

    def __init__(self, network: nn.Module) -> None:
        """Take a network that nobody else uses and that draws no random numbers when it reads."""
        self.network = network.eval().requires_grad_(False)
        self.device = next(network.parameters()).device
        self._queue = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        self._copied = recorded(self.device)

    def take(self, trained: nn.Module) -> bool:
        """Queue a copy of another's weights and buffers, as they are before what is queued next.

        Nobody may be reading this network.

        Returns:
            Whether there is a place for each of them here: a network may make buffers while it trains.
        """
        own, others = _tensors(self.network), _tensors(trained)
        if [(value.shape, value.dtype) for value in own] != [(value.shape, value.dtype) for value in others]:
            return False
        torch._foreach_copy_(own, others)
        self._copied = recorded(self.device)
        return True

    def read(self, reader: Callable[[nn.Module, bool], None]) -> None:
        """Give the network to a reader, in a thread of its own, once the copy has arrived."""
        with casts_left_alone(), torch.cuda.stream(self._queue):
            self._queue.wait_event(self._copied)
            reader(self.network, True)


def _tensors(network: nn.Module) -> list[Tensor]:
    return [value.detach() for value in (*network.parameters(), *network.buffers())]


def second_network(setup: Setup) -> SecondNetwork | None:
    """Return one for the samples of a run; None where the trained one writes them itself, and training waits.

    That is on other devices than CUDA's, where weights are divided among processes, and for a network that draws random
    numbers when it reads: beside the training it would take them from a step.
    """
    recipe = setup.recipe
    if setup.divides or not device.samples_beside(recipe, device.find(recipe.run.device)):
        return None
    network = setup.network().eval()
    return None if _draws(network, recipe.batches.context) else SecondNetwork(network)


def _draws(network: nn.Module, context: int) -> bool:
    where = next(network.parameters()).device
    index = torch.cuda.current_device() if where.index is None else where.index
    with torch.random.fork_rng([index]), torch.no_grad():
        before = _states(index)
        network(torch.zeros(1, context, dtype=torch.int64, device=where), None)
        return any(not torch.equal(one, other) for one, other in zip(before, _states(index), strict=True))


def _states(index: int) -> tuple[Tensor, Tensor]:
    return torch.get_rng_state(), torch.cuda.get_rng_state(index)

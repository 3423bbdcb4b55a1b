"""A run's network where processes divide it among them: put together whenever somebody reads or saves it.

The first process keeps a whole network besides its share, on the host while the training needs the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from diagnose.training import processes, sharding
from diagnose.training.trainer import make_optimizer

if TYPE_CHECKING:
    from torch import Tensor, nn

    from diagnose.config.recipe import OptimizerConfig

HOST = torch.device("cpu")
WEIGHTS, MOMENTS = "weights", "moments"  # what the first process asks the others to put together


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimizer's state, by number of the parameter and name ("3.exp_avg")."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": torch.as_tensor(v) for index, values in state.items() for key, v in values.items()}


@dataclass
class Shares:
    """What this process holds of a network.

    Attributes:
        network: whose parameters are shares.
        optimizer: of these.
        device: that they lie on.
        whole: in the first process, the whole network.
        step: the one after which the whole network's weights are.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    device: torch.device
    whole: nn.Module | None
    step: int

    @classmethod
    def begin(
        cls, built: nn.Module, table: OptimizerConfig, device: torch.device, begun: tuple[nn.Module | None, int],
        moments: dict[str, Tensor],
    ) -> Shares:  # fmt: skip
        """Divide what the first process has; all processes do so at once.

        Args:
            built: the network as it is built, on the host.
            table: of the optimizer.
            device: this process's.
            begun: in the first process the whole network, and the step whose weights it has.
            moments: in the first process the optimizer's state, whole.
        """
        whole, step = begun
        if whole is not None:
            built.load_state_dict(whole.state_dict())
        sharding.spread_weights(built)
        sharding.divide(built, device)
        optimizer = make_optimizer(built, table)
        sharding.spread_moments(optimizer, moments)
        return cls(built, optimizer, device, whole, step)

    def gather(self, step: int) -> None:
        """Have the weights after a step in the whole network, on its device; asked by the first process alone."""
        if self.whole is None:
            return
        self.whole.to(self.device)
        if self.step != step:
            processes.of_the_first(WEIGHTS)
            sharding.gather_weights(self.network, self.whole)
            self.step = step

    def put_away(self) -> None:
        """Leave the device's memory to the training again."""
        if self.whole is not None:
            self.whole.to(HOST)

    def moments(self) -> dict[str, Tensor]:
        """Return the optimizer's state, whole and on the host; asked by the first process alone."""
        processes.of_the_first(MOMENTS)
        return sharding.gather_moments(optimizer_tensors(self.optimizer), kept=True)

    def give(self, wish: str) -> None:
        """Take part in what the first process puts together."""
        if wish == WEIGHTS:
            sharding.gather_weights(self.network, None)
        else:
            sharding.gather_moments(optimizer_tensors(self.optimizer), kept=False)

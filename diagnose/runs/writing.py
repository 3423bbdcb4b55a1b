"""What is written beside the training of a CUDA device: checkpoints, copied off it in its own queue, and samples."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from diagnose.runs import checkpoints
from diagnose.runs.beside import Beside
from diagnose.training.device import recorded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor, nn

    from diagnose.runs.checkpoints import Tensors
    from diagnose.training.second_network import SecondNetwork


class CheckpointWriter(Beside):
    """Writes checkpoints.

    What lies on a CUDA device is copied to pinned memory, behind the step that made it and before the next one changes
    it; the host waits for neither the copy nor the disk. What lies on a CPU is written at once, for a copy would cost
    memory and the thread would take a core from the training.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pinned: dict[tuple[str, str], Tensor] = {}

    def write(self, folder: Path, tensors: dict[str, Tensors], state: dict[str, Any], *, owned: bool = False) -> None:
        """Write a checkpoint; see `checkpoints.write_checkpoint`.

        Args:
            folder: of the checkpoint.
            tensors: by file and name.
            state: beside them.
            owned: whether nobody will change those that lie on the host.

        Raises:
            OSError: this one cannot be written, or the last one could not.
        """
        self.settle()
        places = {value.device for values in tensors.values() for value in values.values()}
        card = next((place for place in places if place.type == "cuda"), None)
        if card is None:
            checkpoints.write_checkpoint(folder, tensors, state)
            return
        copies = {
            file: {name: self._copied(value, (file, name), owned=owned) for name, value in values.items()}
            for file, values in tensors.items()
        }
        self.begin(partial(_write_once_copied, recorded(card), folder, copies, state))

    def _copied(self, value: Tensor, key: tuple[str, str], *, owned: bool) -> Tensor:
        """Queue a copy to the host, into memory that the last checkpoint no longer needs."""
        if value.device.type != "cuda":
            return value if owned else value.detach().clone()
        held = self._pinned.get(key)
        if held is None or (held.shape, held.dtype) != (value.shape, value.dtype):
            held = self._pinned[key] = torch.empty(value.shape, dtype=value.dtype).pin_memory()
        held.copy_(value.detach(), non_blocking=True)
        return held


def _write_once_copied(copied: torch.cuda.Event, folder: Path, copies: dict[str, Tensors], state: Any) -> None:
    copied.synchronize()
    checkpoints.write_checkpoint(folder, copies, state)


class SampleWriter(Beside):
    """Has networks write samples.

    With a second network on a CUDA device, that one takes the weights and a thread has it write. Without one, or where
    it has no place for a weight, the sample is written at once.
    """

    def __init__(self, second: SecondNetwork | None = None) -> None:
        super().__init__()
        self._second = second

    def write(self, network: nn.Module, write: Callable[[nn.Module, bool], None]) -> None:
        """Write a sample.

        Args:
            network: with the weights to write by.
            write: does so, given a network and whether nobody else uses that one; see `sampling.generate`.

        Raises:
            Exception: what `write` raises, or raised the last time.
        """
        self.settle()
        second = self._second
        if second is None or not second.take(network):
            write(network, False)
        else:
            self.begin(partial(second.read, write))

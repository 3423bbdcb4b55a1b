"""Checkpoints written beside the training: copied off a CUDA device in its own queue, then written by a thread."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from diagnose.runs import checkpoints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor

    from diagnose.runs.checkpoints import Tensors


class CheckpointWriter:
    """Writes checkpoints one after another; the next one waits until the last is written.

    What lies on a CUDA device is copied to pinned memory, behind the step that made it and before the next one changes
    it; the host waits for neither the copy nor the disk. What lies on a CPU is written at once, for a copy would cost
    memory and the thread would take a core from the training.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._errors: list[BaseException] = []
        self._pinned: dict[tuple[str, str], Tensor] = {}

    @property
    def busy(self) -> bool:
        """Whether a checkpoint is still being written."""
        return self._thread is not None and self._thread.is_alive()

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
        if not any(value.device.type == "cuda" for values in tensors.values() for value in values.values()):
            checkpoints.write_checkpoint(folder, tensors, state)
            return
        copies = {
            file: {name: self._copied(value, (file, name), owned=owned) for name, value in values.items()}
            for file, values in tensors.items()
        }
        copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
        copied.record()
        self._thread = threading.Thread(target=self._carry_out, args=(copied, folder, copies, state))
        self._thread.start()

    def _copied(self, value: Tensor, key: tuple[str, str], *, owned: bool) -> Tensor:
        """Queue a copy to the host, into memory that the last checkpoint no longer needs."""
        if value.device.type != "cuda":
            return value if owned else value.detach().clone()
        held = self._pinned.get(key)
        if held is None or (held.shape, held.dtype) != (value.shape, value.dtype):
            held = self._pinned[key] = torch.empty(value.shape, dtype=value.dtype).pin_memory()
        held.copy_(value.detach(), non_blocking=True)
        return held

    def _carry_out(self, copied: torch.cuda.Event, folder: Path, copies: dict[str, Tensors], state: Any) -> None:
        try:
            copied.synchronize()
            checkpoints.write_checkpoint(folder, copies, state)
        except BaseException as error:  # noqa: BLE001 - the thread that trains raises it
            self._errors.append(error)

    def look(self) -> None:
        """Raise what kept a checkpoint from being written, once that is known."""
        if not self.busy:
            self.settle()

    def settle(self) -> None:
        """Wait until the last checkpoint is written.

        Raises:
            OSError: it could not be.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._errors:
            raise self._errors.pop()

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Wait for the last checkpoint when done; its error is raised unless there is another."""
        try:
            yield
        except BaseException:
            if self._thread is not None:
                self._thread.join()
            raise
        self.settle()

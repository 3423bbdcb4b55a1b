"""The random states before a recorded step, as tensors: torch's, numpy's and Python's own."""

from __future__ import annotations

import ctypes
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 3  # of what `random.getstate` returns
TWISTER = "MT19937"  # numpy's generator behind `np.random.beta` and the like
TWISTER_BYTES = 625 * 4  # of its state: 624 words and the place among them


class RandomStates:
    """Takes the random states before each step; what nothing was drawn from since the last time is not copied again."""

    def __init__(self) -> None:
        self._python: tuple[tuple[int, ...], Tensor] | None = None
        self._numpy: tuple[bytes, Tensor] | None = None
        self._twister: tuple[Any, ctypes.Array[ctypes.c_char]] | None = None  # numpy's generator, and its memory

    def taken(self, device: torch.device) -> dict[str, Tensor]:
        """Return the random states as they are now, by whose they are."""
        out = {"cpu": torch.get_rng_state()}
        if device.type == "cuda":
            out["cuda"] = torch.cuda.get_rng_state(device)
        others = {"numpy": self._numpy_state(), "python": self._python_state()}
        return out | {name: state for name, state in others.items() if state is not None}

    def _python_state(self) -> Tensor | None:
        version, words, gauss = random.getstate()
        if version != VERSION or gauss is not None:
            return None
        if self._python is None or self._python[0] != words:
            self._python = words, torch.from_numpy(np.array(words, np.uint32).view(np.int32))
        return self._python[1]

    def _numpy_state(self) -> Tensor | None:
        """Return numpy's state: the last one where its generator's memory is the same, which is read much faster.

        Normal numbers come in pairs, and taking the second of a pair moves nothing in that memory: while one waits,
        the state is always read anew.
        """
        bits = np.random.get_bit_generator()  # type: ignore[attr-defined]
        if self._twister is None or self._twister[0] is not bits:
            if type(bits).__name__ != TWISTER:
                return None
            self._twister = bits, (ctypes.c_char * TWISTER_BYTES).from_address(bits.ctypes.state_address)
        memory = self._twister[1].raw
        if self._numpy is not None and self._numpy[0] == memory:
            return self._numpy[1]
        _, keys, place, waiting, normal = np.random.get_state()  # noqa: NPY002 - the user's own
        words_N = np.empty(len(keys) + 4, np.uint32)
        words_N[:-4], words_N[-4:-2] = keys, (place, waiting)
        words_N[-2:] = np.array([normal], np.float64).view(np.uint32)
        state = torch.from_numpy(words_N.view(np.int32))
        self._numpy = None if waiting else (memory, state)
        return state


def put(states: dict[str, Tensor], device: torch.device) -> None:
    """Set random states as they were; those that a record does not hold stay."""
    if "cpu" in states:
        torch.set_rng_state(states["cpu"])
    if "cuda" in states and device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
    if "numpy" in states:
        words = states["numpy"].numpy().view(np.uint32)
        place, waiting = map(int, words[-4:-2])
        normal = float(words[-2:].copy().view(np.float64)[0])
        np.random.set_state((TWISTER, words[:-4].copy(), place, waiting, normal))  # noqa: NPY002
    if "python" in states:
        random.setstate((VERSION, tuple(states["python"].numpy().view(np.uint32).tolist()), None))

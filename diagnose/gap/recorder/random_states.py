"""The random states before a recorded step, as tensors: torch's, numpy's and Python's own."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 3  # of what `random.getstate` returns
TWISTER = "MT19937"  # numpy's generator behind `np.random.beta` and the like


_python: list[tuple[tuple[int, ...], Tensor]] = []  # none or one: Python's own state as it was last, which few change


def taken(device: torch.device) -> dict[str, Tensor]:
    """Return the random states as they are now, by whose they are."""
    out = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        out["cuda"] = torch.cuda.get_rng_state(device)
    state = np.random.get_state()  # noqa: NPY002 - the user's own
    if isinstance(state, tuple) and state[0] == TWISTER:
        _, keys, place, waiting, normal = state
        words_N = np.empty(len(keys) + 4, np.uint32)
        words_N[:-4], words_N[-4:-2] = keys, (place, waiting)
        words_N[-2:] = np.array([normal], np.float64).view(np.uint32)
        out["numpy"] = torch.from_numpy(words_N.view(np.int32))
    version, words, gauss = random.getstate()
    if version == VERSION and gauss is None:
        out["python"] = _as_tensor(words)
    return out


def _as_tensor(words: tuple[int, ...]) -> Tensor:
    """Return Python's state; the tensor of the last one where it is the same."""
    if not _python or _python[0][0] != words:
        _python[:] = [(words, torch.from_numpy(np.array(words, np.uint32).view(np.int32)))]
    return _python[0][1]


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

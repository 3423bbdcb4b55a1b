"""Objectives that take gradients themselves: losses of derivatives (physics, forces), penalties, adversarial inputs."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING = "does not require grad"  # of torch's error where gradients are off


def with_gradients(objective: Callable[[], Any], again: Callable[[], None], *, always: bool = False) -> Any:
    """Return what an objective returns, run with gradients where it cannot be run without, or always.

    Args:
        objective: runs it.
        again: puts random states back before the second try.
        always: whether gradients are on from the first.
    """
    try:
        with torch.enable_grad() if always else nullcontext():
            return objective()
    except RuntimeError as error:
        if torch.is_grad_enabled() or MISSING not in str(error):
            raise
    again()
    with torch.enable_grad():
        return objective()


def tried(objective: Callable[[], Any], again: Callable[[], None]) -> Any:
    """Return what an objective returns, without training's graph; None where it fails, as a user's may on any batch."""
    try:
        with torch.no_grad():
            return with_gradients(objective, again)
    except Exception:  # noqa: BLE001 - of batches that it was not written for
        return None

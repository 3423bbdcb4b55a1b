"""Objectives that take gradients themselves: losses of derivatives (physics, forces), penalties, adversarial inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

MISSING = "does not require grad"  # of torch's error where gradients are off


def with_gradients(objective: Callable[[], Any], again: Callable[[], None]) -> Any:
    """Return what an objective returns, run with gradients where it cannot be run without.

    Args:
        objective: runs it.
        again: puts random states back before the second try.
    """
    try:
        return objective()
    except RuntimeError as error:
        if torch.is_grad_enabled() or MISSING not in str(error):
            raise
    again()
    with torch.enable_grad():
        return objective()

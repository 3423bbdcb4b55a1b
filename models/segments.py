"""Segments of a row: documents that lie side by side in it and should not see each other.

Shapes: B rows, T positions, S segments of all rows, L length of the longest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor


def starts(segments_BT: Tensor) -> Tensor:
    """Say at which positions a segment begins (bool, B, T)."""
    return F.pad(segments_BT[:, 1:] != segments_BT[:, :-1], (1, 0), value=True)


def places(segments_BT: Tensor) -> Tensor:
    """Return each position's distance from the start of its segment (int64, B, T)."""
    place_T = torch.arange(segments_BT.shape[1], device=segments_BT.device)
    start_BT = torch.where(starts(segments_BT), place_T, 0).cummax(1).values
    return place_T - start_BT

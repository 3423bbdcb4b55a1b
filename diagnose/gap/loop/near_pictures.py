"""Pictures of which training holds a changed copy: mirrored, saved again or made noisy before the split.

Thumbnails in grey tell such copies, whatever the scale of their values; a cropped or shifted copy has another one. What
two pictures are alike in by chance is seen in training itself: where many of its own have such a neighbour (copies
among themselves, frames of a film, drawings), a neighbour in training tells nothing.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from diagnose.gap.loop.sample_parts import named_tensors

if TYPE_CHECKING:
    from diagnose.gap.loop.sample_parts import Key

EDGE = 8  # of a thumbnail: noise is averaged out
SMALLEST = 8  # edge of a picture
CHANNELS = (1, 3, 4)
COPY = 0.995  # correlation of two thumbnails: of as much one is a copy of the other
FLAT = 0.05  # of the usual contrast of training's: a picture of less has nothing to be told by
CROWDED = 0.05  # of training's pictures: where more have a near one in training, being near tells nothing
LOOKED, MOST = 512, 1 << 14  # of training's pictures that are compared with the others, and that are held


class NearPictures:
    """Thumbnails of training's pictures, to look validation's up among."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.key = keys[0] if len(keys) == 1 else None
        self._parts: list[tuple[Tensor, Tensor]] = []
        self._count = 0

    def add(self, batch: Any) -> None:
        """Add a batch's pictures, if it holds any."""
        thumbnails = None if self._count >= MOST else _thumbnails(batch, self.key)
        if thumbnails is not None:
            self._parts.append(thumbnails)
            self._count += len(thumbnails[0])

    @cached_property
    def _known(self) -> tuple[Tensor, float]:
        """All thumbnails (K, pixels), and the contrast below which a picture has nothing to be told by."""
        thumbs_KP, contrast_K = (torch.cat(parts) for parts in zip(*self._parts, strict=True))
        least = FLAT * float(contrast_K.median())
        return thumbs_KP[contrast_K > least], least

    @property
    def telling(self) -> bool:
        """Whether there are pictures, and a near one in training tells a copy."""
        return bool(self._parts) and not self.is_crowded

    @cached_property
    def is_crowded(self) -> bool:
        """Whether many of training's pictures are near another one of training."""
        if not self._parts:
            return False
        thumbs_KP, _ = self._known
        some_SP = thumbs_KP[:: max(1, len(thumbs_KP) // LOOKED)]
        near_S = _most_alike(some_SP, thumbs_KP, own=True) >= COPY
        return bool(len(near_S)) and float(near_S.float().mean()) > CROWDED

    def holds(self, batch: Any) -> list[bool]:
        """Say of each picture of a batch whether training holds a changed copy; nothing where it holds none."""
        thumbnails = _thumbnails(batch, self.key) if self.telling else None
        if thumbnails is None or thumbnails[0].shape[1] != self._known[0].shape[1]:
            return []
        (thumbs_NP, contrast_N), (thumbs_KP, least) = thumbnails, self._known
        near: list[bool] = ((_most_alike(thumbs_NP, thumbs_KP) >= COPY) & (contrast_N > least)).tolist()
        return near


def _most_alike(thumbs_NP: Tensor, thumbs_KP: Tensor, *, own: bool = False) -> Tensor:
    """Return each one's largest correlation with any of the others, mirrored or not; `own`: they are among these."""
    edge = int(thumbs_NP.shape[1] ** 0.5)
    mirrored_NP = thumbs_NP.view(-1, edge, edge).flip(2).reshape(len(thumbs_NP), -1)
    alike_NK, other_NK = thumbs_NP @ thumbs_KP.T, mirrored_NP @ thumbs_KP.T
    if own:  # itself, and its mirror image where that is itself
        same_NK = alike_NK > 1 - 1e-6
        alike_NK, other_NK = alike_NK.masked_fill(same_NK, -1), other_NK.masked_fill(same_NK, -1)
    return torch.maximum(alike_NK, other_NK).max(1).values


def _thumbnails(batch: Any, key: Key | None) -> tuple[Tensor, Tensor] | None:
    """Return the pictures of a batch in grey and small, each of mean 0 and length 1 (N, pixels), and their contrast."""
    pictures = next((tensor for name, tensor in named_tensors(batch) if name == key), None)
    grey_NHW = None if key is None or pictures is None else _grey(pictures)
    if grey_NHW is None or min(grey_NHW.shape[1:]) < SMALLEST:
        return None
    edge = min(EDGE, *grey_NHW.shape[1:])
    thumbs_NP = F.adaptive_avg_pool2d(grey_NHW[:, None], edge).flatten(1)
    thumbs_NP = thumbs_NP - thumbs_NP.mean(1, keepdim=True)
    contrast_N = thumbs_NP.norm(dim=1)
    return thumbs_NP / contrast_N.clamp(min=1e-12)[:, None], contrast_N


def _grey(found: Tensor) -> Tensor | None:
    """Return pictures in grey (N, H, W); None of what is none."""
    if found.dim() == 3 and found.dtype == torch.uint8:
        return found.detach().cpu().float()
    if found.dim() != 4:
        return None
    for channel in (1, 3):
        if found.shape[channel] in CHANNELS:
            return found.detach().cpu().float().mean(channel)
    return None

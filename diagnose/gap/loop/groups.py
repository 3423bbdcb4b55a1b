"""Whose each element of a batch is: of which sample, or of which group that a side's `groups` names.

Shapes: E elements of a batch.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from diagnose.errors import DiagnoseError
from diagnose.gap.intervals import SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.gap.loop.elements import Elements


def identities(found: Elements, number: int, groups: Any, where: str) -> NDArray[np.int64]:
    """Return whose each element is (E): numbers from 0 for samples of batch `number`, below 0 for named groups.

    A batch's one number that is of several groups is the batch's.

    Args:
        found: the batch's losses.
        number: of the batch, among all that are told apart.
        groups: what the side's `groups` returned for it; None where it has none.
        where: for errors.

    Raises:
        DiagnoseError: as many groups as neither samples nor elements.
    """
    if groups is None or of_several(found, groups):
        return number * SAMPLES + found.samples
    named = named_groups(groups)
    if len(named) == len(found.nats):
        return named
    if found.known and len(named) == found.size:
        return named[found.samples]
    raise DiagnoseError(
        f"{where}: groups returns {len(named):,} identities for {found.size:,} samples and {len(found.nats):,} losses"
    )


def of_several(found: Elements, groups: Any) -> bool:
    """Say whether a batch's losses are one number for several groups."""
    return groups is not None and found.scalar and not found.known and len(named_groups(groups)) > 1


def named_groups(groups: Any) -> NDArray[np.int64]:
    """Return what a side's `groups` returned for a batch as numbers below 0."""
    flat = groups.detach().cpu().flatten().tolist() if isinstance(groups, Tensor) else np.ravel(groups).tolist()
    return np.array([-1 - (_hash(name) >> 2) for name in flat], dtype=np.int64)


def _hash(value: Any) -> int:
    return int.from_bytes(blake2b(repr(value).encode(), digest_size=8).digest(), "little")

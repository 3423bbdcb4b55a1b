"""A term of the ledger, and the groups that terms are shown and summed in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.stats import Interval

FACTORS = ("mode", "objective", "precision", "reduction", "collation", "batching", "weights")
GROUPS = {
    "timing": ("lag", "recency"),
    "conditions": FACTORS,
    "data": ("unseen", "leak"),
    "chance": ("draw",),
    "unexplained": ("residual",),
}
GROUP_OF = {term: group for group, terms in GROUPS.items() for term in terms}


@dataclass(frozen=True)
class Term:
    """One term of the ledger.

    Attributes:
        id: as the design names it.
        value: in the losses' unit; None where it cannot be had.
        low, high: 95 % interval; None where the value is exact or has none (see `basis`).
        order_low, order_high: smallest and largest effect over the orders of changing the conditions.
        parts: what divides the value, each with its own interval; not summed again.
        basis: what the value stands on, or why there is none.
        how: how it was measured.
        beside: the same difference on other data, shown beside the value.
    """

    id: str
    value: float | None
    low: float | None = None
    high: float | None = None
    order_low: float | None = None
    order_high: float | None = None
    parts: tuple[dict[str, Any], ...] = ()
    basis: str = ""
    how: str = ""
    beside: dict[str, Any] | None = field(default=None, kw_only=True)

    @property
    def group(self) -> str:
        """The group that the term belongs to."""
        return GROUP_OF[self.id]

    def record(self) -> dict[str, Any]:
        """Return the term as plain data."""
        out = {"id": self.id, "group": self.group, **vars(self), "parts": list(self.parts)}
        if self.beside is None:
            del out["beside"]
        return out


def interval_record(found: Interval) -> dict[str, float | None]:
    """Return a value with the ends of its interval as plain data."""
    return {"value": found.value, "low": found.low, "high": found.high}


def groups_of(values: Mapping[str, float], spans: Mapping[str, Interval]) -> list[dict[str, Any]]:
    """Return the groups' sums, and each as a share of the sum of their absolute values.

    Args:
        values: of the terms, by id.
        spans: the groups whose sum has an interval.
    """
    sums = {group: math.fsum(values.get(term, 0.0) for term in terms) for group, terms in GROUPS.items()}
    total = math.fsum(abs(value) for value in sums.values()) or 1.0
    return [
        {"id": group, "value": value, "share": abs(value) / total, "low": span and span.low, "high": span and span.high}
        for group, value in sums.items()
        for span in [spans.get(group)]
    ]

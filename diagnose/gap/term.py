"""A term of the ledger, and what there is to say of it wherever it occurs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diagnose.stats import Interval


REPLAYED = 1e-4  # nats: what replaying may differ by through other threads or another machine
SIDES = ("training", "validation")


@dataclass(frozen=True)
class TermKind:
    """What there is to say of a term wherever it occurs, in one row.

    Attributes:
        id: as the design names it; its entry in the glossary has the same name.
        group: what it is shown and summed with.
        label: its row in the picture of the walk.
        lead: the title of that picture, where it is the largest.
        how: of a condition: training's → validation's.
        change: what it changes between the two sides of a user's loop, filled in from their records.
        cause: the verdict's clause, where it is the same for runs and loops.
        fix: of a condition: what a finding advises.
        settings: of a run of ours, that do so.
        field: of a condition: what of `Condition` it changes.
        beside: whether it is no step of the walk from one loss to the other: what it explains is no residual any more.
    """

    id: str
    group: str
    label: str
    lead: str = ""
    how: str = ""
    change: str = ""
    cause: str = ""
    fix: str = ""
    settings: str = ""
    field: str = ""
    beside: bool = False


DROPOUTS = {"attention", "residual", "embedding", "layers", "dropout", "dropout between layers", "attention dropout"}


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

    def record(self, group: str) -> dict[str, Any]:
        """Return the term, of such a group, as plain data."""
        out = {"id": self.id, "group": group, **vars(self), "parts": list(self.parts)}
        if self.beside is None:
            del out["beside"]
        return out


def interval_record(found: Interval) -> dict[str, float | None]:
    """Return a value with the ends of its interval as plain data."""
    return {"value": found.value, "low": found.low, "high": found.high}

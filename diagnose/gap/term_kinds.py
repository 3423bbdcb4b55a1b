"""The terms that there are, found in the folder `terms/`, in the ledger's order, and the groups they are summed in."""

from __future__ import annotations

import math
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

import diagnose.gap.terms as package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.gap.term import TermKind
    from diagnose.stats import Interval

ORDER = ("timing", "conditions", "data", "chance", "unexplained")
FILES = [import_module(f"{package.__name__}.{module.name}") for module in pkgutil.iter_modules(package.__path__)]
KINDS: list[TermKind] = sorted((k for file in FILES for k in file.KINDS), key=lambda kind: ORDER.index(kind.group))
KIND = {kind.id: kind for kind in KINDS}
GROUPS = {group: tuple(kind.id for kind in KINDS if kind.group == group) for group in ORDER}


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

"""A term of the ledger, and the groups that terms are shown and summed in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.stats import Interval


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


KINDS = (
    TermKind("lag", "timing", "lag: weights moved"),
    TermKind("recency", "timing", "recency: which batches"),
    TermKind("mode", "conditions", "mode: dropout off", how="what training mode switches on: on → off"),
    TermKind(
        "objective", "conditions", "objective: plain", lead="What the two objectives differ in",
        how="what training minimises → what validation reports", change="{train.objective} → {val.objective}",
    ),
    TermKind(
        "precision", "conditions", "precision", lead="Different precision",
        how="autocast of training → of validation", change="{train.precision} → {val.precision}",
        cause="the two losses are computed in different precision", fix="read both in the same precision",
        settings="report.val_precision=training",
    ),
    TermKind(
        "reduction", "conditions", "reduction: averaging", lead="How targets are averaged",
        how="training's average over elements → validation's", change="mean {train.mean_by} → {val.mean_by}",
        cause="the two losses are averaged over targets in different ways",
        fix="average both over all that count, padding not counted", settings="loss.mean=token, loss.padding=ignore",
    ),
    TermKind(
        "collation", "conditions", "collation: cutting", lead="How documents are cut",
        how="training data as training cuts, packs and augments it → as validation reads its own",
        change="as trained on → plain", cause="validation documents are cut otherwise than training's",
    ),
    TermKind(
        "batching", "conditions", "batching: composition", lead="How the two are batched",
        how="training's samples in its own batches → in batches of validation's sizes",
        change="batched as training is → as validation is",
        cause="the loss depends on the batch, and the two are batched in different ways",
        fix="read both in batches of one size and make",
    ),
    TermKind(
        "weights", "conditions", "weights: which are read", lead="Which weights are read",
        how="the model of the training loss → the model that validation reads",
        change="the model that was trained → the one validation reads",
        cause="the two losses are of different weights",
        fix="read training data with the weights that validation reads",
    ),
    TermKind(
        "unseen", "data", "unseen text", lead="Text that was not trained on", change="data other than training's",
    ),
    TermKind("leak", "data", "leak: seen text", change="validation data that it has seen"),
    TermKind(
        "draw", "chance", "draw: the one batch", lead="The one validation batch that was shown",
        change="the batches that were reported on",
    ),
    TermKind("residual", "unexplained", "residual: unexplained", lead="What is not explained"),
)  # in the ledger's order  # fmt: skip
KIND = {kind.id: kind for kind in KINDS}
GROUPS = {group: tuple(kind.id for kind in kinds) for group, kinds in groupby(KINDS, lambda kind: kind.group)}
DROPOUTS = {"attention", "residual", "embedding", "layers", "dropout", "dropout between layers", "attention dropout"}
FACTORS = GROUPS["conditions"]


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
        return KIND[self.id].group

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

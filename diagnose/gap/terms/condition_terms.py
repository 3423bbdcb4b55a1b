"""What the conditions do that differ between the two losses, each by itself: Shapley values of readings of one text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diagnose.formatting import counted
from diagnose.gap.intervals import RECOMPUTED, SAME_DATA, combined
from diagnose.gap.term import Term, TermKind, interval_record
from diagnose.stats import Interval
from diagnose.stats.shapley import marginals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.gap.measurements import BatchReadings, Measurements
    from diagnose.gap.reported import ReportedLosses
    from diagnose.stats import Reading
    from diagnose.stats.shapley import Coalition

KINDS = (
    TermKind("mode", "conditions", "mode: dropout off", field="on", how="what training mode switches on: on → off"),
    TermKind(
        "objective", "conditions", "objective: plain", field="objective", lead="What the two objectives differ in",
        how="what training minimises → what validation reports", change="{train.objective} → {val.objective}",
    ),
    TermKind(
        "precision", "conditions", "precision", field="precision", lead="Different precision",
        how="autocast of training → of validation", change="{train.precision} → {val.precision}",
        cause="the two losses are computed in different precision", fix="read both in the same precision",
        settings="report.val_precision=training",
    ),
    TermKind(
        "reduction", "conditions", "reduction: averaging", field="reduction", lead="How targets are averaged",
        how="training's average over elements → validation's", change="mean {train.mean_by} → {val.mean_by}",
        cause="the two losses are averaged over targets in different ways",
        fix="average both over all that count, padding not counted", settings="loss.mean=token, loss.padding=ignore",
    ),
    TermKind(
        "collation", "conditions", "collation: cutting", field="plain", lead="How documents are cut",
        how="training data as training cuts, packs and augments it → as validation reads its own",
        change="as trained on → plain", cause="validation documents are cut otherwise than training's",
    ),
    TermKind(
        "batching", "conditions", "batching: composition", field="batching", lead="How the two are batched",
        how="training's samples in its own batches → in batches of validation's sizes",
        change="batched as training is → as validation is",
        cause="the loss depends on the batch, and the two are batched in different ways",
        fix="read both in batches of one size and make",
    ),
    TermKind(
        "weights", "conditions", "weights: which are read", field="weights", lead="Which weights are read",
        how="the model of the training loss → the model that validation reads",
        change="the model that was trained → the one validation reads",
        cause="the two losses are of different weights",
        fix="read training data with the weights that validation reads",
    ),
)  # fmt: skip
HOW = {kind.id: kind.how for kind in KINDS}
AGAINST = {  # what validation's own batches are read against, by condition
    "collation": "plain ones", "reduction": "the mean over all their elements",
    "batching": "the same samples as training batches them",
}  # fmt: skip
ROUNDING = 1e-12  # of a loss
SAME_MASKS = "both sides hold the same samples: what is not known is the luck of masks, of which {} draws were read"


def terms(found: Measurements, given: ReportedLosses) -> list[Term]:
    """Return the term of each condition, 0 where it is the same on both sides."""
    del given
    return [_condition(found, kind.id) for kind in KINDS]


def _condition(found: Measurements, factor: str) -> Term:
    """Return the term of a condition."""
    sides, how = found.sides, HOW[factor]
    extra = _of_validation(found, factor)
    if factor not in sides.factors and extra is None:
        same = (
            "the model does the same in both modes"
            if factor == "mode" and not sides.kinds
            else "the same on both sides"
        )
        beside = _on_unseen(found) if factor == "mode" else None
        return Term(factor, 0.0, basis=f"exact: {same}", how=how, beside=beside)
    rows = _rows(found, found.plan.coefficients.get(factor, {}))
    exact = factor == "reduction" and extra is not None and found.exact(1)  # what averaging does to these very batches
    few = factor == "batching"
    value = _moved(rows, extra or []) if exact else _combined(rows + (extra or []), few=few)
    alike = factor == "mode" and _alike_but_for_mode(found)
    value = _of_masks(found.train, value.value) if alike else _unrounded(value, found.train.readings[sides.train].mean)
    low = high = None
    if found.plan.whole and factor in sides.factors:
        over = marginals(sides.factors, factor, lambda changed: _mean(found, changed))
        low, high = min(over), max(over)
    basis = f"the training batches, paired by {found.train.unit} ({_units(found)}); {_over_orders(found)}"
    if factor not in sides.factors:
        basis = f"{'exact: ' if exact else ''}the validation batches against {AGAINST[factor]}"
        basis += "" if exact or factor == "batching" else f", paired by {found.val.unit}"
    if factor in sides.factors and value.low is None and found.exact(0):
        basis = f"exact: of these very training batches, for there are no more; {_over_orders(found)}"
    basis = (SAME_DATA if found.fixed else SAME_MASKS.format(found.train.draws)) if alike else basis
    parts, beside = _parts(found, factor, value), _on_unseen(found) if factor == "mode" else None
    return Term(factor, value.value, value.low, value.high, low, high, parts, basis, how, beside=beside)


def _alike_but_for_mode(found: Measurements) -> bool:
    """Say whether both sides hold the same samples and the luck of training mode is none, or known."""
    return found.same_samples and found.train.complete and (found.fixed or found.train.luck is not None)


def _unrounded(value: Interval, loss: float) -> Interval:
    """Return 0 without an interval for one that holds nothing but what sums in another order differ by."""
    ends = [abs(end) for end in (value.value, value.low, value.high) if end is not None]
    return Interval(0.0, None, None, None, None) if max(ends) <= ROUNDING * abs(loss) else value


def _of_masks(text: BatchReadings, value: float) -> Interval:
    """Return a value that the luck of masks alone moves, the mean of several draws; without it, without an interval."""
    half = None if text.luck is None else text.luck / (text.draws + 1) ** 0.5
    return Interval(value, None if half is None else value - half, None if half is None else value + half, None, None)


def _on_unseen(found: Measurements) -> dict[str, Any] | None:
    """Return what switching training mode does on unseen data, as the term has it; None where there is none."""
    if found.unseen is None or not found.sides.kinds:
        return None
    on, off = (found.unseen[replace(found.sides.end, on=on)] for on in (frozenset(found.sides.kinds), frozenset()))
    signs = [-1.0, 1.0] if found.sides.train.on or not found.sides.val.on else [1.0, -1.0]  # as the term goes
    return {"text": "unseen", **interval_record(combined([on, off], signs))}


def _moved(rows: Sequence[tuple[Reading, float]], extra: Sequence[tuple[Reading, float]]) -> Interval:
    """Return a value with its interval, moved by what is known exactly."""
    known = sum(reading.mean * coefficient for reading, coefficient in extra)
    span = _combined(rows) if rows else Interval(0.0, None, None, None, None)
    low, high = (None if end is None else end + known for end in (span.low, span.high))
    return Interval(span.value + known, low, high, span.se, span.df)


def _over_orders(found: Measurements) -> str:
    factors = len(found.sides.factors)
    return f"Shapley value of {factors}" if found.plan.whole else f"mean of two opposite orders of {factors}"


def _units(found: Measurements) -> str:
    number = len(found.train.readings[found.sides.train].documents)
    return counted(number, found.train.unit, "batches" if found.train.unit == "batch" else f"{found.train.unit}s")


def _of_validation(found: Measurements, factor: str) -> list[tuple[Reading, float]] | None:
    """Return what a condition does on validation's own batches: against plain ones, or averaged over all elements."""
    val, end = found.sides.val, found.sides.end
    if factor == "collation" and found.sides.collation[1]:
        return [(found.val_own.readings[end], 1.0), (found.val.readings[end], -1.0)]
    if factor == "reduction" and val.reduction != end.reduction:
        return [(found.val_own.readings[val], 1.0), (found.val_own.readings[end], -1.0)]
    if factor == "batching" and found.same_data:  # what differs is which of them share a batch
        return [(found.val.readings[end], 1.0), (found.train.readings[end], -1.0)]
    return None


def _rows(found: Measurements, coefficients: Mapping[Coalition, float]) -> list[tuple[Reading, float]]:
    return [
        (found.train.readings[found.sides.condition(changed)], coefficient)
        for changed, coefficient in coefficients.items()
    ]


def _combined(rows: Sequence[tuple[Reading, float]], *, few: bool = False) -> Interval:
    return combined([reading for reading, _ in rows], [coefficient for _, coefficient in rows], few=few)


def _mean(found: Measurements, changed: Coalition) -> float:
    return found.train.readings[found.sides.condition(changed)].mean


def _parts(found: Measurements, factor: str, value: Interval) -> tuple[dict[str, Any], ...]:
    """Return what divides a term: the kinds of training mode, or what the objectives name."""
    if factor == "objective":
        return _named(found)
    if factor != "mode" or not found.sides.kinds:
        return ()
    if len(found.sides.kinds) == 1:
        return ({"id": found.sides.kinds[0], **interval_record(value)},)
    some = {kind: found.plan.coefficients[kind] for kind in found.sides.kinds if kind in found.plan.coefficients}
    each = {kind: _combined(_rows(found, coefficients)) for kind, coefficients in some.items()}
    return tuple({"id": kind, **interval_record(v), "alone": _alone(found, kind)} for kind, v in each.items())


def _alone(found: Measurements, kind: str) -> float:
    """Return training's loss with this kind alone on."""
    return _mean(found, frozenset(found.sides.kinds) - {kind})


def _named(found: Measurements) -> tuple[dict[str, Any], ...]:
    """Return what the training objective names beside its loss, if that is what its loss holds more."""
    sides, other_one = found.sides, found.sides.condition(frozenset({"objective"}))
    if other_one not in found.train.readings:
        return ()
    amounts = dict(found.train.others.get(sides.train, {}))
    other = found.train.others.get(other_one, {})
    change = {name: other.get(name, 0.0) - amount for name, amount in amounts.items()}
    change |= {name: amount for name, amount in other.items() if name not in amounts}
    direct = _mean(found, frozenset({"objective"})) - _mean(found, frozenset())
    if not change or abs(sum(change.values()) - direct) > RECOMPUTED * max(1.0, abs(direct)):
        return ()
    return tuple({"id": name, "value": amount, "low": None, "high": None} for name, amount in change.items())

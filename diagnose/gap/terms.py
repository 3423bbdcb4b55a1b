"""The terms of two sides' ledger: differences of consecutive readings, so that they telescope whatever was read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.formatting import counted, plain, signed
from diagnose.gap.intervals import combined
from diagnose.gap.recorder import timing
from diagnose.gap.reported import FactorFit, fits, means, rounding, swapped
from diagnose.gap.term import FACTORS, KIND, Term, interval_record
from diagnose.stats import Interval
from diagnose.stats.crossed import t_quantile
from diagnose.stats.shapley import marginals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.gap.measurements import BatchReadings, Measurements
    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.side import Side
    from diagnose.stats import Reading
    from diagnose.stats.shapley import Coalition

AGAINST = {  # what validation's own batches are read against, by condition
    "collation": "plain ones", "reduction": "the mean over all their elements",
    "batching": "the same samples as training batches them",
}  # fmt: skip
SAME_DATA = "exact: both sides hold the same samples"
SAME_MASKS = "both sides hold the same samples: what is not known is the luck of masks, of which {} draws were read"
RECOMPUTED = 1e-5  # relative: reading the same again may differ by as much through the order of sums
NO_REPLAY = "not known without a record of the steps (GapRecorder); together with recency in residual"


@dataclass(frozen=True)
class ReportedLosses:
    """The two losses that the gap lies between; `given` says whether each was reported, or is as read now."""

    train: float
    val: float
    given: tuple[bool, bool]


def reported(found: Measurements, train: Side, val: Side) -> ReportedLosses:
    """Return both losses: as reported, or as they are read now where nothing was."""
    read = _own_train(found), _own_val(found)
    values = [
        r.mean if side.reported is None else float(side.reported) for r, side in zip(read, (train, val), strict=True)
    ]
    return ReportedLosses(values[0], values[1], (train.reported is not None, val.reported is not None))


def _own_train(found: Measurements) -> Reading:
    """The loss under training's condition, of what was reported on where that is known."""
    reported_on = found.shown[0]
    return (found.train if reported_on is None else reported_on).readings[found.sides.train]


def _own_val(found: Measurements) -> Reading:
    reported_on = found.shown[1]
    return (found.val_own if reported_on is None else reported_on).readings[found.sides.val]


def terms(found: Measurements, given: ReportedLosses) -> list[Term]:
    """Return all terms in the ledger's order; they sum to the reported gap."""
    first = _timing(found) if found.replayed is None else _replayed(found)
    data = _data(found)
    draw, val_rest = _draw(found, given)
    residual = _residual(found, given, val_rest)
    return [*first, *(condition(found, factor) for factor in FACTORS), *data, draw, residual]


def _replayed(found: Measurements) -> list[Term]:
    assert found.replayed is not None
    start = found.train.readings[found.sides.train]
    return [timing.lag(found.replayed), timing.recency(found.replayed, start, found.train.batches)]


def _timing(found: Measurements) -> list[Term]:
    how = "the final weights on the very batches and masks of the logged losses, minus what was logged"
    how_recency = "other training batches minus those that were reported on, both under training's condition"
    lag = Term("lag", None, basis=NO_REPLAY, how=how)
    reported_on = found.shown[0]
    if reported_on is None:
        reason = "not known: which batches the training loss is of was not given; together with lag in residual"
        return [lag, Term("recency", None, basis=reason, how=how_recency)]
    condition = found.sides.train
    between = combined([reported_on.readings[condition], found.train.readings[condition]], [-1.0, 1.0])
    basis = f"{counted(reported_on.batches, 'batch', 'batches')} that were reported on against {found.train.batches:,}"
    recency = Term("recency", between.value, between.low, between.high, basis=basis, how=how_recency)
    lag = replace(lag, basis="not known without a record of the steps (GapRecorder); in residual")
    return [lag, recency]


def condition(found: Measurements, factor: str) -> Term:
    """Return the term of a condition."""
    sides, how = found.sides, KIND[factor].how
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
    value = _of_masks(found.train, value.value) if alike else value
    low = high = None
    if found.plan.whole and factor in sides.factors:
        over = marginals(sides.factors, factor, lambda changed: _mean(found, changed))
        low, high = min(over), max(over)
    basis = f"the training batches, paired by {found.train.unit} ({_units(found)}); {_over_orders(found)}"
    if factor not in sides.factors:
        basis = f"{'exact: ' if exact else ''}the validation batches against {AGAINST[factor]}"
        basis += "" if exact or factor == "batching" else f", paired by {found.val.unit}"
    basis = (SAME_DATA if found.fixed else SAME_MASKS.format(found.train.draws)) if alike else basis
    parts, beside = _parts(found, factor, value), _on_unseen(found) if factor == "mode" else None
    return Term(factor, value.value, value.low, value.high, low, high, parts, basis, how, beside=beside)


def _alike_but_for_mode(found: Measurements) -> bool:
    """Say whether both sides hold the same samples and the luck of training mode is none, or known."""
    return found.same_samples and found.train.complete and (found.fixed or found.train.luck is not None)


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


def _data(found: Measurements) -> list[Term]:
    """Return `unseen` and `leak`."""
    val = found.sides.end
    end, whole = found.train.readings[val], found.val.readings[val]
    how = "unseen validation data minus training data, both under validation's conditions"
    how_leak = "all validation data minus its unseen part, both under validation's conditions"
    alike = found.same_samples and abs(whole.mean - end.mean) <= RECOMPUTED * max(1.0, abs(end.mean))
    if found.same_data or alike:
        return [Term("unseen", 0.0, basis=SAME_DATA, how=how), Term("leak", 0.0, basis=SAME_DATA, how=how_leak)]
    if found.unseen is None:
        both = combined([end, whole], [-1.0, 1.0], mixed=found.sides.together)
        reason = f"{found.why}: this is unseen and leak together, validation data minus training data"
        leak = Term("leak", None, basis=f"{found.why}: given together with unseen", how=how_leak)
        return [Term("unseen", both.value, both.low, both.high, basis=reason, how=how), leak]
    rest = combined([end, found.unseen[val]], [-1.0, 1.0], mixed=found.sides.together)
    first = Term("unseen", rest.value, rest.low, rest.high, basis=found.why, how=how)
    if found.all_unseen:
        return [first, Term("leak", 0.0, basis=f"exact: {found.why}", how=how_leak)]
    gone = combined([found.unseen[val], whole], [-1.0, 1.0], mixed=found.sides.together)
    basis = "a difference between samples, so it holds their difficulty too"
    return [first, Term("leak", gone.value, gone.low, gone.high, basis=basis, how=how_leak)]


def _draw(found: Measurements, given: ReportedLosses) -> tuple[Term, Interval]:
    """Return `draw`, and what validation's part of the residual is: reported minus read again."""
    val, how = (
        found.sides.val,
        "the batches that were reported on minus all validation batches, under validation's conditions",
    )
    whole, reported_on = found.val_own.readings[val], found.shown[1]
    if reported_on is not None:
        reading = reported_on.readings[val]
        sampled = not found.exact(1)
        value = reading.mean - whole.mean
        span = _around(whole, value) if sampled else Interval(value, None, None, None, None)
        number, of = (counted(text.batches, "batch", "batches") for text in (reported_on, found.val_own))
        basis = f"{'' if sampled else 'exact: '}{number} reported on, against {of}"
        rest = _rest(given.val, reading, exact=reported_on.repeated or found.steady(1))
        if reported_on.luck is not None:
            rest = Interval(rest.value, rest.value - reported_on.luck, rest.value + reported_on.luck, None, None)
        return Term("draw", value, span.low, span.high, basis=basis, how=how), rest
    exact, draws = found.exact(1), found.draws(1)
    alike = RECOMPUTED * max(1.0, abs(whole.mean)) + rounding(given.val)
    if not given.given[1] or abs(given.val - whole.mean) <= alike:
        what = "what is reported is the loss of all batches that were read" + (", recomputed" if given.given[1] else "")
        return Term("draw", 0.0, basis=f"exact: {what}", how=how), _rest(given.val, whole, exact=exact, draws=draws)
    bound = _spread(found.val_own, val)
    if found.anew(1):
        basis = "not told apart: the loader draws anew each pass, so the reported loss is of another draw; in residual"
        rest = _rest(given.val, whole, exact=False, draws=draws)
        return Term("draw", None, basis=basis, how=how), rest
    basis = "not known: which batches were reported on was not given (reported_on); in residual"
    if bound is not None:
        basis += f". One batch lies within ±{plain(bound)} of all in 95 of 100 cases"
    low, high = (None, None) if bound is None else (-bound, bound)
    return Term("draw", None, low, high, basis=basis, how=how), _rest(given.val, whole, exact=exact, draws=draws)


def _around(reading: Reading, value: float) -> Interval:
    """Return the interval of a value less a reading's mean, from the reading's spread."""
    span = combined([reading], [-1.0])
    if span.low is None or span.high is None:
        return Interval(value, None, None, None, None)
    return Interval(value, value - span.value + span.low, value - span.value + span.high, span.se, span.df)


def _rest(loss: float, reading: Reading, *, exact: bool, draws: float = 1) -> Interval:
    """Return a reported loss minus what is read, with the interval of the reading where that is a sample.

    Where the reported loss is of another draw of as many samples, or of other random numbers, its luck counts too
    (`Measurements.draws`).
    """
    value = loss - reading.mean
    span = Interval(value, None, None, None, None) if exact else _around(reading, value)
    if span.low is None or span.high is None or draws == 1:
        return span
    half = (span.high - span.low) / 2 * draws**0.5
    return Interval(value, value - half, value + half, span.se, span.df)


def _as_read(reading: Reading, text: BatchReadings, times: float) -> Interval:
    """Return what is read with the luck of its masks where that is known, else with its interval, narrowed.

    Args:
        reading: of a side.
        text: what was read of it.
        times: so many times its variance is luck.
    """
    if text.luck is not None:
        return Interval(reading.mean, reading.mean - text.luck, reading.mean + text.luck, None, None)
    span = combined([reading], [1.0])
    if times == 1 or span.low is None or span.high is None:
        return span
    low, high = (span.value + (end - span.value) * times**0.5 for end in (span.low, span.high))
    return replace(span, low=low, high=high)


def _spread(text: BatchReadings, own: Any) -> float | None:
    """Return how far one batch's loss may lie from the mean of all, in 95 of 100 cases; None for a single batch."""
    means = np.array(text.means[own])
    return float(t_quantile(0.95, len(means) - 1) * means.std(ddof=1)) if len(means) > 1 else None


def _residual(found: Measurements, given: ReportedLosses, val: Interval) -> Term:
    """Return what is not explained: for training what is read minus what was reported, for validation the reverse."""
    how = "what was reported minus what reading it again gives, validation's; the other way round, training's"
    condition, reported_on = found.sides.train, found.shown[0]
    if found.replayed is not None:
        train, given_train = (
            Interval(found.replayed.logged - given.train, None, None, None, None),
            found.replayed.checked,
        )
    elif not given.given[0]:
        train, given_train = Interval(0.0, None, None, None, None), "the training loss is as read now"
    else:
        text = reported_on or found.train
        reading = text.readings[condition]
        again = reported_on is None and found.anew(0)
        same = abs(given.train - reading.mean) <= RECOMPUTED * max(1.0, abs(given.train))
        exact = text.complete and not again and (found.steady(0) or (same and 0 in found.shuffled and not condition.on))
        read = _rest(given.train, reading, exact=exact, draws=found.draws(0) if reported_on is None else 1)
        if text.luck is not None and not again:
            read = Interval(read.value, read.value - text.luck, read.value + text.luck, None, None)
        train = _negative(read)
        included = "lag" if reported_on is not None else "lag and recency"
        given_train = f"training: {signed(train.value)}, which holds {included} and the luck of masks"
    value, ends = train.value + val.value, _half(train) ** 2 + _half(val) ** 2
    wide = ends**0.5 or None
    given_val = f"validation: {signed(val.value)}" if given.given[1] else "the validation loss is as read now"
    parts = tuple(
        {"id": name, "value": part.value, "low": part.low, "high": part.high}
        for name, part in (("training", train), ("validation", val))
    )
    low, high = (None, None) if wide is None else (value - wide, value + wide)
    return Term("residual", value, low, high, parts=parts, basis=f"{given_train}; {given_val}", how=how)


def _negative(found: Interval) -> Interval:
    low, high = (None, None) if found.low is None or found.high is None else (-found.high, -found.low)
    return Interval(-found.value, low, high, found.se, found.df)


def _half(found: Interval) -> float:
    return 0.0 if found.low is None or found.high is None else (found.high - found.low) / 2


def explained(found: Measurements, given: ReportedLosses, record: Recording | None) -> dict[str, list[FactorFit]]:
    """Return for each side the arithmetic that would turn the loss that is read into the loss that was reported."""
    sides = found.sides
    rows = {"training": (given.train, _own_train(found), found.shown[0] or found.train, sides.train, given.given[0])}
    rows["validation"] = (given.val, _own_val(found), found.shown[1] or found.val_own, sides.val, given.given[1])
    out = {
        name: fits(value, _as_read(reading, text, min(1.0, found.draws(k))), text,
                   same=text.complete and found.steady(k) and not found.anew(k))
        for k, (name, (value, reading, text, _, was_given)) in enumerate(rows.items()) if was_given
    }  # fmt: skip
    if record is None and all(given.given) and not any(out.values()):
        out |= swapped((given.train, given.val), (_own_train(found).mean, _own_val(found).mean))
    if record is not None:
        out["training"] = means(given.train, record)
        if found.replayed is not None and found.replayed.factor > 1:
            k, value = found.replayed.factor, found.replayed.logged
            name = f"divided by {k}: each recorded loss is loss / accumulation steps, as it is backpropagated"
            out["training"] = [FactorFit(name, value / k, value / k, value / k, given.train)]
    return out

"""The two losses that a gap lies between, and what arithmetic or other mean a reported one may be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diagnose.gap.factor_fits import (
    EQUAL,
    EXACT,
    MOST_FACTOR,
    OR,
    SAME,
    FactorFit,
    fits,
    functions_of,
    rounding,
    slack,
    whole_factors,
)
from diagnose.gap.intervals import around, combined
from diagnose.gap.term import SIDES
from diagnose.stats import Interval

if TYPE_CHECKING:
    from diagnose.gap.measurements import BatchReadings, Measurements
    from diagnose.gap.recorder.recording import Recording
    from diagnose.gap.side import Side
    from diagnose.stats import Reading

DECAYS = (0.9, 0.95, 0.98, 0.99)  # that losses are smoothed with
STARTS = ("", "from the first loss", "from 0")  # as if there were none before; with the first; with nothing
DECAYING = "a decaying mean over steps (smoothed with "
FALLEN = 2.0  # times what is read: a mean over steps at which the loss fell may be as large
TOLD_FROM_FALL = 0.02  # half the interval over the value: wider, and a factor below that is no better than a mean
EARLIER_STEPS = "a mean over earlier steps, at which it was higher (GapRecorder tells)"
STEPS_DIFFER = 0.1  # of a loss: steps' own losses spread by as much at least
CHANCE = 0.01  # that one step's loss agrees by chance, at most
OF_TRAINING = "the loss of training's last step: validation's loop adds up the variable of training's loss"
SWAPPED = "the two reported= may be swapped"
FAR_APART = 10.0  # times what digits allow: so far must two losses lie apart for one not to be the other by chance


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


def swapped(reported: tuple[float, float], read: tuple[float, float]) -> dict[str, list[FactorFit]]:
    """Return that each reported loss is the other side's, where one of them is to its digits and neither is its own.

    Args:
        reported: the loss of training and of validation.
        read: the same, as they are read.
    """
    apart = abs(read[0] - read[1])
    if apart <= FAR_APART * max(slack(loss) for loss in reported):
        return {}
    to_own, to_other = ([abs(reported[k] - read[j]) for k, j in enumerate(order)] for order in ((0, 1), (1, 0)))
    same = [off <= slack(loss) for off, loss in zip(to_other, reported, strict=True)]
    if not any(same) or any(mine <= 2 * its for mine, its in zip(to_own, to_other, strict=True)):
        return {}
    factor = f"of the {{}} side: {SWAPPED}"
    return {
        name: [FactorFit(factor.format(SIDES[1 - k]), read[1 - k], read[1 - k], read[1 - k], reported[k])]
        for k, name in enumerate(SIDES)
    }


def means(reported: float, record: Recording, batches: int = 0, beside: int = 0) -> list[FactorFit]:
    """Return which other mean of the recorded losses a reported one is; none where it is the recorded one.

    `batches`: of the training side, where that many are known; `beside`: of validation's.
    """
    rounded = rounding(reported)
    if abs(reported - record.train) <= SAME * abs(record.train) + rounded:
        return []
    losses = record.losses
    known = {
        "the last step's loss": losses[-1],
        f"the mean of the last {len(losses):,} steps": sum(losses) / len(losses),
        "the mean since the epoch began, as Keras shows it": record.means["epoch"],
        "the mean since training began": record.means["run"],
    }
    if record.first + record.offered < record.steps and "open" in record.means:
        known["the mean of the steps since the last whole interval"] = record.means["open"]
    known |= _smoothed(record) | _miscounted(record, batches, beside)
    rows = [FactorFit(name, value, value, value, reported) for name, value in known.items()]
    close = [row for row in rows if abs(row.value - reported) <= SAME * abs(reported) + rounded]
    return (
        _together(close)
        or _one_step(reported, record, rounded)
        or _function_of(reported, record.train)
        or _of_steps(reported, record.train)
    )


def _function_of(reported: float, mean: float | None) -> list[FactorFit]:
    """Return which function of the recorded mean a reported loss is: a root, a perplexity."""
    values = {} if mean is None else functions_of(mean)
    return [FactorFit(n, v, v, v, reported) for n, v in values.items() if abs(v - reported) <= SAME * abs(reported)]


def _one_step(reported: float, record: Recording, rounded: float) -> list[FactorFit]:
    """Return which step's own loss a reported one is, where it is so to digits that none of them has by chance."""
    before = {"the last but one step's loss": record.means["before"]} if "before" in record.means else {}
    each = {f"the loss of step {record.first + k + 1:,}": loss for k, loss in enumerate(record.losses)}
    for losses in (before, each):
        near = rounded or EXACT * abs(reported)
        fit = [FactorFit(name, x, x, x, reported) for name, x in losses.items() if abs(x - reported) <= near]
        if len(fit) == 1 and 2 * near * len(losses) <= CHANCE * STEPS_DIFFER * abs(reported):
            return fit
    return []


def by_arithmetic(factor: str) -> str:
    """Return what a reported loss is by arithmetic: of what is read, or of something else."""
    return factor if OF_TRAINING.startswith(factor) else f"what is read, {factor}"


def _of_training(reported: float, record: Recording) -> list[FactorFit]:
    """Return that a validation loss is the last one that training took, where it is so to all of its digits."""
    last = record.means.get("last", record.losses[-1])
    same = abs(last - reported) <= EXACT * abs(reported) and not rounding(reported)
    return [FactorFit(OF_TRAINING, last, last, last, reported)] if same else []


def _miscounted(record: Recording, batches: int, beside: int) -> dict[str, float]:
    """Return the sum of the recorded losses over another number than that of the steps.

    The last index, the samples, or what an epoch or an interval holds where these steps are a part of it: a loop that
    was stopped and went on with its sum at 0, or that left steps out.
    """
    steps, total = len(record.losses), sum(record.losses)
    out, samples = dict[str, float](), record.samples
    if steps > 1:
        out[f"the sum of {steps:,} steps divided by {steps - 1:,}, the last one's index"] = total / (steps - 1)
    if samples > steps > 0:
        out[f"the sum of {steps:,} steps divided by their {samples:,} samples: each loss is a batch's sum"] = (
            total / samples
        )
    if beside not in (0, steps):
        out[f"the sum of {steps:,} steps divided by {beside:,}, the batches of the other side"] = total / beside
    for name, whole in (("the batches of training's side", batches), ("the interval", record.interval)):
        if whole > steps:
            out[f"the sum of {steps:,} steps divided by {whole:,}, {name}: the other steps are not in it"] = (
                total / whole
            )
    return out


def _together(close: list[FactorFit]) -> list[FactorFit]:
    """Return fits with decaying means as one, that name all that give the value to its digits.

    Of a decay that gives it however it begins the beginning is not named.
    """
    decaying = [row for row in close if row.factor.startswith(DECAYING)]
    names = [row.factor.removeprefix(DECAYING).removesuffix(")") for row in decaying]
    decays = [name.partition(",")[0] for name in names]
    once = {
        decay if decays.count(decay) > 1 else name: row
        for decay, name, row in zip(decays, names, decaying, strict=True)
    }
    if not once:
        return close
    factor = f"{DECAYING}{' or '.join(once)})"
    return [*(row for row in close if row not in decaying), replace(next(iter(once.values())), factor=factor)]


def _smoothed(record: Recording) -> dict[str, float]:
    """Return decaying means of the recorded losses, by decay and by where they begin."""
    return {
        f"{DECAYING}{decay}{f', begun {start}' if start else ''})": mean
        for decay in DECAYS for start in STARTS
        if (mean := record.means.get(f"smoothed {decay} {start}".rstrip())) is not None
    }  # fmt: skip


def _of_steps(reported: float, mean: float) -> list[FactorFit]:
    """Return by which whole number the mean of the recorded losses was divided or multiplied to be reported."""
    values = {name: factor * mean for k in range(2, MOST_FACTOR + 1) for name, factor in whole_factors(k).items()}
    return [FactorFit(n, v, v, v, reported) for n, v in values.items() if abs(v - reported) <= SAME * abs(reported)]


def left(loss: float, reading: Reading, *, exact: bool, draws: float = 1) -> Interval:
    """Return a reported loss minus what is read, with the interval of the reading where that is a sample.

    Where the reported loss is of another draw of as many samples, or of other random numbers, its luck counts too
    (`Measurements.draws`).
    """
    value = loss - reading.mean
    span = Interval(value, None, None, None, None) if exact else around(reading, value)
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


def _has_no_history(found: Measurements, train: Side) -> bool:
    """Say whether a training loss has no history: it is of evaluation mode, or of batches that were given.

    A network of which training mode switches nothing on has one all the same.
    """
    sides = found.sides
    return found.shown[0] is not None or train.mode == "eval" or bool(sides.kinds and not sides.train.on)


def _or_fallen(rows: list[FactorFit], read: float) -> list[FactorFit]:
    """Return fits of a training loss of unknown steps: where a mean over them may be as large, with that as another.

    Where the interval is so wide that the factor says little, without the factor.
    """
    out: list[FactorFit] = []
    for row in rows:
        computed = (row.high - row.low) / 2 <= EQUAL + SAME * abs(row.value)  # and not a sample
        to_digits = computed and abs(row.value - row.reported) <= EXACT * abs(row.reported)
        if to_digits or not 0 < read < row.reported < FALLEN * read:
            out.append(row)
        elif (row.high - row.low) / 2 <= TOLD_FROM_FALL * row.value:
            out += [row, replace(row, factor=EARLIER_STEPS, value=row.reported)]
    return out


def _of_both(every: dict[str, list[FactorFit]]) -> dict[str, list[FactorFit]]:
    """Return what fits both sides alone, where several things fit a side and one of them the other side, too."""
    names = [{name for fit in fits for name in fit.factor.split(OR)} for fits in every.values()]
    shared = names[0] & names[1] if len(names) > 1 else set[str]()
    if not shared:
        return every
    return {side: [fit for fit in fits if not shared.isdisjoint(fit.factor.split(OR))] for side, fits in every.items()}


def explained(
    found: Measurements, given: ReportedLosses, record: Recording | None, train: Side
) -> dict[str, list[FactorFit]]:
    """Return for each side the arithmetic that would turn the loss that is read into the loss that was reported."""
    sides = found.sides
    rows = {"training": (given.train, _own_train(found), found.shown[0] or found.train, sides.train, given.given[0])}
    rows["validation"] = (given.val, _own_val(found), found.shown[1] or found.val_own, sides.val, given.given[1])
    out = {
        name: fits(value, _as_read(reading, text, min(1.0, found.draws(k))), text,
                   same=text.complete and found.steady(k) and not found.anew(k))
        for k, (name, (value, reading, text, _, was_given)) in enumerate(rows.items()) if was_given
    }  # fmt: skip
    out = _of_both(out)
    if record is None and given.given[0] and not _has_no_history(found, train):
        out["training"] = _or_fallen(out["training"], rows["training"][1].mean)
    if record is None and all(given.given) and not any(out.values()):
        out |= swapped((given.train, given.val), (_own_train(found).mean, _own_val(found).mean))
    if record is not None:
        every = found.train.batches + found.train.skipped if found.train.complete else 0
        out["training"] = means(given.train, record, every, found.train.beside)
        out["validation"] = (
            out.get("validation") or _of_training(given.val, record) or _function_of(given.val, record.val)
        )
        if found.replayed is not None and found.replayed.factor > 1:
            k, value = found.replayed.factor, found.replayed.logged
            name = f"divided by {k}: each recorded loss is loss / accumulation steps, as it is backpropagated"
            out["training"] = [FactorFit(name, value / k, value / k, value / k, given.train)]
    return out

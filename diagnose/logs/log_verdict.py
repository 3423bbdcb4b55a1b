"""The sentence or two that lead: where validation lies, in how many prints, how the gap moves and where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diagnose.formatting import counted, listed, plain
from diagnose.logs.choose import MOST_APART, said
from diagnose.logs.digits_of import Digits, LogDigits, times
from diagnose.logs.names import meaning

if TYPE_CHECKING:
    from diagnose.logs.pairs import Pairs, Track
    from diagnose.logs.statistics import GapCourse
    from diagnose.records.log_report import LogFinding, LogRun

MOST = 0.9  # of the prints: a side that so many lie on is the gap's
FAR = 0.22  # by so much has a ratio to differ from one to be said
CHANCE = 0.33  # by so much does a single pair's ratio to be more than the luck of a batch
FEW = 4  # prints of one sign that chance makes too often
MOST_NAMED = 3
MOVING = {"widens": ", widening from", "narrows": ", narrowing from", "crosses": ", moving from"}
SECOND = (
    ("log/overlapping-samples", "Samples overlap, so a random split trains on validation text."),
    ("log/not-finite", "Some values are NaN or infinite."),
    ("log/identical", "Both losses are the same numbers."),
    ("log/frozen", "The validation value stopped moving."),
    ("log/factor", "They lie a factor apart, as a sum and a mean do."),
)


@dataclass(frozen=True)
class Sides:
    """On which side of training the prints lie: as many below, above and equal as printed digits tell."""

    below: int
    above: int
    equal: int

    @classmethod
    def of(cls, pairs: Pairs, digits: LogDigits) -> Sides:
        """Count the prints on each side."""
        slack = digits.gap.unit / 2
        below, above = int((pairs.gap_N < -slack).sum()), int((pairs.gap_N > slack).sum())
        return cls(below, above, len(pairs.gap_N) - below - above)

    @property
    def count(self) -> int:
        """All prints."""
        return self.below + self.above + self.equal

    @property
    def one(self) -> str:
        """The side, "below" or "above", that nearly all prints that differ lie on; "" for none."""
        most, name = (self.below, "below") if self.below > self.above else (self.above, "above")
        return name if most and most >= MOST * (self.below + self.above) else ""


def digits_of(pairs: Pairs) -> LogDigits:
    """Return the digits that the losses carry; of a perplexity those of its logarithm, which is compared."""
    return LogDigits.of(_digits(pairs.train), _digits(pairs.val))


def _digits(track: Track) -> Digits:
    digits = Digits.of(track.value[:100].tolist(), track.series.decimals)
    if meaning(track.name).kind != "perplexity" or not len(track.value):
        return digits
    return digits.of_logarithms(float(track.value.max()))


def averaged(pairs: Pairs) -> str:
    """Return what the training values of pairs are called: local means, where most are."""
    return "training's local mean" if 2 * int(pairs.averaged_N.sum()) > len(pairs.at_N) else "training"


def shown_as(pairs: Pairs) -> str:
    """Return what the values that are shown are, where they are not those of the log; "" where they are."""
    means, count = int(pairs.averaged_N.sum()), len(pairs.at_N)
    some = "" if means == count else f" in {means} of {counted(count, 'pair')}"
    out = [f"training as a local mean of its prints{some}"] if means else []
    sides = (("training", pairs.train), ("validation", pairs.val))
    logarithms = [side for side, track in sides if meaning(track.name).kind == "perplexity"]
    turned = [side for side, track in sides if track.series.turned]
    out += [f"{listed(logarithms)} as logarithms of perplexities"] if logarithms else []
    return "; ".join([*out, *([f"{listed(turned)} as negatives of what is printed"] if turned else [])])


def place(pairs: Pairs, at: float) -> str:
    """Return where in the run, as a reader says it."""
    name = "line" if pairs.axis == "place" else pairs.axis
    return f"{name} {plain(at, 0 if at == int(at) else 2)}"


def verdict(pairs: Pairs, gap: GapCourse, findings: list[LogFinding], runs: list[LogRun]) -> str:
    """Return what leads, at most some 40 words."""
    if not pairs.unit:
        return "The two losses are in different units, so their difference says nothing."
    if _of_two_scales(pairs):
        return (
            f"{said(pairs.train.name)} and {said(pairs.val.name)} are of two scales (one is {times(_apart(pairs))} the "
            "other) and named differently: they are hardly means over the same, and their difference is no gap."
        )
    rules = {finding.rule: finding for finding in findings}
    lead = several(runs, pairs) if len(runs) > 1 else size(pairs, gap)
    if "log/implausible" in rules:
        overlap = "; samples that overlap would explain it" if "log/overlapping-samples" in rules else ""
        return f"{lead} It is too low to be true of this text{overlap}."
    for rule, sentence in SECOND:
        if rule in rules:
            return f"{lead} {sentence}"
    risen = rules.get("log/overfitting")
    if risen:
        digits, at = digits_of(pairs), pairs.at_N[int(np.argmin(pairs.val_N))]
        low = digits.val.loss(risen.measured["lowest_value"])
        return f"{lead} Validation was lowest at {place(pairs, float(at))} ({low}) and has risen since: overfitting."
    return lead


def _of_two_scales(pairs: Pairs) -> bool:
    """Say whether two losses of different names lie so far apart that they can hardly be means over the same."""
    stems = {meaning(name).stem for name in (pairs.train.name, pairs.val.name)}
    return len(stems) > 1 and _apart(pairs) > MOST_APART


def _apart(pairs: Pairs) -> float:
    """Return how many times the smaller loss the larger one is, by their medians; 1 where one is not above zero."""
    low, high = sorted(float(np.median(values)) for values in (pairs.train_N, pairs.val_N))
    return high / low if low > 0 else 1.0


def size(pairs: Pairs, gap: GapCourse) -> str:
    """Return where validation lies, how it moves and where it ends."""
    carried, gaps = digits_of(pairs), pairs.gap_N
    sides, digits, training = Sides.of(pairs, carried), carried.gap, averaged(pairs)
    if sides.count == 1:
        return _single(pairs, carried)
    if sides.equal == sides.count:
        return f"Both losses are equal in all {sides.count} prints, to the digits printed."
    ends = (
        f"{digits.gap(gaps[0])} at {place(pairs, float(pairs.at_N[0]))}",
        (f"{digits.gap(gaps[-1])} at {place(pairs, float(pairs.at_N[-1]))}"),
    )
    ratio = _ratio(pairs)
    if not sides.one:
        both = f"Validation lies below {training} in {sides.below} of {sides.count} prints and above in {sides.above}"
        if gap.moves in MOVING:
            return f"{both}: the gap goes from {ends[0]} to {ends[1]}{ratio}."
        return f"{both}: the mean difference is {_interval(gap, digits)}, {ends[1]}{ratio}."
    few = "; too few prints to exclude chance" if sides.count <= FEW and not gap.steady else ""
    agree = max(sides.below, sides.above)
    if gap.moves in MOVING:
        course = f"{MOVING[gap.moves]} {ends[0]} to {ends[1]}{ratio}"
    elif sides.count <= FEW:
        course = f": {ends[0]}, {ends[1]}{ratio}"
    else:
        course = f", by {digits.size(gap.said.value)} on average, {ends[1]}{ratio}"
    equal = f" (equal in {sides.equal})" if sides.equal else ""
    return f"Validation lies {sides.one} {training} in {agree} of {sides.count} prints{equal}{course}{few}."


def _interval(gap: GapCourse, digits: Digits) -> str:
    mean = gap.said
    if mean.low is None or mean.high is None:
        return digits.gap(mean.value)
    return f"{digits.gap(mean.value)} ({digits.gap(mean.low)} to {digits.gap(mean.high)})"


def _single(pairs: Pairs, digits: LogDigits) -> str:
    train, val = float(pairs.train_N[0]), float(pairs.val_N[0])
    ratio = val / train if min(train, val) > 0 else 1.0
    sentence = (
        f"One pair alone, at {place(pairs, float(pairs.at_N[0]))}: validation {digits.val.loss(val)}, training "
        f"{digits.train.loss(train)}, a difference of {digits.gap.gap(val - train)}{_ratio(pairs)}"
    )
    if not 1 - CHANCE < ratio < 1 / (1 - CHANCE):
        return f"{sentence}; that is too large for the luck of a batch alone."
    return f"{sentence}; one pair cannot tell a gap from chance."


def _ratio(pairs: Pairs) -> str:
    """Return what share of training validation is at the end, where it is far from all of it."""
    ratio = last_ratio(pairs)
    if ratio is None or abs(ratio - 1) < FAR:
        return ""
    return f" (validation is {times(ratio)} training)"


def last_ratio(pairs: Pairs) -> float | None:
    """Return validation over training at the last pair, None where one of them is not above zero."""
    train, val = float(pairs.train_N[-1]), float(pairs.val_N[-1])
    return val / train if min(train, val) > 0 else None


def several(runs: list[LogRun], pairs: Pairs) -> str:
    """Return what several runs of one log have in common at their ends."""
    digits = digits_of(pairs)
    train, val = (float(np.mean([getattr(run.last, side) for run in runs])) for side in ("train", "val"))
    above = sum(run.last.val > run.last.train for run in runs)
    below = sum(run.last.val < run.last.train for run in runs)
    side, count = ("below", below) if below > above else ("above", above)
    names = [run.name for run in runs[:MOST_NAMED]]
    named = f" ({listed(names)})" if len(runs) <= MOST_NAMED and any(not n.startswith("run ") for n in names) else ""
    return (
        f"The log holds {counted(len(runs), 'run')}{named}; at their ends validation is {digits.val.loss(val)} and "
        f"{averaged(pairs)} {digits.train.loss(train)} on average, {side} in {count} of {len(runs)}."
    )

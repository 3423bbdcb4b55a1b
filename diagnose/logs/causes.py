"""Which causes of a gap a log leaves possible, which it excludes and why, and the one experiment that would tell.

The causes are the terms of the ledger (`diagnose loss-gap`). A log holds two losses and nothing of how they were
taken, so hardly any cause can be shown by it; several have the wrong sign, and some can be bounded. Only what cannot be
is said to be excluded. What a tool does when its own code is unchanged is taken from `docs/your-own-loop.md` and said
with the tool's name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from diagnose.formatting import plain
from diagnose.logs.names import meaning
from diagnose.logs.series import EPOCH
from diagnose.records.log_report import LogCause, LogExperiment

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.logs.digits_of import Digits
    from diagnose.logs.pairs import Pairs
    from diagnose.logs.series import Log
    from diagnose.logs.statistics import GapCourse, LossFall
    from diagnose.records.log_report import LogFinding

HALF = 0.5  # of the gap: a cause that is bounded below this is not the main one
CLEAR = 3.0  # times the scatter: a gap that the luck of fresh batches would not leave
# what the logged training loss is a mean of, by tool
TAKEN = {
    "nanoGPT": "evaluated", "Hugging Face": "interval", "Keras": "epoch", "llm.c": "batch", "nanochat": "smooth",
    "icefall": "smooth",
}  # fmt: skip
EARLY = "as in the first prints, not in the last"
EARLIER = "a mean over earlier steps is too high while the loss falls"
LANGUAGE = frozenset({"nanoGPT", "nanochat", "llm.c"})  # tools that train on text alone


@dataclass(frozen=True)
class Evidence:
    """What the rules go by.

    Attributes:
        value: the gap that is spoken of, validation minus training; `least`: the least that its interval leaves of it.
        gap: all of its statistics; `digits`: that its values carry.
        one: whether nearly all prints lie on one side.
        tool, taken: whose log, and what its training loss is a mean of ("" where it is not known).
        fall: how fast the training loss falls; `fallen`: from its highest value to its last.
        draw: the closing mean over all validation batches minus the single batches before it, None without one.
        dropout, smoothing, mixup: as the log states them, None where it does not.
        first_epoch: whether all of the log is from the first epoch, None where it does not say.
        leaks: whether the samples were found to overlap, or the loss to be implausible.
    """

    value: float
    least: float
    gap: GapCourse
    digits: Digits
    one: bool
    tool: str
    taken: str
    fall: LossFall | None
    fallen: float
    draw: float | None
    dropout: float | None
    smoothing: float | None
    mixup: float | None
    first_epoch: bool | None
    leaks: bool

    @property
    def below(self) -> bool:
        """Whether validation lies below training."""
        return self.value < 0

    @property
    def began_below(self) -> bool:
        """Whether validation lies above training and lay below it at first: the two have causes apart."""
        start, end = self.gap.start, self.gap.end
        known = start is not None and end is not None and start < 0 < end
        return known and not self.below and self.gap.moves == "crosses"

    @property
    def told(self) -> bool:
        """Whether there is a gap to speak of: of one sign, or with a course."""
        return self.one or self.gap.steady or self.gap.moves in ("narrows", "widens", "crosses")


class Judged(NamedTuple):
    """Whether a cause is possible, and why."""

    possible: bool
    why: str


def taken(log: Log, pairs: Pairs) -> str:
    """Return what the training loss is a mean of, as far as tool and name tell."""
    if pairs.train.name in log.of_all_steps:
        return "run"
    span = meaning(pairs.train.name).span
    if pairs.train.series.means and log.tool not in TAKEN:
        return "epoch"
    if log.tool == "nanoGPT":
        return "evaluated" if meaning(pairs.train.name).side == "train" else "batch"
    if log.tool in TAKEN and not (log.tool == "llm.c" and span):
        return TAKEN[log.tool]
    if log.tool == "Lightning":
        return "epoch" if span == "epoch" else "batch" if span == "step" else ""
    return {"epoch": "epoch", "smooth": "smooth", "batch": "batch", "step": "batch"}.get(span, "")


def judge(evidence: Evidence) -> tuple[list[LogCause], list[LogCause]]:
    """Return the causes that a log leaves possible, the likelier before the others, and those that it excludes.

    Where prints lie on both sides and no steady gap shows, the luck of the batches alone is named.
    """
    above = ("mode", "augmentation", "lag", "objective")  # what puts training above
    either = ("draw", "reduction", "collation")
    order: tuple[str, ...] = (
        "unseen", *either, "leak", "mode", "precision", "objective", "recency", "lag", "augmentation",
    )  # fmt: skip
    if evidence.below:
        order = (*above, "leak", *either, "precision", "recency", "unseen")
    elif evidence.began_below:
        order = ("unseen", "lag", "mode", "augmentation", *either, "leak", "precision", "objective", "recency")
    if not evidence.told:
        order = ("draw", "recency")
    judged = {cause: _judged(cause, evidence) for cause in order}
    possible, excluded = (
        [LogCause(id=cause, why=j.why, looks=LOOKS[cause]) for cause, j in judged.items() if j.possible is wanted]
        for wanted in (True, False)
    )
    return possible, excluded


LOOKS = {
    "mode": "an offset of one sign that stays as the loss falls, and goes when both are read in evaluation mode",
    "augmentation": "a gap that goes when training's data are read without augmentation, mixup or noise",
    "lag": "a gap that is largest where the loss falls fastest and goes where it levels off",
    "recency": "signs that change from print to print",
    "objective": "an offset that no training removes; label smoothing has a floor that validation's plain loss has not",
    "precision": "a small offset of constant size that goes with autocast off",
    "reduction": "a ratio of the two that stays while both fall; padding that counts, or means of unequal batches",
    "collation": "an offset that goes when training data are read through validation's loader",
    "unseen": "a gap near zero at first that widens with every epoch",
    "leak": (
        "both losses equally low under the same conditions, and a much higher one on data that were really held out"
    ),
    "draw": "another validation set, or more of it, gives another loss",
}
# why a tool's own loop that evaluates both losses excludes a cause; {tool} is its name
ALIKE = "{tool}'s own loop, if it is unchanged, reads both with the same weights in evaluation mode"
EVALUATED = {
    "mode": ALIKE,
    "augmentation": "{tool}'s own loop, if it is unchanged, augments nothing",
    "lag": ALIKE,
    "recency": "the training loss is of batches drawn anew from all training data",
    "objective": f"{ALIKE}, by the same function",
    "precision": f"{ALIKE}, in the same precision",
    "reduction": f"{ALIKE}, by the same function",
    "collation": "{tool}'s own loop, if it is unchanged, draws both batches alike",
}
UNSAID = {  # of which a log never says enough
    "precision": "the log does not say in which precision either is computed",
    "reduction": "the log does not say what either mean is over",
    "collation": "the log does not say how samples are cut, sized and padded on either side",
}


def _judged(cause: str, evidence: Evidence) -> Judged:
    if evidence.taken == "evaluated" and cause in EVALUATED:
        return Judged(False, EVALUATED[cause].format(tool=evidence.tool))
    return Judged(True, UNSAID[cause]) if cause in UNSAID else RULES[cause](evidence)


def _mode(e: Evidence) -> Judged:
    if not e.below:
        why = "dropout puts training above validation, but batch norm's running averages can put validation above"
        return Judged(True, why)
    if e.dropout == 0:
        why = "the log states a dropout of 0; batch norm or stochastic depth would act in training mode alone too"
        return Judged(True, why)
    stated = (
        f"the log states a dropout of {plain(e.dropout, 2)}"
        if e.dropout
        else "the log does not say that dropout is off"
    )
    return Judged(True, f"dropout raises the training loss, and {stated}")


def _augmentation(e: Evidence) -> Judged:
    if e.began_below:
        return Judged(True, f"harder training samples put training above, {EARLY}")
    if not e.below:
        return Judged(False, "harder training samples put training above validation, not below")
    stated = f"the log states a mixup of {plain(e.mixup, 2)}" if e.mixup else "the log does not say that there is none"
    return Judged(True, f"augmented or mixed samples raise the training loss alone, and {stated}")


def _lag(e: Evidence) -> Judged:
    if e.taken == "batch":
        return Judged(False, "the training loss is of the last batch, at most one step before validation's weights")
    if e.began_below:
        return Judged(True, f"{EARLIER}, {EARLY}")
    if not e.below:
        return Judged(e.fallen <= 0, f"{EARLIER}, which puts training above")
    if e.fall is None or e.fall.most is None:
        return Judged(True, f"{EARLIER}; prints are too few to bound it")
    known = e.taken in ("interval", "epoch")
    bound = max(e.fall.most, 0.0) if known else e.fallen  # a mean lags by what the loss fell by while it was taken
    over = "a print" if known else "in all of the log"
    bounded = f"the training loss falls by {e.digits.size(bound)} {over}, and a mean over earlier steps lags by no more"
    return Judged(False, bounded) if bound < HALF * e.least else Judged(True, f"{EARLIER}; {bounded}")


def _recency(e: Evidence) -> Judged:
    scatter = e.gap.scatter
    if e.gap.steady and scatter is not None and abs(e.gap.whole.value) > CLEAR * scatter:
        by = e.digits.size(scatter)
        return Judged(
            False, f"the luck of training's batches, new at each print, would scatter; the gap scatters by {by}"
        )
    return Judged(True, "the luck of training's latest batches cannot be told from a gap")


def _objective(e: Evidence) -> Judged:
    if not e.below:
        why = "what training adds to its loss puts it above validation; only weights or masks could put it below"
        return Judged(True, why)
    if e.smoothing:
        return Judged(True, f"the log states a label smoothing of {plain(e.smoothing, 2)}")
    return Judged(True, "the log does not say what training minimises beside the plain loss")


def _unseen(e: Evidence) -> Judged:
    if e.below and (e.gap.end is None or e.gap.end <= 0):
        why = "data that training has not seen put validation above; they hide a part of this gap and make none of it"
        return Judged(False, why)
    if e.first_epoch:
        why = "in the first epoch training's batches are unseen too when read, so only data of another kind could"
        return Judged(True, why)
    moves = {"widens": "; it widens along the log, as this does", "narrows": "; though it narrows along the log"}
    return Judged(True, f"training has seen its data{moves.get(e.gap.moves, '')}")


def _leak(e: Evidence) -> Judged:
    if e.leaks:
        why = "samples or loss point to it; it takes off what holds validation up, but alone cannot put it below"
    elif not e.below:
        why = "a leak of part of the validation data would leave validation above, by less than without it"
    else:
        why = (
            "it would hide what holds validation up, so that another cause shows; alone it cannot put validation below"
        )
    return Judged(True, why)


def _draw(e: Evidence) -> Judged:
    kind = "easier" if e.below else "harder"
    if e.draw is not None and abs(e.draw) < HALF * abs(e.value):
        why = (
            f"not the luck of single batches (the mean over all differs from them by {e.digits.size(e.draw)}), but the "
            f"validation set as a whole may be {kind}"
        )
        return Judged(True, why)
    if e.one or e.gap.steady:
        return Judged(True, f"a fixed validation set may be {kind} than training's data, and keeps that in every print")
    return Judged(True, "the luck of validation's batches cannot be told from a gap")


RULES: dict[str, Callable[[Evidence], Judged]] = {
    "mode": _mode, "augmentation": _augmentation, "lag": _lag, "recency": _recency, "objective": _objective,
    "unseen": _unseen, "leak": _leak, "draw": _draw,
}  # fmt: skip


def first_epoch(log: Log) -> bool | None:
    """Say whether all of a log is from the first epoch, None where it does not count parts of epochs."""
    if log.tool != "Hugging Face":
        return None
    epochs = [float(table[:, EPOCH].max()) for series in log.series.values() if len(table := series.table())]
    known = [epoch for epoch in epochs if not math.isnan(epoch)]
    return max(known) <= 1.0 if known else None


FIXED_BATCH = (
    "read one fixed sample of training data exactly as validation is read, and print it beside the other two: "
    "model.eval(); fixed = loss(model, train_sample); model.train()"
)
BY_HAND = frozenset({"log/factor", "log/identical", "log/frozen", "log/units", "log/perplexity"})


def experiment(e: Evidence, findings: list[LogFinding], data: str | None) -> LogExperiment:
    """Return the one experiment that would tell most: what to do, what each outcome says, a command."""
    rules = {finding.rule for finding in findings}
    given = f" --data {data}" if data and data != "akjv" else ""
    if "log/not-finite" in rules:
        return _experiment(
            "train again from before the first broken step at a tenth of the learning rate",
            "if it stays finite, the step was too large; if not, look for a batch without targets",
        )
    if rules & BY_HAND:
        return _experiment(
            "compute both losses by hand on one batch, as a sum over targets and the number of targets",
            "whichever differs from what is logged has the mistake",
        )
    if e.leaks:
        return _experiment(
            "hold whole documents out before samples are cut, train as before, and read the loss of those documents",
            "if it is far above today's validation loss, validation text was trained on; if not, look at the metric "
            "itself",
            f"diagnose ablate --axis split --levels documents,windows{given}",
        )
    return _of_gap(e, given)


def _of_gap(e: Evidence, given: str) -> LogExperiment:
    if not e.told:
        return _experiment(
            "log both losses more often, at least 24 times, validation on more data",
            "if prints then lie on one side, that is the gap; if they still lie on both, it is less than they scatter",
        )
    if e.taken == "evaluated":
        return _experiment(
            "train on half the epochs, or on more data, with all else as it is",
            "if the gap narrows, it is what the network knows of its training data; if it stays, validation data are "
            "of another kind",
            f"diagnose ablate --axis epochs{given}" if e.tool in LANGUAGE else "",
        )
    if e.below:
        what = f"{FIXED_BATCH} (no augmentation, mixup or label smoothing)"
        outcome = (
            "if it equals validation, how training's loss is taken makes the gap (dropout, averaging, augmentation, "
            "objective); if it stays where training is, the data differ"
        )
    else:
        what = FIXED_BATCH
        outcome = (
            "if it equals validation, how training's loss is taken makes the gap; if it stays below, the network knows "
            "its training data better than data it has not seen"
        )
    return _experiment(what, outcome, "diagnose loss-gap runs/mine --model file.py:build")


def _experiment(what: str, outcome: str, command: str = "") -> LogExperiment:
    return LogExperiment(what=what, outcome=outcome, command=command)

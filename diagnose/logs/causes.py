"""Which causes of a gap a log leaves possible, which it rules out and why, and the one experiment that would tell.

The causes are the terms of the ledger (`diagnose loss-gap`). A log holds two losses and nothing of how they were
taken, so hardly any cause can be shown by it; but several can be bounded, and several have the wrong sign. What
a tool does when its own code is unchanged is taken from `docs/your-own-loop.md` and said with the tool's name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.logs.names import meaning
from diagnose.logs.series import EPOCH
from diagnose.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.logs.arithmetic import Finding
    from diagnose.logs.pairs import Pairs
    from diagnose.logs.series import Log
    from diagnose.logs.statistics import Fall, Gap

HALF = 0.5  # of the gap: a cause that is bounded below this is not the main one
# what the logged training loss is a mean of, by tool
TAKEN = {
    "nanoGPT": "evaluated", "Hugging Face": "interval", "Keras": "epoch", "llm.c": "batch", "nanochat": "smooth",
}  # fmt: skip
TAKEN_WORDS = {
    "evaluated": "read with the same weights as validation, in evaluation mode",
    "interval": "a mean over the steps since the last print",
    "epoch": "a mean over the epoch, taken while the weights move",
    "batch": "that of the last batch alone",
    "smooth": "a decaying mean",
    "": "of unknown averaging",
}
BATCHES = {"nanoGPT", "llm.c"}  # their validation loss is of some batches only


@dataclass(frozen=True)
class Evidence:
    """What the rules go by.

    Attributes:
        value: the gap that is spoken of, validation minus training; `least`: the least that its interval leaves of it.
        resolved: whether its interval excludes zero.
        gap: all of its statistics.
        tool, taken: whose log, and what its training loss is a mean of ("" where it is not known).
        fall: how fast the training loss falls.
        noise: standard deviation of validation's values about their course, None where there are too few.
        draw: the closing mean over all validation batches minus the single batches before it, None without one.
        dropout, smoothing: as the log states them, None where it does not.
        first_epoch: whether all of the log is from the first epoch, None where it does not say.
        leaks: whether the samples were found to overlap, or the loss to be implausible.
    """

    value: float
    least: float
    resolved: bool
    gap: Gap
    tool: str
    taken: str
    fall: Fall | None
    noise: float | None
    draw: float | None
    dropout: float | None
    smoothing: float | None
    first_epoch: bool | None
    leaks: bool

    @property
    def below(self) -> bool:
        """Whether validation lies below training."""
        return self.value < 0


@dataclass(frozen=True)
class Judged:
    """A cause: whether it is possible, why, and what it would look like."""

    id: str
    possible: bool
    why: str
    looks: str


def taken(log: Log, pairs: Pairs) -> str:
    """Return what the training loss is a mean of, as far as tool and name tell."""
    span = meaning(pairs.train.name).span
    if log.tool == "nanoGPT":
        return "evaluated" if meaning(pairs.train.name).side == "train" else "batch"
    if log.tool in TAKEN and not (log.tool == "llm.c" and span):
        return TAKEN[log.tool]
    if log.tool == "Lightning":
        return "epoch" if span == "epoch" else "batch"
    return {"epoch": "epoch", "smooth": "smooth", "batch": "batch", "step": "batch"}.get(span, "")


def judge(evidence: Evidence) -> list[Judged]:
    """Return every cause with what the log says of it, possible ones first.

    Of a gap that is not resolved nothing is said: nothing needs a cause.
    """
    if not evidence.resolved:
        return []
    rules: tuple[Callable[[Evidence], Judged], ...] = (
        _mode, _leak, _lag, _unseen, _objective, _reduction, _collation, _draw, _recency, _precision,
    )  # fmt: skip
    found = [rule(evidence) for rule in rules]
    return [one for one in found if one.possible] + [one for one in found if not one.possible]


def _published(evidence: Evidence) -> str:
    return f"{evidence.tool}'s own loop reads both with the same weights in evaluation mode"


def _mode(e: Evidence) -> Judged:
    looks = "an offset of one sign that stays as the loss falls, and goes when both are read in evaluation mode"
    if e.taken == "evaluated":
        return Judged("mode", False, _published(e), looks)
    if e.dropout == 0 and e.below:
        return Judged("mode", False, "the log states a dropout of 0", looks)
    if e.below:
        return Judged("mode", True, "dropout raises the training loss, and the log does not say that it is off", looks)
    return Judged(
        "mode", False, "dropout puts training above validation, not below (batch norm may do otherwise)", looks
    )


def _lag(e: Evidence) -> Judged:
    looks = "a gap that is largest where the loss falls fastest and goes where it levels off"
    if e.taken == "evaluated":
        return Judged("lag", False, _published(e), looks)
    if e.taken == "batch":
        return Judged(
            "lag", False, "the training loss is of the last batch, one step before validation's weights", looks
        )
    if not e.below:
        return Judged(
            "lag", False, "a mean over earlier steps is too high while the loss falls, which puts training above", looks
        )
    if e.fall is None or e.fall.most is None:
        return Judged("lag", True, "too few prints to say how fast the loss falls", looks)
    bound = max(e.fall.most, 0.0) / 2
    said = (
        f"the loss falls by at most {plain(max(e.fall.most, 0.0))} a print, so a mean over a print's steps lags at "
        "most "
        f"{plain(bound)}"
    )
    longer = (
        ""
        if e.taken in ("interval", "epoch")
        else " (more, if it averages over a longer time than from print to print)"
    )
    few = f"; {e.fall.prints} prints bound it no better" if e.fall.prints < 12 else ""
    if bound < HALF * e.least:
        return Judged("lag", False, said + longer, looks)
    return Judged("lag", True, said + longer + few, looks)


def _recency(e: Evidence) -> Judged:
    looks = "signs that change from print to print"
    if e.taken == "evaluated":
        return Judged("recency", False, "the training loss is of batches drawn anew from all training text", looks)
    if e.gap.sign.resolved:
        why = f"the luck of training's batches would not give one sign in {e.gap.sign.agree} of {e.gap.sign.blocks} "
        "stretches"
        return Judged("recency", False, why, looks)
    return Judged("recency", True, "too few prints to tell the luck of training's batches from a gap", looks)


def _objective(e: Evidence) -> Judged:
    looks = "an offset that no training removes; label smoothing has a floor that validation's plain loss has not"
    if e.taken == "evaluated":
        return Judged("objective", False, f"{_published(e)}, by the same function", looks)
    if not e.below:
        return Judged("objective", False, "what training adds to its loss puts it above validation, not below", looks)
    if e.smoothing:
        return Judged("objective", True, f"the log states a label smoothing of {plain(e.smoothing)}", looks)
    return Judged("objective", True, "the log does not say what training minimises beside the plain loss", looks)


def _precision(e: Evidence) -> Judged:
    looks = "a small offset of constant size that goes with autocast off"
    if e.taken == "evaluated":
        return Judged("precision", False, f"{_published(e)}, in the same precision", looks)
    return Judged("precision", True, "the log does not say in which precision either is computed", looks)


def _reduction(e: Evidence) -> Judged:
    looks = "a ratio of the two that stays while both fall; padding that counts, or means of unequal batches"
    if e.taken == "evaluated":
        return Judged("reduction", False, f"{_published(e)}, by the same function", looks)
    return Judged("reduction", True, "the log does not say what either mean is over", looks)


def _collation(e: Evidence) -> Judged:
    looks = "an offset that goes when training text is read through validation's loader"
    if e.taken == "evaluated":
        return Judged("collation", False, f"{e.tool}'s own loop draws both batches by the same function", looks)
    return Judged("collation", True, "the log does not say how documents are cut and padded on either side", looks)


def _unseen(e: Evidence) -> Judged:
    looks = "a gap near zero at first that widens with every epoch"
    if e.below:
        why = "text that training has not seen puts validation above, unless it is easier text by nature"
        return Judged("unseen", False, why, looks)
    if e.first_epoch:
        why = "in the first epoch training's batches are unseen too when read, so only text of another kind could"
        return Judged("unseen", True, why, looks)
    moves = {"widens": "; it widens along the log, as this does", "narrows": "; though it narrows along the log"}
    return Judged("unseen", True, f"training has seen its text{moves.get(e.gap.moves, '')}", looks)


def _leak(e: Evidence) -> Judged:
    looks = "both losses low alike, once measured alike, and a much higher loss on text that was really held out"
    if not e.below:
        why = "validation text that was trained on would bring validation down to training, not leave it above"
        return Judged("leak", False, why, looks)
    if e.leaks:
        why = "samples or loss point to it; it takes off what holds validation up, but alone cannot put it below"
        return Judged("leak", True, why, looks)
    why = "it would hide what holds validation up, so that another cause shows; alone it cannot put validation below"
    return Judged("leak", True, why, looks)


def _draw(e: Evidence) -> Judged:
    looks = "signs that change from print to print, and a mean over all validation text that differs"
    if e.draw is not None and abs(e.draw) < HALF * abs(e.value):
        why = f"the mean over all validation batches differs from the single ones by {plain(abs(e.draw))} alone"
        return Judged("draw", False, why, looks)
    if e.gap.sign.resolved:
        why = f"the luck of a batch would not give one sign in {e.gap.sign.agree} of {e.gap.sign.blocks} stretches"
        moved = "" if e.tool in BATCHES or e.noise else "; a fixed set of batches may still be easier or harder"
        return Judged("draw", False, why + moved, looks)
    return Judged("draw", True, "too few prints to tell the luck of validation's batches from a gap", looks)


def first_epoch(log: Log) -> bool | None:
    """Say whether all of a log is from the first epoch, None where it does not count parts of epochs."""
    if log.tool != "Hugging Face":
        return None
    epochs = [float(table[:, EPOCH].max()) for series in log.series.values() if len(table := series.table())]
    known = [epoch for epoch in epochs if not math.isnan(epoch)]
    return max(known) <= 1.0 if known else None


FIXED_BATCH = (
    "read one fixed sample of training text exactly as validation is read, and print it beside the other two: "
    "model.eval(); fixed = loss(model, train_sample); model.train()"
)


def experiment(e: Evidence, found: list[Finding], data: str | None) -> dict[str, str]:
    """Return the one experiment that would tell most: what to do, what each outcome says, a command."""
    rules = {one["rule"] for one in found}
    given = f" --data {data}" if data and data != "akjv" else ""
    if "log/not-finite" in rules:
        return _experiment(
            "train again from before the first broken step at a tenth of the learning rate",
            "if it stays finite, the step was too large; if not, look for a batch without targets",
            "",
        )
    if rules & {"log/factor", "log/identical", "log/frozen", "log/units", "log/perplexity"}:
        return _experiment(
            "compute both losses by hand on one batch, as nats summed over targets and the number of targets",
            "whichever differs from what is logged has the mistake",
            "",
        )
    if e.leaks:
        return _experiment(
            "hold whole documents out before samples are cut, train as before, and read the loss of those documents",
            "if it is far above today's validation loss, validation text was trained on; if not, look at the metric "
            "itself",
            f"diagnose ablate --axis split --levels documents,windows{given}",
        )
    if not e.resolved:
        return _experiment(
            "log both losses more often, at least 24 times, validation on more text",
            "if the interval still holds zero there is no gap to explain",
            "",
        )
    if e.taken == "evaluated":
        return _experiment(
            "train on half the epochs, or on more text, with all else as it is",
            "if the gap narrows, it is what the "
            "network knows of its training text; if it stays, validation text is of another kind",
            f"diagnose ablate --axis epochs{given}",
        )
    outcome = (
        "if it equals validation, how training's loss is taken makes the gap (dropout, averaging, objective); if it "
        "stays "
        "where training is, the texts differ"
        if e.below else
        "if it equals validation, how training's loss is taken makes the gap; if it stays below, training text is "
        "known to the "
        "network and validation text is not"
    )  # fmt: skip
    return _experiment(
        FIXED_BATCH, outcome, "diagnose loss-gap runs/mine --model file.py:build (docs/your-own-loop.md)"
    )


def _experiment(what: str, outcome: str, command: str) -> dict[str, str]:
    return {"what": what, "outcome": outcome, "command": command}

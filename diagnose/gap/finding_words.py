"""The words of findings that a ledger's record decides: what is meant by text or data, what to change and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.formatting import listed
from diagnose.gap.factor_fits import OR
from diagnose.gap.gap_causes import (
    BY_GROUP,
    FOREIGN,
    OURS,
    UNEVEN,
    averaged_alike,
    drawn_on_one_side,
    in_mode,
    live_kinds,
    mode_name,
    mode_suffix,
    other_data,
)
from diagnose.gap.reported import SWAPPED, by_arithmetic
from diagnose.gap.term_kinds import KIND

if TYPE_CHECKING:
    from collections.abc import Container

    from diagnose.records.ledgers import LedgerRecord

WEIGH = "weigh each batch's mean by what it counts"
DRAWS = (
    "call recorder.before() right before the loss is taken: the objective draws random numbers (mixed samples, noise, "
    "timesteps) before the model runs, and the steps were read again with other ones"
)
SAME_OBJECTIVE = (
    "see that the objective is the loop's, and takes what that took: other weights (a second pass, as SAM's), "
    "a batch that a hook changes, {drawn}and that it was "
    "the same at every step: smoothing that ended or a weight that was annealed meanwhile is in lag"
)
TAKEN_ON = "give the batches that it was taken on (reported_on), or record the steps (GapRecorder)"
RECORDED = (
    "see that the recorded steps are those that it is of: recorder.epoch() where the loop's sum begins, weight= where "
    "it weighs, reports= as it averages"
)
MEANT = ", where the difference (augmentation, sampling) is not meant: matched losses are of plain data"
STATISTICS = (
    "have batch norm's running statistics follow (more steps, a larger momentum, larger batches), or compute them anew "
    "(torch.optim.swa_utils.update_bn); to see the gap without them, "
)
EVALUATE = "call model.eval() before validation and model.train() after it"
EVALUATE_PARTS = (
    "the model gives losses in training mode alone: keep it there, and call eval() of its dropout and batch norm "
    "modules before validation and train() after it"
)
DRAWN_BEFORE = "random numbers drawn before the model runs (recorder.before()), "
PLAIN = "give plain=, the same data without augmentation or sampling"
READ_AS_IS = "have validation read its data without augmentation or sampling"
FAR = 20.0  # times training's loss: a loss on unseen data that has likelier causes than overfitting
TIMES = 1.5  # and more, or that much less, is worth a word where no arithmetic gives a loss


def in_words(said: str, record: LedgerRecord, unexplained: Container[str], *, in_callback: bool) -> str:
    """Return a rule's sentence with what training mode switches on, and in the words of text or of data.

    Args:
        said: the sentence, with names of words in braces.
        record: of which it holds.
        unexplained: sides whose reported loss nothing explains.
        in_callback: whether it is for a user of a callback, who gives no sides.
    """
    mode = mode_name(live_kinds(record))
    words = FOREIGN if record.of_loop else OURS
    words = words | {"unlike": "; ".join(record.conditions.unlike), "unseen": other_data(record)}
    words |= _sharing(record, words)
    words |= {"arithmetic": _fitting(record), "beside": beside(record)}
    swapped = SWAPPED in words["arithmetic"]
    words["mend"] = "exchange them" if swapped else "look for it in how the loss is summed, divided and logged"
    words["evaluate"] = EVALUATE_PARTS if record.conditions.in_training_alone else EVALUATE
    words |= {"on": in_mode(live_kinds(record), on=True), "off": mode_suffix(live_kinds(record), on=False)}
    words["statistics"] = STATISTICS if lags_behind(record) else ""
    words["meant"] = MEANT if record.of_loop else ""
    words["drawn"] = "" if in_callback else DRAWN_BEFORE
    words["times"] = _times(record, unexplained) if record.of_loop else ""
    words["drawn_alike"] = record.conditions.drawn_alike
    words["redrawn"] = PLAIN if "train" in record.conditions.redrawn else READ_AS_IS
    of_draws = "train" in record.conditions.random and not in_callback
    words["other_steps"] = DRAWS if of_draws else SAME_OBJECTIVE.format(**words)
    of_record = record.conditions.reports.train != "given" and "training" in unexplained
    words["taken_on"] = RECORDED if of_record else TAKEN_ON
    uneven, kind = averaged_alike(record), KIND["reduction"]
    words |= {"averaged": capital(UNEVEN if uneven else kind.cause), "average": WEIGH if uneven else kind.fix}
    words |= {"objectives": _objectives(record), "generalise": _generalise(record).format(**words)}
    return said.format(mode=mode, Mode=capital(mode), **words)


def capital(said: str) -> str:
    """Return what begins a sentence."""
    return said[0].upper() + said[1:]


def _sharing(record: LedgerRecord, words: dict[str, str]) -> dict[str, str]:
    """Return what the two sides share, and how to split: samples of one group are no duplicates."""
    if record.conditions.by_group:
        return {"units": "groups", "apart": BY_GROUP, "split": BY_GROUP}
    split = f"split by {words['document']} before cutting samples"
    return {"units": words["documents"], "apart": "remove duplicates before splitting", "split": split}


def lags_behind(record: LedgerRecord) -> bool:
    """Say whether it is batch norm that does worse in evaluation mode, with the statistics that it keeps."""
    return record.value("mode") > 0 and live_kinds(record) == ["batch norm"]


def _objectives(record: LedgerRecord) -> str:
    """Say that the objectives differ; which holds more only where what it holds is known."""
    if record.of_loop and not any(record.others.values()):
        how = "; ".join([*record.conditions.losses, *drawn_on_one_side(record)])
        return f"The objectives of the two sides differ{f': {how}' if how else ''}"
    more, less = ("Training", "validation") if record.value("objective") <= 0 else ("Validation", "training")
    return f"{more}'s loss holds more than {less}'s"


def _generalise(record: LedgerRecord) -> str:
    """Return what to do about a gap on unseen data; one of many times training's loss has other causes, too."""
    if record.matched.train > 0 and record.matched.val > FAR * record.matched.train:
        return (
            "check first that validation's labels belong to its inputs (their order, the mapping of classes) and that "
            "both are prepared alike, for its loss is many times training's; else it is overfitting: more {text}, "
            "fewer epochs, more regularisation"
        )
    return "more {text}, fewer epochs, more regularisation, or nothing while the loss on {unseen} falls"


def beside(record: LedgerRecord) -> str:
    """Name the modules that the objective runs beside the model."""
    return listed(record.verified.beside) if record.verified else ""


def _fitting(record: LedgerRecord) -> str:
    """Say which arithmetic gives which reported loss."""
    if any(SWAPPED in fit.factor for fits in record.arithmetic.values() for fit in fits):
        return f"Each reported loss is what the other side gives: {SWAPPED}"
    some = {side: [fit.factor for fit in fits] for side, fits in record.arithmetic.items() if fits}
    return "; ".join(f"The reported {side} loss is {by_arithmetic(_either(f))}" for side, f in some.items())


def _either(factors: list[str]) -> str:
    """Return what gives a loss; of several that do, that one loss does not tell which."""
    if len(factors) == 1:
        return factors[0]
    return f"either {OR.join(factors)} (this one loss does not tell which)"


def _times(record: LedgerRecord, unexplained: Container[str]) -> str:
    """Say how many times what is read the losses are that no arithmetic explains; "" where that may be once."""
    out, given = [], {"training": record.reported.train, "validation": record.reported.val}
    for part in record.term("residual").parts:
        reported = given.get(part.id, 0.0)
        sign = 1 if part.id == "training" else -1
        ends = [reported + sign * (end or 0.0) for end in (part.low, part.high, part.value) if end is not None]
        if reported <= 0 or part.id not in unexplained or min(ends) <= 0:
            continue
        low, high = reported / max(ends), reported / min(ends)
        if low >= TIMES or high <= 1 / TIMES:
            span = f"{low:.2g} to {high:.2g}" if f"{low:.2g}" != f"{high:.2g}" else f"{low:.3g}"
            out.append(f"{part.id}'s is {span} times what is read")
    return f": {', and '.join(out)}" if out else ""

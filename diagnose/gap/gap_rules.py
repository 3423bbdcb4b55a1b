"""What a ledger finds and what to change: rules on its record, each with an id."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.formatting import listed
from diagnose.gap.gap_causes import (
    BY_GROUP,
    FOREIGN,
    NOTHING,
    OURS,
    REPLAYED,
    all_causes,
    data_moved,
    drawn_on_one_side,
    group_sum,
    in_mode,
    largest_difference,
    live_kinds,
    mode_name,
    mode_suffix,
    mostly_seen,
    of_other_losses,
    other_data,
    partly_seen,
    replayed,
    spread,
    term_of,
)
from diagnose.gap.reported import SWAPPED
from diagnose.gap.term_kinds import KINDS
from diagnose.records.schema import FindingRecord, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.records.ledgers import LedgerRecord

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
WORSE = 3.0  # times the loss on other data: so much training's may cost where nothing is wrong with it
TIMES = 1.5  # and more, or that much less, is worth a word where no arithmetic gives a loss
LARGE_SHARE = 0.2  # of the sum of absolute parts


@dataclass(frozen=True)
class FindingRule:
    """A finding: when it holds, what it says and what to change.

    Attributes:
        measured: returns the figures that it stands on, None where it does not hold.
        settings: the recipe's keys that change it, said of our own runs.
        in_callback: what a user of a callback can change, who gives no sides; "" where that is `fix`.
    """

    id: str
    severity: Severity
    what: str
    fix: str
    measured: Callable[[LedgerRecord], dict[str, float] | None]
    settings: str = ""
    in_callback: str = ""


def _large(name: str) -> Callable[[LedgerRecord], dict[str, float] | None]:
    """Hold where a term is a large part of the gap and its interval excludes zero."""

    def measured(record: LedgerRecord) -> dict[str, float] | None:
        term = term_of(record, name)
        if term is None:
            return None
        total = math.fsum(abs(cause.value) for cause in all_causes(record)) or 1.0
        value, low, high = term.value, term.low, term.high
        if value is None or abs(value) < max(LARGE_SHARE * total, NOTHING):
            return None
        if low is not None and high is not None and low <= 0 <= high:
            return None
        return {name: value, "share": abs(value) / total}

    return measured


def _leaks(record: LedgerRecord) -> dict[str, float] | None:
    overlap = record.overlap
    if overlap is None or not mostly_seen(record):
        return None
    out: dict[str, float] = {"seen_documents": overlap.exact + overlap.near, "val_documents": overlap.val_documents}
    return out | ({"unseen_loss": record.unseen.loss} if record.unseen else {})


def _duplicates(record: LedgerRecord) -> dict[str, float] | None:
    overlap = record.overlap
    if overlap is None or not partly_seen(record):
        return None
    return {"exact": overlap.exact, "near": overlap.near, "val_documents": overlap.val_documents}


def _averaging(record: LedgerRecord) -> dict[str, float] | None:
    if of_other_losses(record):
        return None
    averaged = record.conditions.reports.train != "last"
    return _large("lag")(record) if averaged and record.value("lag") < 0 else None


def _one_batch(record: LedgerRecord) -> dict[str, float] | None:
    timing, value = record.group("timing"), group_sum(record, "timing")
    if record.conditions.reports.train != "last" or timing.share < LARGE_SHARE:
        return None
    low, high = spread(record, "timing")
    if low is not None and high is not None and low <= 0 <= high:
        return None
    return {"timing": value, "share": timing.share} if abs(value) > NOTHING else None


def _memorised(record: LedgerRecord) -> dict[str, float] | None:
    mode, beside = record.value("mode"), record.term("mode").beside
    if beside is None or beside.value is None or beside.low is None or beside.high is None:
        return None
    if not record.conditions.train.on or record.conditions.val.on:
        return None
    if mode * beside.value >= 0 or beside.low <= 0 <= beside.high:
        return None
    return {"mode": mode, "mode_on_unseen_text": beside.value}


def _learned_less(record: LedgerRecord) -> dict[str, float] | None:
    """Hold where training data cost many times what other data cost, under the same conditions."""
    unseen, same = record.term("unseen"), record.matched
    unlike = record.conditions.unlike or _drawn_otherwise(record) or data_moved(record)
    if not record.of_loop or unlike or record.conditions.masked:
        return None
    if unseen.high is None or unseen.high >= 0 or not 0 < WORSE * same.val < same.train:
        return None
    return {"train": same.train, "val": same.val}


def _overfits(record: LedgerRecord) -> dict[str, float] | None:
    unseen = record.term("unseen")
    if record.conditions.unlike or record.conditions.masked or data_moved(record):
        return None  # no generalisation gap: said by gap/inputs and gap/masked
    if _drawn_otherwise(record) and record.term("leak").value is None:
        return None  # augmentation may be what differs: said by gap/redrawn
    if unseen.value is None or unseen.low is None or unseen.high is None or unseen.low <= 0 or mostly_seen(record):
        return None
    return {"unseen": unseen.value, "low": unseen.low, "high": unseen.high}


def _moved(record: LedgerRecord) -> dict[str, float] | None:
    return {name: record.value(name) for name in ("recency", "unseen")} if data_moved(record) else None


def _drawn_otherwise(record: LedgerRecord) -> bool:
    """Say whether training's samples are drawn anew each pass, and not by what draws validation's, too."""
    return "train" in record.conditions.redrawn and not record.conditions.drawn_alike


def _unfaithful(record: LedgerRecord) -> dict[str, float] | None:
    return None if record.of_loop else _replays_otherwise(record)


def _other_loss(record: LedgerRecord) -> dict[str, float] | None:
    return _replays_otherwise(record) if record.of_loop and not _beside(record) else None


def _trained_beside(record: LedgerRecord) -> dict[str, float] | None:
    return _replays_otherwise(record) if record.of_loop and _beside(record) else None


def _beside(record: LedgerRecord) -> str:
    """Name the modules that the objective runs beside the model."""
    return listed(record.verified.beside) if record.verified else ""


def _replays_otherwise(record: LedgerRecord) -> dict[str, float] | None:
    if replayed(record) <= REPLAYED:
        return None
    return {"residual": abs(record.value("residual")), "largest_step": largest_difference(record)}


def _eval_forgotten(record: LedgerRecord) -> dict[str, float] | None:
    if not record.conditions.val.on:
        return None
    off, on = record.matched.val, record.matched_on.val
    return {"val_on": on, "val_off": off} if abs(on - off) > NOTHING else None


def _eval_unsure(record: LedgerRecord) -> dict[str, float] | None:
    """Hold where validation's loss may be that of training mode, and no arithmetic gives it."""
    if "val" not in record.conditions.may_be_on or record.arithmetic.get("validation"):
        return None
    return {"val_on": record.matched_on.val, "val_off": record.matched.val, "reported": record.reported.val}


def _train_forgotten(record: LedgerRecord) -> dict[str, float] | None:
    """Hold where training's loss turned out to be taken in evaluation mode."""
    kinds = record.conditions.kinds
    told = "train" in record.conditions.as_taken and not record.conditions.train.on
    return {"kinds": float(len(kinds))} if told else None


def _trains_with(record: LedgerRecord) -> dict[str, float] | None:
    return _large("mode")(record) if record.conditions.train.on else None


def _not_these(record: LedgerRecord) -> dict[str, float] | None:
    """Hold where a part of the residual is beyond its interval and larger than all that luck of masks explains."""
    if not record.of_loop:
        return None
    out = {}
    explained = {side for side, fits in record.arithmetic.items() if len(fits) == 1}  # by gap/arithmetic
    explained |= {"validation"} if _eval_unsure(record) else set()
    for part in record.term("residual").parts:
        if part.id in explained:
            continue
        value, low, high = part.value or 0.0, part.low, part.high
        if abs(value) > NOTHING and not (low is not None and high is not None and low <= 0 <= high):
            out[part.id] = value
    return out if out and _large("residual")(record) else None


def _arithmetic(record: LedgerRecord) -> dict[str, float] | None:
    return {fit.factor: fit.value for fits in record.arithmetic.values() for fit in fits} or None


def _fitting(record: LedgerRecord) -> str:
    """Say which arithmetic gives which reported loss."""
    if any(SWAPPED in fit.factor for fits in record.arithmetic.values() for fit in fits):
        return f"Each reported loss is what the other side gives: {SWAPPED}"
    some = {side: [fit.factor for fit in fits] for side, fits in record.arithmetic.items() if fits}
    return "; ".join(f"The reported {side} loss is what is read, {_either(factors)}" for side, factors in some.items())


def _either(factors: list[str]) -> str:
    """Return what gives a loss; of several that do, that one loss does not tell which."""
    if len(factors) == 1:
        return factors[0]
    return f"either {', or '.join(factors)} (this one loss does not tell which)"


def _times(record: LedgerRecord) -> str:
    """Say how many times what is read the losses are that no arithmetic explains; "" where that may be once."""
    out, given = [], {"training": record.reported.train, "validation": record.reported.val}
    for part in record.term("residual").parts:
        reported = given.get(part.id, 0.0)
        sign = 1 if part.id == "training" else -1
        ends = [reported + sign * (end or 0.0) for end in (part.low, part.high, part.value) if end is not None]
        if reported <= 0 or part.id not in (_not_these(record) or {}) or min(ends) <= 0:
            continue
        low, high = reported / max(ends), reported / min(ends)
        if low >= TIMES or high <= 1 / TIMES:
            span = f"{low:.2g} to {high:.2g}" if high > (1 + REPLAYED) * low else f"{low:.3g}"
            out.append(f"{part.id}'s is {span} times what is read")
    return f": {', and '.join(out)}" if out else ""


def _random(record: LedgerRecord) -> dict[str, float] | None:
    """Hold where validation's loss is random with nothing of training mode on; training's may well be."""
    return {"val_random": 1.0} if "val" in record.conditions.random else None


def _masked(record: LedgerRecord) -> dict[str, float] | None:
    return {f"{side}_masked": share for side, share in record.conditions.masked.items()} or None


def _unlike(record: LedgerRecord) -> dict[str, float] | None:
    return {"unlike": float(len(record.conditions.unlike))} if record.conditions.unlike else None


def _redrawn(record: LedgerRecord) -> dict[str, float] | None:
    if record.conditions.drawn_alike:
        return None
    return {f"{side}_redrawn": 1.0 for side in record.conditions.redrawn} or None


def _drawn_alike(record: LedgerRecord) -> dict[str, float] | None:
    return {"val_redrawn": 1.0} if record.conditions.drawn_alike else None


RULES = (
    FindingRule("gap/unfaithful", "error", "Replaying the run does not give what it logged",
         "the record contradicts itself: trust no term; train again, and check threads and device", _unfaithful),
    FindingRule("gap/replay", "warning", "A recorded step, read again with its own weights, does not give its loss: "
         "lag holds what differs",
         "see that the objective is the loop's, and takes what that took: other weights (a second pass, as SAM's), "
         "a batch that a hook changes, {drawn}and that it was "
         "the same at every step: smoothing that ended or a weight that was annealed meanwhile is in lag", _other_loss),
    FindingRule("gap/trained-beside", "note", "A recorded step, read again with its own weights and {beside} as found "
         "now, does not give its loss: lag holds what differs",
         "nothing, where {beside} is trained beside the model (as a discriminator is); where it draws random numbers "
         "before the model runs (a teacher in training mode), recorder.before(); else see that batch and objective are "
         "the loop's", _trained_beside,
         in_callback="nothing, where {beside} is trained beside the model (as a discriminator is)"),
    FindingRule("gap/leaking-split", "error",
         "Training has seen most of the validation {text}: this is not a validation loss",
         "{split}", _leaks, "data.split=documents"),
    FindingRule("gap/eval-forgotten", "warning", "The validation loss is taken in training mode",
         "{evaluate}", _eval_forgotten, "report.val_dropout=false"),
    FindingRule("gap/train-forgotten", "note", "The training loss was taken in evaluation mode: {mode} {off}",
         "nothing, where both losses are estimated so on purpose; where it is the loss that was trained on, call "
         "model.train() after validation", _train_forgotten),
    FindingRule("gap/arithmetic", "warning", "{arithmetic}",
         "{mend}", _arithmetic),
    FindingRule("gap/random", "warning",
         "Validation's loss is random: noise is on that model.eval() does not switch off",
         "switch it off by self.training, or set a seed before each validation where it is meant (latents, timesteps); "
         "audit_metric says whether it is dropout and what it costs", _random),
    FindingRule("gap/masked", "note", "Losses that are 0 whatever the weights are, as behind a mask, count in the mean",
         "give the mask as 'weights' beside the losses, so that what is masked does not count", _masked,
         in_callback="take the mean over what counts alone; a Trainer leaves each row's first token out, which nothing "
         "predicts, where the model names its loss (model.loss_type = 'ForCausalLM')"),
    FindingRule("gap/inputs", "note", "Validation's batches are not as training's: {unlike}",
         "see that both are prepared alike, and split at random; plain= tells preparation from data", _unlike),
    FindingRule("gap/redrawn", "note", "A loader yields other samples each pass: {text} and their drawing are together",
         PLAIN, _redrawn,
         in_callback="{redrawn}"),
    FindingRule("gap/drawn-alike", "note", "Validation's samples are augmented or drawn at random as training's are: "
         "{drawn_alike} makes both",
         "where that is not meant, make validation a dataset of its own whose transform draws nothing (two Subsets of "
         "one dataset share all that is set on it; a transform that is set on a Subset is never read)", _drawn_alike),
    FindingRule("gap/duplicates", "warning", "Some validation {units} occur in the training {text}",
         "{apart}", _duplicates),
    FindingRule("gap/eval-unsure", "warning", "The reported validation loss is not what evaluation mode gives; in "
         "training mode it lies within the luck of masks",
         "see that model.eval() is called before validation; more batches, or mode='train', tell", _eval_unsure,
         in_callback="see that model.eval() is called before validation; more validation batches tell"),
    FindingRule("gap/residual", "note", "A reported loss is not what these weights give on these batches{times}",
         "give the batches that it was taken on (reported_on), or record the steps (GapRecorder)", _not_these,
         in_callback="see what else is in it as it is logged: other batches, another average, or what no step takes"),
    FindingRule("gap/mode", "note", "Training's loss is taken with {on} and validation's with it {off}",
         "{statistics}compare both in evaluation mode: read a fixed sample of training {text} as validation is read",
         _trains_with),
    FindingRule("gap/memorised", "note", "{Mode} raises the loss on training {text} and lowers it on {unseen}",
         "the network has memorised: judge {mode} by {unseen}", _memorised),
    FindingRule("gap/averaging", "note", "The training loss is a mean over steps in which the network still improved",
         "report the loss of the weights that validation reads", _averaging, "report.train=last"),
    FindingRule("gap/one-batch", "note", "The reported training loss is that of one batch, and its luck shows",
         "report a mean over the interval", _one_batch, "report.train=interval"),
    FindingRule("gap/draw", "note", "The reported validation batch differs from the whole validation {text}",
         "read more of it", _large("draw"), "report.val=full, or a larger report.val_batches"),
    FindingRule("gap/objective", "note", "{objectives}",
         "where that is not meant, take both with one objective; else log the plain loss of both sides beside what is "
         "minimised", _large("objective")),
    *(FindingRule(f"gap/{kind.id}", "note", kind.cause[0].upper() + kind.cause[1:], kind.fix, _large(kind.id),
                  kind.settings) for kind in KINDS if kind.fix),
    FindingRule("gap/collation", "note", "Validation {documents} are {cut} otherwise than training's",
         "have both {cut} alike{meant}", _large("collation"), "report.val_loader=training"),
    FindingRule("gap/data-moved", "note", "Earlier training batches cost otherwise than those of the last steps, which "
         "cost what validation does: the data changed as training went on",
         "where that is meant (rollouts of a policy, a curriculum, a stream), give the last steps' batches as "
         "training's side", _moved),
    FindingRule("gap/training-worse", "warning", "The network does far worse on training {text} than on {unseen}",
         "check that both are prepared alike (training augmented: give plain=) and that training's labels belong to "
         "its inputs (their order, the mapping of classes), which audit_metric asks", _learned_less),
    FindingRule("gap/unseen", "note", "The network does better on training {text} than on {unseen}",
         "{generalise}", _overfits),
)  # fmt: skip


def findings(record: LedgerRecord, *, in_callback: bool = False) -> list[FindingRecord]:
    """Return what holds of a record, the gravest first; what to change is in the words for users of a callback."""
    out = []
    for rule in RULES:
        measured = rule.measured(record)
        if measured is not None:
            settings = f" ({rule.settings})" if rule.settings and not record.of_loop else ""
            advice = rule.in_callback if in_callback and rule.in_callback else rule.fix
            what = _in_words(rule.what, record, in_callback=in_callback)
            fix = _in_words(advice, record, in_callback=in_callback) + settings
            out.append(FindingRecord(rule=rule.id, severity=rule.severity, what=what, fix=fix, measured=measured))
    return out


def _in_words(said: str, record: LedgerRecord, *, in_callback: bool) -> str:
    """Return a rule's sentence with what training mode switches on, and in the words of text or of data."""
    mode = mode_name(live_kinds(record))
    words = FOREIGN if record.of_loop else OURS
    words = words | {"unlike": "; ".join(record.conditions.unlike), "unseen": other_data(record)}
    words |= _sharing(record, words)
    words |= {"arithmetic": _fitting(record), "beside": _beside(record)}
    swapped = SWAPPED in words["arithmetic"]
    words["mend"] = "exchange them" if swapped else "look for it in how the loss is summed, divided and logged"
    words["evaluate"] = EVALUATE_PARTS if record.conditions.in_training_alone else EVALUATE
    words |= {"on": in_mode(live_kinds(record), on=True), "off": mode_suffix(live_kinds(record), on=False)}
    words["statistics"] = STATISTICS if _lags_behind(record) else ""
    words["meant"] = MEANT if record.of_loop else ""
    words["drawn"] = "" if in_callback else DRAWN_BEFORE
    words["times"] = _times(record) if record.of_loop else ""
    words["drawn_alike"] = record.conditions.drawn_alike
    words["redrawn"] = PLAIN if "train" in record.conditions.redrawn else READ_AS_IS
    words |= {"objectives": _objectives(record), "generalise": _generalise(record).format(**words)}
    return said.format(mode=mode, Mode=mode[0].upper() + mode[1:], **words)


def _sharing(record: LedgerRecord, words: dict[str, str]) -> dict[str, str]:
    """Return what the two sides share, and how to split: samples of one group are no duplicates."""
    if record.conditions.by_group:
        return {"units": "groups", "apart": BY_GROUP, "split": BY_GROUP}
    split = f"split by {words['document']} before cutting samples"
    return {"units": words["documents"], "apart": "remove duplicates before splitting", "split": split}


def _lags_behind(record: LedgerRecord) -> bool:
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

"""What a ledger finds and what to change: rules on its record, each with an id."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from diagnose.gap.finding_words import PLAIN, beside, in_words
from diagnose.gap.gap_causes import (
    all_causes,
    data_moved,
    group_sum,
    largest_difference,
    mostly_seen,
    nothing,
    of_other_losses,
    partly_seen,
    replayed,
    spread,
    term_of,
)
from diagnose.gap.term import REPLAYED
from diagnose.gap.term_kinds import KIND, KINDS
from diagnose.records.schema import FindingRecord, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.records.ledgers import LedgerRecord

WORSE = 3.0  # times the loss on other data: so much training's may cost where nothing is wrong with it
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
        if value is None or abs(value) < max(LARGE_SHARE * total, nothing(record)):
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
    if abs(record.value("lag")) > abs(record.value("recency")):
        return None  # the weights moved; the batch was as others are
    low, high = spread(record, "timing")
    if low is not None and high is not None and low <= 0 <= high:
        return None
    return {"timing": value, "share": timing.share} if abs(value) > nothing(record) else None


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
    return _replays_otherwise(record) if record.of_loop and not beside(record) else None


def _trained_beside(record: LedgerRecord) -> dict[str, float] | None:
    return _replays_otherwise(record) if record.of_loop and beside(record) else None


def _replays_otherwise(record: LedgerRecord) -> dict[str, float] | None:
    if replayed(record) <= REPLAYED:
        return None
    return {"residual": abs(record.value("residual")), "largest_step": largest_difference(record)}


def _eval_forgotten(record: LedgerRecord) -> dict[str, float] | None:
    if not record.conditions.val.on:
        return None
    off, on = record.matched.val, record.matched_on.val
    return {"val_on": on, "val_off": off} if abs(on - off) > nothing(record) else None


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
        if abs(value) > nothing(record) and not (low is not None and high is not None and low <= 0 <= high):
            out[part.id] = value
    return out if out and _large("residual")(record) else None


def _arithmetic(record: LedgerRecord) -> dict[str, float] | None:
    return {fit.factor: fit.value for fits in record.arithmetic.values() for fit in fits} or None


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
         "{other_steps}", _other_loss),
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
         "{taken_on}", _not_these,
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
    FindingRule("gap/reduction", "note", "{averaged}", "{average}", _large("reduction"), KIND["reduction"].settings),
    *(FindingRule(f"gap/{kind.id}", "note", kind.cause[0].upper() + kind.cause[1:], kind.fix, _large(kind.id),
                  kind.settings) for kind in KINDS if kind.fix and kind.id != "reduction"),
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
            said = partial(in_words, record=record, unexplained=_not_these(record) or {}, in_callback=in_callback)
            what, fix = said(rule.what), said(advice) + settings
            out.append(FindingRecord(rule=rule.id, severity=rule.severity, what=what, fix=fix, measured=measured))
    return out

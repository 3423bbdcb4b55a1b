"""The audit of a user's model by two sides: every rule that can be judged from what was given, and no other."""

from __future__ import annotations

import time
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

from diagnose.audit import side_data, side_evaluation, side_network, side_scores
from diagnose.audit.audited_sides import FEW, AuditedSides, first_of, held
from diagnose.audit.findings import Audit, judges, known
from diagnose.audit.hits import why_refused
from diagnose.audit.predictions import NONE
from diagnose.audit.rules import split_overlap, what_is_scored
from diagnose.audit.side_batches import NOT_MOVED, TokenBatch, may_hold_text, tokens_of
from diagnose.audit.side_passes import CannotRunError, SidePasses
from diagnose.errors import DiagnoseError
from diagnose.gap.loop.guard import guarded
from diagnose.gap.loop.reached import other_modules
from diagnose.gap.loop.time_first import rows_first
from diagnose.gap.recorder import ranks
from diagnose.gap.side import Side, check_model

if TYPE_CHECKING:
    from torch import nn

    from diagnose.audit.audited_sides import Adapters
    from diagnose.records.audits import AuditRecord

LOOKED = 8  # validation batches in which a padded one is looked for
OF_PADDING = "padding-counted", "padding-predicted", "padding-dependent"
OF_TOKENIZERS = "bytes-lost", "end-unpaid", "tokenizer-lossy", "vocabulary-leak"
NO_TEXT = "the batches hold no text (rows of whole numbers); where they do, give tokens=batch -> (inputs, targets)"


def audit(model: nn.Module, train: Side | None, val: Side, given: Adapters, seconds: float) -> AuditRecord:
    """Audit a model by its sides; the model comes back exactly as it was.

    Raises:
        DiagnoseError: a side or an adapter is no such thing, fails, or returns something of the wrong shape.
    """
    check_model(model)
    if isinstance(seconds, bool) or not isinstance(seconds, Real) or not seconds > 0:
        raise DiagnoseError(f"budget is {seconds!r}; give seconds, a number above 0, for instance 20")
    for name, side in (("train", train), ("val", val)):
        if not isinstance(side, Side) and not (side is None and name == "train"):
            raise DiagnoseError(f"{name} is a {type(side).__name__}; give a Side(batches, objective)")
    (train, val), _ = rows_first(model, (train, val))
    begun = time.monotonic()
    model = ranks.unwrapped(model)
    sides = [side for side in (train, val) if side is not None]
    if val.model is not None:
        model = ranks.unwrapped(val.model)
    reached = {id(module): module for side in sides for module in other_modules(side.objective, model).values()}
    with guarded(model, [side.batches for side in sides], list(reached.values())) as guard:
        batches, complete = held(val, "validation")
        out = Audit(text=given.speaks_of_text or may_hold_text(batches[0]))
        if not out.text:
            _not_asked(out, "text", NO_TEXT)
        passes = SidePasses(model, guard, val, "validation")
        try:
            _begin(passes, train, batches)
            if refused := why_refused(AuditedSides(passes, batches, train)):
                raise DiagnoseError(refused)
            tokens = evaluation(out, passes, batches, given)
            for judge in judges("judge_sides"):
                judge(out, AuditedSides(passes, batches, train))
            again = side_evaluation.drawn_anew(out, passes)
            _scored(out, batches, tokens, given, complete=complete, again=again)
            what_is_scored.judge_dropped(out, val.batches)
            _text(out, given)
            side_network.ties(out, model, given.tied)
            training(out, passes, train, batches, given, seconds)
            _shared(out, passes, train, batches, max(5.0, begun + seconds - time.monotonic()))
        finally:
            passes.forget()
            guard.restore()
    _not_asked(out, "runs", "the rule is of runs of diagnose")
    out.ends("nothing was given that it could be judged by")
    return out.record("sides", time.monotonic() - begun, batches=len(batches))


def _not_asked(out: Audit, of: str, why: str) -> None:
    for rule in known().values():
        if rule.of == of:
            out.skips(rule.id, why, matters=False)


def _begin(passes: SidePasses, train: Side | None, batches: list[Any]) -> None:
    """Refuse objectives that train, and find out what validation's losses count.

    Raises:
        DiagnoseError: an objective changes the weights.
    """
    passes.set_mode()
    passes.refuse_steps(batches[0])
    some = [] if train is None else first_of(train, 1)
    train_passes = replace(passes, side=train, name="training") if train is not None else passes
    meant = any(bool((train_passes.refuse_steps(batch).weights != 1).any()) for batch in some)
    passes.weigh(batches, meant=meant)


def evaluation(out: Audit, passes: SidePasses, batches: list[Any], given: Adapters) -> list[TokenBatch]:
    """Judge how validation's loss is taken; return the batches' tokens, none where that cannot be told."""
    passes.set_mode()
    outcomes = [tokens_of(batch, given.tokens, given.pad) for batch in batches]
    tokens = [outcome for outcome in outcomes if isinstance(outcome, TokenBatch)]
    why = next((outcome for outcome in outcomes if isinstance(outcome, str)), "")
    if not why:
        tokens = side_scores.with_padding(passes, batches, tokens)
    repeats = side_evaluation.repeatable(out, passes, batches)
    if repeats:
        first = tokens[0] if not why else None
        side_evaluation.rows_alone(out, passes, batches[0], first)
        side_evaluation.reads_its_input(out, passes, batches[0], first)
        _averages(out, passes, batches, tokens if not why else None)
    else:
        for rule in ("batch-dependent", "input-ignored", "ragged-mean"):
            out.skips(rule, "evaluation is random")
    if why:
        other = all(outcome == NOT_MOVED for outcome in outcomes) and not given.speaks_of_text
        _no_next_tokens(out, why, other=other)
    else:
        _next_token(out, passes, batches, tokens, given, repeats=repeats)
    return [] if why else tokens


def _no_next_tokens(out: Audit, why: str, *, other: bool) -> None:
    """Note why rules of next tokens are not judged; where targets are of `other` kinds, what padding does matters."""
    for rule in (*side_scores.OF_SCORES, "future-visible", "padding-dependent"):
        out.skips(rule, why, matters=not other or rule in OF_PADDING)
    for rule in OF_TOKENIZERS if other else ():
        out.skips(rule, why, matters=False)


def _averages(out: Audit, passes: SidePasses, batches: list[Any], tokens: list[TokenBatch] | None) -> None:
    spread = batches if len(batches) <= FEW else [*batches[: FEW // 2], *batches[-FEW // 2 :]]
    counts = None
    if tokens is not None:
        chosen = tokens if len(batches) <= FEW else [*tokens[: FEW // 2], *tokens[-FEW // 2 :]]
        counts = [int((token_batch.scored_BT != NONE).sum()) for token_batch in chosen]
    side_evaluation.averaging(out, passes, spread, counts)


def _next_token(
    out: Audit, passes: SidePasses, batches: list[Any], tokens: list[TokenBatch], given: Adapters, *, repeats: bool
) -> None:
    """Judge what a loss of next tokens must be, on a batch that is padded if there is one."""
    place = next((k for k, token_batch in enumerate(tokens[:LOOKED]) if token_batch.padded), 0)
    batch, token_batch = batches[place], tokens[place]
    ids = [t for token_batch in tokens[:LOOKED] for t in (token_batch.inputs_BT, token_batch.targets_BT)]
    vocabulary = 1 + max(int(t.max()) for t in ids)
    if not repeats:
        for rule in (*side_scores.OF_SCORES, "future-visible", "padding-dependent"):
            out.skips(rule, "evaluation is random")
        return
    try:
        scores = side_scores.scores_of(passes, batch, token_batch, given.logits)
        vocabulary = scores.shape[2]
        side_scores.compare(out, passes, batch, token_batch, scores, given=given.logits is not None)
    except CannotRunError as error:
        for rule in side_scores.OF_SCORES:
            if rule != "probabilities":
                out.skips(rule, str(error))
    if "probabilities" not in out.checked:
        out.skipped.pop("probabilities", None)
        side_scores.sum_probabilities(out, passes, batch, token_batch, vocabulary)
    side_scores.causality(out, passes, batch, token_batch, given.logits, vocabulary)
    if out.broken & {"padding-counted", "padding-predicted"}:
        out.skips("padding-dependent", "padding is counted", matters=False)
    else:
        side_evaluation.padding_matters(out, passes, batch, token_batch)


def _scored(
    out: Audit, batches: list[Any], tokens: list[TokenBatch], given: Adapters, *, complete: bool, again: bool
) -> None:
    if again:
        out.skips("scored-twice", "validation is drawn anew each pass: what is drawn twice is luck", matters=False)
    else:
        side_data.twice(out, batches, tokens)
    if given.tokenizer is None or given.texts is None or not tokens or not complete:
        why = "give tokenizer= and texts=, the validation documents" if complete else "not all batches were held"
        for rule in ("bytes-lost", "end-unpaid"):
            out.skips(rule, why)
        return
    side_data.scored_text(out, tokens, side_data.Coder.of(given.tokenizer), given.texts, given.end)


def _text(out: Audit, given: Adapters) -> None:
    if given.tokenizer is None or given.texts is None:
        for rule in ("tokenizer-lossy", "vocabulary-leak"):
            out.skips(rule, "give tokenizer= and texts=, the validation documents")
        return
    side_data.tokenizer(out, side_data.Coder.of(given.tokenizer), given.texts, given.train_texts)


def training(
    out: Audit, passes: SidePasses, train: Side | None, batches: list[Any], given: Adapters, seconds: float
) -> None:
    """Judge the network: what needs training batches by those, or by validation's where there are none."""
    if given.build is None:
        out.skips("loss-at-start", "give build=, a function that returns a new network")
    else:
        side_network.starts(out, passes, batches[0], given.build, _classes(passes, batches[0], given))
    train_passes = replace(passes, side=train, name="training", quiet=False) if train else replace(passes, quiet=False)
    some = first_of(train_passes.side, side_network.BATCHES)
    if not some:
        raise DiagnoseError("the training side yields no batch; an iterable that yields batches each time is needed")
    if side_network.gradients(out, train_passes, some):
        side_network.overfits(out, train_passes, some[0], seconds)
    else:
        out.skips("cannot-overfit", "the objective returns a loss without a gradient")


def _shared(out: Audit, passes: SidePasses, train: Side | None, batches: list[Any], seconds: float) -> None:
    if train is None:
        for rule in split_overlap.RULES:
            out.skips(rule.id, "give train=, the training side")
    else:
        train_passes = replace(passes, side=train, name="training")
        rows = side_data.rows_of(train_passes, first_of(train, 1)[0]), side_data.rows_of(passes, batches[0])
        side_data.overlap(out, train, passes.side, batches, seconds, rows)


def _classes(passes: SidePasses, batch: Any, given: Adapters) -> int | None:
    """Return how many outcomes the model tells apart; None where that cannot be told."""
    tokens = tokens_of(batch, given.tokens, given.pad)
    try:
        if isinstance(tokens, TokenBatch):
            return int(side_scores.scores_of(passes, batch, tokens, given.logits).shape[2])
        first = batch[0] if isinstance(batch, (tuple, list)) and len(batch) == 2 else None
        if first is None or batch[1].dim() != 1 or batch[1].is_floating_point():
            return None
        scores = passes.call(lambda: passes.model(first), "the model")
        return int(scores.shape[1]) if getattr(scores, "ndim", 0) == 2 else None
    except CannotRunError:
        return None

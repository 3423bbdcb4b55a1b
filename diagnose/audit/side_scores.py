"""Is the loss of a user's model the cross-entropy of the next token: its logits against what the objective returns.

Shapes: B rows, T positions, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from diagnose.audit.findings import differ
from diagnose.audit.predictions import NONE, first_leak, is_distribution, nats, shifted, total_probability
from diagnose.audit.rules import next_token_loss, what_is_seen
from diagnose.audit.side_batches import TokenBatch, some_rows, with_inputs
from diagnose.audit.side_passes import CannotRunError, SidePasses, mean_of
from diagnose.errors import DiagnoseError
from diagnose.gap.loop.elements import size_of
from diagnose.gap.loop.rebatched import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from diagnose.audit.findings import Audit
    from diagnose.gap.loop.elements import Elements

LOOKED = 8  # batches in which padding is looked for
COUNTED = -1  # stands for a target that counts in one place and not in another
ROWS = 3  # of a batch that scores are compared on
MOST_SUMMED = 600  # tokens of a vocabulary that is summed over through the objective itself
CLOSER = 0.05  # of the tolerance for other shifts: an untrained model's losses of all shifts lie close together
LOGITS = "it is called (model, batch) with the whole batch"
OF_SCORES = tuple(rule.id for rule in next_token_loss.RULES)


@dataclass(frozen=True)
class Match:
    """What turns the logits into the loss: how they are read, by how much targets are moved, what padding counts."""

    how: str
    shift: int
    padding: str
    value: float


def scores_of(passes: SidePasses, batch: Any, tokens: TokenBatch, given: Callable[..., Any] | None) -> Tensor:
    """Return the model's scores (B, T, V) of a batch.

    Raises:
        DiagnoseError: `given` fails, or returns another shape.
        CannotRunError: none was given, and the model returns none when it is called plainly.
    """
    shape = tuple(tokens.inputs_BT.shape)
    if given is not None:
        try:
            scores = passes.call(lambda: given(passes.model, batch), "logits")
        except CannotRunError as error:
            raise DiagnoseError(f"{error}; {LOGITS}") from None
        if not isinstance(scores, Tensor) or scores.dim() != 3 or tuple(scores.shape[:2]) != shape:
            kind = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
            wanted = f"logits of shape {(*shape, 'V')} are wanted".replace("'", "")
            raise DiagnoseError(f"logits returns {kind}; {wanted}; {LOGITS}")
        return scores
    why = "the model returns no logits of shape (rows, positions, vocabulary); give logits=(model, batch) -> logits"
    for call in _calls(passes, batch, tokens):
        try:
            returned = passes.call(call, "the model")
        except CannotRunError:
            continue
        for scores in _floats(returned):
            if scores.dim() == 3 and tuple(scores.shape[:2]) == shape and scores.shape[2] > int(tokens.inputs_BT.max()):
                return scores
    raise CannotRunError(why)


def _calls(passes: SidePasses, batch: Any, tokens: TokenBatch) -> Iterator[Callable[[], Any]]:
    model = passes.model
    if tokens.source == "labels":
        yield lambda: model(**{k: v for k, v in batch.items() if k != "labels"})
    yield lambda: model(tokens.inputs_BT)
    yield lambda: model(tokens.inputs_BT, tokens.targets_BT)
    yield lambda: model(tokens.inputs_BT, None)


def _floats(returned: Any) -> Iterator[Tensor]:
    if isinstance(returned, Tensor):
        if returned.is_floating_point():
            yield returned
    elif hasattr(returned, "logits"):
        yield returned.logits
    elif hasattr(returned, "values") and callable(returned.values):
        for value in returned.values():
            yield from _floats(value)
    elif isinstance(returned, (tuple, list)):
        for value in returned:
            yield from _floats(value)


def with_padding(passes: SidePasses, batches: Sequence[Any], tokens: list[TokenBatch]) -> list[TokenBatch]:
    """Return tokens whose targets of one id are padding, where the objective gives these, and no others, no weight.

    So it does where it ignores them, whether or not their zeros count in its mean. Where some shift of the targets
    leaves none out, that is what is scored, and there is no such padding.
    """
    looked = list(zip(batches, tokens, strict=False))[:LOOKED]
    ignoring = replace(passes, weighed=True)
    weights = [weights_of(ignoring.losses(batch), token_batch) for batch, token_batch in looked]
    by_shift = []
    for shift in (1 - tokens[0].offset, 0, 1):
        ids = set[int]()
        for (_, token_batch), counts_BT in zip(looked, weights, strict=True):
            moved_BT = shifted(token_batch.clean_BT, shift).cpu()
            ids |= set() if counts_BT is None else _left_out(moved_BT, counts_BT)
        by_shift.append(ids)
    pad = next((min(ids) for ids in by_shift if len(ids) == 1 and COUNTED not in ids), None)
    if pad is None or not all(by_shift):
        return tokens
    return [replace(batch, real_BT=batch.real_BT & (batch.targets_BT != pad)) for batch in tokens]


def _left_out(targets_BT: Tensor, counts_BT: Tensor) -> set[int]:
    """Return which targets have no weight; `COUNTED` among them where such a target has some elsewhere."""
    without, counted = (targets_BT[(targets_BT != NONE) & some].unique() for some in (counts_BT == 0, counts_BT > 0))  # type: ignore[no-untyped-call]
    return {*without.tolist(), *([COUNTED] if bool(torch.isin(without, counted).any()) else [])}


def weights_of(found: Elements, tokens: TokenBatch) -> Tensor | None:
    """Return what the loss at each place counts (B, T); None where the objective does not give these losses."""
    rows, width = tokens.targets_BT.shape
    if found.scalar or len(found.weights) not in (rows * width, rows * (width - 1)):
        return None
    counts_BT = torch.from_numpy(found.weights).view(rows, -1)
    return functional.pad(counts_BT, (0, width - counts_BT.shape[1]))


def compare(
    audit: Audit, passes: SidePasses, batch: Any, tokens: TokenBatch, scores_BTV: Tensor, *, given: bool
) -> None:
    """Judge what the loss is of, by finding what turns the scores into it."""
    losses = passes.losses(batch)
    counts_BT = weights_of(losses, tokens)
    match = _match(passes, mean_of(losses), tokens, scores_BTV, counts_BT)
    next_token_loss.judge_loss(audit, mean_of(losses), None if match is None else match.value, given=given)
    if match is None:
        for rule in OF_SCORES:
            audit.skips(rule, next_token_loss.NO_MATCH)
        return
    next_token_loss.judge_shift(audit, tokens.offset + match.shift, match.value)
    if tokens.padded:
        missing = int((shifted(tokens.clean_BT, match.shift) == NONE).sum())
        next_token_loss.judge_padding(audit, match.padding, missing / tokens.clean_BT.numel(), match.value)
    else:
        next_token_loss.without_padding(audit, left_out=counts_BT is not None and bool((counts_BT == 0).any()))
    next_token_loss.judge_scores(audit, scores_BTV, match.how, normalised=is_distribution(scores_BTV))


def _match(
    passes: SidePasses, loss: float, tokens: TokenBatch, scores_BTV: Tensor, counts_BT: Tensor | None
) -> Match | None:
    """Return what turns the scores into the loss, places weighed as the objective says; None where nothing does."""
    weights_BT = torch.ones(tokens.targets_BT.shape) if counts_BT is None else counts_BT
    weights_BT = weights_BT.to(scores_BTV.device, torch.float64)
    sound = 1 - tokens.offset
    for how in _hows(scores_BTV):
        for shift in (sound, *(s for s in (0, 1, -1, 2, -2) if s != sound)):
            clean_BT, raw_BT = (shifted(t, shift) for t in (tokens.clean_BT, tokens.targets_BT))
            clean, raw = (nats(scores_BTV, targets_BT, how) * weights_BT for targets_BT in (clean_BT, raw_BT))
            counts = ((clean_BT != NONE) * weights_BT).sum(1)
            width = clean_BT.shape[1] - abs(shift)
            candidates = {
                "left out": clean.sum() / counts.sum(),
                "left out, mean of rows": (clean.sum(1) / counts)[counts > 0].mean(),
                "left out, sum": clean.sum(),
                "predicted": raw.sum() / ((raw_BT != NONE) * weights_BT).sum(),
                "counted": clean.sum() / (len(clean) * width),
                "counted, with the last place": clean.sum() / clean.numel(),
            }
            for padding, value in candidates.items():
                if not differ(float(value), loss, passes.tolerance * (1 if shift == sound else CLOSER)):
                    return Match(how, shift, padding, float(value))
    return None


def _hows(scores_BTV: Tensor) -> list[str]:
    out = ["logits"]
    if float(scores_BTV.max()) <= 1e-3:
        out.append("log-probabilities")
    return [*out, "probabilities"] if float(scores_BTV.min()) >= 0 else out


def sum_probabilities(audit: Audit, passes: SidePasses, batch: Any, tokens: TokenBatch, vocabulary: int) -> None:
    """Judge `probabilities` through the objective itself, where it returns the loss of each target."""
    if "probabilities" in audit.broken or tokens.source != "pair" or vocabulary > MOST_SUMMED:
        audit.skips("probabilities", "the vocabulary is large, or the objective returns no loss of each target")
        return
    row = some_rows(batch, [0])
    row_BT = tokens.targets_BT[:1]

    def loss_of(targets_BT: Tensor) -> Tensor:
        other = changed(row, lambda t: targets_BT.to(t) if torch.equal(t, row[1]) and t.shape == row_BT.shape else t)
        losses = passes.losses(other, probe=True)
        if len(losses.nats) != row_BT.numel():
            raise CannotRunError("the objective returns no loss of each target")
        return torch.from_numpy(losses.nats).view(row_BT.shape)

    try:
        total = total_probability(loss_of, row_BT, vocabulary)
    except CannotRunError as error:
        audit.skips("probabilities", str(error))
        return
    next_token_loss.judge_total(audit, total[tokens.clean_BT[:1] != NONE])


def causality(
    audit: Audit, passes: SidePasses, batch: Any, tokens: TokenBatch, given: Callable[..., Any] | None, vocabulary: int
) -> None:
    """Judge `future-visible`, by logits or by the losses of elements."""
    rows = list(range(min(ROWS, size_of(batch) or 1)))
    some, inputs_BT = some_rows(batch, rows), tokens.inputs_BT[rows]
    token_batch = TokenBatch(inputs_BT, tokens.targets_BT[rows], tokens.real_BT[rows], tokens.offset, tokens.source)

    def answer(new_BT: Tensor) -> Tensor:
        other = with_inputs(some, inputs_BT, new_BT)
        if other is None:
            raise CannotRunError("the inputs cannot be found in the batch")
        moved = replace(token_batch, inputs_BT=new_BT)
        try:
            return scores_of(passes, other, moved, given)
        except CannotRunError:
            losses = passes.losses(other, probe=True)
            if len(losses.nats) != new_BT.numel():
                raise CannotRunError("neither logits nor the losses of single tokens can be had") from None
            return torch.from_numpy(losses.nats).view(new_BT.shape)

    try:
        leak, most = first_leak(answer, inputs_BT, vocabulary, 0.05 if passes.half else 1e-4)
    except CannotRunError as error:
        audit.skips("future-visible", str(error))
        return
    what_is_seen.judge_future(audit, leak, most)
